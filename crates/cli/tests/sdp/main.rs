//! `rtckit sdp` as its users meet it: exit codes, output, and messages that must help.
#![allow(clippy::unwrap_used, reason = "a test fails where it must")]

#[path = "../loopback/schema.rs"]
mod schema;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Runs `rtckit sdp` in the folder of these tests.
fn sdp(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rtckit"))
        .arg("sdp")
        .args(arguments)
        .current_dir(folder(""))
        .output()
        .unwrap()
}

/// The same, with this on stdin.
fn sdp_of(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rtckit"))
        .arg("sdp")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may refuse before it has read all.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/sdp")
        .join(name)
}

/// The descriptions in a folder and those below it.
fn descriptions(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(descriptions(&path));
        } else if path.extension().is_some_and(|extension| extension == "sdp") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

/// Checks that `stdout` is one JSON value as the schema has it, and returns it.
fn json(stdout: &[u8], name: &str) -> Value {
    let value: Value = serde_json::from_slice(stdout).expect("one JSON value and nothing else");
    let schema =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schema/sdp-{name}.schema.json"));
    let root: Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    schema::check(&root, &root, &value, "$").unwrap();
    value
}

/// Compares with the file that holds what is expected. `UPDATE_EXPECTED=1` writes it: read what it wrote.
fn expect(path: &Path, said: &str) {
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(path, said).unwrap();
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(said, expected, "{} has something else", path.display());
}

/// Runs the command, which must fail with `code` and one line, which is returned, and print nothing else.
fn fails(code: i32, output: &Output) -> String {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr
        .strip_prefix("rtckit: ")
        .unwrap()
        .trim_end()
        .to_owned()
}

#[test]
fn check_says_what_is_wrong_and_who_says_so() {
    let samples = descriptions(&folder("samples"));
    assert!(samples.len() >= 12);
    for sample in samples {
        let name = format!("samples/{}", sample.file_name().unwrap().to_str().unwrap());
        let output = sdp(&["check", &name]);
        let said = format!("{}\n{}", text(&output.stdout), text(&output.stderr));
        expect(&sample.with_extension("txt"), &said);
        let is_correct = name.ends_with("/correct.sdp");
        assert_eq!(output.status.code(), Some(i32::from(!is_correct)), "{name}");
        let output = sdp(&["check", "--json", &name]);
        let problems = json(&output.stdout, "check");
        assert_eq!(
            problems.as_array().unwrap().is_empty(),
            is_correct,
            "{name}"
        );
    }
}

#[test]
fn the_readme_shows_what_check_says() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let said = fs::read_to_string(folder("samples/ports.txt")).unwrap();
    let said = said.replace("samples/ports.sdp", "offer.sdp");
    assert!(fs::read_to_string(readme).unwrap().contains(said.trim()));
}

#[test]
fn check_gives_places_to_programs() {
    let output = sdp(&["check", "--json", "samples/ports.sdp"]);
    assert_eq!(output.status.code(), Some(1));
    let problems = json(&output.stdout, "check");
    let first = &problems[0];
    assert_eq!((&first["line"], &first["column"]), (&5.into(), &9.into()));
    assert_eq!(first["rule"], "syntax");
    assert_eq!(first["found"], "70000");
    assert_eq!(first["reference"], "RFC 8866 §5.14");
    assert_eq!(
        first["url"],
        "https://www.rfc-editor.org/rfc/rfc8866.html#section-5.14"
    );
    assert_eq!(first["refused"], true);
    assert_eq!(problems[1]["refused"], false);
}

#[test]
fn show_summarises() {
    for description in descriptions(&folder("shown")) {
        let name = format!(
            "shown/{}",
            description.file_name().unwrap().to_str().unwrap()
        );
        let output = sdp(&["show", &name]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(output.stderr.is_empty());
        expect(&description.with_extension("txt"), text(&output.stdout));
    }
}

#[test]
fn a_camera_has_not_rejected_what_it_describes() {
    let camera = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n";
    let output = sdp_of(&["show", "-"], camera.as_bytes());
    assert!(text(&output.stdout).contains("rejected"));
    let controlled = format!("{camera}a=control:trackID=1\r\n");
    let output = sdp_of(&["show", "-"], controlled.as_bytes());
    assert!(!text(&output.stdout).contains("rejected"));
}

#[test]
fn show_gives_all_of_it_to_programs() {
    let output = sdp(&["show", "--json", "shown/call.sdp"]);
    assert!(output.status.success());
    let session = json(&output.stdout, "show");
    let [audio, video, data] = &session["media"].as_array().unwrap()[..] else {
        panic!("three sections");
    };
    assert_eq!(session["groups"][0]["mids"], serde_json::json!(["a", "v"]));
    assert_eq!(audio["ice"]["ufrag"], "F7gI");
    assert_eq!(audio["ice"]["password"], "**********************");
    assert_eq!(audio["codecs"][0]["parameters"][1]["key"], "useinbandfec");
    assert_eq!(audio["candidates"][1]["related_port"], 54400);
    assert_eq!(video["simulcast"]["send"][1][1]["paused"], true);
    assert_eq!(data["sctp"]["max_message_size"], 262_144);
    // Every line is there.
    let lines = |part: &Value| part["lines"].as_array().unwrap().len();
    let count = lines(&session) + lines(audio) + lines(video) + lines(data);
    let written = fs::read_to_string(folder("shown/call.sdp")).unwrap();
    assert_eq!(count, written.lines().count());
}

#[test]
fn real_descriptions_are_shown_and_checked() {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdp/testdata");
    let files = descriptions(&testdata);
    assert!(files.len() >= 80, "{}", files.len());
    for path in &files {
        let name = path.to_str().unwrap();
        let output = sdp(&["show", "--json", name]);
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        let session = json(&output.stdout, "show");
        assert!(!session["media"].as_array().unwrap().is_empty(), "{name}");
        let output = sdp(&["check", "--json", name]);
        let problems = json(&output.stdout, "check");
        let code = i32::from(!problems.as_array().unwrap().is_empty());
        assert_eq!(output.status.code(), Some(code), "{name}");
        let output = sdp(&["diff", name, name]);
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
    }
}

#[test]
fn secrets_are_shown_on_demand_only() {
    const PASSWORD: &str = "x9cml/YzichV2+XlhiMu8g";
    const KEY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

    let directory = tempfile::tempdir().unwrap();
    let written = fs::read_to_string(folder("shown/call.sdp")).unwrap();
    let path = |name: &str, from: &str, to: &str| {
        let path = directory.path().join(name);
        fs::write(&path, written.replace(from, to)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    // Spoilt, so that both lines are among the problems.
    let wrong = path("wrong.sdp", "|2^20|", "|2^20||");
    let wrong = fs::read_to_string(wrong)
        .unwrap()
        .replace(PASSWORD, &format!("{PASSWORD} "));
    fs::write(directory.path().join("wrong.sdp"), wrong).unwrap();
    let wrong = directory.path().join("wrong.sdp");
    let wrong = wrong.to_str().unwrap();
    let other = path("other.sdp", "x9cml", "y9cml");
    let keyed = path("keyed.sdp", "d0Rmd", "e0Rmd");
    for arguments in [
        &["show", "shown/call.sdp"][..],
        &["show", "--json", "shown/call.sdp"],
        &["check", wrong],
        &["check", "--json", wrong],
        &["diff", "shown/call.sdp", &other],
        &["diff", "--json", "shown/call.sdp", &keyed],
    ] {
        let output = sdp(arguments);
        let all = format!("{}{}", text(&output.stdout), text(&output.stderr));
        for secret in [PASSWORD, KEY, "9cml", "0Rmd"] {
            assert!(!all.contains(secret), "{arguments:?}: {all}");
        }
        if arguments[..2] != ["check", "--json"] {
            let output = sdp(&[arguments, &["--secrets"]].concat());
            let all = text(&output.stdout);
            assert!(
                all.contains("9cml") || all.contains("0Rmd"),
                "{arguments:?}: {all}"
            );
        }
    }
}

/// What differs between two texts: one line for each difference, and one for each place.
fn differences(before: &str, after: &str) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("after.sdp");
    fs::write(&path, after).unwrap();
    let path = path.to_str().unwrap();
    let output = sdp_of(&["diff", "-", path], before.as_bytes());
    let stderr = text(&output.stderr);
    let found = sdp_of(&["diff", "--json", "-", path], before.as_bytes());
    let found = json(&found.stdout, "diff");
    if found["equal"] == true {
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        assert!(found["changes"].as_array().unwrap().is_empty());
        return Vec::new();
    }
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("difference"), "{stderr}");
    text(&output.stdout)
        .lines()
        .map(ToOwned::to_owned)
        .collect()
}

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
    a=fingerprint:sha-256 6B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=setup:actpass\r\n\
    a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtcp-fb:111 transport-cc\r\na=rtcp-fb:111 nack\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=setup:actpass\r\n\
    a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rtpmap:102 VP9/90000\r\n\
    a=fmtp:102 profile-id=0\r\na=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n\
    a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=rid:h send pt=96\r\n";

#[test]
fn what_means_the_same_is_equal() {
    for (what, other) in [
        ("line ends", OFFER.replace("\r\n", "\n")),
        (
            "the order of attributes",
            OFFER.replace("a=mid:0\r\na=sendrecv\r\n", "a=sendrecv\r\na=mid:0\r\n"),
        ),
        ("a default", OFFER.replace("a=sendrecv\r\n", "")),
        (
            "the order of parameters",
            OFFER.replace("minptime=10;useinbandfec=1", "useinbandfec=1; minptime=10"),
        ),
        (
            "the order of feedback",
            OFFER.replace(
                "a=rtcp-fb:111 transport-cc\r\na=rtcp-fb:111 nack\r\n",
                "a=rtcp-fb:111 nack\r\na=rtcp-fb:111 transport-cc\r\n",
            ),
        ),
        (
            "the case of a fingerprint",
            OFFER.replace("sha-256 6B:8B", "SHA-256 6b:8b"),
        ),
        (
            "one attribute for all sections",
            OFFER
                .replace("a=setup:actpass\r\n", "")
                .replace("a=group", "a=setup:actpass\r\na=group"),
        ),
        (
            "a payload type that needs no name",
            OFFER.replace(
                "a=setup:actpass\r\na=rtpmap:111",
                "a=setup:actpass\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:111",
            ),
        ),
        ("blanks", OFFER.replace("a=mid:0\r\n", "a=mid:0 \r\n")),
    ] {
        assert_ne!(other, OFFER, "{what}");
        let found = differences(OFFER, &other);
        assert!(found.is_empty(), "{what}: {found:#?}");
    }
}

#[test]
fn numbers_and_times_are_compared_and_not_their_texts() {
    let h264 = |level: &str| {
        let named = OFFER.replace("VP9/90000", "H264/90000");
        named.replace("profile-id=0", &format!("profile-level-id={level}"))
    };
    assert!(differences(&h264("42E01F"), &h264("42e01f")).is_empty());
    assert!(!differences(&h264("42E01F"), &h264("42e020")).is_empty());
    let text = |origin: &str, lines: &str| {
        format!("v=0\r\no=- {origin} IN IP4 192.0.2.1\r\ns=-\r\n{lines}m=audio 9 RTP/AVP 0\r\n")
    };
    let many = "18446744073709551616";
    let more = "18446744073709551617";
    for (before, after, differ) in [
        ("r=7d 1h 0 25h", "r=604800 3600 0 90000", 0),
        ("r=7d 1h 0 25h", "r=604800 3600 0 90001", 1),
        (
            "z=3730928400 -1h 3749680800 0",
            "z=3730928400 -3600 3749680800 0h",
            0,
        ),
        ("z=3730928400 -1h", "z=3730928400 1h", 1),
        ("b=AS:0128", "b=AS:128", 0),
        ("a=maxptime:20.0", "a=maxptime:20", 0),
        ("a=maxptime:0.1250", "a=maxptime:0.125", 0),
        ("a=maxptime:20.5", "a=maxptime:20.05", 1),
        ("b=AS:128", "b=AS:129", 1),
        ("c=IN IP4 233.252.0.1/127", "c=IN IP4 233.252.0.1/127/1", 0),
        ("c=IN IP4 233.252.0.1/127", "c=IN IP4 233.252.0.1/1", 1),
        ("c=IN IP4 233.252.0.1/127", "c=IN IP4 233.252.0.1/127/2", 1),
        ("c=IN IP6 ff15:0:0::101", "c=IN IP6 FF15::101/1", 0),
        ("c=IN IP6 ff15::101/3", "c=IN IP6 ff15::101", 1),
        ("r=none", "r=some", 1),
    ] {
        let lines = |line: &str| match line.as_bytes().first() {
            Some(b'b' | b'c') => format!("{line}\r\nt=0 0\r\n"),
            _ => format!("t=3724394400 3724398000\r\n{line}\r\n"),
        };
        let found = differences(&text("1 1", &lines(before)), &text("1 1", &lines(after)));
        assert_eq!(
            usize::from(!found.is_empty()),
            differ,
            "{before} and {after}: {found:?}"
        );
    }
    let none = "t=0 0\r\n";
    for (before, after, differs) in [
        (format!("{many} 1"), format!("{more} 1"), true),
        (format!("1 {many}"), format!("1 {more}"), true),
        (format!("{many} 1"), format!("00{many} 01"), false),
    ] {
        let found = differences(&text(&before, none), &text(&after, none));
        assert_eq!(
            !found.is_empty(),
            differs,
            "{before} and {after}: {found:?}"
        );
    }
    let one = text("1 1", none).replace("audio 9", "audio 9/1");
    assert_eq!(differences(&text("1 1", none), &one), [""; 0]);
}

#[test]
fn what_differs_is_named() {
    let changed = |from: &str, to: &str| {
        let other = OFFER.replace(from, to);
        assert_ne!(other, OFFER);
        differences(OFFER, &other)
    };
    let audio = "media 1 · audio · mid 0";
    let video = "media 2 · video · mid 1";
    assert_eq!(
        changed("1 1 IN", "1 2 IN"),
        ["session", "  ~ session version: 1 → 2"]
    );
    assert_eq!(
        changed("a=sendrecv", "a=recvonly"),
        [audio, "  ~ direction: sendrecv → recvonly"]
    );
    assert_eq!(
        changed("minptime=10", "minptime=20"),
        [audio, "  ~ opus/48000/2, minptime: 10 → 20"]
    );
    assert_eq!(
        changed("a=rtcp-fb:111 nack\r\n", ""),
        [audio, "  - opus/48000/2, feedback: nack"]
    );
    assert_eq!(
        changed("a=rid:h send pt=96", "a=rid:h send pt=96;max-fps=30"),
        [video, "  ~ rid h: send pt=96 → send pt=96;max-fps=30"]
    );
    assert_eq!(
        changed("a=extmap:1 ", "a=extmap:7 "),
        [
            video,
            "  # extension urn:ietf:params:rtp-hdrext:sdes:mid: renumbered, 1 → 7"
        ]
    );
    assert_eq!(
        changed("SAVPF 96 97 102 103", "SAVPF 102 103 96 97"),
        [
            video,
            "  ~ codecs: another order, VP8/90000, VP9/90000 → VP9/90000, VP8/90000"
        ]
    );
    assert_eq!(
        changed("SAVPF 111 0\r\n", "SAVPF 111 8\r\n"),
        [audio, "  - codec: 0 PCMU/8000", "  + codec: 8 PCMA/8000"]
    );
    let added = differences(
        OFFER,
        &format!("{OFFER}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\n"),
    );
    assert_eq!(
        added,
        [
            "media 3 · application · mid 2",
            "  + section: application 9 UDP/DTLS/SCTP webrtc-datachannel"
        ]
    );
}

/// Payload types mean nothing by themselves: what speaks of them is compared under the numbers of before.
#[test]
fn renumbered_codecs_are_recognised() {
    let other = OFFER
        .replace("SAVPF 96 97 102 103", "SAVPF 100 101 104 105")
        .replace(":96 ", ":100 ")
        .replace(":97 ", ":101 ")
        .replace(":102 ", ":104 ")
        .replace(":103 ", ":105 ")
        .replace("apt=96", "apt=100")
        .replace("apt=102", "apt=104")
        .replace("pt=96", "pt=100");
    assert_eq!(
        differences(OFFER, &other),
        [
            "media 2 · video · mid 1",
            "  # payload type of VP8/90000: renumbered, 96 → 100",
            "  # payload type of rtx/90000 of VP8 (96): renumbered, 97 → 101",
            "  # payload type of VP9/90000: renumbered, 102 → 104",
            "  # payload type of rtx/90000 of VP9 (102): renumbered, 103 → 105",
        ]
    );
}

#[test]
fn sections_are_known_by_their_mid() {
    let (session, media) = OFFER.split_at(OFFER.find("m=audio").unwrap());
    let (audio, video) = media.split_at(media.find("m=video").unwrap());
    assert_eq!(
        differences(OFFER, &format!("{session}{video}{audio}")),
        [
            "media 1 · audio · mid 0",
            "  ~ section: moved, 1 → 2",
            "media 2 · video · mid 1",
            "  ~ section: moved, 2 → 1",
        ]
    );
}

#[test]
fn files_that_are_no_descriptions() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let missing = directory
        .path()
        .join("missing")
        .to_str()
        .unwrap()
        .to_owned();
    let folder = directory.path().to_str().unwrap().to_owned();
    let good = path("good", OFFER.as_bytes());
    // what a printer takes
    let printer = path(
        "printer",
        b"\x1b%-12345X@PJL ENTER LANGUAGE=SDP\r\n\x80\xff\x00\x01",
    );
    let utf16 = path("utf16", b"\xff\xfev\x00=\x000\x00");
    let empty = path("empty", b"");
    let quoted = path("quoted", br#"{"type":"offer","sdp":"v=0\r\n"}"#);
    let long = path("long", &b"v=0\r\n".repeat(1 << 18));
    let in_sip = path(
        "in-sip",
        b"INVITE sip:bob@example.com SIP/2.0\r\nFrom: x\r\n\r\nv=0\r\n",
    );
    let answered = path("answered", b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\nv=0\r\n");
    let escaped = path("escaped", br"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-");
    let in_a_mail = path("in-a-mail", b"> v=0\n> o=- 1 1 IN IP4 192.0.2.1\n");
    let after_a_line = path("after-a-line", b"\r\nv=0\r\ns=-\r\n");
    let indented = path("indented", b"    v=0\n    s=-\n");
    let unmarked = path("unmarked", b"v\x00=\x000\x00\r\x00\n\x00");
    for (file, complaint) in [
        (&missing, ": cannot be read: No such file"),
        (&folder, ": is a directory, not a session description"),
        (
            &printer,
            ": line 2, column 1: is not text: SDP is UTF-8 (RFC 8866 §5)",
        ),
        (&utf16, ": is UTF-16: SDP is UTF-8 (RFC 8866 §5)"),
        (&empty, ": is empty"),
        (&quoted, ": is JSON;"),
        (&in_sip, ": is a whole message;"),
        (&answered, ": is a whole message;"),
        (&escaped, r": has \r\n in letters"),
        (&in_a_mail, ": is quoted;"),
        (&after_a_line, ": begins with an empty line"),
        (&indented, ": is indented"),
        (&unmarked, ": is UTF-16"),
        (&long, ": is longer than 1048576 bytes"),
    ] {
        for command in [
            &["check"][..],
            &["show"],
            &["check", "--json"],
            &["show", "--json"],
        ] {
            let said = fails(1, &sdp(&[command, &[&**file]].concat()));
            assert!(said.starts_with(&format!("{file}{complaint}")), "{said}");
        }
        for arguments in [["diff", file, &good], ["diff", &good, file]] {
            let said = fails(2, &sdp(&arguments));
            assert!(said.starts_with(&format!("{file}{complaint}")), "{said}");
        }
    }
}

/// A byte order mark and bytes of ISO 8859-1 are told, and forgiven; the latter are right if the text says so.
#[test]
fn other_encodings_are_read() {
    let with_name = |attributes: &str| {
        let (head, rest) = OFFER.split_once("s=-").unwrap();
        let rest = rest.replacen("a=group", &format!("{attributes}a=group"), 1);
        [head.as_bytes(), b"s=Gr\xfc\xdfe", rest.as_bytes()].concat()
    };
    let marked = [b"\xef\xbb\xbf", OFFER.as_bytes()].concat();
    let latin = with_name("");
    let declared = with_name("a=charset:ISO-8859-1\r\n");
    for (bytes, said) in [
        (
            &marked,
            &[
                "stdin:1:1: the text: expected v=0 to begin the text, without a byte order mark before it (encoding, RFC 8866 §5.1)",
                "  1 | v=0",
                "    | ^ a byte order mark stands before it",
            ][..],
        ),
        (
            &latin,
            &[
                "stdin:3:5: the text: expected UTF-8, or an a=charset that says what it is; it was read as ISO-8859-1 (encoding, RFC 8866 §5)",
                "  3 | s=Grüße",
                "    |     ^ found üße",
            ],
        ),
        (&declared, &["stdin: no problems"]),
    ] {
        let output = sdp_of(&["check", "-"], bytes);
        assert_eq!(text(&output.stdout).lines().collect::<Vec<_>>(), said);
        assert_eq!(output.status.success(), said.len() == 1);
        let problems = json(&sdp_of(&["check", "--json", "-"], bytes).stdout, "check");
        assert_eq!(problems.as_array().unwrap().len(), said.len() / 3);
        let shown = sdp_of(&["show", "-"], bytes);
        assert!(shown.status.success(), "{}", text(&shown.stderr));
        assert_eq!(text(&shown.stdout).contains("Grüße"), *bytes != marked);
    }
    let correct = folder("samples/correct.sdp");
    let output = sdp_of(&["diff", "-", correct.to_str().unwrap()], &marked);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
}

#[test]
fn show_says_where_it_stopped() {
    let said = fails(1, &sdp(&["show", "samples/ports.sdp"]));
    assert_eq!(
        said,
        "samples/ports.sdp: line 5, column 9, in m=: expected a port from 0 to 65535 (RFC 8866 §5.14)"
    );
    let said = fails(1, &sdp_of(&["show", "-"], b"an e-mail"));
    assert!(said.starts_with("stdin: line 1, column 1"), "{said}");
}

#[test]
fn stdin_is_a_file() {
    for command in ["check", "show"] {
        let output = sdp_of(&[command, "-"], OFFER.as_bytes());
        assert!(output.status.success(), "{}", text(&output.stdout));
    }
    let said = fails(2, &sdp_of(&["diff", "-", "-"], OFFER.as_bytes()));
    assert!(said.contains("only one"), "{said}");
}

#[cfg(unix)]
#[test]
fn who_reads_the_beginning_has_what_they_wanted() {
    let call = folder("shown/call.sdp");
    let script = format!(
        "{} sdp show {} | head -n 1",
        env!("CARGO_BIN_EXE_rtckit"),
        call.display()
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(text(&output.stdout), "session\n");
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
}

#[test]
fn nothing_printed_drives_the_terminal() {
    let text_with = OFFER.replace("a=sendrecv", "a=sendrecv\r\na=note:\u{1b}[31mred\u{7}");
    for command in [
        &["show", "-"][..],
        &["check", "-"],
        &["show", "--json", "-"],
    ] {
        let output = sdp_of(
            command,
            text_with.replace("a=mid:0", "a=mid:\u{1b}[2J").as_bytes(),
        );
        let all = [output.stdout, output.stderr].concat();
        assert!(!all.contains(&0x1b) && !all.contains(&7), "{command:?}");
    }
}

#[test]
fn command_lines_that_make_no_sense() {
    for arguments in [
        &[][..],
        &["check"],
        &["check", "a", "b"],
        &["show", "--no-such-flag", "a"],
        &["diff", "a"],
        &["repair", "a"],
    ] {
        assert_eq!(sdp(arguments).status.code(), Some(2), "{arguments:?}");
    }
    for command in ["check", "show", "diff"] {
        assert_eq!(sdp(&[command, "--help"]).status.code(), Some(0));
    }
}

#[test]
fn no_command_shows_a_secret_that_is_written_wrongly() {
    let head = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";
    for line in [
        "k=clear:S3cr3t",
        "k=S3cr3t",
        "a=key-mgmt:mikey\tS3cr3t",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 INLINE:S3cr3t",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 uri:S3cr3t",
        "a= ice-pwd:S3cr3t",
        "a=ICE-PWD:S3cr3t",
        "a=ice-pwd S3cr3t",
        "a=x\ra=ice-pwd:S3cr3t",
        "a=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_80 inline:S3cr3t",
        "a=acap:1 key-mgmt:mikey S3cr3t",
        "a=ice-ufrag:abcd a=ice-pwd:S3cr3t",
        "a=fmtp:0 x a=ice-pwd:S3cr3t",
        "a=extmap:1 urn:x inline:S3cr3t",
        "a:ice-pwd:S3cr3t",
        "a==ice-pwd:S3cr3t",
        "a=ice_pwd:S3cr3t",
        "a=ice\u{200b}-pwd:S3cr3t",
        "a=ssrc:1 crypto:1 AES_CM_128_HMAC_SHA1_80 inline:S3cr3t",
        "a=ice-pwd:éS3cr3t",
        "m=audio 9 RTP/AVP 0 a=ice-pwd:S3cr3t",
    ] {
        let text = format!("{head}{line}\r\n");
        for arguments in [
            &["check", "-"][..],
            &["check", "--json", "-"],
            &["show", "-"],
            &["show", "--json", "-"],
            &["diff", "-", "samples/correct.sdp"],
            &["diff", "--json", "-", "samples/correct.sdp"],
        ] {
            let child = Command::new(env!("CARGO_BIN_EXE_rtckit"))
                .arg("sdp")
                .args(arguments)
                .current_dir(folder(""))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn();
            let mut child = child.unwrap();
            let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
            let output = child.wait_with_output().unwrap();
            let all = [output.stdout, output.stderr].concat();
            assert!(!text_has(&all, "S3cr3t"), "{line:?} {arguments:?}");
        }
    }
}

fn text_has(bytes: &[u8], word: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(word)
}
