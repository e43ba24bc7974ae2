//! WebRTC for tokio.
//!
//! [`PeerConnection`] is the W3C's peer connection in Rust's idiom: it takes and gives session descriptions and
//! candidates, and once they are exchanged it carries encoded video and sound. The protocols live in rtckit's
//! sans-IO crates, composed by `rtckit-peer`; this crate adds what they must not have: sockets, a clock, a task.
//!
//! # Example
//!
//! Two connections in one program; on the way between two programs, descriptions and candidates travel by any
//! means you like.
//!
//! ```
//! use rtckit::{Configuration, Direction, Error, Event, MediaKind, PeerConnection};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! let here = || Configuration::new().bind(["127.0.0.1:0".parse().expect("an address")]);
//! let caller = PeerConnection::new(here()).await?;
//! let callee = PeerConnection::new(here()).await?;
//!
//! // The caller offers to send sound, the callee answers.
//! let microphone = caller.add_transceiver(MediaKind::Audio, Direction::SendOnly)?;
//! let offer = caller.create_offer().await?;
//! caller.set_local_description(offer).await?;
//! callee.set_remote_description(caller.local_description().expect("it was just set")).await?;
//! let answer = callee.create_answer().await?;
//! callee.set_local_description(answer).await?;
//! caller.set_remote_description(callee.local_description().expect("it was just set")).await?;
//!
//! // ICE finds a path, DTLS agrees on keys.
//! caller.connected().await?;
//! callee.connected().await?;
//!
//! // One frame of Opus, exactly as the encoder made it.
//! let frame = [0xfc, 0xff, 0xfe];
//! microphone.sender().write_frame(0, &frame).await?;
//! let speaker = loop {
//!     if let Some(Event::Track(track)) = callee.next_event().await {
//!         break track;
//!     }
//! };
//! let received = speaker.receiver().read_frame().await.expect("the call goes on");
//! assert_eq!(received.data, frame);
//!
//! caller.close().await;
//! callee.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! # How it runs
//!
//! Each connection has one task, which owns its sockets: one per local address, with the kernel's segmentation
//! and receive offload where it has them. Handles ([`PeerConnection`], [`Transceiver`], [`Sender`], [`Receiver`])
//! lock the machine for the moment of a call and wake the task. The task ends after
//! [`PeerConnection::close`], and when the last handle is dropped. [`Shaper`] and [`Tap`] stand between the
//! connection and its sockets, for whoever wants a worse network or a look at the bytes.
//!
//! # What it does and does not
//!
//! | | |
//! | --- | --- |
//! | ICE ([RFC 8445](https://www.rfc-editor.org/rfc/rfc8445)) | host candidates over UDP on IPv4 and IPv6, trickle in both directions; no STUN or TURN servers, no TCP yet |
//! | interfaces | read once, when the connection is made; a network that comes later is not noticed |
//! | DTLS, SRTP | as `rtckit-dtls` and `rtckit-srtp` do them, with ring or, by the feature `aws-lc-rs`, with that |
//! | media | encoded frames in and out: VP8 and Opus; no capture, no codecs, no pacing of bursts |
//! | data channels | not yet |
//! | STUN and TURN servers | with the feature `turn`: `server`, and `client` for links to them |
//! | many connections on one port | not yet: a connection binds its own sockets |
#![forbid(unsafe_code)]

#[cfg(feature = "turn")]
pub mod client;
mod configuration;
mod connection;
mod driver;
mod error;
mod event;
mod interfaces;
#[cfg(feature = "turn")]
pub mod server;
mod shared;
mod socket;
mod time;
mod transceiver;
mod wire;

pub use configuration::Configuration;
pub use connection::PeerConnection;
pub use error::{Error, SystemError};
pub use event::Event;
pub use interfaces::Interface;
pub use transceiver::{Frame, Receiver, Sender, Transceiver};
pub use wire::{Shaper, Tap, Way};

pub use rtckit_crypto::{identity::Identity, provider::Provider};
pub use rtckit_peer::{
    BrokenRule, CandidatePairStats, ConnectionState, Direction, DtlsTransportState,
    Error as PeerError, IceCandidate, IceConnectionState, IceGatheringState, InboundRtpStats,
    MediaKind, OutboundRtpStats, SdpType, SessionDescription, Setup, SignalingState, StatsReport,
    TransceiverId, TransportStats,
};
pub use rtckit_proto::{FiveTuple, Instant, SrtpProfile};

/// The example of the README, so that it stays true.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
