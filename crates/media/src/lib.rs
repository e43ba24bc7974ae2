//! Media files for rtckit: IVF (VP8, VP9, AV1, H.264 frames) and Ogg Opus, readers and writers.
//!
//! A file is hostile input like a datagram is: whatever it holds, the readers use bounded memory, never panic,
//! and say at which byte they found what instead of what they expected. They read from anything that is
//! [`Read`](std::io::Read), a byte slice included, and stop at the first fault.
//!
//! # Example
//!
//! ```
//! use std::io::Cursor;
//! use rtckit_media::{clips, ivf, ogg};
//!
//! let mut video = ivf::Reader::new(clips::VIDEO_IVF)?;
//! assert_eq!(video.header().fourcc, ivf::FourCc::VP8);
//! let mut copy = ivf::Writer::new(Cursor::new(Vec::new()), *video.header())?;
//! for frame in &mut video {
//!     let frame = frame?;
//!     copy.write_frame(frame.pts, &frame.data)?;
//! }
//! assert_eq!(copy.finish()?.into_inner(), clips::VIDEO_IVF);
//!
//! let mut audio = ogg::Reader::new(clips::AUDIO_OGG)?;
//! assert_eq!(audio.head().channels, 2);
//! let mut packet = Vec::new();
//! while audio.read_packet(&mut packet)?.is_some() {
//!     assert_eq!(rtckit_media::opus::packet_duration(&packet), Some(960), "20 ms at 48 kHz");
//! }
//!
//! let fault = ivf::Reader::new(&b"RIFF...."[..]).unwrap_err();
//! assert_eq!(fault.to_string(), r#"not an IVF file: expected "DKIF" at byte 0, found "RIFF""#);
//! # Ok::<(), rtckit_media::Error>(())
//! ```
//!
//! # What it does and does not do
//!
//! | | |
//! | --- | --- |
//! | IVF | header and frames, read and written; the frame count is patched when a file is finished |
//! | Ogg ([RFC 3533](https://www.rfc-editor.org/rfc/rfc3533)) | one logical stream: pages, lacing, checksums, packets over several pages. Multiplexed and chained streams are refused; no resynchronisation after damage, no seeking |
//! | Ogg Opus ([RFC 7845](https://www.rfc-editor.org/rfc/rfc7845)) | identification and comment header, granule positions, pre-skip, end trimming. Channel mapping family 0 (mono, stereo) only |
//! | Opus ([RFC 6716](https://www.rfc-editor.org/rfc/rfc6716)) | the duration of a packet from its first bytes; nothing is decoded |
//! | WAV, Annex B, test pattern, G.711 | not yet |
#![forbid(unsafe_code)]

pub mod clips;
mod error;
pub mod ivf;
pub mod ogg;
pub mod opus;
mod source;

pub use error::{Error, Found, Item, ParseError, Problem};
