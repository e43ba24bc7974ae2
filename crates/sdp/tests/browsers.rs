//! What Chromium and Firefox really send, whole and with one thing changed: written back byte for byte, and
//! every attribute read and written to the same text.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use rtckit_sdp::{Candidate, MediaKind, ParseError, Session, attribute::*, protocol};
use std::{fs, path::Path};

fn folder(name: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(name);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    assert!(files.len() > 10);
    files
}

fn file(name: &str) -> String {
    let files = folder("browsers").into_iter().chain(folder("mutated"));
    let mut files = files.filter(|(other, _)| other == name);
    files.next().expect(name).1
}

#[test]
fn every_text_is_written_as_it_was_read() {
    for (name, text) in folder("browsers").into_iter().chain(folder("mutated")) {
        let session = Session::parse(&text)
            .unwrap_or_else(|error| panic!("{name}: {}", error.explain(&text)));
        assert_eq!(session.to_string(), text, "{name}");
        assert_eq!(session.into_owned().to_string(), text, "{name}");
        for other in [text.replace("\r\n", "\n"), text.trim_end().to_owned()] {
            assert_eq!(Session::parse(&other).unwrap().to_string(), other, "{name}");
        }
    }
}

#[test]
fn nothing_is_found_wrong_with_what_a_browser_sends() {
    for (name, text) in folder("browsers") {
        assert_eq!(rtckit_sdp::check(&text), [], "{name}");
    }
}

#[test]
fn every_attribute_of_a_browser_is_understood() {
    for (name, text) in folder("browsers") {
        let session = Session::parse(&text).unwrap();
        let media = session.media().iter().flat_map(|media| media.attributes());
        for attribute in session.attributes().chain(media) {
            let written = rewritten(&attribute)
                .unwrap_or_else(|| panic!("{name}: {attribute:?} has no type"));
            let written =
                written.unwrap_or_else(|error| panic!("{name}: {}", error.explain(&text)));
            // Two liberties are taken: candidates say `udp`, and a blank comes before `WMS`.
            let raw = attribute.value.unwrap_or_default();
            let raw = raw.replace(" UDP ", " udp ").replace(" TCP ", " tcp ");
            assert_eq!(written.trim_start(), raw.trim_start(), "{name}");
        }
    }
}

/// Reads the attribute as whatever it is, and writes it again.
fn rewritten(raw: &RawAttribute<'_>) -> Option<Result<String, ParseError>> {
    fn write<'a, A: Attribute<'a>>(attribute: A) -> String {
        let mut written = String::new();
        attribute.write(&mut written).unwrap();
        written
    }
    if Direction::from_name(raw.name).is_some() {
        return Some(Ok(String::new()));
    }
    macro_rules! any {
        ($($type:ty),* $(,)?) => { None$(.or_else(|| raw.parse::<$type>().map(|read| read.map(write))))* };
    }
    any!(
        BundleOnly,
        Candidate<'_>,
        EndOfCandidates,
        ExtMap<'_>,
        ExtMapAllowMixed,
        Fingerprint<'_>,
        Fmtp<'_>,
        Group<'_>,
        IceOptions<'_>,
        IcePwd<'_>,
        IceUfrag<'_>,
        MaxMessageSize,
        Mid<'_>,
        Msid<'_>,
        MsidSemantic<'_>,
        Rid<'_>,
        Rtcp<'_>,
        RtcpFb<'_>,
        RtcpMux,
        RtcpRsize,
        RtcpXr<'_>,
        RtpMap<'_>,
        SctpPort,
        Setup,
        Simulcast<'_>,
        Ssrc<'_>,
        SsrcGroup<'_>,
    )
}

#[test]
fn a_simulcast_offer_of_chromium_is_read_whole() {
    let text = file("chromium156_c2_live_simulcast_offer");
    let session = Session::parse(&text).unwrap();
    assert_eq!(session.origin().unwrap().session_version, 2);
    assert!(session.bundle_groups().eq([Group::bundle(["0", "1", "2"])]));
    assert!(session.has("extmap-allow-mixed"));

    let [audio, video, data] = session.media() else {
        panic!("three sections");
    };
    assert_eq!(audio.kind(), MediaKind::Audio);
    let names: Vec<_> = audio
        .codecs()
        .iter()
        .map(|codec| codec.rtpmap.encoding.to_owned())
        .collect();
    assert_eq!(
        names,
        [
            "opus",
            "red",
            "G722",
            "PCMU",
            "PCMA",
            "CN",
            "telephone-event",
            "telephone-event"
        ]
    );
    assert_eq!(
        audio
            .attributes_of::<Candidate<'_>>()
            .filter(Result::is_ok)
            .count(),
        2
    );

    assert_eq!(session.direction_of(video), Direction::SendRecv);
    let simulcast = video.attribute::<Simulcast<'_>>().unwrap().unwrap();
    assert_eq!(simulcast, Simulcast::sending(["q", "h", "f"]));
    let rids: Vec<_> = video
        .attributes_of::<Rid<'_>>()
        .map(|rid| rid.unwrap().id)
        .collect();
    assert_eq!(rids, ["q", "h", "f"]);
    let codecs = video.codecs();
    assert_eq!(codecs.len(), 23);
    let vp8 = codecs.iter().find(|codec| codec.is("VP8")).unwrap();
    assert!(
        [
            Feedback::NACK,
            Feedback::NACK_PLI,
            Feedback::CCM_FIR,
            Feedback::GOOG_REMB,
            Feedback::TRANSPORT_CC
        ]
        .into_iter()
        .all(|feedback| vp8.has_feedback(feedback))
    );
    let rtx = codecs
        .iter()
        .find(|codec| codec.associated_payload_type() == Some(96));
    assert_eq!(rtx.unwrap().payload_type(), 97);
    let extensions: Vec<_> = video
        .attributes_of::<ExtMap<'_>>()
        .map(Result::unwrap)
        .collect();
    assert!(extensions.contains(&ExtMap::new(4, "urn:ietf:params:rtp-hdrext:sdes:mid")));

    assert_eq!(data.kind(), MediaKind::Application);
    assert_eq!(data.protocol(), protocol::UDP_DTLS_SCTP);
    assert!(data.codecs().is_empty());
    assert_eq!(data.attribute::<SctpPort>(), Some(Ok(SctpPort(5000))));
    assert_eq!(
        data.attribute::<MaxMessageSize>(),
        Some(Ok(MaxMessageSize(262_144)))
    );
}

#[test]
fn an_offer_of_firefox_is_read_whole() {
    let text = file("firefox153_firefox_live_simulcast_offer");
    let session = Session::parse(&text).unwrap();
    let video = session.media_by_mid("1").unwrap();
    let fingerprint = session
        .attribute_for::<Fingerprint<'_>>(video)
        .unwrap()
        .unwrap();
    assert_eq!(fingerprint.digest.as_bytes()[..2], [0x6e, 0xcb]);
    assert_eq!(
        session.attribute_for::<Setup>(video),
        Some(Ok(Setup::ActPass))
    );
    let candidates: Vec<_> = video
        .attributes_of::<Candidate<'_>>()
        .map(Result::unwrap)
        .collect();
    assert_eq!(candidates.len(), 8);
    assert_eq!(candidates[2].tcp_type, Some(TcpType::Active));
    assert!(video.has("end-of-candidates"));
    let groups: Vec<_> = video
        .attributes_of::<SsrcGroup<'_>>()
        .map(Result::unwrap)
        .collect();
    assert_eq!(groups[2].ssrcs, [1_576_998_486, 2_642_781_060]);
    let extension = video
        .attributes_of::<ExtMap<'_>>()
        .map(Result::unwrap)
        .find(|e| e.id == 6);
    assert_eq!(extension.unwrap().direction, Some(Direction::RecvOnly));
}

#[test]
fn rejected_and_bundled_sections_are_told_apart() {
    let text = file("chromium156_audio_video_data_stopped_offer");
    let session = Session::parse(&text).unwrap();
    let rejected: Vec<bool> = session
        .media()
        .iter()
        .map(|media| session.is_rejected(media))
        .collect();
    assert_eq!(rejected, [false, true, false]);

    let text = file("firefox153_max_bundle_av_offer");
    let session = Session::parse(&text).unwrap();
    assert_eq!(session.media()[1].port(), 0);
    assert!(!session.is_rejected(&session.media()[1]));
}

#[test]
fn what_was_changed_spoils_only_itself() {
    let text = file("mut_fmtp_no_value__firefox153");
    let session = Session::parse(&text).unwrap();
    assert!(session.media()[0].codecs()[0].is("opus"));

    let text = file("mut_tab_separators__firefox153");
    let session = Session::parse(&text).unwrap();
    assert_eq!(session.media()[0].protocol(), protocol::UDP_TLS_RTP_SAVPF);

    let text = file("mut_b_lines__firefox153");
    let session = Session::parse(&text).unwrap();
    let bandwidths: Vec<_> = session.media()[0].bandwidths().collect();
    assert_eq!(
        bandwidths
            .iter()
            .filter(|bandwidth| bandwidth.is_ok())
            .count(),
        2
    );
    let error = bandwidths[2].unwrap_err();
    assert_eq!(
        (error.line, error.column, error.expected),
        (14, 6, "a number")
    );

    let text = file("mut_truncated_mid_line__firefox153");
    let session = Session::parse(&text).unwrap();
    let last = session.media().last().unwrap();
    let error = last.attribute::<Rtcp<'_>>().unwrap().unwrap_err();
    assert_eq!(error.line as usize, text.lines().count());

    let text = file("mut_m_proto_dtls_sctp_old__firefox153");
    let session = Session::parse(&text).unwrap();
    let data = session.media().last().unwrap();
    assert_eq!(data.protocol(), protocol::DTLS_SCTP);
    assert!(data.formats().eq(["5000"]));
}
