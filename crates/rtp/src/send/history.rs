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
///         next - capacity          unsent             next
///  ... overwritten |  sent, kept     |  not sent yet    |  free: reaches round to the sent ones
/// ```
#[derive(Debug)]
pub(super) struct History {
    bytes: Box<[u8]>,
    slots: Box<[Slot]>,
    slot_len: usize,
    numbers: Unroller<u16>,
    /// The index of the first packet of all.
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
        let mut numbers = Unroller::default();
        let first = numbers.unroll(first);
        Self {
            bytes: vec![0; capacity * slot_len].into(),
            slots: vec![Slot::default(); capacity].into(),
            slot_len,
            numbers,
            first,
            unsent: first,
            next: first,
            resends: VecDeque::with_capacity(MAX_RESENDS),
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// How many packets can be pushed before unsent ones would be overwritten.
    pub(super) fn free(&self) -> usize {
        self.capacity() - (self.next - self.unsent) as usize
    }

    /// How many packets wait, to be sent for the first time or again.
    pub(super) fn queued(&self) -> usize {
        (self.next - self.unsent) as usize + self.resends.len()
    }

    /// Adds a packet: `write` gets its sequence number and room, and returns the length of the payload behind
    /// the header. When `write` returns `None`, or no room is left, nothing is added.
    pub(super) fn push(
        &mut self,
        header_len: usize,
        write: impl FnOnce(u16, &mut [u8]) -> Option<usize>,
    ) {
        if self.free() == 0 {
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
        let kept = self
            .first
            .max(self.next.saturating_sub(self.capacity() as u64));
        if index as u16 != number || index < kept || index >= self.unsent {
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
        let (next, capacity) = (self.next, self.capacity() as u64);
        while self
            .resends
            .pop_front_if(|index| next - *index > capacity)
            .is_some()
        {}
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
