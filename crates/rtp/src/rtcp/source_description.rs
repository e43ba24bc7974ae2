//! Who a source is ([RFC 3550 §6.5](https://www.rfc-editor.org/rfc/rfc3550#section-6.5)).
//!
//! ```text
//! +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! |                          SSRC/CSRC_1                          |  chunk 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |   item type   |    length     |  UTF-8 text                 ...
//! |   item type   |    ...          0, then zeros to a word       |
//! +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! ```

use rtckit_proto::{CursorError, Reader, Writer};

use crate::{Error, ParseError, Ssrc};

/// The item types of [RFC 3550 §6.5](https://www.rfc-editor.org/rfc/rfc3550#section-6.5) and later.
pub mod item {
    /// The canonical name, which ties the streams of one source together.
    pub const CNAME: u8 = 1;
    /// The media identification of BUNDLE ([RFC 8843 §15.2](https://www.rfc-editor.org/rfc/rfc8843#section-15.2)).
    pub const MID: u8 = 15;
}

/// One item of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceItem<'a> {
    /// The source.
    pub ssrc: Ssrc,
    /// The item's type, see [`item`].
    pub item_type: u8,
    /// Its text: UTF-8 if the sender keeps to the rules.
    pub text: &'a [u8],
}

/// SDES: up to 31 sources and their items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceDescription<'a> {
    chunks: u8,
    body: &'a [u8],
}

impl<'a> SourceDescription<'a> {
    pub(super) fn parse(chunks: u8, body: &'a [u8]) -> Result<Self, ParseError> {
        let description = Self { chunks, body };
        let mut items = description.items();
        items.by_ref().for_each(drop);
        match items.state {
            State::Broken => Err(ParseError::new(
                items.reader.position(),
                "as many SDES chunks as counted",
            )),
            _ => Ok(description),
        }
    }

    /// Every item of every source, in order.
    pub fn items(&self) -> SourceItems<'a> {
        SourceItems {
            chunks_left: self.chunks,
            reader: Reader::new(self.body),
            state: State::BetweenChunks,
        }
    }

    /// The canonical name of the first source that has one.
    pub fn cname(&self) -> Option<(Ssrc, &'a [u8])> {
        self.items()
            .find(|item| item.item_type == item::CNAME)
            .map(|item| (item.ssrc, item.text))
    }
}

/// See [`SourceDescription::items`].
#[derive(Clone, Debug)]
pub struct SourceItems<'a> {
    chunks_left: u8,
    reader: Reader<'a>,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    BetweenChunks,
    InChunk(Ssrc),
    Broken,
}

impl<'a> SourceItems<'a> {
    fn step(&mut self) -> Result<Option<SourceItem<'a>>, CursorError> {
        loop {
            match self.state {
                State::Broken => return Ok(None),
                State::BetweenChunks => {
                    let Some(left) = self.chunks_left.checked_sub(1) else {
                        return Ok(None);
                    };
                    self.chunks_left = left;
                    self.state = State::InChunk(Ssrc(self.reader.u32()?));
                }
                State::InChunk(ssrc) => {
                    let item_type = self.reader.u8()?;
                    if item_type != 0 {
                        let text = self.reader.vec8()?.rest();
                        return Ok(Some(SourceItem {
                            ssrc,
                            item_type,
                            text,
                        }));
                    }
                    let to_word = self.reader.position().next_multiple_of(4);
                    self.reader.take(to_word - self.reader.position())?;
                    self.state = State::BetweenChunks;
                }
            }
        }
    }
}

impl<'a> Iterator for SourceItems<'a> {
    type Item = SourceItem<'a>;

    fn next(&mut self) -> Option<SourceItem<'a>> {
        self.step().unwrap_or_else(|_| {
            self.state = State::Broken;
            None
        })
    }
}

/// Writes one chunk: `ssrc` and its canonical name of up to 255 bytes.
pub(super) fn write_cname(ssrc: Ssrc, cname: &str, writer: &mut Writer<'_>) -> Result<(), Error> {
    let len = u8::try_from(cname.len()).map_err(|_| Error::OutOfRange("CNAME: 255 bytes"))?;
    let start = writer.len();
    writer.u32(ssrc.0)?;
    writer.u8(item::CNAME)?;
    writer.u8(len)?;
    writer.bytes(cname.as_bytes())?;
    // the item list ends with one zero at least, and then on a word
    let written = writer.len() - start;
    let zeros = 4 - written % 4;
    writer.reserve(zeros)?.fill(0);
    Ok(())
}
