//! RTP header extensions: [RFC 8285 §5](https://www.rfc-editor.org/rfc/rfc8285.html#section-5).

use super::{Attribute, Direction, flag};
use crate::{
    error::ParseError,
    grammar::{Parsed, after, blanks_before, fail, is_blank, number, rest, token, whole, word},
};
use core::fmt;

/// `a=extmap`: the number of a header extension.
///
/// ```text
/// a=extmap:6/recvonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExtMap<'a> {
    /// 1 to 14 in one-byte headers, to 255 in two-byte headers; 4096 to 4351 offer more than there is room
    /// for, and the answer chooses.
    pub id: u16,
    /// In which direction it is sent; as the media, if not given.
    pub direction: Option<Direction>,
    /// What it is.
    pub uri: &'a str,
    /// What follows the URI; empty if nothing does.
    pub attributes: &'a str,
}

impl<'a> ExtMap<'a> {
    /// What an extension's URI is if it is sent encrypted; the real one follows it
    /// ([RFC 6904 §4](https://www.rfc-editor.org/rfc/rfc6904.html#section-4)).
    pub const ENCRYPT: &'static str = "urn:ietf:params:rtp-hdrext:encrypt";

    /// The extension that is sent encrypted under this id, if that is what it says.
    ///
    /// ```
    /// use rtckit_sdp::attribute::{Attribute, ExtMap};
    ///
    /// let outer = ExtMap::parse("4 urn:ietf:params:rtp-hdrext:encrypt urn:ietf:params:rtp-hdrext:smpte-tc 25@600/24")?;
    /// let inner = outer.encrypted().unwrap();
    /// assert_eq!((inner.uri, inner.attributes), ("urn:ietf:params:rtp-hdrext:smpte-tc", "25@600/24"));
    /// assert_eq!(inner.encrypted(), None);
    /// # Ok::<(), rtckit_sdp::ParseError>(())
    /// ```
    pub fn encrypted(&self) -> Option<Self> {
        let (uri, attributes) = match self.attributes.split_once(is_blank) {
            Some((uri, attributes)) => (uri, attributes.trim_start_matches(is_blank)),
            None => (self.attributes, ""),
        };
        let is_encrypted = self.uri == Self::ENCRYPT && !uri.is_empty();
        is_encrypted.then_some(Self {
            uri,
            attributes,
            ..*self
        })
    }

    /// An extension in the direction of the media.
    pub const fn new(id: u16, uri: &'a str) -> Self {
        Self {
            id,
            direction: None,
            uri,
            attributes: "",
        }
    }
}

impl<'a> Attribute<'a> for ExtMap<'a> {
    const NAME: &'static str = "extmap";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        const URI: &str = "the URI of an extension";

        let parser = (
            id,
            after("/", direction),
            blanks_before(URI),
            word(URI),
            rest,
        );
        let (id, direction, _, uri, attributes) = whole(Self::NAME, value, parser)?;
        Ok(Self {
            id,
            direction,
            uri,
            attributes,
        })
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{}", self.id)?;
        if let Some(direction) = self.direction {
            write!(out, "/{direction}")?;
        }
        super::write_next(out, self.uri)?;
        if !self.attributes.is_empty() {
            write!(out, " {}", self.attributes)?;
        }
        Ok(())
    }
}

fn id(input: &str) -> Parsed<'_, u16> {
    const EXPECTED: &str = "an identifier from 1 to 255, or from 4096 to 4351";
    match number(EXPECTED)(input)? {
        parsed @ (_, 1..=255 | 4096..=4351) => Ok(parsed),
        _ => fail(input, EXPECTED),
    }
}

fn direction(input: &str) -> Parsed<'_, Direction> {
    const EXPECTED: &str = "sendrecv, sendonly, recvonly or inactive";
    let (rest, name) = token(EXPECTED)(input)?;
    match Direction::from_name(name) {
        Some(direction) => Ok((rest, direction)),
        None => fail(input, EXPECTED),
    }
}

flag! {
    /// `a=extmap-allow-mixed`: one stream may mix one-byte and two-byte headers
    /// ([RFC 8285 §6](https://www.rfc-editor.org/rfc/rfc8285.html#section-6)).
    ExtMapAllowMixed, "extmap-allow-mixed"
}
