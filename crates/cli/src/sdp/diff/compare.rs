//! Puts two descriptions side by side.

use std::collections::BTreeMap;

use rtckit_sdp::attribute::ExtMap;
use rtckit_sdp::{Media, Session};

use super::change::{Change, Kind, Place};
use super::codecs::Codecs;
use super::facts::{Fact, Whole, of_media, of_session};

/// A change whose place is still to be told.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    pub(super) kind: Kind,
    pub(super) what: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// All differences: those of the session, and those of the media sections in their order.
pub(super) fn sessions(before: &Session<'_>, after: &Session<'_>, secrets: bool) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut add = |place: &Place, differences: Vec<Difference>| {
        changes.extend(differences.into_iter().map(|difference| Change {
            place: place.clone(),
            change: difference.kind,
            what: difference.what,
            before: difference.before,
            after: difference.after,
        }));
    };
    let uncover = |facts: Vec<Fact>| match secrets {
        true => facts.into_iter().map(Fact::uncovered).collect(),
        false => facts,
    };
    let wholes = (Whole::of(before), Whole::of(after));
    let session = differences(
        uncover(of_session(&wholes.0)),
        uncover(of_session(&wholes.1)),
    );
    add(&Place::default(), session);
    for (one, other) in sections(before, after) {
        let old = one.and_then(|index| before.media().get(index));
        let new = other.and_then(|index| after.media().get(index));
        let shown = old.or(new);
        let place = Place {
            before: one,
            after: other,
            kind: shown.map(|media| media.kind().as_str().to_owned()),
            mid: shown.and_then(Media::mid).map(ToOwned::to_owned),
        };
        let found = match (old, new) {
            (Some(old), Some(new)) => {
                let moved = (one != other).then(|| moved(one, other));
                let same_place = media((&wholes.0, old), (&wholes.1, new), &uncover);
                moved.into_iter().chain(same_place).collect()
            }
            (Some(old), None) => vec![whole(Kind::Removed, old)],
            (None, Some(new)) => vec![whole(Kind::Added, new)],
            (None, None) => Vec::new(),
        };
        add(&place, found);
    }
    changes
}

/// Which section is which: those of one mid, and where there is none, those at one place.
fn sections(before: &Session<'_>, after: &Session<'_>) -> Vec<(Option<usize>, Option<usize>)> {
    let mut free: Vec<bool> = vec![true; after.media().len()];
    let mut pairs = Vec::new();
    let old = before.media().iter();
    for (index, media) in old.enumerate() {
        let mut new = after.media().iter().enumerate();
        let of_mid = new.find(|(place, other)| {
            media.mid().is_some() && other.mid() == media.mid() && free.get(*place) == Some(&true)
        });
        let found = match of_mid {
            Some((place, _)) => Some(place),
            None => after.media().get(index).and_then(|other| {
                let unnamed = other.mid().is_none() || media.mid().is_none();
                (unnamed && free.get(index) == Some(&true)).then_some(index)
            }),
        };
        if let Some(taken) = found.and_then(|place| free.get_mut(place)) {
            *taken = false;
        }
        pairs.push((Some(index), found));
    }
    let new = free.iter().enumerate().filter(|(_, free)| **free);
    pairs.extend(new.map(|(place, _)| (None, Some(place))));
    pairs
}

fn moved(before: Option<usize>, after: Option<usize>) -> Difference {
    let place = |index: Option<usize>| index.map(|index| (index + 1).to_string());
    Difference {
        kind: Kind::Moved,
        what: "section".to_owned(),
        before: place(before),
        after: place(after),
    }
}

fn whole(kind: Kind, media: &Media<'_>) -> Difference {
    let text = Some(media.media_line().value().to_owned());
    let (before, after) = match kind {
        Kind::Removed => (text, None),
        _ => (None, text),
    };
    Difference {
        kind,
        what: "section".to_owned(),
        before,
        after,
    }
}

/// A section, and the session it is in.
type Within<'s, 't> = (&'s Whole<'s, 't>, &'s Media<'t>);

fn media(
    before: Within<'_, '_>,
    after: Within<'_, '_>,
    uncover: &dyn Fn(Vec<Fact>) -> Vec<Fact>,
) -> Vec<Difference> {
    let (old, new) = (before.1.codecs(), after.1.codecs());
    let codecs = Codecs::new(&old, &new);
    let plain = |number: u8| number.to_string();
    let translate = |number: u8| codecs.translate(number);
    let old = of_media(before.0, before.1, &plain);
    let new = of_media(after.0, after.1, &translate);
    let mut found = differences(uncover(old), uncover(new));
    found.extend(codecs.differences());
    found.extend(extensions(before, after));
    found
}

/// Header extensions are known by their URI, and those that are encrypted by the URI of what is.
fn extensions(before: Within<'_, '_>, after: Within<'_, '_>) -> Vec<Difference> {
    let of = |(whole, media): Within<'_, '_>| {
        let own = media.attributes_of::<ExtMap<'_>>().filter_map(Result::ok);
        let all = own.chain(whole.extensions.iter().copied());
        let named = all.map(|extension| {
            let name = format!("{} {}", extension.uri, extension.attributes);
            let direction = extension
                .direction
                .map_or("as the media", |direction| direction.as_str());
            (name.trim_end().to_owned(), extension.id, direction)
        });
        named.collect::<Vec<_>>()
    };
    let old = of(before);
    // The last of a name comes first: they are taken from the end.
    let mut new: BTreeMap<String, Vec<(u16, &str)>> = BTreeMap::new();
    for (name, id, direction) in of(after).into_iter().rev() {
        new.entry(name).or_default().push((id, direction));
    }
    let mut found = Vec::new();
    for (name, id, direction) in old {
        match new.get_mut(&name).and_then(Vec::pop) {
            Some(other) => found.extend(extension(&name, (id, direction), other)),
            None => found.push(Difference {
                kind: Kind::Removed,
                what: "extension".to_owned(),
                before: Some(format!("{id} {name}")),
                after: None,
            }),
        }
    }
    for (name, ids) in new {
        found.extend(ids.into_iter().rev().map(|(id, _)| Difference {
            kind: Kind::Added,
            what: "extension".to_owned(),
            before: None,
            after: Some(format!("{id} {name}")),
        }));
    }
    found
}

/// What differs between two numbers and directions of an extension.
fn extension(name: &str, before: (u16, &str), after: (u16, &str)) -> Vec<Difference> {
    let mut found = Vec::new();
    if before.0 != after.0 {
        found.push(Difference {
            kind: Kind::Renumbered,
            what: format!("extension {name}"),
            before: Some(before.0.to_string()),
            after: Some(after.0.to_string()),
        });
    }
    if before.1 != after.1 {
        found.push(Difference {
            kind: Kind::Changed,
            what: format!("direction of extension {name}"),
            before: Some(before.1.to_owned()),
            after: Some(after.1.to_owned()),
        });
    }
    found
}

/// What is said before and not after, and the other way round. What is said once on each side has changed.
pub(super) fn differences(before: Vec<Fact>, after: Vec<Fact>) -> Vec<Difference> {
    let (old, new) = (without(before.clone(), &after), without(after, &before));
    let count = |facts: &[Fact]| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for fact in facts {
            *counts.entry(fact.what.clone()).or_default() += 1;
        }
        counts
    };
    let (olds, news) = (count(&old), count(&new));
    let has_changed =
        |fact: &Fact| olds.get(&fact.what) == Some(&1) && news.get(&fact.what) == Some(&1);
    let (changed, new): (Vec<Fact>, Vec<Fact>) = new.into_iter().partition(has_changed);
    let mut changed: BTreeMap<String, String> = changed
        .into_iter()
        .map(|fact| (fact.what, fact.shown))
        .collect();
    let mut found = Vec::new();
    for fact in old {
        let after = changed.remove(&fact.what);
        found.push(Difference {
            kind: if after.is_some() {
                Kind::Changed
            } else {
                Kind::Removed
            },
            what: fact.what,
            before: Some(fact.shown),
            after,
        });
    }
    found.extend(new.into_iter().map(|fact| Difference {
        kind: Kind::Added,
        what: fact.what,
        before: None,
        after: Some(fact.shown),
    }));
    found
}

/// The facts that are not among the others, in their order; what is said twice must be said there twice.
fn without(facts: Vec<Fact>, others: &[Fact]) -> Vec<Fact> {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for other in others {
        let key = (other.what.clone(), other.value.clone());
        *counts.entry(key).or_default() += 1;
    }
    let mut left = facts;
    left.retain(|fact| {
        let key = (fact.what.clone(), fact.value.clone());
        match counts.get_mut(&key) {
            Some(count @ 1..) => {
                *count -= 1;
                false
            }
            _ => true,
        }
    });
    left
}
