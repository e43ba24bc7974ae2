//! Descriptions that real peers made, and their answers to each other: testdata/captured.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails where it must, and reads files"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rtckit_sdp::Session;
use rtckit_sdp::attribute::{Direction, Group, IceUfrag, Rid, Setup, Simulcast};
use rtckit_sdp::offer_answer::{
    Outline, check_answer, check_one_transport, check_origin, check_reoffer, recyclable,
};

/// All captures by name, without the ending.
fn captures() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/captured");
    let mut captures = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "sdp") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            captures.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    assert!(captures.len() >= 50, "{}", captures.len());
    captures
}

/// What peers write that is not as its RFC has it: the capture, the line, the rule. All of it is forgiven.
const DEVIATIONS: &[(&str, u32, &str)] = &[
    // werift: "a=simulcast:recv h;m;l " with a space at the end
    ("chromium-simulcast-answer-by-werift", 32, "blanks"),
    ("firefox-simulcast-answer-by-werift", 33, "blanks"),
    ("werift-simulcast-offer", 32, "blanks"),
];

/// The answers that break a rule between offer and answer: capture, section, RFC, and what the peer does.
const VIOLATIONS: &[(&str, Option<usize>, &str, &str)] = &[
    (
        "chromium-stopped-answer-by-aiortc",
        Some(1),
        "3264",
        "accepts a section that was offered with port 0, and puts it into the BUNDLE group",
    ),
    (
        "chromium-stopped-answer-by-gstreamer",
        Some(1),
        "3264",
        "accepts a section that was offered with port 0, and puts it into the BUNDLE group",
    ),
    (
        "chromium-stopped-answer-by-werift",
        None,
        "9143",
        "names the rejected section in its BUNDLE group, in which the offer had not named it",
    ),
    (
        "werift-inactive-answer",
        Some(1),
        "9143",
        "gives an inactive section port 0 and leaves it in the BUNDLE group, in its offer as well",
    ),
];

#[test]
fn each_is_read_whole_and_written_as_it_was() {
    for (name, text) in captures() {
        let session = Session::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(session.to_string(), text, "{name}");
        let sections = session.media().iter().flat_map(|media| media.attributes());
        for attribute in session.attributes().chain(sections) {
            match attribute.typed() {
                Some(typed) => drop(typed.unwrap_or_else(|error| panic!("{name}: {error}"))),
                None => panic!("{name}: there is no type for {attribute:?}"),
            }
        }
        for media in session.media() {
            let formats = media.payload_types().count();
            assert_eq!(media.codecs().len(), formats, "{name}: {media:?}");
            for codec in media.codecs() {
                let parameters = codec.parameters();
                parameters.unwrap_or_else(|error| panic!("{name}: {codec:?}: {error}"));
            }
        }
    }
}

#[test]
fn they_follow_the_rfcs_but_for_what_is_listed() {
    let mut found = Vec::new();
    for (name, text) in captures() {
        for deviation in rtckit_sdp::check(&text) {
            assert!(!deviation.refused, "{name}: {deviation}");
            found.push((name.clone(), deviation.line, deviation.rule.name()));
        }
    }
    let expected = DEVIATIONS.iter();
    let expected = expected.map(|(name, line, rule)| ((*name).to_owned(), *line, *rule));
    assert_eq!(found, expected.collect::<Vec<_>>());
}

#[test]
fn their_answers_are_answers() {
    let captures = captures();
    let mut checked = 0;
    let mut found = Vec::new();
    for (name, text) in &captures {
        let Some((stem, _)) = name.split_once("-answer") else {
            continue;
        };
        let offer = Session::parse(&captures[&format!("{stem}-offer")]).unwrap();
        let answer = Session::parse(text).unwrap();
        let (offer, answer) = (Outline::of(&offer), Outline::of(&answer));
        let result =
            check_answer(&offer, &answer).and_then(|()| check_one_transport(&offer, &answer));
        if let Err(violation) = result {
            found.push((
                name.clone(),
                violation.section,
                violation.reference.document,
            ));
        }
        checked += 1;
    }
    let expected = VIOLATIONS.iter();
    let expected = expected.map(|(name, section, rfc, _)| ((*name).to_owned(), *section, *rfc));
    assert_eq!(found, expected.collect::<Vec<_>>());
    assert!(checked >= 30, "{checked}");
}

/// No answer says `actpass` (RFC 8842 §5.3).
#[test]
fn their_answers_choose_a_role() {
    for (name, text) in captures() {
        if !name.contains("-answer") {
            continue;
        }
        let session = Session::parse(&text).unwrap();
        let in_use = session.media().iter();
        for media in in_use.filter(|media| !session.is_rejected(media)) {
            let setup = session.attribute_for::<Setup>(media).unwrap().unwrap();
            assert_ne!(setup, Setup::ActPass, "{name}");
        }
    }
}

/// The descriptions of one peer before and after, and whether its `o=` line keeps the rule of RFC 3264 §8.
const LATER: &[(&str, &str, bool)] = &[
    // every description of aiortc has the time as its session id and version
    ("aiortc-media", "aiortc-inactive", false),
    ("aiortc-inactive", "aiortc-stopped", false),
    ("chromium-media", "chromium-restart", true),
    ("chromium-restart", "chromium-stopped", true),
    ("firefox-media", "firefox-restart", true),
    ("firefox-restart", "firefox-stopped", true),
    ("gstreamer-media", "gstreamer-inactive", true),
    // every description of werift has another session id
    ("werift-media", "werift-restart", false),
    ("werift-restart", "werift-inactive", false),
];

#[test]
fn later_offers_may_follow_the_earlier() {
    let captures = captures();
    for (before, after, keeps_origin) in LATER {
        let session = |name: String| Session::parse(&captures[&name]).unwrap();
        let old = session(format!("{before}-offer"));
        let answer = session(format!("{before}-answer"));
        let new = session(format!("{after}-offer"));
        let (outline, answer) = (Outline::of(&old), Outline::of(&answer));
        let rejected: Vec<usize> = recyclable(&outline, &answer).collect();
        assert!(rejected.is_empty(), "{before}: {rejected:?}");
        let result = check_reoffer(&outline, |_| false, &Outline::of(&new));
        assert_eq!(result, Ok(()), "{after}");
        let origin = check_origin(&old.origin().unwrap(), &new.origin().unwrap(), true);
        assert_eq!(origin.is_ok(), *keeps_origin, "{after}: {origin:?}");
    }
}

#[test]
fn a_restart_changes_the_credentials() {
    let captures = captures();
    for peer in ["chromium", "firefox", "werift"] {
        for kind in ["offer", "answer"] {
            let ufrag = |scenario: &str| {
                let session =
                    Session::parse(&captures[&format!("{peer}-{scenario}-{kind}")]).unwrap();
                let media = &session.media()[0];
                let IceUfrag(ufrag) = session.attribute_for(media).unwrap().unwrap();
                ufrag.to_owned()
            };
            assert_ne!(ufrag("media"), ufrag("restart"), "{peer} {kind}");
        }
    }
}

#[test]
fn a_stopped_section_has_port_zero_and_leaves_the_bundle() {
    let captures = captures();
    for peer in ["chromium", "firefox"] {
        for kind in ["offer", "answer"] {
            let session = Session::parse(&captures[&format!("{peer}-stopped-{kind}")]).unwrap();
            let video = &session.media()[1];
            assert!(session.is_rejected(video), "{peer} {kind}");
            let group = session.attribute::<Group<'_>>().unwrap().unwrap();
            assert!(group.is_bundle());
            assert_eq!(group.mids.len(), 2, "{peer} {kind}: {:?}", group.mids);
        }
    }
    // aiortc stops a transceiver, and says nothing of it.
    let stopped = Session::parse(&captures["aiortc-stopped-offer"]).unwrap();
    assert!(!stopped.is_rejected(&stopped.media()[1]));
    assert_eq!(
        stopped.direction_of(&stopped.media()[1]),
        Direction::SendRecv
    );
    for peer in ["aiortc", "gstreamer", "werift"] {
        let session = Session::parse(&captures[&format!("{peer}-inactive-offer")]).unwrap();
        let video = session
            .media()
            .iter()
            .find(|media| media.kind().as_str() == "video");
        let direction = session.direction_of(video.unwrap());
        assert_eq!(direction, Direction::Inactive, "{peer}");
    }
}

#[test]
fn simulcast_names_its_encodings() {
    let captures = captures();
    for (name, send) in [
        ("chromium-simulcast-offer", true),
        ("firefox-simulcast-offer", true),
        ("werift-simulcast-offer", false),
        ("werift-simulcast-answer-by-firefox", true),
    ] {
        let session = Session::parse(&captures[name]).unwrap();
        let media = &session.media()[0];
        let simulcast = media.attribute::<Simulcast<'_>>().unwrap().unwrap();
        let streams = if send {
            &simulcast.send
        } else {
            &simulcast.recv
        };
        let rids: Vec<&str> = media
            .attributes_of::<Rid<'_>>()
            .map(|rid| rid.unwrap().id)
            .collect();
        assert_eq!(rids, ["h", "m", "l"], "{name}");
        let streams: Vec<&str> = streams.iter().map(|stream| stream[0].rid).collect();
        assert_eq!(streams, rids, "{name}");
    }
}
