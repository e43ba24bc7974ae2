//! Session descriptions: lossless, every attribute readable, every edit and every answer readable again.
//!
//! An input that begins with 1 is a list of tokens and one that begins with 2 a list of changes to a browser's
//! offer; any other is a text.

use std::fmt::Write as _;

use rtckit_sdp::attribute::{Direction, Group, Kind, Mid, RawAttribute, Typed};
use rtckit_sdp::offer_answer::{Capabilities, answer, check_whole_answer};
use rtckit_sdp::parameters::CodecParameters;
use rtckit_sdp::{Media, Origin, Rule, Session, check};

use crate::input::Input;

/// What tokens stand for. Line types come first, then attributes, then what their values are made of.
const TOKENS: &[&str] = &[
    "v=0",
    "o=- 1 1 IN IP4 192.0.2.1",
    "s=-",
    "t=0 0",
    "t=3724394400 3724398000",
    "r=7d 1h 0 25h",
    "z=3730928400 -1h",
    "c=IN IP4 233.252.0.1/127/3",
    "c=IN IP6 ff02::1/2",
    "b=AS:1",
    "k=prompt",
    "i=",
    "u=",
    "e=",
    "p=",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 0",
    "m=video 49170/2 RTP/AVP 96 97",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "\r\n",
    "\n",
    "\r\na=",
    "\r\na=",
    "\r\na=",
    ":",
    " ",
    "  ",
    "\t",
    ",",
    ";",
    "=",
    "/",
    "~",
    "*",
    "[",
    "]",
    "|",
    "-",
    "\0",
    "é",
    "0",
    "1",
    "96",
    "97",
    "111",
    "4096",
    "65536",
    "4294967296",
    "99999999999999999999",
    "send",
    "recv",
    "sendonly",
    "active",
    "candidate",
    "1 1 udp 2130706431 192.0.2.1 54400 typ host",
    "raddr",
    "rport",
    "tcptype",
    "rtpmap",
    "fmtp",
    "rtcp-fb",
    "opus/48000/2",
    "H264/90000",
    "VP9/90000",
    "AV1/90000",
    "rtx/90000",
    "red/90000",
    "telephone-event/8000",
    "apt=",
    "0-15,66",
    "profile-level-id=42e01f",
    "packetization-mode=1",
    "level-asymmetry-allowed=1",
    "extmap",
    "urn:x",
    "simulcast",
    "rid",
    "q;h,~f",
    "pt=96",
    "max-width=1280",
    "group",
    "BUNDLE",
    "mid",
    "msid",
    "ssrc",
    "cname:x",
    "ssrc-group",
    "FID",
    "fingerprint",
    "sha-256 AB:CD",
    "setup",
    "crypto",
    "AES_CM_128_HMAC_SHA1_80",
    "inline:AAAA|2^20|1:4",
    "KDR=1",
    "imageattr",
    "[x=[320:16:640],y=240,q=0.5]",
    "source-filter",
    "incl IN IP4 233.252.0.1 192.0.2.1",
    "ts-refclk",
    "ptp=IEEE1588-2008:39-A7-94-FF-FE-07-CB-D0:37",
    "mediaclk",
    "direct=0 rate=1/2",
    "id=AA== ",
    "key-mgmt",
    "mikey",
    "rtcp",
    "rtcp-xr",
    "rcvr-rtt=all",
    "remote-candidates",
    "ice-options",
    "bundle-only",
    "rtcp-mux",
    "rtcp-mux-only",
    "sctp-init",
    "sctpmap",
    "webrtc-datachannel",
    "content",
    "slides",
    "lang",
    "de-CH",
    "msid-semantic",
    "WMS",
];

const OFFERS: &[&str] = &[
    include_str!("../../crates/sdp/testdata/browsers/chromium156_audio_video_data_offer.sdp"),
    include_str!("../../crates/sdp/testdata/browsers/firefox153_firefox_live_simulcast_offer.sdp"),
    include_str!("../../crates/sdp/testdata/browsers/chromium156_c2_live_simulcast_offer.sdp"),
    include_str!("../../crates/sdp/testdata/browsers/firefox153_data_offer.sdp"),
];

/// A text that is SDP is written again byte for byte; its attributes read as themselves after they are written; the
/// checks agree with each other; an edit, the canonical form and an answer are SDP again.
pub fn target(data: &[u8]) {
    if let Some(data) = as_text(data) {
        text(&data);
    }
}

/// The text that an input of the fuzzer stands for, if it is one.
pub fn as_text(data: &[u8]) -> Option<String> {
    match data.split_first() {
        Some((1, rest)) => Some(from_tokens(rest)),
        Some((2, rest)) => Some(from_offer(&mut Input::new(rest))),
        _ => String::from_utf8(data.to_vec()).ok(),
    }
}

fn from_tokens(bytes: &[u8]) -> String {
    let mut text = String::from("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n");
    for byte in bytes.iter().take(2000) {
        text.push_str(TOKENS[usize::from(*byte) % TOKENS.len()]);
    }
    text
}

/// An offer with lines left out, doubled, moved, and cut up with tokens in the gaps.
fn from_offer(input: &mut Input<'_>) -> String {
    let offer = input.choose(OFFERS);
    let mut lines: Vec<String> = offer.split_inclusive('\n').map(str::to_owned).collect();
    while !input.is_empty() && !lines.is_empty() && lines.len() < 1000 {
        let at = usize::from(input.u16()) % lines.len();
        match input.u8() % 6 {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            2 => {
                let to = usize::from(input.u8()) % lines.len();
                lines.swap(at, to);
            }
            3 => lines.insert(at, format!("a={}\r\n", input.choose(TOKENS))),
            4 => {
                let line = &mut lines[at];
                let from = input.below(line.len());
                let until = from + input.below(16);
                let token = input.choose(TOKENS);
                let kept = line
                    .char_indices()
                    .filter(|(i, _)| *i >= until)
                    .map(|(_, c)| c)
                    .collect::<String>();
                let start: String = line
                    .char_indices()
                    .take_while(|(i, _)| *i < from)
                    .map(|(_, c)| c)
                    .collect();
                *line = start + token + &kept;
            }
            _ => {
                let mut bytes = core::mem::take(&mut lines[at]).into_bytes();
                let place = input.below(bytes.len());
                if let Some(byte) = bytes.get_mut(place) {
                    *byte = input.u8();
                }
                lines[at] = String::from_utf8_lossy(&bytes).into_owned();
            }
        }
    }
    lines.concat()
}

fn text(text: &str) {
    if let Ok(fragment) = Session::parse_fragment(text) {
        assert_eq!(
            fragment.to_string(),
            text,
            "what was read is what is written"
        );
    }
    let found = check(text);
    for deviation in found.iter().take(20) {
        assert!(deviation.line > 0 && deviation.column > 0, "{deviation:?}");
        let _ = deviation.explain(text).to_string();
    }
    let mut session = match Session::parse(text) {
        Ok(session) => session,
        Err(error) => {
            assert!(error.line > 0 && error.reference().is_some(), "{error:?}");
            let _ = error.explain(text).to_string();
            assert!(found.iter().any(|deviation| deviation.refused), "{error}");
            assert!(Session::parse_strict(text).is_err());
            return;
        }
    };
    assert_eq!(
        session.to_string(),
        text,
        "what was read is what is written"
    );
    assert_eq!(session.clone().into_owned(), session);
    assert_eq!(
        session.check(),
        found,
        "a session is checked as its text is"
    );
    assert_eq!(Session::parse_strict(text).is_ok(), found.is_empty());
    look(&session);
    respond(&session);
    normalize(session.clone());
    edit(&mut session);
    let edited = session.to_string();
    let again = Session::parse(&edited).expect("an edit leaves SDP behind");
    assert_eq!(again.to_string(), edited);
    assert_eq!(again.media().len(), session.media().len());
}

fn normalize(mut session: Session<'_>) {
    session.normalize();
    let once = session.to_string();
    let mut again = Session::parse_fragment(&once).expect("a canonical form is SDP");
    again.normalize();
    assert_eq!(
        again.to_string(),
        once,
        "a canonical form has none but itself"
    );
}

/// An answer to it by who can all that it can: SDP again, and an answer by all rules, whatever was offered.
fn respond(offer: &Session<'_>) {
    let can = |index: usize, _: &Media<'_>| {
        let media = offer.media().get(index)?;
        let extensions = offer.attributes_of().chain(media.attributes_of());
        Some(Capabilities {
            codecs: media.codecs(),
            extensions: extensions.flatten().collect(),
            simulcast: true,
            ..Capabilities::default()
        })
    };
    let Ok(answer) = answer(offer, &Origin::anonymous(1, 1), can) else {
        return;
    };
    let text = answer.to_string();
    let read = Session::parse(&text).expect("an answer is SDP");
    assert_eq!(read.check(), check(&text), "{text}");
    for deviation in read.check() {
        // Words that the offer has wrong are repeated; names are not.
        let rule = deviation.rule;
        assert!(
            !matches!(
                rule,
                Rule::LineOrder | Rule::LineMissing | Rule::AttributeRepeated
            ),
            "{deviation} in {text}"
        );
        assert!(
            rule != Rule::Ambiguous || deviation.field == "m=",
            "{deviation} in {text}"
        );
    }
    assert_eq!(check_whole_answer(offer, &read), Ok(()), "{text}");
}

/// Reads everything there is to read, and counts the attributes.
pub fn look(session: &Session<'_>) -> usize {
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
    let of_media = session
        .media()
        .iter()
        .map(|media| media.attributes().count());
    session.attributes().count() + of_media.sum::<usize>()
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
        session.is_rejected(media),
        session.direction_of(media),
    );
    let _ = (media.bandwidths().count(), media.information(), media.key());
    for connection in media.connections().flatten() {
        let _ = connection.addresses().take(300).count();
    }
    for codec in media.codecs() {
        let _ = (codec.payload_type(), codec.associated_payload_type());
        let _ = (codec.is("opus"), codec.parameter("apt"));
        let encoding = codec.rtpmap.encoding;
        if let Ok(parameters) = codec.parameters() {
            let written = parameters.to_string();
            let again = rtckit_sdp::attribute::Parameters(&written);
            let again = CodecParameters::parse(encoding, again);
            assert!(
                written.is_empty() || again.as_ref() == Ok(&parameters),
                "{written:?} of {parameters:?}"
            );
        }
    }
    if let Some(mid) = media.mid() {
        assert!(session.media_by_mid(mid).is_some());
    }
    media.attributes().for_each(read_attribute);
}

/// What was read and can be written reads as the same; what follows the RFC to the letter can be read.
fn read_attribute(raw: RawAttribute<'_>) {
    let value = raw.value.unwrap_or_default();
    for kind in raw
        .kind()
        .into_iter()
        .chain([Kind::ALL[raw.name.len() % Kind::ALL.len()]])
    {
        match Typed::parse(kind, value) {
            Ok(typed) => {
                assert_eq!(typed.kind(), kind);
                let mut written = String::new();
                if typed.write(&mut written).is_ok() {
                    match Typed::parse(kind, &written) {
                        Ok(again) => assert_eq!(again, typed, "{written:?}"),
                        Err(error) => panic!("{written:?} of {typed:?}: {error:?}"),
                    }
                }
            }
            Err(error) => {
                assert!(
                    error.column as usize <= value.len() + 1,
                    "{error:?} in {value:?}"
                );
                assert!(kind.check(value).is_err(), "{kind:?} {value:?}");
            }
        }
        let _ = kind.check(value);
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
