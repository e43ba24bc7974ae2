//! RTCP's place and its messages: RFC 3605, RFC 5761, RFC 5506, RFC 4585, RFC 3611.

use super::{Attribute, flag};
use crate::{
    error::ParseError,
    field::Connection,
    grammar::{Parsed, blanks0, fail, is_blank, number, offset_in, rest, token, whole},
};
use core::fmt;
use nom::Parser;

flag! {
    /// `a=rtcp-mux`: RTCP shares RTP's port
    /// ([RFC 5761 §5](https://www.rfc-editor.org/rfc/rfc5761.html#section-5)).
    RtcpMux, "rtcp-mux"
}

flag! {
    /// `a=rtcp-mux-only`: and must
    /// ([RFC 8858](https://www.rfc-editor.org/rfc/rfc8858.html)).
    RtcpMuxOnly, "rtcp-mux-only"
}

flag! {
    /// `a=rtcp-rsize`: RTCP packets need not be compound
    /// ([RFC 5506 §5](https://www.rfc-editor.org/rfc/rfc5506.html#section-5)).
    RtcpRsize, "rtcp-rsize"
}

/// `a=rtcp`: where RTCP goes if it is not multiplexed
/// ([RFC 3605 §2.1](https://www.rfc-editor.org/rfc/rfc3605.html#section-2.1)).
///
/// ```text
/// a=rtcp:9 IN IP4 0.0.0.0
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rtcp<'a> {
    /// The port.
    pub port: u16,
    /// The address, if it is not that of the media.
    pub connection: Option<Connection<'a>>,
}

impl<'a> Attribute<'a> for Rtcp<'a> {
    const NAME: &'static str = "rtcp";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        let rtcp = |input| {
            let (input, port) = number("a port from 0 to 65535")(input)?;
            let (input, _) = blanks0(input)?;
            if input.is_empty() {
                let connection = None;
                return Ok((input, Self { port, connection }));
            }
            let (input, connection) = crate::field::connection(input)?;
            let connection = Some(connection);
            Ok((input, Self { port, connection }))
        };
        whole(Self::NAME, value, rtcp)
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{}", self.port)?;
        self.connection
            .map_or(Ok(()), |connection| write!(out, " {connection}"))
    }
}

/// `a=rtcp-fb`: a feedback message that may be sent
/// ([RFC 4585 §4.2](https://www.rfc-editor.org/rfc/rfc4585.html#section-4.2)).
///
/// ```text
/// a=rtcp-fb:96 nack pli
/// a=rtcp-fb:* transport-cc
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RtcpFb<'a> {
    /// The payload type it is for; `None`, written `*`, for all.
    pub payload_type: Option<u8>,
    /// The message.
    pub feedback: Feedback<'a>,
}

/// A feedback message: `nack`, `nack pli`, `ccm fir`, `goog-remb`, `transport-cc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Feedback<'a> {
    /// The first word.
    pub kind: &'a str,
    /// What follows it; empty if nothing does.
    pub parameter: &'a str,
}

impl<'a> Feedback<'a> {
    /// Generic NACK.
    pub const NACK: Self = Self::new("nack", "");
    /// Picture loss indication.
    pub const NACK_PLI: Self = Self::new("nack", "pli");
    /// Full intra request ([RFC 5104](https://www.rfc-editor.org/rfc/rfc5104.html)).
    pub const CCM_FIR: Self = Self::new("ccm", "fir");
    /// Receiver estimated maximum bitrate.
    pub const GOOG_REMB: Self = Self::new("goog-remb", "");
    /// Transport-wide congestion control feedback.
    pub const TRANSPORT_CC: Self = Self::new("transport-cc", "");

    /// A message.
    pub const fn new(kind: &'a str, parameter: &'a str) -> Self {
        Self { kind, parameter }
    }
}

impl fmt::Display for Feedback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)?;
        if !self.parameter.is_empty() {
            write!(f, " {}", self.parameter)?;
        }
        Ok(())
    }
}

impl<'a> Attribute<'a> for RtcpFb<'a> {
    const NAME: &'static str = "rtcp-fb";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        whole(Self::NAME, value, |input: &'a str| {
            let (input, payload_type) = payload_type_or_all(input)?;
            const MESSAGE: &str = "a feedback message such as nack";
            let (input, _) = crate::grammar::blanks_before(MESSAGE)(input)?;
            let (input, kind) = crate::grammar::word(MESSAGE)(input)?;
            let (_, parameter) = rest(input)?;
            let feedback = Feedback::new(kind, parameter);
            Ok((
                "",
                Self {
                    payload_type,
                    feedback,
                },
            ))
        })
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        match self.payload_type {
            Some(payload_type) => write!(out, "{payload_type} {}", self.feedback),
            None => write!(out, "* {}", self.feedback),
        }
    }
}

pub(super) fn payload_type_or_all(input: &str) -> Parsed<'_, Option<u8>> {
    const EXPECTED: &str = "a payload type from 0 to 127, or *";
    match input.strip_prefix('*') {
        Some(rest) => Ok((rest, None)),
        None => payload_type(EXPECTED)(input).map(|(rest, number)| (rest, Some(number))),
    }
}

/// A payload type: seven bits.
pub(super) fn payload_type<'a>(what: &'static str) -> impl FnMut(&'a str) -> Parsed<'a, u8> {
    move |input| match number(what)(input)? {
        (_, 128..) => fail(input, what),
        parsed => Ok(parsed),
    }
}

/// `a=rtcp-xr`: extended reports that may be sent
/// ([RFC 3611 §5.1](https://www.rfc-editor.org/rfc/rfc3611.html#section-5.1)).
///
/// ```text
/// a=rtcp-xr:rcvr-rtt=all
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RtcpXr<'a>(pub &'a str);

impl<'a> RtcpXr<'a> {
    /// The report blocks with what follows their `=`.
    pub fn formats(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + use<'a> {
        let words = self.0.split(is_blank).filter(|word| !word.is_empty());
        words.map(|word| match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        })
    }
}

impl<'a> Attribute<'a> for RtcpXr<'a> {
    const NAME: &'static str = "rtcp-xr";

    /// An empty list is allowed: it says that reports may not be sent.
    fn parse(value: &'a str) -> Result<Self, ParseError> {
        let value = value.trim_matches(is_blank);
        if !value.is_empty() {
            token("a report block such as rcvr-rtt")
                .parse(value)
                .map_err(|_| ParseError::new(Self::NAME, 0, "a report block such as rcvr-rtt"))?;
        }
        Ok(Self(value))
    }

    /// The six kinds of report block the RFC defines have the values it gives them; others may have any.
    fn check(value: &'a str) -> Result<(), ParseError> {
        let is_size = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let is_flag = |text: &str| matches!(text, "loss" | "dup" | "jitt" | "TTL" | "HL");
        for (name, value_of) in Self::parse(value)?.formats() {
            let (allowed, expected) = match name {
                "pkt-loss-rle" | "pkt-dup-rle" | "pkt-rcpt-times" => {
                    (value_of.is_none_or(is_size), "a size in bytes, or no =")
                }
                "rcvr-rtt" => {
                    let (mode, size) = value_of.and_then(|text| text.split_once(':')).unzip();
                    let mode = mode.or(value_of);
                    let known = matches!(mode, Some("all" | "sender"));
                    (
                        known && size.is_none_or(is_size),
                        "all or sender, and a size",
                    )
                }
                "stat-summary" => (
                    value_of.is_none_or(|flags| flags.split(',').all(is_flag)),
                    "loss, dup, jitt, TTL and HL between commas, or no =",
                ),
                "voip-metrics" => (value_of.is_none(), "no value"),
                _ => continue,
            };
            if !allowed {
                let at = offset_in(value, value_of.unwrap_or(name));
                return Err(ParseError::new(Self::NAME, at, expected));
            }
        }
        Ok(())
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str(self.0)
    }
}
