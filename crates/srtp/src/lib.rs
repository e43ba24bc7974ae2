//! SRTP and SRTCP ([RFC 3711](https://www.rfc-editor.org/rfc/rfc3711),
//! [RFC 7714](https://www.rfc-editor.org/rfc/rfc7714)): packets are protected and opened in place.
//!
//! A [`SendContext`] holds the keys of one direction and, for each SSRC, the roll-over counter and what tells the
//! last 1024 packets from others under their numbers; a [`ReceiveContext`] holds a replay window of 1024 packets for
//! each. Keys come from DTLS. Nothing is allocated for a packet; state for an SSRC is made with its first authentic
//! packet, up to [`MAX_STREAMS`], and kept as long as the keys.
//!
//! # Example
//!
//! ```
//! use rtckit_proto::SrtpProfile;
//! use rtckit_srtp::{Error, ReceiveContext, SendContext};
//!
//! let profile = SrtpProfile::AeadAes128Gcm;
//! let (key, salt) = ([7; 16], [9; 12]);
//! let mut sender = SendContext::new(profile, &key, &salt)?;
//! let mut receiver = ReceiveContext::new(profile, &key, &salt)?;
//!
//! let rtp = [0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5, 0xca, 0xfe];
//! let mut buf = [0; 64];
//! buf[..rtp.len()].copy_from_slice(&rtp);
//! let protected = sender.protect_rtp(&mut buf, rtp.len())?;
//! assert_eq!(protected, rtp.len() + rtckit_srtp::rtp_overhead(profile));
//!
//! let mut again = buf;
//! let len = receiver.unprotect_rtp(&mut buf[..protected])?;
//! assert_eq!(buf[..len], rtp);
//! assert_eq!(receiver.unprotect_rtp(&mut again[..protected]), Err(Error::Replayed));
//! # Ok::<(), Error>(())
//! ```
//!
//! # What it does, and does not do
//!
//! | | |
//! | --- | --- |
//! | RFC 3711 | `AES_CM_128_HMAC_SHA1_80`; key derivation at rate 0; replay protection; SRTCP with and (when receiving) without encryption |
//! | RFC 7714 | `AEAD_AES_128_GCM`; not AES-256, not the tag-only mode of SRTP |
//! | Not yet | batches of packets; RFC 6904 (encrypted header extensions); RFC 9335 (Cryptex) |
//! | Never planned | MKI, F8, re-keying: DTLS-SRTP in WebRTC has no use for them |
//!
//! A stream is expected to be seen from its first roll-over on: a receiver that joins after sequence numbers have
//! wrapped cannot know the counter, and takes the packets for forged.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod aes_cm;
mod aes_gcm;
mod context;
mod error;
mod kdf;
mod rtcp;
mod stream;
#[cfg(test)]
mod tests;

pub use context::{ReceiveContext, SendContext, rtcp_overhead, rtp_overhead};
pub use error::Error;
pub use stream::MAX_STREAMS;
