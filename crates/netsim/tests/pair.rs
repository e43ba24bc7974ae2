//! Two toy machines over simulated networks: what the pair promises to every test that uses it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]
mod toy;

use core::time::Duration;

use rtckit_netsim::{
    Direction, DropNth, Fate, Flight, LinkConfig, Pair, RandomLoss, ReverseWindows, Stalled, Stop,
};
use rtckit_proto::{Datagram, FiveTuple, Instant, Machine, Transmit};
use toy::{Event, RETRY, Toy};

const A: &str = "10.0.0.1:1000";
const B: &str = "10.0.0.2:2000";
const MINUTE: Instant = Instant::from_millis(60_000);

fn machines(messages: u8) -> (Toy, Toy) {
    (Toy::new(A, B, messages), Toy::new(B, A, 0))
}

fn delayed(millis: u64) -> LinkConfig {
    LinkConfig {
        delay: Duration::from_millis(millis),
        ..LinkConfig::default()
    }
}

fn received(pair: &Pair<Toy, Toy>) -> Vec<u8> {
    pair.events_b
        .iter()
        .filter_map(|event| match event {
            Event::Received(number) => Some(*number),
            Event::Acknowledged(_) => None,
        })
        .collect()
}

#[test]
fn the_clock_jumps_from_arrival_to_arrival() {
    let (a, b) = machines(3);
    let mut pair = Pair::with_links(a, b, delayed(20), 1);
    pair.drive_until(MINUTE, |pair| pair.a.is_done()).unwrap();
    assert_eq!(pair.now, Instant::from_millis(40), "one round trip");
    assert_eq!(received(&pair), [0, 1, 2]);
    assert_eq!(pair.events_a.len(), 3);
    assert_eq!(pair.trace.len(), 6);
    assert!(pair.drive_bounded(10), "nothing is left to do");
    assert_eq!(pair.now, Instant::from_millis(40));
}

#[test]
fn each_datagram_may_be_the_one_that_is_lost() {
    for direction in [Direction::AToB, Direction::BToA] {
        for index in 0..4 {
            let (a, b) = machines(4);
            let mut pair =
                Pair::with_links(a, b, delayed(10), 1).with_script(DropNth { direction, index });
            pair.drive_until(MINUTE, |pair| pair.a.is_done()).unwrap();
            let expected = Instant::from_millis(20) + RETRY;
            assert_eq!(pair.now, expected, "{direction} {index}: sent once more");
            let dropped: Vec<_> = pair.trace.iter().filter(|d| !d.on_its_way).collect();
            assert_eq!(dropped.len(), 1);
            assert_eq!((dropped[0].direction, dropped[0].index), (direction, index));
            assert_eq!(dropped[0].fate, Fate::Drop);
        }
    }
}

#[test]
fn windows_arrive_in_reverse() {
    let (a, b) = machines(16);
    let script = ReverseWindows {
        direction: Some(Direction::AToB),
        ..ReverseWindows::default()
    };
    let mut pair = Pair::with_links(a, b, delayed(10), 1).with_script(script);
    pair.drive_until(MINUTE, |pair| pair.a.is_done()).unwrap();
    let arrived = received(&pair);
    let of = |window: core::ops::Range<u8>| {
        let numbers = arrived.iter().copied().filter(move |n| window.contains(n));
        numbers.collect::<Vec<_>>()
    };
    assert_eq!(of(0..8), (0..8).rev().collect::<Vec<_>>());
    assert_eq!(of(8..16), (8..16).rev().collect::<Vec<_>>());
}

#[test]
fn duplicates_and_delays_by_script() {
    let (a, b) = machines(3);
    let mut pair =
        Pair::with_links(a, b, delayed(10), 1).with_script(|flight: Flight<'_>| {
            match (flight.direction, flight.data) {
                (Direction::AToB, [0, 0]) => Fate::Duplicate,
                (Direction::AToB, [0, 1]) => Fate::Delay(Duration::from_millis(5)),
                _ => Fate::Deliver,
            }
        });
    pair.drive_until(MINUTE, |pair| pair.a.is_done()).unwrap();
    assert_eq!(received(&pair), [0, 0, 2, 1]);
    assert_eq!(pair.now, Instant::from_millis(25));
}

#[test]
fn a_bad_network_repeats_from_its_seed() {
    let run = |seed: u64| {
        let (a, b) = machines(50);
        let config = LinkConfig {
            jitter: Duration::from_millis(30),
            loss: 0.2,
            duplicate: 0.1,
            reorder: 0.1,
            ..delayed(20)
        };
        let mut pair = Pair::with_links(a, b, config, seed)
            .with_script(RandomLoss::new(seed, 0.1))
            .labelled("a bad network", seed);
        pair.drive_until(MINUTE, |pair| pair.a.is_done()).unwrap();
        pair.trace.iter().cloned().collect::<Vec<_>>()
    };
    for seed in 0..10 {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
    assert_ne!(run(0), run(1));
}

#[test]
fn a_stall_says_why() {
    let (a, b) = machines(1);
    let mut pair = Pair::new(a, b).with_script(|_: Flight<'_>| Fate::Drop);
    let stalled = pair
        .drive_until(Instant::from_millis(950), |pair| pair.a.is_done())
        .unwrap_err();
    let expected = Stalled {
        at: Instant::from_millis(950),
        why: Stop::Deadline,
    };
    assert_eq!(stalled, expected);
    assert_eq!(pair.trace.len(), 10, "one every 100 ms");

    let (a, b) = machines(0);
    let mut pair = Pair::new(a, b);
    let stalled = pair.drive_until(MINUTE, |_| false).unwrap_err();
    assert_eq!(stalled.why, Stop::Quiet);
    pair.drive(MINUTE).unwrap();
    assert_eq!(pair.now, MINUTE, "silence passes too");
}

/// A machine with a fault: it wants to be called at once, for ever.
struct Restless;

impl Machine for Restless {
    type Event = ();
    fn handle_input(&mut self, _now: Instant, _datagram: Datagram<'_>) {}
    fn handle_timeout(&mut self, _now: Instant) {}
    fn poll_transmit(&mut self, _now: Instant, _buf: &mut [u8]) -> Option<Transmit> {
        None
    }
    fn poll_event(&mut self) -> Option<()> {
        None
    }
    fn poll_timeout(&self) -> Option<Instant> {
        Some(Instant::ZERO)
    }
}

/// A machine with a fault: it never stops sending.
struct Flood;

impl Machine for Flood {
    type Event = ();
    fn handle_input(&mut self, _now: Instant, _datagram: Datagram<'_>) {}
    fn handle_timeout(&mut self, _now: Instant) {}
    fn poll_transmit(&mut self, _now: Instant, _buf: &mut [u8]) -> Option<Transmit> {
        let path = FiveTuple::udp(A.parse().unwrap(), B.parse().unwrap());
        Some(Transmit::new(path, 1))
    }
    fn poll_event(&mut self) -> Option<()> {
        None
    }
    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

#[test]
fn machines_that_spin_are_found_out() {
    let mut pair = Pair::new(Restless, Toy::new(B, A, 0));
    let stalled = pair.drive_until(MINUTE, |_| false).unwrap_err();
    assert_eq!((stalled.at, stalled.why), (Instant::ZERO, Stop::Spinning));
    assert!(!pair.drive_bounded(20));

    let mut pair = Pair::new(Flood, Restless);
    assert!(!pair.drive_bounded(3), "one burst at a time");
}

#[test]
fn the_pcap_holds_every_datagram() {
    let (a, b) = machines(5);
    let mut pair = Pair::with_links(a, b, delayed(10), 1).with_script(DropNth {
        direction: Direction::AToB,
        index: 2,
    });
    pair.drive_until(MINUTE, |pair| pair.a.is_done()).unwrap();
    let file = std::env::temp_dir().join(format!("rtckit-netsim-{}.pcap", std::process::id()));
    pair.write_pcap(&file).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let record = 16 + 20 + 8 + 2;
    assert_eq!(bytes.len(), 24 + pair.trace.len() * record);
}
