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
    let is_video = transceiver.kind() == Some(MediaKind::Video);
    let mut first = None;
    let mut is_intact = !is_video;
    let mut asked: Option<Instant> = None;
    while let Some(frame) = receiver.read_frame().await {
        if is_video {
            is_intact = frame.key_frame || is_intact && frame.contiguous;
        }
        if !is_intact {
            if asked.is_none_or(|asked| asked.elapsed() >= KEYFRAME_INTERVAL) {
                receiver.request_keyframe();
                asked = Some(Instant::now());
            }
            continue;
        }
        let timestamp = frame
            .timestamp
            .wrapping_sub(*first.get_or_insert(frame.timestamp));
        // A caller that only sends has no use for the echo, and one that is gone will be noticed elsewhere.
        let _ = sender.write_frame(timestamp, &frame.data).await;
    }
}
