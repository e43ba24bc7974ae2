//! Video and sound through a lossy network: what is lost is sent again, and what arrives is what was sent.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use core::time::Duration;

use rtckit_netsim::LinkConfig;
use rtckit_tests::{Call, CallBuilder, Clip, Playback, Side, seeds};

const CONNECT: Duration = Duration::from_secs(20);
/// How long the clip, four seconds of it, is played.
const PLAY: Duration = Duration::from_secs(5);
/// How long the receivers wait for repairs at the end, as the loopback does.
const PATIENCE: Duration = Duration::from_secs(1);
/// The longest datagram a peer sends, if it is not told otherwise.
const MAX_DATAGRAM: usize = 1_200;

/// Plays the clip both ways, and checks that nothing arrives that was not sent.
fn play<'c>(call: &mut Call, clip: &'c Clip) -> [Playback<'c>; 2] {
    let mut playbacks = Side::BOTH.map(|from| Playback::new(clip, from));
    Playback::run(call, &mut playbacks, PLAY, PATIENCE);
    for playback in &playbacks {
        for tally in &playback.tallies {
            assert_eq!(tally.corrupt, 0, "{playback:#?}");
        }
    }
    playbacks
}

#[test]
fn nothing_is_missing_without_loss() {
    let clip = Clip::load();
    for seed in seeds(2) {
        let mut call = CallBuilder::new("nothing_is_missing_without_loss", seed)
            .delay(Duration::from_millis(30))
            .start();
        call.connect_within(CONNECT);
        for playback in play(&mut call, &clip) {
            for tally in &playback.tallies {
                assert_eq!(tally.identical, tally.sent);
            }
        }
        for side in Side::BOTH {
            let stats = call.peer(side).stats(call.pair.now);
            for stream in &stats.outbound_rtp {
                assert_eq!(stream.retransmitted_packets_sent, 0, "{stream:#?}");
            }
            for stream in &stats.inbound_rtp {
                assert_eq!((stream.packets_lost, stream.nack_count), (0, 0));
            }
        }
    }
}

#[test]
fn lost_packets_are_repaired_over_rtx() {
    lost_packets_are_repaired("lost_packets_are_repaired_over_rtx", true);
}

#[test]
fn lost_packets_are_repaired_on_the_stream_itself() {
    lost_packets_are_repaired("lost_packets_are_repaired_on_the_stream_itself", false);
}

fn lost_packets_are_repaired(name: &'static str, with_rtx: bool) {
    let clip = Clip::load();
    let mut shares = Vec::new();
    for seed in seeds(20) {
        let link = LinkConfig {
            delay: Duration::from_millis(30),
            jitter: Duration::from_millis(5),
            jitter_reorders: true,
            loss: 0.05,
            reorder: 0.02,
            reorder_by: Duration::from_millis(10),
            duplicate: 0.02,
            ..LinkConfig::default()
        };
        let mut call = CallBuilder::new(name, seed).link(link);
        if !with_rtx {
            call = call.without_rtx();
        }
        let mut call = call.start();
        call.connect_within(CONNECT);
        for playback in play(&mut call, &clip) {
            let (video, audio) = (playback.video(), playback.audio());
            let share = video.identical as f64 / video.sent as f64;
            assert!(share >= 0.97, "seed {seed}: {video:?}");
            assert!(
                audio.identical as f64 >= 0.9 * audio.sent as f64,
                "nobody repairs sound, but 5 % loss is 5 % loss: {audio:?}"
            );
            shares.push(share);
        }
        for side in Side::BOTH {
            check_counters(&call, side, with_rtx);
        }
        // the number of the original takes room, which was kept free for it
        let longest = call.pair.trace.iter().map(|sent| sent.data.len()).max();
        assert_eq!(
            longest,
            Some(if with_rtx {
                MAX_DATAGRAM
            } else {
                MAX_DATAGRAM - 2
            })
        );
    }
    let worst = shares.iter().copied().fold(1.0, f64::min);
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    println!(
        "RTX: {with_rtx}, video frames delivered: {:.2} % at worst, {:.2} % on average",
        worst * 100.0,
        mean * 100.0
    );
}

/// What `side` counted as sent again, against what the other side counted as received again.
fn check_counters(call: &Call, side: Side, with_rtx: bool) {
    let (sent, came) = (
        call.peer(side).stats(call.pair.now).outbound_rtp,
        call.peer(side.other()).stats(call.pair.now).inbound_rtp,
    );
    let ([audio_sent, sent], [audio_came, came]) = (&sent[..], &came[..]) else {
        panic!("sound and pictures");
    };
    assert_eq!(audio_sent.retransmitted_packets_sent, 0);
    assert_eq!(audio_came.retransmitted_packets_received, 0);
    assert_eq!((audio_sent.rtx_ssrc, audio_came.rtx_ssrc), (None, None));
    assert!(sent.nack_count > 0 && sent.nack_count <= came.nack_count);
    let again = sent.retransmitted_packets_sent;
    assert!(again > 0);
    assert!(came.retransmitted_packets_received > again / 2, "{came:#?}");
    if with_rtx {
        assert!(sent.rtx_ssrc.is_some_and(|ssrc| ssrc != sent.ssrc));
        assert_eq!(sent.rtx_ssrc, came.rtx_ssrc);
        assert!(came.retransmitted_packets_received <= again);
        // what came over RTX is no packet of the stream
        assert!(came.packets_lost as u64 >= came.retransmitted_packets_received);
    } else {
        assert_eq!((sent.rtx_ssrc, came.rtx_ssrc), (None, None));
        // it cannot be told from one that was asked for too early, and was only late
        assert!(came.packets_lost < came.retransmitted_packets_received as i64);
    }
}
