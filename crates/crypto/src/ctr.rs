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

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    /// RFC 3711 §B.2: counter block, keystream.
    const BLOCKS: [(u128, u128); 6] = [
        (
            0xf0f1f2f3f4f5f6f7f8f9fafbfcfd0000,
            0xe03ead0935c95e80e166b16dd92b4eb4,
        ),
        (
            0xf0f1f2f3f4f5f6f7f8f9fafbfcfd0001,
            0xd23513162b02d0f72a43a2fe4a5f97ab,
        ),
        (
            0xf0f1f2f3f4f5f6f7f8f9fafbfcfd0002,
            0x41e95b3bb0a2e8dd477901e4fca894c0,
        ),
        (
            0xf0f1f2f3f4f5f6f7f8f9fafbfcfdfeff,
            0xec8cdf7398607cb0f2d21675ea9ea1e4,
        ),
        (
            0xf0f1f2f3f4f5f6f7f8f9fafbfcfdff00,
            0x362b7c3c6773516318a077d7fc5073ae,
        ),
        (
            0xf0f1f2f3f4f5f6f7f8f9fafbfcfdff01,
            0x6a2cc3787889374fbeb4c81b17ba6c44,
        ),
    ];

    #[test]
    fn keystream_vectors() {
        let key = Aes128Ctr::new(&0x2b7e151628aed2a6abf7158809cf4f3c_u128.to_be_bytes());
        for (counter, keystream) in BLOCKS {
            let mut data = [0; 16];
            key.apply(&counter.to_be_bytes(), &mut data);
            assert_eq!(u128::from_be_bytes(data), keystream);
        }
        // several blocks at once, and half of one
        let mut data = [0; 40];
        key.apply(&BLOCKS[0].0.to_be_bytes(), &mut data);
        assert_eq!(data[16..32], BLOCKS[1].1.to_be_bytes());
        assert_eq!(data[32..], BLOCKS[2].1.to_be_bytes()[..8]);
    }
}
