//! (being written)
#![forbid(unsafe_code)]

mod config;
mod demux;
mod error;
mod event;
mod handles;
mod jsep;
mod negotiation;
mod peer;
mod report;
mod secure_transport;
mod signaling;
mod snapshot;
mod state;
mod stats;
mod transceiver;

pub use config::{Config, Setup};
pub use error::Error;
pub use event::{Event, TransceiverId};
pub use handles::{Receiver, Sender};
pub use peer::Peer;
pub use rtckit_rtp::Frame;
pub use rtckit_sdp::attribute::Direction;
pub use state::{
    ConnectionState, DtlsTransportState, IceCandidate, IceConnectionState, IceGatheringState,
    MediaKind, SdpType, SessionDescription, SignalingState,
};
pub use stats::{
    CandidatePairStats, InboundRtpStats, OutboundRtpStats, StatsReport, TransportStats,
};
pub use transceiver::TransceiverInfo;
