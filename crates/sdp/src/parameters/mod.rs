//! What the codecs' own documents say `a=fmtp` may say, typed.
//!
//! [`CodecParameters::parse`] reads the text of an `a=fmtp` by the name of its codec; each type can be read by itself, made
//! by hand, and written with `Display`. What its document does not know is kept in `other` and written after the rest.
//!
//! ```
//! use rtckit_sdp::{attribute::Parameters, parameters::{H264, H264Profile}};
//!
//! let text = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";
//! let h264 = H264::parse(Parameters(text))?;
//! assert_eq!(h264.profile(), H264Profile::ConstrainedBaseline);
//! assert_eq!(h264.level().to_string(), "3.1");
//! assert!(h264.allows_level_asymmetry());
//! # Ok::<(), rtckit_sdp::ParseError>(())
//! ```

mod audio;
mod h264;
mod rtx;
mod video;

pub use audio::{Opus, Red, TelephoneEvent};
pub use h264::{H264, H264Level, H264Profile, ProfileLevelId};
pub use rtx::{RidLimits, Rtx};
pub use video::{Av1, H265, InteropConstraints, Vp8, Vp9};

use crate::{attribute::Parameters, error::ParseError, grammar::offset_in, reference::Reference};
use core::fmt;

/// The parameters of a codec, by its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodecParameters<'a> {
    /// `H264`: [RFC 6184 §8.1](https://www.rfc-editor.org/rfc/rfc6184.html#section-8.1).
    H264(H264<'a>),
    /// `H265`: [RFC 7798 §7.1](https://www.rfc-editor.org/rfc/rfc7798.html#section-7.1).
    H265(H265<'a>),
    /// `VP8`: [RFC 7741 §6.1](https://www.rfc-editor.org/rfc/rfc7741.html#section-6.1).
    Vp8(Vp8<'a>),
    /// `VP9`: [RFC 9628 §6](https://www.rfc-editor.org/rfc/rfc9628.html#section-6).
    Vp9(Vp9<'a>),
    /// `AV1`: the AV1 RTP payload format, §7.2.
    Av1(Av1<'a>),
    /// `opus`: [RFC 7587 §6.1](https://www.rfc-editor.org/rfc/rfc7587.html#section-6.1).
    Opus(Opus<'a>),
    /// `rtx`: [RFC 4588 §8.1](https://www.rfc-editor.org/rfc/rfc4588.html#section-8.1).
    Rtx(Rtx<'a>),
    /// `red`: [RFC 2198 §5](https://www.rfc-editor.org/rfc/rfc2198.html#section-5).
    Red(Red),
    /// `telephone-event`: [RFC 4733 §2.4.1](https://www.rfc-editor.org/rfc/rfc4733.html#section-2.4.1).
    TelephoneEvent(TelephoneEvent),
    /// Another codec, whose parameters are left as they stand.
    Other(Parameters<'a>),
}

impl<'a> CodecParameters<'a> {
    /// Reads the parameters of the codec of this name, whatever its case.
    ///
    /// # Errors
    /// A parameter that the codec's document defines has another form. Columns count from the beginning of the text.
    pub fn parse(encoding: &str, parameters: Parameters<'a>) -> Result<Self, ParseError> {
        let is = |name: &str| encoding.eq_ignore_ascii_case(name);
        Ok(match () {
            () if is("H264") => Self::H264(H264::parse(parameters)?),
            () if is("H265") => Self::H265(H265::parse(parameters)?),
            () if is("VP8") => Self::Vp8(Vp8::parse(parameters)?),
            () if is("VP9") => Self::Vp9(Vp9::parse(parameters)?),
            () if is("AV1") || is("AV1X") => Self::Av1(Av1::parse(parameters)?),
            () if is("opus") => Self::Opus(Opus::parse(parameters)?),
            () if is("rtx") => Self::Rtx(Rtx::parse(parameters)?),
            () if is("red") => Self::Red(Red::parse(parameters)?),
            () if is("telephone-event") => Self::TelephoneEvent(TelephoneEvent::parse(parameters)?),
            () => Self::Other(parameters),
        })
    }

    /// The same without the parameters that have another form, unless they say what the configuration is.
    pub(crate) fn lenient(encoding: &str, parameters: Parameters<'a>) -> Result<Self, ParseError> {
        let is = |name: &str| encoding.eq_ignore_ascii_case(name);
        Ok(match () {
            () if is("H264") => Self::H264(H264::lenient(parameters)?),
            () if is("H265") => Self::H265(H265::lenient(parameters)?),
            () if is("VP8") => Self::Vp8(Vp8::lenient(parameters)?),
            () if is("VP9") => Self::Vp9(Vp9::lenient(parameters)?),
            () if is("AV1") || is("AV1X") => Self::Av1(Av1::lenient(parameters)?),
            () if is("opus") => Self::Opus(Opus::lenient(parameters)?),
            () => Self::parse(encoding, parameters)?,
        })
    }

    /// What holds for a codec without an `a=fmtp`. For `rtx` and `red`, which cannot do without, they are `Other`.
    pub fn none(encoding: &str) -> Self {
        let is = |name: &str| encoding.eq_ignore_ascii_case(name);
        let nothing = Parameters("");
        match () {
            () if is("telephone-event") => Self::TelephoneEvent(TelephoneEvent::default()),
            () if is("rtx") || is("red") => Self::Other(nothing),
            () => Self::parse(encoding, nothing).unwrap_or(Self::Other(nothing)),
        }
    }
}

impl fmt::Display for CodecParameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::H264(parameters) => parameters.fmt(f),
            Self::H265(parameters) => parameters.fmt(f),
            Self::Vp8(parameters) => parameters.fmt(f),
            Self::Vp9(parameters) => parameters.fmt(f),
            Self::Av1(parameters) => parameters.fmt(f),
            Self::Opus(parameters) => parameters.fmt(f),
            Self::Rtx(parameters) => parameters.fmt(f),
            Self::Red(parameters) => parameters.fmt(f),
            Self::TelephoneEvent(parameters) => parameters.fmt(f),
            Self::Other(parameters) => parameters.fmt(f),
        }
    }
}

/// Whether the parameter says which of several codecs of one name it is: see
/// [`same_codec`](crate::offer_answer::same_codec).
fn is_configuration(key: &str) -> bool {
    const KEYS: &[&str] = &[
        "profile-level-id",
        "packetization-mode",
        "profile-space",
        "profile-id",
        "tier-flag",
        "interop-constraints",
        "profile-compatibility-indicator",
        "tx-mode",
        "profile",
        "tier",
    ];
    KEYS.iter().any(|known| key.eq_ignore_ascii_case(known))
}

/// The document that defines a codec's parameters.
pub(crate) fn reference(encoding: &str) -> Option<Reference> {
    const DOCUMENTS: &[(&str, &str, &str)] = &[
        ("H264", "6184", "8.1"),
        ("H265", "7798", "7.1"),
        ("VP8", "7741", "6.1"),
        ("VP9", "9628", "6"),
        ("AV1", "av1-rtp-spec", "7.2"),
        ("opus", "7587", "6.1"),
        ("rtx", "4588", "8.1"),
        ("red", "2198", "5"),
        ("telephone-event", "4733", "2.4.1"),
    ];
    let mut documents = DOCUMENTS.iter();
    let document = documents.find(|(name, ..)| name.eq_ignore_ascii_case(encoding));
    document.map(|(_, document, section)| Reference::rfc(document, section))
}

/// What a parameter's value may be.
trait Value<'a>: Sized {
    fn read(text: &'a str) -> Option<Self>;
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

impl<'a> Value<'a> for &'a str {
    fn read(text: &'a str) -> Option<Self> {
        (!text.is_empty()).then_some(text)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

/// `0` or `1`.
impl Value<'_> for bool {
    fn read(text: &str) -> Option<Self> {
        match text {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self { "1" } else { "0" })
    }
}

macro_rules! number_values {
    ($($number:ty)*) => {$(
        impl Value<'_> for $number {
            fn read(text: &str) -> Option<Self> {
                let digits = text.bytes().all(|byte| byte.is_ascii_digit());
                text.parse().ok().filter(|_| digits)
            }

            fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
    )*};
}

number_values!(u8 u32 u64);

/// Makes a type of `key=value` parameters: `field: Type = "key", |value| whether it is allowed, "what is expected"`. After
/// `bare` stands which keys may be without a value; those go to `other`.
macro_rules! parameters {
    (
        $(#[$doc:meta])*
        $name:ident<'a> $(, bare $bare:expr;)? {
            $($(#[$field_doc:meta])* $field:ident: $type:ty = $key:literal, $allowed:expr, $expected:literal;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $name<'a> {
            $($(#[$field_doc])* pub $field: Option<$type>,)*
            /// What the document does not know, in its order.
            pub other: alloc::vec::Vec<(&'a str, Option<&'a str>)>,
        }

        impl<'a> $name<'a> {
            /// Reads the text of an `a=fmtp`. Of a parameter that is given twice the first counts.
            ///
            /// # Errors
            /// A value is not what the document has. Columns count from the beginning of the text.
            pub fn parse(
                parameters: $crate::attribute::Parameters<'a>,
            ) -> Result<Self, $crate::error::ParseError> {
                Self::read_but(parameters, |_| false)
            }

            /// The same without what cannot be read, but for what must be alike on both sides.
            #[allow(dead_code, reason = "not all of these are parameters of a codec")]
            pub(crate) fn lenient(
                parameters: $crate::attribute::Parameters<'a>,
            ) -> Result<Self, $crate::error::ParseError> {
                Self::read_but(parameters, |key| !$crate::parameters::is_configuration(key))
            }

            fn read_but(
                parameters: $crate::attribute::Parameters<'a>,
                skip: fn(&str) -> bool,
            ) -> Result<Self, $crate::error::ParseError> {
                let mut read = Self::default();
                for (key, value) in parameters.iter() {
                    $(
                        let bare: fn(&str) -> bool = $bare;
                        if value.is_none() && bare(key) {
                            read.other.push((key, None));
                            continue;
                        }
                    )?
                    $(
                        if key.eq_ignore_ascii_case($key) {
                            if read.$field.is_some() {
                                continue;
                            }
                            let value = value.unwrap_or_default();
                            let allowed: fn(&$type) -> bool = $allowed;
                            match <$type as $crate::parameters::Value<'a>>::read(value).filter(allowed) {
                                Some(value) => read.$field = Some(value),
                                None if skip(key) => {}
                                None => {
                                    let at = if value.is_empty() { key } else { value };
                                    return Err($crate::parameters::error(parameters, at, $expected));
                                }
                            }
                            continue;
                        }
                    )*
                    read.other.push((key, value));
                }
                Ok(read)
            }
        }

        /// The text of an `a=fmtp`.
        impl<'a> core::fmt::Display for $name<'a> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let mut semicolon = "";
                $(
                    if let Some(value) = &self.$field {
                        write!(f, "{semicolon}{}=", $key)?;
                        <$type as $crate::parameters::Value<'a>>::write(value, f)?;
                        semicolon = ";";
                    }
                )*
                for (key, value) in &self.other {
                    write!(f, "{semicolon}{key}")?;
                    value.map_or(Ok(()), |value| write!(f, "={value}"))?;
                    semicolon = ";";
                }
                Ok(())
            }
        }
    };
}

use parameters;

/// An error at `part`, which was cut out of the parameters.
fn error(parameters: Parameters<'_>, part: &str, expected: &'static str) -> ParseError {
    ParseError::new("fmtp", offset_in(parameters.0, part), expected)
}
