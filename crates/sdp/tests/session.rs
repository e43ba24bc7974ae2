//! Sessions as wholes: the RFC's example, edits, tolerance, limits.

use rtckit_sdp::{
    Error, Limits, Media, MediaKind, Origin, ParseError, Session,
    attribute::{
        Direction, EndOfCandidates, Feedback, Fmtp, Group, IceUfrag, Mid, Msid, RtpMap, Setup,
    },
    field::{Bandwidth, Connection, Repeat, Timing, Zone},
    protocol,
};

/// The example of RFC 8866 §5.
const RFC_8866: &str = "v=0\r\n\
    o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n\
    s=Call to John Smith\r\n\
    i=SDP Offer #1\r\n\
    u=http://www.jdoe.example.com/home.html\r\n\
    e=Jane Doe <jane@jdoe.example.com>\r\n\
    p=+1 617 555-6011\r\n\
    c=IN IP4 198.51.100.1\r\n\
    t=0 0\r\n\
    m=audio 49170 RTP/AVP 0\r\n\
    m=audio 49180 RTP/AVP 0\r\n\
    m=video 51372 RTP/AVP 99\r\n\
    c=IN IP6 2001:db8::2\r\n\
    a=rtpmap:99 h263-1998/90000\r\n";

#[test]
fn the_example_of_rfc_8866_is_read_line_by_line() {
    let session = Session::parse(RFC_8866).unwrap();
    assert_eq!(session.version(), "0");
    let origin = session.origin().unwrap();
    assert_eq!((origin.username, origin.address), ("jdoe", "198.51.100.1"));
    assert_eq!(
        (origin.session_id, origin.session_version),
        (3_724_394_400, 3_724_394_405)
    );
    assert_eq!(session.name(), "Call to John Smith");
    assert_eq!(session.information(), Some("SDP Offer #1"));
    assert_eq!(session.uri(), Some("http://www.jdoe.example.com/home.html"));
    assert!(session.emails().eq(["Jane Doe <jane@jdoe.example.com>"]));
    assert!(session.phones().eq(["+1 617 555-6011"]));
    let connection = session.connection().unwrap().unwrap();
    assert_eq!(connection.ip(), Some([198, 51, 100, 1].into()));
    assert!(session.timings().eq([Ok(Timing::default())]));
    assert_eq!(session.bandwidths().count(), 0);
    assert!(session.key().is_none() && session.zone().is_none());

    let [first, second, video] = session.media() else {
        panic!("three sections");
    };
    assert_eq!((first.kind(), first.port()), (MediaKind::Audio, 49_170));
    assert_eq!((second.port(), second.port_count()), (49_180, None));
    assert_eq!(video.protocol(), "RTP/AVP");
    assert!(video.formats().eq(["99"]));
    assert_eq!(video.connection().unwrap().unwrap().address, "2001:db8::2");
    assert_eq!(video.codecs()[0].rtpmap.encoding, "h263-1998");
    assert_eq!(session.to_string(), RFC_8866);
}

#[test]
fn an_emitted_session_equals_the_example() {
    let origin = Origin {
        username: "jdoe",
        address: "198.51.100.1",
        ..Origin::anonymous(3_724_394_400, 3_724_394_405)
    };
    let mut session = Session::new(&origin).unwrap();
    session.set_name("Call to John Smith").unwrap();
    let connection = Connection {
        address: "198.51.100.1",
        ..Connection::UNSPECIFIED
    };
    session.set_connection(&connection).unwrap();
    let mut video = Media::new(MediaKind::Video, 51_372, "RTP/AVP", [99]).unwrap();
    let rtpmap = RtpMap {
        payload_type: 99,
        encoding: "h263-1998",
        clock_rate: 90_000,
        channels: None,
    };
    video.push(rtpmap).unwrap();
    let connection = Connection {
        address_type: "IP6",
        address: "2001:db8::2",
        ..Connection::UNSPECIFIED
    };
    video.set_connection(&connection).unwrap();
    session.push_media(video);

    for line in RFC_8866
        .lines()
        .filter(|line| line.starts_with(['p', 'e', 'u', 'i']))
    {
        let (kind, value) = line.split_once('=').unwrap();
        session
            .push_line(kind.chars().next().unwrap(), value)
            .unwrap();
    }

    // The example without its two audio sections, which have no `c=`.
    let expected: String = RFC_8866
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("m=audio"))
        .collect();
    assert_eq!(session.to_string(), expected);
    assert_eq!(Session::parse(&expected).unwrap(), session);
}

#[test]
fn every_truncation_is_read_or_refused() {
    for end in 0..RFC_8866.len() {
        let text = &RFC_8866[..end];
        match Session::parse(text) {
            Ok(session) => assert_eq!(session.to_string(), text),
            Err(error) => assert!(error.line > 0 && !error.explain(text).to_string().is_empty()),
        }
    }
}

#[test]
fn times_repeat_and_zones_shift() {
    let text = "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nb=X-YZ:128\nb=AS:64\nt=3724394400 3724398000\n\
        r=7d 1h 0 25h\nr=604800 3600 0 90000\nz=3730928400 -1h 3749680800 0\nk=prompt\n";
    let session = Session::parse(text).unwrap();
    let week = Repeat {
        interval: 604_800,
        duration: 3600,
        offsets: vec![0, 90_000],
    };
    assert!(session.repeats().eq([Ok(week.clone()), Ok(week)]));
    let zone = session.zone().unwrap().unwrap();
    assert_eq!(
        zone,
        Zone {
            adjustments: vec![(3_730_928_400, -3600), (3_749_680_800, 0)]
        }
    );
    assert_eq!(zone.to_string(), "3730928400 -3600 3749680800 0");
    let bandwidths: Vec<Bandwidth<'_>> = session.bandwidths().map(Result::unwrap).collect();
    assert_eq!(bandwidths[0].bits_per_second(), None);
    assert_eq!(bandwidths[1].bits_per_second(), Some(64_000));
    assert_eq!(session.key().unwrap().method, "prompt");

    let huge = text.replace("r=7d", "r=999999999999999999d");
    let session = Session::parse(&huge).unwrap();
    let error = session.repeats().next().unwrap().unwrap_err();
    assert_eq!((error.line, error.column), (7, 3));
}

#[test]
fn multicast_addresses_have_a_reach_and_a_number() {
    let text = "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nc=IN IP4 233.252.0.1/127/3\nc=IN IP6 ff00::db8:0:101/3\n\
        m=video 49170/2 RTP/AVP 31\nc=IN IP4 233.252.0.1/127\nc=IN IP4 233.252.0.2/127\n";
    let session = Session::parse(text).unwrap();
    let connection = session.connection().unwrap().unwrap();
    assert_eq!((connection.ttl, connection.count), (Some(127), Some(3)));
    assert_eq!(connection.to_string(), "IN IP4 233.252.0.1/127/3");
    let media = &session.media()[0];
    assert_eq!((media.port(), media.port_count()), (49_170, Some(2)));
    assert_eq!(media.connections().count(), 2);
}

#[test]
fn an_edit_changes_its_own_line_only() {
    let text = "v=0\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\n\na=mid:no\r\ngarbage\nm=audio\t9 RTP/AVP  0 8\r\na=x: y \na=mid:a\na=setup:actpass";
    let mut session = Session::parse(text).unwrap();
    assert_eq!(session.to_string(), text);
    session.media_mut()[0].set(Mid("b")).unwrap();
    assert_eq!(session.to_string(), text.replace("mid:a", "mid:b"));
    session.media_mut()[0].set(Mid("a")).unwrap();
    assert_eq!(session.to_string(), text);

    // A line after one that did not end, with the end it was missing.
    let audio = &mut session.media_mut()[0];
    audio.set_direction(Direction::SendOnly);
    audio.set_direction(Direction::Inactive);
    assert_eq!(session.to_string(), format!("{text}\r\na=inactive\r\n"));
    session.media_mut()[0].remove("inactive");

    let audio = &mut session.media_mut()[0];
    audio.set_port(0);
    audio.set_formats([8]).unwrap();
    assert!(audio.set_formats([0; 0]).is_err());
    assert_eq!(audio.port(), 0);
    assert!(audio.payload_types().eq([8]));
    let expected = text.replace("m=audio\t9 RTP/AVP  0 8", "m=audio 0 RTP/AVP 8");
    assert_eq!(session.to_string(), expected);

    session.set_origin(&Origin::anonymous(7, 8)).unwrap();
    let expected = expected.replace("- 1 1 IN IP4 0.0.0.0", "- 7 8 IN IP4 127.0.0.1");
    assert_eq!(session.to_string(), expected);
}

#[test]
fn new_lines_go_where_the_grammar_has_them() {
    let mut session = Session::new(&Origin::anonymous(1, 1)).unwrap();
    session.push(Group::bundle(["0"])).unwrap();
    session
        .push_bandwidth(&Bandwidth {
            kind: "AS",
            value: 1,
        })
        .unwrap();
    session.set_connection(&Connection::UNSPECIFIED).unwrap();
    let kinds: String = session
        .lines()
        .iter()
        .filter_map(|line| line.kind())
        .collect();
    assert_eq!(kinds, "voscbta");
    assert_eq!(session.lines()[0].number(), 0);

    let mut media = Media::new(
        MediaKind::Application,
        9,
        protocol::UDP_DTLS_SCTP,
        ["webrtc-datachannel"],
    )
    .unwrap();
    media.push(Mid("0")).unwrap();
    media
        .push_bandwidth(&Bandwidth {
            kind: "AS",
            value: 1,
        })
        .unwrap();
    media.push_raw("x-mine", None).unwrap();
    assert_eq!(
        media.to_string(),
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\nb=AS:1\r\na=mid:0\r\na=x-mine\r\n"
    );
}

#[test]
fn sections_inherit_from_the_session() {
    let text = "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\na=setup:actpass\na=recvonly\na=group:BUNDLE 0 1\na=group:LS 0 1\n\
        m=audio 9 RTP/AVP 0\na=mid:0\nm=video 0 RTP/AVP 96\na=mid:1\na=bundle-only\na=setup:x\na=sendonly\n";
    let session = Session::parse(text).unwrap();
    let audio = session.media_by_mid("0").unwrap();
    let video = session.media_by_mid("1").unwrap();
    assert_eq!(session.direction_of(audio), Direction::RecvOnly);
    assert_eq!(session.direction_of(video), Direction::SendOnly);
    assert_eq!(audio.direction(), None);
    assert_eq!(
        session.attribute_for::<Setup>(audio),
        Some(Ok(Setup::ActPass))
    );
    // A malformed attribute hides the session's: the peer meant to say something else.
    let error = session.attribute_for::<Setup>(video).unwrap().unwrap_err();
    assert_eq!((error.line, error.column), (13, 9));
    assert!(session.attribute_for::<Msid<'_>>(video).is_none());
    assert!(!session.is_rejected(video), "bundle-only");
    assert_eq!(session.bundle_groups().count(), 1);
    assert!(session.media_by_mid("2").is_none());
}

#[test]
fn codecs_are_joined_by_payload_type() {
    let text = "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nm=video 9 RTP/AVP 96 0 97 98 96 200 x 9\n\
        a=fmtp:97 apt=96\na=rtcp-fb:* nack\na=rtcp-fb:96 nack pli\na=rtpmap:96 VP8/90000\na=rtpmap:96 H264/90000\n\
        a=rtpmap:97 rtx/90000\na=rtpmap:0 L16/8000/4\na=rtpmap:127 red/90000\na=fmtp:96 a=1\na=fmtp:96 b=2\n";
    let session = Session::parse(text).unwrap();
    let codecs = session.media()[0].codecs();
    let names: Vec<_> = codecs.iter().map(|codec| codec.rtpmap.encoding).collect();
    assert_eq!(
        names,
        ["VP8", "L16", "rtx", "G722"],
        "98 has no name, 127 is not offered"
    );
    let vp8 = &codecs[0];
    assert!(vp8.is("vp8") && vp8.payload_type() == 96);
    assert_eq!(vp8.feedback, [Feedback::NACK, Feedback::NACK_PLI]);
    assert!(!codecs[1].has_feedback(Feedback::NACK_PLI));
    assert_eq!(
        (vp8.parameter("a"), vp8.parameter("b")),
        (Some("1"), Some("2"))
    );
    assert_eq!(codecs[2].associated_payload_type(), Some(96));
    assert_eq!(vp8.associated_payload_type(), None);
}

#[test]
fn feedback_for_all_payload_types_does_not_multiply_without_end() {
    let formats: Vec<String> = (0..128).map(|number| number.to_string()).collect();
    let head = "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nm=video 9 RTP/AVP ";
    let text = format!(
        "{head}{}\n{}",
        formats.join(" "),
        "a=rtcp-fb:* x\n".repeat(1000)
    );
    let session = Session::parse(&text).unwrap();
    let codecs = session.media()[0].codecs();
    assert!(
        codecs
            .iter()
            .all(|codec| codec.feedback.len() == rtckit_sdp::Codec::MAX_FEEDBACK)
    );
}

#[test]
fn limits_hold() {
    let limits = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        Session::parse_within(RFC_8866, &limits)
    };
    let place = |error: ParseError| (error.line, error.column);
    assert_eq!(place(limits(|l| l.bytes = 100).unwrap_err()), (0, 101));
    assert_eq!(place(limits(|l| l.lines = 13).unwrap_err()), (14, 1));
    assert_eq!(place(limits(|l| l.line_bytes = 38).unwrap_err()), (2, 39));
    assert_eq!(place(limits(|l| l.media = 2).unwrap_err()), (12, 1));
    assert!(limits(|l| (l.lines, l.media) = (14, 3)).is_ok());
}

#[test]
fn what_is_not_sdp_is_refused_with_its_place() {
    let place = |text: &str| {
        let error = Session::parse(text).expect_err(text);
        (error.line, error.column, error.field)
    };
    assert_eq!(place(""), (1, 1, "v="));
    assert_eq!(place("hello"), (1, 1, "v="));
    assert_eq!(place("v=0\ns=-\n"), (1, 1, "o="));
    assert_eq!(place("v=0\no=- 1 2 IN IP4\n"), (2, 15, "o="));
    assert_eq!(place("v=0\no=- x 2 IN IP4 0.0.0.0\n"), (2, 5, "o="));
    assert_eq!(place("v=0\ro=-\r"), (1, 4, "the text"));
    let head = "v=0\no=- 1 2 IN IP4 0.0.0.0\n";
    assert_eq!(
        place(&format!("{head}m=audio -1 RTP/AVP 0\n")),
        (3, 9, "m=")
    );
    assert_eq!(place(&format!("{head}m=audio 1 RTP/AVP\n")), (3, 18, "m="));
    assert_eq!(
        place(&format!("{head}m=(audio) 1 RTP/AVP 0\n")),
        (3, 3, "m=")
    );
}

#[test]
fn a_media_line_holds_no_nul() {
    let text = "v=0\no=- 1 1 IN IP4 0.0.0.0\nm=audio 9 RTP/AVP a\0b\n";
    let error = Session::parse(text).unwrap_err();
    assert_eq!((error.line, error.column), (3, 20));
    // where nothing is made of it, it stays what it is
    let text = "v=0\no=- 1 1 IN IP4 0.0.0.0\na=x:a\0b\n";
    assert_eq!(Session::parse(text).unwrap().to_string(), text);
}

#[test]
fn an_owned_session_outlives_its_text() {
    let owned = {
        let text = String::from(RFC_8866);
        Session::parse(&text).unwrap().into_owned()
    };
    assert_eq!(owned, Session::parse(RFC_8866).unwrap());
    assert_eq!(owned.to_string(), RFC_8866);
}

#[test]
fn retain_sees_every_attribute() {
    let text = "v=0\no=- 1 1 IN IP4 0.0.0.0\na=fmtp:1 x\na=fmtp:2 y\na=other\n";
    let mut session = Session::parse(text).unwrap();
    session.retain(|attribute| {
        let fmtp = attribute.parse::<Fmtp<'_>>();
        fmtp.is_none_or(|fmtp| fmtp.is_ok_and(|fmtp| fmtp.format == "2"))
    });
    assert_eq!(session.to_string(), text.replace("a=fmtp:1 x\n", ""));
}

#[test]
fn a_fragment_has_neither_version_nor_origin() {
    let mut fragment = Session::new_fragment();
    assert_eq!(fragment.to_string(), "");
    fragment.push(IceUfrag("EsAw")).unwrap();
    let mut media = Media::new(MediaKind::Audio, 9, protocol::UDP_TLS_RTP_SAVPF, [0]).unwrap();
    media.push(Mid("0")).unwrap();
    media.push(EndOfCandidates).unwrap();
    fragment.push_media(media);
    let text = fragment.to_string();
    assert!(text.starts_with("a=ice-ufrag:EsAw\r\nm=audio"));
    assert_eq!(Session::parse_fragment(&text), Ok(fragment));
    assert!(Session::parse(&text).is_err());
    assert!(Session::parse_fragment("").unwrap().origin().is_err());
}

#[test]
fn added_times_keep_their_repeats() {
    let mut session = Session::new(&Origin::anonymous(1, 1)).unwrap();
    session.push_line('r', "7d 1h 0").unwrap();
    session
        .push_line('t', Timing { start: 5, stop: 6 })
        .unwrap();
    session.push_line('r', "1d 1h 0").unwrap();
    session.push_line('z', "0 1h").unwrap();
    session.push_line('i', "about").unwrap();
    for kind in ['a', 'm', 'x', '='] {
        assert_eq!(session.push_line(kind, "x"), Err(Error::LineType(kind)));
    }
    assert!(session.push_line('i', "a\nb").is_err());
    let text = session.to_string();
    assert!(
        text.ends_with("s=-\r\ni=about\r\nt=0 0\r\nr=7d 1h 0\r\nt=5 6\r\nr=1d 1h 0\r\nz=0 1h\r\n"),
        "{text}"
    );
}

#[test]
fn the_canonical_form_has_the_same_words() {
    let text = "v=0\no=-\t1  1 IN IP4 a \ns= \nb=AS:1\ngarbage\nc=IN IP4 b\nr=7d 1h 0\nt=0 0\na=x:  1  \n\
                m=audio  9 RTP/AVP\t0\na=mid:0\nc=IN IP4 c";
    let mut session = Session::parse(text).unwrap();
    session.normalize();
    let canonical = "v=0\r\no=- 1 1 IN IP4 a\r\ns= \r\nc=IN IP4 b\r\nb=AS:1\r\ngarbage\r\nr=7d 1h 0\r\nt=0 0\r\na=x:  1\r\n\
                     m=audio 9 RTP/AVP 0\r\nc=IN IP4 c\r\na=mid:0\r\n";
    assert_eq!(session.to_string(), canonical);
    let mut media = Session::parse(text).unwrap().media()[0].clone();
    media.normalize();
    assert!(canonical.ends_with(&media.to_string()));
    let mut same = Session::parse(canonical).unwrap();
    same.normalize();
    assert_eq!(same.to_string(), canonical);
}

#[test]
fn too_long_a_text_has_one_thing_wrong_with_it() {
    let text = "v=0\no=- 1 1 IN IP4 a\n".to_owned() + &"a=x\n".repeat(1 << 19);
    let found = rtckit_sdp::check(&text);
    assert_eq!(found.len(), 1);
    assert!(found[0].refused);
    let garbage = "x\n".repeat(20_000);
    assert!(rtckit_sdp::check(&garbage).len() <= rtckit_sdp::Deviation::MAX + 1);
}

#[test]
fn rules_and_references_can_be_read() {
    for rule in rtckit_sdp::Rule::ALL {
        assert_eq!(rule.to_string(), rule.name());
        assert!(rule.sentence().len() > rule.name().len());
    }
    let draft = rtckit_sdp::Reference::rfc("draft-hancke-tsvwg-snap", "");
    assert_eq!(
        (draft.to_string().as_str(), draft.url()),
        ("draft-hancke-tsvwg-snap", None)
    );
    assert_eq!(
        rtckit_sdp::Reference::rfc("8858", "").to_string(),
        "RFC 8858"
    );
    for line in [
        "s=", "i=", "u=", "e=", "p=", "b=x", "t=x", "r=x", "z=x", "q=",
    ] {
        let text = format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n{line}\r\n");
        let found = rtckit_sdp::check(&text);
        let of_line: Vec<_> = found.iter().filter(|found| found.line == 3).collect();
        assert!(!of_line.is_empty(), "{line}");
        assert!(
            of_line
                .iter()
                .all(|found| found.reference.document == "8866")
        );
    }
}

#[test]
fn a_builder_says_what_is_wrong() {
    use rtckit_sdp::{CodecBuilder, Deviation};
    let origin = Origin::anonymous(1, 1);
    let builder = || Session::builder(&origin);
    assert_eq!(builder().name("a\nb").build(), Err(Error::LineBreak("s=")));
    let wrong = Origin {
        username: "a b",
        ..origin
    };
    assert_eq!(Session::builder(&wrong).build(), Err(Error::Word("o=")));
    let media = || Media::builder(MediaKind::Audio, 9, "RTP/AVP");
    assert!(matches!(
        builder().media(media()).build(),
        Err(Error::Unreadable(_))
    ));
    let broken = media().format(0).attribute(Mid("a b"));
    assert!(matches!(
        builder().media(broken).build(),
        Err(Error::Word("mid"))
    ));
    let unknown = media().codec(CodecBuilder::new(200, "x", 1));
    let error = builder().media(unknown).build().unwrap_err();
    assert!(
        matches!(error, Error::Deviation(Deviation { .. })),
        "{error}"
    );
    assert!(error.to_string().contains("line 5"), "{error}");
    let full = builder()
        .zone(&Zone {
            adjustments: vec![(3_730_928_400, -3600)],
        })
        .repeat(&Repeat {
            interval: 1,
            duration: 1,
            offsets: vec![0],
        })
        .raw_attribute("x", None)
        .media(
            media()
                .format(0)
                .bandwidth(&Bandwidth {
                    kind: "AS",
                    value: 1,
                })
                .connection(&Connection::UNSPECIFIED),
        )
        .build()
        .unwrap();
    let kinds: String = full.lines().iter().filter_map(|line| line.kind()).collect();
    assert_eq!(kinds, "vostrza");
}

#[test]
fn a_session_id_has_any_number_of_digits() {
    let text = "v=0\r\no=- 123456789012345678901234567890 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n";
    let session = Session::parse(text).unwrap();
    assert_eq!(session.origin().unwrap().session_id, u64::MAX);
    assert_eq!(session.to_string(), text);
    assert_eq!(session.check(), []);
}

#[test]
fn a_line_explains_as_well_as_its_text() {
    let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\na=mid:0 \r\na=rid:é\r\n\r\n";
    let lines: Vec<&str> = text.lines().collect();
    let found = rtckit_sdp::check(text);
    assert!(found.len() >= 4, "{found:?}");
    for deviation in &found {
        let line = lines[deviation.line as usize - 1];
        let error = deviation.as_error();
        assert_eq!(
            deviation.explain_line(line).to_string(),
            deviation.explain(text).to_string()
        );
        assert_eq!(
            error.explain_line(line).to_string(),
            error.explain(text).to_string()
        );
        assert_eq!(error.found_in_line(line), error.found(text));
    }
    // The `c=` that is missing is looked for at the section.
    let connection = found
        .iter()
        .find(|deviation| deviation.field == "c=")
        .unwrap();
    assert_eq!(
        (connection.rule, connection.line),
        (rtckit_sdp::Rule::LineMissing, 4)
    );
    assert!(
        connection
            .explain(text)
            .to_string()
            .ends_with("^ missing here")
    );
}

#[test]
fn a_capital_letter_is_another_type_of_line() {
    let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nT=0 0\r\n";
    let missing = rtckit_sdp::check(text);
    let missing = missing
        .iter()
        .filter(|one| one.rule == rtckit_sdp::Rule::LineMissing);
    assert_eq!(missing.map(|one| one.field).collect::<Vec<_>>(), ["t="]);
}

#[test]
fn errors_in_times_have_their_place() {
    let text = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nt=0 x\nt=0 0\nr=7d y\n";
    let session = Session::parse(text).unwrap();
    let errors = session.times().map(|time| time.unwrap_err());
    let places: Vec<_> = errors.map(|error| (error.line, error.column)).collect();
    assert_eq!(places, [(4, 5), (6, 6)]);
}

#[test]
fn a_byte_string_may_end_in_a_blank() {
    let text = |line: &str| {
        format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=video 9 RTP/AVPF 96\r\n\
             c=IN IP4 192.0.2.1\r\na=rtpmap:96 raw/90000\r\n{line}\r\n"
        )
    };
    for line in [
        "a=fmtp:96 sampling=YCbCr-4:2:2; TP=2110TPN; ",
        "a=ssrc:1 label:two words ",
        "a=extmap:1 urn:x a ",
        "a=rtcp-fb:96 ack app x ",
    ] {
        let text = text(line);
        assert_eq!(rtckit_sdp::check(&text), [], "{line}");
        let session = Session::parse_strict(&text).unwrap();
        assert_eq!(session.to_string(), text);
    }
    for line in [
        "a=fmtp:96 ",
        "a=ssrc:1 label ",
        "a=extmap:1 urn:x ",
        "a=rtcp-fb:96 nack pli ",
    ] {
        assert!(Session::parse_strict(&text(line)).is_err(), "{line}");
    }
    let codec = rtckit_sdp::CodecBuilder::new(96, "raw", 90_000).parameters("TP=2110TPN; ");
    let media = Media::builder(MediaKind::Video, 9, "RTP/AVP").codec(codec);
    let session = Session::builder(&Origin::anonymous(1, 1)).media(media);
    let text = session.build().unwrap().to_string();
    assert!(text.contains("TPN; \r\n") && Session::parse_strict(&text).is_ok());
}

#[test]
fn what_exceeds_the_limits_is_not_built() {
    let media = || {
        Media::builder(MediaKind::Audio, 9, "RTP/AVP")
            .format(0)
            .connection(&Connection::UNSPECIFIED)
    };
    let origin = Origin::anonymous(1, 1);
    let lines = |many: usize, long: usize| {
        let value = "x".repeat(long);
        let lines = (0..many).fold(Session::builder(&origin), |builder, _| {
            builder.raw_attribute("x", Some(&value))
        });
        lines.build()
    };
    let sections = |many| {
        let sections = (0..many).fold(Session::builder(&origin), |builder, _| {
            builder.media(media())
        });
        sections.build()
    };
    for (built, limit) in [
        (sections(513), "512 media sections"),
        (lines(1 << 15, 1), "32768 lines"),
        (lines(1, 1 << 14), "16384 bytes in a line"),
        (lines(80, 16_000), "1048576 bytes of text"),
    ] {
        let error = built.unwrap_err();
        assert!(matches!(error, Error::Unreadable(_)));
        assert!(error.to_string().contains(limit), "{error}");
    }
    for built in [
        sections(512),
        lines((1 << 15) - 4, 1),
        lines(1, (1 << 14) - 4),
    ] {
        let text = built.unwrap().to_string();
        assert!(Session::parse_strict(&text).is_ok());
    }
}
