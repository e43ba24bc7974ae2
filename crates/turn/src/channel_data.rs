//! ChannelData: four bytes before each payload instead of an indication's 36 or 48
//! ([RFC 8656 §12.4](https://www.rfc-editor.org/rfc/rfc8656#section-12.4)).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |         Channel Number        |            Length             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! /                       Application Data                        /
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//! Over a stream padding to a multiple of 4 follows, which Length does not count; over UDP there may be some.

use core::fmt;
use core::ops::Range;

use rtckit_stun::ParseError;

/// The length of the header in bytes.
pub const CHANNEL_HEADER_LEN: usize = 4;

/// The number of a channel: 0x4000 to 0x7fff.
///
/// RFC 8656 narrowed the range to 0x4000 to 0x4fff, so that the first byte tells ChannelData from other protocols
/// ([RFC 7983 §7](https://www.rfc-editor.org/rfc/rfc7983#section-7)); clients of RFC 5766 use all of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelNumber(u16);

impl ChannelNumber {
    /// The first of them.
    pub const MIN: Self = Self(0x4000);
    /// The last of RFC 8656, and the last a [`Client`](crate::Client) binds.
    pub const MAX: Self = Self(0x4fff);

    /// `None` for a number that is no channel's.
    pub const fn new(number: u16) -> Option<Self> {
        if number >> 14 == 1 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number.
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Debug for ChannelNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}

/// Whether a datagram is ChannelData rather than STUN: its first two bits are 01.
pub fn is_channel_data(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| first >> 6 == 1)
}

/// A ChannelData message: which channel, and where in its bytes the payload is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelData {
    /// The channel.
    pub channel: ChannelNumber,
    /// The payload.
    pub payload: Range<usize>,
}

impl ChannelData {
    /// Reads the header. Bytes behind the payload are padding and not looked at.
    ///
    /// # Errors
    /// The bytes are not ChannelData, or shorter than Length says.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let Some(&[c0, c1, l0, l1]) = bytes.first_chunk() else {
            return Err(ParseError::new(bytes.len(), "a header of 4 bytes"));
        };
        let channel = ChannelNumber::new(u16::from_be_bytes([c0, c1]))
            .ok_or(ParseError::new(0, "a channel number"))?;
        let end = CHANNEL_HEADER_LEN + usize::from(u16::from_be_bytes([l0, l1]));
        if end > bytes.len() {
            return Err(ParseError::new(2, "no more than the datagram's length"));
        }
        Ok(Self {
            channel,
            payload: CHANNEL_HEADER_LEN..end,
        })
    }

    /// The header before `len` bytes of payload; `None` when they are more than Length can say.
    pub fn header(channel: ChannelNumber, len: usize) -> Option<[u8; CHANNEL_HEADER_LEN]> {
        let [c0, c1] = channel.number().to_be_bytes();
        let [l0, l1] = u16::try_from(len).ok()?.to_be_bytes();
        Some([c0, c1, l0, l1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn round_trip(number in 0x4000_u16..0x8000, payload: Vec<u8>, padding in 0_usize..4) {
            let channel = ChannelNumber::new(number).unwrap();
            let mut bytes = ChannelData::header(channel, payload.len()).unwrap().to_vec();
            bytes.extend_from_slice(&payload);
            let len = bytes.len();
            bytes.resize(len + padding, 0xa5);
            let read = ChannelData::parse(&bytes).unwrap();
            prop_assert_eq!(read.channel, channel);
            prop_assert_eq!(&bytes[read.payload], &payload[..]);
            for short in 0..len {
                prop_assert!(ChannelData::parse(&bytes[..short]).is_err());
            }
        }
    }

    #[test]
    fn numbers_outside_the_range() {
        for number in [0, 0x3fff, 0x8000, 0xffff] {
            assert_eq!(ChannelNumber::new(number), None);
            let [high, low] = number.to_be_bytes();
            assert!(ChannelData::parse(&[high, low, 0, 0]).is_err());
        }
        assert!(ChannelData::header(ChannelNumber::MIN, 65_536).is_none());
    }
}
