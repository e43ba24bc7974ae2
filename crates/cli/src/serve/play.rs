//! Sending a file instead of the echo.

use core::time::Duration;
use std::sync::Arc;

use rtckit::{PeerConnection, Transceiver};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::media::Clip;

/// Sends the clip over and over, until the connection is over. It starts anew when `restart` rings: its first
/// picture is the one that surely stands alone.
pub(crate) async fn play(
    clip: Arc<Clip>,
    connection: PeerConnection,
    transceiver: Transceiver,
    restart: Arc<Notify>,
) {
    if connection.connected().await.is_err() {
        return;
    }
    drop(connection);
    let sender = transceiver.sender();
    let mut start = Instant::now();
    let mut origin = 0;
    loop {
        let mut ticks = 0;
        for index in 0.. {
            let (at, data) = clip.frame(index);
            let due = start + Duration::from_secs_f64(at as f64 / f64::from(clip.clock_rate));
            tokio::select! {
                () = sleep_until(due) => {}
                () = restart.notified() => break,
            }
            ticks = at;
            // RTP's clock is this one modulo 2^32.
            if sender
                .write_frame((origin + at) as u32, data)
                .await
                .is_err()
            {
                return;
            }
        }
        origin += ticks + 1;
        start = Instant::now();
    }
}
