//! The codecs a section can settle on.

use crate::state::MediaKind;

/// A codec under the payload type a description gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Codec {
    pub(crate) payload_type: u8,
    pub(crate) format: rtckit_rtp::payload::Codec,
    /// `a=fmtp`'s text, as the description has it.
    pub(crate) fmtp: Option<String>,
    pub(crate) feedback: FeedbackSet,
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
        }],
        MediaKind::Video => {
            vec![Codec {
                payload_type: 96,
                format: rtckit_rtp::payload::Codec::Vp8,
                fmtp: None,
                feedback: FeedbackSet::VIDEO,
            }]
        }
    }
}

/// The codecs of `offered` that we take part in, under the offerer's payload types and in the offerer's order
/// ([RFC 3264 §6.1](https://www.rfc-editor.org/rfc/rfc3264#section-6.1)).
pub(crate) fn common_codecs(kind: MediaKind, offered: &[Codec]) -> Vec<Codec> {
    let ours = offered_codecs(kind);
    offered
        .iter()
        .filter_map(|theirs| {
            let own = ours.iter().find(|own| own.format == theirs.format)?;
            Some(Codec {
                payload_type: theirs.payload_type,
                format: own.format,
                fmtp: own.fmtp.clone(),
                feedback: own.feedback.intersection(theirs.feedback),
            })
        })
        .collect()
}
