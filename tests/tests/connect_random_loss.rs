//! A connection completes although one datagram in five is lost, each way.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use core::time::Duration;

use rtckit_netsim::{LinkConfig, RandomLoss};
use rtckit_tests::{CallBuilder, seeds};

/// The virtual time a connection may take. The first checks back off from half a second, nominations are repeated each
/// half a second, flights of DTLS each second at least.
const LIMIT: Duration = Duration::from_secs(10);

/// Connects `build(seed)` for each seed through 20 % loss, and prints how long it took.
fn connect_all(count: u64, build: &dyn Fn(u64) -> CallBuilder) {
    let mut took: Vec<(Duration, u64)> = seeds(count)
        .map(|seed| {
            let mut call = build(seed)
                .link(LinkConfig {
                    delay: Duration::from_millis(10),
                    jitter: Duration::from_millis(5),
                    ..LinkConfig::default()
                })
                .script(RandomLoss::new(seed, 0.2))
                .start();
            (call.connect_within(LIMIT), seed)
        })
        .collect();
    took.sort_unstable();
    let (median, worst) = (took[took.len() / 2].0, took[took.len() - 1]);
    println!(
        "{} seeds: half within {median:?}, all within {:?} (seed {})",
        took.len(),
        worst.0,
        worst.1
    );
}

#[test]
fn every_seed_connects_through_heavy_loss() {
    connect_all(100, &|seed| {
        CallBuilder::new("every_seed_connects_through_heavy_loss", seed)
    });
}

#[test]
fn every_seed_connects_through_heavy_loss_with_real_cryptography() {
    connect_all(10, &|seed| {
        CallBuilder::new(
            "every_seed_connects_through_heavy_loss_with_real_cryptography",
            seed,
        )
        .ring()
    });
}
