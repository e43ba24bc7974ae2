//! ClientKeyExchange for ECDHE ([RFC 8422 §5.7](https://www.rfc-editor.org/rfc/rfc8422#section-5.7)).
//!
//! ```text
//! +------------+
//! |   point    |
//! | 1 + 1..255 |
//! +------------+
//! ```

use rtckit_proto::{CursorError, Reader, Writer};

use super::{Body, HandshakeType};
use crate::error::ParseError;

/// The client's half of the key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientKeyExchange<'a> {
    /// 255 bytes at most.
    pub(crate) public_key: &'a [u8],
}

impl<'a> Body<'a> for ClientKeyExchange<'a> {
    const TYPE: HandshakeType = HandshakeType::CLIENT_KEY_EXCHANGE;

    fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let public_key = reader.vec8()?.rest();
        reader.finish()?;
        Ok(Self { public_key })
    }

    fn encoded_len(&self) -> usize {
        1 + self.public_key.len()
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), CursorError> {
        writer.u8(self.public_key.len() as u8)?;
        writer.bytes(self.public_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::{assert_round_trip, unhex};
    use proptest::prelude::*;

    /// From a captured handshake.
    const VECTOR: &str = "200a915e60299c861ef68c441112a18b396e825e1453196124c1989da69d714829";

    #[test]
    fn vector() {
        let vector = unhex(VECTOR);
        assert_round_trip::<ClientKeyExchange<'_>>(&vector);
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
            if let Ok(body) = ClientKeyExchange::parse(&bytes) {
                let mut buf = vec![0xa5; body.encoded_len()];
                body.write(&mut Writer::new(&mut buf)).unwrap();
                prop_assert_eq!(buf, bytes);
            }
        }
    }
}
