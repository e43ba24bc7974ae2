//! Which document a rule is from.

use crate::attribute::Kind;
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

/// The section that has a rule on an attribute, where it is not the one that defines the attribute.
pub(crate) fn of_attribute(kind: Kind, expected: &str) -> Reference {
    use crate::attribute as a;
    match expected {
        a::TCP_TYPE_MISSING => Reference::rfc("6544", "4.5"),
        a::CRYPTO_TAG | TAG_TWICE => Reference::rfc("4568", "4.1"),
        a::KEY_LIFETIME | a::KEY_NAME => Reference::rfc("4568", "6.1"),
        a::CRYPTO_KDR => Reference::rfc("4568", "6.3.1"),
        a::CRYPTO_WSH => Reference::rfc("4568", "6.3.6"),
        a::KEY_OF_28 | a::KEY_OF_44 => Reference::rfc("7714", "12"),
        a::KEY_OF_30 => Reference::rfc("4568", "6.2"),
        a::KEY_OF_38 | a::KEY_OF_46 => Reference::rfc("6188", "4"),
        NO_SUCH_MID | NO_MID => Reference::rfc("5888", "6"),
        IN_TWO_BUNDLES => Reference::rfc("9143", "5"),
        MUX_MISSING => Reference::rfc("8858", "4.2"),
        OPUS => Reference::rfc("7587", "7"),
        URI_TWICE => Reference::rfc("8285", "5"),
        STREAM_TWICE => Reference::rfc("8853", "5.2"),
        _ => kind.reference(),
    }
}

pub(crate) const TAG_TWICE: &str = "a tag that no other a=crypto of this section has";
pub(crate) const NO_SUCH_MID: &str = "the mid of a section";
pub(crate) const NO_MID: &str = "an a=mid in this section: the session has an a=group";
pub(crate) const IN_TWO_BUNDLES: &str = "a mid that is in no other BUNDLE group";
pub(crate) const MUX_MISSING: &str = "a=rtcp-mux beside it";
pub(crate) const URI_TWICE: &str = "an extension that is not in this section already";
pub(crate) const STREAM_TWICE: &str = "a stream that is not in this line already";
pub(crate) const OPUS: &str = "opus/48000/2, for mono too";

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
