//! The `candidate` attribute ([RFC 8839 §5.1](https://www.rfc-editor.org/rfc/rfc8839#section-5.1),
//! [RFC 6544 §4.5](https://www.rfc-editor.org/rfc/rfc6544#section-4.5) for TCP).
//!
//! ```text
//! candidate:<foundation> <component> <transport> <priority> <address> <port> typ <type>
//!     [raddr <address>] [rport <port>] [tcptype <type>] *(<name> <value>)
//! ```

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::str::FromStr;

use rtckit_proto::Transport;

use crate::candidate::{Candidate, CandidateType, Foundation, TcpType};
use crate::error::ParseError;

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = match self.transport {
            Transport::Udp => "udp",
            _ => "tcp",
        };
        write!(
            f,
            "candidate:{} {} {} {} {} {} typ {}",
            self.foundation,
            self.component,
            transport,
            self.priority,
            self.address.ip(),
            self.address.port(),
            self.candidate_type.name()
        )?;
        if let Some(related) = self.related_address {
            write!(f, " raddr {} rport {}", related.ip(), related.port())?;
        }
        match self.tcp_type {
            None => Ok(()),
            Some(TcpType::Active) => f.write_str(" tcptype active"),
            Some(TcpType::Passive) => f.write_str(" tcptype passive"),
            Some(TcpType::SimultaneousOpen) => f.write_str(" tcptype so"),
        }
    }
}

impl FromStr for Candidate {
    type Err = ParseError;

    /// Reads the attribute, with or without `a=` and `candidate:` before it. Unknown extension attributes are
    /// skipped, as the RFC asks; a host name in place of an address is an error (whoever can resolve it puts the
    /// address in its place).
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let body = text.strip_prefix("a=").unwrap_or(text);
        let body = body.strip_prefix("candidate:").unwrap_or(body);
        let mut words = Words {
            text,
            position: text.len() - body.len(),
        };
        let foundation = words.parse_with("a foundation of 1 to 32 ice-chars", |word| {
            Foundation::new(word).ok()
        })?;
        let component = words.parse_with("a component of 1 to 256", |word| {
            number(word).filter(|component| (1..=256).contains(component))
        })?;
        let transport = words.parse_with("udp or tcp", transport)?;
        let priority = words.parse_with("a priority of 1 to 2^31 - 1", |word| {
            number(word).filter(|priority| (1..1 << 31).contains(priority))
        })?;
        let ip = words.parse_with("an IP address", address)?;
        let port = words.parse_with("a port", number)?;
        words.parse_with("typ", |word| word.eq_ignore_ascii_case("typ").then_some(()))?;
        let candidate_type = words.parse_with("host, srflx, prflx or relay", candidate_type)?;
        let mut candidate = Self {
            foundation,
            component,
            transport,
            tcp_type: None,
            priority,
            address: SocketAddr::new(ip, port),
            candidate_type,
            related_address: None,
        };
        extensions(&mut words, &mut candidate)?;
        Ok(candidate)
    }
}

fn extensions(words: &mut Words<'_>, candidate: &mut Candidate) -> Result<(), ParseError> {
    let (mut related_ip, mut related_port) = (None, None);
    while let Some((_, name)) = words.next() {
        match name {
            "raddr" => {
                related_ip = Some(words.parse_with("an address", |word| Some(address(word)))?)
            }
            "rport" => related_port = Some(words.parse_with("a port", number)?),
            "tcptype" => {
                candidate.tcp_type = Some(words.parse_with("active, passive or so", tcp_type)?)
            }
            // an extension attribute may lack its value in the wild; there is nothing to misread then
            _ => drop(words.next()),
        }
    }
    // browsers that hide addresses write 0.0.0.0 port 0, or a host name, for the related address
    candidate.related_address = related_ip
        .flatten()
        .map(|ip| SocketAddr::new(ip, related_port.unwrap_or_default()));
    Ok(())
}

/// Words between single or repeated spaces, with their offsets.
struct Words<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<(usize, &'a str)> {
        let rest = self.text.get(self.position..)?;
        let word = rest.trim_start_matches(' ');
        let start = self.position + rest.len() - word.len();
        let word = word.split([' ', '\r', '\n']).next()?;
        if word.is_empty() {
            return None;
        }
        self.position = start + word.len();
        Some((start, word))
    }

    fn parse_with<T>(
        &mut self,
        expected: &'static str,
        parse: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, ParseError> {
        let (position, word) = self
            .next()
            .ok_or_else(|| ParseError::new(self.text.len(), expected))?;
        parse(word).ok_or_else(|| ParseError::new(position, expected))
    }
}

/// Digits alone: `from_str` of the integers would take a sign.
fn number<T: FromStr>(word: &str) -> Option<T> {
    word.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| word.parse().ok())?
}

fn address(word: &str) -> Option<IpAddr> {
    // RFC 4007 zone identifiers mean nothing on another host
    word.split('%').next()?.parse().ok()
}

fn transport(word: &str) -> Option<Transport> {
    [("udp", Transport::Udp), ("tcp", Transport::Tcp)]
        .into_iter()
        .find_map(|(name, transport)| word.eq_ignore_ascii_case(name).then_some(transport))
}

fn candidate_type(word: &str) -> Option<CandidateType> {
    [
        CandidateType::Host,
        CandidateType::ServerReflexive,
        CandidateType::PeerReflexive,
        CandidateType::Relayed,
    ]
    .into_iter()
    .find(|candidate_type| word.eq_ignore_ascii_case(candidate_type.name()))
}

fn tcp_type(word: &str) -> Option<TcpType> {
    match word {
        "active" => Some(TcpType::Active),
        "passive" => Some(TcpType::Passive),
        "so" => Some(TcpType::SimultaneousOpen),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn what_browsers_write() {
        let candidate: Candidate =
            "a=candidate:3736291270 1 tcp 1518214911 192.0.2.2 9 typ host tcptype active generation 0 network-id 1\r\n"
                .parse()
                .unwrap();
        assert_eq!(
            (candidate.transport, candidate.tcp_type),
            (Transport::Tcp, Some(TcpType::Active))
        );
        let candidate: Candidate =
            "candidate:0 1 UDP 1686052863 198.51.100.7 40001 typ srflx raddr 0.0.0.0 rport 0"
                .parse()
                .unwrap();
        assert_eq!(candidate.candidate_type, CandidateType::ServerReflexive);
        assert_eq!(candidate.related_address, "0.0.0.0:0".parse().ok());
        let candidate: Candidate =
            "872052951 1 udp 2122265343 fd00::2 60773 typ host generation 0 ufrag ab"
                .parse()
                .unwrap();
        assert_eq!(candidate.address, "[fd00::2]:60773".parse().unwrap());
    }

    #[test]
    fn errors_name_their_place() {
        let error = |text: &str| text.parse::<Candidate>().unwrap_err();
        assert_eq!(
            error(""),
            ParseError::new(0, "a foundation of 1 to 32 ice-chars")
        );
        assert_eq!(
            error("candidate:1 0 udp 1 192.0.2.1 1 typ host"),
            ParseError::new(12, "a component of 1 to 256")
        );
        assert_eq!(
            error("1 1 sctp 1 192.0.2.1 1 typ host"),
            ParseError::new(4, "udp or tcp")
        );
        assert_eq!(
            error("1 1 udp 2147483648 192.0.2.1 1 typ host"),
            ParseError::new(8, "a priority of 1 to 2^31 - 1")
        );
        assert_eq!(error("1 1 udp +1 192.0.2.1 1 typ host").position, 8);
        assert_eq!(
            error("1 1 udp 1 f00.local 1 typ host"),
            ParseError::new(10, "an IP address")
        );
        assert_eq!(
            error("1 1 udp 1 192.0.2.1 65536 typ host"),
            ParseError::new(20, "a port")
        );
        assert_eq!(
            error("1 1 udp 1 192.0.2.1 1 typ guest").expected,
            "host, srflx, prflx or relay"
        );
    }

    #[test]
    fn truncation_at_every_length() {
        let text = "candidate:1 1 udp 1 192.0.2.1 10 typ relay raddr 192.0.2.9 rport 11";
        let whole = text.find("relay").unwrap() + "relay".len();
        for len in 0..whole {
            assert!(
                text[..len].parse::<Candidate>().is_err(),
                "{}",
                &text[..len]
            );
        }
        assert_eq!(text.parse::<Candidate>().unwrap().to_string(), text);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn round_trip(
            foundation in "[a-zA-Z0-9+/]{1,32}", component in 1_u16..=256, tcp: Option<u8>, priority in 1_u32..1 << 31,
            ip: IpAddr, port: u16, kind in 0_usize..4, related in any::<Option<(IpAddr, u16)>>(),
        ) {
            let tcp_type = tcp.map(|tcp| [TcpType::Active, TcpType::Passive, TcpType::SimultaneousOpen][usize::from(tcp % 3)]);
            let candidate = Candidate {
                foundation: Foundation::new(&foundation)?,
                component,
                transport: if tcp.is_some() { Transport::Tcp } else { Transport::Udp },
                tcp_type,
                priority,
                address: SocketAddr::new(ip, port),
                candidate_type: [CandidateType::Host, CandidateType::ServerReflexive, CandidateType::PeerReflexive, CandidateType::Relayed][kind],
                related_address: related.map(SocketAddr::from),
            };
            prop_assert_eq!(candidate.to_string().parse::<Candidate>(), Ok(candidate));
        }

        #[test]
        fn no_text_panics(text in "(candidate:)?[ -~ä]{0,80}") {
            let _ = text.parse::<Candidate>();
        }
    }
}
