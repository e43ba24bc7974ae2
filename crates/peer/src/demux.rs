//! Telling apart the protocols that share one port.
//!
//! ```text
//!                  +----------------+
//!                  |        [0..3] -+--> STUN
//!                  |                |
//!     packet -->   |      [20..63] -+--> DTLS
//!                  |                |
//!                  |    [128..191] -+--> RTP or RTCP
//!                  +----------------+
//! ```
//! The picture is [RFC 7983 §7](https://www.rfc-editor.org/rfc/rfc7983#section-7)'s, as far as this crate goes; RTP and
//! RTCP are told apart by the second byte ([RFC 5761 §4](https://www.rfc-editor.org/rfc/rfc5761#section-4)).

/// What a datagram looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Stun,
    Dtls,
    Rtp,
    Rtcp,
}

/// The protocol of `datagram` by its first bytes; `None` when it is none of ours.
pub(crate) fn protocol(datagram: &[u8]) -> Option<Protocol> {
    match *datagram {
        [0..=3, ..] => Some(Protocol::Stun),
        [20..=63, ..] => Some(Protocol::Dtls),
        [128..=191, 192..=223, ..] => Some(Protocol::Rtcp),
        [128..=191, _, ..] => Some(Protocol::Rtp),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_as_the_rfcs_divide_them() {
        let expected = |first: u8, second: u8| match (first, second) {
            (0..=3, _) => Some(Protocol::Stun),
            (20..=63, _) => Some(Protocol::Dtls),
            (128..=191, 192..=223) => Some(Protocol::Rtcp),
            (128..=191, _) => Some(Protocol::Rtp),
            _ => None,
        };
        for first in 0..=255 {
            for second in [0, 96, 111, 127, 191, 192, 200, 206, 223, 224, 255] {
                assert_eq!(
                    protocol(&[first, second, 0, 0]),
                    expected(first, second),
                    "{first} {second}"
                );
            }
        }
        assert_eq!(protocol(&[]), None);
        assert_eq!(protocol(&[128]), None, "a byte alone is no RTP packet");
    }
}
