//! Which sections share a transport: [RFC 9143](https://www.rfc-editor.org/rfc/rfc9143.html).

use super::outline::{Outline, SectionOutline, Violation};
use crate::reference::Reference;
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

/// The sections of an answer's BUNDLE group: those of the offered group that are accepted, in its order and each once
/// ([RFC 9143 §7.3](https://www.rfc-editor.org/rfc/rfc9143.html#section-7.3)). Empty if none is: then the answer has no such
/// group.
pub fn answer_bundle<S: AsRef<str>>(offered: &[S], accepted: impl Fn(&str) -> bool) -> Vec<&str> {
    let mut named = BTreeSet::new();
    let offered = offered.iter().map(AsRef::as_ref);
    offered
        .filter(|mid| accepted(mid) && named.insert(*mid))
        .collect()
}

/// The section whose transport carries the group: the first that has one of its own and is in use, which `in_use` says
/// ([RFC 9143 §7.2.1](https://www.rfc-editor.org/rfc/rfc9143.html#section-7.2.1)).
pub fn tagged_mid<S: AsRef<str>>(bundle: &[S], in_use: impl Fn(&str) -> bool) -> Option<&str> {
    let mut bundle = bundle.iter().map(AsRef::as_ref);
    bundle.find(|mid| in_use(mid))
}

/// Whether each group of an answer is a part of one of the offer's, and every section is in one group at most
/// ([RFC 9143 §7.3](https://www.rfc-editor.org/rfc/rfc9143.html#section-7.3)).
///
/// # Errors
/// The rule that is broken.
pub fn check_bundles(offer: &Outline<'_>, answer: &Outline<'_>) -> Result<(), Violation> {
    const fn broken(
        section: Option<usize>,
        rule: &'static str,
        number: &'static str,
    ) -> Result<(), Violation> {
        Err(Violation {
            section,
            rule,
            reference: Reference::rfc("9143", number),
        })
    }

    // Both sides may be strangers: nothing here compares each word of the groups with all others.
    let offered = groups_by_mid(&offer.bundles);
    let answered = groups_by_mid(&answer.bundles);
    if answered.values().any(|groups| groups.len() > 1) {
        let rule = "a section is in one BUNDLE group at most (RFC 9143 §7.1)";
        return broken(None, rule, "7.1");
    }
    for group in &answer.bundles {
        // As each mid is in one answered group only, the offered ones are counted once altogether.
        let mids: BTreeSet<&str> = group.iter().copied().collect();
        let mut found = BTreeMap::new();
        for offered in mids.iter().filter_map(|mid| offered.get(mid)).flatten() {
            *found.entry(*offered).or_insert(0_usize) += 1;
        }
        let within = match mids.is_empty() {
            true => !offer.bundles.is_empty(),
            false => found.values().any(|count| *count == mids.len()),
        };
        if !within {
            let rule =
                "an answer's BUNDLE group names only sections of the offer's (RFC 9143 §7.3.3)";
            return broken(None, rule, "7.3.3");
        }
    }
    let rejected = answer.sections.iter().enumerate();
    let mut rejected = rejected.filter(|(_, section)| section.rejected);
    let in_group =
        |section: &SectionOutline<'_>| section.mid.is_some_and(|mid| answered.contains_key(mid));
    if let Some((index, _)) = rejected.find(|(_, section)| in_group(section)) {
        let rule = "a rejected section is in no BUNDLE group (RFC 9143 §7.3.3)";
        return broken(Some(index), rule, "7.3.3");
    }
    Ok(())
}

/// The groups that name a mid, each once.
fn groups_by_mid<'b>(bundles: &'b [Vec<&'b str>]) -> BTreeMap<&'b str, BTreeSet<usize>> {
    let mut groups: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (index, bundle) in bundles.iter().enumerate() {
        for mid in bundle {
            groups.entry(*mid).or_default().insert(index);
        }
    }
    groups
}

/// Whether all that an answer accepts travels on one transport, RTCP included: what an offerer needs that has only one to
/// offer ([RFC 9429 §4.1.1](https://www.rfc-editor.org/rfc/rfc9429.html#section-4.1.1), `max-bundle` and `require`).
///
/// # Errors
/// The rule that is broken.
pub fn check_one_transport(offer: &Outline<'_>, answer: &Outline<'_>) -> Result<(), Violation> {
    let pairs = offer.sections.iter().zip(&answer.sections).enumerate();
    let accepted = pairs.filter(|(_, (_, answered))| !answered.rejected);
    for (index, (_, answered)) in accepted.clone() {
        if answered.is_rtp && !answered.rtcp_mux {
            return Err(Violation {
                section: Some(index),
                rule: "a=rtcp-mux is required (RFC 8858)",
                reference: Reference::rfc("8858", ""),
            });
        }
    }
    let alone = accepted.clone().count() < 2;
    let bundled: BTreeSet<&str> = answer.bundles.iter().take(1).flatten().copied().collect();
    for (index, (offered, _)) in accepted {
        let is_bundled = offered.mid.is_some_and(|mid| bundled.contains(mid));
        if !alone && !is_bundled {
            return Err(Violation {
                section: Some(index),
                rule: "sections that are accepted are bundled: no other transport was offered (RFC 9143 §7.3)",
                reference: Reference::rfc("9143", "7.3"),
            });
        }
    }
    Ok(())
}
