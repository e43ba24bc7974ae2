//! The codecs a section can settle on.

use rtckit_sdp::offer_answer;

use crate::state::MediaKind;

/// A codec under the payload type a description gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Codec {
    pub(crate) payload_type: u8,
    pub(crate) format: rtckit_rtp::payload::Codec,
    /// `a=fmtp`'s text, as the description has it.
    pub(crate) fmtp: Option<String>,
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
    const NONE: Self = Self {
        nack: false,
        pli: false,
        fir: false,
    };
    const VIDEO: Self = Self {
        nack: true,
        pli: true,
        fir: true,
    };

    /// What both sides have.
    pub(crate) fn intersection(self, other: Self) -> Self {
        Self {
            nack: self.nack && other.nack,
            pli: self.pli && other.pli,
            fir: self.fir && other.fir,
        }
    }
}

/// What rtckit offers for `kind`, the most wanted first.
///
/// The payload types are the dynamic ones browsers use, which spares both sides a mapping.
pub(crate) fn offered_codecs(kind: MediaKind) -> Vec<Codec> {
    match kind {
        MediaKind::Audio => vec![Codec {
            payload_type: 111,
            format: rtckit_rtp::payload::Codec::Opus,
            fmtp: Some("minptime=10;useinbandfec=1".into()),
            feedback: FeedbackSet::NONE,
            rtx: None,
        }],
        MediaKind::Video => {
            vec![Codec {
                payload_type: 96,
                format: rtckit_rtp::payload::Codec::Vp8,
                fmtp: None,
                feedback: FeedbackSet::VIDEO,
                rtx: Some(97),
            }]
        }
    }
}

/// The codecs of `offered` that we take part in, under the offerer's payload types and in the offerer's order
/// ([RFC 3264 §6.1](https://www.rfc-editor.org/rfc/rfc3264#section-6.1)). Of several payload types for one codec the
/// first is taken: what is answered is what will be received.
pub(crate) fn common_codecs(kind: MediaKind, offered: &[Codec]) -> Vec<Codec> {
    let ours = offered_codecs(kind);
    let same = |theirs: &Codec, own: &Codec| theirs.format == own.format;
    offer_answer::common_by(offered, &ours, same)
        .into_iter()
        .map(|(theirs, own)| Codec {
            payload_type: theirs.payload_type,
            format: own.format,
            fmtp: own.fmtp.clone(),
            feedback: own.feedback.intersection(theirs.feedback),
            rtx: theirs.rtx.filter(|_| own.rtx.is_some()),
        })
        .collect()
}
