//! The parameters of codecs: what their documents have as examples, defaults, and what is refused where.

use rtckit_sdp::{
    Session,
    attribute::{Attribute, Parameters, Rid},
    parameters::*,
};

fn parse<'a>(encoding: &str, text: &'a str) -> CodecParameters<'a> {
    CodecParameters::parse(encoding, Parameters(text))
        .unwrap_or_else(|error| panic!("{encoding} {text}: {error}"))
}

/// Reads the text as this codec's, and writes it back to the same text.
fn same<'a>(encoding: &str, text: &'a str) -> CodecParameters<'a> {
    let parameters = parse(encoding, text);
    assert_eq!(parameters.to_string(), text);
    parameters
}

fn refused(encoding: &str, text: &str) -> (u32, &'static str) {
    let error = CodecParameters::parse(encoding, Parameters(text)).expect_err(text);
    (error.column, error.expected)
}

#[test]
fn every_codec_writes_what_it_read() {
    for (encoding, text) in [
        (
            "H264",
            "profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1;sprop-parameter-sets=Z0IACpZTBYmI,aMljiA==",
        ),
        (
            "h264",
            "max-recv-level=e01f;max-mbps=1;max-smbps=2;max-fs=3;max-cpb=4;max-dpb=5;max-br=6;sprop-interleaving-depth=7",
        ),
        (
            "H265",
            "profile-space=0;profile-id=1;tier-flag=0;level-id=93;interop-constraints=B00000000000;tx-mode=SRST;\
             sprop-max-don-diff=2;sprop-vps=A;sprop-sps=B;sprop-pps=C",
        ),
        ("VP8", "max-fr=30;max-fs=3600"),
        ("VP9", "profile-id=2;max-fr=30;max-fs=3600"),
        ("AV1", "profile=0;level-idx=8;tier=1"),
        (
            "opus",
            "maxplaybackrate=48000;sprop-maxcapturerate=16000;maxaveragebitrate=20000;stereo=1;sprop-stereo=0;\
             cbr=0;useinbandfec=1;usedtx=0;minptime=10;ptime=20;maxptime=60;x-google-min-bitrate=1;flag",
        ),
        ("rtx", "apt=96;rtx-time=3000"),
        ("red", "111/111"),
        ("telephone-event", "0-15,66,70"),
        ("G729", "annexb=no"),
    ] {
        same(encoding, text);
    }
}

#[test]
fn what_is_not_said_has_its_default() {
    let CodecParameters::H264(h264) = parse("H264", "") else {
        panic!()
    };
    assert_eq!(h264.profile(), H264Profile::Baseline);
    assert_eq!(h264.level(), H264Level::new(10));
    assert_eq!(
        (h264.packetization(), h264.allows_level_asymmetry()),
        (0, false)
    );
    let CodecParameters::H265(h265) = parse("H265", "") else {
        panic!()
    };
    assert_eq!(
        h265.configuration(),
        (0, 1, false, InteropConstraints(0xB000_0000_0000))
    );
    assert_eq!((h265.level(), h265.transmission_mode()), (93, "SRST"));
    let CodecParameters::Av1(av1) = parse("AV1X", "") else {
        panic!()
    };
    assert_eq!(
        (
            av1.profile_or_default(),
            av1.level_idx_or_default(),
            av1.tier_or_default()
        ),
        (0, 5, 0)
    );
    let CodecParameters::Vp9(vp9) = parse("VP9", "") else {
        panic!()
    };
    assert_eq!(vp9.profile(), 0);
    let CodecParameters::TelephoneEvent(events) = CodecParameters::none("telephone-event") else {
        panic!()
    };
    assert!(events.contains(15) && !events.contains(16));
    assert_eq!(
        CodecParameters::none("rtx"),
        CodecParameters::Other(Parameters(""))
    );
    assert_eq!(
        CodecParameters::none("G722"),
        CodecParameters::Other(Parameters(""))
    );
}

#[test]
fn what_is_wrong_has_its_place() {
    assert_eq!(
        refused("H264", "packetization-mode=3"),
        (20, "a mode from 0 to 2")
    );
    assert_eq!(
        refused("H264", "a=1;profile-level-id=42e0"),
        (22, "six hexadecimal digits")
    );
    assert_eq!(
        refused("H264", "profile-level-id"),
        (1, "six hexadecimal digits")
    );
    assert_eq!(
        refused("H265", "interop-constraints=B0"),
        (21, "12 hexadecimal digits")
    );
    assert_eq!(refused("VP9", "profile-id=4").0, 12);
    assert_eq!(refused("VP8", "max-fr=+3").0, 8);
    assert_eq!(refused("AV1", "profile=0;tier=2").0, 16);
    assert_eq!(refused("opus", "stereo=yes"), (8, "0 or 1"));
    assert_eq!(refused("rtx", "rtx-time=1"), (1, "apt= and a payload type"));
    assert_eq!(refused("rtx", "apt=128").0, 5);
    assert_eq!(refused("red", "111/x").0, 5);
    assert_eq!(refused("telephone-event", "0-15,256").0, 6);
    assert_eq!(refused("telephone-event", "15-0").0, 1);
}

#[test]
fn names_are_read_in_any_case_and_the_first_of_two_counts() {
    let CodecParameters::Opus(opus) = parse("OPUS", "UseInbandFEC=1; useinbandfec=0") else {
        panic!()
    };
    assert_eq!((opus.useinbandfec, opus.other.len()), (Some(true), 0));
}

#[test]
fn events_in_common_are_joined_into_ranges() {
    let events = |text| TelephoneEvent::parse(Parameters(text)).unwrap();
    let common = events("0-15,66,70-80").intersection(&events("events=10-72"));
    assert_eq!(common.to_string(), "10-15,66,70-72");
    assert_eq!(events("1").intersection(&events("2")).to_string(), "");
    assert_eq!(
        events("0-255").intersection(&events("0-255")).to_string(),
        "0-255"
    );
}

#[test]
fn restrictions_of_an_encoding() {
    let text = "h send pt=96,97;max-width=1280;max-height=720;max-fps=30;max-fs=3600;max-br=2000000;max-pps=9;\
                max-bpp=0.25;depend=a,b;other=1";
    let limits = Rid::parse(text).unwrap().limits().unwrap();
    assert_eq!(limits.max_height, Some(720));
    assert!(limits.depends_on().eq(["a", "b"]));
    assert_eq!(limits.other, [("other", Some("1"))]);
    assert_eq!(limits.to_string(), text.strip_prefix("h send ").unwrap());
    for wrong in [
        "h send pt=128",
        "h send max-bpp=1",
        "h send max-bpp=.5",
        "h send max-br=x",
    ] {
        let error = Rid::parse(wrong).unwrap().limits().unwrap_err();
        assert_eq!(error.field, "rid");
    }
}

#[test]
fn a_codec_knows_its_parameters() {
    let text = "v=0\no=- 1 1 IN IP4 0.0.0.0\nm=audio 9 RTP/AVP 101 102 0\na=rtpmap:101 telephone-event/8000\n\
                a=rtpmap:102 opus/48000/2\na=fmtp:102 stereo=maybe\n";
    let session = Session::parse(text).unwrap();
    let codecs = session.media()[0].codecs();
    assert_eq!(
        codecs[0].parameters(),
        Ok(CodecParameters::TelephoneEvent(TelephoneEvent::default()))
    );
    assert_eq!(codecs[1].parameters().unwrap_err().expected, "0 or 1");
    assert_eq!(
        codecs[2].parameters(),
        Ok(CodecParameters::Other(Parameters("")))
    );
}
