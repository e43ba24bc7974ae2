//! A certificate that does not fit the fingerprint of the description ends the call before any media.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use core::time::Duration;

use rtckit_peer::{ConnectionState, DtlsTransportState};
use rtckit_tests::{Call, CallBuilder, Side};

const LIMIT: Duration = Duration::from_secs(5);

/// The description with one digit of the fingerprint changed.
fn other_fingerprint(sdp: String) -> String {
    let at = sdp.find("a=fingerprint:sha-256 ").unwrap() + "a=fingerprint:sha-256 ".len();
    let digit = if &sdp[at..=at] == "0" { "1" } else { "0" };
    // each media section repeats it
    let old = &sdp[at..at + 95];
    let new = format!("{digit}{}", &old[1..]);
    sdp.replace(old, &new)
}

fn fails(side: Side, ring: bool) {
    let mut builder = CallBuilder::new("an_altered_fingerprint_fails_the_connection", 1)
        .delay(Duration::from_millis(10))
        .edit(side, other_fingerprint);
    if ring {
        builder = builder.ring();
    }
    let mut call = builder.start();
    let failed = |call: &mut Call| call.states() == [ConnectionState::Failed; 2];
    call.run_until(LIMIT, failed).unwrap();
    call.run_for(LIMIT);
    for side in Side::BOTH {
        assert_eq!(call.peer(side).dtls_state(), DtlsTransportState::Failed);
        let now = call.pair.now;
        if let Some(mut sender) = {
            let id = call.streams[side as usize][0];
            call.peer_mut(side).sender(id)
        } {
            let _ = sender.write_frame(now, 0, &[1; 50]);
        }
    }
    call.run_for(LIMIT);
    let is_media = |datagram: &&[u8]| matches!(datagram.first(), Some(128..=191));
    let datagrams = call.pair.trace.iter().map(|sent| &sent.data[..]);
    assert_eq!(datagrams.filter(|sent| is_media(sent)).count(), 0);
}

#[test]
fn an_altered_fingerprint_fails_the_connection() {
    for side in Side::BOTH {
        fails(side, false);
    }
}

#[test]
fn an_altered_fingerprint_fails_the_connection_with_real_cryptography() {
    for side in Side::BOTH {
        fails(side, true);
    }
}
