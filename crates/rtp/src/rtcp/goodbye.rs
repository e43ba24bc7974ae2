//! A source leaves ([RFC 3550 §6.6](https://www.rfc-editor.org/rfc/rfc3550#section-6.6)).
//!
//! ```text
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                           SSRC/CSRC                           |
//! :                              ...                              :
//! +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! |     length    |               reason for leaving            ...  (optional)
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use rtckit_proto::{Reader, Writer};

use crate::{Error, ParseError, Ssrc};

/// BYE: up to 31 sources that send no more, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goodbye<'a> {
    sources: &'a [[u8; 4]],
    /// Why, in UTF-8 if the sender keeps to the rules; empty when it does not say.
    pub reason: &'a [u8],
}

impl<'a> Goodbye<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let (sources, _) = reader.take(usize::from(count) * 4)?.as_chunks();
        let reason = if reader.is_empty() {
            &[]
        } else {
            reader.vec8()?.rest()
        };
        Ok(Self { sources, reason })
    }

    /// Who leaves.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = Ssrc> + 'a {
        self.sources
            .iter()
            .map(|&ssrc| Ssrc(u32::from_be_bytes(ssrc)))
    }
}

/// Writes the body: the sources, and the reason unless it is empty.
pub(super) fn write(sources: &[Ssrc], reason: &str, writer: &mut Writer<'_>) -> Result<(), Error> {
    for ssrc in sources {
        writer.u32(ssrc.0)?;
    }
    if reason.is_empty() {
        return Ok(());
    }
    let len = u8::try_from(reason.len()).map_err(|_| Error::OutOfRange("BYE reason: 255 bytes"))?;
    writer.u8(len)?;
    writer.bytes(reason.as_bytes())?;
    let zeros = (1 + reason.len()).next_multiple_of(4) - (1 + reason.len());
    writer.reserve(zeros)?.fill(0);
    Ok(())
}
