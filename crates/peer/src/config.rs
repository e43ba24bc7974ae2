//! How a peer is set up.

use core::time::Duration;
use std::sync::Arc;

use rtckit_crypto::identity::Identity;
use rtckit_crypto::provider::Provider;
use rtckit_proto::{SrtpProfile, WallClock};

/// Which DTLS role an offer or answer of ours asks for
/// ([RFC 8842 §5.2](https://www.rfc-editor.org/rfc/rfc8842#section-5.2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Setup {
    /// Offers leave the choice to the other side; answers take the client's role.
    #[default]
    ActPass,
    /// The client's role wherever the other side leaves a choice.
    Active,
    /// The server's role wherever the other side leaves a choice.
    Passive,
}

/// Everything a [`Peer`](crate::Peer) needs to know before it starts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where the cryptography comes from.
    pub provider: Provider,
    /// The certificate and key this side shows. One identity can serve many peers.
    pub identity: Arc<Identity>,
    /// Where `Instant::ZERO` stands in the world's time, for RTCP's NTP stamps.
    pub wall_clock: WallClock,
    /// SRTP profiles, the most wanted first. Default: AES-GCM, then AES-CM.
    pub srtp_profiles: Vec<SrtpProfile>,
    /// The DTLS role to ask for.
    pub setup: Setup,
    /// The largest UDP payload to send, in bytes; 1200 by default, which crosses every path IPv6 allows.
    pub max_datagram: usize,
    /// How long a lost video packet is waited and asked for before the receiver moves on; 1 s by default.
    pub max_repair_delay: Duration,
    /// Whether the keys of DTLS may be read from the peer, for `SSLKEYLOGFILE`. Off by default.
    pub key_log: bool,
}

impl Config {
    /// The defaults with this provider, identity and clock.
    pub fn new(provider: Provider, identity: Arc<Identity>, wall_clock: WallClock) -> Self {
        Self {
            provider,
            identity,
            wall_clock,
            srtp_profiles: vec![SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmHmacSha1_80],
            setup: Setup::default(),
            max_datagram: 1200,
            max_repair_delay: Duration::from_secs(1),
            key_log: false,
        }
    }
}
