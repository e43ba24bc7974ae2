//! Which shard knows a client that comes by a new path.
//!
//! The kernel spreads clients over the shards by their addresses, so a client's second socket, or the same client after
//! its address has changed, comes to any of them. What it brings then was given to it by one shard: a RESERVATION-TOKEN
//! ([RFC 8656 §7.2](https://www.rfc-editor.org/rfc/rfc8656#section-7.2)) or a MOBILITY-TICKET
//! ([RFC 8016](https://www.rfc-editor.org/rfc/rfc8016)). Each shard notes what it gives, and passes on what it did not.

use core::hash::{BuildHasher, Hash};
use core::sync::atomic::{AtomicBool, Ordering};
use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rtckit_proto::FiveTuple;
use rtckit_stun::Message;

/// How many tokens and tickets are remembered, and how many paths; the oldest make room.
const MAX_NOTES: usize = 1 << 16;

/// The first byte of STUN's methods Allocate and Refresh is 0 in requests, 1 in responses.
const ALLOCATE: u8 = 0x03;
const REFRESH: u8 = 0x04;

/// What is known of so many keys at most; the oldest make room.
#[derive(Debug)]
struct Recent<K> {
    places: HashMap<K, usize>,
    order: VecDeque<K>,
}

impl<K> Default for Recent<K> {
    fn default() -> Self {
        Self {
            places: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<K: Copy + Eq + Hash> Recent<K> {
    fn insert(&mut self, key: K, place: usize) {
        if self.places.insert(key, place).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > MAX_NOTES
            && let Some(oldest) = self.order.pop_front()
        {
            self.places.remove(&oldest);
        }
    }
}

/// Who gave what, and who has whom: shared by all shards, touched by the requests that make allocations and move them,
/// and by those of clients whom a shard does not know.
#[derive(Debug, Default)]
pub(super) struct Notes {
    hash: RandomState,
    given: Mutex<Recent<u64>>,
    homes: Mutex<Recent<FiveTuple>>,
    /// Whether there is any home to look for.
    has_homes: AtomicBool,
}

impl Notes {
    /// Notes what `shard` gives a client in `answer`.
    pub(super) fn note(&self, shard: usize, answer: &[u8]) {
        if !matches!(answer, [0x01, ALLOCATE | REFRESH, ..]) {
            return;
        }
        let Ok(message) = Message::parse(answer) else {
            return;
        };
        for key in self.keys(&message).into_iter().flatten() {
            lock(&self.given).insert(key, shard);
        }
    }

    /// Notes that the client of `path`, whose datagrams another shard receives, has its allocation in `shard`.
    pub(super) fn settle(&self, path: FiveTuple, shard: usize) {
        lock(&self.homes).insert(path, shard);
        self.has_homes.store(true, Ordering::Release);
    }

    /// The shard that has the allocation of `path`, when that is not the one that receives its datagrams.
    pub(super) fn home_of(&self, path: &FiveTuple) -> Option<usize> {
        if !self.has_homes.load(Ordering::Acquire) {
            return None;
        }
        lock(&self.homes).places.get(path).copied()
    }

    /// The shard that gave a client what it brings in `request`.
    pub(super) fn shard_of(&self, request: &[u8]) -> Option<usize> {
        if !matches!(request, [0x00, ALLOCATE | REFRESH, ..]) {
            return None;
        }
        let message = Message::parse(request).ok()?;
        let keys = self.keys(&message);
        let given = lock(&self.given);
        keys.into_iter()
            .flatten()
            .find_map(|key| given.places.get(&key).copied())
    }

    fn keys(&self, message: &Message<'_>) -> [Option<u64>; 2] {
        let token = message.reservation_token();
        let ticket = message
            .mobility_ticket()
            .filter(|ticket| !ticket.is_empty());
        [
            token.map(|token| self.key(&token[..])),
            ticket.map(|ticket| self.key(ticket)),
        ]
    }

    fn key(&self, bytes: &(impl Hash + ?Sized)) -> u64 {
        self.hash.hash_one(bytes)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtckit_stun::{Class, MessageWriter, Method, TransactionId};

    fn message(class: Class, method: Method, token: [u8; 8]) -> Vec<u8> {
        let mut buf = [0; 64];
        let mut writer =
            MessageWriter::new(&mut buf, class, method, TransactionId([1; 12])).unwrap();
        writer.reservation_token(token).unwrap();
        let len = writer.finish();
        buf[..len].to_vec()
    }

    #[test]
    fn a_token_leads_to_who_gave_it() {
        let notes = Notes::default();
        let answer = |token| message(Class::SuccessResponse, Method::ALLOCATE, token);
        let request = |token| message(Class::Request, Method::ALLOCATE, token);
        notes.note(2, &answer([7; 8]));
        notes.note(1, &request([9; 8]));
        assert_eq!(notes.shard_of(&request([7; 8])), Some(2));
        assert_eq!(
            notes.shard_of(&request([9; 8])),
            None,
            "a request gives nothing"
        );
        assert_eq!(
            notes.shard_of(&answer([7; 8])),
            None,
            "an answer asks nothing"
        );
    }

    #[test]
    fn the_oldest_make_room() {
        let notes = Notes::default();
        for number in 0..=MAX_NOTES as u64 {
            let token = number.to_be_bytes();
            notes.note(0, &message(Class::SuccessResponse, Method::ALLOCATE, token));
        }
        let first = message(Class::Request, Method::ALLOCATE, 0_u64.to_be_bytes());
        let second = message(Class::Request, Method::ALLOCATE, 1_u64.to_be_bytes());
        assert_eq!(notes.shard_of(&first), None);
        assert_eq!(notes.shard_of(&second), Some(0));
    }
}
