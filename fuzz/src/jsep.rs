//! Session descriptions from a stranger, applied to a peer.

use rtckit_peer::{Direction, IceCandidate, MediaKind, Peer, SessionDescription, SignalingState};
use rtckit_proto::Instant;

use crate::input::Input;
use crate::peers::peer;
use crate::settle::settle;

const NOW: Instant = Instant::ZERO;

/// The first byte says what the peer has and which way round it goes; the rest is the text of the other side.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.u8();
    let Ok(text) = core::str::from_utf8(input.rest()) else {
        return;
    };
    let mut peer = peer(0);
    peer.add_local_address(NOW, ([192, 0, 2, 1], 1000).into());
    for (bit, kind) in [(1, MediaKind::Audio), (2, MediaKind::Video)] {
        if choice & bit != 0 {
            peer.add_transceiver(kind, Direction::SendRecv)
                .expect("below the ceiling");
        }
    }
    if choice & 4 != 0 {
        let offer = peer.create_offer().expect("an offer can always be made");
        peer.set_local_description(NOW, offer)
            .expect("what was just made");
        if peer
            .set_remote_description(NOW, SessionDescription::answer(text))
            .is_ok()
        {
            assert_eq!(peer.signaling_state(), SignalingState::Stable);
        }
    } else {
        answer(&mut peer, text);
        if choice & 8 != 0 {
            // the same again: a renegotiation that changes nothing
            answer(&mut peer, text);
        }
    }
    let candidate = IceCandidate {
        candidate: text.lines().last().unwrap_or_default().to_owned(),
        sdp_mid: None,
        username_fragment: None,
    };
    let _ = peer.add_remote_candidate(NOW, &candidate);
    let mut buf = [0; 2048];
    settle(
        &mut peer,
        NOW,
        &mut buf,
        |_, _| {},
        |event| {
            let _ = format!("{event:?}");
        },
    );
    assert!(peer.transceivers().count() <= 64);
    let _ = format!("{:?}", peer.stats(NOW));
    if let Some(remote) = peer.remote_description() {
        let _ = rtckit_sdp::Session::parse(&remote.sdp).expect("what it understood can be said");
    }
}

/// An offer that is taken can be answered, and the answer applied.
fn answer(peer: &mut Peer, text: &str) {
    let before = peer.signaling_state();
    if peer
        .set_remote_description(NOW, SessionDescription::offer(text))
        .is_err()
    {
        assert_eq!(
            peer.signaling_state(),
            before,
            "refused, yet something changed"
        );
        return;
    }
    assert_eq!(peer.signaling_state(), SignalingState::HaveRemoteOffer);
    let answer = peer
        .create_answer()
        .expect("what was taken can be answered");
    rtckit_sdp::Session::parse(&answer.sdp).expect("an answer is SDP");
    if peer.set_local_description(NOW, answer).is_ok() {
        assert_eq!(peer.signaling_state(), SignalingState::Stable);
        let offer = peer.create_offer().expect("an offer can always be made");
        rtckit_sdp::Session::parse(&offer.sdp).expect("an offer is SDP");
    }
}
