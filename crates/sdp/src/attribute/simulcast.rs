//! Several encodings of one source: [RFC 8851](https://www.rfc-editor.org/rfc/rfc8851.html),
//! [RFC 8853](https://www.rfc-editor.org/rfc/rfc8853.html).

use super::{Attribute, Parameters};
use crate::{
    error::ParseError,
    grammar::{
        Parsed, blanks, blanks_before, blanks0, chars, fail, is_token_char, offset_in, rest, token,
        whole,
    },
    parameters::RidLimits,
};
use alloc::vec::Vec;
use core::fmt;

/// `a=rid`: the name of one encoding and its restrictions
/// ([RFC 8851 §10](https://www.rfc-editor.org/rfc/rfc8851.html#section-10)).
///
/// ```text
/// a=rid:h send pt=96,97;max-width=640
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rid<'a> {
    /// Its name.
    pub id: &'a str,
    /// Who sends it.
    pub direction: RidDirection,
    /// Its payload types (`pt=`) and restrictions.
    pub restrictions: Parameters<'a>,
}

impl<'a> Rid<'a> {
    /// An encoding without restrictions.
    pub const fn new(id: &'a str, direction: RidDirection) -> Self {
        Self {
            id,
            direction,
            restrictions: Parameters(""),
        }
    }

    /// The payload types it is restricted to; none if it is not.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> + use<'a> {
        let list = self.restrictions.value("pt").unwrap_or_default();
        list.split(',').filter_map(|pt| pt.trim().parse().ok())
    }

    /// The restrictions, typed.
    ///
    /// ```
    /// use rtckit_sdp::attribute::{Attribute, Rid};
    ///
    /// let rid = Rid::parse("h send pt=96,97;max-width=1280;max-fps=30")?;
    /// assert_eq!(rid.limits()?.max_width, Some(1280));
    /// # Ok::<(), rtckit_sdp::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// One of them is not what the RFC has. Columns count from the first.
    pub fn limits(&self) -> Result<RidLimits<'a>, ParseError> {
        let limits = RidLimits::parse(self.restrictions);
        limits.map_err(|error| ParseError {
            field: Self::NAME,
            ..error
        })
    }
}

impl<'a> Attribute<'a> for Rid<'a> {
    const NAME: &'static str = "rid";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        let id = token("an identifier of letters, digits, - and _");
        let parser = (id, blanks_before("send or recv"), rid_direction, rest);
        let (id, _, direction, restrictions) = whole(Self::NAME, value, parser)?;
        Ok(Self {
            id,
            direction,
            restrictions: Parameters(restrictions),
        })
    }

    /// The id is of letters, digits, hyphens and underscores; the restrictions have values of their kind.
    fn check(value: &'a str) -> Result<(), ParseError> {
        let rid = Self::parse(value)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let expected = "an identifier of letters, digits, - and _";
        chars(Self::NAME, rid.id, 1..=usize::MAX, allowed, expected)?;
        let at = offset_in(value, rid.restrictions.0);
        rid.limits().map(drop).map_err(|error| error.at(0, at))
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        super::write_word(out, self.id)?;
        write!(out, " {}", self.direction)?;
        if !self.restrictions.is_empty() {
            write!(out, " {}", self.restrictions)?;
        }
        Ok(())
    }
}

/// Who sends an encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RidDirection {
    /// Who wrote the text.
    Send,
    /// The other.
    Recv,
}

impl RidDirection {
    /// The same seen from the other side.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Send => Self::Recv,
            Self::Recv => Self::Send,
        }
    }
}

impl fmt::Display for RidDirection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Send => "send",
            Self::Recv => "recv",
        })
    }
}

pub(super) fn rid_direction(input: &str) -> Parsed<'_, RidDirection> {
    const EXPECTED: &str = "send or recv";
    match token(EXPECTED)(input)? {
        (rest, "send") => Ok((rest, RidDirection::Send)),
        (rest, "recv") => Ok((rest, RidDirection::Recv)),
        _ => fail(input, EXPECTED),
    }
}

/// `a=simulcast`: which encodings are alternatives of each other
/// ([RFC 8853 §5.1](https://www.rfc-editor.org/rfc/rfc8853.html#section-5.1)).
///
/// ```text
/// a=simulcast:send q;h;f,~g recv a
///                  │ │ └ one stream that may be encoded as f or as g, which begins paused
///                  └ the streams, best first
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Simulcast<'a> {
    /// The streams the writer sends, each with its alternatives.
    pub send: Vec<Vec<SimulcastStream<'a>>>,
    /// The streams the writer receives.
    pub recv: Vec<Vec<SimulcastStream<'a>>>,
}

/// One encoding in [`Simulcast`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SimulcastStream<'a> {
    /// The [`Rid`].
    pub rid: &'a str,
    /// Whether it begins paused, written `~`.
    pub paused: bool,
}

impl<'a> Simulcast<'a> {
    /// Sends these encodings, none of which has an alternative.
    pub fn sending(rids: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            send: streams_of(rids),
            recv: Vec::new(),
        }
    }

    /// Receives these encodings, none of which has an alternative.
    pub fn receiving(rids: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            send: Vec::new(),
            recv: streams_of(rids),
        }
    }
}

fn streams_of<'a>(rids: impl IntoIterator<Item = &'a str>) -> Vec<Vec<SimulcastStream<'a>>> {
    let paused = false;
    rids.into_iter()
        .map(|rid| alloc::vec![SimulcastStream { rid, paused }])
        .collect()
}

impl<'a> Attribute<'a> for Simulcast<'a> {
    const NAME: &'static str = "simulcast";

    /// Also reads the drafts' `send rid=q;h`.
    fn parse(value: &'a str) -> Result<Self, ParseError> {
        whole(Self::NAME, value, simulcast)
    }

    /// Without the drafts' `rid=`.
    fn check(value: &'a str) -> Result<(), ParseError> {
        Self::parse(value)?;
        match value.find("rid=") {
            Some(at) => Err(ParseError::new(
                Self::NAME,
                at,
                "no rid=, which is a draft's",
            )),
            None => Ok(()),
        }
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let lists = [
            (RidDirection::Send, &self.send),
            (RidDirection::Recv, &self.recv),
        ];
        let mut blank = "";
        for (direction, streams) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            write!(out, "{blank}{direction} ")?;
            blank = " ";
            for (i, alternatives) in streams.iter().enumerate() {
                out.write_str(if i == 0 { "" } else { ";" })?;
                for (i, stream) in alternatives.iter().enumerate() {
                    let comma = if i == 0 { "" } else { "," };
                    let tilde = if stream.paused { "~" } else { "" };
                    write!(out, "{comma}{tilde}")?;
                    super::write_word(out, stream.rid)?;
                }
            }
        }
        Ok(())
    }
}

fn simulcast(input: &str) -> Parsed<'_, Simulcast<'_>> {
    let mut simulcast = Simulcast::default();
    let mut input = input;
    loop {
        let (after_word, direction) = rid_direction(input)?;
        let list = match direction {
            RidDirection::Send => &mut simulcast.send,
            RidDirection::Recv => &mut simulcast.recv,
        };
        if !list.is_empty() {
            return fail(input, "each direction once");
        }
        let (rest, _) = blanks(after_word)?;
        let rest = rest.strip_prefix("rid=").unwrap_or(rest);
        let (rest, streams) = streams(rest)?;
        *list = streams;
        let (rest, _) = blanks0(rest)?;
        if rest.is_empty() {
            return Ok((rest, simulcast));
        }
        input = rest;
    }
}

fn streams(mut input: &str) -> Parsed<'_, Vec<Vec<SimulcastStream<'_>>>> {
    let mut streams: Vec<Vec<_>> = Vec::new();
    let mut is_alternative = false;
    loop {
        let (paused, rid) = match input.strip_prefix('~') {
            Some(rid) => (true, rid),
            None => (false, input),
        };
        let end = rid.find(|c| !is_token_char(c)).unwrap_or(rid.len());
        let (rid, rest) = rid.split_at(end);
        if rid.is_empty() {
            return fail(input, "the name of an a=rid");
        }
        let stream = SimulcastStream { rid, paused };
        match streams.last_mut().filter(|_| is_alternative) {
            Some(alternatives) => alternatives.push(stream),
            // Most have no alternative: room for one.
            None => streams.push(alloc::vec![stream]),
        }
        is_alternative = rest.starts_with(',');
        let Some(next) = rest.strip_prefix([',', ';']) else {
            return Ok((rest, streams));
        };
        input = next;
    }
}
