//! Which clocks media are timed by: [RFC 7273](https://www.rfc-editor.org/rfc/rfc7273.html), with what
//! ST 2110-10 adds.

use super::Attribute;
use crate::{
    error::ParseError,
    grammar::{
        Parsed, base64, fail, is_blank, is_digits, is_integer, number, offset_in, require, token,
        whole,
    },
};
use core::fmt;

/// `a=ts-refclk`: the clock that timestamps refer to
/// ([RFC 7273 §4.8](https://www.rfc-editor.org/rfc/rfc7273.html#section-4.8)).
///
/// ```text
/// a=ts-refclk:ptp=IEEE1588-2008:39-A7-94-FF-FE-07-CB-D0:37
/// a=ts-refclk:ntp=/traceable/
/// a=ts-refclk:localmac=7C-E9-D3-1B-9A-AF
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TsRefClk<'a> {
    /// A server of the Network Time Protocol, by name or address and perhaps port.
    Ntp(&'a str),
    /// Some traceable server of the Network Time Protocol, `ntp=/traceable/`.
    NtpTraceable,
    /// A clock of the Precision Time Protocol.
    Ptp(Ptp<'a>),
    /// The satellites of GPS.
    Gps,
    /// The satellites of Galileo.
    Galileo,
    /// The satellites of GLONASS.
    Glonass,
    /// The writer's own clock.
    Local,
    /// A clock nobody else knows; true if it can be traced to a common one.
    Private {
        /// Whether it is traceable.
        traceable: bool,
    },
    /// The clock of the device with this MAC address (ST 2110-10 §8.2).
    LocalMac(Eui48),
    /// Another, with its parameter.
    Other {
        /// Its name.
        name: &'a str,
        /// What follows `=`.
        value: Option<&'a str>,
    },
}

/// A clock of the Precision Time Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ptp<'a> {
    /// `IEEE1588-2002`, `IEEE1588-2008`, `IEEE802.1AS-2011`, or a later one.
    pub version: &'a str,
    /// The grandmaster; `None` for any that is traceable.
    pub grandmaster: Option<Eui64>,
    /// The domain of the clock.
    pub domain: Option<PtpDomain<'a>>,
}

/// A domain of the Precision Time Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PtpDomain<'a> {
    /// A number from 0 to 127, as the RFC's grammar writes it: `domain-nmbr=37`.
    Number(u8),
    /// The same without a name, as the RFC's examples and everybody write it: `37`.
    BareNumber(u8),
    /// A name: IEEE 1588-2002.
    Name(&'a str),
}

/// An identifier of eight bytes: `39-A7-94-FF-FE-07-CB-D0`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Eui64(pub [u8; 8]);

/// A MAC address of six bytes: `7C-E9-D3-1B-9A-AF`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Eui48(pub [u8; 6]);

impl fmt::Display for Eui64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        dashed(&self.0, f)
    }
}

impl fmt::Debug for Eui64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        dashed(&self.0, f)
    }
}

impl fmt::Display for Eui48 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        dashed(&self.0, f)
    }
}

impl fmt::Debug for Eui48 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        dashed(&self.0, f)
    }
}

fn dashed(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, byte) in bytes.iter().enumerate() {
        write!(f, "{}{byte:02X}", if i == 0 { "" } else { "-" })?;
    }
    Ok(())
}

/// `N` bytes in pairs of hexadecimal digits with hyphens between.
fn eui<const N: usize>(what: &'static str) -> impl Fn(&str) -> Parsed<'_, [u8; N]> {
    move |input| {
        let mut bytes = [0; N];
        let mut rest = input;
        for (i, byte) in bytes.iter_mut().enumerate() {
            if i > 0 {
                match rest.strip_prefix('-') {
                    Some(after) => rest = after,
                    None => return fail(rest, what),
                }
            }
            match super::hex_byte(rest) {
                Some((value, after)) => (*byte, rest) = (value, after),
                None => return fail(rest, what),
            }
        }
        Ok((rest, bytes))
    }
}

impl<'a> Attribute<'a> for TsRefClk<'a> {
    const NAME: &'static str = "ts-refclk";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        whole(Self::NAME, value, clock)
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::Ntp(server) => {
                out.write_str("ntp=")?;
                super::write_word(out, server)
            }
            Self::NtpTraceable => out.write_str("ntp=/traceable/"),
            Self::Ptp(ptp) => ptp.write(out),
            Self::Gps => out.write_str("gps"),
            Self::Galileo => out.write_str("gal"),
            Self::Glonass => out.write_str("glonass"),
            Self::Local => out.write_str("local"),
            Self::Private { traceable: false } => out.write_str("private"),
            Self::Private { traceable: true } => out.write_str("private:traceable"),
            Self::LocalMac(address) => write!(out, "localmac={address}"),
            Self::Other { name, value } => {
                super::write_word(out, name)?;
                value.map_or(Ok(()), |value| write!(out, "={value}"))
            }
        }
    }
}

impl Ptp<'_> {
    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str("ptp=")?;
        super::write_word(out, self.version)?;
        match self.grandmaster {
            Some(grandmaster) => write!(out, ":{grandmaster}")?,
            None => out.write_str(":traceable")?,
        }
        match self.domain {
            None => Ok(()),
            Some(PtpDomain::Number(number)) => write!(out, ":domain-nmbr={number}"),
            Some(PtpDomain::BareNumber(number)) => write!(out, ":{number}"),
            Some(PtpDomain::Name(name)) => {
                out.write_str(":domain-name=")?;
                super::write_word(out, name)
            }
        }
    }
}

fn clock(input: &str) -> Parsed<'_, TsRefClk<'_>> {
    let (after, name) = token("a clock such as ntp, ptp, gps or local")(input)?;
    Ok(match (name, after.strip_prefix('=')) {
        ("ntp", Some("/traceable/")) => ("", TsRefClk::NtpTraceable),
        ("ntp", Some(server)) => {
            let (rest, server) = crate::grammar::word("a server, or /traceable/")(server)?;
            (rest, TsRefClk::Ntp(server))
        }
        ("ptp", Some(clock)) => ptp(clock)?,
        ("localmac", Some(address)) => {
            let (rest, bytes) = eui("a MAC address such as 7C-E9-D3-1B-9A-AF")(address)?;
            (rest, TsRefClk::LocalMac(Eui48(bytes)))
        }
        ("gps", None) => (after, TsRefClk::Gps),
        ("gal", None) => (after, TsRefClk::Galileo),
        ("glonass", None) => (after, TsRefClk::Glonass),
        ("local", None) => (after, TsRefClk::Local),
        ("private", None) => match after.strip_prefix(":traceable") {
            Some(after) => (after, TsRefClk::Private { traceable: true }),
            None => (after, TsRefClk::Private { traceable: false }),
        },
        ("ntp" | "ptp" | "localmac", None) => return fail(after, "= and what clock it is"),
        (name, Some(value)) => {
            let value = Some(value);
            ("", TsRefClk::Other { name, value })
        }
        (name, None) => (after, TsRefClk::Other { name, value: None }),
    })
}

fn ptp(input: &str) -> Parsed<'_, TsRefClk<'_>> {
    const CLOCK: &str = "a clock such as 39-A7-94-FF-FE-07-CB-D0, or traceable";
    let (input, version) = token("a version such as IEEE1588-2008")(input)?;
    let Some(input) = input.strip_prefix(':') else {
        return fail(input, "a colon and a clock");
    };
    let (input, grandmaster) = match input.strip_prefix("traceable") {
        Some(rest) => (rest, None),
        None => {
            let (rest, bytes) = eui(CLOCK)(input)?;
            (rest, Some(Eui64(bytes)))
        }
    };
    let (input, domain) = match input.strip_prefix(':') {
        None => (input, None),
        Some(text) => {
            let (rest, domain) = ptp_domain(text)?;
            (rest, Some(domain))
        }
    };
    let clock = Ptp {
        version,
        grandmaster,
        domain,
    };
    Ok((input, TsRefClk::Ptp(clock)))
}

fn ptp_domain(input: &str) -> Parsed<'_, PtpDomain<'_>> {
    const EXPECTED: &str = "a domain from 0 to 127";
    if let Some(name) = input.strip_prefix("domain-name=") {
        let (rest, name) = crate::grammar::word("the name of a domain")(name)?;
        return Ok((rest, PtpDomain::Name(name)));
    }
    let (text, named) = match input.strip_prefix("domain-nmbr=") {
        Some(text) => (text, true),
        None => (input, false),
    };
    match number(EXPECTED)(text)? {
        (_, 128..) => fail(text, EXPECTED),
        (rest, domain) if named => Ok((rest, PtpDomain::Number(domain))),
        (rest, domain) => Ok((rest, PtpDomain::BareNumber(domain))),
    }
}

/// `a=mediaclk`: what drives the RTP timestamps
/// ([RFC 7273 §5.4](https://www.rfc-editor.org/rfc/rfc7273.html#section-5.4)).
///
/// ```text
/// a=mediaclk:direct=963214424 rate=1000/1001
/// a=mediaclk:id=MDA6NjA6MmI6MjA6MTI6MWY= sender
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MediaClk<'a> {
    /// The name of the clock, in base64.
    pub id: Option<&'a str>,
    /// Whether the sources of the stream, not its section, are named: `id=src:`.
    pub of_source: bool,
    /// What the clock is.
    pub source: MediaClock<'a>,
}

/// What drives the RTP timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaClock<'a> {
    /// The sender's own clock.
    Sender,
    /// The reference clock, directly.
    Direct {
        /// The timestamp at the clock's epoch.
        offset: Option<u64>,
        /// By how much the rate differs: numerator and denominator.
        rate: Option<(u64, u64)>,
    },
    /// A stream of IEEE 1722.
    Ieee1722(Eui64),
    /// Another, with its parameter.
    Other {
        /// Its name.
        name: &'a str,
        /// What follows `=`.
        value: Option<&'a str>,
    },
}

impl<'a> Attribute<'a> for MediaClk<'a> {
    const NAME: &'static str = "mediaclk";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        whole(Self::NAME, value, media_clock)
    }

    /// The clock's name is base64, `direct=` has a number, and neither side of a rate is 0.
    fn check(value: &'a str) -> Result<(), ParseError> {
        let clock = Self::parse(value)?;
        let need = |is_right, part, what| require(is_right, Self::NAME, value, part, what);
        let mut text = value;
        if let Some(id) = clock.id {
            let at = offset_in(value, id);
            base64(Self::NAME, id, "the name of a clock in base64")
                .map_err(|error| error.at(0, at))?;
            text = value.get(at + id.len() + 1..).unwrap_or_default();
        }
        let MediaClock::Direct { .. } = clock.source else {
            return Ok(());
        };
        let (direct, rate) = text.split_once(' ').unwrap_or((text, ""));
        if let Some((_, offset)) = direct.split_once('=') {
            need(is_digits(offset), offset, "an offset in digits, or no =")?;
        }
        let Some(rate) = rate.strip_prefix("rate=") else {
            return Ok(());
        };
        let expected = "a rate of two numbers from 1, such as 1000/1001";
        rate.split('/')
            .try_for_each(|number| need(is_integer(number), number, expected))
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        if let Some(id) = self.id {
            out.write_str(if self.of_source { "id=src:" } else { "id=" })?;
            super::write_word(out, id)?;
            out.write_char(' ')?;
        }
        match self.source {
            MediaClock::Sender => out.write_str("sender"),
            MediaClock::Direct { offset, rate } => {
                out.write_str("direct")?;
                offset.map_or(Ok(()), |offset| write!(out, "={offset}"))?;
                rate.map_or(Ok(()), |(over, under)| write!(out, " rate={over}/{under}"))
            }
            MediaClock::Ieee1722(stream) => write!(out, "IEEE1722={stream}"),
            MediaClock::Other { name, value } => {
                super::write_word(out, name)?;
                value.map_or(Ok(()), |value| write!(out, "={value}"))
            }
        }
    }
}

fn media_clock(input: &str) -> Parsed<'_, MediaClk<'_>> {
    let (input, id, of_source) = match input.strip_prefix("id=") {
        None => (input, None, false),
        Some(text) => {
            let (text, of_source) = match text.strip_prefix("src:") {
                Some(text) => (text, true),
                None => (text, false),
            };
            let (rest, id) = crate::grammar::word("the name of a clock in base64")(text)?;
            let (rest, _) =
                crate::grammar::blanks_before("a clock such as sender or direct")(rest)?;
            (rest, Some(id), of_source)
        }
    };
    let (after, name) = token("a clock such as sender or direct")(input)?;
    let (rest, source) = match (name, after.strip_prefix('=')) {
        ("sender", None) => (after, MediaClock::Sender),
        ("direct", offset) => direct(after, offset)?,
        ("IEEE1722", Some(stream)) => {
            let (rest, bytes) = eui("a stream such as 38-D6-6D-8E-D2-78-13-2F")(stream)?;
            (rest, MediaClock::Ieee1722(Eui64(bytes)))
        }
        (name, Some(value)) => {
            let value = Some(value);
            ("", MediaClock::Other { name, value })
        }
        (name, None) => (after, MediaClock::Other { name, value: None }),
    };
    let clock = MediaClk {
        id,
        of_source,
        source,
    };
    Ok((rest, clock))
}

fn direct<'a>(after: &'a str, offset: Option<&'a str>) -> Parsed<'a, MediaClock<'a>> {
    let (input, offset) = match offset {
        // `direct=` without a number is written by some, for no offset.
        Some(text) if text.is_empty() || text.starts_with(is_blank) => (text, None),
        Some(text) => {
            let (rest, offset) = number("an offset")(text)?;
            (rest, Some(offset))
        }
        None => (after, None),
    };
    let trimmed = input.trim_start_matches(is_blank);
    let (input, rate) = match trimmed.strip_prefix("rate=") {
        None => (input, None),
        Some(text) => {
            let (text, over) = number("a rate such as 1000/1001")(text)?;
            let Some(text) = text.strip_prefix('/') else {
                return fail(text, "a slash and a number");
            };
            let (text, under) = number("a rate such as 1000/1001")(text)?;
            (text, Some((over, under)))
        }
    };
    Ok((input, MediaClock::Direct { offset, rate }))
}
