//! Exchanges of Chromium and Firefox with a TURN server, captured in live calls.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

#[path = "../examples/captures/check.rs"]
mod check;

use check::{Checker, Counts};

#[test]
fn captured_exchanges_are_understood_verified_and_written_again() {
    let checker = Checker::new("turnuser", "example.org", "turnpass");
    let mut counts = Counts::default();
    for line in include_str!("../testdata/turn_browsers.jsonl").lines() {
        if !line.starts_with('#') {
            checker.check_line(line, &mut counts).unwrap();
        }
    }
    assert!(counts.messages > 60 && counts.verified > 30, "{counts:?}");
    assert!(
        counts.fingerprints > 30 && counts.channel_data > 10 && counts.streams == 4,
        "{counts:?}"
    );
    assert!(counts.requests > 20);
}

#[test]
fn the_check_can_fail() {
    let line = include_str!("../testdata/turn_browsers.jsonl");
    let signed = line
        .lines()
        .find(|line| line.contains("\"create-permission\""))
        .unwrap();
    let mut counts = Counts::default();
    let wrong = Checker::new("turnuser", "example.org", "another");
    assert!(wrong.check_line(signed, &mut counts).is_err());
}
