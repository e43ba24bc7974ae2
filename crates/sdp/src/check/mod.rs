//! What of a description departs from the RFCs, with its place: the strict mode.

mod fields;
mod section;
mod together;
mod walk;

use crate::{
    decode::{MARK, NO_MARK},
    error::{Explanation, ParseError},
    line::LineEnd,
    reference::{self, Reference},
    session::{Limits, Session},
};
use alloc::vec::Vec;
use core::fmt;

/// What kind of rule a [`Deviation`] breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// A value follows its grammar.
    Syntax,
    /// Lines end in CR LF, the last one too.
    LineEnd,
    /// Words are separated by one space, and nothing else is blank.
    Blanks,
    /// Every line is `<letter>=<value>`, and the letter is one of the RFC's.
    LineType,
    /// Lines stand in the RFC's order.
    LineOrder,
    /// Lines that have to be there are there.
    LineMissing,
    /// Lines that may be there once are there once.
    LineRepeated,
    /// An attribute stands in the session or in a media section, as its document says.
    AttributeLevel,
    /// Attributes that may be there once are there once.
    AttributeRepeated,
    /// What is named was defined: payload types, mids, rids.
    Undefined,
    /// Names are given once: mids, rids, payload types, extension ids.
    Ambiguous,
    /// What is said in one place goes with what is said in another: attributes that need each other, a codec and its clock.
    Consistency,
    /// The text is UTF-8, or of the character set that it names, and no mark stands before it.
    Encoding,
    /// What the RFCs have given up is not written any more.
    Obsolete,
}

impl Rule {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Syntax,
        Self::LineEnd,
        Self::Blanks,
        Self::LineType,
        Self::LineOrder,
        Self::LineMissing,
        Self::LineRepeated,
        Self::AttributeLevel,
        Self::AttributeRepeated,
        Self::Undefined,
        Self::Ambiguous,
        Self::Consistency,
        Self::Encoding,
        Self::Obsolete,
    ];

    /// A name for programs: `line-order`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::LineEnd => "line-end",
            Self::Blanks => "blanks",
            Self::LineType => "line-type",
            Self::LineOrder => "line-order",
            Self::LineMissing => "line-missing",
            Self::LineRepeated => "line-repeated",
            Self::AttributeLevel => "attribute-level",
            Self::AttributeRepeated => "attribute-repeated",
            Self::Undefined => "undefined",
            Self::Ambiguous => "ambiguous",
            Self::Consistency => "consistency",
            Self::Encoding => "encoding",
            Self::Obsolete => "obsolete",
        }
    }

    /// The rule in a sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Syntax => "a value follows its grammar",
            Self::LineEnd => "lines end in CR LF",
            Self::Blanks => "words are separated by one space",
            Self::LineType => "every line is a letter, = and a value",
            Self::LineOrder => "lines stand in their order",
            Self::LineMissing => "lines that have to be there are there",
            Self::LineRepeated => "such a line is there once",
            Self::AttributeLevel => "an attribute stands where its document allows it",
            Self::AttributeRepeated => "such an attribute is there once",
            Self::Undefined => "what is named is defined",
            Self::Ambiguous => "names are given once",
            Self::Consistency => "what is said in one place goes with what is said in another",
            Self::Encoding => "the text is UTF-8, or of the character set that it names",
            Self::Obsolete => "what was given up is not written any more",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A place where a description departs from its RFC.
///
/// ```
/// use rtckit_sdp::{Rule, check};
///
/// let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\na=mid:0 \r\n";
/// let [missing, blank] = check(text)[..] else { panic!() };
/// assert_eq!((missing.rule, missing.line), (Rule::LineMissing, 5));
/// assert_eq!((blank.rule, blank.line, blank.column), (Rule::Blanks, 6, 8));
/// assert!(!blank.refused, "parse takes it as it is");
/// assert_eq!(
///     blank.to_string(),
///     "line 6, column 8, in mid: expected no space at the end (RFC 5888 §4)"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Deviation {
    /// The line, from 1. For a line that is missing, the one before which it should have stood; for a missing `c=`, which may
    /// stand in the session or in the section, the section's `m=` line.
    pub line: u32,
    /// The byte in that line, from 1.
    pub column: u32,
    /// The line type or attribute: `m=`, `candidate`.
    pub field: &'static str,
    /// Which kind of rule is broken.
    pub rule: Rule,
    /// What should have stood there.
    pub expected: &'static str,
    /// The document that has the rule.
    pub reference: Reference,
    /// Whether [`Session::parse`] refuses the text for it; if not, it is forgiven.
    pub refused: bool,
}

impl Deviation {
    /// How many are reported of one text, so that garbage cannot make the list longer than itself.
    pub const MAX: usize = 10_000;

    /// It together with the line of `text` it speaks of, a mark under the place, and what stands there. The line is looked for
    /// from the top: of many deviations in a long text, [`explain_line`](Self::explain_line) is quicker.
    pub fn explain<'t>(&self, text: &'t str) -> Explanation<'t> {
        self.explanation(self.as_error().line_in(text))
    }

    /// The same, by who has the line at hand.
    ///
    /// ```
    /// use rtckit_sdp::check;
    ///
    /// let text = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nt=0 0\n";
    /// let lines: Vec<&str> = text.lines().collect();
    /// for deviation in check(text) {
    ///     let line = lines[deviation.line as usize - 1];
    ///     let explanation = deviation.explain_line(line).to_string();
    ///     assert_eq!(explanation, deviation.explain(text).to_string());
    /// }
    /// ```
    pub fn explain_line<'t>(&self, line: &'t str) -> Explanation<'t> {
        self.explanation(Some(line))
    }

    fn explanation<'t>(&self, line: Option<&'t str>) -> Explanation<'t> {
        let is_missing = self.rule == Rule::LineMissing;
        Explanation::new(self.as_error(), Some(self.reference), line, is_missing)
    }

    /// The same as an error.
    pub const fn as_error(&self) -> ParseError {
        ParseError {
            line: self.line,
            column: self.column,
            field: self.field,
            expected: self.expected,
        }
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.as_error(), self.reference)
    }
}

impl core::error::Error for Deviation {}

/// Everything in which a text departs from the RFCs, in the order of its lines, at most [`Deviation::MAX`].
///
/// It goes on after what [`Session::parse`] would refuse, so that one look is enough. What it looks at:
///
/// - The grammar of [RFC 8866 §9](https://www.rfc-editor.org/rfc/rfc8866.html#section-9): line ends, types, order and number
///   of the lines, and their values. Of URIs, e-mail addresses and domain names, which other documents define, it knows the
///   characters only. Numbers that the grammar leaves unbounded have to fit 64 bits.
/// - The grammar of the attributes of [`Kind`](crate::attribute::Kind), where they may stand and how often. Other attributes
///   have a name and a value, and that is all that is asked of them.
/// - Names: what is named (payload types, mids, rids) is defined, and what may be given once is given once (those, extension
///   ids, tags of keys, the `a=fmtp` of a format, the BUNDLE group of a section).
/// - What has to go together: `ice-ufrag` and `ice-pwd`, `rtcp-mux-only` and `rtcp-mux`, `bundle-only` and port 0 in a group,
///   `group` and `mid`, a key and its suite, Opus and its clock.
///
/// It does not look at what a text means beyond that: whether addresses and ports are of any use, whether sections that share
/// a transport agree, or what an answer may say to an offer, which is for [`offer_answer`](crate::offer_answer).
pub fn check(text: &str) -> Vec<Deviation> {
    let parsed = Session::parse(text);
    if text.len() > Limits::default().bytes {
        // The only thing worth saying of such a text.
        return parsed.err().iter().map(refusal).collect();
    }
    let mut walk = walk::Walk::default();
    let unmarked = text.strip_prefix(MARK);
    let mut rest = unmarked.unwrap_or(text);
    while !rest.is_empty() {
        let (line, end, after) = crate::grammar::line(rest);
        walk.line(
            line,
            match end {
                "\r\n" => LineEnd::CrLf,
                "\n" => LineEnd::Lf,
                _ => LineEnd::Missing,
            },
        );
        rest = after;
    }
    let mut found = walk.finish();
    if unmarked.is_some() {
        let in_first = found.iter_mut().filter(|deviation| deviation.line == 1);
        in_first.for_each(|deviation| deviation.column += MARK.len_utf8() as u32);
        let error = ParseError::new("the text", 0, NO_MARK).at(1, 0);
        let reference = Reference::rfc("8866", "5.1");
        found.insert(0, deviation(Rule::Encoding, error, reference));
    }
    if let Err(error) = parsed {
        let same = |deviation: &&mut Deviation| {
            let of_field = deviation.rule == Rule::LineMissing && deviation.field == error.field;
            (deviation.line, deviation.column) == (error.line, error.column) || of_field
        };
        match found.iter_mut().find(same) {
            Some(deviation) => deviation.refused = true,
            None => found.push(refusal(&error)),
        }
        found.sort_by_key(|deviation| (deviation.line, deviation.column));
    }
    found
}

fn refusal(error: &ParseError) -> Deviation {
    let reference = error.reference().unwrap_or(reference::SDP);
    Deviation {
        refused: true,
        ..deviation(Rule::Syntax, *error, reference)
    }
}

/// What an error says, as something that is forgiven.
pub(crate) const fn deviation(rule: Rule, error: ParseError, reference: Reference) -> Deviation {
    Deviation {
        line: error.line,
        column: error.column,
        field: error.field,
        rule,
        expected: error.expected,
        reference,
        refused: false,
    }
}

impl Session<'_> {
    /// Everything in which this session departs from the RFCs: what [`parse`](Self::parse) forgave, and what later edits
    /// made wrong. Lines count as they are [written](Self#impl-Display-for-Session<'_>). See [`check()`].
    ///
    /// It knows no [`Limits`]: a session that was edited, or read within limits of your own, may be in order and yet too long
    /// for [`parse`](Self::parse).
    pub fn check(&self) -> Vec<Deviation> {
        let mut walk = walk::Walk::default();
        let media = self.media().iter();
        let sections =
            media.flat_map(|media| core::iter::once(media.media_line()).chain(media.lines()));
        let mut lines = self.lines().iter().chain(sections).peekable();
        while let Some(line) = lines.next() {
            let end = match line.end() {
                // It is written with one.
                LineEnd::Missing if lines.peek().is_some() => LineEnd::CrLf,
                end => end,
            };
            walk.line(line.text(), end);
        }
        walk.finish()
    }

    /// Whether [`check()`] finds nothing.
    pub fn is_strict(&self) -> bool {
        self.check().is_empty()
    }
}

impl<'a> Session<'a> {
    /// Reads a text in which [`check()`] finds nothing: the strict mode.
    /// What comes from the field is better read with [`parse`](Self::parse).
    ///
    /// # Errors
    /// The first departure from the RFCs; [`check()`] lists all of them.
    pub fn parse_strict(text: &'a str) -> Result<Self, Deviation> {
        match check(text).first() {
            Some(deviation) => Err(*deviation),
            None => Self::parse(text).map_err(|error| refusal(&error)),
        }
    }
}
