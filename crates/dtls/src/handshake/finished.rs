//! Finished ([RFC 5246 §7.4.9](https://www.rfc-editor.org/rfc/rfc5246#section-7.4.9)): twelve bytes.

use rtckit_proto::{CursorError, Reader, Writer};

use super::{Body, HandshakeType};
use crate::error::ParseError;
use crate::key_schedule::VERIFY_DATA_LEN;

/// The proof that the sender saw the same handshake. The first message under the new keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finished {
    pub(crate) verify_data: [u8; VERIFY_DATA_LEN],
}

impl<'a> Body<'a> for Finished {
    const TYPE: HandshakeType = HandshakeType::FINISHED;

    fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let verify_data = reader.array()?;
        reader.finish()?;
        Ok(Self { verify_data })
    }

    fn encoded_len(&self) -> usize {
        VERIFY_DATA_LEN
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), CursorError> {
        writer.bytes(&self.verify_data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::{assert_round_trip, unhex};
    use proptest::prelude::*;

    /// From a captured handshake.
    const VECTOR: &str = "cb8c5dbfd62594e716c90430";

    #[test]
    fn vector() {
        let vector = unhex(VECTOR);
        assert_round_trip::<Finished>(&vector);
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
            if let Ok(body) = Finished::parse(&bytes) {
                let mut buf = vec![0xa5; body.encoded_len()];
                body.write(&mut Writer::new(&mut buf)).unwrap();
                prop_assert_eq!(buf, bytes);
            }
        }
    }
}
