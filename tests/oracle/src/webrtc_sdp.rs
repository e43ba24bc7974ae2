//! webrtc-sdp, which Firefox was built with: it reads what WebRTC needs, typed, and passes over the rest.

use rtckit_sdp::attribute::{Feedback, RawAttribute, Typed};
use rtckit_sdp::parameters::{CodecParameters, H264};
use rtckit_sdp::{Media, Session};
use webrtc_sdp::attribute_type::{SdpAttribute as Theirs, SdpAttributeFmtp};
use webrtc_sdp::{SdpConnection, SdpSession, parse_sdp};

use crate::fields::{Fields, scope};
use crate::ours::{UNREADABLE, canonical, written};

/// What it makes of a text, and what we do.
pub fn read(text: &str) -> (Result<Fields, String>, Result<Fields, String>) {
    let theirs = parse_sdp(text, false);
    let ours = Session::parse(text);
    (
        theirs
            .map(|session| theirs_of(&session))
            .map_err(|error| error.to_string()),
        ours.map(|session| ours_of(&session))
            .map_err(|error| error.to_string()),
    )
}

fn theirs_of(session: &SdpSession) -> Fields {
    let mut fields = Fields::default();
    let origin = &session.origin;
    fields.add("o= username", &origin.username);
    fields.add("o= session id", origin.session_id);
    fields.add("o= session version", origin.session_version);
    fields.add("o= address", &origin.unicast_addr);
    fields.add("s=", session.get_session_text());
    fields.add_some(
        "c=",
        session.connection.as_ref().map(SdpConnection::to_string),
    );
    fields.add_some(
        "t=",
        session
            .timing
            .as_ref()
            .map(|time| format!("{} {}", time.start, time.stop)),
    );
    for value in &session.bandwidth {
        fields.add_attribute("", "b=", value.to_string().trim_end());
    }
    for attribute in &session.attribute {
        their_attribute(&mut fields, "", attribute);
    }
    for (index, media) in session.media.iter().enumerate() {
        let scope = scope(index);
        fields.add(format!("{scope}kind"), media.get_type());
        fields.add(format!("{scope}port"), media.get_port());
        fields.add(format!("{scope}protocol"), media.get_proto());
        fields.add(format!("{scope}formats"), media.get_formats());
        fields.add_some(
            format!("{scope}c="),
            media
                .get_connection()
                .as_ref()
                .map(SdpConnection::to_string),
        );
        for value in media.get_bandwidth() {
            fields.add_attribute(&scope, "b=", value.to_string().trim_end());
        }
        for attribute in media.get_attributes() {
            their_attribute(&mut fields, &scope, attribute);
        }
    }
    fields
}

fn their_attribute(fields: &mut Fields, scope: &str, attribute: &Theirs) {
    if let Theirs::Fmtp(fmtp) = attribute {
        return their_fmtp(fields, scope, fmtp);
    }
    let text = attribute.to_string();
    let (name, value) = text.split_once(':').unwrap_or((&text, ""));
    fields.add_attribute(scope, name, canonical(name, value));
}

/// The parameters that it reads, of the codecs that it knows, in its own words: it has all of them for every codec.
fn their_fmtp(fields: &mut Fields, scope: &str, fmtp: &SdpAttributeFmtp) {
    let read = &fmtp.parameters;
    let parameters = [
        ("packetization-mode", read.packetization_mode),
        (
            "level-asymmetry-allowed",
            u32::from(read.level_asymmetry_allowed),
        ),
        ("profile-level-id", read.profile_level_id),
        ("max-fs", read.max_fs),
        ("max-fr", read.max_fr),
        ("useinbandfec", u32::from(read.useinbandfec)),
        ("stereo", u32::from(read.stereo)),
        ("usedtx", u32::from(read.usedtx)),
        ("minptime", read.minptime),
        ("profile", read.profile.map_or(0, u32::from)),
        ("level-idx", read.level_idx.map_or(5, u32::from)),
        ("tier", read.tier.map_or(0, u32::from)),
        ("apt", read.rtx.as_ref().map_or(0, |rtx| u32::from(rtx.apt))),
    ];
    add_fmtp(
        fields,
        scope,
        fmtp.payload_type,
        &parameters,
        &read.encodings,
    );
}

fn add_fmtp(fields: &mut Fields, scope: &str, number: u8, parameters: &[(&str, u32)], red: &[u8]) {
    for (name, value) in parameters {
        fields.add_attribute(scope, &format!("fmtp {number} {name}"), value);
    }
    let red: Vec<String> = red.iter().map(ToString::to_string).collect();
    fields.add_attribute(scope, &format!("fmtp {number} red"), red.join("/"));
}

fn ours_of(session: &Session<'_>) -> Fields {
    let mut fields = Fields::default();
    if let Ok(origin) = session.origin() {
        fields.add("o= username", origin.username);
        fields.add("o= session id", origin.session_id);
        fields.add("o= session version", origin.session_version);
        fields.add(
            "o= address",
            format!(
                "{} {} {}",
                origin.network_type, origin.address_type, origin.address
            ),
        );
    }
    fields.add("s=", session.name());
    fields.add_some("c=", session.connection().and_then(Result::ok));
    fields.add_some("t=", session.timings().find_map(Result::ok));
    for value in session.bandwidths().flatten() {
        fields.add_attribute("", "b=", value);
    }
    for raw in session.attributes() {
        our_attribute(&mut fields, "", &raw, None);
    }
    for (index, media) in session.media().iter().enumerate() {
        let scope = scope(index);
        fields.add(format!("{scope}kind"), media.kind());
        fields.add(format!("{scope}port"), media.port());
        fields.add(format!("{scope}protocol"), media.protocol());
        fields.add(
            format!("{scope}formats"),
            media.formats().collect::<Vec<_>>().join(" "),
        );
        fields.add_some(
            format!("{scope}c="),
            media.connection().and_then(Result::ok),
        );
        for value in media.bandwidths().flatten() {
            fields.add_attribute(&scope, "b=", value);
        }
        for raw in media.attributes() {
            our_attribute(&mut fields, &scope, &raw, Some(media));
        }
    }
    fields
}

fn our_attribute(
    fields: &mut Fields,
    scope: &str,
    raw: &RawAttribute<'_>,
    media: Option<&Media<'_>>,
) {
    // It says nothing of the attributes that it does not know.
    if !KNOWN.contains(&raw.name) {
        return;
    }
    match (raw.typed(), media) {
        (Some(Ok(Typed::Fmtp(fmtp))), Some(media)) => {
            let codecs = media.codecs();
            let codec = codecs
                .iter()
                .find(|codec| Some(codec.payload_type()) == fmtp.payload_type());
            if let Some(codec) = codec
                && let Ok(parameters) =
                    CodecParameters::parse(codec.rtpmap.encoding, fmtp.parameters)
            {
                our_fmtp(fields, scope, codec.payload_type(), &parameters);
            }
        }
        (Some(Ok(Typed::RtcpFb(feedback))), _) if !is_known(&feedback.feedback) => {}
        (Some(Ok(typed)), _) => {
            fields.add_attribute(scope, raw.name, canonical(raw.name, &written(&typed)))
        }
        (Some(Err(_)), _) => fields.add_attribute(scope, raw.name, UNREADABLE),
        (None, _) => {}
    }
}

/// Whether it has a name for a feedback message; it passes over the others.
fn is_known(feedback: &Feedback<'_>) -> bool {
    let parameter = feedback.parameter.split(' ').next().unwrap_or_default();
    match feedback.kind {
        "ack" => ["rpsi", "app"].contains(&parameter),
        "ccm" => ["fir", "tmmbr", "tstr", "vbcm"].contains(&parameter),
        "nack" => ["", "sli", "pli", "rpsi", "app"].contains(&parameter),
        kind => ["trr-int", "goog-remb", "transport-cc"].contains(&kind),
    }
}

/// The attributes it knows, and we do.
const KNOWN: &[&str] = &[
    "bundle-only",
    "candidate",
    "end-of-candidates",
    "extmap",
    "extmap-allow-mixed",
    "fingerprint",
    "fmtp",
    "framerate",
    "group",
    "ice-lite",
    "ice-mismatch",
    "ice-options",
    "ice-pacing",
    "ice-pwd",
    "ice-ufrag",
    "imageattr",
    "inactive",
    "label",
    "max-message-size",
    "maxptime",
    "mid",
    "msid",
    "msid-semantic",
    "ptime",
    "recvonly",
    "remote-candidates",
    "rid",
    "rtcp",
    "rtcp-fb",
    "rtcp-mux",
    "rtcp-mux-only",
    "rtcp-rsize",
    "rtpmap",
    "sctp-port",
    "sctpmap",
    "sendonly",
    "sendrecv",
    "setup",
    "simulcast",
    "ssrc",
    "ssrc-group",
];

fn our_fmtp(fields: &mut Fields, scope: &str, number: u8, parameters: &CodecParameters<'_>) {
    let mut values = Vec::new();
    let mut blocks = Vec::new();
    let h264 = match parameters {
        CodecParameters::H264(h264) => h264.clone(),
        _ => H264::default(),
    };
    let id = h264.profile_level_id_or_default();
    let id =
        u32::from(id.profile_idc) << 16 | u32::from(id.constraints) << 8 | u32::from(id.level_idc);
    values.push(("packetization-mode", u32::from(h264.packetization())));
    values.push((
        "level-asymmetry-allowed",
        u32::from(h264.allows_level_asymmetry()),
    ));
    values.push(("profile-level-id", id));
    let (max_fs, max_fr) = match parameters {
        CodecParameters::Vp8(vp8) => (vp8.max_fs, vp8.max_fr),
        CodecParameters::Vp9(vp9) => (vp9.max_fs, vp9.max_fr),
        CodecParameters::H264(h264) => (h264.max_fs, None),
        _ => (None, None),
    };
    values.push(("max-fs", max_fs.unwrap_or(0)));
    values.push(("max-fr", max_fr.unwrap_or(0)));
    let (mut fec, mut stereo, mut dtx, mut minptime) = (false, false, false, 0);
    if let CodecParameters::Opus(opus) = parameters {
        fec = opus.useinbandfec.unwrap_or(false);
        stereo = opus.stereo.unwrap_or(false);
        dtx = opus.usedtx.unwrap_or(false);
        minptime = opus.minptime.unwrap_or(0);
    }
    values.push(("useinbandfec", u32::from(fec)));
    values.push(("stereo", u32::from(stereo)));
    values.push(("usedtx", u32::from(dtx)));
    values.push(("minptime", minptime));
    let (mut profile, mut level, mut tier) = (0, 5, 0);
    if let CodecParameters::Av1(av1) = parameters {
        profile = av1.profile_or_default();
        level = av1.level_idx_or_default();
        tier = av1.tier_or_default();
    }
    values.push(("profile", u32::from(profile)));
    values.push(("level-idx", u32::from(level)));
    values.push(("tier", u32::from(tier)));
    let apt = match parameters {
        CodecParameters::Rtx(rtx) => rtx.apt,
        _ => 0,
    };
    values.push(("apt", u32::from(apt)));
    if let CodecParameters::Red(red) = parameters {
        blocks.clone_from(&red.0);
    }
    add_fmtp(fields, scope, number, &values, &blocks);
}
