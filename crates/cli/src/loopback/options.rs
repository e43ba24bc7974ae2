//! The command line of `rtckit loopback`.

use core::hash::{BuildHasher as _, Hasher as _};
use core::time::Duration;
use std::hash::RandomState;

use clap::Args;

use crate::arguments::number;
use crate::stage;

/// A call between two peers in this process, over real UDP sockets on 127.0.0.1
///
/// The peer "left" calls the peer "right" and plays it video and sound. Every frame that arrives is compared with
/// the frame that was sent; the command succeeds only if all are identical and, without --loss, none is missing.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) stage: stage::Options,

    /// Lose this percentage of all datagrams, each way
    #[arg(long, value_name = "P", default_value = "0", value_parser = percent)]
    pub(crate) loss: f64,

    /// Delay every datagram, each way
    #[arg(long, value_name = "MS", default_value = "0", value_parser = milliseconds)]
    pub(crate) delay: Duration,

    /// Delay every datagram by up to this much more, at random
    #[arg(long, value_name = "MS", default_value = "0", value_parser = milliseconds)]
    pub(crate) jitter: Duration,

    /// Choose what --loss and --jitter do to which datagram; the story of a call names its number
    #[arg(long, value_name = "N", default_value_t = random_seed(), hide_default_value = true)]
    pub(crate) seed: u64,
}

impl Options {
    /// Whether the network is to be worse than loopback is.
    pub(crate) fn is_impaired(&self) -> bool {
        self.loss > 0.0 || !self.delay.is_zero() || !self.jitter.is_zero()
    }

    /// The longest a datagram is under way.
    pub(crate) fn longest_transit(&self) -> Duration {
        self.delay + self.jitter
    }
}

/// Another number each time, small enough to be typed.
fn random_seed() -> u64 {
    RandomState::new().build_hasher().finish() % 1_000_000
}

fn percent(text: &str) -> Result<f64, String> {
    match number(text)? {
        percent if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("it must be between 0 and 100".into()),
    }
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    match number(text)? {
        millis if (0.0..=10_000.0).contains(&millis) => {
            Ok(Duration::from_secs_f64(millis / 1000.0))
        }
        _ => Err("it must be between 0 and 10000".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_limits() {
        assert_eq!(percent("100"), Ok(100.0));
        for wrong in ["-0.1", "100.1", "NaN", "5%"] {
            assert!(percent(wrong).is_err(), "{wrong}");
        }
        assert_eq!(milliseconds("0.5"), Ok(Duration::from_micros(500)));
        assert!(milliseconds("-1").is_err() && milliseconds("10001").is_err());
    }
}
