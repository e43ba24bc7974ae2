//! A server for STUN and TURN over UDP, TCP and TLS, as `rtckit turn-server` runs it.
//!
//! [`TurnServer::start`] gives each thread its own [`rtckit_turn::Server`] and its own sockets on the same addresses
//! (`SO_REUSEPORT`); the relay ports are for all. Streams belong to tokio's tasks, datagrams to the threads.
//!
//! # Example
//!
//! A server inside a program that has its own users.
//!
//! ```
//! use std::sync::Arc;
//! use rtckit::Instant;
//! use rtckit::server::{Config, TurnServer};
//! use rtckit_stun::{Claim, User, Users};
//!
//! /// The program's own users.
//! struct Database;
//!
//! impl Users for Database {
//!     fn user(&self, _: Instant, realm: &str, claim: &Claim<'_>) -> Option<User> {
//!         let rows = [("alice", "wonderland"), ("bob", "builder")];
//!         let (name, password) = rows.into_iter().find(|(name, _)| claim.names(name, realm))?;
//!         Some(claim.user(name, realm, password))
//!     }
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = loop {
//! let config = Config::at("example.org", "127.0.0.1:0".parse()?, Arc::new(Database));
//! # // the port that is free for UDP may not be so for TCP
//! # let Ok(server) = TurnServer::start(config).await else { continue };
//! # break server;
//! # };
//! # /*
//! let server = TurnServer::start(config).await?;
//! # */
//! println!("relaying from {:?}", server.addresses().udp);
//! server.drain().await; // some day: it ends when the last client has gone
//! server.stopped().await;
//! # Ok(())
//! # }
//! ```
//!
//! No peer may have an address of this host, as they are when the server starts, unless the policy allows it by name.
//!
//! Not here: DTLS to clients. DONT-FRAGMENT and ICMP errors that come back to relays: on Linux; elsewhere who asks for the
//! first is told that it is unknown.

mod config;
mod listen;
mod peer_streams;
mod returned;
mod shard;
mod siblings;
mod steer;
mod stream;
mod udp;

use core::net::SocketAddr;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rtckit_crypto::provider::Provider;
use rtckit_turn::{AllocationInfo, Counters, PeerPolicy, RelayPorts, SharedUsage, Usage};
use tokio::sync::{oneshot, watch};
use tokio_rustls::rustls;

pub use config::{Config, SharedUsers};

use listen::Listening;
use shard::{Command, Shard, ShardHandle};
use siblings::Siblings;
use steer::Homes;
use udp::UdpPort;

/// A running server. It stops when this is dropped.
#[derive(Debug)]
pub struct TurnServer {
    shards: Vec<ShardHandle>,
    listening: Listening,
    addresses: Addresses,
    /// How many threads run.
    running: watch::Receiver<usize>,
}

/// Where a server listens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Addresses {
    /// For UDP.
    pub udp: Vec<SocketAddr>,
    /// For TCP.
    pub tcp: Vec<SocketAddr>,
    /// For TLS.
    pub tls: Vec<SocketAddr>,
    /// The two that clients are told of who discover how their NAT behaves
    /// ([RFC 5780](https://www.rfc-editor.org/rfc/rfc5780)).
    pub discovery: Option<[SocketAddr; 2]>,
}

/// How a server goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerStats {
    /// What it has seen and done.
    pub counters: Counters,
    /// How many allocations there are.
    pub allocations: usize,
    /// How many streams of clients are open.
    pub streams: usize,
    /// Sends the kernel did not take.
    pub lost: u64,
}

/// A server that cannot start: where, and why.
#[derive(Debug)]
#[non_exhaustive]
pub struct StartError {
    /// The address, if there is one to blame.
    pub address: Option<SocketAddr>,
    /// What the system says.
    pub error: io::Error,
}

impl StartError {
    fn at(address: SocketAddr) -> impl Fn(io::Error) -> Self {
        move |error| Self {
            address: Some(address),
            error,
        }
    }
}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        Self {
            address: None,
            error,
        }
    }
}

impl core::fmt::Display for StartError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.address {
            Some(address) => write!(f, "cannot listen at {address}: {}", self.error),
            None => write!(f, "cannot start: {}", self.error),
        }
    }
}

impl core::error::Error for StartError {}

impl TurnServer {
    /// Binds all addresses and begins to serve.
    ///
    /// # Errors
    /// An address cannot be bound, be it one to listen at or one to relay from, or a thread not be made.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        raise_descriptor_limit();
        let mut random = Provider::ring().random();
        let threads = config.threads.clamp(1, 64);
        let (sockets, mut addresses) = listen::bind_udp(&config, threads)?;
        let streams = listen::bind_streams(&config, &mut addresses)?;
        try_relays(&config)?;
        let (finished, running) = watch::channel(threads);
        let finished = Arc::new(finished);
        let (mut made, mut shards) = (Vec::new(), Vec::new());
        let usage = Arc::new(OneUsage::default());
        let relay_ports = Arc::new(RelayPorts::new());
        let interfaces = if_addrs::get_if_addrs()?;
        let own: Vec<_> = interfaces.iter().map(if_addrs::Interface::ip).collect();
        for (place, listeners) in sockets.into_iter().enumerate() {
            let mut turn = config.turn.clone();
            turn.instance = u8::try_from(place).unwrap_or_default();
            turn.relay_ports = Some(Arc::clone(&relay_ports));
            turn.usage = Some(Arc::<OneUsage>::clone(&usage));
            turn.supports_dont_fragment = cfg!(target_os = "linux");
            turn.listeners = [&addresses.udp[..], &addresses.tls].concat();
            turn.addresses.extend(&own);
            turn.responder.discovery = addresses.discovery;
            let users = Arc::clone(&config.users);
            let rest = (config.time, config.is_stun_only);
            let (shard, handle) = Shard::new(turn, users, listeners, &mut *random, rest)?;
            made.push(shard);
            shards.push(handle);
        }
        let homes = Arc::<Homes>::default();
        for (place, mut shard) in made.into_iter().enumerate() {
            if threads > 1 {
                let (all, homes) = (shards.clone(), Arc::clone(&homes));
                shard = shard.with_siblings(Siblings { place, all, homes });
            }
            let finished = Arc::clone(&finished);
            std::thread::Builder::new()
                .name(format!("turn-{place}"))
                .spawn(move || {
                    shard.run();
                    finished.send_modify(|running| *running -= 1);
                })?;
        }
        let listening = Listening::start(streams, &config, &shards);
        Ok(Self {
            shards,
            listening,
            addresses,
            running,
        })
    }

    /// Where it listens.
    pub const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// How it goes.
    pub async fn stats(&self) -> ServerStats {
        let mut sum = ServerStats::default();
        for shard in &self.shards {
            let (answer, report) = oneshot::channel();
            if !shard.send(Command::Report(answer)).await {
                continue;
            }
            if let Ok(report) = report.await {
                sum.counters.add(&report.counters);
                sum.allocations += report.allocations;
                sum.streams += report.streams;
                sum.lost += report.lost;
            }
        }
        sum
    }

    /// Every allocation there is, in no order.
    pub async fn list(&self) -> Vec<AllocationInfo> {
        let mut list = Vec::new();
        for shard in &self.shards {
            let (answer, part) = oneshot::channel();
            if shard.send(Command::List(answer)).await {
                list.extend(part.await.into_iter().flatten());
            }
        }
        list
    }

    /// Ends all that `account` has, and returns how many allocations that were; see
    /// [`Server::release_account`](rtckit_turn::Server::release_account).
    pub async fn release_account(&self, account: &str) -> usize {
        let mut count = 0;
        for shard in &self.shards {
            let (answer, part) = oneshot::channel();
            if shard.send(Command::Release(account.into(), answer)).await {
                count += part.await.unwrap_or(0);
            }
        }
        count
    }

    /// Takes another policy of peers; see [`Server::set_peers`](rtckit_turn::Server::set_peers).
    pub async fn set_peers(&self, peers: &PeerPolicy) {
        for shard in &self.shards {
            shard.send(Command::Peers(peers.clone())).await;
        }
    }

    /// Takes another certificate for the TLS connections to come; `false` when it does not listen for TLS.
    pub fn set_tls(&self, tls: Arc<rustls::ServerConfig>) -> bool {
        self.listening.set_tls(tls)
    }

    /// Lets go of the clients: it takes no new ones, and ends when the last allocation has.
    pub async fn drain(&self) {
        for shard in &self.shards {
            shard.send(Command::Drain).await;
        }
    }

    /// Ends at once.
    pub fn stop(&self) {
        for shard in &self.shards {
            shard.stop();
        }
    }

    /// Waits until it has ended.
    pub async fn stopped(&self) {
        let _ = self.running.clone().wait_for(|running| *running == 0).await;
    }
}

/// What all threads count for the quotas.
#[derive(Debug, Default)]
struct OneUsage(Mutex<Usage>);

impl SharedUsage for OneUsage {
    fn with(&self, change: &mut dyn FnMut(&mut Usage)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for TurnServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether relays can be bound at all: otherwise each client would be told that there is no room for more.
fn try_relays(config: &Config) -> io::Result<()> {
    for relay in &config.turn.relays {
        let any_port = SocketAddr::new(relay.bind, 0);
        UdpPort::relay(any_port).map_err(|error| {
            let what = format!("cannot relay from {}: {error}", relay.bind);
            io::Error::new(error.kind(), what)
        })?;
    }
    Ok(())
}

/// Each allocation takes a descriptor: as many as the system lets this process have.
fn raise_descriptor_limit() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::debug!(%error, "the limit of open descriptors stays as it is");
        }
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::sync::mpsc;

    use rtckit_proto::FiveTuple;
    use rtckit_stun::StaticUsers;

    use super::stream::StreamId;
    use super::*;

    #[tokio::test]
    async fn a_server_that_is_dropped_ends_however_busy_it_is() {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let config = Config::at("test", address, Arc::new(StaticUsers::new("test")));
        let random = &mut *Provider::ring().random();
        let rest = (config.time, false);
        let users = Arc::clone(&config.users);
        let (shard, handle) =
            Shard::new(config.turn.clone(), users, Vec::new(), random, rest).unwrap();
        // it is asked for as much as there is room for before it looks at anything
        let (path, number) = (FiveTuple::udp(address, address), 0);
        let stream = StreamId { path, number };
        while handle
            .commands
            .try_send(Command::StreamClosed(stream))
            .is_ok()
        {}
        let (_, running) = watch::channel(1);
        drop(TurnServer {
            listening: Listening::start(Vec::new(), &config, &[]),
            shards: vec![handle],
            addresses: Addresses::default(),
            running,
        });
        let (ended, end) = mpsc::channel();
        std::thread::spawn(move || {
            shard.run();
            let _ = ended.send(());
        });
        // which is long enough for anything: without an end it would wait for ever
        assert!(end.recv_timeout(Duration::from_secs(30)).is_ok());
    }

    #[tokio::test]
    async fn an_address_of_another_host_is_not_relayed_from() {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut config = Config::at("test", address, Arc::new(StaticUsers::new("test")));
        config.listen.clear();
        // RFC 5737: nobody's
        let elsewhere = [192, 0, 2, 1].into();
        config.turn.relays = vec![rtckit_turn::RelayAddress::new(elsewhere)];
        let error = TurnServer::start(config).await.unwrap_err().to_string();
        assert!(error.contains("cannot relay from 192.0.2.1"), "{error}");
    }
}
