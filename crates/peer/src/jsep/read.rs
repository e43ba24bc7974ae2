//! From SDP to what it means for a peer connection.

use rtckit_crypto::fingerprint::{Fingerprint, ParseFingerprintError};
use rtckit_sdp::attribute::Attribute as _;
use rtckit_sdp::attribute::{
    self, Candidate, Direction, EndOfCandidates, ExtMap, IceLite, IcePwd, IceUfrag, Mid, Msid,
    RtcpMux, RtcpRsize, Setup, Ssrc, SsrcGroup,
};
use rtckit_sdp::offer_answer::{Outline, common_extensions};
use rtckit_sdp::{Line, Media as SdpMedia, MediaKind as SdpKind, Session};

use super::codec::common_codecs;
use super::{
    Description, MID_EXTENSION, Media, MidExtension, RtpSection, Section, TransportParameters,
};
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
/// How many header extensions are looked at, of the session and of each section: there are as many ids.
const MAX_EXTENSIONS: usize = 256;
/// How many SSRCs of one section may be told to repeat others.
const MAX_REPAIR_SSRCS: usize = 64;

/// Reads `session` and checks what JSEP demands of every description
/// ([RFC 9429 §5.8](https://www.rfc-editor.org/rfc/rfc9429#section-5.8)).
pub(crate) fn read(session: &Session<'_>) -> Result<Description, Error> {
    let origin = session.origin()?;
    if session.media().len() > MAX_SECTIONS {
        return Err(Error::unacceptable("it has more than 64 media sections"));
    }
    check_mids(session)?;
    let outline = Outline::of(session);
    let sections: Vec<_> = session
        .media()
        .iter()
        .zip(&outline.sections)
        .map(|(media, outline)| section(session, media, outline.rejected))
        .collect::<Result<_, _>>()?;
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
        return Err(Error::unacceptable(
            "it holds text that no SDP line can repeat",
        ));
    }
    Ok(description)
}

/// A mid is the name of one section ([RFC 5888 §4](https://www.rfc-editor.org/rfc/rfc5888#section-4)).
fn check_mids(session: &Session<'_>) -> Result<(), Error> {
    let mut taken = Vec::new();
    for media in session.media() {
        let Some(mid) = media.mid() else { continue };
        if taken.contains(&mid) {
            let named =
                |line: &&Line<'_>| line.attribute().is_some_and(|raw| raw.name == Mid::NAME);
            let line = media
                .lines()
                .iter()
                .find(named)
                .unwrap_or_else(|| media.media_line());
            let rule = "two media sections have the same a=mid (RFC 5888 §4)";
            return Err(Error::unacceptable_at(rule, line.number()));
        }
        taken.push(mid);
    }
    Ok(())
}

fn section(session: &Session<'_>, media: &SdpMedia<'_>, rejected: bool) -> Result<Section, Error> {
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
    let msid = media.attributes_of::<Msid<'_>>().flatten().next();
    RtpSection {
        kind,
        protocol: media.protocol().to_owned(),
        direction: session.direction_of(media),
        codecs: common_codecs(kind, &media.codecs()),
        formats: media.formats().map(str::to_owned).collect(),
        mid_extension: mid_extension(session, media),
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

/// The mid's extension, if it can be used in any direction. An id that is given to several extensions is the first's.
fn mid_extension(session: &Session<'_>, media: &SdpMedia<'_>) -> Option<MidExtension> {
    let of_session = session.attributes_of::<ExtMap<'_>>().flatten();
    let of_section = media.attributes_of::<ExtMap<'_>>().flatten();
    let described: Vec<_> = of_session
        .take(MAX_EXTENSIONS)
        .chain(of_section.take(MAX_EXTENSIONS))
        .collect();
    let wanted = |uri: &str| (uri == MID_EXTENSION).then_some(Direction::SendRecv);
    let answered = common_extensions(&described, wanted).into_iter().next()?;
    Some(MidExtension {
        id: u8::try_from(answered.id).ok()?,
        direction: answered.direction.unwrap_or_default().reversed(),
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
        let description = read(&Session::parse(&sdp).unwrap()).unwrap();
        let rtp = description.sections[0].rtp().unwrap();
        assert_eq!(
            (rtp.ssrcs.len(), rtp.rtx_ssrcs.len()),
            (MAX_SSRCS, MAX_SSRCS)
        );
    }
}
