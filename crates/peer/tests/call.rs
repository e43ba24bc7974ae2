//! Two peers in memory, without a network between them: the shortest way through a call.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use core::net::SocketAddr;
use core::time::Duration;
use std::sync::Arc;

use rtckit_crypto::identity::Identity;
use rtckit_crypto::provider::Provider;
use rtckit_peer::{
    Config, ConnectionState, Direction, Event, MediaKind, Peer, SessionDescription, SignalingState,
    TransceiverId,
};
use rtckit_proto::{Datagram, FiveTuple, Instant, WallClock};

fn peer(seed: u64) -> Peer {
    let provider = Provider::simulation(seed);
    let identity = Arc::new(Identity::generate(&provider).unwrap());
    Peer::new(
        Config::new(
            provider,
            identity,
            WallClock::new(Duration::from_secs(1_700_000_000)),
        ),
        Instant::ZERO,
    )
    .unwrap()
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Carries everything both ways until nothing is left, and returns what the peers told.
fn exchange(now: Instant, left: &mut Peer, right: &mut Peer) -> [Vec<Event>; 2] {
    let mut events = [Vec::new(), Vec::new()];
    let mut buf = vec![0; 65_535];
    loop {
        let mut moved = false;
        for (from_left, index) in [(true, 0), (false, 1)] {
            let (from, to) = if from_left {
                (&mut *left, &mut *right)
            } else {
                (&mut *right, &mut *left)
            };
            while let Some(transmit) = from.poll_transmit(now, &mut buf) {
                moved = true;
                let path: FiveTuple = transmit.path.reversed();
                let stride = transmit
                    .segment_size
                    .unwrap_or_else(|| transmit.range.len());
                let mut data = buf[transmit.range].to_vec();
                to.handle_input(
                    now,
                    Datagram {
                        stride,
                        ..Datagram::new(path, &mut data)
                    },
                );
            }
            while let Some(event) = from.poll_event() {
                moved = true;
                events[index].push(event);
            }
        }
        if !moved {
            return events;
        }
    }
}

fn call() -> (Peer, Peer, Instant, [TransceiverId; 2]) {
    let (mut left, mut right) = (peer(1), peer(2));
    let mut now = Instant::ZERO;
    let audio = left
        .add_transceiver(MediaKind::Audio, Direction::SendOnly)
        .unwrap();
    let video = left
        .add_transceiver(MediaKind::Video, Direction::SendOnly)
        .unwrap();
    left.add_local_address(now, address(1000));
    left.end_of_local_addresses(now);
    right.add_local_address(now, address(2000));
    right.end_of_local_addresses(now);
    let offer = left.create_offer().unwrap();
    left.set_local_description(now, offer).unwrap();
    right
        .set_remote_description(now, left.local_description().unwrap())
        .unwrap();
    let answer = right.create_answer().unwrap();
    right.set_local_description(now, answer).unwrap();
    left.set_remote_description(now, right.local_description().unwrap())
        .unwrap();
    for _ in 0..200 {
        exchange(now, &mut left, &mut right);
        if left.connection_state() == ConnectionState::Connected
            && right.connection_state() == ConnectionState::Connected
        {
            break;
        }
        now = left
            .poll_timeout()
            .into_iter()
            .chain(right.poll_timeout())
            .min()
            .unwrap()
            .max(now);
        left.handle_timeout(now);
        right.handle_timeout(now);
    }
    assert_eq!(
        left.connection_state(),
        ConnectionState::Connected,
        "{:#?}",
        left.stats(now)
    );
    assert_eq!(right.connection_state(), ConnectionState::Connected);
    (left, right, now, [audio, video])
}

#[test]
fn frames_arrive_byte_for_byte() {
    let (mut left, mut right, mut now, [audio, video]) = call();
    let receivers: Vec<_> = right
        .transceivers()
        .map(|transceiver| transceiver.id)
        .collect();
    for number in 0..50u32 {
        now += Duration::from_millis(20);
        let picture: Vec<u8> = (0..5000u32)
            .map(|byte| (byte * 31 + number) as u8)
            .collect();
        let sound = [number as u8; 80];
        left.sender(video)
            .unwrap()
            .write_frame(now, number * 1800, &picture)
            .unwrap();
        left.sender(audio)
            .unwrap()
            .write_frame(now, number * 960, &sound)
            .unwrap();
        let [_, events] = exchange(now, &mut left, &mut right);
        assert!(
            events.contains(&Event::FrameReady(receivers[0]))
                && events.contains(&Event::FrameReady(receivers[1]))
        );
        let mut receiver = right.receiver(receivers[0]).unwrap();
        assert_eq!(receiver.read_frame(now).unwrap().data, sound);
        assert!(receiver.read_frame(now).is_none());
        let mut receiver = right.receiver(receivers[1]).unwrap();
        assert_eq!(receiver.read_frame(now).unwrap().data, picture);
        assert!(receiver.read_frame(now).is_none());
        left.handle_timeout(now);
        right.handle_timeout(now);
    }
    let stats = left.stats(now);
    assert_eq!(stats.outbound_rtp.len(), 2);
    assert!(
        stats
            .outbound_rtp
            .iter()
            .all(|stream| stream.frames_sent == 50 && stream.retransmitted_packets_sent == 0)
    );
}

#[test]
fn hanging_up_closes_both_ends() {
    let (mut left, mut right, now, _) = call();
    left.close(now);
    let [_, events] = exchange(now, &mut left, &mut right);
    assert!(events.contains(&Event::ConnectionState(ConnectionState::Closed)));
    assert_eq!(right.connection_state(), ConnectionState::Closed);
    assert_eq!((left.poll_timeout(), right.poll_timeout()), (None, None));
}

#[test]
fn frames_behind_a_loss_are_told_when_it_is_given_up() {
    let (mut left, mut right, mut now, [audio, _]) = call();
    let track = right.transceivers().next().unwrap().id;
    let mut buf = vec![0; 2048];
    for number in 0..3u8 {
        now += Duration::from_millis(20);
        left.sender(audio)
            .unwrap()
            .write_frame(now, u32::from(number) * 960, &[0, number])
            .unwrap();
        if number == 1 {
            while left.poll_transmit(now, &mut buf).is_some() {}
        }
        exchange(now, &mut left, &mut right);
        while right.receiver(track).unwrap().read_frame(now).is_some() {}
    }
    // nothing more arrives: only time tells that the second frame is lost
    for _ in 0..10 {
        now = right.poll_timeout().unwrap().max(now);
        right.handle_timeout(now);
        if core::iter::from_fn(|| right.poll_event()).any(|event| event == Event::FrameReady(track))
        {
            let mut receiver = right.receiver(track).unwrap();
            let frame = receiver.read_frame(now).unwrap();
            assert_eq!((frame.data, frame.contiguous), (&[0, 2][..], false));
            return;
        }
    }
    panic!("the third frame was never told");
}

/// What is due is done, whether the user reads frames or not: a peer that keeps asking for the present spins its driver.
#[test]
fn frames_that_nobody_reads_do_not_keep_the_driver_awake() {
    let (mut left, mut right, mut now, [_, video]) = call();
    for number in 0..20u32 {
        now += Duration::from_millis(20);
        left.sender(video)
            .unwrap()
            .write_frame(now, number * 1800, &[7; 3000])
            .unwrap();
        exchange(now, &mut left, &mut right);
        for _ in 0..10 {
            let Some(due) = right.poll_timeout() else {
                break;
            };
            now = now.max(due);
            right.handle_timeout(now);
            exchange(now, &mut left, &mut right);
            assert!(
                right.poll_timeout().is_none_or(|due| due > now),
                "woken at {now:?}, it asks for {:?}",
                right.poll_timeout()
            );
        }
    }
}

fn renegotiate(now: Instant, left: &mut Peer, right: &mut Peer) {
    let offer = left.create_offer().unwrap();
    left.set_local_description(now, offer.clone()).unwrap();
    right.set_remote_description(now, offer).unwrap();
    let answer = right.create_answer().unwrap();
    right.set_local_description(now, answer.clone()).unwrap();
    left.set_remote_description(now, answer).unwrap();
}

/// SRTP's keystream is a function of key, SSRC and sequence number: what was sent under one index is never sent otherwise.
#[test]
fn a_stream_that_was_on_hold_goes_on_where_it_stopped() {
    let (mut left, mut right, mut now, [audio, _]) = call();
    let track = right.transceivers().next().unwrap().id;
    let mut sent = std::collections::BTreeMap::new();
    let mut buf = vec![0; 2048];
    for round in 0..6u8 {
        for number in 0..300u16 {
            now += Duration::from_millis(1);
            let [high, low] = number.to_be_bytes();
            let frame = [8, round, high, low];
            let ticks = u32::from(round) * 400_000 + u32::from(number) * 960;
            left.sender(audio)
                .unwrap()
                .write_frame(now, ticks, &frame)
                .unwrap();
            while let Some(transmit) = left.poll_transmit(now, &mut buf) {
                let mut data = buf[transmit.range].to_vec();
                if data[0] >> 6 == 2 && !(192..224).contains(&data[1]) {
                    let index = [data[2], data[3], data[8], data[9], data[10], data[11]];
                    let before = sent.insert(index, data.clone());
                    assert!(
                        before.is_none_or(|before| before == data),
                        "round {round}: one index, two packets"
                    );
                }
                right.handle_input(now, Datagram::new(transmit.path.reversed(), &mut data));
            }
            exchange(now, &mut left, &mut right);
            let mut receiver = right.receiver(track).unwrap();
            assert_eq!(
                receiver.read_frame(now).map(|frame| frame.data.to_vec()),
                Some(frame.to_vec())
            );
        }
        left.set_direction(audio, Direction::Inactive).unwrap();
        renegotiate(now, &mut left, &mut right);
        exchange(now, &mut left, &mut right);
        assert!(left.sender(audio).is_none(), "on hold nothing is sent");
        left.set_direction(audio, Direction::SendOnly).unwrap();
        renegotiate(now, &mut left, &mut right);
        exchange(now, &mut left, &mut right);
    }
}

#[test]
fn a_later_description_cannot_change_who_the_peer_is() {
    let (mut left, mut right, now, _) = call();
    let offer = left.create_offer().unwrap().sdp;
    let line = offer
        .lines()
        .find(|line| line.starts_with("a=fingerprint:"))
        .unwrap();
    let stranger = format!("a=fingerprint:sha-256 {}", vec!["A5"; 32].join(":"));
    let forged = offer.replace(line, &stranger);
    let refused = right.set_remote_description(now, SessionDescription::offer(forged));
    assert!(
        matches!(refused, Err(rtckit_peer::Error::UnacceptableDescription(_))),
        "{refused:?}"
    );
    assert_eq!(right.signaling_state(), SignalingState::Stable);
    // the honest offer is taken, and so is its answer; a forged answer is not
    let offer = left.create_offer().unwrap();
    left.set_local_description(now, offer.clone()).unwrap();
    right.set_remote_description(now, offer).unwrap();
    let answer = right.create_answer().unwrap();
    let line = answer
        .sdp
        .lines()
        .find(|line| line.starts_with("a=fingerprint:"))
        .unwrap();
    let forged = SessionDescription::answer(answer.sdp.replace(line, &stranger));
    assert!(left.set_remote_description(now, forged).is_err());
    left.set_remote_description(now, answer).unwrap();
}

/// Without keys for SRTP there is no call, whatever DTLS says.
#[test]
fn a_peer_without_srtp_is_no_peer() {
    let provider = Provider::simulation(3);
    let identity = Arc::new(Identity::generate(&provider).unwrap());
    let mut config = Config::new(provider, identity, WallClock::new(Duration::ZERO));
    config.srtp_profiles = Vec::new();
    let mut left = Peer::new(config, Instant::ZERO).unwrap();
    let mut right = peer(2);
    let mut now = Instant::ZERO;
    left.add_transceiver(MediaKind::Audio, Direction::SendOnly)
        .unwrap();
    left.add_local_address(now, address(1000));
    right.add_local_address(now, address(2000));
    renegotiate(now, &mut left, &mut right);
    for _ in 0..200 {
        exchange(now, &mut left, &mut right);
        if right.connection_state() == ConnectionState::Failed {
            return;
        }
        assert_ne!(right.connection_state(), ConnectionState::Connected);
        let Some(due) = left
            .poll_timeout()
            .into_iter()
            .chain(right.poll_timeout())
            .min()
        else {
            break;
        };
        now = now.max(due);
        left.handle_timeout(now);
        right.handle_timeout(now);
    }
    panic!("right is {}", right.connection_state());
}
