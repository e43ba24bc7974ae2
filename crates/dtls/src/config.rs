//! What both ends are told before the handshake.

use core::time::Duration;
use std::sync::Arc;

use rtckit_crypto::fingerprint::Fingerprint;
use rtckit_crypto::identity::Identity;
use rtckit_crypto::provider::{NamedGroup, Provider};
use rtckit_crypto::secret::Secret;
use rtckit_proto::SrtpProfile;

use crate::error::{Error, Misuse, PeerMisbehaved};

/// How a connection behaves. Make one with [`Config::new`], change what you need, share it in an `Arc`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where the cryptography comes from.
    pub provider: Provider,
    /// The certificate we show, and its key (ECDSA).
    pub identity: Arc<Identity>,
    /// Which certificate the peer must show. Both roles demand one.
    pub verify: Verify,
    /// The SRTP profiles to negotiate, the preferred one first; empty: no SRTP.
    pub srtp_profiles: Vec<SrtpProfile>,
    /// Whether the handshake fails when no SRTP profile is in common. Default: false.
    pub require_srtp: bool,
    /// Whether the handshake fails when the peer lacks the extended master secret
    /// ([RFC 7627](https://www.rfc-editor.org/rfc/rfc7627)). It is always offered. Default: false.
    pub require_extended_master_secret: bool,
    /// The groups for key exchange, the preferred one first. Default: the provider's.
    pub groups: Vec<NamedGroup>,
    /// The longest datagram to send, in bytes of UDP payload. Default: 1200.
    pub mtu: usize,
    /// How long to wait for an answer before the first retransmission; it doubles each time, up to
    /// [`retransmit_max`](Self::retransmit_max). Default: 1 s.
    pub retransmit_initial: Duration,
    /// The longest wait between retransmissions
    /// ([RFC 6347 §4.2.4.1](https://www.rfc-editor.org/rfc/rfc6347#section-4.2.4.1)). Default: 60 s.
    pub retransmit_max: Duration,
    /// How long a handshake may take, from the first datagram on. Default: 60 s.
    pub handshake_timeout: Duration,
    /// Server only: answer the first ClientHello with a cookie under this secret, so that nothing is computed for
    /// a spoofed address ([RFC 6347 §4.2.1](https://www.rfc-editor.org/rfc/rfc6347#section-4.2.1)). ICE has
    /// already proved the address, so WebRTC leaves it out. Default: none.
    pub cookie_secret: Option<Secret<32>>,
    /// Whether [`Connection::key_log`](crate::Connection::key_log) gives the secrets away. Default: false.
    pub key_log: bool,
}

impl Config {
    /// The least [`mtu`](Self::mtu): room for a record with a useful fragment in it.
    pub const MIN_MTU: usize = 128;

    /// The defaults, with `verify` to be decided by the caller: nobody is trusted by accident.
    pub fn new(provider: Provider, identity: Arc<Identity>, verify: Verify) -> Self {
        Self {
            groups: provider.groups().to_vec(),
            provider,
            identity,
            verify,
            srtp_profiles: Vec::new(),
            require_srtp: false,
            require_extended_master_secret: false,
            mtu: 1200,
            retransmit_initial: Duration::from_secs(1),
            retransmit_max: Duration::from_secs(60),
            handshake_timeout: Duration::from_secs(60),
            cookie_secret: None,
            key_log: false,
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.mtu < Self::MIN_MTU {
            return Err(Misuse::MtuTooSmall.into());
        }
        Ok(())
    }

    /// The first SRTP profile of ours that the peer has too.
    pub(crate) fn choose_srtp(&self, theirs: impl Fn(SrtpProfile) -> bool) -> Option<SrtpProfile> {
        self.srtp_profiles
            .iter()
            .copied()
            .find(|&profile| theirs(profile))
    }
}

/// Which certificate the peer must show.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Verify {
    /// One with any of these fingerprints, as they arrived through signalling
    /// ([RFC 8122 §5](https://www.rfc-editor.org/rfc/rfc8122#section-5)).
    Fingerprints(Vec<Fingerprint>),
    /// **Dangerous**: any at all. The caller must check
    /// [`Connection::peer_certificate`](crate::Connection::peer_certificate) before it trusts a byte.
    DangerousAnyCertificate,
}

impl Verify {
    pub(crate) fn check(&self, certificate: &[u8]) -> Result<(), Error> {
        match self {
            Self::Fingerprints(expected) => expected
                .iter()
                .any(|fingerprint| fingerprint.matches(certificate))
                .then_some(())
                .ok_or_else(|| PeerMisbehaved::FingerprintMismatch.into()),
            Self::DangerousAnyCertificate => Ok(()),
        }
    }
}
