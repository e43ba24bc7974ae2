//! Who is who, and who speaks first: RFC 8122, RFC 4145, RFC 8842.

use super::{Attribute, hex_byte, word};
use crate::{
    error::ParseError,
    grammar::{Parsed, blanks_before, chars, fail, token, whole},
};
use core::{fmt, hash};
use nom::sequence::separated_pair;

/// `a=fingerprint`: the hash of the certificate
/// ([RFC 8122 §5](https://www.rfc-editor.org/rfc/rfc8122.html#section-5)).
///
/// ```text
/// a=fingerprint:sha-256 2B:05:D0:9B:19:…
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint<'a> {
    /// The hash function, as registered: `sha-256`. Compare it without regard to case.
    pub hash: &'a str,
    /// The hash.
    pub digest: Digest,
}

impl<'a> Fingerprint<'a> {
    /// The hash function every WebRTC endpoint knows.
    pub const SHA_256: &'static str = "sha-256";

    /// A SHA-256 fingerprint.
    pub fn sha_256(digest: [u8; 32]) -> Self {
        Self {
            hash: Self::SHA_256,
            digest: Digest::from(digest),
        }
    }

    /// Whether this is the fingerprint `digest` by the hash function `hash`.
    pub fn matches(&self, hash: &str, digest: &[u8]) -> bool {
        self.hash.eq_ignore_ascii_case(hash) && self.digest.as_bytes() == digest
    }
}

impl<'a> Attribute<'a> for Fingerprint<'a> {
    const NAME: &'static str = "fingerprint";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        let hash = token("a hash function such as sha-256");
        let (hash, digest) = whole(
            Self::NAME,
            value,
            separated_pair(hash, blanks_before("a digest such as 4A:AD:…"), digest),
        )?;
        Ok(Self { hash, digest })
    }

    /// The digits of the hash are capitals, and as many as the function gives.
    fn check(value: &'a str) -> Result<(), ParseError> {
        let Self { hash, digest } = Self::parse(value)?;
        let at = hash.len() + 1;
        let text = value.get(at..).unwrap_or_default();
        let length = [
            ("md2", 16),
            ("md5", 16),
            ("sha-1", 20),
            ("sha-224", 28),
            ("sha-256", 32),
            ("sha-384", 48),
            ("sha-512", 64),
        ];
        let known = length
            .iter()
            .find(|(name, _)| hash.eq_ignore_ascii_case(name));
        if known.is_some_and(|(_, length)| digest.as_bytes().len() != *length) {
            let expected = "a hash as long as its function's";
            return Err(ParseError::new(Self::NAME, value.len(), expected));
        }
        match text.find(|c: char| c.is_ascii_lowercase()) {
            Some(small) => {
                let expected = "capital hexadecimal digits";
                Err(ParseError::new(Self::NAME, at + small, expected))
            }
            None => Ok(()),
        }
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        super::write_word(out, self.hash)?;
        write!(out, " {}", self.digest)
    }
}

/// A hash of at most 64 bytes, written `AB:CD:…`. Small letters are read too, as Chromium does.
#[derive(Clone, Copy)]
pub struct Digest {
    bytes: [u8; Self::MAX],
    len: u8,
}

impl Digest {
    /// The longest there is: SHA-512.
    pub const MAX: usize = 64;

    /// The hash; `None` if it is empty or longer than [`MAX`](Self::MAX).
    pub fn new(digest: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::MAX];
        bytes.get_mut(..digest.len())?.copy_from_slice(digest);
        let len = u8::try_from(digest.len()).ok().filter(|len| *len > 0)?;
        Some(Self { bytes, len })
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len.into()).unwrap_or_default()
    }
}

impl From<[u8; 32]> for Digest {
    fn from(digest: [u8; 32]) -> Self {
        let mut bytes = [0; Self::MAX];
        bytes[..32].copy_from_slice(&digest);
        Self { bytes, len: 32 }
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Digest {}

impl hash::Hash for Digest {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.as_bytes().iter().enumerate() {
            let colon = if i == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn digest(input: &str) -> Parsed<'_, Digest> {
    const EXPECTED: &str = "two hexadecimal digits";
    let mut digest = Digest {
        bytes: [0; Digest::MAX],
        len: 0,
    };
    let mut rest = input;
    loop {
        let Some((byte, after)) = hex_byte(rest) else {
            return fail(rest, EXPECTED);
        };
        let Some(slot) = digest.bytes.get_mut(usize::from(digest.len)) else {
            return fail(rest, "a hash of at most 64 bytes");
        };
        *slot = byte;
        digest.len += 1;
        match after.strip_prefix(':') {
            Some(next) => rest = next,
            None => return Ok((after, digest)),
        }
    }
}

/// `a=setup`: who opens the DTLS association
/// ([RFC 4145 §4](https://www.rfc-editor.org/rfc/rfc4145.html#section-4),
/// [RFC 8842 §5](https://www.rfc-editor.org/rfc/rfc8842.html#section-5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Setup {
    /// The writer opens: DTLS client.
    Active,
    /// The writer waits: DTLS server.
    Passive,
    /// The answerer chooses; every offer says this.
    ActPass,
    /// Nobody opens yet. WebRTC does not use it.
    HoldConn,
}

impl Setup {
    const ALL: [Self; 4] = [Self::Active, Self::Passive, Self::ActPass, Self::HoldConn];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::ActPass => "actpass",
            Self::HoldConn => "holdconn",
        }
    }
}

impl<'a> Attribute<'a> for Setup {
    const NAME: &'static str = "setup";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        const EXPECTED: &str = "active, passive, actpass or holdconn";
        let setup = |input| {
            let (rest, word) = token(EXPECTED)(input)?;
            match Self::ALL.into_iter().find(|setup| setup.as_str() == word) {
                Some(setup) => Ok((rest, setup)),
                None => fail(input, EXPECTED),
            }
        };
        whole(Self::NAME, value, setup)
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

word! {
    /// `a=tls-id`: changes when the DTLS association is to be a new one
    /// ([RFC 8842 §4](https://www.rfc-editor.org/rfc/rfc8842.html#section-4)).
    TlsId, "tls-id", "an identifier of 20 to 255 characters", |value| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_');
        chars(TlsId::NAME, value, 20..=255, allowed, "20 to 255 letters, digits, +, /, - and _")
    }
}

/// `a=connection`: whether the transport of before is kept
/// ([RFC 4145 §5](https://www.rfc-editor.org/rfc/rfc4145.html#section-5)). Not the `c=` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reuse {
    /// `new`: a transport is set up.
    New,
    /// `existing`: the one there is is kept.
    Existing,
}

impl<'a> Attribute<'a> for Reuse {
    const NAME: &'static str = "connection";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        const EXPECTED: &str = "new or existing";
        whole(Self::NAME, value, |input| match token(EXPECTED)(input)? {
            (rest, "new") => Ok((rest, Self::New)),
            (rest, "existing") => Ok((rest, Self::Existing)),
            _ => fail(input, EXPECTED),
        })
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str(match self {
            Self::New => "new",
            Self::Existing => "existing",
        })
    }
}
