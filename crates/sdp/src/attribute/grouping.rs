//! Which section is which, and which belong together: RFC 5888, RFC 9143, RFC 8830.

use super::{Attribute, flag, word, words, write_next, write_word};
use crate::{
    error::ParseError,
    grammar::{self, blanks0, chars, is_token_char, next_word, token, whole},
};
use alloc::vec::Vec;
use core::fmt;
use nom::{combinator::opt, sequence::preceded};

word! {
    /// `a=mid`: the name of a media section
    /// ([RFC 5888 §4](https://www.rfc-editor.org/rfc/rfc5888.html#section-4)).
    Mid, "mid", "a mid without spaces", |value| {
        chars(Mid::NAME, value, 1..=usize::MAX, is_token_char, "a token")
    }
}

word! {
    /// `a=label`: a name the application gives a media section
    /// ([RFC 4574](https://www.rfc-editor.org/rfc/rfc4574.html)).
    Label, "label", "a label without spaces", |value| {
        chars(Label::NAME, value, 1..=usize::MAX, is_token_char, "a token")
    }
}

flag! {
    /// `a=bundle-only`: this section has no transport of its own, so its port is 0 without being rejected
    /// ([RFC 9143 §6](https://www.rfc-editor.org/rfc/rfc9143.html#section-6)).
    BundleOnly, "bundle-only"
}

/// `a=group`: sections that belong together
/// ([RFC 5888 §5](https://www.rfc-editor.org/rfc/rfc5888.html#section-5)).
///
/// ```text
/// a=group:BUNDLE audio video
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group<'a> {
    /// What they are grouped for: `BUNDLE`, `LS`, `FID`.
    pub semantics: &'a str,
    /// The [`Mid`]s of the sections.
    pub mids: Vec<&'a str>,
}

impl<'a> Group<'a> {
    /// The semantics of sections that share a transport
    /// ([RFC 9143](https://www.rfc-editor.org/rfc/rfc9143.html)).
    pub const BUNDLE: &'static str = "BUNDLE";

    /// A BUNDLE group of these sections.
    pub fn bundle(mids: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            semantics: Self::BUNDLE,
            mids: mids.into_iter().collect(),
        }
    }

    /// Whether the group is a BUNDLE.
    pub fn is_bundle(&self) -> bool {
        self.semantics == Self::BUNDLE
    }
}

impl<'a> Attribute<'a> for Group<'a> {
    const NAME: &'static str = "group";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        let parser = (token("the semantics of the group, such as BUNDLE"), words);
        let (semantics, mids) = whole(Self::NAME, value, parser)?;
        Ok(Self { semantics, mids })
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write_word(out, self.semantics)?;
        self.mids.iter().try_for_each(|mid| write_next(out, mid))
    }
}

/// `a=msid`: the stream, and the track in it, that a section carries
/// ([RFC 8830 §2](https://www.rfc-editor.org/rfc/rfc8830.html#section-2)).
///
/// ```text
/// a=msid:7d302d35-4775-480a-b539-1707aa7e491f 01e3bc57-e530-4689-bf59-de0cf1a47597
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Msid<'a> {
    /// The stream; `-` for a track without one.
    pub stream: &'a str,
    /// The track, `appdata` in the RFC. JSEP no longer writes it; the browsers do.
    pub track: Option<&'a str>,
}

impl<'a> Attribute<'a> for Msid<'a> {
    const NAME: &'static str = "msid";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        let parser = (grammar::word("a stream"), opt(next_word("a track")));
        let (stream, track) = whole(Self::NAME, value, parser)?;
        Ok(Self { stream, track })
    }

    /// A stream and a track are 1 to 64 token characters each.
    fn check(value: &'a str) -> Result<(), ParseError> {
        let mut at = 0;
        for (i, word) in value.split(' ').enumerate() {
            if i > 1 {
                return Err(ParseError::new(Self::NAME, at - 1, "the end of the line"));
            }
            let expected = "an identifier of 1 to 64 token characters";
            chars(Self::NAME, word, 1..=64, is_token_char, expected)
                .map_err(|error| error.at(0, at))?;
            at += word.len() + 1;
        }
        Ok(())
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write_word(out, self.stream)?;
        self.track.map_or(Ok(()), |track| write_next(out, track))
    }
}

/// `a=msid-semantic`: what the streams of a session are for. Early versions of draft-ietf-mmusic-msid, which became RFC 8830,
/// had it; it is still sent by the browsers,
/// with a blank before the semantic (Chromium) or without (Firefox).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MsidSemantic<'a> {
    /// `WMS`, always.
    pub semantic: &'a str,
    /// The streams; `*` for all.
    pub streams: Vec<&'a str>,
}

impl<'a> Attribute<'a> for MsidSemantic<'a> {
    const NAME: &'static str = "msid-semantic";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        let parser = (preceded(blanks0, token("the semantic WMS")), words);
        let (semantic, streams) = whole(Self::NAME, value, parser)?;
        Ok(Self { semantic, streams })
    }

    /// Written with Chromium's blank: that is what the RFC's examples and most parsers have.
    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write_next(out, self.semantic)?;
        self.streams
            .iter()
            .try_for_each(|stream| write_next(out, stream))
    }
}
