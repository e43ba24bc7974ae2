//! A connection completes although windows of eight datagrams arrive in reverse.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use core::time::Duration;

use rtckit_netsim::{Direction, ReverseWindows};
use rtckit_tests::CallBuilder;

/// One way through the network.
const DELAY: Duration = Duration::from_millis(10);
/// The virtual time a connection may take.
const LIMIT: Duration = Duration::from_secs(5);
/// How many datagrams a window has.
const WINDOW: u64 = 8;

/// Reverses windows from each possible first datagram on, in either direction and in both, and returns the longest time.
///
/// With a small spacing only what is sent together changes places; with one of several round trips flights overtake
/// each other and their retransmissions.
fn reverse_each(build: &dyn Fn() -> CallBuilder) {
    let mut call = build().delay(DELAY).start();
    let clean = call.connect_within(LIMIT);
    let datagrams = call.pair.trace.len() as u64;
    drop(call);
    let mut worst = Duration::ZERO;
    let mut reordered = 0;
    for spacing in [1, 20, 60].map(Duration::from_millis) {
        for direction in [None, Some(Direction::AToB), Some(Direction::BToA)] {
            for start in 0..datagrams {
                let script = ReverseWindows {
                    direction,
                    start,
                    len: WINDOW,
                    spacing,
                };
                let mut call = build().delay(DELAY).script(script).start();
                worst = worst.max(call.connect_within(LIMIT));
                call.exchange_frames(LIMIT);
                let links = [call.pair.a_to_b.counters(), call.pair.b_to_a.counters()];
                reordered += links.map(|link| link.reordered).iter().sum::<u64>();
            }
        }
    }
    assert!(reordered > 0, "nothing changed places");
    println!("{clean:?} in order, {worst:?} at worst; {reordered} datagrams came late");
}

#[test]
fn windows_of_eight_can_arrive_in_reverse() {
    reverse_each(&|| CallBuilder::new("windows_of_eight_can_arrive_in_reverse", 1));
}

/// Flights of many fragments give the windows something to turn around.
#[test]
fn windows_of_fragments_can_arrive_in_reverse() {
    reverse_each(&|| {
        CallBuilder::new("windows_of_fragments_can_arrive_in_reverse", 2).max_datagram(250)
    });
}

#[test]
fn windows_can_arrive_in_reverse_with_real_cryptography() {
    reverse_each(&|| {
        CallBuilder::new("windows_can_arrive_in_reverse_with_real_cryptography", 3).ring()
    });
}
