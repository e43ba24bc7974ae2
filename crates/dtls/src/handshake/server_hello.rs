//! ServerHello ([RFC 5246 §7.4.1.3](https://www.rfc-editor.org/rfc/rfc5246#section-7.4.1.3)).
//!
//! ```text
//!  0         2          34
//! +---------+----------+--------------+--------------+-------------+--------------+
//! | version |  random  | session id   | cipher suite | compression |  extensions  |
//! |    2    |    32    | 1 + 0..32    |      2       |      1      |  (2 + ..)    |
//! +---------+----------+--------------+--------------+-------------+--------------+
//! ```

use rtckit_proto::{CursorError, Reader, Writer};

use super::extension::Extensions;
use super::{Body, HandshakeType};
use crate::error::ParseError;

/// What the server chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerHello<'a> {
    pub(crate) version: u16,
    pub(crate) random: [u8; 32],
    pub(crate) session_id: &'a [u8],
    pub(crate) cipher_suite: u16,
    pub(crate) compression_method: u8,
    pub(crate) extensions: Extensions<'a>,
}

impl<'a> Body<'a> for ServerHello<'a> {
    const TYPE: HandshakeType = HandshakeType::SERVER_HELLO;

    fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        Ok(Self {
            version: reader.u16()?,
            random: reader.array()?,
            session_id: reader.vec8()?.rest(),
            cipher_suite: reader.u16()?,
            compression_method: reader.u8()?,
            extensions: Extensions::parse(&mut reader)?,
        })
    }

    fn encoded_len(&self) -> usize {
        2 + 32 + (1 + self.session_id.len()) + 2 + 1 + self.extensions.encoded_len()
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), CursorError> {
        writer.u16(self.version)?;
        writer.bytes(&self.random)?;
        writer.u8(self.session_id.len() as u8)?;
        writer.bytes(self.session_id)?;
        writer.u16(self.cipher_suite)?;
        writer.u8(self.compression_method)?;
        self.extensions.write(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::{assert_round_trip, unhex};
    use proptest::prelude::*;

    /// From a captured handshake.
    const VECTOR: &str = concat!(
        "fefdc3bc0dee269199ed2bca2abf77708a3b906a71bbbc8bbf3ad91bbcf43edb0aee209cf6121a21171c9f92e1",
        "4e5c131fa29bc73a78a987d27ec7f4294ebaaffcc163c02b000018ff01000100000b00020100000e0005000200",
        "080000170000",
    );

    #[test]
    fn vector() {
        let vector = unhex(VECTOR);
        assert_round_trip::<ServerHello<'_>>(&vector);
        let hello = ServerHello::parse(&vector).unwrap();
        assert_eq!(hello.cipher_suite, 0xc02b);
    }

    proptest! {
        /// One byte of the vector replaced, and some bytes cut off or added.
        #[test]
        fn what_parses_is_emitted_alike(at: prop::sample::Index, byte: u8, len: prop::sample::Index) {
            let mut bytes = unhex(VECTOR);
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.resize(bytes.len() + 2 - len.index(4).min(bytes.len()), 0);
            if let Ok(body) = ServerHello::parse(&bytes) {
                let mut buf = vec![0xa5; body.encoded_len()];
                body.write(&mut Writer::new(&mut buf)).unwrap();
                prop_assert_eq!(buf, bytes);
            }
        }
    }
}
