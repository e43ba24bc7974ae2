//! Messages over a stream: where one ends and the next begins
//! ([RFC 8489 §6.2.2](https://www.rfc-editor.org/rfc/rfc8489#section-6.2.2),
//! [RFC 8656 §12.5](https://www.rfc-editor.org/rfc/rfc8656#section-12.5)).
//!
//! ```text
//!   0 1 2 3 4 5 6 7 ...
//! +-----------------+----------------+-------------+
//! | 00  STUN type   | Length (2)     | cookie, id  | ... Length more bytes, which are a multiple of 4
//! +-----------------+----------------+-------------+
//! | 01  channel (2) | Length (2)     |               ... Length more bytes, and padding to a multiple of 4
//! +-----------------+----------------+
//! ```

use alloc::vec::Vec;
use core::fmt;

use crate::header::HEADER_LEN;

/// The header of ChannelData.
const CHANNEL_HEADER_LEN: usize = 4;

/// The bytes on a stream are neither STUN nor ChannelData, or more than may be kept: the stream has to be closed, as
/// nobody can tell where the next message begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// The first two bits are neither 00 nor 01, or the length of a STUN message is no multiple of 4.
    NotStun,
    /// Longer than the framer's ceiling.
    TooLong,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStun => "the stream carries neither STUN nor ChannelData",
            Self::TooLong => "the message is longer than is allowed",
        })
    }
}

impl core::error::Error for FrameError {}

/// How long the message at the start of `bytes` is, and how much of the stream it takes, with its padding; `None`
/// when its header is not there yet.
///
/// # Errors
/// [`FrameError::NotStun`].
pub fn frame_len(bytes: &[u8]) -> Result<Option<(usize, usize)>, FrameError> {
    let Some(&[first, _, high, low]) = bytes.first_chunk() else {
        return match bytes.first() {
            Some(first) if first >> 6 > 1 => Err(FrameError::NotStun),
            _ => Ok(None),
        };
    };
    let len = usize::from(u16::from_be_bytes([high, low]));
    match first >> 6 {
        0 if len % 4 == 0 => Ok(Some((HEADER_LEN + len, HEADER_LEN + len))),
        1 => {
            let len = CHANNEL_HEADER_LEN + len;
            Ok(Some((len, len.next_multiple_of(4))))
        }
        _ => Err(FrameError::NotStun),
    }
}

/// Cuts a stream into messages.
///
/// Whole messages are lent out of what was just read and never copied; only the beginning of one whose end has not
/// come is kept, in memory that grows with what arrives and not with what a header promises.
///
/// ```
/// use rtckit_stun::{MessageWriter, Class, Method, StreamFramer, TransactionId};
///
/// let mut message = [0; 20];
/// MessageWriter::new(&mut message, Class::Request, Method::BINDING, TransactionId([1; 12]))?;
/// let mut framer = StreamFramer::new(2048);
/// // the first read ends within the second message
/// let mut read = [&message[..], &message[..7]].concat();
/// let mut frames = framer.frames(&mut read);
/// assert_eq!(frames.next()?, Some(&mut message.clone()[..]));
/// assert_eq!(frames.next()?, None);
/// // the second brings the rest
/// let mut read = message[7..].to_vec();
/// assert_eq!(framer.frames(&mut read).next()?, Some(&mut message.clone()[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct StreamFramer {
    held: Vec<u8>,
    max_frame_len: usize,
    /// Set by the first error, which every later read repeats.
    error: Option<FrameError>,
}

impl StreamFramer {
    /// A framer at the start of a stream. Messages of more than `max_frame_len` bytes (65,555 is the longest there
    /// can be) are an error.
    pub const fn new(max_frame_len: usize) -> Self {
        Self {
            held: Vec::new(),
            max_frame_len,
            error: None,
        }
    }

    /// How many bytes of an unfinished message are kept: a driver that sees the same one unfinished for long closes
    /// the stream.
    pub const fn held_len(&self) -> usize {
        self.held.len()
    }

    /// The messages that `read`, the next bytes of the stream, completes. It has to be drained.
    pub fn frames<'f>(&'f mut self, read: &'f mut [u8]) -> Frames<'f> {
        Frames {
            framer: self,
            read,
            taken: 0,
            lends_held: false,
        }
    }

    /// Ends the framing, as after a successful ConnectionBind, and gives back what of the stream was kept.
    pub fn into_held(self) -> Vec<u8> {
        self.held
    }

    fn checked_len(&self, bytes: &[u8]) -> Result<Option<(usize, usize)>, FrameError> {
        match frame_len(bytes)? {
            Some((len, _)) if len > self.max_frame_len => Err(FrameError::TooLong),
            lens => Ok(lens),
        }
    }
}

impl fmt::Debug for StreamFramer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamFramer({} bytes held)", self.held.len())
    }
}

/// The messages of one read; see [`StreamFramer::frames`].
#[derive(Debug)]
pub struct Frames<'f> {
    framer: &'f mut StreamFramer,
    read: &'f mut [u8],
    /// How much of `read` has been lent or kept.
    taken: usize,
    /// Whether the message lent last is what the framer held, to be forgotten now.
    lends_held: bool,
}

impl Frames<'_> {
    /// The next message, without padding; `None` when the rest of it has still to come.
    ///
    /// # Errors
    /// The stream cannot be understood any further.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator cannot lend from itself"
    )]
    pub fn next(&mut self) -> Result<Option<&mut [u8]>, FrameError> {
        if let Some(error) = self.framer.error {
            return Err(error);
        }
        let result = self.advance();
        match result {
            Ok(None) => Ok(None),
            Ok(Some(Place::Held(len))) => Ok(self.framer.held.get_mut(..len)),
            Ok(Some(Place::Read(start, len))) => Ok(self.read.get_mut(start..start + len)),
            Err(error) => {
                self.framer.error = Some(error);
                self.framer.held = Vec::new();
                Err(error)
            }
        }
    }

    /// What follows the message lent last: the bytes of another protocol, when that message switched to it.
    pub fn remainder(&self) -> &[u8] {
        self.read.get(self.taken..).unwrap_or_default()
    }

    fn advance(&mut self) -> Result<Option<Place>, FrameError> {
        if self.lends_held {
            self.lends_held = false;
            // an idle stream keeps no memory
            self.framer.held = Vec::new();
        }
        if !self.framer.held.is_empty() {
            return self.complete_held();
        }
        let rest = self.read.get(self.taken..).unwrap_or_default();
        match self.framer.checked_len(rest)? {
            Some((len, padded)) if padded <= rest.len() => {
                let start = self.taken;
                self.taken += padded;
                Ok(Some(Place::Read(start, len)))
            }
            _ => {
                self.framer.held.extend_from_slice(rest);
                self.taken = self.read.len();
                Ok(None)
            }
        }
    }

    /// Adds to what is held what belongs to the same message.
    fn complete_held(&mut self) -> Result<Option<Place>, FrameError> {
        loop {
            let lens = self.framer.checked_len(&self.framer.held)?;
            let wanted = lens.map_or(CHANNEL_HEADER_LEN, |(_, padded)| padded);
            let missing = wanted.saturating_sub(self.framer.held.len());
            let rest = self.read.get(self.taken..).unwrap_or_default();
            if missing > 0 {
                let taken = missing.min(rest.len());
                self.framer
                    .held
                    .extend_from_slice(rest.get(..taken).unwrap_or_default());
                self.taken += taken;
                if taken < missing {
                    // a first byte that cannot begin a message is refused at once
                    self.framer.checked_len(&self.framer.held)?;
                    return Ok(None);
                }
            } else if let Some((len, _)) = lens {
                self.lends_held = true;
                return Ok(Some(Place::Held(len)));
            }
        }
    }
}

enum Place {
    Held(usize),
    Read(usize, usize),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stream(messages: &[(bool, Vec<u8>)]) -> (Vec<u8>, Vec<Vec<u8>>) {
        let (mut bytes, mut frames) = (Vec::new(), Vec::new());
        for (is_stun, payload) in messages {
            let mut frame = Vec::new();
            if *is_stun {
                let len = payload.len() / 4 * 4;
                frame.extend_from_slice(&[0, 1, 0, len as u8]);
                frame.extend_from_slice(&[7; 16]);
                frame.extend_from_slice(&payload[..len]);
            } else {
                frame.extend_from_slice(&[0x40, 1, 0, payload.len() as u8]);
                frame.extend_from_slice(payload);
            }
            bytes.extend_from_slice(&frame);
            bytes.resize(bytes.len().next_multiple_of(4), 0xee);
            frames.push(frame);
        }
        (bytes, frames)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn however_it_is_cut(
            messages in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..60)), 0..8),
            cuts in prop::collection::vec(1_usize..40, 1..60),
        ) {
            let (bytes, frames) = stream(&messages);
            let mut framer = StreamFramer::new(256);
            let mut seen = Vec::new();
            let (mut rest, mut cuts) = (&bytes[..], cuts.iter().cycle());
            while !rest.is_empty() {
                let (now, later) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                let mut read = now.to_vec();
                let mut pieces = framer.frames(&mut read);
                while let Some(frame) = pieces.next().unwrap() {
                    seen.push(frame.to_vec());
                }
                rest = later;
            }
            prop_assert_eq!(seen, frames);
            prop_assert_eq!(framer.held_len(), 0);
        }
    }

    #[test]
    fn what_is_no_message_ends_the_stream() {
        for bytes in [&[0x80][..], &[0xc0, 0, 0, 0], &[0, 1, 0, 3]] {
            let mut framer = StreamFramer::new(100);
            assert_eq!(
                framer.frames(&mut bytes.to_vec()).next(),
                Err(FrameError::NotStun)
            );
            assert_eq!(framer.frames(&mut []).next(), Err(FrameError::NotStun));
        }
        let mut framer = StreamFramer::new(100);
        assert_eq!(framer.frames(&mut [0x40, 0, 0]).next(), Ok(None));
        assert_eq!(
            framer.frames(&mut [97, 1]).next(),
            Err(FrameError::TooLong),
            "refused by its header, before it is kept"
        );
    }
}
