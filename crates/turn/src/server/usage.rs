//! Who has how many allocations.
//!
//! A server alone counts for itself. The shards of one server count together, by what the driver lends them
//! ([`ServerConfig::usage`](crate::ServerConfig::usage)), so that a quota is one however many threads there are.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::borrow::Borrow;
use core::fmt;
use core::net::IpAddr;

use rtckit_stun::ErrorCode;

use crate::server::config::ServerConfig;
use crate::server::limits::subscriber;

/// How many allocations there are, and how many of them each user and each client address (or /64 of IPv6) has; how many
/// ports are kept aside for each user. It is as large as `max_allocations` lets it grow.
#[derive(Clone, Default)]
pub struct Usage {
    allocations: usize,
    by_user: BTreeMap<Box<str>, u32>,
    by_address: BTreeMap<IpAddr, u32>,
    /// How many ports are kept aside for each user; they outlive the allocations they were asked for with.
    reserved: BTreeMap<Box<str>, u32>,
}

impl Usage {
    /// How many allocations there are.
    pub const fn allocations(&self) -> usize {
        self.allocations
    }

    /// One more for `user` at `address`, if all quotas have room; if it also `reserves` a port, that of ports too.
    pub(crate) fn take(
        &mut self,
        config: &ServerConfig,
        user: &str,
        address: IpAddr,
        reserves: bool,
    ) -> Result<(), ErrorCode<'static>> {
        let address = subscriber(address);
        let of_user = self.by_user.get(user).copied().unwrap_or(0);
        let of_address = self.by_address.get(&address).copied().unwrap_or(0);
        if of_user >= config.max_allocations_per_user
            || of_address >= config.max_allocations_per_address
            || reserves && self.reserved(user) >= config.max_allocations_per_user
        {
            return Err(ErrorCode::ALLOCATION_QUOTA_REACHED);
        }
        if self.allocations >= config.max_allocations {
            return Err(ErrorCode::INSUFFICIENT_CAPACITY);
        }
        self.allocations += 1;
        self.by_user.insert(user.into(), of_user + 1);
        self.by_address.insert(address, of_address + 1);
        Ok(())
    }

    /// One less.
    pub(crate) fn give_back(&mut self, user: &str, address: IpAddr) {
        self.allocations = self.allocations.saturating_sub(1);
        one_less(&mut self.by_user, user);
        one_less(&mut self.by_address, &subscriber(address));
    }

    /// A port is kept aside for `user` from now on.
    pub(crate) fn reserve(&mut self, user: &str) {
        *self.reserved.entry(user.into()).or_default() += 1;
    }

    /// It is no longer.
    pub(crate) fn unreserve(&mut self, user: &str) {
        one_less(&mut self.reserved, user);
    }

    fn reserved(&self, user: &str) -> u32 {
        self.reserved.get(user).copied().unwrap_or(0)
    }

    /// A mobile client is at another address now. Its allocation stays, even where there are too many.
    pub(crate) fn follow(&mut self, old: IpAddr, new: IpAddr) {
        let (old, new) = (subscriber(old), subscriber(new));
        if old != new {
            one_less(&mut self.by_address, &old);
            *self.by_address.entry(new).or_default() += 1;
        }
    }

    /// A user goes by another name: its allocation stays, even where the other one has too many.
    pub(crate) fn rename(&mut self, old: &str, new: &str) {
        if old != new {
            one_less(&mut self.by_user, old);
            *self.by_user.entry(new.into()).or_default() += 1;
        }
    }
}

/// Counts one down; who has none is forgotten.
fn one_less<K: Ord + Borrow<Q>, Q: Ord + ?Sized>(counts: &mut BTreeMap<K, u32>, of: &Q) {
    if let Some(count) = counts.get_mut(of) {
        *count -= 1;
        if *count == 0 {
            counts.remove(of);
        }
    }
}

impl fmt::Debug for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Usage({} allocations)", self.allocations)
    }
}

/// Lends one [`Usage`] to several servers, one at a time: a mutex around it, as a rule. It is asked when an allocation
/// begins, moves or ends, never for a packet.
pub trait SharedUsage: fmt::Debug + Send + Sync {
    /// Calls `change` once, at once, with the usage that all share.
    fn with(&self, change: &mut dyn FnMut(&mut Usage));
}

/// A usage of one's own, or a share in one.
#[derive(Debug)]
pub(crate) enum Tally {
    Own(Usage),
    Shared(alloc::sync::Arc<dyn SharedUsage>),
}

impl Tally {
    pub(crate) fn change(&mut self, mut change: impl FnMut(&mut Usage)) {
        match self {
            Self::Own(usage) => change(usage),
            Self::Shared(shared) => shared.with(&mut change),
        }
    }

    pub(crate) fn take(
        &mut self,
        config: &ServerConfig,
        user: &str,
        address: IpAddr,
        reserves: bool,
    ) -> Result<(), ErrorCode<'static>> {
        // who lends nothing lets nobody in
        let mut result = Err(ErrorCode::INSUFFICIENT_CAPACITY);
        self.change(|usage| result = usage.take(config, user, address, reserves));
        result
    }
}
