//! Which peers a client may reach through the server.
//!
//! A relay lends its place in the network to strangers. Without a rule they reach what only the server should: its own
//! loopback, the private network it stands in, the cloud's metadata service
//! ([RFC 8656 §21.2](https://www.rfc-editor.org/rfc/rfc8656#section-21.2)).

use alloc::vec::Vec;
use core::fmt;
use core::net::{AddrParseError, IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

/// A block of addresses: `192.0.2.0/24`, `2001:db8::/32`, or a single one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    base: IpAddr,
    len: u8,
}

impl Cidr {
    /// The block of addresses that share the first `len` bits with `base`; `None` when `len` is more than they have.
    pub const fn new(base: IpAddr, len: u8) -> Option<Self> {
        let max = match base {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        if len > max {
            return None;
        }
        Some(Self { base, len })
    }

    /// Whether `ip` is in it. Blocks of one family hold no address of the other.
    pub const fn contains(&self, ip: IpAddr) -> bool {
        match (self.base, ip) {
            (IpAddr::V4(base), IpAddr::V4(ip)) => {
                let differing = base.to_bits() ^ ip.to_bits();
                self.len == 0 || differing >> (32 - self.len as u32) == 0
            }
            (IpAddr::V6(base), IpAddr::V6(ip)) => {
                let differing = base.to_bits() ^ ip.to_bits();
                self.len == 0 || differing >> (128 - self.len as u32) == 0
            }
            _ => false,
        }
    }
}

impl From<IpAddr> for Cidr {
    fn from(ip: IpAddr) -> Self {
        let len = if ip.is_ipv4() { 32 } else { 128 };
        Self { base: ip, len }
    }
}

/// A text that is no block of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CidrParseError;

impl fmt::Display for CidrParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected an address or ADDRESS/LENGTH")
    }
}

impl core::error::Error for CidrParseError {}

impl From<AddrParseError> for CidrParseError {
    fn from(_: AddrParseError) -> Self {
        Self
    }
}

impl FromStr for Cidr {
    type Err = CidrParseError;

    fn from_str(text: &str) -> Result<Self, CidrParseError> {
        let Some((base, len)) = text.split_once('/') else {
            return Ok(text.parse::<IpAddr>()?.into());
        };
        let len = len.parse().map_err(|_| CidrParseError)?;
        Self::new(base.parse()?, len).ok_or(CidrParseError)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.len)
    }
}

const fn v4(a: u8, b: u8, c: u8, len: u8) -> Cidr {
    let base = IpAddr::V4(Ipv4Addr::new(a, b, c, 0));
    Cidr { base, len }
}

const fn v6(first: u16, len: u8) -> Cidr {
    let base = IpAddr::V6(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0));
    Cidr { base, len }
}

/// What no peer of IPv4 may be unless it is allowed by name
/// ([IANA's special-purpose registry](https://www.iana.org/assignments/iana-ipv4-special-registry)).
const DENIED_V4: &[Cidr] = &[
    v4(0, 0, 0, 8),      // this network, unspecified
    v4(10, 0, 0, 8),     // private
    v4(100, 64, 0, 10),  // shared by carriers
    v4(127, 0, 0, 8),    // loopback
    v4(169, 254, 0, 16), // link-local, cloud metadata
    v4(172, 16, 0, 12),  // private
    v4(192, 0, 0, 24),   // protocol assignments
    v4(192, 88, 99, 24), // 6to4 anycast
    v4(192, 168, 0, 16), // private
    v4(198, 18, 0, 15),  // benchmarks
    v4(224, 0, 0, 4),    // multicast
    v4(240, 0, 0, 4),    // reserved, broadcast
];

/// What no peer of IPv6 may be unless it is allowed by name
/// ([IANA's special-purpose registry](https://www.iana.org/assignments/iana-ipv6-special-registry)). What begins with
/// 64 zero bits holds an IPv4 address, loopback and unspecified among them.
const DENIED_V6: &[Cidr] = &[
    v6(0x0100, 64), // discard only
    v6(0xfc00, 7),  // unique local
    v6(0xfe80, 10), // link-local
    v6(0xfec0, 10), // site-local, deprecated
    v6(0xff00, 8),  // multicast
    v6(0x3fff, 20), // documentation
    v6(0x5f00, 16), // segment routing
];

/// Allow and deny lists of peer addresses.
///
/// An address is allowed when it is in the allow list; else denied when it is in the deny list; else denied when it is
/// loopback, private, link-local, multicast, unspecified or reserved, or an IPv6 address that holds such an IPv4
/// address (IPv4-mapped and -compatible, NAT64, 6to4, Teredo); else allowed.
///
/// ```
/// use rtckit_turn::PeerPolicy;
///
/// let mut policy = PeerPolicy::default();
/// assert!(policy.allows("198.51.100.7".parse()?));
/// assert!(!policy.allows("169.254.169.254".parse()?));
/// assert!(!policy.allows("64:ff9b::a00:1".parse()?), "10.0.0.1 behind NAT64");
/// policy.allow.push("10.1.0.0/16".parse()?);
/// assert!(policy.allows("10.1.2.3".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PeerPolicy {
    /// What is allowed before anything else is asked.
    pub allow: Vec<Cidr>,
    /// What is denied beside the defaults.
    pub deny: Vec<Cidr>,
}

impl PeerPolicy {
    /// Whether a client may talk to `ip`.
    pub fn allows(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        if self.is_allowed_by_name(ip) {
            return true;
        }
        let is_in = |list: &[Cidr], ip| list.iter().any(|block| block.contains(ip));
        let denies = |ip: IpAddr| {
            let defaults = if ip.is_ipv4() { DENIED_V4 } else { DENIED_V6 };
            is_in(&self.deny, ip) || is_in(defaults, ip)
        };
        match ip {
            IpAddr::V4(_) => !denies(ip),
            IpAddr::V6(v6) => match embedded_ipv4(v6) {
                Embedded::None => !denies(ip),
                Embedded::Address(v4) => !denies(ip) && !denies(IpAddr::V4(v4)),
                Embedded::Hidden => false,
            },
        }
    }

    /// Whether the allow list has it.
    pub fn is_allowed_by_name(&self, ip: IpAddr) -> bool {
        self.allow
            .iter()
            .any(|block| block.contains(ip.to_canonical()))
    }
}

/// The IPv4 address inside an IPv6 one.
enum Embedded {
    None,
    Address(Ipv4Addr),
    /// There is one, and nobody can tell where it leads.
    Hidden,
}

fn embedded_ipv4(ip: Ipv6Addr) -> Embedded {
    let low = Ipv4Addr::from_bits(ip.to_bits() as u32);
    match ip.segments() {
        // IPv4-compatible (RFC 4291 §2.5.5.1), with loopback and unspecified among them
        [0, 0, 0, 0, 0, 0, _, _] => Embedded::Address(low),
        // IPv4-mapped (§2.5.5.2) and -translated (RFC 2765 §2.1)
        [0, 0, 0, 0, 0, 0xffff, _, _] | [0, 0, 0, 0, 0xffff, 0, _, _] => Embedded::Address(low),
        // NAT64's well-known prefix (RFC 6052 §2.1)
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => Embedded::Address(low),
        // and its local-use one (RFC 8215), whose layout is local too
        [0x64, 0xff9b, 1, ..] => Embedded::Hidden,
        // 6to4 (RFC 3056 §2)
        [0x2002, high, low, ..] => {
            Embedded::Address(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        // Teredo (RFC 4380 §4)
        [0x2001, 0, ..] => Embedded::Hidden,
        _ => Embedded::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(policy: &PeerPolicy, ip: &str) -> bool {
        policy.allows(ip.parse().unwrap())
    }

    #[test]
    fn what_the_defaults_deny() {
        let policy = PeerPolicy::default();
        for ip in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "239.255.255.255",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:0:10.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::1",
            "2002:7f00:1::1",
            "2002:a00:1::",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
        ] {
            assert!(!allows(&policy, ip), "{ip}");
        }
        for ip in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ] {
            assert!(allows(&policy, ip), "{ip}");
        }
    }

    #[test]
    fn lists_go_before_defaults() {
        let mut policy = PeerPolicy::default();
        policy.allow.push("127.0.0.0/8".parse().unwrap());
        policy.deny.push("8.8.8.0/24".parse().unwrap());
        policy.deny.push("2001:db8::/32".parse().unwrap());
        assert!(allows(&policy, "127.0.0.1") && allows(&policy, "::ffff:127.0.0.1"));
        assert!(!allows(&policy, "::1"));
        assert!(!allows(&policy, "8.8.8.8") && !allows(&policy, "64:ff9b::8.8.8.8"));
        assert!(!allows(&policy, "2001:db8::1"));
        policy.allow.push("8.8.8.8".parse().unwrap());
        assert!(allows(&policy, "8.8.8.8") && !allows(&policy, "8.8.8.9"));
    }

    #[test]
    fn blocks() {
        for text in [
            "1.2.3.4/33",
            "::/129",
            "1.2.3.4/",
            "x/8",
            "",
            "1.2.3/8",
            "1.2.3.4/-1",
        ] {
            assert_eq!(text.parse::<Cidr>(), Err(CidrParseError), "{text}");
        }
        let all: Cidr = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("255.1.2.3".parse().unwrap()));
        assert!(!all.contains("::1".parse().unwrap()));
        let one: Cidr = "2001:db8::1".parse().unwrap();
        assert!(one.contains("2001:db8::1".parse().unwrap()));
        assert!(!one.contains("2001:db8::2".parse().unwrap()));
    }
}
