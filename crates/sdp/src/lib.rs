//! SDP, the text in which SIP phones, RTSP servers, broadcast equipment and WebRTC peers describe a session:
//! [RFC 8866](https://www.rfc-editor.org/rfc/rfc8866.html) whole, the attributes of [`attribute::Kind`], and the rules of
//! offer and answer.
//!
//! - **Lossless.** [`Session::parse`] borrows from the text and keeps every line: what is written again is what was read,
//!   byte for byte, and an edit changes its own line only. [`Session::normalize`] makes the canonical form,
//!   [`Session::into_owned`] cuts the tie to the text.
//! - **Typed on demand.** What a line means is read when it is asked for, into the types of [`attribute`], [`field`] and
//!   [`parameters`]: a malformed attribute spoils nothing but itself.
//! - **Tolerant and strict.** `parse` takes what the field sends: lines in any order, missing ones, LF, stray blanks.
//!   [`check()`] says what it forgave and what else departs from the documents, each with line, column and the section of
//!   the RFC; [`Session::parse_strict`] takes a text in which it finds nothing. What it looks at is written there.
//! - **Built right.** [`Session::builder`] lets nothing through that the strict mode would refuse.
//! - **Offer and answer** are pure functions in [`offer_answer`].
//!
//! # Reading an offer
//!
//! ```
//! use rtckit_sdp::{
//!     Session,
//!     attribute::{Direction, Setup},
//!     parameters::CodecParameters,
//! };
//!
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
//!              a=rtcp-mux\r\n\
//!              a=rtpmap:111 opus/48000/2\r\n\
//!              a=fmtp:111 minptime=10;useinbandfec=1\r\n";
//! let session = Session::parse(offer)?;
//! let audio = &session.media()[0];
//! assert_eq!(audio.mid(), Some("0"));
//! assert_eq!(session.direction_of(audio), Direction::SendOnly);
//! assert_eq!(session.attribute_for::<Setup>(audio), Some(Ok(Setup::ActPass)));
//! let codecs = audio.codecs();
//! let CodecParameters::Opus(opus) = codecs[0].parameters()? else { panic!() };
//! assert_eq!(opus.useinbandfec, Some(true));
//! assert!(codecs[1].is("PCMU"), "known without an a=rtpmap");
//! assert_eq!(session.to_string(), offer);
//! assert!(session.is_strict());
//! # Ok::<(), rtckit_sdp::ParseError>(())
//! ```
//!
//! # Making an answer
//!
//! ```
//! # let offer = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
//! #              m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\n\
//! #              a=setup:actpass\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n\
//! #              a=fmtp:111 minptime=10;useinbandfec=1\r\n";
//! use rtckit_sdp::{
//!     Codec, Origin, Session,
//!     attribute::{IcePwd, IceUfrag, Parameters, RtpMap},
//!     offer_answer::{Capabilities, answer},
//! };
//!
//! // What we can do: Opus.
//! let opus = Codec {
//!     rtpmap: RtpMap { payload_type: 96, encoding: "opus", clock_rate: 48_000, channels: Some(2) },
//!     fmtp: vec![Parameters("useinbandfec=1")],
//!     feedback: vec![],
//! };
//! let offer = Session::parse(offer)?;
//! let mut answer = answer(&offer, &Origin::anonymous(17, 1), |_, _section| {
//!     Some(Capabilities { codecs: vec![opus.clone()], ..Capabilities::default() })
//! })?;
//! // What goes where is ours to add.
//! for section in answer.media_mut().iter_mut().filter(|section| section.port() != 0) {
//!     section.push(IceUfrag("EsAw"))?;
//!     section.push(IcePwd("bP+XJMM09aR8AiX1jdukzR6Y"))?;
//! }
//! assert_eq!(
//!     answer.to_string(),
//!     "v=0\r\no=- 17 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
//!      m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\na=setup:active\r\n\
//!      a=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n\
//!      a=ice-ufrag:EsAw\r\na=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y\r\n",
//! );
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # SIP: keys in the clear, and what is wrong with a text
//!
//! ```
//! use rtckit_sdp::{Session, attribute::Crypto, check};
//!
//! // As a telephone sends it, with LF alone and no t=.
//! let invite = "v=0\n\
//!               o=alice 2890844526 2890844526 IN IP4 host.atlanta.example.com\n\
//!               s=-\n\
//!               c=IN IP4 192.0.2.101\n\
//!               m=audio 49172 RTP/SAVP 0 8 101\n\
//!               a=rtpmap:101 telephone-event/8000\n\
//!               a=fmtp:101 0-16\n\
//!               a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20\n";
//! let session = Session::parse(invite)?;
//! let crypto = session.media()[0].attribute::<Crypto>().unwrap()?;
//! assert_eq!(crypto.suite, Crypto::AES_CM_128_HMAC_SHA1_80);
//! assert_eq!(crypto.keys[0].to_bytes().unwrap().len(), 30);
//!
//! // What was forgiven, but for the line ends.
//! let missing = check(invite).into_iter().find(|found| found.rule != rtckit_sdp::Rule::LineEnd).unwrap();
//! assert_eq!(
//!     missing.explain(invite).to_string(),
//!     "line 5, column 1, in t=: expected a t= line: when the session is on, or 0 0 (RFC 8866 §5.9)\n\
//!      5 | m=audio 49172 RTP/SAVP 0 8 101\n\
//!      \x20 | ^ missing here",
//! );
//! # Ok::<(), rtckit_sdp::ParseError>(())
//! ```
//!
//! # ST 2110: multicast, sources, clocks
//!
//! ```
//! use rtckit_sdp::{
//!     Session,
//!     attribute::{MediaClk, MediaClock, PtpDomain, SourceFilter, TsRefClk},
//! };
//!
//! let camera = "v=0\r\n\
//!               o=- 1700000000 1700000000 IN IP4 198.51.100.1\r\n\
//!               s=Camera 1\r\n\
//!               t=0 0\r\n\
//!               m=video 50000 RTP/AVP 112\r\n\
//!               c=IN IP4 233.252.0.10/32\r\n\
//!               a=source-filter: incl IN IP4 233.252.0.10 198.51.100.20\r\n\
//!               a=rtpmap:112 raw/90000\r\n\
//!               a=fmtp:112 sampling=YCbCr-4:2:2; width=1280; height=720; exactframerate=60000/1001; depth=10; SSN=ST2110-20:2017\r\n\
//!               a=ts-refclk:ptp=IEEE1588-2008:39-A7-94-FF-FE-07-CB-D0:37\r\n\
//!               a=mediaclk:direct=0\r\n";
//! let session = Session::parse_strict(camera)?;
//! let video = &session.media()[0];
//! let connection = video.connection().unwrap()?;
//! assert_eq!((connection.ttl, connection.addresses().count()), (Some(32), 1));
//! let filter = video.attribute::<SourceFilter>().unwrap()?;
//! assert_eq!(filter.sources, ["198.51.100.20"]);
//! let TsRefClk::Ptp(clock) = video.attribute::<TsRefClk>().unwrap()? else { panic!() };
//! assert_eq!(clock.domain, Some(PtpDomain::BareNumber(37)));
//! let clock = video.attribute::<MediaClk>().unwrap()?;
//! assert_eq!(clock.source, MediaClock::Direct { offset: Some(0), rate: None });
//! assert_eq!(video.codecs()[0].parameter("exactframerate"), Some("60000/1001"));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # What it reads and writes
//!
//! | RFC | what |
//! | --- | --- |
//! | [8866](https://www.rfc-editor.org/rfc/rfc8866.html), [4566](https://www.rfc-editor.org/rfc/rfc4566.html) | every line type, at session and media level; `rtpmap`, `fmtp`, directions, `ptime`, `maxptime`, `framerate`, `quality`, `orient`, `type`, `charset`, `sdplang`, `lang`, `keywds`, `tool`, `cat` |
//! | [3264](https://www.rfc-editor.org/rfc/rfc3264.html), [9429](https://www.rfc-editor.org/rfc/rfc9429.html) | the rules of offer and answer, as far as they are about texts: [`offer_answer`] |
//! | [8839](https://www.rfc-editor.org/rfc/rfc8839.html), [8840](https://www.rfc-editor.org/rfc/rfc8840.html), [6544](https://www.rfc-editor.org/rfc/rfc6544.html) | `candidate`, also as it is trickled, and fragments; `ice-ufrag`, `ice-pwd`, `ice-options`, `ice-lite`, `ice-pacing`, `ice-mismatch`, `remote-candidates`, `end-of-candidates` |
//! | [8122](https://www.rfc-editor.org/rfc/rfc8122.html), [4145](https://www.rfc-editor.org/rfc/rfc4145.html), [8842](https://www.rfc-editor.org/rfc/rfc8842.html) | `fingerprint`, `setup`, `connection`, `tls-id` |
//! | [5888](https://www.rfc-editor.org/rfc/rfc5888.html), [9143](https://www.rfc-editor.org/rfc/rfc9143.html), [8830](https://www.rfc-editor.org/rfc/rfc8830.html), [4574](https://www.rfc-editor.org/rfc/rfc4574.html), [4796](https://www.rfc-editor.org/rfc/rfc4796.html) | `mid`, `group`, `bundle-only`, `msid`, `msid-semantic`, `label`, `content` |
//! | [3605](https://www.rfc-editor.org/rfc/rfc3605.html), [5761](https://www.rfc-editor.org/rfc/rfc5761.html), [8858](https://www.rfc-editor.org/rfc/rfc8858.html), [5506](https://www.rfc-editor.org/rfc/rfc5506.html), [4585](https://www.rfc-editor.org/rfc/rfc4585.html), [3611](https://www.rfc-editor.org/rfc/rfc3611.html) | `rtcp`, `rtcp-mux`, `rtcp-mux-only`, `rtcp-rsize`, `rtcp-fb`, `rtcp-xr` |
//! | [8285](https://www.rfc-editor.org/rfc/rfc8285.html), [6904](https://www.rfc-editor.org/rfc/rfc6904.html), [9335](https://www.rfc-editor.org/rfc/rfc9335.html) | `extmap`, also encrypted; `extmap-allow-mixed`, `cryptex` |
//! | [5576](https://www.rfc-editor.org/rfc/rfc5576.html) | `ssrc`, `ssrc-group` |
//! | [8841](https://www.rfc-editor.org/rfc/rfc8841.html), draft-hancke-tsvwg-snap | `sctp-port`, `max-message-size`, `sctp-init`, and the drafts' `sctpmap` |
//! | [8851](https://www.rfc-editor.org/rfc/rfc8851.html), [8853](https://www.rfc-editor.org/rfc/rfc8853.html), [6236](https://www.rfc-editor.org/rfc/rfc6236.html) | `rid` and its restrictions, `simulcast`, `imageattr` |
//! | [4568](https://www.rfc-editor.org/rfc/rfc4568.html), [4567](https://www.rfc-editor.org/rfc/rfc4567.html) | `crypto`, `key-mgmt` |
//! | [4570](https://www.rfc-editor.org/rfc/rfc4570.html), [7273](https://www.rfc-editor.org/rfc/rfc7273.html) | `source-filter`, `ts-refclk`, `mediaclk` |
//! | [6184](https://www.rfc-editor.org/rfc/rfc6184.html), [7798](https://www.rfc-editor.org/rfc/rfc7798.html), [7741](https://www.rfc-editor.org/rfc/rfc7741.html), [9628](https://www.rfc-editor.org/rfc/rfc9628.html), [7587](https://www.rfc-editor.org/rfc/rfc7587.html), [4588](https://www.rfc-editor.org/rfc/rfc4588.html), [2198](https://www.rfc-editor.org/rfc/rfc2198.html), [4733](https://www.rfc-editor.org/rfc/rfc4733.html), AV1 RTP | the `fmtp` of H.264, H.265, VP8, VP9, Opus, RTX, RED, telephone events, AV1: [`parameters`] |
//!
//! # What it does not do
//!
//! - It has no state: which description is pending and which in force is JSEP's, and `peer`'s.
//! - It does not look into attributes of attributes (`a=ssrc:1 fmtp:…`), nor negotiate capabilities (RFC 5939).
//! - Of character sets it knows UTF-8 and ISO 8859-1: [`decode`] reads bytes that may be either.
//! - All other attributes are kept and can be read by name; [`Attribute`](attribute::Attribute) is open for
//!   types of your own.
//!
//! The crate is `no_std` with `alloc`, depends on nom and nothing else, and never panics, spins or allocates without a
//! ceiling, whatever the text: see [`Limits`].
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod attribute;
mod build;
mod check;
mod codec;
mod decode;
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
pub use decode::{check_bytes, decode};
pub use error::{Error, Explanation, ParseError};
pub use field::Origin;
pub use line::{Line, LineEnd};
pub use media::{Media, MediaKind, protocol};
pub use reference::Reference;
pub use session::{Limits, Session};
