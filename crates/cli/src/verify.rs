//! Whether what arrives is what was sent.

use rtckit::Frame;
use rtckit_proto::Unroller;

use crate::media::Clip;

/// Keeps times positive while it is not known at which one the first frame that came was sent.
const ORIGIN: u64 = 1 << 50;

/// Compares received frames with the clip they were sent from.
///
/// The sender adds a random offset to its timestamps, and with loss the first frame to arrive need not be the
/// first that was sent. So the verifier begins with every offset under which the first frame to arrive is one of
/// the clip's, and keeps those under which all that follow are as well.
#[derive(Debug, Default)]
pub(crate) struct Verifier {
    timestamps: Unroller<u32>,
    offsets: Vec<u64>,
    last: Option<u64>,
    /// The time of the first frame that came.
    first: Option<u64>,
    is_indifferent: bool,
    /// Frames that came.
    pub(crate) received: u64,
    /// Frames that came once, in order, and byte for byte as they were sent.
    pub(crate) identical: u64,
}

impl Verifier {
    /// From now on everything is as good as the clip.
    pub(crate) fn expect_anything(&mut self) {
        self.is_indifferent = true;
    }

    /// Takes the next received frame. Returns its time in ticks since the first frame was sent.
    pub(crate) fn check(&mut self, clip: &Clip, frame: &Frame) -> u64 {
        self.received += 1;
        let time = ORIGIN + self.timestamps.unroll(frame.timestamp);
        let first = *self.first.get_or_insert(time);
        if self.is_indifferent {
            return time.saturating_sub(first);
        }
        if self.offsets.is_empty() {
            self.offsets = (0..clip.len())
                .map(|index| clip.frame(index))
                .filter(|(_, data)| *data == frame.data)
                .map(|(ticks, _)| time - ticks)
                .collect();
            // later frames of the clip come first, and so do smaller offsets: the likeliest is the largest
            self.offsets.reverse();
        }
        let fits = |offset: &u64| clip.frame_at(time.wrapping_sub(*offset)) == Some(&frame.data);
        let is_later = self.last.is_none_or(|last| time > last);
        self.last = self.last.max(Some(time));
        if is_later && self.offsets.iter().any(fits) {
            self.offsets.retain(fits);
            self.identical += 1;
        }
        time.wrapping_sub(self.offsets.last().copied().unwrap_or(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(clip: &Clip, index: u64, offset: u32) -> Frame {
        let (ticks, data) = clip.frame(index);
        Frame::new(data.to_vec(), offset.wrapping_add(ticks as u32))
    }

    #[test]
    fn any_offset_and_any_gap_will_do() {
        let clip = Clip::audio(None).unwrap();
        for offset in [0, 1, 0x8000_0000, u32::MAX - 5_000] {
            let mut verifier = Verifier::default();
            for index in (3..600).filter(|index| index % 7 != 0) {
                let ticks = verifier.check(&clip, &frame(&clip, index, offset));
                assert_eq!(ticks, clip.frame(index).0);
            }
            assert_eq!(verifier.identical, verifier.received);
        }
    }

    #[test]
    fn damage_shows() {
        let clip = Clip::video(None).unwrap();
        let mut verifier = Verifier::default();
        for index in 0..10 {
            verifier.check(&clip, &frame(&clip, index, 77));
        }
        let mut damaged = frame(&clip, 10, 77);
        damaged.data[0] ^= 1;
        verifier.check(&clip, &damaged);
        verifier.check(&clip, &frame(&clip, 10, 77 + 1));
        verifier.check(&clip, &frame(&clip, 11, 77));
        verifier.check(&clip, &frame(&clip, 11, 77));
        verifier.check(&clip, &frame(&clip, 9, 77));
        assert_eq!((verifier.received, verifier.identical), (15, 11));
    }

    #[test]
    fn nothing_of_the_clip_is_nothing_identical() {
        let clip = Clip::video(None).unwrap();
        let mut verifier = Verifier::default();
        verifier.check(&clip, &Frame::new(vec![1, 2, 3], 5));
        assert_eq!((verifier.received, verifier.identical), (1, 0));
        verifier.check(&clip, &frame(&clip, 0, 9));
        assert_eq!((verifier.received, verifier.identical), (2, 1));
    }
}
