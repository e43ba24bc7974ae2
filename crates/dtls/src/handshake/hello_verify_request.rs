//! HelloVerifyRequest ([RFC 6347 §4.2.1](https://www.rfc-editor.org/rfc/rfc6347#section-4.2.1)).
//!
//! ```text
//!  0         2
//! +---------+------------+   The version says DTLS 1.0 whatever is spoken later,
//! | version |   cookie   |   and decides nothing.
//! |    2    | 1 + 0..255 |
//! +---------+------------+
//! ```

use rtckit_proto::{CursorError, Reader, Writer};

use super::{Body, HandshakeType};
use crate::error::ParseError;

/// The server's demand to come back with its cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HelloVerifyRequest<'a> {
    pub(crate) version: u16,
    pub(crate) cookie: &'a [u8],
}

impl<'a> Body<'a> for HelloVerifyRequest<'a> {
    const TYPE: HandshakeType = HandshakeType::HELLO_VERIFY_REQUEST;

    fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let message = Self {
            version: reader.u16()?,
            cookie: reader.vec8()?.rest(),
        };
        reader.finish()?;
        Ok(message)
    }

    fn encoded_len(&self) -> usize {
        2 + 1 + self.cookie.len()
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), CursorError> {
        writer.u16(self.version)?;
        writer.u8(self.cookie.len() as u8)?;
        writer.bytes(self.cookie)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::{assert_round_trip, unhex};
    use proptest::prelude::*;

    /// Made by hand.
    const VECTOR: &str = "feff0401020304";

    #[test]
    fn vector() {
        let vector = unhex(VECTOR);
        assert_round_trip::<HelloVerifyRequest<'_>>(&vector);
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
            if let Ok(body) = HelloVerifyRequest::parse(&bytes) {
                let mut buf = vec![0xa5; body.encoded_len()];
                body.write(&mut Writer::new(&mut buf)).unwrap();
                prop_assert_eq!(buf, bytes);
            }
        }
    }
}
