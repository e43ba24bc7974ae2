//! Transport addresses, in the clear and xored
//! ([RFC 8489 §14.1 and §14.2](https://www.rfc-editor.org/rfc/rfc8489#section-14.1)).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0 0 0 0 0 0 0 0|    Family     |         (X-)Port              |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                (X-)Address (32 bits or 128 bits)              |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::header::{MAGIC_COOKIE, TransactionId};

const FAMILY_IPV4: u8 = 1;
const FAMILY_IPV6: u8 = 2;

/// The longest value: an IPv6 address.
pub(crate) const MAX_LEN: usize = 20;

/// The key that addresses are xored with: the magic cookie and the transaction id, or zeros for none.
#[derive(Clone, Copy)]
pub(crate) struct Mask([u8; 16]);

impl Mask {
    pub(crate) const NONE: Self = Self([0; 16]);

    pub(crate) fn new(id: TransactionId) -> Self {
        let mut mask = [0; 16];
        let (cookie, rest) = mask.split_at_mut(4);
        cookie.copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
        rest.copy_from_slice(&id.0);
        Self(mask)
    }

    fn port(self) -> u16 {
        let [high, low, ..] = self.0;
        u16::from_be_bytes([high, low])
    }

    fn apply<const N: usize>(self, mut address: [u8; N]) -> [u8; N] {
        address
            .iter_mut()
            .zip(self.0)
            .for_each(|(byte, mask)| *byte ^= mask);
        address
    }
}

pub(crate) fn parse(value: &[u8], mask: Mask) -> Option<SocketAddr> {
    let (&[_, family, p0, p1], address) = value.split_first_chunk::<4>()?;
    let ip = match family {
        FAMILY_IPV4 => IpAddr::V4(Ipv4Addr::from(mask.apply::<4>(address.try_into().ok()?))),
        FAMILY_IPV6 => IpAddr::V6(Ipv6Addr::from(mask.apply::<16>(address.try_into().ok()?))),
        _ => return None,
    };
    Some(SocketAddr::new(
        ip,
        u16::from_be_bytes([p0, p1]) ^ mask.port(),
    ))
}

/// Writes the value into `out` and returns its length.
pub(crate) fn write(address: SocketAddr, mask: Mask, out: &mut [u8; MAX_LEN]) -> usize {
    let (head, body) = out.split_at_mut(4);
    let [p0, p1] = (address.port() ^ mask.port()).to_be_bytes();
    let mut put = |family, ip: &[u8]| {
        head.copy_from_slice(&[0, family, p0, p1]);
        body.iter_mut().zip(ip).for_each(|(to, from)| *to = *from);
        4 + ip.len()
    };
    match address.ip() {
        IpAddr::V4(ip) => put(FAMILY_IPV4, &mask.apply(ip.octets())),
        IpAddr::V6(ip) => put(FAMILY_IPV6, &mask.apply(ip.octets())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn round_trip(ip: IpAddr, port: u16, id: [u8; 12]) {
            let address = SocketAddr::new(ip, port);
            for mask in [Mask::NONE, Mask::new(TransactionId(id))] {
                let mut out = [0xa5; MAX_LEN];
                let len = write(address, mask, &mut out);
                prop_assert_eq!(parse(&out[..len], mask), Some(address));
                for short in 0..len {
                    prop_assert_eq!(parse(&out[..short], mask), None);
                }
            }
        }
    }

    #[test]
    fn unknown_families_are_none() {
        assert_eq!(parse(&[0, 3, 0, 1, 1, 2, 3, 4], Mask::NONE), None);
        assert_eq!(
            parse(&[0, 1, 0, 1, 1, 2, 3, 4, 5], Mask::NONE),
            None,
            "longer than its family"
        );
    }
}
