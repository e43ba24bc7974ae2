//! How an answer follows from an offer ([RFC 9429 §5.3](https://www.rfc-editor.org/rfc/rfc9429#section-5.3)), and what
//! an answer must satisfy.

use super::codec::{Agreed, common_codecs, formats};
use super::{Codec, Description, Media, RtpSection, Section};
use crate::error::Error;
use rtckit_sdp::attribute::Direction;
use rtckit_sdp::offer_answer;

/// What this side brings to one section of an answer.
#[derive(Clone, Debug)]
pub(crate) struct LocalRtp {
    pub(crate) direction: Direction,
    pub(crate) msid: (String, String),
    pub(crate) ssrc: u32,
    /// The SSRC lost packets are sent again with, where that is agreed on.
    pub(crate) rtx_ssrc: u32,
    pub(crate) cname: String,
}

impl LocalRtp {
    /// The SSRCs to announce, and the pairs of `a=ssrc-group:FID`, where media is sent with `codecs`.
    pub(crate) fn announced(
        &self,
        direction: Direction,
        codecs: &[Codec],
    ) -> (Vec<u32>, Vec<(u32, u32)>) {
        let sends = direction.sends();
        let repeats = sends && codecs.iter().any(|codec| codec.rtx.is_some());
        let ssrcs = sends.then_some(self.ssrc);
        let pair = repeats.then_some((self.ssrc, self.rtx_ssrc));
        (ssrcs.into_iter().collect(), pair.into_iter().collect())
    }
}

/// The mid of the offered section whose transport will carry the bundle: the first in the BUNDLE group that is in use.
///
/// Without a group there is nothing to share, and only the first usable section is accepted.
fn first_bundled(offer: &Description) -> Option<&str> {
    offer
        .transport_section()
        .map(|section| section.mid.as_str())
}

/// Our section in answer to `offered`; refused when we have no codec for it, it cannot share the transport, or it would
/// need a port of its own for RTCP.
///
/// The transport's part (credentials, fingerprint, setup) is filled in by the caller.
pub(crate) fn answer_section(
    offer: &Description,
    offered: &Section,
    local: Option<&LocalRtp>,
) -> Section {
    let refusal = Section {
        mid: offered.mid.clone(),
        media: offered.media.clone(),
        rejected: true,
        rtcp_mux: false,
        rtcp_rsize: false,
        transport: None,
        candidates: Vec::new(),
        end_of_candidates: false,
    };
    let (Media::Rtp(theirs), Some(local)) = (&offered.media, local) else {
        return refusal;
    };
    let shares_transport =
        offer.bundle.contains(&offered.mid) || first_bundled(offer) == Some(offered.mid.as_str());
    let codecs = common_codecs(theirs.kind, &theirs.codecs);
    if offered.rejected || !shares_transport || !offered.rtcp_mux || codecs.is_empty() {
        return refusal;
    }
    let direction = offer_answer::answer_direction(theirs.direction, local.direction);
    let (ssrcs, rtx_ssrcs) = local.announced(direction, &codecs);
    Section {
        mid: offered.mid.clone(),
        media: Media::Rtp(RtpSection {
            kind: theirs.kind,
            protocol: theirs.protocol.clone(),
            direction,
            formats: formats(&codecs),
            codecs,
            mid_extension: theirs.mid_extension,
            msid: direction.sends().then(|| local.msid.clone()),
            ssrcs,
            rtx_ssrcs,
            cname: Some(local.cname.clone()),
        }),
        rejected: false,
        rtcp_mux: true,
        rtcp_rsize: offered.rtcp_rsize,
        transport: None,
        candidates: Vec::new(),
        end_of_candidates: false,
    }
}

/// The codec the answer wants most, as either side numbers it.
pub(crate) fn agreed_codec(
    answered: &RtpSection,
    ours: &RtpSection,
    theirs: &RtpSection,
) -> Option<Agreed> {
    let wanted = answered.codecs.first()?;
    let of = |section: &RtpSection| {
        let alike = |codec: &&Codec| codec.format == wanted.format;
        let mut codecs = section.codecs.iter().filter(alike);
        // several payload types can have one codec: the number tells, unless the answer has its own
        let numbered = |codec: &&Codec| codec.payload_type == wanted.payload_type;
        codecs
            .clone()
            .find(numbered)
            .or_else(|| codecs.next())
            .cloned()
    };
    Codec::agreed(&of(ours)?, &of(theirs)?)
}

/// Whether `answer` is one to `offer`: the same sections in the same order, nothing in use that was not offered, all on
/// the one transport there is ([RFC 9429 §5.9, §5.11](https://www.rfc-editor.org/rfc/rfc9429#section-5.11)).
pub(crate) fn check_answer(offer: &Description, answer: &Description) -> Result<(), Error> {
    let (offer, answer) = (offer.outline(), answer.outline());
    offer_answer::check_sections(&offer, &answer)
        .and_then(|()| offer_answer::check_one_transport(&offer, &answer))
        .and_then(|()| offer_answer::check_bundles(&offer, &answer))
        .map_err(|violation| Error::UnacceptableDescription(violation.rule))
}
