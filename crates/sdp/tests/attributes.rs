//! Every attribute type against examples of its RFC: read, written back to the same text, and cut short at
//! every length.

use core::fmt::Debug;
use rtckit_sdp::{Candidate, Error, Media, MediaKind, Origin, Session, attribute::*, protocol};

/// Reads `value`, writes it back to the same text, and reads every beginning of it without a panic.
fn same<'a, A: Attribute<'a> + PartialEq + Debug>(value: &'a str) -> A {
    let parsed = A::parse(value).unwrap_or_else(|error| panic!("{value}: {error}"));
    let mut written = String::new();
    parsed.write(&mut written).expect("a value that was read");
    assert_eq!(written, value);
    cut::<A>(value);
    parsed
}

/// Every beginning of a value is read or refused at a place inside it.
fn cut<'a, A: Attribute<'a>>(value: &'a str) {
    for end in (0..value.len()).filter(|end| value.is_char_boundary(*end)) {
        if let Err(error) = A::parse(&value[..end]) {
            assert!(
                error.column as usize <= end + 1,
                "{error} in {value:?} cut at {end}"
            );
            assert_eq!((error.line, error.field), (0, A::NAME));
        }
    }
}

/// The column and the expectation of the error.
fn refused<'a, A: Attribute<'a> + Debug>(value: &'a str) -> (u32, &'static str) {
    let error = A::parse(value).expect_err(value);
    (error.column, error.expected)
}

#[test]
fn candidates() {
    let host = same::<Candidate<'_>>("1 1 udp 2130706431 203.0.113.141 8998 typ host");
    assert_eq!(host.transport, CandidateTransport::Udp);
    assert_eq!(
        (host.component, host.priority, host.port),
        (1, 2_130_706_431, 8998)
    );
    assert_eq!(host.address.ip(), Some([203, 0, 113, 141].into()));

    let reflexive = "2 1 udp 1694498815 192.0.2.3 45664 typ srflx raddr 10.0.1.1 rport 8998";
    let reflexive = same::<Candidate<'_>>(reflexive);
    assert_eq!(reflexive.kind, CandidateKind::ServerReflexive);
    assert_eq!(reflexive.related, Some((Address::parse("10.0.1.1"), 8998)));

    let tcp = "3 2 tcp 2105524479 fd00::2 9 typ host tcptype active generation 0 network-id 1";
    let tcp = same::<Candidate<'_>>(tcp);
    assert_eq!(tcp.tcp_type, Some(TcpType::Active));
    assert_eq!(tcp.extensions, [("generation", "0"), ("network-id", "1")]);

    let hidden = "842163049 1 udp 1677729535 d1b2-c3.local 46154 typ host ufrag Yx5k";
    let hidden = same::<Candidate<'_>>(hidden);
    assert!(hidden.address.is_mdns());
    assert_eq!(hidden.extension("ufrag"), Some("Yx5k"));

    let odd = same::<Candidate<'_>>("1 1 dccp 1 fe80::1%eth0 5000 typ magic");
    assert_eq!(odd.transport, CandidateTransport::Other("dccp"));
    assert_eq!(odd.kind, CandidateKind::Other("magic"));
    assert_eq!(odd.address, Address::Name("fe80::1%eth0"));

    // Extensions before the related address, capitals, a word without a value: read, written in order.
    let text = "1 1 UDP 1 192.0.2.1 1 typ relay generation 0 rport 2 raddr ::1 last";
    let shuffled = Candidate::parse(text).unwrap();
    assert_eq!(
        shuffled.to_string(),
        "candidate:1 1 udp 1 192.0.2.1 1 typ relay raddr ::1 rport 2 generation 0 last"
    );

    const PORT: &str = "a port from 0 to 65535";
    assert_eq!(
        refused::<Candidate<'_>>("1 1 udp 1 192.0.2.1 70000 typ host"),
        (21, PORT)
    );
    assert_eq!(
        refused::<Candidate<'_>>("1 1 udp 1 a 7 type host"),
        (15, "the word typ")
    );
    assert_eq!(
        refused::<Candidate<'_>>("1 1 udp 1 a 7 typ host tcptype x").0,
        32
    );
}

#[test]
fn a_foundation_may_have_been_left_out() {
    let value = " 1 udp 2113939711 192.0.2.1 9 typ host generation 0";
    let candidate = same::<Candidate<'_>>(value);
    assert_eq!((candidate.foundation, candidate.component), ("", 1));
    assert_eq!(candidate.to_string(), format!("candidate:{value}"));
    let trickled = candidate.to_string();
    assert_eq!(Candidate::parse_trickled(&trickled), Ok(candidate.clone()));
    assert_eq!(Candidate::check(value).unwrap_err().column, 1);

    // A blank before a foundation is only a blank, and without one there is no telling.
    let blank = Candidate::parse(" 1 1 udp 7 192.0.2.1 9 typ host").unwrap();
    assert_eq!((blank.foundation, blank.priority), ("1", 7));
    assert!(Candidate::parse("1 udp 2113939711 192.0.2.1 9 typ host").is_err());

    let mut written = String::new();
    let transport = CandidateTransport::Other("7");
    let ambiguous = Candidate {
        transport,
        ..candidate
    };
    assert!(ambiguous.write(&mut written).is_err());
    let transport = CandidateTransport::Other("a b");
    let foundation = "1";
    assert!(
        Candidate {
            transport,
            foundation,
            ..ambiguous
        }
        .write(&mut written)
        .is_err()
    );
    assert_eq!(written, "");

    let text = format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n\
        m=audio 9 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\na=candidate:{value}\r\n"
    );
    let [deviation] = rtckit_sdp::check(&text)[..] else {
        panic!("{:?}", rtckit_sdp::check(&text));
    };
    assert_eq!(
        deviation.to_string(),
        "line 7, column 13, in candidate: expected a foundation of 1 to 32 letters, digits, + and / (RFC 8839 §5.1)"
    );
}

#[test]
fn a_restriction_may_be_without_a_value() {
    let value = "h send pt=96;max-width;max-fps=30";
    let rid = same::<Rid<'_>>(value);
    assert_eq!(Rid::check(value), Ok(()));
    let limits = rid.limits().unwrap();
    assert_eq!((limits.max_width, limits.max_fps), (None, Some(30)));
    assert_eq!(limits.other, [("max-width", None)]);
    assert_eq!(limits.to_string(), "pt=96;max-fps=30;max-width");
    for wrong in [
        "h send max-width=",
        "h send pt",
        "h send depend",
        "h send max-fps=x",
    ] {
        assert!(Rid::check(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_trickled_candidate_is_read_in_all_three_shapes() {
    let value = "1 1 udp 1 192.0.2.1 7 typ host";
    let candidate = Candidate::parse(value).unwrap();
    for prefix in ["", "candidate:", "a=candidate:"] {
        let text = format!("{prefix}{value}");
        assert_eq!(Candidate::parse_trickled(&text).as_ref(), Ok(&candidate));
    }
    let error = Candidate::parse_trickled("candidate:1 x").unwrap_err();
    assert_eq!(error.column, 13);
    assert!(Candidate::parse_trickled("").is_err());
}

#[test]
fn ice() {
    assert_eq!(same::<IceUfrag<'_>>("hzh3").0, "hzh3");
    assert_eq!(same::<IcePwd<'_>>("eVsIYQVvDWDaFopdXryRIOVT").0.len(), 24);
    assert_eq!(format!("{:?}", IcePwd("secret")), "IcePwd(..)");
    assert!(same::<IceOptions<'_>>("trickle renomination ice2").contains("ice2"));
    assert_eq!(refused::<IceOptions<'_>>("").0, 1);
    assert_eq!(same::<IcePacing>("50"), IcePacing(50));
    let remote = same::<RemoteCandidates<'_>>("1 192.0.2.3 45664 2 192.0.2.3 45665");
    assert_eq!(remote.0[1], (2, Address::parse("192.0.2.3"), 45_665));
    same::<EndOfCandidates>("");
    same::<IceLite>("");
    same::<IceMismatch>("");
}

#[test]
fn grouping() {
    let group = same::<Group<'_>>("BUNDLE foo bar");
    assert!(group.is_bundle());
    assert_eq!(group.mids, ["foo", "bar"]);
    assert_eq!(same::<Group<'_>>("LS").mids, [""; 0]);
    assert_eq!(same::<Mid<'_>>("audio").0, "audio");
    assert_eq!(refused::<Mid<'_>>("0 x"), (3, "the end of the line"));
    assert_eq!(
        same::<Msid<'_>>("47017fee-b6c1-4162-929c-a25110252400").track,
        None
    );
    assert_eq!(same::<Msid<'_>>("- {0872d623}").track, Some("{0872d623}"));
    assert_eq!(refused::<Msid<'_>>(""), (1, "a stream"));
    assert_eq!(same::<MsidSemantic<'_>>(" WMS *").streams, ["*"]);
    assert_eq!(MsidSemantic::parse("WMS").unwrap().semantic, "WMS");
    same::<BundleOnly>("");
    same::<Label<'_>>("main");
}

#[test]
fn dtls() {
    let text = "sha-256 12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD";
    let fingerprint = same::<Fingerprint<'_>>(text);
    assert_eq!(fingerprint.digest.as_bytes().len(), 32);
    assert!(fingerprint.matches("SHA-256", fingerprint.digest.as_bytes()));
    assert!(!fingerprint.matches("sha-256", &[0; 32]));
    let lower = text.to_ascii_lowercase();
    assert_eq!(Fingerprint::parse(&lower), Ok(fingerprint));
    let built = Fingerprint::sha_256(fingerprint.digest.as_bytes().try_into().unwrap());
    assert_eq!(built, fingerprint);

    const HEX: &str = "two hexadecimal digits";
    assert_eq!(refused::<Fingerprint<'_>>("sha-256 12:DG"), (12, HEX));
    assert_eq!(refused::<Fingerprint<'_>>("sha-256 +1:00"), (9, HEX));
    assert_eq!(refused::<Fingerprint<'_>>("sha-256 12:"), (12, HEX));
    assert_eq!(refused::<Fingerprint<'_>>("sha-256 1é"), (9, HEX));
    let long = format!("sha-512 00{}", ":00".repeat(64));
    assert_eq!(
        refused::<Fingerprint<'_>>(&long),
        (201, "a hash of at most 64 bytes")
    );
    assert_eq!(Digest::new(&[0; 65]), None);
    assert_eq!(Digest::new(&[]), None);
    assert_eq!(Digest::new(&[0xab; 20]).unwrap().as_bytes(), [0xab; 20]);

    for name in ["active", "passive", "actpass", "holdconn"] {
        assert_eq!(same::<Setup>(name).as_str(), name);
    }
    assert!(Setup::parse("Active").is_err());
    same::<TlsId<'_>>("abc3de65cddef001be82");
}

#[test]
fn rtcp() {
    assert_eq!(same::<Rtcp<'_>>("53020").connection, None);
    let rtcp = same::<Rtcp<'_>>("53020 IN IP6 2001:2345:6789:ABCD:EF01:2345:6789:ABCD");
    assert_eq!(rtcp.connection.unwrap().address_type, "IP6");
    assert_eq!(refused::<Rtcp<'_>>("43980 IN IP4 ").0, 13);

    let pli = same::<RtcpFb<'_>>("96 nack pli");
    assert_eq!(
        (pli.payload_type, pli.feedback),
        (Some(96), Feedback::NACK_PLI)
    );
    assert_eq!(same::<RtcpFb<'_>>("* transport-cc").payload_type, None);
    assert_eq!(
        same::<RtcpFb<'_>>("* ccm pause nowait").feedback.parameter,
        "pause nowait"
    );
    assert_eq!(refused::<RtcpFb<'_>>("128 nack").0, 1);

    let xr = same::<RtcpXr<'_>>("rcvr-rtt=all:10 voip-metrics");
    let formats: Vec<_> = xr.formats().collect();
    assert_eq!(
        formats,
        [("rcvr-rtt", Some("all:10")), ("voip-metrics", None)]
    );
    same::<RtcpXr<'_>>("");
    same::<RtcpMux>("");
    same::<RtcpMuxOnly>("");
    same::<RtcpRsize>("");
}

#[test]
fn rtp() {
    let opus = same::<RtpMap<'_>>("111 opus/48000/2");
    assert_eq!(
        (opus.payload_type, opus.clock_rate, opus.channels),
        (111, 48_000, Some(2))
    );
    same::<RtpMap<'_>>("99 h263-1998/90000");
    assert_eq!(
        refused::<RtpMap<'_>>("111 opus"),
        (9, "a slash and a clock rate")
    );
    assert_eq!(
        refused::<RtpMap<'_>>("128 opus/48000"),
        (1, "a payload type from 0 to 127")
    );

    let fmtp = same::<Fmtp<'_>>(
        "102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f",
    );
    assert_eq!(fmtp.parameters.value("Packetization-Mode"), Some("1"));
    assert_eq!(fmtp.parameters.number("profile-level-id"), None);
    assert_eq!(
        same::<Fmtp<'_>>("101 0-15").parameters.iter().next(),
        Some(("0-15", None))
    );
    assert!(same::<Fmtp<'_>>("111").parameters.is_empty());
    assert_eq!(
        same::<Fmtp<'_>>("webrtc-datachannel x").payload_type(),
        None
    );

    let extension = same::<ExtMap<'_>>("2/sendrecv http://example.com/082005/ext.htm#xmeta short");
    assert_eq!(extension.direction, Some(Direction::SendRecv));
    assert_eq!((extension.id, extension.attributes), (2, "short"));
    same::<ExtMap<'_>>("4096 urn:example:gps-string");
    for id in [
        "0 urn:x",
        "256 urn:x",
        "4352 urn:x",
        "15x urn:x",
        "1/both urn:x",
        "1",
    ] {
        assert!(ExtMap::parse(id).is_err(), "{id}");
    }
    same::<ExtMapAllowMixed>("");

    let ssrc = same::<Ssrc<'_>>("846427134 cname:LHt:B ILO");
    assert_eq!((ssrc.attribute, ssrc.value), ("cname", Some("LHt:B ILO")));
    assert_eq!(same::<Ssrc<'_>>("1 flag").value, None);
    assert_eq!(refused::<Ssrc<'_>>("4294967296 cname:x").0, 1);
    assert_eq!(
        same::<SsrcGroup<'_>>("FID 475283241 1848848080").ssrcs,
        [475_283_241, 1_848_848_080]
    );
    assert!(SsrcGroup::parse("FID 1 x").is_err());
}

#[test]
fn simulcast() {
    let rid = same::<Rid<'_>>("5 send pt=99,102;max-br=64000");
    assert_eq!(rid.payload_types().collect::<Vec<_>>(), [99, 102]);
    assert_eq!(rid.restrictions.number("max-br"), Some(64_000));
    assert_eq!(same::<Rid<'_>>("q recv").payload_types().count(), 0);
    assert_eq!(refused::<Rid<'_>>("a both"), (3, "send or recv"));

    let simulcast = same::<Simulcast<'_>>("send 1,2,3;~4,~5 recv 6");
    assert_eq!(simulcast.send.len(), 2);
    assert_eq!(
        simulcast.send[1][0],
        SimulcastStream {
            rid: "4",
            paused: true
        }
    );
    assert_eq!(
        Simulcast::parse("send q;h;f").unwrap(),
        Simulcast::sending(["q", "h", "f"])
    );
    let draft = Simulcast::parse(" recv rid=1;2 send 3").unwrap();
    assert_eq!((draft.send.len(), draft.recv.len()), (1, 2));
    for text in [
        "",
        "send",
        "send ;",
        "send 1 send 2",
        "send 1;",
        "both 1",
        "send 1 recv",
    ] {
        assert!(Simulcast::parse(text).is_err(), "{text}");
    }
}

#[test]
fn sctp_and_the_rest() {
    assert_eq!(same::<SctpPort>("5000"), SctpPort(5000));
    assert!(SctpPort::parse("65536").is_err());
    assert_eq!(same::<MaxMessageSize>("1073741823").0, 1_073_741_823);
    assert_eq!(
        same::<SctpMap<'_>>("5000 webrtc-datachannel 1024").streams,
        Some(1024)
    );
    assert_eq!(same::<PTime<'_>>("20").milliseconds(), Some(20));
    assert_eq!(same::<MaxPTime<'_>>("0.125").milliseconds(), Some(0));
    assert_eq!(
        same::<FrameRate<'_>>("29.97").pictures_per_second(),
        Some(29.97)
    );
    assert_eq!(FrameRate("inf").pictures_per_second(), None);
    same::<ImageAttr<'_>>("97 send [x=800,y=640,sar=1.1,q=0.6] [x=480,y=320] recv *");
    let crypto = same::<Crypto<'_>>(
        "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZi|2^20|1:4 FEC_ORDER=FEC_SRTP",
    );
    assert!(!format!("{crypto:?}").contains("d0Rm"));
}

#[test]
fn what_would_be_read_as_something_else_is_not_written() {
    let mut session = Session::new(&Origin::anonymous(1, 1)).unwrap();
    let before = session.to_string();
    for evil in ["0\r\na=ice-lite", "0\n", "0\r", "0\0"] {
        assert_eq!(session.push(Mid(evil)), Err(Error::LineBreak("mid")));
        assert_eq!(
            session.push(Fmtp {
                format: "1",
                parameters: Parameters(evil)
            }),
            Err(Error::LineBreak("fmtp"))
        );
        assert!(session.push(IceOptions(evil)).is_err());
        assert!(session.set(Group::bundle([evil])).is_err());
        assert!(session.set_name(evil).is_err());
        assert!(session.push_raw("x", Some(evil)).is_err());
        assert!(session.push_raw(evil, None).is_err());
        let origin = Origin {
            username: evil,
            ..Origin::anonymous(1, 1)
        };
        assert!(session.set_origin(&origin).is_err());
        assert!(Media::new(MediaKind::Other(evil), 9, "RTP/AVP", [0]).is_err());
        assert!(Media::new(MediaKind::Audio, 9, evil, [0]).is_err());
        assert!(Media::new(MediaKind::Audio, 9, "RTP/AVP", [evil]).is_err());
    }
    assert_eq!(session.push(Mid("0 1")), Err(Error::Word("mid")));
    assert_eq!(session.push(Mid("")), Err(Error::Word("mid")));
    assert_eq!(
        session.push(ExtMap::new(1, "a b")),
        Err(Error::Word("extmap"))
    );
    assert_eq!(session.push_raw("a b", None), Err(Error::AttributeName));
    assert!(Media::new(MediaKind::Audio, 9, protocol::UDP_DTLS_SCTP, [""; 0]).is_err());
    assert_eq!(session.to_string(), before);
}

#[test]
fn debug_shows_no_secret() {
    let text = "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nk=clear:hush\na=ice-pwd:hush\na=crypto:1 A inline:hush\n";
    let session = Session::parse(text).unwrap();
    assert!(!format!("{session:?}").contains("hush"));
    assert!(!format!("{:?}", session.attributes().collect::<Vec<_>>()).contains("hush"));
    assert!(!format!("{:?}", session.key()).contains("hush"));
}

#[test]
fn clocks() {
    let ptp = same::<TsRefClk<'_>>("ptp=IEEE1588-2008:39-A7-94-FF-FE-07-CB-D0:37");
    let TsRefClk::Ptp(ptp) = ptp else {
        panic!("{ptp:?}")
    };
    assert_eq!(ptp.domain, Some(PtpDomain::BareNumber(37)));
    assert_eq!(ptp.grandmaster.unwrap().0[..2], [0x39, 0xA7]);
    same::<TsRefClk<'_>>("ptp=IEEE1588-2002:39-A7-94-FF-FE-07-CB-D0:domain-name=studio");
    same::<TsRefClk<'_>>("ptp=IEEE1588-2008:traceable:domain-nmbr=127");
    same::<TsRefClk<'_>>("ptp=IEEE802.1AS-2011:39-A7-94-FF-FE-07-CB-D0");
    assert_eq!(
        same::<TsRefClk<'_>>("ntp=203.0.113.10"),
        TsRefClk::Ntp("203.0.113.10")
    );
    assert_eq!(
        same::<TsRefClk<'_>>("ntp=/traceable/"),
        TsRefClk::NtpTraceable
    );
    for (text, clock) in [
        ("gps", TsRefClk::Gps),
        ("gal", TsRefClk::Galileo),
        ("glonass", TsRefClk::Glonass),
        ("local", TsRefClk::Local),
        ("private", TsRefClk::Private { traceable: false }),
        ("private:traceable", TsRefClk::Private { traceable: true }),
    ] {
        assert_eq!(same::<TsRefClk<'_>>(text), clock);
    }
    let mac = same::<TsRefClk<'_>>("localmac=7C-E9-D3-1B-9A-AF");
    assert!(format!("{mac:?}").contains("7C-E9-D3-1B-9A-AF"));
    same::<TsRefClk<'_>>("atomic=no. 7");
    same::<TsRefClk<'_>>("atomic");
    assert_eq!(
        refused::<TsRefClk<'_>>("ptp=IEEE1588-2008:39-A7-94:0").0,
        27
    );
    assert_eq!(refused::<TsRefClk<'_>>("ptp=IEEE1588-2008").0, 18);
    assert_eq!(
        refused::<TsRefClk<'_>>("ptp=IEEE1588-2008:traceable:128"),
        (29, "a domain from 0 to 127")
    );
    assert_eq!(refused::<TsRefClk<'_>>("ntp").0, 4);
    assert_eq!(refused::<TsRefClk<'_>>("localmac=7C-").0, 13);

    let direct = same::<MediaClk<'_>>("direct=963214424 rate=1000/1001");
    let offset = Some(963_214_424);
    let rate = Some((1000, 1001));
    assert_eq!(direct.source, MediaClock::Direct { offset, rate });
    same::<MediaClk<'_>>("direct");
    same::<MediaClk<'_>>("sender");
    let named = same::<MediaClk<'_>>("id=MDA6NjA6MmI6MjA6MTI6MWY= sender");
    assert_eq!(named.id, Some("MDA6NjA6MmI6MjA6MTI6MWY="));
    assert!(same::<MediaClk<'_>>("id=src:MDA6= IEEE1722=38-D6-6D-8E-D2-78-13-2F").of_source);
    same::<MediaClk<'_>>("quartz=32768 Hz");
    same::<MediaClk<'_>>("quartz");
    assert_eq!(
        MediaClk::parse("direct= ").unwrap().source,
        MediaClock::Direct {
            offset: None,
            rate: None
        }
    );
    assert_eq!(refused::<MediaClk<'_>>("direct=0 rate=1").0, 16);
    assert_eq!(refused::<MediaClk<'_>>("direct=x").0, 8);
}

#[test]
fn keys_in_the_clear() {
    let text = "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4;\
                inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj|1000000 KDR=1 UNENCRYPTED_SRTP \
                UNENCRYPTED_SRTCP UNAUTHENTICATED_SRTP FEC_ORDER=FEC_SRTP FEC_KEY=inline:AAAA WSH=128 -x=1 y";
    let crypto = same::<Crypto<'_>>(text);
    assert_eq!((crypto.tag, crypto.keys.len()), (1, 2));
    assert_eq!(crypto.suite, Crypto::AES_CM_128_HMAC_SHA1_80);
    let key = crypto.keys[0];
    assert_eq!(key.lifetime, Some(Lifetime::PowerOfTwo(20)));
    assert_eq!(key.lifetime.unwrap().packets(), Some(1 << 20));
    assert_eq!(
        key.mki,
        Some(Mki {
            value: "1",
            length: 4
        })
    );
    assert_eq!(key.to_bytes().unwrap().len(), 30);
    assert_eq!(crypto.keys[1].lifetime.unwrap().packets(), Some(1_000_000));
    assert_eq!(Lifetime::PowerOfTwo(64).packets(), None);
    assert_eq!(crypto.session_parameters.len(), 9);
    assert!(crypto.has(SessionParameter::UnencryptedSrtp));
    assert!(crypto.has(SessionParameter::KeyDerivationRate(1)));
    let shown = format!("{crypto:?}");
    assert!(
        !shown.contains("d0Rm") && !shown.contains("AAAA"),
        "{shown}"
    );
    same::<Crypto<'_>>(
        "2 F8_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm|2:18",
    );

    let at = |value| refused::<Crypto<'_>>(value).0;
    assert_eq!(at("1 X inline:A|2^x"), 14);
    assert_eq!(at("1 X inline:A|1:4|2^20"), 18);
    assert_eq!(at("1 X inline:A|1:129"), 14);
    assert_eq!(at("1 X inline"), 11);
    assert_eq!(at("1 X inline:A KDR=25"), 14);
    assert_eq!(at("1 X inline:A WSH="), 14);
    assert_eq!(at("1 X inline:"), 12);
    assert_eq!(Crypto::check("1 X inline:AAA").unwrap_err().column, 15);
    assert_eq!(Crypto::check(text), Ok(()));

    let message = same::<KeyMgmt<'_>>("mikey AQAFgM0X");
    assert_eq!(message.protocol, "mikey");
    assert!(!format!("{message:?}").contains("AQAF"));
    assert_eq!(KeyMgmt::check("mikey AQA").unwrap_err().column, 10);
    assert_eq!(refused::<KeyMgmt<'_>>("mikey").0, 6);
    let unwritable = KeyMgmt {
        protocol: "a b",
        data: "AAAA",
    };
    assert!(unwritable.write(&mut String::new()).is_err());
    same::<Cryptex>("");
    let no_key = Crypto {
        keys: Vec::new(),
        ..crypto
    };
    assert!(no_key.write(&mut String::new()).is_err());
}

#[test]
fn picture_sizes() {
    let text = "97 send [x=800,y=640,sar=1.1,q=0.6] [x=480,y=320] recv [x=330,y=250]";
    let sizes = same::<ImageAttr<'_>>(text);
    assert_eq!(sizes.payload_type, Some(97));
    let Some(ImageSets::Listed(sets)) = &sizes.send else {
        panic!("{sizes:?}")
    };
    assert_eq!(sets[0].sample_aspect_ratio(), Some(Ratio::One(11_000)));
    assert_eq!((sets[0].preference(), sets[1].preference()), (0.6, 0.5));
    let text =
        "* recv [x=[800:16:1280],y=[240,480,720],par=[1.2-1.3]] send [x=[1:2],y=1,sar=[1.0,1.25]]";
    let sizes = ImageAttr::parse(text).unwrap();
    let (Some(ImageSets::Listed(send)), Some(ImageSets::Listed(recv))) = (&sizes.send, &sizes.recv)
    else {
        panic!("{sizes:?}")
    };
    assert_eq!(
        recv[0].picture_aspect_ratio(),
        Some(Ratio::Range(12_000, 13_000))
    );
    assert_eq!(
        send[0].sample_aspect_ratio(),
        Some(Ratio::List(vec![10_000, 12_500]))
    );
    assert!(recv[0].x.contains(816) && !recv[0].x.contains(817));
    assert!(recv[0].y.contains(480) && !recv[0].y.contains(481));
    assert!(send[0].y.contains(1) && !send[0].y.contains(2));
    let mut written = String::new();
    sizes.write(&mut written).unwrap();
    assert_eq!(ImageAttr::parse(&written).as_ref(), Ok(&sizes));
    assert_eq!(
        same::<ImageAttr<'_>>("* send * recv *").recv,
        Some(ImageSets::Any)
    );
    assert_eq!(Ratio::parse("11.5"), None);
    assert_eq!(Ratio::parse("1.12345"), None);

    let at = |value| refused::<ImageAttr<'_>>(value).0;
    assert_eq!(at("97 send"), 8);
    assert_eq!(at("97 send [x=0,y=1]"), 12);
    assert_eq!(at("97 send [x=1]"), 13);
    assert_eq!(at("97 send [x=[2:1],y=1]"), 15);
    assert_eq!(at("97 send * send *"), 11);
    assert_eq!(at("97 send [x=1,y=1,q=]"), 20);
    assert_eq!(at("97 send [x=1,y=1,sar=[1.1"), 22);
    assert_eq!(at("97 send [x=[1,2,y=1]"), 17);
    assert_eq!(at("128 send *"), 1);
    let nothing = ImageAttr {
        payload_type: None,
        send: None,
        recv: None,
    };
    assert!(nothing.write(&mut String::new()).is_err());
    let empty = ImageAttr {
        send: Some(ImageSets::Listed(Vec::new())),
        ..nothing
    };
    assert!(empty.write(&mut String::new()).is_err());
}

#[test]
fn who_may_send_and_what_it_is_about() {
    let filter = same::<SourceFilter<'_>>(" incl IN IP4 233.252.0.1 198.51.100.1 198.51.100.2");
    assert_eq!(filter.mode, FilterMode::Include);
    assert_eq!(filter.sources.len(), 2);
    let filter = SourceFilter::parse("excl IN * * src.example.com").unwrap();
    assert_eq!(
        (filter.mode, filter.destination),
        (FilterMode::Exclude, "*")
    );
    assert_eq!(
        refused::<SourceFilter<'_>>(" both IN IP4 a b").1,
        "incl or excl"
    );
    assert_eq!(
        refused::<SourceFilter<'_>>(" incl IN IP4 a").1,
        "the address of a source"
    );
    let nobody = SourceFilter {
        sources: Vec::new(),
        ..filter
    };
    assert!(nobody.write(&mut String::new()).is_err());

    let content = same::<Content<'_>>("slides,sl");
    assert!(content.contains(Content::SIGN_LANGUAGE) && !content.contains(Content::MAIN));
    assert_eq!(Content::check("slides,,sl").unwrap_err().column, 8);
    assert_eq!(refused::<Content<'_>>("").0, 1);
    assert_eq!(same::<Quality>("10"), Quality(10));
    assert_eq!(same::<Keywds<'_>>("opera, live").0, "opera, live");
    assert_eq!(same::<Tool<'_>>("rtckit 0.1").0, "rtckit 0.1");
    same::<Cat<'_>>("a.b");
    assert_eq!(same::<Charset<'_>>("ISO-8859-1").0, "ISO-8859-1");
    same::<ConferenceType<'_>>("broadcast");
    same::<Orient<'_>>("landscape");
    same::<SdpLang<'_>>("fr");
    assert_eq!(same::<Lang<'_>>("de-CH-1996").0, "de-CH-1996");
    assert_eq!(Lang::check("de--CH").unwrap_err().column, 4);
    assert_eq!(Lang::check("deutschland").unwrap_err().column, 1);
    assert_eq!(SdpLang::check("en_GB").unwrap_err().column, 3);
    assert!(Keywds("").write(&mut String::new()).is_err());
    assert_eq!(same::<Reuse>("existing"), Reuse::Existing);
    assert_eq!(same::<Reuse>("new"), Reuse::New);
    assert_eq!(refused::<Reuse>("old").1, "new or existing");
}

#[test]
fn an_init_chunk_in_the_description() {
    // The draft's own example.
    let text = "AQAAHols3R0AUAAA/////+B5ZR3AAAAEgAgABoLA";
    let init = same::<SctpInit<'_>>(text);
    let chunk = init.to_bytes().unwrap();
    assert_eq!((chunk[0], chunk.len()), (1, 30));
    assert_eq!(SctpInit::encode(&chunk), text);
    for length in 0..5 {
        let text = SctpInit::encode(&chunk[..length]);
        assert_eq!(
            SctpInit(&text).to_bytes().as_deref(),
            Some(&chunk[..length])
        );
    }
    assert_eq!(SctpInit::parse("AQA").unwrap().to_bytes(), Some(vec![1, 0]));
    assert_eq!(SctpInit::check("AQA").unwrap_err().column, 4);
    assert_eq!(refused::<SctpInit<'_>>("AQ!A").0, 3);
    assert_eq!(SctpInit("A").to_bytes(), None);
    let long = "AAAA".repeat(SctpInit::MAX);
    assert_eq!(SctpInit(&long).to_bytes(), None);
}

#[test]
fn the_letter_of_the_rfc_is_stricter_than_the_parsers() {
    fn lax<'a, A: Attribute<'a>>(value: &'a str) -> u32 {
        assert!(A::parse(value).is_ok(), "{value}");
        A::check(value).expect_err(value).column
    }
    assert_eq!(lax::<IceUfrag<'_>>("abc"), 4);
    assert_eq!(lax::<IceUfrag<'_>>("ab_cd"), 3);
    assert_eq!(lax::<IcePwd<'_>>("short"), 6);
    assert_eq!(lax::<TlsId<'_>>("short"), 6);
    assert_eq!(lax::<TlsId<'_>>(&"x".repeat(256)), 256);
    assert_eq!(lax::<Mid<'_>>("a(b"), 2);
    assert_eq!(lax::<Label<'_>>("a(b"), 2);
    assert_eq!(lax::<Msid<'_>>("a/b"), 2);
    let small = format!("sha-1 ab{}", ":CD".repeat(19));
    assert_eq!(lax::<Fingerprint<'_>>(&small), 7);
    assert_eq!(lax::<Fingerprint<'_>>("sha-256 AB:CD"), 14);
    assert_eq!(lax::<Rid<'_>>("a.b send"), 2);
    assert_eq!(lax::<Rid<'_>>("a send max-width=big"), 18);
    assert_eq!(lax::<Simulcast<'_>>("send rid=a"), 6);
    assert_eq!(lax::<RtcpMux>("yes"), 1);
    assert_eq!(lax::<PTime<'_>>("0"), 1);
    assert_eq!(lax::<PTime<'_>>("020"), 1);
    assert_eq!(lax::<PTime<'_>>("20."), 4);
    assert_eq!(lax::<MaxPTime<'_>>("20ms"), 3);
    assert_eq!(lax::<FrameRate<'_>>("29.970"), 6);
    assert_eq!(FrameRate::check("29.97"), Ok(()));
    assert_eq!(PTime("0.125").microseconds(), Some(125));
    assert_eq!(PTime("20").microseconds(), Some(20_000));
    assert_eq!(PTime("2x").microseconds(), None);
    assert_eq!(PTime("2.x").microseconds(), None);
    assert_eq!(lax::<IceOptions<'_>>("trickle a_b"), 10);
    assert_eq!(lax::<RtcpXr<'_>>("pkt-loss-rle=x"), 14);
    assert_eq!(lax::<RtcpXr<'_>>("rcvr-rtt"), 1);
    assert_eq!(lax::<RtcpXr<'_>>("rcvr-rtt=all:"), 10);
    assert_eq!(lax::<RtcpXr<'_>>("stat-summary=loss,luck"), 14);
    assert_eq!(lax::<RtcpXr<'_>>("voip-metrics=1"), 14);
    let all =
        "pkt-loss-rle pkt-dup-rle=9 rcvr-rtt=sender:100 stat-summary=loss,TTL voip-metrics x-new=1";
    assert_eq!(RtcpXr::check(all), Ok(()));
    assert_eq!(RtcpXr::check(""), Ok(()));
    let host = "1 1 udp 1 192.0.2.1 9 typ host";
    assert_eq!(lax::<Candidate<'_>>(&format!("x_{host}")), 2);
    assert_eq!(lax::<Candidate<'_>>("1 0 udp 1 192.0.2.1 9 typ host"), 3);
    assert_eq!(
        lax::<Candidate<'_>>(&format!("{host} a b raddr 192.0.2.1 rport 9")),
        36
    );
    assert_eq!(
        lax::<Candidate<'_>>(&format!("{host} rport 9 raddr 192.0.2.1")),
        32
    );
    let relay = "1 1 udp 1 192.0.2.1 9 typ relay";
    for (wrong, column) in [
        (format!("{host} raddr 192.0.2.1 rport 9"), 32),
        (relay.to_owned(), 27),
        (format!("{relay} raddr 192.0.2.1"), 27),
        (format!("{relay} rport 9"), 33),
        (format!("{relay} raddr 300.0.0.1 rport 9"), 39),
        (
            format!("{host} tcptype active")
                .replace("udp", "tcp")
                .replace("host t", "host a b t"),
            36,
        ),
        (host.replace("udp", "tcp"), 27),
        (host.replace("192.0.2.1", "300.0.0.1"), 11),
        (host.replace("192.0.2.1", "[2001:db8::1]"), 11),
        (host.replace("192.0.2.1", "fe80::1%eth0"), 11),
    ] {
        assert_eq!(lax::<Candidate<'_>>(&wrong), column, "{wrong}");
    }
    for right in [
        format!("{relay} raddr 192.0.2.1 rport 9 a b"),
        format!("{relay} raddr :: rport 9 tcptype so a b").replace("udp", "TCP"),
        format!("{host} tcptype active").replace("udp", "tcp"),
        host.replace("192.0.2.1", "2001:db8::1"),
        host.replace("192.0.2.1", "1f4712db-ea17-4bcf-a596-105139dfd8bf.local"),
        host.replace("host", "magic"),
    ] {
        assert_eq!(Candidate::check(&right), Ok(()), "{right}");
    }
    assert_eq!(lax::<RemoteCandidates<'_>>("1 192.0.2.3 9 2 [::1] 9"), 17);
    assert_eq!(lax::<RemoteCandidates<'_>>("1 192.0.2.3 9 0 ::1 9"), 15);
    assert_eq!(RemoteCandidates::check("1 192.0.2.3 9 2 ::1 9"), Ok(()));
    assert_eq!(lax::<Fmtp<'_>>("109"), 4);
    assert_eq!(Fmtp::check("109 0-15"), Ok(()));
    assert_eq!(lax::<IceOptions<'_>>("trickle google-ice"), 15);
    assert_eq!(IceOptions::check("ice2 rtp+ecn trickle"), Ok(()));
    assert_eq!(Msid::check("a b c").unwrap_err().column, 4);
    assert_eq!(Msid::check("stream track"), Ok(()));
    assert_eq!(Kind::SendRecv.check("x").unwrap_err().column, 1);
    assert_eq!(Kind::SendRecv.check(""), Ok(()));
}

#[test]
fn every_kind_reads_what_it_writes() {
    let values = [
        ("sendonly", ""),
        ("ice-lite", ""),
        ("ptime", "20"),
        ("rtpmap", "0 PCMU/8000"),
        ("candidate", "1 1 udp 1 192.0.2.1 9 typ host"),
    ];
    for (name, value) in values {
        let text = format!("v=0\no=- 1 1 IN IP4 0.0.0.0\na={name}:{value}\n");
        let session = Session::parse(&text).unwrap();
        let raw = session.attributes().next().unwrap();
        let typed = raw.typed().unwrap().unwrap();
        assert_eq!(
            (typed.kind().name(), raw.kind()),
            (name, Some(typed.kind()))
        );
        let mut written = String::new();
        typed.write(&mut written).unwrap();
        assert_eq!(written, value);
    }
    for direction in Direction::ALL {
        let kind = Kind::from_name(direction.as_str()).unwrap();
        let typed = Typed::parse(kind, "").unwrap();
        assert_eq!((typed.kind(), typed), (kind, Typed::Direction(direction)));
        assert_eq!(kind.level(), Level::Both);
    }
    let text = "v=0\no=- 1 1 IN IP4 0.0.0.0\na=x-mine:1\na=ptime: x y\n";
    let session = Session::parse(text).unwrap();
    let mut attributes = session.attributes();
    assert_eq!(attributes.next().unwrap().typed(), None);
    let error = attributes.next().unwrap().typed().unwrap().unwrap_err();
    assert_eq!((error.line, error.column), (4, 12));
    assert_eq!(error.found(text), "y");
    assert_eq!(error.reference().unwrap().to_string(), "RFC 8866 §6.4");
}
