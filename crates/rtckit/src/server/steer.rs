//! Which shard has the allocation of a client whose datagrams another one receives.
//!
//! The system spreads clients over the shards by their addresses, so a client's second socket, or the same client after
//! its address has changed, comes to any of them. What it brings then says which shard gave it
//! ([`instance_of`](rtckit_turn::instance_of)); what it sends afterwards brings nothing, so that shard notes the path.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use rtckit_proto::FiveTuple;

/// The paths of allocations that are not in the shard that receives their datagrams. There are two for an allocation at
/// most, and they go with it.
///
/// It is asked for each datagram of such a client, and of those who have no allocation at all; for those of all others
/// only how many there are, which is mostly none.
#[derive(Debug, Default)]
pub(super) struct Homes {
    places: RwLock<HashMap<FiveTuple, usize>>,
    count: AtomicUsize,
}

impl Homes {
    /// Notes that the allocation of `path`, whose datagrams another shard receives, is in the one at `place`.
    pub(super) fn settle(&self, path: FiveTuple, place: usize) {
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        places.insert(path, place);
        self.count.store(places.len(), Ordering::Release);
    }

    /// Forgets that the allocation of `path` is in the shard at `place`, if it was noted.
    pub(super) fn forget(&self, path: &FiveTuple, place: usize) {
        if self.is_empty() {
            return;
        }
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        if places.get(path) == Some(&place) {
            places.remove(path);
        }
        self.count.store(places.len(), Ordering::Release);
    }

    /// The shard that has the allocation of `path`, when that is not the one that receives its datagrams.
    pub(super) fn of(&self, path: &FiveTuple) -> Option<usize> {
        let places = self.places.read().unwrap_or_else(PoisonError::into_inner);
        places.get(path).copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_home_until_that_forgets_it() {
        let homes = Homes::default();
        let path = FiveTuple::udp(([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 2).into());
        assert!(homes.is_empty());
        homes.settle(path, 1);
        homes.settle(path, 2);
        assert_eq!(homes.of(&path), Some(2));
        homes.forget(&path, 1);
        assert_eq!(homes.of(&path), Some(2), "it is not there any more");
        homes.forget(&path, 2);
        assert!(homes.is_empty() && homes.of(&path).is_none());
    }
}
