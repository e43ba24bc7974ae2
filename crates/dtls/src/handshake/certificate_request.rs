//! CertificateRequest ([RFC 5246 §7.4.4](https://www.rfc-editor.org/rfc/rfc5246#section-7.4.4)).
//!
//! ```text
//!  0
//! +-------------------+---------------------+-------------------------+
//! | certificate types |  signature schemes  | certificate authorities |
//! |     1 + 1..       |      2 + 2..        |        2 + ..           |
//! +-------------------+---------------------+-------------------------+
//! ```

use rtckit_proto::{CursorError, Reader, Writer};

use super::U16List;
use super::{Body, HandshakeType};
use crate::error::ParseError;

/// Kinds of keys by their number.
pub(crate) mod certificate_type {
    pub(crate) const RSA_SIGN: u8 = 1;
    pub(crate) const ECDSA_SIGN: u8 = 64;
}

/// The server's demand for the client's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CertificateRequest<'a> {
    pub(crate) certificate_types: &'a [u8],
    pub(crate) schemes: U16List<'a>,
    /// Names of authorities, unread: nobody in WebRTC has one.
    pub(crate) authorities: &'a [u8],
}

impl<'a> Body<'a> for CertificateRequest<'a> {
    const TYPE: HandshakeType = HandshakeType::CERTIFICATE_REQUEST;

    fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let message = Self {
            certificate_types: reader.vec8()?.rest(),
            schemes: U16List::parse(reader.vec16()?)?,
            authorities: reader.vec16()?.rest(),
        };
        reader.finish()?;
        Ok(message)
    }

    fn encoded_len(&self) -> usize {
        (1 + self.certificate_types.len())
            + (2 + self.schemes.as_bytes().len())
            + (2 + self.authorities.len())
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), CursorError> {
        writer.u8(self.certificate_types.len() as u8)?;
        writer.bytes(self.certificate_types)?;
        writer.u16(self.schemes.as_bytes().len() as u16)?;
        writer.bytes(self.schemes.as_bytes())?;
        writer.u16(self.authorities.len() as u16)?;
        writer.bytes(self.authorities)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::{assert_round_trip, unhex};
    use proptest::prelude::*;

    /// From a captured handshake.
    const VECTOR: &str = concat!(
        "030102400028040305030603080708080809080a080b0804080508060401050106010303030103020402050206",
        "020000",
    );

    #[test]
    fn vector() {
        let vector = unhex(VECTOR);
        assert_round_trip::<CertificateRequest<'_>>(&vector);
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
            if let Ok(body) = CertificateRequest::parse(&bytes) {
                let mut buf = vec![0xa5; body.encoded_len()];
                body.write(&mut Writer::new(&mut buf)).unwrap();
                prop_assert_eq!(buf, bytes);
            }
        }
    }
}
