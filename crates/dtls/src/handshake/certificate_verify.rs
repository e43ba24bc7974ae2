//! CertificateVerify ([RFC 5246 §7.4.8](https://www.rfc-editor.org/rfc/rfc5246#section-7.4.8)).
//!
//! ```text
//!  0        2
//! +--------+-----------+
//! | scheme | signature |   over all handshake messages so far
//! |   2    |  2 + ..   |
//! +--------+-----------+
//! ```

use rtckit_crypto::provider::SignatureScheme;
use rtckit_proto::{CursorError, Reader, Writer};

use super::{Body, HandshakeType};
use crate::error::ParseError;

/// The proof that the client owns the key of its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CertificateVerify<'a> {
    pub(crate) scheme: SignatureScheme,
    pub(crate) signature: &'a [u8],
}

impl<'a> Body<'a> for CertificateVerify<'a> {
    const TYPE: HandshakeType = HandshakeType::CERTIFICATE_VERIFY;

    fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let message = Self {
            scheme: SignatureScheme(reader.u16()?),
            signature: reader.vec16()?.rest(),
        };
        reader.finish()?;
        Ok(message)
    }

    fn encoded_len(&self) -> usize {
        2 + 2 + self.signature.len()
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), CursorError> {
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
        "040300483046022100d293bcc5e58161a86845e63d6bcada744a84073263cdfcd8a2a8f1e95176e2440221008a",
        "4403f29baffe43914831714b14be8415c8fe05d7555f8e771c4bc73e81b176",
    );

    #[test]
    fn vector() {
        let vector = unhex(VECTOR);
        assert_round_trip::<CertificateVerify<'_>>(&vector);
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
            if let Ok(body) = CertificateVerify::parse(&bytes) {
                let mut buf = vec![0xa5; body.encoded_len()];
                body.write(&mut Writer::new(&mut buf)).unwrap();
                prop_assert_eq!(buf, bytes);
            }
        }
    }
}
