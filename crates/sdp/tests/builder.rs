//! The strict mode against a second opinion: the grammar of RFC 8866 §9 and the rules of attributes, written down once more
//! and without the crate. What [`Session::parse_strict`] takes and what the builder lets through must please both.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::{collection::vec, prelude::*};
use rtckit_sdp::{CodecBuilder, Media, MediaBuilder, MediaKind, Origin, Session, SessionBuilder};
use rtckit_sdp::{attribute::*, check, field::*};
use std::collections::{BTreeMap, BTreeSet};

fn digits(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

fn integer(text: &str) -> bool {
    digits(text) && !text.starts_with('0')
}

fn token(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`{|}~".contains(c))
}

fn time(text: &str) -> bool {
    integer(text) && text.len() >= 10
}

fn typed_time(text: &str) -> bool {
    digits(text.strip_suffix(['d', 'h', 'm', 's']).unwrap_or(text))
}

/// What is wrong with the value of a line by the grammar of RFC 8866 §9.
fn value(kind: char, value: &str) -> bool {
    let words: Vec<&str> = value.split(' ').collect();
    match kind {
        'v' => digits(value),
        'o' => {
            let [name, id, version, net, kind, address] = words[..] else {
                return false;
            };
            let visible = |text: &str| !text.is_empty() && !text.contains(char::is_control);
            visible(name)
                && digits(id)
                && digits(version)
                && token(net)
                && token(kind)
                && visible(address)
        }
        'c' => {
            let [net, kind, address] = words[..] else {
                return false;
            };
            let (address, counts) = address.split_once('/').unwrap_or((address, "1"));
            let counts: Vec<&str> = counts.split('/').collect();
            token(net)
                && token(kind)
                && !address.is_empty()
                && match (kind, &counts[..]) {
                    ("IP4", [ttl]) => *ttl == "0" || integer(ttl) && ttl.len() < 4,
                    ("IP4", [ttl, count]) => {
                        (*ttl == "0" || integer(ttl) && ttl.len() < 4) && integer(count)
                    }
                    ("IP6", [count]) => integer(count),
                    ("IP4" | "IP6", _) => false,
                    _ => true,
                }
        }
        'b' => value
            .split_once(':')
            .is_some_and(|(kind, number)| token(kind) && digits(number)),
        't' => matches!(words[..], [start, stop]
            if (start == "0" || time(start)) && (stop == "0" || time(stop))),
        'r' => {
            let interval = words[0].strip_suffix(['d', 'h', 'm', 's']);
            integer(interval.unwrap_or(words[0]))
                && words.len() > 2
                && words[1..].iter().all(|word| typed_time(word))
        }
        'z' => {
            words.len().is_multiple_of(2)
                && words.chunks(2).all(|pair| {
                    time(pair[0]) && typed_time(pair[1].strip_prefix('-').unwrap_or(pair[1]))
                })
        }
        'm' => {
            let [kind, port, protocol, _, ..] = words[..] else {
                return false;
            };
            let (port, count) = port.split_once('/').unwrap_or((port, "1"));
            token(kind)
                && digits(port)
                && integer(count)
                && protocol.split('/').all(token)
                && words[3..].iter().all(|format| token(format))
        }
        'a' => match value.split_once(':') {
            Some((name, value)) => token(name) && (!value.is_empty() || name == "rtcp-xr"),
            None => token(value),
        },
        's' | 'i' | 'u' | 'e' | 'p' => !value.is_empty(),
        _ => false,
    }
}

/// Which line breaks the grammar of RFC 8866 §9.
fn first_line_against_the_grammar(text: &str) -> Option<String> {
    // What may follow what; `s` in a session and in a section (`m`) differ.
    let next = |in_media: bool, last: char| match (in_media, last) {
        (_, '-') => "v",
        (_, 'v') => "o",
        (_, 'o') => "s",
        (_, 's') => "iuepcbt",
        (false, 'i') => "uepcbt",
        (_, 'u') => "epcbt",
        (_, 'e') => "epcbt",
        (_, 'p') => "pcbt",
        (false, 'c') => "bt",
        (false, 'b') => "bt",
        (_, 't') => "trkam",
        (_, 'r') => "rtzkam",
        (_, 'z') => "tkam",
        (_, 'm') => "icbkam",
        (true, 'i') => "cbkam",
        (true, 'c') => "cbkam",
        (true, 'b') => "bkam",
        (_, 'k' | 'a') => "am",
        _ => "",
    };
    let (mut in_media, mut last) = (false, '-');
    for line in text.split_inclusive('\n') {
        let Some(line) = line.strip_suffix("\r\n") else {
            return Some(line.to_owned());
        };
        let mut chars = line.chars();
        let kind = chars.next().unwrap_or('-');
        let rest = chars.as_str();
        let follows = next(in_media, last).contains(kind);
        let whole = rest.starts_with('=') && !rest.contains(['\r', '\0']);
        if !follows || !whole || !value(kind, &rest[1..]) {
            return Some(line.to_owned());
        }
        in_media |= kind == 'm';
        last = kind;
    }
    (!text.contains("\r\nt=")).then(|| "no t=".to_owned())
}

/// What is wrong with the attributes, of those rules that are easily forgotten.
fn fault_of_attributes(text: &str) -> Option<String> {
    let mut sections = text.split("\r\nm=");
    let session = sections.next().unwrap();
    let all = |section: &str, name: &str| -> Vec<String> {
        let lines = section.lines().filter_map(|line| line.strip_prefix("a="));
        let named = lines.map(|line| line.split_once(':').unwrap_or((line, "")));
        let of_name = named.filter(|(other, _)| *other == name);
        of_name.map(|(_, value)| value.to_owned()).collect()
    };
    let mut bundled = BTreeMap::new();
    for (i, group) in all(session, "group").iter().enumerate() {
        if let Some(mids) = group.strip_prefix("BUNDLE ") {
            for mid in mids.split(' ') {
                if *bundled.entry(mid.to_owned()).or_insert(i) != i {
                    return Some(format!("{mid} is in two BUNDLE groups"));
                }
            }
        }
    }
    let sections: Vec<&str> = sections.collect();
    let mids: Vec<String> = sections.iter().flat_map(|one| all(one, "mid")).collect();
    if let Some(mid) = bundled.keys().find(|mid| !mids.contains(mid)) {
        return Some(format!("{mid} is nowhere"));
    }
    for section in sections {
        let has = |name| !all(section, name).is_empty();
        let inherits = |name| has(name) || !all(session, name).is_empty();
        let rejected = section.split(' ').nth(1) == Some("0") && !has("bundle-only");
        if !rejected && inherits("ice-ufrag") != inherits("ice-pwd") {
            return Some("half of ICE's credentials".into());
        }
        if !rejected && has("rtcp-mux-only") && !has("rtcp-mux") {
            return Some("rtcp-mux-only without rtcp-mux".into());
        }
        if has("bundle-only") && section.split(' ').nth(1) != Some("0") {
            return Some("bundle-only with a port".into());
        }
        let once = |words: Vec<String>| {
            let count = words.len();
            words.into_iter().collect::<BTreeSet<_>>().len() == count
        };
        let first_words = |name| -> Vec<String> {
            let values = all(section, name);
            let first = |value: &String| value.split(' ').next().unwrap().to_owned();
            values.iter().map(first).collect()
        };
        if !once(first_words("fmtp")) || !once(first_words("crypto")) {
            return Some("two fmtp of one format, or two crypto of one tag".into());
        }
        for map in all(section, "rtpmap") {
            let encoding = map.split(' ').nth(1).unwrap();
            let mut parts = encoding.split('/');
            let name = parts.next().unwrap();
            if !token(name) || !parts.all(integer) {
                return Some(map);
            }
            if name.eq_ignore_ascii_case("opus") && !encoding.ends_with("/48000/2") {
                return Some(map);
            }
        }
        for candidate in all(section, "candidate") {
            let priority: u64 = candidate.split(' ').nth(3).unwrap().parse().unwrap();
            if !(1..1 << 31).contains(&priority) {
                return Some(candidate);
            }
        }
        for crypto in all(section, "crypto") {
            let words: Vec<&str> = crypto.split(' ').collect();
            let long = words[2]
                .split(';')
                .any(|key| key.split('|').next().unwrap().len() != "inline:".len() + 40);
            if words[1] == Crypto::AES_CM_128_HMAC_SHA1_80 && long
                || words[0] != "0" && !integer(words[0])
            {
                return Some(crypto);
            }
        }
        for clock in all(section, "mediaclk") {
            let rate = clock.split_once(" rate=").map(|(_, rate)| rate);
            if rate.is_some_and(|rate| !rate.split('/').all(integer)) {
                return Some(clock);
            }
        }
        let filters = all(section, "source-filter");
        if filters.iter().any(|filter| !filter.starts_with(' ')) {
            return Some("a=source-filter:incl".into());
        }
    }
    None
}

fn fault(text: &str) -> Option<String> {
    first_line_against_the_grammar(text).or_else(|| fault_of_attributes(text))
}

/// Every fault that the second opinion knows is refused by the strict mode, and what is right is not.
#[test]
fn each_fault_is_refused() {
    const RIGHT: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 233.252.0.1/127/3\r\n\
        t=3724394400 3754123200\r\nr=7d 1h 0 25h\r\nz=3730928400 -1h 3749680800 0\r\nt=0 0\r\n\
        a=group:BUNDLE a b\r\n\
        m=audio 5000/2 RTP/SAVP 96 97\r\na=mid:a\r\na=rtcp-mux\r\na=rtcp-mux-only\r\n\
        a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n\
        a=rtpmap:96 opus/48000/2\r\na=rtpmap:97 L16/44100/1\r\na=fmtp:96 stereo=1\r\n\
        a=source-filter: incl IN IP4 233.252.0.1 192.0.2.1\r\na=mediaclk:direct=0 rate=1000/1001\r\n\
        a=candidate:1 1 udp 2147483647 192.0.2.1 9 typ host\r\n\
        a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4\r\n\
        m=video 0 RTP/SAVP 98\r\na=mid:b\r\na=bundle-only\r\na=rtpmap:98 VP8/90000\r\n";
    assert_eq!(check(RIGHT), []);
    assert_eq!(fault(RIGHT), None);
    for (from, to) in [
        (
            "t=3724394400 3754123200\r\nr=7d 1h 0 25h",
            "r=7d 1h 0 25h\r\nt=3724394400 3754123200",
        ),
        ("r=7d 1h 0 25h\r\n", ""),
        ("t=0 0\r\n", "t=0 0\r\nz=3730928400 -1h\r\n"),
        ("r=7d", "r=0"),
        ("r=7d", "r=07d"),
        ("z=3730928400", "z=1"),
        ("-1h 3749680800 0", "-1h 3749680800"),
        ("/127/3", "/0127/3"),
        ("/127/3", "/127/03"),
        ("/127/3", "/127/0"),
        ("5000/2", "5000/0"),
        ("5000/2", "5000/02"),
        ("RTP/SAVP 96", "RTP//SAVP 96"),
        ("L16/44100/1", "L16/44100/0"),
        ("L16/44100/1", "L16/44100/"),
        ("L16/44100/1", "L16/0"),
        ("L16/44100/1", "L16/044100"),
        ("L16/44100/1", "L(16/44100"),
        ("opus/48000/2", "opus/48000/1"),
        ("opus/48000/2", "OPUS/48000"),
        ("opus/48000/2", "opus/8000/2"),
        ("source-filter: incl", "source-filter:incl"),
        ("udp 2147483647", "udp 2147483648"),
        ("udp 2147483647", "udp 0"),
        ("rate=1000/1001", "rate=1000/0"),
        ("rate=1000/1001", "rate=0/1"),
        ("crypto:1 ", "crypto:01 "),
        ("JSoj", ""),
        (
            "a=crypto:1 ",
            "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\na=crypto:1 ",
        ),
        (
            "a=group:BUNDLE a b\r\n",
            "a=group:BUNDLE a b\r\na=group:BUNDLE b\r\n",
        ),
        ("BUNDLE a b", "BUNDLE a b c"),
        ("m=video 0 ", "m=video 9 "),
        ("a=rtcp-mux\r\n", ""),
        ("a=ice-ufrag:abcd\r\n", ""),
        ("a=ice-pwd:abcdefghijklmnopqrstuv\r\n", ""),
        (
            "a=fmtp:96 stereo=1\r\n",
            "a=fmtp:96 stereo=1\r\na=fmtp:96 cbr=1\r\n",
        ),
    ] {
        let wrong = RIGHT.replacen(from, to, 1);
        assert_ne!(wrong, RIGHT);
        assert!(fault(&wrong).is_some(), "{from} → {to}");
        let found = Session::parse_strict(&wrong).expect_err(to);
        assert!(found.line > 3 && found.column > 0, "{from} → {to}: {found}");
    }
    // The session's credentials are those of its sections; one may be the section's own.
    let ufrag = "a=ice-ufrag:abcd\r\n";
    let inherited = RIGHT
        .replace(ufrag, "")
        .replace("a=group", "a=ice-ufrag:abcd\r\na=group");
    let found: Vec<_> = check(&inherited).iter().map(|one| one.line).collect();
    assert_eq!(found, [9], "the section with bundle-only has no a=ice-pwd");
    let rejected = inherited.replace("a=bundle-only\r\n", "");
    assert_eq!(check(&rejected), [], "a rejected one needs none");
    // No RFC forbids to name one twice in one group.
    assert_eq!(check(&RIGHT.replace("BUNDLE a b", "BUNDLE a b b")), []);
}

/// What a section says twice or of itself, and what it may say twice.
#[test]
fn extensions_streams_and_retransmissions() {
    const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=video 9 RTP/AVP 96 97\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\n";
    let rids = "a=rid:1 send\r\na=rid:2 send\r\n";
    for (lines, section) in [
        ("a=fmtp:97 apt=96\r\n", None),
        ("a=fmtp:97 apt=97\r\n", Some("8.1")),
        ("a=extmap:1 urn:a\r\na=extmap:2 urn:b\r\n", None),
        ("a=extmap:1 urn:a\r\na=extmap:2 urn:a\r\n", Some("5")),
        ("a=extmap:1 urn:a x\r\na=extmap:2 urn:a y\r\n", None),
        ("a=extmap:1 urn:a\r\na=extmap:1 urn:b\r\n", Some("5")),
        // alternatives, of which the answer takes one
        ("a=extmap:4096 urn:a\r\na=extmap:4096 urn:b\r\n", None),
        (&format!("{rids}a=simulcast:send 1;2\r\n"), None),
        (&format!("{rids}a=simulcast:send 1;2,1\r\n"), Some("5.2")),
    ] {
        let text = format!("{HEAD}{lines}");
        let found: Vec<_> = check(&text)
            .iter()
            .map(|one| one.reference.section)
            .collect();
        assert_eq!(found, Vec::from_iter(section), "{lines}");
    }
}

/// Times, their repetitions and the changes of clocks stay together, in the order in which they are told.
#[test]
fn a_zone_is_that_of_the_repetitions_before_it() {
    let repeat = Repeat {
        interval: 604_800,
        duration: 3600,
        offsets: vec![0],
    };
    let zone = Zone {
        adjustments: vec![(3_730_928_400, -3600)],
    };
    let time = |start| Timing {
        start,
        stop: start + 1,
    };
    let first = Session::builder(&Origin::anonymous(1, 1)).time(time(3_724_394_400));
    let session = first
        .clone()
        .repeat(&repeat)
        .zone(&zone)
        .time(time(3_754_123_200))
        .repeat(&repeat)
        .build()
        .unwrap();
    let kinds: String = session
        .lines()
        .iter()
        .filter_map(|line| line.kind())
        .collect();
    assert_eq!(kinds, "vostrztr");
    // One more goes to the last time, before the zone of that.
    let mut session = first.clone().repeat(&repeat).zone(&zone).build().unwrap();
    session.push_line('r', &repeat).unwrap();
    let kinds: String = session
        .lines()
        .iter()
        .filter_map(|line| line.kind())
        .collect();
    assert_eq!(kinds, "vostrrz");
    assert!(
        first.zone(&zone).build().is_err(),
        "it would change nothing"
    );
}

/// A setter of a builder, and what it is told.
#[derive(Clone, Debug)]
enum Told {
    Text(usize, String),
    Connection(String, String, Option<u8>, Option<u32>),
    Bandwidth(String, u64),
    Time(u64, u64),
    Repeat(u64, u64, Vec<u64>),
    Zone(Vec<(u64, i64)>),
    Group(bool, Vec<usize>),
    Ufrag,
    Pwd,
    Raw(String, Option<String>),
    Section(usize, u16, String, Vec<ToldOfSection>),
}

#[derive(Clone, Debug)]
enum ToldOfSection {
    Codec(u8, usize, u32, Option<u16>, bool),
    Mid(usize),
    Ufrag,
    Pwd,
    Mux,
    MuxOnly,
    BundleOnly,
    Candidate(u32, u16),
    Crypto(u32, usize, usize),
    Clock(Option<u64>, Option<(u64, u64)>),
    Filter(String),
    Fmtp(String, String),
    Raw(String, Option<String>),
}

const MIDS: [&str; 4] = ["a", "b", "c", "d e"];

/// Mostly what is right, so that not everything is refused.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(1),
        3_000_000_000..4_000_000_000u64,
        any::<u64>()
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{1,6}",
        1 => ".{0,8}",
        1 => "[a-z@. ()<>:/\r\n\t\u{0}+0-9é-]{0,12}",
    ]
}

fn told() -> impl Strategy<Value = Told> {
    let address = prop_oneof![
        Just("192.0.2.1"),
        Just("233.252.0.1"),
        Just("ff15::1"),
        Just("a b"),
        Just("host.example")
    ];
    let family = prop_oneof![Just("IP4"), Just("IP6"), Just("IP")];
    let adjustment = (3_000_000_000..4_000_000_000u64, any::<i64>());
    prop_oneof![
        2 => (0usize..6, text()).prop_map(|(which, text)| Told::Text(which, text)),
        1 => (family, address, prop::option::of(any::<u8>()), prop::option::of(0u32..3))
            .prop_map(|(family, address, ttl, count)| Told::Connection(family.into(), address.into(), ttl, count)),
        1 => (text(), any::<u64>()).prop_map(|(kind, number)| Told::Bandwidth(kind, number)),
        2 => (number(), number()).prop_map(|(start, stop)| Told::Time(start, stop)),
        1 => (prop_oneof![Just(0), 1..100_000u64], number(), vec(number(), 0..3)).prop_map(|(a, b, c)| Told::Repeat(a, b, c)),
        1 => vec(adjustment, 0..3).prop_map(Told::Zone),
        2 => (any::<bool>(), vec(0usize..4, 0..3)).prop_map(|(bundle, mids)| Told::Group(bundle, mids)),
        1 => Just(Told::Ufrag),
        1 => Just(Told::Pwd),
        1 => (text(), prop::option::of(text())).prop_map(|(name, value)| Told::Raw(name, value)),
        4 => (prop_oneof![8 => 0usize..2, 1 => Just(2)], prop_oneof![Just(0), Just(9), any::<u16>()], prop_oneof![8 => Just("RTP/SAVP".to_owned()), 1 => text()],
            vec(told_of_section(), 0..12)).prop_map(|(kind, port, protocol, told)| Told::Section(kind, port, protocol, told)),
    ]
}

fn told_of_section() -> impl Strategy<Value = ToldOfSection> {
    use ToldOfSection as T;
    let codec = (
        96u8..100,
        0usize..4,
        prop_oneof![Just(0u32), Just(48_000), any::<u32>()],
        prop::option::of(0u16..3),
        any::<bool>(),
    );
    let rate = (0u64..3, 0u64..3);
    prop_oneof![
        2 => codec.prop_map(|(number, name, rate, channels, fmtp)| T::Codec(number, name, rate, channels, fmtp)),
        2 => (0usize..4).prop_map(T::Mid),
        1 => Just(T::Ufrag),
        1 => Just(T::Pwd),
        1 => Just(T::Mux),
        1 => Just(T::MuxOnly),
        1 => Just(T::BundleOnly),
        1 => (prop_oneof![Just(0u32), Just(1 << 31), 1..1u32 << 31], 0u16..3).prop_map(|(priority, component)| T::Candidate(priority, component)),
        1 => (0u32..3, 0usize..3, prop_oneof![4 => Just(30usize), 1 => 0usize..50]).prop_map(|(tag, suite, length)| T::Crypto(tag, suite, length)),
        1 => (prop::option::of(any::<u64>()), prop::option::of(rate)).prop_map(|(offset, rate)| T::Clock(offset, rate)),
        1 => text().prop_map(T::Filter),
        1 => (prop_oneof![Just("96".to_owned()), text()], text()).prop_map(|(format, text)| T::Fmtp(format, text)),
        1 => (text(), prop::option::of(text())).prop_map(|(name, value)| T::Raw(name, value)),
    ]
}

fn tell(builder: SessionBuilder, told: &Told) -> SessionBuilder {
    match told {
        Told::Text(0, text) => builder.name(text),
        Told::Text(1, text) => builder.information(text),
        Told::Text(2, text) => builder.uri(text),
        Told::Text(3, text) => builder.email(text),
        Told::Text(4, text) => builder.phone(text),
        Told::Text(_, text) => builder.attribute(Tool(text)),
        Told::Connection(family, address, ttl, count) => builder.connection(&Connection {
            network_type: "IN",
            address_type: family,
            address,
            ttl: *ttl,
            count: *count,
        }),
        Told::Bandwidth(kind, value) => builder.bandwidth(&Bandwidth {
            kind,
            value: *value,
        }),
        Told::Time(start, stop) => builder.time(Timing {
            start: *start,
            stop: *stop,
        }),
        Told::Repeat(interval, duration, offsets) => builder.repeat(&Repeat {
            interval: *interval,
            duration: *duration,
            offsets: offsets.clone(),
        }),
        Told::Zone(adjustments) => builder.zone(&Zone {
            adjustments: adjustments.clone(),
        }),
        Told::Group(bundle, mids) => builder.attribute(Group {
            semantics: if *bundle { Group::BUNDLE } else { "LS" },
            mids: mids.iter().map(|mid| MIDS[*mid]).collect(),
        }),
        Told::Ufrag => builder.attribute(IceUfrag("abcd")),
        Told::Pwd => builder.attribute(IcePwd("abcdefghijklmnopqrstuv")),
        Told::Raw(name, value) => builder.raw_attribute(name, value.as_deref()),
        // Told one thing at a time by the test.
        Told::Section(..) => builder,
    }
}

fn tell_section(media: MediaBuilder, told: &ToldOfSection) -> MediaBuilder {
    use ToldOfSection as T;
    match told {
        T::Codec(number, name, rate, channels, fmtp) => {
            let name = ["opus", "L16", "x", "y z"][*name];
            let mut codec = CodecBuilder::new(*number, name, *rate);
            if let Some(channels) = channels {
                codec = codec.channels(*channels);
            }
            media.codec(if *fmtp {
                codec.parameters("a=1")
            } else {
                codec
            })
        }
        T::Mid(mid) => media.attribute(Mid(MIDS[*mid])),
        T::Ufrag => media.attribute(IceUfrag("efgh")),
        T::Pwd => media.attribute(IcePwd("abcdefghijklmnopqrstuvw")),
        T::Mux => media.attribute(RtcpMux),
        T::MuxOnly => media.attribute(RtcpMuxOnly),
        T::BundleOnly => media.attribute(BundleOnly),
        T::Candidate(priority, component) => media.attribute(Candidate {
            foundation: "1",
            component: *component,
            transport: CandidateTransport::Udp,
            priority: *priority,
            address: Address::Ip([192, 0, 2, 1].into()),
            port: 9,
            kind: CandidateKind::Host,
            related: None,
            tcp_type: None,
            extensions: vec![],
        }),
        T::Crypto(tag, suite, length) => media.attribute(Crypto {
            tag: *tag,
            suite: [
                Crypto::AES_CM_128_HMAC_SHA1_80,
                Crypto::AEAD_AES_128_GCM,
                "X",
            ][*suite],
            keys: vec![CryptoKey {
                method: CryptoKey::INLINE,
                key_salt: &"AAAA".repeat(length / 3),
                lifetime: None,
                mki: None,
            }],
            session_parameters: vec![],
        }),
        T::Clock(offset, rate) => media.attribute(MediaClk {
            id: None,
            of_source: false,
            source: MediaClock::Direct {
                offset: *offset,
                rate: *rate,
            },
        }),
        T::Filter(source) => media.attribute(SourceFilter {
            mode: FilterMode::Include,
            network_type: "IN",
            address_type: "IP4",
            destination: "*",
            sources: vec![source],
        }),
        T::Fmtp(format, text) => media.attribute(Fmtp {
            format,
            parameters: Parameters(text),
        }),
        T::Raw(name, value) => media.raw_attribute(name, value.as_deref()),
    }
}

/// The same builder, if it builds; then nothing may be wrong with what is written.
fn built(builder: SessionBuilder) -> Result<Option<SessionBuilder>, TestCaseError> {
    let Ok(session) = builder.clone().build() else {
        return Ok(None);
    };
    let text = session.to_string();
    prop_assert_eq!(check(&text), [], "{}", &text);
    let read = Session::parse_strict(&text);
    prop_assert_eq!(read.as_ref(), Ok(&session));
    prop_assert_eq!(fault(&text), None, "{}", &text);
    Ok(Some(builder))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever the setters are told: it is refused, or nothing is wrong with what is written.
    #[test]
    fn no_invalid_session_is_built(
        origin in ("-|[a-z]{1,4}|.{0,4}", any::<(u64, u64)>(), "IP4|IP6|[ -~]{1,3}", "192.0.2.1|a.example|[ -~]{0,9}"),
        begun in any::<bool>(),
        all in vec(told(), 0..16),
    ) {
        let (username, (session_id, session_version), address_type, address) = &origin;
        let builder = Session::builder(&Origin {
            username, session_id: *session_id, session_version: *session_version, network_type: "IN", address_type, address,
        });
        // One at a time, so that one refusal does not hide the rest.
        let mut builder = match builder.clone().build() {
            Ok(_) => built(builder)?.unwrap(),
            Err(_) => Session::builder(&Origin::anonymous(1, 1)),
        };
        if begun {
            let media = Media::builder(MediaKind::Audio, 9, "RTP/AVP").format(0).attribute(Mid("a"));
            builder = built(builder.media(media))?.unwrap();
        }
        for told in &all {
            let Told::Section(kind, port, protocol, told) = told else {
                if let Some(built) = built(tell(builder.clone(), told))? {
                    builder = built;
                }
                continue;
            };
            let kind = [MediaKind::Audio, MediaKind::Video, MediaKind::Other("te xt")][*kind];
            let mut media = Media::builder(kind, *port, protocol).format(0);
            for told in told {
                let next = tell_section(media.clone(), told);
                if built(builder.clone().media(next.clone()))?.is_some() {
                    media = next;
                }
            }
            if let Some(built) = built(builder.clone().media(media))? {
                builder = built;
            }
        }
    }

    /// Lines right and nearly right, in an order right and nearly right: what is strict follows the grammar.
    #[test]
    fn what_is_read_strictly_follows_the_grammar(
        lines in vec(prop_oneof![
            "[vosiuepcbtrzkam]=[ -~]{0,8}",
            "t=(0 0|3724394400 3754123200|0 3754123200|1 2)",
            "r=[0-9]{1,3}[dhms]? [0-9]{1,2}[dhmsx]? [0-9]{1,2}[dhms]?",
            "z=(3724394400|12|0) -?[0-9]{1,2}h?",
            "c=IN (IP4|IP6) (192.0.2.1|233.252.0.1|ff15::1)(/[0-9]{1,3}){0,2}",
            "b=(AS|X-a|b c):?[0-9]{0,3}",
            "[ep]=[a-z+0-9]{1,3}[ @]?[a-z0-9]{0,3} {0,2}[(<]?[a-z]{0,2}[)>]?",
            "m=audio [0-9]{1,3}(/[0-9]{1,2})? RTP/?/?AVP [0-9]",
            "a=rtpmap:[0-9]{1,2} [a-z(]{1,2}/[0-9]{1,2}(/[0-9]?)?",
        ], 0..6),
        place in 3usize..7,
    ) {
        let mut all = vec!["v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=3724394400 0", "m=audio 9 RTP/AVP 0"];
        for line in lines.iter().rev() {
            let mut longer = all.clone();
            longer.insert(place.min(all.len()), line);
            let text = longer.join("\r\n") + "\r\n";
            if Session::parse_strict(&text).is_ok() {
                prop_assert_eq!(fault(&text), None, "{}", &text);
                all = longer;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// However much is told: it is refused, or not too much to be read.
    #[test]
    fn no_session_is_built_that_is_too_large_to_be_read(
        sections in prop_oneof![0usize..4, 505usize..520],
        lines in prop_oneof![0usize..4, 32_700usize..32_800],
        length in prop_oneof![0usize..4, 16_370usize..16_390],
        long in prop_oneof![0usize..4, 60usize..68],
    ) {
        let value = "x".repeat(length);
        let mut builder = Session::builder(&Origin::anonymous(1, 1));
        for index in 0..lines + long {
            let value = if index < long { value.as_str() } else { "x" };
            builder = builder.raw_attribute("x", (!value.is_empty()).then_some(value));
        }
        for _ in 0..sections {
            builder = builder.media(Media::builder(MediaKind::Audio, 9, "RTP/AVP").format(0).connection(&Connection::UNSPECIFIED));
        }
        if let Ok(session) = builder.build() {
            let text = session.to_string();
            let read = Session::parse_strict(&text);
            prop_assert_eq!(read.as_ref(), Ok(&session));
        }
    }
}
