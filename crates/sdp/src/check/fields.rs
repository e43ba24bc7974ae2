//! The grammar of the lines where the parsers take more than that.

use crate::{
    attribute::{Kind, lacks_foundation},
    error::ParseError,
    field::{Bandwidth, Connection, Key, Origin, Repeat, Timing, Zone},
    grammar::{chars, is_blank, is_integer, is_token_char, non_empty, offset_in, require},
};

/// Checks the value of a line that is neither attribute nor `m=`.
pub(super) fn check(kind: char, value: &str) -> Result<(), ParseError> {
    match kind {
        'v' => match value {
            "0" => Ok(()),
            _ => Err(ParseError::new("v=", 0, "0: no other version is defined")),
        },
        'o' => Origin::check(value),
        's' => non_empty_text("s=", value, "a name, or - for none"),
        'i' => non_empty_text("i=", value, "a text"),
        'u' => uri("u=", value),
        'e' => address(
            "e=",
            value,
            "an address such as jane@example.com (Jane Doe)",
            email,
        ),
        'p' => address("p=", value, "a number such as +1 617 555-6011", phone),
        'c' => Connection::check(value),
        'b' => Bandwidth::parse(value).map(drop),
        't' => Timing::check(value),
        'r' => Repeat::check(value),
        'z' => Zone::check(value),
        'k' => Key::check(value),
        _ => Ok(()),
    }
}

fn non_empty_text(
    field: &'static str,
    value: &str,
    expected: &'static str,
) -> Result<(), ParseError> {
    match value {
        "" => Err(ParseError::new(field, 0, expected)),
        _ => Ok(()),
    }
}

pub(super) fn uri(field: &'static str, value: &str) -> Result<(), ParseError> {
    const EXPECTED: &str = "a URI such as https://www.example.com/";
    non_empty(field, value, EXPECTED)?;
    // The characters of RFC 3986 §2; others are written with %.
    let allowed = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c);
    chars(field, value, 1..=usize::MAX, allowed, EXPECTED)
}

/// `what (name)`, `name <what>` or `what`.
fn address(
    field: &'static str,
    value: &str,
    expected: &'static str,
    is_one: fn(&str) -> bool,
) -> Result<(), ParseError> {
    let safe = |text: &str| !text.is_empty() && !text.contains(['(', ')', '<', '>']);
    // A number may itself end in blanks, and needs none around it.
    let spaced = |text: &str| field == "p=" || text.ends_with(' ');
    let well_formed = if let Some(start) = value.strip_suffix('>') {
        let parts = start.split_once('<');
        parts.is_some_and(|(name, one)| safe(name) && spaced(name) && is_one(one))
    } else if let Some(start) = value.strip_suffix(')') {
        let parts = start.split_once('(');
        parts.is_some_and(|(one, name)| {
            safe(name) && spaced(one) && is_one(one.trim_end_matches(' '))
        })
    } else {
        is_one(value)
    };
    match well_formed {
        true => Ok(()),
        false => Err(ParseError::new(field, 0, expected)),
    }
}

fn email(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(user, host)| {
        let is_stop = |c: char| c.is_control() || c == ' ' || "()<>".contains(c);
        !user.is_empty() && !host.is_empty() && !text.contains(is_stop)
    })
}

fn phone(text: &str) -> bool {
    let number = text.strip_prefix('+').unwrap_or(text);
    number.starts_with(|c: char| c.is_ascii_digit())
        && number.len() > 1
        && number
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-'))
}

/// `media SP port ["/" integer] SP proto 1*(SP fmt)`, beyond what the parser sees to: the number of ports is one, protocol
/// and formats are tokens.
pub(super) fn media(value: &str) -> Result<(), ParseError> {
    let mut words = value
        .split(is_blank)
        .filter(|word| !word.is_empty())
        .skip(1);
    let need = |is_right, part, what| require(is_right, "m=", value, part, what);
    let port = words.next().unwrap_or_default();
    if let Some((_, count)) = port.split_once('/') {
        let expected = "a number of ports from 1, without a leading 0";
        need(is_integer(count), count, expected)?;
    }
    let token = |word, expected| {
        chars("m=", word, 1..=usize::MAX, is_token_char, expected)
            .map_err(|error| error.at(0, offset_in(value, word)))
    };
    let mut parts = words.next().unwrap_or_default().split('/');
    parts.try_for_each(|part| token(part, "a protocol of tokens between slashes"))?;
    words.try_for_each(|format| token(format, "a format of token characters"))
}

/// The first blank that is not a single space between words.
pub(super) fn stray_blank(value: &str) -> Option<(usize, &'static str)> {
    if value.starts_with(is_blank) {
        return Some((0, "no space at the beginning"));
    }
    stray_inside(value).or_else(|| stray_end(value))
}

fn stray_end(value: &str) -> Option<(usize, &'static str)> {
    let trimmed = value.trim_end_matches(is_blank);
    (trimmed.len() < value.len()).then_some((trimmed.len(), "no space at the end"))
}

fn stray_inside(value: &str) -> Option<(usize, &'static str)> {
    let trimmed = value.trim_end_matches(is_blank);
    let bytes = trimmed.as_bytes();
    if let Some(tab) = bytes.iter().position(|byte| *byte == b'\t') {
        return Some((tab, "a space, not a tab"));
    }
    let twice = bytes.windows(2).position(|pair| pair == b"  ")?;
    Some((twice + 1, "one space"))
}

/// The same in the value of an attribute, some of which have blanks of their own.
pub(super) fn stray_blank_in(kind: Kind, value: &str) -> Option<(usize, &'static str)> {
    let leading = match kind {
        // The RFC's grammar has a space there.
        Kind::SourceFilter if !value.starts_with(' ') => return Some((0, "a space")),
        // And the draft's examples.
        Kind::SourceFilter | Kind::MsidSemantic => value.strip_prefix(' ').map_or(0, |_| 1),
        // It is the foundation that is missing.
        Kind::Candidate if lacks_foundation(value) => 1,
        _ => 0,
    };
    let inner = value.get(leading..).unwrap_or_default();
    let stray = match kind {
        Kind::Keywds | Kind::Tool | Kind::Cat => return None,
        // Runs of white space are allowed, or the text is the format's own.
        Kind::Crypto | Kind::ImageAttr | Kind::Fmtp | Kind::Ssrc | Kind::ExtMap => {
            let leading = inner.starts_with(is_blank);
            let leading = leading.then_some((0, "no space at the beginning"));
            leading.or_else(|| stray_end(inner).filter(|_| !ends_in_bytes(kind, inner)))
        }
        Kind::RtcpFb if ends_in_bytes(kind, inner) => stray_blank(inner.trim_end_matches(is_blank)),
        _ => stray_blank(inner),
    };
    stray.map(|(at, expected)| (at + leading, expected))
}

/// Whether a value ends in a `byte-string`, which may itself end in blanks: senders of SMPTE ST 2110 end their lists of
/// parameters in "; ".
fn ends_in_bytes(kind: Kind, value: &str) -> bool {
    let words = || value.split(is_blank).filter(|word| !word.is_empty());
    match kind {
        Kind::Fmtp => words().nth(1).is_some(),
        Kind::Ssrc => words().nth(1).is_some_and(|word| word.contains(':')),
        Kind::ExtMap => words().nth(2).is_some(),
        Kind::RtcpFb => words().nth(3).is_some(),
        _ => false,
    }
}
