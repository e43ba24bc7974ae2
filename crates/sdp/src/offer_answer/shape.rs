//! What of an offer concerns more than one section, read once: an answer to any text is made in one pass over it.

use super::{Capabilities, answer_direction, outline::Multicast};
use crate::{
    attribute::{
        Attribute, BundleOnly, Direction, ExtMap, ExtMapAllowMixed, RtcpMux, RtcpMuxOnly, Setup,
    },
    error::Error,
    field::Connection,
    media::Media,
    session::Session,
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

/// What of an offer concerns more than one section.
pub(super) struct Shape<'o> {
    sections: Vec<Offered<'o>>,
    /// The sections of each BUNDLE group. A section is in one at most, the first that names it.
    pub(super) groups: Vec<Vec<usize>>,
    /// What the session says for sections that say nothing.
    pub(super) setup: Option<Setup>,
    pub(super) direction: Direction,
    pub(super) connection: Option<Connection<'o>>,
    /// The header extensions of all sections; at most [`EXTENSIONS`](Self::EXTENSIONS).
    pub(super) extensions: Vec<ExtMap<'o>>,
    pub(super) allows_mixed: bool,
}

struct Offered<'o> {
    mid: Option<&'o str>,
    has_port: bool,
    is_rejected: bool,
    /// Whether its BUNDLE group shares a port with RTCP; `None` in no group.
    group_mux: Option<bool>,
}

impl<'o> Shape<'o> {
    /// There are as many ids (RFC 8285 §4.3), and each section would read all of them again.
    const EXTENSIONS: usize = 256;

    pub(super) fn of(offer: &'o Session<'_>) -> Self {
        let mut places = BTreeMap::new();
        let mut sections = Vec::with_capacity(offer.media().len());
        for (index, media) in offer.media().iter().enumerate() {
            // A mid is the name of one section: later ones have none.
            let mid = media.mid();
            let mid = mid.filter(|mid| *places.entry(*mid).or_insert(index) == index);
            sections.push(Offered {
                mid,
                has_port: media.port() != 0,
                is_rejected: media.port() == 0,
                group_mux: None,
            });
        }
        let mut grouped = BTreeSet::new();
        let mut groups = Vec::new();
        for group in offer.bundle_groups() {
            let members = group.mids.iter().filter_map(|mid| places.get(mid).copied());
            let members: Vec<usize> = members.filter(|index| grouped.insert(*index)).collect();
            if !members.is_empty() {
                groups.push(members);
            }
        }
        for index in grouped {
            if let (Some(section), Some(media)) =
                (sections.get_mut(index), offer.media().get(index))
            {
                section.is_rejected &= !media.has(BundleOnly::NAME);
            }
        }
        for group in &groups {
            let says_so = |index: &usize| {
                let in_use = sections
                    .get(*index)
                    .is_some_and(|section| !section.is_rejected);
                in_use && offer.media().get(*index).is_some_and(offers_mux)
            };
            // Later offers say so in one section for all (RFC 9143 §9.3.1.4).
            let mux = group.iter().any(says_so);
            for index in group {
                if let Some(section) = sections.get_mut(*index) {
                    section.group_mux = Some(mux);
                }
            }
        }
        Self {
            sections,
            groups,
            setup: offer.attribute::<Setup>().and_then(Result::ok),
            direction: offer.section.direction().unwrap_or_default(),
            connection: offer.connection().and_then(Result::ok),
            extensions: offer
                .attributes_of()
                .flatten()
                .take(Self::EXTENSIONS)
                .collect(),
            allows_mixed: offer.has(ExtMapAllowMixed::NAME),
        }
    }

    /// The mid, if no section before has it.
    pub(super) fn mid(&self, index: usize) -> Option<&'o str> {
        self.sections.get(index)?.mid
    }

    /// Whether RTP and RTCP share a port in the section's BUNDLE group: one of its sections says so. `None` in no group.
    pub(super) fn group_mux(&self, index: usize) -> Option<bool> {
        self.sections.get(index)?.group_mux
    }

    /// Whether the section is offered with a transport of its own.
    pub(super) fn has_port(&self, index: usize) -> bool {
        let section = self.sections.get(index);
        section.is_some_and(|section| section.has_port)
    }

    /// Whether the section has port 0, and is not bundle-only in a group: outside of one the attribute means nothing
    /// ([RFC 9143 §6](https://www.rfc-editor.org/rfc/rfc9143.html#section-6)).
    pub(super) fn is_rejected(&self, index: usize) -> bool {
        let section = self.sections.get(index);
        section.is_none_or(|section| section.is_rejected)
    }
}

/// Whether a section by itself offers one port for RTP and RTCP.
pub(super) fn offers_mux(media: &Media<'_>) -> bool {
    media.has(RtcpMux::NAME) || media.has(RtcpMuxOnly::NAME)
}

/// Where the media of an answered section go, and in which direction.
pub(super) struct Place<'o> {
    pub(super) direction: Direction,
    pub(super) port: u16,
    multicast: Option<Multicast<'o>>,
    /// Of all else.
    connection: Connection<'o>,
}

impl<'o> Place<'o> {
    /// `None` if it is multicast in a direction that is not wanted: all take part in it alike
    /// ([RFC 3264 §6.2](https://www.rfc-editor.org/rfc/rfc3264.html#section-6.2)).
    pub(super) fn of(
        shape: &Shape<'o>,
        offered: &'o Media<'_>,
        own: &Capabilities<'o>,
    ) -> Option<Self> {
        let theirs = offered.direction().unwrap_or(shape.direction);
        let Some(multicast) = Multicast::of(offered, shape.connection) else {
            return Some(Self {
                direction: answer_direction(theirs, own.direction),
                port: own.port,
                multicast: None,
                connection: own.connection,
            });
        };
        let can = own.direction.intersection(theirs) == theirs;
        can.then_some(Self {
            direction: theirs,
            port: multicast.port,
            multicast: Some(multicast),
            connection: own.connection,
        })
    }

    /// Writes what of it is not in the `m=` line yet.
    pub(super) fn write(&self, section: &mut Media<'static>) -> Result<(), Error> {
        let Some(multicast) = &self.multicast else {
            return section.set_connection(&self.connection);
        };
        section.set_port_count(multicast.port_count);
        let mut connections = multicast.connections.iter();
        if let Some(first) = connections.next() {
            section.set_connection(first)?;
        }
        connections.try_for_each(|more| section.push_line('c', more))
    }
}
