//! A whole answer.

use super::{
    Outline, answer_bundle, answer_direction, answer_rid, answer_rtcp_mux, answer_setup,
    answer_simulcast, common_codecs, common_extensions, outline::is_rtp,
};
use crate::{
    attribute::{
        Attribute, BundleOnly, Direction, ExtMap, ExtMapAllowMixed, Fmtp, Group, Mid, Parameters,
        Rid, RtcpFb, RtcpMux, RtcpMuxOnly, RtcpRsize, RtpMap, Setup, Simulcast,
    },
    codec::Codec,
    error::Error,
    field::Origin,
    media::Media,
    session::Session,
};
use alloc::{string::ToString, vec::Vec};

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
}

impl Default for Capabilities<'_> {
    /// Both directions, nothing known, `active`, port 9.
    fn default() -> Self {
        Self {
            direction: Direction::SendRecv,
            codecs: Vec::new(),
            extensions: Vec::new(),
            setup: Setup::Active,
            simulcast: false,
            port: 9,
        }
    }
}

/// The answer to an offer: which sections are accepted and with what.
///
/// `capabilities` is asked for each section that is offered, by its index from 0; `None` rejects it. A section is rejected too if no codec is
/// common, or if it must share RTP's port with RTCP and cannot. Where media go and come from is the caller's to add to the
/// sections that were accepted: ICE credentials and candidates, fingerprints, `c=`, `a=msid`, `a=ssrc`.
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
/// # Errors
/// The offer has words that cannot be written again.
pub fn answer<'c>(
    offer: &Session<'_>,
    origin: &Origin<'_>,
    mut capabilities: impl FnMut(usize, &Media<'_>) -> Option<Capabilities<'c>>,
) -> Result<Session<'static>, Error> {
    let mut sections = Vec::with_capacity(offer.media().len());
    for (index, offered) in offer.media().iter().enumerate() {
        let own = match is_rejected(offered) {
            true => None,
            false => capabilities(index, offered),
        };
        let accepted = match own {
            Some(own) => accept(offer, offered, &own)?,
            None => None,
        };
        sections.push(match accepted {
            Some(section) => section,
            None => rejection(offered)?,
        });
    }
    let mut answer = Session::new(origin)?;
    let in_use = |mid: &str| {
        let mut sections = sections.iter();
        sections.any(|section| section.port() != 0 && section.mid() == Some(mid))
    };
    for group in Outline::of(offer).bundles {
        let mids = answer_bundle(&group, in_use);
        if !mids.is_empty() {
            answer.push(Group::bundle(mids))?;
        }
    }
    if offer.has(ExtMapAllowMixed::NAME) {
        answer.push(ExtMapAllowMixed)?;
    }
    sections
        .into_iter()
        .for_each(|section| answer.push_media(section));
    Ok(answer)
}

fn is_rejected(media: &Media<'_>) -> bool {
    media.port() == 0 && !media.has(BundleOnly::NAME)
}

/// The section that rejects an offered one: the same words with port 0
/// ([RFC 3264 §6](https://www.rfc-editor.org/rfc/rfc3264.html#section-6)). What the offer says of its formats is repeated,
/// for they must be named, and names need an explanation.
///
/// # Errors
/// The offered section has words that cannot be written again.
pub fn rejection(offered: &Media<'_>) -> Result<Media<'static>, Error> {
    let mut section = same_line(offered, 0, offered.formats())?;
    section.set_direction(Direction::Inactive);
    for map in offered.attributes_of::<RtpMap<'_>>().flatten() {
        if offered
            .payload_types()
            .any(|number| number == map.payload_type)
        {
            section.push(map)?;
        }
    }
    Ok(section)
}

fn same_line<F: core::fmt::Display>(
    offered: &Media<'_>,
    port: u16,
    formats: impl IntoIterator<Item = F>,
) -> Result<Media<'static>, Error> {
    let mut section = Media::new(offered.kind(), port, offered.protocol(), formats)?;
    if let Some(mid) = offered.mid() {
        section.push(Mid(mid))?;
    }
    Ok(section)
}

fn accept(
    offer: &Session<'_>,
    offered: &Media<'_>,
    own: &Capabilities<'_>,
) -> Result<Option<Media<'static>>, Error> {
    let direction = answer_direction(offer.direction_of(offered), own.direction);
    let theirs = offer.attribute_for::<Setup>(offered).and_then(Result::ok);
    let setup = theirs.map(|_| answer_setup(theirs, own.setup));
    if !is_rtp(offered.protocol()) {
        let mut section = same_line(offered, own.port, offered.formats())?;
        if direction != Direction::SendRecv {
            section.set_direction(direction);
        }
        setup.map_or(Ok(()), |setup| section.push(setup))?;
        return Ok(Some(section));
    }
    let theirs = offered.codecs();
    let common = common_codecs(&theirs, &own.codecs);
    let is_media =
        |name: &str| !name.eq_ignore_ascii_case("rtx") && !name.eq_ignore_ascii_case("red");
    let nothing_in_common = !common
        .iter()
        .any(|codec| is_media(codec.offered.rtpmap.encoding));
    let only = offered.has(RtcpMuxOnly::NAME);
    let mux = answer_rtcp_mux(offered.has(RtcpMux::NAME), only, true, false);
    let (Some(mux), false) = (mux, nothing_in_common) else {
        return Ok(None);
    };
    let numbers = common.iter().map(|codec| codec.payload_type());
    let mut section = same_line(offered, own.port, numbers)?;
    section.set_direction(direction);
    setup.map_or(Ok(()), |setup| section.push(setup))?;
    let extensions: Vec<ExtMap<'_>> = offered.attributes_of().flatten().collect();
    let wanted = |uri: &str| {
        let mut own = own.extensions.iter();
        own.find(|own| own.uri == uri)
            .map(|own| own.direction.unwrap_or_default())
    };
    for extension in common_extensions(&extensions, wanted) {
        section.push(extension)?;
    }
    if offered.has(ExtMapAllowMixed::NAME) {
        section.push(ExtMapAllowMixed)?;
    }
    if mux {
        section.push(RtcpMux)?;
    }
    if only {
        section.push(RtcpMuxOnly)?;
    }
    if offered.has(RtcpRsize::NAME) {
        section.push(RtcpRsize)?;
    }
    for codec in &common {
        section.push(codec.offered.rtpmap)?;
        for feedback in &codec.feedback {
            section.push(RtcpFb {
                payload_type: Some(codec.payload_type()),
                feedback: *feedback,
            })?;
        }
        if !codec.parameters.is_empty() {
            section.push(Fmtp {
                format: &codec.payload_type().to_string(),
                parameters: Parameters(&codec.parameters),
            })?;
        }
    }
    if own.simulcast {
        push_simulcast(offered, &mut section)?;
    }
    Ok(Some(section))
}

/// The encodings that can be answered, and the simulcast of those.
fn push_simulcast(offered: &Media<'_>, section: &mut Media<'static>) -> Result<(), Error> {
    let listed = |rid: &Rid<'_>| {
        let mut numbers = rid.payload_types();
        numbers.all(|number| section.payload_types().any(|listed| listed == number))
    };
    let rids = offered.attributes_of::<Rid<'_>>().flatten();
    let rids: Vec<_> = rids
        .filter(listed)
        .filter_map(|rid| answer_rid(&rid))
        .collect();
    for rid in &rids {
        section.push(*rid)?;
    }
    let known = |id: &str| rids.iter().any(|rid| rid.id == id);
    match offered.attribute::<Simulcast<'_>>() {
        Some(Ok(simulcast)) => match answer_simulcast(&simulcast, known) {
            Some(simulcast) => section.push(simulcast),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}
