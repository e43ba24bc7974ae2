//! What a description says, typed, for people and for programs. `schema/sdp-show.schema.json` describes the JSON.

use std::collections::BTreeMap;

use rtckit_sdp::attribute::{
    Attribute, BundleOnly, Candidate, Direction, EndOfCandidates, ExtMap, Fingerprint, Group,
    IceLite, IceOptions, IcePwd, IceUfrag, MaxMessageSize, Msid, Rid, RidDirection, Rtcp, RtcpMux,
    RtcpMuxOnly, RtcpRsize, SctpMap, SctpPort, Setup, Simulcast, SimulcastStream, Ssrc, SsrcGroup,
};
use rtckit_sdp::field::{Bandwidth, Connection};
use rtckit_sdp::offer_answer::Outline;
use rtckit_sdp::{Codec, Line, Media, ParseError, Session};
use serde::Serialize;

/// A description.
#[derive(Debug, Serialize)]
pub(crate) struct Summary<'s> {
    pub(crate) version: &'s str,
    pub(crate) origin: Option<OriginSummary<'s>>,
    pub(crate) name: &'s str,
    pub(crate) information: Option<&'s str>,
    pub(crate) uri: Option<&'s str>,
    pub(crate) emails: Vec<&'s str>,
    pub(crate) phones: Vec<&'s str>,
    pub(crate) connection: Option<ConnectionSummary<'s>>,
    pub(crate) bandwidths: Vec<BandwidthSummary<'s>>,
    pub(crate) times: Vec<TimeSummary>,
    pub(crate) groups: Vec<GroupSummary<'s>>,
    /// Those that hold for every section.
    pub(crate) extensions: Vec<ExtensionSummary<'s>>,
    pub(crate) lines: Vec<LineSummary<'s>>,
    pub(crate) media: Vec<MediaSummary<'s>>,
}

/// Who made it.
#[derive(Debug, Serialize)]
pub(crate) struct OriginSummary<'s> {
    pub(crate) username: &'s str,
    pub(crate) session_id: u64,
    pub(crate) session_version: u64,
    pub(crate) network_type: &'s str,
    pub(crate) address_type: &'s str,
    pub(crate) address: &'s str,
}

/// A `c=` line.
#[derive(Debug, Serialize)]
pub(crate) struct ConnectionSummary<'s> {
    pub(crate) network_type: &'s str,
    pub(crate) address_type: &'s str,
    pub(crate) address: &'s str,
    pub(crate) ttl: Option<u8>,
    pub(crate) count: Option<u32>,
}

/// A `b=` line.
#[derive(Debug, Serialize)]
pub(crate) struct BandwidthSummary<'s> {
    pub(crate) kind: &'s str,
    pub(crate) value: u64,
    pub(crate) bits_per_second: Option<u64>,
}

/// A `t=` line, in seconds since 1900.
#[derive(Debug, Serialize)]
pub(crate) struct TimeSummary {
    pub(crate) start: u64,
    pub(crate) stop: u64,
}

/// Sections that belong together.
#[derive(Debug, Serialize)]
pub(crate) struct GroupSummary<'s> {
    pub(crate) semantics: &'s str,
    pub(crate) mids: Vec<&'s str>,
}

/// A line as it stands.
#[derive(Debug, Serialize)]
pub(crate) struct LineSummary<'s> {
    pub(crate) line: u32,
    /// The letter before the `=`; `None` for a line that is not SDP.
    #[serde(rename = "type")]
    pub(crate) kind: Option<char>,
    /// The name, of an attribute.
    pub(crate) name: Option<&'s str>,
    pub(crate) value: Option<&'s str>,
    /// Whether the attribute is one of those that are understood.
    pub(crate) known: bool,
    /// Why it cannot be read nevertheless.
    pub(crate) error: Option<String>,
}

/// A media section.
#[derive(Debug, Serialize)]
pub(crate) struct MediaSummary<'s> {
    pub(crate) line: u32,
    pub(crate) kind: &'s str,
    pub(crate) port: u16,
    pub(crate) port_count: Option<u32>,
    pub(crate) protocol: &'s str,
    pub(crate) formats: Vec<&'s str>,
    pub(crate) mid: Option<&'s str>,
    pub(crate) direction: &'static str,
    pub(crate) rejected: bool,
    pub(crate) bundle_only: bool,
    pub(crate) information: Option<&'s str>,
    pub(crate) connections: Vec<ConnectionSummary<'s>>,
    pub(crate) bandwidths: Vec<BandwidthSummary<'s>>,
    pub(crate) rtcp: RtcpSummary,
    pub(crate) ice: Option<IceSummary<'s>>,
    pub(crate) dtls: Option<DtlsSummary<'s>>,
    pub(crate) sctp: Option<SctpSummary>,
    pub(crate) codecs: Vec<CodecSummary<'s>>,
    pub(crate) extensions: Vec<ExtensionSummary<'s>>,
    pub(crate) streams: Vec<StreamSummary<'s>>,
    pub(crate) sources: Vec<SourceSummary<'s>>,
    pub(crate) source_groups: Vec<SourceGroupSummary<'s>>,
    pub(crate) rids: Vec<RidSummary<'s>>,
    pub(crate) simulcast: Option<SimulcastSummary<'s>>,
    pub(crate) candidates: Vec<CandidateSummary<'s>>,
    pub(crate) end_of_candidates: bool,
    pub(crate) lines: Vec<LineSummary<'s>>,
}

/// Where RTCP goes.
#[derive(Debug, Serialize)]
pub(crate) struct RtcpSummary {
    pub(crate) mux: bool,
    pub(crate) mux_only: bool,
    pub(crate) reduced_size: bool,
    pub(crate) port: Option<u16>,
}

/// The credentials of ICE: the section's own or the session's.
#[derive(Debug, Serialize)]
pub(crate) struct IceSummary<'s> {
    pub(crate) ufrag: &'s str,
    pub(crate) password: Option<&'s str>,
    pub(crate) options: Vec<&'s str>,
    pub(crate) lite: bool,
}

/// Who may speak DTLS: the section's own or the session's.
#[derive(Debug, Serialize)]
pub(crate) struct DtlsSummary<'s> {
    pub(crate) setup: Option<&'static str>,
    pub(crate) fingerprints: Vec<FingerprintSummary<'s>>,
}

/// The hash of a certificate.
#[derive(Debug, Serialize)]
pub(crate) struct FingerprintSummary<'s> {
    pub(crate) hash: &'s str,
    pub(crate) digest: String,
}

/// Data channels.
#[derive(Debug, Serialize)]
pub(crate) struct SctpSummary {
    pub(crate) port: u16,
    pub(crate) max_message_size: Option<u64>,
}

/// What is said of a payload type.
#[derive(Debug, Serialize)]
pub(crate) struct CodecSummary<'s> {
    pub(crate) payload_type: u8,
    pub(crate) encoding: &'s str,
    pub(crate) clock_rate: u32,
    pub(crate) channels: Option<u16>,
    pub(crate) parameters: Vec<ParameterSummary<'s>>,
    pub(crate) feedback: Vec<String>,
}

/// A parameter of a codec or of an encoding; those without a name are `key` alone.
#[derive(Debug, Serialize)]
pub(crate) struct ParameterSummary<'s> {
    pub(crate) key: &'s str,
    pub(crate) value: Option<&'s str>,
}

/// The number of a header extension.
#[derive(Debug, Serialize)]
pub(crate) struct ExtensionSummary<'s> {
    pub(crate) id: u16,
    pub(crate) direction: Option<&'static str>,
    pub(crate) uri: &'s str,
    pub(crate) attributes: &'s str,
}

/// An `a=msid`.
#[derive(Debug, Serialize)]
pub(crate) struct StreamSummary<'s> {
    pub(crate) stream: &'s str,
    pub(crate) track: Option<&'s str>,
}

/// All that is said of an SSRC.
#[derive(Debug, Serialize)]
pub(crate) struct SourceSummary<'s> {
    pub(crate) ssrc: u32,
    pub(crate) attributes: Vec<ParameterSummary<'s>>,
}

/// SSRCs that belong together.
#[derive(Debug, Serialize)]
pub(crate) struct SourceGroupSummary<'s> {
    pub(crate) semantics: &'s str,
    pub(crate) ssrcs: Vec<u32>,
}

/// An encoding.
#[derive(Debug, Serialize)]
pub(crate) struct RidSummary<'s> {
    pub(crate) id: &'s str,
    pub(crate) direction: &'static str,
    pub(crate) restrictions: Vec<ParameterSummary<'s>>,
}

/// The encodings of each stream, best first; each list holds alternatives.
#[derive(Debug, Serialize)]
pub(crate) struct SimulcastSummary<'s> {
    pub(crate) send: Vec<Vec<SimulcastRid<'s>>>,
    pub(crate) recv: Vec<Vec<SimulcastRid<'s>>>,
}

/// An encoding in a simulcast.
#[derive(Debug, Serialize)]
pub(crate) struct SimulcastRid<'s> {
    pub(crate) rid: &'s str,
    pub(crate) paused: bool,
}

/// A way to the peer.
#[derive(Debug, Serialize)]
pub(crate) struct CandidateSummary<'s> {
    pub(crate) foundation: &'s str,
    pub(crate) component: u16,
    pub(crate) transport: String,
    pub(crate) priority: u32,
    pub(crate) address: String,
    pub(crate) port: u16,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) related_address: Option<String>,
    pub(crate) related_port: Option<u16>,
    pub(crate) tcp_type: Option<&'static str>,
    pub(crate) extensions: Vec<ParameterSummary<'s>>,
}

impl<'s> Summary<'s> {
    /// What `session` says. What of it cannot be read is told with its line, and is nowhere else.
    pub(crate) fn of(session: &'s Session<'_>) -> Self {
        let origin = session.origin().ok().map(|origin| OriginSummary {
            username: origin.username,
            session_id: origin.session_id,
            session_version: origin.session_version,
            network_type: origin.network_type,
            address_type: origin.address_type,
            address: origin.address,
        });
        let times = session.timings().filter_map(Result::ok);
        let groups = session.attributes_of::<Group<'_>>().filter_map(Result::ok);
        let shared = Shared::of(session);
        let outline = Outline::of(session);
        let media = session.media().iter().zip(&outline.sections);
        Self {
            version: session.version(),
            origin,
            name: session.name(),
            information: session.information(),
            uri: session.uri(),
            emails: session.emails().collect(),
            phones: session.phones().collect(),
            connection: session.connection().and_then(Result::ok).map(connection),
            bandwidths: session.bandwidths().filter_map(bandwidth).collect(),
            times: times.map(time).collect(),
            groups: groups.map(group).collect(),
            extensions: session
                .attributes_of()
                .filter_map(Result::ok)
                .map(extension)
                .collect(),
            lines: session.lines().iter().map(line).collect(),
            media: media
                .map(|(media, outline)| MediaSummary::of(&shared, media, outline.rejected))
                .collect(),
        }
    }
}

impl<'s> MediaSummary<'s> {
    fn of(shared: &Shared<'s>, media: &'s Media<'_>, rejected: bool) -> Self {
        let lines = core::iter::once(media.media_line()).chain(media.lines());
        Self {
            line: media.media_line().number(),
            kind: media.kind().as_str(),
            port: media.port(),
            port_count: media.port_count(),
            protocol: media.protocol(),
            formats: media.formats().collect(),
            mid: media.mid(),
            direction: media
                .direction()
                .or(shared.direction)
                .unwrap_or_default()
                .as_str(),
            // RTSP has no port yet: it is chosen when the section, which it controls, is set up (RFC 2326 §C.1.2)
            rejected: rejected && !media.has("control"),
            bundle_only: media.has(BundleOnly::NAME),
            information: media.information(),
            connections: media
                .connections()
                .filter_map(Result::ok)
                .map(connection)
                .collect(),
            bandwidths: media.bandwidths().filter_map(bandwidth).collect(),
            rtcp: rtcp(media),
            ice: ice(shared, media),
            dtls: dtls(shared, media),
            sctp: sctp(media),
            codecs: media.codecs().into_iter().map(codec).collect(),
            extensions: well_formed(media).map(extension).collect(),
            streams: well_formed::<Msid<'_>>(media).map(stream).collect(),
            sources: sources(media),
            source_groups: well_formed::<SsrcGroup<'_>>(media)
                .map(source_group)
                .collect(),
            rids: well_formed::<Rid<'_>>(media).map(rid).collect(),
            simulcast: well_formed::<Simulcast<'_>>(media).next().map(simulcast),
            candidates: well_formed::<Candidate<'_>>(media).map(candidate).collect(),
            end_of_candidates: media.has(EndOfCandidates::NAME) || shared.end_of_candidates,
            lines: lines.map(line).collect(),
        }
    }
}

/// The attributes of a type that can be read.
fn well_formed<'s, A: Attribute<'s>>(media: &'s Media<'_>) -> impl Iterator<Item = A> {
    media.attributes_of::<A>().filter_map(Result::ok)
}

fn line<'s>(line: &'s Line<'_>) -> LineSummary<'s> {
    let attribute = line.attribute();
    let error = attribute.and_then(|attribute| attribute.typed()?.err());
    LineSummary {
        line: line.number(),
        kind: line.kind(),
        name: attribute.map(|attribute| attribute.name),
        value: match attribute {
            Some(attribute) => attribute.value,
            None => Some(line.value()),
        },
        known: match attribute {
            Some(attribute) => attribute.kind().is_some(),
            None => line
                .kind()
                .is_some_and(|kind| "vosiuepcbtrzkm".contains(kind)),
        },
        error: error.map(|error| error.to_string()),
    }
}

const fn connection<'s>(connection: Connection<'s>) -> ConnectionSummary<'s> {
    ConnectionSummary {
        network_type: connection.network_type,
        address_type: connection.address_type,
        address: connection.address,
        ttl: connection.ttl,
        count: connection.count,
    }
}

fn bandwidth(line: Result<Bandwidth<'_>, ParseError>) -> Option<BandwidthSummary<'_>> {
    let bandwidth = line.ok()?;
    Some(BandwidthSummary {
        kind: bandwidth.kind,
        value: bandwidth.value,
        bits_per_second: bandwidth.bits_per_second(),
    })
}

const fn time(timing: rtckit_sdp::field::Timing) -> TimeSummary {
    TimeSummary {
        start: timing.start,
        stop: timing.stop,
    }
}

fn group(group: Group<'_>) -> GroupSummary<'_> {
    GroupSummary {
        semantics: group.semantics,
        mids: group.mids,
    }
}

fn rtcp(media: &Media<'_>) -> RtcpSummary {
    RtcpSummary {
        mux: media.has(RtcpMux::NAME),
        mux_only: media.has(RtcpMuxOnly::NAME),
        reduced_size: media.has(RtcpRsize::NAME),
        port: well_formed::<Rtcp<'_>>(media).next().map(|rtcp| rtcp.port),
    }
}

/// What the session says for all sections that do not say it themselves; looked up once.
#[derive(Debug)]
struct Shared<'s> {
    direction: Option<Direction>,
    ufrag: Option<&'s str>,
    password: Option<&'s str>,
    options: Option<IceOptions<'s>>,
    lite: bool,
    end_of_candidates: bool,
    setup: Option<Setup>,
    fingerprints: Vec<Fingerprint<'s>>,
}

impl<'s> Shared<'s> {
    /// How many fingerprints are told again for each section: every one of them, of any real description.
    const MAX_FINGERPRINTS: usize = 16;

    fn of(session: &'s Session<'_>) -> Self {
        let mut directions = session.attributes();
        let ufrag = session.attribute().and_then(Result::ok);
        let password = session.attribute().and_then(Result::ok);
        let fingerprints = session.attributes_of().filter_map(Result::ok);
        Self {
            direction: directions.find_map(|attribute| Direction::from_name(attribute.name)),
            ufrag: ufrag.map(|IceUfrag(ufrag)| ufrag),
            password: password.map(|IcePwd(password)| password),
            options: session.attribute().and_then(Result::ok),
            lite: session.has(IceLite::NAME),
            end_of_candidates: session.has(EndOfCandidates::NAME),
            setup: session.attribute().and_then(Result::ok),
            fingerprints: fingerprints.take(Self::MAX_FINGERPRINTS).collect(),
        }
    }
}

fn ice<'s>(shared: &Shared<'s>, media: &'s Media<'_>) -> Option<IceSummary<'s>> {
    let ufrag = media
        .attribute()
        .and_then(Result::ok)
        .map(|IceUfrag(ufrag)| ufrag);
    let password = media
        .attribute()
        .and_then(Result::ok)
        .map(|IcePwd(password)| password);
    let options = media.attribute().and_then(Result::ok).or(shared.options);
    Some(IceSummary {
        ufrag: ufrag.or(shared.ufrag)?,
        password: password.or(shared.password),
        options: options.map_or_else(Vec::new, |options| options.tags().collect()),
        lite: shared.lite,
    })
}

fn dtls<'s>(shared: &Shared<'s>, media: &'s Media<'_>) -> Option<DtlsSummary<'s>> {
    let setup = media
        .attribute::<Setup>()
        .and_then(Result::ok)
        .or(shared.setup);
    let own: Vec<_> = well_formed(media).collect();
    let fingerprints = match media.has(Fingerprint::NAME) {
        true => own,
        false => shared.fingerprints.clone(),
    };
    (setup.is_some() || !fingerprints.is_empty()).then(|| DtlsSummary {
        setup: setup.map(Setup::as_str),
        fingerprints: fingerprints.into_iter().map(fingerprint).collect(),
    })
}

fn fingerprint(fingerprint: Fingerprint<'_>) -> FingerprintSummary<'_> {
    FingerprintSummary {
        hash: fingerprint.hash,
        digest: fingerprint.digest.to_string(),
    }
}

fn sctp(media: &Media<'_>) -> Option<SctpSummary> {
    let port = well_formed::<SctpPort>(media)
        .next()
        .map(|SctpPort(port)| port);
    let old = well_formed::<SctpMap<'_>>(media).next().map(|map| map.port);
    let largest = well_formed::<MaxMessageSize>(media).next();
    Some(SctpSummary {
        port: port.or(old)?,
        max_message_size: largest.map(|MaxMessageSize(bytes)| bytes),
    })
}

fn codec(codec: Codec<'_>) -> CodecSummary<'_> {
    let parameters = codec.fmtp.iter().flat_map(|fmtp| fmtp.iter());
    CodecSummary {
        payload_type: codec.rtpmap.payload_type,
        encoding: codec.rtpmap.encoding,
        clock_rate: codec.rtpmap.clock_rate,
        channels: codec.rtpmap.channels,
        parameters: parameters.map(parameter).collect(),
        feedback: codec.feedback.iter().map(ToString::to_string).collect(),
    }
}

const fn parameter<'s>((key, value): (&'s str, Option<&'s str>)) -> ParameterSummary<'s> {
    ParameterSummary { key, value }
}

fn extension(extension: ExtMap<'_>) -> ExtensionSummary<'_> {
    ExtensionSummary {
        id: extension.id,
        direction: extension.direction.map(|direction| direction.as_str()),
        uri: extension.uri,
        attributes: extension.attributes,
    }
}

const fn stream<'s>(msid: Msid<'s>) -> StreamSummary<'s> {
    StreamSummary {
        stream: msid.stream,
        track: msid.track,
    }
}

/// The attributes of each SSRC together, in the order in which the SSRCs first appear.
fn sources<'s>(media: &'s Media<'_>) -> Vec<SourceSummary<'s>> {
    let mut sources: Vec<SourceSummary<'s>> = Vec::new();
    let mut places = BTreeMap::new();
    for Ssrc {
        ssrc,
        attribute,
        value,
    } in well_formed(media)
    {
        let place = *places.entry(ssrc).or_insert(sources.len());
        if place == sources.len() {
            sources.push(SourceSummary {
                ssrc,
                attributes: Vec::new(),
            });
        }
        if let Some(source) = sources.get_mut(place) {
            source.attributes.push(parameter((attribute, value)));
        }
    }
    sources
}

fn source_group(group: SsrcGroup<'_>) -> SourceGroupSummary<'_> {
    SourceGroupSummary {
        semantics: group.semantics,
        ssrcs: group.ssrcs,
    }
}

fn rid(rid: Rid<'_>) -> RidSummary<'_> {
    RidSummary {
        id: rid.id,
        direction: match rid.direction {
            RidDirection::Send => "send",
            RidDirection::Recv => "recv",
        },
        restrictions: rid.restrictions.iter().map(parameter).collect(),
    }
}

fn simulcast(simulcast: Simulcast<'_>) -> SimulcastSummary<'_> {
    fn rids(streams: Vec<Vec<SimulcastStream<'_>>>) -> Vec<Vec<SimulcastRid<'_>>> {
        let alternatives = streams.into_iter().map(|alternatives| {
            let rids = alternatives.into_iter().map(|stream| SimulcastRid {
                rid: stream.rid,
                paused: stream.paused,
            });
            rids.collect()
        });
        alternatives.collect()
    }
    SimulcastSummary {
        send: rids(simulcast.send),
        recv: rids(simulcast.recv),
    }
}

fn candidate(candidate: Candidate<'_>) -> CandidateSummary<'_> {
    let extensions = candidate.extensions.iter();
    CandidateSummary {
        foundation: candidate.foundation,
        component: candidate.component,
        transport: candidate.transport.to_string(),
        priority: candidate.priority,
        address: candidate.address.to_string(),
        port: candidate.port,
        kind: candidate.kind.to_string(),
        related_address: candidate.related.map(|(address, _)| address.to_string()),
        related_port: candidate.related.map(|(_, port)| port),
        tcp_type: candidate.tcp_type.map(|tcp_type| tcp_type.as_str()),
        extensions: extensions
            .map(|(key, value)| parameter((key, Some(value))))
            .collect(),
    }
}
