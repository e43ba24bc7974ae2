//! The agent: routes datagrams, time and calls to the parts that know what to do with them.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::fmt;

use arrayvec::ArrayVec;
use rtckit_proto::{Datagram, FiveTuple, Instant, Machine, Random, Transmit, Transport};
use rtckit_stun::{Class, Message, Method};

use crate::candidate::{Candidate, CandidateType, RTP_COMPONENT};
use crate::checklist::CheckList;
use crate::config::AgentConfig;
use crate::consent::Consent;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::event::{ConnectionState, Event};
use crate::nomination::Nomination;
use crate::pacing::Pacer;
use crate::pair::{CandidatePair, PairId, SelectedPair};
use crate::role::Role;
use crate::server::{EarlyCheck, Response};
use crate::session::{LocalSession, RemoteSession};

/// The most answers that wait to be sent; checks beyond it are dropped and will be repeated.
pub(crate) const MAX_RESPONSES: usize = 32;
/// The most checks remembered until the peer's credentials are known.
pub(crate) const MAX_EARLY_CHECKS: usize = 16;
/// Datagrams are dropped while this many events wait to be read.
const MAX_EVENTS: usize = 64;

/// An ICE agent for one data stream of one component
/// ([RFC 8445](https://www.rfc-editor.org/rfc/rfc8445)): what BUNDLE and RTCP multiplexing leave of a call.
///
/// # Methods by class
/// - *Getters*: [`state`](Self::state), [`role`](Self::role), [`local_credentials`](Self::local_credentials),
///   [`selected_pair`](Self::selected_pair), [`pairs`](Self::pairs),
///   [`local_candidates`](Self::local_candidates), [`remote_candidates`](Self::remote_candidates),
///   [`dropped`](Self::dropped).
/// - *Events from outside*: [`handle_input`](Self::handle_input), [`handle_timeout`](Self::handle_timeout).
/// - *Mutators*: the `set_*` and `add_*` methods, [`restart`](Self::restart), [`close`](Self::close).
/// - *Polls*: [`poll_transmit`](Self::poll_transmit), [`poll_event`](Self::poll_event),
///   [`poll_timeout`](Self::poll_timeout).
///
/// After a call of the second or third class drain `poll_transmit` and `poll_event` until each returns `None`,
/// then ask `poll_timeout`. Another order costs latency, never correctness. Time never runs backwards.
///
/// # Bounds
/// Candidates and pairs have the ceilings of [`AgentConfig`]; 32 answers, 64 events and 16 checks from before
/// the peer's credentials are kept. Work per call is linear in the number of pairs, but for adding a candidate,
/// which is quadratic.
pub struct Agent {
    pub(crate) config: AgentConfig,
    pub(crate) random: Box<dyn Random + Send + Sync>,
    pub(crate) role: Role,
    pub(crate) tie_breaker: u64,
    pub(crate) local: LocalSession,
    /// The session before the restart, whose checks are answered until a new pair is selected.
    pub(crate) previous: Option<LocalSession>,
    pub(crate) remote: Option<RemoteSession>,
    pub(crate) end_of_remote_candidates: bool,
    pub(crate) checklist: CheckList,
    pub(crate) pacer: Pacer,
    pub(crate) nomination: Nomination,
    pub(crate) early_checks: ArrayVec<EarlyCheck, MAX_EARLY_CHECKS>,
    pub(crate) responses: VecDeque<Response>,
    pub(crate) selected: Option<Selected>,
    pub(crate) dropped: u64,
    patience: Patience,
    state: ConnectionState,
    events: VecDeque<Event>,
}

/// The pair data travels on, and the consent to send there.
#[derive(Debug)]
pub(crate) struct Selected {
    pub(crate) pair: SelectedPair,
    pub(crate) consent: Consent,
    /// Its place in the check list; `None` when it is of the session before a restart.
    pub(crate) id: Option<PairId>,
}

/// How long the agent goes on without a selected pair
/// ([RFC 8863 §4](https://www.rfc-editor.org/rfc/rfc8863#section-4)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    NotStarted,
    Until(Instant),
    Over,
}

impl Agent {
    /// The longest datagram it sends, in bytes; buffers for [`poll_transmit`](Self::poll_transmit) have to be at
    /// least as long.
    pub const MAX_DATAGRAM: usize = 640;

    /// A controlled agent with fresh credentials. `random` has to be cryptographically secure.
    pub fn new(config: AgentConfig, mut random: Box<dyn Random + Send + Sync>) -> Self {
        Self {
            role: Role::Controlled,
            tie_breaker: random.next_u64(),
            local: LocalSession::new(Credentials::generate(&mut *random)),
            previous: None,
            remote: None,
            end_of_remote_candidates: false,
            checklist: CheckList::new(config.max_pairs),
            pacer: Pacer::new(config.pacing),
            nomination: Nomination::new(config.nomination_delay),
            early_checks: ArrayVec::new(),
            responses: VecDeque::with_capacity(MAX_RESPONSES),
            selected: None,
            dropped: 0,
            patience: Patience::NotStarted,
            state: ConnectionState::New,
            events: VecDeque::new(),
            config,
            random,
        }
    }

    // ---- getters ----

    /// Where it stands.
    pub const fn state(&self) -> ConnectionState {
        self.state
    }

    /// Which role it plays now.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// What the peer has to know.
    pub const fn local_credentials(&self) -> &Credentials {
        &self.local.credentials
    }

    /// What the peer has told.
    pub fn remote_credentials(&self) -> Option<&Credentials> {
        self.remote.as_ref().map(|remote| &remote.credentials)
    }

    /// The pair to send data on; through a restart the old one, until there is a new one or consent expires.
    pub fn selected_pair(&self) -> Option<&SelectedPair> {
        self.selected.as_ref().map(|selected| &selected.pair)
    }

    /// The local candidates, with those the peer has seen us as.
    pub fn local_candidates(&self) -> &[Candidate] {
        self.checklist.local()
    }

    /// The remote candidates, with those learnt from checks.
    pub fn remote_candidates(&self) -> &[Candidate] {
        self.checklist.remote()
    }

    /// The pairs of this ICE session, in no particular order.
    pub fn pairs(&self) -> &[CandidatePair] {
        self.checklist.pairs()
    }

    /// Whether a datagram on `path` may come from the peer: an authentic check or answer has come that way.
    pub fn is_known_path(&self, path: FiveTuple) -> bool {
        let is_selected = |selected: &Selected| selected.pair.path == path;
        self.selected.as_ref().is_some_and(is_selected)
            || self.checklist.pairs().iter().any(|pair| {
                pair.path == path && (pair.valid.is_some() || pair.stats.requests_received > 0)
            })
    }

    /// How many datagrams were dropped: not STUN, not authentic, unexpected, or more than fits.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    // ---- mutators ----

    /// Sets the role: the offerer controls, unless the other agent is lite.
    pub fn set_role(&mut self, role: Role) {
        self.role = role;
        self.checklist.rank(role);
    }

    /// The peer is a lite agent, which never checks: this one has to control
    /// ([RFC 8445 §6.1.1](https://www.rfc-editor.org/rfc/rfc8445#section-6.1.1)).
    pub fn set_remote_lite(&mut self, lite: bool) {
        if lite {
            self.set_role(Role::Controlling);
        }
    }

    /// The peer's credentials: checks begin, and those that came too early are acted upon. The same ones again
    /// change nothing.
    ///
    /// # Errors
    /// [`Error::CredentialsChanged`] when there are others already: that is a restart by the peer, which
    /// [`restart`](Self::restart) has to precede. [`Error::Closed`] after [`close`](Self::close).
    pub fn set_remote_credentials(
        &mut self,
        now: Instant,
        credentials: Credentials,
    ) -> Result<(), Error> {
        self.check_open()?;
        if let Some(remote) = &self.remote {
            let same = remote.credentials == credentials;
            return if same {
                Ok(())
            } else {
                Err(Error::CredentialsChanged)
            };
        }
        self.remote = Some(RemoteSession::new(
            credentials,
            self.local.credentials.ufrag(),
        ));
        self.patience = Patience::Until(now + self.config.patience);
        for check in core::mem::take(&mut self.early_checks) {
            self.on_check(now, check);
        }
        self.update_state(now);
        Ok(())
    }

    /// Adds a candidate of our own and pairs it. Adding it again changes nothing.
    ///
    /// # Errors
    /// [`Error::TooManyCandidates`], [`Error::UnsupportedCandidate`], [`Error::Closed`].
    pub fn add_local_candidate(&mut self, now: Instant, candidate: Candidate) -> Result<(), Error> {
        self.check_open()?;
        check_supported(&candidate)?;
        let known = self
            .checklist
            .local_seen_as(candidate.address, candidate.base())
            .is_some();
        if known {
            return Ok(());
        }
        if self.checklist.local().len() >= self.config.max_local_candidates {
            return Err(Error::TooManyCandidates);
        }
        let local = self.checklist.push_local(candidate);
        if self.is_gathering_pairs() {
            self.checklist.pair_local(local, self.role);
        }
        self.update_state(now);
        Ok(())
    }

    /// Adds a candidate the peer has signalled and pairs it. Adding it again changes nothing; one that was learnt
    /// from a check becomes what was signalled. After a pair was selected new ones are kept but not paired.
    ///
    /// # Errors
    /// [`Error::TooManyCandidates`], [`Error::UnsupportedCandidate`] (skip it), [`Error::Closed`].
    pub fn add_remote_candidate(
        &mut self,
        now: Instant,
        candidate: Candidate,
    ) -> Result<(), Error> {
        self.check_open()?;
        check_supported(&candidate)?;
        if let Some(index) = self.checklist.remote_at(candidate.address) {
            let learnt = self.checklist.remote().get(index);
            if learnt.is_some_and(|learnt| learnt.candidate_type == CandidateType::PeerReflexive) {
                self.checklist.replace_remote(index, candidate, self.role);
            }
            return Ok(());
        }
        if self.checklist.remote().len() >= self.config.max_remote_candidates {
            return Err(Error::TooManyCandidates);
        }
        let remote = self.checklist.push_remote(candidate);
        if self.is_gathering_pairs() {
            self.checklist.pair_remote(remote, self.role);
        }
        self.update_state(now);
        Ok(())
    }

    /// The peer will signal no more candidates
    /// ([RFC 8838 §14](https://www.rfc-editor.org/rfc/rfc8838#section-14)).
    pub fn set_end_of_remote_candidates(&mut self, now: Instant) {
        self.end_of_remote_candidates = true;
        self.update_state(now);
    }

    /// Starts a new ICE session ([RFC 8445 §9](https://www.rfc-editor.org/rfc/rfc8445#section-9)) and returns its
    /// credentials. Local candidates stay; what the peer has told is forgotten. Data may go on over the old pair
    /// until a new one is selected. A closed agent stays closed.
    pub fn restart(&mut self, now: Instant) -> &Credentials {
        if self.state != ConnectionState::Closed {
            let fresh = LocalSession::new(Credentials::generate(&mut *self.random));
            self.previous = Some(core::mem::replace(&mut self.local, fresh));
            self.remote = None;
            self.end_of_remote_candidates = false;
            self.checklist.restart();
            self.nomination.restart();
            self.early_checks.clear();
            self.patience = Patience::NotStarted;
            if let Some(selected) = &mut self.selected {
                selected.id = None;
            }
            if self.state != ConnectionState::New {
                self.enter(ConnectionState::Checking);
            }
            self.update_state(now);
        }
        &self.local.credentials
    }

    /// Ends everything: nothing is sent or answered any more.
    pub fn close(&mut self) {
        self.stop();
        self.enter(ConnectionState::Closed);
    }

    // ---- the five verbs ----

    /// A STUN datagram arrived. Whatever is not authentic is dropped and counted.
    pub fn handle_input(&mut self, now: Instant, datagram: Datagram<'_>) {
        for segment in datagram.segments() {
            let handled = self.handle_message(now, segment.path, segment.data);
            self.dropped += u64::from(handled.is_none());
        }
        self.update_state(now);
    }

    /// `None` when the message was dropped.
    fn handle_message(&mut self, now: Instant, path: FiveTuple, data: &[u8]) -> Option<()> {
        let is_over = matches!(
            self.state,
            ConnectionState::Closed | ConnectionState::Failed
        );
        if is_over || self.events.len() >= MAX_EVENTS {
            return None;
        }
        let message = Message::parse(data).ok()?;
        // RFC 8445 §7.1: checks use FINGERPRINT
        if message.method() != Method::BINDING || message.verify_fingerprint() != Some(true) {
            return None;
        }
        match message.class() {
            Class::Request => self.on_request(now, path, &message),
            Class::SuccessResponse | Class::ErrorResponse => self.on_response(now, path, &message),
            // a keepalive that asks for nothing (RFC 8445 §11)
            Class::Indication => Some(()),
        }
    }

    /// Time passed: gives up unanswered checks, nominates, notices silence and lost consent.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.expire_checks(now);
        if let Some(selected) = &mut self.selected {
            selected.consent.handle_timeout(now);
        }
        if let Patience::Until(end) = self.patience
            && now >= end
        {
            self.patience = Patience::Over;
        }
        self.update_state(now);
    }

    /// Writes one STUN message: answers first, then consent checks, retransmissions, and, as the pacing lets
    /// them, new checks. A message that does not fit into `buf` is lost.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        self.poll_response(buf)
            .or_else(|| self.poll_consent(now, buf))
            .or_else(|| self.poll_retransmission(now, buf))
            .or_else(|| self.poll_check(now, buf))
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) and then [`poll_transmit`](Self::poll_transmit) want to be
    /// called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let patience = match self.patience {
            Patience::Until(end) if self.is_selecting() => Some(end),
            _ => None,
        };
        let nomination = self
            .is_nominating()
            .then(|| self.nomination.poll_timeout(self.checklist.pairs()))
            .flatten();
        let pacing = self.may_check().then(|| self.pacer.free());
        let consent = self
            .selected
            .as_ref()
            .map(|selected| selected.consent.poll_timeout());
        let checks = self
            .checklist
            .pairs()
            .iter()
            .filter_map(|pair| pair.check.as_ref());
        let checks = checks.map(|check| check.transaction.poll_timeout()).min();
        [patience, nomination, pacing, consent, checks]
            .into_iter()
            .flatten()
            .min()
    }

    // ---- the parts' view of each other ----

    fn check_open(&self) -> Result<(), Error> {
        match self.state {
            ConnectionState::Closed => Err(Error::Closed),
            _ => Ok(()),
        }
    }

    /// Whether this session has not selected a pair yet.
    pub(crate) fn is_selecting(&self) -> bool {
        self.selected
            .as_ref()
            .is_none_or(|selected| selected.id.is_none())
            && !matches!(
                self.state,
                ConnectionState::Closed | ConnectionState::Failed
            )
    }

    fn is_gathering_pairs(&self) -> bool {
        self.is_selecting()
    }

    fn is_nominating(&self) -> bool {
        self.role == Role::Controlling && self.is_selecting()
    }

    /// Whether a new check is waiting for the pacing alone.
    pub(crate) fn may_check(&self) -> bool {
        self.remote.is_some()
            && self.checklist.has_check()
            && !matches!(
                self.state,
                ConnectionState::Closed | ConnectionState::Failed
            )
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// Does what follows from what just changed.
    fn update_state(&mut self, now: Instant) {
        if matches!(
            self.state,
            ConnectionState::Closed | ConnectionState::Failed
        ) {
            return;
        }
        if self.is_nominating()
            && let Some(pair) = self.nomination.choose(now, self.checklist.pairs())
        {
            self.nominate(pair);
        }
        if self
            .selected
            .as_ref()
            .is_some_and(|selected| selected.consent.is_expired(now))
        {
            let was_current = !self.is_selecting();
            self.selected = None;
            if was_current {
                return self.fail();
            }
        }
        let next = match &self.selected {
            Some(selected) if selected.id.is_some() => match selected.consent.is_silent() {
                true => ConnectionState::Disconnected,
                false if self.end_of_remote_candidates => ConnectionState::Completed,
                false => ConnectionState::Connected,
            },
            _ if self.patience == Patience::Over && !self.checklist.is_pending() => {
                return self.fail();
            }
            _ if self.remote.is_some() && !self.checklist.pairs().is_empty() => {
                ConnectionState::Checking
            }
            _ => self.state,
        };
        self.enter(next);
    }

    fn enter(&mut self, state: ConnectionState) {
        if self.state != state {
            self.state = state;
            self.events.push_back(Event::StateChanged(state));
        }
    }

    pub(crate) fn fail(&mut self) {
        self.stop();
        self.enter(ConnectionState::Failed);
    }

    /// Nothing is to be sent any more.
    fn stop(&mut self) {
        self.selected = None;
        self.previous = None;
        self.remote = None;
        self.responses.clear();
        self.early_checks.clear();
        self.checklist.restart();
        self.patience = Patience::NotStarted;
    }
}

/// UDP, and the one component.
fn check_supported(candidate: &Candidate) -> Result<(), Error> {
    let supported = candidate.transport == Transport::Udp && candidate.component == RTP_COMPONENT;
    // RFC 8445 §5.1.2: a port of 0 reaches nobody
    if supported && candidate.address.port() != 0 && !candidate.address.ip().is_unspecified() {
        Ok(())
    } else {
        Err(Error::UnsupportedCandidate)
    }
}

impl Machine for Agent {
    type Event = Event;

    fn handle_input(&mut self, now: Instant, datagram: Datagram<'_>) {
        self.handle_input(now, datagram);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.handle_timeout(now);
    }

    fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        self.poll_transmit(now, buf)
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.poll_event()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.poll_timeout()
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("state", &self.state)
            .field("role", &self.role)
            .field("selected", &self.selected_pair().map(|pair| pair.path))
            .field("pairs", &self.checklist.pairs().len())
            .field("dropped", &self.dropped)
            .finish_non_exhaustive()
    }
}
