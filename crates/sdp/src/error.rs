//! What can go wrong: with a text that was read, and with a value that was to be written.

use crate::{
    attribute::Kind,
    check::Deviation,
    decode::{MARK, NO_MARK},
    grammar::is_blank,
    reference::{self, Reference},
};
use core::fmt::{self, Write as _};

/// A text that is not SDP, and where it stopped being it.
///
/// `line` and `column` count from 1, the column in bytes. A value parsed by itself, outside a session (a
/// trickled candidate, say), has `line` 0 and counts its columns from its own first byte. After edits the
/// line is still that of the text as it was parsed.
///
/// ```
/// let text = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio nine RTP/AVP 0\r\n";
/// let error = rtckit_sdp::Session::parse(text).unwrap_err();
/// assert_eq!((error.line, error.column), (5, 9));
/// assert_eq!(
///     error.explain(text).to_string(),
///     "line 5, column 9, in m=: expected a port from 0 to 65535 (RFC 8866 §5.14)\n\
///      5 | m=audio nine RTP/AVP 0\n\
///      \x20 |         ^ found nine",
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ParseError {
    /// The line, from 1; 0 if the value was parsed outside a session.
    pub line: u32,
    /// The byte in that line, from 1.
    pub column: u32,
    /// The line type or attribute that was being read: `m=`, `candidate`.
    pub field: &'static str,
    /// What should have stood there.
    pub expected: &'static str,
}

impl ParseError {
    pub(crate) const fn new(field: &'static str, offset: usize, expected: &'static str) -> Self {
        Self {
            line: 0,
            column: clamp(offset).saturating_add(1),
            field,
            expected,
        }
    }

    /// The same error, for a value that begins `offset` bytes into line `line`.
    pub(crate) const fn at(mut self, line: u32, offset: usize) -> Self {
        self.line = line;
        self.column = self.column.saturating_add(clamp(offset));
        self
    }

    /// The error together with the line of `text` it speaks of and a mark under the place. `text` is what
    /// was given to the parser. Long lines are cut around the place.
    pub fn explain<'t>(&self, text: &'t str) -> Explanation<'t> {
        Explanation::new(*self, self.reference(), self.line_in(text), false)
    }

    /// The same, by who has the line at hand: [`explain`](Self::explain) looks for it from the top of the text.
    pub fn explain_line<'t>(&self, line: &'t str) -> Explanation<'t> {
        Explanation::new(*self, self.reference(), Some(line), false)
    }

    /// The document that has the rule, for line types and the attributes of this crate.
    pub fn reference(&self) -> Option<Reference> {
        let kind = Kind::from_name(self.field);
        let attribute = kind.map(|kind| reference::of_attribute(kind, self.expected));
        attribute.or_else(|| reference::of_line_type(self.field))
    }

    /// What stands at the place instead: a word of `text`, which is what was given to the parser; empty if the line ends
    /// there. The line is looked for from the top, see [`found_in_line`](Self::found_in_line).
    pub fn found<'t>(&self, text: &'t str) -> &'t str {
        self.found_in_line(self.line_in(text).unwrap_or_default())
    }

    /// The same, by who has the line at hand.
    pub fn found_in_line<'t>(&self, line: &'t str) -> &'t str {
        let offset = (self.column as usize).saturating_sub(1);
        let rest = line.get(offset..).unwrap_or_default();
        let end = rest.find(is_blank).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    /// The line it speaks of.
    pub(crate) fn line_in<'t>(&self, text: &'t str) -> Option<&'t str> {
        text.lines().nth(self.line.max(1) as usize - 1)
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, ", self.line)?;
        }
        let Self {
            column,
            field,
            expected,
            ..
        } = self;
        write!(f, "column {column}, in {field}: expected {expected}")
    }
}

impl core::error::Error for ParseError {}

/// A [`ParseError`] shown in its text: see [`ParseError::explain`].
#[derive(Clone, Copy, Debug)]
pub struct Explanation<'t> {
    error: ParseError,
    reference: Option<Reference>,
    line: Option<&'t str>,
    /// Whether a line is missing, and what stands there has nothing to do with it.
    is_missing: bool,
}

impl<'t> Explanation<'t> {
    pub(crate) const fn new(
        error: ParseError,
        reference: Option<Reference>,
        line: Option<&'t str>,
        is_missing: bool,
    ) -> Self {
        Self {
            error,
            reference,
            line,
            is_missing,
        }
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// How many characters are shown on either side of the place.
        const AROUND: usize = 60;

        /// How much is shown of a word that should not be there.
        const WORD: usize = 24;

        write!(f, "{}", self.error)?;
        if let Some(reference) = self.reference {
            write!(f, " ({reference})")?;
        }
        let number = self.error.line.max(1);
        let Some(line) = self.line else {
            return Ok(());
        };
        let offset = (self.error.column as usize).saturating_sub(1);
        let place = line.char_indices().take_while(|(i, _)| *i < offset).count();
        // It has no shape, and would move the mark.
        let (line, place) = match line.strip_prefix(MARK) {
            Some(line) => (line, place.saturating_sub(1)),
            None => (line, place),
        };
        let from = place.saturating_sub(AROUND);
        write!(f, "\n{number} | ")?;
        for char in line.chars().skip(from).take(2 * AROUND) {
            // A tab would move the mark, a control character the terminal.
            let shown = if char.is_control() { ' ' } else { char };
            f.write_char(if is_unseen(shown) { '\u{fffd}' } else { shown })?;
        }
        let margin = number.ilog10() as usize + 2;
        write!(f, "\n{:margin$}| {:mark$}^", "", "", mark = place - from)?;
        if self.is_missing {
            return f.write_str(" missing here");
        }
        if self.error.expected == NO_MARK {
            return f.write_str(" a byte order mark stands before it");
        }
        let rest = self.line.and_then(|line| line.get(offset..));
        let rest = rest.unwrap_or_default();
        f.write_str(match rest.chars().next() {
            None => " the line ends here",
            Some(' ') => " found a space",
            Some('\t') => " found a tab",
            Some('\r') => return f.write_str(" found CR"),
            Some('\0') => return f.write_str(" found NUL"),
            Some(_) => " found ",
        })?;
        let found = self.error.found_in_line(self.line.unwrap_or_default());
        let printable = found.chars().filter(|char| !char.is_control());
        for char in printable.clone().take(WORD) {
            f.write_char(if is_unseen(char) { '\u{fffd}' } else { char })?;
        }
        f.write_str(if printable.count() > WORD { "…" } else { "" })
    }
}

/// Characters that have no shape of their own, and may turn around or hide what stands beside them: the format characters of
/// Unicode (category Cf), and its line and paragraph separators.
const fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
        | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}'..='\u{e007f}')
}

/// A value that cannot be written as SDP: the caller's mistake. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// The value of this line type or attribute holds a CR, LF or NUL, and would end its line early.
    LineBreak(&'static str),
    /// A word of this line type or attribute is empty, or holds a space, and would be read as another word.
    Word(&'static str),
    /// An attribute's name is not a token
    /// ([RFC 8866 §9](https://www.rfc-editor.org/rfc/rfc8866.html#section-9)).
    AttributeName,
    /// There is no such type of line, or it is not added this way.
    LineType(char),
    /// What was written could not be read back.
    Unreadable(ParseError),
    /// What was built departs from its RFC; line and column are those of the text that would have been written.
    Deviation(Deviation),
    /// What was made would exceed the usual [`Limits`](crate::Limits), and no one need read it.
    TooLong,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LineBreak(field) => write!(f, "the value of {field} holds a line break or NUL"),
            Self::Word(field) => write!(f, "a word of {field} is empty or holds a space"),
            Self::AttributeName => f.write_str("the attribute's name is not a token"),
            Self::LineType(kind) => write!(f, "no line of type {kind:?} can be added here"),
            Self::Unreadable(error) => write!(f, "the value would not be read back: {error}"),
            Self::Deviation(deviation) => write!(f, "the session would not be valid: {deviation}"),
            Self::TooLong => f.write_str("the text would be longer than others need read"),
        }
    }
}

impl core::error::Error for Error {}

const fn clamp(offset: usize) -> u32 {
    if offset > u32::MAX as usize {
        u32::MAX
    } else {
        offset as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::ToString};

    #[test]
    fn explains_with_a_mark_under_the_place() {
        let error = ParseError::new("mid", 2, "a token").at(2, 6);
        assert_eq!(
            error.explain("v=0\na=mid:é (\n").to_string(),
            "line 2, column 9, in mid: expected a token (RFC 5888 §4)\n2 | a=mid:é (\n  |        ^ found a space"
        );
    }

    #[test]
    fn cuts_long_lines_and_survives_a_foreign_text() {
        let error = ParseError::new("fmtp", 500, "a format").at(1, 0);
        let shown = error.explain(&"x".repeat(1000)).to_string();
        assert!(shown.len() < 350, "{shown}");
        assert!(shown.ends_with(&format!("| {}^ found {}…", " ".repeat(60), "x".repeat(24))));
        assert!(
            error
                .explain("")
                .to_string()
                .starts_with(&error.to_string())
        );
    }
}
