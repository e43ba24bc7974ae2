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
