//! ICE candidates: [RFC 8839 §5.1](https://www.rfc-editor.org/rfc/rfc8839.html#section-5.1), TCP after
//! [RFC 6544 §4.5](https://www.rfc-editor.org/rfc/rfc6544.html#section-4.5).

use super::Attribute;
use crate::{
    error::ParseError,
    field::is_domain,
    grammar::{
        Parsed, blanks, blanks0, chars, expect, fail, is_blank, is_ice_char, is_token_char,
        next_number, next_word, number, offset_in, require, whole, word,
    },
};
use alloc::vec::Vec;
use core::{fmt, net::IpAddr};
use nom::Parser;

/// `a=candidate`: one address at which a component may be reached.
///
/// ```text
/// a=candidate:842163049 1 udp 1677729535 198.51.100.7 46154 typ srflx raddr 10.0.0.17 rport 46154
///             │         │ │   │          │            │         │     └ related address and port
///             │         │ │   │          │            │         └ kind
///             │         │ │   │          └ address    └ port
///             │         │ │   └ priority
///             │         │ └ transport
///             │         └ component: 1 RTP, 2 RTCP
///             └ foundation
/// ```
///
/// A trickled candidate is the same text without `a=`: [`parse_trickled`](Self::parse_trickled) reads it and
/// `Display` writes it.
///
/// ```
/// use rtckit_sdp::attribute::{Candidate, CandidateKind};
///
/// let text = "candidate:1 1 udp 2122260223 192.0.2.1 54400 typ host generation 0 ufrag Yx5k";
/// let candidate = Candidate::parse_trickled(text)?;
/// assert_eq!(candidate.kind, CandidateKind::Host);
/// assert_eq!(candidate.extension("ufrag"), Some("Yx5k"));
/// assert_eq!(candidate.to_string(), text);
/// # Ok::<(), rtckit_sdp::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Candidate<'a> {
    /// Equal for candidates of one kind, base and server. Empty if it was left out.
    pub foundation: &'a str,
    /// Which component of the stream: 1 for RTP and whatever shares its port, 2 for RTCP.
    pub component: u16,
    /// How it is reached.
    pub transport: CandidateTransport<'a>,
    /// Higher is tried earlier.
    pub priority: u32,
    /// Where it is.
    pub address: Address<'a>,
    /// The port; 9 for an active TCP candidate.
    pub port: u16,
    /// How the address was found.
    pub kind: CandidateKind<'a>,
    /// The address it was derived from, `raddr` and `rport`: for diagnosis only.
    pub related: Option<(Address<'a>, u16)>,
    /// Who opens the connection, for TCP.
    pub tcp_type: Option<TcpType>,
    /// Other words in pairs, in their order: `generation 0`, `ufrag abcd`, `network-cost 10`.
    pub extensions: Vec<(&'a str, &'a str)>,
}

impl<'a> Candidate<'a> {
    /// Reads a candidate as browsers trickle it: `candidate:…`, or `a=candidate:…`, or what follows.
    ///
    /// The empty string, with which a browser announces the end of candidates, is an error here.
    ///
    /// # Errors
    /// The text is not a candidate. Columns count from the beginning of `text`, the line is 0.
    pub fn parse_trickled(text: &'a str) -> Result<Self, ParseError> {
        let value = text.strip_prefix("a=").unwrap_or(text);
        let value = value.strip_prefix("candidate:").unwrap_or(value);
        Self::parse(value).map_err(|error| error.at(0, text.len() - value.len()))
    }

    /// The value of the first extension of this name.
    pub fn extension(&self, name: &str) -> Option<&'a str> {
        let mut extensions = self.extensions.iter();
        extensions.find(|(key, _)| *key == name).map(|(_, v)| *v)
    }
}

impl<'a> Attribute<'a> for Candidate<'a> {
    const NAME: &'static str = "candidate";

    /// Also reads a candidate in which nothing stands before the blank that ends the foundation, as some servers and cameras
    /// send it: its foundation is empty.
    fn parse(value: &'a str) -> Result<Self, ParseError> {
        match lacks_foundation(value) {
            true => whole(Self::NAME, value, |input| after_foundation("", input)),
            false => whole(Self::NAME, value, candidate),
        }
    }

    /// The foundation has 1 to 32 `ice-char`s, the component is from 1 to 256, the priority from 1 to 2^31-1, addresses are addresses or names, and what is
    /// related and the TCP type come first, if the candidate is one that has them.
    fn check(value: &'a str) -> Result<(), ParseError> {
        let candidate = Self::parse(value)?;
        let expected = "a foundation of 1 to 32 letters, digits, + and /";
        chars(
            Self::NAME,
            candidate.foundation,
            1..=32,
            is_ice_char,
            expected,
        )?;
        if !(1..=256).contains(&candidate.component) {
            let at = candidate.foundation.len() + 1;
            return Err(ParseError::new(Self::NAME, at, "a component from 1 to 256"));
        }
        let word = |index| value.split(is_blank).nth(index).unwrap_or_default();
        let is_token = |word: &str| word.chars().all(is_token_char);
        let need = |is_right, word, what| require(is_right, Self::NAME, value, word, what);
        need(is_token(word(2)), word(2), "a transport: udp or tcp")?;
        let expected = "a priority from 1 to 2147483647";
        need(
            (1..=i32::MAX.unsigned_abs()).contains(&candidate.priority),
            word(3),
            expected,
        )?;
        let expected = "a type: host, srflx, prflx or relay";
        need(is_token(word(7)), word(7), expected)?;
        for (key, text) in &candidate.extensions {
            need(is_token(key), key, "a name of token characters")?;
            let is_visible = text.chars().all(|c| c.is_ascii_graphic());
            need(is_visible, text, "a value of visible ASCII characters")?;
        }
        check_address(
            Self::NAME,
            value,
            value.split(is_blank).nth(4).unwrap_or_default(),
        )?;
        check_pairs(&candidate, value)
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let kind = match self.kind {
            CandidateKind::Other(name) => name,
            _ => "-",
        };
        let transport = match self.transport {
            CandidateTransport::Other(name) => name,
            _ => "-",
        };
        let keys = self.extensions.iter().map(|(key, _)| *key);
        let mut words = [transport, kind].into_iter().chain(keys);
        if words.any(|word| word.is_empty() || word.contains(is_blank)) {
            return Err(fmt::Error);
        }
        // Without a foundation, such a transport would be read as the component.
        let ambiguous = self.foundation.is_empty() && is_number(transport);
        if ambiguous || self.foundation.contains(is_blank) {
            return Err(fmt::Error);
        }
        write!(out, "{}", Shown(self))
    }
}

/// As a browser trickles it: `candidate:…`.
impl fmt::Display for Candidate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "candidate:{}", Shown(self))
    }
}

/// The text of a candidate. Unlike an attribute's `write` it never fails, as a `Display` may not.
struct Shown<'c, 'a>(&'c Candidate<'a>);

impl fmt::Display for Shown<'_, '_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Candidate {
            foundation,
            component,
            transport,
            priority,
            address,
            port,
            kind,
            ..
        } = self.0;
        write!(
            out,
            "{foundation} {component} {transport} {priority} {address} {port} typ {kind}"
        )?;
        if let Some((address, port)) = &self.0.related {
            write!(out, " raddr {address} rport {port}")?;
        }
        if let Some(tcp_type) = self.0.tcp_type {
            write!(out, " tcptype {tcp_type}")?;
        }
        for (key, value) in &self.0.extensions {
            write!(out, " {key}")?;
            if !value.is_empty() {
                write!(out, " {value}")?;
            }
        }
        Ok(())
    }
}

/// Whether a component stands where the foundation should: a blank, a number, and no second number.
pub(crate) fn lacks_foundation(value: &str) -> bool {
    let mut words = value.split(is_blank).filter(|word| !word.is_empty());
    let (first, second) = (words.next(), words.next());
    value.starts_with(is_blank)
        && first.is_some_and(is_number)
        && second.is_some_and(|word| !is_number(word))
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// `word`, cut out of `value`, is an address or a domain name; who cannot use the one or the other ignores the candidate.
pub(super) fn check_address(
    field: &'static str,
    value: &str,
    word: &str,
) -> Result<(), ParseError> {
    let expected = match word {
        _ if word.parse::<IpAddr>().is_ok() || is_domain(word) => return Ok(()),
        _ if word.starts_with('[') => "an IPv6 address without brackets",
        _ if word.contains(':') => "an IPv6 address",
        _ => "an IPv4 or IPv6 address, or a domain name",
    };
    Err(ParseError::new(field, offset_in(value, word), expected))
}

/// What is expected of a TCP candidate, by [RFC 6544 §4.5](https://www.rfc-editor.org/rfc/rfc6544.html#section-4.5).
pub(crate) const TCP_TYPE_MISSING: &str = "tcptype after the type of a TCP candidate";

/// The pairs after the type, in a value whose words are separated by single blanks: `[raddr rport] [tcptype] …`.
fn check_pairs(candidate: &Candidate<'_>, value: &str) -> Result<(), ParseError> {
    let at = |word, expected| {
        Err(ParseError::new(
            "candidate",
            offset_in(value, word),
            expected,
        ))
    };
    let words = || value.split(is_blank).skip(8);
    let key = |pair: usize| words().nth(2 * pair).unwrap_or_default();
    let related = match (key(0), key(1)) {
        ("raddr", "rport") => 2,
        ("raddr", _) => 1,
        _ => 0,
    };
    let places = [("raddr", 0), ("rport", 1), ("tcptype", related)];
    for (pair, word) in words().step_by(2).enumerate() {
        match places.iter().find(|(name, _)| *name == word) {
            Some((_, place)) if *place == pair => {}
            Some(("tcptype", _)) => {
                return at(word, "tcptype right after the type, raddr and rport");
            }
            Some(_) => return at(word, "raddr and rport, in this order, right after the type"),
            None => {}
        }
    }
    let kind = value.split(is_blank).nth(7).unwrap_or_default();
    match candidate.kind {
        CandidateKind::Host if related > 0 => {
            return at(key(0), "no raddr and rport after the type host");
        }
        CandidateKind::Host | CandidateKind::Other(_) => {}
        _ if related < 2 => {
            return at(
                kind,
                "raddr and rport after the type: only a host candidate has none",
            );
        }
        _ => {}
    }
    if related > 0 {
        check_address("candidate", value, words().nth(1).unwrap_or_default())?;
    }
    if candidate.transport == CandidateTransport::Tcp && candidate.tcp_type.is_none() {
        return at(kind, TCP_TYPE_MISSING);
    }
    Ok(())
}

fn candidate(input: &str) -> Parsed<'_, Candidate<'_>> {
    let (input, foundation) = word("a foundation")(input)?;
    let (input, _) = expect("a component from 1 to 256", blanks).parse(input)?;
    after_foundation(foundation, input)
}

fn after_foundation<'a>(foundation: &'a str, input: &'a str) -> Parsed<'a, Candidate<'a>> {
    const TYP: &str = "the word typ";

    let (input, component) = number("a component from 1 to 256")(input)?;
    let (input, transport) = next_word("a transport: udp or tcp")(input)?;
    let (input, priority) = next_number("a priority below 4294967296")(input)?;
    let (input, address) = next_word("an address")(input)?;
    let (input, port) = next_number("a port from 0 to 65535")(input)?;
    let (input, _) = next_word(TYP)
        .parse(input)
        .and_then(|(rest, typ)| match typ {
            "typ" => Ok((rest, typ)),
            _ => fail(input.trim_start_matches(is_blank), TYP),
        })?;
    let (input, kind) = next_word("a type: host, srflx, prflx or relay")(input)?;
    let mut candidate = Candidate {
        foundation,
        component,
        transport: CandidateTransport::from_name(transport),
        priority,
        address: Address::parse(address),
        port,
        kind: CandidateKind::from_name(kind),
        related: None,
        tcp_type: None,
        extensions: Vec::new(),
    };
    let rest = pairs(input, &mut candidate)?;
    Ok((rest, candidate))
}

/// The words after the type. The RFC wants `raddr` and `rport` first; any order is read.
fn pairs<'a>(
    mut input: &'a str,
    candidate: &mut Candidate<'a>,
) -> Result<&'a str, nom::Err<crate::grammar::Expected<'a>>> {
    let mut related = (None, None);
    while !blanks0(input)?.0.is_empty() {
        let (after_key, key) = next_word("a word")(input)?;
        input = match key {
            "raddr" => {
                let (rest, address) = next_word("the related address")(after_key)?;
                related.0 = Some(Address::parse(address));
                rest
            }
            "rport" => {
                let (rest, port) = next_number("the related port")(after_key)?;
                related.1 = Some(port);
                rest
            }
            "tcptype" => {
                let (rest, name) = next_word("a TCP type: active, passive or so")(after_key)?;
                candidate.tcp_type = TcpType::from_name(name);
                if candidate.tcp_type.is_none() {
                    let at = after_key.trim_start_matches(is_blank);
                    fail::<()>(at, "a TCP type: active, passive or so")?;
                }
                rest
            }
            _ if blanks0(after_key)?.0.is_empty() => {
                candidate.extensions.push((key, ""));
                ""
            }
            _ => {
                let (rest, value) = next_word("a value")(after_key)?;
                candidate.extensions.push((key, value));
                rest
            }
        };
    }
    if let (Some(address), port) = related {
        candidate.related = Some((address, port.unwrap_or(0)));
    }
    Ok(input)
}

/// Where a candidate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Address<'a> {
    /// An IPv4 or IPv6 address.
    Ip(IpAddr),
    /// A name: mDNS (`….local`), or whatever else is not an address, such as one with a zone.
    Name(&'a str),
}

impl<'a> Address<'a> {
    /// Reads an address; what is none is a name.
    pub fn parse(text: &'a str) -> Self {
        text.parse().map_or(Self::Name(text), Self::Ip)
    }

    /// The address, if it is one.
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            Self::Name(_) => None,
        }
    }

    /// Whether the name is to be asked for by mDNS
    /// ([RFC 6762 §3](https://www.rfc-editor.org/rfc/rfc6762.html#section-3)).
    pub fn is_mdns(&self) -> bool {
        /// What the names end in.
        const LOCAL: &[u8] = b".local";
        let Self::Name(name) = self else {
            return false;
        };
        let end = name.as_bytes().last_chunk::<{ LOCAL.len() }>();
        name.len() > LOCAL.len() && end.is_some_and(|end| end.eq_ignore_ascii_case(LOCAL))
    }
}

impl From<IpAddr> for Address<'_> {
    fn from(ip: IpAddr) -> Self {
        Self::Ip(ip)
    }
}

impl fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => write!(f, "{ip}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// How a candidate is reached. Browsers write it in small letters or in capitals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CandidateTransport<'a> {
    /// `udp`
    Udp,
    /// `tcp`
    Tcp,
    /// Something else; such a candidate is to be ignored.
    Other(&'a str),
}

impl<'a> CandidateTransport<'a> {
    /// Reads the word, in any case.
    pub fn from_name(name: &'a str) -> Self {
        match name {
            _ if name.eq_ignore_ascii_case("udp") => Self::Udp,
            _ if name.eq_ignore_ascii_case("tcp") => Self::Tcp,
            _ => Self::Other(name),
        }
    }
}

impl fmt::Display for CandidateTransport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Other(name) => name,
        })
    }
}

/// How a candidate's address was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CandidateKind<'a> {
    /// `host`: an address of the machine.
    Host,
    /// `srflx`: what a STUN server saw.
    ServerReflexive,
    /// `prflx`: what the peer saw.
    PeerReflexive,
    /// `relay`: lent by a TURN server.
    Relayed,
    /// Something else; such a candidate is to be ignored.
    Other(&'a str),
}

impl<'a> CandidateKind<'a> {
    /// Reads the word.
    pub fn from_name(name: &'a str) -> Self {
        match name {
            "host" => Self::Host,
            "srflx" => Self::ServerReflexive,
            "prflx" => Self::PeerReflexive,
            "relay" => Self::Relayed,
            _ => Self::Other(name),
        }
    }
}

impl fmt::Display for CandidateKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relayed => "relay",
            Self::Other(name) => name,
        })
    }
}

/// Who opens a TCP candidate's connection
/// ([RFC 6544 §4.5](https://www.rfc-editor.org/rfc/rfc6544.html#section-4.5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TcpType {
    /// This side opens.
    Active,
    /// This side listens.
    Passive,
    /// Both open at once.
    SimultaneousOpen,
}

impl TcpType {
    /// Reads the word.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Passive, Self::SimultaneousOpen]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::SimultaneousOpen => "so",
        }
    }
}

impl fmt::Display for TcpType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
