//! The keys of MESSAGE-INTEGRITY ([RFC 8489 §9](https://www.rfc-editor.org/rfc/rfc8489#section-9)).

use core::fmt;

use rtckit_crypto::mac::{HmacSha1, HmacSha256, constant_time_eq, md5, sha256};

use crate::value::PasswordAlgorithm;

/// A key and the attribute it makes: MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256. Both HMAC pads are hashed when it
/// is made, so that a tag costs the message's blocks and one more.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "RFC 8489 has two such attributes")]
pub enum IntegrityKey {
    /// For MESSAGE-INTEGRITY.
    Sha1(HmacSha1),
    /// For MESSAGE-INTEGRITY-SHA256.
    Sha256(HmacSha256),
}

/// What a server keeps of a long-term password: a hash of name, realm and password
/// ([RFC 8489 §9.2.2](https://www.rfc-editor.org/rfc/rfc8489#section-9.2.2)), the "H(A1)" of other protocols. It
/// opens whatever the password opens in that realm, so it neither prints nor compares in variable time.
#[derive(Clone)]
pub struct PasswordHash {
    bytes: [u8; 32],
    len: u8,
}

impl PasswordHash {
    /// The hash by `algorithm`. All three strings have to be prepared already (OpaqueString of RFC 8265), which
    /// leaves ASCII as it is.
    pub fn new(algorithm: PasswordAlgorithm, username: &str, realm: &str, password: &str) -> Self {
        let parts = [username, ":", realm, ":", password].map(str::as_bytes);
        match algorithm {
            PasswordAlgorithm::Md5 => Self::from_md5(md5(&parts)),
            PasswordAlgorithm::Sha256 => Self::from_sha256(sha256(&parts)),
        }
    }

    /// A hash by MD5 that was computed before.
    pub fn from_md5(hash: [u8; 16]) -> Self {
        let mut bytes = [0; 32];
        let (front, _) = bytes.split_at_mut(hash.len());
        front.copy_from_slice(&hash);
        Self { bytes, len: 16 }
    }

    /// A hash by SHA-256 that was computed before.
    pub const fn from_sha256(bytes: [u8; 32]) -> Self {
        Self { bytes, len: 32 }
    }

    /// A key that is no hash of a password: the `mac_key` of a token
    /// ([RFC 7635 §5](https://www.rfc-editor.org/rfc/rfc7635#section-5)). `None` when it is longer than 32 bytes.
    pub fn from_mac_key(key: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        bytes.get_mut(..key.len())?.copy_from_slice(key);
        Some(Self {
            bytes,
            len: key.len() as u8,
        })
    }

    /// The key for MESSAGE-INTEGRITY.
    pub fn sha1(&self) -> IntegrityKey {
        IntegrityKey::Sha1(HmacSha1::new(self.as_bytes()))
    }

    /// The key for MESSAGE-INTEGRITY-SHA256.
    pub fn sha256(&self) -> IntegrityKey {
        IntegrityKey::Sha256(HmacSha256::new(self.as_bytes()))
    }

    /// The first 16 bytes of a token's key of 20: what coturn signs with for MESSAGE-INTEGRITY, for which it takes every
    /// key to be as long as an MD5 hash. Of other keys there is no such part.
    pub(crate) fn cut(&self) -> Option<Self> {
        if self.len != 20 {
            return None;
        }
        let key = self.as_bytes().get(..16)?;
        Self::from_mac_key(key)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len.into()).unwrap_or_default()
    }
}

impl PartialEq for PasswordHash {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.as_bytes(), other.as_bytes())
    }
}

impl Eq for PasswordHash {}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash([redacted])")
    }
}

/// The value of USERHASH: SHA-256 of `username ":" realm`
/// ([RFC 8489 §14.4](https://www.rfc-editor.org/rfc/rfc8489#section-14.4)).
pub fn userhash(username: &str, realm: &str) -> [u8; 32] {
    sha256(&[username.as_bytes(), b":", realm.as_bytes()])
}

/// The key of short-term credentials: the password itself
/// ([RFC 8489 §9.1.1](https://www.rfc-editor.org/rfc/rfc8489#section-9.1.1)). Make it once and keep it: both
/// HMAC pads are hashed here.
///
/// The password has to be prepared already (OpaqueString of RFC 8265); ICE's alphabet needs no preparation.
pub fn short_term_key(password: &str) -> HmacSha1 {
    HmacSha1::new(password.as_bytes())
}

/// The key of long-term credentials: MD5 of `username ":" realm ":" password`
/// ([RFC 8489 §9.2.2](https://www.rfc-editor.org/rfc/rfc8489#section-9.2.2)). All three have to be prepared
/// already (OpaqueString of RFC 8265), which leaves ASCII as it is.
pub fn long_term_key(username: &str, realm: &str, password: &str) -> HmacSha1 {
    HmacSha1::new(&md5(&[
        username.as_bytes(),
        b":",
        realm.as_bytes(),
        b":",
        password.as_bytes(),
    ]))
}
