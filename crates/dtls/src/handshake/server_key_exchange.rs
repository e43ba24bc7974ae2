//! ServerKeyExchange for ECDHE ([RFC 8422 §5.4](https://www.rfc-editor.org/rfc/rfc8422#section-5.4)).
//!
//! ```text
//!  0      1         3                    
//! +------+---------+------------+--------+------------+
//! |  3   |  group  |   point    | scheme | signature  |   The signature covers both
//! | named|         | 1 + 1..255 |        | 2 + ..     |   randoms and what stands
//! +------+---------+------------+--------+------------+   before the scheme.
//! |<------- params ------------>|
//! ```

use arrayvec::ArrayVec;
use rtckit_crypto::provider::{NamedGroup, SignatureScheme};
use rtckit_proto::{CursorError, Reader, Writer};

use super::{Body, HandshakeType};
use crate::error::ParseError;

/// "The curve has a name": the only kind that is not deprecated.
const NAMED_CURVE: u8 = 3;

/// The server's half of the key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EcdheParams<'a> {
    pub(crate) group: NamedGroup,
    /// 255 bytes at most.
    pub(crate) public_key: &'a [u8],
}

impl<'a> EcdheParams<'a> {
    fn parse(reader: &mut Reader<'a>) -> Result<Self, ParseError> {
        if reader.u8()? != NAMED_CURVE {
            return Err(ParseError {
                position: 0,
                expected: "a named curve",
            });
        }
        Ok(Self {
            group: NamedGroup(reader.u16()?),
            public_key: reader.vec8()?.rest(),
        })
    }

    fn encoded_len(&self) -> usize {
        4 + self.public_key.len()
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), CursorError> {
        writer.u8(NAMED_CURVE)?;
        writer.u16(self.group.0)?;
        writer.u8(self.public_key.len() as u8)?;
        writer.bytes(self.public_key)
    }

    /// What the server signs: both randoms, then the parameters.
    pub(crate) fn signed_content(&self, randoms: &[u8; 64]) -> ArrayVec<u8, { 64 + 4 + 255 }> {
        let mut content = ArrayVec::from([0; 64 + 4 + 255]);
        let mut writer = Writer::new(&mut content);
        let written = writer
            .bytes(randoms)
            .and_then(|()| self.write(&mut writer))
            .map_or(0, |()| writer.len());
        content.truncate(written);
        content
    }
}

/// The server's half of the key exchange, signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerKeyExchange<'a> {
    pub(crate) params: EcdheParams<'a>,
    pub(crate) scheme: SignatureScheme,
    pub(crate) signature: &'a [u8],
}

impl<'a> Body<'a> for ServerKeyExchange<'a> {
    const TYPE: HandshakeType = HandshakeType::SERVER_KEY_EXCHANGE;

    fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let message = Self {
            params: EcdheParams::parse(&mut reader)?,
            scheme: SignatureScheme(reader.u16()?),
            signature: reader.vec16()?.rest(),
        };
        reader.finish()?;
        Ok(message)
    }

    fn encoded_len(&self) -> usize {
        self.params.encoded_len() + 2 + 2 + self.signature.len()
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), CursorError> {
        self.params.write(writer)?;
        writer.u16(self.scheme.0)?;
        writer.u16(self.signature.len() as u16)?;
        writer.bytes(self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::{assert_round_trip, unhex};
    use proptest::prelude::*;

    /// From a captured handshake.
    const VECTOR: &str = concat!(
        "03001d20d1618061fb7bc746841a8804b72567f293462ac59ff3a981a7382ad85ff91d7604030047304502205e",
        "2f4ce61ab23a97992bb2fb4b0fdc11e51091b95130421bd4610e25852b0969022100c3afd295c68f2ef9386417",
        "8401cc66c1853ecdc63e166ef9a142bf06c90739be",
    );

    #[test]
    fn vector() {
        let vector = unhex(VECTOR);
        assert_round_trip::<ServerKeyExchange<'_>>(&vector);
        let message = ServerKeyExchange::parse(&vector).unwrap();
        assert_eq!(message.params.group, NamedGroup::X25519);
        assert_eq!(message.params.signed_content(&[0; 64]).len(), 64 + 36);
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
            if let Ok(body) = ServerKeyExchange::parse(&bytes) {
                let mut buf = vec![0xa5; body.encoded_len()];
                body.write(&mut Writer::new(&mut buf)).unwrap();
                prop_assert_eq!(buf, bytes);
            }
        }
    }
}
