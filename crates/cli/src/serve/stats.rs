//! Statistics as browsers give them, so that the page shows both ends with the same code
//! ([W3C](https://www.w3.org/TR/webrtc-stats/)).

use rtckit::{InboundRtpStats, OutboundRtpStats, StatsReport, TransportStats};
use serde::Serialize;

use crate::names;

/// One dictionary of the report, with the W3C's names.
#[derive(Debug, Serialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub(crate) enum Stats {
    Transport {
        timestamp: f64,
        packets_sent: u64,
        packets_received: u64,
        bytes_sent: u64,
        bytes_received: u64,
        ice_state: &'static str,
        ice_role: &'static str,
        dtls_state: &'static str,
        dtls_role: Option<&'static str>,
        tls_version: Option<String>,
        dtls_cipher: Option<&'static str>,
        srtp_cipher: Option<&'static str>,
        /// Ours.
        dtls_version: &'static str,
        packets_discarded: u64,
        local_address: Option<String>,
        remote_address: Option<String>,
        current_round_trip_time: Option<f64>,
    },
    InboundRtp {
        timestamp: f64,
        mid: String,
        kind: &'static str,
        ssrc: u32,
        mime_type: String,
        packets_received: u64,
        packets_lost: i64,
        bytes_received: u64,
        jitter: f64,
        frames_received: u64,
        key_frames_received: u64,
        frames_dropped: u64,
        nack_count: u64,
        pli_count: u64,
        retransmitted_packets_received: u64,
    },
    OutboundRtp {
        timestamp: f64,
        mid: String,
        kind: &'static str,
        ssrc: u32,
        mime_type: String,
        packets_sent: u64,
        bytes_sent: u64,
        frames_sent: u64,
        key_frames_sent: u64,
        retransmitted_packets_sent: u64,
        nack_count: u64,
        pli_count: u64,
        fir_count: u64,
        /// What the other side reports.
        packets_lost: Option<i64>,
        round_trip_time: Option<f64>,
    },
}

/// The report as a list of dictionaries.
pub(crate) fn stats(report: &StatsReport) -> Vec<Stats> {
    // Milliseconds since the connection was made: good for differences, as those of browsers are.
    let timestamp = report.timestamp.as_nanos() as f64 / 1e6;
    let mut all = vec![transport(timestamp, report, &report.transport)];
    all.extend(
        report
            .inbound_rtp
            .iter()
            .map(|stream| inbound(timestamp, stream)),
    );
    all.extend(
        report
            .outbound_rtp
            .iter()
            .map(|stream| outbound(timestamp, stream)),
    );
    all
}

fn transport(timestamp: f64, report: &StatsReport, transport: &TransportStats) -> Stats {
    let path = transport.selected_candidate_pair;
    let pair = path.and_then(|path| {
        let mut pairs = report.candidate_pairs.iter();
        pairs.find(|pair| (pair.local, pair.remote) == (path.local, path.remote))
    });
    Stats::Transport {
        timestamp,
        packets_sent: transport.packets_sent,
        packets_received: transport.packets_received,
        bytes_sent: transport.bytes_sent,
        bytes_received: transport.bytes_received,
        ice_state: transport.ice_state.as_str(),
        ice_role: transport.ice_role,
        dtls_state: transport.dtls_state.as_str(),
        dtls_role: transport.dtls_role,
        tls_version: transport.tls_version.clone(),
        dtls_cipher: transport.dtls_cipher,
        srtp_cipher: transport.srtp_cipher,
        dtls_version: names::dtls_version(transport.tls_version.as_deref()),
        packets_discarded: transport.packets_discarded,
        local_address: path.map(|path| path.local.to_string()),
        remote_address: path.map(|path| path.remote.to_string()),
        current_round_trip_time: pair.and_then(|pair| pair.current_round_trip_time),
    }
}

fn inbound(timestamp: f64, stream: &InboundRtpStats) -> Stats {
    Stats::InboundRtp {
        timestamp,
        mid: stream.mid.clone(),
        kind: stream.kind.as_str(),
        ssrc: stream.ssrc,
        mime_type: stream.codec.clone(),
        packets_received: stream.packets_received,
        packets_lost: stream.packets_lost,
        bytes_received: stream.bytes_received,
        jitter: stream.jitter,
        frames_received: stream.frames_received,
        key_frames_received: stream.key_frames_received,
        frames_dropped: stream.frames_dropped,
        nack_count: stream.nack_count,
        pli_count: stream.pli_count,
        retransmitted_packets_received: stream.retransmitted_packets_received,
    }
}

fn outbound(timestamp: f64, stream: &OutboundRtpStats) -> Stats {
    Stats::OutboundRtp {
        timestamp,
        mid: stream.mid.clone(),
        kind: stream.kind.as_str(),
        ssrc: stream.ssrc,
        mime_type: stream.codec.clone(),
        packets_sent: stream.packets_sent,
        bytes_sent: stream.bytes_sent,
        frames_sent: stream.frames_sent,
        key_frames_sent: stream.key_frames_sent,
        retransmitted_packets_sent: stream.retransmitted_packets_sent,
        nack_count: stream.nack_count,
        pli_count: stream.pli_count,
        fir_count: stream.fir_count,
        packets_lost: stream.remote_packets_lost,
        round_trip_time: stream.round_trip_time,
    }
}
