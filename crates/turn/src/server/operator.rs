//! What the operator of a server asks it: who is there, and that somebody goes.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use rtckit_proto::{FiveTuple, Instant, Transport};
use rtckit_stun::Users;

use crate::server::Server;
use crate::server::allocation::{Allocation, State};
use crate::server::event::Release;
use crate::server::policy::PeerPolicy;
use crate::server::slots::SlotId;

/// An allocation, as [`Server::list`] tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AllocationInfo {
    /// Who made it.
    pub username: Box<str>,
    /// Whose it is: what quotas and [`Server::release_account`] go by. It is `username` unless [`Users`] say otherwise.
    pub account: Box<str>,
    /// The client, from here.
    pub path: FiveTuple,
    /// What is relayed: UDP or TCP.
    pub transport: Transport,
    /// The relayed addresses, as the client was told: of IPv4 and of IPv6.
    pub relayed: [Option<SocketAddr>; 2],
    /// How long it lives on unless it is refreshed.
    pub lifetime: Duration,
}

impl<U: Users> Server<U> {
    /// Every allocation there is, in no order. It takes a look at each: for people, not for packets.
    pub fn list(&self, now: Instant) -> impl Iterator<Item = AllocationInfo> {
        // one whose relays are not bound yet has nothing to tell
        let is_active =
            |(_, allocation): &(SlotId, &Allocation)| matches!(allocation.state, State::Active);
        self.each().filter(is_active).map(move |(_, allocation)| {
            let user = &allocation.user;
            AllocationInfo {
                username: user.username.clone(),
                account: user.account().into(),
                path: allocation.path,
                transport: allocation.transport,
                relayed: allocation.relays.map(|relay| self.relayed(relay?)),
                lifetime: allocation.expires - now,
            }
        })
    }

    /// Ends all that `account` has, ports that are kept aside for it too, and returns how many allocations that were.
    /// Clients are not told, TURN has no word for it; their next request is refused. So that they do not come back,
    /// let [`Users`] forget them first.
    pub fn release_account(&mut self, account: &str) -> usize {
        let is_of = |(_, allocation): &(SlotId, &Allocation)| allocation.user.account() == account;
        let ids: Vec<_> = self.each().filter(is_of).map(|(id, _)| id).collect();
        for id in &ids {
            self.release(*id, Release::Operator);
        }
        self.release_reservations(account);
        ids.len()
    }

    /// Takes another policy. Permissions, channels and connections that it denies end now.
    pub fn set_peers(&mut self, peers: PeerPolicy) {
        let connections = self.connections.iter();
        let denied = connections.filter(|(_, connection)| !peers.allows(connection.peer.ip()));
        let denied: Vec<_> = denied.map(|(id, _)| id).collect();
        for id in denied {
            self.drop_connection(id);
        }
        let ids: Vec<_> = self.each().map(|(id, _)| id).collect();
        for id in ids {
            if let Some(allocation) = self.allocations.get_mut(id) {
                allocation.retain_peers(|ip| peers.allows(ip));
            }
        }
        self.config.peers = peers;
    }

    fn each(&self) -> impl Iterator<Item = (SlotId, &Allocation)> {
        self.allocations.iter().map(|(id, found)| (id, &**found))
    }
}
