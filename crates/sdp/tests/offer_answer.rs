//! The rules of offer and answer, one by one; the examples of the RFCs are in `rfc.rs`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use rtckit_sdp::{
    Codec, Media, Origin, Session,
    attribute::{
        Attribute, Direction, ExtMap, Feedback, Parameters, Rid, RidDirection, Setup, Simulcast,
    },
    offer_answer::*,
    parameters::CodecParameters,
};

const HEAD: &str = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nt=0 0\n";

fn session(lines: &str) -> Session<'static> {
    let text = format!("{HEAD}{lines}");
    Session::parse(&text).unwrap().into_owned()
}

/// A session with one video section of these codecs: payload type, name and parameters.
fn video(codecs: &[(u8, &str, &str)]) -> Session<'static> {
    let mut lines = String::from("m=video 9 RTP/AVPF");
    codecs
        .iter()
        .for_each(|(number, ..)| lines += &format!(" {number}"));
    for (number, name, parameters) in codecs {
        lines += &format!("\na=rtpmap:{number} {name}/90000\na=rtcp-fb:{number} nack");
        if !parameters.is_empty() {
            lines += &format!("\na=fmtp:{number} {parameters}");
        }
    }
    session(&(lines + "\n"))
}

fn codecs<'s>(session: &'s Session<'_>) -> Vec<Codec<'s>> {
    session.media()[0].codecs()
}

/// The payload types and parameters of the answer.
fn common(offered: &[(u8, &str, &str)], own: &[(u8, &str, &str)]) -> Vec<(u8, String)> {
    let (offered, own) = (video(offered), video(own));
    let common = common_codecs(&codecs(&offered), &codecs(&own));
    common
        .iter()
        .map(|codec| (codec.payload_type(), codec.parameters.clone()))
        .collect()
}

#[test]
fn directions_are_what_both_allow() {
    use Direction::*;
    for (offered, wanted, answered) in [
        (SendRecv, SendRecv, SendRecv),
        (SendRecv, RecvOnly, RecvOnly),
        (SendOnly, SendRecv, RecvOnly),
        (SendOnly, SendOnly, Inactive),
        (RecvOnly, SendRecv, SendOnly),
        (RecvOnly, RecvOnly, Inactive),
        (Inactive, SendRecv, Inactive),
    ] {
        assert_eq!(answer_direction(offered, wanted), answered);
    }
}

#[test]
fn codecs_keep_the_offers_order_and_numbers() {
    let answered = common(
        &[
            (96, "VP8", ""),
            (98, "VP9", "profile-id=0"),
            (100, "VP9", "profile-id=2"),
        ],
        &[(120, "VP9", "profile-id=2"), (121, "vp8", "max-fr=30")],
    );
    assert_eq!(
        answered,
        [(96, "max-fr=30".into()), (100, "profile-id=2".into())]
    );
    // VP9 without a profile is profile 0; AV1 without one is Main.
    assert_eq!(
        common(&[(98, "VP9", "")], &[(98, "VP9", "profile-id=0")]).len(),
        1
    );
    assert_eq!(
        common(&[(98, "AV1", "profile=1")], &[(98, "AV1", "")]).len(),
        0
    );
    assert_eq!(
        common(&[(98, "AV1", "level-idx=9")], &[(98, "AV1", "level-idx=5")]),
        [(98, "level-idx=5".into())]
    );
    // What cannot be read is not the same as anything.
    assert_eq!(
        common(&[(98, "VP9", "profile-id=x")], &[(98, "VP9", "")]).len(),
        0
    );
    // Each of ours is taken once: of several numbers for one codec the first counts.
    assert_eq!(
        common(&[(96, "VP8", ""), (97, "VP8", "")], &[(96, "VP8", "")]).len(),
        1
    );
}

#[test]
fn h264_is_one_codec_for_each_profile_and_mode() {
    let ours = [(
        102,
        "H264",
        "profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1",
    )];
    // Another id of the same profile; the offer's bytes are repeated at our level.
    let answered = common(
        &[(
            108,
            "H264",
            "profile-level-id=42c034;packetization-mode=1;level-asymmetry-allowed=1",
        )],
        &ours,
    );
    let expected = "profile-level-id=42c01f;packetization-mode=1;level-asymmetry-allowed=1";
    assert_eq!(answered, [(108, expected.into())]);
    // Without asymmetry the lower level holds, whosever it is.
    let answered = common(
        &[(108, "H264", "profile-level-id=42e00b;packetization-mode=1")],
        &ours,
    );
    let expected = "profile-level-id=42e00b;packetization-mode=1;level-asymmetry-allowed=0";
    assert_eq!(answered, [(108, expected.into())]);
    // Another mode or another profile is another codec.
    assert_eq!(
        common(&[(108, "H264", "profile-level-id=42e01f")], &ours),
        []
    );
    assert_eq!(
        common(
            &[(108, "H264", "profile-level-id=64001f;packetization-mode=1")],
            &ours
        ),
        []
    );
    // Nothing said is Baseline at level 1 in mode 0.
    assert_eq!(
        common(
            &[(108, "H264", "")],
            &[(102, "H264", "profile-level-id=42000a")]
        )
        .len(),
        1
    );
}

#[test]
fn h265_takes_the_lower_level() {
    let ours = [(
        49,
        "H265",
        "profile-id=1;tier-flag=0;level-id=93;tx-mode=SRST",
    )];
    let answered = common(&[(49, "H265", "level-id=180;profile-id=1")], &ours);
    assert_eq!(
        answered,
        [(
            49,
            "profile-id=1;tier-flag=0;level-id=93;tx-mode=SRST".into()
        )]
    );
    assert_eq!(common(&[(49, "H265", "profile-id=2")], &ours), []);
    assert_eq!(common(&[(49, "H265", "tx-mode=MRST")], &ours), []);
    assert_eq!(common(&[(49, "H265", "tier-flag=1")], &ours), []);
}

#[test]
fn retransmission_and_redundancy_follow_what_they_carry() {
    let ours = [
        (120, "VP8", ""),
        (121, "rtx", "apt=120"),
        (122, "red", "120/120"),
    ];
    let answered = common(
        &[
            (97, "rtx", "apt=96"),
            (96, "VP8", ""),
            (98, "VP9", ""),
            (99, "rtx", "apt=98"),
            (100, "red", "96/96"),
            (101, "red", "96/98"),
        ],
        &ours,
    );
    // 99 repeats and 101 wraps what was not taken; the order is the offer's.
    assert_eq!(
        answered,
        [
            (97, "apt=96".into()),
            (96, String::new()),
            (100, "96/96".into())
        ]
    );
    // Who has no retransmission is offered none.
    assert_eq!(
        common(
            &[(96, "VP8", ""), (97, "rtx", "apt=96")],
            &[(96, "VP8", "")]
        )
        .len(),
        1
    );
    // Redundancy for video has no parameters.
    assert_eq!(
        common(
            &[(96, "VP8", ""), (97, "red", "")],
            &[(96, "VP8", ""), (9, "red", "")]
        )
        .len(),
        2
    );
}

#[test]
fn telephone_events_are_those_both_know() {
    let events = |text| CodecParameters::parse("telephone-event", Parameters(text)).unwrap();
    let answered = |offered, own| answer_parameters(&events(offered), &events(own)).to_string();
    assert_eq!(answered("0-15,66", "0-11,66"), "0-11,66");
    assert_eq!(
        answered("66", "0-15"),
        "0-15",
        "nothing in common: the keys"
    );
}

#[test]
fn feedback_is_what_both_know() {
    let offered = [Feedback::GOOG_REMB, Feedback::NACK, Feedback::NACK_PLI];
    let ours = [Feedback::NACK_PLI, Feedback::CCM_FIR, Feedback::NACK];
    assert_eq!(
        common_feedback(&offered, &ours),
        [Feedback::NACK, Feedback::NACK_PLI]
    );
}

#[test]
fn header_extensions_keep_their_numbers_and_turn_their_directions() {
    let extension = |text| ExtMap::parse(text).unwrap();
    let offered = [
        extension("1/sendonly urn:a"),
        extension("2/recvonly urn:b"),
        extension("3 urn:c"),
        extension("4/inactive urn:d"),
        extension("5 urn:a"),
        extension("4097 urn:e"),
        extension("6 urn:unknown"),
    ];
    let wanted = |uri: &str| match uri {
        "urn:unknown" => None,
        "urn:b" => Some(Direction::RecvOnly),
        _ => Some(Direction::SendRecv),
    };
    let answered = common_extensions(&offered, wanted);
    // The writer receives `b`, so we would send it, which we do not want; `a` under 5 is `a` again.
    let expected = [
        extension("1/recvonly urn:a"),
        extension("3 urn:c"),
        extension("5 urn:a"),
        extension("7 urn:e"),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .filter(|extension| extension.id != 5)
        .collect();
    assert_eq!(answered, expected);
    let many: Vec<_> = (4096..4116).map(|id| ExtMap::new(id, "urn:x")).collect();
    assert_eq!(
        common_extensions(&many, |_| Some(Direction::SendRecv)).len(),
        1
    );
}

#[test]
fn encodings_are_answered_from_the_other_side() {
    let rid = Rid::parse("h send pt=96;max-width=1280").unwrap();
    let answered = answer_rid(&rid).unwrap();
    assert_eq!((answered.id, answered.direction), ("h", RidDirection::Recv));
    assert_eq!(answered.restrictions, rid.restrictions);
    assert_eq!(
        answer_rid(&Rid::parse("h send max-width=big").unwrap()),
        None
    );
    assert_eq!(answer_rid(&Rid::parse("h send max-taste=3").unwrap()), None);
    let simulcast = Simulcast::parse("recv a").unwrap();
    assert_eq!(
        answer_simulcast(&simulcast, |_| true),
        Some(Simulcast::sending(["a"]))
    );
    assert_eq!(answer_simulcast(&simulcast, |_| false), None);
}

#[test]
fn who_opens_is_the_offerers_choice_first() {
    use Setup::*;
    for (offered, preferred, answered) in [
        (Some(ActPass), Active, Active),
        (Some(ActPass), Passive, Passive),
        (Some(ActPass), ActPass, Active),
        (Some(ActPass), HoldConn, HoldConn),
        (Some(Active), Active, Passive),
        (Some(Passive), Passive, Active),
        (Some(HoldConn), Active, HoldConn),
        (None, Active, Active),
        (None, Passive, Passive),
    ] {
        assert_eq!(answer_setup(offered, preferred), answered, "{offered:?}");
    }
    assert_eq!(offerer_opens(Some(Passive)), Some(true));
    assert_eq!(offerer_opens(Some(Active)), Some(false));
    assert_eq!(offerer_opens(None), Some(false));
    assert_eq!(offerer_opens(Some(HoldConn)), None);
}

#[test]
fn one_port_if_both_can() {
    assert_eq!(answer_rtcp_mux(true, false, true, false), Some(true));
    assert_eq!(answer_rtcp_mux(true, false, false, false), Some(false));
    assert_eq!(answer_rtcp_mux(true, true, false, false), None);
    assert_eq!(answer_rtcp_mux(false, true, true, false), Some(true));
    assert_eq!(answer_rtcp_mux(false, false, true, true), None);
    assert_eq!(answer_rtcp_mux(false, false, true, false), Some(false));
}

#[test]
fn bundles_keep_what_was_accepted() {
    assert_eq!(
        answer_bundle(&["a", "b", "c"], |mid| mid != "b"),
        ["a", "c"]
    );
    assert_eq!(tagged_mid(&["a", "b"], |mid| mid != "a"), Some("b"));
    assert_eq!(tagged_mid(&["a"], |_| false), None);
}

const OFFER: &str = "a=group:BUNDLE 0 1\nm=audio 9 UDP/TLS/RTP/SAVPF 0\na=mid:0\na=rtcp-mux\n\
                     m=video 9 UDP/TLS/RTP/SAVPF 31\na=mid:1\na=rtcp-mux\n";

/// What is wrong with an answer to [`OFFER`].
fn wrong(
    check: fn(&Outline<'_>, &Outline<'_>) -> Result<(), Violation>,
    answer: &str,
) -> Option<(Option<usize>, String)> {
    let (offer, answer) = (session(OFFER), session(answer));
    let violation = check(&Outline::of(&offer), &Outline::of(&answer)).err()?;
    assert!(violation.to_string().contains(violation.rule));
    assert!(
        violation.rule.contains(violation.reference.document),
        "{violation}"
    );
    Some((violation.section, violation.reference.to_string()))
}

#[test]
fn answers_are_held_against_their_offers() {
    assert_eq!(wrong(check_answer, OFFER), None);
    let of = |section, reference: &str| Some((section, reference.to_owned()));
    let audio = "m=audio 9 UDP/TLS/RTP/SAVPF 0\na=mid:0\na=rtcp-mux\n";
    let video = "m=video 9 UDP/TLS/RTP/SAVPF 31\na=mid:1\na=rtcp-mux\n";
    let rejected = "m=video 0 UDP/TLS/RTP/SAVPF 31\na=mid:1\n";
    let answered = |lines: &[&str]| wrong(check_answer, &lines.concat());
    assert_eq!(answered(&[audio]), of(None, "RFC 3264 §6"));
    assert_eq!(answered(&[audio, audio]), of(Some(1), "RFC 3264 §6"));
    assert_eq!(
        answered(&[audio, "m=video 9 RTP/AVP 31\n"]),
        of(Some(1), "RFC 3264 §6")
    );
    let renamed = "m=video 9 UDP/TLS/RTP/SAVPF 31\na=mid:x\n";
    assert_eq!(answered(&[audio, renamed]), of(Some(1), "RFC 5888 §9.1"));
    assert_eq!(
        answered(&["a=group:BUNDLE 0 2\n", audio, video]),
        of(None, "RFC 9143 §7.3.3")
    );
    assert_eq!(
        answered(&["a=group:BUNDLE 0 1\n", audio, rejected]),
        of(Some(1), "RFC 9143 §7.3.3")
    );
    assert_eq!(
        answered(&["a=group:BUNDLE 0\na=group:BUNDLE 0\n", audio, video]),
        of(None, "RFC 9143 §7.1")
    );
    assert_eq!(answered(&["a=group:BUNDLE 0\n", audio, rejected]), None);
    // A section without a mid repeats none.
    assert_eq!(answered(&[audio, "m=video 9 UDP/TLS/RTP/SAVPF 31\n"]), None);

    let on_one = |lines: &[&str]| wrong(check_one_transport, &lines.concat());
    assert_eq!(on_one(&["a=group:BUNDLE 0 1\n", audio, video]), None);
    assert_eq!(on_one(&["a=group:BUNDLE 0\n", audio, rejected]), None);
    assert_eq!(on_one(&[audio, rejected]), None);
    assert_eq!(on_one(&[audio, video]), of(Some(0), "RFC 9143 §7.3"));
    let unmixed = "m=video 9 UDP/TLS/RTP/SAVPF 31\na=mid:1\n";
    assert_eq!(
        on_one(&["a=group:BUNDLE 0 1\n", audio, unmixed]),
        of(Some(1), "RFC 8858")
    );
}

#[test]
fn a_section_that_was_offered_rejected_stays_so() {
    let offer = session("m=audio 0 RTP/AVP 0\n");
    let answer = session("m=audio 9 RTP/AVP 0\n");
    let violation = check_sections(&Outline::of(&offer), &Outline::of(&answer)).unwrap_err();
    assert_eq!(violation.section, Some(0));
    // A port of 0 that is bundle-only in a group is not rejected.
    let offer = session("a=group:BUNDLE 0\nm=audio 0 RTP/AVP 0\na=mid:0\na=bundle-only\n");
    assert_eq!(
        check_sections(&Outline::of(&offer), &Outline::of(&answer)),
        Ok(())
    );
}

#[test]
fn later_offers_keep_sections_in_use() {
    let before = session("m=audio 9 RTP/AVP 0\na=mid:a\nm=video 9 RTP/AVP 31\na=mid:b\n");
    let before = Outline::of(&before);
    let check = |lines: &str, rejected: fn(usize) -> bool| {
        let offer = session(lines);
        check_reoffer(&before, rejected, &Outline::of(&offer))
            .map_err(|violation| violation.section)
    };
    let never = |_| false;
    assert_eq!(check("m=audio 9 RTP/AVP 0\na=mid:a\n", never), Err(None));
    assert_eq!(
        check(
            "m=audio 9 RTP/AVP 0\na=mid:a\nm=video 0 RTP/AVP 31\n",
            never
        ),
        Ok(())
    );
    let other_kind = "m=audio 9 RTP/AVP 0\na=mid:a\nm=text 9 RTP/AVP 0\na=mid:b\n";
    assert_eq!(check(other_kind, never), Err(Some(1)));
    assert_eq!(check(other_kind, |section| section == 1), Ok(()));
    // What takes the place of a section has a name of its own, which may be the old one.
    let same_mid = "m=audio 9 RTP/AVP 0\na=mid:a\nm=text 9 RTP/AVP 0\na=mid:a\n";
    assert_eq!(check(same_mid, |section| section == 1), Err(Some(1)));
    let stopped = "m=audio 0 RTP/AVP 0\na=mid:a\nm=text 9 RTP/AVP 0\na=mid:a\n";
    assert_eq!(check(stopped, |section| section == 1), Ok(()));
    let unnamed = "m=audio 9 RTP/AVP 0\na=mid:a\nm=text 9 RTP/AVP 0\n";
    assert_eq!(check(unnamed, |section| section == 1), Ok(()));
    let other_mid = "m=audio 9 RTP/AVP 0\na=mid:x\nm=video 9 RTP/AVP 31\na=mid:b\n";
    assert_eq!(check(other_mid, never), Err(Some(0)));
}

#[test]
fn a_browsers_offer_is_answered_as_the_browser_would() {
    let offer = include_str!("../testdata/browsers/chromium156_audio_video_data_offer.sdp");
    let offer = Session::parse(offer).unwrap();
    let ours = include_str!("../testdata/browsers/firefox153_audio_video_data_offer.sdp");
    let ours = Session::parse(ours).unwrap();
    let made = answer(&offer, &Origin::anonymous(1, 1), |index, _| {
        let own = ours.media().get(index)?;
        Some(Capabilities {
            codecs: own.codecs(),
            extensions: own.attributes_of().flatten().collect(),
            simulcast: true,
            ..Capabilities::default()
        })
    })
    .unwrap();
    assert_eq!(
        check_answer(&Outline::of(&offer), &Outline::of(&made)),
        Ok(())
    );
    assert_eq!(
        check_one_transport(&Outline::of(&offer), &Outline::of(&made)),
        Ok(())
    );
    // All that is missing is where media go, which is not a matter of offer and answer.
    assert_eq!(made.check(), []);
    assert!(made.media()[0].codecs()[0].is("opus"));
    assert!(made.media()[1].codecs().iter().any(|codec| codec.is("rtx")));
    assert!(made.media().iter().all(|media| media.port() == 9));
    assert_eq!(
        made.media()[1].attribute::<Setup>(),
        Some(Ok(Setup::Active))
    );

    // Refused as a whole, each section is named and nothing is in use.
    let none = answer(&offer, &Origin::anonymous(1, 1), |_, _| None).unwrap();
    assert!(none.media().iter().all(|media| none.is_rejected(media)));
    assert_eq!(none.bundle_groups().count(), 0);
    assert_eq!(none.check(), []);
    // What was rejected is not asked about again.
    let again = answer(&none, &Origin::anonymous(1, 1), |_, _| {
        panic!("nothing is in use")
    });
    assert_eq!(again.unwrap().media().len(), 3);
}

#[test]
fn simulcast_and_what_needs_one_port_are_answered() {
    let offer = include_str!("../testdata/browsers/firefox153_firefox_live_simulcast_offer.sdp");
    let offer = Session::parse(offer).unwrap();
    let all = |index: usize, _: &Media<'_>| {
        Some(Capabilities {
            codecs: offer.media()[index].codecs(),
            simulcast: true,
            direction: Direction::RecvOnly,
            ..Capabilities::default()
        })
    };
    let made = answer(&offer, &Origin::anonymous(1, 1), all).unwrap();
    let of_offer = offer
        .media()
        .iter()
        .find_map(|media| media.attribute::<Simulcast<'_>>());
    let of_answer = made
        .media()
        .iter()
        .find_map(|media| media.attribute::<Simulcast<'_>>());
    assert_eq!(
        of_answer.unwrap().unwrap().recv,
        of_offer.unwrap().unwrap().send
    );
    assert!(
        made.media()
            .iter()
            .flat_map(|media| media.attributes_of::<Rid<'_>>())
            .all(|rid| rid.unwrap().direction == RidDirection::Recv)
    );

    let lines = "m=audio 9 RTP/AVP 0\na=rtcp-mux-only\na=rtcp-rsize\na=extmap-allow-mixed\na=setup:actpass\n";
    let offer = session(lines);
    let made = answer(&offer, &Origin::anonymous(1, 1), |_, media| {
        let direction = media.direction().unwrap_or_default();
        let codecs = offer.media()[0].codecs();
        Some(Capabilities {
            direction,
            codecs,
            ..Capabilities::default()
        })
    })
    .unwrap();
    for name in ["rtcp-mux", "rtcp-rsize", "extmap-allow-mixed"] {
        assert!(made.media()[0].has(name), "{name}");
    }
    // It is for offers (RFC 8858 §4.3).
    assert!(!made.media()[0].has("rtcp-mux-only"));
}

/// The answer by who can all that is offered.
fn mirrored(offer: &Session<'_>) -> Session<'static> {
    answer(offer, &Origin::anonymous(1, 1), |index, _| {
        Some(Capabilities {
            codecs: offer.media()[index].codecs(),
            extensions: offer
                .attributes_of()
                .chain(offer.media()[index].attributes_of())
                .flatten()
                .collect(),
            simulcast: true,
            ..Capabilities::default()
        })
    })
    .unwrap()
}

#[test]
fn an_answer_is_never_too_long() {
    let all: Vec<_> = (0..128).map(|number| number.to_string()).collect();
    let maps: String = all
        .iter()
        .map(|pt| format!("a=rtpmap:{pt} x/90000\n"))
        .collect();
    let section = format!("m=audio 9 RTP/AVP {}\n{maps}", all.join(" "));
    let feedback: String = (0..64).map(|i| format!("a=rtcp-fb:* f{i}\n")).collect();
    let extensions: String = (1..256)
        .map(|i| format!("a=extmap:{i} urn:{i}\n"))
        .collect();
    let data = "m=application 9 UDP/DTLS/SCTP x\n";
    let named: String = (0..500).map(|i| format!("{data}a=mid:{i}\n")).collect();
    let words = format!("a=group:BUNDLE{}\n", " 0 z".repeat(4000));
    for lines in [
        format!("{section}{feedback}").repeat(100),
        format!("{extensions}{}", "m=audio 9 RTP/AVP 0\n".repeat(500)),
        format!("{}{named}", words.repeat(30)),
        data.repeat(512),
        section.repeat(250),
    ] {
        let offer = session(&lines);
        let made = mirrored(&offer);
        let text = made.to_string();
        let again = Session::parse(&text).unwrap();
        assert_eq!(again.media().len(), offer.media().len());
        assert_eq!(check_whole_answer(&offer, &made), Ok(()));
    }
}

#[test]
fn what_is_named_twice_is_answered_once() {
    let offer = session(
        "a=group:BUNDLE a a b nobody\na=group:BUNDLE b c\n\
         m=audio 9 RTP/AVP 0\na=mid:a\na=rtcp-fb:0 nack\na=rtcp-fb:0 nack\n\
         a=extmap:1 urn:a\na=extmap:1 urn:b\na=extmap:2 urn:a\n\
         a=rid:x send\na=rid:x send\na=simulcast:send x\n\
         m=audio 9 RTP/AVP 0\na=mid:b\na=rtcp-mux\nm=audio 9 RTP/AVP 0\na=mid:c\na=rtcp-mux\nm=audio 9 RTP/AVP 0\na=mid:a\n",
    );
    let made = mirrored(&offer);
    let groups: Vec<_> = made.bundle_groups().map(|group| group.mids).collect();
    assert_eq!(groups, [vec!["a", "b"], vec!["c"]]);
    let mids: Vec<_> = made.media().iter().map(Media::mid).collect();
    assert_eq!(mids, [Some("a"), Some("b"), Some("c"), None]);
    let count = |name: &str| {
        let attributes = made.media()[0].attributes();
        attributes
            .filter(|attribute| attribute.name == name)
            .count()
    };
    assert_eq!(["rtcp-fb", "extmap", "rid"].map(count), [1, 1, 1]);
    // The second `a` is not named again: that it has no name of its own is the offer's fault.
    let found: Vec<_> = made.check().iter().map(|found| found.field).collect();
    assert_eq!(found, ["mid"]);
    assert_eq!(check_whole_answer(&offer, &made), Ok(()));
}

#[test]
fn extensions_of_the_session_count_and_free_numbers_are_used_once() {
    let offer = session("a=extmap:3 urn:s\nm=audio 9 RTP/AVP 0\na=extmap:4 urn:m\n");
    let made = mirrored(&offer);
    let extensions: Vec<ExtMap<'_>> = made.media()[0].attributes_of().flatten().collect();
    assert_eq!(
        extensions,
        [ExtMap::new(3, "urn:s"), ExtMap::new(4, "urn:m")]
    );

    let offered = [ExtMap::new(4096, "urn:a"), ExtMap::new(4097, "urn:b")];
    let sent = |_: &str| Some(Direction::SendRecv);
    let ids = common_extensions(&offered, sent)
        .into_iter()
        .map(|extension| extension.id);
    assert_eq!(ids.collect::<Vec<_>>(), [1, 2]);
    // One's own direction counts as much as the offer's.
    let answered = common_extensions(&offered[..1], |_| Some(Direction::RecvOnly));
    assert_eq!(answered[0].direction, Some(Direction::RecvOnly));
}

#[test]
fn multicast_is_answered_as_it_was_offered() {
    let lines = "m=video 5004/2 RTP/AVP 31\nc=IN IP4 233.252.0.1/127/2\na=recvonly\n";
    let offer = session(lines);
    let made = mirrored(&offer);
    let (theirs, ours) = (&offer.media()[0], &made.media()[0]);
    assert_eq!(ours.connection(), theirs.connection());
    assert_eq!((ours.port(), ours.port_count()), (5004, Some(2)));
    assert_eq!(ours.direction(), Some(Direction::RecvOnly));
    let outlines = (Outline::of(&offer), Outline::of(&made));
    assert_eq!(check_directions(&outlines.0, &outlines.1), Ok(()));
    assert_eq!(check_answer(&outlines.0, &outlines.1), Ok(()));
    // The session's address is as good as the section's own.
    let shared = session("c=IN IP4 233.252.0.1/127/2\nm=video 5004/2 RTP/AVP 31\na=recvonly\n");
    assert_eq!(check_whole_answer(&offer, &shared), Ok(()));
    assert_eq!(check_whole_answer(&shared, &made), Ok(()));
    // Who only sends cannot take part like all others.
    let none = answer(&offer, &Origin::anonymous(1, 1), |index, _| {
        Some(Capabilities {
            codecs: offer.media()[index].codecs(),
            direction: Direction::SendOnly,
            ..Capabilities::default()
        })
    });
    assert_eq!(none.unwrap().media()[0].port(), 0);
    for other in [
        lines.replace("5004", "5006"),
        lines.replace("233.252.0.1", "233.252.0.9"),
        lines.replace("recvonly", "inactive"),
        lines.replace("recvonly", "sendonly"),
        lines.replace("5004/2", "5004"),
    ] {
        let violation = check_whole_answer(&offer, &session(&other)).unwrap_err();
        assert!(violation.rule.contains("3264 §6.2"), "{violation}");
    }
}

#[test]
fn whole_answers_are_held_against_their_offers() {
    let offer = session("m=audio 9 RTP/AVP 0\na=setup:actpass\na=rtcp-mux\na=rtcp-mux-only\n");
    for (lines, document) in [
        ("m=audio 9 RTP/AVP 0\na=setup:actpass\n", "8842"),
        ("a=setup:actpass\nm=audio 9 RTP/AVP 0\n", "8842"),
        ("m=audio 9 RTP/AVP 0\na=rtcp-mux\na=rtcp-mux-only\n", "8858"),
    ] {
        let violation = check_whole_answer(&offer, &session(lines)).unwrap_err();
        assert_eq!(violation.reference.document, document, "{lines}");
    }
    // The times of an answer are those of the offer.
    let text = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nt=3724394400 3724398000\nr=7d 1h 0 25h\nm=audio 9 RTP/AVP 0\n";
    let timed = Session::parse(text).unwrap();
    let made = mirrored(&timed);
    assert_eq!(
        made.times().collect::<Vec<_>>(),
        timed.times().collect::<Vec<_>>()
    );
    let untimed = session("m=audio 9 RTP/AVP 0\n");
    let violation = check_whole_answer(&timed, &untimed).unwrap_err();
    assert_eq!(
        (violation.section, violation.reference.section),
        (None, "6")
    );
}

#[test]
fn bundle_only_means_something_in_a_group_only() {
    let section = |mid: &str, port: u16| {
        let only = if port == 0 { "a=bundle-only\n" } else { "" };
        format!("m=audio {port} RTP/AVP 0\na=rtcp-mux\na=mid:{mid}\n{only}")
    };
    let alone = session(&section("a", 0));
    assert!(Outline::of(&alone).sections[0].rejected);
    assert!(alone.is_rejected(&alone.media()[0]));
    assert_eq!(mirrored(&alone).media()[0].port(), 0);

    let lines = ["a=group:BUNDLE a b\n", &section("a", 9), &section("b", 0)].concat();
    let offer = session(&lines);
    assert!(!offer.is_rejected(&offer.media()[1]));
    let in_use = |made: &Session<'_>| -> Vec<bool> {
        let media = made.media().iter();
        media.map(|media| !made.is_rejected(media)).collect()
    };
    assert_eq!(in_use(&mirrored(&offer)), [true, true]);
    // Without the section that has a transport there is no group, and nothing is left of it (RFC 9143 §7.3.1).
    let made = answer(&offer, &Origin::anonymous(1, 1), |index, media| {
        (index == 1).then(|| Capabilities {
            codecs: media.codecs().into_iter().map(static_codec).collect(),
            ..Capabilities::default()
        })
    })
    .unwrap();
    assert_eq!(in_use(&made), [false, false]);
    assert_eq!(made.bundle_groups().count(), 0);
}

fn static_codec(codec: Codec<'_>) -> Codec<'static> {
    Codec {
        rtpmap: rtckit_sdp::attribute::RtpMap::static_type(codec.payload_type()).unwrap(),
        fmtp: Vec::new(),
        feedback: Vec::new(),
    }
}

#[test]
fn what_only_goes_beside_media_is_no_media() {
    for codec in [
        "telephone-event/8000",
        "CN/8000",
        "ulpfec/90000",
        "flexfec-03/90000",
        "red/90000",
    ] {
        let offer = session(&format!("m=audio 9 RTP/AVP 96 0\na=rtpmap:96 {codec}\n"));
        let own = session(&format!("m=audio 9 RTP/AVP 97\na=rtpmap:97 {codec}\n"));
        let made = answer(&offer, &Origin::anonymous(1, 1), |_, _| {
            Some(Capabilities {
                codecs: codecs(&own),
                ..Capabilities::default()
            })
        });
        assert_eq!(made.unwrap().media()[0].port(), 0, "{codec}");
        assert_eq!(mirrored(&offer).media()[0].port(), 9, "{codec}");
        // Who offers nothing beside them means them.
        let alone = session(&format!("m=audio 9 RTP/AVP 96\na=rtpmap:96 {codec}\n"));
        let accepted = mirrored(&alone).media()[0].port() != 0;
        assert_eq!(accepted, !codec.starts_with("red"), "{codec}");
    }
}

#[test]
fn codecs_survive_a_parameter_but_not_another_number_of_channels() {
    assert_eq!(
        common(
            &[(96, "H264", "packetization-mode=1;max-fs=many")],
            &[(97, "H264", "packetization-mode=1")]
        )
        .len(),
        1
    );
    // What must be alike must be readable.
    assert_eq!(
        common(&[(96, "H264", "packetization-mode=x")], &[(97, "H264", "")]).len(),
        0
    );
    let one = session("m=audio 9 RTP/AVP 96\na=rtpmap:96 L16/48000/2\n");
    let other = session("m=audio 9 RTP/AVP 96\na=rtpmap:96 L16/48000\n");
    assert!(!same_codec(&codecs(&one)[0], &codecs(&other)[0]));
    assert!(same_codec(&codecs(&one)[0], &codecs(&one)[0]));
}

#[test]
fn groups_of_many_words_are_held_against_each_other_at_once() {
    // If each word were compared with all others, this would take minutes.
    let mut lines = String::new();
    for group in 0..50 {
        let words: String = (0..1000).map(|word| format!(" w{group}x{word}")).collect();
        lines += &format!("a=group:BUNDLE{words}\n");
    }
    let offer = session(&format!("{lines}m=audio 9 RTP/AVP 0\na=mid:w7x7\n"));
    assert!(offer.to_string().len() > 350_000);
    let outline = Outline::of(&offer);
    assert_eq!(check_answer(&outline, &outline), Ok(()));
    // A word of another group is still found, and so is one that is in two.
    let mut moved = outline.clone();
    moved.bundles[49].push("w50x0");
    assert_eq!(
        check_bundles(&outline, &moved)
            .unwrap_err()
            .reference
            .section,
        "7.3.3"
    );
    let mut twice = outline.clone();
    twice.bundles[49].push("w0x0");
    assert_eq!(
        check_bundles(&outline, &twice)
            .unwrap_err()
            .reference
            .section,
        "7.1"
    );
    let mut across = outline.clone();
    let word = across.bundles[0].pop().unwrap();
    across.bundles[49].push(word);
    assert_eq!(
        check_bundles(&outline, &across)
            .unwrap_err()
            .reference
            .section,
        "7.3.3"
    );
}

/// The answer by who can all that is offered.
fn answer_all<'s>(offer: &'s Session<'s>) -> Result<Session<'static>, rtckit_sdp::Error> {
    answer(offer, &Origin::anonymous(2, 1), |index, _| {
        let media = &offer.media()[index];
        let extensions = offer.attributes_of().chain(media.attributes_of());
        Some(Capabilities {
            codecs: media.codecs(),
            extensions: extensions.flatten().collect(),
            simulcast: true,
            ..Capabilities::default()
        })
    })
}

#[test]
fn all_times_are_answered_or_none() {
    let times = "t=0 0\n".repeat(299);
    let offer = session(&format!("{times}m=audio 9 RTP/AVP 0\n"));
    let answer = answer_all(&offer).unwrap();
    assert_eq!(answer.timings().count(), 300);
    assert_eq!(check_whole_answer(&offer, &answer), Ok(()));
    // Those with a repeat that nobody can read as well.
    let offer = session("t=1 2\nr=soon\nm=audio 9 RTP/AVP 0\n");
    let answer = answer_all(&offer).unwrap();
    assert_eq!(check_whole_answer(&offer, &answer), Ok(()));
    // With one line fewer than the limit there is no room for what an answer has beside them.
    let limits = rtckit_sdp::Limits::default();
    let times = "t=0 0\n".repeat(limits.lines - 4);
    let text = format!("v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\n{times}m=audio 9 RTP/AVP 0\n");
    let offer = Session::parse(&text).unwrap();
    assert_eq!(answer_all(&offer), Err(rtckit_sdp::Error::TooLong));
}

#[test]
fn the_repeats_of_each_time_are_answered() {
    let repeats = "r=604800 3600 0 90000\nt=3034423619 3042462419\nr=86400 1800 0\nr=86400 60 0\n";
    let offer = session(&format!("{repeats}m=audio 9 RTP/AVP 0\n"));
    let answer = answer_all(&offer).unwrap().to_string();
    assert!(
        answer.contains(&format!("t=0 0\n{repeats}").replace('\n', "\r\n")),
        "{answer}"
    );
}

#[test]
fn bundle_only_goes_where_its_group_goes_even_if_it_says_multicast() {
    let offer = session(
        "a=group:BUNDLE v d\nm=video 9 RTP/AVP 96\nc=IN IP4 192.0.2.1\na=rtcp-mux\na=rtpmap:96 VP8/90000\na=mid:v\n\
         m=application 0 UDP/DTLS/SCTP webrtc-datachannel\nc=IN IP4 239.0.0.1/32\na=bundle-only\na=mid:d\n",
    );
    let answer = answer_all(&offer).unwrap();
    assert_eq!(answer.media()[1].port(), 9);
    assert_eq!(check_whole_answer(&offer, &answer), Ok(()));
}

#[test]
fn an_extension_that_cannot_be_written_is_left_out() {
    let media = "m=video 9 RTP/AVP 96\na=rtpmap:96 VP8/90000\na=extmap:13 s=a\0b\na=extmap:14 urn:c a\0b\na=extmap:2 urn:d\n";
    let offer = session(&format!("a=extmap:12 urn:e\0\n{media}"));
    let answer = answer_all(&offer).unwrap();
    let extensions: Vec<ExtMap<'_>> = answer.media()[0].attributes_of().flatten().collect();
    assert_eq!(extensions, [ExtMap::new(2, "urn:d")]);
}

#[test]
fn alternatives_of_one_number_are_chosen_from() {
    let offered = [
        ExtMap::new(4096, "urn:a"),
        ExtMap::new(4096, "urn:b"),
        ExtMap::new(4096, "urn:c"),
    ];
    let answered = common_extensions(&offered, |uri| {
        (uri != "urn:a").then_some(Direction::SendRecv)
    });
    assert_eq!(answered, [ExtMap::new(1, "urn:b")]);
}

#[test]
fn at_most_as_many_extensions_as_numbers_are_answered() {
    let uris: Vec<_> = (0..300).map(|index| format!("urn:{index}")).collect();
    let offered: Vec<_> = (1..)
        .zip(&uris)
        .map(|(id, uri)| ExtMap::new(id, uri))
        .collect();
    let answered = common_extensions(&offered, |_| Some(Direction::SendRecv));
    assert_eq!(answered.len(), 255);
}

#[test]
fn an_encoding_is_answered_once() {
    let offered = Simulcast::parse("send 1;~2;3,1").unwrap();
    let answered = answer_simulcast(&offered, |_| true).unwrap();
    assert_eq!(answered, Simulcast::parse("recv 1;~2;3").unwrap());
}

#[test]
fn an_answer_takes_up_nothing_that_was_not_offered() {
    let offer =
        session("m=audio 9 RTP/AVP 0\nc=IN IP4 192.0.2.1\na=setup:active\na=extmap:1 urn:a\n");
    for (lines, document) in [
        ("a=setup:active\n", Some("4145")),
        ("a=setup:passive\n", None),
        ("a=setup:holdconn\n", None),
        ("c=IN IP4 239.0.0.1/32\n", Some("3264")),
        ("a=extmap:1 urn:a\n", None),
        ("a=extmap:1 urn:b\n", Some("8285")),
        ("a=rid:1 recv\na=simulcast:recv 1\n", Some("8853")),
    ] {
        let answer = session(&format!("m=audio 9 RTP/AVP 0\n{lines}"));
        let violation = check_whole_answer(&offer, &answer).err();
        let document_of = violation.map(|violation| violation.reference.document);
        assert_eq!(document_of, document, "{lines}");
    }
}

#[test]
fn a_version_grows_by_one() {
    let origin = |version| Origin::anonymous(1, version);
    assert_eq!(check_origin(&origin(1), &origin(2), true), Ok(()));
    assert!(check_origin(&origin(1), &origin(3), true).is_err());
    assert!(check_origin(&origin(1), &origin(1), true).is_err());
}

#[test]
fn the_setup_of_the_session_and_the_tagged_section_count() {
    // The first section has no transport of its own: the second carries the group, and is named first.
    let offer = session(
        "a=group:BUNDLE a b\na=setup:active\nm=audio 0 RTP/AVP 0\na=rtcp-mux\na=bundle-only\na=mid:a\n\
         m=audio 9 RTP/AVP 0\na=rtcp-mux\na=mid:b\n",
    );
    let answer = answer_all(&offer).unwrap();
    assert!(answer.has("group") && answer.to_string().contains("a=group:BUNDLE b a\r\n"));
    assert_eq!(
        answer.media()[1].attribute::<Setup>(),
        Some(Ok(Setup::Passive))
    );
}

#[test]
fn the_lower_level_of_h265_holds_whosever_it_is() {
    for (theirs, ours) in [("93", "120"), ("120", "93")] {
        let (theirs, ours) = (format!("level-id={theirs}"), format!("level-id={ours}"));
        let answered = common(&[(100, "H265", &theirs)], &[(101, "H265", &ours)]);
        assert_eq!(answered, [(100, "level-id=93".into())]);
    }
}

#[test]
fn one_channel_is_not_written() {
    let offer = session("m=audio 9 RTP/AVP 96\na=rtpmap:96 L16/16000/1\n");
    let answer = answer_all(&offer).unwrap().to_string();
    assert!(answer.contains("a=rtpmap:96 L16/16000\r\n"), "{answer}");
}

#[test]
fn a_group_of_rtp_shares_its_port_with_rtcp() {
    let sections = |mux: &str| {
        session(&format!(
            "a=group:BUNDLE d a b v\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:d\n\
             m=audio 9 RTP/AVP 0\n{mux}a=mid:a\nm=audio 9 RTP/AVP 0\na=mid:b\n\
             m=video 0 RTP/AVP 31\na=bundle-only\na=mid:v\n"
        ))
    };
    // Nobody offers it: RTP leaves the group, and what has no transport then is rejected.
    let offer = sections("");
    let made = answer_all(&offer).unwrap();
    let groups: Vec<_> = made.bundle_groups().map(|group| group.mids).collect();
    assert_eq!(groups, [["d"]]);
    let ports: Vec<_> = made.media().iter().map(Media::port).collect();
    assert_eq!(ports, [9, 9, 9, 0]);
    assert!(!made.to_string().contains("rtcp-mux"));
    assert_eq!(check_whole_answer(&offer, &made), Ok(()));
    // One section of the group offers it, for all of them. The first speaks for the group, whatever it carries.
    for mux in ["a=rtcp-mux\n", "a=rtcp-mux-only\n"] {
        let offer = sections(mux);
        let made = answer_all(&offer).unwrap();
        let groups: Vec<_> = made.bundle_groups().map(|group| group.mids).collect();
        assert_eq!(groups, [["d", "a", "b", "v"]]);
        assert!(made.media().iter().all(|media| media.has("rtcp-mux")));
        assert_eq!(check_whole_answer(&offer, &made), Ok(()));
    }
    // A section that was stopped says nothing for its group.
    let offer = session(
        "a=group:BUNDLE a b\nm=audio 0 RTP/AVP 0\na=rtcp-mux\na=mid:a\nm=audio 9 RTP/AVP 0\na=mid:b\n",
    );
    let made = answer_all(&offer).unwrap();
    assert_eq!(made.bundle_groups().count(), 0);
    assert!(!made.media()[1].has("rtcp-mux"));
}

#[test]
fn one_port_is_answered_where_it_was_offered_and_in_every_group() {
    let pair = |group: &str, one: &str, other: &str| {
        session(&format!(
            "{group}m=audio 9 RTP/AVP 0\na=mid:0\n{one}m=audio 9 RTP/AVP 0\na=mid:1\n{other}"
        ))
    };
    const GROUP: &str = "a=group:BUNDLE 0 1\n";
    const MUX: &str = "a=rtcp-mux\n";
    for (offer, answer, expected) in [
        ((GROUP, MUX, MUX), (GROUP, MUX, MUX), None),
        // The first section speaks for the group.
        ((GROUP, MUX, ""), (GROUP, MUX, MUX), None),
        ((GROUP, MUX, MUX), (GROUP, MUX, ""), None),
        ((GROUP, MUX, MUX), (GROUP, "", ""), Some((0, "9143"))),
        ((GROUP, MUX, MUX), (GROUP, "", MUX), Some((0, "9143"))),
        ((GROUP, "", ""), (GROUP, "", ""), Some((0, "9143"))),
        ((GROUP, "", ""), (GROUP, MUX, MUX), Some((0, "5761"))),
        ((GROUP, "", ""), ("", "", ""), None),
        ((GROUP, MUX, MUX), ("", "", MUX), None),
        (("", MUX, ""), ("", MUX, MUX), Some((1, "5761"))),
        (("", "a=rtcp-mux-only\n", ""), ("", MUX, ""), None),
    ] {
        let texts = (offer, answer);
        let offer = pair(offer.0, offer.1, offer.2);
        let answer = pair(answer.0, answer.1, answer.2);
        let violation = check_whole_answer(&offer, &answer).err();
        let found =
            violation.map(|violation| (violation.section.unwrap(), violation.reference.document));
        assert_eq!(found, expected, "{texts:?}");
    }
}

#[test]
fn a_nul_spoils_only_its_attribute() {
    let offer = session(
        "m=video 9 RTP/AVP 96 97 98 99 0\na=rtpmap:96 VP8/90000\na=fmtp:96 max-fr=30;x=\0\n\
         a=rtcp-fb:96 nack\0\na=rtcp-fb:96 nack\na=rtcp-fb:96 ack \0\n\
         a=rtpmap:97 VP9\0/90000\na=fmtp:97 profile-id=0\na=rtpmap:98 x\0y/90000\na=rtpmap:98 H263/90000\n\
         a=rtpmap:0 PC\0MU/8000\na=rid:a\0b send\na=rid:c send max-width=1\0\na=rid:d send max-width=2\na=rid:e send\n\
         a=simulcast:send c;d;e\n",
    );
    // Ours are theirs, NUL and all, and one that has a number without a name.
    let pcmu = session("m=audio 9 RTP/AVP 0\n");
    let made = answer(&offer, &Origin::anonymous(2, 1), |_, _| {
        Some(Capabilities {
            codecs: codecs(&offer).into_iter().chain(codecs(&pcmu)).collect(),
            simulcast: true,
            ..Capabilities::default()
        })
    })
    .unwrap();
    let text = made.to_string();
    assert!(!text.contains('\0'), "{text:?}");
    let formats: Vec<_> = made.media()[0].payload_types().collect();
    assert_eq!(formats, [96, 0], "{text}");
    assert!(
        text.contains("a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\n"),
        "{text}"
    );
    assert!(text.contains("a=rtpmap:0 PCMU/8000\r\n"), "{text}");
    let rids: Vec<_> = made.media()[0]
        .attributes_of::<Rid<'_>>()
        .flatten()
        .collect();
    assert_eq!(
        rids.iter().map(|rid| rid.id).collect::<Vec<_>>(),
        ["d", "e"]
    );
    assert!(text.contains("a=simulcast:recv d;e\r\n"), "{text}");
    assert_eq!(check_whole_answer(&offer, &made), Ok(()));
    // A rejection names the formats all the same.
    let none = answer(&offer, &Origin::anonymous(1, 1), |_, _| None).unwrap();
    assert!(
        none.to_string()
            .contains("m=video 0 RTP/AVP 96 97 98 99 0\r\n")
    );
    assert!(rejection(&offer.media()[0]).is_ok());
}
