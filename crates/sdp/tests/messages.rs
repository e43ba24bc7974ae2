//! What a person is told about a malformed description: each `tests/messages/*.txt` holds a description and, after a line
//! of dashes, all that is to be said of it.
//!
//! `UPDATE_MESSAGES=1 cargo test -p rtckit-sdp --test messages` writes what is said now; read it before it is committed.

use core::fmt::Write;
use rtckit_sdp::check;
use std::{env, fs, path::Path};

const DASHES: &str = "--------\n";

#[test]
fn the_messages_are_those_that_were_read_by_a_person() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 12, "{files:?}");
    let mut differing = Vec::new();
    for file in files {
        let content = fs::read_to_string(&file).unwrap();
        let (description, expected) = content.split_once(DASHES).unwrap_or((&content, ""));
        // Files have plain line ends; `\r` at the end of a line, `\n`, `\t` and `\0` stand for themselves.
        let text = match description.contains("\\r") {
            true => description.replace('\n', "").replace("\\n", "\n"),
            false => description.replace('\n', "\r\n"),
        };
        let text = text
            .replace("\\r", "\r")
            .replace("\\t", "\t")
            .replace("\\0", "\0");
        let mut said = String::new();
        for deviation in check(&text) {
            let verdict = if deviation.refused {
                "refused"
            } else {
                "forgiven"
            };
            writeln!(
                said,
                "{verdict}, {}: {}",
                deviation.rule,
                deviation.explain(&text)
            )
            .unwrap();
        }
        if env::var_os("UPDATE_MESSAGES").is_some() {
            fs::write(&file, format!("{description}{DASHES}{said}")).unwrap();
        } else if said != expected {
            differing.push(format!("{}:\n{said}", file.display()));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// A limit is told as a number, and never by its name in this crate.
#[test]
fn limits_are_told_to_people() {
    use rtckit_sdp::{Limits, Session};

    let usual = Limits::default();
    let head = "v=0\no=- 1 1 IN IP4 a\n";
    for (text, limit) in [
        ("x".repeat(usual.bytes + 1), usual.bytes),
        (format!("{head}{}", "\n".repeat(usual.lines)), usual.lines),
        (
            format!("s={}", "x".repeat(usual.line_bytes)),
            usual.line_bytes,
        ),
        (
            format!("{head}{}", "m=audio 9 RTP/AVP 0\n".repeat(usual.media + 1)),
            usual.media,
        ),
    ] {
        let message = Session::parse(&text).unwrap_err().to_string();
        assert!(
            message.contains(&format!("no more than {limit} ")),
            "{message}"
        );
        assert!(!message.contains("Limits"), "{message}");
    }
    let mut limits = usual;
    limits.lines = 1;
    let message = Session::parse_within(head, &limits)
        .unwrap_err()
        .to_string();
    assert!(
        message.ends_with("fewer lines: there is a limit to them"),
        "{message}"
    );
}
