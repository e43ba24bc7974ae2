//! A network that dies is noticed: disconnected first, then, when consent expires, failed (RFC 7675).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use core::time::Duration;

use rtckit_netsim::{Fate, Flight};
use rtckit_peer::{ConnectionState, Event};
use rtckit_tests::{Call, CallBuilder, Side};

const LIMIT: Duration = Duration::from_secs(2);

fn dead_network(name: &'static str) -> Call {
    let mut call = CallBuilder::new(name, 1)
        .delay(Duration::from_millis(10))
        .start();
    call.connect_within(LIMIT);
    call.run_for(Duration::from_secs(60));
    assert!(call.is_connected(), "an idle call stays up");
    call.pair.set_script(|_: Flight<'_>| Fate::Drop);
    call
}

#[test]
fn a_dead_network_disconnects_and_then_fails() {
    let mut call = dead_network("a_dead_network_disconnects_and_then_fails");
    let died = call.pair.now;
    let in_state = |state| move |call: &mut Call| call.states() == [state; 2];
    let at = call
        .run_until(LIMIT * 6, in_state(ConnectionState::Disconnected))
        .unwrap();
    assert!(at - died < Duration::from_secs(10), "{:?}", at - died);
    let at = call
        .run_until(LIMIT * 20, in_state(ConnectionState::Failed))
        .unwrap();
    assert!(
        at - died <= Duration::from_millis(30_100),
        "{:?}",
        at - died
    );
    for side in Side::BOTH {
        let expected = [ConnectionState::Disconnected, ConnectionState::Failed];
        let told: Vec<_> = call.told[side as usize]
            .iter()
            .filter_map(|event| match event {
                Event::ConnectionState(state) if expected.contains(state) => Some(*state),
                _ => None,
            })
            .collect();
        assert_eq!(told, expected);
    }
    let sent = call.pair.trace.len();
    call.run_for(Duration::from_secs(60));
    assert_eq!(call.pair.trace.len(), sent, "no consent, no datagrams");
}

#[test]
fn a_network_that_comes_back_in_time_goes_on() {
    let mut call = dead_network("a_network_that_comes_back_in_time_goes_on");
    call.run_for(Duration::from_secs(15));
    assert_eq!(call.states(), [ConnectionState::Disconnected; 2]);
    call.pair.set_script(|_: Flight<'_>| Fate::Deliver);
    call.connect_within(Duration::from_secs(7));
    call.exchange_frames(LIMIT);
}
