//! Which sections share a transport: [RFC 9143](https://www.rfc-editor.org/rfc/rfc9143.html).

use super::outline::{Outline, SectionOutline, Violation};
use crate::reference::Reference;
use alloc::{collections::BTreeSet, vec::Vec};

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
    let within = |group: &Vec<&str>, of: &Vec<&str>| group.iter().all(|mid| of.contains(mid));
    for group in &answer.bundles {
        if !offer.bundles.iter().any(|offered| within(group, offered)) {
            return Err(Violation {
                section: None,
                rule: "an answer's BUNDLE group names only sections of the offer's (RFC 9143 §7.3.3)",
                reference: Reference::rfc("9143", "7.3.3"),
            });
        }
    }
    for group in &answer.bundles {
        for mid in group {
            let groups = answer.bundles.iter().filter(|group| group.contains(mid));
            let rejected =
                |section: &SectionOutline<'_>| section.mid == Some(mid) && section.rejected;
            if let Some(index) = answer.sections.iter().position(rejected) {
                return Err(Violation {
                    section: Some(index),
                    rule: "a rejected section is in no BUNDLE group (RFC 9143 §7.3.3)",
                    reference: Reference::rfc("9143", "7.3.3"),
                });
            }
            if groups.count() > 1 {
                return Err(Violation {
                    section: None,
                    rule: "a section is in one BUNDLE group at most (RFC 9143 §7.1)",
                    reference: Reference::rfc("9143", "7.1"),
                });
            }
        }
    }
    Ok(())
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
    for (index, (offered, _)) in accepted {
        let bundled = |bundle: &Vec<&str>| offered.mid.is_some_and(|mid| bundle.contains(&mid));
        if !alone && !answer.bundles.first().is_some_and(bundled) {
            return Err(Violation {
                section: Some(index),
                rule: "sections that are accepted are bundled: no other transport was offered (RFC 9143 §7.3)",
                reference: Reference::rfc("9143", "7.3"),
            });
        }
    }
    Ok(())
}
