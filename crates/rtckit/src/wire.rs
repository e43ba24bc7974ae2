//! Hooks for whoever wants to stand between the connection and its sockets.

use core::time::Duration;

use rtckit_proto::{FiveTuple, Instant};

/// Takes every outgoing datagram and gives it back when, and if, it is to be sent: an impaired link, a rate
/// limit, a recorder that keeps bytes back.
///
/// It is driven like every machine of rtckit: told the time, never asking for it.
pub trait Shaper: Send {
    /// A datagram leaves for `path`. It is copied or dropped.
    fn push(&mut self, now: Instant, path: FiveTuple, datagram: &[u8]);

    /// The next datagram that is due at `now`, lent until the next call.
    fn poll(&mut self, now: Instant) -> Option<(FiveTuple, &[u8])>;

    /// When the next datagram will be due; `None` when none waits.
    fn poll_timeout(&self) -> Option<Instant>;
}

/// Which way a datagram goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the socket to the connection.
    In,
    /// From the connection, after any [`Shaper`], to the socket.
    Out,
}

/// Sees every datagram as it is on the wire.
pub trait Tap: Send {
    /// A datagram passes. `unix` is the time since 1970-01-01 00:00 UTC.
    fn datagram(&mut self, unix: Duration, way: Way, path: FiveTuple, bytes: &[u8]);
}
