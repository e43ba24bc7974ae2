//! What the peer tells its user.

use rtckit_proto::id;

use crate::state::{
    ConnectionState, DtlsTransportState, IceCandidate, IceConnectionState, IceGatheringState,
    SignalingState,
};

id! {
    /// Names a transceiver of one peer for as long as the peer lives.
    pub struct TransceiverId(u32);
}

/// A fact about the connection. Small and owned: media is announced here and read through
/// [`Peer::receiver`](crate::Peer::receiver).
#[derive(Clone, Debug, PartialEq)]
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
    Track(TransceiverId),
    /// The first frames wait to be read since the receiver was last found empty.
    FrameReady(TransceiverId),
    /// The other side asks for a picture that stands alone (PLI or FIR).
    KeyframeRequested(TransceiverId),
}
