//! What the transport refuses.

use core::fmt;

/// A call that did nothing. None of these harms the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Misuse: an address that no peer can reach (unspecified, multicast, port 0), or one given after
    /// [`end_of_local_addresses`](crate::Transport::end_of_local_addresses).
    UnusableAddress,
    /// ICE refused.
    Ice(rtckit_ice::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnusableAddress => f.write_str("no peer can reach this address"),
            Self::Ice(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Error {}

impl From<rtckit_ice::Error> for Error {
    fn from(error: rtckit_ice::Error) -> Self {
        Self::Ice(error)
    }
}
