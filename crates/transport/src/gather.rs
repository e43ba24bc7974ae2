//! Gathering: which local addresses become candidates, and how they rank
//! ([RFC 8445 §5.1.1](https://www.rfc-editor.org/rfc/rfc8445#section-5.1.1),
//! [RFC 8421 §4](https://www.rfc-editor.org/rfc/rfc8421#section-4)).

use core::net::{IpAddr, SocketAddr};

/// Where gathering stands; the names are those of `RTCIceGathererState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[expect(clippy::exhaustive_enums, reason = "the three states of the W3C")]
pub enum GatheringState {
    /// No address yet.
    #[default]
    New,
    /// Addresses come in.
    Gathering,
    /// There will be no more.
    Complete,
}

/// Whether a peer could send to `address`. Loopback is allowed: calls within one host are made of it.
pub(crate) fn is_usable(address: SocketAddr) -> bool {
    let ip = address.ip();
    let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !broadcast
}

/// The local preference of the `index`-th address: global before link-local before loopback, IPv6 before IPv4 of
/// the same scope, earlier before later.
pub(crate) fn local_preference(ip: IpAddr, index: usize) -> u16 {
    let class: u16 = match ip {
        _ if ip.is_loopback() => 0,
        IpAddr::V4(ip) if ip.is_link_local() => 1,
        IpAddr::V6(ip) if ip.is_unicast_link_local() => 2,
        IpAddr::V4(_) => 3,
        IpAddr::V6(_) => 4,
    };
    let rank = u16::try_from(index).unwrap_or(u16::MAX).min(0x0fff);
    (class << 12) + 0x0fff - rank
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn preferences_fall_by_scope_family_and_order() {
        let ips = [
            "2001:db8::1",
            "192.0.2.1",
            "fe80::1",
            "169.254.0.1",
            "::1",
            "127.0.0.1",
        ];
        let preferences: Vec<u16> = ips
            .iter()
            .enumerate()
            .map(|(index, ip)| local_preference(ip.parse().unwrap(), index))
            .collect();
        assert!(preferences.is_sorted_by(|a, b| a > b), "{preferences:?}");
        assert!(
            local_preference(ips[1].parse().unwrap(), usize::MAX)
                > local_preference(ips[2].parse().unwrap(), 0)
        );
    }

    #[test]
    fn unusable_addresses() {
        for address in [
            "0.0.0.0:1",
            "[::]:1",
            "224.0.0.1:1",
            "[ff02::1]:1",
            "255.255.255.255:1",
            "192.0.2.1:0",
        ] {
            assert!(!is_usable(address.parse().unwrap()), "{address}");
        }
        for address in ["127.0.0.1:1", "[::1]:1", "[fe80::1]:1", "192.0.2.1:1"] {
            assert!(is_usable(address.parse().unwrap()), "{address}");
        }
    }
}
