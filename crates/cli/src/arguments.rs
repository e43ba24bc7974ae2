//! Arguments that several commands take.

use core::time::Duration;

use clap::ValueEnum;

/// Which DTLS role to ask for (RFC 8842 §5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Setup {
    /// Be the client wherever the other side leaves a choice
    Active,
    /// Be the server wherever the other side leaves a choice
    Passive,
    /// Leave the choice to the other side; when answering, be the client
    #[default]
    Actpass,
}

impl From<Setup> for rtckit::Setup {
    fn from(setup: Setup) -> Self {
        match setup {
            Setup::Active => Self::Active,
            Setup::Passive => Self::Passive,
            Setup::Actpass => Self::ActPass,
        }
    }
}

/// How long to play.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let duration = match number(text)? {
        seconds if (0.0..=86_400.0).contains(&seconds) => Duration::from_secs_f64(seconds),
        _ => Duration::ZERO,
    };
    // A number can be more than 0 and still less than any duration.
    if duration.is_zero() {
        return Err("it must be more than 0 and at most 86400".into());
    }
    Ok(duration)
}

/// A number with or without decimals.
pub(crate) fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "it is not a number".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_limits() {
        assert_eq!(seconds("2.5"), Ok(Duration::from_millis(2500)));
        for wrong in ["0", "-1", "NaN", "inf", "1e9", "1e-300", "five", ""] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
