//! Lists of 16-bit numbers: cipher suites, groups, signature schemes, SRTP profiles.

use rtckit_proto::Reader;

use crate::error::ParseError;

/// The contents of a list whose items are two bytes long; never half an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct U16List<'a>(&'a [[u8; 2]]);

impl<'a> U16List<'a> {
    /// Takes what is left of `reader`, which must be at least one item.
    pub(crate) fn parse(mut reader: Reader<'a>) -> Result<Self, ParseError> {
        let position = reader.position();
        match reader.rest().as_chunks() {
            (items, []) if !items.is_empty() => Ok(Self(items)),
            _ => Err(ParseError {
                position,
                expected: "one or more 16-bit numbers",
            }),
        }
    }

    pub(crate) fn new(items: &'a [[u8; 2]]) -> Self {
        Self(items)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u16> + use<'a> {
        self.0.iter().map(|&item| u16::from_be_bytes(item))
    }

    pub(crate) fn contains(&self, number: u16) -> bool {
        self.iter().any(|item| item == number)
    }

    /// The items as they are on the wire.
    pub(crate) fn as_bytes(&self) -> &'a [u8] {
        self.0.as_flattened()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_item_is_refused() {
        let list = U16List::parse(Reader::new(&[0, 29, 0, 23])).unwrap();
        assert!(list.contains(23) && !list.contains(24));
        assert_eq!(list.iter().collect::<Vec<_>>(), [29, 23]);
        assert!(U16List::parse(Reader::new(&[0, 29, 0])).is_err());
        assert!(U16List::parse(Reader::new(&[])).is_err());
    }
}
