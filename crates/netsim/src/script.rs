//! What happens to single datagrams: the fates, and who decides them.

use core::fmt;
use core::time::Duration;

use rtckit_proto::{FiveTuple, Instant, Random, SeededRandom};

/// Which way a datagram goes between the two machines of a [`Pair`](crate::Pair).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From `a` to `b`.
    AToB,
    /// From `b` to `a`.
    BToA,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AToB => "a->b",
            Self::BToA => "b->a",
        })
    }
}

/// A datagram that is about to enter a link.
#[derive(Clone, Copy, Debug)]
pub struct Flight<'d> {
    /// When it is sent.
    pub now: Instant,
    /// Which way it goes.
    pub direction: Direction,
    /// Which datagram of its direction it is, counted from 0.
    pub index: u64,
    /// The path, as its sender sees it.
    pub path: FiveTuple,
    /// Its bytes.
    pub data: &'d [u8],
}

/// What is to happen to a datagram before the link's own chances apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It enters the link.
    Deliver,
    /// It is gone.
    Drop,
    /// It enters the link and is under way this much longer; later ones may overtake it.
    Delay(Duration),
    /// It enters the link twice.
    Duplicate,
}

/// Decides the fate of each datagram of a [`Pair`](crate::Pair). Any `FnMut(Flight<'_>) -> Fate` is one.
pub trait Script {
    /// The fate of the datagram `flight`. Called once for each, in the order of sending.
    fn fate(&mut self, flight: Flight<'_>) -> Fate;
}

impl<F: FnMut(Flight<'_>) -> Fate> Script for F {
    fn fate(&mut self, flight: Flight<'_>) -> Fate {
        self(flight)
    }
}

/// Drops exactly one datagram.
#[derive(Clone, Copy, Debug)]
pub struct DropNth {
    /// The direction it goes.
    pub direction: Direction,
    /// Its number in that direction, counted from 0.
    pub index: u64,
}

impl Script for DropNth {
    fn fate(&mut self, flight: Flight<'_>) -> Fate {
        if flight.direction == self.direction && flight.index == self.index {
            Fate::Drop
        } else {
            Fate::Deliver
        }
    }
}

/// Turns the order around within each window of `len` datagrams.
///
/// The first of a window is held back longest, each later one `spacing` less. A window whose datagrams are
/// sent less than `spacing` apart arrives in exactly the reverse order; slower traffic is delayed by at most
/// `(len - 1) * spacing` and can never be starved of an answer.
#[derive(Clone, Copy, Debug)]
pub struct ReverseWindows {
    /// The direction; `None` means both.
    pub direction: Option<Direction>,
    /// The number of the first datagram that belongs to a window; those before it are left alone.
    pub start: u64,
    /// How many datagrams make a window.
    pub len: u64,
    /// How far apart the datagrams of a window arrive at least, if they are sent together.
    pub spacing: Duration,
}

impl Default for ReverseWindows {
    /// Every window of eight, both ways, a millisecond apart.
    fn default() -> Self {
        Self {
            direction: None,
            start: 0,
            len: 8,
            spacing: Duration::from_millis(1),
        }
    }
}

impl Script for ReverseWindows {
    fn fate(&mut self, flight: Flight<'_>) -> Fate {
        if self.direction.is_some_and(|d| d != flight.direction) || flight.index < self.start {
            return Fate::Deliver;
        }
        let len = self.len.max(1);
        let behind = len - 1 - (flight.index - self.start) % len;
        let behind = u32::try_from(behind).unwrap_or(u32::MAX);
        Fate::Delay(self.spacing.saturating_mul(behind))
    }
}

/// Drops each datagram with the same probability, repeatable from a seed.
#[derive(Clone, Debug)]
pub struct RandomLoss {
    random: SeededRandom,
    probability: f64,
}

impl RandomLoss {
    /// Loses datagrams with `probability` from 0 (none) to 1 (all).
    pub const fn new(seed: u64, probability: f64) -> Self {
        Self {
            random: SeededRandom::new(seed),
            probability,
        }
    }
}

impl Script for RandomLoss {
    fn fate(&mut self, _flight: Flight<'_>) -> Fate {
        if f64::from(self.random.next_u32()) < self.probability * 2f64.powi(32) {
            Fate::Drop
        } else {
            Fate::Deliver
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flight(direction: Direction, index: u64) -> Flight<'static> {
        Flight {
            now: Instant::ZERO,
            direction,
            index,
            path: FiveTuple::udp("10.0.0.1:1".parse().unwrap(), "10.0.0.2:2".parse().unwrap()),
            data: &[],
        }
    }

    #[test]
    fn drop_nth_drops_one() {
        let mut script = DropNth {
            direction: Direction::BToA,
            index: 3,
        };
        let dropped: Vec<_> = [Direction::AToB, Direction::BToA]
            .into_iter()
            .flat_map(|direction| (0..10).map(move |index| (direction, index)))
            .filter(|&(direction, index)| script.fate(flight(direction, index)) == Fate::Drop)
            .collect();
        assert_eq!(dropped, [(Direction::BToA, 3)]);
    }

    #[test]
    fn windows_are_turned_around() {
        let mut script = ReverseWindows {
            direction: Some(Direction::AToB),
            start: 1,
            len: 3,
            spacing: Duration::from_millis(1),
        };
        let mut arrival: Vec<u64> = (0..7).collect();
        arrival.sort_by_key(|&index| match script.fate(flight(Direction::AToB, index)) {
            // windows sent far apart, datagrams of one window at once
            Fate::Delay(by) => (index.div_ceil(3), by),
            _ => (0, Duration::ZERO),
        });
        assert_eq!(arrival, [0, 3, 2, 1, 6, 5, 4]);
        assert_eq!(script.fate(flight(Direction::BToA, 4)), Fate::Deliver);
    }

    #[test]
    fn random_loss_repeats_and_is_about_right() {
        let lost = |seed| {
            let mut script = RandomLoss::new(seed, 0.1);
            (0..5_000)
                .filter(|&index| script.fate(flight(Direction::AToB, index)) == Fate::Drop)
                .collect::<Vec<_>>()
        };
        assert!((400..600).contains(&lost(1).len()));
        assert_eq!(lost(1), lost(1));
        assert_ne!(lost(1), lost(2));
        assert!(
            (0..100)
                .all(|i| RandomLoss::new(i, 1.0).fate(flight(Direction::AToB, i)) == Fate::Drop)
        );
    }
}
