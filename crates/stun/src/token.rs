//! Access tokens of an authorization server ([RFC 7635](https://www.rfc-editor.org/rfc/rfc7635)): who has one is let in,
//! whoever it is.
//!
//! ```text
//! nonce length (2) | nonce | sealed: key length (2) | mac_key | timestamp (8) | lifetime (4) | tag (16)
//! ```
//! The authorization server and this one share a key by its `kid`; the sealed part is AES-GCM's, with the server's name
//! as associated data.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use rtckit_crypto::aead::{AesGcm, NONCE_LEN, TAG_LEN};
use rtckit_crypto::mac::sha256;
use rtckit_proto::{Instant, Reader, WallClock};

use crate::authentication::{Claim, Name, User, Users};
use crate::integrity::PasswordHash;

/// How far the clocks of both servers may be apart
/// ([RFC 7635 §7](https://www.rfc-editor.org/rfc/rfc7635#section-7)).
const DELTA: Duration = Duration::from_secs(5);

/// Opens access tokens.
///
/// A token says what it grants, not to whom, and its `kid` is common to all. So each token is a user of its own, whose
/// [`account`](User::account) is the kid and a hash of the token's key: quotas keep the owner of one token from taking what is
/// there for all; how many tokens somebody gets is for the authorization server to limit.
pub struct AccessTokens {
    server_name: Box<str>,
    clock: WallClock,
    keys: BTreeMap<Box<str>, AesGcm>,
}

/// What a token grants.
struct Grant {
    mac_key: PasswordHash,
    /// Since 1970.
    made: Duration,
    lifetime: Duration,
}

impl AccessTokens {
    /// `server_name` is what the server calls itself in THIRD-PARTY-AUTHORIZATION; `clock` tells the world's time at
    /// the driver's epoch.
    pub fn new(server_name: &str, clock: WallClock) -> Self {
        Self {
            server_name: server_name.into(),
            clock,
            keys: BTreeMap::new(),
        }
    }

    /// A key for A128GCM.
    pub fn insert_128(&mut self, kid: &str, key: &[u8; 16]) {
        self.keys.insert(kid.into(), AesGcm::new_128(key));
    }

    /// A key for A256GCM.
    pub fn insert_256(&mut self, kid: &str, key: &[u8; 32]) {
        self.keys.insert(kid.into(), AesGcm::new_256(key));
    }

    /// Makes a token, as the authorization server does: `made` is the time since 1970, `nonce` must never be used
    /// again with the same key. `None` when there is no such key, or `mac_key` is longer than 32 bytes.
    pub fn seal(
        &self,
        kid: &str,
        nonce: &[u8; NONCE_LEN],
        mac_key: &[u8],
        made: Duration,
        lifetime: Duration,
    ) -> Option<Vec<u8>> {
        PasswordHash::from_mac_key(mac_key)?;
        let fraction = u64::from(made.subsec_nanos()) * 64_000 / 1_000_000_000;
        let mut block = Vec::new();
        block.extend_from_slice(&(mac_key.len() as u16).to_be_bytes());
        block.extend_from_slice(mac_key);
        block.extend_from_slice(&(made.as_secs() << 16 | fraction).to_be_bytes());
        block.extend_from_slice(&u32::try_from(lifetime.as_secs()).ok()?.to_be_bytes());
        let key = self.keys.get(kid)?;
        let mut tag = [0; TAG_LEN];
        key.seal(nonce, self.server_name.as_bytes(), &mut block, &mut tag)
            .ok()?;
        let mut token = Vec::new();
        token.extend_from_slice(&(NONCE_LEN as u16).to_be_bytes());
        token.extend_from_slice(nonce);
        token.extend_from_slice(&block);
        token.extend_from_slice(&tag);
        Some(token)
    }

    fn open(&self, kid: &str, token: &[u8]) -> Option<Grant> {
        let key = self.keys.get(kid)?;
        let mut reader = Reader::new(token);
        let len = usize::from(reader.u16().ok()?);
        let nonce = reader.take(len).ok()?.try_into().ok()?;
        let mut sealed: Vec<u8> = reader.rest().into();
        let name = self.server_name.as_bytes();
        let len = key.open_with_tag(nonce, name, &mut sealed).ok()?;
        let mut reader = Reader::new(sealed.get(..len)?);
        let len = usize::from(reader.u16().ok()?);
        let mac_key = PasswordHash::from_mac_key(reader.take(len).ok()?)?;
        let timestamp = reader.u64().ok()?;
        let lifetime = Duration::from_secs(reader.u32().ok()?.into());
        reader.finish().ok()?;
        Some(Grant {
            mac_key,
            made: Duration::from_secs(timestamp >> 16),
            lifetime,
        })
    }
}

impl Users for AccessTokens {
    fn user(&self, now: Instant, _: &str, claim: &Claim<'_>) -> Option<User> {
        let (Name::Username(kid), Some(token)) = (claim.name, claim.access_token) else {
            return None;
        };
        let grant = self.open(kid, token)?;
        let unix = self.clock.unix(now);
        // RFC 7635 §7: lifetime + Delta > abs(RDnew - TS)
        let age = unix.abs_diff(grant.made);
        let left = (grant.lifetime + DELTA).checked_sub(age)?;
        let mut user = User::new(kid, grant.mac_key);
        user.expires = Some(now + left);
        user.account = Some(account(kid, &user.secret));
        (!left.is_zero()).then_some(user)
    }
}

/// The kid, and eight bytes of the hash of the token's key: enough to tell tokens apart, too few to learn the key from.
fn account(kid: &str, mac_key: &PasswordHash) -> Box<str> {
    let hash = sha256(&[mac_key.as_bytes()]);
    let id = hash.first_chunk().copied().map_or(0, u64::from_be_bytes);
    format!("{kid}:{id:016x}").into()
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessTokens({} keys)", self.keys.len())
    }
}

#[cfg(test)]
mod tests {
    use std::string::String;

    use super::*;
    use crate::value::PasswordAlgorithm;

    const MADE: Duration = Duration::from_secs(1_700_000_000);

    fn tokens() -> AccessTokens {
        let mut tokens = AccessTokens::new("turn.example.org", WallClock::new(MADE));
        tokens.insert_256("north", b"12345678901234567890123456789012");
        tokens.insert_128("south", b"1234567890123456");
        tokens
    }

    fn claim<'m>(kid: &'m str, token: &'m [u8]) -> Claim<'m> {
        Claim {
            name: Name::Username(kid),
            algorithm: PasswordAlgorithm::Md5,
            access_token: Some(token),
        }
    }

    #[test]
    fn a_token_opens_for_its_server_key_and_time() {
        let tokens = tokens();
        let at = |seconds: u64| Instant::from_millis(seconds * 1000);
        for kid in ["north", "south"] {
            let mac_key = [7; 20];
            let lifetime = Duration::from_secs(100);
            let token = tokens
                .seal(kid, &[1; 12], &mac_key, MADE, lifetime)
                .unwrap();
            let user = tokens.user(at(0), "", &claim(kid, &token)).unwrap();
            assert!(Some(user.secret) == PasswordHash::from_mac_key(&mac_key));
            assert_eq!(user.expires, Some(at(105)));
            assert!(tokens.user(at(104), "", &claim(kid, &token)).is_some());
            assert!(tokens.user(at(105), "", &claim(kid, &token)).is_none());
            let made = MADE + Duration::from_secs(105);
            let future = tokens
                .seal(kid, &[1; 12], &mac_key, made, lifetime)
                .unwrap();
            assert!(tokens.user(at(0), "", &claim(kid, &future)).is_none());
            assert!(tokens.user(at(1), "", &claim(kid, &future)).is_some());
            assert!(tokens.user(at(0), "", &claim("east", &token)).is_none());
            for bit in 0..token.len() * 8 {
                let mut forged = token.clone();
                forged[bit / 8] ^= 1 << (bit % 8);
                assert!(tokens.user(at(0), "", &claim(kid, &forged)).is_none());
            }
            for len in 0..token.len() {
                assert!(tokens.user(at(0), "", &claim(kid, &token[..len])).is_none());
            }
            let mut other = AccessTokens::new("another.example.org", WallClock::new(MADE));
            other.insert_256("north", b"12345678901234567890123456789012");
            other.insert_128("south", b"1234567890123456");
            assert!(other.user(at(0), "", &claim(kid, &token)).is_none());
        }
        let account = |kid: &str, mac_key: &[u8]| {
            let token = tokens.seal(kid, &[1; 12], mac_key, MADE, DELTA).unwrap();
            let user = tokens.user(at(0), "", &claim(kid, &token)).unwrap();
            assert_eq!(*user.username, *kid);
            String::from(user.account())
        };
        let one = account("north", &[7; 20]);
        assert!(one.starts_with("north:") && one.len() == 22, "{one}");
        assert_eq!(one, account("north", &[7; 20]));
        assert_ne!(one, account("north", &[8; 20]));
        assert!(
            tokens
                .seal("north", &[1; 12], &[0; 33], MADE, DELTA)
                .is_none()
        );
    }
}
