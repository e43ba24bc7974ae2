//! A network in memory and virtual time: links that delay, lose, reorder and duplicate, repeatable from a seed.
//!
//! - [`Link`] is one direction of a network. It is driven like every rtckit machine: datagrams go in with
//!   the time, come out when they are due, and [`Link::poll_timeout`] says when that is. It works in virtual
//!   time as well as in real time, and allocates nothing once its buffers have grown.
//! - [`Pair`] ties two [`Machine`](rtckit_proto::Machine)s together with two links, jumps the clock from one
//!   deadline to the next and keeps a [`Trace`] of every datagram. A failing test writes the trace as a pcap
//!   file, and prints its seed.
//! - A [`Script`] decides the fate of single datagrams: drop exactly the third, turn every window of eight
//!   around, lose one in ten. A closure is a script too.
//! - [`pcap::Writer`] writes what Wireshark and tcpdump read.
//!
//! # Example
//!
//! ```
//! use core::time::Duration;
//! use rtckit_netsim::{Link, LinkConfig};
//! use rtckit_proto::{FiveTuple, Instant};
//!
//! let config = LinkConfig { delay: Duration::from_millis(30), ..LinkConfig::default() };
//! let mut link = Link::new(config, 7);
//! let path = FiveTuple::udp("10.0.0.1:1000".parse()?, "10.0.0.2:2000".parse()?);
//!
//! link.send(Instant::ZERO, path, b"hello");
//! assert!(link.poll(Instant::ZERO).is_none(), "it is still on its way");
//! let due = link.poll_timeout().expect("something is on its way");
//! assert_eq!(due, Instant::from_millis(30));
//! assert_eq!(link.poll(due).expect("it arrives").data, b"hello");
//! # Ok::<(), core::net::AddrParseError>(())
//! ```
//!
//! # What it does and does not do
//!
//! | | |
//! | --- | --- |
//! | delay, jitter, independent loss, reordering, duplication | yes, per [`LinkConfig`] |
//! | MTU | yes: longer datagrams are lost, as with "don't fragment" |
//! | a ceiling on what is under way | yes, counted in datagrams |
//! | burst loss (Gilbert-Elliott), rate limits | not yet |
//! | NATs (RFC 4787), several hosts | not yet |
//! | ECN marks | not carried: everything arrives [`Ecn::NotCapable`](rtckit_proto::Ecn::NotCapable) |
#![forbid(unsafe_code)]

mod link;
mod pair;
pub mod pcap;
mod script;
mod trace;

pub use link::{Counters, Delivery, Link, LinkConfig};
pub use pair::{Pair, Stalled, Stop};
pub use script::{Direction, DropNth, Fate, Flight, RandomLoss, ReverseWindows, Script};
pub use trace::{Trace, Traced};
