//! What of a description the rules between descriptions look at, and those rules.

use super::shape::{Shape, offers_mux};
use crate::{
    attribute::{Attribute, Direction, ExtMap, RtcpMux, RtcpMuxOnly, Setup, Simulcast},
    error::ParseError,
    field::{Connection, Origin, Timing},
    grammar::is_rtp,
    media::Media,
    reference::Reference,
    session::Session,
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::fmt;

/// What of a description the rules between descriptions look at: made from a [`Session`] with [`of`](Self::of), or by hand
/// by who keeps descriptions in another form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline<'s> {
    /// One for each `m=` line, in their order.
    pub sections: Vec<SectionOutline<'s>>,
    /// The mids of each BUNDLE group.
    pub bundles: Vec<Vec<&'s str>>,
    /// The `t=` lines; none if they are not to be compared.
    pub times: Vec<Timing>,
}

/// What of a media section the rules look at. The default is an unnamed section in use, both ways, that is not RTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SectionOutline<'s> {
    /// The first word of the `m=` line.
    pub kind: &'s str,
    /// The protocol of the `m=` line; empty if it is not to be compared.
    pub protocol: &'s str,
    /// The `a=mid`, if there is one.
    pub mid: Option<&'s str>,
    /// Whether the port is 0, without an `a=bundle-only` in a BUNDLE group.
    pub rejected: bool,
    /// Whether the media are RTP.
    pub is_rtp: bool,
    /// Whether there is an `a=rtcp-mux`.
    pub rtcp_mux: bool,
    /// The `a=setup` that holds.
    pub setup: Option<Setup>,
    /// The direction that holds.
    pub direction: Direction,
    /// Where multicast goes: the `c=` lines that hold, if they are of multicast, the port, and the number of ports.
    pub multicast: Option<Multicast<'s>>,
}

/// Where multicast goes, which is one place for all who take part
/// ([RFC 3264 §6.2](https://www.rfc-editor.org/rfc/rfc3264.html#section-6.2)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multicast<'s> {
    /// The `c=` lines that hold: several, for layers.
    pub connections: Vec<Connection<'s>>,
    /// The port.
    pub port: u16,
    /// The number of ports, if the `m=` line gives one.
    pub port_count: Option<u32>,
}

impl<'s> Multicast<'s> {
    /// Where the media of a section go, if that is multicast; `session` is the `c=` of the session, which holds for
    /// sections without one. With port 0 a section is rejected or bundle-only, and goes where its group goes, whatever its
    /// own `c=` is ([RFC 9143 §6](https://www.rfc-editor.org/rfc/rfc9143.html#section-6)).
    pub(super) fn of(media: &'s Media<'_>, session: Option<Connection<'s>>) -> Option<Self> {
        let mut connections: Vec<_> = media.connections().flatten().collect();
        if connections.is_empty() {
            connections.extend(session);
        }
        let is_multicast = connections.iter().any(Connection::is_multicast);
        (is_multicast && media.port() != 0).then(|| Self {
            connections,
            port: media.port(),
            port_count: media.port_count(),
        })
    }
}

impl<'s> Outline<'s> {
    /// The outline of a session.
    pub fn of(session: &'s Session<'_>) -> Self {
        let shape = Shape::of(session);
        let sections = session.media().iter().enumerate();
        let sections = sections.map(|(index, media)| SectionOutline {
            kind: media.kind().as_str(),
            protocol: media.protocol(),
            mid: media.mid(),
            rejected: shape.is_rejected(index),
            is_rtp: is_rtp(media.protocol()),
            rtcp_mux: media.has(RtcpMux::NAME),
            setup: match media.attribute::<Setup>() {
                Some(own) => own.ok(),
                None => shape.setup,
            },
            direction: media.direction().unwrap_or(shape.direction),
            multicast: Multicast::of(media, shape.connection),
        });
        Self {
            sections: sections.collect(),
            bundles: session.bundle_groups().map(|group| group.mids).collect(),
            times: session.timings().flatten().collect(),
        }
    }

    /// The same without the rejected sections in its BUNDLE groups. They have no place there
    /// ([RFC 9143 §7.3.3](https://www.rfc-editor.org/rfc/rfc9143.html#section-7.3.3)), but not all implementations take them
    /// out (werift 0.24 does not), and who knows that they are rejected can do without the rule.
    #[must_use]
    pub fn without_rejected_in_bundles(mut self) -> Self {
        let rejected = self.sections.iter().filter(|section| section.rejected);
        let rejected: BTreeSet<_> = rejected.filter_map(|section| section.mid).collect();
        for bundle in &mut self.bundles {
            bundle.retain(|mid| !rejected.contains(mid));
        }
        self
    }
}

/// A rule between two descriptions that the later one breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Violation {
    /// The section that breaks it, counted from 0; `None` if it is not a single one.
    pub section: Option<usize>,
    /// The rule, with its document.
    pub rule: &'static str,
    /// Where the rule is.
    pub reference: Reference,
}

impl Violation {
    /// The line that begins the section which breaks it, in the text `session` was parsed from; `None` if it is not a
    /// single section.
    pub fn line(&self, session: &Session<'_>) -> Option<u32> {
        let section = session.media().get(self.section?)?;
        Some(section.media_line().number())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(section) = self.section {
            write!(f, "media section {}: ", section + 1)?;
        }
        f.write_str(self.rule)
    }
}

impl core::error::Error for Violation {}

const fn broken(
    section: Option<usize>,
    rule: &'static str,
    document: &'static str,
    number: &'static str,
) -> Result<(), Violation> {
    Err(Violation {
        section,
        rule,
        reference: Reference::rfc(document, number),
    })
}

/// Whether `answer` is an answer to `offer`, by these rules: [`check_sections`],
/// [`check_directions`], [`check_bundles`](super::check_bundles), and
///
/// - the times are the offer's ([RFC 3264 §6](https://www.rfc-editor.org/rfc/rfc3264.html#section-6)), if there are any;
/// - an answer does not leave the choice who opens
///   ([RFC 8842 §5.3](https://www.rfc-editor.org/rfc/rfc8842.html#section-5.3)).
///
/// ```
/// use rtckit_sdp::{Session, offer_answer::{Outline, check_answer}};
///
/// let offer = Session::parse("v=0\no=- 1 1 IN IP4 192.0.2.1\nm=audio 9 RTP/AVP 0\na=sendonly\n")?;
/// let answer = Session::parse("v=0\no=- 2 2 IN IP4 192.0.2.2\nm=audio 9 RTP/AVP 0\na=sendrecv\n")?;
/// let violation = check_answer(&Outline::of(&offer), &Outline::of(&answer)).unwrap_err();
/// assert_eq!((violation.section, violation.reference.document), (Some(0), "3264"));
/// assert_eq!(violation.line(&answer), Some(3));
/// # Ok::<(), rtckit_sdp::ParseError>(())
/// ```
///
/// # Errors
/// The first rule that is broken.
pub fn check_answer(offer: &Outline<'_>, answer: &Outline<'_>) -> Result<(), Violation> {
    check_sections(offer, answer)?;
    check_directions(offer, answer)?;
    super::check_bundles(offer, answer)?;
    let given = !offer.times.is_empty() && !answer.times.is_empty();
    if given && offer.times != answer.times {
        let rule = "an answer has the times of its offer (RFC 3264 §6)";
        return broken(None, rule, "3264", "6");
    }
    let in_use = answer.sections.iter().enumerate();
    for (index, answered) in in_use.filter(|(_, answered)| !answered.rejected) {
        if answered.setup == Some(Setup::ActPass) {
            let rule = "an answer does not leave who opens: no a=setup:actpass (RFC 8842 §5.3)";
            return broken(Some(index), rule, "8842", "5.3");
        }
    }
    Ok(())
}

/// [`check_answer`], and of the sections in use what an outline does not tell, for who made the answer:
///
/// - one side opens, at most ([RFC 4145 §4.1](https://www.rfc-editor.org/rfc/rfc4145.html#section-4.1));
/// - unicast is answered by unicast ([RFC 3264 §6.1](https://www.rfc-editor.org/rfc/rfc3264.html#section-6.1));
/// - only header extensions that were offered ([RFC 8285 §7](https://www.rfc-editor.org/rfc/rfc8285.html#section-7)), and
///   simulcast only if it was ([RFC 8853 §5.3.2](https://www.rfc-editor.org/rfc/rfc8853.html#section-5.3.2));
/// - RTP and RTCP share a port only where that was offered, for the section or for its BUNDLE group
///   ([RFC 5761 §5.1.1](https://www.rfc-editor.org/rfc/rfc5761.html#section-5.1.1)), and do so in every group
///   ([RFC 9143 §9.3.1.2](https://www.rfc-editor.org/rfc/rfc9143.html#section-9.3.1.2)): as the section or the one that
///   carries the group says;
/// - no `a=rtcp-mux-only` ([RFC 8858 §4.3](https://www.rfc-editor.org/rfc/rfc8858.html#section-4.3)).
///
/// Of the last, [RFC 9143 §9.3.1.2](https://www.rfc-editor.org/rfc/rfc9143.html#section-9.3.1.2) demands the contrary for
/// the section that carries a BUNDLE group. The rule here is that of the attribute's own document: `a=rtcp-mux` says all
/// that there is to say, and browsers do the same. Who is sent one had better take it: an example of
/// [RFC 8829 §7.3](https://www.rfc-editor.org/rfc/rfc8829.html#section-7.3) has it, and no harm is done.
///
/// # Errors
/// The first rule that is broken.
pub fn check_whole_answer(offer: &Session<'_>, answer: &Session<'_>) -> Result<(), Violation> {
    let (offered, answered) = (Outline::of(offer), Outline::of(answer));
    check_answer(&offered, &answered)?;
    check_mux(offer, answer)?;
    let of_session: BTreeSet<&str> = uris(offer.attributes_of()).collect();
    let outlines = offered.sections.iter().zip(&answered.sections);
    let media = offer.media().iter().zip(answer.media());
    for (index, ((offered, answered), (theirs, ours))) in outlines.zip(media).enumerate() {
        if answered.rejected {
            continue;
        }
        let at = Some(index);
        if let (Some(theirs), Some(ours)) = (offered.setup, answered.setup)
            && ours != Setup::HoldConn
            && ours != super::answer_setup(Some(theirs), ours)
        {
            let rule = "one side opens and the other waits (RFC 4145 §4.1)";
            return broken(at, rule, "4145", "4.1");
        }
        if answered.multicast.is_some() && offered.multicast.is_none() {
            let rule = "unicast is answered by unicast (RFC 3264 §6.1)";
            return broken(at, rule, "3264", "6.1");
        }
        let of_section: BTreeSet<&str> = uris(theirs.attributes_of()).collect();
        let is_offered = |uri: &str| of_section.contains(uri) || of_session.contains(uri);
        if !uris(ours.attributes_of()).all(is_offered) {
            let rule = "an answer has only header extensions that were offered (RFC 8285 §7)";
            return broken(at, rule, "8285", "7");
        }
        if ours.has(Simulcast::NAME) && !theirs.has(Simulcast::NAME) {
            let rule = "an answer has simulcast only if it was offered (RFC 8853 §5.3.2)";
            return broken(at, rule, "8853", "5.3.2");
        }
        if ours.has(RtcpMuxOnly::NAME) {
            let rule = "a=rtcp-mux-only is for offers (RFC 8858 §4.3)";
            return broken(at, rule, "8858", "4.3");
        }
    }
    Ok(())
}

/// Whether RTP and RTCP share a port where they may, and where they must.
fn check_mux(offer: &Session<'_>, answer: &Session<'_>) -> Result<(), Violation> {
    let (offered, answered) = (Shape::of(offer), Shape::of(answer));
    let mut carriers = BTreeMap::new();
    for group in &answered.groups {
        // An answer's first section carries the group, and speaks for it.
        let first = group.first().and_then(|first| answer.media().get(*first));
        group
            .iter()
            .for_each(|index| _ = carriers.insert(*index, first));
    }
    for (index, (theirs, ours)) in offer.media().iter().zip(answer.media()).enumerate() {
        if answered.is_rejected(index) || !is_rtp(ours.protocol()) {
            continue;
        }
        let at = Some(index);
        let is_offered = offers_mux(theirs) || offered.group_mux(index) == Some(true);
        if ours.has(RtcpMux::NAME) && !is_offered {
            let rule = "an answer has a=rtcp-mux only if it was offered (RFC 5761 §5.1.1)";
            return broken(at, rule, "5761", "5.1.1");
        }
        let carrier = carriers.get(&index).copied().flatten();
        if carrier.is_some_and(|carrier| !ours.has(RtcpMux::NAME) && !carrier.has(RtcpMux::NAME)) {
            let rule =
                "RTP in a BUNDLE group shares its port with RTCP: a=rtcp-mux (RFC 9143 §9.3.1.2)";
            return broken(at, rule, "9143", "9.3.1.2");
        }
    }
    Ok(())
}

fn uris<'s>(
    extensions: impl Iterator<Item = Result<ExtMap<'s>, ParseError>>,
) -> impl Iterator<Item = &'s str> {
    extensions.flatten().map(|extension| extension.uri)
}

/// Whether an answer has the offer's sections in the offer's order
/// ([RFC 3264 §6](https://www.rfc-editor.org/rfc/rfc3264.html#section-6),
/// [RFC 5888 §9.1](https://www.rfc-editor.org/rfc/rfc5888.html#section-9.1)).
///
/// # Errors
/// The first rule that is broken.
pub fn check_sections(offer: &Outline<'_>, answer: &Outline<'_>) -> Result<(), Violation> {
    if answer.sections.len() != offer.sections.len() {
        let rule = "an answer has as many media sections as its offer (RFC 3264 §6)";
        return broken(None, rule, "3264", "6");
    }
    for (index, (offered, answered)) in offer.sections.iter().zip(&answer.sections).enumerate() {
        let at = Some(index);
        if answered.rejected {
            continue;
        }
        if offered.kind != answered.kind {
            let rule =
                "each section of an answer has the media type of the one offered (RFC 3264 §6)";
            return broken(at, rule, "3264", "6");
        }
        if offered.rejected {
            let rule = "a section offered with port zero cannot be accepted (RFC 3264 §6)";
            return broken(at, rule, "3264", "6");
        }
        if answered.mid.is_some() && answered.mid != offered.mid {
            let rule = "an answer repeats the offer's mids (RFC 5888 §9.1)";
            return broken(at, rule, "5888", "9.1");
        }
        let given = !offered.protocol.is_empty() && !answered.protocol.is_empty();
        if given && !offered.protocol.eq_ignore_ascii_case(answered.protocol) {
            let rule =
                "each section of an answer has the protocol of the one offered (RFC 3264 §6)";
            return broken(at, rule, "3264", "6");
        }
    }
    Ok(())
}

/// Whether an answer sends only what the offer would receive, and the other way round
/// ([RFC 3264 §6.1](https://www.rfc-editor.org/rfc/rfc3264.html#section-6.1)). Of multicast, all take part in it alike:
/// address, port and direction are the offer's
/// ([§6.2](https://www.rfc-editor.org/rfc/rfc3264.html#section-6.2)).
///
/// # Errors
/// The first section that does not.
pub fn check_directions(offer: &Outline<'_>, answer: &Outline<'_>) -> Result<(), Violation> {
    for (index, (offered, answered)) in offer.sections.iter().zip(&answer.sections).enumerate() {
        if answered.rejected {
            continue;
        }
        if offered.multicast.is_some() {
            let alike =
                offered.multicast == answered.multicast && offered.direction == answered.direction;
            if !alike {
                let rule =
                    "address, port and direction of multicast are the offer's (RFC 3264 §6.2)";
                return broken(Some(index), rule, "3264", "6.2");
            }
            continue;
        }
        let allowed = offered.direction.reversed();
        if answered.direction.intersection(allowed) != answered.direction {
            let rule = "an answer flows only in directions that were offered (RFC 3264 §6.1)";
            return broken(Some(index), rule, "3264", "6.1");
        }
    }
    Ok(())
}

/// Whether an offer may follow another that was answered: no section disappears, and only one that was rejected becomes
/// another ([RFC 3264 §8](https://www.rfc-editor.org/rfc/rfc3264.html#section-8),
/// [RFC 9429 §5.2.2](https://www.rfc-editor.org/rfc/rfc9429.html#section-5.2.2)).
///
/// `before` is the description of before, offer or answer, of whichever side; a section counts as rejected if either side
/// had rejected it, which `rejected` tells. What takes its place has a mid that no other section in use has
/// ([RFC 5888 §4](https://www.rfc-editor.org/rfc/rfc5888.html#section-4)).
///
/// Not checked, as an outline does not tell it: that a payload type keeps its codec
/// ([RFC 3264 §8.3.2](https://www.rfc-editor.org/rfc/rfc3264.html#section-8.3.2)). Nor is the protocol of a section in use.
///
/// # Errors
/// The first rule that is broken.
pub fn check_reoffer(
    before: &Outline<'_>,
    rejected: impl Fn(usize) -> bool,
    offer: &Outline<'_>,
) -> Result<(), Violation> {
    if offer.sections.len() < before.sections.len() {
        let rule = "a later offer keeps every media section (RFC 3264 §8)";
        return broken(None, rule, "3264", "8");
    }
    let mut named = BTreeMap::new();
    let in_use = offer.sections.iter().filter(|section| !section.rejected);
    for mid in in_use.filter_map(|section| section.mid) {
        *named.entry(mid).or_insert(0_usize) += 1;
    }
    for (index, (old, new)) in before.sections.iter().zip(&offer.sections).enumerate() {
        let at = Some(index);
        if new.rejected {
            continue;
        }
        if old.rejected || rejected(index) {
            let count = new.mid.and_then(|mid| named.get(mid));
            if count.is_some_and(|count| *count > 1) {
                let rule = "what takes a section's place has a mid of its own (RFC 5888 §4)";
                return broken(at, rule, "5888", "4");
            }
            continue;
        }
        if old.kind != new.kind {
            let rule = "a section in use keeps its media type (RFC 3264 §8.3)";
            return broken(at, rule, "3264", "8.3");
        }
        if old.mid.is_some() && old.mid != new.mid {
            let rule = "a section in use keeps its mid (RFC 9429 §5.2.2)";
            return broken(at, rule, "9429", "5.2.2");
        }
    }
    Ok(())
}

/// Whether the `o=` line of a later description fits the one before: the same session, and a version that is one higher
/// if anything has changed ([RFC 3264 §8](https://www.rfc-editor.org/rfc/rfc3264.html#section-8)).
///
/// # Errors
/// The rule that is broken.
pub fn check_origin(
    before: &Origin<'_>,
    after: &Origin<'_>,
    changed: bool,
) -> Result<(), Violation> {
    let same = Origin {
        session_version: before.session_version,
        ..*after
    };
    if same != *before {
        let rule =
            "a later description has the o= of the one before but for its version (RFC 3264 §8)";
        return broken(None, rule, "3264", "8");
    }
    let step = after.session_version.wrapping_sub(before.session_version);
    match (step, changed) {
        (0, false) | (1, _) => Ok(()),
        _ => {
            let rule = "the version grows by one with every change (RFC 3264 §8)";
            broken(None, rule, "3264", "8")
        }
    }
}

/// The sections a new one may take the place of: those that either side has rejected
/// ([RFC 3264 §8.1](https://www.rfc-editor.org/rfc/rfc3264.html#section-8.1)).
pub fn recyclable<'o>(
    offer: &'o Outline<'_>,
    answer: &'o Outline<'_>,
) -> impl Iterator<Item = usize> + use<'o> {
    let pairs = offer.sections.iter().zip(&answer.sections).enumerate();
    pairs.filter_map(|(index, (offered, answered))| {
        (offered.rejected || answered.rejected).then_some(index)
    })
}
