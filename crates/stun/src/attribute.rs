//! Attributes: their types, how they stand in a message, and the values that need decoding
//! ([RFC 8489 §14](https://www.rfc-editor.org/rfc/rfc8489#section-14),
//! [RFC 8445 §16.1](https://www.rfc-editor.org/rfc/rfc8445#section-16.1)).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |         Type                  |            Length             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                         Value (variable)                ....
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//! The value is padded to a multiple of 4 bytes; Length does not count the padding.

use core::fmt;

use crate::header::field::ATTRIBUTE_HEADER_LEN;
use crate::message::Message;

/// The type of an attribute.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributeType(pub u16);

macro_rules! attribute_types {
    ($($(#[$meta:meta])* $name:ident = $number:literal, $wire:literal;)*) => {
        impl AttributeType {
            $($(#[$meta])* pub const $name: Self = Self($number);)*

            /// The name in the IANA registry, if this crate knows it.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($wire),)*
                    _ => None,
                }
            }
        }
    };
}

attribute_types! {
    /// The reflexive transport address, in the clear.
    MAPPED_ADDRESS = 0x0001, "MAPPED-ADDRESS";
    /// `remote-ufrag:local-ufrag` in ICE; at most 508 bytes.
    USERNAME = 0x0006, "USERNAME";
    /// HMAC-SHA1 of everything before it.
    MESSAGE_INTEGRITY = 0x0008, "MESSAGE-INTEGRITY";
    /// Why a request was refused.
    ERROR_CODE = 0x0009, "ERROR-CODE";
    /// The comprehension-required attributes a 420 is about.
    UNKNOWN_ATTRIBUTES = 0x000a, "UNKNOWN-ATTRIBUTES";
    /// The realm of long-term credentials.
    REALM = 0x0014, "REALM";
    /// The nonce of long-term credentials.
    NONCE = 0x0015, "NONCE";
    /// HMAC-SHA256 of everything before it.
    MESSAGE_INTEGRITY_SHA256 = 0x001c, "MESSAGE-INTEGRITY-SHA256";
    /// The algorithm the client chose.
    PASSWORD_ALGORITHM = 0x001d, "PASSWORD-ALGORITHM";
    /// A hash that stands in for USERNAME.
    USERHASH = 0x001e, "USERHASH";
    /// The reflexive transport address, xored with the magic cookie and the transaction id.
    XOR_MAPPED_ADDRESS = 0x0020, "XOR-MAPPED-ADDRESS";
    /// ICE: the priority a peer-reflexive candidate learnt from this check would have.
    PRIORITY = 0x0024, "PRIORITY";
    /// ICE: the controlling agent nominates this pair.
    USE_CANDIDATE = 0x0025, "USE-CANDIDATE";
    /// The algorithms the server offers.
    PASSWORD_ALGORITHMS = 0x8002, "PASSWORD-ALGORITHMS";
    /// The domain of the alternate server.
    ALTERNATE_DOMAIN = 0x8003, "ALTERNATE-DOMAIN";
    /// The software that sends the message.
    SOFTWARE = 0x8022, "SOFTWARE";
    /// Another server to try.
    ALTERNATE_SERVER = 0x8023, "ALTERNATE-SERVER";
    /// CRC-32 of everything before it, xored.
    FINGERPRINT = 0x8028, "FINGERPRINT";
    /// ICE: the sender believes to be controlled; its tie-breaker.
    ICE_CONTROLLED = 0x8029, "ICE-CONTROLLED";
    /// ICE: the sender believes to be controlling; its tie-breaker.
    ICE_CONTROLLING = 0x802a, "ICE-CONTROLLING";
}

impl AttributeType {
    /// Whether a receiver that does not know it must refuse the message (types below 0x8000).
    pub const fn is_comprehension_required(self) -> bool {
        self.0 < 0x8000
    }
}

impl fmt::Debug for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#06x}", self.0),
        }
    }
}

/// One attribute of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its type.
    pub attribute_type: AttributeType,
    /// Its value, without padding.
    pub value: &'a [u8],
}

// Values hold names, nonces and addresses: only their length is printed.
impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({} bytes)", self.attribute_type, self.value.len())
    }
}

/// Reads the attribute at `offset`; returns it and where the next one starts. The padding of the last attribute
/// has to be there too.
pub(crate) fn attribute_at(bytes: &[u8], offset: usize) -> Option<(Attribute<'_>, usize)> {
    let rest = bytes.get(offset..)?;
    let (&[t0, t1, l0, l1], rest) = rest.split_first_chunk::<ATTRIBUTE_HEADER_LEN>()?;
    let len = usize::from(u16::from_be_bytes([l0, l1]));
    let padded = len.next_multiple_of(4);
    if rest.len() < padded {
        return None;
    }
    let attribute = Attribute {
        attribute_type: AttributeType(u16::from_be_bytes([t0, t1])),
        value: rest.get(..len)?,
    };
    Some((attribute, offset + ATTRIBUTE_HEADER_LEN + padded))
}

/// The attributes of a message, in order, without those that a receiver has to ignore: whatever follows
/// MESSAGE-INTEGRITY, but for MESSAGE-INTEGRITY-SHA256 and FINGERPRINT
/// ([RFC 8489 §14.5](https://www.rfc-editor.org/rfc/rfc8489#section-14.5)).
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    pub(crate) message: Message<'a>,
    pub(crate) offset: usize,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        loop {
            let offset = self.offset;
            let (attribute, next) = attribute_at(self.message.as_bytes(), offset)?;
            self.offset = next;
            if self.message.is_covered(offset) {
                return Some(attribute);
            }
        }
    }
}

/// ERROR-CODE: why a request was refused
/// ([RFC 8489 §14.8](https://www.rfc-editor.org/rfc/rfc8489#section-14.8)).
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |           Reserved, should be 0         |Class|     Number    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |      Reason Phrase (variable)                                ..
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode<'a> {
    /// 300 to 699.
    pub code: u16,
    /// For people; never to be acted upon. Empty when it is not UTF-8.
    pub reason: &'a str,
}

impl ErrorCode<'static> {
    /// 300: try the server ALTERNATE-SERVER names.
    pub const TRY_ALTERNATE: Self = Self::new(300, "Try Alternate");
    /// 400: the request was malformed.
    pub const BAD_REQUEST: Self = Self::new(400, "Bad Request");
    /// 401: the credentials were missing or wrong.
    pub const UNAUTHENTICATED: Self = Self::new(401, "Unauthenticated");
    /// 420: UNKNOWN-ATTRIBUTES lists what was not understood.
    pub const UNKNOWN_ATTRIBUTE: Self = Self::new(420, "Unknown Attribute");
    /// 438: the nonce is no longer valid.
    pub const STALE_NONCE: Self = Self::new(438, "Stale Nonce");
    /// 487: both ICE agents claim the same role.
    pub const ROLE_CONFLICT: Self = Self::new(487, "Role Conflict");
    /// 500: the server failed for now.
    pub const SERVER_ERROR: Self = Self::new(500, "Server Error");
}

impl<'a> ErrorCode<'a> {
    /// An error of the given code and reason phrase.
    pub const fn new(code: u16, reason: &'a str) -> Self {
        Self { code, reason }
    }

    pub(crate) fn parse(value: &'a [u8]) -> Option<Self> {
        let (&[_, _, class, number], reason) = value.split_first_chunk::<4>()?;
        let class = u16::from(class & 7);
        if !(3..=6).contains(&class) || number > 99 {
            return None;
        }
        Some(Self {
            code: class * 100 + u16::from(number),
            reason: core::str::from_utf8(reason).unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_outside_their_range_are_none() {
        assert_eq!(
            ErrorCode::parse(&[0, 0, 4, 87, b'x']),
            Some(ErrorCode::new(487, "x"))
        );
        assert_eq!(
            ErrorCode::parse(&[0, 0, 0xfc, 20]),
            Some(ErrorCode::new(420, "")),
            "reserved bits are ignored"
        );
        for value in [
            &[0, 0, 2, 0][..],
            &[0, 0, 7, 0],
            &[0, 0, 4, 100],
            &[0, 0, 4],
            &[],
        ] {
            assert_eq!(ErrorCode::parse(value), None);
        }
        assert_eq!(
            ErrorCode::parse(&[0, 0, 4, 0, 0xff]),
            Some(ErrorCode::new(400, ""))
        );
    }

    #[test]
    fn names() {
        extern crate std;
        assert_eq!(
            std::format!("{:?} {:?}", AttributeType::PRIORITY, AttributeType(0xc057)),
            "PRIORITY 0xc057"
        );
        assert!(AttributeType(0x7fff).is_comprehension_required());
        assert!(!AttributeType(0x8000).is_comprehension_required());
    }
}
