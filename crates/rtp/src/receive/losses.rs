//! The packets that are missing, and when to ask for each.

use alloc::collections::VecDeque;
use core::time::Duration;

use rtckit_proto::Instant;

/// How often one packet is asked for ([RFC 4585](https://www.rfc-editor.org/rfc/rfc4585) leaves it open).
pub(super) const MAX_TRIES: u8 = 10;
/// The shortest time between two requests for a packet, however short the round trip.
const MIN_RETRY: Duration = Duration::from_millis(20);

/// One packet that others have overtaken.
#[derive(Clone, Copy, Debug)]
struct Loss {
    index: u64,
    /// When it was found missing.
    since: Instant,
    /// When to ask for it, or to give it up after the last try.
    due: Instant,
    tries: u8,
}

/// How patient a receiver is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Whether packets are asked for at all.
    pub(super) nack: bool,
    /// How long a packet may be overtaken before it is taken for lost.
    pub(super) reorder_delay: Duration,
    /// How long a packet is waited for at most.
    pub(super) max_wait: Duration,
}

/// Every missing packet between the oldest that is waited for and the newest that came, in order.
#[derive(Debug)]
pub(super) struct Losses {
    entries: VecDeque<Loss>,
    capacity: usize,
    patience: Patience,
}

impl Losses {
    /// No loss, and room for `capacity` of them: as many as the packet ring has slots.
    pub(super) fn new(capacity: usize, patience: Patience) -> Self {
        Self {
            entries: VecDeque::new(),
            capacity,
            patience,
        }
    }

    /// The packets from `from` to before `to` were overtaken. They come after all that are missing already.
    pub(super) fn overtaken(&mut self, now: Instant, from: u64, to: u64) {
        let due = now + self.patience.reorder_delay;
        for index in from..to {
            if self.entries.len() >= self.capacity {
                self.entries.pop_front();
            }
            self.entries.push_back(Loss {
                index,
                since: now,
                due,
                tries: 0,
            });
        }
    }

    /// The packets from `from` to before `to` turned out to be missing, in front of all that are.
    pub(super) fn overtaken_before(&mut self, now: Instant, from: u64, to: u64) {
        let due = now + self.patience.reorder_delay;
        for index in (from..to).rev() {
            if self.entries.len() < self.capacity {
                self.entries.push_front(Loss {
                    index,
                    since: now,
                    due,
                    tries: 0,
                });
            }
        }
    }

    /// A packet came. Returns how often it had been asked for, if it was missing.
    pub(super) fn arrived(&mut self, index: u64) -> Option<u8> {
        let at = self
            .entries
            .binary_search_by_key(&index, |loss| loss.index)
            .ok()?;
        self.entries.remove(at).map(|loss| loss.tries)
    }

    /// Nothing before `index` is waited for any longer.
    pub(super) fn forget_before(&mut self, index: u64) {
        while self.entries.front().is_some_and(|loss| loss.index < index) {
            self.entries.pop_front();
        }
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// When the oldest missing packet is given up: when it was waited for long enough, or when its last request
    /// had time to be answered.
    pub(super) fn give_up_at(&self) -> Option<Instant> {
        let oldest = self.entries.front()?;
        let latest = oldest.since + self.patience.max_wait;
        Some(if oldest.tries >= MAX_TRIES {
            latest.min(oldest.due)
        } else {
            latest
        })
    }

    /// When the next packet is to be asked for.
    pub(super) fn next_request_at(&self) -> Option<Instant> {
        if !self.patience.nack {
            return None;
        }
        self.entries
            .iter()
            .filter(|loss| loss.tries < MAX_TRIES)
            .map(|loss| loss.due)
            .min()
    }

    /// Writes the sequence numbers to ask for now to the front of `out`, in order, and returns how many they
    /// are. A packet is asked for again after one and a half round trips.
    pub(super) fn request(&mut self, now: Instant, rtt: Duration, out: &mut [u16]) -> usize {
        if !self.patience.nack {
            return 0;
        }
        let retry = (rtt * 3 / 2).max(MIN_RETRY);
        let due = self
            .entries
            .iter_mut()
            .filter(|loss| loss.due <= now && loss.tries < MAX_TRIES);
        let mut count = 0;
        for (slot, loss) in out.iter_mut().zip(due) {
            *slot = loss.index as u16;
            loss.tries += 1;
            loss.due = now + retry;
            count += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT: Duration = Duration::from_millis(50);

    fn losses() -> Losses {
        Losses::new(
            16,
            Patience {
                nack: true,
                reorder_delay: Duration::from_millis(10),
                max_wait: Duration::from_millis(1_000),
            },
        )
    }

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn a_packet_is_asked_for_after_the_reorder_delay_and_then_once_in_a_round_trip() {
        let mut losses = losses();
        let mut out = [0; 4];
        losses.overtaken(at(0), 65_535, 65_537);
        assert_eq!(losses.next_request_at(), Some(at(10)));
        assert_eq!(losses.request(at(9), RTT, &mut out), 0);
        assert_eq!(losses.request(at(10), RTT, &mut out), 2);
        assert_eq!(out[..2], [65_535, 0]);
        assert_eq!(losses.request(at(10), RTT, &mut out), 0);
        assert_eq!(losses.next_request_at(), Some(at(85)));
        assert_eq!(losses.arrived(65_536), Some(1));
        assert_eq!(losses.arrived(65_536), None);
        assert_eq!(losses.request(at(85), RTT, &mut out), 1);
        assert_eq!(losses.arrived(65_535), Some(2));
        assert_eq!(losses.next_request_at(), None);
    }

    #[test]
    fn after_ten_requests_a_packet_is_given_up_early() {
        let mut losses = losses();
        let mut out = [0; 4];
        losses.overtaken(at(0), 5, 6);
        let mut now = at(10);
        for _ in 0..MAX_TRIES {
            assert_eq!(losses.give_up_at(), Some(at(1_000)));
            assert_eq!(losses.request(now, RTT, &mut out), 1);
            now += RTT * 3 / 2;
        }
        assert_eq!(losses.request(now, RTT, &mut out), 0);
        assert_eq!(losses.next_request_at(), None);
        assert_eq!(losses.give_up_at(), Some(at(10 + 750)));
    }

    #[test]
    fn the_list_has_a_ceiling() {
        let mut losses = losses();
        let capacity = losses.capacity;
        losses.overtaken(at(0), 0, 1_000);
        assert_eq!(losses.entries.len(), capacity);
        losses.overtaken_before(at(0), 0, 100);
        assert_eq!(losses.entries.len(), capacity);
    }
}
