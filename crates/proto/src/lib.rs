//! The words every rtckit crate shares, and nothing else.
//!
//! rtckit's protocol crates are pure state machines: they never touch a socket, a clock, a thread or a
//! global. What they need from the outside arrives as arguments, and this crate holds the types of those
//! arguments: [`Instant`] for time, [`Random`] for chance, [`Datagram`] for bytes that arrive, [`Transmit`]
//! for bytes that leave. Beside them stand the few tools that more than one protocol needs: cursors
//! ([`Reader`], [`Writer`]), timers ([`Timers`]), serial numbers ([`Unroller`]) and the [`ReplayWindow`].
//!
//! # The five verbs
//!
//! Every machine is driven the same way and by nothing else; [`Machine`] is that contract as a trait.
//!
//! ```text
//!            handle_input(now, datagram)          poll_transmit(now, buf) -> Transmit
//!   socket ────────────────────────────►┌───────┐──────────────────────────────────► socket
//!            handle_timeout(now)        │machine│ poll_event() -> Event
//!   timer  ────────────────────────────►└───────┘──────────────────────────────────► application
//!                                           │     poll_timeout() -> Option<Instant>
//!                                           └──────────────────────────────────────► timer
//! ```
//!
//! # Example
//!
//! ```
//! use core::time::Duration;
//! use rtckit_proto::{Instant, Reader, Unroller, Writer};
//!
//! // Time is a number the driver hands in.
//! let now = Instant::ZERO + Duration::from_millis(20);
//! assert_eq!(now.as_millis(), 20);
//!
//! // Cursors check every length.
//! let mut buf = [0; 8];
//! let mut writer = Writer::new(&mut buf);
//! writer.u16(0xabcd)?;
//! writer.u32(7)?;
//! let written = writer.len();
//! let mut reader = Reader::new(&buf[..written]);
//! assert_eq!((reader.u16()?, reader.u32()?), (0xabcd, 7));
//! reader.finish()?;
//!
//! // A 16-bit counter that wraps becomes a 64-bit one that does not.
//! let mut sequence = Unroller::<u16>::default();
//! assert_eq!(sequence.unroll(65_535), 65_535);
//! assert_eq!(sequence.unroll(1), 65_537);
//! # Ok::<(), rtckit_proto::CursorError>(())
//! ```
//!
//! # What it does not do
//!
//! No protocol lives here: a type enters only when two crates use it. The crate is `no_std` and allocates
//! nothing; the feature `std` (default) adds [`Clock`] alone.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(any(feature = "std", test))]
extern crate std;

mod codec;
mod id;
mod machine;
mod net;
mod random;
mod redact;
mod replay;
mod sequence;
mod srtp_profile;
mod time;
mod timer;

pub use codec::{CursorError, Reader, Writer};
pub use machine::Machine;
pub use net::{Datagram, Ecn, FiveTuple, Received, Transmit, Transport};
pub use random::{Random, SeededRandom};
pub use redact::Redacted;
pub use replay::ReplayWindow;
pub use sequence::{Counter, Unroller, is_newer_u16, is_newer_u32};
pub use srtp_profile::SrtpProfile;
#[cfg(feature = "std")]
pub use time::Clock;
pub use time::{Instant, NtpTime, WallClock};
pub use timer::{TimerId, Timers};
