//! The SRTP protection profiles that DTLS negotiates and SRTP applies.

use core::fmt;

/// An SRTP protection profile ([RFC 5764 §4.1.2](https://www.rfc-editor.org/rfc/rfc5764#section-4.1.2),
/// [RFC 7714 §14.2](https://www.rfc-editor.org/rfc/rfc7714#section-14.2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SrtpProfile {
    /// `SRTP_AES128_CM_HMAC_SHA1_80`: AES-128 in counter mode, an 80-bit HMAC-SHA1 tag.
    Aes128CmHmacSha1_80,
    /// `SRTP_AEAD_AES_128_GCM`: AES-128 in Galois/counter mode, a 128-bit tag.
    AeadAes128Gcm,
}

impl SrtpProfile {
    /// The profile with this number in DTLS' `use_srtp` extension.
    pub const fn from_wire(number: u16) -> Option<Self> {
        match number {
            0x0001 => Some(Self::Aes128CmHmacSha1_80),
            0x0007 => Some(Self::AeadAes128Gcm),
            _ => None,
        }
    }

    /// The number in DTLS' `use_srtp` extension.
    pub const fn to_wire(self) -> u16 {
        match self {
            Self::Aes128CmHmacSha1_80 => 0x0001,
            Self::AeadAes128Gcm => 0x0007,
        }
    }

    /// The length of a master key in bytes.
    pub const fn key_len(self) -> usize {
        16
    }

    /// The length of a master salt in bytes.
    pub const fn salt_len(self) -> usize {
        match self {
            Self::Aes128CmHmacSha1_80 => 14,
            Self::AeadAes128Gcm => 12,
        }
    }

    /// The name in the IANA registry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128CmHmacSha1_80 => "SRTP_AES128_CM_HMAC_SHA1_80",
            Self::AeadAes128Gcm => "SRTP_AEAD_AES_128_GCM",
        }
    }
}

impl fmt::Display for SrtpProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_trip() {
        for number in 0..=u16::MAX {
            if let Some(profile) = SrtpProfile::from_wire(number) {
                assert_eq!(profile.to_wire(), number);
            }
        }
        assert_eq!(SrtpProfile::from_wire(7), Some(SrtpProfile::AeadAes128Gcm));
    }
}
