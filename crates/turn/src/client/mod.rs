//! The client: one allocation on one server, kept alive.

mod again;
mod config;
mod connection;
mod event;
mod requests;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use rtckit_proto::{Datagram, FiveTuple, Instant, Random, SeededRandom, Transmit, Transport};
use rtckit_stun::{AttributeType, Class, LongTermClient, Message, Method, TransactionId};

pub use self::config::{ClientConfig, Families};
pub use self::connection::{DataConnection, DataConnectionState};
pub use self::event::{ClientEvent, Failure, FromPeer, PeerConnectionId, SendError};

use self::again::Asked;
use self::requests::{Kind, Pending};
use crate::channel_data::{ChannelData, ChannelNumber};
use crate::envelope::Envelope;

/// How many peer addresses can be permitted at a time.
const MAX_PERMISSIONS: usize = 256;

/// How many requests can be under way, beside the one that keeps the allocation alive.
const MAX_PENDING: usize = 64;

/// Permissions end after 300 s and channels after 600 s; they are renewed this long after they were given.
const PERMISSION_INTERVAL: Duration = Duration::from_secs(240);
const CHANNEL_INTERVAL: Duration = Duration::from_secs(500);

/// When a request was refused or lost, it is not made again before this has passed.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);

/// A TURN client ([RFC 8656](https://www.rfc-editor.org/rfc/rfc8656)).
///
/// It begins to allocate when it is made, and tells by [`ClientEvent::Allocated`] where peers reach it. Before a peer
/// can, and before it is sent to, it has to be [permitted](Self::permit). A payload is sent by putting the
/// [`Envelope`] that [`send`](Self::send) returns around it, along [`path`](Self::path);
/// [`handle_input`](Self::handle_input) returns what peers sent, inside the datagram it came in. Neither copies or
/// allocates. Over a stream, [`StreamFramer`](rtckit_stun::StreamFramer) cuts the messages.
///
/// When the server refuses the client's address (437) or names another server (300), [`ClientEvent::Reconnect`] asks for
/// another path, and [`reconnect`](Self::reconnect) gives it: three addresses for each of at most five servers, none of
/// them twice. Once there is no allocation any more the client is closed, and it is its user who decides whether, and
/// when, a new one is to try again.
///
/// **Order.** After any call drain [`poll_transmit`](Self::poll_transmit) and [`poll_event`](Self::poll_event) until
/// each returns `None`, then ask [`poll_timeout`](Self::poll_timeout). Time never runs backwards.
///
/// **Ceilings.** 256 permissions and as many channels, 64 requests under way.
pub struct Client {
    config: ClientConfig,
    credentials: LongTermClient,
    path: FiveTuple,
    /// The path it is moving to.
    next_path: Option<FiveTuple>,
    state: State,
    /// What the last Refresh came to, if it did not succeed.
    refresh_failure: Option<Failure>,
    asked: Asked,
    pending: Vec<Pending>,
    permissions: Vec<Permission>,
    channels: Vec<Channel>,
    ticket: Vec<u8>,
    events: VecDeque<ClientEvent>,
    random: SeededRandom,
    /// Makes transaction ids that nobody can guess who has not seen the others.
    ids: rtckit_crypto::mac::HmacSha256,
    /// How many payloads were dropped as they came from nobody permitted.
    dropped: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Allocating,
    /// It waits for another path.
    Reconnecting,
    Allocated {
        relayed: [Option<SocketAddr>; 2],
        expires: Instant,
        refresh_at: Instant,
    },
    Releasing,
    Closed,
}

struct Permission {
    ip: IpAddr,
    is_installed: bool,
    /// When it is asked for next; none while it is being asked for.
    due: Option<Instant>,
}

struct Channel {
    number: ChannelNumber,
    peer: SocketAddr,
    is_bound: bool,
    due: Option<Instant>,
}

impl Client {
    /// A client that reaches its server by `path`, and begins to allocate at `now`. `random` has to be
    /// cryptographically secure.
    pub fn new(
        config: ClientConfig,
        path: FiveTuple,
        now: Instant,
        random: &mut (impl Random + ?Sized),
    ) -> Self {
        let mut key = [0; 32];
        random.fill(&mut key);
        let mut client = Self {
            credentials: config.credentials.clone(),
            config,
            path,
            next_path: None,
            state: State::Allocating,
            refresh_failure: None,
            asked: Asked::default(),
            pending: Vec::new(),
            permissions: Vec::new(),
            channels: Vec::new(),
            ticket: Vec::new(),
            events: VecDeque::new(),
            random: SeededRandom::new(random.next_u64()),
            ids: rtckit_crypto::mac::HmacSha256::new(&key),
            dropped: 0,
        };
        client.begin(now, Kind::Allocate);
        client
    }

    // ---- getters ----

    /// The path to the server: payloads are sent along it.
    pub const fn path(&self) -> FiveTuple {
        self.path
    }

    /// The relayed address of that family of `ip`.
    pub fn relayed(&self, is_ipv4: bool) -> Option<SocketAddr> {
        let State::Allocated { relayed, .. } = self.state else {
            return None;
        };
        let [v4, v6] = relayed;
        if is_ipv4 { v4 } else { v6 }
    }

    /// Whether there is an allocation.
    pub const fn is_allocated(&self) -> bool {
        matches!(self.state, State::Allocated { .. })
    }

    /// Whether it is over: nothing happens any more.
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Whether peers of that address may send and be sent to.
    pub fn is_permitted(&self, ip: IpAddr) -> bool {
        self.permissions
            .iter()
            .any(|permission| permission.ip == ip && permission.is_installed)
    }

    /// The channel that is bound to a peer.
    pub fn channel(&self, peer: SocketAddr) -> Option<ChannelNumber> {
        let is_it = |channel: &&Channel| channel.peer == peer && channel.is_bound;
        self.channels
            .iter()
            .find(is_it)
            .map(|channel| channel.number)
    }

    /// How many datagrams were dropped: from elsewhere than the server, forged, or from peers not permitted.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    // ---- what is asked of it ----

    /// Permits peers of that address, and keeps permitting them; `false` when there are too many, or the client is
    /// closed. [`ClientEvent::Permitted`] tells when it is done. May be called before the client has allocated.
    pub fn permit(&mut self, now: Instant, ip: IpAddr) -> bool {
        if self
            .permissions
            .iter()
            .any(|permission| permission.ip == ip)
        {
            return true;
        }
        if self.permissions.len() >= MAX_PERMISSIONS || self.is_closed() {
            return false;
        }
        self.permissions.push(Permission {
            ip,
            is_installed: false,
            due: Some(now),
        });
        self.begin_due(now);
        true
    }

    /// Lets a permission end, and the channels with it; the server forgets both in time.
    pub fn forget(&mut self, ip: IpAddr) {
        self.permissions.retain(|permission| permission.ip != ip);
        // a number must not be bound to another peer before it has ended: its entry stays, unrenewed
        for channel in self.channels.iter_mut().filter(|c| c.peer.ip() == ip) {
            channel.due = None;
        }
    }

    /// Binds a channel to a peer, and keeps it bound, which also permits it; `false` when there are too many or the
    /// client is closed.
    pub fn bind_channel(&mut self, now: Instant, peer: SocketAddr) -> bool {
        let is_pending = |pending: &Pending| pending.kind == Kind::BindChannel(peer);
        let is_idle = !self.pending.iter().any(is_pending);
        if let Some(channel) = self.channels.iter_mut().find(|c| c.peer == peer) {
            if channel.due.is_none() && is_idle {
                channel.due = Some(now); // it was forgotten or refused before
            }
            return self.permit(now, peer.ip());
        }
        let number = ChannelNumber::MIN.number() + self.channels.len() as u16;
        let number = ChannelNumber::new(number).filter(|number| *number <= ChannelNumber::MAX);
        let (Some(number), true) = (number, self.channels.len() < MAX_PERMISSIONS) else {
            return false;
        };
        if !self.permit(now, peer.ip()) {
            return false;
        }
        self.channels.push(Channel {
            number,
            peer,
            is_bound: false,
            due: Some(now),
        });
        self.begin_due(now);
        true
    }

    /// What is to be put around `len` bytes for `peer`, to be sent along [`path`](Self::path).
    ///
    /// # Errors
    /// The payload cannot be sent (yet).
    pub fn send(
        &mut self,
        now: Instant,
        peer: SocketAddr,
        len: usize,
    ) -> Result<Envelope, SendError> {
        if self.relayed(peer.is_ipv4()).is_none() || self.config.relayed != Transport::Udp {
            return Err(SendError::NotAllocated);
        }
        if let Some(channel) = self.channel(peer) {
            return Envelope::channel_data(channel, len, self.path.transport)
                .ok_or(SendError::TooLong);
        }
        if !self.is_permitted(peer.ip()) {
            return Err(SendError::NotPermitted);
        }
        if self.config.binds_channels {
            self.bind_channel(now, peer);
        }
        let id = TransactionId::new(&mut self.random);
        Envelope::indication(Method::SEND, id, peer, len).ok_or(SendError::TooLong)
    }

    /// Writes `payload` for `peer` into `buf`, in the envelope of [`send`](Self::send); returns the length of what is to be
    /// sent along [`path`](Self::path). Where payloads are many, an envelope around them where they lie saves the copy.
    ///
    /// # Errors
    /// Those of [`send`](Self::send), and [`SendError::TooLong`] when `buf` is too short.
    pub fn write(
        &mut self,
        now: Instant,
        peer: SocketAddr,
        payload: &[u8],
        buf: &mut [u8],
    ) -> Result<usize, SendError> {
        let envelope = self.send(now, peer, payload.len())?;
        envelope.wrap(payload, buf).ok_or(SendError::TooLong)
    }

    /// Connects to a peer by TCP ([RFC 6062 §4.3](https://www.rfc-editor.org/rfc/rfc6062#section-4.3));
    /// [`ClientEvent::OpenDataConnection`] or [`ClientEvent::ConnectFailed`] follows. `false` when there is no TCP
    /// allocation, or too much under way.
    pub fn connect(&mut self, now: Instant, peer: SocketAddr) -> bool {
        self.is_allocated()
            && self.config.relayed == Transport::Tcp
            && self.begin(now, Kind::Connect(peer))
    }

    /// The machine that binds a new stream to `connection`.
    pub fn data_connection(
        &mut self,
        now: Instant,
        connection: PeerConnectionId,
    ) -> DataConnection {
        let ids = [self.new_id(), self.new_id(), self.new_id()];
        DataConnection::new(self.credentials.clone(), connection, ids, now)
    }

    /// Moves to another path, which needs a ticket ([`ClientConfig::is_mobile`]); `false` when there is none.
    /// [`ClientEvent::Moved`] tells when it is done; until then the old path is in use, as far as it works.
    pub fn migrate(&mut self, now: Instant, path: FiveTuple) -> bool {
        if !self.is_allocated() || self.ticket.is_empty() || path == self.path {
            return false;
        }
        self.pending.retain(|pending| pending.kind != Kind::Move);
        self.next_path = Some(path);
        self.begin(now, Kind::Move)
    }

    /// Releases the allocation; [`ClientEvent::Released`] follows.
    pub fn close(&mut self, now: Instant) {
        match self.state {
            State::Allocated { .. } => {
                self.pending.clear();
                self.state = State::Releasing;
                self.begin(now, Kind::Release);
            }
            State::Allocating | State::Reconnecting => {
                // an allocation that may come into being unseen ends by itself
                self.finish(ClientEvent::Released);
            }
            State::Releasing | State::Closed => {}
        }
    }

    // ---- the verbs ----

    /// A datagram of the server, or a message of its stream. Returns what a peer sent.
    pub fn handle_input<'d>(
        &mut self,
        now: Instant,
        datagram: Datagram<'d>,
    ) -> Option<FromPeer<'d>> {
        let Datagram { path, data, .. } = datagram;
        let is_server =
            |known: &FiveTuple| known.remote == path.remote && known.transport == path.transport;
        if self.is_closed()
            || !(is_server(&self.path) || self.next_path.as_ref().is_some_and(is_server))
        {
            self.dropped += 1;
            return None;
        }
        let received = match data {
            [0x40..=0x7f, ..] => self.on_channel_data(data),
            // a Data indication
            [0x00, 0x17, ..] => self.on_data(data),
            _ => {
                self.on_message(now, data);
                return None;
            }
        };
        self.dropped += u64::from(received.is_none());
        let (peer, payload) = received?;
        Some(FromPeer {
            peer,
            data: data.get_mut(payload)?,
        })
    }

    fn on_channel_data(&self, data: &[u8]) -> Option<(SocketAddr, core::ops::Range<usize>)> {
        let ChannelData { channel, payload } = ChannelData::parse(data).ok()?;
        // numbers are given in order
        let place = channel.number() - ChannelNumber::MIN.number();
        let channel = self.channels.get(usize::from(place))?;
        Some((channel.peer, payload))
    }

    fn on_data(&mut self, data: &[u8]) -> Option<(SocketAddr, core::ops::Range<usize>)> {
        let message = Message::parse(data).ok()?;
        let peer = message.xor_peer_address()?;
        // RFC 8656 §11.4: only from peers the client believes to be permitted
        if !self.permissions.iter().any(|p| p.ip == peer.ip()) {
            return None;
        }
        if let Some(icmp) = message.icmp() {
            if self.events.len() < MAX_PENDING {
                self.events.push_back(ClientEvent::Icmp { peer, icmp });
            }
            return None;
        }
        Some((peer, message.range_of(AttributeType::DATA)?))
    }

    fn on_message(&mut self, now: Instant, data: &[u8]) {
        let Ok(message) = Message::parse(data) else {
            self.dropped += 1;
            return;
        };
        match (message.class(), message.method()) {
            (Class::SuccessResponse | Class::ErrorResponse, _) => self.on_response(now, &message),
            (Class::Indication, Method::CONNECTION_ATTEMPT) => self.on_connection_attempt(&message),
            _ => self.dropped += 1,
        }
    }

    /// [RFC 6062 §4.4](https://www.rfc-editor.org/rfc/rfc6062#section-4.4). It is not signed: what the user opens on
    /// its word is a stream to the server, no more.
    fn on_connection_attempt(&mut self, message: &Message<'_>) {
        let parts = (message.connection_id(), message.xor_peer_address());
        let (Some(id), Some(peer)) = parts else {
            self.dropped += 1;
            return;
        };
        let is_permitted = self.permissions.iter().any(|p| p.ip == peer.ip());
        if !is_permitted || self.events.len() >= MAX_PENDING {
            self.dropped += 1;
            return;
        }
        self.events.push_back(ClientEvent::OpenDataConnection {
            connection: PeerConnectionId(id),
            peer,
        });
    }

    /// Does what is due: refreshes, and gives up what was not answered.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.give_up(now);
        self.begin_due(now);
    }

    /// Writes the next request into `buf`; 1400 bytes are enough for any.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        self.give_up(now);
        self.begin_due(now);
        self.write_due(now, buf)
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let pending = self.pending.iter().map(|p| p.transaction.poll_timeout());
        let refresh = match self.state {
            State::Allocated { refresh_at, .. } => Some(refresh_at),
            State::Closed => return None,
            _ => None,
        };
        let is_open = self.is_allocated() && self.pending.len() < MAX_PENDING;
        let permissions = self.permissions.iter().filter_map(|p| p.due);
        let channels = self.channels.iter().filter_map(|c| c.due);
        let due = permissions.chain(channels).filter(|_| is_open);
        pending.chain(refresh).chain(due).min()
    }

    /// Ends the client.
    fn finish(&mut self, event: ClientEvent) {
        self.state = State::Closed;
        self.pending.clear();
        self.permissions.clear();
        self.channels.clear();
        self.events.push_back(event);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("path", &self.path)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
