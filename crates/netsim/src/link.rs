//! One direction of a network.

use core::cmp::Reverse;
use core::time::Duration;
use std::collections::BinaryHeap;

use rtckit_proto::{FiveTuple, Instant, Random, SeededRandom};

/// What a [`Link`] does to the datagrams that cross it.
///
/// Probabilities run from 0 (never) to 1 (always); what lies outside counts as the nearer end. The default is
/// a perfect link: no delay, no loss, in order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkConfig {
    /// How long every datagram is under way at least.
    pub delay: Duration,
    /// How much longer it may be under way: a uniformly distributed part of this is added to the delay.
    pub jitter: Duration,
    /// Whether a datagram with little jitter may overtake one with much. By default it queues behind it, as
    /// in a router with one queue.
    pub jitter_reorders: bool,
    /// The probability that a datagram is lost.
    pub loss: f64,
    /// The probability that a datagram is held back by [`reorder_by`](Self::reorder_by), so that later ones
    /// overtake it.
    pub reorder: f64,
    /// How much longer a reordered datagram is under way.
    pub reorder_by: Duration,
    /// The probability that a datagram arrives twice.
    pub duplicate: f64,
    /// The longest datagram that fits, in bytes of UDP payload; longer ones are lost.
    pub mtu: usize,
    /// How many datagrams may be under way; more are lost, as in a router whose queue is full.
    pub queue: usize,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            jitter_reorders: false,
            loss: 0.0,
            reorder: 0.0,
            reorder_by: Duration::from_millis(10),
            duplicate: 0.0,
            mtu: usize::MAX,
            queue: 4096,
        }
    }
}

/// What has happened on a [`Link`], in datagrams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Handed to [`Link::send`].
    pub sent: u64,
    /// Lost by chance.
    pub lost: u64,
    /// Lost because they were longer than the MTU.
    pub too_long: u64,
    /// Lost because the queue was full; copies made by duplication count too.
    pub overflowed: u64,
    /// Copies made by duplication.
    pub duplicated: u64,
    /// Delivered after one that was sent later.
    pub reordered: u64,
    /// Delivered, copies included.
    pub delivered: u64,
}

/// A datagram at the far end of a [`Link`], lent until the link is used again.
#[derive(Debug)]
pub struct Delivery<'l> {
    /// The path as it was given to [`Link::send`], which is the sender's view of it.
    pub path: FiveTuple,
    /// When it was sent.
    pub sent: Instant,
    /// Its bytes, which the receiver may change in place.
    pub data: &'l mut [u8],
}

/// One direction of a network: datagrams go in with the time, and come out when they are due.
///
/// A link repeats from its seed: the same sends at the same times have the same fates. Each datagram draws the
/// same random numbers whatever the configuration, so that changing one setting leaves the effect of the
/// others where it was.
///
/// **Methods.** Getters: [`counters`](Self::counters), [`config`](Self::config), [`in_flight`](Self::in_flight).
/// Input: [`send`](Self::send). Output: [`poll`](Self::poll) until it returns `None`, then
/// [`poll_timeout`](Self::poll_timeout). **Time** never runs backwards.
///
/// **Memory.** At most [`LinkConfig::queue`] datagrams. Buffers are reused; once they have grown to what the
/// traffic needs, nothing is allocated.
#[derive(Debug)]
pub struct Link {
    config: LinkConfig,
    random: SeededRandom,
    /// What is under way, the first due on top.
    queue: BinaryHeap<Reverse<Queued>>,
    slots: Vec<Slot>,
    /// Slots that hold nothing.
    free: Vec<usize>,
    /// The slot whose bytes the last `poll` has lent.
    lent: Option<usize>,
    /// When the last datagram that keeps its place is due.
    last_due: Instant,
    /// The number of the latest datagram delivered.
    highest_delivered: Option<u64>,
    queued: u64,
    counters: Counters,
}

/// A place in the queue. The order of the fields is the order of delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Queued {
    due: Instant,
    /// Breaks ties: what entered the queue first leaves it first.
    order: u64,
    slot: usize,
}

#[derive(Debug)]
struct Slot {
    path: FiveTuple,
    sent: Instant,
    /// Which datagram of the link it is, counted from 1.
    number: u64,
    data: Vec<u8>,
}

/// The random numbers one datagram draws.
struct Luck {
    lost: bool,
    duplicated: bool,
    held_back: bool,
    jitter: Duration,
}

impl Link {
    /// A link that behaves as `config` says and repeats from `seed`.
    pub fn new(config: LinkConfig, seed: u64) -> Self {
        Self {
            config,
            random: SeededRandom::new(seed),
            queue: BinaryHeap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            lent: None,
            last_due: Instant::ZERO,
            highest_delivered: None,
            queued: 0,
            counters: Counters::default(),
        }
    }

    /// What the link does to datagrams.
    pub const fn config(&self) -> &LinkConfig {
        &self.config
    }

    /// Changes what the link does to datagrams from now on; those under way keep their fate.
    pub const fn set_config(&mut self, config: LinkConfig) {
        self.config = config;
    }

    /// What has happened so far.
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// How many datagrams are under way.
    pub fn in_flight(&self) -> usize {
        self.queue.len()
    }

    /// Sends `data` along `path`. Returns whether it is on its way: `false` when it was lost, was longer than
    /// the MTU, or found the queue full.
    pub fn send(&mut self, now: Instant, path: FiveTuple, data: &[u8]) -> bool {
        self.send_with(now, path, data, None, false)
    }

    /// Sends `data` as [`send`](Self::send) does, but holds it back by `hold` (which lets later datagrams
    /// overtake it) and sends it `twice` if asked to.
    pub fn send_with(
        &mut self,
        now: Instant,
        path: FiveTuple,
        data: &[u8],
        hold: Option<Duration>,
        twice: bool,
    ) -> bool {
        self.release_lent();
        self.counters.sent += 1;
        let luck = self.draw();
        if data.len() > self.config.mtu {
            self.counters.too_long += 1;
            return false;
        }
        if luck.lost {
            self.counters.lost += 1;
            return false;
        }
        let due = self.due(now, &luck, hold);
        let on_its_way = self.enqueue(now, due, path, data);
        if on_its_way && (luck.duplicated || twice) && self.enqueue(now, due, path, data) {
            self.counters.duplicated += 1;
        }
        on_its_way
    }

    /// The next datagram that is due at `now`, lent until the link is used again.
    pub fn poll(&mut self, now: Instant) -> Option<Delivery<'_>> {
        self.release_lent();
        if self.queue.peek()?.0.due > now {
            return None;
        }
        let Reverse(Queued { slot: index, .. }) = self.queue.pop()?;
        self.lent = Some(index);
        let slot = self.slots.get_mut(index)?;
        self.counters.delivered += 1;
        match self.highest_delivered {
            Some(highest) if slot.number < highest => self.counters.reordered += 1,
            _ => self.highest_delivered = Some(slot.number),
        }
        Some(Delivery {
            path: slot.path,
            sent: slot.sent,
            data: &mut slot.data,
        })
    }

    /// When the next datagram is due; `None` when nothing is under way.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.queue.peek().map(|Reverse(queued)| queued.due)
    }

    fn draw(&mut self) -> Luck {
        let mut chance = |probability: f64| unit(self.random.next_u64()) < probability;
        let lost = chance(self.config.loss);
        let duplicated = chance(self.config.duplicate);
        let held_back = chance(self.config.reorder);
        let jitter = self.config.jitter.mul_f64(unit(self.random.next_u64()));
        Luck {
            lost,
            duplicated,
            held_back,
            jitter,
        }
    }

    /// When a datagram sent at `now` arrives.
    fn due(&mut self, now: Instant, luck: &Luck, hold: Option<Duration>) -> Instant {
        let due = now + self.config.delay + luck.jitter;
        if luck.held_back || hold.is_some() {
            let by_chance = if luck.held_back {
                self.config.reorder_by
            } else {
                Duration::ZERO
            };
            return due + by_chance + hold.unwrap_or_default();
        }
        if self.config.jitter_reorders {
            return due;
        }
        self.last_due = self.last_due.max(due);
        self.last_due
    }

    fn enqueue(&mut self, now: Instant, due: Instant, path: FiveTuple, data: &[u8]) -> bool {
        if self.queue.len() >= self.config.queue {
            self.counters.overflowed += 1;
            return false;
        }
        let slot = self.fill_slot(path, now, data);
        self.queued += 1;
        self.queue.push(Reverse(Queued {
            due,
            order: self.queued,
            slot,
        }));
        true
    }

    /// Copies the datagram into a free slot, or a new one, and returns its index.
    fn fill_slot(&mut self, path: FiveTuple, sent: Instant, data: &[u8]) -> usize {
        let number = self.counters.sent;
        let reused = self.free.pop();
        if let Some((index, slot)) = reused.and_then(|i| Some((i, self.slots.get_mut(i)?))) {
            slot.path = path;
            slot.sent = sent;
            slot.number = number;
            slot.data.clear();
            slot.data.extend_from_slice(data);
            return index;
        }
        self.slots.push(Slot {
            path,
            sent,
            number,
            data: data.to_vec(),
        });
        self.slots.len() - 1
    }

    fn release_lent(&mut self) {
        self.free.extend(self.lent.take());
    }
}

/// `bits` as a number from 0 up to, but not including, 1.
fn unit(bits: u64) -> f64 {
    // an f64 holds 53 bits exactly
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path() -> FiveTuple {
        FiveTuple::udp("10.0.0.1:1".parse().unwrap(), "10.0.0.2:2".parse().unwrap())
    }

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Sends `count` datagrams a millisecond apart and returns the first byte of each that arrives, in order.
    fn run(config: LinkConfig, seed: u64, count: u8) -> (Vec<u8>, Counters) {
        let mut link = Link::new(config, seed);
        let mut arrived = Vec::new();
        for i in 0..count {
            let now = Instant::from_millis(i.into());
            link.send(now, path(), &[i]);
            while let Some(delivery) = link.poll(now) {
                arrived.push(delivery.data[0]);
            }
        }
        while let Some(due) = link.poll_timeout() {
            while let Some(delivery) = link.poll(due) {
                arrived.push(delivery.data[0]);
            }
        }
        (arrived, link.counters())
    }

    #[test]
    fn a_perfect_link_delivers_at_once() {
        let (arrived, counters) = run(LinkConfig::default(), 1, 200);
        assert_eq!(arrived, (0..200).collect::<Vec<u8>>());
        let expected = Counters {
            sent: 200,
            delivered: 200,
            ..Counters::default()
        };
        assert_eq!(counters, expected);
    }

    #[test]
    fn delay_is_exact_and_what_is_lent_may_be_changed() {
        let config = LinkConfig {
            delay: millis(20),
            ..LinkConfig::default()
        };
        let mut link = Link::new(config, 1);
        link.send(Instant::from_millis(5), path(), b"abc");
        assert_eq!(link.poll_timeout(), Some(Instant::from_millis(25)));
        assert!(link.poll(Instant::from_millis(24)).is_none());
        let delivery = link.poll(Instant::from_millis(25)).unwrap();
        delivery.data[0] = b'x';
        assert_eq!((&*delivery.data, delivery.path), (&b"xbc"[..], path()));
        assert_eq!(delivery.sent, Instant::from_millis(5));
        assert_eq!(link.poll_timeout(), None);
    }

    #[test]
    fn jitter_keeps_the_order_unless_asked_not_to() {
        let config = LinkConfig {
            jitter: millis(50),
            ..LinkConfig::default()
        };
        let (arrived, counters) = run(config, 3, 200);
        assert!(arrived.is_sorted());
        assert_eq!(counters.reordered, 0);

        let config = LinkConfig {
            jitter_reorders: true,
            ..config
        };
        let (arrived, counters) = run(config, 3, 200);
        assert!(!arrived.is_sorted());
        assert!(counters.reordered > 0);
        assert_eq!(counters.delivered, 200);
    }

    #[test]
    fn loss_is_about_what_was_asked_for() {
        let config = LinkConfig {
            loss: 0.25,
            ..LinkConfig::default()
        };
        let mut link = Link::new(config, 11);
        let arrived = (0..10_000)
            .filter(|_| link.send(Instant::ZERO, path(), &[]) && link.poll(Instant::ZERO).is_some())
            .count();
        assert!((7_300..7_700).contains(&arrived), "{arrived}");
        assert_eq!(link.counters().lost, 10_000 - arrived as u64);

        for (loss, expected) in [(0.0, 50), (1.0, 0), (f64::NAN, 50), (7.0, 0), (-1.0, 50)] {
            let config = LinkConfig {
                loss,
                ..LinkConfig::default()
            };
            assert_eq!(run(config, 1, 50).0.len(), expected, "{loss}");
        }
    }

    #[test]
    fn reordered_datagrams_are_overtaken() {
        let config = LinkConfig {
            reorder: 0.2,
            ..LinkConfig::default()
        };
        let (arrived, counters) = run(config, 5, 200);
        assert_eq!(arrived.len(), 200);
        assert!(counters.reordered > 10 && counters.reordered < 80);
        let overtaken = arrived.windows(2).filter(|pair| pair[1] < pair[0]).count();
        assert!(overtaken > 0);
    }

    #[test]
    fn duplicates_arrive_twice() {
        let config = LinkConfig {
            duplicate: 1.0,
            ..LinkConfig::default()
        };
        let (arrived, counters) = run(config, 5, 3);
        assert_eq!(arrived, [0, 0, 1, 1, 2, 2]);
        assert_eq!((counters.duplicated, counters.delivered), (3, 6));
        assert_eq!(counters.reordered, 0);
    }

    #[test]
    fn the_queue_and_the_mtu_have_ceilings() {
        let config = LinkConfig {
            delay: millis(1),
            queue: 8,
            mtu: 100,
            ..LinkConfig::default()
        };
        let mut link = Link::new(config, 0);
        let accepted = (0..20)
            .filter(|_| link.send(Instant::ZERO, path(), &[0; 100]))
            .count();
        assert_eq!((accepted, link.in_flight()), (8, 8));
        assert!(!link.send(Instant::ZERO, path(), &[0; 101]));
        assert_eq!(
            (link.counters().overflowed, link.counters().too_long),
            (12, 1)
        );
    }

    #[test]
    fn slots_are_reused() {
        let mut link = Link::new(LinkConfig::default(), 0);
        for _ in 0..100 {
            link.send(Instant::ZERO, path(), &[1; 10]);
            assert!(link.poll(Instant::ZERO).is_some());
            assert!(link.poll(Instant::ZERO).is_none());
        }
        assert_eq!(link.slots.len(), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn runs_repeat_from_their_seed_and_nothing_is_lost_track_of(
            seed: u64, loss in 0.0..1.0, reorder in 0.0..1.0, duplicate in 0.0..1.0, jitter in 0u64..50,
        ) {
            let config = LinkConfig {
                delay: millis(3), jitter: millis(jitter), loss, reorder, duplicate, ..LinkConfig::default()
            };
            let (first, counters) = run(config, seed, 100);
            let (second, again) = run(config, seed, 100);
            prop_assert_eq!(&first, &second);
            prop_assert_eq!(counters, again);
            prop_assert_eq!(counters.delivered, counters.sent - counters.lost + counters.duplicated);
            prop_assert_eq!(counters.delivered, first.len() as u64);
        }

        #[test]
        fn one_setting_leaves_the_others_where_they_were(seed: u64) {
            let lossy = LinkConfig { loss: 0.3, ..LinkConfig::default() };
            let lossy_and_late = LinkConfig { delay: millis(9), jitter: millis(9), ..lossy };
            prop_assert_eq!(run(lossy, seed, 100).0, run(lossy_and_late, seed, 100).0);
        }
    }
}
