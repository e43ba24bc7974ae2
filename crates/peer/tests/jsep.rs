//! Offer and answer: against what browsers really send, and by the rules of RFC 9429.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use core::time::Duration;
use std::sync::Arc;

use rtckit_crypto::identity::Identity;
use rtckit_crypto::provider::Provider;
use rtckit_peer::{
    Config, Direction, Error, Event, IceCandidate, MediaKind, Peer, SessionDescription, Setup,
    SignalingState,
};
use rtckit_proto::{Instant, WallClock};
use rtckit_sdp::Session;
use rtckit_sdp::offer_answer::{Outline, check_one_transport, check_origin, check_whole_answer};

const NOW: Instant = Instant::ZERO;

/// Captured from Chromium 156 and Firefox 153: audio, video and a data channel.
const CHROMIUM: &str =
    include_str!("../../sdp/testdata/browsers/chromium156_audio_video_data_offer.sdp");
const FIREFOX: &str =
    include_str!("../../sdp/testdata/browsers/firefox153_audio_video_data_offer.sdp");

fn config(seed: u64) -> Config {
    let provider = Provider::simulation(seed);
    let identity = Arc::new(Identity::generate(&provider).unwrap());
    Config::new(provider, identity, WallClock::new(Duration::ZERO))
}

fn peer(seed: u64) -> Peer {
    Peer::new(config(seed), NOW).unwrap()
}

/// The answer to `offer`, applied.
fn answer_with(peer: &mut Peer, offer: &str) -> String {
    peer.set_remote_description(NOW, SessionDescription::offer(offer))
        .unwrap();
    let answer = peer.create_answer().unwrap();
    peer.set_local_description(NOW, answer.clone()).unwrap();
    answer.sdp
}

fn has(text: &str, line: &str) -> bool {
    text.lines().any(|candidate| candidate == line)
}

#[test]
fn a_browsers_offer_is_answered_with_what_we_have() {
    for offer in [CHROMIUM, FIREFOX] {
        let mut peer = peer(1);
        let answer = answer_with(&mut peer, offer);
        let offered = Session::parse(offer).unwrap();
        let parsed = Session::parse(&answer).unwrap();
        assert_eq!(parsed.media().len(), offered.media().len(), "{answer}");
        for (own, theirs) in parsed.media().iter().zip(offered.media()) {
            assert_eq!((own.kind(), own.mid()), (theirs.kind(), theirs.mid()));
            let wanted = match own.kind() {
                rtckit_sdp::MediaKind::Audio => Some("opus"),
                rtckit_sdp::MediaKind::Video => Some("VP8"),
                _ => None,
            };
            assert_eq!(
                parsed.is_rejected(own),
                wanted.is_none(),
                "data channels are not done yet"
            );
            let Some(wanted) = wanted else { continue };
            let codecs = own.codecs();
            assert!(codecs[0].is(wanted));
            // under the browser's own payload types
            let theirs = theirs.codecs();
            let named = theirs.iter().find(|codec| codec.is(wanted)).unwrap();
            assert_eq!(codecs[0].payload_type(), named.payload_type());
            if wanted == "VP8" {
                let repeats = |codec: &&rtckit_sdp::Codec<'_>| {
                    codec.associated_payload_type() == Some(named.payload_type())
                };
                let rtx = theirs.iter().find(repeats).unwrap();
                assert_eq!(codecs.len(), 2, "{answer}");
                assert!(repeats(&&codecs[1]));
                assert_eq!(codecs[1].payload_type(), rtx.payload_type());
                assert_eq!(codecs[1].rtpmap.clock_rate, 90_000);
            } else {
                assert_eq!(codecs.len(), 1, "{answer}");
            }
        }
        for absent in [
            "transport-cc",
            "goog-remb",
            "red/",
            "ulpfec",
            "flexfec",
            "rid:",
            // nothing is sent, so no source is announced
            "a=ssrc",
        ] {
            assert!(
                !answer.contains(absent),
                "{absent} is not done, so it must not be answered: {answer}"
            );
        }
        assert!(
            has(&answer, "a=setup:active")
                && has(&answer, "a=rtcp-mux")
                && has(&answer, "a=rtcp-rsize"),
            "{answer}"
        );
        assert!(answer.contains("a=group:BUNDLE 0 1\r\n"), "{answer}");
        assert_eq!(peer.signaling_state(), SignalingState::Stable);
        // the browsers send; nothing was added on this side, so it receives
        let directions: Vec<_> = peer
            .transceivers()
            .map(|own| own.current_direction)
            .collect();
        assert_eq!(directions, [Some(Direction::RecvOnly); 2]);
        let tracks = core::iter::from_fn(|| peer.poll_event())
            .filter(|event| matches!(event, Event::Track(_)));
        assert_eq!(tracks.count(), 2);
    }
}

#[test]
fn every_captured_description_is_answered_or_refused_with_a_reason() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../sdp/testdata");
    let (mut answered, mut refused) = (0, 0);
    for folder in [format!("{folder}/browsers"), format!("{folder}/mutated")] {
        for file in std::fs::read_dir(folder).unwrap() {
            let Ok(text) = std::fs::read_to_string(file.unwrap().path()) else {
                continue;
            };
            let mut peer = peer(1);
            match peer.set_remote_description(NOW, SessionDescription::offer(text)) {
                Ok(()) => {
                    let answer = peer.create_answer().unwrap();
                    Session::parse(&answer.sdp).unwrap();
                    peer.set_local_description(NOW, answer).unwrap();
                    answered += 1;
                }
                Err(error) => {
                    assert!(
                        matches!(
                            error,
                            Error::MalformedDescription(_) | Error::UnacceptableDescription(_)
                        ),
                        "{error}"
                    );
                    assert_eq!(
                        peer.signaling_state(),
                        SignalingState::Stable,
                        "a refused offer changes nothing"
                    );
                    refused += 1;
                }
            }
        }
    }
    assert!(answered >= 20, "{answered} answered, {refused} refused");
}

#[test]
fn the_dtls_role_follows_the_offer_and_the_wish() {
    let offered = |setup: &str| CHROMIUM.replace("a=setup:actpass", &format!("a=setup:{setup}"));
    for (setup, wish, expected) in [
        ("actpass", Setup::ActPass, "a=setup:active"),
        ("actpass", Setup::Active, "a=setup:active"),
        ("actpass", Setup::Passive, "a=setup:passive"),
        ("active", Setup::Active, "a=setup:passive"),
        ("passive", Setup::Passive, "a=setup:active"),
    ] {
        let mut config = config(1);
        config.setup = wish;
        let mut peer = Peer::new(config, NOW).unwrap();
        let answer = answer_with(&mut peer, &offered(setup));
        assert!(has(&answer, expected), "{setup} {wish:?}: {answer}");
    }
}

#[test]
fn an_offer_says_what_we_can() {
    let mut peer = peer(1);
    peer.add_transceiver(MediaKind::Audio, Direction::SendRecv)
        .unwrap();
    peer.add_transceiver(MediaKind::Video, Direction::SendOnly)
        .unwrap();
    peer.add_local_address(NOW, "127.0.0.1:5000".parse().unwrap());
    peer.add_local_address(NOW, "[::1]:5001".parse().unwrap());
    let offer = peer.create_offer().unwrap();
    for line in [
        "a=group:BUNDLE 0 1",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "a=rtpmap:111 opus/48000/2",
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
        "a=rtpmap:96 VP8/90000",
        "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
        "a=rtcp-fb:96 nack",
        "a=rtcp-fb:96 nack pli",
        "a=rtcp-fb:96 ccm fir",
        "a=setup:actpass",
        "a=sendonly",
        "a=rtcp-mux",
        "a=ice-options:trickle",
    ] {
        assert!(has(&offer.sdp, line), "{line} in\n{}", offer.sdp);
    }
    assert_eq!(
        offer.sdp.matches("a=candidate:").count(),
        2,
        "on the first section alone:\n{}",
        offer.sdp
    );
    let fingerprint = offer
        .sdp
        .lines()
        .find(|line| line.starts_with("a=fingerprint:sha-256 "))
        .unwrap();
    assert_eq!(
        fingerprint.len(),
        "a=fingerprint:sha-256 ".len() + 32 * 3 - 1
    );
}

/// The lines of the video section.
fn video_section(sdp: &str) -> &str {
    let start = sdp.find("m=video").unwrap();
    let section = &sdp[start..];
    let end = section[1..].find("m=").map_or(section.len(), |end| end + 1);
    &section[..end]
}

#[test]
fn who_sends_announces_two_sources_and_who_does_not_offer_rtx_gets_none() {
    let offer = |peer: &mut Peer| {
        peer.add_transceiver(MediaKind::Video, Direction::SendRecv)
            .unwrap();
        peer.create_offer().unwrap().sdp
    };
    let check = |sdp: &str| {
        let section = video_section(sdp);
        let group = section
            .lines()
            .find_map(|line| line.strip_prefix("a=ssrc-group:FID "))
            .unwrap();
        let (media, rtx) = group.split_once(' ').unwrap();
        assert_ne!(media, rtx);
        // both are named, with the same CNAME
        let cname = |ssrc: &str| {
            let start = format!("a=ssrc:{ssrc} cname:");
            section
                .lines()
                .find_map(|line| line.strip_prefix(start.as_str()))
        };
        assert!(
            cname(media).is_some() && cname(media) == cname(rtx),
            "{sdp}"
        );
        assert_eq!(section.matches("a=ssrc:").count(), 2);
    };
    check(&offer(&mut peer(1)));
    for offer in [CHROMIUM, FIREFOX] {
        let mut peer = peer(1);
        peer.add_transceiver(MediaKind::Video, Direction::SendRecv)
            .unwrap();
        check(&answer_with(&mut peer, offer));
    }

    // RTX is refused by leaving it out of the offer, or by giving it to a codec that is not there
    for (from, to) in [
        ("a=fmtp:97 apt=96\r\n", ""),
        ("a=rtpmap:97 rtx/90000\r\n", ""),
        ("a=fmtp:97 apt=96\r\n", "a=fmtp:97 apt=99\r\n"),
        ("a=fmtp:97 apt=96\r\n", "a=fmtp:97 apt=\r\n"),
        ("a=rtpmap:97 rtx/90000\r\n", "a=rtpmap:97 rtx/48000\r\n"),
    ] {
        let mut left = peer(1);
        let offer = offer(&mut left);
        let edited = offer.replace(from, to);
        assert_ne!(edited, offer);
        let mut right = peer(2);
        right
            .add_transceiver(MediaKind::Video, Direction::SendRecv)
            .unwrap();
        let answer = answer_with(&mut right, &edited);
        assert!(has(&answer, "m=video 9 UDP/TLS/RTP/SAVPF 96"), "{answer}");
        assert!(
            !answer.contains("rtx") && !answer.contains("FID"),
            "{answer}"
        );
        assert_eq!(answer.matches("a=ssrc:").count(), 1);
    }
}

#[test]
fn of_two_payload_types_for_one_codec_the_first_is_answered() {
    let offer = FIREFOX
        .replace(" 120 124 ", " 50 51 120 124 ")
        .replace(
            "a=rtpmap:120 VP8/90000\r\n",
            "a=rtpmap:50 VP8/90000\r\na=rtpmap:51 rtx/90000\r\na=fmtp:51 apt=50\r\na=rtpmap:120 VP8/90000\r\n",
        );
    let answer = answer_with(&mut peer(1), &offer);
    let section = video_section(&answer);
    assert!(
        has(section, "m=video 9 UDP/TLS/RTP/SAVPF 50 51"),
        "{section}"
    );
    assert!(has(section, "a=fmtp:51 apt=50"), "{section}");
}

#[test]
fn a_second_offer_keeps_the_payload_types_that_were_agreed_on() {
    let mut answerer = peer(1);
    answerer
        .add_transceiver(MediaKind::Video, Direction::SendRecv)
        .unwrap();
    answer_with(&mut answerer, FIREFOX);
    let offer = answerer.create_offer().unwrap().sdp;
    let section = video_section(&offer);
    assert!(
        has(section, "m=video 9 UDP/TLS/RTP/SAVPF 120 124")
            && has(section, "a=rtpmap:120 VP8/90000")
            && has(section, "a=fmtp:124 apt=120"),
        "{section}"
    );
}

#[test]
fn candidates_are_told_only_once_a_description_is_applied() {
    let mut peer = peer(1);
    peer.add_transceiver(MediaKind::Audio, Direction::SendRecv)
        .unwrap();
    peer.add_local_address(NOW, "127.0.0.1:5000".parse().unwrap());
    peer.end_of_local_addresses(NOW);
    assert!(core::iter::from_fn(|| peer.poll_event()).next().is_none());
    let offer = peer.create_offer().unwrap();
    peer.set_local_description(NOW, offer).unwrap();
    let candidates: Vec<_> = core::iter::from_fn(|| peer.poll_event())
        .filter_map(|event| match event {
            Event::IceCandidate(candidate) => Some(candidate),
            _ => None,
        })
        .collect();
    assert_eq!(candidates.len(), 2);
    assert!(
        candidates[0].candidate.starts_with("candidate:")
            && candidates[0].candidate.contains("127.0.0.1 5000 typ host")
    );
    assert_eq!(
        (
            candidates[0].sdp_mid.as_deref(),
            candidates[1].candidate.as_str()
        ),
        (Some("0"), "")
    );
}

#[test]
fn descriptions_out_of_turn_are_refused() {
    let mut left = peer(1);
    assert!(matches!(
        left.create_answer(),
        Err(Error::WrongState { .. })
    ));
    assert!(matches!(
        left.set_remote_description(NOW, SessionDescription::answer(CHROMIUM)),
        Err(Error::WrongState { .. })
    ));
    left.add_transceiver(MediaKind::Audio, Direction::SendRecv)
        .unwrap();
    let offer = left.create_offer().unwrap();
    let munged = SessionDescription::offer(offer.sdp.replace("a=sendrecv", "a=sendonly"));
    assert!(matches!(
        left.set_local_description(NOW, munged),
        Err(Error::UnacceptableDescription(_))
    ));
    left.set_local_description(NOW, offer.clone()).unwrap();
    // glare: both have offered, and there is no rollback yet
    assert!(matches!(
        left.set_remote_description(NOW, SessionDescription::offer(CHROMIUM)),
        Err(Error::WrongState { .. })
    ));
    // an answer with a section too many, or of another kind
    assert!(matches!(
        left.set_remote_description(NOW, SessionDescription::answer(CHROMIUM)),
        Err(Error::UnacceptableDescription(_))
    ));
    let mut right = peer(2);
    let answer = answer_with(&mut right, &offer.sdp);
    let video = answer.replace("m=audio", "m=video");
    assert!(matches!(
        left.set_remote_description(NOW, SessionDescription::answer(video)),
        Err(Error::UnacceptableDescription(_))
    ));
    left.set_remote_description(NOW, SessionDescription::answer(answer))
        .unwrap();
    left.close(NOW);
    assert_eq!(left.create_offer(), Err(Error::Closed));
}

#[test]
fn garbage_is_refused_with_its_place() {
    let mut peer = peer(1);
    let printer = "%!PS-Adobe-3.0\n%%Title: not a session\n";
    let Err(Error::MalformedDescription(error)) =
        peer.set_remote_description(NOW, SessionDescription::offer(printer))
    else {
        panic!("taken for SDP");
    };
    assert_eq!((error.line, error.column), (1, 1));
    let bare = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n";
    let refused = peer.set_remote_description(NOW, SessionDescription::offer(bare));
    assert!(
        matches!(refused, Err(Error::UnacceptableDescription(_))),
        "no ICE, no fingerprint"
    );
}

#[test]
fn an_offer_without_mids_is_answered_without_mids() {
    let offer: String = FIREFOX
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("a=mid:") && !line.starts_with("a=group:"))
        .collect();
    let answer = answer_with(&mut peer(1), &offer);
    assert!(
        !answer.contains("a=group:") && !answer.contains("a=mid:"),
        "{answer}"
    );
}

#[test]
fn an_offer_that_could_not_be_answered_is_refused_at_once() {
    // a NUL in a mid, which the answer repeats
    let offer = FIREFOX.replace("a=mid:2", "a=mid:\x002");
    assert_ne!(offer, FIREFOX);
    let mut peer = peer(1);
    let refused = peer.set_remote_description(NOW, SessionDescription::offer(offer));
    assert!(
        matches!(
            refused,
            Err(Error::UnacceptableDescription(_) | Error::MalformedDescription(_))
        ),
        "{refused:?}"
    );
    assert_eq!(peer.signaling_state(), SignalingState::Stable);
    answer_with(&mut peer, FIREFOX);
}

#[test]
fn candidates_we_cannot_use_are_no_fault() {
    let mut peer = peer(1);
    answer_with(&mut peer, CHROMIUM);
    let mut add = |candidate: &str| {
        let candidate = IceCandidate {
            candidate: candidate.into(),
            sdp_mid: Some("0".into()),
            username_fragment: None,
        };
        peer.add_remote_candidate(NOW, &candidate)
    };
    assert_eq!(
        add(
            "candidate:1 1 udp 2122260223 192.0.2.1 54400 typ host generation 0 ufrag 0+Bq network-id 1"
        ),
        Ok(())
    );
    assert_eq!(
        add(
            "candidate:2 1 udp 2122260223 0c1c94d5-9a0c-4c2c-b2ff-2d2a7a0f9d3c.local 54400 typ host"
        ),
        Ok(())
    );
    assert_eq!(
        add("candidate:3 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active"),
        Ok(())
    );
    assert_eq!(add(""), Ok(()));
    assert_eq!(
        add("candidate:what is this"),
        Err(Error::MalformedCandidate)
    );
}

#[test]
fn a_second_exchange_adds_a_section_and_keeps_the_rest() {
    let (mut left, mut right) = (peer(1), peer(2));
    left.add_transceiver(MediaKind::Audio, Direction::SendRecv)
        .unwrap();
    right
        .add_transceiver(MediaKind::Audio, Direction::SendRecv)
        .unwrap();
    let exchange = |left: &mut Peer, right: &mut Peer| {
        let offer = left.create_offer().unwrap();
        left.set_local_description(NOW, offer.clone()).unwrap();
        let answer = answer_with(right, &offer.sdp);
        left.set_remote_description(NOW, SessionDescription::answer(answer.clone()))
            .unwrap();
        (offer.sdp, answer)
    };
    let (first, _) = exchange(&mut left, &mut right);
    right
        .add_transceiver(MediaKind::Video, Direction::RecvOnly)
        .unwrap();
    left.add_transceiver(MediaKind::Video, Direction::SendOnly)
        .unwrap();
    let (second, answer) = exchange(&mut left, &mut right);
    assert!(has(&second, "a=group:BUNDLE 0 1") && has(&answer, "a=recvonly"));
    let line = |text: &str, prefix: &str| {
        text.lines()
            .find(|line| line.starts_with(prefix))
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        line(&first, "a=ice-ufrag:"),
        line(&second, "a=ice-ufrag:"),
        "no restart was asked for"
    );
    assert_eq!(
        line(&answer, "a=setup:"),
        "a=setup:active",
        "the association keeps its roles"
    );
    assert_eq!(
        right.transceivers().count(),
        2,
        "the transceiver added before was taken"
    );

    // the other side turns the tables: offers, with fresh ICE credentials
    right.restart_ice(NOW);
    let (third, answer) = exchange(&mut right, &mut left);
    assert!(
        has(&answer, "a=setup:passive"),
        "left answered as client before: {answer}"
    );
    let before = line(&second, "a=ice-ufrag:");
    assert_ne!(
        line(&answer, "a=ice-ufrag:"),
        before,
        "a restart is answered with a restart"
    );
    assert_ne!(line(&third, "a=ice-ufrag:"), before);
}

/// What ICE and DTLS could not use is refused with its place, before anything has changed.
#[test]
fn credentials_and_fingerprints_that_cannot_be_used_have_a_place() {
    let is = |name: &'static str| {
        move |line: &str| {
            line.strip_prefix("a=")
                .is_some_and(|rest| rest.starts_with(name))
        }
    };
    let fingerprint = "sha-256 00:11".to_owned();
    let odd = format!("sha-256 {}0", "0a:".repeat(31));
    for (name, value) in [
        ("ice-ufrag:", "a".to_owned()),
        ("ice-ufrag:", "a b".to_owned()),
        ("ice-pwd:", "short".to_owned()),
        ("fingerprint:", fingerprint),
        ("fingerprint:", odd),
    ] {
        let lines = CHROMIUM.lines().map(|line| {
            if is(name)(line) {
                format!("a={name}{value}\r\n")
            } else {
                format!("{line}\r\n")
            }
        });
        let offer: String = lines.collect();
        let first = offer.lines().position(is(name)).unwrap() as u32 + 1;
        let mut peer = peer(1);
        match peer.set_remote_description(NOW, SessionDescription::offer(offer)) {
            Err(Error::MalformedDescription(error)) => {
                assert_eq!(error.line, first, "{error}");
                assert_eq!(format!("{}:", error.field), name);
            }
            other => panic!("{name}{value}: {other:?}"),
        }
        assert_eq!(peer.signaling_state(), SignalingState::Stable);
    }
}

#[test]
fn an_identity_nobody_vouches_for_is_refused() {
    let bare: String = CHROMIUM
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("a=fingerprint:"))
        .collect();
    let mut peer = peer(1);
    let refused = peer.set_remote_description(NOW, SessionDescription::offer(bare));
    assert!(
        matches!(refused, Err(Error::UnacceptableDescription(_))),
        "{refused:?}"
    );
    let weak = CHROMIUM.replace("a=fingerprint:sha-256", "a=fingerprint:md2");
    let refused = peer.set_remote_description(NOW, SessionDescription::offer(weak));
    assert!(
        matches!(refused, Err(Error::UnacceptableDescription(_))),
        "{refused:?}"
    );
}

#[test]
fn an_answer_bundles_what_it_accepts() {
    let (mut left, mut right) = (peer(1), peer(2));
    left.add_transceiver(MediaKind::Audio, Direction::SendRecv)
        .unwrap();
    left.add_transceiver(MediaKind::Video, Direction::SendRecv)
        .unwrap();
    let offer = left.create_offer().unwrap();
    left.set_local_description(NOW, offer.clone()).unwrap();
    let answer = answer_with(&mut right, &offer.sdp);
    let apart = answer.replace("a=group:BUNDLE 0 1", "a=group:BUNDLE 0");
    assert_ne!(apart, answer);
    let refused = left.set_remote_description(NOW, SessionDescription::answer(apart));
    assert!(
        matches!(refused, Err(Error::UnacceptableDescription(_))),
        "{refused:?}"
    );
    left.set_remote_description(NOW, SessionDescription::answer(answer))
        .unwrap();
}

#[test]
fn a_peer_has_at_most_64_transceivers() {
    let mut peer = peer(1);
    for _ in 0..64 {
        peer.add_transceiver(MediaKind::Audio, Direction::SendRecv)
            .unwrap();
    }
    let one_more = peer.add_transceiver(MediaKind::Audio, Direction::SendRecv);
    assert_eq!(one_more, Err(Error::TooManyTransceivers));
}

/// A candidate of an ICE session that is over (RFC 8840 §4.1.1) is not even read.
#[test]
fn candidates_of_another_generation_are_left_alone() {
    let mut peer = peer(1);
    answer_with(&mut peer, CHROMIUM);
    let ufrag = CHROMIUM
        .lines()
        .find_map(|line| line.strip_prefix("a=ice-ufrag:"))
        .unwrap();
    let mut add = |ufrag: &str| {
        let candidate = IceCandidate {
            candidate: "candidate:what is this".into(),
            sdp_mid: Some("0".into()),
            username_fragment: Some(ufrag.into()),
        };
        peer.add_remote_candidate(NOW, &candidate)
    };
    assert_eq!(add("of before"), Ok(()));
    assert_eq!(add(ufrag), Err(Error::MalformedCandidate));
}

/// What real peers said, by name.
fn captured(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../sdp/testdata/captured");
    std::fs::read_to_string(format!("{folder}/{name}.sdp")).unwrap()
}

/// Ours is an answer by the rules, to the letter and on one transport, whoever has offered.
#[test]
fn real_offers_one_after_the_other_get_answers_by_the_rules() {
    for chain in [
        &["aiortc-media", "aiortc-inactive"][..],
        &["chromium-media", "chromium-restart", "chromium-stopped"],
        &["chromium-simulcast"],
        &["firefox-media", "firefox-restart", "firefox-stopped"],
        &["firefox-simulcast"],
        &["gstreamer-media", "gstreamer-inactive"],
        &["werift-media", "werift-restart", "werift-inactive"],
        &["werift-simulcast"],
    ] {
        let mut peer = peer(1);
        peer.add_transceiver(MediaKind::Video, Direction::SendRecv)
            .unwrap();
        let mut before = None;
        for name in chain {
            let offer = captured(&format!("{name}-offer"));
            let answer = answer_with(&mut peer, &offer);
            let offer = Session::parse(&offer).unwrap();
            let answer = Session::parse(&answer).unwrap().into_owned();
            assert_eq!(check_whole_answer(&offer, &answer), Ok(()), "{name}");
            let outlines = (Outline::of(&offer), Outline::of(&answer));
            let on_one = check_one_transport(&outlines.0, &outlines.1);
            assert_eq!(on_one, Ok(()), "{name}");
            // The formats of a section that is refused are named, and no more.
            let check = answer.check().into_iter();
            let wrong: Vec<_> = check
                .filter(|deviation| deviation.rule.name() != "undefined")
                .collect();
            assert_eq!(wrong, [], "{name}");
            // The o= line of what we say later is that of before, but for its version (RFC 3264 §8).
            let origin = answer.origin().unwrap();
            if let Some(before) = &before {
                let before: &Session<'_> = before;
                let before = before.origin().unwrap();
                assert_eq!(check_origin(&before, &origin, true), Ok(()), "{name}");
            }
            before = Some(answer);
        }
    }
}

/// The rule and the line that a description is refused for.
fn refusal(result: Result<(), Error>) -> (&'static str, Option<u32>) {
    match result {
        Err(Error::UnacceptableDescription(broken)) => (broken.rule, broken.line),
        other => panic!("{other:?}"),
    }
}

fn line_of(text: &str, start: &str) -> Option<u32> {
    let place = text.lines().position(|line| line.starts_with(start));
    place.map(|place| place as u32 + 1)
}

#[test]
fn a_name_for_two_sections_has_its_place() {
    let offer = CHROMIUM.replace("a=mid:1\r", "a=mid:0\r");
    let (rule, line) =
        refusal(peer(1).set_remote_description(NOW, SessionDescription::offer(offer.clone())));
    assert!(rule.contains("5888"), "{rule}");
    let second = offer.lines().collect::<Vec<_>>();
    let second = second.iter().rposition(|line| *line == "a=mid:0");
    assert_eq!(line, second.map(|place| place as u32 + 1));
    let error = peer(1)
        .set_remote_description(NOW, SessionDescription::offer(offer))
        .unwrap_err();
    assert!(error.to_string().contains("line "), "{error}");
}

#[test]
fn answers_that_break_a_rule_are_refused_with_their_line() {
    let mut left = peer(1);
    left.add_transceiver(MediaKind::Audio, Direction::SendOnly)
        .unwrap();
    left.add_transceiver(MediaKind::Video, Direction::SendOnly)
        .unwrap();
    let offer = left.create_offer().unwrap();
    left.set_local_description(NOW, offer.clone()).unwrap();
    let answer = answer_with(&mut peer(2), &offer.sdp);
    for (from, to, document, start) in [
        // nobody offered to receive
        ("a=recvonly", "a=sendrecv", "3264", Some("m=audio")),
        ("a=setup:active", "a=setup:actpass", "8842", Some("m=audio")),
        (
            "m=video 9 UDP/TLS",
            "m=video 9 TCP/TLS",
            "3264",
            Some("m=video"),
        ),
        ("m=video 9", "m=text 9", "3264", Some("m=text")),
        ("a=mid:1", "a=mid:x", "5888", Some("m=video")),
        ("t=0 0", "t=1 0", "3264", None),
        ("BUNDLE 0 1", "BUNDLE 0 1 2", "9143", None),
    ] {
        let edited = answer.replace(from, to);
        assert_ne!(edited, answer);
        let description = SessionDescription::answer(edited.clone());
        let result = left.set_remote_description(NOW, description);
        assert!(result.is_err(), "{from}");
        let (rule, line) = refusal(result);
        assert!(rule.contains(document), "{from}: {rule}");
        assert_eq!(
            line,
            start.and_then(|start| line_of(&edited, start)),
            "{from}"
        );
        assert_eq!(left.signaling_state(), SignalingState::HaveLocalOffer);
    }
    left.set_remote_description(NOW, SessionDescription::answer(answer))
        .unwrap();
}

#[test]
fn a_section_in_use_keeps_its_name_and_kind() {
    let mut peer = peer(1);
    answer_with(&mut peer, CHROMIUM);
    for (from, to, document, start) in [
        ("a=mid:1", "a=mid:7", "9429", Some("m=video")),
        ("m=audio", "m=text", "3264", Some("m=text")),
    ] {
        let offer = CHROMIUM
            .replace(from, to)
            .replace("BUNDLE 0 1 2", "BUNDLE 0 1 2 7");
        let description = SessionDescription::offer(offer.clone());
        let (rule, line) = refusal(peer.set_remote_description(NOW, description));
        assert!(rule.contains(document), "{from}: {rule}");
        assert_eq!(
            line,
            start.and_then(|start| line_of(&offer, start)),
            "{from}"
        );
    }
    let (shorter, _) = CHROMIUM.split_once("m=application").unwrap();
    let shorter = SessionDescription::offer(shorter.replace("BUNDLE 0 1 2", "BUNDLE 0 1"));
    let (rule, line) = refusal(peer.set_remote_description(NOW, shorter));
    assert!(rule.contains("keeps every media section") && line.is_none());
    assert_eq!(peer.signaling_state(), SignalingState::Stable);
    answer_with(&mut peer, CHROMIUM);
}

/// Firefox stops its video and then uses the place for another (captured).
#[test]
fn the_other_side_uses_the_place_of_a_stopped_section_again() {
    let recycled =
        include_str!("../../sdp/testdata/browsers/firefox153_audio_video_data_recycled_offer.sdp");
    let mut peer = peer(1);
    answer_with(&mut peer, FIREFOX);
    let ids = |peer: &Peer| -> Vec<_> { peer.transceivers().map(|own| own.mid).collect() };
    assert_eq!(ids(&peer), [Some("0".into()), Some("1".into())]);
    // before it was stopped, no other section could take the place
    let early = peer.set_remote_description(NOW, SessionDescription::offer(recycled));
    assert!(refusal(early).0.contains("keeps its mid"));
    let stopped = FIREFOX
        .replace("m=video 47038", "m=video 0")
        .replace("BUNDLE 0 1 2", "BUNDLE 0 2");
    answer_with(&mut peer, &stopped);
    let answer = answer_with(&mut peer, recycled);
    assert!(has(&answer, "a=mid:3"), "{answer}");
    let parsed = Session::parse(&answer).unwrap();
    let in_use: Vec<bool> = parsed
        .media()
        .iter()
        .map(|media| !parsed.is_rejected(media))
        .collect();
    assert_eq!(in_use[..3], [true, true, false]);
    let mids = ids(&peer);
    assert_eq!(mids[..3], [Some("0".into()), None, Some("3".into())]);
    // whose section was stopped is not offered again
    let offer = peer.create_offer().unwrap().sdp;
    let offer = Session::parse(&offer).unwrap();
    assert_eq!(offer.media().len(), parsed.media().len());
    assert_eq!(offer.check(), []);
}

#[test]
fn our_next_offer_uses_the_place_of_a_refused_section_under_a_new_name() {
    let mut peer = peer(1);
    answer_with(&mut peer, CHROMIUM);
    for kind in [MediaKind::Video, MediaKind::Audio] {
        peer.add_transceiver(kind, Direction::SendOnly).unwrap();
    }
    let offer = peer.create_offer().unwrap();
    let session = Session::parse(&offer.sdp).unwrap();
    let sections: Vec<_> = session
        .media()
        .iter()
        .map(|media| (media.kind().as_str(), media.mid().unwrap()))
        .collect();
    // the data channel had the mid 2
    let expected = [
        ("audio", "0"),
        ("video", "1"),
        ("video", "3"),
        ("audio", "4"),
    ];
    assert_eq!(sections, expected);
    assert!(has(&offer.sdp, "a=group:BUNDLE 0 1 3 4"));
    peer.set_local_description(NOW, offer.clone()).unwrap();
    // made again, it is the same
    let again = peer.create_offer().unwrap();
    let again = Session::parse(&again.sdp).unwrap();
    assert_eq!(again.media().len(), 4);
}

#[test]
fn sections_beyond_64_transceivers_are_refused() {
    let mut peer = peer(1);
    for _ in 0..63 {
        peer.add_transceiver(MediaKind::Audio, Direction::SendRecv)
            .unwrap();
    }
    let two = CHROMIUM
        .replace(
            "m=application 39311 UDP/DTLS/SCTP webrtc-datachannel",
            "m=video 9 UDP/TLS/RTP/SAVPF 96",
        )
        .replace("a=mid:2", "a=mid:2\r\na=rtpmap:96 VP8/90000\r\na=rtcp-mux");
    let answer = answer_with(&mut peer, &two);
    let answer = Session::parse(&answer).unwrap();
    let ports: Vec<_> = answer.media().iter().map(|media| media.port()).collect();
    assert_eq!(ports, [9, 9, 0]);
    assert_eq!(peer.transceivers().count(), 64);
}

#[test]
fn an_answer_has_no_group_that_was_not_offered() {
    let offer: String = CHROMIUM
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("a=group:"))
        .collect();
    let answer = answer_with(&mut peer(1), &offer);
    assert!(
        has(&answer, "a=mid:0") && !answer.contains("a=group:"),
        "{answer}"
    );
    let (offer, answer) = (
        Session::parse(&offer).unwrap(),
        Session::parse(&answer).unwrap(),
    );
    assert_eq!(check_whole_answer(&offer, &answer), Ok(()));
}

/// RFC 7587 §7: Opus is offered with two channels; with one it is something else.
#[test]
fn what_only_has_the_name_of_a_codec_is_not_taken() {
    let offer = CHROMIUM.replace("opus/48000/2", "opus/48000");
    let answer = answer_with(&mut peer(1), &offer);
    assert!(answer.contains("m=audio 0 "), "{answer}");
    // a parameter that cannot be read is no reason to do without the codec
    let offer = CHROMIUM.replace("minptime=10;useinbandfec=1", "minptime=x;useinbandfec=yes");
    let answer = answer_with(&mut peer(1), &offer);
    assert!(has(&answer, "m=audio 9 UDP/TLS/RTP/SAVPF 111"), "{answer}");
}

#[test]
fn the_mid_extension_follows_the_rules_of_header_extensions() {
    const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
    let lines = CHROMIUM.split_inclusive('\n');
    let without: String = lines
        .filter(|line| !line.starts_with("a=extmap:"))
        .collect();
    let answered = |session: &str, section: &str| {
        let offer = without
            .replace("a=group:", &format!("{session}a=group:"))
            .replace("a=mid:0\r\n", &format!("a=mid:0\r\n{section}"));
        let answer = answer_with(&mut peer(1), &offer);
        let start = answer.find("m=audio").unwrap();
        let end = answer.find("m=video").unwrap();
        let mut lines = answer[start..end].lines();
        let found = lines.find_map(|line| line.strip_prefix("a=extmap:")?.strip_suffix(MID));
        found.map(|id| id.trim_end().to_owned())
    };
    let line = |id: &str| format!("a=extmap:{id} {MID}\r\n");
    assert_eq!(answered("", &line("5")).as_deref(), Some("5"));
    assert_eq!(answered(&line("5"), "").as_deref(), Some("5"));
    assert_eq!(
        answered("", &line("5/sendonly")).as_deref(),
        Some("5/recvonly")
    );
    assert_eq!(answered("", &line("5/inactive")), None);
    // an id that the answer is to choose
    assert_eq!(answered("", &line("4097")).as_deref(), Some("1"));
    // one that is another's
    assert_eq!(
        answered("", &format!("a=extmap:5 urn:x\r\n{}", line("5"))),
        None
    );
}

/// RFC 9143 §6: outside of a BUNDLE group the attribute means nothing, and port 0 is what is left.
#[test]
fn bundle_only_without_a_group_is_a_refusal() {
    let offer = CHROMIUM
        .replace("m=video 40295", "m=video 0")
        .replace("a=mid:1\r\n", "a=mid:1\r\na=bundle-only\r\n");
    let ports = |offer: &str| -> Vec<u16> {
        let answer = answer_with(&mut peer(1), offer);
        let answer = Session::parse(&answer).unwrap();
        answer.media().iter().map(|media| media.port()).collect()
    };
    assert_eq!(ports(&offer), [9, 9, 0]);
    let apart = offer.replace("BUNDLE 0 1 2", "BUNDLE 0 2");
    assert_ne!(apart, offer);
    assert_eq!(ports(&apart), [9, 0, 0]);
    // without any group, nothing is left of it
    let alone = offer
        .replace("a=group:BUNDLE 0 1 2\r\n", "")
        .replace("m=audio 57033", "m=audio 0");
    assert_eq!(ports(&alone), [0, 0, 0]);
}

/// RFC 8285 §6: an answer does not choose ids.
#[test]
fn an_answer_with_another_id_for_the_mid_does_not_change_it() {
    let mut left = peer(1);
    left.add_transceiver(MediaKind::Audio, Direction::SendOnly)
        .unwrap();
    let offer = left.create_offer().unwrap();
    left.set_local_description(NOW, offer.clone()).unwrap();
    let line = "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid";
    let answer = answer_with(&mut peer(2), &offer.sdp);
    assert!(has(&offer.sdp, line) && has(&answer, line));
    let answer = answer.replace("a=extmap:1 ", "a=extmap:5 ");
    left.set_remote_description(NOW, SessionDescription::answer(answer))
        .unwrap();
    assert!(has(&left.create_offer().unwrap().sdp, line));
}
