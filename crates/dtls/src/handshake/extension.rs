//! Extensions of the hellos ([RFC 5246 §7.4.1.4](https://www.rfc-editor.org/rfc/rfc5246#section-7.4.1.4)).
//!
//! ```text
//!  0         2         4
//! +---------+---------+---------+-----+   as many as the block's own
//! |  type   | length  | data ...| ... |   16-bit length says
//! +---------+---------+---------+-----+
//! ```

use arrayvec::ArrayVec;
use rtckit_proto::{CursorError, Reader, Writer};

use super::U16List;
use crate::error::ParseError;

/// Extensions by their number.
pub(crate) mod extension_type {
    pub(crate) const SUPPORTED_GROUPS: u16 = 10;
    pub(crate) const EC_POINT_FORMATS: u16 = 11;
    pub(crate) const SIGNATURE_ALGORITHMS: u16 = 13;
    pub(crate) const USE_SRTP: u16 = 14;
    pub(crate) const EXTENDED_MASTER_SECRET: u16 = 23;
    pub(crate) const RENEGOTIATION_INFO: u16 = 0xff01;
}

/// How many extensions one hello may have: today's browsers send about fifteen.
const MAX_EXTENSIONS: usize = 64;

/// The only point format there is: uncompressed.
const UNCOMPRESSED: u8 = 0;

/// A checked block of extensions, none of them twice. It may be absent, which is not the same as empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extensions<'a>(Option<&'a [u8]>);

impl<'a> Extensions<'a> {
    pub(crate) fn new(block: &'a [u8]) -> Self {
        Self(Some(block))
    }

    /// Reads what is left of a hello: nothing, or a block and nothing behind it.
    pub(crate) fn parse(reader: &mut Reader<'a>) -> Result<Self, ParseError> {
        if reader.is_empty() {
            return Ok(Self(None));
        }
        let start = reader.position();
        let mut block = reader.vec16()?;
        reader.finish()?;
        let whole = block.remaining();
        let mut seen = ArrayVec::<u16, MAX_EXTENSIONS>::new();
        while !block.is_empty() {
            let position = start + 2 + block.position();
            let extension_type = block.u16()?;
            block.vec16()?;
            if seen.contains(&extension_type) || seen.try_push(extension_type).is_err() {
                return Err(ParseError {
                    position,
                    expected: "64 extensions at most, each once",
                });
            }
        }
        Ok(Self(Some(whole)))
    }

    pub(crate) fn encoded_len(&self) -> usize {
        self.0.map_or(0, |block| 2 + block.len())
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) -> Result<(), CursorError> {
        let Some(block) = self.0 else { return Ok(()) };
        writer.u16(block.len() as u16)?;
        writer.bytes(block)
    }

    /// The data of the extension of this type.
    pub(crate) fn find(&self, wanted: u16) -> Option<Reader<'a>> {
        let mut block = Reader::new(self.0.unwrap_or_default());
        while let (Ok(extension_type), Ok(data)) = (block.u16(), block.vec16()) {
            if extension_type == wanted {
                return Some(data);
            }
        }
        None
    }

    /// The types of all extensions, in order.
    pub(crate) fn types(&self) -> impl Iterator<Item = u16> + use<'a> {
        let mut block = Reader::new(self.0.unwrap_or_default());
        core::iter::from_fn(move || {
            let extension_type = block.u16().ok()?;
            block.vec16().ok()?;
            Some(extension_type)
        })
    }

    pub(crate) fn has(&self, wanted: u16) -> bool {
        self.find(wanted).is_some()
    }

    /// A list with a 16-bit length in front: groups, signature schemes.
    pub(crate) fn list(&self, wanted: u16) -> Result<Option<U16List<'a>>, ParseError> {
        let Some(mut data) = self.find(wanted) else {
            return Ok(None);
        };
        let list = U16List::parse(data.vec16()?)?;
        data.finish()?;
        Ok(Some(list))
    }

    /// Whether the sender reads uncompressed points, as all do that do not say otherwise
    /// ([RFC 8422 §5.1.2](https://www.rfc-editor.org/rfc/rfc8422#section-5.1.2)).
    pub(crate) fn takes_uncompressed_points(&self) -> bool {
        self.find(extension_type::EC_POINT_FORMATS)
            .is_none_or(|mut data| {
                data.vec8()
                    .is_ok_and(|mut formats| formats.rest().contains(&UNCOMPRESSED))
            })
    }

    /// The profiles of `use_srtp` ([RFC 5764 §4.1.1](https://www.rfc-editor.org/rfc/rfc5764#section-4.1.1)). The
    /// MKI behind them is read over: nobody uses it, and a server answers with none.
    pub(crate) fn use_srtp(&self) -> Result<Option<U16List<'a>>, ParseError> {
        let Some(mut data) = self.find(extension_type::USE_SRTP) else {
            return Ok(None);
        };
        let profiles = U16List::parse(data.vec16()?)?;
        data.vec8()?;
        data.finish()?;
        Ok(Some(profiles))
    }

    /// Whether `renegotiation_info`, if it is there, speaks of no earlier handshake
    /// ([RFC 5746 §3.4](https://www.rfc-editor.org/rfc/rfc5746#section-3.4)).
    pub(crate) fn is_first_handshake(&self) -> bool {
        self.find(extension_type::RENEGOTIATION_INFO)
            .is_none_or(|mut data| data.rest() == [0])
    }
}

/// Collects extensions to be sent.
#[derive(Debug, Default)]
pub(crate) struct ExtensionBlock(Vec<u8>);

impl ExtensionBlock {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    pub(crate) fn as_extensions(&self) -> Extensions<'_> {
        Extensions::new(&self.0)
    }

    pub(crate) fn push(&mut self, extension_type: u16, data: &[u8]) {
        self.0.extend(extension_type.to_be_bytes());
        self.0.extend((data.len() as u16).to_be_bytes());
        self.0.extend(data);
    }

    /// A list with a 16-bit length in front, and `tail` behind it.
    pub(crate) fn push_list(
        &mut self,
        extension_type: u16,
        items: impl ExactSizeIterator<Item = u16>,
        tail: &[u8],
    ) {
        let list_len = items.len() * 2;
        self.0.extend(extension_type.to_be_bytes());
        self.0
            .extend(((2 + list_len + tail.len()) as u16).to_be_bytes());
        self.0.extend((list_len as u16).to_be_bytes());
        self.0.extend(items.flat_map(u16::to_be_bytes));
        self.0.extend(tail);
    }

    /// Only uncompressed points.
    pub(crate) fn push_point_formats(&mut self) {
        self.push(extension_type::EC_POINT_FORMATS, &[1, UNCOMPRESSED]);
    }

    /// SRTP profiles, and no MKI.
    pub(crate) fn push_use_srtp(&mut self, profiles: impl ExactSizeIterator<Item = u16>) {
        self.push_list(extension_type::USE_SRTP, profiles, &[0]);
    }

    /// This is no renegotiation.
    pub(crate) fn push_renegotiation_info(&mut self) {
        self.push(extension_type::RENEGOTIATION_INFO, &[0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_pushed_is_found() {
        let mut block = ExtensionBlock::default();
        block.push_list(extension_type::SUPPORTED_GROUPS, [29, 23].into_iter(), &[]);
        block.push_use_srtp([7, 1].into_iter());
        block.push_point_formats();
        block.push_renegotiation_info();
        let mut buf = vec![0xa5; block.as_extensions().encoded_len()];
        block
            .as_extensions()
            .write(&mut Writer::new(&mut buf))
            .unwrap();
        let parsed = Extensions::parse(&mut Reader::new(&buf)).unwrap();
        let groups = parsed.list(extension_type::SUPPORTED_GROUPS).unwrap();
        assert_eq!(groups.unwrap().as_bytes(), [0, 29, 0, 23]);
        assert!(parsed.use_srtp().unwrap().unwrap().contains(7));
        assert!(parsed.takes_uncompressed_points() && parsed.is_first_handshake());
        assert_eq!(parsed.list(extension_type::SIGNATURE_ALGORITHMS), Ok(None));
        for len in 1..buf.len() {
            assert!(Extensions::parse(&mut Reader::new(&buf[..len])).is_err());
        }
    }

    #[test]
    fn twice_or_too_many_is_refused() {
        let mut block = ExtensionBlock::default();
        for extension_type in 0..64 {
            block.push(extension_type, &[]);
        }
        let wire = |block: &ExtensionBlock| {
            let mut buf = vec![0; block.as_extensions().encoded_len()];
            block
                .as_extensions()
                .write(&mut Writer::new(&mut buf))
                .unwrap();
            buf
        };
        let fits = wire(&block);
        assert!(Extensions::parse(&mut Reader::new(&fits)).is_ok());
        block.push(64, &[]);
        assert!(Extensions::parse(&mut Reader::new(&wire(&block))).is_err());
        let mut twice = ExtensionBlock::default();
        twice.push(7, &[]);
        twice.push(7, &[]);
        assert!(Extensions::parse(&mut Reader::new(&wire(&twice))).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(extensions) = Extensions::parse(&mut Reader::new(&bytes)) {
                let _ = extensions.use_srtp();
                let _ = extensions.list(extension_type::SUPPORTED_GROUPS);
                let _ = extensions.takes_uncompressed_points();
                prop_assert_eq!(extensions.encoded_len(), bytes.len());
            }
        }
    }
}
