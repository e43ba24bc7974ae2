//! `rtckit call`: a call to a server that takes offers over HTTP.

mod answer;
mod http;
mod options;

use core::time::Duration;
use std::sync::Arc;

use rtckit::{
    Configuration, Direction, IceGatheringState, PeerConnection, SessionDescription, Transceiver,
};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::capture::KeyLog;
use crate::failure::Failure;
use crate::play::Stream;
use crate::report::{Facts, Promise, Report};
use crate::stage::{self, Stage};
use crate::story;
use crate::trace::{Chapter, Trace};
use http::{Answer, Client};

pub(crate) use options::Options;

/// How long the connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the local candidates may take.
const GATHER_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the last frames may take to come back.
const REPAIR_TIMEOUT: Duration = Duration::from_secs(2);

/// What a report says of a call alone.
#[derive(Debug, Serialize)]
pub(crate) struct Scene {
    url: String,
    /// Whether the server says that it echoes; `None` if it says nothing at all.
    echo: Option<bool>,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let url = http::endpoint(&options.url)?;
    let scene = Scene {
        url: url.to_string(),
        echo: None,
    };
    let client = Client::new(&options.trust())?;
    stage::run(&options.stage, scene, |stage| {
        call(options, url, client, stage)
    })
}

async fn call(
    options: &Options,
    url: axum::http::Uri,
    client: Client,
    stage: Stage,
) -> Result<(Report<Scene>, [Stream; 2]), Failure> {
    let Stage {
        trace,
        mut streams,
        capture,
        mut key_log,
        stop,
    } = stage;
    let mut configuration = Configuration::new()
        .include_loopback(true)
        .setup(options.setup.into())
        .key_log(key_log.is_some());
    if let Some(capture) = capture {
        configuration = configuration.tap(capture);
    }
    let connection = PeerConnection::new(configuration).await?;
    let mut transceivers = Vec::new();
    for stream in &streams {
        transceivers.push(connection.add_transceiver(stream.kind(), Direction::SendRecv)?);
    }
    let called = trace.elapsed();
    let answer = signal(options, &trace, &connection, &client, &url).await?;
    if !answer.is_echo {
        for stream in &mut streams {
            stream.expect_anything();
        }
    }
    for (stream, transceiver) in streams.iter_mut().zip(&transceivers) {
        let direction = transceiver.current_direction();
        if !direction.is_some_and(Direction::sends) {
            trace.tell(
                Chapter::Call,
                format_args!("the server takes no {} from here", stream.kind()),
            );
            stream.only_listen();
        }
    }
    // From here on there is someone to say goodbye to.
    let ended = converse(
        options,
        &trace,
        &connection,
        &transceivers,
        &mut streams,
        key_log.as_mut(),
        stop,
    )
    .await;
    // What is closed has no path and no keys any more.
    let stats = connection.stats().await;
    trace.tell(Chapter::HangUp, "hanging up");
    if let Some(resource) = &answer.resource {
        client.delete(resource).await;
    }
    connection.close().await;
    trace.tell(Chapter::Stop, "the connection is closed");
    let (connected, failure) = match ended {
        Ok(connected) => (Some(connected), None),
        Err(failure) => (None, Some(failure)),
    };
    let first_media = streams
        .iter()
        .filter_map(|stream| stream.progress().first_received())
        .min();
    let [video, audio] = &streams;
    let report = Report::new(Facts {
        scene: Scene {
            url: url.to_string(),
            echo: Some(answer.is_echo),
        },
        promise: if answer.is_echo {
            Promise::EveryFrame
        } else {
            Promise::Something
        },
        failure,
        seconds: options.stage.seconds,
        connect: connected.map(|time| time.saturating_sub(called)),
        first_media: first_media.map(|time| time.saturating_sub(called)),
        direction: ["there-and-back", "There and back"],
        sender: &stats,
        receiver: &stats,
        streams: [video, audio],
    });
    Ok((report, streams))
}

/// Offers, and takes the answer.
async fn signal(
    options: &Options,
    trace: &Trace,
    connection: &PeerConnection,
    client: &Client,
    url: &axum::http::Uri,
) -> Result<Answer, Failure> {
    let offer = connection.create_offer().await?;
    connection.set_local_description(offer).await?;
    let gathered = async {
        while connection.ice_gathering_state() != IceGatheringState::Complete
            && connection.next_event().await.is_some()
        {}
    };
    // Without candidates the offer is still an offer: the other side's may do.
    let _ = timeout(GATHER_TIMEOUT, gathered).await;
    let offer = connection
        .local_description()
        .ok_or(rtckit::Error::Closed)?
        .sdp;
    trace.tell(
        Chapter::Call,
        format_args!("offer to {url}, {} bytes of SDP", offer.len()),
    );
    let answer = client.post(url, &offer).await?;
    if let (true, Some(fingerprint)) = (options.insecure, &answer.certificate) {
        trace.tell(
            Chapter::Call,
            format_args!("the server's certificate is not checked: {fingerprint}"),
        );
    }
    trace.tell(
        Chapter::Call,
        format_args!(
            "the server answers with {} bytes of SDP{}",
            answer.sdp.len(),
            if answer.is_echo { ", and echoes" } else { "" }
        ),
    );
    let taken = match answer::check(&offer, &answer.sdp) {
        Ok(()) => connection
            .set_remote_description(SessionDescription::answer(answer.sdp.as_str()))
            .await
            .map_err(|error| Failure::new(format_args!("{url}: {error}"))),
        Err(why) => Err(Failure::new(format_args!("{url}: {why}"))),
    };
    if let (Err(_), Some(resource)) = (&taken, &answer.resource) {
        // The server waits for a call that will not come.
        client.delete(resource).await;
    }
    taken.map(|()| answer)
}

/// Connects and plays. Returns when it was connected, since the story began.
async fn converse(
    options: &Options,
    trace: &Arc<Trace>,
    connection: &PeerConnection,
    transceivers: &[Transceiver],
    streams: &mut [Stream; 2],
    key_log: Option<&mut KeyLog>,
    mut stop: watch::Receiver<bool>,
) -> Result<Duration, Failure> {
    tokio::spawn(watch_events(connection.clone(), Arc::clone(trace)));
    tokio::select! {
        connected = connect(connection) => connected?,
        _ = stop.wait_for(|&stop| stop) => return Err(Failure::new("interrupted before there was a connection")),
    }
    let connected = trace.elapsed();
    story::tell_keys(trace, connection, key_log).await?;

    let duration = options.stage.seconds;
    trace.tell(
        Chapter::Media,
        format_args!("plays for {} s", duration.as_secs_f64()),
    );
    let progress = [0, 1].map(|index: usize| streams[index].progress());
    let [video_half, audio_half] = transceivers else {
        return Err(Failure::new("the transceivers are gone"));
    };
    let [video, audio] = streams;
    let finish = async {
        let played = async { tokio::join!(progress[0].played(), progress[1].played()) };
        story::with_bar(trace, duration, &progress, played).await;
        let complete = async { tokio::join!(progress[0].complete(), progress[1].complete()) };
        let is_complete = timeout(REPAIR_TIMEOUT, complete).await.is_ok();
        trace.tell(
            Chapter::Media,
            if is_complete {
                "as many frames have come as were sent"
            } else {
                "what has come will have to do"
            },
        );
        Err::<(), _>(None)
    };
    // The streams are taken down for as long as the connection lasts, so the end of this comes from `finish`.
    let run = async {
        tokio::try_join!(
            video.run(
                video_half.sender(),
                video_half.receiver(),
                duration,
                stop.clone(),
                trace
            ),
            audio.run(
                audio_half.sender(),
                audio_half.receiver(),
                duration,
                stop,
                trace
            ),
        )
        .map_err(Some)
    };
    match tokio::try_join!(run, finish) {
        Err(Some(failure)) => Err(failure),
        _ => Ok(connected),
    }
}

async fn connect(connection: &PeerConnection) -> Result<(), Failure> {
    match timeout(CONNECT_TIMEOUT, connection.connected()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Failure::new(format_args!("no connection: {error}"))),
        Err(_) => Err(Failure::new(format_args!(
            "no connection within {} s: ICE is {}, DTLS is {}",
            CONNECT_TIMEOUT.as_secs(),
            connection.ice_connection_state(),
            connection.dtls_state(),
        ))),
    }
}

async fn watch_events(connection: PeerConnection, trace: Arc<Trace>) {
    while let Some(event) = connection.next_event().await {
        story::tell_event(&trace, "this side", &event);
    }
}
