//! Texts that are not UTF-8, or begin with a mark that says they are.

use crate::{
    attribute::{Attribute, Charset},
    check::{self, Deviation, Rule},
    error::ParseError,
    reference::Reference,
    session::{Limits, Session},
};
use alloc::{borrow::Cow, string::String, vec::Vec};

/// What U+FEFF at the beginning of a text is called, and what is said of it.
pub(crate) const MARK: char = '\u{feff}';
pub(crate) const NO_MARK: &str = "v=0 to begin the text, without a byte order mark before it";
const NOT_UTF_8: &str = "UTF-8, or an a=charset that says what it is; it was read as ISO-8859-1";

/// The text that the bytes of a description are.
///
/// Texts are UTF-8, or of the character set that an `a=charset` of the session names, mostly ISO 8859-1
/// ([RFC 8866 §5](https://www.rfc-editor.org/rfc/rfc8866.html#section-5),
/// [§6.10](https://www.rfc-editor.org/rfc/rfc8866.html#section-6.10)); and some cameras write the one and mean the other.
/// So each line that is UTF-8 is taken as that, and each that is not as ISO 8859-1, in which any byte is a character. Of
/// other character sets only ASCII is read rightly. A byte order mark at the beginning is left out. The text is borrowed if
/// there is nothing to change in it, and else at most twice as long as the bytes.
///
/// ```
/// use rtckit_sdp::{Session, check_bytes, decode};
///
/// let camera = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=Einfahrt S\xfcd\r\nt=0 0\r\n";
/// let text = decode(camera);
/// let session = Session::parse(&text)?;
/// assert_eq!(session.name(), "Einfahrt Süd");
///
/// let [deviation] = check_bytes(camera)[..] else { panic!() };
/// assert_eq!((deviation.line, deviation.column), (3, 13));
/// # Ok::<(), rtckit_sdp::ParseError>(())
/// ```
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    if let Ok(text) = core::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match core::str::from_utf8(line) {
            Ok(line) => text.push_str(line),
            Err(_) => text.extend(line.iter().copied().map(char::from)),
        }
    }
    Cow::Owned(text)
}

/// What [`check`](crate::check()) finds in the text that [`decode`] makes of the bytes, and where they are not UTF-8 although
/// no `a=charset` says so, or begin with a byte order mark. Lines and columns are those of that text.
pub fn check_bytes(bytes: &[u8]) -> Vec<Deviation> {
    let text = decode(bytes);
    let mut found = check::check(&text);
    let mut add = |line: usize, column: usize, expected, reference| {
        if found.len() < Deviation::MAX {
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            let error = ParseError::new("the text", column, expected).at(line, 0);
            found.push(check::deviation(Rule::Encoding, error, reference));
        }
    };
    let is_marked = bytes.starts_with("\u{feff}".as_bytes());
    if is_marked {
        add(1, 0, NO_MARK, Reference::rfc("8866", "5.1"));
    }
    if matches!(text, Cow::Owned(_)) && !names_another_charset(&text) {
        let lines = bytes.split(|byte| *byte == b'\n');
        for (index, line) in lines.enumerate() {
            if core::str::from_utf8(line).is_err() {
                let marked = if is_marked && index == 0 { 3 } else { 0 };
                // Before it all is ASCII, so it is the same column in both.
                let column = line.iter().skip(marked).position(|byte| !byte.is_ascii());
                let reference = Reference::rfc("8866", "5");
                add(index + 1, column.unwrap_or(0), NOT_UTF_8, reference);
            }
        }
    }
    found.sort_by_key(|deviation| (deviation.line, deviation.column));
    found
}

/// Whether the session has an `a=charset` other than UTF-8.
fn names_another_charset(text: &str) -> bool {
    let session = text.lines().take_while(|line| !line.starts_with("m="));
    let mut names = session.filter_map(|line| {
        let value = line.strip_prefix("a=")?.strip_prefix(Charset::NAME)?;
        value.strip_prefix(':')
    });
    names.any(|name| !name.trim().eq_ignore_ascii_case("utf-8"))
}

impl<'a> Session<'a> {
    /// Reads bytes that may be no UTF-8: the text that [`decode`] makes of them, borrowed if there was nothing to change.
    /// What is [written](Self#impl-Display-for-Session<'_>) is then that text, in UTF-8, and not the same bytes.
    ///
    /// ```
    /// use rtckit_sdp::Session;
    ///
    /// let session = Session::parse_bytes(b"\xef\xbb\xbfv=0\no=- 1 1 IN IP4 192.0.2.1\ns=Caf\xe9\nt=0 0\n")?;
    /// assert_eq!(session.name(), "Café");
    /// # Ok::<(), rtckit_sdp::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// The text is not SDP, or too much of it, by the default [`Limits`].
    pub fn parse_bytes(bytes: &'a [u8]) -> Result<Self, ParseError> {
        // Of what is too long no more is looked at than shows that it is.
        let most = Limits::default().bytes + MARK.len_utf8() + 1;
        match decode(bytes.get(..most).unwrap_or(bytes)) {
            Cow::Borrowed(text) => Self::parse(text),
            Cow::Owned(text) => Session::parse(&text).map(Session::into_owned),
        }
    }
}
