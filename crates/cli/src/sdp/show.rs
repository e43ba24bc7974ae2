//! `rtckit sdp show`: what a description says.

use core::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::input::Input;
use super::output::{count, harmless, print, print_json};
use super::secret;
use super::summary::{
    CandidateSummary, CodecSummary, ConnectionSummary, ExtensionSummary, LineSummary, MediaSummary,
    ParameterSummary, SimulcastRid, Summary, TimeSummary,
};
use crate::failure::Failure;

/// Summarise a description
///
/// Takes whatever browsers and phones take: `rtckit sdp check` tells what of it is not as it should be.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// The description, or - for stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Print one JSON object on stdout, with everything that the description says
    #[arg(long)]
    json: bool,

    /// Show passwords and keys
    #[arg(long)]
    secrets: bool,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let input = Input::read(&options.file)?;
    let hidden = (!options.secrets).then(|| secret::hide(&input.text));
    let session = input.parse(hidden.as_ref().unwrap_or(&input.text))?;
    let summary = Summary::of(&session);
    match options.json {
        true => print_json(&summary),
        false => print(&Page::of(&summary).text),
    }
}

/// What attributes are shown under titles of their own; the others are listed as they stand.
const TITLED: &[&str] = &[
    "bundle-only",
    "candidate",
    "end-of-candidates",
    "extmap",
    "fingerprint",
    "fmtp",
    "group",
    "ice-lite",
    "ice-options",
    "ice-pwd",
    "ice-ufrag",
    "inactive",
    "max-message-size",
    "mid",
    "msid",
    "recvonly",
    "rid",
    "rtcp",
    "rtcp-fb",
    "rtcp-mux",
    "rtcp-mux-only",
    "rtcp-rsize",
    "rtpmap",
    "sctp-port",
    "sctpmap",
    "sendonly",
    "sendrecv",
    "setup",
    "simulcast",
    "ssrc",
    "ssrc-group",
];

/// The summary as it is printed: blocks of rows, each with a title.
struct Page {
    text: String,
}

impl Page {
    fn of(summary: &Summary<'_>) -> Self {
        let mut page = Self {
            text: String::new(),
        };
        page.session(summary);
        for (index, media) in summary.media.iter().enumerate() {
            page.text.push('\n');
            page.media(index, media);
        }
        page
    }

    /// A row, if there is something in it.
    fn row(&mut self, title: &str, what: &str) {
        if !what.is_empty() {
            let _ = writeln!(self.text, "  {title:<11} {}", harmless(what.trim_end()));
        }
    }

    /// A row for each of them, the title at the first.
    fn rows(&mut self, title: &str, what: impl IntoIterator<Item = String>) {
        let mut title = title;
        for what in what {
            self.row(title, &what);
            title = "";
        }
    }

    fn session(&mut self, session: &Summary<'_>) {
        self.text.push_str("session\n");
        if let Some(origin) = &session.origin {
            let by = match origin.username {
                "-" => String::new(),
                name => format!(" by {name}"),
            };
            let (id, version) = (origin.session_id, origin.session_version);
            let at = origin.address;
            self.row("origin", &format!("{id}, version {version},{by} at {at}"));
        }
        self.row(
            "name",
            if session.name == "-" {
                ""
            } else {
                session.name
            },
        );
        self.row("about", session.information.unwrap_or_default());
        self.row("more at", session.uri.unwrap_or_default());
        self.rows("e-mail", session.emails.iter().map(ToString::to_string));
        self.rows("phone", session.phones.iter().map(ToString::to_string));
        self.row(
            "address",
            &session.connection.as_ref().map(address).unwrap_or_default(),
        );
        self.row("bandwidth", &bandwidths(&session.bandwidths));
        self.rows("time", session.times.iter().filter_map(time));
        self.rows("extensions", session.extensions.iter().map(extension));
        let groups = session.groups.iter();
        self.rows(
            "group",
            groups.map(|group| format!("{} {}", group.semantics, group.mids.join(" "))),
        );
        self.others(&session.lines, "vosuetcbip");
    }

    fn media(&mut self, index: usize, media: &MediaSummary<'_>) {
        let mid = media
            .mid
            .map_or(String::new(), |mid| format!(" · mid {mid}"));
        let state = match (media.rejected, media.bundle_only) {
            (true, _) => "rejected (port 0)",
            (_, true) => "bundle-only",
            _ => "",
        };
        let head = format!(
            "media {} · {}{mid} · {}",
            index + 1,
            media.kind,
            media.direction
        );
        let separator = if state.is_empty() { "" } else { " · " };
        let _ = writeln!(self.text, "{}{separator}{state}", harmless(&head));
        self.row("about", media.information.unwrap_or_default());
        self.row("transport", &transport(media));
        self.row("bandwidth", &bandwidths(&media.bandwidths));
        self.row("ICE", &ice(media));
        self.row("DTLS", &dtls(media));
        self.row("SCTP", &sctp(media));
        match media.codecs.is_empty() {
            true => self.row("formats", &media.formats.join(" ")),
            false => self.rows("codecs", media.codecs.iter().map(codec)),
        }
        self.rows("extensions", media.extensions.iter().map(extension));
        self.rows(
            "streams",
            media.streams.iter().map(|stream| match stream.track {
                Some(track) => format!("{}, track {track}", stream.stream),
                None => stream.stream.to_owned(),
            }),
        );
        self.rows(
            "sources",
            media
                .sources
                .iter()
                .map(|source| format!("{}  {}", source.ssrc, parameters(&source.attributes, ":"))),
        );
        self.rows(
            "",
            media.source_groups.iter().map(|group| {
                let ssrcs: Vec<_> = group.ssrcs.iter().map(ToString::to_string).collect();
                format!("{} {}", group.semantics, ssrcs.join(" "))
            }),
        );
        self.rows(
            "encodings",
            media.rids.iter().map(|rid| {
                format!(
                    "{} {}  {}",
                    rid.id,
                    rid.direction,
                    parameters(&rid.restrictions, "=")
                )
            }),
        );
        if let Some(simulcast) = &media.simulcast {
            let ways = [("send", &simulcast.send), ("recv", &simulcast.recv)];
            let used = ways.into_iter().filter(|(_, streams)| !streams.is_empty());
            self.rows(
                "simulcast",
                used.map(|(way, streams)| format!("{way} {}", rids(streams))),
            );
        }
        self.rows("candidates", candidates(media));
        self.others(&media.lines, "micb");
    }

    /// What has no title of its own, and what cannot be read. `titled` are the types of line that have one.
    fn others(&mut self, lines: &[LineSummary<'_>], titled: &str) {
        let readable = lines.iter().filter(|line| line.error.is_none());
        self.rows("other", readable.filter_map(|line| other(line, titled)));
        let errors = lines.iter().filter_map(|line| line.error.clone());
        self.rows("unreadable", errors);
    }
}

/// A line without a title of its own.
fn other(line: &LineSummary<'_>, titled: &str) -> Option<String> {
    let value = line.value.unwrap_or_default();
    match (line.kind, line.name) {
        (_, Some(name)) if TITLED.contains(&name) => None,
        (_, Some(name)) => Some(match line.value {
            Some(value) => format!("{name}: {}", value.trim_start()),
            None => name.to_owned(),
        }),
        (Some(kind), None) if titled.contains(kind) => None,
        (Some(kind), None) => Some(format!("{kind}={value}")),
        (None, None) => Some(format!("line {}, which is not SDP: {value}", line.line)),
    }
}

fn address(connection: &ConnectionSummary<'_>) -> String {
    let ttl = connection
        .ttl
        .map_or(String::new(), |ttl| format!(", TTL {ttl}"));
    let many = connection.count.unwrap_or(1);
    let rest = match many {
        1 => String::new(),
        _ => format!(" and the {} after it", many - 1),
    };
    format!("{}{rest}{ttl}", connection.address)
}

fn bandwidths(bandwidths: &[super::summary::BandwidthSummary<'_>]) -> String {
    let shown = bandwidths.iter().map(|bandwidth| {
        let kind = bandwidth.kind;
        match bandwidth.bits_per_second {
            Some(bits) if bits % 1000 == 0 => format!("{kind} {} kbit/s", bits / 1000),
            Some(bits) => format!("{kind} {bits} bit/s"),
            None => format!("{kind} {}", bandwidth.value),
        }
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// When the session is on; nothing for one that is on always.
fn time(time: &TimeSummary) -> Option<String> {
    match (time.start, time.stop) {
        (0, 0) => None,
        (0, stop) => Some(format!("until {}", date(stop))),
        (start, 0) => Some(format!("from {}", date(start))),
        (start, stop) => Some(format!("{} to {}", date(start), date(stop))),
    }
}

/// Seconds since 1900 as a date, in the proleptic Gregorian calendar.
fn date(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // The calendar repeats every 400 years of 146,097 days; 1 March 1600 is 109,513 days before 1900.
    let days = days.saturating_add(109_513);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months from March: 153 days in five.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = 1600 + 400 * era + year + next;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

fn transport(media: &MediaSummary<'_>) -> String {
    let mut text = match media.port_count {
        Some(count @ 2..) => format!("{}, {count} from port {} on", media.protocol, media.port),
        _ => format!("{}, port {}", media.protocol, media.port),
    };
    for connection in &media.connections {
        let _ = write!(text, ", {}", address(connection));
    }
    match (media.rtcp.mux_only, media.rtcp.mux, media.rtcp.port) {
        (true, _, _) => text.push_str(", RTCP on the same port only"),
        (_, true, _) => text.push_str(", RTCP on the same port"),
        (_, _, Some(port)) => {
            let _ = write!(text, ", RTCP on port {port}");
        }
        _ => {}
    }
    if media.rtcp.reduced_size {
        text.push_str(" and of reduced size");
    }
    text
}

fn ice(media: &MediaSummary<'_>) -> String {
    let Some(ice) = &media.ice else {
        return String::new();
    };
    let mut text = format!("ufrag {}", ice.ufrag);
    match ice.password {
        Some(hidden) if hidden.chars().all(|c| c == '*') => text.push_str(", password hidden"),
        Some(password) => {
            let _ = write!(text, ", password {password}");
        }
        None => text.push_str(", no password"),
    }
    for option in &ice.options {
        let _ = write!(text, ", {option}");
    }
    text.push_str(if ice.lite { ", lite" } else { "" });
    text
}

fn dtls(media: &MediaSummary<'_>) -> String {
    let Some(dtls) = &media.dtls else {
        return String::new();
    };
    let fingerprints = dtls.fingerprints.iter();
    let setup = dtls.setup.map(ToOwned::to_owned);
    let shown =
        fingerprints.map(|fingerprint| format!("{} {}", fingerprint.hash, fingerprint.digest));
    setup
        .into_iter()
        .chain(shown)
        .collect::<Vec<_>>()
        .join(", ")
}

fn sctp(media: &MediaSummary<'_>) -> String {
    let Some(sctp) = &media.sctp else {
        return String::new();
    };
    match sctp.max_message_size {
        Some(0) => format!("port {}, messages of any size", sctp.port),
        Some(bytes) => format!("port {}, messages of up to {bytes} bytes", sctp.port),
        None => format!("port {}", sctp.port),
    }
}

fn codec(codec: &CodecSummary<'_>) -> String {
    let channels = codec
        .channels
        .filter(|channels| *channels != 1)
        .map_or(String::new(), |channels| format!("/{channels}"));
    let name = format!("{}/{}{channels}", codec.encoding, codec.clock_rate);
    let mut text = format!("{:>3} {name}", codec.payload_type);
    if !codec.parameters.is_empty() {
        let _ = write!(text, "  {}", parameters(&codec.parameters, "="));
    }
    if !codec.feedback.is_empty() {
        let _ = write!(text, "  [{}]", codec.feedback.join(", "));
    }
    text
}

fn parameters(parameters: &[ParameterSummary<'_>], equals: &str) -> String {
    let shown = parameters.iter().map(|parameter| match parameter.value {
        Some(value) => format!("{}{equals}{value}", parameter.key),
        None => parameter.key.to_owned(),
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn extension(extension: &ExtensionSummary<'_>) -> String {
    let direction = extension
        .direction
        .map_or(String::new(), |direction| format!(", {direction}"));
    let attributes = match extension.attributes {
        "" => String::new(),
        attributes => format!(" {attributes}"),
    };
    format!(
        "{:>3} {}{attributes}{direction}",
        extension.id, extension.uri
    )
}

/// `h, m or n, l (paused)`: streams between commas, alternatives between ors.
fn rids(streams: &[Vec<SimulcastRid<'_>>]) -> String {
    let streams = streams.iter().map(|alternatives| {
        let rids = alternatives.iter().map(|rid| match rid.paused {
            true => format!("{} (paused)", rid.rid),
            false => rid.rid.to_owned(),
        });
        rids.collect::<Vec<_>>().join(" or ")
    });
    streams.collect::<Vec<_>>().join(", ")
}

fn candidates(media: &MediaSummary<'_>) -> Vec<String> {
    let mut rows: Vec<_> = media.candidates.iter().map(candidate).collect();
    if media.end_of_candidates {
        rows.push(match rows.len() {
            0 => "none will come".to_owned(),
            many => format!("no more than {} will come", count(many, "candidate")),
        });
    }
    rows
}

fn candidate(candidate: &CandidateSummary<'_>) -> String {
    let CandidateSummary {
        kind,
        transport,
        address,
        port,
        priority,
        component,
        ..
    } = candidate;
    let address = match address.contains(':') {
        true => format!("[{address}]"),
        false => address.clone(),
    };
    let mut text = format!("{kind:<5} {transport} {address}:{port}");
    if let Some(tcp_type) = candidate.tcp_type {
        let _ = write!(text, " {tcp_type}");
    }
    if let (Some(related), Some(port)) = (&candidate.related_address, candidate.related_port) {
        let _ = write!(text, ", from {related} port {port}");
    }
    let _ = write!(text, ", priority {priority}");
    if *component != 1 {
        let _ = write!(text, ", component {component}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (seconds, shown) in [
            (0, "1900-01-01 00:00:00 UTC"),
            (2_208_988_800, "1970-01-01 00:00:00 UTC"),
            // The example of RFC 8866 §5.
            (3_724_394_400, "2018-01-08 10:00:00 UTC"),
            (2_208_988_800 + 951_782_400, "2000-02-29 00:00:00 UTC"),
            (2_208_988_800 + 1_772_323_199, "2026-02-28 23:59:59 UTC"),
        ] {
            assert_eq!(date(seconds), shown);
        }
    }
}
