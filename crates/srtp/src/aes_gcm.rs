//! AES in Galois/counter mode ([RFC 7714 §8, §9](https://www.rfc-editor.org/rfc/rfc7714#section-8)).
//!
//! ```text
//!            0  0  0  0  0  0  0  0  0  0  1  1
//!            0  1  2  3  4  5  6  7  8  9  0  1
//!          +--+--+--+--+--+--+--+--+--+--+--+--+
//!   SRTP   |00|00|    SSRC   |     ROC   | SEQ |
//!   SRTCP  |00|00|    SSRC   |00 00|0+SRTCP idx|
//!          +--+--+--+--+--+--+--+--+--+--+--+--+
//!      XOR |         session salt              |  = IV
//!          +--+--+--+--+--+--+--+--+--+--+--+--+
//! ```
//!
//! Both are the SSRC and a 48-bit packet index, so one function makes either.

use rtckit_crypto::aead::{AesGcm as Key, NONCE_LEN};

use crate::Error;
use crate::kdf::{Labels, Master};

pub(crate) use rtckit_crypto::aead::TAG_LEN;

/// The session key of one direction of RTP or RTCP.
#[derive(Debug)]
pub(crate) struct AesGcm {
    key: Key,
    /// The session salt as a number of 96 bits.
    salt: u128,
}

impl AesGcm {
    pub(crate) fn derive(master: &Master, labels: Labels) -> Self {
        Self::new(
            &master.derive(labels.encryption),
            master.derive(labels.salt),
        )
    }

    pub(crate) fn new(key: &[u8; 16], salt: [u8; NONCE_LEN]) -> Self {
        let salt = salt
            .into_iter()
            .fold(0, |salt, byte| salt << 8 | u128::from(byte));
        Self {
            key: Key::new_128(key),
            salt,
        }
    }

    /// Encrypts `payload` in place and writes the tag over it and `aad` to `tag`, which has [`TAG_LEN`] bytes: a tag
    /// handed back by value costs a tenth of a packet's time.
    #[inline]
    pub(crate) fn seal(
        &self,
        ssrc: u32,
        index: u64,
        aad: &[u8],
        payload: &mut [u8],
        tag: &mut [u8],
    ) -> Result<(), Error> {
        let tag = tag.try_into().map_err(|_| Error::Malformed)?;
        // a payload beyond GCM's limit, the only way to fail, has no room in any datagram
        self.key
            .seal(&self.iv(ssrc, index), aad, payload, tag)
            .map_err(|_| Error::Malformed)
    }

    /// Decrypts `payload` in place if `tag` fits it and `aad`.
    pub(crate) fn open(
        &self,
        ssrc: u32,
        index: u64,
        aad: &[u8],
        payload: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), Error> {
        self.key
            .open(&self.iv(ssrc, index), aad, payload, tag)
            .map_err(|_| Error::Forged)
    }

    /// As one number, because what is built byte by byte is slow to read as a whole.
    #[inline]
    fn iv(&self, ssrc: u32, index: u64) -> [u8; NONCE_LEN] {
        let iv = self.salt ^ (u128::from(ssrc) << 48) ^ u128::from(index & 0xffff_ffff_ffff);
        let mut bytes = [0; NONCE_LEN];
        bytes[..4].copy_from_slice(&((iv >> 64) as u32).to_be_bytes());
        bytes[4..].copy_from_slice(&(iv as u64).to_be_bytes());
        bytes
    }
}
