//! One line of the text, kept as it was written.

use crate::{
    attribute::RawAttribute,
    error::{Error, ParseError},
    grammar,
};
use alloc::{borrow::Cow, string::String};
use core::fmt;

/// How a line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LineEnd {
    /// CR LF, as the RFC wants it.
    CrLf,
    /// LF alone, which every browser takes.
    Lf,
    /// Not at all: the last line of a text may stop short. If another line is added after it, it gets CR LF.
    Missing,
}

impl LineEnd {
    /// The characters of the end.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CrLf => "\r\n",
            Self::Lf => "\n",
            Self::Missing => "",
        }
    }
}

/// One line: `<type>=<value>`, or a text that is not SDP and is kept as it stands.
///
/// The text never holds CR or LF. Its `Debug` hides passwords and keys.
#[derive(Clone)]
pub struct Line<'a> {
    text: Cow<'a, str>,
    number: u32,
    end: LineEnd,
}

impl<'a> Line<'a> {
    /// The first line of `input` and what follows it. `number` counts from 1.
    pub(crate) fn parse(input: &'a str, number: u32) -> Result<(Self, &'a str), ParseError> {
        let (text, end, rest) = grammar::line(input);
        if let Some(position) = text.find('\r') {
            let expected = grammar::stray_cr(text);
            return Err(ParseError::new("the text", position, expected).at(number, 0));
        }
        let line = Self {
            text: Cow::Borrowed(text),
            number,
            end: match end {
                "\r\n" => LineEnd::CrLf,
                "\n" => LineEnd::Lf,
                _ => LineEnd::Missing,
            },
        };
        Ok((line, rest))
    }

    /// A line of our own. Refuses what would end it early.
    pub(crate) fn new(text: String, field: &'static str) -> Result<Self, Error> {
        if text.contains(['\r', '\n', '\0']) {
            return Err(Error::LineBreak(field));
        }
        Ok(Self {
            text: Cow::Owned(text),
            number: 0,
            end: LineEnd::CrLf,
        })
    }

    /// A line with nothing in it.
    pub(crate) const fn blank() -> Line<'static> {
        Line {
            text: Cow::Borrowed(""),
            number: 0,
            end: LineEnd::CrLf,
        }
    }

    /// Takes the place of `old`: its line end and number stay.
    pub(crate) fn replacing(mut self, old: &Line<'_>) -> Self {
        self.end = old.end;
        self.number = old.number;
        self
    }

    /// The same line with an end of CR LF.
    pub(crate) const fn end_with_crlf(&mut self) {
        self.end = LineEnd::CrLf;
    }

    /// The same line with another text, which has no line break.
    pub(crate) fn set_text(&mut self, text: String) {
        debug_assert!(!text.contains(['\r', '\n']));
        self.text = Cow::Owned(text);
    }

    /// The whole line without its end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The letter before the `=`; `None` for a line that is not SDP.
    pub fn kind(&self) -> Option<char> {
        match *self.text.as_bytes() {
            [letter, b'=', ..] if letter.is_ascii() => Some(letter.into()),
            _ => None,
        }
    }

    /// What stands after the `=`; for a line that is not SDP, all of it.
    pub fn value(&self) -> &str {
        match self.kind() {
            Some(_) => self.text.get(2..).unwrap_or_default(),
            None => &self.text,
        }
    }

    /// The value, if the line is of this type.
    pub(crate) fn value_of(&self, kind: char) -> Option<&str> {
        (self.kind() == Some(kind)).then(|| self.value())
    }

    /// The number of the line in the parsed text, from 1; 0 for a line that was added.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// How the line ended.
    pub const fn end(&self) -> LineEnd {
        self.end
    }

    /// The line as an attribute, if it is an `a=` line.
    pub fn attribute(&self) -> Option<RawAttribute<'_>> {
        let value = self.value_of('a')?;
        Some(RawAttribute::split(value, self.number))
    }

    /// Whether this is the attribute `name`; cheaper than [`attribute`](Self::attribute).
    pub(crate) fn is_attribute(&self, name: &str) -> bool {
        self.text
            .strip_prefix("a=")
            .and_then(|text| text.strip_prefix(name))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    }

    /// The same line, independent of the text it was parsed from.
    pub fn into_owned(self) -> Line<'static> {
        Line {
            text: Cow::Owned(self.text.into_owned()),
            ..self
        }
    }
}

/// Text and end count; where the line once stood does not.
impl PartialEq for Line<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.end == other.end
    }
}

impl Eq for Line<'_> {}

impl fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind(), self.attribute()) {
            (_, Some(attribute)) => write!(f, "{}: a={attribute:?}", self.number),
            (Some('k'), _) => write!(f, "{}: k=..", self.number),
            _ => write!(f, "{}: {:?}", self.number, self.text),
        }
    }
}
