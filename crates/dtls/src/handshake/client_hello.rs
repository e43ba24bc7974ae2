//! ClientHello ([RFC 6347 §4.2.1](https://www.rfc-editor.org/rfc/rfc6347#section-4.2.1)).
//!
//! ```text
//!  0         2          34
//! +---------+----------+--------------+-----------+-----------------+---------------+--------------+
//! | version |  random  | session id   |  cookie   |  cipher suites  |  compression  |  extensions  |
//! |    2    |    32    | 1 + 0..32    | 1 + 0..255|  2 + 2..        |  1 + 1..      |  (2 + ..)    |
//! +---------+----------+--------------+-----------+-----------------+---------------+--------------+
//! ```

use rtckit_proto::{CursorError, Reader, Writer};

use super::U16List;
use super::extension::Extensions;
use super::{Body, HandshakeType};
use crate::error::ParseError;

/// What the client offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientHello<'a> {
    pub(crate) version: u16,
    pub(crate) random: [u8; 32],
    pub(crate) session_id: &'a [u8],
    pub(crate) cookie: &'a [u8],
    pub(crate) cipher_suites: U16List<'a>,
    pub(crate) compression_methods: &'a [u8],
    pub(crate) extensions: Extensions<'a>,
}

impl<'a> Body<'a> for ClientHello<'a> {
    const TYPE: HandshakeType = HandshakeType::CLIENT_HELLO;

    fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        Ok(Self {
            version: reader.u16()?,
            random: reader.array()?,
            session_id: reader.vec8()?.rest(),
            cookie: reader.vec8()?.rest(),
            cipher_suites: U16List::parse(reader.vec16()?)?,
            compression_methods: reader.vec8()?.rest(),
            extensions: Extensions::parse(&mut reader)?,
        })
    }

    fn encoded_len(&self) -> usize {
        2 + 32
            + (1 + self.session_id.len())
            + (1 + self.cookie.len())
            + (2 + self.cipher_suites.as_bytes().len())
            + (1 + self.compression_methods.len())
            + self.extensions.encoded_len()
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), CursorError> {
        writer.u16(self.version)?;
        writer.bytes(&self.random)?;
        writer.u8(self.session_id.len() as u8)?;
        writer.bytes(self.session_id)?;
        writer.u8(self.cookie.len() as u8)?;
        writer.bytes(self.cookie)?;
        writer.u16(self.cipher_suites.as_bytes().len() as u16)?;
        writer.bytes(self.cipher_suites.as_bytes())?;
        writer.u8(self.compression_methods.len() as u8)?;
        writer.bytes(self.compression_methods)?;
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
        "fefd0687fcf26fb27bb9f77fabe3e6ee87c7cd4309857498a57015aa7701bc1ec2a000000008c02bcca9c009c0",
        "0a0100005eff01000100000b00020100000a000c000a001d0017001e00180019000e0009000600080007000100",
        "0016000000170000000d002a0028040305030603080708080809080a080b080408050806040105010601030303",
        "010302040205020602",
    );

    #[test]
    fn vector() {
        let vector = unhex(VECTOR);
        assert_round_trip::<ClientHello<'_>>(&vector);
        let hello = ClientHello::parse(&vector).unwrap();
        assert!(hello.cipher_suites.contains(0xc02b));
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
            if let Ok(body) = ClientHello::parse(&bytes) {
                let mut buf = vec![0xa5; body.encoded_len()];
                body.write(&mut Writer::new(&mut buf)).unwrap();
                prop_assert_eq!(buf, bytes);
            }
        }
    }
}
