//! Which codec of one description is which of another, whatever their payload types.

use rtckit_sdp::Codec;
use rtckit_sdp::offer_answer::same_codec;

use super::change::Kind;
use super::compare::{Difference, differences};

/// Two codecs that are one, by their places in the lists.
type Pair = (usize, usize);

/// The codecs of a section before and after.
pub(super) struct Codecs<'c, 's> {
    before: &'c [Codec<'s>],
    after: &'c [Codec<'s>],
    pairs: Vec<Pair>,
}

impl<'c, 's> Codecs<'c, 's> {
    /// Finds out which is which. First those that carry media; then those that repeat or wrap others, by what they repeat.
    pub(super) fn new(before: &'c [Codec<'s>], after: &'c [Codec<'s>]) -> Self {
        let mut codecs = Self {
            before,
            after,
            pairs: Vec::new(),
        };
        let same_number =
            |one: &Codec<'_>, other: &Codec<'_>| one.payload_type() == other.payload_type();
        let same_name = |one: &Codec<'_>, other: &Codec<'_>| one.is(other.rtpmap.encoding);
        codecs
            .pair(|_, one, other| !wraps(one) && same_number(one, other) && same_codec(one, other));
        codecs.pair(|codecs, one, other| {
            !wraps(one) && same_codec(one, other) && codecs.says_the_same(one, other)
        });
        codecs.pair(|_, one, other| !wraps(one) && same_codec(one, other));
        codecs
            .pair(|_, one, other| !wraps(one) && same_number(one, other) && same_name(one, other));
        codecs.pair(|codecs, one, other| {
            same_number(one, other) && same_name(one, other) && codecs.says_the_same(one, other)
        });
        codecs.pair(|codecs, one, other| {
            wraps(one) && same_name(one, other) && codecs.says_the_same(one, other)
        });
        codecs
    }

    /// Pairs what is left and `same`.
    fn pair(&mut self, same: impl Fn(&Self, &Codec<'_>, &Codec<'_>) -> bool) {
        for (place, one) in self.before.iter().enumerate() {
            if self.pairs.iter().any(|(before, _)| *before == place) {
                continue;
            }
            let mut others = self.after.iter().enumerate();
            let found = others.find(|(place, other)| {
                self.pairs.iter().all(|(_, after)| after != place) && same(self, one, other)
            });
            if let Some((other, _)) = found {
                self.pairs.push((place, other));
            }
        }
    }

    /// What a payload type of after was before: a text that is equal if the codec is.
    pub(super) fn translate(&self, payload_type: u8) -> String {
        let numbered = |codec: Option<&Codec<'_>>| codec.map(Codec::payload_type);
        let mut pairs = self.pairs.iter();
        let pair = pairs.find(|(_, after)| numbered(self.after.get(*after)) == Some(payload_type));
        match pair.and_then(|(before, _)| numbered(self.before.get(*before))) {
            Some(number) => number.to_string(),
            // A number that is no codec of after means nothing else before.
            None if !self
                .after
                .iter()
                .any(|codec| codec.payload_type() == payload_type) =>
            {
                payload_type.to_string()
            }
            None => format!("new {payload_type}"),
        }
    }

    fn says_the_same(&self, one: &Codec<'_>, other: &Codec<'_>) -> bool {
        let before = parameters(one, &|number| number.to_string());
        let after = parameters(other, &|number| self.translate(number));
        differences(before, after).is_empty()
    }

    /// What of the codecs differs.
    pub(super) fn differences(&self) -> Vec<Difference> {
        let mut found = Vec::new();
        for (place, one) in self.before.iter().enumerate() {
            let mut pairs = self.pairs.iter();
            let pair = pairs.find(|(before, _)| *before == place);
            match pair.and_then(|(_, after)| self.after.get(*after)) {
                Some(other) => found.extend(self.between(one, other)),
                None => found.push(Difference {
                    kind: Kind::Removed,
                    what: "codec".to_owned(),
                    before: Some(whole(one)),
                    after: None,
                }),
            }
        }
        for (place, other) in self.after.iter().enumerate() {
            if self.pairs.iter().all(|(_, after)| *after != place) {
                found.push(Difference {
                    kind: Kind::Added,
                    what: "codec".to_owned(),
                    before: None,
                    after: Some(whole(other)),
                });
            }
        }
        found.extend(self.order());
        found
    }

    /// What differs between two codecs that are one.
    fn between(&self, one: &Codec<'_>, other: &Codec<'_>) -> Vec<Difference> {
        let name = name(one, self.before);
        let mut found = Vec::new();
        if one.payload_type() != other.payload_type() {
            found.push(Difference {
                kind: Kind::Renumbered,
                what: format!("payload type of {name}"),
                before: Some(one.payload_type().to_string()),
                after: Some(other.payload_type().to_string()),
            });
        }
        let before = parameters(one, &|number| number.to_string());
        let after = parameters(other, &|number| self.translate(number));
        for difference in differences(before, after) {
            let what = format!("{name}, {}", difference.what);
            found.push(Difference { what, ..difference });
        }
        found
    }

    /// Whether those that carry media stand in another order: the first is the one to be used.
    fn order(&self) -> Option<Difference> {
        let mut pairs: Vec<Pair> = self.pairs.clone();
        pairs.retain(|(before, _)| self.before.get(*before).is_some_and(|codec| !wraps(codec)));
        let names = |pairs: &[Pair]| {
            let codecs = pairs
                .iter()
                .filter_map(|(before, _)| self.before.get(*before));
            codecs
                .map(|codec| name(codec, self.before))
                .collect::<Vec<_>>()
                .join(", ")
        };
        pairs.sort_unstable_by_key(|(before, _)| *before);
        let before = names(&pairs);
        let same = pairs.is_sorted_by_key(|(_, after)| *after);
        pairs.sort_unstable_by_key(|(_, after)| *after);
        (!same).then(|| Difference {
            kind: Kind::Reordered,
            what: "codecs".to_owned(),
            before: Some(before),
            after: Some(names(&pairs)),
        })
    }
}

/// Whether a codec repeats, wraps or protects others and means nothing without them.
fn wraps(codec: &Codec<'_>) -> bool {
    ["rtx", "red", "ulpfec", "flexfec-03"]
        .iter()
        .any(|name| codec.is(name))
}

/// The codec's name, clock and channels, and what it repeats.
fn name(codec: &Codec<'_>, all: &[Codec<'_>]) -> String {
    let map = &codec.rtpmap;
    let channels = map
        .channels
        .filter(|channels| *channels != 1)
        .map_or(String::new(), |channels| format!("/{channels}"));
    let name = format!("{}/{}{channels}", map.encoding, map.clock_rate);
    let repeated = codec.associated_payload_type();
    match repeated.and_then(|number| all.iter().find(|codec| codec.payload_type() == number)) {
        Some(repeated) => format!(
            "{name} of {} ({})",
            repeated.rtpmap.encoding,
            repeated.payload_type()
        ),
        None => name,
    }
}

/// The codec with its number and parameters.
fn whole(codec: &Codec<'_>) -> String {
    let parameters: Vec<_> = codec.fmtp.iter().map(|fmtp| fmtp.0.trim()).collect();
    let text = format!(
        "{} {} {}",
        codec.payload_type(),
        name(codec, &[]),
        parameters.join(";")
    );
    text.trim_end().to_owned()
}

/// Clock, channels, parameters and feedback as facts whose order does not count.
fn parameters(
    codec: &Codec<'_>,
    translate: super::facts::Translate<'_>,
) -> Vec<super::facts::Fact> {
    let mut facts = Vec::new();
    let mut add = |what: String, value: String, shown: String| {
        facts.push(super::facts::Fact { what, value, shown });
    };
    let map = &codec.rtpmap;
    add(
        "clock rate".into(),
        map.clock_rate.to_string(),
        map.clock_rate.to_string(),
    );
    let channels = map.channels.unwrap_or(1).to_string();
    add("channels".into(), channels.clone(), channels);
    for (key, value) in codec.fmtp.iter().flat_map(|fmtp| fmtp.iter()) {
        let text = value.unwrap_or_default();
        let number = |text: &str| text.parse().map_or_else(|_| text.to_owned(), translate);
        match value {
            Some(value) if codec.is("rtx") && key.eq_ignore_ascii_case("apt") => {
                add(key.to_lowercase(), number(value), value.to_owned());
            }
            // hexadecimal digits (RFC 6184 §8.1)
            Some(value) if key.eq_ignore_ascii_case("profile-level-id") => {
                add(key.to_lowercase(), value.to_lowercase(), value.to_owned());
            }
            // The blocks of RED: payload types between slashes.
            None if codec.is("red") => {
                let blocks: Vec<_> = key.split('/').map(number).collect();
                add("blocks".to_owned(), blocks.join("/"), key.to_owned());
            }
            Some(_) => add(key.to_lowercase(), text.to_owned(), text.to_owned()),
            None => add("parameter".to_owned(), key.to_owned(), key.to_owned()),
        }
    }
    for feedback in &codec.feedback {
        let feedback = feedback.to_string();
        add("feedback".to_owned(), feedback.clone(), feedback);
    }
    facts
}
