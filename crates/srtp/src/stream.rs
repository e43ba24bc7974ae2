//! What a context remembers of each SSRC
//! ([RFC 3711 §3.2.3](https://www.rfc-editor.org/rfc/rfc3711#section-3.2.3)).
//!
//! The 48-bit index of an RTP packet is the roll-over counter (ROC) and the 16-bit sequence number it carries:
//!
//! ```text
//! index = ROC * 2^16 + SEQ
//! ```
//!
//! The ROC is not sent. Both sides take the index nearest to the highest one they have seen
//! ([RFC 3711 §3.3.1](https://www.rfc-editor.org/rfc/rfc3711#section-3.3.1)), so it survives any loss or reordering
//! of less than 2^15 packets.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use rtckit_proto::{ReplayWindow, Unroller};

use crate::Error;

/// The most SSRCs one context keeps state for.
///
/// A WebRTC peer has a handful. The ceiling holds 50 kB of replay windows, and is reached only by packets that
/// were authenticated; when sending, 2 MB of [fingerprints](crate::SendContext) come on top.
///
/// The table is never cleared, however long a stream has been silent: keys live as long as the context, and so
/// must the memory of what they were used for
/// ([RFC 3711 §3.3.2, §9.1](https://www.rfc-editor.org/rfc/rfc3711#section-3.3.2)). Were a stream forgotten that is
/// received, whoever recorded its packets could replay them, and its roll-over counter would be lost; were one
/// forgotten that is sent, its next packets could be protected under used indices. So packets of the 257th SSRC
/// are refused for good, and a session that goes through so many needs new keys.
pub const MAX_STREAMS: usize = 256;

/// The state of every SSRC of one direction, found by walking a short array: no hashing, no surprise.
#[derive(Debug)]
pub(crate) struct Streams<T> {
    ssrcs: Vec<u32>,
    states: Vec<T>,
}

impl<T> Default for Streams<T> {
    fn default() -> Self {
        Self {
            ssrcs: Vec::new(),
            states: Vec::new(),
        }
    }
}

impl<T: Default> Streams<T> {
    /// The state of `ssrc`, if it has any.
    pub(crate) fn find(&mut self, ssrc: u32) -> Option<&mut T> {
        let at = self.ssrcs.iter().position(|&known| known == ssrc)?;
        self.states.get_mut(at)
    }

    /// The state of `ssrc`, made now if need be. For packets that are the caller's own or authenticated.
    pub(crate) fn find_or_insert(&mut self, ssrc: u32) -> Result<&mut T, Error> {
        let known = self.ssrcs.iter().position(|&known| known == ssrc);
        let at = match known {
            Some(at) => at,
            None if self.ssrcs.len() < MAX_STREAMS => {
                self.ssrcs.push(ssrc);
                self.states.push(T::default());
                self.ssrcs.len() - 1
            }
            None => return Err(Error::TooManyStreams),
        };
        self.states.get_mut(at).ok_or(Error::TooManyStreams)
    }

    pub(crate) fn len(&self) -> usize {
        self.ssrcs.len()
    }
}

/// What tells packets under one index apart: the front of the authentication tag.
///
/// The tag is there anyway, covers header and payload, and is keyed, so that not even somebody who chooses what is
/// sent (whose media a server forwards, say) can make two packets alike.
pub(crate) type Fingerprint = [u8; 8];

/// The highest index of a stream, from which the next is told, and which packets were protected.
#[derive(Debug)]
pub(crate) struct RtpSender {
    unroller: Unroller<u16>,
    window: ReplayWindow,
    /// That of index `n` is at `n % SPAN`, and means something if the window has accepted `n`.
    fingerprints: Box<[Fingerprint]>,
}

impl Default for RtpSender {
    fn default() -> Self {
        Self {
            unroller: Unroller::default(),
            window: ReplayWindow::default(),
            fingerprints: vec![Fingerprint::default(); ReplayWindow::SPAN as usize].into(),
        }
    }
}

impl RtpSender {
    /// The index of the packet with this sequence number, unless it is too old to tell whether it was used. A
    /// retransmission has its own, old one.
    pub(crate) fn index(&self, sequence_number: u16) -> Result<u64, Error> {
        let index = index(&self.unroller, sequence_number).ok_or(Error::KeyExhausted)?;
        (self.window.is_new(index) || self.window.has_accepted(index))
            .then_some(index)
            .ok_or(Error::IndexReused)
    }

    /// Remembers a packet that was protected, unless another one was under the same index.
    pub(crate) fn accept(
        &mut self,
        sequence_number: u16,
        index: u64,
        fingerprint: Fingerprint,
    ) -> Result<(), Error> {
        let at = (index % ReplayWindow::SPAN) as usize;
        let known = self.fingerprints.get_mut(at).ok_or(Error::IndexReused)?;
        if self.window.accept(index) {
            *known = fingerprint;
            self.unroller.unroll(sequence_number);
            return Ok(());
        }
        (*known == fingerprint)
            .then_some(())
            .ok_or(Error::IndexReused)
    }
}

/// The highest index of a stream, and which indices were received.
#[derive(Debug, Default)]
pub(crate) struct RtpReceiver {
    unroller: Unroller<u16>,
    window: ReplayWindow,
}

impl RtpReceiver {
    /// The likely index of a packet that is yet to be authenticated, if it was not received before.
    pub(crate) fn index(&self, sequence_number: u16) -> Result<u64, Error> {
        let index = index(&self.unroller, sequence_number).ok_or(Error::Replayed)?;
        self.window
            .is_new(index)
            .then_some(index)
            .ok_or(Error::Replayed)
    }

    /// Remembers a packet that was authenticated.
    pub(crate) fn accept(&mut self, sequence_number: u16, index: u64) {
        self.unroller.unroll(sequence_number);
        self.window.accept(index);
    }
}

/// The highest 48-bit index: the last packet a key may protect
/// ([RFC 3711 §9.2](https://www.rfc-editor.org/rfc/rfc3711#section-9.2)).
const MAX_INDEX: u64 = (1 << 48) - 1;

/// The index nearest to the highest, unless it lies beyond what a key may protect, or before the first packet:
/// there the unroller saturates, and an index that was used before would come out.
fn index(unroller: &Unroller<u16>, sequence_number: u16) -> Option<u64> {
    let index = unroller.peek(sequence_number);
    (index & 0xffff == u64::from(sequence_number) && index <= MAX_INDEX).then_some(index)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 3711 Appendix A, as it is written there.
    fn naive(highest: u64, seq: u16) -> i64 {
        let (roc, s_l) = ((highest >> 16) as i64, (highest & 0xffff) as i64);
        let seq = i64::from(seq);
        let v = if s_l < 32_768 {
            if seq - s_l > 32_768 { roc - 1 } else { roc }
        } else if s_l - 32_768 > seq {
            roc + 1
        } else {
            roc
        };
        seq + v * 65_536
    }

    #[test]
    fn a_packet_before_the_first_has_no_index() {
        let mut sender = RtpSender::default();
        assert_eq!(sender.index(0), Ok(0));
        assert_eq!(sender.accept(0, 0, [1; 8]), Ok(()));
        assert_eq!(sender.index(65_535), Err(Error::KeyExhausted));
        assert_eq!(sender.index(1), Ok(1));
    }

    #[test]
    fn an_index_belongs_to_one_packet() {
        let mut sender = RtpSender::default();
        assert_eq!(sender.accept(5, 5, [1; 8]), Ok(()));
        assert_eq!(sender.accept(5, 5, [2; 8]), Err(Error::IndexReused));
        assert_eq!(sender.accept(5, 5, [1; 8]), Ok(()), "and stays with it");
        // the last that is remembered, and the first that is not, though nothing was sent under it
        assert_eq!(sender.accept(1_028, 1_028, [3; 8]), Ok(()));
        assert_eq!(sender.index(5), Ok(5));
        assert_eq!(sender.accept(5, 5, [1; 8]), Ok(()));
        assert_eq!(sender.index(4), Err(Error::IndexReused));
        // a hole is new, whatever stood in its place a window ago
        assert_eq!(sender.accept(1_030, 1_030, [4; 8]), Ok(()));
        assert_eq!(sender.accept(1_029, 1_029, [5; 8]), Ok(()));
        assert_eq!(sender.accept(1_029, 1_029, [1; 8]), Err(Error::IndexReused));
    }

    /// RFC 3711 §9.2: one more, and index 0 would come again.
    #[test]
    fn no_key_protects_more_than_2_to_the_48_packets() {
        let mut sender = RtpSender {
            unroller: Unroller::continuing_from(MAX_INDEX - 1),
            ..RtpSender::default()
        };
        assert_eq!(sender.index(0xffff), Ok(MAX_INDEX));
        assert_eq!(sender.accept(0xffff, MAX_INDEX, [1; 8]), Ok(()));
        for beyond in [0, 1, 0x7ffe] {
            assert_eq!(sender.index(beyond), Err(Error::KeyExhausted));
        }
        assert_eq!(sender.index(0xffff), Ok(MAX_INDEX), "sent again");

        let mut receiver = RtpReceiver {
            unroller: Unroller::continuing_from(MAX_INDEX - 1),
            ..RtpReceiver::default()
        };
        assert_eq!(receiver.index(0), Err(Error::Replayed));
        assert_eq!(receiver.index(0xffff), Ok(MAX_INDEX));
        receiver.accept(0xffff, MAX_INDEX);
        assert_eq!(receiver.index(0), Err(Error::Replayed));
    }

    #[test]
    fn the_table_of_streams_has_a_ceiling() {
        let mut streams = Streams::<RtpReceiver>::default();
        for ssrc in 0..MAX_STREAMS as u32 {
            assert!(streams.find_or_insert(ssrc).is_ok());
        }
        assert_eq!(
            streams.find_or_insert(0xffff_ffff).unwrap_err(),
            Error::TooManyStreams
        );
        assert!(streams.find_or_insert(3).is_ok());
        assert_eq!(streams.len(), MAX_STREAMS);
    }

    proptest! {
        #[test]
        fn the_index_is_that_of_the_rfc(steps in prop::collection::vec(-20_000i64..30_000, 1..200)) {
            let mut unroller = Unroller::default();
            let mut highest = 40_000;
            prop_assert_eq!(unroller.unroll(40_000), 40_000);
            for step in steps {
                let wanted = highest as i64 + step;
                let Ok(wanted) = u64::try_from(wanted) else { continue };
                let seq = wanted as u16;
                prop_assert_eq!(naive(highest, seq), wanted as i64);
                prop_assert_eq!(index(&unroller, seq), Some(wanted));
                unroller.unroll(seq);
                highest = highest.max(wanted);
            }
        }
    }
}
