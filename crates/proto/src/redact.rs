//! Credentials and addresses that must not reach a log.

use core::fmt;

/// A value that prints as `[redacted]`.
///
/// Credentials are wrapped in it wherever they are stored, so that no `{:?}` of a machine can leak them. The
/// value itself is a field away: printing it is a decision that shows in the code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Redacted<T>(pub T);

impl<T> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T> fmt::Display for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn nothing_leaks() {
        let secret = Redacted("hunter2");
        assert_eq!(format!("{secret} {secret:?}"), "[redacted] [redacted]");
        assert_eq!(secret.0, "hunter2");
    }
}
