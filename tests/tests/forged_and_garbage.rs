//! What others throw at a call neither ends it, nor harms its media, nor fills its memory.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use core::net::SocketAddr;
use core::time::Duration;

use rtckit_peer::ConnectionState;
use rtckit_proto::{Datagram, FiveTuple, Random, SeededRandom};
use rtckit_tests::{Call, CallBuilder, Clip, Playback, Side, seeds};

const LIMIT: Duration = Duration::from_secs(2);
/// Forged datagrams for each side and seed.
const FORGED: usize = 2000;

fn connected(name: &'static str, seed: u64) -> Call {
    let mut call = CallBuilder::new(name, seed)
        .delay(Duration::from_millis(10))
        .start();
    call.connect_within(LIMIT);
    call.exchange_frames(LIMIT);
    call
}

/// The way datagrams reach `side`, as it sees it.
fn path_to(call: &Call, side: Side) -> FiveTuple {
    let stats = call.peer(side).stats(call.pair.now);
    stats.transport.selected_candidate_pair.unwrap()
}

fn hand_over(call: &mut Call, side: Side, path: FiveTuple, bytes: &[u8]) {
    let now = call.pair.now;
    let mut bytes = bytes.to_vec();
    call.peer_mut(side)
        .handle_input(now, Datagram::new(path, &mut bytes));
}

fn discarded(call: &Call, side: Side) -> u64 {
    let stats = call.peer(side).stats(call.pair.now);
    stats.transport.packets_discarded
}

/// The datagrams that were sent to `side` up to now.
fn sent_to(call: &Call, side: Side) -> Vec<Vec<u8>> {
    let to_a = side == Side::A;
    let datagrams = call.pair.trace.iter();
    datagrams
        .filter(|sent| (sent.direction == rtckit_netsim::Direction::BToA) == to_a)
        .map(|sent| sent.data.to_vec())
        .collect()
}

fn still_works(call: &mut Call) {
    assert_eq!(call.states(), [ConnectionState::Connected; 2]);
    let clip = Clip::load();
    let mut playbacks = Side::BOTH.map(|from| Playback::new(&clip, from));
    Playback::run(call, &mut playbacks, Duration::from_secs(1), LIMIT);
    for tally in playbacks.iter().flat_map(|playback| &playback.tallies) {
        assert_eq!((tally.corrupt, tally.identical), (0, tally.sent));
    }
    assert_eq!(call.states(), [ConnectionState::Connected; 2]);
}

#[test]
fn random_bytes_are_counted_and_dropped() {
    for seed in seeds(3) {
        let mut call = connected("random_bytes_are_counted_and_dropped", seed);
        let mut random = SeededRandom::new(seed);
        for side in Side::BOTH {
            let path = path_to(&call, side);
            let before = discarded(&call, side);
            for _ in 0..FORGED {
                let mut bytes = vec![0; 1 + random.below(1300) as usize];
                random.fill(&mut bytes);
                // as often as not it looks like something we take
                if let (Some(first), 0) = (bytes.first_mut(), random.below(2)) {
                    *first = [0, 1, 20, 21, 22, 23, 128, 129, 144][random.below(9) as usize];
                }
                hand_over(&mut call, side, path, &bytes);
            }
            let counted = discarded(&call, side) - before;
            assert!(counted >= FORGED as u64, "{counted} of {FORGED}");
        }
        still_works(&mut call);
    }
}

#[test]
fn damaged_copies_of_real_datagrams_are_dropped() {
    for seed in seeds(3) {
        let mut call = connected("damaged_copies_of_real_datagrams_are_dropped", seed);
        let mut random = SeededRandom::new(seed);
        for side in Side::BOTH {
            let path = path_to(&call, side);
            let real = sent_to(&call, side);
            let before = discarded(&call, side);
            for _ in 0..FORGED {
                let mut bytes = real[random.below(real.len() as u64) as usize].clone();
                if random.below(2) == 0 {
                    bytes.truncate(random.below(bytes.len() as u64) as usize);
                } else {
                    let at = random.below(bytes.len() as u64) as usize;
                    bytes[at] ^= 1 << random.below(8);
                }
                hand_over(&mut call, side, path, &bytes);
            }
            assert!(discarded(&call, side) > before);
        }
        still_works(&mut call);
    }
}

#[test]
fn old_datagrams_replayed_change_nothing() {
    let mut call = connected("old_datagrams_replayed_change_nothing", 1);
    still_works(&mut call);
    for side in Side::BOTH {
        let path = path_to(&call, side);
        let before = call.peer(side).stats(call.pair.now);
        for bytes in sent_to(&call, side) {
            hand_over(&mut call, side, path, &bytes);
        }
        let after = call.peer(side).stats(call.pair.now);
        assert!(after.transport.packets_discarded > before.transport.packets_discarded);
        for (after, before) in after.inbound_rtp.iter().zip(&before.inbound_rtp) {
            assert_eq!(after.packets_received, before.packets_received);
            assert_eq!(after.frames_received, before.frames_received);
        }
    }
    still_works(&mut call);
}

#[test]
fn strangers_are_not_heard() {
    let mut call = connected("strangers_are_not_heard", 1);
    let mut random = SeededRandom::new(1);
    for side in Side::BOTH {
        let real = sent_to(&call, side);
        let media: Vec<_> = real
            .iter()
            .filter(|bytes| bytes.first().is_some_and(|first| *first >= 20))
            .collect();
        let path = path_to(&call, side);
        let before = discarded(&call, side);
        for number in 0..FORGED {
            let port = 1 + random.below(65_535) as u16;
            let stranger = SocketAddr::from(([203, 0, 113, number as u8], port));
            let path = FiveTuple {
                remote: stranger,
                ..path
            };
            hand_over(&mut call, side, path, media[number % media.len()]);
        }
        assert_eq!(discarded(&call, side) - before, FORGED as u64);
        let stats = call.peer(side).stats(call.pair.now);
        assert_eq!(stats.transport.selected_candidate_pair, Some(path));
    }
    still_works(&mut call);
}

/// An attacker who sees the handshake races it with garbage.
#[test]
fn garbage_during_the_handshake_does_not_stop_it() {
    for seed in seeds(20) {
        let mut call = CallBuilder::new("garbage_during_the_handshake_does_not_stop_it", seed)
            .delay(Duration::from_millis(10))
            .start();
        let mut random = SeededRandom::new(seed);
        let paths = [(1, 1000, 2, 2000), (2, 2000, 1, 1000)].map(
            |(local, local_port, remote, remote_port)| {
                FiveTuple::udp(
                    SocketAddr::from(([10, 0, 0, local], local_port)),
                    SocketAddr::from(([10, 0, 0, remote], remote_port)),
                )
            },
        );
        let connected = call.run_until(LIMIT * 2, |call| {
            for side in Side::BOTH {
                for mut bytes in sent_to(call, side) {
                    let at = random.below(bytes.len() as u64) as usize;
                    // the first flights carry no proof of who sent them; what has one is damaged at will
                    let is_plain_dtls = matches!(bytes.first(), Some(20..=63));
                    if is_plain_dtls {
                        bytes.truncate(at);
                    } else {
                        bytes[at] ^= 1 << random.below(8);
                    }
                    hand_over(call, side, paths[side as usize], &bytes);
                }
            }
            call.is_connected()
        });
        connected.unwrap_or_else(|stalled| panic!("{stalled}: {:?}", call.states()));
        call.exchange_frames(LIMIT);
    }
}
