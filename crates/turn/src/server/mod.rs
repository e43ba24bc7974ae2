//! The server: who comes by which path, what it may do, and what the driver has to do for it.

mod allocate;
mod allocation;
mod config;
mod counters;
mod data;
mod event;
mod index;
mod instance;
mod limits;
mod mobility;
mod operator;
mod outbox;
mod policy;
mod ports;
mod relay;
mod requests;
mod slots;
mod tcp;
mod timers;
mod usage;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, SocketAddr};

use rtckit_proto::{Datagram, FiveTuple, Instant, Random, SeededRandom, Transmit, Transport};
use rtckit_stun::{
    AddressFamily, AttributeType, Authentication, Authenticator, Class, Error as StunError,
    ErrorCode, IntegrityKey, Message, MessageWriter, Method, PasswordAlgorithm, Responder, User,
    Users, Verified, userhash,
};

pub use self::config::{RelayAddress, ServerConfig};
pub use self::counters::Counters;
pub use self::event::{BindError, ConnectionId, Event, RelayId, Release, ToClient, ToPeer};
pub use self::instance::instance_of;
pub use self::limits::subscriber;
pub use self::operator::AllocationInfo;
pub use self::policy::{Cidr, CidrParseError, PeerPolicy};
pub use self::ports::RelayPorts;
pub use self::usage::{SharedUsage, Usage};

use self::allocate::Reservation;
use self::allocation::Allocation;
use self::index::{Entry, KeyedHash, PathIndex};
use self::limits::RateLimit;
use self::mobility::Tickets;
use self::outbox::Outbox;
use self::relay::Relay;
use self::slots::{SlotId, Slots};
use self::tcp::Connection;
use self::timers::{Due, TimerQueue};
use self::usage::Tally;

/// How many events may wait for the driver before requests are dropped.
const MAX_EVENTS: usize = 4096;

/// A TURN server ([RFC 8656](https://www.rfc-editor.org/rfc/rfc8656)), or a shard of one.
///
/// It holds no socket: it asks for relay sockets by [`Event::BindRelay`], and says of each payload where it goes.
///
/// **Input.** [`handle_input`](Self::handle_input) takes what clients send (of a stream, one message as
/// [`StreamFramer`](rtckit_stun::StreamFramer) cuts it) and returns what goes to a peer at once;
/// [`handle_relay_input`](Self::handle_relay_input) takes what peers send and returns where it goes and in what
/// envelope. Neither copies a payload or allocates memory. The answers to the driver's tasks are
/// [`relay_bound`](Self::relay_bound), [`connected`](Self::connected), [`accept`](Self::accept),
/// [`connection_closed`](Self::connection_closed), [`stream_closed`](Self::stream_closed).
///
/// **Order.** After any call drain [`poll_transmit`](Self::poll_transmit), then [`poll_event`](Self::poll_event), then
/// ask [`poll_timeout`](Self::poll_timeout). When 1024 answers or 4096 events wait undrained, requests are dropped and
/// counted. Time never runs backwards.
///
/// **Shards.** Several servers stand beside each other, one per core, each with its own sockets on the same address
/// (`SO_REUSEPORT` keeps a client with its shard). They share users, the realm, [`ServerConfig::secret`] and
/// [`ServerConfig::relay_ports`]; with [`ServerConfig::usage`] also what is counted for the quotas. Rates of answers are
/// per shard.
///
/// **Memory.** An allocation takes about 700 bytes, with one permission and one channel; every table has a ceiling in
/// [`ServerConfig`].
pub struct Server<U> {
    config: ServerConfig,
    users: U,
    authenticator: Authenticator,
    responder: Responder,
    allocations: Slots<Box<Allocation>>,
    paths: PathIndex,
    relays: Slots<Relay>,
    ports: Arc<RelayPorts>,
    reservations: Vec<Reservation>,
    connections: Slots<Connection>,
    /// By CONNECTION-ID.
    connection_ids: BTreeMap<u32, SlotId>,
    timers: TimerQueue,
    events: VecDeque<Event>,
    outbox: Outbox,
    tally: Tally,
    rate_limit: RateLimit,
    tickets: Tickets,
    random: SeededRandom,
    counters: Counters,
    is_draining: bool,
}

/// A request that was verified, with what its answer needs.
struct Request<'m> {
    path: FiveTuple,
    message: Message<'m>,
    key: IntegrityKey,
}

/// The comprehension-required attributes of requests to a TURN server.
const KNOWN: &[AttributeType] = &[
    AttributeType::USERNAME,
    AttributeType::USERHASH,
    AttributeType::REALM,
    AttributeType::NONCE,
    AttributeType::MESSAGE_INTEGRITY,
    AttributeType::MESSAGE_INTEGRITY_SHA256,
    AttributeType::PASSWORD_ALGORITHM,
    AttributeType::ACCESS_TOKEN,
    AttributeType::CHANNEL_NUMBER,
    AttributeType::LIFETIME,
    AttributeType::XOR_PEER_ADDRESS,
    AttributeType::REQUESTED_ADDRESS_FAMILY,
    AttributeType::EVEN_PORT,
    AttributeType::REQUESTED_TRANSPORT,
    AttributeType::DONT_FRAGMENT,
    AttributeType::RESERVATION_TOKEN,
    AttributeType::CONNECTION_ID,
];

impl<U: Users> Server<U> {
    /// A server. `random` has to be cryptographically secure: relay ports, tokens and the key of the tables are made
    /// from it.
    pub fn new(config: ServerConfig, users: U, random: &mut (impl Random + ?Sized)) -> Self {
        let hash = KeyedHash::new(random.next_u64());
        Self {
            authenticator: Authenticator::new(config.authentication.clone(), &config.secret),
            responder: Responder::new(config.responder),
            allocations: Slots::new(),
            paths: PathIndex::new(hash),
            relays: Slots::new(),
            ports: config.relay_ports.clone().unwrap_or_default(),
            reservations: Vec::new(),
            connections: Slots::new(),
            connection_ids: BTreeMap::new(),
            timers: TimerQueue::default(),
            events: VecDeque::new(),
            outbox: Outbox::default(),
            tally: match &config.usage {
                Some(usage) => Tally::Shared(Arc::clone(usage)),
                None => Tally::Own(Usage::default()),
            },
            rate_limit: RateLimit::new(config.replies_per_second, config.reply_burst, hash),
            tickets: Tickets::new(config.instance, random),
            random: SeededRandom::new(random.next_u64()),
            counters: Counters::default(),
            is_draining: false,
            config,
            users,
        }
    }

    /// How many allocations there are.
    pub fn allocations(&self) -> usize {
        self.allocations.len()
    }

    /// What has been seen and done.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What it was told.
    pub const fn config(&self) -> &ServerConfig {
        &self.config
    }

    /// The users.
    pub const fn users(&self) -> &U {
        &self.users
    }

    /// The users, to be changed: who is removed keeps what was allocated, and may refresh it; see
    /// [`release_account`](Self::release_account).
    pub const fn users_mut(&mut self) -> &mut U {
        &mut self.users
    }

    /// Lets go of the clients: what is allocated lives on, but nothing new is given; see
    /// [`ServerConfig::alternate_server`].
    pub const fn drain(&mut self) {
        self.is_draining = true;
    }

    /// Whether it was told to [`drain`](Self::drain) and nothing is allocated any more.
    pub fn is_drained(&self) -> bool {
        self.is_draining && self.allocations.len() == 0
    }

    /// The next answer to a client, written into `buf`; 1400 bytes are enough for any.
    pub fn poll_transmit(&mut self, _: Instant, buf: &mut [u8]) -> Option<Transmit> {
        self.outbox.read(buf)
    }

    /// The next task for the driver.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    // ---- what clients send ----

    /// A datagram of a client, or a message of its stream. Returns what goes to a peer.
    pub fn handle_input<'d>(&mut self, now: Instant, datagram: Datagram<'d>) -> Option<ToPeer<'d>> {
        let Datagram { path, data, .. } = datagram;
        match data {
            [0x40..=0x7f, ..] => self.on_channel_data(now, path, data),
            // a Send indication, which may be as frequent
            [0x00, 0x16, ..] => self.on_send(now, path, data),
            [0x00..=0x3f, ..] => {
                self.on_message(now, path, data);
                None
            }
            _ => {
                self.counters.malformed += 1;
                None
            }
        }
    }

    fn on_message(&mut self, now: Instant, path: FiveTuple, data: &[u8]) {
        let message = match Message::parse(data) {
            Ok(message) => message,
            Err(_) if self.config.responder.answers_classic => {
                return self.on_binding(now, path, data);
            }
            Err(_) => {
                self.counters.malformed += 1;
                return;
            }
        };
        match (message.class(), message.method()) {
            (Class::Request, Method::BINDING) => self.on_binding(now, path, data),
            (Class::Request, _) => self.on_request(now, path, message),
            // keepalives, and answers to questions that were never asked
            _ => {}
        }
    }

    fn on_binding(&mut self, now: Instant, path: FiveTuple, data: &[u8]) {
        if !self.may_answer(now, &path, false) {
            return;
        }
        let responder = self.responder;
        let mut answer = None;
        let is_written = self.outbox.write_raw(path, |buf| {
            answer = responder.respond(data, path, buf).ok()?;
            answer.as_ref().map(|sent| sent.range.end)
        });
        if let Some(sent) = answer.filter(|_| is_written) {
            self.outbox.redirect_last(sent.path);
            self.counters.bindings += 1;
        }
    }

    /// Whether a request that is not authenticated may be answered. By streams the client has proved its address; by
    /// UDP anybody may have sent it, also by the path of an allocation.
    fn may_answer(&mut self, now: Instant, path: &FiveTuple, has_heard: bool) -> bool {
        let may = path.transport != Transport::Udp
            || self.rate_limit.allows(now, path.remote.ip(), has_heard);
        self.counters.rate_limited += u64::from(!may);
        may
    }

    fn on_request(&mut self, now: Instant, path: FiveTuple, message: Message<'_>) {
        if message.verify_fingerprint() == Some(false) {
            self.counters.malformed += 1;
            return;
        }
        if self.events.len() >= MAX_EVENTS {
            self.counters.overflowed += 1;
            return;
        }
        self.counters.requests += 1;
        match self.authenticate(now, &path, &message) {
            Authentication::Verified(verified) => {
                let request = Request {
                    path,
                    message,
                    key: verified.response_key.clone(),
                };
                if let Err(error) = self.dispatch(now, &request, verified) {
                    self.refuse(&request, error);
                }
            }
            Authentication::Challenge(error) => {
                if error == ErrorCode::UNAUTHENTICATED
                    && (message.has_integrity() || message.has_integrity_sha256())
                {
                    self.counters.wrong_credentials += 1;
                }
                self.challenge(now, path, &message, error);
            }
            Authentication::BadRequest => {
                self.refuse_unverified(now, path, &message, ErrorCode::BAD_REQUEST);
            }
        }
    }

    /// Who sent `message`: the user of the allocation, known since then, or one that is looked up.
    fn authenticate(
        &mut self,
        now: Instant,
        path: &FiveTuple,
        message: &Message<'_>,
    ) -> Authentication {
        let source = self.nonce_source(now, path, message);
        let ticket = message.mobility_ticket();
        let known = match ticket.filter(|ticket| !ticket.is_empty()) {
            Some(ticket) => self.by_ticket(ticket),
            None if message.method() == Method::CONNECTION_BIND => self.by_connection(message),
            None => self.find(path),
        };
        let allocation = known.and_then(|id| self.allocations.get(id));
        let user = allocation.filter(|allocation| {
            // RFC 7635 §9: a new token is for the allocations there are
            message.access_token().is_none()
                && names_user(message, &allocation.user, self.authenticator.realm())
                && algorithm_of(message) == allocation.algorithm
        });
        match user {
            Some(allocation) => {
                self.authenticator
                    .verify_again(now, source, message, &allocation.user)
            }
            None => self
                .authenticator
                .authenticate(now, source, message, &self.users),
        }
    }

    /// For whom the nonce was made that `message` has to repeat: for who sent it; but a stream to be joined with a
    /// connection may repeat that of the client's other one, from the same host, which saves it from being challenged
    /// (RFC 6062 §4.3: the same credentials). coturn's client keeps but one nonce for both, and is at a loss when they
    /// differ.
    fn nonce_source(
        &mut self,
        now: Instant,
        path: &FiveTuple,
        message: &Message<'_>,
    ) -> SocketAddr {
        if message.method() != Method::CONNECTION_BIND {
            return path.remote;
        }
        let known = self.by_connection(message);
        let control = known.and_then(|id| Some(self.allocations.get(id)?.path.remote));
        let is_known = |control: &SocketAddr| {
            control.ip() == path.remote.ip()
                && self.authenticator.has_been_heard(now, *control, message)
        };
        control.filter(is_known).unwrap_or(path.remote)
    }

    fn dispatch(
        &mut self,
        now: Instant,
        request: &Request<'_>,
        user: Verified,
    ) -> Result<(), ErrorCode<'static>> {
        let message = &request.message;
        if self.unknown_attributes(message).next().is_some() {
            return Err(ErrorCode::UNKNOWN_ATTRIBUTE);
        }
        match message.method() {
            Method::ALLOCATE => self.on_allocate(now, request, user),
            Method::REFRESH => self.on_refresh(now, request, user),
            Method::CREATE_PERMISSION => self.on_create_permission(now, request, &user),
            Method::CHANNEL_BIND => self.on_channel_bind(now, request, &user),
            Method::CONNECT => self.on_connect(now, request, &user),
            Method::CONNECTION_BIND => self.on_connection_bind(request, &user),
            _ => Err(ErrorCode::BAD_REQUEST),
        }
    }

    fn unknown_attributes<'m>(
        &self,
        message: &Message<'m>,
    ) -> impl Iterator<Item = AttributeType> + use<'m, U> {
        let knows_tokens = self.authenticator.takes_tokens();
        let knows_df = self.config.supports_dont_fragment;
        let is_switched_off = move |attribute: AttributeType| match attribute {
            AttributeType::ACCESS_TOKEN => !knows_tokens,
            AttributeType::DONT_FRAGMENT => !knows_df,
            _ => false,
        };
        message
            .attributes()
            .map(|attribute| attribute.attribute_type)
            .filter(move |&attribute| {
                attribute.is_comprehension_required()
                    && (!KNOWN.contains(&attribute) || is_switched_off(attribute))
            })
    }

    // ---- what they are answered ----

    fn succeed(
        &mut self,
        request: &Request<'_>,
        fill: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), StunError>,
    ) {
        let message = &request.message;
        self.answer(
            request.path,
            (
                Class::SuccessResponse,
                message.method(),
                message.transaction_id(),
            ),
            &request.key,
            fill,
        );
    }

    /// A response that is signed.
    fn answer(
        &mut self,
        path: FiveTuple,
        head: (Class, Method, rtckit_stun::TransactionId),
        key: &IntegrityKey,
        fill: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), StunError>,
    ) {
        let software = self.config.software.as_deref();
        let is_written = self.outbox.write(path, head, |writer| {
            fill(writer)?;
            if let Some(software) = software {
                writer.software(software)?;
            }
            writer.sign(key)?;
            writer.fingerprint()
        });
        self.counters.overflowed += u64::from(!is_written);
    }

    fn refuse(&mut self, request: &Request<'_>, error: ErrorCode<'static>) {
        self.counters.errors += 1;
        let message = request.message;
        let unknown = self.unknown_attributes(&message);
        let alternate = self.config.alternate_server;
        self.answer(
            request.path,
            (
                Class::ErrorResponse,
                message.method(),
                message.transaction_id(),
            ),
            &request.key,
            |writer| {
                writer.error_code(error)?;
                if error == ErrorCode::UNKNOWN_ATTRIBUTE {
                    writer.unknown_attributes(unknown)?;
                }
                match alternate {
                    Some(alternate) if error == ErrorCode::TRY_ALTERNATE => {
                        writer.alternate_server(alternate)
                    }
                    _ => Ok(()),
                }
            },
        );
    }

    fn challenge(
        &mut self,
        now: Instant,
        path: FiveTuple,
        message: &Message<'_>,
        error: ErrorCode<'static>,
    ) {
        let source = path.remote;
        let has_heard = self.authenticator.has_been_heard(now, source, message);
        if self.may_answer(now, &path, has_heard) {
            self.counters.challenges += 1;
            self.answer_unverified(path, message, error, |authenticator, writer| {
                authenticator.write_challenge(now, source, writer)
            });
        }
    }

    fn refuse_unverified(
        &mut self,
        now: Instant,
        path: FiveTuple,
        message: &Message<'_>,
        error: ErrorCode<'static>,
    ) {
        if self.may_answer(now, &path, false) {
            self.counters.errors += 1;
            self.answer_unverified(path, message, error, |_, _| Ok(()));
        }
    }

    /// An error for somebody who has proved nothing: it is not signed, and as short as can be.
    fn answer_unverified(
        &mut self,
        path: FiveTuple,
        message: &Message<'_>,
        error: ErrorCode<'static>,
        fill: impl FnOnce(&mut Authenticator, &mut MessageWriter<'_>) -> Result<(), StunError>,
    ) {
        let head = (
            Class::ErrorResponse,
            message.method(),
            message.transaction_id(),
        );
        let authenticator = &mut self.authenticator;
        let is_written = self.outbox.write(path, head, |writer| {
            writer.error_code(error.without_reason())?;
            fill(authenticator, writer)?;
            if message.verify_fingerprint().is_some() {
                writer.fingerprint()?;
            }
            Ok(())
        });
        self.counters.overflowed += u64::from(!is_written);
    }

    // ---- the tables ----

    fn entry(&self, path: &FiveTuple) -> Option<Entry> {
        self.paths.find(path, |entry| {
            let allocation = self.allocations.at(entry.place);
            allocation.is_some_and(|allocation| path_of(allocation, entry) == Some(*path))
        })
    }

    /// The allocation of a path.
    fn find(&self, path: &FiveTuple) -> Option<SlotId> {
        self.allocations.id_at(self.entry(path)?.place)
    }

    fn index_path(&mut self, path: &FiveTuple, entry: Entry) {
        let allocations = &self.allocations;
        self.paths.insert(path, entry, |entry| {
            path_of(allocations.at(entry.place)?, entry)
        });
    }

    /// The allocation a request is about, which has to be its user's
    /// ([RFC 8656 §5](https://www.rfc-editor.org/rfc/rfc8656#section-5)).
    fn allocation_of(
        &self,
        request: &Request<'_>,
        user: &Verified,
    ) -> Result<SlotId, ErrorCode<'static>> {
        let id = self.find(&request.path);
        let allocation = id.and_then(|id| Some((id, self.allocations.get(id)?)));
        let Some((id, allocation)) = allocation else {
            return Err(ErrorCode::ALLOCATION_MISMATCH);
        };
        if !matches!(allocation.state, allocation::State::Active) {
            return Err(ErrorCode::ALLOCATION_MISMATCH);
        }
        if !allocation.is_of(user, &request.message) {
            return Err(ErrorCode::WRONG_CREDENTIALS);
        }
        Ok(id)
    }

    /// Whether the policy lets clients talk to `peer`. A server's own address is no peer, but for the relays that are
    /// there now, of this shard or another.
    ///
    /// Of a channel it is asked when it is bound, not for each packet: when the relay at its other end closes, and
    /// another program of this host gets the port, the client reaches that until the channel expires, ten minutes at
    /// most.
    fn is_peer(&self, transport: Transport, peer: SocketAddr) -> bool {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let is_listener = |listener: &SocketAddr| {
            listener.port() == peer.port()
                && (listener.ip() == peer.ip()
                    || listener.ip().is_unspecified() && self.is_own(peer.ip()))
        };
        if peer.port() == 0 || self.config.listeners.iter().any(is_listener) {
            return false;
        }
        self.is_peer_ip(peer.ip())
            && (!self.is_own(peer.ip())
                || self.is_relay(transport, peer)
                || self.config.peers.is_allowed_by_name(peer.ip()))
    }

    /// The part of [`is_peer`](Self::is_peer) that a permission needs, which has no port.
    fn is_peer_ip(&self, ip: IpAddr) -> bool {
        self.config.peers.allows(ip)
    }

    fn is_own(&self, ip: IpAddr) -> bool {
        let relays = &self.config.relays;
        relays
            .iter()
            .any(|relay| relay.bind == ip || relay.advertise == ip)
            || self
                .config
                .listeners
                .iter()
                .any(|listener| listener.ip() == ip)
            || self.config.addresses.contains(&ip)
    }

    /// The address relays of `family` are bound to.
    fn relay_address(&self, family: AddressFamily) -> Option<RelayAddress> {
        let is_family = |relay: &&RelayAddress| AddressFamily::of(relay.bind) == family;
        self.config.relays.iter().find(is_family).copied()
    }

    fn push_due(&mut self, at: Instant, due: Due) {
        self.timers.push(at, due);
    }
}

impl<U> fmt::Debug for Server<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("allocations", &self.allocations.len())
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

fn path_of(allocation: &Allocation, entry: Entry) -> Option<FiveTuple> {
    if entry.is_next {
        allocation.next_path().copied()
    } else {
        Some(allocation.path)
    }
}

fn names_user(message: &Message<'_>, user: &User, realm: &str) -> bool {
    match message.username() {
        Some(username) => *username == *user.username,
        None => message.userhash() == Some(userhash(&user.username, realm)),
    }
}

fn algorithm_of(message: &Message<'_>) -> PasswordAlgorithm {
    message
        .password_algorithm()
        .unwrap_or(PasswordAlgorithm::Md5)
}

/// The relayed transports by their numbers in IP's header.
const fn transport_of(number: u8) -> Option<Transport> {
    match number {
        17 => Some(Transport::Udp),
        6 => Some(Transport::Tcp),
        _ => None,
    }
}
