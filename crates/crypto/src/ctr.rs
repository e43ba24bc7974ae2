//! AES in counter mode, with the key schedule computed once.

use aes::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};
use ctr::CtrCore;
use ctr::flavors::Ctr128BE;

/// An AES-128 key in counter mode, as SRTP uses it
/// ([RFC 3711 §4.1.1](https://www.rfc-editor.org/rfc/rfc3711#section-4.1.1)).
#[derive(Clone)]
pub struct Aes128Ctr(aes::Aes128);

impl Aes128Ctr {
    /// The key, expanded.
    pub fn new(key: &[u8; 16]) -> Self {
        Self(aes::Aes128::new(key.into()))
    }

    /// XORs the keystream that starts at the counter block `iv` over `data`.
    ///
    /// One keystream is 2^128 blocks long; no slice reaches its end.
    pub fn apply(&self, iv: &[u8; 16], data: &mut [u8]) {
        let core = CtrCore::<_, Ctr128BE>::inner_iv_init(&self.0, iv.into());
        StreamCipherCoreWrapper::from_core(core).apply_keystream(data);
    }
}

impl core::fmt::Debug for Aes128Ctr {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Aes128Ctr([redacted])")
    }
}
