//! Two kinds of [`Users`]: a list in memory, and names that carry their own end.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;
use core::time::Duration;

use rtckit_crypto::mac::HmacSha1;
use rtckit_proto::{Instant, WallClock};

use crate::authentication::{Claim, Name, User, Users};
use crate::base64;
use crate::integrity::{PasswordHash, userhash};
use crate::value::PasswordAlgorithm;

/// Users and their passwords, of which it keeps the hashes alone.
///
/// ```
/// use rtckit_stun::StaticUsers;
///
/// let mut users = StaticUsers::new("example.org");
/// users.insert("alice", "secret");
/// assert_eq!(users.len(), 1);
/// ```
#[derive(Clone)]
pub struct StaticUsers {
    realm: Box<str>,
    hashes: BTreeMap<Box<str>, [PasswordHash; 2]>,
    by_userhash: BTreeMap<[u8; 32], Box<str>>,
}

impl StaticUsers {
    /// No users yet, for one realm.
    pub fn new(realm: &str) -> Self {
        Self {
            realm: realm.into(),
            hashes: BTreeMap::new(),
            by_userhash: BTreeMap::new(),
        }
    }

    /// Adds a user, or changes a password. Both strings have to be prepared already (OpaqueString of RFC 8265),
    /// which leaves ASCII as it is.
    pub fn insert(&mut self, username: &str, password: &str) {
        let hashes = [PasswordAlgorithm::Md5, PasswordAlgorithm::Sha256]
            .map(|algorithm| PasswordHash::new(algorithm, username, &self.realm, password));
        self.by_userhash
            .insert(userhash(username, &self.realm), username.into());
        self.hashes.insert(username.into(), hashes);
    }

    /// Removes a user; returns whether there was one.
    pub fn remove(&mut self, username: &str) -> bool {
        self.by_userhash.remove(&userhash(username, &self.realm));
        self.hashes.remove(username).is_some()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }
}

impl Users for StaticUsers {
    fn user(&self, _: Instant, realm: &str, claim: &Claim<'_>) -> Option<User> {
        if realm != &*self.realm || claim.access_token.is_some() {
            return None;
        }
        let username = match claim.name {
            Name::Username(username) => username,
            Name::Userhash(hash) => self.by_userhash.get(&hash)?,
        };
        let [md5, sha256] = self.hashes.get(username)?;
        let hash = match claim.algorithm {
            PasswordAlgorithm::Md5 => md5,
            PasswordAlgorithm::Sha256 => sha256,
        };
        Some(User::new(username, hash.clone()))
    }
}

impl fmt::Debug for StaticUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StaticUsers({} users)", self.len())
    }
}

/// Time-limited credentials, which a web service gives out that shares a secret with the server
/// ([draft-uberti-behave-turn-rest-00](https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00)):
/// the username is `expiry:name`, seconds since 1970 and any name; the password is
/// base64(HMAC-SHA1(secret, username)). Quotas go by the name, whatever the expiry; without one, each expiry is a user
/// of its own.
///
/// The time tells until when something may be allocated. What was allocated before goes on for as long as it is refreshed,
/// so that a call outlives credentials of a few minutes, unless the server shall
/// [`end_at_expiry`](Self::end_at_expiry).
///
/// ```
/// use core::time::Duration;
/// use rtckit_proto::WallClock;
/// use rtckit_stun::SharedSecret;
///
/// let shared = SharedSecret::new(b"north", WallClock::new(Duration::from_secs(1_700_000_000)));
/// let (username, password) = shared.credentials(1_700_003_600, "alice");
/// assert_eq!(username, "1700003600:alice");
/// assert_eq!(password.len(), 28);
/// ```
#[derive(Clone)]
pub struct SharedSecret {
    key: HmacSha1,
    is_empty: bool,
    clock: WallClock,
    ends_at_expiry: bool,
}

impl SharedSecret {
    /// `secret` is what the web service has too; `clock` tells the world's time at the driver's epoch. An empty secret is
    /// none, which everybody would know: it vouches for nobody.
    pub fn new(secret: &[u8], clock: WallClock) -> Self {
        Self {
            key: HmacSha1::new(secret),
            is_empty: secret.is_empty(),
            clock,
            ends_at_expiry: false,
        }
    }

    /// What was allocated ends with the credentials: they have to last as long as a call may.
    #[must_use]
    pub const fn end_at_expiry(mut self) -> Self {
        self.ends_at_expiry = true;
        self
    }

    /// The username and password that are good until `expiry`, in seconds since 1970.
    pub fn credentials(&self, expiry: u64, name: &str) -> (String, String) {
        let username = alloc::format!("{expiry}:{name}");
        let password = self.password(&username);
        let password = core::str::from_utf8(&password).unwrap_or_default().into();
        (username, password)
    }

    fn password(&self, username: &str) -> [u8; 28] {
        let mut password = [b'='; 28];
        base64::write(&self.key.sign(&[username.as_bytes()]), &mut password);
        password
    }
}

impl Users for SharedSecret {
    fn user(&self, now: Instant, realm: &str, claim: &Claim<'_>) -> Option<User> {
        // nobody can tell a name from its hash without a list of names
        let Name::Username(username) = claim.name else {
            return None;
        };
        let (expiry, name) = username.split_once(':').unwrap_or((username, ""));
        let expiry = Duration::from_secs(expiry.parse().ok()?);
        let left = expiry.checked_sub(self.clock.unix(now))?;
        if self.is_empty || claim.access_token.is_some() || left.is_zero() {
            return None;
        }
        let password = self.password(username);
        let password = core::str::from_utf8(&password).ok()?;
        let mut user = claim.user(username, realm, password);
        user.expires = self.ends_at_expiry.then(|| now + left);
        user.account = Some(name.into()).filter(|_| !name.is_empty());
        Some(user)
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(name: Name<'_>) -> Claim<'_> {
        Claim {
            name,
            algorithm: PasswordAlgorithm::Md5,
            access_token: None,
        }
    }

    #[test]
    fn an_empty_secret_vouches_for_nobody() {
        let clock = WallClock::new(Duration::from_secs(1_700_000_000));
        for (secret, vouches) in [("", false), ("x", true)] {
            let shared = SharedSecret::new(secret.as_bytes(), clock);
            let (name, _) = shared.credentials(1_700_000_100, "alice");
            let claim = claim(Name::Username(&name));
            let user = shared.user(Instant::ZERO, "realm", &claim);
            assert_eq!(user.is_some(), vouches);
        }
    }

    #[test]
    fn a_list_by_name_and_by_hash() {
        let mut users = StaticUsers::new("realm");
        users.insert("user", "pass");
        let now = Instant::ZERO;
        let by_name = users
            .user(now, "realm", &claim(Name::Username("user")))
            .unwrap();
        let by_hash = claim(Name::Userhash(userhash("user", "realm")));
        let by_hash = users.user(now, "realm", &by_hash).unwrap();
        // the example of RFC 8489 §9.2.2
        let expected = 0x8493_fbc5_3ba5_82fb_4c04_4c45_6bdc_40eb_u128;
        let expected = PasswordHash::from_md5(expected.to_be_bytes());
        assert!(by_name.secret == expected && by_hash.secret == expected);
        assert_eq!(&*by_hash.username, "user");
        let named = claim(Name::Username("user"));
        assert!(users.user(now, "another", &named).is_none());
        assert!(users.remove("user") && users.is_empty());
        assert!(users.user(now, "realm", &named).is_none());
    }

    #[test]
    fn time_limited_credentials_end() {
        let clock = WallClock::new(Duration::from_secs(1_000));
        let shared = SharedSecret::new(b"key", clock);
        let (username, password) = shared.credentials(1_010, "x");
        let at = |seconds: u64| {
            let now = Instant::from_millis(seconds * 1000);
            shared.user(now, "r", &claim(Name::Username(&username)))
        };
        let expected = PasswordHash::new(PasswordAlgorithm::Md5, &username, "r", &password);
        let user = at(9).unwrap();
        assert!(user.secret == expected);
        assert_eq!(user.expires, None, "what was begun goes on");
        assert_eq!((&*user.username, user.account()), ("1010:x", "x"));
        assert!(at(10).is_none());
        let ending = shared.clone().end_at_expiry();
        let now = Instant::from_millis(9_000);
        let user = ending.user(now, "r", &claim(Name::Username(&username)));
        assert_eq!(user.unwrap().expires, Some(Instant::from_millis(10_000)));
        let ever = claim(Name::Username("18446744073709551615:x"));
        assert!(shared.user(Instant::ZERO, "r", &ever).is_some());
        for nameless in ["1010", "1010:"] {
            let user = shared.user(Instant::ZERO, "r", &claim(Name::Username(nameless)));
            assert_eq!(user.unwrap().account(), nameless);
        }
        for name in ["", "x", ":", "99999999999999999999999:x", "-1:x"] {
            assert!(
                shared
                    .user(Instant::ZERO, "r", &claim(Name::Username(name)))
                    .is_none()
            );
        }
    }
}
