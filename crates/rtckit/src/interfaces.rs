//! Which local addresses become sockets.

use core::net::{IpAddr, SocketAddr};

use crate::Error;

/// An address of one of the host's interfaces, offered to
/// [`Configuration::interface_filter`](crate::Configuration::interface_filter).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interface {
    /// The interface's name, such as `eth0`.
    pub name: String,
    /// One of its addresses. An interface with several is offered once for each.
    pub address: IpAddr,
    /// Whether it is the host's loopback.
    pub loopback: bool,
}

/// The most sockets one connection opens; addresses beyond are not used.
pub(crate) const MAX_SOCKETS: usize = 16;

/// The addresses of the interfaces that are up.
///
/// Link-local IPv6 addresses are left out: they mean nothing without a zone, and a candidate has no room for
/// one ([RFC 8839 §5.1](https://www.rfc-editor.org/rfc/rfc8839#section-5.1)).
pub(crate) fn up() -> Result<Vec<Interface>, Error> {
    let interfaces = if_addrs::get_if_addrs().map_err(|error| Error::Interfaces(error.into()))?;
    Ok(interfaces
        .into_iter()
        .filter(|interface| is_up(interface) && !is_link_local_v6(interface.ip()))
        .map(|interface| Interface {
            loopback: interface.is_loopback(),
            address: interface.ip(),
            name: interface.name,
        })
        .collect())
}

/// Replaces each unspecified address (`0.0.0.0` or `[::]`) by those of the interfaces that are of its family,
/// with its port: a candidate must be an address that the other side can send to.
pub(crate) fn expand(
    asked: &[SocketAddr],
    interfaces: impl FnOnce() -> Result<Vec<Interface>, Error>,
) -> Result<Vec<SocketAddr>, Error> {
    if !asked.iter().any(|address| address.ip().is_unspecified()) {
        return Ok(asked.to_vec());
    }
    let interfaces = interfaces()?;
    let mut addresses = Vec::new();
    for address in asked {
        if address.ip().is_unspecified() {
            let same_family = interfaces
                .iter()
                .filter(|interface| interface.address.is_ipv4() == address.is_ipv4());
            addresses.extend(
                same_family.map(|interface| SocketAddr::new(interface.address, address.port())),
            );
        } else {
            addresses.push(*address);
        }
    }
    Ok(addresses)
}

/// Loopback reports its state as unknown on Linux, and so do tunnels: only a state that says "down" counts.
fn is_up(interface: &if_addrs::Interface) -> bool {
    use if_addrs::IfOperStatus::{Down, LowerLayerDown, NotPresent};
    !matches!(interface.oper_status, Down | LowerLayerDown | NotPresent)
}

fn is_link_local_v6(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(address: &str) -> Interface {
        Interface {
            name: "test0".into(),
            address: address.parse().unwrap(),
            loopback: false,
        }
    }

    #[test]
    fn unspecified_addresses_become_those_of_their_family() {
        let interfaces = || {
            Ok(vec![
                interface("192.0.2.1"),
                interface("2001:db8::1"),
                interface("192.0.2.2"),
            ])
        };
        let asked: Vec<SocketAddr> = vec![
            "0.0.0.0:5000".parse().unwrap(),
            "127.0.0.1:0".parse().unwrap(),
        ];
        let expanded: Vec<String> = expand(&asked, interfaces)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            expanded,
            ["192.0.2.1:5000", "192.0.2.2:5000", "127.0.0.1:0"]
        );
    }

    #[test]
    fn concrete_addresses_ask_nothing_of_the_system() {
        let asked: Vec<SocketAddr> = vec!["127.0.0.1:7".parse().unwrap()];
        assert_eq!(expand(&asked, || Err(Error::NoAddress)), Ok(asked.clone()));
    }
}
