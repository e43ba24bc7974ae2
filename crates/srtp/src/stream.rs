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

use alloc::vec::Vec;

use rtckit_proto::{ReplayWindow, Unroller};

use crate::Error;

/// The most SSRCs one context keeps state for.
///
/// A WebRTC peer has a handful. The ceiling holds 50 kB of replay windows, and is reached only by packets that
/// were authenticated.
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

/// The highest index of a stream, from which the next is told.
#[derive(Debug, Default)]
pub(crate) struct RtpSender {
    unroller: Unroller<u16>,
}

impl RtpSender {
    /// The index of the packet with this sequence number. A retransmission has its own, old one.
    pub(crate) fn index(&mut self, sequence_number: u16) -> Result<u64, Error> {
        let index = index(&self.unroller, sequence_number).ok_or(Error::KeyExhausted)?;
        self.unroller.unroll(sequence_number);
        Ok(index)
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
        assert_eq!(sender.index(65_535), Err(Error::KeyExhausted));
        assert_eq!(sender.index(1), Ok(1));
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
            let mut sender = RtpSender::default();
            let mut highest = 40_000;
            prop_assert_eq!(sender.index(40_000), Ok(40_000));
            for step in steps {
                let wanted = highest as i64 + step;
                let Ok(wanted) = u64::try_from(wanted) else { continue };
                let seq = wanted as u16;
                prop_assert_eq!(naive(highest, seq), wanted as i64);
                prop_assert_eq!(sender.index(seq), Ok(wanted));
                highest = highest.max(wanted);
            }
        }
    }
}
