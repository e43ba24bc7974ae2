//! What the handles and the task of one connection share.

use core::mem::discriminant;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rtckit_peer::{ConnectionState, Event, Peer};
use rtckit_proto::Instant;
use tokio::sync::Notify;

use crate::Error;
use crate::time::Time;

/// From this many unread events on, a state takes the place of the older one of its kind, which can be asked for and is
/// not true any more. All other events are limited in number by what the connection can hold, and none is dropped.
const MANY_EVENTS: usize = 64;

/// The machine and the bells around it.
///
/// The task holds it, and so does every handle (through [`Inner`]); it holds neither, so nothing keeps itself
/// alive. The lock is never held across an await or a system call.
pub(crate) struct Shared {
    state: Mutex<State>,
    pub(crate) time: Time,
    /// Rings for the task: the machine was changed from outside.
    pub(crate) changed: Notify,
    /// Rings for the handles: an event came, a state moved on, or the task ended.
    pub(crate) events: Notify,
    /// Rings for the handles: frames can be read, or the task ended.
    pub(crate) frames: Notify,
    /// Rings for the handles: packets have left, so there is room for more; or the connection's state changed.
    pub(crate) sent: Notify,
}

pub(crate) struct State {
    pub(crate) peer: Peer,
    pub(crate) phase: Phase,
    events: VecDeque<Event>,
}

/// The life of the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// At work.
    Open,
    /// The machine is closed; its farewell is being sent.
    Closing,
    /// The task has ended and its sockets are closed.
    Ended,
}

impl Shared {
    pub(crate) fn new(peer: Peer, time: Time) -> Self {
        Self {
            state: Mutex::new(State {
                peer,
                phase: Phase::Open,
                events: VecDeque::new(),
            }),
            time,
            changed: Notify::new(),
            events: Notify::new(),
            frames: Notify::new(),
            sent: Notify::new(),
        }
    }

    /// The state, to be looked at. A panic of another thread does not make it worse than it is.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls the machine and lets the task see to the consequences.
    pub(crate) fn call<T, E>(
        &self,
        call: impl FnOnce(&mut Peer, Instant) -> Result<T, E>,
    ) -> Result<T, Error>
    where
        Error: From<E>,
    {
        let now = self.time.now();
        let mut state = self.lock();
        if state.phase != Phase::Open {
            return Err(Error::Closed);
        }
        let result = call(&mut state.peer, now);
        drop(state);
        self.changed.notify_one();
        Ok(result?)
    }

    /// Waits until `check` finds what it looks for; it is asked again whenever `bell` rings.
    pub(crate) async fn wait<T>(
        &self,
        bell: &Notify,
        mut check: impl FnMut(&mut State) -> Option<T>,
    ) -> T {
        loop {
            // Listen first, look second: what happens between the two is not missed.
            let rung = bell.notified();
            let found = check(&mut self.lock());
            if let Some(found) = found {
                return found;
            }
            rung.await;
        }
    }

    /// Closes the machine; the task sends the farewell and ends.
    pub(crate) fn close(&self) {
        let now = self.time.now();
        let mut state = self.lock();
        if state.phase == Phase::Open {
            state.peer.close(now);
            state.phase = Phase::Closing;
        }
        drop(state);
        self.changed.notify_one();
    }
}

impl State {
    /// Takes the machine's events over. Returns which bells to ring.
    pub(crate) fn take_events(&mut self) -> Bells {
        let mut bells = Bells::default();
        while let Some(event) = self.peer.poll_event() {
            match event {
                Event::FrameReady(_) => bells.frames = true,
                // The other side can ask as often as it likes: one unread request stands for all.
                Event::KeyframeRequested(_) if self.events.contains(&event) => {}
                event => {
                    // Whoever waits for frames or for room may have to wait no longer.
                    let is_turn = matches!(event, Event::ConnectionState(_));
                    bells.frames |= is_turn;
                    bells.sent |= is_turn;

                    bells.events = true;
                    self.keep(event);
                }
            }
        }
        bells
    }

    fn keep(&mut self, event: Event) {
        let is_state = matches!(
            event,
            Event::SignalingState(_)
                | Event::IceGatheringState(_)
                | Event::IceConnectionState(_)
                | Event::DtlsState(_)
                | Event::ConnectionState(_)
        );
        let is_same = |older: &Event| discriminant(older) == discriminant(&event);
        if is_state
            && self.events.len() >= MANY_EVENTS
            && let Some(superseded) = self.events.iter().position(is_same)
        {
            self.events.remove(superseded);
        }
        self.events.push_back(event);
    }

    /// The oldest unread event.
    pub(crate) fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Why nothing more will be sent or received, once that is so.
    pub(crate) fn ending(&self) -> Option<Error> {
        match self.peer.connection_state() {
            ConnectionState::Failed if self.phase == Phase::Open => Some(Error::Failed),
            ConnectionState::Closed => Some(Error::Closed),
            _ if self.phase != Phase::Open => Some(Error::Closed),
            _ => None,
        }
    }

    /// Whether nothing more will be sent or received.
    pub(crate) fn is_over(&self) -> bool {
        self.ending().is_some()
    }
}

/// Which handles have something to look at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bells {
    events: bool,
    frames: bool,
    sent: bool,
}

impl Bells {
    /// All of them.
    pub(crate) const ALL: Self = Self {
        events: true,
        frames: true,
        sent: true,
    };

    /// These, and the one that tells of room if packets were `sent`.
    pub(crate) fn and_sent(self, sent: bool) -> Self {
        Self {
            sent: self.sent || sent,
            ..self
        }
    }

    pub(crate) fn ring(self, shared: &Shared) {
        if self.events {
            shared.events.notify_waiters();
        }
        if self.frames {
            shared.frames.notify_waiters();
        }
        if self.sent {
            shared.sent.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Configuration;
    use rtckit_peer::TransceiverId;

    fn shared() -> Shared {
        let time = Time::start();
        let config = Configuration::new().peer_config(time.wall()).unwrap();
        Shared::new(Peer::new(config, time.now()).unwrap(), time)
    }

    #[test]
    fn unread_states_do_not_pile_up_and_tracks_stay() {
        let shared = shared();
        let mut state = shared.lock();
        state.keep(Event::Track(TransceiverId(7)));
        for _ in 0..1_000 {
            state.keep(Event::ConnectionState(ConnectionState::Connected));
            state.keep(Event::ConnectionState(ConnectionState::Disconnected));
        }
        assert!(state.events.len() <= MANY_EVENTS, "{}", state.events.len());
        assert_eq!(state.next_event(), Some(Event::Track(TransceiverId(7))));
        let last = Event::ConnectionState(ConnectionState::Disconnected);
        assert_eq!(state.events.back(), Some(&last));
    }

    #[test]
    fn a_change_of_state_wakes_all_who_wait() {
        let shared = shared();
        let mut state = shared.lock();
        assert_eq!(state.ending(), None);
        state.peer.close(shared.time.now());
        assert_eq!(state.ending(), Some(Error::Closed));
        // Nothing has been sent; whoever waits for room must still look up.
        let bells = state.take_events().and_sent(false);
        assert!(bells.events && bells.frames && bells.sent, "{bells:?}");
    }
}
