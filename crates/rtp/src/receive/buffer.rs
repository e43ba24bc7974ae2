//! The ring of packets that came and whose frames are not complete.
//!
//! ```text
//!        next              scan                        end
//!  ... gone | one frame's    | missing, or came         | not come yet
//!           | packets, all   | in any order             |
//!           | there          |                          |
//! ```

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use rtckit_proto::Instant;

use crate::payload::Codec;

/// How many packets there is room for at first.
const FIRST_SLOTS: usize = 1;

/// One packet in the ring.
#[derive(Clone, Copy, Debug)]
struct Slot {
    index: u64,
    timestamp: u32,
    arrived: Instant,
    len: u16,
    marker: bool,
    content: Content,
}

/// What a packet is for the frame around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// The first part of a frame.
    Start,
    /// A further part.
    Continuation,
    /// Padding only: of no frame.
    Nothing,
    /// It cannot be read; its frame is lost.
    Damaged,
}

/// What is stored of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'p> {
    pub(super) timestamp: u32,
    pub(super) marker: bool,
    pub(super) content: Content,
    pub(super) data: &'p [u8],
}

/// What stands at the front of the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Front {
    /// A whole frame: `next` to before this index.
    Frame(u64),
    /// Packets that cannot become a frame: `next` to before this index.
    Useless(u64),
    /// The packet with this index is missing, while later ones are there.
    Missing(u64),
    /// All that came was looked at, and no frame is complete.
    Waiting,
}

/// A frame that was taken out of the ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    pub(super) timestamp: u32,
    pub(super) first: u64,
    pub(super) last: u64,
    /// When the last of its packets came.
    pub(super) arrived: Instant,
}

/// The ring of packets. It doubles, up to its capacity, when what waits does not fit.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Box<[u8]>,
    slots: Box<[Option<Slot>]>,
    slot_len: usize,
    capacity: usize,
    /// The first packet that is waited for.
    next: u64,
    /// How far the frame at `next` is known to be there.
    scan: u64,
    /// How many bytes of it there are.
    scanned_bytes: usize,
    /// One behind the highest packet that came.
    end: u64,
}

impl Buffer {
    /// Room for `capacity` packets, rounded up to a power of two, of up to `slot_len` bytes of frame each.
    pub(super) fn new(capacity: usize, slot_len: usize) -> Self {
        let capacity = capacity.next_power_of_two();
        let slots = capacity.min(FIRST_SLOTS);
        Self {
            bytes: vec![0; slots * slot_len].into(),
            slots: vec![None; slots].into(),
            slot_len,
            capacity,
            next: 0,
            scan: 0,
            scanned_bytes: 0,
            end: 0,
        }
    }

    pub(super) fn capacity(&self) -> u64 {
        self.capacity as u64
    }

    pub(super) fn next(&self) -> u64 {
        self.next
    }

    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Empties the ring; the next packet to wait for is `index`.
    pub(super) fn restart(&mut self, index: u64) {
        self.slots.fill(None);
        self.next = index;
        self.end = index;
        self.rescan();
    }

    /// Waits for `index`, which is before `next`, after all. The ring must have room for it.
    pub(super) fn step_back(&mut self, index: u64) {
        self.reserve(index, self.end);
        self.next = index;
        self.rescan();
    }

    /// Makes the ring large enough for the packets from `next` to before `end`.
    fn reserve(&mut self, next: u64, end: u64) {
        let count =
            usize::try_from(end - next).map_or(self.capacity, |count| count.min(self.capacity));
        if count <= self.slots.len() {
            return;
        }
        let slots = count.next_power_of_two();
        let mut larger = Self {
            bytes: vec![0; slots * self.slot_len].into(),
            slots: vec![None; slots].into(),
            ..*self
        };
        for slot in self.slots.iter().flatten() {
            let (from, to) = (self.place(slot.index), larger.place(slot.index));
            let source = self.bytes.chunks(self.slot_len).nth(from);
            let target = larger.bytes.chunks_mut(self.slot_len).nth(to);
            if let (Some(source), Some(target), Some(place)) =
                (source, target, larger.slots.get_mut(to))
            {
                target.copy_from_slice(source);
                *place = Some(*slot);
            }
        }
        *self = larger;
    }

    /// Stores a packet that is not before `next`, nor `capacity` behind it. Returns false when it is too long.
    pub(super) fn insert(&mut self, now: Instant, index: u64, part: Part<'_>) -> bool {
        if part.data.len() > self.slot_len {
            return false;
        }
        self.reserve(self.next, index + 1);
        let place = self.place(index);
        let at = place * self.slot_len;
        let Some(room) = self
            .bytes
            .get_mut(at..)
            .and_then(|rest| rest.get_mut(..part.data.len()))
        else {
            return false;
        };
        room.copy_from_slice(part.data);
        if let Some(slot) = self.slots.get_mut(place) {
            *slot = Some(Slot {
                index,
                timestamp: part.timestamp,
                arrived: now,
                len: part.data.len() as u16,
                marker: part.marker,
                content: part.content,
            });
        }
        self.end = self.end.max(index + 1);
        true
    }

    /// Looks for a frame at the front, from where it stopped the last time. Takes nothing out.
    pub(super) fn front(&mut self, codec: Codec, max_frame: usize) -> Front {
        while self.scan < self.end {
            let at = self.scan;
            let Some(slot) = self.slot(at).copied() else {
                return Front::Missing(at);
            };
            if at == self.next {
                match slot.content {
                    Content::Start => {}
                    Content::Nothing => {
                        self.advance(at + 1);
                        continue;
                    }
                    Content::Continuation | Content::Damaged => return Front::Useless(at + 1),
                }
            } else if self
                .slot(self.next)
                .is_some_and(|first| first.timestamp != slot.timestamp)
            {
                // the sender forgot the marker, or it does not use one
                return Front::Frame(at);
            }
            let bytes = self.scanned_bytes + usize::from(slot.len);
            if slot.content == Content::Damaged || bytes > max_frame {
                return Front::Useless(at + 1);
            }
            // the scan stays in front of the last packet, so that asking again gives the same answer
            if slot.marker || codec.packet_is_frame() {
                return Front::Frame(at + 1);
            }
            self.scan = at + 1;
            self.scanned_bytes = bytes;
        }
        Front::Waiting
    }

    /// Drops everything before `index`, which becomes the next to wait for.
    pub(super) fn advance(&mut self, index: u64) {
        let capacity = self.capacity();
        for gone in self.next..index.min(self.next.saturating_add(capacity)) {
            let place = self.place(gone);
            if let Some(slot) = self.slots.get_mut(place) {
                *slot = None;
            }
        }
        self.next = index;
        self.end = self.end.max(index);
        self.rescan();
    }

    /// Moves the frame from `next` to before `end` into `out`, replacing what was there.
    pub(super) fn take(&mut self, end: u64, out: &mut Vec<u8>) -> Option<Taken> {
        out.clear();
        let first = *self.slot(self.next)?;
        let mut taken = Taken {
            timestamp: first.timestamp,
            first: self.next,
            last: end.saturating_sub(1),
            arrived: first.arrived,
        };
        for index in self.next..end {
            let slot = self.slot(index)?;
            taken.arrived = taken.arrived.max(slot.arrived);
            let at = self.place(index) * self.slot_len;
            out.extend_from_slice(self.bytes.get(at..)?.get(..slot.len.into())?);
        }
        self.advance(end);
        Some(taken)
    }

    fn rescan(&mut self) {
        self.scan = self.next;
        self.scanned_bytes = 0;
    }

    fn slot(&self, index: u64) -> Option<&Slot> {
        let slot = self.slots.get(self.place(index))?.as_ref();
        slot.filter(|slot| slot.index == index)
    }

    fn place(&self, index: u64) -> usize {
        index as usize & (self.slots.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_survive_the_growth() {
        let mut buffer = Buffer::new(1_024, 10);
        let mut out = Vec::new();
        buffer.restart(1_000);
        for index in (1_000..1_600_u64).rev() {
            let data = index.to_be_bytes();
            let part = Part {
                timestamp: index as u32,
                marker: true,
                content: Content::Start,
                data: &data,
            };
            assert!(buffer.insert(Instant::ZERO, index, part));
        }
        assert_eq!(buffer.slots.len(), 1_024);
        for index in 1_000..1_600_u64 {
            buffer.take(index + 1, &mut out).unwrap();
            assert_eq!(out, index.to_be_bytes());
        }
    }

    #[test]
    fn the_ring_stays_small_when_frames_are_taken() {
        let mut buffer = Buffer::new(1_024, 10);
        let mut out = Vec::new();
        for index in 0..5_000_u64 {
            let part = Part {
                timestamp: index as u32,
                marker: true,
                content: Content::Start,
                data: b"frame",
            };
            assert!(buffer.insert(Instant::ZERO, index, part));
            buffer.take(index + 1, &mut out).unwrap();
        }
        assert_eq!(buffer.slots.len(), FIRST_SLOTS);
    }
}
