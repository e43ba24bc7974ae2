//! AES in counter mode with HMAC-SHA1 tags ([RFC 3711 §4.1.1, §4.2.1](https://www.rfc-editor.org/rfc/rfc3711#section-4.1.1)).
//!
//! ```text
//! IV = salt * 2^16  XOR  SSRC * 2^64  XOR  index * 2^16
//!
//!      0   1   2   3   4   5   6   7   8   9  10  11  12  13  14  15
//!    +---------------------------------------------------------------+
//!    |              session salt, 112 bits                   | block |
//!    +---------------------------------------------------------------+
//!                    |     SSRC      |     packet index      |
//! ```
//!
//! The tag is the first 80 bits of HMAC-SHA1 over the packet and what the packet does not carry: the
//! roll-over counter.

use rtckit_crypto::ctr::Aes128Ctr;
use rtckit_crypto::mac::HmacSha1;

use crate::kdf::{Labels, Master};

/// The length of a tag of the `_80` profile in bytes.
pub(crate) const TAG_LEN: usize = 10;

/// The session keys of one direction of RTP or RTCP.
#[derive(Debug)]
pub(crate) struct AesCm {
    encryption: Aes128Ctr,
    authentication: HmacSha1,
    salt: [u8; 14],
}

impl AesCm {
    pub(crate) fn derive(master: &Master, labels: Labels) -> Self {
        Self {
            encryption: Aes128Ctr::new(&master.derive(labels.encryption)),
            authentication: HmacSha1::new(&master.derive::<20>(labels.authentication)),
            salt: master.derive(labels.salt),
        }
    }

    /// XORs the keystream of packet `index` of `ssrc` over `payload`: encryption and decryption are the same.
    pub(crate) fn apply(&self, ssrc: u32, index: u64, payload: &mut [u8]) {
        self.encryption.apply(&self.iv(ssrc, index), payload);
    }

    /// The tag over the concatenation of `parts`.
    pub(crate) fn tag(&self, parts: &[&[u8]]) -> [u8; TAG_LEN] {
        let mut tag = [0; TAG_LEN];
        tag.copy_from_slice(&self.authentication.sign(parts)[..TAG_LEN]);
        tag
    }

    /// Whether `tag` is the tag over `parts`; in constant time.
    pub(crate) fn verify(&self, parts: &[&[u8]], tag: &[u8; TAG_LEN]) -> bool {
        self.authentication.verify(parts, tag)
    }

    fn iv(&self, ssrc: u32, index: u64) -> [u8; 16] {
        let mut iv = [0; 16];
        iv[..14].copy_from_slice(&self.salt);
        let packet = u128::from(ssrc) << 64 | u128::from(index) << 16;
        (u128::from_be_bytes(iv) ^ packet).to_be_bytes()
    }
}
