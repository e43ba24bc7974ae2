//! A caller of our own, for what `rtckit call` does not do.

use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;

use rtckit::{
    Configuration, Direction, Event, IceGatheringState, MediaKind, PeerConnection,
    SessionDescription, Transceiver,
};
use tokio::time::{sleep, timeout};

use crate::server::{Server, header};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A caller on loopback, and its complete offer.
async fn caller(kind: MediaKind) -> (PeerConnection, Transceiver, String) {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let configuration = Configuration::new()
        .include_loopback(true)
        .interface_filter(move |interface| interface.address == loopback);
    let connection = PeerConnection::new(configuration).await.unwrap();
    let transceiver = connection
        .add_transceiver(kind, Direction::SendRecv)
        .unwrap();
    let offer = connection.create_offer().await.unwrap();
    connection.set_local_description(offer).await.unwrap();
    while connection.ice_gathering_state() != IceGatheringState::Complete {
        connection.next_event().await.unwrap();
    }
    let offer = connection.local_description().unwrap().sdp;
    (connection, transceiver, offer)
}

async fn take(connection: &PeerConnection, answer: &str) {
    let answer = SessionDescription::answer(answer);
    connection.set_remote_description(answer).await.unwrap();
}

fn is_about_candidates(line: &str) -> bool {
    line.starts_with("a=candidate:") || line == "a=end-of-candidates"
}

fn without_candidates(sdp: &str) -> String {
    let lines = sdp.lines().filter(|line| !is_about_candidates(line));
    lines.map(|line| format!("{line}\r\n")).collect()
}

/// The caller knows no candidate of the server's, so only what is trickled can connect them.
#[tokio::test]
async fn a_trickled_candidate_is_used() {
    let server = Server::start(&[]);
    let (connection, _, offer) = caller(MediaKind::Audio).await;
    let (status, head, answer) = server.offer(&without_candidates(&offer));
    assert_eq!(status, 201, "{answer}");
    take(&connection, &without_candidates(&answer)).await;

    let starts = ["a=ice-ufrag:", "a=ice-pwd:", "m=", "a=mid:", "a=candidate:"];
    let fragment: String = starts
        .iter()
        .flat_map(|start| offer.lines().filter(move |line| line.starts_with(start)))
        .map(|line| format!("{line}\r\n"))
        .collect();
    let line = format!("PATCH {}", header(&head, "location").unwrap());
    let headers = format!(
        "Content-Type: application/trickle-ice-sdpfrag\r\nIf-Match: {}\r\n",
        header(&head, "etag").unwrap()
    );
    assert_eq!(
        server.request(&line, &headers, fragment.as_bytes()).0,
        204,
        "{fragment}"
    );
    let connected = timeout(PATIENCE, connection.connected()).await;
    connected.unwrap().unwrap();
}

/// Only who made the picture can make it anew: what the caller asks of the echo comes back to it.
#[tokio::test]
async fn a_key_frame_is_asked_of_who_makes_them() {
    let server = Server::start(&[]);
    let (connection, video, offer) = caller(MediaKind::Video).await;
    let (status, _, answer) = server.offer(&offer);
    assert_eq!(status, 201, "{answer}");
    take(&connection, &answer).await;
    let connected = timeout(PATIENCE, connection.connected()).await;
    connected.unwrap().unwrap();

    // Key frames alone, so that the server has no reason of its own to ask for one.
    let key_frame = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x10, 0, 0x10, 0, 0, 0];
    let sender = video.sender();
    let play = async {
        for timestamp in (0..).step_by(3000) {
            sender.write_frame(timestamp, &key_frame).await.unwrap();
            sleep(Duration::from_millis(30)).await;
        }
    };
    let asked = async {
        let frame = video.receiver().read_frame().await.unwrap();
        assert_eq!(frame.data, key_frame);
        video.receiver().request_keyframe();
        loop {
            if let Event::KeyframeRequested(_) = connection.next_event().await.unwrap() {
                return;
            }
        }
    };
    tokio::select! {
        () = play => {}
        asked = timeout(PATIENCE, asked) => asked.unwrap(),
    }
}
