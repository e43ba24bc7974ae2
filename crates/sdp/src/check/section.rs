//! What the lines of a media section say about each other.

use super::{Rule, walk::Found};
use crate::{
    attribute::{
        Attribute, Crypto, ExtMap, Fmtp, Kind, Parameters, Rid, RtcpFb, RtpMap, Simulcast,
    },
    error::ParseError,
    grammar::{is_blank, is_rtp, offset_in},
    reference::{OPUS, Reference, STREAM_TWICE, TAG_TWICE, URI_TWICE, of_attribute},
};
use alloc::vec::Vec;

/// A media section as far as it was walked.
pub(super) struct Section<'t> {
    /// Where its `m=` line is.
    pub(super) line: u32,
    is_rtp: bool,
    /// The formats, and where they stand in the line.
    formats: Vec<(&'t str, usize)>,
    /// Whether a payload type is a format of the `m=` line.
    listed: [bool; 128],
    /// The encoding that `a=rtpmap` gives each payload type.
    encodings: [Option<&'t str>; 128],
    fmtps: Vec<(u8, Parameters<'t>, Place)>,
    /// The ids of `a=rid`, with line and column.
    rids: Vec<(&'t str, u32, usize)>,
    simulcast: Vec<(&'t str, u32, usize)>,
    extensions: Vec<u16>,
    /// The URIs of `a=extmap` and what follows them, with line and column.
    uris: Vec<((&'t str, &'t str), u32, usize)>,
    /// The formats that an `a=fmtp` speaks of, with line and column.
    described: Vec<(&'t str, u32, usize)>,
    /// The tags of `a=crypto`, with line and column.
    tags: Vec<(u32, u32, usize)>,
    /// Whether the port is another than 0, with which a section is rejected or bundle-only.
    pub(super) has_port: bool,
}

/// Where something stands, and what it is.
#[derive(Clone, Copy)]
pub(super) struct Place {
    kind: Kind,
    line: u32,
    offset: usize,
}

impl Place {
    fn add(self, rule: Rule, expected: &'static str, found: &mut Found) {
        let error = ParseError::new(self.kind.name(), self.offset, expected).at(self.line, 0);
        found.add(rule, error, of_attribute(self.kind, expected));
    }
}

pub(super) fn extension_id(value: &str) -> Option<u16> {
    ExtMap::parse(value).ok().map(|extension| extension.id)
}

const RID_TWICE: &str = "an id that no other a=rid has";

/// Says of which of these, each with line and column, there was one before. Afterwards they are sorted.
fn given_once<T: Copy + Ord>(
    all: &mut [(T, u32, usize)],
    kind: Kind,
    expected: &'static str,
    found: &mut Found,
) {
    all.sort_unstable();
    for pair in all.windows(2) {
        if let [(first, ..), (second, line, offset)] = *pair
            && first == second
        {
            let place = Place { kind, line, offset };
            place.add(Rule::Ambiguous, expected, found);
        }
    }
}

impl<'t> Section<'t> {
    pub(super) fn new(value: &'t str, line: u32) -> Self {
        let words = value.split(is_blank).filter(|word| !word.is_empty());
        let is_rtp = words.clone().nth(2).is_some_and(is_rtp);
        let port = words.clone().nth(1).unwrap_or_default();
        let port = port.split('/').next().unwrap_or_default();
        let formats: Vec<_> = words
            .skip(3)
            .map(|format| (format, offset_in(value, format) + 2))
            .collect();
        let mut listed = [false; 128];
        let payload_types = formats
            .iter()
            .filter_map(|(format, _)| format.parse::<u8>().ok());
        for payload_type in payload_types {
            if let Some(listed) = listed.get_mut(usize::from(payload_type)) {
                *listed = true;
            }
        }
        Self {
            line,
            is_rtp,
            formats,
            listed,
            encodings: [None; 128],
            fmtps: Vec::new(),
            rids: Vec::new(),
            simulcast: Vec::new(),
            extensions: Vec::new(),
            uris: Vec::new(),
            described: Vec::new(),
            tags: Vec::new(),
            has_port: port.contains(|c| c != '0'),
        }
    }

    fn is_listed(&self, payload_type: u8) -> bool {
        let listed = self.listed.get(usize::from(payload_type));
        listed.copied().unwrap_or_default()
    }

    /// An attribute speaks of a payload type.
    fn name(&self, payload_type: u8, place: Place, found: &mut Found) {
        if self.is_rtp && !self.is_listed(payload_type) {
            place.add(Rule::Undefined, "a payload type of the m= line", found);
        }
    }

    /// Keeps what a well-formed attribute says.
    pub(super) fn remember(
        &mut self,
        kind: Kind,
        value: &'t str,
        line: u32,
        offset: usize,
        found: &mut Found,
    ) {
        let place = Place { kind, line, offset };
        match kind {
            Kind::RtpMap => {
                if let Ok(map) = RtpMap::parse(value) {
                    self.name(map.payload_type, place, found);
                    if map.encoding.eq_ignore_ascii_case("opus")
                        && (map.clock_rate, map.channels) != (48_000, Some(2))
                        // Such a number is a deviation of its own.
                        && map.clock_rate != 0
                        && map.channels != Some(0)
                    {
                        let offset = offset_in(value, map.encoding) + offset;
                        let place = Place { offset, ..place };
                        place.add(Rule::Consistency, OPUS, found);
                    }
                    match self.encodings.get_mut(usize::from(map.payload_type)) {
                        Some(encoding @ None) => *encoding = Some(map.encoding),
                        _ => place.add(Rule::Ambiguous, "one rtpmap for a payload type", found),
                    }
                }
            }
            Kind::Fmtp => {
                let Ok(fmtp) = Fmtp::parse(value) else {
                    return;
                };
                self.described.push((fmtp.format, line, offset));
                if let Some(payload_type) = fmtp.payload_type() {
                    self.name(payload_type, place, found);
                    let at = offset_in(value, fmtp.parameters.0) + offset;
                    let place = Place {
                        offset: at,
                        ..place
                    };
                    self.fmtps.push((payload_type, fmtp.parameters, place));
                }
            }
            Kind::RtcpFb => {
                if let Ok(RtcpFb {
                    payload_type: Some(payload_type),
                    ..
                }) = RtcpFb::parse(value)
                {
                    self.name(payload_type, place, found);
                }
            }
            Kind::Rid => {
                if let Ok(rid) = Rid::parse(value) {
                    self.rids.push((rid.id, line, offset));
                    for payload_type in rid.payload_types() {
                        self.name(payload_type, place, found);
                    }
                }
            }
            // The first counts: a second is a deviation of its own.
            Kind::Simulcast if self.simulcast.is_empty() => {
                if let Ok(simulcast) = Simulcast::parse(value) {
                    let streams = simulcast.send.iter().chain(&simulcast.recv).flatten();
                    self.simulcast.extend(streams.map(|stream| {
                        let at = offset_in(value, stream.rid) + offset;
                        (stream.rid, line, at)
                    }));
                }
            }
            Kind::Crypto => {
                if let Ok(crypto) = Crypto::parse(value) {
                    self.tags.push((crypto.tag, line, offset));
                }
            }
            Kind::ExtMap => {
                let Ok(extension) = ExtMap::parse(value) else {
                    return;
                };
                let what = (extension.uri, extension.attributes);
                let at = offset_in(value, extension.uri) + offset;
                self.uris.push((what, line, at));
                // From 4096 on, an id stands for alternatives, of which the answer takes one (RFC 8285 §7).
                if extension.id < 4096 {
                    if self.extensions.contains(&extension.id) {
                        place.add(Rule::Ambiguous, "an id that no other extension has", found);
                    } else {
                        // There are 255 of them at the most.
                        self.extensions.push(extension.id);
                    }
                }
            }
            _ => {}
        }
    }

    /// What can be said now that all is known.
    pub(super) fn finish(mut self, found: &mut Found) {
        if self.is_rtp {
            self.check_formats(found);
            self.check_parameters(found);
        }
        given_once(&mut self.rids, Kind::Rid, RID_TWICE, found);
        given_once(&mut self.tags, Kind::Crypto, TAG_TWICE, found);
        let expected = "one fmtp for a format";
        given_once(&mut self.described, Kind::Fmtp, expected, found);
        given_once(&mut self.uris, Kind::ExtMap, URI_TWICE, found);
        given_once(&mut self.simulcast, Kind::Simulcast, STREAM_TWICE, found);
        for &(rid, line, offset) in &self.simulcast {
            if self
                .rids
                .binary_search_by(|(other, ..)| (*other).cmp(rid))
                .is_err()
            {
                let kind = Kind::Simulcast;
                let place = Place { kind, line, offset };
                place.add(Rule::Undefined, "the id of an a=rid", found);
            }
        }
    }

    fn check_formats(&self, found: &mut Found) {
        let mut seen = [false; 128];
        for (format, at) in &self.formats {
            let number = format.parse::<u8>().ok();
            let (rule, expected) =
                match number.and_then(|n| Some((n, seen.get_mut(usize::from(n))?))) {
                    None => (Rule::Syntax, "a payload type from 0 to 127"),
                    Some((_, true)) => (Rule::Ambiguous, "each payload type once"),
                    Some((number, seen)) => {
                        *seen = true;
                        let mapped = self.encodings.get(usize::from(number)).copied().flatten();
                        if mapped.is_some() || RtpMap::static_type(number).is_some() {
                            continue;
                        }
                        (Rule::Undefined, "a payload type that an a=rtpmap explains")
                    }
                };
            let error = ParseError::new("m=", *at, expected).at(self.line, 0);
            found.add(rule, error, Reference::rfc("8866", "5.14"));
        }
    }

    /// The parameters of the codecs whose payload formats are known.
    fn check_parameters(&self, found: &mut Found) {
        for (payload_type, parameters, place) in &self.fmtps {
            let encoding = self
                .encodings
                .get(usize::from(*payload_type))
                .copied()
                .flatten();
            let encoding =
                encoding.or_else(|| RtpMap::static_type(*payload_type).map(|map| map.encoding));
            let Some(encoding) = encoding else { continue };
            let typed = crate::parameters::CodecParameters::parse(encoding, *parameters);
            match typed {
                Err(error) => {
                    let reference = crate::parameters::reference(encoding);
                    let error = error.at(place.line, place.offset);
                    found.add(
                        Rule::Syntax,
                        error,
                        reference.unwrap_or_else(|| place.kind.reference()),
                    );
                }
                Ok(crate::parameters::CodecParameters::Rtx(rtx)) if !self.is_listed(rtx.apt) => {
                    let expected = "an apt that is a payload type of the m= line";
                    let error = ParseError::new("fmtp", place.offset, expected);
                    let error = error.at(place.line, 0);
                    found.add(Rule::Undefined, error, Reference::rfc("4588", "8.1"));
                }
                Ok(crate::parameters::CodecParameters::Rtx(rtx)) if rtx.apt == *payload_type => {
                    let expected = "an apt that is another payload type than this";
                    let error = ParseError::new("fmtp", place.offset, expected);
                    let error = error.at(place.line, 0);
                    found.add(Rule::Consistency, error, Reference::rfc("4588", "8.1"));
                }
                Ok(_) => {}
            }
        }
    }
}
