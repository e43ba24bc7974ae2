//! What a session or a media section says besides its codecs and extensions, in a form in which order does not count.

use core::net::IpAddr;

use rtckit_sdp::attribute::{
    Attribute, Direction, ExtMap, ExtMapAllowMixed, Fingerprint, Group, IceOptions, IcePwd,
    IceUfrag, RawAttribute, Rid, Setup, Ssrc, TlsId, Typed,
};
use rtckit_sdp::{Line, Media, Session};

use super::super::secret;

/// One thing that is said.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    /// What it is about.
    pub(super) what: String,
    /// What is said of it, in a form that is equal if the meaning is.
    pub(super) value: String,
    /// The same for people.
    pub(super) shown: String,
}

impl Fact {
    fn new(what: impl Into<String>, value: impl Into<String>) -> Self {
        let value = value.into();
        Self {
            what: what.into(),
            shown: value.clone(),
            value,
        }
    }

    /// With nothing hidden.
    pub(super) fn uncovered(self) -> Self {
        match self.shown == HIDDEN {
            true => Self {
                shown: self.value.clone(),
                ..self
            },
            false => self,
        }
    }
}

/// How the payload types of this description are to be read, to be compared with those of another.
pub(super) type Translate<'t> = &'t dyn Fn(u8) -> String;

/// The attributes that hold for each media section if the session has them: they are looked at there.
const INHERITED: &[&str] = &[
    ExtMapAllowMixed::NAME,
    Fingerprint::NAME,
    IceOptions::NAME,
    IcePwd::NAME,
    IceUfrag::NAME,
    Setup::NAME,
    TlsId::NAME,
    "extmap",
];

/// What codecs and extensions are made of: they are compared as wholes.
const ELSEWHERE: &[&str] = &["extmap", "fmtp", "rtcp-fb", "rtpmap"];

/// What the session says for itself.
pub(super) fn of_session(whole: &Whole<'_, '_>) -> Vec<Fact> {
    let session = whole.session;
    let mut facts = vec![Fact::new("v=", session.version())];
    if let Ok(origin) = session.origin() {
        let address = [origin.network_type, origin.address_type, origin.address];
        facts.push(Fact::new("user name", origin.username));
        // They may have more digits than any number has room for (RFC 8866 §5.2).
        let [id, version] = [1, 2].map(|word| origin_number(session, word));
        facts.push(Fact::new("session id", id));
        facts.push(Fact::new("session version", version));
        facts.push(Fact::new("origin", connection(&address.join(" "))));
    }
    facts.push(Fact::new("s=", name(session)));
    // A repetition belongs to the time before it: all of them are one.
    facts.push(Fact::new("times", times(session).join(", ")));
    facts.retain(|fact| !fact.value.is_empty());
    let mut looked_at_in_sections = whole.passed_on.len();
    for line in session.lines() {
        let kind = line.kind();
        if kind.is_some_and(|kind| "vostrz".contains(kind)) {
            continue;
        }
        if is_inherited(line) && looked_at_in_sections > 0 {
            looked_at_in_sections -= 1;
            continue;
        }
        facts.extend(of_line(line, &|number| number.to_string()));
    }
    facts
}

/// What holds for a media section.
pub(super) fn of_media(
    whole: &Whole<'_, '_>,
    media: &Media<'_>,
    translate: Translate<'_>,
) -> Vec<Fact> {
    let ports = media.port_count().filter(|count| *count != 1);
    let ports = ports.map_or(String::new(), |count| format!("/{count}"));
    let mut facts = vec![
        Fact::new("kind", media.kind().as_str()),
        Fact::new("port", format!("{}{ports}", media.port())),
        Fact::new("protocol", media.protocol().to_ascii_uppercase()),
        Fact::new(
            "direction",
            media
                .direction()
                .or(whole.direction)
                .unwrap_or_default()
                .as_str(),
        ),
    ];
    if media.codecs().is_empty() {
        facts.push(Fact::new(
            "formats",
            media.formats().collect::<Vec<_>>().join(" "),
        ));
    }
    let own = media.lines().iter();
    let inherited = whole
        .passed_on
        .iter()
        .copied()
        .filter(|line| has_none_of(media, line));
    for line in own.chain(inherited) {
        facts.extend(of_line(line, translate));
    }
    facts
}

/// A word of the `o=` line that is a number.
fn origin_number(session: &Session<'_>, word: usize) -> String {
    let line = session.lines().iter().find(|line| line.kind() == Some('o'));
    let mut words = line.map_or("", Line::value).split_ascii_whitespace();
    digits(words.nth(word).unwrap_or_default()).to_owned()
}

/// A number without the zeroes before it. What is no number is left as it is.
fn digits(text: &str) -> &str {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.trim_start_matches('0') {
        "" if is_number => "0",
        digits if is_number => digits,
        _ => text,
    }
}

/// A number that may have a fraction, without zeroes that say nothing.
fn decimal(text: &str) -> String {
    match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|byte| byte.is_ascii_digit()) => {
            let fraction = fraction.trim_end_matches('0');
            let point = if fraction.is_empty() { "" } else { "." };
            format!("{}{point}{fraction}", digits(whole))
        }
        _ => digits(text).to_owned(),
    }
}

/// When the session is on, in seconds, whatever the units it is written in. Each line that can be read is; `t=0 0` says
/// nothing.
fn times(session: &Session<'_>) -> Vec<String> {
    let (mut timings, mut repeats) = (session.timings(), session.repeats());
    let mut zone = session.zone();
    let mut times = Vec::new();
    for line in session.lines() {
        let read = match line.kind() {
            Some('t') => timings
                .next()
                .and_then(Result::ok)
                .map(|time| time.to_string()),
            Some('r') => repeats
                .next()
                .and_then(Result::ok)
                .map(|repeat| repeat.to_string()),
            Some('z') => zone
                .take()
                .and_then(Result::ok)
                .map(|zone| zone.to_string()),
            _ => continue,
        };
        times.push(read.unwrap_or_else(|| words(line.value())));
    }
    times.retain(|time| time != "0 0");
    times
}

/// An address as `c=` and `o=` have it, in the one form of its numbers. One address is what holds without a number.
fn connection(value: &str) -> String {
    let text = words(value);
    let Some((types, address)) = text.rsplit_once(' ') else {
        return text;
    };
    let mut parts = address.split('/');
    let address = parts.next().unwrap_or_default();
    let address = match address.parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => address.to_ascii_lowercase(),
    };
    let mut numbers: Vec<&str> = parts.map(digits).collect();
    // A time to live comes before the number of addresses, but for IPv6.
    let counted = 1 + usize::from(!types.to_ascii_uppercase().ends_with("IP6"));
    if numbers.len() == counted && numbers.last() == Some(&"1") {
        numbers.pop();
    }
    let numbers: String = numbers.iter().map(|number| format!("/{number}")).collect();
    format!("{types} {address}{numbers}")
}

/// The session's name; nothing for one that has none.
fn name<'s>(session: &'s Session<'_>) -> &'s str {
    match session.name() {
        "-" | " " => "",
        name => name,
    }
}

/// A session, and what it says for all its sections, looked up once.
pub(super) struct Whole<'s, 't> {
    pub(super) session: &'s Session<'t>,
    /// The extensions that hold for every section.
    pub(super) extensions: Vec<ExtMap<'s>>,
    /// The lines that hold for the sections without such a line.
    passed_on: Vec<&'s Line<'t>>,
    direction: Option<Direction>,
}

impl<'s, 't> Whole<'s, 't> {
    /// How many lines are looked at again in each section. More than that, which no real description has, are compared as
    /// the session's.
    const MAX_PASSED_ON: usize = 64;

    /// How many extensions are looked at in each section. Their ids end at 255.
    const MAX_EXTENSIONS: usize = 256;

    pub(super) fn of(session: &'s Session<'t>) -> Self {
        let most = match session.media().is_empty() {
            true => 0,
            false => Self::MAX_PASSED_ON,
        };
        let inherited = session.lines().iter().filter(|line| is_inherited(line));
        let extensions = session.attributes_of().filter_map(Result::ok);
        let mut attributes = session.attributes();
        Self {
            session,
            extensions: extensions.take(Self::MAX_EXTENSIONS).collect(),
            passed_on: inherited.take(most).collect(),
            direction: attributes.find_map(|attribute| Direction::from_name(attribute.name)),
        }
    }
}

fn is_inherited(line: &Line<'_>) -> bool {
    match line.attribute() {
        Some(raw) => INHERITED.contains(&raw.name) || Direction::from_name(raw.name).is_some(),
        None => line.kind() == Some('c'),
    }
}

/// Whether a section has no such line of its own. Directions and extensions are looked at elsewhere.
fn has_none_of(media: &Media<'_>, line: &Line<'_>) -> bool {
    match line.attribute() {
        Some(raw) => !media.has(raw.name),
        None => media.connection().is_none(),
    }
}

/// What a line says: mostly one thing.
fn of_line(line: &Line<'_>, translate: Translate<'_>) -> Vec<Fact> {
    if let Some(raw) = line.attribute() {
        let facts = of_attribute(&raw, translate).into_iter();
        return match secret::hide(line.text()) == line.text() {
            true => facts.collect(),
            false => facts.map(hidden).collect(),
        };
    }
    let what = line
        .kind()
        .map_or_else(|| "not SDP".to_owned(), |kind| format!("{kind}="));
    let mut fact = match (line.kind(), line.value().split_once(':')) {
        (Some('b'), Some((kind, value))) => Fact::new(format!("b={kind}"), digits(value.trim())),
        (Some('c'), _) => Fact::new(what, connection(line.value())),
        _ => Fact::new(what, words(line.value())),
    };
    if line.kind() == Some('k') || secret::hide(line.text()) != line.text() {
        fact.shown = HIDDEN.to_owned();
    }
    vec![fact]
}

/// What stands for a secret.
const HIDDEN: &str = "(hidden)";

fn of_attribute(raw: &RawAttribute<'_>, translate: Translate<'_>) -> Vec<Fact> {
    let name = raw.name;
    if ELSEWHERE.contains(&name) || Direction::from_name(name).is_some() {
        return Vec::new();
    }
    let text = raw.value.unwrap_or_default().trim();
    if let "ptime" | "maxptime" | "framerate" = name {
        return vec![Fact::new(name, decimal(text))];
    }
    let Some(Ok(typed)) = raw.typed() else {
        return vec![Fact::new(name, text)];
    };
    match typed {
        Typed::Ssrc(Ssrc {
            ssrc,
            attribute,
            value,
        }) => {
            let value = value.map_or(String::new(), |value| format!(":{value}"));
            vec![Fact::new(
                format!("ssrc {ssrc}"),
                format!("{attribute}{value}"),
            )]
        }
        Typed::IceOptions(options) => options
            .tags()
            .map(|tag| Fact::new("ice-options", tag))
            .collect(),
        Typed::Group(group) => vec![of_group(group)],
        // the name of the hash and the digits are of either case (RFC 8122 §5)
        Typed::Fingerprint(_) => vec![Fact {
            shown: text.to_owned(),
            ..Fact::new(name, text.to_ascii_lowercase())
        }],
        Typed::Rid(rid) => vec![of_rid(&rid, translate)],
        Typed::ImageAttr(image) => {
            let number = image.payload_type.map_or_else(|| "*".to_owned(), translate);
            let (_, sets) = text.split_once([' ', '\t']).unwrap_or_default();
            let value = format!("{number} {}", words(sets));
            vec![Fact {
                shown: words(text),
                ..Fact::new(name, value)
            }]
        }
        typed => {
            let mut value = String::new();
            let written = typed.write(&mut value);
            let value = match written {
                Ok(()) => value.trim().to_owned(),
                Err(_) => raw.value.unwrap_or_default().to_owned(),
            };
            vec![Fact::new(name, value)]
        }
    }
}

fn hidden(fact: Fact) -> Fact {
    Fact {
        // Without a colon the secret is a part of the name.
        what: secret::hide(&fact.what),
        shown: HIDDEN.to_owned(),
        ..fact
    }
}

/// The members of a group are a set, but for the first of a BUNDLE, whose transport they share (RFC 9143 §7.2).
fn of_group(group: Group<'_>) -> Fact {
    let shown = group.mids.join(" ");
    let mut mids = group.mids;
    let first = usize::from(group.semantics == "BUNDLE").min(mids.len());
    if let Some(rest) = mids.get_mut(first..) {
        rest.sort_unstable();
    }
    Fact {
        what: format!("group {}", group.semantics),
        value: mids.join(" "),
        shown,
    }
}

fn of_rid(rid: &Rid<'_>, translate: Translate<'_>) -> Fact {
    let mut restrictions: Vec<String> = rid
        .restrictions
        .iter()
        .map(|(key, value)| match (key, value) {
            ("pt", _) => {
                let mut numbers: Vec<_> = rid.payload_types().map(translate).collect();
                numbers.sort_unstable();
                format!("pt={}", numbers.join(","))
            }
            (key, Some(value)) => format!("{key}={value}"),
            (key, None) => key.to_owned(),
        })
        .collect();
    restrictions.sort_unstable();
    let direction = rid.direction;
    Fact {
        what: format!("rid {}", rid.id),
        value: format!("{direction:?} {}", restrictions.join(";")),
        shown: format!("{direction:?} {}", rid.restrictions.0)
            .to_lowercase()
            .trim_end()
            .to_owned(),
    }
}

/// The words of a value with one space between them.
fn words(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}
