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
/// the clip's, and holds on to the likeliest for as long as everything that follows fits. When something does not,
/// it goes on to the next one under which all that has come so far fits as well.
///
/// A clip may repeat itself, silence and still pictures do, and then most offsets fit most frames. One offset is
/// tried for each frame, and another is tried against the latest frames first, because those are what rules it out.
#[derive(Debug, Default)]
pub(crate) struct Verifier {
    timestamps: Unroller<u32>,
    /// The offsets not ruled out yet, the likeliest last.
    offsets: Vec<u64>,
    /// The frames that fitted: their times, and those at which the clip has the same frame. Kept while there is
    /// more than one offset.
    fitted: Vec<(u64, u64)>,
    last: Option<u64>,
    /// The time of the first frame that came.
    first: Option<u64>,
    is_indifferent: bool,
    /// Frames that came.
    pub(crate) received: u64,
    /// Frames that came once, in order, and byte for byte as they were sent.
    pub(crate) identical: u64,
    /// How often a frame was looked up.
    #[cfg(test)]
    lookups: core::cell::Cell<u64>,
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
        let is_later = self.last.is_none_or(|last| time > last);
        self.last = self.last.max(Some(time));
        if is_later && let Some(candidate) = self.candidate(clip, time, &frame.data) {
            // What was passed over does not fit, and never will.
            self.offsets.truncate(candidate + 1);
            match (&*self.offsets, self.offsets.last()) {
                ([_, _, ..], Some(offset)) => self.fitted.push((time, time.wrapping_sub(*offset))),
                _ => self.fitted = Vec::new(),
            }
            self.identical += 1;
        }
        time.wrapping_sub(self.offsets.last().copied().unwrap_or(time))
    }

    /// The likeliest offset under which `data` at `time` is as it was sent, and so is everything before it.
    fn candidate(&self, clip: &Clip, time: u64, data: &[u8]) -> Option<usize> {
        let fits = |time: u64, offset: u64, data: &[u8]| {
            #[cfg(test)]
            self.lookups.set(self.lookups.get() + 1);
            clip.frame_at(time.wrapping_sub(offset)) == Some(data)
        };
        let current = self.offsets.len().checked_sub(1)?;
        // All that has come fits the last one, so it need not be asked again.
        let has_fitted = |candidate: usize, offset| {
            candidate == current
                || self.fitted.iter().rev().all(|&(time, ticks)| {
                    clip.frame_at(ticks)
                        .is_some_and(|data| fits(time, offset, data))
                })
        };
        self.offsets
            .iter()
            .enumerate()
            .rev()
            .find(|&(candidate, &offset)| fits(time, offset, data) && has_fitted(candidate, offset))
            .map(|(candidate, _)| candidate)
    }
}

#[cfg(test)]
mod tests {
    use rtckit_media::ivf;

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

    /// A clip of `contents`, one byte each.
    fn clip(contents: &[u8]) -> Clip {
        let mut file = std::io::Cursor::new(Vec::new());
        let header = ivf::Header::new(ivf::FourCc::VP8, 64, 48, 30);
        let mut writer = ivf::Writer::new(&mut file, header).unwrap();
        for (pts, &byte) in (0..).zip(contents) {
            writer.write_frame(pts, &[byte]).unwrap();
        }
        writer.finish().unwrap();
        Clip::read_video(&**file.get_ref(), "test").unwrap()
    }

    #[test]
    fn a_clip_that_repeats_itself_costs_no_more_than_another() {
        const LEN: usize = 20_000;
        let still = clip(&[1; LEN]);
        let mut moves_once = [1; LEN];
        moves_once[LEN / 2] = 2;
        let moves_once = clip(&moves_once);
        for (clip, begin) in [(&still, 0), (&moves_once, 0), (&moves_once, 5)] {
            let mut verifier = Verifier::default();
            for index in begin..LEN as u64 {
                verifier.check(clip, &frame(clip, index, 77));
            }
            assert_eq!(verifier.identical, LEN as u64 - begin);
            let lookups = verifier.lookups.get();
            assert!(lookups <= 4 * LEN as u64, "{lookups}");
        }
    }

    #[test]
    fn another_offset_must_fit_all_that_came() {
        let clip = clip(&[1, 2, 1, 3]);
        let mut verifier = Verifier::default();
        // The third and the fourth frame: at first it looks like the first.
        verifier.check(&clip, &frame(&clip, 2, 77));
        let ticks = verifier.check(&clip, &frame(&clip, 3, 77));
        assert_eq!((verifier.identical, ticks), (2, clip.frame(3).0));
        // Now there is one offset only, and under that the second frame cannot come here.
        let (ticks, _) = clip.frame(5);
        let mut wrong = frame(&clip, 3, 0);
        wrong.timestamp = 77 + ticks as u32;
        verifier.check(&clip, &wrong);
        assert_eq!(verifier.identical, 2);
        verifier.check(&clip, &frame(&clip, 6, 77));
        assert_eq!(verifier.identical, 3);
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
