//! Whatever is built is read back as it was meant; whatever is read is written as it was; nothing panics.

use proptest::{collection::vec, prelude::*, sample::Index};
use rtckit_sdp::{
    Candidate, CodecBuilder, Media, MediaKind, Origin, Session, attribute::*, check, field::*,
};

const OFFER: &str =
    include_str!("../testdata/browsers/firefox153_firefox_live_simulcast_offer.sdp");

fn word() -> impl Strategy<Value = String> {
    "[!-~äé🎥]{1,12}"
}

fn token() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9._-]{1,12}"
}

/// Reads and uses everything a session offers.
fn exercise(session: &Session<'_>) {
    let _ = (
        session.origin(),
        session.connection(),
        session.zone(),
        session.key(),
    );
    let _ = session.timings().count() + session.repeats().count() + session.bandwidths().count();
    for media in session.media() {
        let _ = (
            media.codecs(),
            media.kind(),
            media.mid(),
            session.is_rejected(media),
        );
        let _ = session.direction_of(media);
        for raw in media.attributes().chain(session.attributes()) {
            macro_rules! all {
                ($($type:ty),* $(,)?) => { $(
                    if let Some(Ok(read)) = raw.parse::<$type>() {
                        let mut text = String::new();
                        if read.write(&mut text).is_ok() {
                            let again = <$type as Attribute<'_>>::parse(&text);
                            assert_eq!(again.as_ref(), Ok(&read), "{text:?}");
                        }
                    }
                )* };
            }
            all!(
                Candidate<'_>,
                Crypto<'_>,
                ExtMap<'_>,
                Fingerprint<'_>,
                Fmtp<'_>,
                Group<'_>,
                IceOptions<'_>,
                IcePwd<'_>,
                IceUfrag<'_>,
                ImageAttr<'_>,
                MaxMessageSize,
                Mid<'_>,
                Msid<'_>,
                MsidSemantic<'_>,
                PTime<'_>,
                RemoteCandidates<'_>,
                Rid<'_>,
                Rtcp<'_>,
                RtcpFb<'_>,
                RtcpXr<'_>,
                RtpMap<'_>,
                SctpMap<'_>,
                SctpPort,
                Setup,
                Simulcast<'_>,
                Ssrc<'_>,
                SsrcGroup<'_>,
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_built_session_is_read_back(
        ids in any::<(u64, u64)>(),
        name in "[ -~é]{0,20}",
        mids in vec(token(), 0..4),
        ports in any::<u16>(),
        formats in vec(0u8..128, 1..8),
        words in (word(), word(), token(), word()),
        numbers in any::<(u32, u16, u32, u8)>(),
        digest in any::<[u8; 32]>(),
        directions in (0usize..4, 0usize..4),
    ) {
        let mut session = Session::new(&Origin::anonymous(ids.0, ids.1)).unwrap();
        session.set_name(&name).unwrap();
        let group = Group::bundle(mids.iter().map(String::as_str));
        session.push(group.clone()).unwrap();
        let fingerprint = Fingerprint::sha_256(digest);
        session.push(fingerprint).unwrap();
        session.set_timing(Timing { start: ids.1, stop: ids.0 });

        let mut media = Media::new(MediaKind::Other(&words.2), ports, &words.0, &formats).unwrap();
        let rtpmap = RtpMap {
            payload_type: formats[0], encoding: &words.2, clock_rate: numbers.0, channels: Some(numbers.1),
        };
        media.push(rtpmap).unwrap();
        let candidate = Candidate {
            foundation: &words.0,
            component: numbers.1,
            transport: CandidateTransport::Udp,
            priority: numbers.2,
            address: Address::Ip(digest.first_chunk::<16>().copied().unwrap().into()),
            port: ports,
            kind: CandidateKind::Relayed,
            related: Some((Address::Ip([127, 0, 0, 1].into()), numbers.1)),
            tcp_type: Some(TcpType::Passive),
            extensions: vec![("ufrag", words.3.as_str())],
        };
        media.push(candidate.clone()).unwrap();
        let extension = ExtMap {
            id: u16::from(numbers.3.max(1)), direction: Some(Direction::ALL[directions.0]), uri: &words.1, attributes: "",
        };
        media.push(extension).unwrap();
        media.set_direction(Direction::ALL[directions.1]);
        let ssrc = Ssrc { ssrc: numbers.0, attribute: &words.2, value: Some(&words.3) };
        media.push(ssrc).unwrap();
        session.push_media(media);

        let text = session.to_string();
        let read = Session::parse(&text).unwrap();
        prop_assert_eq!(&read, &session);
        prop_assert_eq!(read.to_string(), text.as_str());
        prop_assert_eq!(read.name(), name.as_str());
        prop_assert_eq!(read.origin().unwrap(), Origin::anonymous(ids.0, ids.1));
        prop_assert_eq!(read.attribute(), Some(Ok(group)));
        prop_assert_eq!(read.attribute(), Some(Ok(fingerprint)));
        let media = &read.media()[0];
        prop_assert!(media.payload_types().eq(formats.iter().copied()));
        prop_assert_eq!(media.attribute(), Some(Ok(rtpmap)));
        prop_assert_eq!(media.attribute(), Some(Ok(candidate)));
        prop_assert_eq!(media.attribute(), Some(Ok(extension)));
        prop_assert_eq!(media.attribute(), Some(Ok(ssrc)));
        prop_assert_eq!(media.direction(), Some(Direction::ALL[directions.1]));
    }

    #[test]
    fn a_damaged_offer_is_read_or_refused(
        edits in vec((any::<Index>(), prop_oneof![
            any::<char>().prop_map(String::from),
            "[\r\n \t:;,/=~*\\[\\]0-9-]{1,3}",
            Just(String::new()),
            (any::<Index>(), any::<Index>()).prop_map(|(from, to)| {
                let lines: Vec<&str> = OFFER.split_inclusive('\n').collect();
                let (from, to) = (from.index(lines.len()), to.index(lines.len()));
                lines[from.min(to)..from.max(to)].concat()
            }),
        ], 0usize..40), 1..8),
    ) {
        let mut text = OFFER.to_owned();
        for (place, insert, cut) in edits {
            let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
            let first = place.index(places.len());
            let end = places.get(first + cut).copied().unwrap_or(text.len());
            text.replace_range(places[first]..end, &insert);
        }
        match Session::parse(&text) {
            Ok(session) => {
                prop_assert_eq!(session.to_string(), text.as_str());
                exercise(&session);
            }
            Err(error) => prop_assert!(!error.explain(&text).to_string().is_empty()),
        }
    }

    #[test]
    fn any_attribute_value_is_read_or_refused(name in "[a-z-]{1,4}|candidate|simulcast|fingerprint|rid|rtcp|ssrc|extmap", value in "\\PC{0,40}|[ 0-9a-z:;,/~*]{0,40}") {
        let text = format!("v=0\no=- 1 1 IN IP4 0.0.0.0\nm=audio 9 RTP/AVP 0\na={name}:{value}\n");
        let session = Session::parse(&text).unwrap();
        prop_assert_eq!(session.to_string(), text.as_str());
        exercise(&session);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(v=0\r?\n)?(o=- 1 1 IN IP4 a\n)?([a-z]=[ -~]{0,20}\r?\n|m=\\PC{0,30}\n|\\PC{0,10}){0,12}") {
        match Session::parse(&text) {
            Ok(session) => {
                prop_assert_eq!(session.to_string(), text.as_str());
                exercise(&session);
            }
            Err(error) => prop_assert!(!error.explain(&text).to_string().is_empty()),
        }
    }

    #[test]
    fn an_edit_leaves_the_other_lines_alone(section in any::<Index>(), mid in token()) {
        let mut session = Session::parse(OFFER).unwrap();
        let count = session.media().len();
        session.media_mut()[section.index(count)].set(Mid(&mid)).unwrap();
        let text = session.to_string();
        let changed = text.lines().zip(OFFER.lines()).filter(|(new, old)| new != old).count();
        prop_assert_eq!(text.lines().count(), OFFER.lines().count());
        prop_assert!(changed <= 1);
    }
}

fn codec() -> impl Strategy<Value = CodecBuilder> {
    (
        96u8..127,
        prop_oneof![
            Just("VP8"),
            Just("opus"),
            Just("L16"),
            Just("H264"),
            Just("telephone-event")
        ],
        8_000u32..200_000,
        prop::option::of(1u16..8),
        prop::option::of(prop_oneof![
            Just("packetization-mode=1"),
            Just("0-15"),
            Just("max-fr=30")
        ]),
        vec((token(), prop_oneof![Just(String::new()), token()]), 0..3),
    )
        .prop_map(|(number, name, rate, channels, parameters, feedback)| {
            let mut codec = CodecBuilder::new(number, name, rate);
            if let Some(channels) = channels {
                codec = codec.channels(channels);
            }
            if let Some(parameters) = parameters {
                codec = codec.parameters(parameters);
            }
            for (kind, parameter) in &feedback {
                codec = codec.feedback(Feedback::new(kind, parameter));
            }
            codec
        })
}

fn address() -> impl Strategy<Value = (String, String, Option<u8>, Option<u32>)> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|ip| (
            "IP4".into(),
            core::net::Ipv4Addr::from(ip).to_string(),
            None,
            None
        )),
        (any::<[u8; 3]>(), any::<u8>(), prop::option::of(0u32..9)).prop_map(
            |([a, b, c], ttl, count)| {
                ("IP4".into(), format!("233.{a}.{b}.{c}"), Some(ttl), count)
            }
        ),
        any::<[u8; 16]>().prop_map(|ip| (
            "IP6".into(),
            core::net::Ipv6Addr::from(ip).to_string(),
            None,
            None
        )),
        "[a-z0-9.()-]{1,12}".prop_map(|name| ("IP4".into(), name, None, None)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// The builder is told anything, right or wrong: what it lets through is right.
    #[test]
    fn what_a_builder_lets_through_is_read_strictly(
        texts in (".{0,12}", ".{0,12}", "[ -~]{0,16}", "[a-z@. ()<>]{0,16}", "[+0-9 ()a-z-]{0,12}"),
        (address_type, address, ttl, count) in address(),
        times in vec((prop_oneof![Just(0u64), 3_000_000_000..4_000_000_000u64], prop_oneof![Just(0u64), 3_500_000_000..4_500_000_000u64]), 0..3),
        repeat in prop::option::of((1u64..100_000, 0u64..100_000, vec(0u64..100_000, 1..3))),
        sections in vec((0u8..3, any::<u16>(), vec(codec(), 0..4), token(), 0usize..4), 0..4),
        (level, bandwidth) in (0usize..4, any::<u64>()),
    ) {
        let connection = Connection {
            network_type: "IN", address_type: &address_type, address: &address, ttl, count,
        };
        let mut builder = Session::builder(&Origin::anonymous(level as u64, bandwidth))
            .name(&texts.0)
            .connection(&connection)
            .bandwidth(&Bandwidth { kind: "AS", value: bandwidth })
            .direction(Direction::ALL[level]);
        if level > 0 { builder = builder.information(&texts.1); }
        if level > 1 { builder = builder.uri(&texts.2).email(&texts.3); }
        if level > 2 { builder = builder.phone(&texts.4).attribute(Tool(&texts.1)); }
        for (start, stop) in &times {
            builder = builder.time(Timing { start: *start, stop: *stop });
        }
        if let Some((interval, duration, offsets)) = repeat {
            builder = builder.repeat(&Repeat { interval, duration, offsets });
        }
        let mids: Vec<&str> = sections.iter().map(|section| section.3.as_str()).collect();
        if level == 3 { builder = builder.attribute(Group::bundle(mids.iter().copied())); }
        for (kind, port, codecs, mid, direction) in &sections {
            let kind = [MediaKind::Audio, MediaKind::Video, MediaKind::Other("text")][usize::from(*kind)];
            let mut media = Media::builder(kind, *port, "RTP/AVP").attribute(Mid(mid)).direction(Direction::ALL[*direction]);
            for codec in codecs { media = media.codec(codec.clone()); }
            if *direction == 0 { media = media.format(0).information(&texts.0).raw_attribute(mid, Some(&texts.1)); }
            builder = builder.media(media);
        }
        match builder.build() {
            Ok(session) => {
                let text = session.to_string();
                let read = Session::parse_strict(&text);
                prop_assert!(read.is_ok(), "{:?} in\n{}", read, text);
                prop_assert_eq!(read.unwrap(), session.clone());
                prop_assert_eq!(session.check(), []);
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    /// The builder is told only what is right: it lets all of it through.
    #[test]
    fn what_is_right_is_built(
        name in "[!-~é][ -~é]{0,10}",
        numbers in proptest::collection::btree_set(96u8..127, 0..12),
        sections in vec((any::<bool>(), 1..u16::MAX, 0usize..4), 1..6),
        start in 3_000_000_000..4_000_000_000u64,
        ufrag in "[a-zA-Z0-9+/]{4,20}",
        pwd in "[a-zA-Z0-9+/]{22,40}",
        digest in any::<[u8; 32]>(),
        ssrc in any::<u32>(),
    ) {
        let mids: Vec<String> = (0..sections.len()).map(|mid| mid.to_string()).collect();
        let mut builder = Session::builder(&Origin::anonymous(start, 1))
            .name(&name)
            .information(&name)
            .uri("https://www.example.com/")
            .email("Jane Doe <jane@example.com>")
            .phone("+1 617 555-6011")
            .time(Timing { start, stop: start + 1 })
            .repeat(&Repeat { interval: 604_800, duration: 3_600, offsets: vec![0, 90_000] })
            .time(Timing::default())
            .attribute(Group::bundle(mids.iter().map(String::as_str)))
            .attribute(Fingerprint::sha_256(digest));
        for ((is_video, port, direction), mid) in sections.iter().zip(&mids) {
            let kind = if *is_video { MediaKind::Video } else { MediaKind::Audio };
            let mut media = Media::builder(kind, *port, "UDP/TLS/RTP/SAVPF")
                .information(&name)
                .attribute(Mid(mid))
                .attribute(IceUfrag(&ufrag))
                .attribute(IcePwd(&pwd))
                .attribute(Ssrc::cname(ssrc, mid))
                .direction(Direction::ALL[*direction])
                .format(0);
            for number in &numbers {
                media = media.codec(CodecBuilder::new(*number, "VP8", 90_000).feedback(Feedback::NACK));
            }
            builder = builder.media(media);
        }
        let session = builder.build();
        prop_assert!(session.is_ok(), "{:?}", session);
        let text = session.unwrap().to_string();
        let read = Session::parse_strict(&text).unwrap();
        prop_assert_eq!(read.media().len(), sections.len());
        prop_assert_eq!(read.media()[0].codecs().len(), numbers.len() + 1);
        prop_assert_eq!(read.repeats().count(), 1);
        prop_assert_eq!(read.to_string(), text.as_str());
    }

    /// Whatever happened to an offer: it is written as it was read, or there is a place to look at; the checks agree; its
    /// canonical form is canonical.
    #[test]
    fn a_damaged_offer_is_checked(
        edits in vec((any::<Index>(), prop_oneof![
            "[ \t:;,/=~*\\[\\]0-9a-z-]{0,3}",
            Just("\r\n".to_owned()), Just("\n".to_owned()), Just("\r".to_owned()), Just("\0".to_owned()),
        ], 0usize..12), 0..6),
    ) {
        let mut text = OFFER.to_owned();
        for (place, insert, cut) in edits {
            let from = place.index(text.len());
            let end = (from + cut).min(text.len());
            text.replace_range(from..end, &insert);
        }
        let found = check(&text);
        for deviation in &found {
            prop_assert!(deviation.line > 0 && deviation.column > 0);
            prop_assert!(!deviation.explain(&text).to_string().is_empty());
        }
        prop_assert!(found.is_sorted_by_key(|deviation| (deviation.line, deviation.column)));
        prop_assert_eq!(Session::parse_strict(&text).is_ok(), found.is_empty());
        match Session::parse(&text) {
            Ok(mut session) => {
                prop_assert_eq!(session.to_string(), text.as_str());
                prop_assert_eq!(session.check(), found);
                session.normalize();
                let canonical = session.to_string();
                prop_assert!(canonical.split('\n').rev().skip(1).all(|line| line.ends_with('\r')));
                session.normalize();
                prop_assert_eq!(session.to_string(), canonical);
            }
            Err(error) => {
                prop_assert!(error.line > 0 && error.column > 0 && error.reference().is_some());
                prop_assert!(found.iter().any(|deviation| deviation.refused));
            }
        }
    }
}
