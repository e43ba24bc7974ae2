//! The sliding window of sequence numbers already seen.

const SPAN: u64 = ReplayWindow::SPAN;
const WORDS: usize = (SPAN / 64) as usize;

/// Tells numbers already accepted from new ones
/// ([RFC 3711 §3.3.2](https://www.rfc-editor.org/rfc/rfc3711#section-3.3.2),
/// [RFC 6347 §4.1.2.6](https://www.rfc-editor.org/rfc/rfc6347#section-4.1.2.6)).
///
/// It remembers the last 1024 numbers, so that a packet repaired after a second of video is still new. Check
/// before the packet is authenticated, [`accept`](Self::accept) after: a forged number must not move the window.
#[derive(Clone, Debug, Default)]
pub struct ReplayWindow {
    /// One above the highest number accepted; 0 when there was none.
    next: u64,
    /// Bit `n % SPAN` tells whether `n` was accepted, for the `SPAN` numbers below `next`.
    seen: [u64; WORDS],
}

impl ReplayWindow {
    /// How many numbers are remembered: the highest accepted and those right below it.
    pub const SPAN: u64 = 1024;

    /// Whether `number` is new: above the window, or inside it and not yet accepted. `u64::MAX` never is.
    pub fn is_new(&self, number: u64) -> bool {
        if number == u64::MAX {
            return false;
        }
        number >= self.next
            || (self.next - number <= SPAN && self.word(number) & Self::bit(number) == 0)
    }

    /// Whether `number` was accepted, as far as the window reaches. What is neither new nor accepted is too old to tell.
    pub fn has_accepted(&self, number: u64) -> bool {
        number < self.next
            && self.next - number <= SPAN
            && self.word(number) & Self::bit(number) != 0
    }

    /// Marks `number` as seen. Returns false, and changes nothing, when it was not new.
    pub fn accept(&mut self, number: u64) -> bool {
        if !self.is_new(number) {
            return false;
        }
        if number >= self.next {
            if number - self.next >= SPAN {
                self.seen = [0; WORDS];
            } else {
                for skipped in self.next..number {
                    self.seen[Self::index(skipped)] &= !Self::bit(skipped);
                }
            }
            self.next = number + 1;
        }
        self.seen[Self::index(number)] |= Self::bit(number);
        true
    }

    /// The highest number accepted.
    pub fn highest(&self) -> Option<u64> {
        self.next.checked_sub(1)
    }

    fn word(&self, number: u64) -> u64 {
        self.seen[Self::index(number)]
    }

    const fn index(number: u64) -> usize {
        (number % SPAN / 64) as usize
    }

    const fn bit(number: u64) -> u64 {
        1 << (number % 64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_highest_number_cannot_overflow() {
        let mut window = ReplayWindow::default();
        assert!(window.accept(u64::MAX - 1));
        assert!(!window.accept(u64::MAX));
        assert!(!window.has_accepted(u64::MAX));
        assert_eq!(window.highest(), Some(u64::MAX - 1));
    }

    proptest! {
        /// The twin keeps every number in a set.
        #[test]
        fn agrees_with_a_set(steps in prop::collection::vec((0u64..3000, any::<bool>()), 1..400)) {
            let (mut window, mut twin) = (ReplayWindow::default(), BTreeSet::new());
            let mut base = 0;
            for (offset, jump) in steps {
                if jump { base += offset / 8; }
                let number = base + offset;
                let in_reach = twin.last().is_none_or(|&highest| number + SPAN > highest);
                let new = in_reach && !twin.contains(&number);
                prop_assert_eq!(window.is_new(number), new);
                prop_assert_eq!(window.has_accepted(number), in_reach && twin.contains(&number));
                prop_assert_eq!(window.accept(number), new);
                if new { twin.insert(number); }
                prop_assert_eq!(window.highest(), twin.last().copied());
            }
        }
    }
}
