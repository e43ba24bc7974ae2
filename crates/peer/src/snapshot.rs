//! Filling in the [`StatsReport`].

use core::time::Duration;

use rtckit_dtls::Version;
use rtckit_ice::{PairState, Role};
use rtckit_proto::Instant;

use crate::peer::Peer;
use crate::secure_transport::DtlsRole;
use crate::stats::{
    CandidatePairStats, InboundRtpStats, OutboundRtpStats, StatsReport, TransportStats,
};
use crate::transceiver::Transceiver;

impl Peer {
    /// Everything that is counted, as of now.
    pub fn stats(&self, now: Instant) -> StatsReport {
        StatsReport {
            timestamp: now,
            transport: self.transport_stats(),
            candidate_pairs: self.candidate_pair_stats(),
            outbound_rtp: self.transceivers.iter().filter_map(outbound).collect(),
            inbound_rtp: self.transceivers.iter().filter_map(inbound).collect(),
        }
    }

    fn transport_stats(&self) -> TransportStats {
        let counters = &self.transport.counters;
        let agent = self.transport.ice.agent();
        let dtls = self.transport.dtls();
        let (ice_connect_time, dtls_connect_time) = self.transport.connect_times();
        let dtls_discards = dtls.map_or(0, |dtls| {
            let stats = dtls.stats();
            stats.dropped_records + stats.forged_or_replayed_records
        });
        TransportStats {
            packets_sent: counters.packets_sent,
            packets_received: counters.packets_received,
            bytes_sent: counters.bytes_sent,
            bytes_received: counters.bytes_received,
            ice_state: self.ice_connection_state(),
            ice_role: match agent.role() {
                Role::Controlling => "controlling",
                Role::Controlled => "controlled",
            },
            dtls_state: self.dtls_state(),
            dtls_role: self.transport.dtls_role().map(|role| match role {
                DtlsRole::Client => "client",
                DtlsRole::Server => "server",
            }),
            tls_version: dtls.and_then(rtckit_dtls::Connection::version).map(
                |version| match version {
                    Version::Dtls12 => "FEFD".to_owned(),
                    other => other.to_string(),
                },
            ),
            dtls_cipher: dtls.and_then(rtckit_dtls::Connection::cipher_suite),
            srtp_cipher: self.transport.srtp_profile().map(|profile| profile.name()),
            selected_candidate_pair: self.transport.ice.path(),
            selected_candidate_pair_changes: counters.path_changes,
            packets_discarded: counters.packets_discarded + agent.dropped() + dtls_discards,
            ice_connect_time,
            dtls_connect_time,
        }
    }

    fn candidate_pair_stats(&self) -> Vec<CandidatePairStats> {
        let agent = self.transport.ice.agent();
        let (locals, remotes) = (agent.local_candidates(), agent.remote_candidates());
        let pair = |pair: &rtckit_ice::CandidatePair| {
            let (local, remote) = (
                locals.get(pair.local_index())?,
                remotes.get(pair.remote_index())?,
            );
            let stats = pair.stats();
            Some(CandidatePairStats {
                local: local.address,
                local_candidate_type: local.candidate_type.name(),
                remote: remote.address,
                remote_candidate_type: remote.candidate_type.name(),
                state: match pair.state() {
                    PairState::Frozen => "frozen",
                    PairState::Waiting => "waiting",
                    PairState::InProgress => "in-progress",
                    PairState::Succeeded => "succeeded",
                    PairState::Failed => "failed",
                },
                nominated: pair.is_nominated(),
                current_round_trip_time: stats.current_rtt.as_ref().map(Duration::as_secs_f64),
                total_round_trip_time: stats.total_rtt.as_secs_f64(),
                requests_sent: stats.requests_sent,
                requests_received: stats.requests_received,
                responses_sent: stats.responses_sent,
                responses_received: stats.responses_received,
                consent_requests_sent: stats.consent_requests_sent,
            })
        };
        agent.pairs().iter().filter_map(pair).collect()
    }
}

fn outbound(transceiver: &Transceiver) -> Option<OutboundRtpStats> {
    let stats = transceiver.sender.as_ref()?.stats();
    let codec = &transceiver.codec.as_ref()?.send;
    let reported = stats.reports > 0;
    Some(OutboundRtpStats {
        transceiver: transceiver.id,
        mid: transceiver.mid.clone().unwrap_or_default(),
        kind: transceiver.kind,
        ssrc: transceiver.ssrc,
        rtx_ssrc: codec.rtx.map(|_| transceiver.rtx_ssrc),
        codec: transceiver.media_type().unwrap_or_default(),
        packets_sent: stats.packets,
        bytes_sent: stats.payload_bytes,
        frames_sent: stats.frames,
        key_frames_sent: stats.key_frames,
        retransmitted_packets_sent: stats.retransmitted_packets,
        retransmitted_bytes_sent: stats.retransmitted_bytes,
        nack_count: stats.nacks,
        pli_count: stats.plis,
        fir_count: stats.firs,
        remote_packets_lost: reported.then_some(stats.remote_lost.into()),
        remote_fraction_lost: reported.then(|| f64::from(stats.remote_fraction_lost) / 256.0),
        remote_jitter: reported
            .then(|| f64::from(stats.remote_jitter) / f64::from(codec.format.clock_rate())),
        round_trip_time: stats.rtt.as_ref().map(Duration::as_secs_f64),
    })
}

fn inbound(transceiver: &Transceiver) -> Option<InboundRtpStats> {
    let receiver = transceiver.receiver.as_ref()?;
    let stream = receiver.stream.as_ref()?;
    let stats = stream.stats();
    let codec = &transceiver.codec.as_ref()?.receive;
    Some(InboundRtpStats {
        transceiver: transceiver.id,
        mid: transceiver.mid.clone().unwrap_or_default(),
        kind: transceiver.kind,
        ssrc: stream.ssrc().0,
        rtx_ssrc: receiver.rtx_ssrc.map(|ssrc| ssrc.0),
        codec: transceiver.media_type().unwrap_or_default(),
        packets_received: stats.packets,
        packets_lost: stats.lost,
        bytes_received: stats.payload_bytes,
        packets_duplicated: stats.duplicates,
        retransmitted_packets_received: match codec.rtx {
            Some(_) => stats.retransmitted,
            None => stats.repaired,
        },
        jitter: f64::from(stats.jitter) / f64::from(codec.format.clock_rate()),
        frames_received: stats.frames,
        key_frames_received: stats.key_frames,
        frames_dropped: stats.skips,
        nack_count: stats.nacks,
        pli_count: receiver.plis,
        fir_count: receiver.firs,
    })
}
