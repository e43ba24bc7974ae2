//! The contract of every machine, for drivers that do not care which one they drive.

use crate::{Datagram, Instant, Transmit};

/// A protocol machine: no socket, no clock, no thread.
///
/// Machines offer these five as inherent methods; the trait exists for drivers, the simulator and the fuzz
/// interpreters, which drive any of them.
///
/// **Order.** After any call that may change the machine (`handle_*` or a method of its own), drain
/// `poll_transmit` and `poll_event` until each returns `None`, then ask `poll_timeout`. Calling them in
/// another order, or forgetting to drain, costs latency, never correctness.
///
/// **Time.** `now` never runs backwards. `handle_timeout` may be called early or late: early does nothing,
/// late does what was due.
pub trait Machine {
    /// What the machine tells its user: small owned facts.
    type Event;

    /// Bytes arrive. They may be changed in place; noise is dropped and counted.
    fn handle_input(&mut self, now: Instant, datagram: Datagram<'_>);

    /// Time passed. Does whatever is due at `now`.
    fn handle_timeout(&mut self, now: Instant);

    /// Writes what is to be sent into `buf` and says where it goes; `None` when nothing is left.
    fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit>;

    /// The next fact for the user; `None` when there is none.
    fn poll_event(&mut self) -> Option<Self::Event>;

    /// When `handle_timeout` wants to be called next; `None` when nothing is pending.
    fn poll_timeout(&self) -> Option<Instant>;
}
