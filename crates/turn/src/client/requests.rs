//! A client's requests: when they are made, what they say, and what their answers mean.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use rtckit_proto::{FiveTuple, Instant, Random, Transmit, Transport};
use rtckit_stun::{
    AddressFamily, Class, Error as StunError, EvenPort, Message, MessageWriter, Method,
    Retransmission, Step, Transaction, TransactionId, Verdict,
};

use crate::client::{
    CHANNEL_INTERVAL, Client, ClientEvent, Failure, Families, MAX_PENDING, PERMISSION_INTERVAL,
    PeerConnectionId, RETRY_INTERVAL, State,
};

/// How often the server may ask for other credentials before one request is given up.
const MAX_CHALLENGES: u8 = 4;

/// The longest ticket that is kept, in bytes.
const MAX_TICKET_LEN: usize = 512;

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Allocate,
    Refresh,
    Release,
    /// A Refresh with a ticket, by the new path.
    Move,
    Permit(IpAddr),
    BindChannel(SocketAddr),
    Connect(SocketAddr),
}

/// A request whose answer has not come.
pub(super) struct Pending {
    pub(super) kind: Kind,
    pub(super) transaction: Transaction,
    /// Whether it was written with credentials.
    was_signed: bool,
    challenges: u8,
    /// Whether an answer came that was not from the server.
    was_forged: bool,
}

impl Client {
    /// A transaction id nobody can guess.
    pub(super) fn new_id(&mut self) -> TransactionId {
        let number = self.random.next_u64().to_be_bytes();
        let tag = self.ids.sign(&[&number]);
        TransactionId(tag.first_chunk().copied().unwrap_or([0; 12]))
    }

    pub(super) fn begin(&mut self, now: Instant, kind: Kind) -> bool {
        // of what keeps the allocation alive there is one at a time
        let is_one_of_many = matches!(
            kind,
            Kind::Permit(_) | Kind::BindChannel(_) | Kind::Connect(_)
        );
        if is_one_of_many && self.pending.len() >= MAX_PENDING {
            return false;
        }
        let transaction = self.new_transaction(now, kind);
        self.pending.push(Pending {
            kind,
            transaction,
            was_signed: false,
            challenges: 0,
            was_forged: false,
        });
        true
    }

    fn new_transaction(&mut self, now: Instant, kind: Kind) -> Transaction {
        let retransmission = match self.path_of(kind).transport {
            Transport::Udp => self.config.retransmission,
            _ => Retransmission::STREAM,
        };
        Transaction::new(self.new_id(), now, retransmission)
    }

    fn path_of(&self, kind: Kind) -> FiveTuple {
        match kind {
            Kind::Move => self.next_path.unwrap_or(self.path),
            _ => self.path,
        }
    }

    /// Begins every request whose time has come.
    pub(super) fn begin_due(&mut self, now: Instant) {
        let State::Allocated {
            relayed,
            expires,
            refresh_at,
        } = self.state
        else {
            return;
        };
        if now >= expires {
            let failure = self.refresh_failure.unwrap_or(Failure::TimedOut);
            self.finish(ClientEvent::Failed(failure));
            return;
        }
        if now >= refresh_at && self.begin(now, Kind::Refresh) {
            self.state = State::Allocated {
                relayed,
                expires,
                // if it is not answered, the end is looked at next
                refresh_at: expires,
            };
        }
        for at in 0..self.permissions.len() {
            let due = self.permissions.get(at).and_then(|p| Some((p.ip, p.due?)));
            if let Some((ip, due)) = due
                && due <= now
                && self.begin(now, Kind::Permit(ip))
                && let Some(permission) = self.permissions.get_mut(at)
            {
                permission.due = None;
            }
        }
        for at in 0..self.channels.len() {
            let due = self.channels.get(at).and_then(|c| Some((c.peer, c.due?)));
            if let Some((peer, due)) = due
                && due <= now
                && self.begin(now, Kind::BindChannel(peer))
                && let Some(channel) = self.channels.get_mut(at)
            {
                channel.due = None;
            }
        }
    }

    // ---- out ----

    pub(super) fn write_due(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        let is_challenged = self.credentials.is_challenged();
        let place = self.pending.iter_mut().position(|pending| {
            let is_due = pending.transaction.poll(now) == Step::Send;
            if is_due {
                pending.was_signed = is_challenged;
            }
            is_due
        })?;
        let pending = self.pending.get(place)?;
        let (kind, id) = (pending.kind, pending.transaction.id());
        let len = self.write_request(kind, id, buf).ok()?;
        Some(Transmit::new(self.path_of(kind), len))
    }

    fn write_request(
        &self,
        kind: Kind,
        id: TransactionId,
        buf: &mut [u8],
    ) -> Result<usize, StunError> {
        let method = match kind {
            Kind::Allocate => Method::ALLOCATE,
            Kind::Refresh | Kind::Release | Kind::Move => Method::REFRESH,
            Kind::Permit(_) => Method::CREATE_PERMISSION,
            Kind::BindChannel(_) => Method::CHANNEL_BIND,
            Kind::Connect(_) => Method::CONNECT,
        };
        let mut writer = MessageWriter::new(buf, Class::Request, method, id)?;
        if let Some(software) = &self.config.software {
            writer.software(software)?;
        }
        match kind {
            Kind::Allocate => self.write_allocate(&mut writer)?,
            Kind::Refresh => self.write_lifetime(&mut writer)?,
            Kind::Release => writer.lifetime(0)?,
            Kind::Move => {
                self.write_lifetime(&mut writer)?;
                writer.mobility_ticket(&self.ticket)?;
            }
            Kind::Permit(ip) => writer.xor_peer_address(SocketAddr::new(ip, 0))?,
            Kind::BindChannel(peer) => {
                let number = self.channels.iter().find(|channel| channel.peer == peer);
                writer.channel_number(number.map_or(0, |channel| channel.number.number()))?;
                writer.xor_peer_address(peer)?;
            }
            Kind::Connect(peer) => writer.xor_peer_address(peer)?,
        }
        self.credentials.write(&mut writer)?;
        Ok(writer.finish())
    }

    fn write_allocate(&self, writer: &mut MessageWriter<'_>) -> Result<(), StunError> {
        let config = &self.config;
        writer.requested_transport(match config.relayed {
            Transport::Udp => 17,
            _ => 6,
        })?;
        self.write_lifetime(writer)?;
        if let Some(token) = config.reservation {
            // RFC 8656 §7.1: it stands for the family and the port
            writer.reservation_token(token)?;
        } else {
            match config.families {
                Families::Ipv4 => {}
                Families::Ipv6 => writer.requested_address_family(AddressFamily::Ipv6)?,
                Families::Both => writer.additional_address_family(AddressFamily::Ipv6)?,
            }
            if let Some(reserve_next) = config.even_port {
                writer.even_port(EvenPort { reserve_next })?;
            }
        }
        if config.dont_fragment {
            writer.dont_fragment()?;
        }
        if config.is_mobile {
            writer.mobility_ticket(&[])?;
        }
        Ok(())
    }

    fn write_lifetime(&self, writer: &mut MessageWriter<'_>) -> Result<(), StunError> {
        match self.config.lifetime {
            Some(lifetime) => {
                writer.lifetime(u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX))
            }
            None => Ok(()),
        }
    }

    // ---- in ----

    pub(super) fn on_response(&mut self, now: Instant, message: &Message<'_>) {
        let is_it = |pending: &Pending| pending.transaction.is_answered_by(message);
        let Some(place) = self.pending.iter().position(is_it) else {
            self.dropped += 1;
            return;
        };
        let Some(pending) = self.pending.get_mut(place) else {
            return;
        };
        let kind = pending.kind;
        // what was signed is what the last transmission was; credentials only ever appear
        match self.credentials.on_response(message, pending.was_signed) {
            Verdict::Retry if pending.challenges < MAX_CHALLENGES => {
                let challenges = pending.challenges + 1;
                let transaction = self.new_transaction(now, kind);
                if let Some(pending) = self.pending.get_mut(place) {
                    pending.transaction = transaction;
                    pending.challenges = challenges;
                }
            }
            Verdict::Forged => {
                pending.was_forged = true;
                self.dropped += 1;
                if self.path_of(kind).transport != Transport::Udp {
                    // RFC 8489 §9.2.5: over a stream nothing else will come
                    self.pending.swap_remove(place);
                    self.on_failure(now, kind, Failure::Forged);
                }
            }
            Verdict::Accepted => {
                self.pending.swap_remove(place);
                match message.class() {
                    Class::SuccessResponse => self.on_success(now, kind, message),
                    _ => self.on_error(now, kind, message),
                }
            }
            Verdict::Rejected => {
                self.pending.swap_remove(place);
                self.on_failure(now, kind, Failure::WrongCredentials);
            }
            Verdict::Unanswerable | Verdict::Retry => {
                self.pending.swap_remove(place);
                self.on_failure(now, kind, Failure::BadChallenge);
            }
        }
    }

    fn on_success(&mut self, now: Instant, kind: Kind, message: &Message<'_>) {
        match kind {
            Kind::Allocate => self.on_allocated(now, message),
            Kind::Refresh => self.on_refreshed(now, message),
            Kind::Move => {
                if let Some(path) = self.next_path.take() {
                    self.path = path;
                }
                self.keep_ticket(message);
                self.on_refreshed(now, message);
                self.events.push_back(ClientEvent::Moved);
            }
            Kind::Release => self.finish(ClientEvent::Released),
            Kind::Permit(ip) => self.on_permitted(now, ip),
            Kind::BindChannel(peer) => self.on_channel_bound(now, peer),
            Kind::Connect(peer) => {
                let event = match message.connection_id() {
                    Some(id) => ClientEvent::OpenDataConnection {
                        connection: PeerConnectionId(id),
                        peer,
                    },
                    None => ClientEvent::ConnectFailed { peer, code: 500 },
                };
                self.events.push_back(event);
            }
        }
    }

    fn on_allocated(&mut self, now: Instant, message: &Message<'_>) {
        let mut relayed = [None; 2];
        for address in message.xor_relayed_addresses().flatten() {
            let [v4, v6] = &mut relayed;
            *(if address.is_ipv4() { v4 } else { v6 }) = Some(address);
        }
        let (Some(lifetime), true) = (message.lifetime(), relayed != [None; 2]) else {
            self.finish(ClientEvent::Failed(Failure::BadResponse));
            return;
        };
        let lifetime = Duration::from_secs(lifetime.into());
        self.keep_ticket(message);
        self.state = State::Allocated {
            relayed,
            expires: now + lifetime,
            refresh_at: now + refresh_after(lifetime),
        };
        self.events.push_back(ClientEvent::Allocated {
            relayed,
            mapped: message.xor_mapped_address(),
            lifetime,
            reservation: message.reservation_token(),
        });
        self.begin_due(now);
    }

    fn keep_ticket(&mut self, message: &Message<'_>) {
        if let Some(ticket) = message.mobility_ticket()
            && ticket.len() <= MAX_TICKET_LEN
        {
            self.ticket = ticket.into();
        }
    }

    fn on_refreshed(&mut self, now: Instant, message: &Message<'_>) {
        let (State::Allocated { relayed, .. }, Some(lifetime)) = (self.state, message.lifetime())
        else {
            return;
        };
        let lifetime = Duration::from_secs(lifetime.into());
        self.refresh_failure = None;
        self.state = State::Allocated {
            relayed,
            expires: now + lifetime,
            refresh_at: now + refresh_after(lifetime),
        };
    }

    fn on_permitted(&mut self, now: Instant, ip: IpAddr) {
        let Some(permission) = self.permissions.iter_mut().find(|p| p.ip == ip) else {
            return;
        };
        permission.due = Some(now + PERMISSION_INTERVAL);
        if !permission.is_installed {
            permission.is_installed = true;
            self.events.push_back(ClientEvent::Permitted { ip });
        }
    }

    fn on_channel_bound(&mut self, now: Instant, peer: SocketAddr) {
        let is_wanted = self.permissions.iter().any(|p| p.ip == peer.ip());
        let Some(channel) = self.channels.iter_mut().find(|c| c.peer == peer) else {
            return;
        };
        channel.due = is_wanted.then(|| now + CHANNEL_INTERVAL);
        if !channel.is_bound {
            channel.is_bound = true;
            let channel = channel.number;
            self.events
                .push_back(ClientEvent::ChannelBound { peer, channel });
        }
    }

    fn on_error(&mut self, now: Instant, kind: Kind, message: &Message<'_>) {
        let code = message.error_code().map_or(0, |error| error.code);
        match (kind, code) {
            (Kind::Allocate, 300) => self.on_redirect(message),
            (Kind::Allocate, 437) => self.on_address_taken(),
            // gone already
            (Kind::Release, 437) => self.finish(ClientEvent::Released),
            (Kind::Allocate, _) => self.on_failure(now, kind, Failure::Refused(code)),
            (_, 437) => self.finish(ClientEvent::Failed(Failure::Lost)),
            _ => self.on_failure(now, kind, Failure::Refused(code)),
        }
    }

    /// A request came to nothing.
    fn on_failure(&mut self, now: Instant, kind: Kind, failure: Failure) {
        let code = match failure {
            Failure::Refused(code) => code,
            Failure::WrongCredentials => 401,
            Failure::BadChallenge => 438,
            _ => 408,
        };
        let later = Some(now + RETRY_INTERVAL);
        match kind {
            Kind::Allocate => self.finish(ClientEvent::Failed(failure)),
            Kind::Release => self.finish(ClientEvent::Released),
            // it is made again until the allocation has ended
            Kind::Refresh => {
                self.refresh_failure = Some(failure);
                if let State::Allocated {
                    refresh_at,
                    expires,
                    ..
                } = &mut self.state
                {
                    *refresh_at = (now + RETRY_INTERVAL).min(*expires);
                }
            }
            Kind::Move => self.next_path = None,
            Kind::Permit(ip) => {
                if let Some(permission) = self.permissions.iter_mut().find(|p| p.ip == ip) {
                    permission.is_installed = false;
                    // a refusal is final, silence is not
                    permission.due = later.filter(|_| code == 408);
                    self.events
                        .push_back(ClientEvent::PermissionRefused { ip, code });
                }
            }
            Kind::BindChannel(peer) => {
                if let Some(channel) = self.channels.iter_mut().find(|c| c.peer == peer) {
                    channel.is_bound = false;
                    channel.due = later.filter(|_| code == 408);
                    self.events
                        .push_back(ClientEvent::ChannelRefused { peer, code });
                }
            }
            Kind::Connect(peer) => self
                .events
                .push_back(ClientEvent::ConnectFailed { peer, code }),
        }
    }

    /// Ends the requests nobody answered.
    pub(super) fn give_up(&mut self, now: Instant) {
        while let Some(place) = self
            .pending
            .iter()
            .position(|pending| pending.transaction.is_timed_out(now))
        {
            let pending = self.pending.swap_remove(place);
            let failure = if pending.was_forged {
                Failure::Forged
            } else {
                Failure::TimedOut
            };
            self.on_failure(now, pending.kind, failure);
        }
    }
}

/// A minute before the end, or half-way to it.
fn refresh_after(lifetime: Duration) -> Duration {
    (lifetime / 2).max(lifetime.saturating_sub(Duration::from_secs(60)))
}
