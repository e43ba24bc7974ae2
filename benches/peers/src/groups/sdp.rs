//! SDP (RFC 8866): Chromium's offer of audio, video and data, 7 kB with 172 attributes.
//!
//! Libraries mean different things by "parsed". sdp-types, sdp and rtc-sdp own every attribute as name and value; webrtc-sdp
//! and str0m own each as its type; rtckit borrows each from the text and makes a type of it when asked. So rtckit is in "parse"
//! twice, with and without all attributes asked for, and those that make types of all are compared once more by themselves.

use std::fmt::Write;
use std::hint::black_box;
use std::io::Cursor;

use rtckit_sdp::Session;
use rtckit_sdp::attribute::{
    Attribute, Candidate, Direction, ExtMap, ExtMapAllowMixed, Fingerprint, Fmtp, Group,
    IceOptions, IcePwd, IceUfrag, MaxMessageSize, Mid, Msid, MsidSemantic, RawAttribute, Rtcp,
    RtcpFb, RtcpMux, RtcpRsize, RtcpXr, RtpMap, SctpPort, Setup, Ssrc, SsrcGroup,
};

use crate::harness::{Work, repeat};

const RIVAL_SDP_TYPES: &str = "sdp-types 0.3.1";
const RIVAL_SDP: &str = "sdp 0.17.2";
const RIVAL_RTC_SDP: &str = "rtc-sdp 0.21.1";
const RIVAL_WEBRTC_SDP: &str = "webrtc-sdp 0.3.17";
const RIVAL_STR0M: &str = "str0m 0.24.1";

const OFFER: &str =
    include_str!("../../../../crates/sdp/testdata/browsers/chromium156_audio_video_data_offer.sdp");
const NONE: &str = "no crypto";

pub(super) fn works() -> Vec<Work<'static>> {
    agree();
    let size = format!("Chromium's offer, {} B", OFFER.len());

    let mut parse = Work::new(format!("parse {size}"));
    parse.ours("rtckit", NONE, repeat(|| rtckit(black_box(OFFER))));
    parse.ours(
        "rtckit, every attribute made a type",
        NONE,
        repeat(|| typed(&rtckit(black_box(OFFER)))),
    );
    parse.rival(
        RIVAL_SDP_TYPES,
        NONE,
        repeat(|| sdp_types(black_box(OFFER))),
    );
    parse.rival(RIVAL_SDP, NONE, repeat(|| sdp(black_box(OFFER))));
    parse.rival(RIVAL_RTC_SDP, NONE, repeat(|| rtc_sdp(black_box(OFFER))));
    parse.rival(
        format!("{RIVAL_WEBRTC_SDP} (types)"),
        NONE,
        repeat(|| webrtc_sdp(black_box(OFFER))),
    );
    parse.rival(
        format!("{RIVAL_STR0M} (types)"),
        NONE,
        repeat(|| str0m(black_box(OFFER))),
    );
    parse.floor(
        "each byte looked at once",
        NONE,
        repeat(|| scan(black_box(OFFER))),
    );

    let mut types = Work::new(format!("parse and make types of all attributes, {size}"));
    types.ours("rtckit", NONE, repeat(|| typed(&rtckit(black_box(OFFER)))));
    types.rival(
        RIVAL_WEBRTC_SDP,
        NONE,
        repeat(|| webrtc_sdp(black_box(OFFER))),
    );
    types.rival(RIVAL_STR0M, NONE, repeat(|| str0m(black_box(OFFER))));
    types.floor(
        "each byte looked at once",
        NONE,
        repeat(|| scan(black_box(OFFER))),
    );

    vec![parse, types, write(&size)]
}

/// Into a new string; and those that can, into one that is used again.
fn write(size: &str) -> Work<'static> {
    let mut write = Work::new(format!("write {size}"));
    let session = rtckit(OFFER);
    write.ours(
        "rtckit",
        NONE,
        repeat(move || black_box(&session).to_string()),
    );
    let (session, mut out) = (rtckit(OFFER), String::new());
    write.ours(
        "rtckit, into a used buffer",
        NONE,
        repeat(move || {
            out.clear();
            write!(out, "{}", black_box(&session)).expect("a string takes all");
            black_box(out.len())
        }),
    );
    let (session, mut out) = (sdp_types(OFFER), Vec::new());
    write.rival(
        format!("{RIVAL_SDP_TYPES}, into a used buffer"),
        NONE,
        repeat(move || {
            out.clear();
            black_box(&session)
                .write(&mut out)
                .expect("a vector takes all");
            black_box(out.len())
        }),
    );
    let session = sdp(OFFER);
    write.rival(
        RIVAL_SDP,
        NONE,
        repeat(move || black_box(&session).marshal()),
    );
    let session = rtc_sdp(OFFER);
    write.rival(
        RIVAL_RTC_SDP,
        NONE,
        repeat(move || black_box(&session).marshal()),
    );
    let session = webrtc_sdp(OFFER);
    write.rival(
        RIVAL_WEBRTC_SDP,
        NONE,
        repeat(move || black_box(&session).to_string()),
    );
    let offer = str0m(OFFER);
    write.rival(
        RIVAL_STR0M,
        NONE,
        repeat(move || black_box(&offer).to_sdp_string()),
    );
    write.floor(
        "the bytes copied",
        NONE,
        repeat(|| black_box(OFFER).to_owned()),
    );
    write
}

fn rtckit(text: &str) -> Session<'_> {
    Session::parse(text).expect("Chromium's offer")
}

fn sdp_types(text: &str) -> sdp_types::Session {
    sdp_types::Session::parse(text.as_bytes()).expect("Chromium's offer")
}

fn sdp(text: &str) -> sdp::SessionDescription {
    sdp::SessionDescription::unmarshal(&mut Cursor::new(text.as_bytes())).expect("Chromium's offer")
}

fn rtc_sdp(text: &str) -> rtc_sdp::SessionDescription {
    rtc_sdp::SessionDescription::unmarshal(&mut Cursor::new(text.as_bytes()))
        .expect("Chromium's offer")
}

fn webrtc_sdp(text: &str) -> webrtc_sdp::SdpSession {
    webrtc_sdp::parse_sdp(text, false).expect("Chromium's offer")
}

fn str0m(text: &str) -> str0m::change::SdpOffer {
    str0m::change::SdpOffer::from_sdp_string(text).expect("Chromium's offer")
}

/// Lines and colons counted, in steps that fit a byte, so that the processor can take many at once.
fn scan(text: &str) -> usize {
    let count = |bytes: &[u8]| {
        let hits = bytes
            .iter()
            .map(|byte| u8::from(matches!(byte, b'\n' | b':')));
        usize::from(hits.sum::<u8>())
    };
    text.as_bytes().chunks(255).map(count).sum()
}

/// How many attributes there are that have been made types.
fn typed(session: &Session<'_>) -> usize {
    let of_media = session.media().iter().flat_map(|media| media.attributes());
    session
        .attributes()
        .chain(of_media)
        .filter(|attribute| is_typed(attribute))
        .count()
}

/// Makes an attribute what its name says, if its value allows.
fn is_typed(attribute: &RawAttribute<'_>) -> bool {
    macro_rules! dispatch {
        ($($type:ident),* $(,)?) => {
            match attribute.name {
                // its parameters are read on demand in their turn
                Fmtp::NAME => attribute.parse::<Fmtp<'_>>().is_some_and(|fmtp| {
                    fmtp.is_ok_and(|fmtp| black_box(fmtp).parameters.iter().all(|pair| black_box(pair).0 != ""))
                }),
                $($type::NAME => attribute.parse::<$type>().is_some_and(|made| black_box(made).is_ok()),)*
                name => black_box(Direction::from_name(name)).is_some(),
            }
        };
    }
    dispatch!(
        Candidate,
        ExtMap,
        ExtMapAllowMixed,
        Fingerprint,
        Group,
        IceOptions,
        IcePwd,
        IceUfrag,
        MaxMessageSize,
        Mid,
        Msid,
        MsidSemantic,
        Rtcp,
        RtcpFb,
        RtcpMux,
        RtcpRsize,
        RtcpXr,
        RtpMap,
        SctpPort,
        Setup,
        Ssrc,
        SsrcGroup,
    )
}

/// Everyone finds the same number of sections and attributes, and writes what can be read again; those that keep the text
/// write the same bytes.
fn agree() {
    let lines = OFFER.lines().filter(|line| line.starts_with("a=")).count();
    let session = rtckit(OFFER);
    let of_media = session.media().iter().flat_map(|media| media.attributes());
    assert_eq!(session.attributes().count() + of_media.count(), lines);
    assert_eq!(
        typed(&session),
        lines,
        "rtckit has a type for every attribute"
    );

    let theirs = sdp_types(OFFER);
    let of_media = theirs.medias.iter().map(|media| media.attributes.len());
    let found = theirs.attributes.len() + of_media.sum::<usize>();
    assert_eq!(found, lines, "{RIVAL_SDP_TYPES} finds all attributes");
    let mut written = Vec::new();
    theirs.write(&mut written).expect("a vector takes all");
    assert_eq!(
        written,
        OFFER.as_bytes(),
        "{RIVAL_SDP_TYPES} writes the same"
    );

    let theirs = sdp(OFFER);
    let of_media = theirs
        .media_descriptions
        .iter()
        .map(|media| media.attributes.len());
    let found = theirs.attributes.len() + of_media.sum::<usize>();
    assert_eq!(found, lines, "{RIVAL_SDP} finds all attributes");
    assert_eq!(theirs.marshal(), OFFER, "{RIVAL_SDP} writes the same");

    let theirs = rtc_sdp(OFFER);
    let of_media = theirs
        .media_descriptions
        .iter()
        .map(|media| media.attributes.len());
    let found = theirs.attributes.len() + of_media.sum::<usize>();
    assert_eq!(found, lines, "{RIVAL_RTC_SDP} finds all attributes");
    assert_eq!(theirs.marshal(), OFFER, "{RIVAL_RTC_SDP} writes the same");

    let theirs = webrtc_sdp(OFFER);
    let of_media = theirs
        .media
        .iter()
        .map(|media| media.get_attributes().len());
    let found = theirs.attribute.len() + of_media.sum::<usize>() + theirs.warnings.len();
    assert_eq!(found, lines, "{RIVAL_WEBRTC_SDP} finds all attributes");
    assert_eq!(rtckit(&theirs.to_string()).media().len(), 3);

    let written = str0m(OFFER).to_sdp_string();
    assert_eq!(rtckit(&written).media().len(), 3);
    assert_eq!(session.to_string(), OFFER);
}
