//! Synchronization sources told in advance: [RFC 5576](https://www.rfc-editor.org/rfc/rfc5576.html).

use super::Attribute;
use crate::{
    error::ParseError,
    grammar::{Parsed, blanks_before, next_number, number, rest, token, whole, word_until},
};
use alloc::vec::Vec;
use core::fmt;
use nom::multi::many0;

/// `a=ssrc`: something about one source
/// ([RFC 5576 §4.1](https://www.rfc-editor.org/rfc/rfc5576.html#section-4.1)).
///
/// ```text
/// a=ssrc:846427134 cname:LHtBILONOLcC6IPq
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ssrc<'a> {
    /// The source.
    pub ssrc: u32,
    /// What is told: `cname`, `msid`.
    pub attribute: &'a str,
    /// Its value, if it has one.
    pub value: Option<&'a str>,
}

impl<'a> Ssrc<'a> {
    /// The source's canonical name.
    pub const fn cname(ssrc: u32, cname: &'a str) -> Self {
        Self {
            ssrc,
            attribute: "cname",
            value: Some(cname),
        }
    }
}

impl<'a> Attribute<'a> for Ssrc<'a> {
    const NAME: &'static str = "ssrc";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        whole(Self::NAME, value, ssrc)
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{}", self.ssrc)?;
        super::write_next(out, self.attribute)?;
        self.value.map_or(Ok(()), |value| write!(out, ":{value}"))
    }
}

fn ssrc(input: &str) -> Parsed<'_, Ssrc<'_>> {
    let (input, ssrc) = number("an SSRC below 4294967296")(input)?;
    let (input, _) = blanks_before("an attribute such as cname:…")(input)?;
    let (input, attribute) = word_until(&[':'], "an attribute such as cname")(input)?;
    let (input, value) = match input.strip_prefix(':') {
        Some(value) => rest(value).map(|(input, value)| (input, Some(value)))?,
        None => (input, None),
    };
    Ok((
        input,
        Ssrc {
            ssrc,
            attribute,
            value,
        },
    ))
}

/// `a=ssrc-group`: sources that belong together
/// ([RFC 5576 §4.2](https://www.rfc-editor.org/rfc/rfc5576.html#section-4.2)).
///
/// ```text
/// a=ssrc-group:FID 475283241 1848848080
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SsrcGroup<'a> {
    /// `FID`: a stream and its retransmissions; `FEC-FR`: a stream and its repair; `SIM`: simulcast.
    pub semantics: &'a str,
    /// The sources, in the order the semantics give a meaning to.
    pub ssrcs: Vec<u32>,
}

impl SsrcGroup<'_> {
    /// A stream and its retransmissions ([RFC 4588](https://www.rfc-editor.org/rfc/rfc4588.html)).
    pub const FID: &'static str = "FID";
}

impl<'a> Attribute<'a> for SsrcGroup<'a> {
    const NAME: &'static str = "ssrc-group";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        let parser = (
            token("the semantics of the group, such as FID"),
            many0(next_number("an SSRC below 4294967296")),
        );
        let (semantics, ssrcs) = whole(Self::NAME, value, parser)?;
        Ok(Self { semantics, ssrcs })
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        super::write_word(out, self.semantics)?;
        self.ssrcs
            .iter()
            .try_for_each(|ssrc| write!(out, " {ssrc}"))
    }
}
