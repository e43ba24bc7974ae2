//! ICE candidates, ours and theirs, as they trickle ([RFC 8838](https://www.rfc-editor.org/rfc/rfc8838)).

use core::net::SocketAddr;

use rtckit_proto::Instant;

use crate::error::Error;
use crate::event::Event;
use crate::peer::Peer;
use crate::state::{IceCandidate, IceGatheringState, SignalingState};

/// Remote candidates that may wait for the description they belong to.
const MAX_EARLY_CANDIDATES: usize = 64;

impl Peer {
    // Ours.

    /// Tells an address of a socket the driver has; it becomes a host candidate.
    pub fn add_local_address(&mut self, now: Instant, address: SocketAddr) {
        // An address that cannot be a candidate is none: the others will do.
        let _ = self.transport.ice.add_local_address(now, address);
        self.pump(now);
    }

    /// Tells that no more addresses will come: gathering is complete.
    pub fn end_of_local_addresses(&mut self, now: Instant) {
        self.transport.ice.end_of_local_addresses();
        self.pump(now);
    }

    /// Begins a new ICE session ([RFC 8445 §9](https://www.rfc-editor.org/rfc/rfc8445#section-9)): the next offer has
    /// fresh credentials and the candidates are announced again. Media goes on over the old path until a new one is
    /// found; the offer should follow at once, since the old session is no longer kept up.
    pub fn restart_ice(&mut self, now: Instant) {
        if self.signaling.state() == SignalingState::Closed {
            return;
        }
        self.transport.restart_ice(now);
        self.forget_candidates();
        self.pump(now);
    }

    pub(crate) fn on_local_candidate(&mut self, candidate: &str) {
        tracing::debug!(candidate, "local candidate");
        let text = if candidate.starts_with("candidate:") {
            candidate.to_owned()
        } else {
            format!("candidate:{candidate}")
        };
        self.local_candidates.push(text.clone());
        if self.gathering != IceGatheringState::New {
            self.tell_candidate(text);
        }
    }

    pub(crate) fn on_gathering_complete(&mut self) {
        self.gathering_complete = true;
        if self.gathering == IceGatheringState::Gathering {
            self.finish_gathering();
        }
    }

    /// ICE starts over: what was gathered belongs to the old session, and will be announced again.
    pub(crate) fn forget_candidates(&mut self) {
        self.local_candidates.clear();
        self.gathering_complete = false;
        self.gathering = IceGatheringState::New;
    }

    /// A local description was applied: candidates may be told from now on.
    pub(crate) fn start_gathering(&mut self) {
        if self.gathering != IceGatheringState::New {
            return;
        }
        self.gathering = IceGatheringState::Gathering;
        self.events
            .push_back(Event::IceGatheringState(self.gathering));
        for candidate in self.local_candidates.clone() {
            self.tell_candidate(candidate);
        }
        if self.gathering_complete {
            self.finish_gathering();
        }
    }

    fn finish_gathering(&mut self) {
        self.tell_candidate(String::new());
        self.gathering = IceGatheringState::Complete;
        self.events
            .push_back(Event::IceGatheringState(self.gathering));
    }

    fn tell_candidate(&mut self, candidate: String) {
        let section = self
            .signaling
            .local()
            .and_then(|(_, description)| description.transport_section());
        let candidate = IceCandidate {
            candidate,
            sdp_mid: section.map(|section| section.mid.clone()),
            username_fragment: Some(self.transport.ice.local_credentials().ufrag().to_owned()),
        };
        self.events.push_back(Event::IceCandidate(candidate));
    }

    // Theirs.

    /// Adds a candidate the other side trickled; an empty one ends the list
    /// ([RFC 8838 §8](https://www.rfc-editor.org/rfc/rfc8838#section-8)).
    ///
    /// One that cannot be used here (TCP, a name, another component) is taken note of and otherwise ignored.
    pub fn add_remote_candidate(
        &mut self,
        now: Instant,
        candidate: &IceCandidate,
    ) -> Result<(), Error> {
        if self.signaling.state() == SignalingState::Closed {
            return Err(Error::Closed);
        }
        // Until the exchange is complete it is not known whose ICE session a candidate belongs to.
        if self.signaling.agreement().is_none() || self.signaling.state() != SignalingState::Stable
        {
            if self.early_candidates.len() < MAX_EARLY_CANDIDATES {
                self.early_candidates.push(candidate.clone());
            }
            return Ok(());
        }
        self.apply_remote_candidate(now, candidate)?;
        self.pump(now);
        Ok(())
    }

    pub(crate) fn apply_remote_candidate(
        &mut self,
        now: Instant,
        candidate: &IceCandidate,
    ) -> Result<(), Error> {
        let text = candidate.candidate.trim();
        let text = text.strip_prefix("a=").unwrap_or(text);
        if text.is_empty() || text == "end-of-candidates" {
            self.transport.ice.set_end_of_remote_candidates(now);
            return Ok(());
        }
        if !self.is_current_generation(candidate) {
            return Ok(());
        }
        match text.parse::<rtckit_ice::Candidate>() {
            Ok(candidate) => {
                tracing::debug!(%candidate, "remote candidate");
                // A full list, an unusable address: ICE counts it and goes on without.
                let _ = self.transport.ice.add_remote_candidate(now, candidate);
                Ok(())
            }
            // Well-formed for SDP but not for us, such as an mDNS name: no path, no fault.
            Err(_) if rtckit_sdp::attribute::Candidate::parse_trickled(text).is_ok() => Ok(()),
            Err(_) => Err(Error::MalformedCandidate),
        }
    }

    /// Whether a candidate belongs to the ICE session in force; one that does not say is taken at its word.
    fn is_current_generation(&self, candidate: &IceCandidate) -> bool {
        let Some(ufrag) = &candidate.username_fragment else {
            return true;
        };
        let remote = self
            .signaling
            .agreement()
            .and_then(|agreement| agreement.remote.transport_section());
        remote
            .and_then(|section| section.transport.as_ref())
            .is_none_or(|transport| transport.ufrag == *ufrag)
    }
}
