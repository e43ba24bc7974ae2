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
    /// RFC 3489: where the answer was to go. Nobody may ask for it any more, as it sends packets to strangers.
    RESPONSE_ADDRESS = 0x0002, "RESPONSE-ADDRESS";
    /// RFC 5780: answer from another address or port.
    CHANGE_REQUEST = 0x0003, "CHANGE-REQUEST";
    /// RFC 3489: where the answer came from.
    SOURCE_ADDRESS = 0x0004, "SOURCE-ADDRESS";
    /// RFC 3489: the server's other address and port.
    CHANGED_ADDRESS = 0x0005, "CHANGED-ADDRESS";
    /// `remote-ufrag:local-ufrag` in ICE; at most 508 bytes.
    USERNAME = 0x0006, "USERNAME";
    /// HMAC-SHA1 of everything before it.
    MESSAGE_INTEGRITY = 0x0008, "MESSAGE-INTEGRITY";
    /// Why a request was refused.
    ERROR_CODE = 0x0009, "ERROR-CODE";
    /// The comprehension-required attributes a 420 is about.
    UNKNOWN_ATTRIBUTES = 0x000a, "UNKNOWN-ATTRIBUTES";
    /// TURN: the number of a channel.
    CHANNEL_NUMBER = 0x000c, "CHANNEL-NUMBER";
    /// TURN: how many seconds an allocation lives.
    LIFETIME = 0x000d, "LIFETIME";
    /// TURN: a peer's address, xored.
    XOR_PEER_ADDRESS = 0x0012, "XOR-PEER-ADDRESS";
    /// TURN: what was received or is to be sent.
    DATA = 0x0013, "DATA";
    /// The realm of long-term credentials.
    REALM = 0x0014, "REALM";
    /// The nonce of long-term credentials.
    NONCE = 0x0015, "NONCE";
    /// TURN: the address an allocation sends from, xored.
    XOR_RELAYED_ADDRESS = 0x0016, "XOR-RELAYED-ADDRESS";
    /// TURN: the family of the relayed address.
    REQUESTED_ADDRESS_FAMILY = 0x0017, "REQUESTED-ADDRESS-FAMILY";
    /// TURN: the relayed port shall be even.
    EVEN_PORT = 0x0018, "EVEN-PORT";
    /// TURN: how the relayed address talks to peers.
    REQUESTED_TRANSPORT = 0x0019, "REQUESTED-TRANSPORT";
    /// TURN: the relayed datagram shall not be fragmented.
    DONT_FRAGMENT = 0x001a, "DONT-FRAGMENT";
    /// RFC 7635: the token an authorization server gave.
    ACCESS_TOKEN = 0x001b, "ACCESS-TOKEN";
    /// HMAC-SHA256 of everything before it.
    MESSAGE_INTEGRITY_SHA256 = 0x001c, "MESSAGE-INTEGRITY-SHA256";
    /// The algorithm the client chose.
    PASSWORD_ALGORITHM = 0x001d, "PASSWORD-ALGORITHM";
    /// A hash that stands in for USERNAME.
    USERHASH = 0x001e, "USERHASH";
    /// The reflexive transport address, xored with the magic cookie and the transaction id.
    XOR_MAPPED_ADDRESS = 0x0020, "XOR-MAPPED-ADDRESS";
    /// TURN: the port that was kept aside.
    RESERVATION_TOKEN = 0x0022, "RESERVATION-TOKEN";
    /// ICE: the priority a peer-reflexive candidate learnt from this check would have.
    PRIORITY = 0x0024, "PRIORITY";
    /// ICE: the controlling agent nominates this pair.
    USE_CANDIDATE = 0x0025, "USE-CANDIDATE";
    /// RFC 5780: bytes that only make the message long.
    PADDING = 0x0026, "PADDING";
    /// RFC 5780: answer to another port.
    RESPONSE_PORT = 0x0027, "RESPONSE-PORT";
    /// RFC 6062: one TCP connection with a peer.
    CONNECTION_ID = 0x002a, "CONNECTION-ID";
    /// TURN: a second family, for an allocation with both.
    ADDITIONAL_ADDRESS_FAMILY = 0x8000, "ADDITIONAL-ADDRESS-FAMILY";
    /// TURN: why the second family was not given.
    ADDRESS_ERROR_CODE = 0x8001, "ADDRESS-ERROR-CODE";
    /// The algorithms the server offers.
    PASSWORD_ALGORITHMS = 0x8002, "PASSWORD-ALGORITHMS";
    /// The domain of the alternate server.
    ALTERNATE_DOMAIN = 0x8003, "ALTERNATE-DOMAIN";
    /// TURN: an ICMP message that came for the relayed address.
    ICMP = 0x8004, "ICMP";
    /// RFC 3489's XOR-MAPPED-ADDRESS under the number old servers used for it.
    OLD_XOR_MAPPED_ADDRESS = 0x8020, "XOR-MAPPED-ADDRESS";
    /// The software that sends the message.
    SOFTWARE = 0x8022, "SOFTWARE";
    /// Another server to try.
    ALTERNATE_SERVER = 0x8023, "ALTERNATE-SERVER";
    /// RFC 7982: how often the request and its response have been sent.
    TRANSACTION_TRANSMIT_COUNTER = 0x8025, "TRANSACTION_TRANSMIT_COUNTER";
    /// CRC-32 of everything before it, xored.
    FINGERPRINT = 0x8028, "FINGERPRINT";
    /// ICE: the sender believes to be controlled; its tie-breaker.
    ICE_CONTROLLED = 0x8029, "ICE-CONTROLLED";
    /// ICE: the sender believes to be controlling; its tie-breaker.
    ICE_CONTROLLING = 0x802a, "ICE-CONTROLLING";
    /// RFC 5780: the address the response was sent from.
    RESPONSE_ORIGIN = 0x802b, "RESPONSE-ORIGIN";
    /// RFC 5780: the server's other address and port.
    OTHER_ADDRESS = 0x802c, "OTHER-ADDRESS";
    /// RFC 7635: the server takes access tokens; its name.
    THIRD_PARTY_AUTHORIZATION = 0x802e, "THIRD-PARTY-AUTHORIZATION";
    /// RFC 8016: keeps an allocation when the client's address changes.
    MOBILITY_TICKET = 0x8030, "MOBILITY-TICKET";
    /// libwebrtc: the kind and cost of the sender's network.
    GOOG_NETWORK_INFO = 0xc057, "GOOG-NETWORK-INFO";
    /// libwebrtc: which request the sender saw last.
    GOOG_LAST_ICE_CHECK_RECEIVED = 0xc058, "GOOG-LAST-ICE-CHECK-RECEIVED";
    /// libwebrtc: which extensions, GOOG-PING among them, the sender knows.
    GOOG_MISC_INFO = 0xc059, "GOOG-MISC-INFO";
    /// libwebrtc: 0, kept for old software.
    GOOG_OBSOLETE_1 = 0xc05a, "GOOG-OBSOLETE-1";
    /// libwebrtc: the id of the connection, for logs.
    GOOG_CONNECTION_ID = 0xc05b, "GOOG-CONNECTION-ID";
    /// libwebrtc: the change of a candidate pair.
    GOOG_DELTA = 0xc05c, "GOOG-DELTA";
    /// libwebrtc: acknowledges GOOG-DELTA.
    GOOG_DELTA_ACK = 0xc05d, "GOOG-DELTA-ACK";
    /// libwebrtc: the delta-based synchronisation request.
    GOOG_DELTA_SYNC_REQ = 0xc05e, "GOOG-DELTA-SYNC-REQ";
    /// libwebrtc: the first 4 bytes of HMAC-SHA1, in GOOG-PING alone.
    GOOG_MESSAGE_INTEGRITY_32 = 0xc060, "GOOG-MESSAGE-INTEGRITY-32";
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
    /// The number alone, where every byte counts: people can look it up.
    #[must_use]
    pub const fn without_reason(self) -> Self {
        Self { reason: "", ..self }
    }

    /// 300: try the server ALTERNATE-SERVER names.
    pub const TRY_ALTERNATE: Self = Self::new(300, "Try Alternate");
    /// 400: the request was malformed.
    pub const BAD_REQUEST: Self = Self::new(400, "Bad Request");
    /// 401: the credentials were missing or wrong.
    pub const UNAUTHENTICATED: Self = Self::new(401, "Unauthenticated");
    /// 403: valid, but not allowed by policy (TURN).
    pub const FORBIDDEN: Self = Self::new(403, "Forbidden");
    /// 405: mobility is switched off (RFC 8016).
    pub const MOBILITY_FORBIDDEN: Self = Self::new(405, "Mobility Forbidden");
    /// 420: UNKNOWN-ATTRIBUTES lists what was not understood.
    pub const UNKNOWN_ATTRIBUTE: Self = Self::new(420, "Unknown Attribute");
    /// 437: there is no allocation, or there is one already (TURN).
    pub const ALLOCATION_MISMATCH: Self = Self::new(437, "Allocation Mismatch");
    /// 438: the nonce is no longer valid.
    pub const STALE_NONCE: Self = Self::new(438, "Stale Nonce");
    /// 440: the server has no address of that family (TURN).
    pub const ADDRESS_FAMILY_NOT_SUPPORTED: Self = Self::new(440, "Address Family not Supported");
    /// 441: the allocation belongs to another user (TURN).
    pub const WRONG_CREDENTIALS: Self = Self::new(441, "Wrong Credentials");
    /// 442: the server does not relay that transport (TURN).
    pub const UNSUPPORTED_TRANSPORT: Self = Self::new(442, "Unsupported Transport Protocol");
    /// 443: the peer is of another family than the relayed address (TURN).
    pub const PEER_ADDRESS_FAMILY_MISMATCH: Self = Self::new(443, "Peer Address Family Mismatch");
    /// 446: there is a connection with that peer (RFC 6062).
    pub const CONNECTION_ALREADY_EXISTS: Self = Self::new(446, "Connection Already Exists");
    /// 447: the peer did not answer (RFC 6062).
    pub const CONNECTION_TIMEOUT_OR_FAILURE: Self = Self::new(447, "Connection Timeout or Failure");
    /// 486: the user has too many allocations (TURN).
    pub const ALLOCATION_QUOTA_REACHED: Self = Self::new(486, "Allocation Quota Reached");
    /// 487: both ICE agents claim the same role.
    pub const ROLE_CONFLICT: Self = Self::new(487, "Role Conflict");
    /// 500: the server failed for now.
    pub const SERVER_ERROR: Self = Self::new(500, "Server Error");
    /// 508: the server has no port or memory left (TURN).
    pub const INSUFFICIENT_CAPACITY: Self = Self::new(508, "Insufficient Capacity");
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
            std::format!("{:?} {:?}", AttributeType::PRIORITY, AttributeType(0xc0aa)),
            "PRIORITY 0xc0aa"
        );
        assert!(AttributeType(0x7fff).is_comprehension_required());
        assert!(!AttributeType(0x8000).is_comprehension_required());
    }
}
