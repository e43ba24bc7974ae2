//! What every call tells in the same words.

use core::future::Future;
use core::time::Duration;
use std::sync::Arc;

use rtckit::{DtlsTransportState, Event, IceConnectionState, PeerConnection};
use tokio::time::{MissedTickBehavior, interval};

use crate::capture::KeyLog;
use crate::failure::Failure;
use crate::names;
use crate::play::Progress;
use crate::trace::{Chapter, Trace};

/// How often the progress bar moves.
const BAR_INTERVAL: Duration = Duration::from_millis(50);

/// Tells an event of the peer called `name`, if it is worth a line.
pub(crate) fn tell_event(trace: &Trace, name: &str, event: &Event) {
    match event {
        Event::IceConnectionState(
            state @ (IceConnectionState::Connected
            | IceConnectionState::Completed
            | IceConnectionState::Disconnected
            | IceConnectionState::Failed),
        ) => trace.tell(Chapter::Ice, format_args!("{name} is {state}")),
        Event::DtlsState(state @ (DtlsTransportState::Connected | DtlsTransportState::Failed)) => {
            trace.tell(Chapter::Keys, format_args!("{name} is {state}"));
        }
        Event::KeyframeRequested(_) => {
            trace.tell(
                Chapter::Media,
                format_args!("{name} is asked for a key frame"),
            );
        }
        _ => {}
    }
}

/// Tells what ICE and DTLS have settled, and writes the keys down.
pub(crate) async fn tell_keys(
    trace: &Trace,
    connection: &PeerConnection,
    key_log: Option<&mut KeyLog>,
) -> Result<(), Failure> {
    let transport = connection.stats().await.transport;
    if let Some(path) = transport.selected_candidate_pair {
        trace.tell(
            Chapter::Ice,
            format_args!("the path is {} to {}", path.local, path.remote),
        );
    }
    let known = |name: Option<&'static str>| name.unwrap_or("unknown");
    trace.tell(
        Chapter::Keys,
        format_args!(
            "{} as {}, {}, {}",
            names::dtls_version(transport.tls_version.as_deref()),
            known(transport.dtls_role),
            known(transport.dtls_cipher),
            known(transport.srtp_cipher),
        ),
    );
    if let (Some(key_log), Some(lines)) = (key_log, connection.take_key_log()) {
        key_log.append(&lines)?;
    }
    Ok(())
}

/// Shows the progress bar while `work` goes on, for `duration` or so.
pub(crate) async fn with_bar(
    trace: &Trace,
    duration: Duration,
    [video, audio]: &[Arc<Progress>; 2],
    work: impl Future,
) {
    let started = trace.elapsed();
    trace.start_bar(duration);
    let mut ticks = interval(BAR_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut work = core::pin::pin!(work);
    loop {
        tokio::select! {
            _ = &mut work => break,
            _ = ticks.tick() => {
                let message = format!(
                    "video {}/{}  audio {}/{}",
                    video.received(),
                    video.sent(),
                    audio.received(),
                    audio.sent()
                );
                trace.move_bar(trace.elapsed().saturating_sub(started), message);
            }
        }
    }
    trace.end_bar();
}
