//! One thread's share of a server: its sockets, and the machine that says what goes where.
//!
//! ```text
//! clients --UDP--> listeners --+                    +--> relays --UDP--> peers
//!                              |--> turn::Server -->|
//! clients --TCP--> stream -----+    (handle_input)  +--> stream's task (drops, answers)
//!                  tasks
//! peers ---UDP--> relays ----> turn::Server --> Outbox (UDP) or the stream's task
//!                              (handle_relay_input)
//! ```
//! The thread owns everything it touches; it takes a lock when an allocation begins or ends, and for no packet. Sockets
//! report that something came once (edge-triggered): a batch that comes back short says that the socket is drained, so
//! nobody asks a second time to be told "nothing".

use core::net::SocketAddr;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;

use mio::{Events, Interest, Poll, Token, Waker};
use quinn_udp::BATCH_SIZE;
use rtckit_proto::{Datagram, FiveTuple, Instant, Transport};
use rtckit_turn::{
    AllocationInfo, BindError, Counters, PeerPolicy, RelayId, Server, ServerConfig, ServerEvent,
    ToClient, ToPeer, instance_of,
};
use tokio::sync::{mpsc, oneshot};

use super::config::SharedUsers;
use super::peer_streams::PeerStreams;
use super::returned::{self, ERRORS_PER_TURN, Returned};
use super::siblings::Siblings;
use super::steer::Homes;
use super::stream::{StreamHandle, StreamId};
use super::udp::{Inbox, Outbox, Run, UdpPort, is_returned, source_of};
use crate::time::Time;

/// The waker's token; listeners follow, then relays.
const WAKER: usize = 0;

/// The first relay's token: there are never so many listeners.
const RELAYS: usize = 1024;

/// How many commands are carried out before sockets are looked at again.
const COMMANDS_PER_TURN: usize = 256;

/// How many batches are read from a socket before the next one is looked at.
const BATCHES_PER_TURN: usize = 4;

/// The longest answer of the machine.
const MAX_ANSWER: usize = 2048;

/// What the rest of the program asks of a shard.
#[derive(Debug)]
pub(super) enum Command {
    /// A client's stream is open.
    StreamOpened(StreamHandle),
    /// Whole messages came on it.
    Frames(StreamId, Vec<u8>),
    /// It is closed.
    StreamClosed(StreamId),
    /// A datagram that another shard received for this one.
    Datagram(FiveTuple, Vec<u8>),
    /// A connection with a peer was opened, or not.
    Connected(rtckit_turn::ConnectionId, Option<tokio::net::TcpStream>),
    /// A peer connected to a relay.
    Accepted(RelayId, SocketAddr, tokio::net::TcpStream),
    /// A connection with a peer, or the stream it was joined with, ended.
    ConnectionClosed(rtckit_turn::ConnectionId),
    /// Says how it goes.
    Report(oneshot::Sender<Report>),
    /// Says what is allocated.
    List(oneshot::Sender<Vec<AllocationInfo>>),
    /// Ends all that an account has, and says how many allocations that were.
    Release(Box<str>, oneshot::Sender<usize>),
    /// Which peers clients may reach from now on.
    Peers(PeerPolicy),
    /// Takes no new clients, and ends when the last allocation has.
    Drain,
}

/// How a shard goes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Report {
    pub(super) counters: Counters,
    pub(super) allocations: usize,
    pub(super) streams: usize,
    pub(super) lost: u64,
}

/// The way to a shard.
#[derive(Clone, Debug)]
pub(super) struct ShardHandle {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) waker: Arc<Waker>,
    /// Whether it is to end at once. Not a command: of those there may be too many already.
    pub(super) is_stopped: Arc<AtomicBool>,
}

impl ShardHandle {
    /// Asks for something; `false` when the shard has ended.
    pub(super) async fn send(&self, command: Command) -> bool {
        let sent = self.commands.send(command).await.is_ok();
        sent && self.waker.wake().is_ok()
    }

    /// Asks for something, from outside of tasks; a shard that is too busy does not hear it.
    pub(super) fn offer(&self, command: Command) {
        let _ = self.commands.try_send(command);
        let _ = self.waker.wake();
    }

    /// Ends the shard, however much else it was asked for.
    pub(super) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Release);
        let _ = self.waker.wake();
    }
}

/// The relay's socket and its machine's name for it.
struct Relay {
    id: RelayId,
    port: UdpPort,
}

/// One thread's share of a server.
pub(super) struct Shard {
    poll: Poll,
    commands: mpsc::Receiver<Command>,
    handle: ShardHandle,
    listeners: Vec<UdpPort>,
    inbox: Inbox,
    /// Sockets that may hold more than was read: tokens.
    unread: VecDeque<usize>,
    core: Core,
    time: Time,
    is_stun_only: bool,
    is_draining: bool,
    /// The others, and who gave clients what they bring; nothing when there are no others.
    siblings: Option<Siblings>,
}

/// All of a shard but what it receives into, so that both can be borrowed at once.
struct Core {
    server: Server<SharedUsers>,
    relays: Vec<Option<Relay>>,
    /// What goes from one relay to one peer, and whether it may be fragmented.
    run: Run<(RelayId, SocketAddr, bool)>,
    outbox: Outbox,
    answer: Box<[u8; MAX_ANSWER]>,
    streams: HashMap<FiveTuple, StreamHandle>,
    peer_streams: PeerStreams,
    registry: mio::Registry,
    /// Where it is noted that clients of the others have their allocation here, and where that is.
    homes: Option<(usize, Arc<Homes>)>,
    lost: u64,
}

impl Shard {
    /// A shard that will listen with `listeners`.
    pub(super) fn new(
        config: ServerConfig,
        users: SharedUsers,
        mut listeners: Vec<UdpPort>,
        random: &mut (impl rtckit_proto::Random + ?Sized),
        (time, is_stun_only): (Time, bool),
    ) -> io::Result<(Self, ShardHandle)> {
        let poll = Poll::new()?;
        for (place, listener) in listeners.iter_mut().enumerate() {
            poll.registry()
                .register(&mut listener.io, Token(place + 1), Interest::READABLE)?;
        }
        let waker = Arc::new(Waker::new(poll.registry(), Token(WAKER))?);
        let (sender, commands) = mpsc::channel(1024);
        let handle = ShardHandle {
            commands: sender,
            waker,
            is_stopped: Arc::default(),
        };
        let core = Core {
            server: Server::new(config, users, random),
            relays: Vec::new(),
            run: Run::new(),
            outbox: Outbox::new(),
            answer: Box::new([0; MAX_ANSWER]),
            streams: HashMap::new(),
            peer_streams: PeerStreams::new(handle.clone()),
            registry: poll.registry().try_clone()?,
            homes: None,
            lost: 0,
        };
        let shard = Self {
            poll,
            commands,
            handle: handle.clone(),
            listeners,
            inbox: Inbox::new(),
            unread: VecDeque::new(),
            core,
            time,
            is_stun_only,
            is_draining: false,
            siblings: None,
        };
        Ok((shard, handle))
    }

    /// Tells it of the others.
    pub(super) fn with_siblings(mut self, siblings: Siblings) -> Self {
        self.core.homes = Some((siblings.place, Arc::clone(&siblings.homes)));
        self.siblings = Some(siblings);
        self
    }

    /// Relays until told to stop, or until it has drained.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(512);
        loop {
            let wait = self.wait();
            match self.poll.poll(&mut events, wait) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    tracing::error!(%error, "a thread of the server ended");
                    return;
                }
            }
            let backlog = self.unread.len();
            let mut is_woken = false;
            for event in &events {
                let Token(token) = event.token();
                match token {
                    WAKER => is_woken = true,
                    token => {
                        if event.is_error() && token >= RELAYS {
                            self.read_errors(token - RELAYS);
                        }
                        self.on_readable(token);
                    }
                }
            }
            for _ in 0..backlog {
                if let Some(token) = self.unread.pop_front() {
                    self.on_readable(token);
                }
            }
            if is_woken {
                if self.handle.is_stopped.load(Ordering::Acquire) {
                    return;
                }
                self.on_commands();
            }
            let now = self.time.now();
            if self
                .core
                .server
                .poll_timeout()
                .is_some_and(|due| due <= now)
            {
                self.core.server.handle_timeout(now);
                self.core.drain(now, &self.listeners);
            }
            self.core.flush(&self.listeners);
            if self.is_draining && self.core.server.is_drained() {
                return;
            }
        }
    }

    /// How long nothing has to be done.
    fn wait(&self) -> Option<Duration> {
        if !self.unread.is_empty() {
            return Some(Duration::ZERO);
        }
        let due = self.core.server.poll_timeout()?;
        let wait = due.duration_since(self.time.now());
        // the system rounds down to milliseconds, which would spin
        Some(wait + Duration::from_millis(u64::from(!wait.is_zero())))
    }

    /// Carries out what was asked.
    fn on_commands(&mut self) {
        for _ in 0..COMMANDS_PER_TURN {
            let Ok(command) = self.commands.try_recv() else {
                return;
            };
            let now = self.time.now();
            match command {
                Command::Drain => {
                    self.is_draining = true;
                    self.core.server.drain();
                }
                Command::Report(answer) => {
                    let _ = answer.send(self.core.report());
                }
                Command::Datagram(path, bytes) => self.on_passed_on(now, path, bytes),
                Command::List(answer) => {
                    let _ = answer.send(self.core.server.list(now).collect());
                }
                command => self.core.on_command(now, command, &self.listeners),
            }
        }
        // the rest in the next turn
        let _ = self.handle.waker.wake();
    }

    /// A datagram that another shard received for this one.
    fn on_passed_on(&mut self, now: Instant, path: FiveTuple, mut bytes: Vec<u8>) {
        // so that there is room for the answer, which then leaves after what is noted here: the client's next request,
        // which the other shard receives again, finds the note
        self.core.flush(&self.listeners);
        let brings_something = instance_of(&bytes).is_some();
        self.core.on_client(now, Datagram::new(path, &mut bytes));
        self.core.flush_run();
        self.core.drain(now, &self.listeners);
        if let Some(siblings) = &self.siblings
            && brings_something
            && self.core.server.has_allocation(&path)
        {
            siblings.settle(path);
        }
    }

    fn on_readable(&mut self, token: usize) {
        let is_drained = if token >= RELAYS {
            self.read_relay(token - RELAYS)
        } else {
            self.read_listener(token - 1)
        };
        if !is_drained {
            self.unread.push_back(token);
        }
    }

    /// Reads what clients sent; `false` when there may be more.
    fn read_listener(&mut self, place: usize) -> bool {
        let Some(listener) = self.listeners.get(place) else {
            return true;
        };
        for _ in 0..BATCHES_PER_TURN {
            // drained; or the error of something sent before, and what comes next will tell
            let Ok(count) = self.inbox.receive(listener) else {
                return true;
            };
            let now = self.time.now();
            for arrived in self.inbox.arrived(count) {
                let mut local = listener.local();
                if let Some(to) = arrived.to.filter(|_| listener.is_wildcard()) {
                    local.set_ip(to);
                }
                let path = FiveTuple::udp(local, arrived.from);
                for datagram in arrived.datagrams() {
                    if self.is_stun_only && !is_binding(datagram) {
                        continue;
                    }
                    if let Some(siblings) = &self.siblings
                        && siblings
                            .pass_on(path, datagram, || self.core.server.has_allocation(&path))
                    {
                        continue;
                    }
                    self.core.on_client(now, Datagram::new(path, datagram));
                }
                self.core.drain(now, &self.listeners);
            }
            self.core.flush_run();
            self.core.flush(&self.listeners);
            if count < BATCH_SIZE {
                return true;
            }
        }
        false
    }

    /// Reads what peers sent; `false` when there may be more.
    fn read_relay(&mut self, place: usize) -> bool {
        let core = &mut self.core;
        let Some(Some(relay)) = core.relays.get(place) else {
            return true;
        };
        let count = match self.inbox.receive(&relay.port) {
            Ok(count) => count,
            // what is to be read comes after the error, which is read from its own queue
            Err(error) => return !is_returned(&error),
        };
        let id = relay.id;
        let now = self.time.now();
        for arrived in self.inbox.arrived(count) {
            let from = arrived.from;
            for payload in arrived.datagrams() {
                let to = core.server.handle_relay_input(now, id, from, payload.len());
                if let Some(to) = to {
                    core.send_to_client(&to, payload, &self.listeners);
                }
            }
        }
        count < BATCH_SIZE
    }

    /// Tells clients of ICMP errors that came for what their relay had sent.
    fn read_errors(&mut self, place: usize) {
        let core = &mut self.core;
        let now = self.time.now();
        let Some(Some(relay)) = core.relays.get(place) else {
            return;
        };
        for _ in 0..ERRORS_PER_TURN {
            let Some(Returned { peer, icmp }) = returned::next(&relay.port.io) else {
                break;
            };
            core.server.handle_relay_icmp(now, relay.id, peer, icmp);
        }
        core.drain(now, &self.listeners);
    }
}

/// Whether a datagram is a Binding request.
pub(super) fn is_binding(datagram: &[u8]) -> bool {
    matches!(datagram, [0x00, 0x01, ..])
}

impl Core {
    /// A message of a client.
    fn on_client(&mut self, now: Instant, datagram: Datagram<'_>) {
        let Some(ToPeer {
            relay,
            peer,
            data,
            dont_fragment,
            ..
        }) = self.server.handle_input(now, datagram)
        else {
            return;
        };
        let key = (relay, peer, !dont_fragment);
        if !self.run.fits(key, data.len()) {
            self.flush_run();
        }
        self.run.push(key, data);
    }

    /// Sends what waits for a peer.
    fn flush_run(&mut self) {
        if let Some(((id, peer, may_fragment), bytes, segment)) = self.run.take() {
            let relay = self.relays.get_mut(id.index()).and_then(Option::as_mut);
            let sent = relay.filter(|relay| relay.id == id).is_some_and(|relay| {
                relay.port.let_fragment(may_fragment);
                relay.port.send(peer, bytes, segment, None)
            });
            self.lost += u64::from(!sent);
        }
        self.run.clear();
    }

    /// Sends what waits for clients.
    fn flush(&mut self, listeners: &[UdpPort]) {
        self.lost += self.outbox.flush(listeners) as u64;
    }

    /// A payload of a peer, in its envelope.
    fn send_to_client(&mut self, to: &ToClient, payload: &[u8], listeners: &[UdpPort]) {
        let len = to.envelope.wrapped_len(payload.len());
        if to.path.transport == Transport::Udp {
            self.send_datagram(&to.path, len, listeners, |buf| {
                to.envelope.wrap(payload, buf)
            });
        } else if let Some(stream) = self.streams.get(&to.path) {
            let mut bytes = vec![0; len];
            let is_taken = to.envelope.wrap(payload, &mut bytes).is_some() && stream.offer(bytes);
            self.lost += u64::from(!is_taken);
        }
    }

    fn send_datagram(
        &mut self,
        path: &FiveTuple,
        len: usize,
        listeners: &[UdpPort],
        write: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) {
        let Some((place, port)) = listeners
            .iter()
            .enumerate()
            .find(|(_, listener)| listener.is_at(path.local))
        else {
            return;
        };
        if !self.outbox.has_room(len) {
            self.flush(listeners);
        }
        let source = source_of(port, path.local);
        self.outbox.push(place, path.remote, source, write);
    }

    /// Takes out of the machine what it has to send and wants done.
    fn drain(&mut self, now: Instant, listeners: &[UdpPort]) {
        loop {
            while let Some(sent) = self.server.poll_transmit(now, &mut self.answer[..]) {
                let Some(answer) = self.answer.get(sent.range) else {
                    continue;
                };
                if sent.path.transport == Transport::Udp {
                    let answer = answer.to_vec();
                    self.send_datagram(&sent.path, answer.len(), listeners, |buf| {
                        buf.get_mut(..answer.len())?.copy_from_slice(&answer);
                        Some(answer.len())
                    });
                } else if let Some(stream) = self.streams.get(&sent.path) {
                    stream.answer(answer.to_vec());
                }
            }
            let Some(event) = self.server.poll_event() else {
                return;
            };
            self.on_event(now, event);
        }
    }

    fn on_event(&mut self, now: Instant, event: ServerEvent) {
        match event {
            ServerEvent::BindRelay {
                relay,
                transport,
                address,
            } => {
                let bound = if transport == Transport::Udp {
                    self.bind(relay, address)
                } else {
                    self.peer_streams.listen(relay, address)
                };
                let bound = bound.map_err(|error| match error.kind() {
                    io::ErrorKind::AddrInUse => BindError::AddressInUse,
                    _ => {
                        tracing::warn!(%address, %error, "cannot bind a relay");
                        BindError::Failed
                    }
                });
                self.server.relay_bound(now, relay, bound);
            }
            ServerEvent::CloseRelay { relay } => {
                // what it was given before leaves first
                self.flush_run();
                if let Some(place) = self.relays.get_mut(relay.index())
                    && let Some(mut closed) = place.take_if(|held| held.id == relay)
                {
                    let _ = self.registry.deregister(&mut closed.port.io);
                }
                self.peer_streams.close_relay(relay);
            }
            ServerEvent::Connect {
                connection,
                local,
                peer,
                ..
            } => self.peer_streams.connect(connection, local, peer),
            ServerEvent::Join { connection, path } => {
                let joined = self
                    .streams
                    .remove(&path)
                    .is_some_and(|stream| self.peer_streams.join(connection, &stream));
                if !joined {
                    self.server.connection_closed(connection);
                }
            }
            ServerEvent::Disconnect { connection } => self.peer_streams.disconnect(connection),
            ServerEvent::PathAdded { path } => self.set_allocated(&path, true),
            ServerEvent::PathRemoved { path } => {
                self.set_allocated(&path, false);
                if let Some((place, homes)) = &self.homes {
                    homes.forget(&path, *place);
                }
            }
            ServerEvent::Allocated { path, relayed, .. } => {
                tracing::info!(client = %path.remote, transport = ?path.transport, %relayed, "allocated");
            }
            ServerEvent::Released { path, reason, .. } => {
                tracing::info!(client = %path.remote, transport = ?path.transport, ?reason, "released");
            }
            _ => {}
        }
    }

    fn set_allocated(&self, path: &FiveTuple, is_allocated: bool) {
        if let Some(stream) = self.streams.get(path) {
            stream.set_allocated(is_allocated);
        }
    }

    fn bind(&mut self, id: RelayId, address: SocketAddr) -> io::Result<SocketAddr> {
        let mut port = UdpPort::relay(address)?;
        let local = port.local();
        let place = id.index();
        self.registry
            .register(&mut port.io, Token(RELAYS + place), Interest::READABLE)?;
        if self.relays.len() <= place {
            self.relays.resize_with(place + 1, || None);
        }
        if let Some(relay) = self.relays.get_mut(place) {
            *relay = Some(Relay { id, port });
        }
        Ok(local)
    }

    fn on_command(&mut self, now: Instant, command: Command, listeners: &[UdpPort]) {
        match command {
            Command::StreamOpened(stream) => self.on_stream(now, stream, listeners),
            Command::Frames(stream, mut bytes) => {
                self.on_frames(now, stream, &mut bytes, listeners);
            }
            Command::StreamClosed(StreamId { path, number }) => {
                // its client may have come back
                let held = self.streams.get(&path);
                if held.is_none_or(|held| held.id().number == number) {
                    self.streams.remove(&path);
                    self.server.stream_closed(path);
                }
            }
            Command::Connected(connection, stream) => {
                let is_open = self.peer_streams.connected(connection, stream);
                self.server.connected(now, connection, is_open);
            }
            Command::Accepted(relay, peer, stream) => {
                if let Some(connection) = self.server.accept(now, relay, peer) {
                    self.peer_streams.accepted(connection, stream);
                }
            }
            Command::ConnectionClosed(connection) => {
                self.peer_streams.disconnect(connection);
                self.server.connection_closed(connection);
            }
            Command::Peers(peers) => self.server.set_peers(peers),
            Command::Release(account, answer) => {
                let _ = answer.send(self.server.release_account(&account));
            }
            Command::Datagram(..) | Command::Report(_) | Command::List(_) | Command::Drain => {}
        }
        self.drain(now, listeners);
    }

    /// A client's stream. With it ends what the client had by an earlier one from the same port, whose own end may not
    /// have been told yet.
    fn on_stream(&mut self, now: Instant, stream: StreamHandle, listeners: &[UdpPort]) {
        let StreamId { path, number } = stream.id();
        let held = self.streams.get(&path);
        if held.is_some_and(|held| held.id().number > number) {
            return;
        }
        self.streams.remove(&path);
        self.server.stream_closed(path);
        // all of that is for the earlier one
        self.drain(now, listeners);
        self.streams.insert(path, stream);
    }

    /// Messages of a stream, one after the other, as its task has cut them.
    fn on_frames(
        &mut self,
        now: Instant,
        id: StreamId,
        mut bytes: &mut [u8],
        listeners: &[UdpPort],
    ) {
        let path = id.path;
        let held = self.streams.get(&path);
        if held.is_none_or(|held| held.id() != id) {
            return;
        }
        while let Ok(Some((len, taken))) = rtckit_stun::frame_len(bytes) {
            let Some((frame, rest)) = bytes.split_at_mut_checked(taken.min(bytes.len())) else {
                return;
            };
            let Some(frame) = frame.get_mut(..len) else {
                return;
            };
            self.on_client(now, Datagram::new(path, frame));
            self.drain(now, listeners);
            bytes = rest;
        }
        self.flush_run();
        // if the last was a ConnectionBind that was refused, the stream goes on
        if let Some(stream) = self.streams.get(&path) {
            stream.go_on();
        }
    }

    fn report(&self) -> Report {
        Report {
            counters: *self.server.counters(),
            allocations: self.server.allocations(),
            streams: self.streams.len(),
            lost: self.lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use rtckit_crypto::provider::Provider;
    use rtckit_stun::StaticUsers;

    use super::super::Config;
    use super::super::stream::TaskHandle;
    use super::*;

    const PATH: FiveTuple = FiveTuple {
        transport: Transport::Tcp,
        local: SocketAddr::new(core::net::IpAddr::V4(core::net::Ipv4Addr::LOCALHOST), 3478),
        remote: SocketAddr::new(core::net::IpAddr::V4(core::net::Ipv4Addr::LOCALHOST), 5000),
    };

    /// A shard that listens nowhere.
    fn shard() -> Shard {
        let config = Config::at("test", PATH.local, Arc::new(StaticUsers::new("test")));
        let random = &mut *Provider::ring().random();
        let rest = (config.time, false);
        let (shard, _) = Shard::new(config.turn, config.users, Vec::new(), random, rest).unwrap();
        shard
    }

    impl Shard {
        fn is_told(&mut self, command: Command) {
            let now = self.time.now();
            self.core.on_command(now, command, &[]);
        }

        /// The stream of `number` on the one path there is.
        fn opens(&mut self, number: u64) -> (StreamId, TaskHandle) {
            let id = StreamId { path: PATH, number };
            let (handle, task) = StreamHandle::new(id);
            self.is_told(Command::StreamOpened(handle));
            (id, task)
        }

        fn held(&self) -> Option<u64> {
            self.core.streams.get(&PATH).map(|held| held.id().number)
        }
    }

    #[tokio::test]
    async fn the_end_of_a_stream_is_not_that_of_the_next_from_the_same_port() {
        let mut shard = shard();
        let (first, first_task) = shard.opens(1);
        let (second, second_task) = shard.opens(2);
        assert!(first_task.is_closed());
        shard.is_told(Command::StreamClosed(first));
        assert_eq!(shard.held(), Some(2));
        assert!(!second_task.is_closed());

        // nor does what the first one sent last come from the second
        let mut request = [0; 20];
        request[..8].copy_from_slice(&[0, 3, 0, 0, 0x21, 0x12, 0xa4, 0x42]);
        shard.is_told(Command::Frames(first, request.to_vec()));
        assert_eq!(shard.core.server.counters().requests, 0);
        shard.is_told(Command::Frames(second, request.to_vec()));
        assert_eq!(shard.core.server.counters().requests, 1);

        shard.is_told(Command::StreamClosed(second));
        assert_eq!(shard.held(), None);
        assert!(second_task.is_closed());
        // of a stream that is gone nothing is heard
        shard.is_told(Command::Frames(first, request.to_vec()));
        assert_eq!(shard.core.server.counters().requests, 1);
    }

    /// Their tasks run as they like.
    #[tokio::test]
    async fn the_later_of_two_streams_stays_whichever_is_told_of_first() {
        let mut shard = shard();
        let (_, second) = shard.opens(2);
        let (_, first) = shard.opens(1);
        assert_eq!(shard.held(), Some(2));
        assert!(first.is_closed() && !second.is_closed());
    }
}
