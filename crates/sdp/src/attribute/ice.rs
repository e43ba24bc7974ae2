//! ICE beside its candidates: [RFC 8839](https://www.rfc-editor.org/rfc/rfc8839.html),
//! [RFC 8840](https://www.rfc-editor.org/rfc/rfc8840.html).

use super::{Address, Attribute, flag, numeric};
use crate::{
    error::ParseError,
    grammar::{
        chars, is_blank, is_ice_char, next_number, next_word, number, offset_in, whole, word,
    },
};
use alloc::vec::Vec;
use core::fmt;
use nom::Parser;

super::word! {
    /// `a=ice-ufrag`: the user name fragment, 4 to 256 `ice-char`s
    /// ([RFC 8839 §5.4](https://www.rfc-editor.org/rfc/rfc8839.html#section-5.4)).
    IceUfrag, "ice-ufrag", "a user name fragment without spaces", |value| {
        chars(IceUfrag::NAME, value, 4..=256, is_ice_char, "4 to 256 letters, digits, + and /")
    }
}

/// `a=ice-pwd`: the password, 22 to 256 `ice-char`s
/// ([RFC 8839 §5.4](https://www.rfc-editor.org/rfc/rfc8839.html#section-5.4)). Its `Debug` hides it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IcePwd<'a>(pub &'a str);

impl<'a> Attribute<'a> for IcePwd<'a> {
    const NAME: &'static str = "ice-pwd";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        whole(Self::NAME, value, word("a password without spaces")).map(Self)
    }

    fn check(value: &'a str) -> Result<(), ParseError> {
        chars(
            Self::NAME,
            value,
            22..=256,
            is_ice_char,
            "22 to 256 letters, digits, + and /",
        )
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        super::write_word(out, self.0)
    }
}

impl fmt::Debug for IcePwd<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IcePwd(..)")
    }
}

flag! {
    /// `a=ice-lite`: the agent only answers checks
    /// ([RFC 8839 §5.3](https://www.rfc-editor.org/rfc/rfc8839.html#section-5.3)). Session level.
    IceLite, "ice-lite"
}

flag! {
    /// `a=ice-mismatch`: the candidates do not match the default address
    /// ([RFC 8839 §5.3](https://www.rfc-editor.org/rfc/rfc8839.html#section-5.3)).
    IceMismatch, "ice-mismatch"
}

flag! {
    /// `a=end-of-candidates`: no more will be trickled
    /// ([RFC 8840 §8.1](https://www.rfc-editor.org/rfc/rfc8840.html#section-8.1)).
    EndOfCandidates, "end-of-candidates"
}

numeric! {
    /// `a=ice-pacing`: the wanted time between checks, in milliseconds
    /// ([RFC 8839 §5.5](https://www.rfc-editor.org/rfc/rfc8839.html#section-5.5)).
    IcePacing(u32), "ice-pacing", "a number of milliseconds"
}

/// `a=ice-options`: the extensions an agent knows
/// ([RFC 8839 §5.6](https://www.rfc-editor.org/rfc/rfc8839.html#section-5.6)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IceOptions<'a>(pub &'a str);

impl<'a> IceOptions<'a> {
    /// Candidates may come later ([RFC 8840](https://www.rfc-editor.org/rfc/rfc8840.html)).
    pub const TRICKLE: &'static str = "trickle";
    /// The agent follows RFC 8445, not RFC 5245.
    pub const ICE2: &'static str = "ice2";

    /// The options, one by one.
    pub fn tags(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.0.split(is_blank).filter(|tag| !tag.is_empty())
    }

    /// Whether `tag` is among them.
    pub fn contains(&self, tag: &str) -> bool {
        self.tags().any(|other| other == tag)
    }
}

impl<'a> Attribute<'a> for IceOptions<'a> {
    const NAME: &'static str = "ice-options";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        let value = value.trim_matches(is_blank);
        if value.is_empty() {
            return Err(ParseError::new(Self::NAME, 0, "an option such as trickle"));
        }
        Ok(Self(value))
    }

    /// Tags are of `ice-char`s: `google-ice`, which was never registered, is none.
    fn check(value: &'a str) -> Result<(), ParseError> {
        let expected = "a tag of letters, digits, + and /";
        for tag in Self::parse(value)?.tags() {
            chars(Self::NAME, tag, 1..=usize::MAX, is_ice_char, expected)
                .map_err(|error| error.at(0, offset_in(value, tag)))?;
        }
        Ok(())
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str(self.0)
    }
}

/// `a=remote-candidates`: the remote side of the chosen pairs, component by component
/// ([RFC 8839 §5.2](https://www.rfc-editor.org/rfc/rfc8839.html#section-5.2)).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RemoteCandidates<'a>(pub Vec<(u16, Address<'a>, u16)>);

impl<'a> Attribute<'a> for RemoteCandidates<'a> {
    const NAME: &'static str = "remote-candidates";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        let component = number("a component from 1 to 256");
        let triple = (component, next_word("an address"), next_number("a port"));
        let mut triple = triple.map(|(id, address, port)| (id, Address::parse(address), port));
        let list = |input| {
            let (mut input, first) = triple.parse(input)?;
            let mut list = alloc::vec![first];
            while !input.is_empty() {
                let (rest, _) = crate::grammar::blanks(input)?;
                let (rest, next) = triple.parse(rest)?;
                list.push(next);
                input = rest;
            }
            Ok((input, list))
        };
        whole(Self::NAME, value, list).map(Self)
    }

    /// Components are from 1 to 256, addresses are addresses or names.
    fn check(value: &'a str) -> Result<(), ParseError> {
        let components = Self::parse(value)?.0.into_iter().map(|(id, ..)| id);
        let words = value
            .split(is_blank)
            .step_by(3)
            .zip(value.split(is_blank).skip(1).step_by(3));
        for (component, (word, address)) in components.zip(words) {
            if !(1..=256).contains(&component) {
                let at = offset_in(value, word);
                return Err(ParseError::new(Self::NAME, at, "a component from 1 to 256"));
            }
            super::candidate::check_address(Self::NAME, value, address)?;
        }
        Ok(())
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for (i, (component, address, port)) in self.0.iter().enumerate() {
            let blank = if i == 0 { "" } else { " " };
            write!(out, "{blank}{component} {address} {port}")?;
        }
        Ok(())
    }
}
