//! SRTP keys in the clear: [RFC 4568](https://www.rfc-editor.org/rfc/rfc4568.html). WebRTC forbids them
//! (RFC 8827 §6.5); they are read so that an offer with them can be understood and refused.

use super::Attribute;
use crate::{
    error::ParseError,
    grammar::{next_word, number, rest, whole},
};
use core::fmt;

/// `a=crypto`: keys and parameters for SRTP. Its `Debug` hides the keys.
///
/// ```text
/// a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:32
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Crypto<'a> {
    /// Which of several it is.
    pub tag: u32,
    /// The cipher and the authentication.
    pub suite: &'a str,
    /// The keys.
    pub key_parameters: &'a str,
    /// What follows; empty if nothing does.
    pub session_parameters: &'a str,
}

impl<'a> Attribute<'a> for Crypto<'a> {
    const NAME: &'static str = "crypto";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        let parser = (
            number("a tag"),
            next_word("a suite such as AES_CM_128_HMAC_SHA1_80"),
            next_word("key parameters such as inline:…"),
            rest,
        );
        let (tag, suite, key_parameters, session_parameters) = whole(Self::NAME, value, parser)?;
        Ok(Self {
            tag,
            suite,
            key_parameters,
            session_parameters,
        })
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{} {} {}", self.tag, self.suite, self.key_parameters)?;
        if !self.session_parameters.is_empty() {
            write!(out, " {}", self.session_parameters)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Crypto<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crypto({} {} ..)", self.tag, self.suite)
    }
}
