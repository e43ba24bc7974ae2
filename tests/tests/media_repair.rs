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
fn lost_packets_are_repaired() {
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
        let mut call = CallBuilder::new("lost_packets_are_repaired", seed)
            .link(link)
            .start();
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
            let stats = call.peer(side).stats(call.pair.now);
            let repaired: u64 = stats
                .outbound_rtp
                .iter()
                .map(|stream| stream.retransmitted_packets_sent)
                .sum();
            assert!(repaired > 0, "{stats:#?}");
        }
    }
    let worst = shares.iter().copied().fold(1.0, f64::min);
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    println!(
        "video frames delivered: {:.2} % at worst, {:.2} % on average",
        worst * 100.0,
        mean * 100.0
    );
}
