//! Hanging up: the other side hears of it, or notices the silence.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use core::time::Duration;

use rtckit_netsim::{Fate, Flight};
use rtckit_peer::{ConnectionState, Event, SignalingState};
use rtckit_tests::{Call, CallBuilder, Side};

const LIMIT: Duration = Duration::from_secs(2);

fn connected(name: &'static str) -> Call {
    let mut call = CallBuilder::new(name, 1)
        .delay(Duration::from_millis(10))
        .start();
    call.connect_within(LIMIT);
    call
}

#[test]
fn whoever_hangs_up_the_other_side_closes_within_a_trip() {
    for side in Side::BOTH {
        let mut call = connected("whoever_hangs_up_the_other_side_closes_within_a_trip");
        call.exchange_frames(LIMIT);
        let now = call.pair.now;
        call.peer_mut(side).close(now);
        let both_closed = |call: &mut Call| call.states() == [ConnectionState::Closed; 2];
        let at = call.run_until(LIMIT, both_closed).unwrap();
        assert_eq!(at - now, Duration::from_millis(10));
        call.run_for(Duration::from_millis(100));
        for side in Side::BOTH {
            let closed = Event::ConnectionState(ConnectionState::Closed);
            assert!(call.was_told(side, &closed));
            assert_eq!(call.peer(side).signaling_state(), SignalingState::Closed);
            assert_eq!(call.peer(side).poll_timeout(), None);
        }
        let sent = call.pair.trace.len();
        call.run_for(Duration::from_secs(60));
        assert_eq!(call.pair.trace.len(), sent, "the dead are silent");
        let now = call.pair.now;
        call.peer_mut(side).close(now);
    }
}

#[test]
fn a_lost_goodbye_is_noticed_by_the_silence() {
    let mut call = connected("a_lost_goodbye_is_noticed_by_the_silence");
    call.pair.set_script(|_: Flight<'_>| Fate::Drop);
    let now = call.pair.now;
    call.peer_mut(Side::A).close(now);
    let failed = |call: &mut Call| call.peer(Side::B).connection_state() == ConnectionState::Failed;
    let at = call.run_until(Duration::from_secs(40), failed).unwrap();
    assert!(at - now > Duration::from_secs(20), "consent lasts 30 s");
}
