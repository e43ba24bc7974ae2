//! Candidates: what they are and how they rank
//! ([RFC 8445 §5.1](https://www.rfc-editor.org/rfc/rfc8445#section-5.1)).

use core::fmt::{self, Write};
use core::net::{IpAddr, SocketAddr};

use arrayvec::ArrayString;
use rtckit_proto::Transport;

use crate::credentials::is_ice_char;
use crate::error::ParseError;

/// How a candidate was obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the four types of RFC 8445")]
pub enum CandidateType {
    /// An address of an interface.
    Host,
    /// What a STUN server saw.
    ServerReflexive,
    /// What the peer saw, or where its check came from.
    PeerReflexive,
    /// An address a TURN server lends.
    Relayed,
}

impl CandidateType {
    /// The recommended type preference ([RFC 8445 §5.1.2.2](https://www.rfc-editor.org/rfc/rfc8445#section-5.1.2.2)).
    pub const fn preference(self) -> u8 {
        match self {
            Self::Host => 126,
            Self::PeerReflexive => 110,
            Self::ServerReflexive => 100,
            Self::Relayed => 0,
        }
    }

    /// The name in the candidate attribute.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relayed => "relay",
        }
    }
}

/// The role of a TCP candidate ([RFC 6544 §4.5](https://www.rfc-editor.org/rfc/rfc6544#section-4.5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the three types of RFC 6544")]
pub enum TcpType {
    /// Opens connections.
    Active,
    /// Accepts connections.
    Passive,
    /// Both at once.
    SimultaneousOpen,
}

/// Candidates of one type, base and server share a foundation: 1 to 32 ice-chars
/// ([RFC 8445 §5.1.1.3](https://www.rfc-editor.org/rfc/rfc8445#section-5.1.1.3)).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Foundation(ArrayString<32>);

impl Foundation {
    /// The foundation of the given text.
    ///
    /// # Errors
    /// When it is empty, longer than 32 bytes, or holds anything but ice-chars.
    pub fn new(text: &str) -> Result<Self, ParseError> {
        if let Some(position) = text.bytes().position(|byte| !is_ice_char(byte)) {
            return Err(ParseError::new(position, "an ice-char"));
        }
        match ArrayString::from(text) {
            Ok(foundation) if !text.is_empty() => Ok(Self(foundation)),
            _ => Err(ParseError::new(
                text.len().min(32),
                "a foundation of 1 to 32 ice-chars",
            )),
        }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A number that depends on nothing but the arguments: equal ones meet, others rarely do, and when they do
    /// a check merely waits a little longer.
    fn compute(candidate_type: CandidateType, base: IpAddr, transport: Transport) -> Self {
        const FNV_OFFSET: u32 = 0x811c_9dc5;
        const FNV_PRIME: u32 = 0x0100_0193;
        let mut octets = [0; 18];
        let (head, tail) = octets.split_at_mut(2);
        head.copy_from_slice(&[candidate_type as u8, transport as u8]);
        match base {
            IpAddr::V4(ip) => tail
                .iter_mut()
                .zip(ip.octets())
                .for_each(|(to, from)| *to = from),
            IpAddr::V6(ip) => tail.copy_from_slice(&ip.octets()),
        }
        let hash = octets.iter().fold(FNV_OFFSET, |hash, &octet| {
            (hash ^ u32::from(octet)).wrapping_mul(FNV_PRIME)
        });
        Self::from_number(hash)
    }

    pub(crate) fn from_number(number: u32) -> Self {
        let mut text = ArrayString::new();
        // ten digits at most, of 32 characters
        let _ = write!(text, "{number}");
        Self(text)
    }
}

impl fmt::Debug for Foundation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Foundation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The component of RTP, and of everything when RTCP is multiplexed and media is bundled.
pub const RTP_COMPONENT: u16 = 1;

/// A transport address at which an agent may be reached
/// ([RFC 8445 §5.1](https://www.rfc-editor.org/rfc/rfc8445#section-5.1)).
///
/// It prints as, and is read from, the `candidate` attribute of
/// [RFC 8839 §5.1](https://www.rfc-editor.org/rfc/rfc8839#section-5.1), which is also what browsers exchange:
///
/// ```
/// use rtckit_ice::{Candidate, CandidateType};
///
/// let text = "candidate:881333351 1 udp 2122194687 192.0.2.2 50640 typ host";
/// let candidate: Candidate = text.parse()?;
/// assert_eq!(candidate.candidate_type, CandidateType::Host);
/// assert_eq!(candidate.address, "192.0.2.2:50640".parse()?);
/// assert_eq!(candidate.to_string(), text);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Groups candidates of one type, base and server.
    pub foundation: Foundation,
    /// 1 to 256; 1 for RTP and for everything bundled with it.
    pub component: u16,
    /// UDP, or TCP by RFC 6544, which this agent can only read.
    pub transport: Transport,
    /// The role of a TCP candidate.
    pub tcp_type: Option<TcpType>,
    /// 1 to 2^31 - 1; higher is preferred.
    pub priority: u32,
    /// The transport address.
    pub address: SocketAddr,
    /// How it was obtained.
    pub candidate_type: CandidateType,
    /// The base of a reflexive candidate, the mapped address of a relayed one; for diagnostics at the peer,
    /// which need not be told.
    pub related_address: Option<SocketAddr>,
}

impl Candidate {
    /// A host candidate for UDP. `local_preference` ranks the addresses of a host with several.
    pub fn host(address: SocketAddr, local_preference: u16) -> Self {
        Self::new(CandidateType::Host, address, None, local_preference)
    }

    /// A server-reflexive candidate for UDP that was learnt from `base`.
    pub fn server_reflexive(address: SocketAddr, base: SocketAddr, local_preference: u16) -> Self {
        Self::new(
            CandidateType::ServerReflexive,
            address,
            Some(base),
            local_preference,
        )
    }

    /// A relayed candidate for UDP, whose TURN client has the address `mapped` at the server.
    pub fn relayed(address: SocketAddr, mapped: SocketAddr, local_preference: u16) -> Self {
        Self::new(
            CandidateType::Relayed,
            address,
            Some(mapped),
            local_preference,
        )
    }

    fn new(
        candidate_type: CandidateType,
        address: SocketAddr,
        related: Option<SocketAddr>,
        local_preference: u16,
    ) -> Self {
        let mut candidate = Self {
            foundation: Foundation::from_number(0),
            component: RTP_COMPONENT,
            transport: Transport::Udp,
            tcp_type: None,
            priority: priority(candidate_type, local_preference, RTP_COMPONENT),
            address,
            candidate_type,
            related_address: related,
        };
        candidate.foundation =
            Foundation::compute(candidate_type, candidate.base().ip(), Transport::Udp);
        candidate
    }

    /// A candidate learnt from a check: `address` is where it was seen, `base` where the checks leave from (for
    /// a local candidate).
    pub(crate) const fn peer_reflexive(
        address: SocketAddr,
        base: Option<SocketAddr>,
        priority: u32,
        foundation: Foundation,
    ) -> Self {
        Self {
            foundation,
            component: RTP_COMPONENT,
            transport: Transport::Udp,
            tcp_type: None,
            priority,
            address,
            candidate_type: CandidateType::PeerReflexive,
            related_address: base,
        }
    }

    /// The address that a local candidate's datagrams are sent from
    /// ([RFC 8445 §4](https://www.rfc-editor.org/rfc/rfc8445#section-4)).
    pub fn base(&self) -> SocketAddr {
        match self.candidate_type {
            CandidateType::Host | CandidateType::Relayed => self.address,
            CandidateType::ServerReflexive | CandidateType::PeerReflexive => {
                self.related_address.unwrap_or(self.address)
            }
        }
    }

    /// The PRIORITY a check from this local candidate carries: its own, with the type preference of a
    /// peer-reflexive candidate ([RFC 8445 §7.1.1](https://www.rfc-editor.org/rfc/rfc8445#section-7.1.1)).
    pub(crate) const fn priority_as_peer_reflexive(&self) -> u32 {
        (self.priority & 0x00ff_ffff) | (CandidateType::PeerReflexive.preference() as u32) << 24
    }
}

/// The priority of a candidate ([RFC 8445 §5.1.2.1](https://www.rfc-editor.org/rfc/rfc8445#section-5.1.2.1)):
/// `2^24 * type preference + 2^8 * local preference + 256 - component`.
pub const fn priority(candidate_type: CandidateType, local_preference: u16, component: u16) -> u32 {
    (candidate_type.preference() as u32) << 24
        | (local_preference as u32) << 8
        | 256_u32.saturating_sub(component as u32) & 0xff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_by_the_formula() {
        assert_eq!(priority(CandidateType::Host, 65_535, 1), 2_130_706_431);
        assert_eq!(
            priority(CandidateType::ServerReflexive, 65_535, 1),
            1_694_498_815
        );
        assert_eq!(priority(CandidateType::Relayed, 0, 256), 0);
        let host = Candidate::host("192.0.2.1:1".parse().unwrap(), 7);
        assert_eq!(
            host.priority_as_peer_reflexive(),
            priority(CandidateType::PeerReflexive, 7, 1)
        );
    }

    #[test]
    fn foundations_group_by_type_and_base() {
        let of = |address: &str, base: Option<&str>| {
            let address = address.parse().unwrap();
            match base {
                None => Candidate::host(address, 1),
                Some(base) => Candidate::server_reflexive(address, base.parse().unwrap(), 1),
            }
            .foundation
        };
        assert_eq!(
            of("192.0.2.1:1", None),
            of("192.0.2.1:2", None),
            "ports do not matter"
        );
        assert_ne!(of("192.0.2.1:1", None), of("192.0.2.2:1", None));
        assert_ne!(
            of("192.0.2.1:1", None),
            of("198.51.100.1:1", Some("192.0.2.1:1"))
        );
        assert_eq!(
            of("198.51.100.1:1", Some("192.0.2.1:1")),
            of("198.51.100.9:9", Some("192.0.2.1:2")),
            "the base counts, not the mapped address"
        );
    }
}
