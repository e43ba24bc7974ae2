//! How an answer follows from an offer ([RFC 9429 §5.3](https://www.rfc-editor.org/rfc/rfc9429#section-5.3)), and what
//! an answer must satisfy.

use super::codec::{Agreed, common_codecs, formats};
use super::{Codec, Description, Media, RtpSection, Section};
use crate::error::Error;
use rtckit_sdp::attribute::Direction;

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
    let direction = local.direction.intersection(theirs.direction.reversed());
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

/// Whether `answer` is one to `offer`: the same sections in the same order, nothing in use that was not offered
/// ([RFC 9429 §5.9, §5.11](https://www.rfc-editor.org/rfc/rfc9429#section-5.11)).
pub(crate) fn check_answer(offer: &Description, answer: &Description) -> Result<(), Error> {
    let refuse = |rule| Err(Error::UnacceptableDescription(rule));
    if answer.sections.len() != offer.sections.len() {
        return refuse("an answer has as many media sections as its offer (RFC 3264 §6)");
    }
    for (offered, answered) in offer.sections.iter().zip(&answer.sections) {
        if answered.rejected {
            continue;
        }
        let same_kind = match (&offered.media, &answered.media) {
            (Media::Rtp(offered), Media::Rtp(answered)) => offered.kind == answered.kind,
            (Media::Other { kind, .. }, Media::Other { kind: answered, .. }) => kind == answered,
            _ => false,
        };
        if !same_kind {
            return refuse(
                "each section of an answer has the media type of the one offered (RFC 3264 §6)",
            );
        }
        if offered.rejected {
            return refuse("a section offered with port zero cannot be accepted (RFC 3264 §6)");
        }
        if !answered.mid.is_empty() && answered.mid != offered.mid {
            return refuse("an answer repeats the offer's mids (RFC 5888 §9.1)");
        }
        if answered.rtp().is_some() && !answered.rtcp_mux {
            return refuse("a=rtcp-mux is required (RFC 8858)");
        }
    }
    // All that is accepted travels on one transport, so an answer that accepts several sections bundles them.
    let accepted = offer
        .sections
        .iter()
        .zip(&answer.sections)
        .filter(|(_, answered)| !answered.rejected);
    let unbundled = accepted
        .clone()
        .any(|(offered, _)| !answer.bundle.contains(&offered.mid));
    if accepted.count() > 1 && unbundled {
        return refuse(
            "sections that are accepted are bundled: no other transport was offered (RFC 9143 §7.3)",
        );
    }
    if answer.bundle.iter().any(|mid| !offer.bundle.contains(mid)) {
        return refuse(
            "an answer's BUNDLE group names only sections of the offer's (RFC 9143 §7.3.3)",
        );
    }
    Ok(())
}
