//! What came back, and how long it took.

use core::time::Duration;

/// Places for each doubling of a latency: a percentile is exact to 1.6 %.
const PLACES: u64 = 64;

/// Counts and latencies.
#[derive(Clone, Debug)]
pub(super) struct Stats {
    pub(super) sent: u64,
    pub(super) received: u64,
    /// What came twice, or was nobody's.
    pub(super) strange: u64,
    max: u64,
    /// How many latencies, in microseconds, fell into each place.
    places: Vec<u64>,
}

impl Stats {
    pub(super) fn new() -> Self {
        Self {
            sent: 0,
            received: 0,
            strange: 0,
            max: 0,
            places: vec![0; place(u64::from(u32::MAX)) + 1],
        }
    }

    /// A packet came back.
    pub(super) fn on_received(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        let micros = micros.min(u32::MAX.into());
        self.received += 1;
        self.max = self.max.max(micros);
        if let Some(count) = self.places.get_mut(place(micros)) {
            *count += 1;
        }
    }

    pub(super) fn lost(&self) -> u64 {
        self.sent.saturating_sub(self.received)
    }

    /// The latency that so many of a thousand did not exceed, in microseconds.
    pub(super) fn percentile(&self, per_mille: u64) -> Option<u64> {
        let rank = (self.received * per_mille).div_ceil(1000).max(1);
        let mut seen = 0;
        let found = self.places.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        found.map(|place| bound(place).min(self.max))
    }

    pub(super) fn max(&self) -> Option<u64> {
        (self.received > 0).then_some(self.max)
    }
}

/// Latencies below [`PLACES`] have a place each; each doubling above shares half as many.
fn place(micros: u64) -> usize {
    let shift = (u64::BITS - micros.leading_zeros()).saturating_sub(PLACES.ilog2());
    let place = u64::from(shift) * (PLACES / 2) + (micros >> shift);
    usize::try_from(place).unwrap_or(usize::MAX)
}

/// The longest latency of a place.
fn bound(place: usize) -> u64 {
    let place = place as u64;
    if place < PLACES {
        return place;
    }
    let shift = (place - PLACES / 2) / (PLACES / 2);
    let top = place - shift * (PLACES / 2);
    ((top + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_in_order_and_narrow() {
        let mut last = 0;
        for micros in 0..200_000_u64 {
            let at = place(micros);
            assert!(at == last || at == last + 1, "{micros}");
            last = at;
            assert!(bound(at) >= micros && bound(at) <= micros + micros / 31 + 1);
        }
    }

    #[test]
    fn percentiles() {
        let mut stats = Stats::new();
        assert_eq!((stats.percentile(500), stats.max()), (None, None));
        for micros in 1..=1000 {
            stats.on_received(Duration::from_micros(micros));
        }
        let p50 = stats.percentile(500).unwrap();
        assert!((500..=516).contains(&p50), "{p50}");
        assert_eq!(stats.percentile(1000), Some(1000));
    }
}
