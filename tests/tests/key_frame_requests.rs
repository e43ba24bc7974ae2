//! Requests for key frames, from either side: as PLI, as FIR where that is all the other side takes, or not at all.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use core::time::Duration;

use rtckit_netsim::{Fate, Flight};
use rtckit_peer::Event;
use rtckit_tests::{Call, CallBuilder, Side};

const LIMIT: Duration = Duration::from_secs(5);

/// A connected call in which one picture has gone each way. These lines are struck out of the offer.
fn call(name: &'static str, struck_out: &'static [&'static str]) -> Call {
    let edit = move |mut sdp: String| {
        for line in struck_out {
            assert!(sdp.contains(line));
            sdp = sdp.replace(line, "");
        }
        sdp
    };
    let mut call = CallBuilder::new(name, 1)
        .delay(Duration::from_millis(10))
        .edit(Side::A, edit)
        .start();
    call.connect_within(LIMIT);
    call.exchange_frames(LIMIT);
    // what was sent to begin with is no key frame, so one was asked for at once; let that pass
    call.run_for(Duration::from_secs(2));
    call
}

const NO_PLI: &str = "a=rtcp-fb:96 nack pli\r\n";
const NO_FIR: &str = "a=rtcp-fb:96 ccm fir\r\n";

/// How often `side` was told that the other one wants a key frame.
fn told(call: &Call, side: Side) -> usize {
    let video = call.streams[side as usize][1];
    let events = call.told[side as usize].iter();
    events
        .filter(|event| **event == Event::KeyframeRequested(video))
        .count()
}

/// PLIs and FIRs: received by the sender at `side`, and sent to it.
fn counted(call: &Call, side: Side) -> [(u64, u64); 2] {
    let now = call.pair.now;
    let sender = &call.peer(side).stats(now).outbound_rtp[1];
    let receiver = &call.peer(side.other()).stats(now).inbound_rtp[1];
    [
        (sender.pli_count, sender.fir_count),
        (receiver.pli_count, receiver.fir_count),
    ]
}

/// Writes what begins like a key frame (RFC 6386 §9.1) from `side`, so that nobody wants one any more.
fn send_key_frame(call: &mut Call, side: Side, timestamp: u32) {
    let (now, video) = (call.pair.now, call.streams[side as usize][1]);
    let mut sender = call.peer_mut(side).sender(video).unwrap();
    let frame = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 64, 0];
    sender.write_frame(now, timestamp, &frame).unwrap();
    call.run_for(Duration::from_millis(100));
    let video = call.streams[side.other() as usize][1];
    let now = call.pair.now;
    let mut receiver = call.peer_mut(side.other()).receiver(video).unwrap();
    while receiver.read_frame(now).is_some() {}
}

fn request_key_frame(call: &mut Call, from: Side) {
    let (now, video) = (call.pair.now, call.streams[from as usize][1]);
    let mut receiver = call.peer_mut(from).receiver(video).unwrap();
    receiver.request_keyframe(now);
}

fn requests_arrive(name: &'static str, struck_out: &'static [&'static str], as_pli: bool) {
    let mut call = call(name, struck_out);
    for side in Side::BOTH {
        send_key_frame(&mut call, side, 90_000);
    }
    // the pause after the last request passes
    call.run_for(Duration::from_secs(1));
    for side in Side::BOTH {
        let (told_before, [before, _]) = (told(&call, side), counted(&call, side));
        request_key_frame(&mut call, side.other());
        let arrived = |call: &mut Call| told(call, side) > told_before;
        call.run_until(Duration::from_millis(50), arrived).unwrap();
        // it is repeated until a key frame comes, and each repetition is heard
        let arrived = |call: &mut Call| told(call, side) > told_before + 2;
        call.run_until(Duration::from_secs(3), arrived).unwrap();
        send_key_frame(&mut call, side, 180_000);
        let [heard, sent] = counted(&call, side);
        assert_eq!(heard, sent, "nothing was lost, and every number was new");
        let (plis, firs) = (heard.0 - before.0, heard.1 - before.1);
        assert_eq!((plis > 2, firs > 2), (as_pli, !as_pli), "{plis} {firs}");
        assert_eq!(if as_pli { firs } else { plis }, 0);
        // and then no more
        let settled = told(&call, side);
        call.run_for(Duration::from_secs(3));
        assert_eq!(told(&call, side), settled);
    }
}

#[test]
fn as_pli_where_both_are_agreed_on() {
    requests_arrive("as_pli_where_both_are_agreed_on", &[], true);
}

#[test]
fn as_pli_where_there_is_no_fir() {
    requests_arrive("as_pli_where_there_is_no_fir", &[NO_FIR], true);
}

#[test]
fn as_fir_where_there_is_no_pli() {
    requests_arrive("as_fir_where_there_is_no_pli", &[NO_PLI], false);
}

#[test]
fn not_at_all_where_neither_is_agreed_on() {
    let mut call = call("not_at_all_where_neither_is_agreed_on", &[NO_PLI, NO_FIR]);
    for side in Side::BOTH {
        request_key_frame(&mut call, side);
        // a wish that cannot be told must not keep the peer busy: `run_for` panics if it spins
        call.run_for(Duration::from_secs(2));
        assert_eq!(told(&call, side), 0);
        assert_eq!(counted(&call, side), [(0, 0); 2]);
    }
}

/// A lost FIR is followed by another, which the sender takes for what it is.
#[test]
fn a_lost_request_is_sent_again() {
    let mut call = call("a_lost_request_is_sent_again", &[NO_PLI]);
    send_key_frame(&mut call, Side::A, 90_000);
    call.run_for(Duration::from_secs(1));
    let told_before = told(&call, Side::A);
    let until = call.pair.now + Duration::from_millis(300);
    call.pair.set_script(move |flight: Flight<'_>| {
        let is_rtcp = matches!(flight.data, [128..192, 192..224, ..]);
        if is_rtcp && flight.now < until {
            Fate::Drop
        } else {
            Fate::Deliver
        }
    });
    assert_eq!(counted(&call, Side::A)[0], counted(&call, Side::A)[1]);
    request_key_frame(&mut call, Side::B);
    call.run_for(Duration::from_millis(290));
    let [heard, sent] = counted(&call, Side::A);
    assert_eq!(sent.1, heard.1 + 1);
    assert_eq!(told(&call, Side::A), told_before);
    let arrived = |call: &mut Call| told(call, Side::A) > told_before;
    call.run_until(Duration::from_secs(1), arrived).unwrap();
}
