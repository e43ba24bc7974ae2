//! How often one address is answered by requests that prove nothing.
//!
//! A source address can be forged, and so can that of a client that has an allocation. What is not authenticated may
//! draw an answer to a victim; so the challenges and refusals to one address, and the answers to Binding requests, are
//! counted in a token bucket, whoever else may be there. The buckets are a table of fixed size, chosen by a keyed hash:
//! whoever shares a bucket with an attacker waits with it, and memory is flat.
//!
//! The last tokens of a bucket are for requests that repeat a nonce which was given to their address, stale or not: a
//! client whose nonce went stale gets its next one while somebody forges its address, however fast.

use alloc::boxed::Box;
use alloc::vec;
use core::net::IpAddr;

use rtckit_proto::Instant;

use crate::server::index::KeyedHash;

/// How many buckets there are.
const BUCKETS: usize = 4096;

/// Tokens are counted in thousandths.
const TOKEN: u32 = 1000;

#[derive(Clone, Copy)]
struct Bucket {
    /// Milliseconds since the driver's epoch, modulo 2^32.
    filled_at: u32,
    tokens: u32,
}

pub(crate) struct RateLimit {
    buckets: Box<[Bucket]>,
    hash: KeyedHash,
    per_second: u32,
    full: u32,
    /// What strangers leave for those who have heard the server.
    reserve: u32,
}

impl RateLimit {
    pub(crate) fn new(per_second: u32, burst: u32, hash: KeyedHash) -> Self {
        let reserve = (burst / 10).max(1).saturating_mul(TOKEN);
        let full = burst.saturating_mul(TOKEN).saturating_add(reserve);
        let bucket = Bucket {
            filled_at: 0,
            tokens: full,
        };
        Self {
            buckets: vec![bucket; BUCKETS].into(),
            hash,
            per_second,
            full,
            reserve,
        }
    }

    /// Takes a token from the bucket of `ip`; `false` when it has none left for whoever is, or is not, known to have
    /// heard the server there.
    pub(crate) fn allows(&mut self, now: Instant, ip: IpAddr, has_heard: bool) -> bool {
        let place = self.hash.ip(subscriber(ip)) as usize % BUCKETS;
        let now = now.as_millis() as u32;
        let Some(bucket) = self.buckets.get_mut(place) else {
            return false;
        };
        // milliseconds times tokens per second are thousandths of tokens
        let gained = now
            .wrapping_sub(bucket.filled_at)
            .saturating_mul(self.per_second);
        bucket.tokens = bucket.tokens.saturating_add(gained).min(self.full);
        bucket.filled_at = now;
        let floor = if has_heard { 0 } else { self.reserve };
        match bucket.tokens.checked_sub(TOKEN) {
            Some(left) if left >= floor => {
                bucket.tokens = left;
                true
            }
            _ => false,
        }
    }
}

/// Whom an address belongs to, for whoever counts: a subscriber has all of a /64 of IPv6.
pub fn subscriber(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() >> 64 << 64).into()),
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_a_rate() {
        let mut limit = RateLimit::new(10, 5, KeyedHash::new(1));
        let ip = "192.0.2.1".parse().unwrap();
        let mut count = |at: u64| {
            let now = Instant::from_millis(at);
            (0..100).filter(|_| limit.allows(now, ip, false)).count()
        };
        assert_eq!(count(0), 5);
        assert_eq!(count(100), 1);
        assert_eq!(count(1_100), 5, "no more than a burst is saved");
        assert_eq!(count(1_u64 << 32), 5, "the clock of 32 bits wraps");
        let other = "192.0.2.2".parse().unwrap();
        assert!(limit.allows(Instant::from_millis(1 << 32), other, false));
    }

    #[test]
    fn strangers_leave_some_for_who_has_heard() {
        let mut limit = RateLimit::new(10, 20, KeyedHash::new(1));
        let ip = "192.0.2.1".parse().unwrap();
        let mut count = |at: u64, has_heard| {
            let now = Instant::from_millis(at);
            (0..100)
                .filter(|_| limit.allows(now, ip, has_heard))
                .count()
        };
        assert_eq!(count(0, false), 20);
        assert_eq!(count(0, true), 2);
        // strangers wait until that is filled up again
        assert_eq!(count(200, false), 0);
        assert_eq!(count(300, false), 1);
        assert_eq!(count(300, true), 2);
    }

    #[test]
    fn a_subscriber_is_a_64() {
        let of = |ip: &str| subscriber(ip.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::"));
        assert_ne!(of("2001:db8:1:3::"), of("2001:db8:1:2::"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
