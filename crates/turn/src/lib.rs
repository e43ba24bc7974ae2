//! TURN ([RFC 8656](https://www.rfc-editor.org/rfc/rfc8656)): a client and a server, without a socket.
//!
//! A [`Client`] asks a server for an address that peers can send to when they cannot reach the client's own; a
//! [`Server`] gives such addresses away. Both are machines: bytes and the time go in, bytes and facts come out.
//! Payloads cross them without being copied, and without memory being allocated: what is inside a datagram is lent out
//! of it, and what goes around a payload comes as an [`Envelope`] of at most 48 bytes.
//!
//! # Example
//!
//! ```
//! use rtckit_proto::{Datagram, FiveTuple, Instant, SeededRandom};
//! use rtckit_stun::{NonceSecret, StaticUsers};
//! use rtckit_turn::{Client, ClientConfig, RelayAddress, Server, ServerConfig, ServerEvent};
//!
//! let mut random = SeededRandom::new(1); // take a secure source instead
//! let mut users = StaticUsers::new("example.org");
//! users.insert("alice", "secret");
//! let relays = vec![RelayAddress::new("203.0.113.1".parse()?)];
//! let config = ServerConfig::new("example.org", NonceSecret::new(&mut random), relays);
//! let mut server = Server::new(config, users, &mut random);
//!
//! let path = FiveTuple::udp("192.0.2.7:5000".parse()?, "203.0.113.1:3478".parse()?);
//! let now = Instant::ZERO;
//! let mut client = Client::new(ClientConfig::new("alice", "secret"), path, now, &mut random);
//! let mut buf = [0; 1500];
//! while !client.is_allocated() {
//!     let sent = client.poll_transmit(now, &mut buf).expect("a request");
//!     server.handle_input(now, Datagram::new(path.reversed(), &mut buf[sent.range]));
//!     while let Some(event) = server.poll_event() {
//!         if let ServerEvent::BindRelay { relay, address, .. } = event {
//!             server.relay_bound(now, relay, Ok(address)); // as if a socket had been bound
//!         }
//!     }
//!     let sent = server.poll_transmit(now, &mut buf).expect("an answer");
//!     client.handle_input(now, Datagram::new(path, &mut buf[sent.range]));
//! }
//! assert_eq!(client.relayed(true).map(|address| address.ip()), Some("203.0.113.1".parse()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With sockets: `examples/turn_client.rs` is a client in a blocking loop, `examples/turn_server.rs` shows all that a server
//! asks of its driver. `rtckit::server` is such a driver.
//!
//! # What is here
//!
//! | RFC | client | server |
//! | --- | --- | --- |
//! | 8656 allocations, refresh, permissions, channels, Send and Data | whole | whole |
//! | 8656 IPv6, both families in one allocation (and 6156) | whole | whole |
//! | 8656 EVEN-PORT, RESERVATION-TOKEN | whole | whole |
//! | 8656 DONT-FRAGMENT | asks for it; sends no such indication | if the driver can ([`ServerConfig::supports_dont_fragment`]); else 420 |
//! | 8656 ICMP | [`ClientEvent::Icmp`] | [`Server::handle_relay_icmp`] |
//! | 8656 300, 437 | asks for another path ([`ClientEvent::Reconnect`]) | sent |
//! | 8656 438, 441, 486, 508 | handled or reported | sent |
//! | 8656 over UDP, TCP, TLS | whole; the driver has the sockets, and looks up names (§6, RFC 5928) | whole |
//! | 6062 TCP connections with peers | [`Client::connect`], [`DataConnection`] | whole |
//! | 7635 third-party authorization | tokens ([`LongTermClient::with_token`](rtckit_stun::LongTermClient::with_token)) | asked of [`Users`](rtckit_stun::Users), which opens the token |
//! | 8016 mobility | [`Client::migrate`] | whole |
//! | 8489 §9.2 long-term credentials | whole | whole, stateless |
//! | 8489 §10 redirection | followed, with ALTERNATE-DOMAIN | when draining |
//! | TURN REST (draft-uberti) | it is a name and a password | [`SharedSecret`](rtckit_stun::SharedSecret) |
//! | peer policy, quotas, rate of answers to what is not authenticated | | [`PeerPolicy`], [`ServerConfig`] |
//! | who is there, and an end to it | | [`Server::list`], [`Server::release_account`] |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod channel_data;
mod client;
mod envelope;
mod server;

pub use channel_data::{CHANNEL_HEADER_LEN, ChannelData, ChannelNumber, is_channel_data};
pub use client::{
    Client, ClientConfig, ClientEvent, DataConnection, DataConnectionState, Failure, Families,
    FromPeer, PeerConnectionId, SendError,
};
pub use envelope::{Envelope, MAX_HEADER_LEN};
pub use server::{
    AllocationInfo, BindError, Cidr, CidrParseError, ConnectionId, Counters, Event as ServerEvent,
    PeerPolicy, RelayAddress, RelayId, RelayPorts, Release, Server, ServerConfig, SharedUsage,
    ToClient, ToPeer, Usage, instance_of, subscriber,
};
