//! Playing one clip from one side, and taking it down on the other.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::sync::{Arc, OnceLock};

use rtckit::{MediaKind, Receiver, Sender};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until};

use crate::failure::Failure;
use crate::media::Clip;
use crate::save::Recording;
use crate::trace::{Chapter, Trace};
use crate::verify::Verifier;

/// One clip on its way, and what became of it.
#[derive(Debug)]
pub(crate) struct Stream {
    clip: Clip,
    recording: Option<Recording>,
    verifier: Verifier,
    progress: Arc<Progress>,
    /// Whether the other side wants the clip.
    is_wanted: bool,
}

/// How far a stream has come; shared by all who look at it.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    sent: AtomicU64,
    received: AtomicU64,
    played: AtomicBool,
    first_received: OnceLock<Duration>,
    /// Rings whenever one of these has changed.
    moved: Notify,
}

impl Progress {
    /// Frames sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Frames received so far.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// When the first frame came, since the start of the story.
    pub(crate) fn first_received(&self) -> Option<Duration> {
        self.first_received.get().copied()
    }

    /// Waits until the last frame was sent.
    pub(crate) async fn played(&self) {
        self.wait(|progress| progress.played.load(Ordering::Relaxed))
            .await;
    }

    /// Waits until as many frames have come as were sent.
    pub(crate) async fn complete(&self) {
        self.wait(|progress| progress.received() >= progress.sent())
            .await;
    }

    async fn wait(&self, is_so: impl Fn(&Self) -> bool) {
        loop {
            // Made before the question is asked: what happens in between is not missed.
            let moved = self.moved.notified();
            if is_so(self) {
                return;
            }
            moved.await;
        }
    }
}

impl Stream {
    pub(crate) fn new(clip: Clip, recording: Option<Recording>) -> Self {
        Self {
            clip,
            recording,
            verifier: Verifier::default(),
            progress: Arc::default(),
            is_wanted: true,
        }
    }

    /// Audio or video.
    pub(crate) fn kind(&self) -> MediaKind {
        self.clip.kind
    }

    /// How far it has come.
    pub(crate) fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Frames that came, and those of them that are as they were sent.
    pub(crate) fn outcome(&self) -> (u64, u64) {
        (self.verifier.received, self.verifier.identical)
    }

    /// Plays the clip for `duration` in real time, or until told to stop; and takes down what comes, until the
    /// connection is over.
    pub(crate) async fn run(
        &mut self,
        sender: Sender,
        receiver: Receiver,
        duration: Duration,
        stop: watch::Receiver<bool>,
        trace: &Trace,
    ) -> Result<(), Failure> {
        let Self {
            clip,
            recording,
            verifier,
            progress,
            is_wanted,
        } = self;
        let clip = &*clip;
        let play = async {
            if *is_wanted {
                play(clip, &sender, duration, stop, progress).await?;
            } else {
                listen(duration, stop).await;
            }
            progress.played.store(true, Ordering::Relaxed);
            progress.moved.notify_waiters();
            Ok(())
        };
        tokio::try_join!(
            play,
            take_down(
                clip,
                &receiver,
                verifier,
                recording.as_mut(),
                progress,
                trace
            ),
        )?;
        Ok(())
    }

    /// What comes need not be the clip: it is taken down as it is, and not compared.
    pub(crate) fn expect_anything(&mut self) {
        self.verifier.expect_anything();
        if let Some(recording) = &mut self.recording {
            recording.expect_anything();
        }
    }

    /// The other side wants nothing: the clip is not played, and what comes is taken down all the same.
    pub(crate) fn only_listen(&mut self) {
        self.is_wanted = false;
    }

    /// What was taken down, if it was to be.
    pub(crate) fn into_recording(self) -> Option<Recording> {
        self.recording
    }
}

async fn play(
    clip: &Clip,
    sender: &Sender,
    duration: Duration,
    mut stop: watch::Receiver<bool>,
    progress: &Progress,
) -> Result<(), Failure> {
    let start = Instant::now();
    for index in 0..clip.frames_within(duration) {
        let (ticks, data) = clip.frame(index);
        let due = start + Duration::from_secs_f64(ticks as f64 / f64::from(clip.clock_rate));
        tokio::select! {
            () = sleep_until(due) => {}
            _ = stop.wait_for(|&stop| stop) => return Ok(()),
        }
        // Counted first: the other side may have it before this one goes on.
        progress.sent.fetch_add(1, Ordering::Relaxed);
        // RTP's clock is this one modulo 2^32.
        sender.write_frame(ticks as u32, data).await?;
    }
    Ok(())
}

/// Lets the time go by that playing would take.
async fn listen(duration: Duration, mut stop: watch::Receiver<bool>) {
    tokio::select! {
        () = sleep(duration) => {}
        _ = stop.wait_for(|&stop| stop) => {}
    }
}

async fn take_down(
    clip: &Clip,
    receiver: &Receiver,
    verifier: &mut Verifier,
    mut recording: Option<&mut Recording>,
    progress: &Progress,
    trace: &Trace,
) -> Result<(), Failure> {
    while let Some(frame) = receiver.read_frame().await {
        if progress.first_received.set(trace.elapsed()).is_ok() {
            trace.tell(
                Chapter::Media,
                format_args!(
                    "the first frame of {} arrives, {} bytes",
                    clip.kind,
                    frame.data.len()
                ),
            );
        }
        let ticks = verifier.check(clip, &frame);
        if let Some(recording) = &mut recording {
            recording.write(ticks, &frame.data)?;
        }
        progress.received.fetch_add(1, Ordering::Relaxed);
        progress.moved.notify_waiters();
    }
    Ok(())
}
