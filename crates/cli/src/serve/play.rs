//! Sending a file instead of the echo.

use core::time::Duration;
use std::sync::Arc;

use rtckit::{PeerConnection, Transceiver};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::media::Clip;

/// How soon a picture that stands alone may be sent again. Who misses one asks again and again until it is there, which
/// takes a round trip; the clip must not stand still for that long.
const KEYFRAME_INTERVAL: Duration = Duration::from_millis(500);

/// Sends the clip over and over, until the connection is over.
///
/// When `keyframe` rings, it goes on from the latest picture that stands alone: nobody is here who could draw the
/// next one anew.
pub(crate) async fn play(
    clip: Arc<Clip>,
    connection: PeerConnection,
    transceiver: Transceiver,
    keyframe: Arc<Notify>,
) {
    if connection.connected().await.is_err() {
        return;
    }
    drop(connection);
    let sender = transceiver.sender();
    let mut index = 0;
    // The clip's time `from` is sent at `start`, and the RTP clock says `origin` then.
    let (mut from, mut start, mut origin) = (0, Instant::now(), 0);
    // The latest picture that stands alone, and when it was sent.
    let (mut key, mut key_sent) = (0, None::<Instant>);
    loop {
        let (at, data) = clip.frame(index);
        let due = start + seconds(at - from, clip.clock_rate);
        tokio::select! {
            () = sleep_until(due) => {}
            () = keyframe.notified() => {
                if key_sent.is_some_and(|sent| sent.elapsed() >= KEYFRAME_INTERVAL) {
                    let now = Instant::now();
                    origin += ticks(now - start, clip.clock_rate);
                    (index, from, start) = (key, clip.frame(key).0, now);
                }
                continue;
            }
        }
        if clip.is_key_frame(index) {
            (key, key_sent) = (index, Some(Instant::now()));
        }
        // RTP's clock is this one modulo 2^32.
        let timestamp = (origin + (at - from)) as u32;
        if sender.write_frame(timestamp, data).await.is_err() {
            return;
        }
        index += 1;
    }
}

fn seconds(ticks: u64, clock_rate: u32) -> Duration {
    Duration::from_secs_f64(ticks as f64 / f64::from(clock_rate))
}

fn ticks(time: Duration, clock_rate: u32) -> u64 {
    (time.as_secs_f64() * f64::from(clock_rate)) as u64
}
