//! The rules by which an answer follows from an offer, as pure functions: no network, no state, no WebRTC.
//!
//! | rule | document | function |
//! | --- | --- | --- |
//! | the direction of an answer | [RFC 3264 §6.1](https://www.rfc-editor.org/rfc/rfc3264.html#section-6.1) | [`answer_direction`] |
//! | the codecs of an answer, their numbers and order | [RFC 3264 §6.1](https://www.rfc-editor.org/rfc/rfc3264.html#section-6.1) | [`common_codecs`] |
//! | when two formats are one codec, what an answer's `a=fmtp` says | the codecs' documents | [`same_codec`], [`answer_parameters`] |
//! | what feedback is left | [RFC 4585 §4.2](https://www.rfc-editor.org/rfc/rfc4585.html#section-4.2) | [`common_feedback`] |
//! | header extensions | [RFC 8285 §6](https://www.rfc-editor.org/rfc/rfc8285.html#section-6) | [`common_extensions`] |
//! | encodings and simulcast | [RFC 8851 §6](https://www.rfc-editor.org/rfc/rfc8851.html#section-6), [RFC 8853 §5.3](https://www.rfc-editor.org/rfc/rfc8853.html#section-5.3) | [`answer_rid`], [`answer_simulcast`] |
//! | BUNDLE groups | [RFC 9143 §7.3](https://www.rfc-editor.org/rfc/rfc9143.html#section-7.3) | [`answer_bundle`], [`tagged_mid`] |
//! | who opens | [RFC 4145 §4.1](https://www.rfc-editor.org/rfc/rfc4145.html#section-4.1), [RFC 8842 §5.3](https://www.rfc-editor.org/rfc/rfc8842.html#section-5.3) | [`answer_setup`], [`offerer_opens`] |
//! | one port for RTP and RTCP | [RFC 8858 §4](https://www.rfc-editor.org/rfc/rfc8858.html#section-4) | [`answer_rtcp_mux`] |
//! | a section that is not wanted | [RFC 3264 §6](https://www.rfc-editor.org/rfc/rfc3264.html#section-6) | [`rejection`] |
//! | whether an answer is one | [RFC 3264 §6](https://www.rfc-editor.org/rfc/rfc3264.html#section-6), [RFC 9429 §5.11](https://www.rfc-editor.org/rfc/rfc9429.html#section-5.11) | [`check_answer`], [`check_sections`], [`check_bundles`], [`check_directions`], [`check_one_transport`] |
//! | whether an offer may follow another | [RFC 3264 §8](https://www.rfc-editor.org/rfc/rfc3264.html#section-8), [RFC 9429 §5.2.2](https://www.rfc-editor.org/rfc/rfc9429.html#section-5.2.2) | [`check_reoffer`], [`check_origin`], [`recyclable`] |
//!
//! [`answer()`] puts them together: it makes a whole answer out of an offer and what one is capable of.

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
