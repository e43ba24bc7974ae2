//! Data channels: [RFC 8841](https://www.rfc-editor.org/rfc/rfc8841.html).

use super::{Attribute, numeric};
use crate::{
    error::ParseError,
    grammar::{next_number, next_word, number, whole},
};
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

/// `a=sctpmap`: the same in the drafts before RFC 8841, with `m=application … DTLS/SCTP 5000`.
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
