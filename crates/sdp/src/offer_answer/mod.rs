//! The rules by which an answer follows from an offer, as pure functions: no network, no state, no WebRTC.
//!
//! | rule | document | function |
//! | --- | --- | --- |
//! | the direction of an answer | [RFC 3264 §6.1](https://www.rfc-editor.org/rfc/rfc3264.html#section-6.1) | [`answer_direction`] |
//! | the codecs of an answer, their numbers and order | [RFC 3264 §6.1](https://www.rfc-editor.org/rfc/rfc3264.html#section-6.1) | [`common_codecs`] |
//! | when two formats are one codec, what an answer's `a=fmtp` says | the codecs' documents | [`same_codec`], [`answer_parameters`] |
//! | what feedback is left | [RFC 4585 §4.2](https://www.rfc-editor.org/rfc/rfc4585.html#section-4.2) | [`common_feedback`] |
//! | header extensions | [RFC 8285 §7](https://www.rfc-editor.org/rfc/rfc8285.html#section-7) | [`common_extensions`] |
//! | encodings and simulcast | [RFC 8851 §6](https://www.rfc-editor.org/rfc/rfc8851.html#section-6), [RFC 8853 §5.3](https://www.rfc-editor.org/rfc/rfc8853.html#section-5.3) | [`answer_rid`], [`answer_simulcast`] |
//! | BUNDLE groups | [RFC 9143 §7.3](https://www.rfc-editor.org/rfc/rfc9143.html#section-7.3) | [`answer_bundle`], [`tagged_mid`] |
//! | who opens | [RFC 4145 §4.1](https://www.rfc-editor.org/rfc/rfc4145.html#section-4.1), [RFC 8842 §5.3](https://www.rfc-editor.org/rfc/rfc8842.html#section-5.3) | [`answer_setup`], [`offerer_opens`] |
//! | one port for RTP and RTCP | [RFC 8858 §4](https://www.rfc-editor.org/rfc/rfc8858.html#section-4) | [`answer_rtcp_mux`] |
//! | a section that is not wanted | [RFC 3264 §6](https://www.rfc-editor.org/rfc/rfc3264.html#section-6) | [`rejection`] |
//! | whether an answer is one | [RFC 3264 §6](https://www.rfc-editor.org/rfc/rfc3264.html#section-6), [RFC 9429 §5.11](https://www.rfc-editor.org/rfc/rfc9429.html#section-5.11) | [`check_answer`], [`check_sections`], [`check_bundles`], [`check_directions`], [`check_one_transport`] |
//! | whether an offer may follow another | [RFC 3264 §8](https://www.rfc-editor.org/rfc/rfc3264.html#section-8), [RFC 9429 §5.2.2](https://www.rfc-editor.org/rfc/rfc9429.html#section-5.2.2) | [`check_reoffer`], [`check_origin`], [`recyclable`] |
//!
//! [`answer()`] puts them together: it makes a whole answer out of an offer and what one is capable of. Of WebRTC it has an
//! example; this is a telephone call by SIP, with keys in the clear
//! ([RFC 4568](https://www.rfc-editor.org/rfc/rfc4568.html)), of which one is chosen and repeated with one's own key:
//!
//! ```
//! use rtckit_sdp::{
//!     Codec, Origin, Session,
//!     attribute::{Crypto, CryptoKey, PTime, Parameters, RtpMap},
//!     field::Connection,
//!     offer_answer::{Capabilities, answer, check_whole_answer},
//! };
//!
//! let invite = Session::parse(
//!     "v=0\r\no=alice 2890844526 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
//!      m=audio 49172 RTP/SAVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\n\
//!      a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj\r\n\
//!      a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n",
//! )?;
//! let here = Connection { address: "192.0.2.2", ..Connection::UNSPECIFIED };
//! let tones = Codec {
//!     rtpmap: RtpMap { payload_type: 96, encoding: "telephone-event", clock_rate: 8000, channels: None },
//!     fmtp: vec![Parameters("0-15")],
//!     feedback: vec![],
//! };
//! let a_law = RtpMap::static_type(8).map(|rtpmap| Codec { rtpmap, fmtp: vec![], feedback: vec![] });
//! let codecs: Vec<_> = a_law.into_iter().chain([tones]).collect();
//! let mut response = answer(&invite, &Origin { address: "192.0.2.2", ..Origin::anonymous(17, 1) }, |_, _| {
//!     Some(Capabilities { codecs: codecs.clone(), port: 30_000, connection: here, ..Capabilities::default() })
//! })?;
//!
//! // Keys and the length of packets are ours to say.
//! let mut offered = invite.media()[0].attributes_of::<Crypto>().flatten();
//! let chosen = offered.find(|crypto| crypto.suite == Crypto::AES_CM_128_HMAC_SHA1_80).unwrap();
//! let key = CryptoKey::inline("WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz");
//! let audio = &mut response.media_mut()[0];
//! audio.push(PTime("20"))?;
//! audio.push(Crypto { keys: vec![key], session_parameters: vec![], ..chosen })?;
//! assert_eq!(
//!     response.to_string(),
//!     "v=0\r\no=- 17 1 IN IP4 192.0.2.2\r\ns=-\r\nt=0 0\r\n\
//!      m=audio 30000 RTP/SAVP 8 101\r\nc=IN IP4 192.0.2.2\r\na=sendrecv\r\na=rtpmap:8 PCMA/8000\r\n\
//!      a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n\
//!      a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n",
//! );
//! assert_eq!(check_whole_answer(&invite, &response), Ok(()));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod bundle;
mod codecs;
mod extensions;
mod make;
mod outline;
mod shape;
mod simulcast;
mod transport;

pub use bundle::{answer_bundle, check_bundles, check_one_transport, tagged_mid};
pub use codecs::{CommonCodec, answer_parameters, common_codecs, common_feedback, same_codec};
pub use extensions::common_extensions;
pub use make::{Capabilities, answer, rejection};
pub use outline::{
    Multicast, Outline, SectionOutline, Violation, check_answer, check_directions, check_origin,
    check_reoffer, check_sections, check_whole_answer, recyclable,
};
pub use simulcast::{answer_rid, answer_simulcast};
pub use transport::{answer_rtcp_mux, answer_setup, offerer_opens};

use crate::attribute::Direction;

/// The direction of an answer: what the answerer wants, as far as the offer allows it
/// ([RFC 3264 §6.1](https://www.rfc-editor.org/rfc/rfc3264.html#section-6.1)).
///
/// ```
/// use rtckit_sdp::{attribute::Direction, offer_answer::answer_direction};
///
/// let held = answer_direction(Direction::SendOnly, Direction::SendRecv);
/// assert_eq!(held, Direction::RecvOnly);
/// ```
#[must_use]
pub const fn answer_direction(offered: Direction, wanted: Direction) -> Direction {
    wanted.intersection(offered.reversed())
}
