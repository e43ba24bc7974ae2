//! What the cross-crate tests share: a call between two peers over a simulated network, and what to send in it.
//!
//! - [`Call`] ties two peers together: signalling, network, virtual time. A test that fails prints its seed and the
//!   command that repeats it, and writes every datagram to a pcap file.
//! - [`Clip`] is what cameras and microphones would give; [`Playback`] sends it and judges what arrives.
//! - [`seeds`] are the seeds to try, or the one that `RTCKIT_SEED` names.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on should panic"
)]

mod call;
mod clip;
mod playback;

pub use call::{Call, CallBuilder, Calls, Side, Signaling};
pub use clip::Clip;
pub use playback::{Playback, Tally};

/// The environment variable that names the one seed to run.
pub const SEED_VARIABLE: &str = "RTCKIT_SEED";

/// The seeds `1..=count`, or only the one in the environment variable `RTCKIT_SEED`.
pub fn seeds(count: u64) -> impl Iterator<Item = u64> {
    let chosen = std::env::var(SEED_VARIABLE).ok().map(|seed| {
        seed.parse()
            .unwrap_or_else(|_| panic!("{SEED_VARIABLE}={seed} is no number"))
    });
    let (first, last) = chosen.map_or((1, count), |seed: u64| (seed, seed));
    first..=last
}
