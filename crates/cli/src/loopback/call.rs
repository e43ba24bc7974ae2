//! The call: two peers, from the first offer to the last goodbye.

use core::time::Duration;
use std::sync::Arc;

use rtckit::{Configuration, ConnectionState, Direction, Event, PeerConnection, Transceiver};
use serde::Serialize;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::network::ImpairedLink;
use super::options::Options;
use crate::capture::{Capture, KeyLog};
use crate::failure::Failure;
use crate::play::{Progress, Stream};
use crate::report::{self, Facts, Promise, Report};
use crate::stage::Stage;
use crate::story;
use crate::trace::{Chapter, Trace};

/// How long the peers may take to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the last frames may take to be repaired.
const REPAIR_TIMEOUT: Duration = Duration::from_secs(1);

/// All that a call needs.
pub(crate) struct Call<'o> {
    options: &'o Options,
    trace: Arc<Trace>,
    capture: Option<Capture>,
    key_log: Option<KeyLog>,
    stop: watch::Receiver<bool>,
    /// When both peers were connected, since the story began.
    connected: Option<Duration>,
}

/// Who calls, and who is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// What a report says of a loopback alone.
#[derive(Debug, Serialize)]
pub(crate) struct Scene {
    seed: u64,
    loss: f64,
    delay: f64,
    jitter: f64,
}

impl Scene {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            seed: options.seed,
            loss: options.loss,
            delay: report::millis(options.delay),
            jitter: report::millis(options.jitter),
        }
    }
}

impl<'o> Call<'o> {
    /// A call, and the streams to give it.
    pub(crate) fn new(options: &'o Options, stage: Stage) -> (Self, [Stream; 2]) {
        let call = Self {
            options,
            trace: stage.trace,
            capture: stage.capture,
            key_log: stage.key_log,
            stop: stage.stop,
            connected: None,
        };
        (call, stage.streams)
    }

    /// Makes the call and plays the streams from left to right. Gives them back with what they have taken down, also
    /// when the call has failed on the way: then the report says so.
    pub(crate) async fn run(
        mut self,
        mut streams: [Stream; 2],
    ) -> Result<(Report<Scene>, [Stream; 2]), Failure> {
        let left = PeerConnection::new(self.configuration(Side::Left)).await?;
        let right = PeerConnection::new(self.configuration(Side::Right)).await?;
        self.tell_start(&left, &right);
        let called = self.trace.elapsed();
        let mut transceivers = Vec::new();
        for stream in &streams {
            transceivers.push(left.add_transceiver(stream.kind(), Direction::SendOnly)?);
        }
        self.signal(&left, &right).await?;

        let left_watch = Watch::new("left", &left, &right, &self.trace);
        let right_watch = Watch::new("right", &right, &left, &self.trace);
        let mut watches = [left_watch, right_watch];
        let ended = self
            .converse(&left, &right, &transceivers, &mut streams, &mut watches)
            .await;
        let (left_stats, right_stats) = (left.stats().await, right.stats().await);
        self.hang_up(&left, &right, watches).await;

        let first_media = streams
            .iter()
            .filter_map(|stream| stream.progress().first_received())
            .min();
        let report = Report::new(Facts {
            scene: Scene::new(self.options),
            promise: if self.options.loss > 0.0 {
                Promise::EveryFrameThatComes
            } else {
                Promise::EveryFrame
            },
            failure: ended.err(),
            seconds: self.options.stage.seconds,
            connect: self.connected.map(|time| time.saturating_sub(called)),
            first_media: first_media.map(|time| time.saturating_sub(called)),
            direction: ["left-to-right", "Left to right"],
            sender: &left_stats,
            receiver: &right_stats,
            streams: [&streams[0], &streams[1]],
        });
        Ok((report, streams))
    }

    fn tell_start(&self, left: &PeerConnection, right: &PeerConnection) {
        for (name, peer) in [("left", left), ("right", right)] {
            for address in peer.local_addresses() {
                self.trace
                    .tell(Chapter::Start, format_args!("{name} listens at {address}"));
            }
        }
        if self.options.is_impaired() {
            let seed = self.options.seed;
            self.trace.tell(
                Chapter::Start,
                format_args!("the network is impaired; --seed {seed} repeats what it does"),
            );
        }
    }

    /// Connects and plays, until the music has ended or a side has failed.
    async fn converse(
        &mut self,
        left: &PeerConnection,
        right: &PeerConnection,
        transceivers: &[Transceiver],
        [video, audio]: &mut [Stream; 2],
        [left_watch, right_watch]: &mut [Watch; 2],
    ) -> Result<(), Failure> {
        self.connect(left, right).await?;
        self.connected = Some(self.trace.elapsed());
        // The peers may be quicker than those who tell of them; the story keeps its order.
        tokio::join!(left_watch.candidates_told(), right_watch.candidates_told());
        story::tell_keys(&self.trace, left, self.key_log.as_mut()).await?;

        let duration = self.options.stage.seconds;
        self.trace.tell(
            Chapter::Media,
            format_args!("left plays for {} s", duration.as_secs_f64()),
        );
        let progress = [video.progress(), audio.progress()];
        let [(video_out, video_in), (audio_out, audio_in)] = [
            halves(transceivers, right, video)?,
            halves(transceivers, right, audio)?,
        ];
        let (stop, trace) = (&self.stop, &*self.trace);
        let media = async {
            tokio::try_join!(
                video.run(
                    video_out.sender(),
                    video_in.receiver(),
                    duration,
                    stop.clone(),
                    trace,
                ),
                audio.run(
                    audio_out.sender(),
                    audio_in.receiver(),
                    duration,
                    stop.clone(),
                    trace,
                ),
            )?;
            // What is sent is received for as long as both sides are there.
            Err(rtckit::Error::Closed.into())
        };
        tokio::select! {
            () = left_watch.failed() => Err(rtckit::Error::Failed.into()),
            () = right_watch.failed() => Err(rtckit::Error::Failed.into()),
            ended = media => ended,
            () = self.conduct(&progress) => Ok(()),
        }
    }

    fn configuration(&self, side: Side) -> Configuration {
        let mut configuration = Configuration::new()
            .bind([([127, 0, 0, 1], 0).into()])
            .key_log(self.key_log.is_some());
        if self.options.is_impaired() {
            // The two directions share the seed and not their fate.
            let seed = self
                .options
                .seed
                .wrapping_mul(2)
                .wrapping_add(u64::from(side == Side::Right));
            configuration = configuration.shaper(ImpairedLink::new(self.options, seed));
        }
        match &self.capture {
            // Left's sockets see both directions: right's would see all of it again.
            Some(capture) if side == Side::Left => configuration.tap(capture.clone()),
            _ => configuration,
        }
    }

    /// The exchange that a signalling server would carry.
    async fn signal(&self, left: &PeerConnection, right: &PeerConnection) -> Result<(), Failure> {
        let tell = |what: &str, sdp: &str| {
            let sections = sdp.lines().filter(|line| line.starts_with("m=")).count();
            self.trace.tell(
                Chapter::Call,
                format_args!(
                    "{what}: {sections} media sections, {} bytes of SDP",
                    sdp.len()
                ),
            );
        };
        let offer = left.create_offer().await?;
        tell("left offers", &offer.sdp);
        left.set_local_description(offer.clone()).await?;
        right.set_remote_description(offer).await?;
        let answer = right.create_answer().await?;
        tell("right answers", &answer.sdp);
        right.set_local_description(answer.clone()).await?;
        left.set_remote_description(answer).await?;
        Ok(())
    }

    async fn connect(&self, left: &PeerConnection, right: &PeerConnection) -> Result<(), Failure> {
        let mut stop = self.stop.clone();
        let both = async { tokio::try_join!(left.connected(), right.connected()) };
        let connected = tokio::select! {
            connected = timeout(CONNECT_TIMEOUT, both) => connected,
            _ = stop.wait_for(|&stop| stop) => return Err(Failure::new("interrupted before the peers connected")),
        };
        match connected {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Failure::new(format_args!(
                "the peers did not connect: {error}"
            ))),
            Err(_) => Err(Failure::new(format_args!(
                "the peers did not connect within {} s: ICE is {}, DTLS is {}",
                CONNECT_TIMEOUT.as_secs(),
                left.ice_connection_state(),
                left.dtls_state(),
            ))),
        }
    }

    /// Waits for the music to end and the last repairs to come.
    async fn conduct(&self, progress: &[Arc<Progress>; 2]) {
        let [video, audio] = progress;
        let played = async { tokio::join!(video.played(), audio.played()) };
        story::with_bar(&self.trace, self.options.stage.seconds, progress, played).await;
        let complete = async { tokio::join!(video.complete(), audio.complete()) };
        let repaired = timeout(self.patience(), complete).await.is_ok();
        self.trace.tell(
            Chapter::Media,
            if repaired {
                "right has every frame"
            } else {
                "right has what it will get"
            },
        );
    }

    /// Closes both sides, and lets the story of both come to its end.
    async fn hang_up(
        &self,
        left: &PeerConnection,
        right: &PeerConnection,
        [left_watch, right_watch]: [Watch; 2],
    ) {
        let patience = self.patience();
        self.trace.tell(Chapter::HangUp, "left closes");
        left.close().await;
        let _ = timeout(patience, left_watch.task).await;
        // The farewell may be lost; then right, too, just closes.
        let mut right_told = right_watch.task;
        let has_heard = timeout(patience, &mut right_told).await.is_ok();
        right.close().await;
        if !has_heard {
            let _ = timeout(patience, right_told).await;
        }
        self.trace.tell(Chapter::Stop, "both peers are closed");
    }

    /// How long what is under way may take.
    fn patience(&self) -> Duration {
        REPAIR_TIMEOUT + self.options.longest_transit()
    }
}

/// The transceivers of `stream` on both sides.
fn halves(
    left: &[Transceiver],
    right: &PeerConnection,
    stream: &Stream,
) -> Result<(Transceiver, Transceiver), Failure> {
    let is_its = |transceiver: &&Transceiver| transceiver.kind() == Some(stream.kind());
    let ours = left.iter().find(is_its).cloned();
    let theirs = right.transceivers().iter().find(is_its).cloned();
    ours.zip(theirs)
        .ok_or_else(|| Failure::new(format_args!("right did not take the {}", stream.kind())))
}

/// One who follows what happens to a peer, and hands its candidates to the other.
struct Watch {
    /// Ends when the peer is closed.
    task: JoinHandle<()>,
    candidates: Option<oneshot::Receiver<()>>,
    state: watch::Receiver<ConnectionState>,
}

impl Watch {
    fn new(
        name: &'static str,
        from: &PeerConnection,
        to: &PeerConnection,
        trace: &Arc<Trace>,
    ) -> Self {
        let (candidates_told, candidates) = oneshot::channel();
        let (state_told, state) = watch::channel(ConnectionState::New);
        let task = tokio::spawn(watch_events(
            name,
            from.clone(),
            to.clone(),
            Arc::clone(trace),
            candidates_told,
            state_told,
        ));
        Self {
            task,
            candidates: Some(candidates),
            state,
        }
    }

    /// Waits until the last candidate was told.
    async fn candidates_told(&mut self) {
        if let Some(candidates) = self.candidates.take() {
            let _ = candidates.await;
        }
    }

    /// Waits until the peer has failed; for ever if it never does.
    async fn failed(&mut self) {
        let is_failed = |state: &ConnectionState| *state == ConnectionState::Failed;
        if self.state.wait_for(is_failed).await.is_err() {
            core::future::pending::<()>().await;
        }
    }
}

/// Hands the candidates of `from` to `to` and tells what happens to `from`, until it is closed. After the last candidate,
/// or when it is over, `candidates_told` is done with.
async fn watch_events(
    name: &'static str,
    from: PeerConnection,
    to: PeerConnection,
    trace: Arc<Trace>,
    candidates_told: oneshot::Sender<()>,
    state_told: watch::Sender<ConnectionState>,
) {
    let mut candidates_told = Some(candidates_told);
    while let Some(event) = from.next_event().await {
        match event {
            Event::IceCandidate(candidate) => {
                match &*candidate.candidate {
                    "" => trace.tell(Chapter::Ice, format_args!("{name} has no more candidates")),
                    text => trace.tell(Chapter::Ice, format_args!("{name} has {text}")),
                }
                if let Err(error) = to.add_ice_candidate(&candidate).await {
                    trace.tell(
                        Chapter::Ice,
                        format_args!("the other side refused it: {error}"),
                    );
                }
                if candidate.candidate.is_empty() {
                    candidates_told.take().map(|told| told.send(()));
                }
            }
            Event::ConnectionState(ConnectionState::Closed) => {
                trace.tell(Chapter::HangUp, format_args!("{name} is closed"));
                return;
            }
            Event::ConnectionState(state) => {
                state_told.send_replace(state);
            }
            event => story::tell_event(&trace, name, &event),
        }
    }
}

#[cfg(test)]
mod tests {
    use rtckit::{MediaKind, SessionDescription};

    use super::*;

    #[tokio::test]
    async fn a_failed_peer_is_noticed() {
        let at = || Configuration::new().bind([([127, 0, 0, 1], 0).into()]);
        let left = PeerConnection::new(at()).await.unwrap();
        let right = PeerConnection::new(at()).await.unwrap();
        left.add_transceiver(MediaKind::Audio, Direction::SendOnly)
            .unwrap();
        let offer = left.create_offer().await.unwrap();
        left.set_local_description(offer.clone()).await.unwrap();
        right.set_remote_description(offer).await.unwrap();
        let answer = right.create_answer().await.unwrap();
        right.set_local_description(answer.clone()).await.unwrap();
        // The fingerprint of another certificate: the handshake fails.
        let (before, after) = answer.sdp.split_once("a=fingerprint:sha-256 ").unwrap();
        let (_, after) = after.split_once("\r\n").unwrap();
        let other = ["00"; 32].join(":");
        let sdp = format!("{before}a=fingerprint:sha-256 {other}\r\n{after}");
        left.set_remote_description(SessionDescription::answer(sdp))
            .await
            .unwrap();

        let trace = Arc::new(Trace::new(true));
        let mut left_watch = Watch::new("left", &left, &right, &trace);
        let _right_watch = Watch::new("right", &right, &left, &trace);
        timeout(CONNECT_TIMEOUT, left_watch.failed())
            .await
            .expect("the failure is told");
        left.close().await;
        right.close().await;
        timeout(CONNECT_TIMEOUT, left_watch.task)
            .await
            .expect("a closed peer is not watched any longer")
            .unwrap();
    }
}
