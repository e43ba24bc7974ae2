//! The grammar's small words, in nom: tokens, numbers, blanks, and how a failure names its place.
//!
//! [RFC 8866 §9](https://www.rfc-editor.org/rfc/rfc8866.html#section-9) separates words by one space. Like
//! the browsers, this parser takes any run of spaces and tabs, and ignores them at both ends of a value.

use crate::error::ParseError;
use core::str::FromStr;
use nom::{
    IResult, Parser,
    bytes::complete::{tag, take_while, take_while1},
    combinator::{eof, opt},
    error::ErrorKind,
    sequence::preceded,
};

/// What every parser of the crate returns.
pub(crate) type Parsed<'a, T> = IResult<&'a str, T, Expected<'a>>;

/// A failed parser: the text it stood before, and what it wanted to see there.
#[derive(Debug)]
pub(crate) struct Expected<'a> {
    at: &'a str,
    what: &'static str,
}

impl<'a> nom::error::ParseError<&'a str> for Expected<'a> {
    fn from_error_kind(at: &'a str, _: ErrorKind) -> Self {
        Self {
            at,
            what: "a value",
        }
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// Fails at `at` for want of `what`.
pub(crate) fn fail<'a, T>(at: &'a str, what: &'static str) -> Parsed<'a, T> {
    Err(nom::Err::Error(Expected { at, what }))
}

/// Gives a parser's failure the name of what was wanted.
pub(crate) fn expect<'a, T>(
    what: &'static str,
    mut parser: impl Parser<&'a str, Output = T, Error = Expected<'a>>,
) -> impl FnMut(&'a str) -> Parsed<'a, T> {
    move |input| {
        parser
            .parse(input)
            .map_err(|error| error.map(|expected| Expected { what, ..expected }))
    }
}

/// Runs `parser` over a whole value; blanks around it are ignored, anything else left over is an error.
pub(crate) fn whole<'a, T>(
    field: &'static str,
    value: &'a str,
    parser: impl Parser<&'a str, Output = T, Error = Expected<'a>>,
) -> Result<T, ParseError> {
    let value = value.trim_end_matches(is_blank);
    let end = |input| {
        let (input, _) = blanks0(input)?;
        expect("the end of the line", eof).parse(input)
    };
    match (preceded(blanks0, parser), end).parse(value) {
        Ok((_, (parsed, _))) => Ok(parsed),
        Err(nom::Err::Error(Expected { at, what }) | nom::Err::Failure(Expected { at, what })) => {
            Err(ParseError::new(field, value.len() - at.len(), what))
        }
        // Only streaming parsers are ever incomplete, and none is used here.
        Err(nom::Err::Incomplete(_)) => Err(ParseError::new(field, value.len(), "more text")),
    }
}

/// Any blanks, or none.
pub(crate) fn blanks0(input: &str) -> Parsed<'_, &str> {
    take_while(is_blank).parse(input)
}

/// At least one blank.
pub(crate) fn blanks(input: &str) -> Parsed<'_, &str> {
    expect("a space", take_while1(is_blank)).parse(input)
}

/// At least one blank, before what is told: where the line ends, it is that which is missed.
pub(crate) fn blanks_before<'a>(what: &'static str) -> impl FnMut(&'a str) -> Parsed<'a, &'a str> {
    move |input| match input {
        "" => fail(input, what),
        _ => blanks(input),
    }
}

/// `non-ws-string`: anything up to the next blank.
pub(crate) fn word<'a>(what: &'static str) -> impl FnMut(&'a str) -> Parsed<'a, &'a str> {
    expect(what, take_while1(|c| !is_blank(c)))
}

/// A word after at least one blank.
pub(crate) fn next_word<'a>(what: &'static str) -> impl FnMut(&'a str) -> Parsed<'a, &'a str> {
    let mut parser = preceded(expect(what, blanks), word(what));
    move |input| parser.parse(input)
}

/// A word of the characters that are none of `stops`, nor blank.
pub(crate) fn word_until<'a>(
    stops: &'static [char],
    what: &'static str,
) -> impl FnMut(&'a str) -> Parsed<'a, &'a str> {
    expect(
        what,
        take_while1(move |c: char| !is_blank(c) && !stops.contains(&c)),
    )
}

/// `token`: the characters a name may consist of.
pub(crate) fn token<'a>(what: &'static str) -> impl FnMut(&'a str) -> Parsed<'a, &'a str> {
    expect(what, take_while1(is_token_char))
}

/// A decimal number that fits `N`.
pub(crate) fn number<'a, N: FromStr>(what: &'static str) -> impl FnMut(&'a str) -> Parsed<'a, N> {
    move |input| {
        let (rest, digits) =
            expect(what, take_while1(|c: char| c.is_ascii_digit())).parse(input)?;
        match digits.parse() {
            Ok(number) => Ok((rest, number)),
            Err(_) => fail(input, what),
        }
    }
}

/// A decimal number after at least one blank.
pub(crate) fn next_number<'a, N: FromStr>(
    what: &'static str,
) -> impl FnMut(&'a str) -> Parsed<'a, N> {
    let mut parser = preceded(expect(what, blanks), number(what));
    move |input| parser.parse(input)
}

/// Exactly `text`.
pub(crate) fn literal<'a>(
    text: &'static str,
    what: &'static str,
) -> impl FnMut(&'a str) -> Parsed<'a, &'a str> {
    expect(what, tag(text))
}

/// What follows `mark`, if the mark is there.
pub(crate) fn after<'a, T>(
    mark: &'static str,
    parser: impl Parser<&'a str, Output = T, Error = Expected<'a>>,
) -> impl FnMut(&'a str) -> Parsed<'a, Option<T>> {
    let mut parser = parser;
    move |input| {
        let (input, found) = opt(tag(mark)).parse(input)?;
        match found {
            Some(_) => parser
                .parse(input)
                .map(|(rest, parsed)| (rest, Some(parsed))),
            None => Ok((input, None)),
        }
    }
}

/// What follows a run of blanks, if anything follows.
pub(crate) fn rest(input: &str) -> Parsed<'_, &str> {
    let (input, _) = blanks0(input)?;
    Ok(("", input))
}

/// One physical line: its text, what ended it ("" at the end of the text), and what follows.
pub(crate) fn line(input: &str) -> (&str, &'static str, &str) {
    let Some((line, after)) = input.split_once('\n') else {
        return (input, "", "");
    };
    match line.strip_suffix('\r') {
        Some(line) => (line, "\r\n", after),
        None => (line, "\n", after),
    }
}

/// What is said of a line in which there is a CR.
pub(crate) fn stray_cr(line: &str) -> &'static str {
    match line.trim_end_matches('\r').contains('\r') {
        true => "CR LF at the end of each line; this is a CR alone",
        false => "CR LF at the end of the line, and no other CR before it",
    }
}

/// The whole value, without the blanks around it, if there is anything in it.
pub(crate) fn non_empty<'a>(
    field: &'static str,
    value: &'a str,
    what: &'static str,
) -> Result<&'a str, ParseError> {
    match value.trim_matches(is_blank) {
        "" => Err(ParseError::new(field, 0, what)),
        value => Ok(value),
    }
}

/// Whether a value is so many of these characters and nothing else; for checks that are stricter than the parsers.
pub(crate) fn chars(
    field: &'static str,
    value: &str,
    count: core::ops::RangeInclusive<usize>,
    allowed: impl Fn(char) -> bool,
    what: &'static str,
) -> Result<(), ParseError> {
    if let Some(at) = value.find(|c| !allowed(c)) {
        return Err(ParseError::new(field, at, what));
    }
    if value.len() > *count.end() {
        return Err(ParseError::new(field, *count.end(), what));
    }
    if value.len() < *count.start() {
        return Err(ParseError::new(field, value.len(), what));
    }
    Ok(())
}

/// `integer` of [RFC 8866 §9](https://www.rfc-editor.org/rfc/rfc8866.html#section-9): digits, the first of which is not 0.
pub(crate) fn is_integer(word: &str) -> bool {
    !word.starts_with('0') && is_digits(word)
}

/// `zero-based-integer`: the same, or 0.
pub(crate) fn is_zero_based_integer(word: &str) -> bool {
    word == "0" || is_integer(word)
}

/// `1*DIGIT`.
pub(crate) fn is_digits(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Fails at `part`, which was cut out of `value`, unless it is as it should be.
pub(crate) fn require(
    is_right: bool,
    field: &'static str,
    value: &str,
    part: &str,
    what: &'static str,
) -> Result<(), ParseError> {
    match is_right {
        true => Ok(()),
        false => Err(ParseError::new(field, offset_in(value, part), what)),
    }
}

/// Where `part`, which was cut out of `whole`, begins in it.
pub(crate) fn offset_in(whole: &str, part: &str) -> usize {
    let start = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    start.min(whole.len())
}

/// `ice-char` of [RFC 8839 §5.1](https://www.rfc-editor.org/rfc/rfc8839.html#section-5.1).
pub(crate) const fn is_ice_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/')
}

/// `base64` of [RFC 8866 §9](https://www.rfc-editor.org/rfc/rfc8866.html#section-9): groups of four, the last one padded.
pub(crate) fn base64(
    field: &'static str,
    text: &str,
    what: &'static str,
) -> Result<(), ParseError> {
    let data = text.trim_end_matches('=');
    let padding = text.len() - data.len();
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
    chars(field, data, 0..=usize::MAX, is_base64, what)?;
    if padding > 2 || !text.len().is_multiple_of(4) {
        return Err(ParseError::new(field, text.len(), what));
    }
    Ok(())
}

/// Whether words are separated here.
pub(crate) const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// `token-char` of [RFC 8866 §9](https://www.rfc-editor.org/rfc/rfc8866.html#section-9).
pub(crate) const fn is_token_char(c: char) -> bool {
    matches!(c, '!' | '#'..='\'' | '*' | '+' | '-' | '.' | '0'..='9' | 'A'..='Z' | '^'..='~')
}

/// Whether a protocol such as `UDP/TLS/RTP/SAVPF` carries RTP.
pub(crate) fn is_rtp(protocol: &str) -> bool {
    let mut parts = protocol.split('/');
    parts.any(|part| part.eq_ignore_ascii_case("RTP"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_chars_are_those_of_the_grammar() {
        let allowed =
            "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz{|}~";
        for c in (0..=u8::MAX).map(char::from) {
            assert_eq!(is_token_char(c), allowed.contains(c), "{c:?}");
        }
    }

    #[test]
    fn a_failure_names_its_byte() {
        let pair = (number::<u8>("a small number"), next_word("a name"));
        let error = whole("x", " 7  ", pair).unwrap_err();
        assert_eq!((error.column, error.expected), (3, "a name"));
        let error = whole("x", "256 a", number::<u8>("a small number")).unwrap_err();
        assert_eq!((error.column, error.expected), (1, "a small number"));
        let error = whole("x", "7 a", number::<u8>("a small number")).unwrap_err();
        assert_eq!((error.column, error.expected), (3, "the end of the line"));
    }

    #[test]
    fn lines_keep_their_ends() {
        assert_eq!(line("a\r\nb"), ("a", "\r\n", "b"));
        assert_eq!(line("a\nb"), ("a", "\n", "b"));
        assert_eq!(line("\n"), ("", "\n", ""));
        assert_eq!(line("\r\n"), ("", "\r\n", ""));
        assert_eq!(line("a\r"), ("a\r", "", ""));
    }
}
