//! What ends a connection, and what is wrong with bytes.

use core::fmt;

use rtckit_crypto::error::CryptoError;
use rtckit_proto::CursorError;

use crate::AlertDescription;

/// Bytes that are not what they should be. It never ends a connection: such bytes are dropped and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The offset in the record or message.
    pub position: usize,
    /// What should have been there.
    pub expected: &'static str,
}

impl From<CursorError> for ParseError {
    fn from(error: CursorError) -> Self {
        Self {
            position: error.position,
            expected: error.expected,
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: expected {}", self.position, self.expected)
    }
}

impl core::error::Error for ParseError {}

/// Why a connection ended or a call was refused, grouped by whose fault it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The peer broke the protocol, or is not who it should be.
    PeerMisbehaved(PeerMisbehaved),
    /// The peer speaks DTLS correctly but has nothing in common with us.
    PeerIncompatible(PeerIncompatible),
    /// The peer gave up and said why.
    AlertReceived(AlertDescription),
    /// The handshake did not finish within [`Config::handshake_timeout`](crate::Config::handshake_timeout).
    TimedOut,
    /// Our own cryptography failed: no randomness, or a key that does not sign.
    Local(CryptoError),
    /// The caller asked for something impossible. The connection is unharmed.
    Misuse(Misuse),
}

/// How the peer broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerMisbehaved {
    /// It showed no certificate.
    NoCertificate,
    /// Its certificate is not readable.
    BadCertificate,
    /// Its certificate has none of the expected fingerprints.
    FingerprintMismatch,
    /// The signature over its key exchange or over the handshake is wrong.
    BadSignature,
    /// Its Finished does not match the handshake as we saw it.
    BadFinished,
    /// Its public key is not in the group.
    BadKeyShare,
    /// It chose something that was not offered.
    NotOffered,
    /// It claims a renegotiation that never happened
    /// ([RFC 5746 §3.4](https://www.rfc-editor.org/rfc/rfc5746#section-3.4)).
    BadRenegotiationInfo,
}

/// What the peer lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerIncompatible {
    /// It does not speak DTLS 1.2.
    NoCommonVersion,
    /// It does not offer `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256`.
    NoCommonCipherSuite,
    /// It does not offer a group of ours.
    NoCommonGroup,
    /// It does not take signatures by our key.
    NoCommonSignatureScheme,
    /// It does not offer the extended master secret, which the configuration requires.
    NoExtendedMasterSecret,
    /// It shares no SRTP profile with us, and the configuration requires one.
    NoCommonSrtpProfile,
}

/// What the caller did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// The connection is not established, or closed.
    NotConnected,
    /// The buffer does not hold the record: payload and [`Connection::overhead`](crate::Connection::overhead).
    BufferTooSmall,
    /// More than 2^14 bytes in one record.
    PayloadTooLarge,
    /// All 2^48 sequence numbers are used up.
    OutOfSequenceNumbers,
    /// [`Config::mtu`](crate::Config::mtu) is below [`Config::MIN_MTU`](crate::Config::MIN_MTU).
    MtuTooSmall,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerMisbehaved(fault) => fault.fmt(f),
            Self::PeerIncompatible(lack) => lack.fmt(f),
            Self::AlertReceived(alert) => write!(f, "the peer gave up: {alert}"),
            Self::TimedOut => f.write_str("the handshake timed out"),
            Self::Local(error) => error.fmt(f),
            Self::Misuse(misuse) => misuse.fmt(f),
        }
    }
}

impl fmt::Display for PeerMisbehaved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCertificate => "the peer showed no certificate",
            Self::BadCertificate => "the peer's certificate is not readable",
            Self::FingerprintMismatch => "the peer's certificate is not the announced one",
            Self::BadSignature => "the peer's signature is wrong",
            Self::BadFinished => "the peer saw another handshake than we did",
            Self::BadKeyShare => "the peer's public key is not in the group",
            Self::NotOffered => "the peer chose what was not offered",
            Self::BadRenegotiationInfo => "the peer claims a renegotiation",
        })
    }
}

impl fmt::Display for PeerIncompatible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCommonVersion => "the peer does not speak DTLS 1.2",
            Self::NoCommonCipherSuite => "no cipher suite in common",
            Self::NoCommonGroup => "no key-exchange group in common",
            Self::NoCommonSignatureScheme => "no signature scheme in common",
            Self::NoExtendedMasterSecret => "the peer has no extended master secret",
            Self::NoCommonSrtpProfile => "no SRTP profile in common",
        })
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected => "the connection is not established",
            Self::BufferTooSmall => "the buffer does not hold the record",
            Self::PayloadTooLarge => "a record holds no more than 2^14 bytes",
            Self::OutOfSequenceNumbers => "the sequence numbers are used up",
            Self::MtuTooSmall => "the configured mtu is too small",
        })
    }
}

impl core::error::Error for Error {}

impl From<PeerMisbehaved> for Error {
    fn from(fault: PeerMisbehaved) -> Self {
        Self::PeerMisbehaved(fault)
    }
}

impl From<PeerIncompatible> for Error {
    fn from(lack: PeerIncompatible) -> Self {
        Self::PeerIncompatible(lack)
    }
}

impl From<Misuse> for Error {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}

/// The one place that says whose fault a failed operation is.
impl From<CryptoError> for Error {
    fn from(error: CryptoError) -> Self {
        match error {
            CryptoError::BadKeyShare => PeerMisbehaved::BadKeyShare.into(),
            CryptoError::BadCertificate => PeerMisbehaved::BadCertificate.into(),
            CryptoError::BadSignature => PeerMisbehaved::BadSignature.into(),
            CryptoError::UnsupportedScheme => PeerIncompatible::NoCommonSignatureScheme.into(),
            CryptoError::UnsupportedGroup => PeerIncompatible::NoCommonGroup.into(),
            other => Self::Local(other),
        }
    }
}
