//! Which codecs both sides have: [RFC 3264 §6.1](https://www.rfc-editor.org/rfc/rfc3264.html#section-6.1), with what each
//! codec's document says of its parameters.

use crate::{
    attribute::Feedback,
    codec::Codec,
    parameters::{CodecParameters, H264, TelephoneEvent},
};
use alloc::{string::String, string::ToString, vec::Vec};

/// What both sides have, in the offer's order: pairs of an offered value and the first of one's own that is the `same`.
///
/// Each of one's own is taken once. If the offer has one codec under several numbers, the first counts: what is answered is
/// what will be received ([RFC 3264 §6.1](https://www.rfc-editor.org/rfc/rfc3264.html#section-6.1)).
fn common_by<'o, 'w, O, W>(
    offered: &'o [O],
    own: &'w [W],
    same: impl Fn(&O, &W) -> bool,
) -> Vec<(&'o O, &'w W)> {
    let mut taken = alloc::vec![false; own.len()];
    let mut common = Vec::new();
    for offered in offered {
        let mut candidates = own.iter().zip(&mut taken);
        let found = candidates.find(|(own, taken)| !**taken && same(offered, own));
        if let Some((own, taken)) = found {
            *taken = true;
            common.push((offered, own));
        }
    }
    common
}

/// Whether two formats are the same codec in a configuration that both can have: name, clock rate and channels, and what
/// the codec's document wants to be alike.
///
/// | codec | must be alike | document |
/// | --- | --- | --- |
/// | H.264 | profile, packetization mode | [RFC 6184 §8.2.2](https://www.rfc-editor.org/rfc/rfc6184.html#section-8.2.2) |
/// | H.265 | profile space, profile, tier, constraints, transmission mode | [RFC 7798 §7.2.2](https://www.rfc-editor.org/rfc/rfc7798.html#section-7.2.2) |
/// | VP9 | profile | [RFC 9628 §6.1.2](https://www.rfc-editor.org/rfc/rfc9628.html#section-6.1.2) |
/// | AV1 | profile, tier | AV1 RTP payload format §7.2.3 |
/// | others | nothing more | |
///
/// Retransmission (`rtx`) and redundancy (`red`) belong to other formats: [`common_codecs`] treats them so, and here they
/// are compared by name and rate.
pub fn same_codec(one: &Codec<'_>, other: &Codec<'_>) -> bool {
    let channels = |codec: &Codec<'_>| codec.rtpmap.channels.unwrap_or(1);
    let alike = one.is(other.rtpmap.encoding)
        && one.rtpmap.clock_rate == other.rtpmap.clock_rate
        && channels(one) == channels(other);
    let parameters = || Some((one.configuration().ok()?, other.configuration().ok()?));
    // What cannot be read is not the same as anything, if it is something that must be alike.
    alike && parameters().is_some_and(|(one, other)| same_configuration(&one, &other))
}

fn same_configuration(one: &CodecParameters<'_>, other: &CodecParameters<'_>) -> bool {
    match (one, other) {
        (CodecParameters::H264(one), CodecParameters::H264(other)) => {
            one.profile() == other.profile() && one.packetization() == other.packetization()
        }
        (CodecParameters::H265(one), CodecParameters::H265(other)) => {
            one.configuration() == other.configuration()
                && one.transmission_mode() == other.transmission_mode()
        }
        (CodecParameters::Vp9(one), CodecParameters::Vp9(other)) => {
            one.profile() == other.profile()
        }
        (CodecParameters::Av1(one), CodecParameters::Av1(other)) => {
            one.profile_or_default() == other.profile_or_default()
                && one.tier_or_default() == other.tier_or_default()
        }
        _ => true,
    }
}

/// What an answer's `a=fmtp` says: mostly what the answerer itself wants to receive, for the parameters are declarations.
/// Where they are negotiated, what both can:
///
/// - H.264: the offer's profile, and unless both allow asymmetric levels, the lower level
///   ([RFC 6184 §8.2.2](https://www.rfc-editor.org/rfc/rfc6184.html#section-8.2.2)).
/// - H.265: the lower level ([RFC 7798 §7.2.2](https://www.rfc-editor.org/rfc/rfc7798.html#section-7.2.2)).
/// - Telephone events: those that both know
///   ([RFC 4733 §2.5.1](https://www.rfc-editor.org/rfc/rfc4733.html#section-2.5.1)).
///
/// The two are configurations of [the same codec](same_codec).
pub fn answer_parameters<'a>(
    offered: &CodecParameters<'_>,
    own: &CodecParameters<'a>,
) -> CodecParameters<'a> {
    match (offered, own) {
        (CodecParameters::H264(offered), CodecParameters::H264(own)) => {
            CodecParameters::H264(answer_h264(offered, own))
        }
        (CodecParameters::H265(offered), CodecParameters::H265(own)) => {
            let mut answer = own.clone();
            if offered.level_id.is_some() || own.level_id.is_some() {
                answer.level_id = Some(offered.level().min(own.level()));
            }
            CodecParameters::H265(answer)
        }
        (CodecParameters::TelephoneEvent(offered), CodecParameters::TelephoneEvent(own)) => {
            let common = own.intersection(offered);
            // No event in common is no list, which cannot be written; the keys are always understood.
            let none = common.events.is_empty();
            CodecParameters::TelephoneEvent(if none {
                TelephoneEvent::default()
            } else {
                common
            })
        }
        _ => own.clone(),
    }
}

fn answer_h264<'a>(offered: &H264<'_>, own: &H264<'a>) -> H264<'a> {
    let mut answer = own.clone();
    let theirs = offered.profile_level_id_or_default();
    let asymmetric = offered.allows_level_asymmetry() && own.allows_level_asymmetry();
    let level = match asymmetric {
        true => own.level(),
        false => own.level().min(theirs.level()),
    };
    if offered.profile_level_id.is_some() || own.profile_level_id.is_some() {
        // Several ids mean one profile; the offer's is repeated.
        answer.profile_level_id = Some(theirs.with_level(level));
    }
    answer.level_asymmetry_allowed = own.level_asymmetry_allowed.map(|own| own && asymmetric);
    answer
}

/// The feedback both sides know, in the offer's order, each once
/// ([RFC 4585 §4.2](https://www.rfc-editor.org/rfc/rfc4585.html#section-4.2)).
pub fn common_feedback<'a>(offered: &[Feedback<'a>], own: &[Feedback<'_>]) -> Vec<Feedback<'a>> {
    // At most 64 of each (`Codec::MAX_FEEDBACK`).
    let mut common = Vec::new();
    for feedback in offered {
        if own.contains(feedback) && !common.contains(feedback) {
            common.push(*feedback);
        }
    }
    common
}

/// A codec that both sides have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommonCodec<'a> {
    /// The codec as offered: the answer uses its payload type.
    pub offered: Codec<'a>,
    /// The codec as one has it oneself: what is sent to the other side is what it offered, what is received is this.
    pub own: Codec<'a>,
    /// The text of the answer's `a=fmtp`; empty for none.
    pub parameters: String,
    /// The feedback both know.
    pub feedback: Vec<Feedback<'a>>,
}

impl CommonCodec<'_> {
    /// The payload type in the answer.
    pub const fn payload_type(&self) -> u8 {
        self.offered.payload_type()
    }
}

/// The codecs of an answer: what both sides have, in the offer's order and under its payload types
/// ([RFC 3264 §6.1](https://www.rfc-editor.org/rfc/rfc3264.html#section-6.1)).
///
/// Retransmission is taken for the formats that are: the `rtx` whose `apt` is one of them, if one's own has `rtx` at all.
/// Redundancy is taken if all its blocks are of formats that are.
pub fn common_codecs<'a>(offered: &[Codec<'a>], own: &[Codec<'a>]) -> Vec<CommonCodec<'a>> {
    let is_media = |codec: &&Codec<'_>| !codec.is("rtx") && !codec.is("red");
    let theirs: Vec<_> = offered.iter().filter(is_media).collect();
    let ours: Vec<_> = own.iter().filter(is_media).collect();
    let mut common: Vec<CommonCodec<'a>> = common_by(&theirs, &ours, |a, b| same_codec(a, b))
        .into_iter()
        .map(|(offered, own)| pair(offered, own))
        .collect();
    let mut taken = [false; 128];
    for codec in &common {
        if let Some(taken) = taken.get_mut(usize::from(codec.payload_type())) {
            *taken = true;
        }
    }
    // What repeats or wraps these comes after them, whatever its place: the order by preference is kept at the end.
    for wrapper in offered.iter().filter(|codec| !is_media(codec)) {
        let alike = |own: &&Codec<'_>| {
            own.is(wrapper.rtpmap.encoding) && own.rtpmap.clock_rate == wrapper.rtpmap.clock_rate
        };
        let taken = |payload_type: u8| taken.get(usize::from(payload_type)) == Some(&true);
        let whole = match wrapper.parameters() {
            Ok(CodecParameters::Rtx(rtx)) => taken(rtx.apt),
            Ok(CodecParameters::Red(red)) => red.0.iter().all(|number| taken(*number)),
            // `red` for video has no parameters.
            Ok(CodecParameters::Other(_)) => wrapper.is("red"),
            _ => false,
        };
        if let Some(own) = own.iter().find(alike).filter(|_| whole) {
            common.push(CommonCodec {
                parameters: text_of(wrapper),
                ..pair(wrapper, own)
            });
        }
    }
    let place = |codec: &CommonCodec<'_>| {
        let number = codec.payload_type();
        offered
            .iter()
            .position(|offered| offered.payload_type() == number)
    };
    common.sort_by_cached_key(place);
    common
}

fn text_of(codec: &Codec<'_>) -> String {
    codec
        .fmtp
        .first()
        .map(|fmtp| fmtp.0.into())
        .unwrap_or_default()
}

fn pair<'a>(offered: &Codec<'a>, own: &Codec<'a>) -> CommonCodec<'a> {
    let parameters = match (offered.configuration(), own.configuration()) {
        (Ok(theirs), Ok(ours)) if !own.fmtp.is_empty() || !offered.fmtp.is_empty() => {
            answer_parameters(&theirs, &ours).to_string()
        }
        _ => text_of(own),
    };
    CommonCodec {
        parameters,
        feedback: common_feedback(&offered.feedback, &own.feedback),
        offered: offered.clone(),
        own: own.clone(),
    }
}
