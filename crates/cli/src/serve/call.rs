//! One call, from the offer to the last goodbye.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::Arc;

use axum::http::StatusCode;
use rtckit::{
    ConnectionState, Direction, Event, IceGatheringState, MediaKind, PeerConnection,
    SessionDescription, StatsReport, Transceiver, TransceiverId,
};
use rtckit_sdp::Session;
use serde::Serialize;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::Server;
use super::peers::{Ending, Line, Slot};
use super::refusal::Refusal;
use super::{echo, play};
use crate::names;
use crate::trace::Chapter;

/// How long a caller may take from its offer to a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the local candidates may take. They are at hand: only a driver that does not run makes us wait.
const GATHER_TIMEOUT: Duration = Duration::from_secs(1);

/// What a call reports.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Report<'r> {
    Called {
        call: u64,
        caller: SocketAddr,
        media: &'r [String],
    },
    Connected {
        call: u64,
        path: Option<[SocketAddr; 2]>,
        dtls_version: &'static str,
        dtls_role: Option<&'static str>,
        dtls_suite: Option<&'static str>,
        srtp_profile: Option<&'static str>,
    },
    Over {
        call: u64,
        reason: String,
        seconds: f64,
        frames_received: HashMap<&'static str, u64>,
        frames_sent: HashMap<&'static str, u64>,
    },
}

/// Answers `offer` and takes the call. Returns its line and the answer.
pub(crate) async fn answer(
    server: &Arc<Server>,
    caller: SocketAddr,
    offer: String,
    slot: Slot,
) -> Result<(Arc<Line>, String), Refusal> {
    let connection = match PeerConnection::new(server.configuration()).await {
        Ok(connection) => connection,
        Err(error) => return Err(no_sockets(error)),
    };
    let remote = SessionDescription::offer(offer.as_str());
    if let Err(error) = connection.set_remote_description(remote).await {
        return Err(Refusal::description(&error, &offer));
    }
    let transceivers = connection.transceivers();
    if transceivers.is_empty() {
        return Err(Refusal::unprocessable(
            "the offer has no audio and no video that could be echoed: VP8 and Opus, bundled",
        ));
    }
    for transceiver in &transceivers {
        transceiver.set_direction(server.direction(transceiver.kind()))?;
    }
    let answer = connection.create_answer().await?;
    connection.set_local_description(answer).await?;
    let flows = |transceiver: &Transceiver| {
        let direction = transceiver.current_direction();
        direction.is_some_and(|direction| direction != Direction::Inactive)
    };
    // The answer would be in order, and say no to everything.
    if !transceivers.iter().any(flows) {
        return Err(Refusal::unprocessable(why_nothing_flows(&offer)));
    }
    gathered(&connection).await;
    let answer = connection
        .local_description()
        .ok_or(rtckit::Error::Closed)?;

    let line = server.peers.enter(server.name()?, connection);
    let media: Vec<String> = transceivers
        .iter()
        .filter_map(|transceiver| {
            let direction = transceiver.current_direction()?;
            Some(format!("{} {direction}", transceiver.kind()?))
        })
        .collect();
    server.log.report(
        Chapter::Call,
        format_args!("call {} from {caller}: {}", line.number, media.join(", ")),
        &Report::Called {
            call: line.number,
            caller,
            media: &media,
        },
    );
    tokio::spawn(run(
        Arc::clone(server),
        Arc::clone(&line),
        transceivers,
        slot,
    ));
    Ok((line, answer.sdp))
}

/// What an offer lacks of which no section can be accepted.
fn why_nothing_flows(offer: &str) -> &'static str {
    let session = Session::parse(offer).ok();
    let sections = || {
        session.iter().flat_map(|session| {
            let sections = session.media().iter();
            sections.filter(|section| !session.is_rejected(section))
        })
    };
    if sections().next().is_none() {
        "every section of the offer is rejected (port 0)"
    } else if sections().all(|section| !section.has("rtcp-mux")) {
        "the offer has no a=rtcp-mux, and without it there is no call (RFC 8858)"
    } else {
        "nothing of the offer can be sent or received here: no section is bundled, has VP8 or Opus, and is not inactive"
    }
}

/// The system gives no sockets, or not as many: that may pass.
fn no_sockets(error: rtckit::Error) -> Refusal {
    match error {
        rtckit::Error::Bind { .. } | rtckit::Error::Interfaces(_) => {
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error)
        }
        error => Refusal::from(error),
    }
}

/// Waits until the local candidates are known: they belong into the answer, which is sent once.
async fn gathered(connection: &PeerConnection) {
    let complete = async {
        while connection.ice_gathering_state() != IceGatheringState::Complete {
            if connection.next_event().await.is_none() {
                return;
            }
        }
    };
    // Without them the answer is still an answer.
    let _ = timeout(GATHER_TIMEOUT, complete).await;
}

/// Sees a call through to its end, and cleans up. The slot is given back last.
async fn run(server: Arc<Server>, line: Arc<Line>, transceivers: Vec<Transceiver>, slot: Slot) {
    let start = Instant::now();
    // Aborts what is in it when it is dropped.
    let mut streams = JoinSet::new();
    let mut keyframes = HashMap::new();
    for transceiver in transceivers {
        match server.clip(transceiver.kind()) {
            Some(clip) => {
                let keyframe = Arc::new(Notify::new());
                keyframes.insert(transceiver.id(), Arc::clone(&keyframe));
                let connection = line.connection.clone();
                streams.spawn(play::play(clip, connection, transceiver, keyframe));
            }
            None => {
                streams.spawn(echo::echo(transceiver));
            }
        }
    }
    let why = tokio::select! {
        // In this order: a caller that hangs up also closes, and both may be known by the time we look.
        biased;
        why = line.ended() => why,
        why = watch(&server, &line, &keyframes) => why,
        why = connects(&line) => why,
    };
    // From here on the call does not count any more, though its farewell may take a moment.
    server.peers.forget(&line.name);
    let stats = line.connection.stats().await;
    drop(streams);
    line.connection.close().await;
    tell_over(&server, &line, why, start.elapsed(), &stats);
    drop(slot);
}

/// Follows the connection until it ends by itself.
async fn watch(
    server: &Server,
    line: &Line,
    keyframes: &HashMap<TransceiverId, Arc<Notify>>,
) -> Ending {
    while let Some(event) = line.connection.next_event().await {
        match event {
            Event::ConnectionState(ConnectionState::Connected) => {
                tell_connected(server, line).await;
            }
            Event::ConnectionState(ConnectionState::Failed) => return Ending::Lost,
            Event::ConnectionState(ConnectionState::Closed) => return Ending::Closed,
            // Only who made the picture can make it anew.
            Event::KeyframeRequested(transceiver) => match keyframes.get(&transceiver.id()) {
                Some(keyframe) => keyframe.notify_one(),
                None => transceiver.receiver().request_keyframe(),
            },
            _ => {}
        }
    }
    Ending::Closed
}

/// Ends if the call does not connect in time, and only then.
async fn connects(line: &Line) -> Ending {
    if timeout(CONNECT_TIMEOUT, line.connection.connected())
        .await
        .is_err()
    {
        return Ending::NeverConnected;
    }
    core::future::pending().await
}

async fn tell_connected(server: &Server, line: &Line) {
    let transport = line.connection.stats().await.transport;
    let version = names::dtls_version(transport.tls_version.as_deref());
    let path = transport.selected_candidate_pair;
    let known = |name: Option<&'static str>| name.unwrap_or("unknown");
    let remote = path.map_or_else(String::new, |path| format!(" at {}", path.remote));
    server.log.report(
        Chapter::Keys,
        format_args!(
            "call {} is connected{remote}: {version} as {}, {}, {}",
            line.number,
            known(transport.dtls_role),
            known(transport.dtls_cipher),
            known(transport.srtp_cipher),
        ),
        &Report::Connected {
            call: line.number,
            path: path.map(|path| [path.local, path.remote]),
            dtls_version: version,
            dtls_role: transport.dtls_role,
            dtls_suite: transport.dtls_cipher,
            srtp_profile: transport.srtp_cipher,
        },
    );
}

fn tell_over(server: &Server, line: &Line, why: Ending, lasted: Duration, stats: &StatsReport) {
    let mut received = HashMap::new();
    let mut sent = HashMap::new();
    for stream in &stats.inbound_rtp {
        *received.entry(stream.kind.as_str()).or_default() += stream.frames_received;
    }
    for stream in &stats.outbound_rtp {
        *sent.entry(stream.kind.as_str()).or_default() += stream.frames_sent;
    }
    let count = |counts: &HashMap<&'static str, u64>, kind: MediaKind| {
        counts.get(kind.as_str()).copied().unwrap_or(0)
    };
    let seconds = lasted.as_secs_f64();
    server.log.report(
        Chapter::HangUp,
        format_args!(
            "call {} is over after {seconds:.1} s: {why}; video {} frames in, {} out, audio {} in, {} out",
            line.number,
            count(&received, MediaKind::Video),
            count(&sent, MediaKind::Video),
            count(&received, MediaKind::Audio),
            count(&sent, MediaKind::Audio),
        ),
        &Report::Over {
            call: line.number,
            reason: why.to_string(),
            seconds,
            frames_received: received,
            frames_sent: sent,
        },
    );
}

impl Server {
    /// What this side wants of a stream: it is echoed, or a file is sent and nothing wanted back.
    fn direction(&self, kind: Option<MediaKind>) -> Direction {
        match self.clip(kind) {
            Some(_) => Direction::SendOnly,
            None => Direction::SendRecv,
        }
    }
}
