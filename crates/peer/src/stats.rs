//! Statistics, with the members' names of the W3C's
//! [Identifiers for WebRTC's Statistics API](https://www.w3.org/TR/webrtc-stats/), in Rust's spelling.
//!
//! Counters count from the start of the stream; times are in seconds, as there.

use core::net::SocketAddr;
use core::time::Duration;

use rtckit_proto::{FiveTuple, Instant};

use crate::event::TransceiverId;
use crate::state::{DtlsTransportState, IceConnectionState, MediaKind};

/// A snapshot of everything the peer counts.
#[derive(Clone, Debug)]
pub struct StatsReport {
    /// When it was taken.
    pub timestamp: Instant,
    /// The one transport that BUNDLE leaves.
    pub transport: TransportStats,
    /// Every pair of candidates the agent knows.
    pub candidate_pairs: Vec<CandidatePairStats>,
    /// One for each stream that is being sent.
    pub outbound_rtp: Vec<OutboundRtpStats>,
    /// One for each stream that is being received.
    pub inbound_rtp: Vec<InboundRtpStats>,
}

/// `RTCTransportStats`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TransportStats {
    /// Datagrams sent on this transport.
    pub packets_sent: u64,
    /// Datagrams received.
    pub packets_received: u64,
    /// Payload bytes sent.
    pub bytes_sent: u64,
    /// Payload bytes received.
    pub bytes_received: u64,
    /// The state of the ICE agent.
    pub ice_state: IceConnectionState,
    /// "controlling" or "controlled".
    pub ice_role: &'static str,
    /// The state of DTLS.
    pub dtls_state: DtlsTransportState,
    /// "client" or "server"; `None` until the roles are settled.
    pub dtls_role: Option<&'static str>,
    /// The version in hexadecimal, as the W3C has it: `FEFD` is DTLS 1.2.
    pub tls_version: Option<String>,
    /// The cipher suite's IANA name.
    pub dtls_cipher: Option<&'static str>,
    /// The SRTP protection profile's IANA name.
    pub srtp_cipher: Option<&'static str>,
    /// The path in use.
    pub selected_candidate_pair: Option<FiveTuple>,
    /// How often the path in use changed.
    pub selected_candidate_pair_changes: u32,
    /// Datagrams dropped because no protocol would have them, they were forged, or replayed. (rtckit's own.)
    pub packets_discarded: u64,
    /// From the first call that let ICE begin to a working path. (rtckit's own.)
    pub ice_connect_time: Option<Duration>,
    /// From a working path to agreed keys. (rtckit's own.)
    pub dtls_connect_time: Option<Duration>,
}

/// `RTCIceCandidatePairStats`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CandidatePairStats {
    /// The local candidate's address.
    pub local: SocketAddr,
    /// The local candidate's type: host, srflx, prflx or relay.
    pub local_candidate_type: &'static str,
    /// The remote candidate's address.
    pub remote: SocketAddr,
    /// The remote candidate's type.
    pub remote_candidate_type: &'static str,
    /// frozen, waiting, in-progress, failed or succeeded.
    pub state: &'static str,
    /// Whether it was nominated.
    pub nominated: bool,
    /// The latest round-trip time of a check, in seconds.
    pub current_round_trip_time: Option<f64>,
    /// The sum of all of them, in seconds.
    pub total_round_trip_time: f64,
    /// Checks sent, without retransmissions and consent.
    pub requests_sent: u64,
    /// Checks received.
    pub requests_received: u64,
    /// Answers sent.
    pub responses_sent: u64,
    /// Answers received.
    pub responses_received: u64,
    /// Consent checks sent.
    pub consent_requests_sent: u64,
}

/// `RTCOutboundRtpStreamStats`, with the `RTCRemoteInboundRtpStreamStats` that the other side reported.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OutboundRtpStats {
    /// The transceiver.
    pub transceiver: TransceiverId,
    /// Its media section.
    pub mid: String,
    /// Audio or video.
    pub kind: MediaKind,
    /// The synchronization source.
    pub ssrc: u32,
    /// The source that lost packets are sent again with, where RTX is negotiated.
    pub rtx_ssrc: Option<u32>,
    /// The codec's media type, such as `video/VP8`.
    pub codec: String,
    /// Packets sent, with retransmissions, those over RTX too.
    pub packets_sent: u64,
    /// Payload bytes sent, with retransmissions, without headers.
    pub bytes_sent: u64,
    /// Frames handed to the packetizer.
    pub frames_sent: u64,
    /// Those that stand alone.
    pub key_frames_sent: u64,
    /// Packets sent again, over RTX where it is negotiated.
    pub retransmitted_packets_sent: u64,
    /// Payload bytes sent again.
    pub retransmitted_bytes_sent: u64,
    /// Generic NACKs received.
    pub nack_count: u64,
    /// Picture loss indications received.
    pub pli_count: u64,
    /// Full intra requests received.
    pub fir_count: u64,
    /// The other side's count of packets lost.
    pub remote_packets_lost: Option<i64>,
    /// The share lost since the report before, as the other side saw it.
    pub remote_fraction_lost: Option<f64>,
    /// The jitter the other side saw, in seconds.
    pub remote_jitter: Option<f64>,
    /// The latest round-trip time by RTCP, in seconds.
    pub round_trip_time: Option<f64>,
}

/// `RTCInboundRtpStreamStats`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InboundRtpStats {
    /// The transceiver.
    pub transceiver: TransceiverId,
    /// Its media section.
    pub mid: String,
    /// Audio or video.
    pub kind: MediaKind,
    /// The synchronization source.
    pub ssrc: u32,
    /// The source of retransmissions, once one came over RTX.
    pub rtx_ssrc: Option<u32>,
    /// The codec's media type.
    pub codec: String,
    /// Packets received, with repaired ones.
    pub packets_received: u64,
    /// Packets that did not come on the stream (RFC 3550 A.3). One that is sent again on the stream itself then did come;
    /// one that comes over RTX stays lost.
    pub packets_lost: i64,
    /// Payload bytes received.
    pub bytes_received: u64,
    /// Packets that came twice. (W3C: `packetsDuplicated`.)
    pub packets_duplicated: u64,
    /// Packets that came over RTX; where it is not negotiated, those that came after they had been asked for again.
    pub retransmitted_packets_received: u64,
    /// The interarrival jitter, in seconds.
    pub jitter: f64,
    /// Whole frames handed on.
    pub frames_received: u64,
    /// Those that stand alone.
    pub key_frames_received: u64,
    /// How often frames, or parts of them, were given up because packets never came.
    pub frames_dropped: u64,
    /// Generic NACKs sent.
    pub nack_count: u64,
    /// Picture loss indications sent.
    pub pli_count: u64,
    /// Full intra requests sent.
    pub fir_count: u64,
}
