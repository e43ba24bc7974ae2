//! Which header extensions both sides use: [RFC 8285 §7](https://www.rfc-editor.org/rfc/rfc8285.html#section-7).

use crate::attribute::{Direction, ExtMap};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

/// The header extensions of an answer, in the offer's order and under its numbers.
///
/// `wanted` gives the direction in which the answerer uses the extension of this URI, or `None` if it does not know it. An
/// extension that would flow in no direction is left out. Numbers from 4096, by which an offer offers more than there is
/// room for, are replaced by free ones from 1 to 14 as long as there are any; those of one such number are alternatives, of
/// which the first that is wanted is taken ([RFC 8285 §7](https://www.rfc-editor.org/rfc/rfc8285.html#section-7)). Of
/// another number that is given to two extensions, and of an extension that is offered under two numbers, the first counts. At most 255 are answered: one for each number
/// that packets have ([RFC 8285 §4.3](https://www.rfc-editor.org/rfc/rfc8285.html#section-4.3)).
///
/// ```
/// use rtckit_sdp::{attribute::{Direction, ExtMap}, offer_answer::common_extensions};
///
/// let offered = [ExtMap::new(3, "urn:a"), ExtMap::new(4, "urn:b"), ExtMap::new(4096, "urn:c")];
/// let answered = common_extensions(&offered, |uri| (uri != "urn:b").then_some(Direction::SendRecv));
/// assert_eq!(answered, [ExtMap::new(3, "urn:a"), ExtMap::new(1, "urn:c")]);
/// ```
pub fn common_extensions<'a>(
    offered: &[ExtMap<'a>],
    wanted: impl Fn(&str) -> Option<Direction>,
) -> Vec<ExtMap<'a>> {
    const MOST: usize = 255;

    let mut answered: Vec<ExtMap<'a>> = Vec::new();
    let mut ids: BTreeSet<u16> = offered.iter().map(|extension| extension.id).collect();
    let free = |ids: &BTreeSet<u16>| (1..15_u16).find(|id| !ids.contains(id));
    let (mut owners, mut seen) = (BTreeMap::new(), BTreeSet::new());
    let mut chosen = BTreeSet::new();
    for (index, extension) in offered.iter().enumerate() {
        // Whose a number of packets is does not depend on what is wanted: both sides must read it alike.
        let is_owner = match extension.id {
            4096.. => !chosen.contains(&extension.id),
            id => *owners.entry(id).or_insert(index) == index,
        };
        let Some(wanted) = wanted(extension.uri).filter(|_| is_owner) else {
            continue;
        };
        let offered = extension.direction.unwrap_or_default();
        let direction = super::answer_direction(offered, wanted);
        if direction == Direction::Inactive || !seen.insert((extension.uri, extension.attributes)) {
            continue;
        }
        let id = match extension.id {
            4096.. => {
                let Some(free) = free(&ids) else { continue };
                ids.insert(free);
                chosen.insert(extension.id);
                free
            }
            id => id,
        };
        let direction = Some(direction).filter(|direction| *direction != Direction::SendRecv);
        answered.push(ExtMap {
            id,
            direction,
            ..*extension
        });
        if answered.len() == MOST {
            break;
        }
    }
    answered
}
