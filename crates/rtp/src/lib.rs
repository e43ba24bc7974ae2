//! RTP and RTCP: packets, payload formats and the repair of what was lost.
//!
//! Nothing here touches a socket or a clock. Three layers, each usable without the next:
//!
//! - **Packets.** [`Packet`] is a checked view of an RTP packet, [`Header`] writes one; [`rtcp`] does the same for
//!   compound RTCP packets.
//! - **Payload formats.** [`payload`] cuts VP8 and Opus frames into packets and reads them back.
//! - **Streams.** [`SendStream`] turns frames into packets and keeps them for NACKs; [`ReceiveStream`] turns
//!   packets into frames, asks for what is missing and gives up in time.
//!
//! # Example
//!
//! ```
//! use rtckit_proto::Instant;
//! use rtckit_rtp::payload::Codec;
//! use rtckit_rtp::{Packet, PayloadType, ReceiveConfig, ReceiveStream, SendConfig, SendStream, Ssrc};
//!
//! let mut sender = SendStream::new(&SendConfig::new(Ssrc(1), PayloadType(96), Codec::Vp8, 7))?;
//! let mut receiver = ReceiveStream::new(ReceiveConfig::new(Ssrc(1), Codec::Vp8, true))?;
//!
//! let frame = [0x5a; 3_000];
//! let now = Instant::ZERO;
//! sender.write_frame(now, 0, &frame)?;
//! let mut buf = [0; 1_500];
//! while let Some(len) = sender.poll_packet(now, &mut buf) {
//!     // SRTP and the network stand here
//!     receiver.handle_packet(now, &Packet::parse(&buf[..len])?);
//! }
//! assert_eq!(receiver.poll_frame(now).unwrap().data, frame);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it does, and does not do
//!
//! | | |
//! | --- | --- |
//! | [RFC 3550](https://www.rfc-editor.org/rfc/rfc3550) | packets; SR, RR, SDES, BYE; loss and jitter (A.1, A.3, A.8); APP raw. When to send reports is the caller's (§6.2) |
//! | [RFC 4585](https://www.rfc-editor.org/rfc/rfc4585), [5104](https://www.rfc-editor.org/rfc/rfc5104) | generic NACK, PLI, FIR; the rest raw |
//! | [RFC 4588](https://www.rfc-editor.org/rfc/rfc4588) (RTX) | the payload format; lost packets sent again on an SSRC of their own, and read from there. Not `rtx-time`, nor a session of its own (§5.1) |
//! | [RFC 5761](https://www.rfc-editor.org/rfc/rfc5761) | telling RTP from RTCP |
//! | [RFC 8285](https://www.rfc-editor.org/rfc/rfc8285) | one- and two-byte elements, read and written; streams send MID alone |
//! | [RFC 7741](https://www.rfc-editor.org/rfc/rfc7741) (VP8) | all of the descriptor; frames are sent in one temporal layer |
//! | [RFC 7587](https://www.rfc-editor.org/rfc/rfc7587) (Opus) | whole packets and their length; no audio jitter buffer |
//! | Not yet | RED, FEC, transport-wide feedback, REMB, XR; H.264, VP9, AV1 |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod error;
mod extension;
mod header;
mod packet;
pub mod payload;
mod receive;
pub mod rtcp;
pub mod rtx;
mod send;

pub use error::{Error, ParseError};
pub use extension::{Extension, Extensions};
pub use header::{Header, append_padding};
pub use packet::{FIXED_HEADER_LEN, Packet, PayloadType, Ssrc};
pub use receive::{
    Frame, MAX_FRAME, MAX_PACKETS, MAX_PAYLOAD, ReceiveConfig, ReceiveStats, ReceiveStream,
};
pub use send::{MAX_HISTORY, MAX_PACKET, SendConfig, SendStats, SendStream};
