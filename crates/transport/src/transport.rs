//! The transport: an ICE agent, the addresses it is given, and the datagrams that are not its own.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::fmt;
use core::net::SocketAddr;

use rtckit_ice::{
    Agent, AgentConfig, Candidate, CandidateType, ConnectionState, Credentials, Role, is_stun,
};
use rtckit_proto::{Datagram, FiveTuple, Instant, Random, Transmit};

use crate::error::Error;
use crate::gather::{GatheringState, is_usable, local_preference};

/// How a [`Transport`] behaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransportConfig {
    /// How its ICE agent behaves.
    pub ice: AgentConfig,
}

/// A fact about a transport.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Gathering came to this state.
    GatheringStateChanged(GatheringState),
    /// A candidate to be signalled to the peer.
    CandidateGathered(Candidate),
    /// What the ICE agent has to say.
    Ice(rtckit_ice::Event),
}

/// A datagram path to the peer.
///
/// # Methods by class
/// - *Getters*: [`path`](Self::path), [`overhead`](Self::overhead), [`agent`](Self::agent),
///   [`gathering_state`](Self::gathering_state), [`dropped`](Self::dropped).
/// - *Events from outside*: [`handle_input`](Self::handle_input), [`handle_timeout`](Self::handle_timeout).
/// - *Mutators*: the `set_*` and `add_*` methods, [`end_of_local_addresses`](Self::end_of_local_addresses),
///   [`restart`](Self::restart), [`close`](Self::close).
/// - *Polls*: [`poll_transmit`](Self::poll_transmit), [`poll_event`](Self::poll_event),
///   [`poll_timeout`](Self::poll_timeout).
///
/// After a call of the second or third class drain `poll_transmit` and `poll_event` until each returns `None`,
/// then ask `poll_timeout`. Another order costs latency, never correctness. Time never runs backwards.
pub struct Transport {
    agent: Agent,
    gathering: GatheringState,
    /// One event per local candidate and gathering state at most, between two restarts.
    events: VecDeque<Event>,
    dropped: u64,
}

impl Transport {
    /// The longest datagram it sends of its own accord, in bytes.
    pub const MAX_DATAGRAM: usize = Agent::MAX_DATAGRAM;

    /// A transport without addresses. `random` has to be cryptographically secure.
    pub fn new(config: TransportConfig, random: Box<dyn Random + Send + Sync>) -> Self {
        Self {
            agent: Agent::new(config.ice, random),
            gathering: GatheringState::New,
            events: VecDeque::new(),
            dropped: 0,
        }
    }

    // ---- getters ----

    /// Where to send now; `None` before a pair is selected, and once consent has expired.
    pub fn path(&self) -> Option<FiveTuple> {
        self.agent.selected_pair().map(|pair| pair.path)
    }

    /// How many bytes a datagram on `path` gains before and after its payload: none, over plain UDP.
    pub const fn overhead(&self, _path: FiveTuple) -> (usize, usize) {
        (0, 0)
    }

    /// The ICE agent: its state, role, candidates, pairs and statistics.
    pub const fn agent(&self) -> &Agent {
        &self.agent
    }

    /// Where ICE stands.
    pub const fn state(&self) -> ConnectionState {
        self.agent.state()
    }

    /// What the peer has to know.
    pub const fn local_credentials(&self) -> &Credentials {
        self.agent.local_credentials()
    }

    /// Where gathering stands.
    pub const fn gathering_state(&self) -> GatheringState {
        self.gathering
    }

    /// How many datagrams were dropped because they came by no path of the peer's; those ICE dropped are counted
    /// by [`Agent::dropped`].
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    // ---- mutators ----

    /// The driver receives at `address`: it becomes a host candidate, announced by
    /// [`Event::CandidateGathered`]. An address given before changes nothing.
    ///
    /// # Errors
    /// [`Error::UnusableAddress`] for unspecified, multicast and broadcast addresses and port 0, and after
    /// [`end_of_local_addresses`](Self::end_of_local_addresses); [`Error::Ice`] when there are too many.
    pub fn add_local_address(&mut self, now: Instant, address: SocketAddr) -> Result<(), Error> {
        if !is_usable(address) || self.gathering == GatheringState::Complete {
            return Err(Error::UnusableAddress);
        }
        let before = self.agent.local_candidates().len();
        let candidate = Candidate::host(address, local_preference(address.ip(), before));
        self.agent.add_local_candidate(now, candidate)?;
        self.enter(GatheringState::Gathering);
        if self.agent.local_candidates().len() > before {
            self.events.push_back(Event::CandidateGathered(candidate));
        }
        Ok(())
    }

    /// The driver has no more addresses: gathering is complete.
    pub fn end_of_local_addresses(&mut self) {
        self.enter(GatheringState::Complete);
    }

    /// See [`Agent::set_role`].
    pub fn set_role(&mut self, role: Role) {
        self.agent.set_role(role);
    }

    /// See [`Agent::set_remote_lite`].
    pub fn set_remote_lite(&mut self, lite: bool) {
        self.agent.set_remote_lite(lite);
    }

    /// See [`Agent::set_remote_credentials`].
    ///
    /// # Errors
    /// As there.
    pub fn set_remote_credentials(
        &mut self,
        now: Instant,
        credentials: Credentials,
    ) -> Result<(), Error> {
        Ok(self.agent.set_remote_credentials(now, credentials)?)
    }

    /// See [`Agent::add_remote_candidate`].
    ///
    /// # Errors
    /// As there.
    pub fn add_remote_candidate(
        &mut self,
        now: Instant,
        candidate: Candidate,
    ) -> Result<(), Error> {
        Ok(self.agent.add_remote_candidate(now, candidate)?)
    }

    /// See [`Agent::set_end_of_remote_candidates`].
    pub fn set_end_of_remote_candidates(&mut self, now: Instant) {
        self.agent.set_end_of_remote_candidates(now);
    }

    /// Starts a new ICE session and returns its credentials; see [`Agent::restart`]. The host candidates are
    /// announced again, since they have to be signalled again.
    pub fn restart(&mut self, now: Instant) -> &Credentials {
        self.agent.restart(now);
        self.events.retain(|event| matches!(event, Event::Ice(_)));
        let complete = self.gathering == GatheringState::Complete;
        self.gathering = GatheringState::New;
        for &candidate in self.agent.local_candidates() {
            if candidate.candidate_type == CandidateType::Host {
                if self.gathering == GatheringState::New {
                    self.gathering = GatheringState::Gathering;
                    self.events
                        .push_back(Event::GatheringStateChanged(self.gathering));
                }
                self.events.push_back(Event::CandidateGathered(candidate));
            }
        }
        if complete {
            self.enter(GatheringState::Complete);
        }
        self.agent.local_credentials()
    }

    /// Ends everything; see [`Agent::close`].
    pub fn close(&mut self) {
        self.agent.close();
    }

    fn enter(&mut self, state: GatheringState) {
        if self.gathering != state {
            self.gathering = state;
            self.events.push_back(Event::GatheringStateChanged(state));
        }
    }

    // ---- the five verbs ----

    /// Datagrams arrived. STUN stays here ([RFC 7983](https://www.rfc-editor.org/rfc/rfc7983)); what is not STUN
    /// is handed back, if it came by a path on which the peer has proved itself, and dropped otherwise.
    ///
    /// A run in which STUN and other datagrams are mixed is handed back whole, after its STUN has been read.
    pub fn handle_input<'d>(
        &mut self,
        now: Instant,
        datagram: Datagram<'d>,
    ) -> Option<Datagram<'d>> {
        let Datagram {
            path,
            ecn,
            data,
            stride,
        } = datagram;
        let mut rest = 0_u64;
        for segment in data.chunks_mut(stride.max(1)) {
            if is_stun(segment) {
                self.agent.handle_input(now, Datagram::new(path, segment));
            } else {
                rest += 1;
            }
        }
        if rest == 0 {
            return None;
        }
        if !self.agent.is_known_path(path) {
            self.dropped += rest;
            return None;
        }
        Some(Datagram {
            path,
            ecn,
            data,
            stride,
        })
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
    }

    /// Writes one datagram of the transport's own.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        self.agent.poll_transmit(now, buf)
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events
            .pop_front()
            .or_else(|| self.agent.poll_event().map(Event::Ice))
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.agent.poll_timeout()
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("agent", &self.agent)
            .field("gathering", &self.gathering)
            .field("dropped", &self.dropped)
            .finish_non_exhaustive()
    }
}
