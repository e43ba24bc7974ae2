//! SDP, the text in which peers offer and answer a session:
//! [RFC 8866](https://www.rfc-editor.org/rfc/rfc8866.html) and the attributes of WebRTC.
//!
//! [`Session::parse`] borrows from the text and keeps every line: what is written again is what was read,
//! byte for byte, and an edit changes its own line only. What a line means is read on demand into the types
//! of [`attribute`] and [`field`], and an error says where in the text it is and what should have stood
//! there. What is built here cannot break its line: a value with a line break in it is refused.
//!
//! # Example
//!
//! ```
//! use rtckit_sdp::{
//!     Media, MediaKind, Origin, Session,
//!     attribute::{Direction, Fmtp, Group, Mid, Parameters, RtpMap, Setup},
//!     protocol,
//! };
//!
//! // Read an offer.
//! let offer = "v=0\r\n\
//!              o=- 4611731400430051336 2 IN IP4 127.0.0.1\r\n\
//!              s=-\r\n\
//!              t=0 0\r\n\
//!              a=group:BUNDLE 0\r\n\
//!              m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\n\
//!              c=IN IP4 0.0.0.0\r\n\
//!              a=mid:0\r\n\
//!              a=sendonly\r\n\
//!              a=setup:actpass\r\n\
//!              a=rtpmap:111 opus/48000/2\r\n\
//!              a=fmtp:111 minptime=10;useinbandfec=1\r\n";
//! let session = Session::parse(offer)?;
//! let audio = &session.media()[0];
//! assert_eq!(audio.mid(), Some("0"));
//! assert_eq!(session.direction_of(audio), Direction::SendOnly);
//! assert_eq!(session.attribute_for::<Setup>(audio), Some(Ok(Setup::ActPass)));
//! let codecs = audio.codecs();
//! assert!(codecs[0].is("opus") && codecs[0].parameter("useinbandfec") == Some("1"));
//! assert!(codecs[1].is("PCMU"));
//! assert_eq!(session.to_string(), offer);
//!
//! // Build an answer.
//! let mut media = Media::new(MediaKind::Audio, 9, protocol::UDP_TLS_RTP_SAVPF, [111])?;
//! media.push(Mid("0"))?;
//! media.set_direction(session.direction_of(audio).reversed());
//! media.push(Setup::Active)?;
//! media.push(codecs[0].rtpmap)?;
//! let mut answer = Session::new(&Origin::anonymous(1, 1))?;
//! answer.push(Group::bundle(["0"]))?;
//! answer.push_media(media);
//! assert!(answer.to_string().ends_with("a=setup:active\r\na=rtpmap:111 opus/48000/2\r\n"));
//!
//! // No value breaks its line.
//! assert!(answer.push(Mid("0\r\na=ice-lite")).is_err());
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # What it reads and writes
//!
//! | RFC | what |
//! | --- | --- |
//! | [8866](https://www.rfc-editor.org/rfc/rfc8866.html) | every line type; `rtpmap`, `fmtp`, directions, `ptime`, `maxptime`, `framerate` |
//! | [8839](https://www.rfc-editor.org/rfc/rfc8839.html), [8840](https://www.rfc-editor.org/rfc/rfc8840.html), [6544](https://www.rfc-editor.org/rfc/rfc6544.html) | `candidate`, also as it is trickled, and fragments; `ice-ufrag`, `ice-pwd`, `ice-options`, `ice-lite`, `ice-pacing`, `ice-mismatch`, `remote-candidates`, `end-of-candidates` |
//! | [8122](https://www.rfc-editor.org/rfc/rfc8122.html), [4145](https://www.rfc-editor.org/rfc/rfc4145.html), [8842](https://www.rfc-editor.org/rfc/rfc8842.html) | `fingerprint`, `setup`, `tls-id` |
//! | [5888](https://www.rfc-editor.org/rfc/rfc5888.html), [9143](https://www.rfc-editor.org/rfc/rfc9143.html), [8830](https://www.rfc-editor.org/rfc/rfc8830.html), [4574](https://www.rfc-editor.org/rfc/rfc4574.html) | `mid`, `group`, `bundle-only`, `msid`, `msid-semantic`, `label` |
//! | [3605](https://www.rfc-editor.org/rfc/rfc3605.html), [5761](https://www.rfc-editor.org/rfc/rfc5761.html), [8858](https://www.rfc-editor.org/rfc/rfc8858.html), [5506](https://www.rfc-editor.org/rfc/rfc5506.html), [4585](https://www.rfc-editor.org/rfc/rfc4585.html), [3611](https://www.rfc-editor.org/rfc/rfc3611.html) | `rtcp`, `rtcp-mux`, `rtcp-mux-only`, `rtcp-rsize`, `rtcp-fb`, `rtcp-xr` |
//! | [8285](https://www.rfc-editor.org/rfc/rfc8285.html) | `extmap`, `extmap-allow-mixed` |
//! | [5576](https://www.rfc-editor.org/rfc/rfc5576.html) | `ssrc`, `ssrc-group` |
//! | [8841](https://www.rfc-editor.org/rfc/rfc8841.html) | `sctp-port`, `max-message-size`, and the drafts' `sctpmap` |
//! | [8851](https://www.rfc-editor.org/rfc/rfc8851.html), [8853](https://www.rfc-editor.org/rfc/rfc8853.html) | `rid`, `simulcast` |
//! | [4568](https://www.rfc-editor.org/rfc/rfc4568.html), [6236](https://www.rfc-editor.org/rfc/rfc6236.html) | `crypto` in four words; `imageattr` without a look into its sizes |
//!
//! # What it does not do
//!
//! - It does not tell an offer from an answer, nor make one from the other: that is JSEP's, and `peer`'s.
//! - It does not enforce the order of lines, nor that `s=`, `t=` and `c=` are there: browsers do without.
//! - Texts are UTF-8; `a=charset` is not heeded.
//! - All other attributes are kept and can be read by name; [`Attribute`](attribute::Attribute) is open for
//!   types of your own.
//!
//! The crate is `no_std` with `alloc`.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod attribute;
mod build;
mod check;
mod codec;
mod error;
pub mod field;
mod grammar;
mod line;
mod media;
mod normalize;
pub mod offer_answer;
pub mod parameters;
mod reference;
mod section;
mod session;
mod write;

pub use attribute::Candidate;
pub use build::{CodecBuilder, MediaBuilder, SessionBuilder};
pub use check::{Deviation, Rule, check};
pub use codec::Codec;
pub use error::{Error, Explanation, ParseError};
pub use field::Origin;
pub use line::{Line, LineEnd};
pub use media::{Media, MediaKind, protocol};
pub use reference::Reference;
pub use session::{Limits, Session};
