//! The command as its users meet it: exit codes, output, files.
#![allow(clippy::unwrap_used, reason = "a test fails where it must")]

mod schema;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rtckit_media::{clips, ivf, ogg};
use serde_json::Value;

fn rtckit(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rtckit"))
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

/// Runs the command, which must succeed, and returns the object it prints.
fn json(arguments: &[&str]) -> Value {
    let output = rtckit(&[&["loopback", "--json"], arguments].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let value = report(&output.stdout);
    assert_eq!(
        (&value["ok"], &value["error"]),
        (&true.into(), &Value::Null)
    );
    value
}

/// The object on stdout, which must be what the schema says.
fn report(stdout: &[u8]) -> Value {
    let value: Value =
        serde_json::from_slice(stdout).expect("stdout is one JSON value and nothing else");
    let root: Value =
        serde_json::from_str(include_str!("../../schema/loopback.schema.json")).unwrap();
    schema::check(&root, &root, &value, "$").unwrap();
    value
}

fn stream<'v>(value: &'v Value, kind: &str) -> &'v Value {
    value["streams"]
        .as_array()
        .unwrap()
        .iter()
        .find(|stream| stream["kind"] == kind)
        .unwrap()
}

fn count(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap()
}

/// Runs the command, which must fail with `code`. Returns what it says, which must be one line when it is 1.
fn fails(code: i32, arguments: &[&str]) -> String {
    let output = rtckit(&[&["loopback", "--json"], arguments].concat());
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}: {}",
        text(&output.stderr)
    );
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    let stderr = text(&output.stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
    if code == 2 {
        return stderr.to_owned();
    }
    // With --json the story goes to stderr as well; its lines begin with the time.
    let said: Vec<&str> = stderr
        .lines()
        .filter(|line| !line.starts_with(' '))
        .collect();
    assert_eq!(said.len(), 1, "{stderr}");
    said[0].strip_prefix("rtckit: ").unwrap().to_owned()
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_call_is_reported_and_recorded() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("new/out");
    let (pcap, keys) = (root.path().join("call.pcap"), root.path().join("keys.log"));
    let value = json(&[
        "--seconds",
        "1",
        "--out",
        out.to_str().unwrap(),
        "--pcap",
        pcap.to_str().unwrap(),
        "--keylog",
        keys.to_str().unwrap(),
    ]);
    let (video, audio) = (stream(&value, "video"), stream(&value, "audio"));
    assert_eq!(
        (video["codec"].as_str(), audio["codec"].as_str()),
        (Some("VP8"), Some("opus"))
    );
    for (stream, frames) in [(video, 25), (audio, 50)] {
        for name in ["frames_sent", "frames_received", "frames_identical"] {
            assert_eq!(count(stream, name), frames, "{name} of {stream}");
        }
        assert_eq!(
            count(stream, "packets_sent"),
            count(stream, "packets_received")
        );
        assert_eq!(stream["packets_lost"], 0);
    }
    assert_eq!(value["dtls_version"], "DTLS 1.2");
    assert_eq!(value["selected_pair"]["local"]["type"], "host");
    assert!(value["connect_ms"].as_f64().unwrap() < 30_000.0);

    // What was recorded is the beginning of what was played.
    assert_eq!(names(&out), ["received.ivf", "received.ogg"]);
    let recorded = fs::read(out.join("received.ivf")).unwrap();
    let recorded = ivf::Reader::new(&*recorded).unwrap();
    assert_eq!(recorded.header().frame_count, 25);
    let played = ivf::Reader::new(clips::VIDEO_IVF).unwrap();
    let frames =
        |reader: ivf::Reader<&[u8]>| reader.take(25).map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(frames(recorded), frames(played));
    let recorded = fs::read(out.join("received.ogg")).unwrap();
    let packets = |bytes: &[u8]| {
        let reader = ogg::Reader::new(bytes).unwrap();
        reader
            .take(50)
            .map(|packet| packet.unwrap().data)
            .collect::<Vec<_>>()
    };
    assert_eq!(packets(&recorded), packets(clips::AUDIO_OGG));
    assert_eq!(ogg::Reader::new(&*recorded).unwrap().count(), 50);

    // A little-endian capture file with at least one record for each media packet; one line of keys.
    let capture = fs::read(&pcap).unwrap();
    assert_eq!(capture[..4], [0xd4, 0xc3, 0xb2, 0xa1]);
    assert!(records(&capture) as u64 > count(video, "packets_sent") + count(audio, "packets_sent"));
    let keys = fs::read_to_string(&keys).unwrap();
    assert!(
        keys.starts_with("CLIENT_RANDOM ") && keys.ends_with('\n'),
        "{} bytes",
        keys.len()
    );
}

/// How many datagrams a capture file holds; it must end with one.
fn records(capture: &[u8]) -> usize {
    let (mut at, mut records) = (24, 0);
    while at < capture.len() {
        let len = u32::from_le_bytes(capture[at + 8..at + 12].try_into().unwrap());
        at += 16 + len as usize;
        records += 1;
    }
    assert_eq!(at, capture.len());
    records
}

#[test]
fn a_bad_network_loses_frames_but_damages_none() {
    let value = json(&[
        "--seconds",
        "2",
        "--loss",
        "5",
        "--delay",
        "20",
        "--jitter",
        "5",
        // one that loses some of the few packets that two seconds have
        "--seed",
        "7",
    ]);
    for stream in value["streams"].as_array().unwrap() {
        assert_eq!(stream["frames_received"], stream["frames_identical"]);
    }
    let video = stream(&value, "video");
    assert!(
        count(video, "frames_received") * 100 >= count(video, "frames_sent") * 97,
        "{video}"
    );
    assert!(count(video, "packets_retransmitted") > 0, "{video}");
    assert_eq!(
        (&value["loss"], &value["delay"]),
        (&5.0.into(), &20.0.into())
    );
}

#[test]
fn clips_start_over() {
    let root = tempfile::tempdir().unwrap();
    let (video, audio) = (root.path().join("short.ivf"), root.path().join("short.ogg"));
    let reader = ivf::Reader::new(clips::VIDEO_IVF).unwrap();
    let mut writer = ivf::Writer::new(fs::File::create(&video).unwrap(), *reader.header()).unwrap();
    for frame in reader.take(3) {
        let frame = frame.unwrap();
        writer.write_frame(frame.pts + 100, &frame.data).unwrap();
    }
    writer.finish().unwrap();
    let reader = ogg::Reader::new(clips::AUDIO_OGG).unwrap();
    let (head, tags) = (*reader.head(), reader.tags().clone());
    let mut writer = ogg::Writer::new(fs::File::create(&audio).unwrap(), 9, head, &tags).unwrap();
    for packet in reader.take(7) {
        writer.write_packet(&packet.unwrap().data).unwrap();
    }
    writer.finish().unwrap();

    let arguments = [
        "--seconds",
        "1",
        "--video",
        video.to_str().unwrap(),
        "--audio",
        audio.to_str().unwrap(),
    ];
    let value = json(&arguments);
    assert_eq!(count(stream(&value, "video"), "frames_identical"), 25);
    assert_eq!(count(stream(&value, "audio"), "frames_identical"), 50);
}

#[test]
fn the_story_is_told_in_order() {
    let output = rtckit(&["loopback", "--seconds", "0.2"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        output.stderr.is_empty(),
        "no bar in a pipe: {}",
        text(&output.stderr)
    );
    let story = text(&output.stdout);
    assert!(!story.contains('\x1b'), "no colours in a pipe");
    let places = [
        "open the media",
        "left offers",
        "right answers",
        "candidate:",
        "DTLS 1.2",
        "left plays",
        "left closes",
        "left is closed",
        "both peers are closed",
    ]
    .map(|words| {
        story
            .find(words)
            .unwrap_or_else(|| panic!("no {words:?} in\n{story}"))
    });
    assert!(places.is_sorted(), "{story}");
    // which of the two comes first is anyone's guess
    let right = story.find("right is closed").expect("right's end is told");
    assert!((places[6]..places[8]).contains(&right), "{story}");
    assert!(
        story.contains("Frames sent") && story.contains("byte for byte"),
        "{story}"
    );
}

#[test]
fn files_that_cannot_be_played() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str, bytes: &[u8]| {
        let path = root.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let missing = root.path().join("missing").to_str().unwrap().to_owned();
    let empty = path("empty", b"");
    let video = path("video", clips::VIDEO_IVF);
    let audio = path("audio", clips::AUDIO_OGG);
    let no_frames = path("no-frames", &clips::VIDEO_IVF[..32]);
    let cut_video = path("cut-video", &clips::VIDEO_IVF[..clips::VIDEO_IVF.len() - 1]);
    let cut_audio = path("cut-audio", &clips::AUDIO_OGG[..clips::AUDIO_OGG.len() - 1]);
    let directory = root.path().to_str().unwrap().to_owned();
    for (option, file, complaint) in [
        ("--video", &missing, "No such file"),
        ("--audio", &missing, "No such file"),
        ("--video", &empty, "not an IVF file"),
        ("--audio", &empty, "not an Ogg file"),
        (
            "--video",
            &audio,
            "not an IVF file: expected \"DKIF\" at byte 0",
        ),
        (
            "--audio",
            &video,
            "not an Ogg file: expected \"OggS\" at byte 0",
        ),
        ("--video", &no_frames, "holds no frames"),
        ("--video", &cut_video, "frame 99 is cut short at byte"),
        ("--audio", &cut_audio, "is cut short at byte"),
        ("--video", &directory, "is a directory, not an IVF file"),
        ("--audio", &directory, "is a directory, not an Ogg file"),
    ] {
        let out = root.path().join("out");
        let said = fails(1, &[option, file, "--out", out.to_str().unwrap()]);
        assert!(
            said.starts_with(&**file) && said.contains(complaint),
            "{option} {file}: {said}"
        );
        assert!(!out.exists(), "{option} {file} left something behind");
    }
}

#[test]
fn places_that_cannot_be_written() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "kept").unwrap();
    let below_file = file.join("below");
    for option in ["--out", "--pcap", "--keylog"] {
        let said = fails(1, &[option, below_file.to_str().unwrap()]);
        assert!(
            said.starts_with(below_file.to_str().unwrap()),
            "{option}: {said}"
        );
    }
    let said = fails(1, &["--out", file.to_str().unwrap()]);
    assert!(said.starts_with(file.to_str().unwrap()), "{said}");
    assert_eq!(names(root.path()), ["file"]);
    assert_eq!(fs::read(&file).unwrap(), b"kept");
}

#[test]
fn one_file_is_not_for_two_things() {
    let root = tempfile::tempdir().unwrap();
    let direct = root.path().join("file");
    let detour = root.path().join(".").join("file");
    let said = fails(
        1,
        &[
            "--pcap",
            direct.to_str().unwrap(),
            "--keylog",
            detour.to_str().unwrap(),
        ],
    );
    assert!(said.contains("at once"), "{said}");
    assert!(names(root.path()).is_empty());
}

#[test]
fn the_directory_is_tried_before_the_call() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().to_str().unwrap();
    fs::create_dir(root.path().join("received.ogg")).unwrap();
    let said = fails(1, &["--out", out, "--seconds", "86400"]);
    assert!(said.contains("it is a directory"), "{said}");
    assert_eq!(names(root.path()), ["received.ogg"]);
}

/// Interrupts a call that cannot connect, each time after a line with these words; the words and the exit code are
/// those that it ends with.
#[cfg(unix)]
fn interrupted(network: &[&str], after: &[&str], words: &str, code: i32) {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("a/b");
    let mut child = Command::new(env!("CARGO_BIN_EXE_rtckit"))
        .args(["loopback", "--json", "--out", out.to_str().unwrap()])
        .args(network)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    for &line in after {
        lines
            .by_ref()
            .map(Result::unwrap)
            .find(|said| said.contains(line))
            .unwrap_or_else(|| panic!("no {line}"));
        let pid = child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(sent.success());
    }
    let last = lines.map(Result::unwrap).last().unwrap();
    let mut stdout = Vec::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_end(&mut stdout)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(code), "{last}");
    let error = last.strip_prefix("rtckit: ").unwrap();
    assert!(error.contains(words), "{error}");
    let value = report(&stdout);
    assert_eq!(
        (&value["ok"], &value["error"], &value["connect_ms"]),
        (&false.into(), &error.into(), &Value::Null)
    );
    assert!(names(root.path()).is_empty(), "something is left behind");
}

#[cfg(unix)]
#[test]
fn a_call_that_is_given_up_is_reported_and_leaves_nothing_behind() {
    interrupted(
        &["--loss", "100"],
        &["listens at"],
        "before the peers connected",
        1,
    );
}

#[cfg(unix)]
#[test]
fn a_second_interrupt_does_not_wait_and_leaves_nothing_behind() {
    let network = ["--delay", "10000"];
    interrupted(&network, &["listens at", "left closes"], "interrupted", 130);
}

#[test]
fn command_lines_that_make_no_sense() {
    for arguments in [
        &["--no-such-flag"][..],
        &["--seconds", "five"],
        &["--seconds", "0"],
        &["--seconds", "1e-300"],
        &["--loss", "101"],
        &["--loss", "-1"],
        &["--delay", "1e9"],
        &["--jitter", ""],
        &["stray"],
    ] {
        let said = fails(2, arguments);
        assert!(said.contains("error"), "{arguments:?}: {said}");
    }
    assert_eq!(rtckit(&["no-such-command"]).status.code(), Some(2));
    assert_eq!(rtckit(&[]).status.code(), Some(2));
    assert_eq!(rtckit(&["loopback", "--help"]).status.code(), Some(0));
    assert_eq!(rtckit(&["--version"]).status.code(), Some(0));
}
