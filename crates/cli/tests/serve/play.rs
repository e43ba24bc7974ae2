//! `serve --play`: files instead of the echo.

use std::fs;
use std::path::Path;

use rtckit_media::{clips, ivf, ogg};
use serde_json::Value;

use crate::server::{Server, check_schema, one_line, rtckit};

/// The frames of an IVF file.
fn video(file: &Path) -> Vec<Vec<u8>> {
    let mut reader = ivf::Reader::new(fs::File::open(file).unwrap()).unwrap();
    let (mut frames, mut data) = (Vec::new(), Vec::new());
    while reader.read_frame(&mut data).unwrap().is_some() {
        frames.push(data.clone());
    }
    frames
}

/// The packets of an Ogg file.
fn audio(file: &Path) -> Vec<Vec<u8>> {
    let mut reader = ogg::Reader::new(fs::File::open(file).unwrap()).unwrap();
    let (mut packets, mut data) = (Vec::new(), Vec::new());
    while reader.read_packet(&mut data).unwrap().is_some() {
        packets.push(data.clone());
    }
    packets
}

/// Whether `part` is a run of `whole`, which starts over at its end.
fn is_run(part: &[Vec<u8>], whole: &[Vec<u8>]) -> bool {
    (0..whole.len()).any(|start| {
        let from_there = whole.iter().cycle().skip(start);
        part.iter().zip(from_there).all(|(one, other)| one == other)
    })
}

#[test]
fn the_caller_gets_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (ivf_file, ogg_file) = (
        folder.path().join("clip.ivf"),
        folder.path().join("clip.ogg"),
    );
    fs::write(&ivf_file, clips::VIDEO_IVF).unwrap();
    fs::write(&ogg_file, clips::AUDIO_OGG).unwrap();
    let (ivf_name, ogg_name) = (ivf_file.to_str().unwrap(), ogg_file.to_str().unwrap());
    let all: [&[&str]; 3] = [
        &["--play", ivf_name, "--play", ogg_name],
        // what is not played is echoed
        &["--play", ivf_name],
        &["--play", ogg_name],
    ];
    for options in all {
        let server = Server::start(options);
        let out = folder.path().join("out");
        let output = rtckit(&["call", &server.url(), "--seconds", "2", "--json"])
            .args(["--out", out.to_str().unwrap()])
            .output()
            .unwrap();
        let story = str::from_utf8(&output.stderr).unwrap();
        assert!(output.status.success(), "{options:?}: {story}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        check_schema(&report);
        assert_eq!(report["echo"], false);
        let (pictures, sounds) = (
            video(&out.join("received.ivf")),
            audio(&out.join("received.ogg")),
        );
        assert!(
            pictures.len() >= 30,
            "{options:?}: {} pictures",
            pictures.len()
        );
        assert!(
            sounds.len() >= 70,
            "{options:?}: {} packets of sound",
            sounds.len()
        );
        // Echo or file, it is the same clip, from its beginning: pictures depend on those before them.
        let clip = video(&ivf_file);
        assert_eq!(pictures[0], clip[0], "{options:?}");
        assert!(is_run(&pictures, &clip), "{options:?}");
        assert!(is_run(&sounds, &audio(&ogg_file)), "{options:?}");
        fs::remove_dir_all(&out).unwrap();
    }
}

#[test]
fn what_cannot_be_played() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clip");
    let name = file.to_str().unwrap();
    let serve = |options: &[&str]| {
        let output = rtckit(&["serve", "--listen", "127.0.0.1:0"])
            .args(options)
            .output();
        one_line(&output.unwrap())
    };
    assert!(serve(&["--play", name]).starts_with(&format!("{name}: cannot be opened")));
    fs::write(&file, "neither").unwrap();
    assert_eq!(
        serve(&["--play", name]),
        format!("{name}: is neither IVF nor Ogg")
    );
    fs::write(&file, clips::VIDEO_IVF).unwrap();
    let said = serve(&["--play", name, "--play", name]);
    assert_eq!(
        said,
        format!("{name}: there is a file for the video already")
    );
}
