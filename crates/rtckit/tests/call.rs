//! Two connections over real sockets of the loopback interface.
#![allow(clippy::unwrap_used, reason = "a test fails where it must")]
#![allow(
    clippy::disallowed_types,
    reason = "the tests look whether a port is free"
)]

use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::net::UdpSocket;
use std::sync::{Arc, Mutex};

use rtckit::{
    Configuration, ConnectionState, Direction, Error, Event, FiveTuple, Instant, MediaKind,
    PeerConnection, SessionDescription, Shaper, Tap, Transceiver, Way,
};
use tokio::sync::oneshot;

const V4: &str = "127.0.0.1:0";
const V6: &str = "[::1]:0";

fn at(address: &str) -> Configuration {
    Configuration::new().bind([address.parse().unwrap()])
}

/// The offer and its answer, with all candidates inside.
async fn signal(caller: &PeerConnection, callee: &PeerConnection) {
    let offer = caller.create_offer().await.unwrap();
    caller.set_local_description(offer).await.unwrap();
    callee
        .set_remote_description(caller.local_description().unwrap())
        .await
        .unwrap();
    let answer = callee.create_answer().await.unwrap();
    callee.set_local_description(answer).await.unwrap();
    caller
        .set_remote_description(callee.local_description().unwrap())
        .await
        .unwrap();
}

async fn track(connection: &PeerConnection) -> Transceiver {
    loop {
        if let Event::Track(track) = connection
            .next_event()
            .await
            .expect("a track before the end")
        {
            return track;
        }
    }
}

async fn closed(connection: &PeerConnection) {
    while connection.connection_state() != ConnectionState::Closed {
        connection
            .next_event()
            .await
            .expect("the state is announced");
    }
}

/// A call from one end to the other, both ways, with frames of one datagram and of many.
async fn call(address: &str) {
    let caller = PeerConnection::new(at(address)).await.unwrap();
    let callee = PeerConnection::new(at(address)).await.unwrap();
    let video = caller
        .add_transceiver(MediaKind::Video, Direction::SendOnly)
        .unwrap();
    let audio = caller
        .add_transceiver(MediaKind::Audio, Direction::SendOnly)
        .unwrap();
    signal(&caller, &callee).await;
    caller.connected().await.unwrap();
    callee.connected().await.unwrap();
    assert_eq!(caller.connection_state(), ConnectionState::Connected);

    let first = track(&callee).await;
    let second = track(&callee).await;
    let by_kind = |kind| {
        [&first, &second]
            .into_iter()
            .find(|track| track.kind() == Some(kind))
            .unwrap()
            .receiver()
    };
    let (video_in, audio_in) = (by_kind(MediaKind::Video), by_kind(MediaKind::Audio));
    assert_eq!(video.sender().clock_rate(), Ok(90_000));
    assert_eq!(audio.sender().clock_rate(), Ok(48_000));

    let mut starts: Option<(u32, u32)> = None;
    for index in 0..20u32 {
        // the first byte says "keyframe" to VP8; the size crosses that of several datagrams
        let picture: Vec<u8> = (0..6_000 + index * 7)
            .map(|byte| if byte == 0 { 0x10 } else { byte as u8 })
            .collect();
        let sound = vec![0xfc, index as u8, 1, 2, 3];
        video
            .sender()
            .write_frame(index * 3_000, &picture)
            .await
            .unwrap();
        audio
            .sender()
            .write_frame(index * 960, &sound)
            .await
            .unwrap();
        let (seen, heard) = (
            video_in.read_frame().await.unwrap(),
            audio_in.read_frame().await.unwrap(),
        );
        assert_eq!((seen.data, heard.data), (picture, sound));
        let (first_seen, first_heard) = *starts.get_or_insert((seen.timestamp, heard.timestamp));
        assert_eq!(seen.timestamp.wrapping_sub(first_seen), index * 3_000);
        assert_eq!(heard.timestamp.wrapping_sub(first_heard), index * 960);
    }

    let stats = caller.stats().await;
    assert!(
        stats
            .outbound_rtp
            .iter()
            .all(|stream| stream.frames_sent == 20),
        "{stats:?}"
    );
    caller.close().await;
    closed(&callee).await;
    assert_eq!(
        video_in.read_frame().await,
        None,
        "the other side has hung up"
    );
    callee.close().await;
}

#[tokio::test]
async fn a_call_over_ipv4() {
    call(V4).await;
}

#[tokio::test]
async fn a_call_over_ipv6() {
    if UdpSocket::bind(V6).is_err() {
        eprintln!("skipped: this host has no IPv6 loopback");
        return;
    }
    call(V6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn candidates_may_come_after_the_descriptions() {
    let caller = PeerConnection::new(at(V4)).await.unwrap();
    let callee = PeerConnection::new(at(V4)).await.unwrap();
    caller
        .add_transceiver(MediaKind::Audio, Direction::SendRecv)
        .unwrap();
    signal(&caller, &callee).await;
    let trickle = |from: PeerConnection, to: PeerConnection| async move {
        while let Some(event) = from.next_event().await {
            match event {
                Event::IceCandidate(candidate) => to.add_ice_candidate(&candidate).await.unwrap(),
                Event::ConnectionState(ConnectionState::Connected) => return,
                _ => {}
            }
        }
    };
    let there = tokio::spawn(trickle(caller.clone(), callee.clone()));
    let back = tokio::spawn(trickle(callee.clone(), caller.clone()));
    there.await.unwrap();
    back.await.unwrap();
    caller.close().await;
    callee.close().await;
}

#[tokio::test]
async fn close_frees_the_port_and_ends_everything() {
    let connection = PeerConnection::new(at(V4)).await.unwrap();
    let transceiver = connection
        .add_transceiver(MediaKind::Audio, Direction::SendRecv)
        .unwrap();
    let offer = connection.create_offer().await.unwrap();
    connection.set_local_description(offer).await.unwrap();
    let address = connection.local_addresses()[0];
    assert!(UdpSocket::bind(address).is_err(), "the port is in use");
    let again = PeerConnection::new(Configuration::new().bind([address])).await;
    assert!(matches!(again, Err(Error::Bind { .. })), "{again:?}");

    connection.close().await;
    UdpSocket::bind(address).expect("the port is free");
    connection.close().await;

    assert_eq!(connection.create_offer().await, Err(Error::Closed));
    assert_eq!(connection.connected().await, Err(Error::Closed));
    assert_eq!(
        transceiver.sender().write_frame(0, &[1]).await,
        Err(Error::Closed)
    );
    assert_eq!(transceiver.receiver().read_frame().await, None);
    while connection.next_event().await.is_some() {}
    assert_eq!(connection.connection_state(), ConnectionState::Closed);
}

/// Another certificate than the description's: the handshake fails, at once and for good.
fn with_wrong_fingerprint(description: &SessionDescription) -> SessionDescription {
    let sdp = description.sdp.lines().map(|line| {
        let line = match line.strip_prefix("a=fingerprint:sha-256 ") {
            Some(_) => format!("a=fingerprint:sha-256 {}", ["00"; 32].join(":")),
            None => line.to_owned(),
        };
        line + "\r\n"
    });
    SessionDescription::answer(sdp.collect::<String>())
}

#[tokio::test]
async fn a_failed_connection_lets_go_of_whoever_writes() {
    let caller = PeerConnection::new(at(V4)).await.unwrap();
    let callee = PeerConnection::new(at(V4)).await.unwrap();
    let video = caller
        .add_transceiver(MediaKind::Video, Direction::SendOnly)
        .unwrap();
    let offer = caller.create_offer().await.unwrap();
    caller.set_local_description(offer).await.unwrap();
    callee
        .set_remote_description(caller.local_description().unwrap())
        .await
        .unwrap();
    let answer = callee.create_answer().await.unwrap();
    callee.set_local_description(answer).await.unwrap();
    let answer = callee.local_description().unwrap();
    caller
        .set_remote_description(with_wrong_fingerprint(&answer))
        .await
        .unwrap();

    // More than is queued for a connection that is not there yet: this waits for room that never comes.
    let picture = [0x10; 60_000];
    let mut timestamp = 0;
    let write = async {
        loop {
            timestamp += 3_000;
            if let Err(error) = video.sender().write_frame(timestamp, &picture).await {
                return error;
            }
        }
    };
    let bound = Duration::from_secs(20);
    let error = tokio::time::timeout(bound, write)
        .await
        .expect("the writer is told");
    assert_eq!(error, Error::Failed);
    assert_eq!(caller.connection_state(), ConnectionState::Failed);
    assert_eq!(
        video.sender().write_frame(0, &picture).await,
        Err(Error::Failed)
    );
    caller.close().await;
    assert_eq!(
        video.sender().write_frame(0, &picture).await,
        Err(Error::Closed)
    );
    callee.close().await;
}

/// A tap that tells when the task that owns it is gone.
struct Witness(Option<oneshot::Sender<()>>);

impl Tap for Witness {
    fn datagram(&mut self, _: Duration, _: Way, _: FiveTuple, _: &[u8]) {}
}

impl Drop for Witness {
    fn drop(&mut self) {
        if let Some(gone) = self.0.take() {
            let _ = gone.send(());
        }
    }
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_task() {
    let (gone, task_ended) = oneshot::channel();
    let connection = PeerConnection::new(at(V4).tap(Witness(Some(gone))))
        .await
        .unwrap();
    let transceiver = connection
        .add_transceiver(MediaKind::Audio, Direction::SendRecv)
        .unwrap();
    let offer = connection.create_offer().await.unwrap();
    connection.set_local_description(offer).await.unwrap();
    let address = connection.local_addresses()[0];

    drop(connection);
    let receiver = transceiver.receiver();
    drop(transceiver);
    assert!(
        UdpSocket::bind(address).is_err(),
        "a receiver keeps its connection"
    );
    drop(receiver);
    task_ended.await.expect("the tap was dropped, not leaked");
    UdpSocket::bind(address).expect("the port is free");
}

#[test]
fn the_end_of_the_runtime_ends_the_connection() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let first = runtime();
    let connection = first.block_on(PeerConnection::new(at(V4))).unwrap();
    drop(first);
    runtime().block_on(async {
        assert_eq!(connection.connected().await, Err(Error::Closed));
        connection.close().await;
        assert!(matches!(
            connection.create_offer().await,
            Err(Error::Closed)
        ));
    });
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let new = pin!(PeerConnection::new(at(V4)));
    let Poll::Ready(result) = new.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("nothing to wait for")
    };
    assert!(matches!(result, Err(Error::NoRuntime)));
}

/// Holds the last datagram back until the next one, or its time, comes.
#[derive(Default)]
struct HoldBack {
    held: Vec<(Instant, FiveTuple, Vec<u8>)>,
    lent: Vec<u8>,
}

impl Shaper for HoldBack {
    fn push(&mut self, now: Instant, path: FiveTuple, datagram: &[u8]) {
        self.held
            .push((now + Duration::from_millis(2), path, datagram.to_vec()));
    }

    fn poll(&mut self, now: Instant) -> Option<(FiveTuple, &[u8])> {
        let due = self.held.iter().position(|(due, ..)| *due <= now)?;
        let (_, path, bytes) = self.held.remove(due);
        self.lent = bytes;
        Some((path, &self.lent))
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.held.iter().map(|(due, ..)| *due).min()
    }
}

/// What a tap has seen, each way.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<[Vec<Vec<u8>>; 2]>>);

impl Tap for Seen {
    fn datagram(&mut self, unix: Duration, way: Way, _: FiveTuple, bytes: &[u8]) {
        assert!(
            unix > Duration::from_secs(1_600_000_000),
            "a time after this was written"
        );
        self.0.lock().unwrap()[usize::from(way == Way::Out)].push(bytes.to_vec());
    }
}

#[tokio::test]
async fn a_shaper_delays_and_a_tap_sees_the_wire() {
    let (left, right) = (Seen::default(), Seen::default());
    let caller = PeerConnection::new(at(V4).shaper(HoldBack::default()).tap(left.clone()))
        .await
        .unwrap();
    let callee = PeerConnection::new(at(V4).shaper(HoldBack::default()).tap(right.clone()))
        .await
        .unwrap();
    caller
        .add_transceiver(MediaKind::Audio, Direction::SendOnly)
        .unwrap();
    signal(&caller, &callee).await;
    caller.connected().await.unwrap();
    callee.connected().await.unwrap();
    caller.close().await;
    closed(&callee).await;
    callee.close().await;

    let [_, sent] = &*left.0.lock().unwrap();
    let [received, _] = &*right.0.lock().unwrap();
    assert!(!sent.is_empty());
    assert_eq!(
        sent, received,
        "what left one side came to the other, in order, farewell included"
    );
}
