//! What a payload type means: [RFC 8866 §6.6](https://www.rfc-editor.org/rfc/rfc8866.html#section-6.6).

use super::{Attribute, rtcp::payload_type};
use crate::{
    error::ParseError,
    grammar::{
        after, blanks_before, is_integer, is_token_char, is_zero_based_integer, literal, number,
        require, whole, word_until,
    },
};
use core::fmt;
use nom::combinator::opt;

/// `a=rtpmap`: a payload type's codec and clock.
///
/// ```text
/// a=rtpmap:111 opus/48000/2
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RtpMap<'a> {
    /// From 0 to 127.
    pub payload_type: u8,
    /// The codec. Compare it without regard to case.
    pub encoding: &'a str,
    /// Ticks of the RTP timestamp per second.
    pub clock_rate: u32,
    /// The number of audio channels, if given: 1 if not.
    pub channels: Option<u16>,
}

impl<'a> RtpMap<'a> {
    /// The payload types that need no `a=rtpmap`
    /// ([RFC 3551 §6](https://www.rfc-editor.org/rfc/rfc3551.html#section-6)).
    ///
    /// ```
    /// use rtckit_sdp::attribute::RtpMap;
    ///
    /// assert_eq!(RtpMap::static_type(8).unwrap().encoding, "PCMA");
    /// assert_eq!(RtpMap::static_type(96), None);
    /// ```
    pub const fn static_type(payload_type: u8) -> Option<RtpMap<'static>> {
        let (encoding, clock_rate, channels) = match payload_type {
            0 => ("PCMU", 8_000, Some(1)),
            3 => ("GSM", 8_000, Some(1)),
            4 => ("G723", 8_000, Some(1)),
            5 => ("DVI4", 8_000, Some(1)),
            6 => ("DVI4", 16_000, Some(1)),
            7 => ("LPC", 8_000, Some(1)),
            8 => ("PCMA", 8_000, Some(1)),
            // G.722 samples at 16 kHz, but its RTP clock runs at 8: an old mistake, kept.
            9 => ("G722", 8_000, Some(1)),
            10 => ("L16", 44_100, Some(2)),
            11 => ("L16", 44_100, Some(1)),
            12 => ("QCELP", 8_000, Some(1)),
            13 => ("CN", 8_000, Some(1)),
            14 => ("MPA", 90_000, None),
            15 => ("G728", 8_000, Some(1)),
            16 => ("DVI4", 11_025, Some(1)),
            17 => ("DVI4", 22_050, Some(1)),
            18 => ("G729", 8_000, Some(1)),
            25 => ("CelB", 90_000, None),
            26 => ("JPEG", 90_000, None),
            28 => ("nv", 90_000, None),
            31 => ("H261", 90_000, None),
            32 => ("MPV", 90_000, None),
            33 => ("MP2T", 90_000, None),
            34 => ("H263", 90_000, None),
            _ => return None,
        };
        Some(RtpMap {
            payload_type,
            encoding,
            clock_rate,
            channels,
        })
    }
}

impl<'a> Attribute<'a> for RtpMap<'a> {
    const NAME: &'static str = "rtpmap";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        let parser = (
            payload_type("a payload type from 0 to 127"),
            blanks_before("a codec such as VP8/90000"),
            word_until(&['/'], "an encoding name"),
            literal("/", "a slash and a clock rate"),
            number("a clock rate"),
            after("/", opt(number("a number of channels"))),
        );
        let (payload_type, _, encoding, _, clock_rate, channels) =
            whole(Self::NAME, value, parser)?;
        Ok(Self {
            payload_type,
            encoding,
            clock_rate,
            channels: channels.flatten(),
        })
    }

    /// Numbers have no useless zeros and clock and channels are not 0, the name is a token, and a slash is followed by
    /// something.
    fn check(value: &'a str) -> Result<(), ParseError> {
        let map = Self::parse(value)?;
        let (number, rest) = value.split_once(' ').unwrap_or((value, ""));
        let need = |is_right, part, what| require(is_right, Self::NAME, value, part, what);
        let expected = "a payload type from 0 to 127, without a leading 0";
        need(is_zero_based_integer(number), number, expected)?;
        let is_token = map.encoding.chars().all(is_token_char);
        need(is_token, map.encoding, "a name of token characters")?;
        let mut words = rest.split('/').skip(1);
        let clock = words.next().unwrap_or_default();
        let expected = "a clock rate from 1, without a leading 0";
        need(is_integer(clock), clock, expected)?;
        let expected = "a number of channels from 1, or no slash";
        words.try_for_each(|channels| need(is_integer(channels), channels, expected))
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{}", self.payload_type)?;
        super::write_next(out, self.encoding)?;
        write!(out, "/{}", self.clock_rate)?;
        self.channels
            .map_or(Ok(()), |channels| write!(out, "/{channels}"))
    }
}
