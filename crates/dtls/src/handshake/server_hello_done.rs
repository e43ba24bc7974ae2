//! ServerHelloDone ([RFC 5246 §7.4.5](https://www.rfc-editor.org/rfc/rfc5246#section-7.4.5)): no bytes at all.

use rtckit_proto::{CursorError, Reader, Writer};

use super::{Body, HandshakeType};
use crate::error::ParseError;

/// The end of the server's flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerHelloDone;

impl<'a> Body<'a> for ServerHelloDone {
    const TYPE: HandshakeType = HandshakeType::SERVER_HELLO_DONE;

    fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        Reader::new(body).finish()?;
        Ok(Self)
    }

    fn encoded_len(&self) -> usize {
        0
    }

    fn write(&self, _: &mut Writer<'_>) -> Result<(), CursorError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::{assert_round_trip, unhex};
    use proptest::prelude::*;

    /// Made by hand.
    const VECTOR: &str = "";

    #[test]
    fn vector() {
        let vector = unhex(VECTOR);
        assert_round_trip::<ServerHelloDone>(&vector);
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
            if let Ok(body) = ServerHelloDone::parse(&bytes) {
                let mut buf = vec![0xa5; body.encoded_len()];
                body.write(&mut Writer::new(&mut buf)).unwrap();
                prop_assert_eq!(buf, bytes);
            }
        }
    }
}
