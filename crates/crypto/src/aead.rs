//! Authenticated encryption in place: AES-GCM.

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};

/// The length of a nonce in bytes.
pub const NONCE_LEN: usize = 12;
/// The length of a tag in bytes.
pub const TAG_LEN: usize = 16;

/// Opening failed: the tag does not fit the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forged;

impl core::fmt::Display for Forged {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the authentication tag does not match")
    }
}

impl core::error::Error for Forged {}

/// An AES-GCM key. The caller owns the nonces: one nonce must never seal two different messages.
pub struct AesGcm(LessSafeKey);

impl AesGcm {
    /// An AES-128 key.
    pub fn new_128(key: &[u8; 16]) -> Self {
        Self::new(&AES_128_GCM, key)
    }

    /// An AES-256 key.
    pub fn new_256(key: &[u8; 32]) -> Self {
        Self::new(&AES_256_GCM, key)
    }

    fn new(algorithm: &'static ring::aead::Algorithm, key: &[u8]) -> Self {
        match UnboundKey::new(algorithm, key) {
            Ok(key) => Self(LessSafeKey::new(key)),
            // the length of the key, its only error, is fixed by the callers' types
            Err(_) => unreachable!("the key has the algorithm's length"),
        }
    }

    /// Encrypts `data` in place and returns its tag.
    ///
    /// Fails only for more than 2^36 - 32 bytes, which no datagram has.
    pub fn seal(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        data: &mut [u8],
    ) -> Result<[u8; TAG_LEN], Forged> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(aad), data)
            .map_err(|_| Forged)?;
        tag.as_ref().try_into().map_err(|_| Forged)
    }

    /// Decrypts `data` in place if `tag` fits it; otherwise `data` is unspecified.
    pub fn open(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        data: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), Forged> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        self.0
            .open_in_place_separate_tag(nonce, Aad::from(aad), Tag::from(*tag), data, 0..)
            .map(|_| ())
            .map_err(|_| Forged)
    }
}

impl core::fmt::Debug for AesGcm {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("AesGcm([redacted])")
    }
}
