//! The 20 bytes every message starts with
//! ([RFC 8489 §5](https://www.rfc-editor.org/rfc/rfc8489#section-5)).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0 0|     STUN Message Type     |         Message Length        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                         Magic Cookie                          |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                     Transaction ID (96 bits)                  |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use core::fmt;

use rtckit_proto::Random;

/// The length of the header in bytes.
pub const HEADER_LEN: usize = 20;

/// The fixed value of the Magic Cookie field.
pub const MAGIC_COOKIE: u32 = 0x2112_a442;

/// Where the fields lie.
pub(crate) mod field {
    use core::ops::Range;

    pub(crate) const TYPE: Range<usize> = 0..2;
    pub(crate) const LENGTH: Range<usize> = 2..4;
    pub(crate) const COOKIE: Range<usize> = 4..8;
    pub(crate) const TRANSACTION_ID: Range<usize> = 8..20;
    /// A type and a length stand before the value of each attribute.
    pub(crate) const ATTRIBUTE_HEADER_LEN: usize = 4;
}

/// Whether a datagram is to be handed to STUN
/// ([RFC 7983 §7](https://www.rfc-editor.org/rfc/rfc7983#section-7): its first byte is 0 to 3), which the magic
/// cookie then confirms.
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.len() >= HEADER_LEN
        && datagram.first().is_some_and(|&first| first < 4)
        && datagram.get(field::COOKIE) == Some(&MAGIC_COOKIE.to_be_bytes())
}

/// What a message is in its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "two bits have four values")]
pub enum Class {
    /// Asks for a response.
    Request,
    /// Asks for nothing.
    Indication,
    /// The request was done.
    SuccessResponse,
    /// The request was refused; ERROR-CODE says why.
    ErrorResponse,
}

/// The primary function of a message: 12 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Method(u16);

impl Method {
    /// Binding, the only method of RFC 8489.
    pub const BINDING: Self = Self(0x001);
    /// Allocate of TURN ([RFC 8656 §17](https://www.rfc-editor.org/rfc/rfc8656#section-17)).
    pub const ALLOCATE: Self = Self(0x003);
    /// Refresh of TURN.
    pub const REFRESH: Self = Self(0x004);
    /// Send of TURN: an indication from the client.
    pub const SEND: Self = Self(0x006);
    /// Data of TURN: an indication from the server.
    pub const DATA: Self = Self(0x007);
    /// CreatePermission of TURN.
    pub const CREATE_PERMISSION: Self = Self(0x008);
    /// ChannelBind of TURN.
    pub const CHANNEL_BIND: Self = Self(0x009);
    /// Connect of TURN over TCP ([RFC 6062 §6.1](https://www.rfc-editor.org/rfc/rfc6062#section-6.1)).
    pub const CONNECT: Self = Self(0x00a);
    /// ConnectionBind of TURN over TCP.
    pub const CONNECTION_BIND: Self = Self(0x00b);
    /// ConnectionAttempt of TURN over TCP: an indication from the server.
    pub const CONNECTION_ATTEMPT: Self = Self(0x00c);
    /// libwebrtc's short connectivity check, which carries nothing but a cut MESSAGE-INTEGRITY and FINGERPRINT.
    pub const GOOG_PING: Self = Self(0x080);

    /// The method numbered `number`, of which the lower 12 bits count.
    pub const fn new(number: u16) -> Self {
        Self(number & 0x0fff)
    }

    /// Its number.
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// The Message Type field: method and class, whose bits are interleaved
/// ([RFC 8489 §5](https://www.rfc-editor.org/rfc/rfc8489#section-5)).
///
/// ```text
///   0                 1
///   2  3  4 5 6 7 8 9 0 1 2 3 4 5
/// +--+--+-+-+-+-+-+-+-+-+-+-+-+-+
/// |M |M |M|M|M|C|M|M|M|C|M|M|M|M|
/// |11|10|9|8|7|1|6|5|4|0|3|2|1|0|
/// +--+--+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
pub(crate) const fn encode_type(class: Class, method: Method) -> u16 {
    let class = match class {
        Class::Request => 0x0000,
        Class::Indication => 0x0010,
        Class::SuccessResponse => 0x0100,
        Class::ErrorResponse => 0x0110,
    };
    let method = method.number();
    (method & 0x000f) | (method & 0x0070) << 1 | (method & 0x0f80) << 2 | class
}

/// The inverse of [`encode_type`]; the two top bits are not looked at.
pub(crate) const fn decode_type(bits: u16) -> (Class, Method) {
    let class = match bits & 0x0110 {
        0x0000 => Class::Request,
        0x0010 => Class::Indication,
        0x0100 => Class::SuccessResponse,
        _ => Class::ErrorResponse,
    };
    let method = (bits & 0x000f) | (bits >> 1 & 0x0070) | (bits >> 2 & 0x0f80);
    (class, Method(method))
}

/// Ties a response to its request: 96 random bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(pub [u8; 12]);

impl TransactionId {
    /// A fresh one. `random` has to be cryptographically secure: whoever guesses the id can forge a response
    /// to an unauthenticated request.
    pub fn new(random: &mut (impl Random + ?Sized)) -> Self {
        let mut id = [0; 12];
        random.fill(&mut id);
        Self(id)
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_the_rfc() {
        assert_eq!(encode_type(Class::Request, Method::BINDING), 0x0001);
        assert_eq!(encode_type(Class::Indication, Method::BINDING), 0x0011);
        assert_eq!(encode_type(Class::SuccessResponse, Method::BINDING), 0x0101);
        assert_eq!(encode_type(Class::ErrorResponse, Method::BINDING), 0x0111);
    }

    #[test]
    fn every_type_survives_the_round_trip() {
        for bits in 0..0x4000 {
            let (class, method) = decode_type(bits);
            assert_eq!(encode_type(class, method), bits);
        }
    }

    #[test]
    fn demultiplexing_wants_first_byte_length_and_cookie() {
        let mut datagram = [0; 20];
        datagram[field::COOKIE].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
        assert!(is_stun(&datagram));
        assert!(!is_stun(&datagram[..19]));
        datagram[0] = 4;
        assert!(!is_stun(&datagram));
        datagram[0] = 3;
        assert!(is_stun(&datagram));
        datagram[7] ^= 1;
        assert!(!is_stun(&datagram));
        assert!(!is_stun(&[]));
    }
}
