//! From SDP to what it means for a peer connection.

use rtckit_crypto::fingerprint::{Fingerprint, ParseFingerprintError};
use rtckit_sdp::attribute::Attribute as _;
use rtckit_sdp::attribute::{
    self, Candidate, EndOfCandidates, ExtMap, Feedback, IceLite, IcePwd, IceUfrag, Msid, RtcpMux,
    RtcpRsize, Setup, Ssrc, SsrcGroup,
};
use rtckit_sdp::{Media as SdpMedia, MediaKind as SdpKind, Session};

use super::codec::{Codec, FeedbackSet};
use super::{Description, MID_EXTENSION, Media, RtpSection, Section, TransportParameters};
use crate::error::Error;
use crate::state::MediaKind;

/// How many media sections a description may have: each costs a transceiver.
const MAX_SECTIONS: usize = 64;
/// How many candidates one section may list.
const MAX_CANDIDATES: usize = 64;
/// How many fingerprints of one section or session are looked at.
const MAX_FINGERPRINTS: usize = 16;
/// How many SSRCs, and how many pairs of them, one section may announce.
const MAX_SSRCS: usize = 16;
/// How many SSRCs of one section may be told to repeat others.
const MAX_REPAIR_SSRCS: usize = 64;

/// Reads `sdp` and checks what JSEP demands of every description
/// ([RFC 9429 §5.8](https://www.rfc-editor.org/rfc/rfc9429#section-5.8)).
pub(crate) fn read(sdp: &str) -> Result<Description, Error> {
    let session = Session::parse(sdp)?;
    let origin = session.origin()?;
    if session.media().len() > MAX_SECTIONS {
        return Err(Error::UnacceptableDescription(
            "it has more than 64 media sections",
        ));
    }
    let sections: Vec<_> = session
        .media()
        .iter()
        .map(|media| section(&session, media))
        .collect::<Result<_, _>>()?;
    let mids = || {
        sections
            .iter()
            .map(|section| section.mid.as_str())
            .filter(|mid| !mid.is_empty())
    };
    if mids()
        .enumerate()
        .any(|(index, mid)| mids().take(index).any(|earlier| earlier == mid))
    {
        return Err(Error::UnacceptableDescription(
            "two media sections have the same a=mid (RFC 5888 §4)",
        ));
    }
    let bundle = session
        .bundle_groups()
        .next()
        .map(|group| group.mids.iter().map(|&mid| mid.to_owned()).collect());
    let description = Description {
        session_id: origin.session_id,
        session_version: origin.session_version,
        bundle: bundle.unwrap_or_default(),
        sections,
        ice_lite: session.has(IceLite::NAME),
    };
    // An answer repeats much of its offer: refused now, it leaves no offer pending that cannot be answered.
    if super::write(&description).is_err() {
        return Err(Error::UnacceptableDescription(
            "it holds text that no SDP line can repeat",
        ));
    }
    Ok(description)
}

fn section(session: &Session<'_>, media: &SdpMedia<'_>) -> Result<Section, Error> {
    let rejected = session.is_rejected(media);
    let kind = match media.kind() {
        SdpKind::Audio => Some(MediaKind::Audio),
        SdpKind::Video => Some(MediaKind::Video),
        _ => None,
    };
    let is_srtp = media
        .protocol()
        .to_ascii_uppercase()
        .ends_with("/TLS/RTP/SAVPF");
    let content = match kind.filter(|_| is_srtp) {
        Some(kind) => Media::Rtp(rtp_section(session, media, kind)),
        None => Media::Other {
            kind: media.kind().as_str().to_owned(),
            protocol: media.protocol().to_owned(),
            formats: media.formats().map(str::to_owned).collect(),
        },
    };
    let transport = if rejected {
        None
    } else {
        transport(session, media)?
    };
    Ok(Section {
        mid: media.mid().unwrap_or_default().to_owned(),
        media: content,
        rejected,
        rtcp_mux: media.has(RtcpMux::NAME),
        rtcp_rsize: media.has(RtcpRsize::NAME),
        transport,
        candidates: media
            .attributes()
            .filter(|attribute| attribute.name == Candidate::NAME)
            .filter_map(|attribute| Some(format!("candidate:{}", attribute.value?)))
            .take(MAX_CANDIDATES)
            .collect(),
        end_of_candidates: media.has(EndOfCandidates::NAME),
    })
}

/// The section's transport, from the section or, failing that, from the session. A bundled section may have none.
fn transport(
    session: &Session<'_>,
    media: &SdpMedia<'_>,
) -> Result<Option<TransportParameters>, Error> {
    let ufrag = session.attribute_for::<IceUfrag<'_>>(media).transpose()?;
    let pwd = session.attribute_for::<IcePwd<'_>>(media).transpose()?;
    let (Some(ufrag), Some(pwd)) = (ufrag, pwd) else {
        return Ok(None);
    };
    for name in [IceUfrag::NAME, IcePwd::NAME] {
        let named = |attribute: &attribute::RawAttribute<'_>| attribute.name == name;
        let mut all = media.attributes().chain(session.attributes());
        // what holds is the first, and what ICE cannot use is better refused here than where it is used
        all.find(named)
            .map_or(Ok(()), |attribute| attribute.check())?;
    }
    let own = fingerprints(media.attributes())?;
    let fingerprints = if own.is_empty() {
        fingerprints(session.attributes())?
    } else {
        own
    };
    Ok(Some(TransportParameters {
        ufrag: ufrag.0.to_owned(),
        pwd: pwd.0.to_owned(),
        fingerprints,
        setup: session.attribute_for::<Setup>(media).transpose()?,
    }))
}

/// Fingerprints under hash functions we can compute; others are passed over
/// ([RFC 8122 §5.1](https://www.rfc-editor.org/rfc/rfc8122#section-5.1)).
fn fingerprints<'s>(
    attributes: impl Iterator<Item = attribute::RawAttribute<'s>>,
) -> Result<Vec<Fingerprint>, Error> {
    let mut fingerprints = Vec::new();
    let named = attributes.filter(|attribute| attribute.name == attribute::Fingerprint::NAME);
    for attribute in named.take(MAX_FINGERPRINTS) {
        match attribute.value.unwrap_or_default().parse() {
            Ok(fingerprint) => fingerprints.push(fingerprint),
            Err(ParseFingerprintError::Algorithm) => {}
            Err(_) => attribute.check()?,
        }
    }
    Ok(fingerprints)
}

fn rtp_section(session: &Session<'_>, media: &SdpMedia<'_>, kind: MediaKind) -> RtpSection {
    let repair: Vec<u32> = media
        .attributes_of::<SsrcGroup<'_>>()
        .flatten()
        .filter(|group| group.semantics != "SIM")
        .flat_map(|group| group.ssrcs.into_iter().skip(1))
        .take(MAX_REPAIR_SSRCS)
        .collect();
    let rtx_ssrcs = media
        .attributes_of::<SsrcGroup<'_>>()
        .flatten()
        .filter(|group| group.semantics == SsrcGroup::FID)
        .filter_map(|group| Some((*group.ssrcs.first()?, *group.ssrcs.get(1)?)))
        .take(MAX_SSRCS)
        .collect();
    let mut ssrcs = Vec::new();
    let mut cname = None;
    for ssrc in media.attributes_of::<Ssrc<'_>>().flatten() {
        if ssrc.attribute == "cname" && cname.is_none() {
            cname = ssrc.value.map(str::to_owned);
        }
        // the ceiling first: a description may have as many such lines as it has room for
        if ssrcs.len() < MAX_SSRCS && !ssrcs.contains(&ssrc.ssrc) && !repair.contains(&ssrc.ssrc) {
            ssrcs.push(ssrc.ssrc);
        }
    }
    let mid_extension = media
        .attributes_of::<ExtMap<'_>>()
        .flatten()
        .find(|extension| extension.uri == MID_EXTENSION)
        .and_then(|extension| u8::try_from(extension.id).ok());
    let msid = media.attributes_of::<Msid<'_>>().flatten().next();
    let all = media.codecs();
    RtpSection {
        kind,
        protocol: media.protocol().to_owned(),
        direction: session.direction_of(media),
        codecs: all
            .iter()
            .filter_map(|codec| known_codec(kind, codec, &all))
            .collect(),
        formats: media.formats().map(str::to_owned).collect(),
        mid_extension,
        msid: msid.map(|msid| {
            (
                msid.stream.to_owned(),
                msid.track.unwrap_or_default().to_owned(),
            )
        }),
        ssrcs,
        rtx_ssrcs,
        cname,
    }
}

fn known_codec(
    kind: MediaKind,
    codec: &rtckit_sdp::Codec<'_>,
    all: &[rtckit_sdp::Codec<'_>],
) -> Option<Codec> {
    let rtpmap = &codec.rtpmap;
    let format = match kind {
        MediaKind::Audio if codec.is("opus") && rtpmap.clock_rate == 48_000 => {
            rtckit_rtp::payload::Codec::Opus
        }
        MediaKind::Video if codec.is("VP8") && rtpmap.clock_rate == 90_000 => {
            rtckit_rtp::payload::Codec::Vp8
        }
        _ => return None,
    };
    let rtx = all.iter().find(|other| {
        other.associated_payload_type() == Some(codec.payload_type())
            && other.rtpmap.clock_rate == rtpmap.clock_rate
    });
    Some(Codec {
        payload_type: codec.payload_type(),
        format,
        fmtp: codec.fmtp.first().map(|fmtp| fmtp.0.to_owned()),
        feedback: FeedbackSet {
            nack: codec.has_feedback(Feedback::NACK),
            pli: codec.has_feedback(Feedback::NACK_PLI),
            fir: codec.has_feedback(Feedback::CCM_FIR),
        },
        rtx: rtx.map(rtckit_sdp::Codec::payload_type),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_have_a_ceiling() {
        let mut sdp = String::from(
            "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
        );
        for ssrc in 1..=100 {
            sdp.push_str(&format!("a=ssrc-group:FID {ssrc} {}\r\n", ssrc + 1_000));
            sdp.push_str(&format!("a=ssrc:{ssrc} cname:x\r\n"));
        }
        let description = read(&sdp).unwrap();
        let rtp = description.sections[0].rtp().unwrap();
        assert_eq!(
            (rtp.ssrcs.len(), rtp.rtx_ssrcs.len()),
            (MAX_SSRCS, MAX_SSRCS)
        );
    }
}
