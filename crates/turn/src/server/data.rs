//! Payloads across: what the server is for. Nothing here allocates or copies.

use core::net::SocketAddr;

use rtckit_proto::{FiveTuple, Instant, Transport};
use rtckit_stun::{AttributeType, Class, Icmp, Message, Method, TransactionId, Users};

use crate::channel_data::ChannelData;
use crate::envelope::Envelope;
use crate::server::Server;
use crate::server::event::{RelayId, ToClient, ToPeer};
use crate::server::relay::Owner;
use crate::server::slots::SlotId;

impl<U: Users> Server<U> {
    pub(super) fn on_channel_data<'d>(
        &mut self,
        now: Instant,
        path: FiveTuple,
        data: &'d mut [u8],
    ) -> Option<ToPeer<'d>> {
        let Ok(ChannelData { channel, payload }) = ChannelData::parse(data) else {
            self.counters.malformed += 1;
            return None;
        };
        let peer = self.entry(&path).and_then(|entry| {
            let allocation = self.allocations.at(entry.place)?;
            let peer = allocation.peer_of(now, channel)?;
            Some((entry, peer, allocation.relay(peer.ip())?))
        });
        let Some((entry, peer, relay)) = peer else {
            self.counters.unroutable_from_clients += 1;
            return None;
        };
        if entry.is_next {
            self.complete_move(entry);
        }
        self.send_to_peer(relay, peer, data.get_mut(payload)?, false)
    }

    /// A Send indication ([RFC 8656 §11.2](https://www.rfc-editor.org/rfc/rfc8656#section-11.2)).
    pub(super) fn on_send<'d>(
        &mut self,
        now: Instant,
        path: FiveTuple,
        data: &'d mut [u8],
    ) -> Option<ToPeer<'d>> {
        let Ok(message) = Message::parse(data) else {
            self.counters.malformed += 1;
            return None;
        };
        let parts = (
            message.xor_peer_address(),
            message.range_of(AttributeType::DATA),
        );
        let (Some(peer), Some(payload)) = parts else {
            self.counters.malformed += 1;
            return None;
        };
        let dont_fragment = message.dont_fragment();
        if dont_fragment && !self.config.supports_dont_fragment {
            // RFC 8656 §11.2: an indication that cannot be followed is dropped
            self.counters.malformed += 1;
            return None;
        }
        let route = self.entry(&path).and_then(|entry| {
            let allocation = self.allocations.at(entry.place)?;
            let is_open = allocation.transport == Transport::Udp
                && allocation.is_permitted(now, peer.ip())
                && self.is_peer(Transport::Udp, peer);
            Some((entry, allocation.relay(peer.ip()).filter(|_| is_open)?))
        });
        let Some((entry, relay)) = route else {
            self.counters.unroutable_from_clients += 1;
            return None;
        };
        if entry.is_next {
            self.complete_move(entry);
        }
        self.send_to_peer(relay, peer, data.get_mut(payload)?, dont_fragment)
    }

    fn send_to_peer<'d>(
        &mut self,
        relay: SlotId,
        peer: SocketAddr,
        data: &'d mut [u8],
        dont_fragment: bool,
    ) -> Option<ToPeer<'d>> {
        self.counters.packets_to_peers += 1;
        self.counters.bytes_to_peers += data.len() as u64;
        Some(ToPeer {
            relay: RelayId(relay),
            peer,
            data,
            dont_fragment,
        })
    }

    /// `len` bytes came from `peer` to a relay: where they go, and in what envelope. `None` when the client did not
    /// permit that peer.
    pub fn handle_relay_input(
        &mut self,
        now: Instant,
        relay: RelayId,
        peer: SocketAddr,
        len: usize,
    ) -> Option<ToClient> {
        let route = self.client_of(now, relay, peer);
        let Some((path, channel)) = route else {
            self.counters.unroutable_from_peers += 1;
            return None;
        };
        let envelope = match channel {
            Some(channel) => Envelope::channel_data(channel, len, path.transport)?,
            None => Envelope::indication(Method::DATA, self.indication_id(), peer, len)?,
        };
        self.counters.packets_to_clients += 1;
        self.counters.bytes_to_clients += len as u64;
        Some(ToClient { path, envelope })
    }

    fn client_of(
        &self,
        now: Instant,
        relay: RelayId,
        peer: SocketAddr,
    ) -> Option<(FiveTuple, Option<crate::ChannelNumber>)> {
        let Owner::Allocation(id) = self.relays.get(relay.0)?.owner else {
            return None;
        };
        let allocation = self.allocations.get(id)?;
        let is_open =
            allocation.transport == Transport::Udp && allocation.is_permitted(now, peer.ip());
        is_open.then(|| (allocation.path, allocation.channel_of(now, peer)))
    }

    /// An ICMP message came back for what a relay had sent to `peer`
    /// ([RFC 8656 §11.5](https://www.rfc-editor.org/rfc/rfc8656#section-11.5)). The client is told.
    pub fn handle_relay_icmp(
        &mut self,
        now: Instant,
        relay: RelayId,
        peer: SocketAddr,
        icmp: Icmp,
    ) {
        let Some((path, _)) = self.client_of(now, relay, peer) else {
            return;
        };
        let head = (Class::Indication, Method::DATA, self.indication_id());
        let is_written = self.outbox.write(path, head, |writer| {
            writer.xor_peer_address(peer)?;
            writer.icmp(icmp)
        });
        self.counters.overflowed += u64::from(!is_written);
    }

    /// Nobody answers an indication, so its id may be guessed.
    pub(super) fn indication_id(&mut self) -> TransactionId {
        TransactionId::new(&mut self.random)
    }
}
