//! Feedback ([RFC 4585 §6](https://www.rfc-editor.org/rfc/rfc4585#section-6),
//! [RFC 5104 §4.3.1](https://www.rfc-editor.org/rfc/rfc5104#section-4.3.1)).
//!
//! ```text
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of packet sender                        |
//! |                  SSRC of media source                         |
//! +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! |      packet ID (PID)          | bitmask of the 16 after (BLP) |  NACK: 1 or more
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                              SSRC                             |  FIR: 1 or more
//! | Seq nr.       |    Reserved                                   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use rtckit_proto::{CursorError, Reader, Writer};

use crate::{ParseError, Ssrc};

/// The format of a generic NACK, in transport-layer feedback.
pub(super) const NACK: u8 = 1;
/// The format of a picture loss indication, in payload-specific feedback.
pub(super) const PLI: u8 = 1;
/// The format of a full intra request, in payload-specific feedback.
pub(super) const FIR: u8 = 4;

/// Generic NACK: packets that are missing
/// ([RFC 4585 §6.2.1](https://www.rfc-editor.org/rfc/rfc4585#section-6.2.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nack<'a> {
    /// Who misses them.
    pub sender: Ssrc,
    /// The stream they belong to.
    pub media: Ssrc,
    entries: &'a [[u8; 4]],
}

impl<'a> Nack<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let (sender, media) = (Ssrc(reader.u32()?), Ssrc(reader.u32()?));
        let (entries, _) = reader.rest().as_chunks();
        if entries.is_empty() {
            return Err(ParseError::new(reader.position(), "a NACK entry"));
        }
        Ok(Self {
            sender,
            media,
            entries,
        })
    }

    /// The missing sequence numbers, in the order they stand: up to 17 for each entry.
    pub fn sequence_numbers(&self) -> impl Iterator<Item = u16> + 'a {
        self.entries.iter().flat_map(|&[p0, p1, b0, b1]| {
            let (pid, blp) = (u16::from_be_bytes([p0, p1]), u16::from_be_bytes([b0, b1]));
            let after = (0..16).filter(move |bit| blp >> bit & 1 == 1);
            core::iter::once(pid).chain(after.map(move |bit| pid.wrapping_add(bit + 1)))
        })
    }
}

/// PLI: the receiver has lost a picture and needs a key frame
/// ([RFC 4585 §6.3.1](https://www.rfc-editor.org/rfc/rfc4585#section-6.3.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureLossIndication {
    /// Who has lost it.
    pub sender: Ssrc,
    /// The stream it belongs to.
    pub media: Ssrc,
}

impl PictureLossIndication {
    pub(super) fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        Ok(Self {
            sender: Ssrc(reader.u32()?),
            media: Ssrc(reader.u32()?),
        })
    }
}

/// One request of a FIR.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FirEntry {
    /// Who is to send a key frame.
    pub ssrc: Ssrc,
    /// Counts requests to this sender: the same number again is the same request.
    pub sequence_number: u8,
}

/// FIR: key frames are wanted, because somebody joined
/// ([RFC 5104 §4.3.1](https://www.rfc-editor.org/rfc/rfc5104#section-4.3.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FullIntraRequest<'a> {
    /// Who wants them.
    pub sender: Ssrc,
    entries: &'a [[u8; 8]],
}

impl<'a> FullIntraRequest<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let sender = Ssrc(reader.u32()?);
        // the media source is unused and may be anything
        reader.u32()?;
        let (entries, _) = reader.rest().as_chunks();
        if entries.is_empty() {
            return Err(ParseError::new(reader.position(), "a FIR entry"));
        }
        Ok(Self { sender, entries })
    }

    /// From whom.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = FirEntry> + 'a {
        self.entries
            .iter()
            .map(|&[a, b, c, d, sequence_number, ..]| FirEntry {
                ssrc: Ssrc(u32::from_be_bytes([a, b, c, d])),
                sequence_number,
            })
    }
}

/// Writes the sender, the media source and as few NACK entries as the numbers allow in the order they come.
/// Returns whether there was any number.
pub(super) fn write_nack(
    sender: Ssrc,
    media: Ssrc,
    sequence_numbers: impl IntoIterator<Item = u16>,
    writer: &mut Writer<'_>,
) -> Result<bool, CursorError> {
    write_ssrcs(sender, media, writer)?;
    let mut entry: Option<(u16, u16)> = None;
    for number in sequence_numbers {
        entry = Some(match entry {
            Some((pid, blp)) => match number.wrapping_sub(pid) {
                0 => (pid, blp),
                after @ 1..=16 => (pid, blp | 1 << (after - 1)),
                _ => {
                    write_entry(pid, blp, writer)?;
                    (number, 0)
                }
            },
            None => (number, 0),
        });
    }
    let Some((pid, blp)) = entry else {
        return Ok(false);
    };
    write_entry(pid, blp, writer)?;
    Ok(true)
}

fn write_entry(pid: u16, blp: u16, writer: &mut Writer<'_>) -> Result<(), CursorError> {
    writer.u16(pid)?;
    writer.u16(blp)
}

/// Writes the two SSRCs every feedback packet starts with; they are all of a PLI.
pub(super) fn write_ssrcs(
    sender: Ssrc,
    media: Ssrc,
    writer: &mut Writer<'_>,
) -> Result<(), CursorError> {
    writer.u32(sender.0)?;
    writer.u32(media.0)
}

pub(super) fn write_fir(
    sender: Ssrc,
    entries: &[FirEntry],
    writer: &mut Writer<'_>,
) -> Result<(), CursorError> {
    write_ssrcs(sender, Ssrc(0), writer)?;
    for entry in entries {
        writer.u32(entry.ssrc.0)?;
        writer.u8(entry.sequence_number)?;
        writer.u24(0)?;
    }
    Ok(())
}
