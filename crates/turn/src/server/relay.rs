//! Relays: the sockets the driver holds for the server, and their ports.

use core::net::SocketAddr;

use rtckit_proto::{Instant, Transport};
use rtckit_stun::{AddressFamily, ErrorCode, Users};

use crate::server::Server;
use crate::server::config::RelayAddress;
use crate::server::event::{BindError, Event, RelayId, Release};
use crate::server::slots::SlotId;

/// How often another port is tried when one is taken.
const MAX_ATTEMPTS: u8 = 16;

/// A socket that the driver holds.
pub(super) struct Relay {
    pub(super) owner: Owner,
    pub(super) transport: Transport,
    pub(super) family: AddressFamily,
    /// What the driver was asked to bind.
    pub(super) port: u16,
    /// What it bound.
    pub(super) bound: Option<SocketAddr>,
    choice: PortChoice,
    attempts: u8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Allocation(SlotId),
    /// Kept aside by EVEN-PORT, for whoever has the token.
    Reservation,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PortChoice {
    Any,
    Even,
    /// An even one, and the next.
    Pair,
}

impl<U: Users> Server<U> {
    /// Asks the driver for a relay on a port that is free.
    pub(super) fn begin_relay(
        &mut self,
        owner: Owner,
        transport: Transport,
        family: AddressFamily,
        choice: PortChoice,
    ) -> Result<SlotId, ErrorCode<'static>> {
        if self.relay_address(family).is_none() {
            return Err(ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED);
        }
        let port = self.take_port(transport, family, choice)?;
        Ok(self.bind_relay(owner, transport, family, port, choice, 1))
    }

    /// Asks for two relays on ports that follow each other, the first of them even.
    pub(super) fn begin_pair(
        &mut self,
        owner: Owner,
        transport: Transport,
        family: AddressFamily,
        attempts: u8,
    ) -> Result<[SlotId; 2], ErrorCode<'static>> {
        if self.relay_address(family).is_none() {
            return Err(ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED);
        }
        let choice = PortChoice::Pair;
        let port = self.take_port(transport, family, choice)?;
        let ports = [port, port + 1];
        Ok(ports.map(|port| self.bind_relay(owner, transport, family, port, choice, attempts)))
    }

    fn take_port(
        &mut self,
        transport: Transport,
        family: AddressFamily,
        choice: PortChoice,
    ) -> Result<u16, ErrorCode<'static>> {
        if transport == Transport::Tcp && !self.config.relays_tcp {
            return Err(ErrorCode::UNSUPPORTED_TRANSPORT);
        }
        let ports = self.ports.of(transport, family);
        let port = ports.take(&self.config.ports, choice, &mut self.random);
        port.ok_or(ErrorCode::INSUFFICIENT_CAPACITY)
    }

    fn bind_relay(
        &mut self,
        owner: Owner,
        transport: Transport,
        family: AddressFamily,
        port: u16,
        choice: PortChoice,
        attempts: u8,
    ) -> SlotId {
        let relay = self.relays.insert(Relay {
            owner,
            transport,
            family,
            port,
            bound: None,
            choice,
            attempts,
        });
        self.ask_to_bind(relay);
        relay
    }

    fn ask_to_bind(&mut self, id: SlotId) {
        let Some(relay) = self.relays.get(id) else {
            return;
        };
        let (transport, port) = (relay.transport, relay.port);
        if let Some(address) = self.relay_address(relay.family) {
            self.push_event(Event::BindRelay {
                relay: RelayId(id),
                transport,
                address: SocketAddr::new(address.bind, port),
            });
        }
    }

    /// How [`Event::BindRelay`] went: the address that was bound, or why none was. An id the server has given up
    /// meanwhile is ignored; [`Event::CloseRelay`] was or will be said about it.
    pub fn relay_bound(
        &mut self,
        now: Instant,
        relay: RelayId,
        result: Result<SocketAddr, BindError>,
    ) {
        let Some(found) = self.relays.get_mut(relay.0) else {
            return;
        };
        if found.bound.is_some() {
            return;
        }
        match result {
            Ok(address) => {
                found.bound = Some(address);
                self.ports
                    .of(found.transport, found.family)
                    .open(found.port);
            }
            Err(BindError::AddressInUse) if found.attempts < MAX_ATTEMPTS => {
                return match found.choice {
                    PortChoice::Pair => self.bind_pair_elsewhere(now, relay.0),
                    PortChoice::Any | PortChoice::Even => self.bind_elsewhere(now, relay.0),
                };
            }
            Err(_) => {}
        }
        self.relay_settled(now, relay.0, result.is_ok());
    }

    /// Tries another port. The one that was taken stays out of use until then, so that it is not tried at once again.
    fn bind_elsewhere(&mut self, now: Instant, id: SlotId) {
        let Some(relay) = self.relays.get(id) else {
            return;
        };
        let (transport, family, old, choice) =
            (relay.transport, relay.family, relay.port, relay.choice);
        let port = self.take_port(transport, family, choice);
        self.ports.of(transport, family).give_back(old);
        match (port, self.relays.get_mut(id)) {
            (Ok(port), Some(relay)) => {
                relay.port = port;
                relay.attempts += 1;
                self.ask_to_bind(id);
            }
            _ => self.relay_settled(now, id, false),
        }
    }

    /// As [`bind_elsewhere`](Self::bind_elsewhere), with both relays of a pair: the other one's port is of no use alone.
    fn bind_pair_elsewhere(&mut self, now: Instant, id: SlotId) {
        let Some(relay) = self.relays.get(id) else {
            return;
        };
        let (owner, attempts) = (relay.owner, relay.attempts + 1);
        match self.begin_pair(owner, relay.transport, relay.family, attempts) {
            Ok(pair) => self.replace_pair(owner, pair),
            Err(_) => self.relay_settled(now, id, false),
        }
    }

    /// The address of a relay as clients are told.
    pub(super) fn relayed(&self, relay: SlotId) -> Option<SocketAddr> {
        let relay = self.relays.get(relay)?;
        let address = self.relay_address(relay.family)?;
        Some(SocketAddr::new(address.advertise, relay.bound?.port()))
    }

    pub(super) fn close_relay(&mut self, id: SlotId) {
        if self.forget_relay(id) {
            self.push_event(Event::CloseRelay { relay: RelayId(id) });
        }
    }

    pub(super) fn forget_relay(&mut self, id: SlotId) -> bool {
        let Some(relay) = self.relays.remove(id) else {
            return false;
        };
        self.give_port_back(&relay);
        true
    }

    /// Whether `peer`, an address of this server, is one of its relays or another shard's.
    pub(super) fn is_relay(&self, transport: Transport, peer: SocketAddr) -> bool {
        let family = AddressFamily::of(peer.ip());
        let is_there = |relay: RelayAddress| [relay.bind, relay.advertise].contains(&peer.ip());
        self.relay_address(family).is_some_and(is_there)
            && self.ports.of(transport, family).has_relay(peer.port())
    }

    /// A relay's socket failed for good: its allocation ends, as a client that sends into the void learns nothing.
    pub fn relay_failed(&mut self, relay: RelayId) {
        if let Some(Relay {
            owner: Owner::Allocation(id),
            ..
        }) = self.relays.get(relay.0)
        {
            self.release(*id, Release::RelayFailed);
        }
    }
}

impl<U> Server<U> {
    fn give_port_back(&self, relay: &Relay) {
        let ports = self.ports.of(relay.transport, relay.family);
        ports.give_back(relay.port);
    }
}

/// What this shard had, the others may take.
impl<U> Drop for Server<U> {
    fn drop(&mut self) {
        for (_, relay) in self.relays.iter() {
            self.give_port_back(relay);
        }
    }
}
