//! Bytes that are no UTF-8, and marks before those that are.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use rtckit_sdp::{Rule, Session, check, check_bytes, decode};
use std::borrow::Cow;

const HEAD: &[u8] = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n";

fn with(rest: &[u8]) -> Vec<u8> {
    [HEAD, rest].concat()
}

#[test]
fn what_is_utf_8_is_borrowed() {
    let bytes = with("s=Süd\r\nt=0 0\r\n".as_bytes());
    assert!(matches!(decode(&bytes), Cow::Borrowed(text) if text.as_bytes() == bytes));
    assert_eq!(check_bytes(&bytes), []);
    let session = Session::parse_bytes(&bytes).unwrap();
    assert_eq!(session.to_string().as_bytes(), bytes);
}

#[test]
fn each_line_is_read_as_what_it_is() {
    let bytes = with(b"s=S\xc3\xbcd \xe4\r\ni=S\xc3\xbcd\r\nt=0 0\r\n");
    let session = Session::parse_bytes(&bytes).unwrap();
    assert_eq!(
        (session.name(), session.information()),
        ("SÃ¼d ä", Some("Süd"))
    );
    let [deviation] = check_bytes(&bytes)[..] else {
        panic!()
    };
    assert_eq!(
        (deviation.rule, deviation.line, deviation.column),
        (Rule::Encoding, 3, 4)
    );
    assert!(!deviation.refused);
}

#[test]
fn a_charset_makes_it_right() {
    for (charset, is_right) in [
        ("ISO-8859-1", true),
        ("iso-8859-15", true),
        ("UTF-8", false),
    ] {
        let text = format!("t=0 0\r\na=charset:{charset}\r\n");
        let bytes = with(&[b"s=S\xfcd\r\n", text.as_bytes()].concat());
        assert_eq!(check_bytes(&bytes).is_empty(), is_right, "{charset}");
    }
    // That of a section is in the wrong place, and says nothing of the session.
    let late = with(
        b"s=\xfc\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\na=charset:ISO-8859-1\r\n",
    );
    let rules: Vec<_> = check_bytes(&late).iter().map(|found| found.rule).collect();
    assert_eq!(rules, [Rule::Encoding, Rule::AttributeLevel]);
}

#[test]
fn a_mark_is_told() {
    let marked = [b"\xef\xbb\xbf", HEAD, b"s=-\r\nt=0 0\r\n"].concat();
    let [found] = check_bytes(&marked)[..] else {
        panic!()
    };
    assert_eq!(
        (found.rule, found.line, found.column, found.refused),
        (Rule::Encoding, 1, 1, false)
    );
    assert_eq!(Session::parse_bytes(&marked).unwrap().version(), "0");
    // As a text it is refused, and nothing else is found wrong with it.
    let text = core::str::from_utf8(&marked).unwrap();
    let [found] = check(text)[..] else {
        panic!("{:?}", check(text))
    };
    assert_eq!((found.rule, found.refused), (Rule::Encoding, true));
    assert!(
        found
            .explain(text)
            .to_string()
            .ends_with("1 | v=0\n  | ^ a byte order mark stands before it")
    );
    let wrong = text.replace("v=0", "v=1");
    let found = check(&wrong)[1];
    assert_eq!((found.line, found.column), (1, 6));
    assert!(
        found
            .explain(&wrong)
            .to_string()
            .ends_with("1 | v=1\n  |   ^ found 1")
    );
}

#[test]
fn too_much_is_refused() {
    let error = Session::parse_bytes(&[0xff; (1 << 20) + 9]).unwrap_err();
    assert_eq!((error.line, error.field), (0, "the text"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64), cut in 0usize..40) {
        let head = &HEAD[..cut.min(HEAD.len())];
        let bytes = [head, &bytes].concat();
        let text = decode(&bytes);
        prop_assert_eq!(Session::parse_bytes(&bytes).is_ok(), Session::parse(&text).is_ok());
        for found in check_bytes(&bytes) {
            let line = text.split('\n').nth(found.line as usize - 1);
            // One that is missing may be missed after the last.
            let is_place = line.is_none_or(|line| line.is_char_boundary(found.column as usize - 1));
            prop_assert!(is_place, "{}", found);
        }
    }
}

#[test]
fn the_mark_is_no_column() {
    let bytes = b"\xef\xbb\xbfv=0\xe4\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n";
    let found = check_bytes(bytes);
    let encoding = |column: u32| {
        let mut found = found.iter();
        found.any(|one| (one.rule, one.line, one.column) == (Rule::Encoding, 1, column))
    };
    assert!(encoding(4), "{found:?}");
    assert!(!encoding(7), "{found:?}");
}

/// A last line without an end is written with one when it is the last no more, and checked so.
#[test]
fn a_line_end_that_was_missing_is_written() {
    let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\na=recvonly";
    let mut session = Session::parse(text).unwrap();
    assert_eq!(check(text).len(), 1, "the end of the last line");
    session.push_raw("x", None).unwrap();
    assert_eq!(session.check(), check(&session.to_string()));
    assert_eq!(session.check(), []);
}
