//! Time as the machines see it: a number that the driver hands in.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};
use core::time::Duration;

/// A point in time: nanoseconds since the driver's epoch.
///
/// The epoch is the driver's choice (usually its start) and the same for every machine it drives. Time never
/// runs backwards: a machine that is handed an earlier `Instant` than before may treat it as the later one.
/// Arithmetic saturates at both ends, which are 584 years apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The driver's epoch.
    pub const ZERO: Self = Self(0);

    /// The instant `nanos` nanoseconds after the epoch.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The instant `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the epoch.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// How long ago `earlier` was; zero when it lies in the future.
    pub const fn duration_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.duration_since(earlier)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:06}s",
            self.0 / 1_000_000_000,
            self.0 / 1_000 % 1_000_000
        )
    }
}

/// Where the driver's epoch stands in the world's time, for NTP stamps and expiry dates.
///
/// Machines that stamp or check dates take one; nothing in rtckit reads the system's clock but the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WallClock {
    unix_nanos_at_epoch: u64,
}

/// Seconds from the NTP era (1900-01-01) to the Unix one (1970-01-01).
const NTP_TO_UNIX_SECONDS: u64 = 2_208_988_800;

impl WallClock {
    /// A clock on which [`Instant::ZERO`] was `unix` after 1970-01-01 00:00 UTC.
    pub fn new(unix: Duration) -> Self {
        Self {
            unix_nanos_at_epoch: u64::try_from(unix.as_nanos()).unwrap_or(u64::MAX),
        }
    }

    /// Time since 1970-01-01 00:00 UTC.
    pub fn unix(&self, now: Instant) -> Duration {
        Duration::from_nanos(self.unix_nanos_at_epoch.saturating_add(now.0))
    }

    /// The 64-bit NTP timestamp of RTCP sender reports ([RFC 3550 §4](https://www.rfc-editor.org/rfc/rfc3550#section-4)).
    pub fn ntp(&self, now: Instant) -> NtpTime {
        let unix = self.unix(now);
        let seconds = (unix.as_secs() + NTP_TO_UNIX_SECONDS) & 0xffff_ffff;
        let fraction = (u64::from(unix.subsec_nanos()) << 32) / 1_000_000_000;
        NtpTime(seconds << 32 | fraction)
    }
}

/// An NTP timestamp: seconds since 1900 in the upper 32 bits, the fraction in the lower
/// ([RFC 3550 §4](https://www.rfc-editor.org/rfc/rfc3550#section-4)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// The middle 32 bits, in units of 1/65536 s, as LSR and DLSR carry them.
    pub const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// Maps [`Instant`] to and from [`std::time::Instant`]. It reads no clock itself.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    epoch: std::time::Instant,
}

#[cfg(feature = "std")]
impl Clock {
    /// A clock whose [`Instant::ZERO`] is `epoch`.
    pub fn new(epoch: std::time::Instant) -> Self {
        Self { epoch }
    }

    /// The machine's view of `time`; instants before the epoch become [`Instant::ZERO`].
    pub fn instant(&self, time: std::time::Instant) -> Instant {
        Instant::ZERO + time.saturating_duration_since(self.epoch)
    }

    /// The system's view of `instant`.
    pub fn std(&self, instant: Instant) -> std::time::Instant {
        self.epoch + Duration::from_nanos(instant.as_nanos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn arithmetic_saturates() {
        let late = Instant::from_nanos(u64::MAX);
        assert_eq!(late + Duration::from_secs(1), late);
        assert_eq!(Instant::ZERO - Duration::from_secs(1), Instant::ZERO);
        assert_eq!(Instant::ZERO - late, Duration::ZERO);
        assert_eq!(format!("{:?}", Instant::from_millis(1_250)), "1.250000s");
    }

    #[test]
    fn ntp_of_the_unix_epoch() {
        let wall = WallClock::new(Duration::ZERO);
        assert_eq!(wall.ntp(Instant::ZERO).0, NTP_TO_UNIX_SECONDS << 32);
        // half a second is half of the fraction, and 0x8000 in the middle bits' lower half
        let half = wall.ntp(Instant::from_millis(500));
        assert_eq!(half.0 & 0xffff_ffff, 1 << 31);
        assert_eq!(half.middle() & 0xffff, 0x8000);
    }

    #[test]
    fn clock_maps_both_ways() {
        #[expect(clippy::disallowed_methods, reason = "the mapping is what is tested")]
        let epoch = std::time::Instant::now();
        let clock = Clock::new(epoch);
        let later = epoch + Duration::from_millis(7);
        assert_eq!(clock.instant(later), Instant::from_millis(7));
        assert_eq!(clock.std(Instant::from_millis(7)), later);
    }
}
