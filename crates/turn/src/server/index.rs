//! From a path to its allocation: one hash, one probe.

use core::net::{IpAddr, SocketAddr};

use hashbrown::HashTable;
use rtckit_proto::FiveTuple;

/// A hash under a random key: nobody outside can choose addresses that collide.
#[derive(Clone, Copy)]
pub(crate) struct KeyedHash {
    key: u64,
}

impl KeyedHash {
    pub(crate) const fn new(key: u64) -> Self {
        Self { key }
    }

    pub(crate) const fn ip(self, ip: IpAddr) -> u64 {
        let (high, low) = halves(ip);
        fold(fold(self.key ^ high, low), 1)
    }

    const fn address(self, address: SocketAddr, state: u64) -> u64 {
        let (high, low) = halves(address.ip());
        fold(fold(state ^ high, low), address.port() as u64)
    }

    pub(crate) const fn path(self, path: &FiveTuple) -> u64 {
        let state = self.key ^ path.transport as u64;
        self.address(path.local, self.address(path.remote, state))
    }
}

const fn halves(ip: IpAddr) -> (u64, u64) {
    match ip {
        IpAddr::V4(ip) => (0, ip.to_bits() as u64),
        IpAddr::V6(ip) => ((ip.to_bits() >> 64) as u64, ip.to_bits() as u64),
    }
}

/// Multiplies to 128 bits and folds both halves together.
const fn fold(state: u64, word: u64) -> u64 {
    let product = (state ^ 0x9e37_79b9_7f4a_7c15) as u128 * (word ^ 0xd6e8_feb8_6659_fd93) as u128;
    (product >> 64) as u64 ^ product as u64 ^ state.rotate_left(29)
}

/// What is found under a path: an allocation's place, and whether the path is the one it is moving to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) place: u32,
    pub(crate) is_next: bool,
}

/// Paths to places in a table; the paths themselves stand there and are not kept again.
pub(crate) struct PathIndex {
    entries: HashTable<Entry>,
    hash: KeyedHash,
}

impl PathIndex {
    pub(crate) const fn new(hash: KeyedHash) -> Self {
        Self {
            entries: HashTable::new(),
            hash,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entry for which `is_at` holds, among those inserted under `path`.
    pub(crate) fn find(&self, path: &FiveTuple, is_at: impl Fn(Entry) -> bool) -> Option<Entry> {
        let hash = self.hash.path(path);
        self.entries.find(hash, |&entry| is_at(entry)).copied()
    }

    /// Inserts `entry`, which must not be there yet. `path_of` tells the path under which an entry was inserted.
    pub(crate) fn insert(
        &mut self,
        path: &FiveTuple,
        entry: Entry,
        path_of: impl Fn(Entry) -> Option<FiveTuple>,
    ) {
        let key = self.hash;
        let rehash = |entry: &Entry| path_of(*entry).map_or(0, |path| key.path(&path));
        self.entries.insert_unique(key.path(path), entry, rehash);
    }

    pub(crate) fn remove(&mut self, path: &FiveTuple, entry: Entry) {
        let hash = self.hash.path(path);
        if let Ok(found) = self.entries.find_entry(hash, |&other| other == entry) {
            found.remove();
        }
    }
}
