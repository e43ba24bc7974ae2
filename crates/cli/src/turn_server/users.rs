//! Who may use the server.

use std::sync::{PoisonError, RwLock};

use rtckit::Provider;
use rtckit_proto::{Instant, WallClock};
use rtckit_stun::{AccessTokens, Claim, SharedSecret, StaticUsers, User, Users};

use super::Options;
use crate::failure::Failure;

/// The users of the options: a list, those whom a secret vouches for, and whoever has a token.
#[derive(Debug)]
struct AllUsers {
    named: StaticUsers,
    secrets: Vec<SharedSecret>,
    tokens: AccessTokens,
}

impl AllUsers {
    /// Offers whoever `claim` may name.
    fn offer(
        &self,
        now: Instant,
        realm: &str,
        claim: &Claim<'_>,
        accept: &mut dyn FnMut(User) -> bool,
    ) {
        if claim.access_token.is_some() {
            return self.tokens.offer(now, realm, claim, accept);
        }
        if let Some(user) = self.named.user(now, realm, claim) {
            accept(user);
            return;
        }
        // several secrets are there while one replaces the other; which one a name was made with does not show
        let mut users = self.secrets.iter();
        let _ = users.find(|secret| secret.user(now, realm, claim).is_some_and(&mut *accept));
    }
}

/// Users that can be replaced while the server runs. They are looked up for requests, not for packets.
#[derive(Debug)]
pub(super) struct Register {
    users: RwLock<AllUsers>,
    clock: WallClock,
}

impl Users for Register {
    fn user(&self, now: Instant, realm: &str, claim: &Claim<'_>) -> Option<User> {
        let mut first = None;
        self.offer(now, realm, claim, &mut |user| {
            first = Some(user);
            true
        });
        first
    }

    fn offer(
        &self,
        now: Instant,
        realm: &str,
        claim: &Claim<'_>,
        accept: &mut dyn FnMut(User) -> bool,
    ) {
        let users = self.users.read().unwrap_or_else(PoisonError::into_inner);
        users.offer(now, realm, claim, accept);
    }
}

impl Register {
    /// The users, and the one that was made up, if nobody is named.
    pub(super) fn new(
        options: &Options,
        clock: WallClock,
    ) -> Result<(Self, Option<String>), Failure> {
        let mut users = read(options, clock)?;
        let mut made_up = None;
        if !names_anybody(options) {
            let mut bytes = [0; 12];
            Provider::ring()
                .fill_random(&mut bytes)
                .map_err(|_| Failure::new("the system has no randomness"))?;
            let password: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            users.named.insert("rtckit", &password);
            made_up = Some(format!("rtckit:{password}"));
        }
        let users = RwLock::new(users);
        Ok((Self { users, clock }, made_up))
    }

    /// Takes the users of other options from now on.
    pub(super) fn replace(&self, options: &Options) -> Result<(), Failure> {
        if !names_anybody(options) {
            return Err(Failure::new("there would be no users"));
        }
        let users = read(options, self.clock)?;
        *self.users.write().unwrap_or_else(PoisonError::into_inner) = users;
        Ok(())
    }
}

fn names_anybody(options: &Options) -> bool {
    let lists = [&options.user, &options.secret, &options.token_key];
    lists.iter().any(|list| !list.is_empty())
}

fn read(options: &Options, clock: WallClock) -> Result<AllUsers, Failure> {
    let mut named = StaticUsers::new(options.realm());
    for user in &options.user {
        let (name, password) = user
            .split_once(':')
            .filter(|(name, password)| !name.is_empty() && !password.is_empty())
            .ok_or_else(|| Failure::new("--user: expected NAME:PASSWORD").with_code(2))?;
        named.insert(name, password);
    }
    let secret = |secret: &String| match SharedSecret::new(secret.as_bytes(), clock) {
        secret if options.end_at_expiry => secret.end_at_expiry(),
        secret => secret,
    };
    let mut tokens = AccessTokens::new(options.token_server(), clock);
    for key in &options.token_key {
        insert_key(&mut tokens, key).map_err(|what| Failure::new(what).with_code(2))?;
    }
    Ok(AllUsers {
        named,
        secrets: options.secret.iter().map(secret).collect(),
        tokens,
    })
}

/// Reads a key of tokens. What is wrong with it is said without showing it.
fn insert_key(tokens: &mut AccessTokens, text: &str) -> Result<(), &'static str> {
    let mut parts = text.splitn(3, ':');
    let (Some(kid), Some(algorithm), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("--token-key: expected KID:ALGORITHM:KEY");
    };
    if kid.is_empty() {
        return Err("--token-key: expected KID:ALGORITHM:KEY");
    }
    let key = base64(key).ok_or("--token-key: the key is not base64")?;
    match algorithm {
        "A128GCM" => {
            let key = key.as_slice().try_into();
            tokens.insert_128(kid, key.map_err(|_| "--token-key: A128GCM has 16 bytes")?);
        }
        "A256GCM" => {
            let key = key.as_slice().try_into();
            tokens.insert_256(kid, key.map_err(|_| "--token-key: A256GCM has 32 bytes")?);
        }
        _ => return Err("--token-key: the algorithm is A128GCM or A256GCM"),
    }
    Ok(())
}

/// Base64 with or without its padding.
fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for digit in text.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    // six bits that are left are a digit too many, others are zero
    (bits < 6 && held == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read() {
        assert_eq!(base64("").unwrap(), b"");
        assert_eq!(base64("MTIz").unwrap(), b"123");
        assert_eq!(base64("MTIzNA==").unwrap(), b"1234");
        assert_eq!(base64("MTIzNDU").unwrap(), b"12345");
        assert_eq!(base64("__-_").unwrap(), [0xff, 0xff, 0xbf]);
        for wrong in ["M", "MTIzNB==", "MT Iz", "MTIz:"] {
            assert_eq!(base64(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn keys_of_tokens() {
        let mut tokens = AccessTokens::new("here", WallClock::new(core::time::Duration::ZERO));
        let mut insert = |text| insert_key(&mut tokens, text);
        assert_eq!(insert("union:A128GCM:MTIzNDU2Nzg5MDEyMzQ1Ng=="), Ok(()));
        for (text, what) in [
            ("union", "expected"),
            (":A128GCM:MTIzNDU2Nzg5MDEyMzQ1Ng==", "expected"),
            ("union:A128GCM:?", "base64"),
            ("union:A128GCM:MTIz", "16 bytes"),
            ("union:A256GCM:MTIz", "32 bytes"),
            ("union:A128CBC:MTIz", "the algorithm"),
        ] {
            assert!(insert(text).unwrap_err().contains(what), "{text}");
        }
    }
}
