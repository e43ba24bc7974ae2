//! Username fragments and passwords ([RFC 8445 §5.3](https://www.rfc-editor.org/rfc/rfc8445#section-5.3)).

use alloc::string::String;

use rtckit_crypto::mac::HmacSha1;
use rtckit_proto::{Random, Redacted};
use rtckit_stun::short_term_key;

use crate::error::ParseError;

/// The alphabet of both: `ice-char` of [RFC 8839 §5.1](https://www.rfc-editor.org/rfc/rfc8839#section-5.1).
const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(crate) fn is_ice_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

/// A username fragment and a password: those of one agent for one ICE session. The password never shows in
/// `{:?}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    ufrag: String,
    password: Redacted<String>,
}

impl Credentials {
    /// The credentials of the given text: `ufrag` of 4 to 256 characters and `password` of 22 to 256, all of
    /// them letters, digits, `+` or `/` ([RFC 8839 §5.4](https://www.rfc-editor.org/rfc/rfc8839#section-5.4)).
    ///
    /// # Errors
    /// Where the text is anything else.
    pub fn new(ufrag: &str, password: &str) -> Result<Self, ParseError> {
        check(ufrag, 4, "a fragment of 4 to 256 ice-chars")?;
        check(password, 22, "a password of 22 to 256 ice-chars")?;
        Ok(Self {
            ufrag: ufrag.into(),
            password: Redacted(password.into()),
        })
    }

    /// Fresh ones: 8 characters (48 bits) and 24 (144 bits), where RFC 8445 asks for 24 and 128 bits.
    pub fn generate(random: &mut dyn Random) -> Self {
        let mut text = |len: usize| -> String {
            let mut bytes = [0; 24];
            random.fill(&mut bytes);
            let chars = bytes.iter().take(len);
            chars
                .map(|&byte| char::from(ICE_CHARS[usize::from(byte) % ICE_CHARS.len()]))
                .collect()
        };
        Self {
            ufrag: text(8),
            password: Redacted(text(24)),
        }
    }

    /// The username fragment.
    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    /// The password.
    pub fn password(&self) -> &str {
        &self.password.0
    }

    /// The MESSAGE-INTEGRITY key of checks that are answered with this password.
    pub(crate) fn key(&self) -> HmacSha1 {
        short_term_key(&self.password.0)
    }
}

fn check(text: &str, min: usize, expected: &'static str) -> Result<(), ParseError> {
    if let Some(position) = text.bytes().position(|byte| !is_ice_char(byte)) {
        return Err(ParseError::new(position, "an ice-char"));
    }
    if !(min..=256).contains(&text.len()) {
        return Err(ParseError::new(text.len(), expected));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use rtckit_proto::SeededRandom;

    #[test]
    fn generated_ones_are_valid_and_differ() {
        let mut random = SeededRandom::new(1);
        let a = Credentials::generate(&mut random);
        let b = Credentials::generate(&mut random);
        assert_eq!(Credentials::new(a.ufrag(), a.password()), Ok(a.clone()));
        assert_eq!((a.ufrag().len(), a.password().len()), (8, 24));
        assert_ne!(a.ufrag(), b.ufrag());
        assert_ne!(a.password(), b.password());
    }

    #[test]
    fn the_password_stays_out_of_logs() {
        let credentials = Credentials::new("abcd", "0123456789012345678901").unwrap();
        let text = format!("{credentials:?}");
        assert!(text.contains("abcd") && !text.contains("0123"), "{text}");
    }

    #[test]
    fn lengths_and_alphabet() {
        let password = "0123456789012345678901";
        assert!(Credentials::new("abc", password).is_err());
        assert!(Credentials::new(&"a".repeat(257), password).is_err());
        assert!(Credentials::new("abcd", &password[1..]).is_err());
        assert_eq!(
            Credentials::new("ab:d", password),
            Err(ParseError::new(2, "an ice-char"))
        );
    }
}
