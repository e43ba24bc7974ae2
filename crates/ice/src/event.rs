//! What an agent tells its user.

use crate::pair::SelectedPair;
use crate::role::Role;

/// Where an agent stands; the names are those of `RTCIceTransportState`.
///
/// ```text
///  New ──► Checking ──► Connected ──► Completed
///             │  ▲           │ ▲          │ ▲
///     no pair │  │restart    ▼ │ silence  ▼ │          Closed, from anywhere, is the end;
///             ▼  │        Disconnected ◄────┘          restart leads back to Checking.
///           Failed ◄──────────┘ consent expired
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ConnectionState {
    /// Nothing to check yet.
    #[default]
    New,
    /// Pairs are checked; none is selected.
    Checking,
    /// A pair is selected.
    Connected,
    /// A pair is selected and the peer will signal no more candidates.
    Completed,
    /// The peer has been silent for a while; this may pass.
    Disconnected,
    /// No pair works, or consent has expired. Only a restart helps.
    Failed,
    /// [`close`](crate::Agent::close) was called.
    Closed,
}

/// A fact about an agent.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[expect(
    clippy::large_enum_variant,
    reason = "events are few and short-lived; a box would allocate"
)]
pub enum Event {
    /// The state changed to this one.
    StateChanged(ConnectionState),
    /// Data is to be sent on this pair from now on.
    SelectedPair(SelectedPair),
    /// A role conflict was settled and this is the agent's role now.
    RoleChanged(Role),
}
