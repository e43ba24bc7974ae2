//! Picture sizes: [RFC 6236](https://www.rfc-editor.org/rfc/rfc6236.html).

use super::{Attribute, RidDirection, rtcp::payload_type_or_all};
use crate::{
    error::ParseError,
    grammar::{Parsed, blanks, blanks0, expect, fail, is_blank, token, whole},
};
use alloc::vec::Vec;
use core::fmt;
use nom::Parser;
use nom::bytes::complete::take_while1;

/// `a=imageattr`: the picture sizes a payload type may have
/// ([RFC 6236 §3.1.1](https://www.rfc-editor.org/rfc/rfc6236.html#section-3.1.1)).
///
/// ```text
/// a=imageattr:97 send [x=800,y=640,sar=1.1,q=0.6] [x=480,y=320] recv [x=[320:16:1280],y=[240,480]]
///             │  │    └ a size, with what speaks for it        └ what may be received
///             │  └ what may be sent
///             └ payload type, or * for all
/// ```
///
/// ```
/// use rtckit_sdp::attribute::{Attribute, ImageAttr, ImageSets, Span};
///
/// let sizes = ImageAttr::parse("97 send [x=[320:16:1280],y=240,q=0.6] recv *")?;
/// let ImageSets::Listed(sets) = sizes.send.unwrap() else { panic!() };
/// assert_eq!(sets[0].x, Span::Range { low: 320, step: Some(16), high: 1280 });
/// assert!(sets[0].x.contains(336) && !sets[0].x.contains(337));
/// assert_eq!(sets[0].preference(), 0.6);
/// assert_eq!(sizes.recv, Some(ImageSets::Any));
/// # Ok::<(), rtckit_sdp::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageAttr<'a> {
    /// The payload type; `None`, written `*`, for all.
    pub payload_type: Option<u8>,
    /// What the writer may send.
    pub send: Option<ImageSets<'a>>,
    /// What the writer takes.
    pub recv: Option<ImageSets<'a>>,
}

/// Picture sizes in one direction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ImageSets<'a> {
    /// `*`: any size.
    Any,
    /// One of these; at least one is given.
    Listed(Vec<ImageSet<'a>>),
}

/// A picture size, and what speaks for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageSet<'a> {
    /// Its width in samples.
    pub x: Span,
    /// Its height in samples.
    pub y: Span,
    /// The aspect ratio of a sample (`sar`), of the picture (`par`), the preference (`q`), and what else is given:
    /// names and values as they stand.
    pub parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> ImageSet<'a> {
    /// The parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut parameters = self.parameters.iter();
        parameters.find(|(key, _)| *key == name).map(|(_, v)| *v)
    }

    /// `sar`: the aspect ratio of a sample, if it is well-formed.
    pub fn sample_aspect_ratio(&self) -> Option<Ratio> {
        self.parameter("sar").and_then(Ratio::parse)
    }

    /// `par`: the aspect ratio of the picture, if it is well-formed.
    pub fn picture_aspect_ratio(&self) -> Option<Ratio> {
        self.parameter("par").and_then(Ratio::parse)
    }

    /// `q`: how much this size is wanted, 0 to 1; 0.5 if it is not said.
    pub fn preference(&self) -> f32 {
        let given = self.parameter("q").and_then(|q| q.parse().ok());
        given.filter(|q| (0.0..=1.0).contains(q)).unwrap_or(0.5)
    }
}

/// What a width or height may be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Span {
    /// This.
    One(u32),
    /// One of these, written `[480,800]`.
    List(Vec<u32>),
    /// From low to high, written `[480:16:800]`.
    Range {
        /// The smallest.
        low: u32,
        /// From one to the next; 1 if not given.
        step: Option<u32>,
        /// The largest.
        high: u32,
    },
}

impl Span {
    /// Whether it may be `value`.
    pub fn contains(&self, value: u32) -> bool {
        match self {
            Self::One(one) => *one == value,
            Self::List(list) => list.contains(&value),
            Self::Range { low, step, high } => {
                let step = step.unwrap_or(1).max(1);
                (*low..=*high).contains(&value) && (value - low).is_multiple_of(step)
            }
        }
    }
}

/// An aspect ratio in ten thousandths: 1.1 is 11000.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ratio {
    /// This.
    One(u32),
    /// One of these.
    List(Vec<u32>),
    /// From the first to the second.
    Range(u32, u32),
}

impl Ratio {
    /// Reads `1.1`, `[1.1,1.3]` or `[1.1-1.5]`.
    pub fn parse(text: &str) -> Option<Self> {
        let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) else {
            return ten_thousandths(text).map(Self::One);
        };
        match inner.split_once('-') {
            Some((low, high)) => Some(Self::Range(ten_thousandths(low)?, ten_thousandths(high)?)),
            None => {
                let list = inner.split(',').map(ten_thousandths).collect::<Option<_>>();
                list.map(Self::List)
            }
        }
    }
}

/// `1.25` as 12500: one digit, a point, at most four digits.
fn ten_thousandths(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.')?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = whole.len() == 1 && (1..=4).contains(&fraction.len());
    if !fits || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let scale = 10_u32.pow(4 - fraction.len() as u32);
    Some(whole.parse::<u32>().ok()? * 10_000 + fraction.parse::<u32>().ok()? * scale)
}

impl<'a> Attribute<'a> for ImageAttr<'a> {
    const NAME: &'static str = "imageattr";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        whole(Self::NAME, value, image_attr)
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        match self.payload_type {
            Some(payload_type) => write!(out, "{payload_type}")?,
            None => out.write_char('*')?,
        }
        if self.send.is_none() && self.recv.is_none() {
            return Err(fmt::Error);
        }
        for (direction, sets) in [("send", &self.send), ("recv", &self.recv)] {
            if let Some(sets) = sets {
                write!(out, " {direction} ")?;
                sets.write(out)?;
            }
        }
        Ok(())
    }
}

impl ImageSets<'_> {
    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let Self::Listed(sets) = self else {
            return out.write_char('*');
        };
        if sets.is_empty() {
            return Err(fmt::Error);
        }
        for (i, set) in sets.iter().enumerate() {
            let blank = if i == 0 { "" } else { " " };
            write!(out, "{blank}[x={},y={}", set.x, set.y)?;
            for (name, value) in &set.parameters {
                if value.is_empty() || value.contains(is_blank) {
                    return Err(fmt::Error);
                }
                write!(out, ",{name}={value}")?;
            }
            out.write_char(']')?;
        }
        Ok(())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(one) => write!(f, "{one}"),
            Self::Range { low, step, high } => {
                write!(f, "[{low}:")?;
                step.map_or(Ok(()), |step| write!(f, "{step}:"))?;
                write!(f, "{high}]")
            }
            Self::List(list) => {
                for (i, value) in list.iter().enumerate() {
                    write!(f, "{}{value}", if i == 0 { '[' } else { ',' })?;
                }
                f.write_str("]")
            }
        }
    }
}

fn image_attr(input: &str) -> Parsed<'_, ImageAttr<'_>> {
    let (mut input, payload_type) = payload_type_or_all(input)?;
    let mut attribute = ImageAttr {
        payload_type,
        send: None,
        recv: None,
    };
    loop {
        let (rest, _) = blanks(input)?;
        let (after_word, direction) = super::simulcast::rid_direction(rest)?;
        let slot = match direction {
            RidDirection::Send => &mut attribute.send,
            RidDirection::Recv => &mut attribute.recv,
        };
        if slot.is_some() {
            return fail(rest, "each direction once");
        }
        let (rest, _) = blanks(after_word)?;
        let (rest, sets) = image_sets(rest)?;
        *slot = Some(sets);
        if blanks0(rest)?.0.is_empty() {
            return Ok(("", attribute));
        }
        input = rest;
    }
}

fn image_sets(input: &str) -> Parsed<'_, ImageSets<'_>> {
    if let Some(rest) = input.strip_prefix('*') {
        return Ok((rest, ImageSets::Any));
    }
    let (mut input, first) = image_set(input)?;
    let mut sets = alloc::vec![first];
    loop {
        // Some write the sets without a space between them.
        let (rest, _) = blanks0(input)?;
        if !rest.starts_with('[') {
            return Ok((input, ImageSets::Listed(sets)));
        }
        let (rest, set) = image_set(rest)?;
        sets.push(set);
        input = rest;
    }
}

fn image_set(input: &str) -> Parsed<'_, ImageSet<'_>> {
    let input = key(input, "[x=", "[x= and a width, or *")?;
    let (input, x) = span(input)?;
    let input = key(input, ",y=", ",y= and a height")?;
    let (mut input, y) = span(input)?;
    let mut parameters = Vec::new();
    loop {
        if let Some(rest) = input.strip_prefix(']') {
            return Ok((rest, ImageSet { x, y, parameters }));
        }
        let rest = key(input, ",", "a comma and a parameter, or ]")?;
        let (rest, name) = token("a parameter such as sar, par or q")(rest)?;
        let rest = key(rest, "=", "= and a value")?;
        let (rest, value) = parameter_value(rest)?;
        parameters.push((name, value));
        input = rest;
    }
}

fn key<'a>(
    input: &'a str,
    key: &str,
    what: &'static str,
) -> Result<&'a str, nom::Err<crate::grammar::Expected<'a>>> {
    match input.strip_prefix(key) {
        Some(rest) => Ok(rest),
        None => fail::<()>(input, what).map(|(rest, ())| rest),
    }
}

/// `[1.1,1.3]`, `[1.1-1.3]` or anything up to the next comma.
fn parameter_value(input: &str) -> Parsed<'_, &str> {
    const EXPECTED: &str = "a value such as 1.1 or [1.1-1.5]";
    if !input.starts_with('[') {
        let simple = take_while1(|c| !is_blank(c) && !matches!(c, ',' | '[' | ']'));
        return expect(EXPECTED, simple).parse(input);
    }
    let end = input
        .find(|c| is_blank(c) || c == ']')
        .unwrap_or(input.len());
    match input.split_at_checked(end + 1) {
        Some((value, rest)) if value.ends_with(']') => Ok((rest, value)),
        _ => fail(input, EXPECTED),
    }
}

fn span(input: &str) -> Parsed<'_, Span> {
    let Some(rest) = input.strip_prefix('[') else {
        return size(input).map(|(rest, one)| (rest, Span::One(one)));
    };
    let (rest, low) = size(rest)?;
    if let Some(after_colon) = rest.strip_prefix(':') {
        let (rest, second) = size(after_colon)?;
        let (at, (rest, step, high)) = match rest.strip_prefix(':') {
            Some(last) => {
                let (rest, high) = size(last)?;
                (last, (rest, Some(second), high))
            }
            None => (after_colon, (rest, None, second)),
        };
        if high <= low {
            return fail(at, "a larger number than the first");
        }
        let rest = key(rest, "]", "]")?;
        return Ok((rest, Span::Range { low, step, high }));
    }
    let mut list = alloc::vec![low];
    let mut input = rest;
    while let Some(rest) = input.strip_prefix(',') {
        let (rest, value) = size(rest)?;
        list.push(value);
        input = rest;
    }
    let rest = key(input, "]", "a comma, a colon, or ]")?;
    Ok((rest, Span::List(list)))
}

/// One to six digits, of which the first is not 0.
fn size(input: &str) -> Parsed<'_, u32> {
    const EXPECTED: &str = "a number of samples from 1 to 999999";
    match crate::grammar::number::<u32>(EXPECTED)(input)? {
        parsed @ (_, 1..=999_999) => Ok(parsed),
        _ => fail(input, EXPECTED),
    }
}
