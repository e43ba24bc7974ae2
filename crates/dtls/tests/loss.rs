//! The handshake on networks that lose, reorder, repeat and delay.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use core::time::Duration;

use rtckit_crypto::provider::Provider;
use rtckit_crypto::secret::Secret;
use rtckit_dtls::{AlertDescription, Config, Error, Event};
use rtckit_proto::{Instant, Random, SeededRandom};
use support::{CLIENT, Pair, SERVER, configs, delivered, path};

fn fragmented(seed: u64, mtu: usize) -> [Config; 2] {
    let mut configs = configs(&Provider::simulation(seed));
    for config in &mut configs {
        config.mtu = mtu;
    }
    configs
}

#[test]
fn each_datagram_lost_in_turn() {
    for mtu in [1200, 300] {
        let total = Pair::connect(fragmented(1, mtu)).sent.len();
        for lost in 0..total {
            let mut pair = Pair::new(fragmented(1, mtu));
            pair.run(|index, _| if index == lost { vec![] } else { delivered() });
            pair.assert_connected();
            let retransmissions = pair.ends.iter().map(|end| end.stats().retransmissions);
            assert!(retransmissions.sum::<u64>() >= 1, "datagram {lost}");
            assert!(
                pair.now < Instant::from_millis(2_500),
                "datagram {lost}: {:?}",
                pair.now
            );
        }
    }
}

#[test]
fn each_datagram_lost_in_turn_with_a_cookie() {
    let with_cookie = || {
        let mut configs = fragmented(1, 1200);
        configs[SERVER].cookie_secret = Some(Secret::from([9; 32]));
        configs
    };
    for lost in 0..6 {
        let mut pair = Pair::new(with_cookie());
        pair.run(|index, _| if index == lost { vec![] } else { delivered() });
        pair.assert_connected();
        assert!(
            pair.now < Instant::from_millis(2_500),
            "datagram {lost}: {:?}",
            pair.now
        );
    }
}

#[test]
fn a_fifth_of_all_datagrams_lost() {
    for seed in 0..100 {
        let mut random = SeededRandom::new(seed);
        let mut pair = Pair::new(fragmented(seed, if seed % 2 == 0 { 1200 } else { 300 }));
        pair.run(|_, _| {
            if random.below(5) == 0 {
                vec![]
            } else {
                delivered()
            }
        });
        pair.assert_connected();
    }
}

#[test]
fn everything_twice() {
    for mtu in [1200, 300] {
        let mut pair = Pair::new(fragmented(1, mtu));
        pair.run(|_, _| [delivered(), delivered()].concat());
        pair.assert_connected();
        for end in &pair.ends {
            assert_eq!(end.stats().retransmissions, 0, "copies are no repetitions");
        }
    }
}

#[test]
fn the_last_first() {
    for mtu in [1200, 300] {
        let mut pair = Pair::new(fragmented(1, mtu));
        pair.run(|index, _| vec![Duration::from_millis(50 - (index as u64 % 50))]);
        pair.assert_connected();
        let retransmissions = pair.ends.iter().map(|end| end.stats().retransmissions);
        assert_eq!(retransmissions.sum::<u64>(), 0, "mtu {mtu}");
    }
}

#[test]
fn lost_repeated_and_reordered_at_once() {
    for seed in 0..50 {
        let mut random = SeededRandom::new(seed);
        let mut pair = Pair::new(fragmented(seed, 200));
        pair.run(|_, _| {
            let mut delay = || Duration::from_millis(random.below(300));
            let delays = [delay(), delay()];
            match random.below(10) {
                0 => vec![],
                1 | 2 => delays.to_vec(),
                _ => delays[..1].to_vec(),
            }
        });
        pair.assert_connected();
    }
}

#[test]
fn the_wait_doubles_up_to_a_minute_and_ends() {
    let mut configs = configs(&Provider::simulation(1));
    configs[CLIENT].handshake_timeout = Duration::from_secs(300);
    let mut client =
        rtckit_dtls::Connection::client(configs[CLIENT].clone().into(), path(), Instant::ZERO)
            .unwrap();
    let (mut now, mut waits) = (Instant::ZERO, Vec::new());
    let mut buf = [0; 1200];
    while client.poll_transmit(now, &mut buf).is_some() && !client.is_closed() {
        assert!(client.poll_transmit(now, &mut buf).is_none());
        let due = client.poll_timeout().unwrap();
        client.handle_timeout(due - Duration::from_nanos(1));
        assert!(
            client.poll_transmit(now, &mut buf).is_none(),
            "early does nothing"
        );
        waits.push((due - now).as_secs());
        now = due;
        client.handle_timeout(now);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60, 57]);
    assert_eq!(now, Instant::from_millis(300_000));
    assert_eq!(client.poll_timeout(), None);
}

#[test]
fn nobody_answers() {
    let mut pair = Pair::new(configs(&Provider::simulation(1)));
    pair.run(|_, _| vec![]);
    assert_eq!(pair.events[CLIENT], [Event::Failed(Error::TimedOut)]);
    assert_eq!(pair.now, Instant::from_millis(60_000));
    assert!(pair.events[SERVER].is_empty());
    let alert = &pair.sent.last().unwrap().1;
    assert_eq!(alert[13..], [2, AlertDescription::USER_CANCELED.0]);
}

/// The server is done when it has sent its Finished; should that be lost, the client repeats its flight, and the
/// server, long established, must answer.
#[test]
fn the_last_flight_is_repeated_on_demand() {
    let mut pair = Pair::new(configs(&Provider::simulation(1)));
    let mut lost = 0;
    pair.run(|index, _| match index {
        3.. if pair_sent_by_server(index) && lost < 3 => {
            lost += 1;
            vec![]
        }
        _ => delivered(),
    });
    pair.assert_connected();
    assert_eq!(lost, 3);
    assert_eq!(pair.ends[SERVER].stats().retransmissions, 3);
    let record = pair.seal(SERVER, b"after all that");
    pair.deliver(CLIENT, record);
    assert_eq!(pair.data[CLIENT], [b"after all that"]);
}

/// Hello, flight 4, flight 5, then alternately flight 6 and flight 5 again.
fn pair_sent_by_server(index: usize) -> bool {
    index % 2 == 1
}

#[test]
fn an_alert_in_the_clear_is_believed_only_when_nothing_better_comes() {
    let alert = vec![21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40];
    // forged: the handshake goes on
    let mut pair = Pair::new(configs(&Provider::simulation(1)));
    pair.deliver(CLIENT, alert.clone());
    pair.deliver(SERVER, alert.clone());
    pair.run(|_, _| delivered());
    pair.assert_connected();
    // genuine: nothing else comes, and there is no point in waiting for a minute
    let mut pair = Pair::new(configs(&Provider::simulation(1)));
    pair.deliver(CLIENT, alert);
    pair.run(|_, _| vec![]);
    let failure = Error::AlertReceived(AlertDescription::HANDSHAKE_FAILURE);
    assert_eq!(pair.events[CLIENT], [Event::Failed(failure)]);
    assert_eq!(pair.now, Instant::from_millis(1_000));
}
