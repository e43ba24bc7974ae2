//! What is due when.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

use rtckit_proto::Instant;
use rtckit_stun::Users;

use crate::server::event::Release;
use crate::server::slots::SlotId;
use crate::server::{Event, Server};

/// How many things one call of `handle_timeout` does; the rest is due still.
const MAX_DUE_PER_CALL: usize = 256;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// An allocation may have ended. Each has one entry that counts; refreshing does not touch it.
    Allocation(SlotId),
    /// A reserved relay was not asked for.
    Reservation(SlotId),
    /// A connection with a peer was not made, or not taken.
    Connection(SlotId),
}

#[derive(Default)]
pub(crate) struct TimerQueue {
    heap: BinaryHeap<Reverse<(Instant, Due)>>,
}

impl TimerQueue {
    pub(crate) fn push(&mut self, at: Instant, due: Due) {
        self.heap.push(Reverse((at, due)));
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    fn pop(&mut self, now: Instant) -> Option<(Instant, Due)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }
}

impl<U: Users> Server<U> {
    /// Ends what was not refreshed. At most 256 things per call: when more are due,
    /// [`poll_timeout`](Self::poll_timeout) says so.
    pub fn handle_timeout(&mut self, now: Instant) {
        for _ in 0..MAX_DUE_PER_CALL {
            let Some((at, due)) = self.timers.pop(now) else {
                return;
            };
            match due {
                Due::Allocation(id) => self.on_allocation_due(now, at, id),
                Due::Reservation(relay) => self.on_reservation_due(relay),
                Due::Connection(id) => self.on_connection_due(now, id),
            }
        }
    }

    fn on_allocation_due(&mut self, now: Instant, at: Instant, id: SlotId) {
        let Some(allocation) = self.allocations.get_mut(id) else {
            return;
        };
        if allocation.timer != at {
            return; // it was shortened since, and has another entry
        }
        if allocation.expires > now {
            allocation.timer = allocation.expires;
            let expires = allocation.expires;
            self.push_due(expires, Due::Allocation(id));
        } else {
            self.release(id, Release::Expired);
        }
    }

    pub(super) fn push_event(&mut self, event: Event) {
        self.events.push_back(event);
    }
}
