//! Losing the server's last flight again and again costs a second each time, not one that doubles: the server is
//! connected by then, and only the client's retransmissions make it say it again.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use core::time::Duration;

use rtckit_netsim::{Direction, Fate, Flight};
use rtckit_tests::CallBuilder;

/// The content type of ChangeCipherSpec, with which the server's last flight begins (RFC 5246 §7.4.9).
const CHANGE_CIPHER_SPEC: u8 = 20;

#[test]
fn a_last_flight_lost_many_times_is_not_waited_for_long() {
    for lost in 0..10 {
        let mut left = lost;
        let mut call = CallBuilder::new("a_last_flight_lost_many_times_is_not_waited_for_long", 1)
            .delay(Duration::from_millis(10))
            .script(move |flight: Flight<'_>| {
                let is_last_flight = flight.direction == Direction::AToB
                    && flight.data.first() == Some(&CHANGE_CIPHER_SPEC);
                if is_last_flight && left > 0 {
                    left -= 1;
                    return Fate::Drop;
                }
                Fate::Deliver
            })
            .start();
        call.connect_within(Duration::from_millis(500 + 1000 * lost));
        let dropped = call.pair.trace.iter().filter(|sent| !sent.on_its_way);
        assert_eq!(dropped.count() as u64, lost);
    }
}
