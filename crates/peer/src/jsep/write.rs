//! From what a peer connection means to SDP
//! ([RFC 9429 §5.2.1](https://www.rfc-editor.org/rfc/rfc9429#section-5.2.1)).

use rtckit_sdp::attribute::{
    Direction, EndOfCandidates, ExtMap, ExtMapAllowMixed, Feedback, Fmtp, Group, IceLite,
    IceOptions, IcePwd, IceUfrag, Mid, Msid, Parameters, Rtcp, RtcpFb, RtcpMux, RtcpRsize, RtpMap,
    Ssrc, SsrcGroup,
};
use rtckit_sdp::field::{Connection, Origin};
use rtckit_sdp::{Error, Media as SdpMedia, Session};

use super::{Codec, Description, MID_EXTENSION, Media, RtpSection, Section, TransportParameters};

/// The SDP text of `description`.
pub(crate) fn write(description: &Description) -> Result<String, Error> {
    let mut session = Session::new(&Origin::anonymous(
        description.session_id,
        description.session_version,
    ))?;
    if !description.bundle.is_empty() {
        session.push(Group::bundle(description.bundle.iter().map(String::as_str)))?;
    }
    session.push(ExtMapAllowMixed)?;
    if description.ice_lite {
        session.push(IceLite)?;
    }
    for section in &description.sections {
        session.push_media(media(section)?);
    }
    Ok(session.to_string())
}

fn media(section: &Section) -> Result<SdpMedia<'static>, Error> {
    let port = if section.rejected { 0 } else { 9 };
    let mut media = match &section.media {
        Media::Rtp(rtp) => SdpMedia::new(kind(rtp), port, &rtp.protocol, &rtp.formats)?,
        Media::Other {
            kind,
            protocol,
            formats,
        } => SdpMedia::new(
            rtckit_sdp::MediaKind::from_name(kind),
            port,
            protocol,
            formats,
        )?,
    };
    if !section.mid.is_empty() {
        media.push(Mid(&section.mid))?;
    }
    if section.rejected {
        media.set_direction(Direction::Inactive);
        return Ok(media);
    }
    if let Some(transport) = &section.transport {
        push_transport(&mut media, transport)?;
    }
    if let Media::Rtp(rtp) = &section.media {
        push_rtp(&mut media, section, rtp)?;
    }
    for candidate in &section.candidates {
        media.push_raw(
            "candidate",
            Some(candidate.trim_start_matches("candidate:")),
        )?;
    }
    if section.end_of_candidates {
        media.push(EndOfCandidates)?;
    }
    Ok(media)
}

fn kind(rtp: &RtpSection) -> rtckit_sdp::MediaKind<'static> {
    rtckit_sdp::MediaKind::from_name(rtp.kind.as_str())
}

fn push_transport(media: &mut SdpMedia<'_>, transport: &TransportParameters) -> Result<(), Error> {
    media.push(IceUfrag(&transport.ufrag))?;
    media.push(IcePwd(&transport.pwd))?;
    media.push(IceOptions("trickle"))?;
    for fingerprint in &transport.fingerprints {
        media.push_raw("fingerprint", Some(&fingerprint.to_string()))?;
    }
    transport.setup.map_or(Ok(()), |setup| media.push(setup))
}

fn push_rtp(media: &mut SdpMedia<'_>, section: &Section, rtp: &RtpSection) -> Result<(), Error> {
    media.push(Rtcp {
        port: 9,
        connection: Some(Connection::UNSPECIFIED),
    })?;
    if let Some(extension) = rtp.mid_extension {
        let direction =
            Some(extension.direction).filter(|direction| *direction != Direction::SendRecv);
        media.push(ExtMap {
            direction,
            ..ExtMap::new(extension.id.into(), MID_EXTENSION)
        })?;
    }
    media.set_direction(rtp.direction);
    if let Some((stream, track)) = &rtp.msid {
        media.push(Msid {
            stream,
            track: Some(track),
        })?;
    }
    if section.rtcp_mux {
        media.push(RtcpMux)?;
    }
    if section.rtcp_rsize {
        media.push(RtcpRsize)?;
    }
    for codec in &rtp.codecs {
        push_codec(media, codec)?;
    }
    for &(ssrc, rtx) in &rtp.rtx_ssrcs {
        media.push(SsrcGroup {
            semantics: SsrcGroup::FID,
            ssrcs: vec![ssrc, rtx],
        })?;
    }
    if let Some(cname) = &rtp.cname {
        let rtx_ssrcs = rtp.rtx_ssrcs.iter().map(|(_, rtx)| rtx);
        for &ssrc in rtp.ssrcs.iter().chain(rtx_ssrcs) {
            media.push(Ssrc::cname(ssrc, cname))?;
        }
    }
    Ok(())
}

fn push_codec(media: &mut SdpMedia<'_>, codec: &Codec) -> Result<(), Error> {
    media.push(RtpMap {
        payload_type: codec.payload_type,
        encoding: codec.format.name(),
        clock_rate: codec.format.clock_rate(),
        channels: codec.format.channels(),
    })?;
    let wanted = [
        (codec.feedback.fir, Feedback::CCM_FIR),
        (codec.feedback.nack, Feedback::NACK),
        (codec.feedback.pli, Feedback::NACK_PLI),
    ];
    for (_, feedback) in wanted.into_iter().filter(|(wanted, _)| *wanted) {
        media.push(RtcpFb {
            payload_type: Some(codec.payload_type),
            feedback,
        })?;
    }
    if let Some(fmtp) = &codec.fmtp {
        media.push(Fmtp {
            format: &codec.payload_type.to_string(),
            parameters: Parameters(fmtp),
        })?;
    }
    if let Some(rtx) = codec.rtx {
        media.push(RtpMap {
            payload_type: rtx,
            encoding: "rtx",
            clock_rate: codec.format.clock_rate(),
            channels: None,
        })?;
        media.push(Fmtp {
            format: &rtx.to_string(),
            parameters: Parameters(&format!("apt={}", codec.payload_type)),
        })?;
    }
    Ok(())
}
