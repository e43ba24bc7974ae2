//! Session descriptions: lossless, and every attribute readable.

use std::fmt::Write as _;

use rtckit_sdp::attribute::{
    Attribute, Candidate, Crypto, Direction, ExtMap, Fingerprint, Fmtp, FrameRate, Group,
    IceOptions, IcePwd, IceUfrag, ImageAttr, Label, MaxMessageSize, MaxPTime, Mid, Msid,
    MsidSemantic, PTime, RawAttribute, RemoteCandidates, Rid, Rtcp, RtcpFb, RtcpXr, RtpMap,
    SctpMap, SctpPort, Setup, Simulcast, Ssrc, SsrcGroup, TlsId,
};
use rtckit_sdp::{Media, Session};

/// A text that is SDP is written again byte for byte; its attributes read as themselves after they are written; an
/// edit leaves SDP behind.
pub fn target(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    if let Ok(fragment) = Session::parse_fragment(text) {
        assert_eq!(
            fragment.to_string(),
            text,
            "what was read is what is written"
        );
    }
    let mut session = match Session::parse(text) {
        Ok(session) => session,
        Err(error) => {
            let _ = error.explain(text).to_string();
            return;
        }
    };
    assert_eq!(
        session.to_string(),
        text,
        "what was read is what is written"
    );
    look(&session);
    edit(&mut session);
    let edited = session.to_string();
    let again = Session::parse(&edited).expect("an edit leaves SDP behind");
    assert_eq!(again.to_string(), edited);
    assert_eq!(again.media().len(), session.media().len());
}

/// Reads everything there is to read.
fn look(session: &Session<'_>) {
    let _ = format!("{session:?}");
    let _ = (
        session.origin(),
        session.version(),
        session.name(),
        session.uri(),
        session.zone(),
    );
    let _ = (session.emails().count(), session.phones().count());
    let _ = (session.timings().count(), session.repeats().count());
    let _ = (session.information(), session.connection(), session.key());
    let _ = (
        session.bandwidths().count(),
        session.bundle_groups().count(),
    );
    session.attributes().for_each(read_attribute);
    for media in session.media() {
        look_at_media(session, media);
    }
}

fn look_at_media(session: &Session<'_>, media: &Media<'_>) {
    let _ = (
        media.kind(),
        media.port(),
        media.port_count(),
        media.protocol(),
    );
    let _ = (media.formats().count(), media.payload_types().count());
    let _ = (
        media.mid(),
        media.is_rejected(),
        session.direction_of(media),
    );
    let _ = (media.connections().count(), media.bandwidths().count());
    let _ = (media.information(), media.connection(), media.key());
    for codec in media.codecs() {
        let _ = (codec.payload_type(), codec.associated_payload_type());
        let _ = (codec.is("opus"), codec.parameter("apt"));
    }
    if let Some(mid) = media.mid() {
        assert!(session.media_by_mid(mid).is_some());
    }
    let _ = session.attribute_for::<Setup>(media);
    media.attributes().for_each(read_attribute);
}

/// Reads an attribute as whatever it may be.
fn read_attribute(raw: RawAttribute<'_>) {
    /// A value that was read and can be written reads as the same.
    macro_rules! same {
        ($($attribute:ident)*) => {$(
            if let Some(Ok(value)) = raw.parse::<$attribute>() {
                let mut written = String::new();
                if value.write(&mut written).is_ok() {
                    match $attribute::parse(&written) {
                        Ok(again) => assert_eq!(again, value, "{written:?}"),
                        Err(error) => panic!("{written:?} of {value:?}: {error:?}"),
                    }
                }
            }
        )*};
    }
    same! {
        Candidate Crypto ExtMap Fingerprint Fmtp FrameRate Group IceOptions IcePwd IceUfrag ImageAttr Label MaxMessageSize MaxPTime Mid Msid MsidSemantic PTime RemoteCandidates Rid Rtcp RtcpFb RtcpXr RtpMap SctpMap SctpPort Setup Simulcast Ssrc SsrcGroup TlsId
    }
}

fn edit(session: &mut Session<'_>) {
    session
        .push(Group::bundle(["0", "1"]))
        .expect("a group of two words");
    let _ = session.push_raw("x-fuzz", Some("a\r\nb"));
    session.set_direction(Direction::Inactive);
    for media in session.media_mut() {
        media.set_port(9);
        media.set_direction(Direction::SendOnly);
        media.set(Mid("fuzz")).expect("a word");
        media.remove("candidate");
        media.retain(|attribute| attribute.value.is_none_or(|value| value.len() < 40));
        let mut text = String::new();
        let _ = write!(text, "{:?}", media.lines());
    }
}
