//! Putting fragmented, reordered and repeated handshake messages back together
//! ([RFC 6347 §4.2.3](https://www.rfc-editor.org/rfc/rfc6347#section-4.2.3)).
//!
//! ```text
//!      next
//!       │
//!  ... [3][4][5][6][7][8][9][10] ...     a window of 8 messages, each with the byte ranges that have arrived
//!       └─ whole: handed out   └─ beyond: dropped; the peer repeats it
//! ```
//!
//! Nothing here is authenticated yet, so everything has a ceiling, and a forged fragment must not shut out the
//! genuine one: where two disagree about type or length of a message, the newer one wins, and the older one's bytes
//! count for nothing until the peer repeats them. That must not cost more than the fragment did: a place keeps its
//! buffer whatever becomes of the message in it, and what is under way is said by the ranges alone.

use arrayvec::ArrayVec;
use rtckit_proto::Writer;

use crate::handshake::{FragmentHeader, HandshakeType};

/// The longest handshake message that is put together, in bytes: a power of two, as buffers grow to the next one.
/// Certificates of WebRTC have a few hundred.
pub(crate) const MAX_MESSAGE_LEN: usize = 1 << 14;

/// How many messages may be under way at once. The longest flight has five.
const WINDOW: usize = 8;

/// How many gaps a message may have while it is incomplete.
const MAX_RANGES: usize = 16;

/// Messages on their way to being whole: at most 8 of 16 KiB each. Buffers are kept until the handshake is over.
#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    /// The message that is to be handed out next.
    next: u16,
    slots: [Slot; WINDOW],
    is_finished: bool,
}

/// What became of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    /// It was stored, or was there already.
    Stored,
    /// Its message has been handed out before: the peer repeats itself.
    Stale,
    /// It is too long, too far ahead, or one gap too many.
    Refused,
}

/// A message with the header it would have in one fragment.
#[derive(Debug)]
pub(crate) struct Assembled {
    pub(crate) message_type: HandshakeType,
    pub(crate) message_seq: u16,
    /// Header and body.
    pub(crate) bytes: Vec<u8>,
}

impl Assembled {
    pub(crate) fn body(&self) -> &[u8] {
        self.bytes.get(FragmentHeader::LEN..).unwrap_or_default()
    }
}

/// The place of a message.
#[derive(Debug, Default)]
struct Slot {
    /// What has arrived of the body, where the ranges say so, and leftovers of other messages elsewhere. It grows
    /// as far as fragments reach and never shrinks before [`finish`](Reassembly::finish).
    buffer: Vec<u8>,
    partial: Option<Partial>,
}

/// What is known of a message under way.
#[derive(Debug)]
struct Partial {
    message_type: HandshakeType,
    length: u32,
    /// What has arrived: disjoint, in no order.
    ranges: ArrayVec<(u32, u32), MAX_RANGES>,
}

impl Reassembly {
    /// Stores a fragment.
    pub(crate) fn insert(&mut self, header: &FragmentHeader, fragment: &[u8]) -> Inserted {
        let ahead = header.message_seq.wrapping_sub(self.next);
        if ahead >= 1 << 15 {
            return Inserted::Stale;
        }
        if self.is_finished
            || usize::from(ahead) >= WINDOW
            || header.length as usize > MAX_MESSAGE_LEN
        {
            return Inserted::Refused;
        }
        let Some(slot) = self.slots.get_mut(usize::from(header.message_seq) % WINDOW) else {
            return Inserted::Refused;
        };
        match slot.add(header, fragment) {
            true => Inserted::Stored,
            false => Inserted::Refused,
        }
    }

    /// Takes the next message out, if it is whole. It stays the next until [`consume`](Self::consume): should it
    /// turn out to be noise, the peer's repetition gets its place.
    pub(crate) fn take(&mut self) -> Option<Assembled> {
        let slot = self.slots.get_mut(usize::from(self.next) % WINDOW)?;
        let partial = slot.partial.take_if(|partial| partial.is_whole())?;
        let body = slot.buffer.get(..partial.length as usize)?;
        let header = FragmentHeader::whole(partial.message_type, self.next, partial.length);
        let mut bytes = vec![0; FragmentHeader::LEN + body.len()];
        let mut writer = Writer::new(&mut bytes);
        let written = header.write(&mut writer).and_then(|()| writer.bytes(body));
        debug_assert!(written.is_ok(), "the buffer has room for both");
        Some(Assembled {
            message_type: partial.message_type,
            message_seq: self.next,
            bytes,
        })
    }

    /// The handshake is over: nothing is stored any more, but repetitions are still known as such.
    pub(crate) fn finish(&mut self) {
        self.is_finished = true;
        self.slots = Default::default();
    }

    /// Goes on to the message after the one taken.
    pub(crate) fn consume(&mut self) {
        self.next = self.next.wrapping_add(1);
    }
}

impl Slot {
    /// Stores a fragment; where it disagrees with those before it, they count for nothing any more.
    fn add(&mut self, header: &FragmentHeader, fragment: &[u8]) -> bool {
        let known = self.partial.take().filter(|partial| partial.fits(header));
        let known = known.unwrap_or_else(|| Partial::new(header));
        let partial = self.partial.insert(known);
        if fragment.is_empty() && header.length > 0 {
            return true;
        }
        let start = header.fragment_offset as usize;
        let end = start + fragment.len();
        if end > header.length as usize || !partial.cover(header.fragment_offset, end as u32) {
            return false;
        }
        if end > self.buffer.len() {
            self.buffer.resize(end.next_power_of_two(), 0);
        }
        if let Some(place) = self.buffer.get_mut(start..end) {
            place.copy_from_slice(fragment);
        }
        true
    }
}

impl Partial {
    fn new(header: &FragmentHeader) -> Self {
        Self {
            message_type: header.message_type,
            length: header.length,
            ranges: ArrayVec::new(),
        }
    }

    fn fits(&self, header: &FragmentHeader) -> bool {
        self.message_type == header.message_type && self.length == header.length
    }

    /// Notes that the bytes from `start` to `end` have arrived; false when that is one gap too many.
    fn cover(&mut self, mut start: u32, mut end: u32) -> bool {
        let touches = |&(from, to): &(u32, u32)| from <= end && to >= start;
        if self.ranges.is_full() && !self.ranges.iter().any(touches) {
            return false;
        }
        self.ranges.retain(|&mut (from, to)| {
            let apart = from > end || to < start;
            if !apart {
                start = start.min(from);
                end = end.max(to);
            }
            apart
        });
        self.ranges.try_push((start, end)).is_ok()
    }

    fn is_whole(&self) -> bool {
        self.ranges.contains(&(0, self.length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(message_seq: u16, length: u32, offset: u32, len: u32) -> FragmentHeader {
        FragmentHeader {
            message_type: HandshakeType::CERTIFICATE,
            length,
            message_seq,
            fragment_offset: offset,
            fragment_length: len,
        }
    }

    #[test]
    fn messages_leave_in_order() {
        let mut reassembly = Reassembly::default();
        assert_eq!(
            reassembly.insert(&header(1, 2, 0, 2), b"cd"),
            Inserted::Stored
        );
        assert!(reassembly.take().is_none());
        assert_eq!(
            reassembly.insert(&header(0, 2, 1, 1), b"b"),
            Inserted::Stored
        );
        assert!(reassembly.take().is_none());
        assert_eq!(
            reassembly.insert(&header(0, 2, 0, 1), b"a"),
            Inserted::Stored
        );
        let first = reassembly.take().unwrap();
        assert_eq!(first.bytes, b"\x0b\0\0\x02\0\0\0\0\0\0\0\x02ab");
        reassembly.consume();
        assert_eq!(reassembly.take().unwrap().body(), b"cd");
        reassembly.consume();
        assert_eq!(
            reassembly.insert(&header(1, 2, 0, 2), b"cd"),
            Inserted::Stale
        );
    }

    #[test]
    fn empty_messages_are_whole_at_once() {
        let mut reassembly = Reassembly::default();
        assert_eq!(
            reassembly.insert(&header(0, 0, 0, 0), b""),
            Inserted::Stored
        );
        assert_eq!(reassembly.take().unwrap().body(), b"");
    }

    #[test]
    fn ceilings() {
        let mut reassembly = Reassembly::default();
        let long = MAX_MESSAGE_LEN as u32 + 1;
        assert_eq!(
            reassembly.insert(&header(0, long, 0, 1), b"x"),
            Inserted::Refused
        );
        assert_eq!(
            reassembly.insert(&header(8, 1, 0, 1), b"x"),
            Inserted::Refused
        );
        for gap in 0..16 {
            assert_eq!(
                reassembly.insert(&header(0, 100, gap * 2, 1), b"x"),
                Inserted::Stored
            );
        }
        assert_eq!(
            reassembly.insert(&header(0, 100, 50, 1), b"x"),
            Inserted::Refused
        );
        assert_eq!(
            reassembly.insert(&header(0, 100, 0, 100), &[7; 100]),
            Inserted::Stored,
            "what closes gaps is always welcome"
        );
        assert_eq!(reassembly.take().unwrap().body(), [7; 100]);
    }

    #[test]
    fn a_forged_fragment_does_not_shut_out_the_genuine_one() {
        let mut reassembly = Reassembly::default();
        let _ = reassembly.insert(&header(0, 9, 0, 1), b"?");
        let _ = reassembly.insert(&header(0, 2, 0, 2), b"ok");
        assert_eq!(reassembly.take().unwrap().body(), b"ok");
        // taken but not consumed: noise, and its place is free again
        let _ = reassembly.insert(&header(0, 3, 0, 3), b"new");
        assert_eq!(reassembly.take().unwrap().body(), b"new");
    }

    /// A fragment of one byte must not have a buffer allocated and cleared, however it contradicts those before.
    #[test]
    fn contradictions_cost_no_buffers() {
        let mut reassembly = Reassembly::default();
        let max = MAX_MESSAGE_LEN as u32;
        let _ = reassembly.insert(&header(0, max, max - 1, 1), b"x");
        assert_eq!(reassembly.slots[0].buffer.capacity(), MAX_MESSAGE_LEN);
        // what was written stays where it is as long as nobody replaces or clears the buffer
        let _ = reassembly.insert(&header(0, max, 5000, 4), b"mark");
        for length in 2..5000 {
            let _ = reassembly.insert(&header(0, length, length - 1, 1), b"?");
            let _ = reassembly.insert(&header(0, max, max - 1, 1), b"?");
            assert!(reassembly.take().is_none());
            // whole, and noise: it is taken and never consumed
            let _ = reassembly.insert(&header(0, 1, 0, 1), b"!");
            assert_eq!(reassembly.take().unwrap().body(), b"!");
            assert!(reassembly.take().is_none());
        }
        let buffer = &reassembly.slots[0].buffer;
        assert_eq!(&buffer[5000..5004], b"mark");
        assert_eq!(buffer.capacity(), MAX_MESSAGE_LEN);
        // nothing of what is left over becomes part of a message
        let _ = reassembly.insert(&header(0, max, 0, 5000), &[7; 5000]);
        let _ = reassembly.insert(&header(0, max, 5004, max - 5004), &[7; 11380]);
        assert!(reassembly.take().is_none());
        let _ = reassembly.insert(&header(0, max, 5000, 4), &[7; 4]);
        assert_eq!(reassembly.take().unwrap().body(), [7; MAX_MESSAGE_LEN]);
    }

    #[test]
    fn a_buffer_grows_with_what_arrives() {
        let mut reassembly = Reassembly::default();
        let max = MAX_MESSAGE_LEN as u32;
        let _ = reassembly.insert(&header(0, max, 0, 100), &[7; 100]);
        assert_eq!(reassembly.slots[0].buffer.len(), 128);
    }

    #[test]
    fn after_the_handshake_nothing_is_kept() {
        let mut reassembly = Reassembly::default();
        let _ = reassembly.insert(&header(0, 1, 0, 1), b"x");
        let _ = reassembly.insert(&header(1, 9, 0, 1), b"x");
        assert!(reassembly.take().is_some());
        reassembly.consume();
        reassembly.finish();
        assert_eq!(
            reassembly.insert(&header(1, 9, 1, 1), b"x"),
            Inserted::Refused
        );
        assert_eq!(
            reassembly.insert(&header(0, 1, 0, 1), b"x"),
            Inserted::Stale
        );
        assert!(
            reassembly
                .slots
                .iter()
                .all(|slot| slot.partial.is_none() && slot.buffer.capacity() == 0)
        );
    }

    proptest! {
        /// Any cuts, in any order, with overlaps and repetitions, give the message back.
        #[test]
        fn any_order_any_overlap(
            message in prop::collection::vec(any::<u8>(), 1..300),
            cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..80), 0..16),
        ) {
            let mut reassembly = Reassembly::default();
            let len = message.len();
            for (at, extent) in &cuts {
                let start = at.index(len);
                let end = (start + extent).min(len);
                let fragment = header(0, len as u32, start as u32, (end - start) as u32);
                let _ = reassembly.insert(&fragment, &message[start..end]);
            }
            for start in (0..len).step_by(50).rev() {
                let end = (start + 60).min(len);
                let fragment = header(0, len as u32, start as u32, (end - start) as u32);
                prop_assert_eq!(reassembly.insert(&fragment, &message[start..end]), Inserted::Stored);
            }
            let assembled = reassembly.take().unwrap();
            prop_assert_eq!(assembled.body(), &message[..]);
        }
    }
}
