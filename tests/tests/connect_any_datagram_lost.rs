//! A connection completes whichever single one of its datagrams is lost.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use core::time::Duration;

use rtckit_netsim::{Direction, DropNth};
use rtckit_tests::{Call, CallBuilder};

/// One way through the network.
const DELAY: Duration = Duration::from_millis(10);
/// The virtual time a connection may take with one datagram lost.
const LIMIT: Duration = Duration::from_secs(2);

/// How many datagrams each side sends until both are connected, when none is lost.
fn datagrams(build: &dyn Fn() -> CallBuilder) -> [u64; 2] {
    let mut call = build().start();
    call.connect_within(LIMIT);
    count(&call)
}

fn count(call: &Call) -> [u64; 2] {
    let count = |direction| {
        let datagrams = call.pair.trace.iter();
        datagrams.filter(|sent| sent.direction == direction).count() as u64
    };
    [count(Direction::AToB), count(Direction::BToA)]
}

/// Loses each datagram in turn, and returns the longest time to connect.
fn lose_each(build: &dyn Fn() -> CallBuilder) -> Duration {
    let counts = datagrams(build);
    assert!(counts.iter().all(|count| *count >= 4), "{counts:?}");
    let mut worst = (Duration::ZERO, Direction::AToB, 0);
    for (direction, count) in [Direction::AToB, Direction::BToA].into_iter().zip(counts) {
        for index in 0..count {
            let mut call = build().script(DropNth { direction, index }).start();
            let took = call.connect_within(LIMIT);
            call.exchange_frames(LIMIT);
            let dropped = call.pair.trace.iter().filter(|sent| !sent.on_its_way);
            assert_eq!(dropped.count(), 1, "{direction} #{index}");
            worst = worst.max_by(took, direction, index);
        }
    }
    println!(
        "{counts:?} datagrams; at worst {:?}, with {} #{} lost",
        worst.0, worst.1, worst.2
    );
    worst.0
}

trait Worst {
    fn max_by(self, took: Duration, direction: Direction, index: u64) -> Self;
}

impl Worst for (Duration, Direction, u64) {
    fn max_by(self, took: Duration, direction: Direction, index: u64) -> Self {
        if took > self.0 {
            (took, direction, index)
        } else {
            self
        }
    }
}

#[test]
fn any_datagram_of_the_connection_can_be_lost() {
    lose_each(&|| CallBuilder::new("any_datagram_of_the_connection_can_be_lost", 1).delay(DELAY));
}

/// Handshake messages fall into many fragments, each of which can be the one.
#[test]
fn any_datagram_of_a_fragmented_handshake_can_be_lost() {
    lose_each(&|| {
        CallBuilder::new("any_datagram_of_a_fragmented_handshake_can_be_lost", 2)
            .delay(DELAY)
            .max_datagram(300)
    });
}

#[test]
fn any_datagram_can_be_lost_with_real_cryptography() {
    lose_each(&|| {
        CallBuilder::new("any_datagram_can_be_lost_with_real_cryptography", 3)
            .delay(DELAY)
            .ring()
    });
}
