//! Nonces that a server makes and checks without remembering any
//! ([RFC 8489 §9.2](https://www.rfc-editor.org/rfc/rfc8489#section-9.2)).
//!
//! ```text
//! "obMatJos2" | features, 4 digits | seconds, 4 digits | tag, 11 digits      the digits are base64's
//! '-------- nonce cookie ---------'                      HMAC-SHA256(key of the time, features, time, address), cut
//! ```
//! A nonce is good for the address it was given to and no other, so that whoever presents it receives what is sent to
//! that address. The key changes with the time; keys are made from one secret, which may be shared by several
//! machines (the shards of a server).
//!
//! It is short, as it goes to addresses that may be forged. 64 bits of a tag are enough: each guess is a request to
//! the server, and what a right one gains is to be answered as an address that can be heard.

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use rtckit_crypto::mac::{HmacSha256, constant_time_eq};
use rtckit_proto::{Instant, Random};

use crate::base64;

/// What every nonce of a server that knows RFC 8489 begins with.
const COOKIE: &[u8; 9] = b"obMatJos2";

const COOKIE_LEN: usize = COOKIE.len() + 4;

/// 24 bits of seconds, which go around in half a year.
const TIME: core::ops::Range<usize> = COOKIE_LEN..COOKIE_LEN + 4;
const TIME_BITS: u32 = 24;

/// The tag in bytes; its digits go to the end of the nonce.
const TAG_LEN: usize = 8;

/// The length of a nonce in bytes.
pub(crate) const NONCE_LEN: usize = TIME.end + (8 * TAG_LEN).div_ceil(6);

/// The STUN Security Features of a nonce cookie
/// ([RFC 8489 §18.1](https://www.rfc-editor.org/rfc/rfc8489#section-18.1)): the two most significant of 24 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Features {
    /// Bit 0: the challenge carries PASSWORD-ALGORITHMS.
    pub(crate) password_algorithms: bool,
    /// Bit 1: USERHASH is to be used.
    pub(crate) username_anonymity: bool,
}

impl Features {
    /// What the cookie of `nonce` says; `None` without a cookie.
    pub(crate) fn of(nonce: &[u8]) -> Option<Self> {
        let rest = nonce.strip_prefix(COOKIE)?;
        let [first, _, _, _] = *rest.first_chunk::<4>()?;
        // the first digit holds the first six bits
        let digit = base64::value(first)?;
        Some(Self {
            password_algorithms: digit & 0x20 != 0,
            username_anonymity: digit & 0x10 != 0,
        })
    }

    const fn base64(self) -> [u8; 4] {
        let first = match (self.password_algorithms, self.username_anonymity) {
            (false, false) => b'A',
            (false, true) => b'Q',
            (true, false) => b'g',
            (true, true) => b'w',
        };
        [first, b'A', b'A', b'A']
    }
}

/// The secret nonces are made from.
#[derive(Clone)]
pub struct NonceSecret([u8; 32]);

impl NonceSecret {
    /// A fresh one. `random` has to be cryptographically secure.
    pub fn new(random: &mut (impl Random + ?Sized)) -> Self {
        let mut secret = [0; 32];
        random.fill(&mut secret);
        Self(secret)
    }
}

impl fmt::Debug for NonceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NonceSecret([redacted])")
    }
}

/// What a nonce is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    Fresh,
    /// Made for this address, which has heard it, but too long ago.
    Stale,
    /// Made for another address, or none of ours.
    Foreign,
}

/// Makes and checks nonces.
#[derive(Clone)]
pub(crate) struct Nonces {
    secret: HmacSha256,
    /// The keys of the latest period and the one before it.
    keys: [(u64, HmacSha256); 2],
    features: Features,
    lifetime: Duration,
}

/// How many seconds a key makes nonces for: 2^12, a little more than an hour.
const KEY_PERIOD_BITS: u32 = 12;

impl Nonces {
    pub(crate) fn new(secret: &NonceSecret, features: Features, lifetime: Duration) -> Self {
        let secret = HmacSha256::new(&secret.0);
        let key = |period| (period, period_key(&secret, period));
        Self {
            keys: [key(0), key(1)],
            secret,
            features,
            // a nonce never outlives the key before the latest
            lifetime: lifetime.min(Duration::from_secs(1 << KEY_PERIOD_BITS)),
        }
    }

    /// The nonce for `address` at `now`.
    pub(crate) fn make(&mut self, now: Instant, address: SocketAddr) -> [u8; NONCE_LEN] {
        let seconds = seconds(now);
        self.prepare(seconds);
        self.nonce(seconds, address)
    }

    /// Whether `nonce` was made for `address`, and whether it is too old at `now`. Of those that are older than the
    /// keys, two hours at most, it cannot tell the first.
    pub(crate) fn check(&mut self, now: Instant, address: SocketAddr, nonce: &[u8]) -> Freshness {
        let seconds = seconds(now);
        self.prepare(seconds);
        let Some(made) = nonce.get(TIME).and_then(read_time) else {
            return Freshness::Foreign;
        };
        // what is left of the time goes around: how long ago it was so last
        let age = seconds.wrapping_sub(made) & ((1 << TIME_BITS) - 1);
        let Some(made) = seconds.checked_sub(age) else {
            return Freshness::Foreign;
        };
        if !constant_time_eq(nonce, &self.nonce(made, address)) {
            return Freshness::Foreign;
        }
        if Duration::from_secs(age) <= self.lifetime {
            Freshness::Fresh
        } else {
            Freshness::Stale
        }
    }

    fn nonce(&self, seconds: u64, address: SocketAddr) -> [u8; NONCE_LEN] {
        let mut nonce = [0; NONCE_LEN];
        let (cookie, rest) = nonce.split_at_mut(COOKIE_LEN);
        let (word, features) = cookie.split_at_mut(COOKIE.len());
        word.copy_from_slice(COOKIE);
        features.copy_from_slice(&self.features.base64());
        let (time, tag) = rest.split_at_mut(TIME.end - COOKIE_LEN);
        let [.., a, b, c] = seconds.to_be_bytes();
        base64::write(&[a, b, c], time);
        base64::write(&self.tag(seconds, address), tag);
        nonce
    }

    /// Makes the keys of the present period and the one before it.
    fn prepare(&mut self, seconds: u64) {
        let present = seconds >> KEY_PERIOD_BITS;
        for period in [present, present.saturating_sub(1)] {
            let slot = &mut self.keys[(period & 1) as usize];
            if slot.0 != period {
                *slot = (period, period_key(&self.secret, period));
            }
        }
    }

    fn tag(&self, seconds: u64, address: SocketAddr) -> [u8; TAG_LEN] {
        let period = seconds >> KEY_PERIOD_BITS;
        let (_, key) = &self.keys[(period & 1) as usize];
        let ip = match address.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        let full = key.sign(&[
            &self.features.base64(),
            &seconds.to_be_bytes(),
            &ip.octets(),
            &address.port().to_be_bytes(),
        ]);
        full.first_chunk().copied().unwrap_or([0; TAG_LEN])
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nonces")
            .field("features", &self.features)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

fn period_key(secret: &HmacSha256, period: u64) -> HmacSha256 {
    HmacSha256::new(&secret.sign(&[b"nonce", &period.to_be_bytes()]))
}

const fn seconds(now: Instant) -> u64 {
    now.as_millis() / 1000
}

fn read_time(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, &digit| {
        Some(number << 6 | u64::from(base64::value(digit)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtckit_proto::SeededRandom;

    fn nonces() -> Nonces {
        let features = Features {
            password_algorithms: true,
            username_anonymity: false,
        };
        let secret = NonceSecret::new(&mut SeededRandom::new(1));
        Nonces::new(&secret, features, Duration::from_secs(600))
    }

    #[test]
    fn good_for_its_address_and_time_alone() {
        let mut nonces = nonces();
        let (here, there) = (
            "192.0.2.1:1000".parse().unwrap(),
            "192.0.2.1:1001".parse().unwrap(),
        );
        // the beginning, a change of keys, the time going around
        for start in [0, 4_000, 4_095, 4_096, 8_191, 1_000_000, (1 << 24) - 300] {
            let at = |later: u64| Instant::from_millis((start + later) * 1000);
            let nonce = nonces.make(at(0), here);
            assert!(nonce.starts_with(b"obMatJos2gAAA") && nonce.is_ascii());
            assert_eq!(nonces.check(at(0), here, &nonce), Freshness::Fresh);
            assert_eq!(nonces.check(at(600), here, &nonce), Freshness::Fresh);
            assert_eq!(nonces.check(at(601), here, &nonce), Freshness::Stale);
            assert_eq!(nonces.check(at(4_096), here, &nonce), Freshness::Stale);
            // no longer to be told from a foreign one, and never fresh again
            for later in [8_192, 1 << 24, 1 << 25] {
                assert_eq!(nonces.check(at(later), here, &nonce), Freshness::Foreign);
            }
            assert_eq!(nonces.check(at(0), there, &nonce), Freshness::Foreign);
            let cut = &nonce[..NONCE_LEN - 1];
            assert_eq!(nonces.check(at(0), here, cut), Freshness::Foreign);
        }
    }

    #[test]
    fn every_changed_byte_makes_it_foreign() {
        let mut nonces = nonces();
        let here = "[2001:db8::1]:5".parse().unwrap();
        let now = Instant::from_millis(5_000_000);
        let nonce = nonces.make(now, here);
        for at in 0..nonce.len() {
            let mut forged = nonce;
            forged[at] ^= 1;
            assert_eq!(nonces.check(now, here, &forged), Freshness::Foreign, "{at}");
        }
        assert_eq!(
            nonces.check(Instant::ZERO, here, &nonce),
            Freshness::Foreign,
            "from the future"
        );
    }

    #[test]
    fn shards_share_a_secret() {
        let secret = NonceSecret::new(&mut SeededRandom::new(7));
        let lifetime = Duration::from_secs(60);
        let [mut a, mut b] = [0, 1].map(|_| Nonces::new(&secret, Features::default(), lifetime));
        let here = "192.0.2.1:1000".parse().unwrap();
        let nonce = a.make(Instant::ZERO, here);
        assert_eq!(b.check(Instant::ZERO, here, &nonce), Freshness::Fresh);
    }

    #[test]
    fn features_of_a_cookie() {
        assert_eq!(Features::of(b"f//499k954d6OL34oL9FSTvy64sA"), None);
        assert_eq!(Features::of(b"obMatJos2AAAAxyz"), Some(Features::default()));
        for password_algorithms in [false, true] {
            for username_anonymity in [false, true] {
                let features = Features {
                    password_algorithms,
                    username_anonymity,
                };
                let nonce = [&COOKIE[..], &features.base64()].concat();
                assert_eq!(Features::of(&nonce), Some(features));
            }
        }
    }
}
