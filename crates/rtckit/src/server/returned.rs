//! What comes back for datagrams that did not arrive: ICMP errors, from the socket's error queue
//! ([RFC 8656 §11.5](https://www.rfc-editor.org/rfc/rfc8656#section-11.5)).

use core::net::SocketAddr;

use mio::net::UdpSocket;
use rtckit_stun::Icmp;

/// How many errors are read before other sockets are looked at again: the rest wait, or are lost.
pub(super) const ERRORS_PER_TURN: usize = 32;

/// A datagram that did not arrive.
pub(super) struct Returned {
    /// Whom it was for. The port is 0, as RFC 8656 has it for one that is not known, where this host itself refused to
    /// send by IPv4.
    pub(super) peer: SocketAddr,
    /// Why.
    pub(super) icmp: Icmp,
}

/// The next error; `None` when there is none, or none that can be read.
#[cfg(target_os = "linux")]
pub(super) fn next(io: &UdpSocket) -> Option<Returned> {
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};
    use std::io::IoSliceMut;
    use std::os::fd::AsRawFd;

    /// Room for the error and the address of who sent it, aligned as control messages are.
    #[repr(align(8))]
    struct Control([u8; 256]);

    // the kernel gives the datagram back, of which nobody asks more than to whom it went
    let mut datagram = [0; 1];
    let mut parts = [IoSliceMut::new(&mut datagram)];
    let mut control = Control([0; 256]);
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    loop {
        let message =
            recvmsg::<SockaddrStorage>(io.as_raw_fd(), &mut parts, Some(&mut control.0[..]), flags);
        let message = match message {
            Ok(message) => message,
            Err(nix::errno::Errno::EINTR) => continue,
            Err(_) => return None,
        };
        let peer = message.address.as_ref().and_then(address);
        let error = message.cmsgs().ok()?.find_map(|control| match control {
            ControlMessageOwned::Ipv4RecvErr(error, _) => Some((error, true)),
            ControlMessageOwned::Ipv6RecvErr(error, _) => Some((error, false)),
            _ => None,
        });
        let icmp = error.and_then(|(error, is_ipv4)| {
            let source = match error.ee_origin {
                2 | 3 => Source::Network(error.ee_type, error.ee_code),
                1 if error.ee_errno == nix::errno::Errno::EMSGSIZE as u32 => Source::TooLong,
                _ => return None,
            };
            icmp(source, is_ipv4, error.ee_info)
        });
        if let (Some(peer), Some(icmp)) = (peer, icmp) {
            return Some(Returned { peer, icmp });
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn next(_: &UdpSocket) -> Option<Returned> {
    None
}

#[cfg(target_os = "linux")]
fn address(address: &nix::sys::socket::SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in();
    let v6 = address.as_sockaddr_in6();
    v4.map(|address| SocketAddr::V4((*address).into()))
        .or_else(|| v6.map(|address| SocketAddr::V6((*address).into())))
}

/// Where an error comes from.
enum Source {
    /// A host on the way, or the peer: type and code.
    Network(u8, u8),
    /// This host: the datagram is longer than the path's MTU, and may not be fragmented.
    TooLong,
}

/// What the client is told: the types of RFC 8656 §11.5, and the MTU with those that have one.
fn icmp(source: Source, is_ipv4: bool, mtu: u32) -> Option<Icmp> {
    let (icmp_type, code) = match (source, is_ipv4) {
        (Source::TooLong, true) => (3, 4),
        (Source::TooLong, false) => (2, 0),
        (Source::Network(icmp_type @ (3 | 11), code), true)
        | (Source::Network(icmp_type @ 1..=3, code), false) => (icmp_type, code),
        (Source::Network(..), _) => return None,
    };
    let has_mtu = (icmp_type, code, is_ipv4) == (3, 4, true) || (icmp_type, is_ipv4) == (2, false);
    Some(Icmp {
        icmp_type,
        code,
        data: if has_mtu { mtu } else { 0 },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_are_told() {
        let told = |source, is_ipv4, mtu| {
            let icmp = icmp(source, is_ipv4, mtu)?;
            Some((icmp.icmp_type, icmp.code, icmp.data))
        };
        assert_eq!(told(Source::Network(3, 3), true, 9), Some((3, 3, 0)));
        assert_eq!(told(Source::Network(3, 4), true, 1280), Some((3, 4, 1280)));
        assert_eq!(told(Source::Network(11, 0), true, 9), Some((11, 0, 0)));
        assert_eq!(told(Source::Network(5, 0), true, 9), None, "a redirect");
        assert_eq!(told(Source::Network(1, 4), false, 9), Some((1, 4, 0)));
        assert_eq!(told(Source::Network(2, 0), false, 1280), Some((2, 0, 1280)));
        assert_eq!(told(Source::Network(4, 0), false, 9), None);
        assert_eq!(told(Source::TooLong, true, 1500), Some((3, 4, 1500)));
        assert_eq!(told(Source::TooLong, false, 1500), Some((2, 0, 1500)));
    }
}
