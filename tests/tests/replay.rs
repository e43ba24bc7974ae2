//! A run repeats byte for byte from its seed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use core::time::Duration;

use rtckit_netsim::{LinkConfig, Traced};
use rtckit_tests::{CallBuilder, Clip, Playback, Side};

/// A second of a call over a bad network.
fn run(seed: u64) -> Vec<Traced> {
    let clip = Clip::load();
    let mut call = CallBuilder::new("the_same_seed_is_the_same_run", seed)
        .link(LinkConfig {
            delay: Duration::from_millis(20),
            jitter: Duration::from_millis(10),
            jitter_reorders: true,
            loss: 0.05,
            duplicate: 0.05,
            ..LinkConfig::default()
        })
        .start();
    call.connect_within(Duration::from_secs(20));
    let mut playbacks = Side::BOTH.map(|from| Playback::new(&clip, from));
    let second = Duration::from_secs(1);
    Playback::run(&mut call, &mut playbacks, second, second);
    call.pair.trace.iter().cloned().collect()
}

#[test]
fn the_same_seed_is_the_same_run() {
    let (once, again, other) = (run(11), run(11), run(12));
    assert!(once.len() > 200, "{}", once.len());
    if let Some(index) = (0..once.len()).find(|index| once.get(*index) != again.get(*index)) {
        panic!(
            "datagram {index}: {} against {:?}",
            once[index],
            again.get(index)
        );
    }
    assert_eq!(once.len(), again.len());
    assert!(once != other, "the seed makes no difference");
}
