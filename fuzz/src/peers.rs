//! What the targets that drive whole peers share.

use core::time::Duration;

use rtckit_crypto::provider::Provider;
use rtckit_peer::{Config, Peer};
use rtckit_proto::{Instant, WallClock};

use crate::dtls::identities;

/// A peer that is the same in every run. There are two: number 0 and number 1.
pub fn peer(number: usize) -> Peer {
    let wall_clock = WallClock::new(Duration::from_secs(1_700_000_000));
    let config = Config::new(
        Provider::simulation(20 + number as u64),
        identities()[number].clone(),
        wall_clock,
    );
    Peer::new(config, Instant::ZERO).expect("the provider does not fail")
}
