//! Which header extensions both sides use: [RFC 8285 §6](https://www.rfc-editor.org/rfc/rfc8285.html#section-6).

use crate::attribute::{Direction, ExtMap};
use alloc::vec::Vec;

/// The header extensions of an answer, in the offer's order and under its numbers.
///
/// `wanted` gives the direction in which the answerer uses the extension of this URI, or `None` if it does not know it. An
/// extension that would flow in no direction is left out. Numbers from 4096, by which an offer offers more than there is
/// room for, are replaced by free ones from 1 to 14 as long as there are any.
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
    let mut answered: Vec<ExtMap<'a>> = Vec::new();
    let mut taken = [false; 15];
    for extension in offered {
        if let Some(taken) = taken.get_mut(usize::from(extension.id)) {
            *taken = true;
        }
    }
    for extension in offered {
        let Some(wanted) = wanted(extension.uri) else {
            continue;
        };
        // The same may be offered under several numbers; the first is taken.
        let twice = |other: &ExtMap<'_>| {
            (other.uri, other.attributes) == (extension.uri, extension.attributes)
        };
        if answered.iter().any(twice) {
            continue;
        }
        let offered = extension.direction.unwrap_or_default();
        let direction = super::answer_direction(offered, wanted);
        if direction == Direction::Inactive {
            continue;
        }
        let id = match extension.id {
            4096.. => {
                let free = (1..15_u16).find(|id| taken.get(usize::from(*id)) == Some(&false));
                let Some(free) = free else { continue };
                if let Some(taken) = taken.get_mut(usize::from(free)) {
                    *taken = true;
                }
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
    }
    answered
}
