//! Which transceiver stands behind which section, and under which mid
//! ([RFC 9429 §5.2.2, §5.10](https://www.rfc-editor.org/rfc/rfc9429#section-5.10)).

use rtckit_sdp::attribute::Direction;

use crate::event::TransceiverId;
use crate::jsep::{self, Description, Section};
use crate::peer::{MAX_TRANSCEIVERS, Peer};
use crate::signaling::{Agreement, Owner, Proposal};
use crate::state::MediaKind;
use crate::transceiver::Transceiver;

impl Peer {
    /// Whose the sections of our next offer are. A transceiver without one takes the place of a section that nobody uses, if
    /// there is one ([RFC 9429 §5.2.2](https://www.rfc-editor.org/rfc/rfc9429#section-5.2.2)).
    pub(crate) fn offered_owners(&self) -> Vec<Owner> {
        let mut owners = self.signaling.owners().to_vec();
        let agreed = self.signaling.agreement();
        let free = agreed.map(|agreed| jsep::recyclable(&agreed.local, &agreed.remote));
        let mut free = free.unwrap_or_default().into_iter();
        for transceiver in self.transceivers.iter().filter(|own| !own.retired) {
            let owner = Owner::Transceiver(transceiver.id);
            if owners.contains(&owner) {
                continue;
            }
            let place = free.find(|index| owners.get(*index) == Some(&Owner::Nobody));
            match place.and_then(|index| owners.get_mut(index)) {
                Some(place) => *place = owner,
                None => owners.push(owner),
            }
        }
        owners
    }

    /// Finds or makes the owner of each offered section. A section that was rejected may have become another.
    pub(crate) fn associate(&mut self, offer: &Description) -> Vec<Owner> {
        let before = self.signaling.owners().to_vec();
        let mut owners = Vec::with_capacity(offer.sections.len());
        for (index, section) in offer.sections.iter().enumerate() {
            let kept = before.get(index).copied();
            let kept = kept.filter(|owner| self.keeps(*owner, section));
            let owner = match (kept, section.rtp()) {
                (Some(owner), _) => owner,
                (None, Some(rtp)) if !section.rejected => {
                    let owned = |owner: &Owner| before.contains(owner) || owners.contains(owner);
                    self.claim(rtp.kind, owned)
                }
                (None, _) => Owner::Nobody,
            };
            owners.push(owner);
        }
        owners
    }

    /// Whether an offered section is that of its owner still.
    fn keeps(&self, owner: Owner, section: &Section) -> bool {
        let Owner::Transceiver(id) = owner else {
            return section.rejected || section.rtp().is_none();
        };
        let same = |transceiver: &Transceiver| {
            let mid = transceiver.mid.as_deref();
            let kind = section.rtp().map(|rtp| rtp.kind);
            kind == Some(transceiver.kind) && mid.is_none_or(|mid| mid == section.mid)
        };
        section.rejected || self.transceiver(id).is_some_and(same)
    }

    /// A transceiver for a section that is new: one that waits for such, or another that receives. There are no more than
    /// 64; a section beyond them is refused.
    fn claim(&mut self, kind: MediaKind, owned: impl Fn(&Owner) -> bool) -> Owner {
        let unclaimed = self.transceivers.iter().find(|transceiver| {
            transceiver.kind == kind
                && transceiver.mid.is_none()
                && !transceiver.retired
                && !owned(&Owner::Transceiver(transceiver.id))
        });
        match unclaimed.map(|transceiver| transceiver.id) {
            Some(id) => Owner::Transceiver(id),
            None if self.transceivers.len() >= MAX_TRANSCEIVERS => Owner::Nobody,
            None => Owner::Transceiver(self.insert_transceiver(kind, Direction::RecvOnly)),
        }
    }

    pub(crate) fn name_transceivers(&mut self, proposal: &Proposal) {
        for (owner, section) in proposal.owners.iter().zip(&proposal.description.sections) {
            if let Owner::Transceiver(id) = owner
                && let Some(transceiver) = self.transceiver_mut(*id)
                && !section.mid.is_empty()
            {
                transceiver.mid = Some(section.mid.clone());
            }
        }
    }

    /// Whose section became another's is offered no more.
    pub(crate) fn retire(&mut self, owners: &[Owner]) {
        for transceiver in &mut self.transceivers {
            let owns = owners.contains(&Owner::Transceiver(transceiver.id));
            if !owns && transceiver.current_direction.is_some() {
                transceiver.retired = true;
                transceiver.mid = None;
                transceiver.current_direction = Some(Direction::Inactive);
                transceiver.receiver = None;
            }
        }
    }

    pub(crate) fn insert_transceiver(
        &mut self,
        kind: MediaKind,
        direction: Direction,
    ) -> TransceiverId {
        let id = TransceiverId(self.transceivers.len() as u32);
        let ssrc = self.unused_ssrc(0);
        let rtx_ssrc = self.unused_ssrc(ssrc);
        let track_id = self.random_token();
        self.transceivers.push(Transceiver::new(
            id, kind, direction, ssrc, rtx_ssrc, track_id,
        ));
        id
    }
}

/// Hands out mids that neither a transceiver nor a section has, be it in use or not: short, as RFC 9143 §15.1 wants them for the header extension.
#[derive(Debug)]
pub(crate) struct MidAllocator {
    taken: Vec<String>,
    next: u32,
}

impl MidAllocator {
    pub(crate) fn new(transceivers: &[Transceiver], agreement: Option<&Agreement>) -> Self {
        let sections = agreement.map_or(&[][..], |agreement| &agreement.local.sections);
        let agreed = sections.iter().map(|section| section.mid.clone());
        let named = transceivers
            .iter()
            .filter_map(|transceiver| transceiver.mid.clone());
        Self {
            taken: named.chain(agreed).collect(),
            next: 0,
        }
    }

    pub(crate) fn next(&mut self) -> String {
        loop {
            let mid = self.next.to_string();
            self.next += 1;
            if !self.taken.contains(&mid) {
                return mid;
            }
        }
    }
}
