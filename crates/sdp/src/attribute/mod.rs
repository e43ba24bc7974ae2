//! Typed views of attributes, made on demand from the text of a line.
//!
//! Every type borrows from the text, and can as well be filled in by hand to be written. Numbers that the
//! grammar leaves unbounded have the width their protocol gives them.

mod candidate;
mod clock;
mod crypto;
mod direction;
mod dtls;
mod extmap;
mod fmtp;
mod grouping;
mod ice;
mod imageattr;
mod kind;
mod rtcp;
mod rtpmap;
mod sctp;
mod simulcast;
mod source_filter;
mod ssrc;
mod text;
mod timing;

pub use candidate::{Address, Candidate, CandidateKind, CandidateTransport, TcpType};
pub(crate) use candidate::{TCP_TYPE_MISSING, lacks_foundation};
pub use clock::{Eui48, Eui64, MediaClk, MediaClock, Ptp, PtpDomain, TsRefClk};
pub(crate) use crypto::{
    CRYPTO_KDR, CRYPTO_TAG, CRYPTO_WSH, KEY_LIFETIME, KEY_NAME, KEY_OF_28, KEY_OF_30, KEY_OF_38,
    KEY_OF_44, KEY_OF_46,
};
pub use crypto::{Cryptex, Crypto, CryptoKey, KeyMgmt, Lifetime, Mki, Secret, SessionParameter};
pub use direction::Direction;
pub use dtls::{Digest, Fingerprint, Reuse, Setup, TlsId};
pub use extmap::{ExtMap, ExtMapAllowMixed};
pub use fmtp::{Fmtp, Parameters};
pub use grouping::{BundleOnly, Group, Label, Mid, Msid, MsidSemantic};
pub use ice::{
    EndOfCandidates, IceLite, IceMismatch, IceOptions, IcePacing, IcePwd, IceUfrag,
    RemoteCandidates,
};
pub use imageattr::{ImageAttr, ImageSet, ImageSets, Ratio, Span};
pub use kind::{Kind, Level, Typed};
pub use rtcp::{Feedback, Rtcp, RtcpFb, RtcpMux, RtcpMuxOnly, RtcpRsize, RtcpXr};
pub use rtpmap::RtpMap;
pub use sctp::{MaxMessageSize, SctpInit, SctpMap, SctpPort};
pub use simulcast::{Rid, RidDirection, Simulcast, SimulcastStream};
pub use source_filter::{FilterMode, SourceFilter};
pub use ssrc::{Ssrc, SsrcGroup};
pub use text::{
    Cat, Charset, ConferenceType, Content, Keywds, Lang, Orient, Quality, SdpLang, Tool,
};
pub use timing::{FrameRate, MaxPTime, PTime};

use crate::error::ParseError;
use core::fmt;

/// An attribute rtckit knows the meaning of.
///
/// Implement it for attributes of your own; everything in [`Session`](crate::Session) and
/// [`Media`](crate::Media) then works with them.
///
/// ```
/// use core::fmt;
/// use rtckit_sdp::{ParseError, Session, attribute::Attribute};
///
/// /// `a=control` of RFC 2326: where the server takes commands for a stream.
/// struct Control<'a>(&'a str);
///
/// impl<'a> Attribute<'a> for Control<'a> {
///     const NAME: &'static str = "control";
///
///     fn parse(value: &'a str) -> Result<Self, ParseError> {
///         Ok(Self(value))
///     }
///
///     fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
///         out.write_str(self.0)
///     }
/// }
///
/// let session = Session::parse("v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\nm=audio 9 RTP/AVP 0\na=control:track1\n")?;
/// let control = session.media()[0].attribute::<Control>().unwrap()?;
/// assert_eq!(control.0, "track1");
/// # Ok::<(), ParseError>(())
/// ```
pub trait Attribute<'a>: Sized {
    /// The attribute's name, as it stands between `a=` and `:`. Names are case-sensitive.
    const NAME: &'static str;

    /// Reads what follows the colon; `""` if there is none. Columns of the error count from there.
    fn parse(value: &'a str) -> Result<Self, ParseError>;

    /// Whether the value is exactly as the RFC has it. What [`parse`](Self::parse) takes beyond that, because it is
    /// met in the field, is an error here.
    ///
    /// # Errors
    /// The first departure from the RFC's grammar.
    fn check(value: &'a str) -> Result<(), ParseError> {
        Self::parse(value).map(drop)
    }

    /// Writes what follows the colon. An attribute that writes nothing is written without a colon.
    ///
    /// # Errors
    /// A word is empty or holds a blank, and would not be read back as that word.
    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result;
}

/// An attribute as it stands in the text.
///
/// Its `Debug` hides passwords and keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RawAttribute<'a> {
    /// What stands before the first colon.
    pub name: &'a str,
    /// What stands after it; `None` if there is no colon.
    pub value: Option<&'a str>,
    line: u32,
}

impl<'a> RawAttribute<'a> {
    /// Splits what stands after `a=`.
    pub(crate) fn split(text: &'a str, line: u32) -> Self {
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        Self { name, value, line }
    }

    /// The number of the line in the parsed text, from 1; 0 for an attribute that was added.
    pub const fn line(&self) -> u32 {
        self.line
    }

    /// What attribute it is, if it is one this crate has a type for.
    pub fn kind(&self) -> Option<Kind> {
        Kind::from_name(self.name)
    }

    /// Reads the attribute as whatever its name says it is; `None` if this crate has no type for it.
    ///
    /// # Errors
    /// The value does not follow its grammar; line and column are those of the whole text.
    pub fn typed(&self) -> Option<Result<Typed<'a>, ParseError>> {
        let typed = Typed::parse(self.kind()?, self.value.unwrap_or_default());
        Some(typed.map_err(|error| error.at(self.line, "a=:".len() + self.name.len())))
    }

    /// Whether the value is exactly as its RFC has it, where [`typed`](Self::typed) takes more than that. Attributes this
    /// crate has no type for are as they should be.
    ///
    /// # Errors
    /// The first departure from the RFC's grammar; line and column are those of the whole text.
    pub fn check(&self) -> Result<(), ParseError> {
        let checked = self
            .kind()
            .map(|kind| kind.check(self.value.unwrap_or_default()));
        checked
            .unwrap_or(Ok(()))
            .map_err(|error| error.at(self.line, "a=:".len() + self.name.len()))
    }

    /// Reads the attribute as an `A`, if it has that name.
    ///
    /// # Errors
    /// The value does not follow `A`'s grammar; line and column are those of the whole text.
    pub fn parse<A: Attribute<'a>>(&self) -> Option<Result<A, ParseError>> {
        (self.name == A::NAME).then(|| {
            A::parse(self.value.unwrap_or_default())
                .map_err(|error| error.at(self.line, "a=:".len() + A::NAME.len()))
        })
    }
}

impl fmt::Debug for RawAttribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name, self.value) {
            (IcePwd::NAME | Crypto::NAME | KeyMgmt::NAME, Some(_)) => write!(f, "{}:..", self.name),
            (name, Some(value)) => write!(f, "{name}:{value:?}"),
            (name, None) => f.write_str(name),
        }
    }
}

/// An attribute without a value.
macro_rules! flag {
    ($(#[$doc:meta])* $type:ident, $name:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $type;

        impl<'a> $crate::attribute::Attribute<'a> for $type {
            const NAME: &'static str = $name;

            /// A value, which should not be there, is ignored.
            fn parse(_: &'a str) -> Result<Self, $crate::error::ParseError> {
                Ok(Self)
            }

            fn check(value: &'a str) -> Result<(), $crate::error::ParseError> {
                match value {
                    "" => Ok(()),
                    _ => Err($crate::error::ParseError::new($name, 0, "no value")),
                }
            }

            fn write(&self, _: &mut dyn core::fmt::Write) -> core::fmt::Result {
                Ok(())
            }
        }
    };
}

/// An attribute whose value is one number.
macro_rules! numeric {
    ($(#[$doc:meta])* $type:ident($number:ty), $name:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub $number);

        impl<'a> $crate::attribute::Attribute<'a> for $type {
            const NAME: &'static str = $name;

            fn parse(value: &'a str) -> Result<Self, $crate::error::ParseError> {
                $crate::grammar::whole(Self::NAME, value, $crate::grammar::number($expected)).map(Self)
            }

            fn write(&self, out: &mut dyn core::fmt::Write) -> core::fmt::Result {
                write!(out, "{}", self.0)
            }
        }
    };
}

/// An attribute whose value is one word.
macro_rules! word {
    ($(#[$doc:meta])* $type:ident, $name:literal, $expected:literal $(, $check:expr)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $type<'a>(pub &'a str);

        impl<'a> $crate::attribute::Attribute<'a> for $type<'a> {
            const NAME: &'static str = $name;

            fn parse(value: &'a str) -> Result<Self, $crate::error::ParseError> {
                $crate::grammar::whole(Self::NAME, value, $crate::grammar::word($expected)).map(Self)
            }

            $(
                fn check(value: &'a str) -> Result<(), $crate::error::ParseError> {
                    let check: fn(&'a str) -> Result<(), $crate::error::ParseError> = $check;
                    check(value)
                }
            )?

            fn write(&self, out: &mut dyn core::fmt::Write) -> core::fmt::Result {
                $crate::attribute::write_word(out, self.0)
            }
        }
    };
}

pub(crate) use {flag, numeric, word};

/// Writes a word, if it is one.
pub(crate) fn write_word(out: &mut dyn fmt::Write, word: &str) -> fmt::Result {
    if word.is_empty() || word.contains(crate::grammar::is_blank) {
        return Err(fmt::Error);
    }
    out.write_str(word)
}

/// Writes a word after a blank.
pub(crate) fn write_next(out: &mut dyn fmt::Write, word: &str) -> fmt::Result {
    out.write_char(' ')?;
    write_word(out, word)
}

/// The byte that two hexadecimal digits stand for, and what follows them.
pub(crate) fn hex_byte(input: &str) -> Option<(u8, &str)> {
    let (digits, rest) = input.split_at_checked(2)?;
    let all_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    let byte = u8::from_str_radix(digits, 16).ok()?;
    all_hex.then_some((byte, rest))
}

/// Reads words until the value ends.
pub(crate) fn words<'a>(input: &'a str) -> crate::grammar::Parsed<'a, alloc::vec::Vec<&'a str>> {
    let words = input
        .split(crate::grammar::is_blank)
        .filter(|word| !word.is_empty())
        .collect();
    Ok(("", words))
}
