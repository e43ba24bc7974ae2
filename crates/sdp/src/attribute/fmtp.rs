//! A format's parameters: [RFC 8866 §6.15](https://www.rfc-editor.org/rfc/rfc8866.html#section-6.15).

use super::Attribute;
use crate::{
    error::ParseError,
    grammar::{is_blank, is_token_char, require, rest, whole, word},
};
use core::fmt;

/// `a=fmtp`: what a format says about itself.
///
/// ```text
/// a=fmtp:111 minptime=10;useinbandfec=1
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fmtp<'a> {
    /// The format: for RTP, a payload type.
    pub format: &'a str,
    /// What is said about it.
    pub parameters: Parameters<'a>,
}

impl Fmtp<'_> {
    /// The format as an RTP payload type, if it is one.
    pub fn payload_type(&self) -> Option<u8> {
        self.format.parse().ok().filter(|number| *number < 128)
    }
}

impl<'a> Attribute<'a> for Fmtp<'a> {
    const NAME: &'static str = "fmtp";

    /// Also reads a format without parameters.
    fn parse(value: &'a str) -> Result<Self, ParseError> {
        let (format, parameters) = whole(Self::NAME, value, (word("a format"), rest))?;
        Ok(Self {
            format,
            parameters: Parameters(parameters),
        })
    }

    /// There are parameters, and the format is a token.
    fn check(value: &'a str) -> Result<(), ParseError> {
        let fmtp = Self::parse(value)?;
        let is_token = fmtp.format.chars().all(is_token_char);
        let expected = "a format of token characters";
        require(is_token, Self::NAME, value, fmtp.format, expected)?;
        match fmtp.parameters.is_empty() {
            true => Err(ParseError::new(
                Self::NAME,
                value.len(),
                "a space, and parameters of the format",
            )),
            false => Ok(()),
        }
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        super::write_word(out, self.format)?;
        if !self.parameters.0.is_empty() {
            write!(out, " {}", self.parameters.0)?;
        }
        Ok(())
    }
}

/// A format's parameters: for most `key=value` pairs between semicolons, for some another text (`0-15`,
/// `111/111`).
///
/// ```
/// use rtckit_sdp::attribute::Parameters;
///
/// let parameters = Parameters("minptime=10; useinbandfec=1;stereo");
/// assert_eq!(parameters.value("useinbandfec"), Some("1"));
/// assert_eq!(parameters.number("minptime"), Some(10));
/// assert_eq!(parameters.iter().last(), Some(("stereo", None)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Parameters<'a>(pub &'a str);

impl<'a> Parameters<'a> {
    /// Whether nothing is said.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pairs in their order. What has no `=` has no value.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + use<'a> {
        let pairs = self.0.split(';').map(|pair| pair.trim_matches(is_blank));
        let pairs = pairs.filter(|pair| !pair.is_empty());
        pairs.map(|pair| match pair.split_once('=') {
            Some((key, value)) => (
                key.trim_end_matches(is_blank),
                Some(value.trim_start_matches(is_blank)),
            ),
            None => (pair, None),
        })
    }

    /// The value of the first pair with this key, which is compared without regard to case.
    pub fn value(&self, key: &str) -> Option<&'a str> {
        self.iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(key))
            .and_then(|(_, value)| value)
    }

    /// The same as a number; `None` also if it is none.
    pub fn number(&self, key: &str) -> Option<u32> {
        self.value(key)?.parse().ok()
    }
}

impl fmt::Display for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
