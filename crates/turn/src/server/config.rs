//! What a server is told before it starts.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::ops::RangeInclusive;
use core::time::Duration;

use rtckit_stun::{AuthenticationConfig, NonceSecret, ResponderConfig};

use crate::server::policy::PeerPolicy;
use crate::server::ports::RelayPorts;
use crate::server::usage::SharedUsage;

/// An address relayed traffic leaves from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelayAddress {
    /// What the driver binds.
    pub bind: IpAddr,
    /// What clients are told: another one behind a one-to-one NAT, as clouds have it.
    pub advertise: IpAddr,
}

impl RelayAddress {
    /// An address of this host that the world knows too.
    pub const fn new(ip: IpAddr) -> Self {
        Self {
            bind: ip,
            advertise: ip,
        }
    }

    /// An address of this host that the world knows as `advertise`.
    pub const fn behind_nat(bind: IpAddr, advertise: IpAddr) -> Self {
        Self { bind, advertise }
    }
}

/// Everything a [`Server`](crate::Server) is told. The defaults are for one shard on a host of its own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Realm, algorithms, nonces, tokens.
    pub authentication: AuthenticationConfig,
    /// What nonces and tickets are made from: the same for all shards of a server, fresh at every start.
    pub secret: NonceSecret,
    /// Where relayed traffic leaves from: the first of each family is used.
    pub relays: Vec<RelayAddress>,
    /// The ports relays are bound to. 49152 to 65535.
    pub ports: RangeInclusive<u16>,
    /// Which of them are taken, for shards that relay from the same addresses: without it they take each other's, and
    /// their clients do not reach each other's relays. None: its own.
    pub relay_ports: Option<Arc<RelayPorts>>,
    /// Where clients reach this server: no peer may have one of these addresses.
    pub listeners: Vec<SocketAddr>,
    /// What other addresses this host has. No peer may have one of them either, but for the relays there, unless
    /// [`peers`](Self::peers) allow it by name: what else listens on this host is not for clients.
    pub addresses: Vec<IpAddr>,
    /// Which of the shards that share their addresses this is, up to 63. It stands in what a client may bring from
    /// another address or by another stream, so that [`instance_of`](crate::instance_of) finds the shard that gave it.
    pub instance: u8,
    /// Which peers may be reached.
    pub peers: PeerPolicy,
    /// Where allocations are counted when several shards share their quotas. None: each counts for itself.
    pub usage: Option<Arc<dyn SharedUsage>>,
    /// How many allocations there may be. 20,000.
    pub max_allocations: usize,
    /// How many of them one user may have, by [`User::account`](rtckit_stun::User::account). 100.
    pub max_allocations_per_user: u32,
    /// How many of them one client address (or /64 of IPv6) may have. 200.
    pub max_allocations_per_address: u32,
    /// How many permissions an allocation may have at a time. 128.
    pub max_permissions: usize,
    /// How many channels an allocation may have at a time. 128.
    pub max_channels: usize,
    /// How many TCP connections with peers an allocation may have (RFC 6062). 16.
    pub max_connections: usize,
    /// How long an allocation lives if the client asks for less. 600 s.
    pub default_lifetime: Duration,
    /// The longest lifetime a client gets. 3600 s.
    pub max_lifetime: Duration,
    /// Whether TCP is relayed (RFC 6062). Yes.
    pub relays_tcp: bool,
    /// Whether allocations may move to another client address (RFC 8016). Yes.
    pub allows_mobility: bool,
    /// Whether the driver can send with the DF bit as [`ToPeer`](crate::ToPeer) asks. If not, DONT-FRAGMENT is an
    /// unknown attribute, as RFC 8656 wants. No.
    pub supports_dont_fragment: bool,
    /// SOFTWARE in answers to verified requests; strangers are told nothing.
    pub software: Option<Box<str>>,
    /// How many answers per second an address (or /64 of IPv6) gets over UDP to requests that are not authenticated,
    /// whether it has allocations or not: its sender may be forged. 100.
    ///
    /// To a request of 20 bytes they are 76 bytes and the padded realm long (the challenge; more if it names
    /// [`third_party`](AuthenticationConfig::third_party)), or 32 to 116 (a Binding response: of IPv4, or of IPv6 with
    /// a second address for RFC 5780). What longer requests draw is no larger for its request. So who forges an address
    /// makes the server send there at most six times what it costs, with a realm of up to 44 bytes, and no more answers
    /// per second than this.
    pub replies_per_second: u32,
    /// And how many at once. 1000: as many clients behind one NAT may start together. A tenth as many more are kept for
    /// clients who repeat a nonce they were given: theirs may go stale while somebody forges their address. A client
    /// that has not got one yet shares the bucket with whoever forges its address.
    pub reply_burst: u32,
    /// How Binding requests are answered.
    pub responder: ResponderConfig,
    /// The server a draining one sends new clients to (300), instead of refusing them (508).
    pub alternate_server: Option<SocketAddr>,
}

impl ServerConfig {
    /// The defaults, for users of `realm`, relayed from `relays`.
    pub fn new(realm: &str, secret: NonceSecret, relays: Vec<RelayAddress>) -> Self {
        Self {
            authentication: AuthenticationConfig::new(realm),
            secret,
            relays,
            ports: 49_152..=65_535,
            relay_ports: None,
            listeners: Vec::new(),
            addresses: Vec::new(),
            instance: 0,
            peers: PeerPolicy::default(),
            usage: None,
            max_allocations: 20_000,
            max_allocations_per_user: 100,
            max_allocations_per_address: 200,
            max_permissions: 128,
            max_channels: 128,
            max_connections: 16,
            default_lifetime: Duration::from_secs(600),
            max_lifetime: Duration::from_secs(3600),
            relays_tcp: true,
            allows_mobility: true,
            supports_dont_fragment: false,
            software: None,
            replies_per_second: 100,
            reply_burst: 1000,
            responder: ResponderConfig::default(),
            alternate_server: None,
        }
    }
}
