//! Regular nomination: when the controlling agent stops checking, and which pair it picks
//! ([RFC 8445 §8.1.1](https://www.rfc-editor.org/rfc/rfc8445#section-8.1.1)).
//!
//! The stopping criterion, which the RFC leaves open: the best valid pair is nominated at once when no better
//! pair can still become valid, and otherwise when `nomination_delay` has passed since the first pair became
//! valid. One pair is nominated at a time; if its nomination fails the next best follows.

use core::time::Duration;

use rtckit_proto::Instant;

use crate::pair::{CandidatePair, PairId};

/// When the first pair became valid.
#[derive(Clone, Debug)]
pub(crate) struct Nomination {
    delay: Duration,
    first_valid: Option<Instant>,
}

impl Nomination {
    pub(crate) const fn new(delay: Duration) -> Self {
        Self {
            delay,
            first_valid: None,
        }
    }

    pub(crate) fn restart(&mut self) {
        self.first_valid = None;
    }

    /// A pair has become valid.
    pub(crate) fn on_valid(&mut self, now: Instant) {
        self.first_valid.get_or_insert(now);
    }

    /// The pair to nominate at `now`, if it is time.
    pub(crate) fn choose(&self, now: Instant, pairs: &[CandidatePair]) -> Option<PairId> {
        let best = best_valid(pairs)?;
        let better_may_come = pairs
            .iter()
            .any(|pair| pair.priority > best.priority && pair.is_pending());
        let patient = self.deadline().is_some_and(|deadline| now < deadline);
        (!(better_may_come && patient)).then_some(best.id())
    }

    /// When [`choose`](Self::choose) will not wait any longer.
    pub(crate) fn poll_timeout(&self, pairs: &[CandidatePair]) -> Option<Instant> {
        best_valid(pairs)?;
        self.deadline()
    }

    fn deadline(&self) -> Option<Instant> {
        Some(self.first_valid? + self.delay)
    }
}

/// The best valid pair, unless one is being nominated.
fn best_valid(pairs: &[CandidatePair]) -> Option<&CandidatePair> {
    if pairs.iter().any(|pair| pair.nominate) {
        return None;
    }
    pairs
        .iter()
        .filter(|pair| pair.valid.is_some())
        .max_by_key(|pair| pair.priority)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pair::PairState;
    use rtckit_proto::FiveTuple;

    fn pair(id: u32, priority: u64, state: PairState) -> CandidatePair {
        let path = FiveTuple::udp(
            "192.0.2.1:1".parse().unwrap(),
            "192.0.2.2:2".parse().unwrap(),
        );
        let mut pair = CandidatePair::new(PairId(id), 0, 0, path, priority);
        pair.state = state;
        pair.valid = (state == PairState::Succeeded).then_some(0);
        pair
    }

    #[test]
    fn waits_for_better_pairs_only_and_not_for_ever() {
        let mut nomination = Nomination::new(Duration::from_millis(50));
        let mut pairs = [
            pair(1, 10, PairState::Waiting),
            pair(2, 20, PairState::Succeeded),
            pair(3, 30, PairState::InProgress),
        ];
        let at = Instant::from_millis;
        nomination.on_valid(at(100));
        nomination.on_valid(at(140));
        assert_eq!(nomination.choose(at(149), &pairs), None);
        assert_eq!(nomination.poll_timeout(&pairs), Some(at(150)));
        assert_eq!(nomination.choose(at(150), &pairs), Some(PairId(2)));
        pairs[2].state = PairState::Failed;
        assert_eq!(
            nomination.choose(at(100), &pairs),
            Some(PairId(2)),
            "worse pairs do not hold it up"
        );
        pairs[1].nominate = true;
        assert_eq!(nomination.choose(at(200), &pairs), None, "one at a time");
        assert_eq!(nomination.poll_timeout(&pairs), None);
    }
}
