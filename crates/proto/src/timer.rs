//! A fixed table of timers, indexed by an enum.

use crate::Instant;

/// Names one timer of a machine: an enum whose `index` runs from 0 to `N - 1`.
pub trait TimerId<const N: usize>: Copy + 'static {
    /// Every timer, in the order of their indices.
    const ALL: [Self; N];

    /// The place in the table; below `N`.
    fn index(self) -> usize;
}

/// When each of a machine's `N` timers is due. No heap, no wheel: the tables are a handful of entries long.
///
/// ```
/// use rtckit_proto::{Instant, TimerId, Timers};
///
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// enum Timer { Pacing, Consent }
/// impl TimerId<2> for Timer {
///     const ALL: [Self; 2] = [Self::Pacing, Self::Consent];
///     fn index(self) -> usize { self as usize }
/// }
///
/// let mut timers = Timers::default();
/// timers.set(Timer::Consent, Instant::from_millis(5_000));
/// timers.set(Timer::Pacing, Instant::from_millis(50));
/// assert_eq!(timers.next(), Some(Instant::from_millis(50)));
/// assert_eq!(timers.expire(Instant::from_millis(60)), Some(Timer::Pacing));
/// assert_eq!(timers.expire(Instant::from_millis(60)), None);
/// ```
#[derive(Clone, Debug)]
pub struct Timers<T, const N: usize> {
    due: [Option<Instant>; N],
    ids: core::marker::PhantomData<T>,
}

impl<T, const N: usize> Default for Timers<T, N> {
    fn default() -> Self {
        Self {
            due: [None; N],
            ids: core::marker::PhantomData,
        }
    }
}

impl<T: TimerId<N>, const N: usize> Timers<T, N> {
    /// Sets `timer` to go off at `at`, replacing what was set before.
    pub fn set(&mut self, timer: T, at: Instant) {
        self.due[timer.index()] = Some(at);
    }

    /// Sets `timer` to `at`, or stops it.
    pub fn set_or_stop(&mut self, timer: T, at: Option<Instant>) {
        self.due[timer.index()] = at;
    }

    /// Stops `timer`.
    pub fn stop(&mut self, timer: T) {
        self.due[timer.index()] = None;
    }

    /// When `timer` is due.
    pub fn get(&self, timer: T) -> Option<Instant> {
        self.due[timer.index()]
    }

    /// When the first of them is due.
    pub fn next(&self) -> Option<Instant> {
        self.due.iter().flatten().min().copied()
    }

    /// Stops and returns the timer that was due first, if any is due at `now`.
    pub fn expire(&mut self, now: Instant) -> Option<T> {
        let due = |timer: &T| self.due[timer.index()].filter(|&at| at <= now);
        let timer = T::ALL
            .into_iter()
            .filter(|timer| due(timer).is_some())
            .min_by_key(due)?;
        self.stop(timer);
        Some(timer)
    }
}
