//! Data channels: [RFC 8841](https://www.rfc-editor.org/rfc/rfc8841.html).

use super::{
    Attribute,
    crypto::{decode_base64, write_base64},
    numeric,
};
use crate::{
    error::ParseError,
    grammar::{base64, chars, next_number, next_word, number, whole, word},
};
use alloc::{string::String, vec::Vec};
use core::fmt;
use nom::combinator::opt;

numeric! {
    /// `a=sctp-port`: the SCTP port inside DTLS
    /// ([RFC 8841 §5](https://www.rfc-editor.org/rfc/rfc8841.html#section-5)).
    SctpPort(u16), "sctp-port", "a port from 0 to 65535"
}

numeric! {
    /// `a=max-message-size`: the largest message the writer takes, in bytes; 0 for any
    /// ([RFC 8841 §6](https://www.rfc-editor.org/rfc/rfc8841.html#section-6)). If it is not given, 65536.
    MaxMessageSize(u64), "max-message-size", "a number of bytes"
}

impl Default for MaxMessageSize {
    fn default() -> Self {
        Self(65_536)
    }
}

/// `a=sctp-init`: the writer's INIT chunk, so that the association needs one round trip less
/// (draft-hancke-tsvwg-snap). Base64; without padding it is read too.
///
/// ```text
/// a=sctp-init:AQAAHols3R0AUAAA/////+B5ZR3AAAAEgAgABoLA
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SctpInit<'a>(pub &'a str);

impl SctpInit<'_> {
    /// The longest chunk that is decoded, in bytes.
    pub const MAX: usize = 16 * 1024;

    /// The chunk; `None` if it is longer than [`MAX`](Self::MAX).
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let fits = self.0.len() <= Self::MAX / 3 * 4;
        decode_base64(self.0).filter(|_| fits)
    }

    /// The text of a chunk.
    pub fn encode(chunk: &[u8]) -> String {
        let mut text = String::with_capacity(chunk.len() / 3 * 4 + 4);
        // A String takes whatever is written.
        let written = write_base64(chunk, &mut text);
        debug_assert!(written.is_ok());
        text
    }
}

impl<'a> Attribute<'a> for SctpInit<'a> {
    const NAME: &'static str = "sctp-init";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        let text = whole(Self::NAME, value, word("an INIT chunk in base64"))?;
        let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
        let data = text.trim_end_matches('=');
        let leading = value.find(text).unwrap_or(0);
        chars(Self::NAME, data, 1..=usize::MAX, is_base64, "base64")
            .map_err(|error| error.at(0, leading))?;
        Ok(Self(text))
    }

    fn check(value: &'a str) -> Result<(), ParseError> {
        Self::parse(value)?;
        base64(Self::NAME, value, "base64 in groups of four")
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        super::write_word(out, self.0)
    }
}

/// `a=sctpmap`: the same in the drafts before RFC 8841 (draft-ietf-mmusic-sctp-sdp-04), with
/// `m=application … DTLS/SCTP 5000`.
///
/// ```text
/// a=sctpmap:5000 webrtc-datachannel 1024
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SctpMap<'a> {
    /// The SCTP port, which is the format in the `m=` line.
    pub port: u16,
    /// `webrtc-datachannel`.
    pub application: &'a str,
    /// The number of streams, if given.
    pub streams: Option<u32>,
}

impl<'a> Attribute<'a> for SctpMap<'a> {
    const NAME: &'static str = "sctpmap";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        let parser = (
            number("a port from 0 to 65535"),
            next_word("an application such as webrtc-datachannel"),
            opt(next_number("a number of streams")),
        );
        let (port, application, streams) = whole(Self::NAME, value, parser)?;
        Ok(Self {
            port,
            application,
            streams,
        })
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{} {}", self.port, self.application)?;
        self.streams
            .map_or(Ok(()), |streams| write!(out, " {streams}"))
    }
}
