//! A WebRTC peer connection without I/O.
//!
//! [`Peer`] is offer/answer, ICE, DTLS, SRTP, RTP and RTCP composed into one machine that touches no socket, no
//! clock and no thread. Whoever owns those drives it: the crate `rtckit` with tokio, the simulator with virtual time, or
//! a loop of your own (`examples/blocking.rs` is one over `std` sockets).
//!
//! ```text
//!    add_transceiver, create_offer, set_remote_description, …         write_frame        read_frame
//!              │                                                          │                  ▲
//!  ┌───────────▼───────────┐                                     ┌────────▼──────────────────┴───────┐
//!  │ JSEP: what was agreed ├─ codecs, directions, SSRCs ────────►│ transceivers: RTP streams, RTCP   │
//!  └───────────┬───────────┘                                     └────────┬──────────────────▲───────┘
//!              │ credentials, fingerprints, roles                         │ protect          │ unprotect
//!  ┌───────────▼──────────────────────────────────────────────────────────▼──────────────────┴───────┐
//!  │ secure transport: ICE finds a path, DTLS agrees on keys, SRTP uses them                         │
//!  └───────────┬──────────────────────────────────────────────────────────────────────────▲──────────┘
//!        poll_transmit                                                               handle_input
//! ```
//!
//! # Example
//!
//! Two peers in one program. The bytes that one sends are handed to the other; time is a number.
//!
//! ```
//! use core::time::Duration;
//! use std::sync::Arc;
//! use rtckit_crypto::{identity::Identity, provider::Provider};
//! use rtckit_peer::{Config, ConnectionState, Direction, MediaKind, Peer};
//! use rtckit_proto::{Datagram, Instant, WallClock};
//!
//! let provider = Provider::ring();
//! let identity = Arc::new(Identity::generate(&provider)?);
//! let config = Config::new(provider, identity, WallClock::new(Duration::from_secs(1_800_000_000)));
//! let mut now = Instant::ZERO;
//! let mut left = Peer::new(config.clone(), now)?;
//! let mut right = Peer::new(config, now)?;
//!
//! // The driver names the addresses it has sockets at; they become candidates.
//! left.add_local_address(now, "192.0.2.1:4000".parse()?);
//! right.add_local_address(now, "192.0.2.2:4000".parse()?);
//!
//! // Offer and answer travel by any channel you have.
//! let video = left.add_transceiver(MediaKind::Video, Direction::SendOnly)?;
//! let offer = left.create_offer()?;
//! left.set_local_description(now, offer)?;
//! right.set_remote_description(now, left.local_description().unwrap())?;
//! let answer = right.create_answer()?;
//! right.set_local_description(now, answer)?;
//! left.set_remote_description(now, right.local_description().unwrap())?;
//!
//! let mut buf = [0; 2048];
//! while right.connection_state() != ConnectionState::Connected || left.connection_state() != ConnectionState::Connected {
//!     while let Some(transmit) = left.poll_transmit(now, &mut buf) {
//!         right.handle_input(now, Datagram::new(transmit.path.reversed(), &mut buf[transmit.range]));
//!     }
//!     while let Some(transmit) = right.poll_transmit(now, &mut buf) {
//!         left.handle_input(now, Datagram::new(transmit.path.reversed(), &mut buf[transmit.range]));
//!     }
//!     now += Duration::from_millis(1);
//!     left.handle_timeout(now);
//!     right.handle_timeout(now);
//! }
//!
//! left.sender(video).unwrap().write_frame(now, 0, b"an encoded picture")?;
//! while let Some(transmit) = left.poll_transmit(now, &mut buf) {
//!     right.handle_input(now, Datagram::new(transmit.path.reversed(), &mut buf[transmit.range]));
//! }
//! let track = right.transceivers().next().unwrap().id;
//! let mut receiver = right.receiver(track).unwrap();
//! assert_eq!(receiver.read_frame(now).unwrap().data, b"an encoded picture");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it does
//!
//! | | |
//! |---|---|
//! | JSEP ([RFC 9429](https://www.rfc-editor.org/rfc/rfc9429)) | offer and answer for audio and video, renegotiation that adds sections, turns them, or uses the place of refused ones again, ICE restart, trickle; no provisional answers, no rollback |
//! | BUNDLE ([RFC 9143](https://www.rfc-editor.org/rfc/rfc9143)) | always: what cannot share the transport is refused; so is what lacks `rtcp-mux` ([RFC 8858](https://www.rfc-editor.org/rfc/rfc8858)) |
//! | Codecs | VP8 and Opus, as encoded frames: rtckit carries media, it does not encode it |
//! | Feedback ([RFC 4585](https://www.rfc-editor.org/rfc/rfc4585), [5104](https://www.rfc-editor.org/rfc/rfc5104), [5506](https://www.rfc-editor.org/rfc/rfc5506)) | NACK, answered over RTX where both sides have it, else on the same SSRC; PLI; FIR, sent only where PLI was not agreed on; reduced-size RTCP; no bandwidth estimation |
//! | RTX ([RFC 4588](https://www.rfc-editor.org/rfc/rfc4588)) | offered and accepted for video, with `a=ssrc-group:FID`; probes and padding from the other side are survived. No `rtx-time`, no repaired RIDs, no RTCP about the SSRC of RTX, no probes of our own |
//! | Payload types ([RFC 3264](https://www.rfc-editor.org/rfc/rfc3264)) | the offerer's in answers; if an answer has others, each side sends with what the other's description says |
//! | Demultiplexing ([RFC 7983](https://www.rfc-editor.org/rfc/rfc7983)) | STUN, DTLS, SRTP, SRTCP on one port; streams by mid, SSRC or payload type |
//! | Statistics | the W3C's names, see [`StatsReport`] |
//! | Not yet | data channels, simulcast, transport-wide feedback, RED, FEC: none of them is offered or accepted |
#![forbid(unsafe_code)]

mod association;
mod candidates;
mod config;
mod demux;
mod error;
mod event;
mod handles;
mod jsep;
mod negotiation;
mod peer;
mod report;
mod routing;
mod secure_transport;
mod signaling;
mod snapshot;
mod state;
mod stats;
mod transceiver;

pub use config::{Config, Setup};
pub use error::{BrokenRule, Error};
pub use event::{Event, TransceiverId};
pub use handles::{Receiver, Sender};
pub use peer::Peer;
pub use rtckit_rtp::Frame;
pub use rtckit_sdp::attribute::Direction;
pub use state::{
    ConnectionState, DtlsTransportState, IceCandidate, IceConnectionState, IceGatheringState,
    MediaKind, SdpType, SessionDescription, SignalingState,
};
pub use stats::{
    CandidatePairStats, InboundRtpStats, OutboundRtpStats, StatsReport, TransportStats,
};
pub use transceiver::TransceiverInfo;
