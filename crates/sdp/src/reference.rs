//! Which document a rule is from.

use core::fmt;

/// A section of the document that a rule is from: what to read when a description breaks it.
///
/// ```
/// use rtckit_sdp::Reference;
///
/// let reference = Reference::rfc("8866", "5.14");
/// assert_eq!(reference.to_string(), "RFC 8866 §5.14");
/// assert_eq!(reference.url().unwrap(), "https://www.rfc-editor.org/rfc/rfc8866.html#section-5.14");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// The number of an RFC, such as `8866`, or the name of a draft.
    pub document: &'static str,
    /// The section; empty for the whole document.
    pub section: &'static str,
}

impl Reference {
    /// A section of an RFC, or of a draft by its name.
    pub const fn rfc(document: &'static str, section: &'static str) -> Self {
        Self { document, section }
    }

    /// Whether the document is an RFC, and not a draft.
    pub fn is_rfc(&self) -> bool {
        self.document.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// Where it can be read, for an RFC.
    pub fn url(&self) -> Option<alloc::string::String> {
        let Self { document, section } = self;
        let anchor = if section.is_empty() { "" } else { "#section-" };
        self.is_rfc().then(|| {
            alloc::format!("https://www.rfc-editor.org/rfc/rfc{document}.html{anchor}{section}")
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_rfc() {
            f.write_str("RFC ")?;
        }
        f.write_str(self.document)?;
        if self.section.is_empty() {
            return Ok(());
        }
        write!(f, " §{}", self.section)
    }
}

/// The grammar as a whole.
pub(crate) const SDP: Reference = Reference::rfc("8866", "5");

/// The section that defines a line type, written `m=`.
pub(crate) fn of_line_type(field: &str) -> Option<Reference> {
    let section = match field.as_bytes() {
        [kind, b'='] => match kind {
            b'v' => "5.1",
            b'o' => "5.2",
            b's' => "5.3",
            b'i' => "5.4",
            b'u' => "5.5",
            b'e' | b'p' => "5.6",
            b'c' => "5.7",
            b'b' => "5.8",
            b't' => "5.9",
            b'r' => "5.10",
            b'z' => "5.11",
            b'k' => "5.12",
            b'a' => "5.13",
            b'm' => "5.14",
            _ => "5",
        },
        _ if matches!(field, "the line" | "the text") => "5",
        _ => return None,
    };
    Some(Reference::rfc("8866", section))
}
