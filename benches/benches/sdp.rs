//! Chromium's offer of audio, video and data, 7 kB: parsed, read, checked, written. Then the nastiest inputs, at 512 KiB and at
//! 1 MiB: twice the text must take no more than 2.3 times as long, which is printed and asserted.
#![allow(
    clippy::disallowed_methods,
    reason = "the ratios are measured with the clock"
)]

use core::{hint::black_box, time::Duration};
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rtckit_sdp::attribute::{Candidate, ExtMap, Fingerprint, IcePwd, IceUfrag, Setup};
use rtckit_sdp::offer_answer::{Capabilities, answer, check_whole_answer};
use rtckit_sdp::{Limits, Origin, Session};

const OFFER: &str =
    include_str!("../../crates/sdp/testdata/browsers/chromium156_audio_video_data_offer.sdp");

/// What a peer wants to know of an offer.
fn read(session: &Session<'_>) -> usize {
    let mut found = session.bundle_groups().count();
    for media in session.media() {
        found += media.codecs().len();
        found += media.attributes_of::<ExtMap<'_>>().flatten().count();
        found += media.attributes_of::<Candidate<'_>>().flatten().count();
        found += usize::from(session.attribute_for::<IceUfrag<'_>>(media).is_some());
        found += usize::from(session.attribute_for::<IcePwd<'_>>(media).is_some());
        found += usize::from(session.attribute_for::<Fingerprint<'_>>(media).is_some());
        found += usize::from(session.attribute_for::<Setup>(media).is_some());
        found += usize::from(session.direction_of(media).sends());
    }
    found
}

/// All attributes as their types.
fn read_all(session: &Session<'_>) -> usize {
    let media = session.media().iter().flat_map(|media| media.attributes());
    let typed = session
        .attributes()
        .chain(media)
        .map(|attribute| attribute.typed());
    typed
        .filter(|typed| matches!(black_box(typed), Some(Ok(_))))
        .count()
}

fn sdp(criterion: &mut Criterion) {
    let session = Session::parse(OFFER).expect("Chromium's offer");
    assert!(read(&session) > 60, "the offer is what it was");
    assert_eq!(read_all(&session), 173, "every attribute has a type");
    let mut group = criterion.benchmark_group("sdp");
    group.throughput(Throughput::Bytes(OFFER.len() as u64));
    group.bench_function("scan", |bencher| {
        bencher.iter(|| {
            let bytes = black_box(OFFER).bytes();
            bytes.filter(|byte| *byte == b'\n').count()
        });
    });
    group.bench_function("parse", |bencher| {
        bencher.iter(|| Session::parse(black_box(OFFER)).expect("Chromium's offer"));
    });
    group.bench_function("read", |bencher| bencher.iter(|| read(black_box(&session))));
    group.bench_function("parse_and_read_all", |bencher| {
        bencher.iter(|| read_all(&Session::parse(black_box(OFFER)).expect("Chromium's offer")));
    });
    group.bench_function("check", |bencher| {
        bencher.iter(|| rtckit_sdp::check(black_box(OFFER)).len());
    });
    group.bench_function("write", |bencher| {
        bencher.iter(|| black_box(&session).to_string())
    });
    group.finish();
}

const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n";

/// A name, what stands before the unit, and the unit that is repeated until the text is long enough.
fn nastiest() -> Vec<(&'static str, String, String)> {
    let media = || "m=audio 9 RTP/AVP 0\r\n".to_owned();
    let all = (0..128)
        .map(|number| number.to_string())
        .collect::<Vec<_>>()
        .join(" ");
    let fingerprint = ["AB"; 64].join(":");
    vec![
        (
            "lines that are no SDP",
            String::new(),
            format!("{}\n", "x".repeat(32)),
        ),
        (
            "attributes without a value",
            media(),
            format!("a={}\n", "x".repeat(32)),
        ),
        ("one line", media() + "a=fmtp:0 ", "a=1;".into()),
        (
            "blanks",
            media(),
            format!("a=fmtp:0{}x\r\n", " ".repeat(8000)),
        ),
        (
            "sections",
            String::new(),
            format!("m=audio 9 RTP/AVP 0{}\r\n", " ".repeat(64)),
        ),
        (
            "formats",
            String::new(),
            format!("m=audio 9 RTP/AVP {}\r\n", ["0"; 4000].join(" ")),
        ),
        (
            "feedback for all",
            format!("m=audio 9 RTP/AVP {all}\r\n"),
            "a=rtcp-fb:* nack pli and more that is unknown\r\n".into(),
        ),
        (
            "parameters",
            media(),
            format!("a=fmtp:0 {}\r\n", "a=1;".repeat(4000)),
        ),
        (
            "fingerprints",
            media(),
            format!("a=fingerprint:sha-512 {fingerprint}\r\n"),
        ),
        (
            "encodings",
            media(),
            "a=rid:abcdefgh send pt=0;max-width=3\r\n".into(),
        ),
        (
            "simulcast",
            media(),
            format!("a=simulcast:send {}\r\n", ["a"; 8000].join(";")),
        ),
        (
            "groups",
            String::new(),
            format!("a=group:BUNDLE {}\r\n", ["a"; 8000].join(" ")),
        ),
        (
            "candidates",
            media(),
            format!(
                "a=candidate:1 1 udp 1 192.0.2.1 9 typ host{}\r\n",
                " a b".repeat(4000)
            ),
        ),
        (
            "keys",
            media(),
            format!("a=crypto:1 X {}\r\n", ["inline:AAAA|2^20"; 900].join(";")),
        ),
        (
            "picture sizes",
            media(),
            format!(
                "a=imageattr:* send {}\r\n",
                ["[x=1,y=[1,2,3],q=0.5]"; 700].join(" ")
            ),
        ),
        (
            "repeats",
            String::new(),
            format!("r=7d 1h {}\r\n", ["0"; 7000].join(" ")),
        ),
    ]
}

/// The inputs that a fuzzer grew and that were the slowest to read and to check for their length (`nasty/`, made by
/// `fuzz/examples/sdp_slowest.rs`): each as sections that are repeated, and as attributes of one section.
fn found_by_fuzzing() -> Vec<(String, String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/nasty");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder nasty")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    assert!(files.len() >= 20, "{folder} holds what fuzzing found");
    let mut found = Vec::new();
    for file in files {
        let name = file.file_stem().expect("a name").to_string_lossy();
        let text = std::fs::read_to_string(&file).expect("a text");
        let lines = || text.split_inclusive('\n');
        let sections: String = lines().skip_while(|line| !line.starts_with("m=")).collect();
        let attributes: String = lines().filter(|line| line.starts_with("a=")).collect();
        let first = sections
            .split_inclusive('\n')
            .next()
            .unwrap_or("m=audio 9 RTP/AVP 0\r\n");
        found.push((format!("{name}, attributes"), first.to_owned(), attributes));
        found.push((format!("{name}, sections"), String::new(), sections));
    }
    // a line that may stand only once makes the repetition no SDP
    found.retain(|(_, prefix, unit)| {
        !unit.is_empty() && Session::parse(&text(prefix, unit, 3 * unit.len())).is_ok()
    });
    assert!(found.len() >= 30, "{} are left", found.len());
    found
}

fn text(prefix: &str, unit: &str, length: usize) -> String {
    let mut text = format!("{HEAD}{prefix}");
    while text.len() + unit.len() <= length {
        text.push_str(unit);
    }
    text
}

/// Parses, and reads everything that can be read.
fn read_nasty(text: &str, limits: &Limits, all: bool) -> usize {
    let session = Session::parse_within(text, limits).expect("nasty, but SDP");
    if !all {
        return session.media().len();
    }
    let codecs: usize = session
        .media()
        .iter()
        .map(|media| media.codecs().len())
        .sum();
    read_all(&session) + codecs + session.repeats().flatten().count()
}

/// The shortest of some runs of each: what is longer was somebody else's. On a machine that others use too it goes on for a
/// while until the second takes no more than `ratio` times as long as the first.
fn shortest(
    ratio: f64,
    mut one: impl FnMut() -> usize,
    mut other: impl FnMut() -> usize,
) -> [Duration; 2] {
    let mut shortest = [Duration::MAX; 2];
    for run in 0..400 {
        let start = Instant::now();
        black_box(one());
        let between = Instant::now();
        black_box(other());
        let times = [between - start, between.elapsed()];
        shortest = [shortest[0].min(times[0]), shortest[1].min(times[1])];
        if run >= 40 && shortest[1] <= shortest[0].mul_f64(ratio) {
            break;
        }
    }
    shortest
}

/// The answer by who can all that is offered, and the number of its sections.
fn answered(offer: &Session<'_>) -> usize {
    let made = answer(offer, &Origin::anonymous(1, 1), |index, _| {
        let media = offer.media().get(index)?;
        Some(Capabilities {
            codecs: media.codecs(),
            extensions: media.attributes_of().flatten().collect(),
            simulcast: true,
            ..Capabilities::default()
        })
    });
    made.map_or(0, |made| made.media().len())
}

/// What was slowest to answer: groups of many words over many sections, within the usual limits.
fn nastiest_offer() -> String {
    let words = format!("a=group:BUNDLE{}\r\n", " z".repeat(8000));
    let section = |mid| format!("m=application 9 UDP/DTLS/SCTP x\r\na=mid:{mid}\r\n");
    let sections: String = (0..500).map(section).collect();
    format!("{HEAD}{}{sections}", words.repeat(60))
}

/// What was slowest to check: groups of as many distinct words as the usual limits allow.
fn distinct_groups() -> String {
    let group = |group: usize| {
        let words: String = (0..1000).map(|word| format!(" w{group}x{word}")).collect();
        format!("a=group:BUNDLE{words}\r\n")
    };
    let groups: String = (0..60).map(group).collect();
    format!("{HEAD}{groups}m=application 9 UDP/DTLS/SCTP x\r\na=mid:w7x7\r\n")
}

fn answers(criterion: &mut Criterion) {
    let text = nastiest_offer();
    let offer = Session::parse(&text).expect("nasty, but SDP");
    assert_eq!(answered(&offer), 500);
    let mut group = criterion.benchmark_group("sdp_nasty");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("nastiest, answered", |bencher| {
        bencher.iter(|| answered(black_box(&offer)))
    });
    // What is asked of an answer by who made neither side. Of distinct words, for equal ones are found at once.
    let text = distinct_groups();
    let offer = Session::parse(&text).expect("nasty, but SDP");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("nastiest, answer checked", |bencher| {
        bencher.iter(|| check_whole_answer(black_box(&offer), black_box(&offer)))
    });
    group.finish();
}

/// How many times as long twice the text may take.
const LINEAR: f64 = 2.3;

fn linear(criterion: &mut Criterion) {
    // Without the usual limits on lines, their length and sections: of more the parser would be spared.
    let mut limits = Limits::default();
    (limits.lines, limits.line_bytes, limits.media) = (usize::MAX, usize::MAX, usize::MAX);
    let is_test = std::env::args().any(|argument| argument == "--test");
    let mut group = criterion.benchmark_group("sdp_nasty");
    let by_hand = nastiest().into_iter();
    let by_hand = by_hand.map(|(name, prefix, unit)| (name.to_owned(), prefix, unit));
    for (name, prefix, unit) in by_hand.chain(found_by_fuzzing()) {
        let half = text(&prefix, &unit, 512 * 1024);
        let whole = text(&prefix, &unit, 1024 * 1024);
        group.throughput(Throughput::Bytes(whole.len() as u64));
        group.bench_function(&name, |bencher| {
            bencher.iter(|| read_nasty(black_box(&whole), &limits, false))
        });
        if is_test {
            // what runs on any machine asserts no times
            continue;
        }
        for (what, all) in [("parse", false), ("parse and read all", true)] {
            let [half, whole] = shortest(
                LINEAR,
                || read_nasty(black_box(&half), &limits, all),
                || read_nasty(black_box(&whole), &limits, all),
            );
            let ratio = whole.as_secs_f64() / half.as_secs_f64();
            println!("{name}, {what}: {half:?} for 512 KiB, {whole:?} for 1 MiB: {ratio:.2} times");
            assert!(ratio <= LINEAR, "{name}, {what}: not linear");
        }
    }
    group.finish();
}

criterion_group!(benches, sdp, linear, answers);
criterion_main!(benches);
