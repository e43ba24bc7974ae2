//! The task that owns one connection's sockets and drives its machine.
//!
//! A *turn* is one walk around the machine: what has arrived goes in, what is due is done, what is to be sent
//! is collected under the lock and sent without it. Between turns the task sleeps until a socket is readable, a
//! handle has changed the machine, or a timer is due. Each turn does a bounded amount of work.
//!
//! The buffers that a turn works in belong to the thread: connections that sleep hold none.

use core::cell::Cell;
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
    outbox: Outbox,
    shaper: Option<Box<dyn Shaper>>,
    tap: Option<Box<dyn Tap>>,
    closing_since: Option<Instant>,
}

/// Where a turn works: what arrives, and what is to leave.
struct Scratch {
    inbox: Inbox,
    arena: Box<[u8]>,
}

std::thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

impl Scratch {
    /// Lends the thread's own to `turn`.
    fn lend<T>(turn: impl FnOnce(&mut Self) -> T) -> T {
        // Taken, not borrowed: a tap or shaper that somehow drives another connection finds a new one.
        let kept = SCRATCH.try_with(Cell::take).ok().flatten();
        let mut scratch = kept.unwrap_or_else(|| {
            Box::new(Self {
                inbox: Inbox::new(),
                arena: vec![0; ARENA_LEN].into(),
            })
        });
        let result = turn(&mut scratch);
        // A thread that is ending keeps nothing.
        let _ = SCRATCH.try_with(|kept| kept.set(Some(scratch)));
        result
    }
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
            outbox: Outbox::default(),
            shaper,
            tap,
            closing_since: None,
        }
    }

    /// Drives the connection until it is closed.
    pub(crate) async fn run(mut self) {
        loop {
            match Scratch::lend(|scratch| self.turn(scratch)) {
                Next::Turn => tokio::task::yield_now().await,
                Next::Sleep(deadline) => self.sleep(deadline).await,
                Next::End => return,
            }
        }
    }

    fn turn(&mut self, scratch: &mut Scratch) -> Next {
        let Scratch { inbox, arena } = scratch;
        let now = self.shared.time.now();
        let drained = self.receive(now, inbox);
        self.outbox.unpack(arena);

        let mut state = self.shared.lock();
        state.peer.handle_timeout(now);
        let collected = self.outbox.collect(arena, &mut state.peer, now);
        let bells = state.take_events().and_sent(!self.outbox.is_empty());
        let deadline = state.peer.poll_timeout();
        let phase = state.phase;
        drop(state);
        bells.ring(&self.shared);

        self.send(now, arena);
        self.outbox.pack(arena);
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
    fn receive(&mut self, now: Instant, inbox: &mut Inbox) -> bool {
        let unix = self.shared.time.wall().unix(now);
        let mut drained = true;
        for socket in &mut self.sockets {
            for receives in 1.. {
                let count = socket.receive(inbox);
                if count == 0 {
                    break;
                }
                if let Some(tap) = &mut self.tap {
                    for datagram in inbox.datagrams(count, socket.local()) {
                        let path = datagram.path;
                        datagram
                            .segments()
                            .for_each(|one| tap.datagram(unix, Way::In, path, one.data));
                    }
                }
                let mut state = self.shared.lock();
                for datagram in inbox.datagrams(count, socket.local()) {
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
    fn send(&mut self, now: Instant, arena: &[u8]) {
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
            None => self.outbox.send(arena, put_on_wire),
            Some(shaper) => {
                self.outbox.send(arena, |transmit, bytes| {
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

/// Datagrams on their way out, and where in the arena they lie.
#[derive(Default)]
struct Outbox {
    queue: VecDeque<Transmit>,
    /// How much of the arena is used.
    used: usize,
    /// The bytes of what did not leave in the last turn.
    packed: Vec<u8>,
}

impl Outbox {
    fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Puts what did not leave in the last turn back into the arena, which others have used since.
    fn unpack(&mut self, arena: &mut [u8]) {
        if let Some(room) = arena.get_mut(..self.packed.len()) {
            room.copy_from_slice(&self.packed);
        }
        self.used = self.packed.len();
        self.packed = Vec::new();
    }

    /// Takes what did not leave out of the arena.
    fn pack(&mut self, arena: &[u8]) {
        let Some(start) = self.queue.front().map(|first| first.range.start) else {
            return;
        };
        self.packed
            .extend_from_slice(arena.get(start..self.used).unwrap_or_default());
        for transmit in &mut self.queue {
            transmit.range.start -= start;
            transmit.range.end -= start;
        }
    }

    /// Lets the machine write into what room is left. Returns whether it had nothing more.
    fn collect(&mut self, arena: &mut [u8], peer: &mut Peer, now: Instant) -> bool {
        loop {
            let room = arena.get_mut(self.used..).unwrap_or_default();
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
            self.used = transmit.range.end.min(arena.len());
            self.queue.push_back(transmit);
        }
    }

    /// Hands each transmit and its bytes to `send`, which returns how many it is done with; stops where it is
    /// not done with all of them.
    fn send(&mut self, arena: &[u8], mut send: impl FnMut(&Transmit, &[u8]) -> usize) {
        while let Some(transmit) = self.queue.front_mut() {
            let bytes = arena.get(transmit.range.clone()).unwrap_or_default();
            let done = send(transmit, bytes);
            if done < bytes.len() {
                transmit.range.start += done;
                return;
            }
            self.queue.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtckit_proto::FiveTuple;

    #[test]
    fn what_did_not_leave_waits_outside_the_arena() {
        let path = FiveTuple::udp(
            "127.0.0.1:1".parse().unwrap(),
            "127.0.0.1:2".parse().unwrap(),
        );
        let mut arena = *b"onetwothree.....";
        let mut outbox = Outbox::default();
        for range in [0..3, 3..6, 6..11] {
            let mut transmit = Transmit::new(path, range.len());
            transmit.range = range;
            outbox.queue.push_back(transmit);
        }
        outbox.used = 11;
        // the first leaves, of the second one byte
        let mut takes = [3, 1].into_iter();
        outbox.send(&arena, |_, _| takes.next().unwrap());
        outbox.pack(&arena);
        arena.fill(0);
        outbox.unpack(&mut arena);
        assert_eq!(outbox.used, 7);
        let mut left = Vec::new();
        outbox.send(&arena, |_, bytes| {
            left.push(bytes.to_vec());
            bytes.len()
        });
        assert_eq!(left, [&b"wo"[..], b"three"]);
        outbox.pack(&arena);
        assert!(outbox.is_empty() && outbox.packed.is_empty());
    }
}
