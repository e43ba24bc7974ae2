//! Offer and answer ([RFC 9429](https://www.rfc-editor.org/rfc/rfc9429), JSEP), as values.
//!
//! [`Description`] is what a peer connection means by an SDP text: [`read()`] makes one from SDP, [`write()`] makes SDP
//! from one, and `answer.rs` holds the rules by which an answer follows from an offer. Nothing here has state; the
//! signalling state machine is in `signaling.rs`.

mod answer;
mod codec;
mod read;
mod write;

use rtckit_crypto::fingerprint::Fingerprint;

use rtckit_sdp::attribute::{Direction, Setup};
use rtckit_sdp::field::Timing;
use rtckit_sdp::offer_answer::{self, Outline, SectionOutline};

use crate::state::MediaKind;

pub(crate) use answer::{
    LocalRtp, agreed_codec, answer_section, check_answer, check_reoffer, recyclable,
};
pub(crate) use codec::{Agreed, Codec, FeedbackSet, formats, offered_codecs};
pub(crate) use read::read;
pub(crate) use write::write;

/// URI of the header extension that names the media section a packet belongs to
/// ([RFC 9143 §15](https://www.rfc-editor.org/rfc/rfc9143#section-15)).
pub(crate) const MID_EXTENSION: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";

/// A session description, reduced to what a peer connection acts on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Description {
    /// `o=`'s session id and version.
    pub(crate) session_id: u64,
    pub(crate) session_version: u64,
    /// The mids of the first BUNDLE group, in its order.
    pub(crate) bundle: Vec<String>,
    /// One for each m-line, in order.
    pub(crate) sections: Vec<Section>,
    /// Whether the writer is an ICE lite agent.
    pub(crate) ice_lite: bool,
}

/// One media section.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Section {
    pub(crate) mid: String,
    pub(crate) media: Media,
    /// Port zero without `a=bundle-only`: the section is out of use.
    pub(crate) rejected: bool,
    pub(crate) rtcp_mux: bool,
    pub(crate) rtcp_rsize: bool,
    pub(crate) transport: Option<TransportParameters>,
    /// `candidate:…` texts.
    pub(crate) candidates: Vec<String>,
    pub(crate) end_of_candidates: bool,
}

/// What a section carries.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Media {
    /// Audio or video over SRTP.
    Rtp(RtpSection),
    /// Anything else: kept so that an answer can refuse it in its own words.
    Other {
        kind: String,
        protocol: String,
        formats: Vec<String>,
    },
}

/// An audio or video section.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RtpSection {
    pub(crate) kind: MediaKind,
    /// The m-line's transport, which an answer repeats.
    pub(crate) protocol: String,
    pub(crate) direction: Direction,
    /// The codecs we have as well, in the writer's order of preference.
    pub(crate) codecs: Vec<Codec>,
    /// All formats as written, for an answer that refuses them.
    pub(crate) formats: Vec<String>,
    pub(crate) mid_extension: Option<MidExtension>,
    /// Stream and track id.
    pub(crate) msid: Option<(String, String)>,
    /// The primary SSRCs announced for this section.
    pub(crate) ssrcs: Vec<u32>,
    /// The SSRC of a stream and that of its retransmissions, by `a=ssrc-group:FID`.
    pub(crate) rtx_ssrcs: Vec<(u32, u32)>,
    pub(crate) cname: Option<String>,
}

/// The header extension that carries the mid ([RFC 8285 §5](https://www.rfc-editor.org/rfc/rfc8285#section-5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MidExtension {
    /// Its id. Of an offer with an id from 4096, which is for the answer to choose, the one that is answered.
    pub(crate) id: u8,
    /// Which way it goes, as the writer of the description sees it.
    pub(crate) direction: Direction,
}

impl MidExtension {
    /// As the other side sees it.
    pub(crate) fn reversed(self) -> Self {
        Self {
            direction: self.direction.reversed(),
            ..self
        }
    }
}

/// What a section (or the whole session) says of the transport under it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TransportParameters {
    pub(crate) ufrag: String,
    pub(crate) pwd: String,
    pub(crate) fingerprints: Vec<Fingerprint>,
    pub(crate) setup: Option<Setup>,
}

impl Description {
    /// The section whose transport carries everything: the first of the BUNDLE group that is in use, or the first in use.
    pub(crate) fn transport_section(&self) -> Option<&Section> {
        let usable = |section: &&Section| !section.rejected && section.transport.is_some();
        let named = |mid: &str| self.sections.iter().find(|section| section.mid == mid);
        let tagged = offer_answer::tagged_mid(&self.bundle, |mid| {
            named(mid).is_some_and(|section| usable(&section))
        });
        tagged
            .and_then(named)
            .or_else(|| self.sections.iter().find(usable))
    }
}

impl Description {
    /// What the rules between descriptions look at.
    pub(crate) fn outline(&self) -> Outline<'_> {
        let bundle: Vec<&str> = self.bundle.iter().map(String::as_str).collect();
        Outline {
            sections: self.sections.iter().map(Section::outline).collect(),
            bundles: Some(bundle)
                .filter(|bundle| !bundle.is_empty())
                .into_iter()
                .collect(),
            // what is written has no other
            times: vec![Timing::default()],
        }
    }
}

impl Section {
    /// What the rules between descriptions look at.
    fn outline(&self) -> SectionOutline<'_> {
        SectionOutline {
            kind: match &self.media {
                Media::Rtp(rtp) => rtp.kind.as_str(),
                Media::Other { kind, .. } => kind,
            },
            protocol: match &self.media {
                Media::Rtp(rtp) => &rtp.protocol,
                Media::Other { protocol, .. } => protocol,
            },
            mid: Some(self.mid.as_str()).filter(|mid| !mid.is_empty()),
            rejected: self.rejected,
            is_rtp: self.rtp().is_some(),
            rtcp_mux: self.rtcp_mux,
            setup: self
                .transport
                .as_ref()
                .and_then(|transport| transport.setup),
            direction: self.rtp().map(|rtp| rtp.direction).unwrap_or_default(),
            ..SectionOutline::default()
        }
    }

    /// The RTP part, when it has one.
    pub(crate) fn rtp(&self) -> Option<&RtpSection> {
        match &self.media {
            Media::Rtp(rtp) => Some(rtp),
            Media::Other { .. } => None,
        }
    }
}
