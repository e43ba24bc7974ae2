//! The answer may give a codec another payload type than the offer: each side sends what the other one wants to receive
//! (RFC 3264 §5.1, §6.1).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use core::time::Duration;
use std::collections::BTreeMap;

use rtckit_netsim::LinkConfig;
use rtckit_peer::Direction;
use rtckit_tests::{CallBuilder, Clip, Playback, Side};

/// VP8 is 96 and its RTX 97, in our descriptions; here they become 120 and 124, as Firefox has them.
fn renumbered(sdp: String) -> String {
    let sdp = sdp.replace(" 96 97\r\n", " 120 124\r\n");
    let sdp = sdp.replace(":96 ", ":120 ").replace(":97 ", ":124 ");
    sdp.replace("apt=96", "apt=120")
}

/// Plays pictures from `from`, whose description comes to the other side renumbered, through loss. Returns how many video
/// packets of each payload type it sent.
fn play(name: &'static str, from: Side) -> BTreeMap<u8, usize> {
    let clip = Clip::load();
    let [a, b] = match from {
        Side::A => [Direction::SendOnly, Direction::RecvOnly],
        Side::B => [Direction::RecvOnly, Direction::SendOnly],
    };
    let link = LinkConfig {
        delay: Duration::from_millis(20),
        loss: 0.05,
        ..LinkConfig::default()
    };
    let mut call = CallBuilder::new(name, 1)
        .link(link)
        .directions(a, b)
        .edit(from, renumbered)
        .start();
    call.connect_within(Duration::from_secs(20));
    let mut playbacks = [Playback::new(&clip, from)];
    let (second, patience) = (Duration::from_secs(2), Duration::from_secs(1));
    Playback::run(&mut call, &mut playbacks, second, patience);
    let video = playbacks[0].video();
    assert_eq!((video.identical, video.corrupt), (video.sent, 0));
    let stats = &call.peer(from).stats(call.pair.now).outbound_rtp[1];
    let ssrcs = [stats.ssrc, stats.rtx_ssrc.unwrap()];
    let mut types = BTreeMap::new();
    for sent in call.pair.trace.iter() {
        // version 2, and one of the sources: the header is in the clear
        if let [0x80..0xc0, payload_type, _, _, _, _, _, _, a, b, c, d, ..] = sent.data[..]
            && ssrcs.contains(&u32::from_be_bytes([a, b, c, d]))
        {
            *types.entry(payload_type & 0x7f).or_default() += 1;
        }
    }
    types
}

/// The answerer sees 120 offered and answers so, which the offerer has never heard of.
#[test]
fn the_offerer_sends_with_the_answers_numbers() {
    let types = play("the_offerer_sends_with_the_answers_numbers", Side::A);
    assert_eq!(types.keys().collect::<Vec<_>>(), [&120, &124]);
    assert!(types[&120] > 40 && types[&124] > 0, "{types:?}");
}

/// The answerer sends with what was offered, whatever its own answer says it wants.
#[test]
fn the_offerer_receives_with_its_own_numbers() {
    let types = play("the_offerer_receives_with_its_own_numbers", Side::B);
    assert_eq!(types.keys().collect::<Vec<_>>(), [&96, &97]);
    assert!(types[&96] > 40 && types[&97] > 0, "{types:?}");
}
