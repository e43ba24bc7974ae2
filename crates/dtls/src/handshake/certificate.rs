//! Certificate ([RFC 5246 §7.4.2](https://www.rfc-editor.org/rfc/rfc5246#section-7.4.2)).
//!
//! ```text
//!  0           3            6
//! +-----------+------------+----------------+--- - -
//! | length of | length of  | certificate    | more certificates,
//! | the list  | the first  | (X.509, DER)   | each with its length
//! +-----------+------------+----------------+--- - -
//! ```

use rtckit_proto::{CursorError, Reader, Writer};

use super::{Body, HandshakeType};
use crate::error::ParseError;

/// A chain, of which only the sender's own certificate matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Certificate<'a> {
    /// The sender's own; `None` from a client that has none.
    pub(crate) leaf: Option<&'a [u8]>,
    /// The rest of the list, unread.
    pub(crate) issuers: &'a [u8],
}

impl<'a> Body<'a> for Certificate<'a> {
    const TYPE: HandshakeType = HandshakeType::CERTIFICATE;

    fn parse(body: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(body);
        let mut list = reader.vec24()?;
        reader.finish()?;
        let leaf = match list.is_empty() {
            true => None,
            false => Some(list.vec24()?.rest()),
        };
        Ok(Self {
            leaf,
            issuers: list.rest(),
        })
    }

    fn encoded_len(&self) -> usize {
        3 + self.list_len()
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), CursorError> {
        writer.u24(self.list_len() as u32)?;
        if let Some(leaf) = self.leaf {
            writer.u24(leaf.len() as u32)?;
            writer.bytes(leaf)?;
        }
        writer.bytes(self.issuers)
    }
}

impl Certificate<'_> {
    fn list_len(&self) -> usize {
        self.leaf.map_or(0, |leaf| 3 + leaf.len()) + self.issuers.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::{assert_round_trip, unhex};
    use proptest::prelude::*;

    /// From a captured handshake.
    const VECTOR: &str = concat!(
        "00015c000159308201553081fca00302010202140dded7825a722fb1906f0f709494d0b96091314f300a06082a",
        "8648ce3d040302302b3129302706035504030c2034366463393032356464363332306232636333333265363136",
        "35336363633130301e170d3236313132313135323234315a170d3236313232323135323234315a302b31293027",
        "06035504030c203436646339303235646436333230623263633333326536313635336363633130305930130607",
        "2a8648ce3d020106082a8648ce3d030107034200041360dc7a01e276a4ca2d0b579a8fdcce4e2469ba68eebf22",
        "cd225b5992018cafd909ae782b3d028d0043066516ced2f9d005edf3b046a4432e39f2ce74fd73e3300a06082a",
        "8648ce3d040302034800304502201c23223de5f97e9168d8d933d7d3b7a547d3550d5d80c78ff5474acd1e9aaf",
        "98022100a4be006ce0bc3094bd6a87a1dca58446584516d562446bf6845e60ed9587eb16",
    );

    #[test]
    fn vector() {
        let vector = unhex(VECTOR);
        assert_round_trip::<Certificate<'_>>(&vector);
        assert_round_trip::<Certificate<'_>>(&[0, 0, 0]);
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
            if let Ok(body) = Certificate::parse(&bytes) {
                let mut buf = vec![0xa5; body.encoded_len()];
                body.write(&mut Writer::new(&mut buf)).unwrap();
                prop_assert_eq!(buf, bytes);
            }
        }
    }
}
