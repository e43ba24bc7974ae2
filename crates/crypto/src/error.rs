//! What can go wrong in the cryptography that the peer has a say in.

use core::fmt;

/// Why a cryptographic operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CryptoError {
    /// The peer's public key is not a point of the group.
    BadKeyShare,
    /// The certificate's outer structure is not X.509, or its key is of an unknown kind.
    BadCertificate,
    /// The signature does not belong to the message and the key.
    BadSignature,
    /// The signature scheme is unknown to the provider.
    UnsupportedScheme,
    /// The provider has no such key-exchange group.
    UnsupportedGroup,
    /// The private key handed in is unusable: malformed, of an unknown kind, or not the certificate's.
    BadPrivateKey,
    /// The system's source of randomness failed.
    NoRandomness,
    /// A key or a certificate could not be made, or a message not be signed.
    Signing,
}

impl fmt::Display for CryptoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadKeyShare => "the peer's public key is not in the group",
            Self::BadCertificate => "the certificate cannot be read",
            Self::BadSignature => "the signature does not match",
            Self::UnsupportedScheme => "the signature scheme is not supported",
            Self::UnsupportedGroup => "the key-exchange group is not supported",
            Self::BadPrivateKey => "the private key cannot be used",
            Self::NoRandomness => "the source of randomness failed",
            Self::Signing => "signing failed",
        })
    }
}

impl core::error::Error for CryptoError {}
