//! Attribute values that are neither text, nor bytes, nor a plain number.

use crate::attribute::{AttributeType, ErrorCode};
use crate::error::Error;
use crate::writer::MessageWriter;

/// What an attribute of one type holds: read from a message and written into one alike.
pub(crate) trait Value<'a>: Sized {
    /// `None` when `value` is malformed.
    fn read(value: &'a [u8]) -> Option<Self>;
    fn write(self, attribute_type: AttributeType, to: &mut MessageWriter<'_>) -> Result<(), Error>;
}

impl<'a> Value<'a> for &'a str {
    fn read(value: &'a [u8]) -> Option<Self> {
        core::str::from_utf8(value).ok()
    }

    fn write(self, attribute_type: AttributeType, to: &mut MessageWriter<'_>) -> Result<(), Error> {
        to.attribute(attribute_type, self.as_bytes())
    }
}

impl<'a> Value<'a> for &'a [u8] {
    fn read(value: &'a [u8]) -> Option<Self> {
        Some(value)
    }

    fn write(self, attribute_type: AttributeType, to: &mut MessageWriter<'_>) -> Result<(), Error> {
        to.attribute(attribute_type, self)
    }
}

/// Values of a fixed length.
macro_rules! fixed {
    ($($name:ty: $len:literal, $read:expr, $write:expr;)*) => {$(
        impl Value<'_> for $name {
            fn read(value: &[u8]) -> Option<Self> {
                let read: fn([u8; $len]) -> Option<Self> = $read;
                read(value.try_into().ok()?)
            }

            fn write(
                self,
                attribute_type: AttributeType,
                to: &mut MessageWriter<'_>,
            ) -> Result<(), Error> {
                let write: fn(Self) -> [u8; $len] = $write;
                to.attribute(attribute_type, &write(self))
            }
        }
    )*};
}

fixed! {
    u32: 4, |value| Some(Self::from_be_bytes(value)), Self::to_be_bytes;
    u64: 8, |value| Some(Self::from_be_bytes(value)), Self::to_be_bytes;
    [u8; 32]: 32, Some, |value| value;
    [u8; 8]: 8, Some, |value| value;
    // a number of 16 bits and as many reserved ones: CHANNEL-NUMBER, RESPONSE-PORT
    u16: 4, |[high, low, _, _]| Some(Self::from_be_bytes([high, low])),
        |value| { let [high, low] = value.to_be_bytes(); [high, low, 0, 0] };
    // a number of 8 bits and 24 reserved ones: REQUESTED-TRANSPORT
    u8: 4, |[number, _, _, _]| Some(number), |number| [number, 0, 0, 0];
    AddressFamily: 4, |[number, _, _, _]| Self::from_number(number), |family| [family.number(), 0, 0, 0];
    ChangeRequest: 4, |[_, _, _, bits]| Some(Self { ip: bits & 4 != 0, port: bits & 2 != 0 }),
        |change| [0, 0, 0, u8::from(change.ip) << 2 | u8::from(change.port) << 1];
    EvenPort: 1, |[bits]| Some(Self { reserve_next: bits & 0x80 != 0 }),
        |even| [u8::from(even.reserve_next) << 7];
    NetworkInfo: 4, |[i0, i1, c0, c1]| Some(Self { id: u16::from_be_bytes([i0, i1]), cost: u16::from_be_bytes([c0, c1]) }),
        |info| { let ([i0, i1], [c0, c1]) = (info.id.to_be_bytes(), info.cost.to_be_bytes()); [i0, i1, c0, c1] };
    Icmp: 8, |[_, _, icmp_type, code, d0, d1, d2, d3]| Some(Self { icmp_type, code, data: u32::from_be_bytes([d0, d1, d2, d3]) }),
        |icmp| { let [d0, d1, d2, d3] = icmp.data.to_be_bytes(); [0, 0, icmp.icmp_type, icmp.code, d0, d1, d2, d3] };
}

/// The value of REQUESTED-ADDRESS-FAMILY and ADDITIONAL-ADDRESS-FAMILY
/// ([RFC 8656 §18.6](https://www.rfc-editor.org/rfc/rfc8656#section-18.6)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there are two, as of `IpAddr`")]
pub enum AddressFamily {
    /// 0x01.
    Ipv4,
    /// 0x02.
    Ipv6,
}

impl AddressFamily {
    /// The family of `ip`.
    pub const fn of(ip: core::net::IpAddr) -> Self {
        match ip {
            core::net::IpAddr::V4(_) => Self::Ipv4,
            core::net::IpAddr::V6(_) => Self::Ipv6,
        }
    }

    pub(crate) const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Ipv4),
            2 => Some(Self::Ipv6),
            _ => None,
        }
    }

    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Ipv4 => 1,
            Self::Ipv6 => 2,
        }
    }
}

/// CHANGE-REQUEST: from where the answer shall come
/// ([RFC 5780 §7.2](https://www.rfc-editor.org/rfc/rfc5780#section-7.2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "two bits")]
pub struct ChangeRequest {
    /// From the other address.
    pub ip: bool,
    /// From the other port.
    pub port: bool,
}

/// EVEN-PORT ([RFC 8656 §18.7](https://www.rfc-editor.org/rfc/rfc8656#section-18.7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "one bit")]
pub struct EvenPort {
    /// R: the next-higher port shall be kept aside for a second allocation.
    pub reserve_next: bool,
}

/// ICMP: what came back for a relayed datagram
/// ([RFC 8656 §18.13](https://www.rfc-editor.org/rfc/rfc8656#section-18.13)).
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Reserved                     |  ICMP Type    |  ICMP Code    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                          Error Data                           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the whole of the attribute")]
pub struct Icmp {
    /// Its type: of ICMP for IPv4 peers, of ICMPv6 for IPv6 ones.
    pub icmp_type: u8,
    /// Its code.
    pub code: u8,
    /// The next hop's MTU, when the packet was too big.
    pub data: u32,
}

/// GOOG-NETWORK-INFO, which libwebrtc adds to its connectivity checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the whole of the attribute")]
pub struct NetworkInfo {
    /// Which of the sender's networks.
    pub id: u16,
    /// What it costs: 0 for Ethernet, 10 for Wi-Fi, 50 for unknown, up to 999 for cellular.
    pub cost: u16,
}

/// ADDRESS-ERROR-CODE: why one of two families was not given
/// ([RFC 8656 §18.12](https://www.rfc-editor.org/rfc/rfc8656#section-18.12)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the whole of the attribute")]
pub struct AddressErrorCode<'a> {
    /// The family that was not given.
    pub family: AddressFamily,
    /// Why.
    pub error: ErrorCode<'a>,
}

impl<'a> Value<'a> for AddressErrorCode<'a> {
    fn read(value: &'a [u8]) -> Option<Self> {
        Some(Self {
            family: AddressFamily::from_number(*value.first()?)?,
            error: ErrorCode::parse(value)?,
        })
    }

    fn write(self, attribute_type: AttributeType, to: &mut MessageWriter<'_>) -> Result<(), Error> {
        to.error_value(attribute_type, self.family.number(), self.error)
    }
}

/// How a long-term password becomes a key
/// ([RFC 8489 §18.5](https://www.rfc-editor.org/rfc/rfc8489#section-18.5)).
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |          Algorithm           |  Algorithm Parameters Length   |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                    Algorithm Parameters (variable)
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PasswordAlgorithm {
    /// 0x0001, 16 bytes.
    Md5,
    /// 0x0002, 32 bytes.
    Sha256,
}

impl PasswordAlgorithm {
    /// Its number in the IANA registry.
    pub const fn number(self) -> u16 {
        match self {
            Self::Md5 => 1,
            Self::Sha256 => 2,
        }
    }

    /// The algorithm of that number that takes no parameters, if this crate knows it.
    const fn new(number: u16, parameters: &[u8]) -> Option<Self> {
        match number {
            1 if parameters.is_empty() => Some(Self::Md5),
            2 if parameters.is_empty() => Some(Self::Sha256),
            _ => None,
        }
    }

    /// As an entry of PASSWORD-ALGORITHMS.
    pub(crate) const fn entry(self) -> [u8; 4] {
        let [high, low] = self.number().to_be_bytes();
        [high, low, 0, 0]
    }
}

impl Value<'_> for PasswordAlgorithm {
    fn read(value: &[u8]) -> Option<Self> {
        let (number, parameters, rest) = algorithm_entry(value)?;
        Self::new(number, parameters).filter(|_| rest.is_empty())
    }

    fn write(self, attribute_type: AttributeType, to: &mut MessageWriter<'_>) -> Result<(), Error> {
        to.attribute(attribute_type, &self.entry())
    }
}

/// The first entry of a list of algorithms: number, parameters, and what follows it.
fn algorithm_entry(list: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (&[n0, n1, l0, l1], rest) = list.split_first_chunk::<4>()?;
    let len = usize::from(u16::from_be_bytes([l0, l1]));
    let parameters = rest.get(..len)?;
    let rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
    Some((u16::from_be_bytes([n0, n1]), parameters, rest))
}

/// The algorithms of a PASSWORD-ALGORITHMS value that this crate knows, in the server's order of preference.
pub(crate) fn password_algorithms(
    mut list: &[u8],
) -> impl Iterator<Item = PasswordAlgorithm> + use<'_> {
    core::iter::from_fn(move || {
        let (number, parameters, rest) = algorithm_entry(list)?;
        list = rest;
        Some(PasswordAlgorithm::new(number, parameters))
    })
    .flatten()
}
