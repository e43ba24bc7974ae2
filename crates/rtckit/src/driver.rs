//! The task that owns one connection's sockets and drives its machine.
//!
//! A *turn* is one walk around the machine: what has arrived goes in, what is due is done, what is to be sent
//! is collected under the lock and sent without it. Between turns the task sleeps until a socket is readable, a
//! handle has changed the machine, or a timer is due. Each turn does a bounded amount of work.

use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use rtckit_peer::Peer;
use rtckit_proto::{Instant, Transmit};

use crate::shared::{Bells, Phase, Shared};
use crate::socket::{Inbox, Socket};
use crate::{Shaper, Tap, Way};

/// Receives of one socket in one turn; each returns up to four runs of up to 64 kB.
const MAX_RECEIVES: usize = 8;

/// Room for what leaves in one go.
const ARENA_LEN: usize = 128 << 10;

/// The machine is not asked for more when less room than this is left; above the largest datagram.
const MIN_ROOM: usize = 2 << 10;

/// The most that one run may be given: what the kernel takes in one send with segmentation offload.
const MAX_ROOM: usize = 60 << 10;

/// How long a closed connection's last datagrams may take to leave.
const LINGER: Duration = Duration::from_secs(1);

/// The shortest sleep. A machine that asks for the past would otherwise keep the task spinning.
const MIN_SLEEP: Duration = Duration::from_micros(500);

pub(crate) struct Driver {
    shared: Arc<Shared>,
    sockets: Vec<Socket>,
    inbox: Inbox,
    outbox: Outbox,
    shaper: Option<Box<dyn Shaper>>,
    tap: Option<Box<dyn Tap>>,
    closing_since: Option<Instant>,
}

/// What the task does after a turn.
enum Next {
    /// Another turn: something was left over.
    Turn,
    /// Sleep, at most until then.
    Sleep(Option<Instant>),
    /// End.
    End,
}

impl Driver {
    pub(crate) fn new(
        shared: Arc<Shared>,
        sockets: Vec<Socket>,
        shaper: Option<Box<dyn Shaper>>,
        tap: Option<Box<dyn Tap>>,
    ) -> Self {
        Self {
            shared,
            sockets,
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            shaper,
            tap,
            closing_since: None,
        }
    }

    /// Drives the connection until it is closed.
    pub(crate) async fn run(mut self) {
        loop {
            match self.turn() {
                Next::Turn => tokio::task::yield_now().await,
                Next::Sleep(deadline) => self.sleep(deadline).await,
                Next::End => return,
            }
        }
    }

    fn turn(&mut self) -> Next {
        let now = self.shared.time.now();
        let drained = self.receive(now);

        let mut state = self.shared.lock();
        state.peer.handle_timeout(now);
        let collected = self.outbox.collect(&mut state.peer, now);
        let bells = state.take_events().and_sent(!self.outbox.is_empty());
        let deadline = state.peer.poll_timeout();
        let phase = state.phase;
        drop(state);
        bells.ring(&self.shared);

        self.send(now);
        if phase != Phase::Open && self.has_said_farewell(now) {
            return Next::End;
        }
        // When a socket is blocked the outbox waits for it, and so does the machine.
        if !drained || (!collected && self.outbox.is_empty()) {
            return Next::Turn;
        }
        let closing = self.closing_since.map(|since| since + LINGER);
        let shaped = self
            .shaper
            .as_ref()
            .and_then(|shaper| shaper.poll_timeout());
        let earliest = [deadline, closing, shaped].into_iter().flatten().min();
        Next::Sleep(earliest.map(|deadline| deadline.max(now + MIN_SLEEP)))
    }

    /// Hands the machine what has arrived. Returns whether that was all.
    fn receive(&mut self, now: Instant) -> bool {
        let unix = self.shared.time.wall().unix(now);
        let mut drained = true;
        for socket in &mut self.sockets {
            for receives in 1.. {
                let count = socket.receive(&mut self.inbox);
                if count == 0 {
                    break;
                }
                if let Some(tap) = &mut self.tap {
                    for datagram in self.inbox.datagrams(count, socket.local()) {
                        let path = datagram.path;
                        datagram
                            .segments()
                            .for_each(|one| tap.datagram(unix, Way::In, path, one.data));
                    }
                }
                let mut state = self.shared.lock();
                for datagram in self.inbox.datagrams(count, socket.local()) {
                    tracing::trace!(path = ?datagram.path, len = datagram.data.len(), stride = datagram.stride, "in");
                    state.peer.handle_input(now, datagram);
                }
                if receives == MAX_RECEIVES {
                    drained = false;
                    break;
                }
            }
        }
        drained
    }

    /// Sends what the outbox holds, through the shaper if there is one.
    fn send(&mut self, now: Instant) {
        let unix = self.shared.time.wall().unix(now);
        let Self { sockets, tap, .. } = self;
        let mut put_on_wire = |transmit: &Transmit, bytes: &[u8]| {
            let socket = sockets
                .iter()
                .find(|socket| socket.local() == transmit.path.local);
            // A path whose local address is none of ours has nowhere to go.
            let done = socket.map_or(bytes.len(), |socket| socket.send(transmit, bytes));
            tracing::trace!(path = ?transmit.path, len = done, stride = transmit.segment_size, "out");
            if let (Some(tap), Some(sent)) = (tap.as_deref_mut(), bytes.get(..done)) {
                let segment = transmit.segment_size.unwrap_or(done).max(1);
                sent.chunks(segment)
                    .for_each(|one| tap.datagram(unix, Way::Out, transmit.path, one));
            }
            done
        };
        match &mut self.shaper {
            None => self.outbox.send(put_on_wire),
            Some(shaper) => {
                self.outbox.send(|transmit, bytes| {
                    let segment = transmit.segment_size.unwrap_or(bytes.len()).max(1);
                    bytes
                        .chunks(segment)
                        .for_each(|one| shaper.push(now, transmit.path, one));
                    bytes.len()
                });
                // A shaped datagram that finds no room in the kernel is lost: the shaper has let go of it.
                while let Some((path, bytes)) = shaper.poll(now) {
                    put_on_wire(&Transmit::new(path, bytes.len()), bytes);
                }
            }
        }
    }

    /// Whether all that a closed connection had to say has left, or has had its time.
    fn has_said_farewell(&mut self, now: Instant) -> bool {
        let since = *self.closing_since.get_or_insert(now);
        let shaped = self
            .shaper
            .as_ref()
            .and_then(|shaper| shaper.poll_timeout());
        (self.outbox.is_empty() && shaped.is_none()) || now >= since + LINGER
    }

    /// Waits for the next reason to take a turn.
    #[expect(
        clippy::needless_pass_by_ref_mut,
        reason = "a shaper need not be Sync, so a shared borrow could not be held across an await"
    )]
    async fn sleep(&mut self, deadline: Option<Instant>) {
        let timer = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(self.shared.time.tokio(deadline)).await,
                None => core::future::pending().await,
            }
        };
        let blocked = !self.outbox.is_empty();
        let sockets = poll_fn(|cx| {
            // Every socket is asked, so that every one of them will wake this task.
            let mut ready = false;
            for socket in &self.sockets {
                ready |= socket.poll_readable(cx).is_ready();
                ready |= blocked && socket.poll_writable(cx).is_ready();
            }
            if ready {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        tokio::select! {
            () = sockets => {}
            () = self.shared.changed.notified() => {}
            () = timer => {}
        }
    }
}

impl Drop for Driver {
    /// Runs when the task ends, and when the runtime goes away under it.
    fn drop(&mut self) {
        self.sockets.clear();
        let mut state = self.shared.lock();
        state.phase = Phase::Ended;
        state.take_events();
        drop(state);
        Bells::ALL.ring(&self.shared);
    }
}

/// Datagrams on their way out: one arena, and where in it they lie.
struct Outbox {
    arena: Vec<u8>,
    used: usize,
    queue: VecDeque<Transmit>,
}

impl Outbox {
    fn new() -> Self {
        Self {
            arena: vec![0; ARENA_LEN],
            used: 0,
            queue: VecDeque::with_capacity(64),
        }
    }

    fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Lets the machine write into what room is left. Returns whether it had nothing more.
    fn collect(&mut self, peer: &mut Peer, now: Instant) -> bool {
        loop {
            let room = self.arena.get_mut(self.used..).unwrap_or_default();
            if room.len() < MIN_ROOM {
                return false;
            }
            let len = room.len().min(MAX_ROOM);
            let (room, _) = room.split_at_mut(len);
            let Some(mut transmit) = peer.poll_transmit(now, room) else {
                return true;
            };
            transmit.range.start += self.used;
            transmit.range.end += self.used;
            self.used = transmit.range.end.min(self.arena.len());
            self.queue.push_back(transmit);
        }
    }

    /// Hands each transmit and its bytes to `send`, which returns how many it is done with; stops where it is
    /// not done with all of them.
    fn send(&mut self, mut send: impl FnMut(&Transmit, &[u8]) -> usize) {
        while let Some(transmit) = self.queue.front_mut() {
            let bytes = self.arena.get(transmit.range.clone()).unwrap_or_default();
            let done = send(transmit, bytes);
            if done < bytes.len() {
                transmit.range.start += done;
                return;
            }
            self.queue.pop_front();
        }
        self.used = 0;
    }
}
