//! What came of the call: for people a table, for programs JSON.

use core::fmt::Write;
use core::time::Duration;

use comfy_table::{Cell, CellAlignment, Table, presets};
use rtckit::{CandidatePairStats, InboundRtpStats, OutboundRtpStats, StatsReport};
use serde::Serialize;

use crate::failure::Failure;
use crate::names;
use crate::play::Stream;

/// What a report is made from.
pub(crate) struct Facts<'f, S> {
    /// What is told of this kind of call alone.
    pub(crate) scene: S,
    pub(crate) promise: Promise,
    /// Why the call ended before its time, if it did.
    pub(crate) failure: Option<Failure>,
    /// How long was asked to be played.
    pub(crate) seconds: Duration,
    /// From the offer to the connection.
    pub(crate) connect: Option<Duration>,
    /// From the offer to the first whole frame.
    pub(crate) first_media: Option<Duration>,
    /// Where the streams were sent from, as JSON and the table have it.
    pub(crate) direction: [&'static str; 2],
    pub(crate) sender: &'f StatsReport,
    pub(crate) receiver: &'f StatsReport,
    pub(crate) streams: [&'f Stream; 2],
}

/// What a call must keep to succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// Every frame comes, as it was sent.
    EveryFrame,
    /// Every frame that comes is as it was sent: the network may lose some.
    EveryFrameThatComes,
    /// Something comes: the other side sends what it likes.
    Something,
}

/// The object that `--json` prints. `schema/` describes it. `S` is what is told of one kind of call alone.
#[derive(Debug, Serialize)]
pub(crate) struct Report<S> {
    ok: bool,
    /// Why it is not `ok`: the line on stderr.
    error: Option<Failure>,
    seconds: f64,
    #[serde(flatten)]
    scene: S,
    connect_ms: Option<f64>,
    phases: Phases,
    dtls_version: &'static str,
    dtls_role: Option<&'static str>,
    dtls_suite: Option<&'static str>,
    srtp_profile: Option<&'static str>,
    selected_pair: Option<SelectedPair>,
    streams: Vec<StreamReport>,
    #[serde(skip)]
    promise: Promise,
    #[serde(skip)]
    title: &'static str,
    /// Whether the call went on to its end.
    #[serde(skip)]
    is_whole: bool,
}

#[derive(Debug, Serialize)]
struct Phases {
    ice_ms: Option<f64>,
    dtls_ms: Option<f64>,
    first_media_ms: Option<f64>,
}

#[derive(Debug, Serialize)]
struct SelectedPair {
    local: End,
    remote: End,
    round_trip_ms: Option<f64>,
}

#[derive(Debug, Serialize)]
struct End {
    address: String,
    r#type: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct StreamReport {
    kind: &'static str,
    codec: String,
    direction: &'static str,
    frames_sent: u64,
    frames_received: u64,
    /// `None` if there is nothing to compare with.
    frames_identical: Option<u64>,
    packets_sent: u64,
    packets_received: u64,
    packets_lost: i64,
    packets_retransmitted: u64,
    packets_duplicated: u64,
    bytes_sent: u64,
    bytes_received: u64,
    jitter_ms: Option<f64>,
    round_trip_ms: Option<f64>,
    nacks: u64,
    keyframe_requests: u64,
}

impl<S> Report<S> {
    pub(crate) fn new(facts: Facts<'_, S>) -> Self {
        let transport = &facts.sender.transport;
        let streams: Vec<StreamReport> = facts
            .streams
            .iter()
            .map(|stream| StreamReport::new(stream, &facts))
            .collect();
        let is_whole = facts.failure.is_none();
        let error = facts
            .failure
            .clone()
            .or_else(|| broken(&streams, facts.promise));
        Self {
            ok: error.is_none(),
            error,
            seconds: facts.seconds.as_secs_f64(),
            connect_ms: facts.connect.map(millis),
            phases: Phases {
                ice_ms: transport.ice_connect_time.map(millis),
                dtls_ms: transport.dtls_connect_time.map(millis),
                first_media_ms: facts.first_media.map(millis),
            },
            dtls_version: names::dtls_version(transport.tls_version.as_deref()),
            dtls_role: transport.dtls_role,
            dtls_suite: transport.dtls_cipher,
            srtp_profile: transport.srtp_cipher,
            selected_pair: SelectedPair::new(facts.sender),
            streams,
            promise: facts.promise,
            title: facts.direction[1],
            is_whole,
            scene: facts.scene,
        }
    }

    /// The report of a call that has come to nothing: what is not known is null.
    pub(crate) fn failed(scene: S, seconds: Duration, failure: Failure) -> Self {
        Self {
            ok: false,
            error: Some(failure),
            seconds: seconds.as_secs_f64(),
            scene,
            connect_ms: None,
            phases: Phases {
                ice_ms: None,
                dtls_ms: None,
                first_media_ms: None,
            },
            dtls_version: names::dtls_version(None),
            dtls_role: None,
            dtls_suite: None,
            srtp_profile: None,
            selected_pair: None,
            streams: Vec::new(),
            promise: Promise::Something,
            title: "",
            is_whole: false,
        }
    }

    /// Whether the call went on to its end, whatever came of it.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Something failed after the call.
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.ok = false;
        self.error = Some(failure);
        self.is_whole = false;
    }

    /// Whether the call kept its promise.
    pub(crate) fn verdict(&self) -> Result<(), Failure> {
        self.error.clone().map_or(Ok(()), Err)
    }

    /// The closing table.
    pub(crate) fn table(&self, colours: bool) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{}\n{}",
            self.connection_table(),
            self.streams_table()
        );
        let verdict = match (self.ok, self.promise) {
            (false, _) => "The call did not keep its promise.",
            (true, Promise::EveryFrame) => "Every frame came, byte for byte as it was sent.",
            (true, Promise::EveryFrameThatComes) => "Every frame that came is as it was sent.",
            (true, Promise::Something) => "Video and sound came.",
        };
        let colour = if self.ok { 32 } else { 31 };
        let _ = if colours {
            write!(text, "\x1b[1;{colour}m{verdict}\x1b[0m")
        } else {
            write!(text, "{verdict}")
        };
        text
    }

    fn connection_table(&self) -> Table {
        let mut table = Table::new();
        table
            .load_preset(presets::UTF8_FULL_CONDENSED)
            .set_header(["Connection", ""]);
        table.add_row(["Time to connect".into(), ms(self.connect_ms)]);
        table.add_row(["  ICE".into(), ms(self.phases.ice_ms)]);
        table.add_row(["  DTLS".into(), ms(self.phases.dtls_ms)]);
        table.add_row(["  first frame".into(), ms(self.phases.first_media_ms)]);
        if let Some(pair) = &self.selected_pair {
            let end = |end: &End| format!("{} ({})", end.address, end.r#type.unwrap_or("unknown"));
            table.add_row([
                "Selected pair".into(),
                format!("{} to {}", end(&pair.local), end(&pair.remote)),
            ]);
            table.add_row(["  round trip".into(), ms(pair.round_trip_ms)]);
        }
        table.add_row(["DTLS", self.dtls_version]);
        table.add_row(["  cipher suite", self.dtls_suite.unwrap_or("unknown")]);
        table.add_row(["SRTP profile", self.srtp_profile.unwrap_or("unknown")]);
        table
    }

    fn streams_table(&self) -> Table {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_FULL_CONDENSED);
        let names = self
            .streams
            .iter()
            .map(|stream| format!("{} ({})", stream.kind, stream.codec));
        table.set_header(core::iter::once(self.title.into()).chain(names));
        let mut row = |name: &str, value: &dyn Fn(&StreamReport) -> String| {
            let values = self
                .streams
                .iter()
                .map(|stream| Cell::new(value(stream)).set_alignment(CellAlignment::Right));
            table.add_row(core::iter::once(Cell::new(name)).chain(values));
        };
        row("Frames sent", &|stream| stream.frames_sent.to_string());
        row("  received", &|stream| stream.frames_received.to_string());
        if self.promise != Promise::Something {
            row("  identical", &|stream| {
                stream.frames_identical.unwrap_or(0).to_string()
            });
        }
        row("Packets sent", &|stream| stream.packets_sent.to_string());
        row("  received", &|stream| stream.packets_received.to_string());
        row("  lost", &|stream| stream.packets_lost.to_string());
        row("  retransmitted", &|stream| {
            stream.packets_retransmitted.to_string()
        });
        row("Bytes sent", &|stream| stream.bytes_sent.to_string());
        row("  received", &|stream| stream.bytes_received.to_string());
        row("Jitter", &|stream| ms(stream.jitter_ms));
        row("Round trip", &|stream| ms(stream.round_trip_ms));
        table
    }
}

/// How the streams broke the promise, if they did.
fn broken(streams: &[StreamReport], promise: Promise) -> Option<Failure> {
    let fault =
        |stream: &StreamReport| Some(format!("{}: {}", stream.kind, stream.fault(promise)?));
    let faults: Vec<String> = streams.iter().filter_map(fault).collect();
    (!faults.is_empty()).then(|| Failure::new(faults.join("; ")))
}

impl SelectedPair {
    fn new(stats: &StatsReport) -> Option<Self> {
        let path = stats.transport.selected_candidate_pair?;
        let is_selected =
            |pair: &&CandidatePairStats| (pair.local, pair.remote) == (path.local, path.remote);
        let pair = stats.candidate_pairs.iter().find(is_selected);
        let end = |address: core::net::SocketAddr, r#type| End {
            address: address.to_string(),
            r#type,
        };
        Some(Self {
            local: end(path.local, pair.map(|pair| pair.local_candidate_type)),
            remote: end(path.remote, pair.map(|pair| pair.remote_candidate_type)),
            round_trip_ms: pair
                .and_then(|pair| pair.current_round_trip_time)
                .map(seconds_to_ms),
        })
    }
}

impl StreamReport {
    fn new<S>(stream: &Stream, facts: &Facts<'_, S>) -> Self {
        let kind = stream.kind();
        let sent: Option<&OutboundRtpStats> = facts
            .sender
            .outbound_rtp
            .iter()
            .find(|stats| stats.kind == kind);
        let came: Option<&InboundRtpStats> = facts
            .receiver
            .inbound_rtp
            .iter()
            .find(|stats| stats.kind == kind);
        let (frames_received, frames_identical) = stream.outcome();
        let codec = sent.map_or("", |stats| &stats.codec);
        Self {
            kind: kind.as_str(),
            // the subtype of `video/VP8`
            codec: codec.rsplit('/').next().unwrap_or(codec).to_owned(),
            direction: facts.direction[0],
            frames_sent: stream.progress().sent(),
            frames_received,
            frames_identical: (facts.promise != Promise::Something).then_some(frames_identical),
            packets_sent: sent.map_or(0, |stats| stats.packets_sent),
            packets_received: came.map_or(0, |stats| stats.packets_received),
            packets_lost: came.map_or(0, |stats| stats.packets_lost),
            packets_retransmitted: sent.map_or(0, |stats| stats.retransmitted_packets_sent),
            packets_duplicated: came.map_or(0, |stats| stats.packets_duplicated),
            bytes_sent: sent.map_or(0, |stats| stats.bytes_sent),
            bytes_received: came.map_or(0, |stats| stats.bytes_received),
            jitter_ms: came.map(|stats| seconds_to_ms(stats.jitter)),
            round_trip_ms: sent
                .and_then(|stats| stats.round_trip_time)
                .map(seconds_to_ms),
            nacks: came.map_or(0, |stats| stats.nack_count),
            keyframe_requests: came.map_or(0, |stats| stats.pli_count),
        }
    }

    /// How it broke the promise, if it did.
    fn fault(&self, promise: Promise) -> Option<String> {
        let (sent, received) = (self.frames_sent, self.frames_received);
        // What is not compared counts as good.
        let identical = self.frames_identical.unwrap_or(received);
        if identical < received {
            let different = received - identical;
            Some(format!(
                "{different} of {received} received frames are not as they were sent"
            ))
        } else if received == 0 {
            Some("no frame came".into())
        } else if promise == Promise::EveryFrame && received < sent {
            Some(format!("{} of {sent} frames are missing", sent - received))
        } else {
            None
        }
    }
}

/// Milliseconds, to the microsecond.
pub(crate) fn millis(duration: Duration) -> f64 {
    seconds_to_ms(duration.as_secs_f64())
}

fn seconds_to_ms(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e3
}

fn ms(value: Option<f64>) -> String {
    value.map_or_else(|| "unknown".into(), |value| format!("{value:.1} ms"))
}

/// Prints a report as one JSON object.
pub(crate) fn print_json(report: &impl Serialize) -> Result<(), Failure> {
    let mut line = serde_json::to_string(report).map_err(Failure::new)?;
    line.push('\n');
    std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes())
        .map_err(|error| Failure::new(format_args!("stdout: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(sent: u64, received: u64, identical: u64) -> StreamReport {
        StreamReport {
            kind: "video",
            codec: "VP8".into(),
            direction: "left-to-right",
            frames_sent: sent,
            frames_received: received,
            frames_identical: Some(identical),
            packets_sent: 0,
            packets_received: 0,
            packets_lost: 0,
            packets_retransmitted: 0,
            packets_duplicated: 0,
            bytes_sent: 0,
            bytes_received: 0,
            jitter_ms: None,
            round_trip_ms: None,
            nacks: 0,
            keyframe_requests: 0,
        }
    }

    #[test]
    fn what_is_a_fault() {
        use Promise::{EveryFrame, EveryFrameThatComes, Something};
        assert_eq!(stream(10, 10, 10).fault(EveryFrame), None);
        assert_eq!(stream(10, 9, 9).fault(EveryFrameThatComes), None);
        assert_eq!(
            stream(10, 9, 9).fault(EveryFrame).as_deref(),
            Some("1 of 10 frames are missing")
        );
        let corrupt = Some("1 of 10 received frames are not as they were sent".to_owned());
        assert_eq!(stream(10, 10, 9).fault(EveryFrame), corrupt);
        assert_eq!(stream(10, 10, 9).fault(EveryFrameThatComes), corrupt);
        assert_eq!(
            stream(10, 0, 0).fault(EveryFrameThatComes).as_deref(),
            Some("no frame came")
        );
        let mut foreign = stream(10, 7, 0);
        foreign.frames_identical = None;
        assert_eq!(foreign.fault(Something), None);
        foreign.frames_received = 0;
        assert_eq!(foreign.fault(Something).as_deref(), Some("no frame came"));
    }
}
