//! ICE ([RFC 8445](https://www.rfc-editor.org/rfc/rfc8445)): finds a path to the peer and keeps it.
//!
//! An [`Agent`] is told its addresses and the peer's, exchanges STUN checks over them, selects a pair, and then
//! watches that the peer still consents to being sent to. It touches no socket and no clock: datagrams, time and
//! randomness are arguments.
//!
//! # Example
//!
//! Two agents that exchange credentials and candidates, and a network that is a function call:
//!
//! ```
//! use rtckit_ice::{Agent, AgentConfig, Candidate, ConnectionState, Role};
//! use rtckit_proto::{Datagram, Instant, SeededRandom};
//!
//! let (a_address, b_address) = ("192.0.2.1:1000".parse()?, "192.0.2.2:2000".parse()?);
//! let mut now = Instant::ZERO;
//! let mut a = Agent::new(AgentConfig::default(), Box::new(SeededRandom::new(1)));
//! let mut b = Agent::new(AgentConfig::default(), Box::new(SeededRandom::new(2)));
//! a.set_role(Role::Controlling);
//! a.add_local_candidate(now, Candidate::host(a_address, 1))?;
//! b.add_local_candidate(now, Candidate::host(b_address, 1))?;
//! a.set_remote_credentials(now, b.local_credentials().clone())?;
//! b.set_remote_credentials(now, a.local_credentials().clone())?;
//! a.add_remote_candidate(now, Candidate::host(b_address, 1))?;
//! // b learns a's address from the checks that arrive.
//!
//! let mut buf = [0; Agent::MAX_DATAGRAM];
//! while a.selected_pair().is_none() || b.selected_pair().is_none() {
//!     while let Some(transmit) = a.poll_transmit(now, &mut buf) {
//!         b.handle_input(now, Datagram::new(transmit.path.reversed(), &mut buf[transmit.range]));
//!     }
//!     while let Some(transmit) = b.poll_transmit(now, &mut buf) {
//!         a.handle_input(now, Datagram::new(transmit.path.reversed(), &mut buf[transmit.range]));
//!     }
//!     now += core::time::Duration::from_millis(10);
//!     a.handle_timeout(now);
//!     b.handle_timeout(now);
//! }
//! assert!(now <= Instant::from_millis(100));
//! assert_eq!(a.selected_pair().map(|pair| pair.path.remote), Some(b_address));
//! assert_eq!(b.state(), ConnectionState::Connected);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it does
//!
//! | RFC | |
//! | --- | --- |
//! | 8445 | a full agent: pairing, freezing, pacing, triggered checks, peer-reflexive candidates of both sides, role conflicts, regular nomination, restart; the peer may be lite |
//! | 8838 trickle | candidates of both sides at any time, end-of-candidates |
//! | 8863 | patience of 39.5 s before it fails |
//! | 7675 consent | whole, revocation included |
//! | 8839 §5.1 | [`Candidate`] as text, both ways; host names are an error |
//!
//! # What it does not do
//!
//! - One data stream with one component (BUNDLE and RTCP multiplexing): candidates of others are refused.
//! - UDP alone; TCP candidates (RFC 6544) are read, printed, and refused.
//! - It gathers nothing: host, server-reflexive and relayed candidates are added from outside.
//! - It never is the lite agent; no aggressive nomination; no renomination.
//! - Keepalives are the consent checks, as RFC 7675 allows; it sends no indications.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod agent;
mod candidate;
mod checklist;
mod client;
mod config;
mod consent;
mod credentials;
mod error;
mod event;
mod grammar;
mod nomination;
mod pacing;
mod pair;
mod role;
mod server;
mod session;

pub use agent::Agent;
pub use candidate::{Candidate, CandidateType, Foundation, RTP_COMPONENT, TcpType, priority};
pub use config::AgentConfig;
pub use credentials::Credentials;
pub use error::{Error, ParseError};
pub use event::{ConnectionState, Event};
pub use pair::{CandidatePair, PairId, PairState, PairStats, SelectedPair};
pub use role::Role;
/// How often a check is repeated; a field of [`AgentConfig`].
pub use rtckit_stun::Retransmission;
/// How checks are told from other datagrams, for whoever shares the socket with them.
pub use rtckit_stun::is_stun;
