//! The examples of RFC 8866, 3264, 4317, 8829 and 8853: read, written, checked, and held against the rules of offer and
//! answer.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use core::fmt::Write;
use rtckit_sdp::{
    Rule, Session,
    attribute::Simulcast,
    check,
    offer_answer::{
        Capabilities, Outline, answer, check_answer, check_origin, check_reoffer, recyclable,
    },
};

const FILES: &[(&str, &str)] = &[
    ("RFC 8866", include_str!("../testdata/rfc/rfc8866.txt")),
    ("RFC 3264", include_str!("../testdata/rfc/rfc3264.txt")),
    ("RFC 4317", include_str!("../testdata/rfc/rfc4317.txt")),
    ("RFC 8829", include_str!("../testdata/rfc/rfc8829.txt")),
    ("RFC 8853", include_str!("../testdata/rfc/rfc8853.txt")),
];

/// The examples of a document with their line ends, by number from 1.
fn examples(document: &str) -> Vec<String> {
    let (_, text) = FILES.iter().find(|(name, _)| *name == document).unwrap();
    let mut examples = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("# ") {
            Some(_) => examples.push(String::new()),
            None => write!(examples.last_mut().unwrap(), "{line}\r\n").unwrap(),
        }
    }
    examples
}

#[test]
fn every_example_is_read_and_written_and_every_attribute_has_a_type() {
    let mut count = 0;
    for (document, _) in FILES {
        for (i, text) in examples(document).iter().enumerate() {
            let session = Session::parse(text).unwrap();
            assert_eq!(session.to_string(), *text, "{document} example {}", i + 1);
            let media = session.media().iter().flat_map(|media| media.attributes());
            for attribute in session.attributes().chain(media) {
                match attribute.typed() {
                    Some(typed) => drop(typed.unwrap_or_else(|error| {
                        panic!("{document} {}: {}", i + 1, error.explain(text))
                    })),
                    // RFC 5583, which is about layered codecs.
                    None => assert_eq!(attribute.name, "depend"),
                }
            }
            count += 1;
        }
    }
    assert_eq!(count, 78);
}

#[test]
fn the_examples_depart_from_the_rfcs_where_it_is_known() {
    for (document, _) in FILES {
        for (i, text) in examples(document).iter().enumerate() {
            let found: Vec<_> = check(text)
                .iter()
                .map(|found| (found.rule, found.line))
                .collect();
            let expected: &[_] = match (*document, i + 1) {
                // Its c= stands after t=.
                ("RFC 3264", 1) => &[(Rule::LineOrder, 5)],
                // All others have an empty s=, which the grammar does not allow.
                ("RFC 3264" | "RFC 4317", _) => &[(Rule::Syntax, 3)],
                _ => &[],
            };
            assert_eq!(found, expected, "{document} example {}", i + 1);
        }
    }
}

/// Every answer of the documents, with its offer.
fn pairs() -> Vec<(&'static str, usize, String, String)> {
    let mut pairs = Vec::new();
    for document in ["RFC 3264", "RFC 4317", "RFC 8829", "RFC 8853"] {
        // RFC 3264 begins with a description of capabilities; RFC 8853 ends with an offer.
        let first = usize::from(document == "RFC 3264");
        let examples = examples(document);
        for (i, pair) in examples[first..].chunks_exact(2).enumerate() {
            let number = first + 2 * i + 1;
            pairs.push((document, number, pair[0].clone(), pair[1].clone()));
        }
    }
    pairs
}

#[test]
fn the_answers_are_answers_to_their_offers() {
    for (document, number, offer, answer) in pairs() {
        let (offer, answer) = (
            Session::parse(&offer).unwrap(),
            Session::parse(&answer).unwrap(),
        );
        let checked = check_answer(&Outline::of(&offer), &Outline::of(&answer));
        match (document, number) {
            // A stream that is offered "sendonly" is answered without a direction, as if it were "sendrecv".
            ("RFC 4317", 29) => assert_eq!(checked.unwrap_err().section, Some(0)),
            _ => assert_eq!(checked, Ok(()), "{document} example {number}"),
        }
    }
}

#[test]
fn answers_that_are_made_have_the_codecs_and_directions_of_the_documents() {
    let mut compared = 0;
    for (document, number, offer, expected) in pairs() {
        if (document, number) == ("RFC 4317", 29) {
            // Its answer has a direction that was not offered: see above.
            continue;
        }
        let (offer, expected) = (
            Session::parse(&offer).unwrap(),
            Session::parse(&expected).unwrap(),
        );
        let made = answer(&offer, &expected.origin().unwrap(), |index, _| {
            let section = expected.media().get(index)?;
            (section.port() != 0).then(|| Capabilities {
                direction: expected.direction_of(section),
                codecs: section.codecs(),
                simulcast: section.has("simulcast"),
                port: section.port(),
                ..Capabilities::default()
            })
        })
        .unwrap();
        assert_eq!(
            check_answer(&Outline::of(&offer), &Outline::of(&made)),
            Ok(())
        );
        for (made_section, section) in made.media().iter().zip(expected.media()) {
            let what = format!("{document} example {number}: {made_section}");
            assert_eq!(made_section.port(), section.port(), "{what}");
            if section.port() == 0 {
                continue;
            }
            let names = |section: &rtckit_sdp::Media<'_>| -> Vec<String> {
                section
                    .codecs()
                    .iter()
                    .map(|codec| codec.rtpmap.encoding.to_lowercase())
                    .collect()
            };
            assert_eq!(names(made_section), names(section), "{what}");
            assert_eq!(
                made.direction_of(made_section),
                expected.direction_of(section),
                "{what}"
            );
            let simulcast = |section: &rtckit_sdp::Media<'_>| {
                section
                    .attribute::<Simulcast<'_>>()
                    .map(|s| format!("{s:?}"))
            };
            assert_eq!(simulcast(made_section), simulcast(section), "{what}");
            compared += 1;
        }
    }
    assert_eq!(compared, 58, "sections that were accepted");
}

#[test]
fn later_offers_of_rfc_3264_keep_the_session() {
    let texts = examples("RFC 3264");
    let sessions: Vec<_> = texts
        .iter()
        .map(|text| Session::parse(text).unwrap())
        .collect();
    let outlines: Vec<_> = sessions.iter().map(Outline::of).collect();
    // Examples 2 and 3 are Alice's offer and Bob's answer, which refuses the second section.
    let refused: Vec<_> = recyclable(&outlines[1], &outlines[2]).collect();
    assert_eq!(refused, [1]);
    // Example 4 is Bob's second offer, with a fourth section.
    let refused = |section| section == 1;
    assert_eq!(check_reoffer(&outlines[2], refused, &outlines[3]), Ok(()));
    assert!(check_reoffer(&outlines[3], refused, &outlines[2]).is_err());
    let origins: Vec<_> = sessions
        .iter()
        .map(|session| session.origin().unwrap())
        .collect();
    assert_eq!(check_origin(&origins[2], &origins[3], true), Ok(()));
    assert_eq!(check_origin(&origins[1], &origins[4], true), Ok(()));
    assert_eq!(check_origin(&origins[2], &origins[2], false), Ok(()));
    assert!(check_origin(&origins[2], &origins[2], true).is_err());
    assert!(check_origin(&origins[1], &origins[3], true).is_err());
}
