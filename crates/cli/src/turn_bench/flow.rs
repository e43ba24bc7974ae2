//! One client: its allocation, its link to the server, and the packets it sends to itself.

use core::net::SocketAddr;
use core::task::{Context, Poll, Waker};
use std::io;

use rtckit::client::{Buffers, Timer, TurnClient};
use rtckit_proto::Instant;
use rtckit_turn::{ClientEvent, Failure as TurnFailure};

use super::stats::Stats;
use crate::tls::explain_link;

/// How many bytes may wait for a stream's server before its client stops sending.
const MAX_UNSENT: usize = 64 << 10;

/// Client, number and time: what each packet begins with.
const STAMP_LEN: usize = 4 + 8 + 8;

/// How far a client is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It has no allocation or no channel yet.
    Preparing,
    /// It can send.
    Ready,
    /// It has released its allocation.
    Closed,
    /// It cannot go on.
    Failed(String),
}

/// A client.
pub(super) struct Flow {
    pub(super) state: State,
    turn: TurnClient,
    timer: Timer,
    index: u32,
    target: Option<SocketAddr>,
    wants_channel: bool,
    next: u64,
    run: Vec<u8>,
    waker: Option<Waker>,
}

impl Flow {
    pub(super) const fn new(index: u32, turn: TurnClient, timer: Timer, is_hold: bool) -> Self {
        Self {
            state: State::Preparing,
            turn,
            timer,
            index,
            target: None,
            wants_channel: !is_hold,
            next: 0,
            run: Vec::new(),
            waker: None,
        }
    }

    /// Drives the client until nothing is left to do; ready when it is closed or has failed.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &mut Buffers,
        stats: &mut Stats,
    ) -> Poll<()> {
        if self
            .waker
            .as_ref()
            .is_none_or(|waker| !waker.will_wake(cx.waker()))
        {
            self.waker = Some(cx.waker().clone());
        }
        while !matches!(self.state, State::Closed | State::Failed(_)) {
            let (index, timer) = (self.index, self.timer);
            let polled = self
                .turn
                .poll_event(cx, buffers, |from| match stamp(from.data) {
                    Some((of, _, sent)) if of == index => {
                        stats.on_received(timer.now().duration_since(sent));
                    }
                    _ => stats.strange += 1,
                });
            match polled {
                Poll::Ready(Ok(event)) => self.on_event(timer.now(), event),
                Poll::Ready(Err(error)) => self.state = State::Failed(say_link(&error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }

    fn on_event(&mut self, now: Instant, event: ClientEvent) {
        match event {
            ClientEvent::Allocated { relayed, .. } => {
                self.target = relayed.into_iter().flatten().next();
                match self.target {
                    Some(target) if self.wants_channel => {
                        self.turn.machine().bind_channel(now, target);
                    }
                    _ => self.state = State::Ready,
                }
            }
            ClientEvent::ChannelBound { .. } => self.state = State::Ready,
            ClientEvent::PermissionRefused { code, .. }
            | ClientEvent::ChannelRefused { code, .. } => {
                let target = self.target.map(|target| target.ip());
                let target = target.map_or_else(String::new, |ip| format!(" {ip}"));
                let hint = match code {
                    403 => ": its policy forbids peers there",
                    _ => "",
                };
                self.state = State::Failed(format!(
                    "the server does not let its client reach its relayed address{target} ({code}){hint}"
                ));
            }
            ClientEvent::Released => self.state = State::Closed,
            ClientEvent::Failed(failure) => self.state = State::Failed(say(failure)),
            _ => {}
        }
    }

    /// Sends `count` packets of `size` bytes to itself; `false` when it cannot now.
    pub(super) fn send(&mut self, count: u32, size: usize, offload: bool) -> bool {
        if self.state != State::Ready || self.turn.link().unsent() > MAX_UNSENT {
            return false;
        }
        let (Some(target), now) = (self.target, self.timer.now()) else {
            return false;
        };
        let mut segment = 0;
        self.run.clear();
        for _ in 0..count {
            let Ok(envelope) = self.turn.machine().send(now, target, size) else {
                return false;
            };
            segment = envelope.wrapped_len(size);
            let start = self.run.len();
            self.run.extend_from_slice(envelope.header());
            self.run.extend_from_slice(&self.index.to_be_bytes());
            self.run.extend_from_slice(&self.next.to_be_bytes());
            self.run.extend_from_slice(&now.as_nanos().to_be_bytes());
            self.run.resize(start + segment, 0);
            self.next += 1;
        }
        let link = self.turn.link();
        let path = link.path();
        if offload {
            link.send(path, &self.run, segment);
        } else {
            for datagram in self.run.chunks(segment.max(1)) {
                link.send(path, datagram, segment);
            }
        }
        if link.unsent() > 0
            && let Some(waker) = &self.waker
        {
            waker.wake_by_ref();
        }
        true
    }

    /// Releases the allocation.
    pub(super) fn close(&mut self) {
        self.turn.machine().close(self.timer.now());
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }
}

/// What the failure of a link is in one line.
pub(super) fn say_link(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::TimedOut => error.to_string(),
        _ => {
            // it may be another server by now, to which the first has sent its clients
            let what = explain_link(error, "the name it goes by");
            format!("the server closed the connection: {what}")
        }
    }
}

/// What the failure of a client is in one line.
pub(super) fn say(failure: TurnFailure) -> String {
    match failure {
        TurnFailure::Refused(437) => {
            "the server refuses (437): it takes three ports of this host for others' that it serves"
                .into()
        }
        TurnFailure::Refused(486) => {
            "the server refuses (486): the user has as many allocations as it may".into()
        }
        TurnFailure::Refused(508) => "the server refuses (508): it has no room for more".into(),
        TurnFailure::Refused(440) => {
            "the server refuses (440): it has no relayed addresses of that family".into()
        }
        TurnFailure::Refused(442) => "the server refuses (442): it does not relay that".into(),
        other => other.to_string(),
    }
}

/// Client, number and time of a packet.
fn stamp(packet: &[u8]) -> Option<(u32, u64, Instant)> {
    let (stamp, _) = packet.split_first_chunk::<STAMP_LEN>()?;
    let (index, rest) = stamp.split_first_chunk::<4>()?;
    let (number, rest) = rest.split_first_chunk::<8>()?;
    let sent = rest.first_chunk::<8>()?;
    Some((
        u32::from_be_bytes(*index),
        u64::from_be_bytes(*number),
        Instant::from_nanos(u64::from_be_bytes(*sent)),
    ))
}
