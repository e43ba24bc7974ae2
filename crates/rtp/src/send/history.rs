//! The ring of packets that are to be sent or were sent: queue and retransmission history in one.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec;
use core::time::Duration;

use rtckit_proto::{Instant, Unroller};

/// The most packets that wait to be sent again.
const MAX_RESENDS: usize = 256;
/// How often one packet is sent again.
const MAX_TRIES: u8 = 16;
/// How many packets there is room for at first.
const FIRST_SLOTS: usize = 1;
/// For how long packets are kept while there is memory for it: a receiver that waits longer shows nothing.
const KEEP: Duration = Duration::from_secs(1);

/// What became of a request to send a packet again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resend {
    /// It will be.
    Queued,
    /// It will not: it is not kept, was sent a moment ago or too often, or waits already.
    Refused,
    /// It will not: too many wait.
    Full,
}

/// A packet that is sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent<'h> {
    pub(super) bytes: &'h [u8],
    /// Whether it had been sent before.
    pub(super) again: bool,
}

/// What is known of the packet in one slot.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    len: u16,
    /// How often it was sent again.
    tries: u8,
    /// Whether it waits to be sent again.
    waits: bool,
    last_sent: Instant,
}

/// Packets in slots of equal length, by sequence number.
///
/// ```text
///         next - slots              unsent             next
///  ... overwritten |  sent, kept     |  not sent yet    |  free: reaches round to the sent ones
/// ```
///
/// The ring doubles, up to its capacity, when it would overwrite what was sent less than a second ago: a stream takes
/// the memory its rate needs.
#[derive(Debug)]
pub(super) struct History {
    bytes: Box<[u8]>,
    slots: Box<[Slot]>,
    slot_len: usize,
    capacity: usize,
    numbers: Unroller<u16>,
    /// No packet before this index is in the ring.
    first: u64,
    /// The index of the first packet that was not sent.
    unsent: u64,
    /// The index the next packet gets.
    next: u64,
    resends: VecDeque<u64>,
}

impl History {
    /// Room for `capacity` packets, rounded up to a power of two so that indices wrap well, of `slot_len` bytes.
    pub(super) fn new(capacity: usize, slot_len: usize, first: u16) -> Self {
        let capacity = capacity.next_power_of_two();
        let slots = capacity.min(FIRST_SLOTS);
        let mut numbers = Unroller::default();
        let first = numbers.unroll(first);
        Self {
            bytes: vec![0; slots * slot_len].into(),
            slots: vec![Slot::default(); slots].into(),
            slot_len,
            capacity,
            numbers,
            first,
            unsent: first,
            next: first,
            resends: VecDeque::new(),
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many packets can be pushed before unsent ones would be overwritten.
    pub(super) fn free(&self) -> usize {
        self.capacity - (self.next - self.unsent) as usize
    }

    /// Makes the ring large enough for `count` packets to come; there must be [`free`](Self::free) room for them.
    pub(super) fn reserve(&mut self, now: Instant, count: usize) {
        let end = self.next + count as u64;
        while self.slots.len() < self.capacity && self.would_regret(now, end) {
            self.double();
        }
    }

    /// Whether packets up to `end` would overwrite one that was not sent, or was not long ago.
    fn would_regret(&self, now: Instant, end: u64) -> bool {
        let slots = self.slots.len() as u64;
        let Some(last) = (end - self.first).checked_sub(slots + 1) else {
            return false;
        };
        // the newest of those that would go
        let last = self.first + last;
        last >= self.unsent
            || self
                .slots
                .get(self.place(last))
                .is_some_and(|slot| now < slot.last_sent + KEEP)
    }

    fn double(&mut self) {
        let slots = self.slots.len() * 2;
        let kept = self.kept()..self.next;
        let mut larger = Self {
            bytes: vec![0; slots * self.slot_len].into(),
            slots: vec![Slot::default(); slots].into(),
            first: kept.start,
            resends: core::mem::take(&mut self.resends),
            ..*self
        };
        for index in kept {
            let (from, to) = (self.place(index), larger.place(index));
            let source = self.bytes.chunks(self.slot_len).nth(from);
            let target = larger.bytes.chunks_mut(self.slot_len).nth(to);
            if let (Some(source), Some(target)) = (source, target) {
                target.copy_from_slice(source);
            }
            if let (Some(source), Some(target)) = (self.slots.get(from), larger.slots.get_mut(to)) {
                *target = *source;
            }
        }
        *self = larger;
    }

    /// The oldest packet in the ring.
    fn kept(&self) -> u64 {
        self.first
            .max(self.next.saturating_sub(self.slots.len() as u64))
    }

    /// How many packets wait, to be sent for the first time or again.
    pub(super) fn queued(&self) -> usize {
        (self.next - self.unsent) as usize + self.resends.len()
    }

    /// Adds a packet, for which there must be [`reserve`](Self::reserve)d room: `write` gets its sequence number and
    /// room, and returns the length of the payload behind the header. When `write` returns `None`, nothing is added.
    pub(super) fn push(
        &mut self,
        header_len: usize,
        write: impl FnOnce(u16, &mut [u8]) -> Option<usize>,
    ) {
        if (self.next - self.unsent) as usize >= self.slots.len() {
            return;
        }
        let index = self.next;
        let at = self.place(index);
        let Some(room) = slot_mut(&mut self.bytes, at, self.slot_len) else {
            return;
        };
        let Some(payload_len) = write(index as u16, room) else {
            return;
        };
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Slot {
                len: (header_len + payload_len) as u16,
                ..Slot::default()
            };
            self.numbers.unroll(index as u16);
            self.next = index + 1;
        }
    }

    /// Asks for a packet again. It must have been sent at least `pause` ago.
    pub(super) fn request(&mut self, now: Instant, number: u16, pause: Duration) -> Resend {
        let index = self.numbers.peek(number);
        if index as u16 != number || index < self.kept() || index >= self.unsent {
            return Resend::Refused;
        }
        if self.resends.len() >= MAX_RESENDS {
            return Resend::Full;
        }
        let at = self.place(index);
        let Some(slot) = self.slots.get_mut(at) else {
            return Resend::Refused;
        };
        if slot.waits || slot.tries >= MAX_TRIES || now < slot.last_sent + pause {
            return Resend::Refused;
        }
        slot.waits = true;
        self.resends.push_back(index);
        Resend::Queued
    }

    /// Lends the next packet: one to be sent again, or else the first that was not sent. `None` when there is none, or
    /// when it has no `room`; one that is sent again needs `prefix` bytes more.
    pub(super) fn next(&mut self, now: Instant, room: usize, prefix: usize) -> Option<Sent<'_>> {
        // some may have been overwritten while they waited
        let kept = self.kept();
        while self.resends.pop_front_if(|index| *index < kept).is_some() {}
        let resend = self.resends.front().copied();
        let again = resend.is_some();
        let index = resend.unwrap_or(self.unsent);
        if index == self.next {
            return None;
        }
        let at = self.place(index);
        let slot = self.slots.get_mut(at)?;
        let len = usize::from(slot.len);
        if len + if again { prefix } else { 0 } > room {
            return None;
        }
        slot.last_sent = now;
        if again {
            slot.waits = false;
            slot.tries += 1;
            self.resends.pop_front();
        } else {
            self.unsent += 1;
        }
        let bytes = self.bytes.get(at * self.slot_len..)?.get(..len)?;
        Some(Sent { bytes, again })
    }

    fn place(&self, index: u64) -> usize {
        index as usize & (self.slots.len() - 1)
    }
}

fn slot_mut(bytes: &mut [u8], at: usize, len: usize) -> Option<&mut [u8]> {
    bytes.get_mut(at * len..)?.get_mut(..len)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes one packet that carries its number, and sends it.
    fn send(history: &mut History, now: Instant) {
        history.reserve(now, 1);
        history.push(0, |number, room| {
            room.get_mut(..2)?.copy_from_slice(&number.to_be_bytes());
            Some(2)
        });
        history.next(now, 10, 0).unwrap();
    }

    #[test]
    fn the_ring_grows_to_a_second_of_packets_and_not_beyond() {
        let mut history = History::new(1_024, 10, 65_500);
        // a hundred packets a second, for three seconds
        for tick in 0..300 {
            send(&mut history, Instant::from_millis(10 * tick));
        }
        assert_eq!(history.slots.len(), 128);
        // ten times as fast: to the capacity, which is a second and a bit
        for tick in 3_000..10_000 {
            send(&mut history, Instant::from_millis(tick));
        }
        assert_eq!(history.slots.len(), 1_024);
    }

    #[test]
    fn packets_survive_the_growth() {
        let mut history = History::new(256, 10, 65_500);
        let now = Instant::from_millis(1);
        for _ in 0..256 {
            send(&mut history, now);
        }
        let later = now + Duration::from_millis(100);
        for count in 0..256 {
            let number = 65_500_u16.wrapping_add(count);
            assert_eq!(
                history.request(later, number, Duration::ZERO),
                Resend::Queued
            );
            let sent = history.next(later, 10, 0).unwrap();
            assert_eq!((sent.bytes, sent.again), (&number.to_be_bytes()[..], true));
        }
    }

    #[test]
    fn what_was_overwritten_before_the_growth_is_not_kept() {
        let mut history = History::new(256, 10, 0);
        let slow = Duration::from_secs(1);
        let mut now = Instant::ZERO;
        for _ in 0..32 {
            send(&mut history, now);
            now += slow;
        }
        assert_eq!(history.slots.len(), FIRST_SLOTS);
        for _ in 0..32 {
            send(&mut history, now);
        }
        assert!(history.slots.len() > FIRST_SLOTS);
        assert_eq!(history.request(now + slow, 15, slow), Resend::Refused);
    }
}
