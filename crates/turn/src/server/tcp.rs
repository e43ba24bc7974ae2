//! TCP connections with peers ([RFC 6062](https://www.rfc-editor.org/rfc/rfc6062)).
//!
//! ```text
//! client (control stream)          server                          peer
//!   |  Connect                        |                              |
//!   |-------------------------------->|  Event::Connect, connected() |
//!   |  success, CONNECTION-ID         |----------------------------->|
//!   |<--------------------------------|                              |
//!   |  ConnectionAttempt (id, peer)   |      accept()                |
//!   |<--------------------------------|<-----------------------------|
//! client (new stream)                 |                              |
//!   |  ConnectionBind (id)            |                              |
//!   |-------------------------------->|                              |
//!   |  success         Event::Join    |                              |
//!   |<================================|=============================>|
//! ```

use core::net::SocketAddr;
use core::time::Duration;

use rtckit_proto::{FiveTuple, Instant, Random, Transport};
use rtckit_stun::{
    Class, ErrorCode, IntegrityKey, Message, Method, TransactionId, Users, Verified,
};

use crate::server::event::{ConnectionId, Event, RelayId};
use crate::server::relay::Owner;
use crate::server::slots::SlotId;
use crate::server::timers::Due;
use crate::server::{Request, Server};

/// How long a peer has to answer, and a client to take the connection
/// ([RFC 6062 §5.2](https://www.rfc-editor.org/rfc/rfc6062#section-5.2)).
const TIMEOUT: Duration = Duration::from_secs(30);

/// The bits of CONNECTION-ID that nobody can foretell; the six above tell the instance.
const SECRET_BITS: u32 = 26;

/// How many connections a server has at most: few of all numbers, so that one is hard to hit by chance.
const MAX_CONNECTIONS: usize = 1 << 18;

/// A connection between a relay and a peer.
pub(super) struct Connection {
    /// Its CONNECTION-ID.
    wire: u32,
    allocation: SlotId,
    pub(super) peer: SocketAddr,
    state: State,
    /// When it is given up, unless joined.
    due: Instant,
}

enum State {
    /// The driver opens it for this request.
    Connecting {
        request: TransactionId,
        key: IntegrityKey,
    },
    /// It waits for the client's stream.
    Waiting,
    /// It is joined with the client's stream.
    Joined,
}

/// The instance that gave a CONNECTION-ID.
pub(super) const fn instance_of_connection(wire: u32) -> u8 {
    (wire >> SECRET_BITS) as u8
}

impl<U: Users> Server<U> {
    /// [RFC 6062 §5.2](https://www.rfc-editor.org/rfc/rfc6062#section-5.2).
    pub(super) fn on_connect(
        &mut self,
        now: Instant,
        request: &Request<'_>,
        user: &Verified,
    ) -> Result<(), ErrorCode<'static>> {
        let id = self.allocation_of(request, user)?;
        let peer = request
            .message
            .xor_peer_address()
            .ok_or(ErrorCode::BAD_REQUEST)?;
        self.check_peer_ip(id, peer.ip())?;
        if !self.is_peer(Transport::Tcp, peer) {
            self.counters.peers_refused += 1;
            return Err(ErrorCode::FORBIDDEN);
        }
        let Some(allocation) = self.allocations.get(id) else {
            return Err(ErrorCode::ALLOCATION_MISMATCH);
        };
        if allocation.transport != Transport::Tcp {
            return Err(ErrorCode::BAD_REQUEST);
        }
        let mut connections = allocation.connections.iter();
        if connections.any(|other| self.connections.get(*other).is_some_and(|c| c.peer == peer)) {
            return Err(ErrorCode::CONNECTION_ALREADY_EXISTS);
        }
        let relay = allocation.relay(peer.ip());
        let Some((relay, local)) =
            relay.and_then(|relay| Some((relay, self.relays.get(relay)?.bound?)))
        else {
            return Err(ErrorCode::ALLOCATION_MISMATCH);
        };
        let state = State::Connecting {
            request: request.message.transaction_id(),
            key: request.key.clone(),
        };
        let connection = self.insert_connection(now, id, peer, state)?;
        self.push_event(Event::Connect {
            connection: ConnectionId(connection),
            relay: RelayId(relay),
            local,
            peer,
        });
        Ok(())
    }

    fn insert_connection(
        &mut self,
        now: Instant,
        allocation: SlotId,
        peer: SocketAddr,
        state: State,
    ) -> Result<SlotId, ErrorCode<'static>> {
        let max = self.config.max_connections;
        let has_room = self.connections.len() < MAX_CONNECTIONS
            && (self.allocations.get(allocation)).is_some_and(|a| a.connections.len() < max);
        if !has_room {
            return Err(ErrorCode::INSUFFICIENT_CAPACITY);
        }
        let wire = self.connection_id();
        let id = self.connections.insert(Connection {
            wire,
            allocation,
            peer,
            state,
            due: now + TIMEOUT,
        });
        self.connection_ids.insert(wire, id);
        if let Some(allocation) = self.allocations.get_mut(allocation) {
            allocation.connections.push(id);
        }
        self.push_due(now + TIMEOUT, Due::Connection(id));
        Ok(id)
    }

    /// A CONNECTION-ID that nothing has. Where several people share one name and password, it is all that keeps them
    /// from each other's connections.
    fn connection_id(&mut self) -> u32 {
        loop {
            let serial = self.random.next_u64();
            let ([a, b, c, d, ..], _) = self.tickets.tag(b"connection", &serial.to_be_bytes());
            let secret = u32::from_be_bytes([a, b, c, d]) % (1 << SECRET_BITS);
            let wire = u32::from(self.config.instance) << SECRET_BITS | secret;
            if !self.connection_ids.contains_key(&wire) {
                return wire;
            }
        }
    }

    /// How [`Event::Connect`] went.
    pub fn connected(&mut self, now: Instant, connection: ConnectionId, is_open: bool) {
        let Some(found) = self.connections.get_mut(connection.0) else {
            return;
        };
        let State::Connecting { request, key } = &found.state else {
            return;
        };
        let (request, key) = (*request, key.clone());
        let (allocation, wire) = (found.allocation, found.wire);
        if is_open {
            found.state = State::Waiting;
            found.due = now + TIMEOUT;
            self.push_due(now + TIMEOUT, Due::Connection(connection.0));
        }
        let Some(path) = self.allocations.get(allocation).map(|a| a.path) else {
            return;
        };
        if is_open {
            let head = (Class::SuccessResponse, Method::CONNECT, request);
            self.answer(path, head, &key, |writer| writer.connection_id(wire));
        } else {
            let head = (Class::ErrorResponse, Method::CONNECT, request);
            self.forget_connection(connection.0);
            self.answer(path, head, &key, |writer| {
                writer.error_code(ErrorCode::CONNECTION_TIMEOUT_OR_FAILURE)
            });
        }
    }

    /// A peer connected to a TCP relay. `None`: the client does not want it, and the driver closes it
    /// ([RFC 6062 §5.3](https://www.rfc-editor.org/rfc/rfc6062#section-5.3)).
    pub fn accept(
        &mut self,
        now: Instant,
        relay: RelayId,
        peer: SocketAddr,
    ) -> Option<ConnectionId> {
        let Owner::Allocation(id) = self.relays.get(relay.0)?.owner else {
            return None;
        };
        let allocation = self.allocations.get(id)?;
        if allocation.transport != Transport::Tcp || !allocation.is_permitted(now, peer.ip()) {
            self.counters.unroutable_from_peers += 1;
            return None;
        }
        let path = allocation.path;
        let connection = self.insert_connection(now, id, peer, State::Waiting).ok()?;
        let wire = self.connections.get(connection)?.wire;
        let head = (
            Class::Indication,
            Method::CONNECTION_ATTEMPT,
            self.indication_id(),
        );
        let is_written = self.outbox.write(path, head, |writer| {
            writer.connection_id(wire)?;
            writer.xor_peer_address(peer)?;
            writer.fingerprint()
        });
        self.counters.overflowed += u64::from(!is_written);
        Some(ConnectionId(connection))
    }

    /// [RFC 6062 §5.4](https://www.rfc-editor.org/rfc/rfc6062#section-5.4).
    pub(super) fn on_connection_bind(
        &mut self,
        request: &Request<'_>,
        user: &Verified,
    ) -> Result<(), ErrorCode<'static>> {
        // a stream that has an allocation carries that, and cannot carry a peer's bytes too
        if request.path.transport == Transport::Udp || self.has_allocation(&request.path) {
            return Err(ErrorCode::BAD_REQUEST);
        }
        let id = self.connection_of(&request.message);
        let connection = id.and_then(|id| Some((id, self.connections.get_mut(id)?)));
        let Some((id, connection)) = connection else {
            return Err(ErrorCode::BAD_REQUEST);
        };
        // the very credentials of the allocation: of tokens the name is that of a key which all of them share
        let owner = self.allocations.get(connection.allocation);
        let is_theirs = owner.is_some_and(|allocation| {
            let owner = &allocation.user;
            owner.username == user.user.username && owner.secret == user.user.secret
        });
        if !is_theirs {
            return Err(ErrorCode::BAD_REQUEST);
        }
        if !matches!(connection.state, State::Waiting) {
            return Err(ErrorCode::BAD_REQUEST);
        }
        connection.state = State::Joined;
        let wire = connection.wire;
        self.succeed(request, |writer| writer.connection_id(wire));
        self.push_event(Event::Join {
            connection: ConnectionId(id),
            path: request.path,
        });
        Ok(())
    }

    fn connection_of(&self, message: &Message<'_>) -> Option<SlotId> {
        self.connection_ids.get(&message.connection_id()?).copied()
    }

    /// The allocation a ConnectionBind is about, which comes by another path.
    pub(super) fn by_connection(&self, message: &Message<'_>) -> Option<SlotId> {
        let connection = self.connections.get(self.connection_of(message)?)?;
        Some(connection.allocation)
    }

    /// A connection with a peer ended, or the client's stream that was joined with it. The driver has closed both.
    pub fn connection_closed(&mut self, connection: ConnectionId) {
        self.forget_connection(connection.0);
    }

    pub(super) fn on_connection_due(&mut self, now: Instant, id: SlotId) {
        let connection = self.connections.get(id);
        let connection = connection.filter(|connection| connection.due <= now);
        match connection.map(|connection| &connection.state) {
            Some(State::Connecting { .. }) => {
                self.push_event(Event::Disconnect {
                    connection: ConnectionId(id),
                });
                self.connected(now, ConnectionId(id), false);
            }
            Some(State::Waiting) => {
                self.drop_connection(id);
            }
            Some(State::Joined) | None => {}
        }
    }

    /// Ends a connection from this side.
    pub(super) fn drop_connection(&mut self, id: SlotId) {
        if self.forget_connection(id) {
            self.push_event(Event::Disconnect {
                connection: ConnectionId(id),
            });
        }
    }

    fn forget_connection(&mut self, id: SlotId) -> bool {
        let Some(connection) = self.connections.remove(id) else {
            return false;
        };
        self.connection_ids.remove(&connection.wire);
        if let Some(allocation) = self.allocations.get_mut(connection.allocation) {
            allocation.connections.retain(|other| *other != id);
        }
        true
    }

    /// The client's stream a connection is joined with may be asked for by its peer.
    pub fn peer_of(&self, connection: ConnectionId) -> Option<SocketAddr> {
        Some(self.connections.get(connection.0)?.peer)
    }

    /// Whether a path carries an allocation.
    pub fn has_allocation(&self, path: &FiveTuple) -> bool {
        self.find(path).is_some()
    }
}
