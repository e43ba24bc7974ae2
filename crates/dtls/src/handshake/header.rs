//! The header of a handshake message's fragment
//! ([RFC 6347 §4.2.2](https://www.rfc-editor.org/rfc/rfc6347#section-4.2.2)).
//!
//! ```text
//!  0      1              4             6               9                12
//! +------+--------------+-------------+---------------+----------------+---------
//! | type | length of    | message     | offset of the | length of the  | bytes
//! |      | the message  | sequence    | fragment      | fragment       | ...
//! +------+--------------+-------------+---------------+----------------+---------
//! ```

use rtckit_proto::{CursorError, Reader, Writer};

use crate::error::ParseError;

/// Which message it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct HandshakeType(pub(crate) u8);

impl HandshakeType {
    pub(crate) const CLIENT_HELLO: Self = Self(1);
    pub(crate) const SERVER_HELLO: Self = Self(2);
    pub(crate) const HELLO_VERIFY_REQUEST: Self = Self(3);
    pub(crate) const CERTIFICATE: Self = Self(11);
    pub(crate) const SERVER_KEY_EXCHANGE: Self = Self(12);
    pub(crate) const CERTIFICATE_REQUEST: Self = Self(13);
    pub(crate) const SERVER_HELLO_DONE: Self = Self(14);
    pub(crate) const CERTIFICATE_VERIFY: Self = Self(15);
    pub(crate) const CLIENT_KEY_EXCHANGE: Self = Self(16);
    pub(crate) const FINISHED: Self = Self(20);
}

impl core::fmt::Debug for HandshakeType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match *self {
            Self::CLIENT_HELLO => "ClientHello",
            Self::SERVER_HELLO => "ServerHello",
            Self::HELLO_VERIFY_REQUEST => "HelloVerifyRequest",
            Self::CERTIFICATE => "Certificate",
            Self::SERVER_KEY_EXCHANGE => "ServerKeyExchange",
            Self::CERTIFICATE_REQUEST => "CertificateRequest",
            Self::SERVER_HELLO_DONE => "ServerHelloDone",
            Self::CERTIFICATE_VERIFY => "CertificateVerify",
            Self::CLIENT_KEY_EXCHANGE => "ClientKeyExchange",
            Self::FINISHED => "Finished",
            Self(other) => return write!(f, "message {other}"),
        })
    }
}

/// What stands in front of each fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FragmentHeader {
    pub(crate) message_type: HandshakeType,
    /// The length of the whole message, 24 bits.
    pub(crate) length: u32,
    pub(crate) message_seq: u16,
    pub(crate) fragment_offset: u32,
    pub(crate) fragment_length: u32,
}

impl FragmentHeader {
    pub(crate) const LEN: usize = 12;

    /// The header of a message that is one fragment.
    pub(crate) fn whole(message_type: HandshakeType, message_seq: u16, length: u32) -> Self {
        Self {
            message_type,
            length,
            message_seq,
            fragment_offset: 0,
            fragment_length: length,
        }
    }

    /// Reads a header and the fragment behind it, which lies inside its message.
    pub(crate) fn parse<'a>(reader: &mut Reader<'a>) -> Result<(Self, &'a [u8]), ParseError> {
        let position = reader.position();
        let header = Self {
            message_type: HandshakeType(reader.u8()?),
            length: reader.u24()?,
            message_seq: reader.u16()?,
            fragment_offset: reader.u24()?,
            fragment_length: reader.u24()?,
        };
        if header.fragment_offset + header.fragment_length > header.length {
            return Err(ParseError {
                position,
                expected: "a fragment inside its message",
            });
        }
        let fragment = reader.take(header.fragment_length as usize)?;
        Ok((header, fragment))
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) -> Result<(), CursorError> {
        writer.u8(self.message_type.0)?;
        writer.u24(self.length)?;
        writer.u16(self.message_seq)?;
        writer.u24(self.fragment_offset)?;
        writer.u24(self.fragment_length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn vector() {
        // the second fragment of a captured certificate, cut short
        let bytes = [11, 0, 1, 0x5f, 0, 1, 0, 0, 0x6e, 0, 0, 2, 0x32, 0x34];
        let mut reader = Reader::new(&bytes);
        let (header, fragment) = FragmentHeader::parse(&mut reader).unwrap();
        assert_eq!(header.message_type, HandshakeType::CERTIFICATE);
        assert_eq!((header.length, header.message_seq), (0x15f, 1));
        assert_eq!((header.fragment_offset, fragment), (0x6e, &bytes[12..]));
        let mut buf = [0xa5; FragmentHeader::LEN];
        header.write(&mut Writer::new(&mut buf)).unwrap();
        assert_eq!(buf, bytes[..12]);
        for len in 0..bytes.len() {
            assert!(FragmentHeader::parse(&mut Reader::new(&bytes[..len])).is_err());
        }
    }

    #[test]
    fn fragments_outside_their_message() {
        let bytes = [11, 0, 0, 2, 0, 1, 0, 0, 1, 0, 0, 2, 0, 0];
        assert!(FragmentHeader::parse(&mut Reader::new(&bytes)).is_err());
    }

    proptest! {
        #[test]
        fn round_trip(message_type: u8, message_seq: u16, fragment_offset in 0u32..1000, fragment_length in 0u32..50, more in 0u32..9) {
            let header = FragmentHeader {
                message_type: HandshakeType(message_type),
                length: fragment_offset + fragment_length + more,
                message_seq,
                fragment_offset,
                fragment_length,
            };
            let mut buf = [0xa5; 62];
            header.write(&mut Writer::new(&mut buf)).unwrap();
            let (parsed, fragment) = FragmentHeader::parse(&mut Reader::new(&buf)).unwrap();
            prop_assert_eq!(parsed, header);
            prop_assert_eq!(fragment.len(), fragment_length as usize);
        }
    }
}
