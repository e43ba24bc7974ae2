//! SRTP keys in the clear: [RFC 4568](https://www.rfc-editor.org/rfc/rfc4568.html), and key management messages:
//! [RFC 4567](https://www.rfc-editor.org/rfc/rfc4567.html). WebRTC forbids both (RFC 8827 §6.5); SIP lives on them.

use super::{Attribute, flag, write_next, write_word};
use crate::{
    error::ParseError,
    grammar::{
        Parsed, base64, blanks0, chars, fail, is_blank, is_integer, is_zero_based_integer,
        next_word, number, offset_in, require, token, whole, word, word_until,
    },
};
use alloc::vec::Vec;
use core::fmt;
use nom::Parser;

/// `a=crypto`: keys and parameters for SRTP
/// ([RFC 4568 §9](https://www.rfc-editor.org/rfc/rfc4568.html#section-9)). Its `Debug` hides the keys.
///
/// ```text
/// a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4 KDR=1
///          │ │                       └ one key or several between semicolons          └ session parameters
///          │ └ suite
///          └ tag
/// ```
///
/// ```
/// use rtckit_sdp::attribute::{Attribute, Crypto, Lifetime};
///
/// let crypto = Crypto::parse(
///     "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4",
/// )?;
/// let key = crypto.keys[0];
/// assert_eq!(key.lifetime, Some(Lifetime::PowerOfTwo(20)));
/// assert_eq!(key.mki.unwrap().value, "1");
/// assert_eq!(key.to_bytes().unwrap().len(), 30);
/// # Ok::<(), rtckit_sdp::ParseError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Crypto<'a> {
    /// Which of several it is; the answer repeats it.
    pub tag: u32,
    /// The cipher and the authentication, such as [`AES_CM_128_HMAC_SHA1_80`](Self::AES_CM_128_HMAC_SHA1_80).
    pub suite: &'a str,
    /// The keys, at least one.
    pub keys: Vec<CryptoKey<'a>>,
    /// What follows.
    pub session_parameters: Vec<SessionParameter<'a>>,
}

/// One key of [`Crypto`]. Its `Debug` hides it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CryptoKey<'a> {
    /// How the key is given: `inline`.
    pub method: &'a str,
    /// Master key and salt one after the other, in base64.
    pub key_salt: &'a str,
    /// For how many packets the key is good.
    pub lifetime: Option<Lifetime>,
    /// How packets name the key.
    pub mki: Option<Mki<'a>>,
}

/// For how many packets a key is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lifetime {
    /// So many.
    Packets(u64),
    /// Two to this power, written `2^20`.
    PowerOfTwo(u8),
}

/// The name of a key in packets: the master key identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mki<'a> {
    /// A decimal number of any size.
    pub value: &'a str,
    /// In how many bytes packets carry it, from 1 to 128.
    pub length: u8,
}

/// A parameter of an SRTP session
/// ([RFC 4568 §6.3](https://www.rfc-editor.org/rfc/rfc4568.html#section-6.3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionParameter<'a> {
    /// `KDR`: keys are derived anew every 2^n packets.
    KeyDerivationRate(u8),
    /// SRTP is not encrypted.
    UnencryptedSrtp,
    /// SRTCP is not encrypted.
    UnencryptedSrtcp,
    /// SRTP is not authenticated.
    UnauthenticatedSrtp,
    /// `FEC_ORDER`: `FEC_SRTP` or `SRTP_FEC`.
    FecOrder(&'a str),
    /// `FEC_KEY`: keys of a separate stream of error correction.
    FecKey(Secret<'a>),
    /// `WSH`: how many packets a replay window holds, at least 64.
    WindowSizeHint(u64),
    /// Another; with a leading `-` it may be ignored.
    Other(&'a str),
}

/// A text whose `Debug` hides it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Secret<'a>(pub &'a str);

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl Crypto<'_> {
    /// AES in counter mode, SHA-1 cut to 80 bits: every implementation has it.
    pub const AES_CM_128_HMAC_SHA1_80: &'static str = "AES_CM_128_HMAC_SHA1_80";
    /// The same with SHA-1 cut to 32 bits.
    pub const AES_CM_128_HMAC_SHA1_32: &'static str = "AES_CM_128_HMAC_SHA1_32";
    /// AES-GCM ([RFC 7714 §14.2](https://www.rfc-editor.org/rfc/rfc7714.html#section-14.2)).
    pub const AEAD_AES_128_GCM: &'static str = "AEAD_AES_128_GCM";

    /// Whether this session parameter is given.
    pub fn has(&self, parameter: SessionParameter<'_>) -> bool {
        self.session_parameters.contains(&parameter)
    }
}

impl<'a> CryptoKey<'a> {
    /// The only method there is.
    pub const INLINE: &'static str = "inline";

    /// Master key and salt, in base64, without a lifetime or name.
    pub const fn inline(key_salt: &'a str) -> Self {
        Self {
            method: Self::INLINE,
            key_salt,
            lifetime: None,
            mki: None,
        }
    }

    /// Key and salt; `None` if they are not base64, or longer than 1024 bytes.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        decode_base64(self.key_salt).filter(|bytes| bytes.len() <= 1024)
    }
}

impl Lifetime {
    /// The number of packets; `None` if it is too large to count.
    pub const fn packets(self) -> Option<u64> {
        match self {
            Self::Packets(packets) => Some(packets),
            Self::PowerOfTwo(exponent) => 1_u64.checked_shl(exponent as u32),
        }
    }
}

/// The bytes of a base64 text, padded or not.
pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let data = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(data.len() / 4 * 3 + 3);
    for group in data.chunks(4) {
        let mut bits = 0_u32;
        for &char in group {
            let value = match char {
                b'A'..=b'Z' => char - b'A',
                b'a'..=b'z' => char - b'a' + 26,
                b'0'..=b'9' => char - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        let missing = 4 - group.len() as u32;
        let [_, triple @ ..] = (bits << (6 * missing)).to_be_bytes();
        let count = match missing {
            0 => 3,
            1 => 2,
            2 => 1,
            _ => return None,
        };
        bytes.extend(triple.iter().take(count));
    }
    Some(bytes)
}

/// The base64 text of bytes, padded.
pub(super) fn write_base64(bytes: &[u8], out: &mut dyn fmt::Write) -> fmt::Result {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for group in bytes.chunks(3) {
        let byte = |i: usize| group.get(i).copied().map_or(0, u32::from);
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let index = (bits >> (18 - 6 * i) & 63) as usize;
            let char = ALPHABET.get(index).copied().map_or('=', char::from);
            out.write_char(if i <= group.len() { char } else { '=' })?;
        }
    }
    Ok(())
}

impl<'a> Attribute<'a> for Crypto<'a> {
    const NAME: &'static str = "crypto";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        whole(Self::NAME, value, crypto)
    }

    /// The tag has one to nine digits, keys are base64 and as long as their suite wants, and numbers are in their ranges,
    /// without leading zeros.
    fn check(value: &'a str) -> Result<(), ParseError> {
        let crypto = Self::parse(value)?;
        let need = |is_right, part, what| require(is_right, Self::NAME, value, part, what);
        let tag = value.split(is_blank).next().unwrap_or_default();
        let is_tag = is_zero_based_integer(tag) && tag.len() <= 9;
        need(is_tag, tag, CRYPTO_TAG)?;
        let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let expected = "a suite of letters, digits and _";
        need(is_name(crypto.suite), crypto.suite, expected)?;
        for key in &crypto.keys {
            let expected = "a key method: inline";
            need(is_name(key.method), key.method, expected)?;
            key.check(crypto.suite, value)?;
        }
        let words = || value.split(is_blank);
        for number in words().filter_map(|word| word.strip_prefix("KDR=")) {
            need(is_zero_based_integer(number), number, CRYPTO_KDR)?;
        }
        for number in words().filter_map(|word| word.strip_prefix("WSH=")) {
            let packets = number.parse::<u64>();
            let is_right = is_integer(number) && packets.is_ok_and(|packets| packets >= 64);
            need(is_right, number, CRYPTO_WSH)?;
        }
        Ok(())
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{}", self.tag)?;
        write_next(out, self.suite)?;
        if self.keys.is_empty() {
            return Err(fmt::Error);
        }
        for (i, key) in self.keys.iter().enumerate() {
            out.write_char(if i == 0 { ' ' } else { ';' })?;
            key.write(out)?;
        }
        self.session_parameters
            .iter()
            .try_for_each(|parameter| parameter.write(out))
    }
}

/// Of what size key and salt are together, in bytes
/// ([RFC 4568 §6.2](https://www.rfc-editor.org/rfc/rfc4568.html#section-6.2),
/// [RFC 6188 §4](https://www.rfc-editor.org/rfc/rfc6188.html#section-4),
/// [RFC 7714 §12](https://www.rfc-editor.org/rfc/rfc7714.html#section-12)). What is not listed may have any.
const SUITES: &[(&str, usize, &str)] = &[
    ("AES_CM_128_HMAC_SHA1_80", 30, KEY_OF_30),
    ("AES_CM_128_HMAC_SHA1_32", 30, KEY_OF_30),
    ("F8_128_HMAC_SHA1_80", 30, KEY_OF_30),
    ("F8_128_HMAC_SHA1_32", 30, KEY_OF_30),
    ("AES_192_CM_HMAC_SHA1_80", 38, KEY_OF_38),
    ("AES_192_CM_HMAC_SHA1_32", 38, KEY_OF_38),
    ("AES_256_CM_HMAC_SHA1_80", 46, KEY_OF_46),
    ("AES_256_CM_HMAC_SHA1_32", 46, KEY_OF_46),
    ("AEAD_AES_128_GCM", 28, KEY_OF_28),
    ("AEAD_AES_256_GCM", 44, KEY_OF_44),
];

pub(crate) const CRYPTO_TAG: &str = "a tag of one to nine digits, without a leading 0";
pub(crate) const CRYPTO_KDR: &str = "a number from 0 to 24, without a leading 0";
pub(crate) const CRYPTO_WSH: &str = "a number of packets from 64, without a leading 0";
pub(crate) const KEY_NAME: &str = "a key's name and length without leading zeros, such as 1:4";
pub(crate) const KEY_LIFETIME: &str = "a lifetime from 1 to 2^48 packets, without a leading 0";
pub(crate) const KEY_OF_28: &str = "28 bytes of key and salt, 40 characters of base64 with its =";
pub(crate) const KEY_OF_30: &str = "30 bytes of key and salt, 40 characters of base64";
pub(crate) const KEY_OF_38: &str = "38 bytes of key and salt, 52 characters of base64 with its =";
pub(crate) const KEY_OF_44: &str = "44 bytes of key and salt, 60 characters of base64 with its =";
pub(crate) const KEY_OF_46: &str = "46 bytes of key and salt, 64 characters of base64 with its ==";

impl CryptoKey<'_> {
    /// The key is one of its suite, and the numbers after it are in their ranges. `value` is all of the attribute.
    fn check(&self, suite: &str, value: &str) -> Result<(), ParseError> {
        let need = |is_right, part, what| require(is_right, Crypto::NAME, value, part, what);
        let at = offset_in(value, self.key_salt);
        base64(Crypto::NAME, self.key_salt, "a key and salt in base64")
            .map_err(|error| error.at(0, at))?;
        let mut suites = SUITES.iter();
        // Literals of ABNF are in any case.
        let known = suites.find(|(name, ..)| name.eq_ignore_ascii_case(suite));
        if let Some((_, length, expected)) = known {
            let bytes = self.to_bytes().map_or(0, |bytes| bytes.len());
            need(bytes == *length, self.key_salt, expected)?;
        }
        let after = value.get(at + self.key_salt.len()..).unwrap_or_default();
        let end = after.find(|c| is_blank(c) || c == ';');
        let after = after.get(..end.unwrap_or(after.len())).unwrap_or_default();
        for part in after.split('|').skip(1) {
            if let Some((name, length)) = part.split_once(':') {
                need(is_integer(name) && is_integer(length), part, KEY_NAME)?;
            } else {
                let packets = self.lifetime.and_then(Lifetime::packets);
                let digits = part.strip_prefix("2^").unwrap_or(part);
                let is_right = is_zero_based_integer(digits)
                    && packets.is_some_and(|packets| (1..=1 << 48).contains(&packets));
                need(is_right, part, KEY_LIFETIME)?;
            }
        }
        Ok(())
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let stops = [';', '|'];
        if self.key_salt.contains(stops) || self.method.contains([':', ';', '|']) {
            return Err(fmt::Error);
        }
        write_word(out, self.method)?;
        out.write_char(':')?;
        write_word(out, self.key_salt)?;
        match self.lifetime {
            None => {}
            Some(Lifetime::Packets(packets)) => write!(out, "|{packets}")?,
            Some(Lifetime::PowerOfTwo(exponent)) => write!(out, "|2^{exponent}")?,
        }
        match self.mki {
            None => Ok(()),
            Some(Mki { value, length }) if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                out.write_char('|')?;
                write_word(out, value)?;
                write!(out, ":{length}")
            }
            Some(_) => Err(fmt::Error),
        }
    }
}

impl SessionParameter<'_> {
    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::KeyDerivationRate(rate) => write!(out, " KDR={rate}"),
            Self::UnencryptedSrtp => out.write_str(" UNENCRYPTED_SRTP"),
            Self::UnencryptedSrtcp => out.write_str(" UNENCRYPTED_SRTCP"),
            Self::UnauthenticatedSrtp => out.write_str(" UNAUTHENTICATED_SRTP"),
            Self::FecOrder(order) => {
                out.write_str(" FEC_ORDER=")?;
                write_word(out, order)
            }
            Self::FecKey(Secret(keys)) => {
                out.write_str(" FEC_KEY=")?;
                write_word(out, keys)
            }
            Self::WindowSizeHint(packets) => write!(out, " WSH={packets}"),
            Self::Other(word) => write_next(out, word),
        }
    }
}

fn crypto(input: &str) -> Parsed<'_, Crypto<'_>> {
    let (input, tag) = number("a tag")(input)?;
    let (input, suite) = next_word("a suite such as AES_CM_128_HMAC_SHA1_80")(input)?;
    let (mut input, _) = crate::grammar::blanks_before("a key such as inline:…")(input)?;
    let mut keys = Vec::with_capacity(1);
    loop {
        let (rest, key) = key(input)?;
        keys.push(key);
        match rest.strip_prefix(';') {
            Some(rest) => input = rest,
            None => {
                input = rest;
                break;
            }
        }
    }
    let mut session_parameters = Vec::new();
    loop {
        let (rest, _) = blanks0(input)?;
        if rest.is_empty() {
            break;
        }
        if rest.len() == input.len() {
            return fail(rest, "a space, or the end of the line");
        }
        let (rest, parameter) = session_parameter(rest)?;
        session_parameters.push(parameter);
        input = rest;
    }
    let crypto = Crypto {
        tag,
        suite,
        keys,
        session_parameters,
    };
    Ok(("", crypto))
}

fn key(input: &str) -> Parsed<'_, CryptoKey<'_>> {
    let (input, method) = word_until(&[':', ';', '|'], "a key method: inline")(input)?;
    let Some(input) = input.strip_prefix(':') else {
        return fail(input, "a colon and a key");
    };
    let (input, key_salt) = word_until(&['|', ';'], "a key and salt in base64")(input)?;
    let mut key = CryptoKey {
        method,
        key_salt,
        lifetime: None,
        mki: None,
    };
    let mut input = input;
    while let Some(text) = input.strip_prefix('|') {
        let end = text
            .find(|c| is_blank(c) || matches!(c, '|' | ';'))
            .unwrap_or(text.len());
        let (part, rest) = text.split_at(end);
        match part.split_once(':') {
            Some((value, length)) if key.mki.is_none() => {
                let is_number = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
                match length.parse() {
                    Ok(length @ 1..=128) if is_number => key.mki = Some(Mki { value, length }),
                    _ => return fail(text, "a key's name and length such as 1:4"),
                }
            }
            None if key.lifetime.is_none() && key.mki.is_none() => {
                key.lifetime = match lifetime(part) {
                    Some(lifetime) => Some(lifetime),
                    None => return fail(text, "a lifetime such as 2^20"),
                };
            }
            _ => return fail(text, "one lifetime, and after it one name of the key"),
        }
        input = rest;
    }
    Ok((input, key))
}

fn lifetime(text: &str) -> Option<Lifetime> {
    match text.strip_prefix("2^") {
        Some(exponent) => exponent.parse().ok().map(Lifetime::PowerOfTwo),
        None => text.parse().ok().map(Lifetime::Packets),
    }
}

fn session_parameter(input: &str) -> Parsed<'_, SessionParameter<'_>> {
    let (rest, text) = word("a session parameter such as UNENCRYPTED_SRTCP")(input)?;
    let parameter = match text.split_once('=') {
        None => match text {
            "UNENCRYPTED_SRTP" => SessionParameter::UnencryptedSrtp,
            "UNENCRYPTED_SRTCP" => SessionParameter::UnencryptedSrtcp,
            "UNAUTHENTICATED_SRTP" => SessionParameter::UnauthenticatedSrtp,
            _ => SessionParameter::Other(text),
        },
        Some(("KDR", rate)) => match rate.parse() {
            Ok(rate @ 0..=24) => SessionParameter::KeyDerivationRate(rate),
            _ => return fail(input, "KDR= and a number from 0 to 24"),
        },
        Some(("FEC_ORDER", order)) if !order.is_empty() => SessionParameter::FecOrder(order),
        Some(("FEC_KEY", keys)) if !keys.is_empty() => SessionParameter::FecKey(Secret(keys)),
        Some(("WSH", packets)) => match packets.parse() {
            Ok(packets) => SessionParameter::WindowSizeHint(packets),
            Err(_) => return fail(input, "WSH= and a number of packets"),
        },
        Some(_) => SessionParameter::Other(text),
    };
    Ok((rest, parameter))
}

impl fmt::Debug for CryptoKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            method,
            lifetime,
            mki,
            ..
        } = self;
        write!(f, "CryptoKey({method} .. {lifetime:?} {mki:?})")
    }
}

impl fmt::Debug for Crypto<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters = &self.session_parameters;
        write!(
            f,
            "Crypto({} {} {:?} {parameters:?})",
            self.tag, self.suite, self.keys
        )
    }
}

/// `a=key-mgmt`: a message of a key management protocol
/// ([RFC 4567 §3.1](https://www.rfc-editor.org/rfc/rfc4567.html#section-3.1)). Its `Debug` hides the message.
///
/// ```text
/// a=key-mgmt:mikey AQAFgM0XflABAAAAAAAAAAAAAAsAyO…
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyMgmt<'a> {
    /// The protocol: `mikey`.
    pub protocol: &'a str,
    /// Its message, in base64.
    pub data: &'a str,
}

impl<'a> Attribute<'a> for KeyMgmt<'a> {
    const NAME: &'static str = "key-mgmt";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        let parser = (
            token("a protocol such as mikey"),
            next_word("a message in base64"),
        )
            .map(|(protocol, data)| Self { protocol, data });
        whole(Self::NAME, value, parser)
    }

    fn check(value: &'a str) -> Result<(), ParseError> {
        let Self { data, .. } = Self::parse(value)?;
        let at = value.len().saturating_sub(data.len());
        base64(Self::NAME, data, "a message in base64").map_err(|error| error.at(0, at))
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        chars(
            Self::NAME,
            self.protocol,
            1..=64,
            crate::grammar::is_token_char,
            "",
        )
        .map_err(|_| fmt::Error)?;
        write_word(out, self.protocol)?;
        write_next(out, self.data)
    }
}

impl fmt::Debug for KeyMgmt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyMgmt({} ..)", self.protocol)
    }
}

flag! {
    /// `a=cryptex`: header extensions and contributing sources may be encrypted
    /// ([RFC 9335 §4](https://www.rfc-editor.org/rfc/rfc9335.html#section-4)).
    Cryptex, "cryptex"
}
