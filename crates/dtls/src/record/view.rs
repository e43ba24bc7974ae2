//! The record header ([RFC 6347 §4.1](https://www.rfc-editor.org/rfc/rfc6347#section-4.1)).
//!
//! ```text
//!  0      1              3              5                    11             13
//! +------+--------------+--------------+--------------------+--------------+-------------
//! | type |   version    |    epoch     |  sequence number   |    length    | fragment ...
//! +------+--------------+--------------+--------------------+--------------+-------------
//!
//!  fragment of a protected record (AES-GCM, RFC 5288 §3):
//! +-----------------------+----------------------+--------------+
//! | explicit nonce (8)    | ciphertext           | tag (16)     |
//! +-----------------------+----------------------+--------------+
//! ```

use rtckit_proto::{CursorError, Reader, Writer};

use crate::error::ParseError;

/// Wire versions: they count down from 0xfeff.
pub(crate) mod version {
    /// DTLS 1.0; also what a first ClientHello's record says, for old middleboxes' sake.
    pub(crate) const DTLS_1_0: u16 = 0xfeff;
    /// DTLS 1.2.
    pub(crate) const DTLS_1_2: u16 = 0xfefd;
    /// The first byte of both.
    pub(super) const MAJOR: u16 = 0xfe;
}

/// The longest plaintext of a record ([RFC 5246 §6.2.1](https://www.rfc-editor.org/rfc/rfc5246#section-6.2.1)).
pub(crate) const MAX_FRAGMENT_LEN: usize = 1 << 14;

/// What a record carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ContentType(pub(crate) u8);

impl ContentType {
    pub(crate) const CHANGE_CIPHER_SPEC: Self = Self(20);
    pub(crate) const ALERT: Self = Self(21);
    pub(crate) const HANDSHAKE: Self = Self(22);
    pub(crate) const APPLICATION_DATA: Self = Self(23);
}

/// The 13 bytes in front of every fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) content_type: ContentType,
    pub(crate) version: u16,
    pub(crate) epoch: u16,
    /// 48 bits.
    pub(crate) sequence: u64,
    /// The length of the fragment in bytes.
    pub(crate) length: u16,
}

impl RecordHeader {
    pub(crate) const LEN: usize = 13;

    /// Reads the header of the record at the start of `bytes`, and checks that the fragment is all there.
    /// DTLS 1.3's unified header and other protocols' packets are not records.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let content_type = ContentType(reader.u8()?);
        if !(20..=23).contains(&content_type.0) {
            return Err(ParseError {
                position: 0,
                expected: "a content type",
            });
        }
        let version = reader.u16()?;
        if version >> 8 != version::MAJOR {
            return Err(ParseError {
                position: 1,
                expected: "a version of DTLS",
            });
        }
        let header = Self {
            content_type,
            version,
            epoch: reader.u16()?,
            sequence: reader.u48()?,
            length: reader.u16()?,
        };
        reader.take(header.length.into())?;
        Ok(header)
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) -> Result<(), CursorError> {
        writer.u8(self.content_type.0)?;
        writer.u16(self.version)?;
        writer.u16(self.epoch)?;
        writer.u48(self.sequence)?;
        writer.u16(self.length)
    }

    /// Epoch and sequence number as one 64-bit number: the explicit nonce, and the start of what is authenticated.
    pub(crate) fn number(&self) -> [u8; 8] {
        (u64::from(self.epoch) << 48 | self.sequence).to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The start of a captured ClientHello.
    const VECTOR: [u8; 17] = [
        0x16, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0x01, 0, 0, 0x90,
    ];

    #[test]
    fn vector() {
        let header = RecordHeader::parse(&VECTOR).unwrap();
        let expected = RecordHeader {
            content_type: ContentType::HANDSHAKE,
            version: version::DTLS_1_0,
            epoch: 0,
            sequence: 1,
            length: 4,
        };
        assert_eq!(header, expected);
        let mut buf = [0xa5; RecordHeader::LEN];
        header.write(&mut Writer::new(&mut buf)).unwrap();
        assert_eq!(buf, VECTOR[..RecordHeader::LEN]);
        for len in 0..VECTOR.len() {
            assert!(RecordHeader::parse(&VECTOR[..len]).is_err());
        }
    }

    #[test]
    fn what_is_no_record() {
        let mut stun = VECTOR;
        stun[0] = 0;
        assert_eq!(RecordHeader::parse(&stun).unwrap_err().position, 0);
        let mut tls = VECTOR;
        tls[1] = 3;
        assert_eq!(RecordHeader::parse(&tls).unwrap_err().position, 1);
    }

    proptest! {
        #[test]
        fn round_trip(content_type in 20u8..24, minor: u8, epoch: u16, sequence in 0u64..1 << 48, length in 0u16..64) {
            let header = RecordHeader {
                content_type: ContentType(content_type),
                version: 0xfe00 | u16::from(minor),
                epoch,
                sequence,
                length,
            };
            let mut buf = [0xa5; 80];
            header.write(&mut Writer::new(&mut buf)).unwrap();
            prop_assert_eq!(RecordHeader::parse(&buf), Ok(header));
        }
    }
}
