//! Key derivation ([RFC 3711 §4.3](https://www.rfc-editor.org/rfc/rfc3711#section-4.3),
//! [RFC 7714 §11](https://www.rfc-editor.org/rfc/rfc7714#section-11)).
//!
//! ```text
//! master salt   s0 s1 s2 s3 s4 s5 s6 s7  s8 ... s13     (112 bits; a GCM salt of 96 is followed by zeros)
//!           XOR  0  0  0  0  0  0  0 label 0 ...  0      (the key derivation rate is 0, so the index is too)
//!            =  IV of AES-CM under the master key, then 16 zero bits: its keystream is the session key
//! ```

use rtckit_crypto::ctr::Aes128Ctr;

/// What a session key is for. Its number is the byte mixed into the salt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    RtpEncryption = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpEncryption = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

/// The three labels of one protocol's session keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Labels {
    pub(crate) encryption: Label,
    pub(crate) authentication: Label,
    pub(crate) salt: Label,
}

impl Labels {
    pub(crate) const RTP: Self = Self {
        encryption: Label::RtpEncryption,
        authentication: Label::RtpAuthentication,
        salt: Label::RtpSalt,
    };
    pub(crate) const RTCP: Self = Self {
        encryption: Label::RtcpEncryption,
        authentication: Label::RtcpAuthentication,
        salt: Label::RtcpSalt,
    };
}

/// A master key and salt, ready to derive session keys from.
#[derive(Debug)]
pub(crate) struct Master {
    key: Aes128Ctr,
    salt: [u8; 16],
}

impl Master {
    /// `salt` has 12 or 14 bytes.
    pub(crate) fn new(key: &[u8; 16], salt: &[u8]) -> Self {
        let mut padded = [0; 16];
        for (to, from) in padded[..14].iter_mut().zip(salt) {
            *to = *from;
        }
        Self {
            key: Aes128Ctr::new(key),
            salt: padded,
        }
    }

    /// The session key for `label`.
    pub(crate) fn derive<const N: usize>(&self, label: Label) -> [u8; N] {
        let mut iv = self.salt;
        iv[7] ^= label as u8;
        let mut key = [0; N];
        self.key.apply(&iv, &mut key);
        key
    }
}
