//! The offer/answer state machine ([RFC 9429 §3.2](https://www.rfc-editor.org/rfc/rfc9429#section-3.2)).
//!
//! ```text
//!                  setRemote(OFFER)               setLocal(OFFER)
//!                   /-------------\  +----------+  /-------------\
//!                   |              \ |          | /              |
//!                   |   setLocal   +-|  stable  |-+   setRemote  |
//!                   |   (ANSWER)  /->|          |<-\  (ANSWER)   |
//!                   |             |  +----------+  |             |
//!                   V             |                |             V
//!              +-------------------+          +-------------------+
//!              | have-remote-offer |          | have-local-offer  |
//!              +-------------------+          +-------------------+
//! ```
//! Provisional answers and rollback are not done yet.

use crate::error::Error;
use crate::event::TransceiverId;
use crate::jsep::Description;
use crate::state::{SdpType, SessionDescription, SignalingState};

/// Who stands behind an m-line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// An audio or video section.
    Transceiver(TransceiverId),
    /// A section we cannot use, such as one for an unknown protocol.
    Nobody,
}

/// A description with the owners of its m-lines.
#[derive(Clone, Debug)]
pub(crate) struct Proposal {
    pub(crate) description: Description,
    pub(crate) owners: Vec<Owner>,
}

/// Both halves of an exchange that came to its end.
#[derive(Clone, Debug)]
pub(crate) struct Agreement {
    pub(crate) local: Description,
    pub(crate) remote: Description,
    pub(crate) owners: Vec<Owner>,
    /// Whether the offer was ours.
    pub(crate) we_offered: bool,
}

/// What has been created and applied so far.
#[derive(Debug)]
pub(crate) struct Signaling {
    state: State,
    /// What `create_offer` or `create_answer` made last: the only thing `set_local_description` takes.
    created: Option<(SessionDescription, Proposal)>,
    /// The last complete exchange.
    agreement: Option<Agreement>,
    pub(crate) session_id: u64,
    pub(crate) next_version: u64,
}

#[derive(Debug)]
enum State {
    Stable,
    HaveLocalOffer(Box<Proposal>),
    HaveRemoteOffer(Box<Proposal>),
    Closed,
}

impl Signaling {
    pub(crate) fn new(session_id: u64) -> Self {
        Self {
            state: State::Stable,
            created: None,
            agreement: None,
            session_id,
            next_version: 1,
        }
    }

    pub(crate) fn state(&self) -> SignalingState {
        match self.state {
            State::Stable => SignalingState::Stable,
            State::HaveLocalOffer(_) => SignalingState::HaveLocalOffer,
            State::HaveRemoteOffer(_) => SignalingState::HaveRemoteOffer,
            State::Closed => SignalingState::Closed,
        }
    }

    pub(crate) fn agreement(&self) -> Option<&Agreement> {
        self.agreement.as_ref()
    }

    /// The m-lines so far, in order: those under negotiation if there are any, else the agreed ones.
    pub(crate) fn owners(&self) -> &[Owner] {
        match &self.state {
            State::HaveLocalOffer(offer) | State::HaveRemoteOffer(offer) => &offer.owners,
            State::Stable | State::Closed => self
                .agreement
                .as_ref()
                .map_or(&[], |agreement| &agreement.owners),
        }
    }

    /// The local description in force: the pending offer if there is one, else the agreed one.
    pub(crate) fn local(&self) -> Option<(SdpType, &Description)> {
        match &self.state {
            State::HaveLocalOffer(offer) => Some((SdpType::Offer, &offer.description)),
            _ => self.agreement.as_ref().map(|agreement| {
                (
                    if agreement.we_offered {
                        SdpType::Offer
                    } else {
                        SdpType::Answer
                    },
                    &agreement.local,
                )
            }),
        }
    }

    /// The remote description in force.
    pub(crate) fn remote(&self) -> Option<(SdpType, &Description)> {
        match &self.state {
            State::HaveRemoteOffer(offer) => Some((SdpType::Offer, &offer.description)),
            _ => self.agreement.as_ref().map(|agreement| {
                (
                    if agreement.we_offered {
                        SdpType::Answer
                    } else {
                        SdpType::Offer
                    },
                    &agreement.remote,
                )
            }),
        }
    }

    /// The offer that waits for our answer.
    pub(crate) fn remote_offer(&self) -> Option<&Proposal> {
        match &self.state {
            State::HaveRemoteOffer(offer) => Some(offer),
            _ => None,
        }
    }

    /// The offer of ours that waits for an answer.
    pub(crate) fn local_offer(&self) -> Option<&Proposal> {
        match &self.state {
            State::HaveLocalOffer(offer) => Some(offer),
            _ => None,
        }
    }

    /// Refuses what the present state does not take.
    pub(crate) fn require(
        &self,
        operation: &'static str,
        states: &[SignalingState],
    ) -> Result<(), Error> {
        let state = self.state();
        if state == SignalingState::Closed {
            return Err(Error::Closed);
        }
        if states.contains(&state) {
            Ok(())
        } else {
            Err(Error::WrongState { operation, state })
        }
    }

    pub(crate) fn created(&mut self, description: SessionDescription, proposal: Proposal) {
        self.next_version += 1;
        self.created = Some((description, proposal));
    }

    /// Takes back what was created, if `description` is just that.
    pub(crate) fn take_created(
        &mut self,
        description: &SessionDescription,
    ) -> Result<Proposal, Error> {
        match self.created.take() {
            Some((created, proposal)) if created == *description => Ok(proposal),
            other => {
                self.created = other;
                Err(Error::unacceptable(
                    "a local description is what create_offer or create_answer made last, unchanged (RFC 9429 §5.4)",
                ))
            }
        }
    }

    pub(crate) fn have_local_offer(&mut self, offer: Proposal) {
        self.state = State::HaveLocalOffer(Box::new(offer));
    }

    pub(crate) fn have_remote_offer(&mut self, offer: Proposal) {
        self.created = None;
        self.state = State::HaveRemoteOffer(Box::new(offer));
    }

    /// An answer settled the offer.
    pub(crate) fn settle(&mut self, agreement: Agreement) {
        self.created = None;
        self.state = State::Stable;
        self.agreement = Some(agreement);
    }

    pub(crate) fn close(&mut self) {
        self.created = None;
        self.state = State::Closed;
    }
}
