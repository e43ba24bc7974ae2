//! A datagram path to the peer.
//!
//! A [`Transport`] owns an [ICE agent](rtckit_ice::Agent). The driver tells it the addresses of its sockets, which
//! become host candidates; signalling brings the peer's. It keeps the STUN of what arrives and hands back the
//! rest; [`path`](Transport::path) says where to send.
//!
//! # Example
//!
//! ```
//! use rtckit_proto::{Datagram, FiveTuple, Instant, SeededRandom};
//! use rtckit_transport::{Event, GatheringState, Transport, TransportConfig};
//!
//! let now = Instant::ZERO;
//! let mut transport = Transport::new(TransportConfig::default(), Box::new(SeededRandom::new(1)));
//! transport.add_local_address(now, "192.0.2.1:5000".parse()?)?;
//! transport.end_of_local_addresses();
//!
//! assert_eq!(transport.poll_event(), Some(Event::GatheringStateChanged(GatheringState::Gathering)));
//! let Some(Event::CandidateGathered(candidate)) = transport.poll_event() else { panic!() };
//! assert!(candidate.to_string().ends_with("192.0.2.1 5000 typ host"));
//! assert_eq!(transport.poll_event(), Some(Event::GatheringStateChanged(GatheringState::Complete)));
//!
//! // Nobody has proved to be the peer yet, so nothing gets through.
//! let path = FiveTuple::udp("192.0.2.1:5000".parse()?, "198.51.100.1:6000".parse()?);
//! assert!(transport.handle_input(now, Datagram::new(path, &mut [0x80, 0, 0, 1])).is_none());
//! assert_eq!(transport.path(), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it does not do yet
//!
//! STUN and TURN servers, and with them server-reflexive and relayed candidates of our own; TCP; mDNS names.
//! The peer's candidates of those types are used.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod error;
mod gather;
mod transport;

pub use error::Error;
pub use gather::GatheringState;
pub use transport::{Event, Transport, TransportConfig};
