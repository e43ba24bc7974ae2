//! What a server is told before it starts.

use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;
use std::sync::Arc;

use rtckit_crypto::provider::Provider;
use rtckit_proto::WallClock;
use rtckit_stun::{NonceSecret, StaticUsers, Users};
use rtckit_turn::{RelayAddress, ServerConfig};
use tokio_rustls::rustls;

use crate::time::Time;

/// Who may use a server, for all of its threads.
pub type SharedUsers = Arc<dyn Users + Send + Sync>;

/// Where a server listens, and what it serves.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// Realm, relay addresses and ports, peers, quotas, which hold for all threads together. Its `listeners`, `usage`,
    /// `relay_ports`, `supports_dont_fragment` and `responder.discovery` are filled in.
    pub turn: ServerConfig,
    /// The users.
    pub users: SharedUsers,
    /// Where UDP and TCP are listened for.
    pub listen: Vec<SocketAddr>,
    /// Where TLS is listened for.
    pub tls_listen: Vec<SocketAddr>,
    /// The certificate, and whatever else TLS needs. Without it nothing listens for TLS.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// How many threads relay, at most 64. One for each processor the process may use.
    pub threads: usize,
    /// Whether only Binding requests are heard: a STUN server. No.
    pub is_stun_only: bool,
    /// How many streams there may be at a time. 4096.
    pub max_streams: usize,
    /// How many of them from one address. 256.
    pub max_streams_per_address: usize,
    /// How long a stream may take for its TLS handshake, for the rest of a message it has begun, and to be read when it
    /// is written to; and how long it lives without an allocation. 30 s.
    pub stream_timeout: Duration,
    pub(super) time: Time,
}

impl Config {
    /// The defaults, for a server that listens nowhere yet and knows no users.
    pub fn new(turn: ServerConfig) -> Self {
        Self {
            users: Arc::new(StaticUsers::new(&turn.authentication.realm)),
            turn,
            listen: Vec::new(),
            tls_listen: Vec::new(),
            tls: None,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            is_stun_only: false,
            max_streams: 4096,
            max_streams_per_address: 256,
            stream_timeout: Duration::from_secs(30),
            time: Time::start(),
        }
    }

    /// The defaults, for a server at `address` that relays from there too, for these users of `realm`.
    pub fn at(realm: &str, address: SocketAddr, users: SharedUsers) -> Self {
        let secret = NonceSecret::new(&mut *Provider::ring().random());
        let relays = vec![RelayAddress::new(address.ip())];
        let mut config = Self::new(ServerConfig::new(realm, secret, relays));
        config.listen.push(address);
        config.users = users;
        config
    }

    /// The clock of users whose credentials end ([`SharedSecret`](rtckit_stun::SharedSecret)).
    pub fn clock(&self) -> WallClock {
        self.time.wall()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("turn", &self.turn)
            .field("listen", &self.listen)
            .field("tls_listen", &self.tls_listen)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}
