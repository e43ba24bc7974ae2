//! Exchanges of Chromium and Firefox with a TURN server, captured in live calls.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

#[path = "../examples/captures/check.rs"]
mod check;

use check::{Checker, Counts, check_unverified};
use rtckit_stun::{AttributeType, Class, MessageWriter, Method, TransactionId};

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
    assert!(counts.untyped.is_empty(), "{:?}", counts.untyped);
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

#[test]
fn an_attribute_that_is_not_read_is_a_failure() {
    let check = |attribute_type, value: &[u8]| {
        let mut buf = [0; 64];
        let id = TransactionId([1; 12]);
        let mut writer = MessageWriter::new(&mut buf, Class::Request, Method::REFRESH, id).unwrap();
        writer.attribute(attribute_type, value).unwrap();
        let len = writer.finish();
        // its padding is another's
        buf[len - 1] = 7;
        let mut counts = Counts::default();
        check_unverified(&buf[..len], &mut counts).map(|()| counts.untyped)
    };
    assert!(check(AttributeType::SOFTWARE, b"rtc").unwrap().is_empty());
    // a lifetime of three bytes is none, as if its getter were broken
    let error = check(AttributeType::LIFETIME, &[0, 0, 1]).unwrap_err();
    assert_eq!(error, "LIFETIME is there and is not read");
    let origin = AttributeType(0x802f);
    let untyped = check(origin, b"abc").unwrap();
    assert_eq!(untyped.into_iter().collect::<Vec<_>>(), [(origin, 1)]);
}
