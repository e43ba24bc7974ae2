//! Who may send to a multicast address: [RFC 4570](https://www.rfc-editor.org/rfc/rfc4570.html).

use super::{Attribute, words, write_next};
use crate::{
    error::ParseError,
    grammar::{Parsed, fail, next_word, token, whole},
};
use alloc::vec::Vec;
use core::fmt;

/// `a=source-filter`: who may, or may not, send to an address
/// ([RFC 4570 §3](https://www.rfc-editor.org/rfc/rfc4570.html#section-3)).
///
/// ```text
/// a=source-filter: incl IN IP4 233.252.0.1 198.51.100.1 198.51.100.2
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SourceFilter<'a> {
    /// Whether the sources may send, or may not.
    pub mode: FilterMode,
    /// `IN`.
    pub network_type: &'a str,
    /// `IP4`, `IP6`, or `*` for both.
    pub address_type: &'a str,
    /// The address that is sent to; `*` for all of the description.
    pub destination: &'a str,
    /// The senders, at least one.
    pub sources: Vec<&'a str>,
}

/// What a [`SourceFilter`] does with its sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FilterMode {
    /// `incl`: only they may send.
    Include,
    /// `excl`: all but they may.
    Exclude,
}

impl FilterMode {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Include => "incl",
            Self::Exclude => "excl",
        }
    }
}

impl<'a> Attribute<'a> for SourceFilter<'a> {
    const NAME: &'static str = "source-filter";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        whole(Self::NAME, value, source_filter)
    }

    /// With the space that the RFC's grammar has after the colon.
    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        if self.sources.is_empty() {
            return Err(fmt::Error);
        }
        write_next(out, self.mode.as_str())?;
        let words = [self.network_type, self.address_type, self.destination];
        words
            .iter()
            .chain(&self.sources)
            .try_for_each(|word| write_next(out, word))
    }
}

fn source_filter(input: &str) -> Parsed<'_, SourceFilter<'_>> {
    const MODE: &str = "incl or excl";
    let (rest, mode) = match token(MODE)(input)? {
        (rest, "incl") => (rest, FilterMode::Include),
        (rest, "excl") => (rest, FilterMode::Exclude),
        _ => return fail(input, MODE),
    };
    let (rest, network_type) = next_word("a network type: IN")(rest)?;
    let (rest, address_type) = next_word("an address type: IP4, IP6 or *")(rest)?;
    let (rest, destination) = next_word("an address that is sent to, or *")(rest)?;
    let (rest, first) = next_word("the address of a source")(rest)?;
    let (rest, others) = words(rest)?;
    let sources = core::iter::once(first).chain(others).collect();
    let filter = SourceFilter {
        mode,
        network_type,
        address_type,
        destination,
        sources,
    };
    Ok((rest, filter))
}
