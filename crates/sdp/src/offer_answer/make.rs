//! A whole answer.

use super::{
    CommonCodec, answer_rid, answer_rtcp_mux, answer_setup, answer_simulcast, common_codecs,
    common_extensions,
    shape::{Place, Shape},
};
use crate::{
    attribute::{
        Attribute, Direction, ExtMap, ExtMapAllowMixed, Fmtp, Group, Mid, Parameters, Rid, RtcpFb,
        RtcpMux, RtcpMuxOnly, RtcpRsize, RtpMap, Setup, Simulcast,
    },
    codec::Codec,
    error::Error,
    field::{Connection, Origin},
    grammar::is_rtp,
    line::Line,
    media::Media,
    session::{Limits, Session},
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::ToString,
    vec::Vec,
};

/// What one is capable of in one media section.
#[derive(Clone, Debug)]
pub struct Capabilities<'c> {
    /// The direction that is wanted.
    pub direction: Direction,
    /// The codecs one has. For sections that are not RTP, which have none, it is not looked at.
    pub codecs: Vec<Codec<'c>>,
    /// The header extensions one has, by URI and direction; their numbers do not matter.
    pub extensions: Vec<ExtMap<'c>>,
    /// Who shall open, if the offer leaves the choice.
    pub setup: Setup,
    /// Whether encodings in simulcast can be received.
    pub simulcast: bool,
    /// The port of the answer: 9 if it is told by candidates.
    pub port: u16,
    /// The `c=` of the answer: unspecified (`0.0.0.0`) if it is told by candidates.
    pub connection: Connection<'c>,
}

impl Default for Capabilities<'_> {
    /// Both directions, nothing known, `active`, port 9 of no address.
    fn default() -> Self {
        Self {
            direction: Direction::SendRecv,
            codecs: Vec::new(),
            extensions: Vec::new(),
            setup: Setup::Active,
            simulcast: false,
            port: 9,
            connection: Connection::UNSPECIFIED,
        }
    }
}

/// The answer to an offer: which sections are accepted and with what.
///
/// `capabilities` is asked for each section that is offered, by its index from 0; `None` rejects it. A section is rejected too if no codec is
/// common, or if it must share RTP's port with RTCP and cannot. RTP stays in a BUNDLE group only if one of the group's
/// sections offers `a=rtcp-mux`, which then holds for all of them
/// ([RFC 9143 §9.3](https://www.rfc-editor.org/rfc/rfc9143.html#section-9.3)): else it leaves the group, and is rejected if it
/// has no port of its own. Where media go and come from, beside `c=` and port, is the
/// caller's to add to the sections that were accepted: ICE credentials and candidates, fingerprints, keys, `a=ptime`,
/// `a=msid`, `a=ssrc`.
///
/// ```
/// use rtckit_sdp::{
///     Origin, Session,
///     attribute::Setup,
///     offer_answer::{Capabilities, Outline, answer, check_answer},
/// };
///
/// let offer = Session::parse(
///     "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
///      m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=setup:actpass\r\n\
///      a=rtcp-mux\r\na=sendonly\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n\
///      m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\n",
/// )?;
/// let ours = Session::parse(
///     "v=0\no=- 1 1 IN IP4 192.0.2.2\nm=audio 9 RTP/AVP 109\na=rtpmap:109 opus/48000/2\na=fmtp:109 stereo=1\n",
/// )?;
/// let answer = answer(&offer, &Origin::anonymous(2, 1), |_, section| {
///     (section.mid() == Some("0")).then(|| Capabilities {
///         codecs: ours.media()[0].codecs(),
///         ..Capabilities::default()
///     })
/// })?;
/// assert_eq!(
///     answer.to_string(),
///     "v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
///      m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\na=setup:active\r\n\
///      a=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 stereo=1\r\n\
///      m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=inactive\r\na=rtpmap:96 VP8/90000\r\n",
/// );
/// assert!(check_answer(&Outline::of(&offer), &Outline::of(&answer)).is_ok());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// Of multicast, address, port and direction are the offer's. The answer stays within the default [`Limits`], whatever was
/// offered: sections that would not fit any more are rejected.
///
/// # Errors
/// A name in the offer (a mid, a format) or a connection cannot be written again, or an answer would be too long even if it
/// rejected everything: [`Error::TooLong`].
pub fn answer<'c>(
    offer: &Session<'_>,
    origin: &Origin<'_>,
    mut capabilities: impl FnMut(usize, &Media<'_>) -> Option<Capabilities<'c>>,
) -> Result<Session<'static>, Error> {
    let shape = Shape::of(offer);
    let mut answered = Vec::with_capacity(offer.media().len());
    for (index, offered) in offer.media().iter().enumerate() {
        let own = match shape.is_rejected(index) {
            true => None,
            false => capabilities(index, offered),
        };
        answered.push(match own {
            Some(own) => accept(&shape, index, offered, &own)?,
            None => None,
        });
    }
    let groups = regroup(&shape, &mut answered)?;
    let mut answer = Session::new(origin)?;
    copy_times(offer, &mut answer)?;
    let mut room = Room::beside(&answer, offer.media().len());
    let mut sections = Vec::with_capacity(answered.len());
    for (index, (section, offered)) in answered.into_iter().zip(offer.media()).enumerate() {
        let mid = shape.mid(index);
        let accepted = section.filter(|section| room.take(section));
        sections.push(match accepted {
            Some(section) => (section, true),
            None => {
                let whole = Some(rejected(offered, mid)?).filter(|section| room.take(section));
                let section = whole.map_or_else(|| bare(offered, mid), Ok)?;
                (section, false)
            }
        });
    }
    let in_use = |index: &usize| sections.get(*index).is_some_and(|(_, in_use)| *in_use);
    for group in groups {
        let mids = group.into_iter().filter(in_use);
        let mids: Vec<_> = mids.filter_map(|index| shape.mid(index)).collect();
        if !mids.is_empty() {
            answer.push(Group::bundle(mids))?;
        }
    }
    if shape.allows_mixed {
        answer.push(ExtMapAllowMixed)?;
    }
    sections
        .into_iter()
        .for_each(|(section, _)| answer.push_media(section));
    match fits(&answer) {
        true => Ok(answer),
        false => Err(Error::TooLong),
    }
}

/// The sections of each group of the answer. What has no transport of its own cannot live without a group, nor a group without
/// a transport; and RTP that does not share its port with RTCP cannot be in one
/// ([RFC 9143 §9.3](https://www.rfc-editor.org/rfc/rfc9143.html#section-9.3)).
fn regroup(
    shape: &Shape<'_>,
    answered: &mut [Option<Media<'static>>],
) -> Result<Vec<Vec<usize>>, Error> {
    let mut groups = Vec::with_capacity(shape.groups.len());
    for group in &shape.groups {
        let section = |index: usize| answered.get(index)?.as_ref();
        let may_stay = |index: usize| {
            let section = section(index);
            shape.group_mux(index) == Some(true)
                || section.is_some_and(|section| !is_rtp(section.protocol()))
        };
        let in_use = group.iter().copied();
        let in_use = in_use.filter(|index| section(*index).is_some());
        let (mut kept, mut lost): (Vec<_>, Vec<_>) = in_use.partition(|index| may_stay(*index));
        lost.retain(|index| !shape.has_port(*index));
        match kept.iter().position(|index| shape.has_port(*index)) {
            // The first section of an answer's group is the one whose transport carries it.
            Some(tagged) => {
                if let Some(upto) = kept.get_mut(..=tagged) {
                    upto.rotate_right(1);
                }
                if let Some(first) = kept.first()
                    && shape.group_mux(*first) == Some(true)
                    && let Some(Some(section)) = answered.get_mut(*first)
                    && !section.has(RtcpMux::NAME)
                {
                    // It speaks for the group, even if it has no RTP itself (RFC 9143 §9.3.1.2).
                    section.push(RtcpMux)?;
                }
                groups.push(kept);
            }
            None => lost.extend(kept),
        }
        for index in lost {
            if let Some(section) = answered.get_mut(index) {
                *section = None;
            }
        }
    }
    Ok(groups)
}

/// The times of an answer are the offer's ([RFC 3264 §6](https://www.rfc-editor.org/rfc/rfc3264.html#section-6)): all of
/// them, for an answer with some of them is none. Of too many, the whole is too long.
fn copy_times(offer: &Session<'_>, answer: &mut Session<'_>) -> Result<(), Error> {
    let timings = offer.timings().zip(offer.times());
    let timings = timings.filter_map(|(timing, time)| Some((timing.ok()?, time)));
    for (index, (timing, time)) in timings.enumerate() {
        match index {
            0 => answer.set_timing(timing),
            _ => answer.push_line('t', timing)?,
        }
        // A repeat that cannot be read does not take its `t=` with it.
        for repeat in time.into_iter().flat_map(|time| time.repeats) {
            answer.push_line('r', repeat)?;
        }
    }
    Ok(())
}

/// What is left of the lines and bytes that the other side need take ([`Limits`]). A few formats of the offer may ask for
/// many lines of the answer: a section that does not fit any more is rejected.
struct Room {
    lines: usize,
    bytes: usize,
}

impl Room {
    /// What a section takes at the least: `m=`, `c=`, a mid, a direction.
    const LEAST: usize = 4;

    fn beside(answer: &Session<'_>, sections: usize) -> Self {
        let limits = Limits::default();
        let (lines, bytes) = size(answer.lines());
        // Beside the sections there are their groups, of which there are not more than sections.
        let taken = lines + sections + Self::LEAST * sections + 1;
        Self {
            lines: limits.lines.saturating_sub(taken),
            bytes: (limits.bytes / 2).saturating_sub(bytes),
        }
    }

    /// Takes the room for a section, if there is that much.
    fn take(&mut self, section: &Media<'_>) -> bool {
        let (lines, bytes) = size(section.lines());
        let bytes = bytes + section.media_line().text().len();
        let fits = lines <= self.lines && bytes <= self.bytes;
        if fits {
            self.lines -= lines;
            self.bytes -= bytes;
        }
        fits
    }
}

fn size(lines: &[Line<'_>]) -> (usize, usize) {
    let bytes = lines.iter().map(|line| line.text().len() + 2);
    (lines.len(), bytes.sum())
}

/// Whether the other side would read it, by the usual limits.
fn fits(answer: &Session<'_>) -> bool {
    let limits = Limits::default();
    let sections = answer.media().iter();
    let (mut lines, mut bytes) = size(answer.lines());
    for section in sections.clone() {
        let (more, long) = size(section.lines());
        lines += more + 1;
        bytes += long + section.media_line().text().len() + 2;
    }
    let longest = sections
        .flat_map(|section| section.lines().iter().chain([section.media_line()]))
        .chain(answer.lines())
        .map(|line| line.text().len())
        .max();
    lines <= limits.lines && bytes <= limits.bytes && longest <= Some(limits.line_bytes)
}

/// The section that rejects an offered one: the same words with port 0
/// ([RFC 3264 §6](https://www.rfc-editor.org/rfc/rfc3264.html#section-6)). What the offer says of its formats is repeated,
/// for they must be named, and names need an explanation.
///
/// # Errors
/// The offered section has words that cannot be written again.
pub fn rejection(offered: &Media<'_>) -> Result<Media<'static>, Error> {
    rejected(offered, offered.mid())
}

fn rejected(offered: &Media<'_>, mid: Option<&str>) -> Result<Media<'static>, Error> {
    let mut section = same_line(offered, mid, 0, offered.formats())?;
    section.set_direction(Direction::Inactive);
    let mut listed = Numbers::of(offered);
    let maps = offered.attributes_of::<RtpMap<'_>>().flatten();
    for map in maps.filter(|map| is_writable(map.encoding)) {
        // The first of a number counts.
        if listed.take(map.payload_type) {
            section.push(map)?;
        }
    }
    Ok(section)
}

/// The shortest rejection.
fn bare(offered: &Media<'_>, mid: Option<&str>) -> Result<Media<'static>, Error> {
    let mut section = same_line(offered, mid, 0, offered.formats().take(1))?;
    section.set_direction(Direction::Inactive);
    Ok(section)
}

/// A set of payload types.
struct Numbers([bool; 128]);

impl Numbers {
    /// Those of the `m=` line.
    fn of(media: &Media<'_>) -> Self {
        let mut numbers = Self([false; 128]);
        for number in media.payload_types() {
            if let Some(listed) = numbers.0.get_mut(usize::from(number)) {
                *listed = true;
            }
        }
        numbers
    }

    fn has(&self, number: u8) -> bool {
        self.0.get(usize::from(number)) == Some(&true)
    }

    /// Whether it was there, which it no longer is.
    fn take(&mut self, number: u8) -> bool {
        let listed = self.0.get_mut(usize::from(number));
        listed.is_some_and(core::mem::take)
    }
}

fn same_line<F: core::fmt::Display>(
    offered: &Media<'_>,
    mid: Option<&str>,
    port: u16,
    formats: impl IntoIterator<Item = F>,
) -> Result<Media<'static>, Error> {
    let mut section = Media::new(offered.kind(), port, offered.protocol(), formats)?;
    if let Some(mid) = mid {
        section.push(Mid(mid))?;
    }
    Ok(section)
}

fn accept(
    shape: &Shape<'_>,
    index: usize,
    offered: &Media<'_>,
    own: &Capabilities<'_>,
) -> Result<Option<Media<'static>>, Error> {
    let Some(place) = Place::of(shape, offered, own) else {
        return Ok(None);
    };
    let mid = shape.mid(index);
    let theirs = offered.attribute::<Setup>().and_then(Result::ok);
    let theirs = theirs.or(shape.setup);
    let setup = theirs.map(|_| answer_setup(theirs, own.setup));
    if !is_rtp(offered.protocol()) {
        let mut section = same_line(offered, mid, place.port, offered.formats())?;
        place.write(&mut section)?;
        if place.direction != Direction::SendRecv {
            section.set_direction(place.direction);
        }
        setup.map_or(Ok(()), |setup| section.push(setup))?;
        return Ok(Some(section));
    }
    let theirs = writable_codecs(offered);
    let common = common_codecs(&theirs, &own.codecs);
    let only = offered.has(RtcpMuxOnly::NAME);
    let says_so = offered.has(RtcpMux::NAME) || shape.group_mux(index) == Some(true);
    let mux = answer_rtcp_mux(says_so, only, true, false);
    let mut common_media = common.iter().map(|codec| &codec.offered);
    // Where no media are offered, tones may be all there is (as in RFC 4317).
    let usable = match theirs.iter().any(carries_media) {
        true => common_media.any(carries_media),
        false => common_media.any(|codec| !codec.is("rtx") && !codec.is("red")),
    };
    let (Some(mux), true) = (mux, usable) else {
        return Ok(None);
    };
    let numbers = common.iter().map(|codec| codec.payload_type());
    let mut section = same_line(offered, mid, place.port, numbers)?;
    place.write(&mut section)?;
    section.set_direction(place.direction);
    setup.map_or(Ok(()), |setup| section.push(setup))?;
    push_extensions(shape, offered, own, &mut section)?;
    // a=rtcp-mux-only is for offers (RFC 8858 §4.3): a=rtcp-mux accepts it.
    if mux {
        section.push(RtcpMux)?;
    }
    if offered.has(RtcpRsize::NAME) {
        section.push(RtcpRsize)?;
    }
    for codec in &common {
        push_codec(codec, &mut section)?;
    }
    if own.simulcast {
        push_simulcast(offered, &mut section)?;
    }
    Ok(Some(section))
}

/// Whether it can be in a line. A text that was read may hold a NUL within a line, which nobody need read again: an
/// attribute with one spoils only itself.
fn is_writable(text: &str) -> bool {
    !text.contains(['\r', '\n', '\0'])
}

/// The offered codecs without the attributes that cannot be written again.
fn writable_codecs<'o>(offered: &'o Media<'_>) -> Vec<Codec<'o>> {
    let mut codecs = offered.codecs();
    codecs.retain_mut(|codec| {
        if !is_writable(codec.rtpmap.encoding) {
            match RtpMap::static_type(codec.payload_type()) {
                Some(known) => codec.rtpmap = known,
                None => return false,
            }
        }
        codec
            .feedback
            .retain(|feedback| is_writable(feedback.kind) && is_writable(feedback.parameter));
        true
    });
    codecs
}

/// Whether a codec is media of its own, and not what goes with them: a section of nothing else carries nothing.
fn carries_media(codec: &Codec<'_>) -> bool {
    const BESIDE: &[&str] = &[
        "rtx",
        "red",
        "ulpfec",
        "flexfec",
        "flexfec-03",
        "telephone-event",
        "CN",
    ];
    !BESIDE.iter().any(|name| codec.is(name))
}

fn push_extensions(
    shape: &Shape<'_>,
    offered: &Media<'_>,
    own: &Capabilities<'_>,
    section: &mut Media<'static>,
) -> Result<(), Error> {
    let of_section = offered.attributes_of::<ExtMap<'_>>().flatten();
    let mut theirs: Vec<ExtMap<'_>> = shape.extensions.iter().copied().chain(of_section).collect();
    // What cannot be written again is not answered; it spoils nothing else.
    theirs.retain(|extension| is_writable(extension.uri) && is_writable(extension.attributes));
    let mut ours = BTreeMap::new();
    for own in &own.extensions {
        ours.entry(own.uri)
            .or_insert_with(|| own.direction.unwrap_or_default());
    }
    for extension in common_extensions(&theirs, |uri| ours.get(uri).copied()) {
        section.push(extension)?;
    }
    if offered.has(ExtMapAllowMixed::NAME) {
        section.push(ExtMapAllowMixed)?;
    }
    Ok(())
}

fn push_codec(codec: &CommonCodec<'_>, section: &mut Media<'static>) -> Result<(), Error> {
    section.push(RtpMap {
        // One channel is what holds without a number.
        channels: codec
            .offered
            .rtpmap
            .channels
            .filter(|channels| *channels != 1),
        ..codec.offered.rtpmap
    })?;
    for feedback in &codec.feedback {
        section.push(RtcpFb {
            payload_type: Some(codec.payload_type()),
            feedback: *feedback,
        })?;
    }
    // Either side's may have been read with what cannot be written.
    if !codec.parameters.is_empty() && is_writable(&codec.parameters) {
        section.push(Fmtp {
            format: &codec.payload_type().to_string(),
            parameters: Parameters(&codec.parameters),
        })?;
    }
    Ok(())
}

/// The encodings that can be answered, and the simulcast of those.
fn push_simulcast(offered: &Media<'_>, section: &mut Media<'static>) -> Result<(), Error> {
    let numbers = Numbers::of(section);
    let mut known = BTreeSet::new();
    for rid in offered.attributes_of::<Rid<'_>>().flatten() {
        let listed = rid.payload_types().all(|number| numbers.has(number));
        let writable = is_writable(rid.id) && is_writable(rid.restrictions.0);
        let answer = answer_rid(&rid).filter(|_| listed && writable);
        // The first of an id counts.
        if let Some(answer) = answer.filter(|answer| known.insert(answer.id)) {
            section.push(answer)?;
        }
    }
    match offered.attribute::<Simulcast<'_>>() {
        Some(Ok(simulcast)) => match answer_simulcast(&simulcast, |id| known.contains(id)) {
            Some(simulcast) => section.push(simulcast),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}
