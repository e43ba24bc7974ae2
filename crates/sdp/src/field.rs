//! The values of the lines that are not attributes:
//! [RFC 8866 §5](https://www.rfc-editor.org/rfc/rfc8866.html#section-5).

use crate::{
    error::ParseError,
    grammar::{
        Parsed, after, base64, blanks, blanks_before, expect, fail, is_blank, is_integer,
        is_token_char, is_zero_based_integer, next_number, next_word, number, offset_in, require,
        token, whole, word,
    },
};
use alloc::vec::Vec;
use core::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};
use nom::{Parser, combinator::opt};

/// `o=`: who made the session, and which edition of it this is
/// ([RFC 8866 §5.2](https://www.rfc-editor.org/rfc/rfc8866.html#section-5.2)).
///
/// ```text
/// o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1
///   │    │          │          │  │   └ address
///   │    │          │          │  └ address type
///   │    │          │          └ network type
///   │    │          └ session version
///   │    └ session id
///   └ user name
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin<'a> {
    /// `-` for none.
    pub username: &'a str,
    /// Unique among the writer's sessions. The grammar sets no bound, JSEP one of 63 bits: a larger number
    /// reads as `u64::MAX`; its line keeps the text.
    pub session_id: u64,
    /// Grows with every edition. Bounded like the session id.
    pub session_version: u64,
    /// `IN`.
    pub network_type: &'a str,
    /// `IP4` or `IP6`.
    pub address_type: &'a str,
    /// The writer's address; WebRTC writes a dummy.
    pub address: &'a str,
}

impl Origin<'_> {
    /// An origin as JSEP wants it: no user, no address
    /// ([RFC 9429 §5.2.1](https://www.rfc-editor.org/rfc/rfc9429.html#section-5.2.1)).
    pub const fn anonymous(session_id: u64, session_version: u64) -> Self {
        Self {
            username: "-",
            session_id,
            session_version,
            network_type: "IN",
            address_type: "IP4",
            address: "127.0.0.1",
        }
    }
}

impl<'a> Origin<'a> {
    pub(crate) fn parse(value: &'a str) -> Result<Self, ParseError> {
        let parser = (
            word("a user name, or -"),
            next_digits("a session id in digits"),
            next_digits("a session version in digits"),
            next_word("a network type: IN"),
            next_word("an address type: IP4 or IP6"),
            next_word("an address"),
        );
        let (username, session_id, session_version, network_type, address_type, address) =
            whole("o=", value, parser)?;
        Ok(Self {
            username,
            session_id,
            session_version,
            network_type,
            address_type,
            address,
        })
    }

    /// The address is one of its type, and of one host.
    pub(crate) fn check(value: &str) -> Result<(), ParseError> {
        let origin = Origin::parse(value)?;
        let is_visible = !origin.username.contains(char::is_control);
        let expected = "a user name of visible characters, or -";
        require(is_visible, "o=", value, origin.username, expected)?;
        let address = |address_type| match address_type {
            "IP4" => is_unicast_ip4 as fn(&str) -> bool,
            _ => is_unicast_ip6,
        };
        check_address(
            "o=",
            value,
            origin.network_type,
            origin.address_type,
            origin.address,
            address,
        )
    }
}

/// Whether network type, address type and address go together. `is_address` says what is an address of a type.
fn check_address(
    field: &'static str,
    value: &str,
    network_type: &str,
    address_type: &str,
    address: &str,
    is_address: impl Fn(&'static str) -> fn(&str) -> bool,
) -> Result<(), ParseError> {
    let fail = |part, expected| Err(ParseError::new(field, offset_in(value, part), expected));
    let (ip4, ip6) = match field {
        "o=" => (
            "an IPv4 address of one host, or a domain name",
            "an IPv6 address of one host, or a domain name",
        ),
        _ => (
            "an IPv4 address, or a domain name",
            "an IPv6 address, or a domain name",
        ),
    };
    for word in [network_type, address_type] {
        if !word.chars().all(is_token_char) {
            return fail(word, "a token such as IN or IP4");
        }
    }
    match (network_type, address_type) {
        ("IN", "IP4") if !is_address("IP4")(address) && !is_domain(address) => fail(address, ip4),
        ("IN", "IP6") if !is_address("IP6")(address) && !is_domain(address) => fail(address, ip6),
        ("IN", "IP4" | "IP6") => Ok(()),
        ("IN", _) => fail(address_type, "IP4 or IP6"),
        _ => Ok(()),
    }
}

fn is_unicast_ip4(address: &str) -> bool {
    let parsed = address.parse::<Ipv4Addr>();
    // The RFC's first byte is "less than 224".
    parsed.is_ok_and(|address| address.octets()[0] < 224)
}

fn is_unicast_ip6(address: &str) -> bool {
    let parsed = address.parse::<Ipv6Addr>();
    parsed.is_ok_and(|address| !address.is_multicast())
}

/// `FQDN`: four or more letters, digits, hyphens and dots. Its last label is not all digits, or it would look like an address
/// ([RFC 1123 §2.1](https://www.rfc-editor.org/rfc/rfc1123.html#section-2)).
pub(crate) fn is_domain(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let last = name.trim_end_matches('.').rsplit('.').next();
    name.len() >= 4
        && name.chars().all(allowed)
        && last.is_some_and(|label| label.contains(|c: char| !c.is_ascii_digit()))
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            username,
            session_id,
            session_version,
            network_type,
            address_type,
            address,
        } = self;
        write!(
            f,
            "{username} {session_id} {session_version} {network_type} {address_type} {address}"
        )
    }
}

/// Digits without a bound: what does not fit is the largest number.
fn next_digits<'a>(what: &'static str) -> impl FnMut(&'a str) -> Parsed<'a, u64> {
    move |input| {
        let (rest, digits) = next_word(what)(input)?;
        if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok((rest, digits.parse().unwrap_or(u64::MAX)))
        } else {
            fail(input.trim_start_matches(is_blank), what)
        }
    }
}

/// `c=`: where the media go
/// ([RFC 8866 §5.7](https://www.rfc-editor.org/rfc/rfc8866.html#section-5.7)).
///
/// ```text
/// c=IN IP4 233.252.0.1/127/3
///                      │   └ number of addresses
///                      └ time to live, IPv4 only
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Connection<'a> {
    /// `IN`.
    pub network_type: &'a str,
    /// `IP4` or `IP6`.
    pub address_type: &'a str,
    /// An address or a name.
    pub address: &'a str,
    /// How far multicast goes.
    pub ttl: Option<u8>,
    /// How many multicast addresses follow one another.
    pub count: Option<u32>,
}

impl<'a> Connection<'a> {
    /// "Not known yet": what WebRTC writes when ICE decides
    /// ([RFC 9429 §5.2.1](https://www.rfc-editor.org/rfc/rfc9429.html#section-5.2.1)).
    pub const UNSPECIFIED: Connection<'static> = Connection {
        network_type: "IN",
        address_type: "IP4",
        address: "0.0.0.0",
        ttl: None,
        count: None,
    };

    pub(crate) fn parse(value: &'a str) -> Result<Self, ParseError> {
        whole("c=", value, connection)
    }

    /// The address is one of its type; multicast of IPv4 has a time to live, and nothing else has.
    pub(crate) fn check(value: &'a str) -> Result<(), ParseError> {
        let connection = Self::parse(value)?;
        let end = value.len();
        let is_ip6 = connection.address_type == "IP6";
        match connection.ip() {
            Some(ip) if ip.is_multicast() && !is_ip6 && connection.ttl.is_none() => {
                return Err(ParseError::new("c=", end, "a slash and a time to live"));
            }
            Some(ip)
                if !ip.is_multicast()
                    && (connection.ttl.is_some() || connection.count.is_some()) =>
            {
                let address = connection.address;
                let at = offset_in(value, address) + address.len();
                let expected = "the end of the line: only multicast has a reach and a number";
                return Err(ParseError::new("c=", at, expected));
            }
            _ => {}
        }
        let numbers = || value.split('/').skip(1);
        if let (Some(_), Some(ttl)) = (connection.ttl, numbers().next()) {
            let expected = "a time to live from 0 to 255, without a leading 0";
            require(is_zero_based_integer(ttl), "c=", value, ttl, expected)?;
        }
        if let (Some(_), Some(count)) = (connection.count, numbers().last()) {
            let expected = "a number of addresses from 1";
            require(is_integer(count), "c=", value, count, expected)?;
        }
        let is_address = |address_type| match address_type {
            "IP4" => |address: &str| address.parse::<Ipv4Addr>().is_ok(),
            _ => |address: &str| address.parse::<Ipv6Addr>().is_ok(),
        };
        let Self {
            network_type,
            address_type,
            address,
            ..
        } = connection;
        check_address("c=", value, network_type, address_type, address, is_address)
    }

    /// All addresses, `count` of them one after the other; none if the address is a name.
    ///
    /// ```
    /// use rtckit_sdp::Session;
    ///
    /// let session = Session::parse("v=0\no=- 1 1 IN IP4 192.0.2.1\nc=IN IP4 233.252.0.1/127/3\n")?;
    /// let connection = session.connection().unwrap()?;
    /// assert_eq!(connection.addresses().last(), Some([233, 252, 0, 3].into()));
    /// # Ok::<(), rtckit_sdp::ParseError>(())
    /// ```
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + use<> {
        let count = self.count.unwrap_or(1);
        let first = self.ip();
        let each = move |i| match first? {
            IpAddr::V4(ip) => Some(Ipv4Addr::from(u32::from(ip).checked_add(i)?).into()),
            IpAddr::V6(ip) => Some(Ipv6Addr::from(u128::from(ip).checked_add(i.into())?).into()),
        };
        (0..count).map_while(each)
    }

    /// Whether it is an address of a group.
    pub fn is_multicast(&self) -> bool {
        self.ip().is_some_and(|ip| ip.is_multicast())
    }

    /// The address, if it is not a name.
    pub fn ip(&self) -> Option<IpAddr> {
        self.address.parse().ok()
    }
}

impl fmt::Display for Connection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            network_type,
            address_type,
            address,
            ..
        } = self;
        write!(f, "{network_type} {address_type} {address}")?;
        self.ttl.map_or(Ok(()), |ttl| write!(f, "/{ttl}"))?;
        self.count.map_or(Ok(()), |count| write!(f, "/{count}"))
    }
}

pub(crate) fn connection(input: &str) -> Parsed<'_, Connection<'_>> {
    let (input, network_type) = word("a network type: IN")(input)?;
    let (input, address_type) = next_word("an address type: IP4 or IP6")(input)?;
    let (input, _) = blanks_before("an address")(input)?;
    let (input, address) = crate::grammar::word_until(&['/'], "an address")(input)?;
    let (input, ttl) = if address_type.eq_ignore_ascii_case("IP6") {
        (input, None)
    } else {
        after("/", number("a time to live from 0 to 255"))(input)?
    };
    let (input, count) = after("/", number("a number of addresses"))(input)?;
    Ok((
        input,
        Connection {
            network_type,
            address_type,
            address,
            ttl,
            count,
        },
    ))
}

/// `b=`: how much bandwidth
/// ([RFC 8866 §5.8](https://www.rfc-editor.org/rfc/rfc8866.html#section-5.8)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bandwidth<'a> {
    /// `AS` and `CT` count kilobits per second, `TIAS`, `RS` and `RR` bits per second.
    pub kind: &'a str,
    /// How much, in the unit of its kind.
    pub value: u64,
}

impl<'a> Bandwidth<'a> {
    pub(crate) fn parse(value: &'a str) -> Result<Self, ParseError> {
        let parser = (
            token("a kind of bandwidth such as AS"),
            crate::grammar::literal(":", "a colon and a number"),
            number("a number"),
        );
        let (kind, _, value) = whole("b=", value, parser)?;
        Ok(Self { kind, value })
    }

    /// The bandwidth in bits per second, if the kind is one of the five of RFC 8866, RFC 3556 and RFC 3890.
    pub fn bits_per_second(&self) -> Option<u64> {
        match self.kind {
            "AS" | "CT" => Some(self.value.saturating_mul(1000)),
            "TIAS" | "RS" | "RR" => Some(self.value),
            _ => None,
        }
    }
}

impl fmt::Display for Bandwidth<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}

/// `t=`: when the session is on, in seconds since 1900; 0 for no bound
/// ([RFC 8866 §5.9](https://www.rfc-editor.org/rfc/rfc8866.html#section-5.9)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Timing {
    /// From when.
    pub start: u64,
    /// Until when.
    pub stop: u64,
}

impl Timing {
    pub(crate) fn parse(value: &str) -> Result<Self, ParseError> {
        let parser = (
            number("a start time in seconds"),
            next_number("a stop time in seconds"),
        );
        let (start, stop) = whole("t=", value, parser)?;
        Ok(Self { start, stop })
    }

    /// A time is 0 or has at least ten digits and does not begin with 0.
    pub(crate) fn check(value: &str) -> Result<(), ParseError> {
        let Self { start, stop } = Self::parse(value)?;
        let words = value.split(is_blank).filter(|word| !word.is_empty());
        for word in words {
            if word != "0" && (word.starts_with('0') || word.len() < 10) {
                let expected = "0, or seconds since 1900 in ten digits or more";
                return Err(ParseError::new("t=", offset_in(value, word), expected));
            }
        }
        if stop != 0 && stop < start {
            let word = value.split(is_blank).next_back().unwrap_or_default();
            let expected = "a stop time after the start time";
            return Err(ParseError::new("t=", offset_in(value, word), expected));
        }
        Ok(())
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.start, self.stop)
    }
}

/// `r=`: how the time before it repeats, in seconds
/// ([RFC 8866 §5.10](https://www.rfc-editor.org/rfc/rfc8866.html#section-5.10)).
///
/// ```text
/// r=7d 1h 0 25h
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Repeat {
    /// From one to the next.
    pub interval: u64,
    /// How long each is.
    pub duration: u64,
    /// After the start of each interval.
    pub offsets: Vec<u64>,
}

impl Repeat {
    pub(crate) fn parse(value: &str) -> Result<Self, ParseError> {
        let parser = (
            typed_time("an interval such as 7d"),
            next_time("a duration such as 1h"),
            next_time("an offset such as 0"),
            nom::multi::many0(next_time("an offset such as 25h")),
        );
        let (interval, duration, first, mut offsets) = whole("r=", value, parser)?;
        offsets.insert(0, first);
        Ok(Self {
            interval,
            duration,
            offsets,
        })
    }
}

impl Repeat {
    /// The interval is not 0, and does not begin with 0.
    pub(crate) fn check(value: &str) -> Result<(), ParseError> {
        Self::parse(value)?;
        let is_right = value.starts_with(|c: char| matches!(c, '1'..='9'));
        let expected = "an interval from 1, without a leading 0, such as 7d";
        require(is_right, "r=", value, value, expected)
    }
}

impl fmt::Display for Repeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.interval, self.duration)?;
        self.offsets
            .iter()
            .try_for_each(|offset| write!(f, " {offset}"))
    }
}

/// A `t=` line and the `r=` lines that follow it
/// ([RFC 8866 §5](https://www.rfc-editor.org/rfc/rfc8866.html#section-5)).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TimeDescription {
    /// When the session is on.
    pub timing: Timing,
    /// How that repeats.
    pub repeats: Vec<Repeat>,
}

/// `z=`: when clocks are changed, and by how much
/// ([RFC 8866 §5.11](https://www.rfc-editor.org/rfc/rfc8866.html#section-5.11)).
///
/// ```text
/// z=3730928400 -1h 3749680800 0
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Zone {
    /// From which second since 1900, how many seconds are to be added to the times of `r=`.
    pub adjustments: Vec<(u64, i64)>,
}

impl Zone {
    pub(crate) fn parse(value: &str) -> Result<Self, ParseError> {
        const OFFSET: &str = "an offset after its time, such as -1h";

        fn one(input: &str) -> Parsed<'_, (u64, i64)> {
            let (input, time) = number("a time in seconds")(input)?;
            let (input, _) = expect(OFFSET, blanks).parse(input)?;
            let (input, minus) = opt(nom::bytes::complete::tag("-")).parse(input)?;
            let (rest, offset) = typed_time(OFFSET)(input)?;
            match i64::try_from(offset) {
                Ok(offset) if minus.is_some() => Ok((rest, (time, -offset))),
                Ok(offset) => Ok((rest, (time, offset))),
                Err(_) => fail(input, OFFSET),
            }
        }
        let list = |input| {
            let (mut input, first) = one(input)?;
            let mut adjustments = alloc::vec![first];
            while !input.is_empty() {
                let (rest, _) = blanks(input)?;
                let (rest, next) = one(rest)?;
                adjustments.push(next);
                input = rest;
            }
            Ok((input, Self { adjustments }))
        };
        whole("z=", value, list)
    }

    /// Each time has at least ten digits and does not begin with 0.
    pub(crate) fn check(value: &str) -> Result<(), ParseError> {
        Self::parse(value)?;
        let mut times = value.split(is_blank).step_by(2);
        let expected = "seconds since 1900 in ten digits or more";
        times.try_for_each(|time| {
            let is_right = is_integer(time) && time.len() >= 10;
            require(is_right, "z=", value, time, expected)
        })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (time, offset)) in self.adjustments.iter().enumerate() {
            let blank = if i == 0 { "" } else { " " };
            write!(f, "{blank}{time} {offset}")?;
        }
        Ok(())
    }
}

/// `typed-time`: seconds, or a number of days, hours, minutes or seconds.
fn typed_time<'a>(what: &'static str) -> impl FnMut(&'a str) -> Parsed<'a, u64> {
    move |input| {
        let (rest, count) = number::<u64>(what)(input)?;
        let mut chars = rest.chars();
        let (unit, rest) = match chars.next() {
            Some('d') => (86_400, chars.as_str()),
            Some('h') => (3_600, chars.as_str()),
            Some('m') => (60, chars.as_str()),
            Some('s') => (1, chars.as_str()),
            _ => (1, rest),
        };
        match count.checked_mul(unit) {
            Some(seconds) => Ok((rest, seconds)),
            None => fail(input, what),
        }
    }
}

fn next_time<'a>(what: &'static str) -> impl FnMut(&'a str) -> Parsed<'a, u64> {
    move |input| {
        let between = match input {
            "" => what,
            _ => "a unit d, h, m or s, or a space",
        };
        let (input, _) = expect(between, blanks).parse(input)?;
        typed_time(what)(input)
    }
}

/// `k=`: a key in the clear. Obsolete, and not to be written
/// ([RFC 8866 §5.12](https://www.rfc-editor.org/rfc/rfc8866.html#section-5.12)). Its `Debug` hides it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key<'a> {
    /// `prompt`, `clear`, `base64` or `uri`.
    pub method: &'a str,
    /// The key, or where it is.
    pub value: Option<&'a str>,
}

impl<'a> Key<'a> {
    pub(crate) fn parse(value: &'a str) -> Self {
        match value.split_once(':') {
            Some((method, value)) => Self {
                method,
                value: Some(value),
            },
            None => Self {
                method: value,
                value: None,
            },
        }
    }

    pub(crate) fn check(value: &str) -> Result<(), ParseError> {
        let key = Key::parse(value);
        let at = key.method.len() + 1;
        match (key.method, key.value) {
            ("prompt", None) => Ok(()),
            ("clear", Some(text)) if !text.is_empty() => Ok(()),
            ("base64", Some(text)) => {
                base64("k=", text, "a key in base64").map_err(|error| error.at(0, at))
            }
            ("uri", Some(text)) if !text.is_empty() => Ok(()),
            ("clear" | "uri", _) => Err(ParseError::new("k=", at - 1, "a colon and a key")),
            _ => {
                let expected = "prompt, clear:, base64: or uri:";
                Err(ParseError::new("k=", 0, expected))
            }
        }
    }
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} ..)", self.method)
    }
}
