//! The one place of this crate that reads clocks.
#![allow(
    clippy::disallowed_methods,
    reason = "the driver is who tells the machines the time"
)]

use core::time::Duration;

use rtckit_proto::{Clock, Instant, WallClock};

/// One connection's time: its epoch is the moment the connection was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time {
    clock: Clock,
    wall: WallClock,
}

impl Time {
    /// Time that begins now.
    pub(crate) fn start() -> Self {
        let unix = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Self {
            clock: Clock::new(std::time::Instant::now()),
            wall: WallClock::new(unix),
        }
    }

    /// The present, as the machines see it.
    pub(crate) fn now(&self) -> Instant {
        self.clock.instant(std::time::Instant::now())
    }

    /// Where the epoch stands in the world's time.
    pub(crate) fn wall(&self) -> WallClock {
        self.wall
    }

    /// The timer's view of `instant`.
    pub(crate) fn tokio(&self, instant: Instant) -> tokio::time::Instant {
        self.clock.std(instant).into()
    }
}
