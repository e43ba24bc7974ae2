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
pub struct AesGcm(Key);

/// The same key in each library's own type.
#[cfg_attr(
    feature = "aws-lc-rs",
    expect(
        clippy::large_enum_variant,
        reason = "a box would cost every packet a step into the dark"
    )
)]
enum Key {
    Ring(LessSafeKey),
    #[cfg(feature = "aws-lc-rs")]
    AwsLc(aws_lc_rs::aead::LessSafeKey),
}

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
            Ok(key) => Self(Key::Ring(LessSafeKey::new(key))),
            // the length of the key, its only error, is fixed by the callers' types
            Err(_) => unreachable!("the key has the algorithm's length"),
        }
    }

    /// An AES-128 key whose work AWS-LC does.
    #[cfg(feature = "aws-lc-rs")]
    pub fn new_128_aws_lc_rs(key: &[u8; 16]) -> Self {
        match aws_lc_rs::aead::UnboundKey::new(&aws_lc_rs::aead::AES_128_GCM, key) {
            Ok(key) => Self(Key::AwsLc(aws_lc_rs::aead::LessSafeKey::new(key))),
            Err(_) => unreachable!("the key has the algorithm's length"),
        }
    }

    /// Encrypts `data` in place and writes its tag to `tag`.
    ///
    /// Fails only for more than 2^36 - 32 bytes, which no datagram has.
    #[inline]
    pub fn seal(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        data: &mut [u8],
        tag: &mut [u8; TAG_LEN],
    ) -> Result<(), Forged> {
        match &self.0 {
            Key::Ring(key) => {
                let nonce = Nonce::assume_unique_for_key(*nonce);
                let sealed = key
                    .seal_in_place_separate_tag(nonce, Aad::from(aad), data)
                    .map_err(|_| Forged)?;
                tag.copy_from_slice(sealed.as_ref());
            }
            #[cfg(feature = "aws-lc-rs")]
            Key::AwsLc(key) => {
                let nonce = aws_lc_rs::aead::Nonce::assume_unique_for_key(*nonce);
                let sealed = key
                    .seal_in_place_separate_tag(nonce, aws_lc_rs::aead::Aad::from(aad), data)
                    .map_err(|_| Forged)?;
                tag.copy_from_slice(sealed.as_ref());
            }
        }
        Ok(())
    }

    /// Decrypts `sealed`, which ends with its tag, in place and returns the length of the plaintext at its start;
    /// if the tag does not fit, `sealed` is unspecified. No library copies anything here.
    pub fn open_with_tag(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        sealed: &mut [u8],
    ) -> Result<usize, Forged> {
        match &self.0 {
            Key::Ring(key) => {
                let nonce = Nonce::assume_unique_for_key(*nonce);
                let plain = key.open_in_place(nonce, Aad::from(aad), sealed);
                plain.map(|plain| plain.len()).map_err(|_| Forged)
            }
            #[cfg(feature = "aws-lc-rs")]
            Key::AwsLc(key) => {
                let nonce = aws_lc_rs::aead::Nonce::assume_unique_for_key(*nonce);
                let plain = key.open_in_place(nonce, aws_lc_rs::aead::Aad::from(aad), sealed);
                plain.map(|plain| plain.len()).map_err(|_| Forged)
            }
        }
    }

    /// Decrypts `data` in place if `tag` fits it; otherwise `data` is unspecified. With AWS-LC it has to copy
    /// `data` first: prefer [`open_with_tag`](Self::open_with_tag) when the tag follows the data.
    pub fn open(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        data: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), Forged> {
        match &self.0 {
            Key::Ring(key) => {
                let nonce = Nonce::assume_unique_for_key(*nonce);
                key.open_in_place_separate_tag(nonce, Aad::from(aad), Tag::from(*tag), data, 0..)
                    .map(|_| ())
                    .map_err(|_| Forged)
            }
            #[cfg(feature = "aws-lc-rs")]
            Key::AwsLc(key) => {
                let nonce = aws_lc_rs::aead::Nonce::assume_unique_for_key(*nonce);
                let aad = aws_lc_rs::aead::Aad::from(aad);
                // AWS-LC wants either the tag right behind the data or another slice to write to
                let sealed = data.to_vec();
                key.open_separate_gather(nonce, aad, &sealed, tag, data)
                    .map_err(|_| Forged)
            }
        }
    }
}

impl core::fmt::Debug for AesGcm {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("AesGcm([redacted])")
    }
}
