//! Who may use the server.

use rtckit::Provider;
use rtckit_proto::{Instant, WallClock};
use rtckit_stun::{Claim, SharedSecret, StaticUsers, User, Users};

use super::Options;
use crate::failure::Failure;

/// The users of the options: a list, and those whom a secret vouches for.
#[derive(Debug)]
pub(super) struct AllUsers {
    named: StaticUsers,
    secrets: Vec<SharedSecret>,
}

impl Users for AllUsers {
    fn user(&self, now: Instant, realm: &str, claim: &Claim<'_>) -> Option<User> {
        // two secrets are there while one replaces the other; which one a name was made with does not show, so the
        // first counts
        let vouched = || {
            let mut users = self.secrets.iter();
            users.find_map(|secret| secret.user(now, realm, claim))
        };
        self.named.user(now, realm, claim).or_else(vouched)
    }
}

/// The users, and the one that was made up, if nobody is named.
pub(super) fn users(
    options: &Options,
    realm: &str,
    clock: WallClock,
) -> Result<(AllUsers, Option<String>), Failure> {
    let mut named = StaticUsers::new(realm);
    for user in &options.user {
        let (name, password) = user
            .split_once(':')
            .filter(|(name, password)| !name.is_empty() && !password.is_empty())
            .ok_or_else(|| Failure::new("--user: expected NAME:PASSWORD"))?;
        named.insert(name, password);
    }
    let secret = |secret: &String| SharedSecret::new(secret.as_bytes(), clock);
    let secrets: Vec<_> = options.secret.iter().map(secret).collect();
    let mut made_up = None;
    if named.is_empty() && secrets.is_empty() {
        let mut bytes = [0; 12];
        Provider::ring()
            .fill_random(&mut bytes)
            .map_err(|_| Failure::new("the system has no randomness"))?;
        let password: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        named.insert("rtckit", &password);
        made_up = Some(format!("rtckit:{password}"));
    }
    Ok((AllUsers { named, secrets }, made_up))
}
