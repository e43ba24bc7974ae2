//! Media that overtakes the last flight of the handshake waits for its keys.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use core::time::Duration;

use rtckit_netsim::{Direction, Fate, Flight};
use rtckit_peer::{ConnectionState, Event};
use rtckit_tests::{CallBuilder, Side};

const LIMIT: Duration = Duration::from_secs(2);
/// How long the last flight is held back.
const HELD: Duration = Duration::from_millis(80);
/// The content type of ChangeCipherSpec, with which the server's last flight begins (RFC 5246 §7.4.9).
const CHANGE_CIPHER_SPEC: u8 = 20;

#[test]
fn media_before_the_servers_last_flight_is_kept() {
    let mut call = CallBuilder::new("media_before_the_servers_last_flight_is_kept", 1)
        .delay(Duration::from_millis(10))
        .script(|flight: Flight<'_>| match flight.data.first() {
            Some(&CHANGE_CIPHER_SPEC) if flight.direction == Direction::AToB => Fate::Delay(HELD),
            _ => Fate::Deliver,
        })
        .start();
    // the offerer is the server, and has its keys before the client has
    let is_ready = |call: &mut rtckit_tests::Call| {
        call.peer(Side::A).connection_state() == ConnectionState::Connected
    };
    call.run_until(LIMIT, is_ready).unwrap();
    assert_eq!(
        call.peer(Side::B).connection_state(),
        ConnectionState::Connecting
    );
    let (now, [audio, video]) = (call.pair.now, call.streams[0]);
    let frames = [vec![7; 90], vec![9; 4000]];
    for (id, frame) in [audio, video].into_iter().zip(&frames) {
        let mut sender = call.peer_mut(Side::A).sender(id).unwrap();
        sender.write_frame(now, 0, frame).unwrap();
    }
    let is_connected = |call: &mut rtckit_tests::Call| call.is_connected();
    let at = call.run_until(LIMIT, is_connected).unwrap();
    assert!(at - now > HELD / 2, "nothing was overtaken");
    for (id, frame) in call.streams[1].into_iter().zip(&frames) {
        assert!(
            call.was_told(Side::B, &Event::FrameReady(id)),
            "told at once"
        );
        let mut receiver = call.peer_mut(Side::B).receiver(id).unwrap();
        assert_eq!(receiver.read_frame(at).unwrap().data, *frame);
    }
    let stats = call.peer(Side::B).stats(at);
    assert_eq!(stats.transport.packets_discarded, 0);
    let lost = stats.inbound_rtp.iter().map(|stream| stream.packets_lost);
    assert_eq!(lost.sum::<i64>(), 0);
}
