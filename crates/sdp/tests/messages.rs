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
