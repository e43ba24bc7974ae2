//! What a connection tells its user.

use rtckit_peer::{
    ConnectionState, DtlsTransportState, IceCandidate, IceConnectionState, IceGatheringState,
    SignalingState,
};

use crate::Transceiver;

/// A fact about the connection, read with [`PeerConnection::next_event`](crate::PeerConnection::next_event).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The offer/answer exchange moved on.
    SignalingState(SignalingState),
    /// Gathering began or ended.
    IceGatheringState(IceGatheringState),
    /// A local candidate was found: hand it to the other side (trickle).
    IceCandidate(IceCandidate),
    /// The ICE agent's state changed.
    IceConnectionState(IceConnectionState),
    /// The DTLS transport's state changed.
    DtlsState(DtlsTransportState),
    /// The state of the whole connection changed.
    ConnectionState(ConnectionState),
    /// The remote description made this transceiver receive.
    Track(Transceiver),
    /// The other side asks for a picture that stands alone.
    KeyframeRequested(Transceiver),
}
