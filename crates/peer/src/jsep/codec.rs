//! The codecs a section can settle on.

use rtckit_rtp::payload;
use rtckit_sdp::attribute::{Feedback, Parameters, RtpMap};
use rtckit_sdp::offer_answer::{self, CommonCodec};

use crate::state::MediaKind;

/// A codec under the payload type a description gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Codec {
    pub(crate) payload_type: u8,
    pub(crate) format: payload::Codec,
    /// `a=fmtp`'s text, as the description has it.
    pub(crate) fmtp: Option<String>,
    /// `a=fmtp`'s text in an answer of ours to the description.
    pub(crate) answer_fmtp: Option<String>,
    pub(crate) feedback: FeedbackSet,
    /// The payload type of its retransmissions ([RFC 4588 §8.6](https://www.rfc-editor.org/rfc/rfc4588#section-8.6)), if
    /// the description has one.
    pub(crate) rtx: Option<u8>,
}

impl Codec {
    /// What is in force once both descriptions are there: what we send, under the numbers the other side gives, and what
    /// we receive, under ours ([RFC 3264 §5.1, §6.1](https://www.rfc-editor.org/rfc/rfc3264#section-5.1)). `None` when
    /// they are not the same codec.
    pub(crate) fn agreed(local: &Self, remote: &Self) -> Option<Agreed> {
        let feedback = local.feedback.intersection(remote.feedback);
        let with_rtx = local.rtx.is_some() && remote.rtx.is_some();
        let half = |codec: &Self| Self {
            feedback,
            rtx: codec.rtx.filter(|_| with_rtx),
            ..codec.clone()
        };
        (local.format == remote.format).then(|| Agreed {
            send: half(remote),
            receive: half(local),
        })
    }
}

impl Codec {
    /// The same in an answer of ours.
    pub(crate) fn answer(&self) -> Self {
        Self {
            fmtp: self.answer_fmtp.clone(),
            ..self.clone()
        }
    }
}

/// One codec in both directions. It differs in the payload types, and in `a=fmtp`, by which each side says what it wants
/// to receive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub(crate) send: Codec,
    pub(crate) receive: Codec,
}

/// The m-line's formats for `codecs`: each is followed by that of its retransmissions.
pub(crate) fn formats(codecs: &[Codec]) -> Vec<String> {
    codecs
        .iter()
        .flat_map(|codec| [Some(codec.payload_type), codec.rtx])
        .flatten()
        .map(|payload_type| payload_type.to_string())
        .collect()
}

/// The RTCP feedback agreed for a codec ([RFC 4585 §4.2](https://www.rfc-editor.org/rfc/rfc4585#section-4.2)):
/// only what rtckit acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct FeedbackSet {
    /// `nack`
    pub(crate) nack: bool,
    /// `nack pli`
    pub(crate) pli: bool,
    /// `ccm fir`
    pub(crate) fir: bool,
}

impl FeedbackSet {
    /// What both sides have.
    pub(crate) fn intersection(self, other: Self) -> Self {
        Self {
            nack: self.nack && other.nack,
            pli: self.pli && other.pli,
            fir: self.fir && other.fir,
        }
    }
}

/// What rtckit has for `kind`, the most wanted first, each followed by its retransmissions.
///
/// The payload types are the dynamic ones browsers use, which spares both sides a mapping.
fn own_codecs(kind: MediaKind) -> Vec<rtckit_sdp::Codec<'static>> {
    let named = |payload_type, format: payload::Codec| RtpMap {
        payload_type,
        encoding: format.name(),
        clock_rate: format.clock_rate(),
        channels: format.channels(),
    };
    match kind {
        MediaKind::Audio => vec![rtckit_sdp::Codec {
            rtpmap: named(111, payload::Codec::Opus),
            fmtp: vec![Parameters("minptime=10;useinbandfec=1")],
            feedback: Vec::new(),
        }],
        MediaKind::Video => vec![
            rtckit_sdp::Codec {
                rtpmap: named(96, payload::Codec::Vp8),
                fmtp: Vec::new(),
                feedback: vec![Feedback::CCM_FIR, Feedback::NACK, Feedback::NACK_PLI],
            },
            rtckit_sdp::Codec {
                rtpmap: RtpMap {
                    payload_type: 97,
                    encoding: "rtx",
                    clock_rate: payload::Codec::Vp8.clock_rate(),
                    channels: None,
                },
                fmtp: vec![Parameters("apt=96")],
                feedback: Vec::new(),
            },
        ],
    }
}

/// What rtckit offers for `kind`: all it has.
pub(crate) fn offered_codecs(kind: MediaKind) -> Vec<Codec> {
    common_codecs(kind, &own_codecs(kind))
}

/// What of the codecs a description has is ours as well, under its payload types and in its order
/// ([RFC 3264 §6.1](https://www.rfc-editor.org/rfc/rfc3264#section-6.1)). Of several payload types for one codec the
/// first is taken: what is answered is what will be received.
pub(crate) fn common_codecs(kind: MediaKind, described: &[rtckit_sdp::Codec<'_>]) -> Vec<Codec> {
    let common = offer_answer::common_codecs(described, &own_codecs(kind));
    let codec = |codec: &CommonCodec<'_>| {
        let formats = [payload::Codec::Opus, payload::Codec::Vp8];
        // what has no format of its own repeats another
        let format = formats
            .into_iter()
            .find(|format| codec.own.is(format.name()))?;
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let payload_type = codec.payload_type();
        let rtx = common
            .iter()
            .find(|other| other.offered.associated_payload_type() == Some(payload_type));
        Some(Codec {
            payload_type,
            format,
            fmtp: codec.offered.fmtp.first().and_then(|fmtp| text(fmtp.0)),
            answer_fmtp: text(&codec.parameters),
            feedback: FeedbackSet {
                nack: codec.feedback.contains(&Feedback::NACK),
                pli: codec.feedback.contains(&Feedback::NACK_PLI),
                fir: codec.feedback.contains(&Feedback::CCM_FIR),
            },
            rtx: rtx.map(CommonCodec::payload_type),
        })
    };
    common.iter().filter_map(codec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_all_there_is() {
        let video = offered_codecs(MediaKind::Video);
        assert_eq!(video.len(), 1);
        assert_eq!(
            (
                video[0].payload_type,
                video[0].rtx,
                video[0].fmtp.as_deref()
            ),
            (96, Some(97), None)
        );
        assert!(video[0].feedback.nack && video[0].feedback.pli && video[0].feedback.fir);
        let audio = offered_codecs(MediaKind::Audio);
        assert_eq!(audio.len(), 1);
        assert_eq!(audio[0].fmtp.as_deref(), Some("minptime=10;useinbandfec=1"));
        assert_eq!(
            audio[0].answer_fmtp.as_deref(),
            Some("useinbandfec=1;minptime=10")
        );
    }

    /// Codecs are told apart by their format ([`Codec::agreed`]): one that came in two configurations would need more.
    #[test]
    fn each_format_is_there_once() {
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let offered = offered_codecs(kind);
            let formats: Vec<_> = offered.iter().map(|codec| codec.format.name()).collect();
            let mut once = formats.clone();
            once.dedup();
            assert_eq!(formats, once);
        }
    }
}
