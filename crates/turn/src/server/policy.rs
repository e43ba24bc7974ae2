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

const fn v6(first: u16, second: u16, len: u8) -> Cidr {
    let base = IpAddr::V6(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0));
    Cidr { base, len }
}

/// What of IPv4 is not globally reachable, by
/// [IANA's special-purpose registry](https://www.iana.org/assignments/iana-ipv4-special-registry) (RFC 6890), and
/// multicast.
const NOT_GLOBAL_V4: &[Cidr] = &[
    v4(0, 0, 0, 8),       // this network, unspecified
    v4(10, 0, 0, 8),      // private
    v4(100, 64, 0, 10),   // shared by carriers
    v4(127, 0, 0, 8),     // loopback
    v4(169, 254, 0, 16),  // link-local, cloud metadata
    v4(172, 16, 0, 12),   // private
    v4(192, 0, 0, 24),    // protocol assignments; anycast for PCP and TURN among them
    v4(192, 0, 2, 24),    // documentation
    v4(192, 88, 99, 24),  // 6to4 anycast, deprecated
    v4(192, 168, 0, 16),  // private
    v4(198, 18, 0, 15),   // benchmarks
    v4(198, 51, 100, 24), // documentation
    v4(203, 0, 113, 24),  // documentation
    v4(224, 0, 0, 4),     // multicast
    v4(240, 0, 0, 4),     // reserved, broadcast
];

/// What of IPv6 is given out for global unicast
/// ([IANA's registry](https://www.iana.org/assignments/ipv6-address-space)), and NAT64's well-known prefix.
/// Everything else is reserved, or stays in a link, a site or a host.
const GLOBAL_V6: &[Cidr] = &[v6(0x2000, 0, 3), v6(0x64, 0xff9b, 96)];

/// And what of that is not globally reachable, by
/// [IANA's special-purpose registry](https://www.iana.org/assignments/iana-ipv6-special-registry).
const NOT_GLOBAL_V6: &[Cidr] = &[
    // protocol assignments: Teredo, benchmarks, ORCHID; and what can be reached of it, which is for other protocols
    v6(0x2001, 0, 23),
    v6(0x2001, 0xdb8, 32), // documentation
    v6(0x3fff, 0, 20),     // documentation
];

/// Allow and deny lists of peer addresses.
///
/// An address is allowed when it is in the allow list; else denied when it is in the deny list; else denied when it is
/// not globally reachable: loopback, private, shared by carriers, link-local, multicast, unspecified, for documentation
/// or benchmarks, or reserved; of IPv6, everything but global unicast (2000::/3, without 2001::/23) and NAT64's prefix.
/// An IPv6 address that holds an IPv4 address (IPv4-mapped, NAT64, 6to4, ISATAP) is denied when either is. A NAT64 prefix
/// of the network's own looks like any other: deny it by name.
///
/// ```
/// use rtckit_turn::PeerPolicy;
///
/// let mut policy = PeerPolicy::default();
/// assert!(policy.allows("8.8.8.8".parse()?));
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
        let denies = |ip: IpAddr| is_in(&self.deny, ip) || !is_global(ip);
        let embedded = match ip {
            IpAddr::V4(_) => None,
            IpAddr::V6(ip) => embedded_ipv4(ip),
        };
        !denies(ip) && !embedded.is_some_and(|ip| denies(ip.into()))
    }

    /// Whether the allow list has it.
    pub fn is_allowed_by_name(&self, ip: IpAddr) -> bool {
        is_in(&self.allow, ip.to_canonical())
    }
}

fn is_in(list: &[Cidr], ip: IpAddr) -> bool {
    list.iter().any(|block| block.contains(ip))
}

fn is_global(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => !is_in(NOT_GLOBAL_V4, ip),
        IpAddr::V6(_) => is_in(GLOBAL_V6, ip) && !is_in(NOT_GLOBAL_V6, ip),
    }
}

/// The IPv4 address inside an IPv6 one that could be global.
fn embedded_ipv4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let low = Ipv4Addr::from_bits(ip.to_bits() as u32);
    match ip.segments() {
        // NAT64 (RFC 6052 §2.1)
        [0x64, 0xff9b, ..] => Some(low),
        // 6to4 (RFC 3056 §2)
        [0x2002, high, low, ..] => {
            Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        // ISATAP, behind any prefix (RFC 5214 §6.1); the bit is set when the IPv4 address is no private one
        [_, _, _, _, 0 | 0x200, 0x5efe, _, _] => Some(low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    fn allows(policy: &PeerPolicy, ip: &str) -> bool {
        policy.allows(ip.parse().unwrap())
    }

    /// The registries' blocks that are not globally reachable, or have no meaning beyond one host, and multicast.
    const DENIED: &[&str] = &[
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "::1/128",
        "::/96",
        "::/64",
        "::ffff:0:0:0/96",
        "64:ff9b:1::/48",
        "100::/64",
        "100:0:0:1::/64",
        "2001::/32",
        "2001:2::/48",
        "2001:10::/28",
        "2001:db8::/32",
        "3fff::/20",
        "4000::/3",
        "5f00::/16",
        "8000::/1",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    ];

    /// The first and the last address of a block.
    fn ends(block: &str) -> [IpAddr; 2] {
        let Cidr { base, len } = block.parse().unwrap();
        let host = |bits: u32| (u128::MAX << (bits - u32::from(len))) ^ u128::MAX;
        let last = match base {
            IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() | host(32) as u32).into(),
            IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() | host(128)).into(),
        };
        [base, last]
    }

    #[test]
    fn what_is_not_globally_reachable_is_denied() {
        let policy = PeerPolicy::default();
        for block in DENIED {
            for ip in ends(block) {
                assert!(!policy.allows(ip), "{ip} of {block}");
                if let IpAddr::V4(ip) = ip {
                    let [a, b, c, d] = ip.octets();
                    let mapped = format!("::ffff:{ip}");
                    let translated = format!("::ffff:0:{ip}");
                    let compatible = format!("::{ip}");
                    let nat64 = format!("64:ff9b::{ip}");
                    let six_to_four = format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1");
                    let isatap = ["0", "200"].map(|bit| format!("2600:1:2:3:{bit}:5efe:{ip}"));
                    for ip in [mapped, translated, compatible, nat64, six_to_four]
                        .iter()
                        .chain(&isatap)
                    {
                        assert!(!allows(&policy, ip), "{ip} of {block}");
                    }
                }
            }
        }
    }

    /// The neighbours of what is denied.
    #[test]
    fn what_is_globally_reachable_is_allowed() {
        let policy = PeerPolicy::default();
        for ip in [
            "1.0.0.0",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "2001:200::",
            "2001:db7:ffff::",
            "2001:db9::",
            "2001:4860:4860::8888",
            "2000::",
            "3ffe:ffff::",
            "3fff:1000::",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
            "2600:1:2:3:0:5efe:8.8.8.8",
        ] {
            assert!(allows(&policy, ip), "{ip}");
        }
    }

    #[test]
    fn lists_go_before_defaults() {
        let mut policy = PeerPolicy::default();
        policy.allow.push("127.0.0.0/8".parse().unwrap());
        policy.deny.push("8.8.8.0/24".parse().unwrap());
        policy.deny.push("2600::/32".parse().unwrap());
        assert!(allows(&policy, "127.0.0.1") && allows(&policy, "::ffff:127.0.0.1"));
        assert!(!allows(&policy, "::1"));
        assert!(!allows(&policy, "8.8.8.8") && !allows(&policy, "64:ff9b::8.8.8.8"));
        assert!(!allows(&policy, "2600::1") && allows(&policy, "2600:1::1"));
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
