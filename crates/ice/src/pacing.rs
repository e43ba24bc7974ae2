//! Ta: no two new checks leave closer together
//! ([RFC 8445 §6.1.4.2 and §14.2](https://www.rfc-editor.org/rfc/rfc8445#section-14.2)).

use core::time::Duration;

use rtckit_proto::Instant;

/// The least Ta the RFC allows.
const MIN_INTERVAL: Duration = Duration::from_millis(5);

/// Spaces the first transmissions of checks. After a pause the next check leaves at once.
#[derive(Clone, Debug)]
pub(crate) struct Pacer {
    interval: Duration,
    free: Instant,
}

impl Pacer {
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            interval: interval.max(MIN_INTERVAL),
            free: Instant::ZERO,
        }
    }

    pub(crate) const fn interval(&self) -> Duration {
        self.interval
    }

    /// When the next check may leave; possibly in the past.
    pub(crate) const fn free(&self) -> Instant {
        self.free
    }

    /// Takes a slot whether it is free or not: the ones after it move back.
    pub(crate) fn overdraw(&mut self, now: Instant) {
        self.free = self.free.max(now) + self.interval;
    }

    /// Takes the slot, if it is free.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let free = now >= self.free;
        if free {
            self.free = now + self.interval;
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_check_per_interval() {
        let mut pacer = Pacer::new(Duration::from_millis(50));
        let at = Instant::from_millis;
        assert!(pacer.take(at(1_000)), "the first leaves at once");
        assert!(!pacer.take(at(1_049)));
        assert!(pacer.take(at(1_050)));
        assert!(pacer.take(at(1_101)));
        pacer.overdraw(at(1_110));
        assert!(
            !pacer.take(at(1_200)) && pacer.take(at(1_201)),
            "an extra check costs a slot"
        );
        let mut pacer = Pacer::new(Duration::from_millis(50));
        assert!(pacer.take(at(1_101)));
        assert!(
            !pacer.take(at(1_150)),
            "a late check does not let the next one be early"
        );
    }

    #[test]
    fn ta_has_a_floor() {
        let mut pacer = Pacer::new(Duration::ZERO);
        assert!(pacer.take(Instant::ZERO));
        assert!(!pacer.take(Instant::from_millis(4)));
    }
}
