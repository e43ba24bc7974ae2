//! Refresh, CreatePermission and ChannelBind: requests about an allocation there is.

use core::net::IpAddr;
use core::time::Duration;

use rtckit_proto::{Instant, Transport};
use rtckit_stun::{AttributeType, ErrorCode, Users, Verified};

use crate::channel_data::ChannelNumber;
use crate::server::allocation::Refusal;
use crate::server::event::Release;
use crate::server::slots::SlotId;
use crate::server::{Request, Server};

/// How many peers one CreatePermission may name.
const MAX_PEERS_PER_REQUEST: usize = 16;

impl<U: Users> Server<U> {
    /// [RFC 8656 §8.2](https://www.rfc-editor.org/rfc/rfc8656#section-8.2).
    pub(super) fn on_refresh(
        &mut self,
        now: Instant,
        request: &Request<'_>,
        user: Verified,
    ) -> Result<(), ErrorCode<'static>> {
        let message = &request.message;
        let ticket = message
            .mobility_ticket()
            .filter(|_| message.attribute(AttributeType::MOBILITY_TICKET).is_some());
        let (id, ticket) = match ticket {
            Some(ticket) => {
                let (id, ticket) = self.move_by_ticket(request, &user, ticket)?;
                (id, Some(ticket))
            }
            None => {
                let id = self.allocation_of(request, &user)?;
                self.check_family(request, id)?;
                (id, None)
            }
        };
        let lifetime = match message.lifetime() {
            Some(0) => Duration::ZERO,
            wanted => self.lifetime(now, wanted, user.user.expires),
        };
        if lifetime.is_zero() {
            self.end_by_refresh(request, id);
        }
        if message.access_token().is_some()
            && let Some(allocation) = self.allocations.get_mut(id)
        {
            let new = user.user;
            let old = core::mem::replace(&mut allocation.user, new.clone());
            self.tally
                .change(|usage| usage.rename(old.account(), new.account()));
        }
        if !lifetime.is_zero() {
            self.set_expiry(id, now + lifetime);
        }
        self.succeed(request, |writer| {
            writer.lifetime(lifetime.as_secs() as u32)?;
            match ticket {
                Some(ticket) => writer.mobility_ticket(&ticket),
                None => Ok(()),
            }
        });
        Ok(())
    }

    /// Whether the allocation has a relayed address of the family that is named, if one is.
    pub(super) fn check_family(
        &self,
        request: &Request<'_>,
        id: SlotId,
    ) -> Result<(), ErrorCode<'static>> {
        let message = &request.message;
        let is_named = message
            .attribute(AttributeType::REQUESTED_ADDRESS_FAMILY)
            .is_some();
        let relay = message
            .requested_address_family()
            .and_then(|family| self.allocations.get(id)?.relay_of(family));
        if is_named && relay.is_none() {
            return Err(ErrorCode::PEER_ADDRESS_FAMILY_MISMATCH);
        }
        Ok(())
    }

    /// Ends the allocation, or the family of it that is named, when it has both.
    fn end_by_refresh(&mut self, request: &Request<'_>, id: SlotId) {
        let Some(allocation) = self.allocations.get_mut(id) else {
            return;
        };
        let has_both = allocation.relays.iter().all(Option::is_some);
        match request.message.requested_address_family() {
            Some(family) if has_both => {
                // RFC 8656 §8.2: the other one lives on
                if let Some(relay) = allocation.relay_mut(family).take() {
                    self.close_relay(relay);
                }
            }
            _ => self.release(id, Release::Client),
        }
    }

    /// [RFC 8656 §10.2](https://www.rfc-editor.org/rfc/rfc8656#section-10.2).
    pub(super) fn on_create_permission(
        &mut self,
        now: Instant,
        request: &Request<'_>,
        user: &Verified,
    ) -> Result<(), ErrorCode<'static>> {
        let id = self.allocation_of(request, user)?;
        let message = &request.message;
        let count = message.xor_peer_addresses().count();
        if count == 0 || message.xor_peer_addresses().any(|peer| peer.is_none()) {
            return Err(ErrorCode::BAD_REQUEST);
        }
        if count > MAX_PEERS_PER_REQUEST {
            return Err(ErrorCode::INSUFFICIENT_CAPACITY);
        }
        let peers = || message.xor_peer_addresses().flatten().map(|peer| peer.ip());
        for ip in peers() {
            self.check_peer_ip(id, ip)?;
        }
        let max = self.config.max_permissions;
        let Some(allocation) = self.allocations.get_mut(id) else {
            return Err(ErrorCode::ALLOCATION_MISMATCH);
        };
        // all or none
        if !allocation.has_room_for(now, peers(), max) {
            return Err(ErrorCode::INSUFFICIENT_CAPACITY);
        }
        for ip in peers() {
            allocation.permit(now, ip, max).map_err(error_of)?;
        }
        self.succeed(request, |_| Ok(()));
        Ok(())
    }

    /// Whether the allocation can talk to that address, and may.
    pub(super) fn check_peer_ip(
        &mut self,
        id: SlotId,
        ip: IpAddr,
    ) -> Result<(), ErrorCode<'static>> {
        let relay = self.allocations.get(id).and_then(|a| a.relay(ip));
        if relay.is_none() {
            return Err(ErrorCode::PEER_ADDRESS_FAMILY_MISMATCH);
        }
        if !self.is_peer_ip(ip) {
            self.counters.peers_refused += 1;
            return Err(ErrorCode::FORBIDDEN);
        }
        Ok(())
    }

    /// [RFC 8656 §12.2](https://www.rfc-editor.org/rfc/rfc8656#section-12.2).
    pub(super) fn on_channel_bind(
        &mut self,
        now: Instant,
        request: &Request<'_>,
        user: &Verified,
    ) -> Result<(), ErrorCode<'static>> {
        let id = self.allocation_of(request, user)?;
        let message = &request.message;
        let number = message.channel_number().and_then(ChannelNumber::new);
        let (Some(number), Some(peer)) = (number, message.xor_peer_address()) else {
            return Err(ErrorCode::BAD_REQUEST);
        };
        self.check_peer_ip(id, peer.ip())?;
        if !self.is_peer(Transport::Udp, peer) {
            self.counters.peers_refused += 1;
            return Err(ErrorCode::FORBIDDEN);
        }
        let (max_channels, max_permissions) =
            (self.config.max_channels, self.config.max_permissions);
        let Some(allocation) = self.allocations.get_mut(id) else {
            return Err(ErrorCode::ALLOCATION_MISMATCH);
        };
        if allocation.transport != Transport::Udp {
            return Err(ErrorCode::BAD_REQUEST);
        }
        if !allocation.has_room_for(now, [peer.ip()].into_iter(), max_permissions) {
            return Err(ErrorCode::INSUFFICIENT_CAPACITY);
        }
        allocation
            .bind_channel(now, number, peer, max_channels)
            .map_err(error_of)?;
        allocation
            .permit(now, peer.ip(), max_permissions)
            .map_err(error_of)?;
        self.succeed(request, |_| Ok(()));
        Ok(())
    }
}

const fn error_of(refusal: Refusal) -> ErrorCode<'static> {
    match refusal {
        Refusal::Full => ErrorCode::INSUFFICIENT_CAPACITY,
        Refusal::Conflict => ErrorCode::BAD_REQUEST,
    }
}
