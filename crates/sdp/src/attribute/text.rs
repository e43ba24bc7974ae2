//! What a session is about and in which language:
//! [RFC 8866 §6](https://www.rfc-editor.org/rfc/rfc8866.html#section-6); what a stream shows:
//! [RFC 4796](https://www.rfc-editor.org/rfc/rfc4796.html).

use super::{Attribute, numeric};
use crate::{
    error::ParseError,
    grammar::{chars, is_blank, is_token_char, non_empty},
};
use core::fmt;

/// An attribute whose value is a text of any characters.
macro_rules! text {
    ($(#[$doc:meta])* $type:ident, $name:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $type<'a>(pub &'a str);

        impl<'a> Attribute<'a> for $type<'a> {
            const NAME: &'static str = $name;

            fn parse(value: &'a str) -> Result<Self, ParseError> {
                non_empty(Self::NAME, value, $expected).map(Self)
            }

            fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
                if self.0.is_empty() {
                    return Err(fmt::Error);
                }
                out.write_str(self.0)
            }
        }
    };
}

text! {
    /// `a=keywds`: words to find a session by
    /// ([RFC 8866 §6.2](https://www.rfc-editor.org/rfc/rfc8866.html#section-6.2)).
    Keywds, "keywds", "keywords"
}

text! {
    /// `a=tool`: the program that wrote the description
    /// ([RFC 8866 §6.3](https://www.rfc-editor.org/rfc/rfc8866.html#section-6.3)).
    Tool, "tool", "a name and a version"
}

text! {
    /// `a=cat`: the session's category, dot-separated. Obsolete
    /// ([RFC 8866 §6.1](https://www.rfc-editor.org/rfc/rfc8866.html#section-6.1)).
    Cat, "cat", "a category"
}

/// An attribute whose value is a token.
macro_rules! token {
    ($(#[$doc:meta])* $type:ident, $name:literal, $expected:literal) => {
        super::word! {
            $(#[$doc])* $type, $name, $expected,
            |value| chars($name, value, 1..=usize::MAX, is_token_char, $expected)
        }
    };
}

token! {
    /// `a=type`: what kind of conference a session is: `broadcast`, `meeting`, `moderated`, `test`, `H332`
    /// ([RFC 8866 §6.9](https://www.rfc-editor.org/rfc/rfc8866.html#section-6.9)).
    ConferenceType, "type", "a conference type such as meeting"
}

token! {
    /// `a=charset`: the character set of the texts, UTF-8 if not given
    /// ([RFC 8866 §6.10](https://www.rfc-editor.org/rfc/rfc8866.html#section-6.10)).
    Charset, "charset", "a character set such as UTF-8"
}

token! {
    /// `a=orient`: how a whiteboard lies: `portrait`, `landscape`, `seascape`
    /// ([RFC 8866 §6.8](https://www.rfc-editor.org/rfc/rfc8866.html#section-6.8)).
    Orient, "orient", "portrait, landscape or seascape"
}

super::word! {
    /// `a=sdplang`: the language of the description's texts, a tag of RFC 5646
    /// ([RFC 8866 §6.11](https://www.rfc-editor.org/rfc/rfc8866.html#section-6.11)).
    SdpLang, "sdplang", "a language tag such as en", |value| language("sdplang", value)
}

super::word! {
    /// `a=lang`: the language spoken in the session or section, a tag of RFC 5646
    /// ([RFC 8866 §6.12](https://www.rfc-editor.org/rfc/rfc8866.html#section-6.12)).
    Lang, "lang", "a language tag such as de-CH", |value| language("lang", value)
}

/// Subtags of at most eight letters and digits between hyphens.
fn language(field: &'static str, value: &str) -> Result<(), ParseError> {
    const EXPECTED: &str = "a language tag such as de-CH";
    chars(
        field,
        value,
        1..=255,
        |c| c.is_ascii_alphanumeric() || c == '-',
        EXPECTED,
    )?;
    let mut at = 0;
    for subtag in value.split('-') {
        if subtag.is_empty() || subtag.len() > 8 {
            return Err(ParseError::new(field, at, EXPECTED));
        }
        at += subtag.len() + 1;
    }
    Ok(())
}

numeric! {
    /// `a=quality`: how much the writer cares for still pictures over movement, 0 to 10 for video
    /// ([RFC 8866 §6.14](https://www.rfc-editor.org/rfc/rfc8866.html#section-6.14)).
    Quality(u32), "quality", "a number, for video from 0 to 10"
}

/// `a=content`: what a stream shows, one or more of `slides`, `speaker`, `sl` (sign language), `main`, `alt`
/// ([RFC 4796 §5](https://www.rfc-editor.org/rfc/rfc4796.html#section-5)).
///
/// ```
/// use rtckit_sdp::attribute::{Attribute, Content};
///
/// assert!(Content::parse("slides,main")?.contains(Content::SLIDES));
/// # Ok::<(), rtckit_sdp::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Content<'a>(pub &'a str);

impl<'a> Content<'a> {
    /// Presentation slides.
    pub const SLIDES: &'static str = "slides";
    /// The picture of the speaker.
    pub const SPEAKER: &'static str = "speaker";
    /// Sign language.
    pub const SIGN_LANGUAGE: &'static str = "sl";
    /// The main source.
    pub const MAIN: &'static str = "main";
    /// Another source than the main one.
    pub const ALTERNATIVE: &'static str = "alt";

    /// The kinds, one by one.
    pub fn kinds(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.0.split(',').map(|kind| kind.trim_matches(is_blank))
    }

    /// Whether `kind` is among them.
    pub fn contains(&self, kind: &str) -> bool {
        self.kinds().any(|other| other == kind)
    }
}

impl<'a> Attribute<'a> for Content<'a> {
    const NAME: &'static str = "content";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        non_empty(Self::NAME, value, "a kind of content such as slides").map(Self)
    }

    fn check(value: &'a str) -> Result<(), ParseError> {
        let mut at = 0;
        for kind in value.split(',') {
            let expected = "a kind of content such as slides";
            chars(Self::NAME, kind, 1..=usize::MAX, is_token_char, expected)
                .map_err(|error| error.at(0, at))?;
            at += kind.len() + 1;
        }
        Ok(())
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        super::write_word(out, self.0)
    }
}
