//! `stun:` and `turn:` URIs ([RFC 7064](https://www.rfc-editor.org/rfc/rfc7064),
//! [RFC 7065](https://www.rfc-editor.org/rfc/rfc7065)).

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::str::FromStr;
use std::io;

use rtckit_proto::Transport;

/// A server, by its URI.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerUri {
    /// Whether it is asked for relayed addresses: `turn:` or `turns:`.
    pub is_turn: bool,
    /// A name or an address; IPv6 without brackets.
    pub host: String,
    /// 3478, or 5349 for TLS, unless another is named.
    pub port: u16,
    /// How it is reached.
    pub transport: Transport,
}

/// A text that is no URI of a STUN or TURN server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UriParseError {
    /// It begins with none of `stun:`, `stuns:`, `turn:` and `turns:`.
    Scheme,
    /// There is no host.
    Host,
    /// The port is no number from 1 to 65535.
    Port,
    /// What follows the question mark is neither `transport=udp` nor `transport=tcp`.
    Transport,
    /// TLS over UDP, which is DTLS.
    Dtls,
}

impl fmt::Display for UriParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "expected turn:HOST, turns:HOST, stun:HOST or stuns:HOST",
            Self::Host => "there is no host in it",
            Self::Port => "the port is no number from 1 to 65535",
            Self::Transport => "expected ?transport=udp or ?transport=tcp",
            Self::Dtls => "DTLS is not spoken yet: leave ?transport=udp away",
        })
    }
}

impl core::error::Error for UriParseError {}

impl FromStr for ServerUri {
    type Err = UriParseError;

    fn from_str(text: &str) -> Result<Self, UriParseError> {
        let (scheme, rest) = text.split_once(':').ok_or(UriParseError::Scheme)?;
        let (is_turn, is_secure) = match scheme.to_ascii_lowercase().as_str() {
            "stun" => (false, false),
            "stuns" => (false, true),
            "turn" => (true, false),
            "turns" => (true, true),
            _ => return Err(UriParseError::Scheme),
        };
        let (place, query) = match rest.split_once('?') {
            Some((place, query)) => (place, Some(query)),
            None => (rest, None),
        };
        let transport = match (query, is_secure) {
            (None | Some("transport=tcp"), true) => Transport::Tls,
            (Some("transport=tcp"), false) => Transport::Tcp,
            (None | Some("transport=udp"), false) => Transport::Udp,
            (Some("transport=udp"), true) => return Err(UriParseError::Dtls),
            _ => return Err(UriParseError::Transport),
        };
        let (host, port) = split_port(place)?;
        if host.is_empty() || host.contains(['/', '@', ' ']) {
            return Err(UriParseError::Host);
        }
        Ok(Self {
            is_turn,
            host: host.to_owned(),
            port: port.unwrap_or(if is_secure { 5349 } else { 3478 }),
            transport,
        })
    }
}

/// `HOST`, `HOST:PORT`, `[IPV6]` or `[IPV6]:PORT`.
fn split_port(place: &str) -> Result<(&str, Option<u16>), UriParseError> {
    let number = |text: &str| match text.parse() {
        Ok(0) | Err(_) => Err(UriParseError::Port),
        Ok(port) => Ok(Some(port)),
    };
    if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or(UriParseError::Host)?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, number(port)?)),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(UriParseError::Port),
        };
    }
    match place.split_once(':') {
        // an IPv6 address that forgot its brackets
        Some((_, rest)) if rest.contains(':') => Ok((place, None)),
        Some((host, port)) => Ok((host, number(port)?)),
        None => Ok((place, None)),
    }
}

impl fmt::Display for ServerUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secure = if self.transport == Transport::Tls {
            "s"
        } else {
            ""
        };
        let scheme = if self.is_turn { "turn" } else { "stun" };
        match self.host.parse() {
            Ok(IpAddr::V6(ip)) => write!(f, "{scheme}{secure}:[{ip}]:{}", self.port)?,
            _ => write!(f, "{scheme}{secure}:{}:{}", self.host, self.port)?,
        }
        match self.transport {
            Transport::Tcp => f.write_str("?transport=tcp"),
            _ => Ok(()),
        }
    }
}

impl ServerUri {
    /// The server's address: the first that its name has.
    ///
    /// # Errors
    /// The name is not known, or nobody could be asked.
    pub async fn resolve(&self) -> io::Result<SocketAddr> {
        let mut found = tokio::net::lookup_host((self.host.as_str(), self.port)).await?;
        let none = || io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        found.next().ok_or_else(none)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris() {
        let parsed = |text: &str| {
            let uri: ServerUri = text.parse()?;
            Ok::<_, UriParseError>((uri.host.clone(), uri.port, uri.transport, uri.to_string()))
        };
        for (text, host, port, transport, again) in [
            (
                "turn:a.example",
                "a.example",
                3478,
                Transport::Udp,
                "turn:a.example:3478",
            ),
            (
                "TURN:[::1]:9?transport=tcp",
                "::1",
                9,
                Transport::Tcp,
                "turn:[::1]:9?transport=tcp",
            ),
            (
                "turns:192.0.2.1",
                "192.0.2.1",
                5349,
                Transport::Tls,
                "turns:192.0.2.1:5349",
            ),
            ("stun:::1", "::1", 3478, Transport::Udp, "stun:[::1]:3478"),
        ] {
            let expected = (host.to_owned(), port, transport, again.to_owned());
            assert_eq!(parsed(text), Ok(expected), "{text}");
        }
        for (text, error) in [
            ("http://a", UriParseError::Scheme),
            ("a.example", UriParseError::Scheme),
            ("turn:", UriParseError::Host),
            ("turn:[::1", UriParseError::Host),
            ("turn:a:0", UriParseError::Port),
            ("turn:a:x", UriParseError::Port),
            ("turn:a?transport=sctp", UriParseError::Transport),
            ("turns:a?transport=udp", UriParseError::Dtls),
        ] {
            assert_eq!(parsed(text), Err(error), "{text}");
        }
    }
}
