//! Sending back what comes.

use core::time::Duration;

use rtckit::{MediaKind, Transceiver};
use tokio::time::Instant;

/// How often a picture that stands alone is asked for while none comes.
const KEYFRAME_INTERVAL: Duration = Duration::from_millis(500);

/// Writes each frame back on the transceiver it came from, until the connection is over.
///
/// After a gap in a video nothing is sent before the next key frame. The gap would not show in the packets of
/// the echo, and whoever watches it would decode what cannot be decoded.
pub(crate) async fn echo(transceiver: Transceiver) {
    let (sender, receiver) = (transceiver.sender(), transceiver.receiver());
    let mut gate = Gate::new(transceiver.kind() == Some(MediaKind::Video));
    let mut first = None;
    while let Some(frame) = receiver.read_frame().await {
        match gate.check(frame.key_frame, frame.contiguous) {
            Verdict::Send => {}
            Verdict::Drop => continue,
            Verdict::DropAndAsk => {
                receiver.request_keyframe();
                continue;
            }
        }
        let timestamp = frame
            .timestamp
            .wrapping_sub(*first.get_or_insert(frame.timestamp));
        // A caller that only sends has no use for the echo, and one that is gone will be noticed elsewhere.
        let _ = sender.write_frame(timestamp, &frame.data).await;
    }
}

/// Lets through what can be decoded.
#[derive(Debug)]
struct Gate {
    is_video: bool,
    /// Whether all was let through since the last key frame.
    is_intact: bool,
    asked: Option<Instant>,
}

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Send,
    Drop,
    /// Nothing can be sent before a key frame, and it is time to ask for one.
    DropAndAsk,
}

impl Gate {
    fn new(is_video: bool) -> Self {
        Self {
            is_video,
            is_intact: false,
            asked: None,
        }
    }

    fn check(&mut self, is_key_frame: bool, is_contiguous: bool) -> Verdict {
        if !self.is_video {
            return Verdict::Send;
        }
        self.is_intact = is_key_frame || self.is_intact && is_contiguous;
        if self.is_intact {
            return Verdict::Send;
        }
        let is_time = self
            .asked
            .is_none_or(|asked| asked.elapsed() >= KEYFRAME_INTERVAL);
        if is_time {
            self.asked = Some(Instant::now());
            return Verdict::DropAndAsk;
        }
        Verdict::Drop
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn nothing_after_a_gap_before_a_key_frame() {
        let mut gate = Gate::new(true);
        assert_eq!(gate.check(false, true), Verdict::DropAndAsk, "no beginning");
        assert_eq!(gate.check(true, true), Verdict::Send);
        assert_eq!(gate.check(false, true), Verdict::Send);
        advance(KEYFRAME_INTERVAL).await;
        assert_eq!(gate.check(false, false), Verdict::DropAndAsk, "a gap");
        assert_eq!(gate.check(false, true), Verdict::Drop, "asked just now");
        advance(KEYFRAME_INTERVAL).await;
        assert_eq!(gate.check(false, true), Verdict::DropAndAsk);
        assert_eq!(gate.check(true, false), Verdict::Send);
        assert_eq!(gate.check(false, true), Verdict::Send);
    }

    #[tokio::test]
    async fn every_sound_stands_alone() {
        assert_eq!(Gate::new(false).check(false, false), Verdict::Send);
    }
}
