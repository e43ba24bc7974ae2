//! The server's side of long-term credentials
//! ([RFC 8489 §9.2.4](https://www.rfc-editor.org/rfc/rfc8489#section-9.2.4)).
//!
//! It remembers nothing of a client: a nonce tells for whom and when it was made. The nonce is looked at before the
//! user is, other than the RFC has it: what cannot be an answer to our challenge costs one HMAC and no look-up.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::ops::Deref;
use core::time::Duration;

use rtckit_proto::Instant;

use crate::attribute::{AttributeType, ErrorCode};
use crate::error::Error;
use crate::integrity::{IntegrityKey, PasswordHash, userhash};
use crate::message::Message;
use crate::nonce::{Features, Freshness, NonceSecret, Nonces};
use crate::value::PasswordAlgorithm;
use crate::writer::MessageWriter;

/// How a server asks for credentials.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuthenticationConfig {
    /// REALM, at most 763 bytes; usually a domain name.
    pub realm: Box<str>,
    /// PASSWORD-ALGORITHMS, in order of preference; none to offer none. SHA-256, then MD5. Clients older than
    /// RFC 8489 ignore it and use MD5.
    pub algorithms: Vec<PasswordAlgorithm>,
    /// Whether clients that know it have to send USERHASH instead of USERNAME.
    pub is_anonymous: bool,
    /// How long a nonce is good, at most 4096 s. 600 s.
    pub nonce_lifetime: Duration,
    /// The server's name, when it takes access tokens
    /// ([RFC 7635 §4](https://www.rfc-editor.org/rfc/rfc7635#section-4)).
    pub third_party: Option<Box<str>>,
}

impl AuthenticationConfig {
    /// The defaults, for `realm`.
    pub fn new(realm: &str) -> Self {
        Self {
            realm: realm.into(),
            algorithms: [PasswordAlgorithm::Sha256, PasswordAlgorithm::Md5].into(),
            is_anonymous: false,
            nonce_lifetime: Duration::from_secs(600),
            third_party: None,
        }
    }
}

/// Who a request says it comes from; not verified yet.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Claim<'m> {
    /// The user.
    pub name: Name<'m>,
    /// How the password was hashed.
    pub algorithm: PasswordAlgorithm,
    /// ACCESS-TOKEN of RFC 7635; `name` is then the id of the key that opens it.
    pub access_token: Option<&'m [u8]>,
}

impl Claim<'_> {
    /// Whether this is who it claims to be: `username` of `realm`, told as it is or as a hash.
    pub fn names(&self, username: &str, realm: &str) -> bool {
        match self.name {
            Name::Username(name) => name == username,
            Name::Userhash(hash) => hash == userhash(username, realm),
        }
    }

    /// The user of `realm` with that name and password, for whom this is claimed.
    pub fn user(&self, username: &str, realm: &str, password: &str) -> User {
        let secret = PasswordHash::new(self.algorithm, username, realm, password);
        User::new(username, secret)
    }
}

/// The name of a user, as a request gives it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 8489 has two")]
pub enum Name<'m> {
    /// USERNAME.
    Username(&'m str),
    /// USERHASH: SHA-256 of `username ":" realm`; see [`userhash`](crate::userhash).
    Userhash([u8; 32]),
}

impl core::fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Username(_) => "Username([redacted])",
            Self::Userhash(_) => "Userhash([redacted])",
        })
    }
}

/// A user that [`Users`] knows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct User {
    /// The name, also where the request gave a hash; of a token, whatever its owner is known by.
    pub username: Box<str>,
    /// The hash of the password by the algorithm that was asked for, or the key of the token.
    pub secret: PasswordHash,
    /// When the credentials end: nothing is granted beyond.
    pub expires: Option<Instant>,
    /// Whose the credentials are, where one person may have many usernames: what quotas go by. None: `username`.
    pub account: Option<Box<str>>,
}

impl User {
    /// A user whose credentials do not end.
    pub fn new(username: &str, secret: PasswordHash) -> Self {
        Self {
            username: username.into(),
            secret,
            expires: None,
            account: None,
        }
    }

    /// Whose the credentials are: the account, else the name.
    pub fn account(&self) -> &str {
        self.account.as_deref().unwrap_or(&self.username)
    }

    fn has_ended(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// Who may use a server. It is asked once per authenticated request and may not block.
pub trait Users {
    /// The user `claim` names, with the hash of the password in `realm` by `claim.algorithm`; `None` when there is
    /// none, or its credentials have ended at `now`.
    fn user(&self, now: Instant, realm: &str, claim: &Claim<'_>) -> Option<User>;

    /// Offers all users that `claim` may name, until `accept` takes one. There is one as a rule; there are more where a
    /// name does not show which of several secrets its password was made with.
    fn offer(
        &self,
        now: Instant,
        realm: &str,
        claim: &Claim<'_>,
        accept: &mut dyn FnMut(User) -> bool,
    ) {
        if let Some(user) = self.user(now, realm, claim) {
            accept(user);
        }
    }
}

/// References, boxes and what else leads to users.
impl<P: Deref<Target: Users>> Users for P {
    fn user(&self, now: Instant, realm: &str, claim: &Claim<'_>) -> Option<User> {
        (**self).user(now, realm, claim)
    }

    fn offer(
        &self,
        now: Instant,
        realm: &str,
        claim: &Claim<'_>,
        accept: &mut dyn FnMut(User) -> bool,
    ) {
        (**self).offer(now, realm, claim, accept);
    }
}

/// What a request proved.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every server has to handle each of them"
)]
pub enum Authentication {
    /// It comes from this user.
    Verified(Verified),
    /// 401 or 438: to be answered with [`Authenticator::write_challenge`].
    Challenge(ErrorCode<'static>),
    /// 400: to be answered without a challenge.
    BadRequest,
}

/// A user whose request was verified, and the key its response is signed with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Verified {
    /// Who it is, and what its requests are verified with: fit to be kept and given to
    /// [`Authenticator::verify_again`].
    pub user: User,
    /// Signs the response.
    pub response_key: IntegrityKey,
}

/// Challenges clients and verifies their requests.
#[derive(Clone, Debug)]
pub struct Authenticator {
    config: AuthenticationConfig,
    nonces: Nonces,
}

impl Authenticator {
    /// An authenticator; those of one server share the `secret`.
    pub fn new(config: AuthenticationConfig, secret: &NonceSecret) -> Self {
        let features = Features {
            password_algorithms: !config.algorithms.is_empty(),
            username_anonymity: config.is_anonymous,
        };
        Self {
            nonces: Nonces::new(secret, features, config.nonce_lifetime),
            config,
        }
    }

    /// The realm.
    pub fn realm(&self) -> &str {
        &self.config.realm
    }

    /// Whether access tokens are taken.
    pub const fn takes_tokens(&self) -> bool {
        self.config.third_party.is_some()
    }

    /// What `request`, received from `source`, proves. It asks for users at most once.
    pub fn authenticate(
        &mut self,
        now: Instant,
        source: SocketAddr,
        request: &Message<'_>,
        users: &(impl Users + ?Sized),
    ) -> Authentication {
        self.check(now, source, request, |claim, realm, accept| {
            users.offer(now, realm, claim, accept);
        })
    }

    /// As [`authenticate`](Self::authenticate), for a user that was verified before: the password is not looked up
    /// again, so that what was begun goes on when it is changed. Credentials that end do end.
    pub fn verify_again(
        &mut self,
        now: Instant,
        source: SocketAddr,
        request: &Message<'_>,
        user: &User,
    ) -> Authentication {
        self.check(now, source, request, |_, _, accept| {
            if !user.has_ended(now) {
                accept(user.clone());
            }
        })
    }

    fn check(
        &mut self,
        now: Instant,
        source: SocketAddr,
        request: &Message<'_>,
        offer: impl FnOnce(&Claim<'_>, &str, &mut dyn FnMut(User) -> bool),
    ) -> Authentication {
        if !request.has_integrity() && !request.has_integrity_sha256() {
            return Authentication::Challenge(ErrorCode::UNAUTHENTICATED);
        }
        let (Some(name), Some(realm), Some(nonce)) =
            (name_of(request), request.realm(), request.nonce())
        else {
            return Authentication::BadRequest;
        };
        if self.nonces.check(now, source, nonce) != Freshness::Fresh {
            return Authentication::Challenge(ErrorCode::STALE_NONCE);
        }
        let Some(chosen) = self.chosen_algorithm(request) else {
            return Authentication::BadRequest;
        };
        let claim = Claim {
            name,
            algorithm: chosen.unwrap_or(PasswordAlgorithm::Md5),
            access_token: request
                .access_token()
                .filter(|_| self.config.third_party.is_some()),
        };
        let mut signed_by = None;
        if *realm == *self.config.realm {
            offer(&claim, realm, &mut |user| {
                signed_by = signer(request, user);
                signed_by.is_some()
            });
        }
        let Some(user) = signed_by else {
            return Authentication::Challenge(ErrorCode::UNAUTHENTICATED);
        };
        let response_key = match chosen {
            Some(_) => user.secret.sha256(),
            None => user.secret.sha1(),
        };
        Authentication::Verified(Verified { user, response_key })
    }

    /// The algorithm the client chose from those it was offered: `Some(None)` when it knows nothing of them, `None`
    /// when it was offered others than it repeats, or chose what was not offered.
    fn chosen_algorithm(&self, request: &Message<'_>) -> Option<Option<PasswordAlgorithm>> {
        let offered = request.attribute(AttributeType::PASSWORD_ALGORITHMS);
        let chosen = request.attribute(AttributeType::PASSWORD_ALGORITHM);
        match (offered, chosen) {
            (None, None) => Some(None),
            (Some(offered), Some(_)) => {
                let ours = self.config.algorithms.iter().map(|a| a.entry());
                let is_ours = offered.len() == 4 * self.config.algorithms.len()
                    && ours.zip(offered.chunks(4)).all(|(a, b)| a == b);
                let chosen = request.password_algorithm()?;
                (is_ours && self.config.algorithms.contains(&chosen)).then_some(Some(chosen))
            }
            _ => None,
        }
    }

    /// Whether `request` repeats a nonce that was made for `source`, be it stale by now: who sent it has heard what was
    /// sent there, or has it from somebody who did. Before that an address may be anybody's. Nonces are known for an
    /// hour at least.
    pub fn has_been_heard(
        &mut self,
        now: Instant,
        source: SocketAddr,
        request: &Message<'_>,
    ) -> bool {
        let nonce = request.nonce().unwrap_or_default();
        self.nonces.check(now, source, nonce) != Freshness::Foreign
    }

    /// Writes what a 401 or 438 carries beside its ERROR-CODE: REALM, NONCE and, as configured, PASSWORD-ALGORITHMS
    /// and THIRD-PARTY-AUTHORIZATION.
    ///
    /// # Errors
    /// Those of the [`MessageWriter`].
    pub fn write_challenge(
        &mut self,
        now: Instant,
        source: SocketAddr,
        writer: &mut MessageWriter<'_>,
    ) -> Result<(), Error> {
        writer.realm(&self.config.realm)?;
        writer.nonce(&self.nonces.make(now, source))?;
        if !self.config.algorithms.is_empty() {
            writer.password_algorithms(&self.config.algorithms)?;
        }
        if let Some(name) = &self.config.third_party {
            writer.third_party_authorization(name)?;
        }
        Ok(())
    }
}

fn name_of<'m>(request: &Message<'m>) -> Option<Name<'m>> {
    let username = request.username().map(Name::Username);
    username.or_else(|| request.userhash().map(Name::Userhash))
}

/// The user, if the request is signed with its secret, or as coturn's clients do it who have a token.
fn signer(request: &Message<'_>, mut user: User) -> Option<User> {
    if !is_signed_by(request, &user.secret) {
        let cut = user.secret.cut()?;
        if request.has_integrity_sha256() || !is_signed_by(request, &cut) {
            return None;
        }
        // responses are signed as requests are
        user.secret = cut;
    }
    Some(user)
}

/// Whether the stronger of the request's integrity attributes was made with `secret`.
fn is_signed_by(request: &Message<'_>, secret: &PasswordHash) -> bool {
    let key = if request.has_integrity_sha256() {
        secret.sha256()
    } else {
        secret.sha1()
    };
    request.verify(&key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::{Class, Method, TransactionId};
    use crate::users::StaticUsers;
    use rtckit_proto::SeededRandom;

    const SOURCE: &str = "192.0.2.1:1000";

    /// What a request with these attributes, signed with the right password, proves.
    fn outcome(
        fill: impl FnOnce(&mut MessageWriter<'_>, &[u8]) -> Result<(), Error>,
        algorithm: PasswordAlgorithm,
        by_sha256: bool,
    ) -> Result<Verified, u16> {
        let mut users = StaticUsers::new("r");
        users.insert("u", "p");
        outcome_for(&users, fill, algorithm, by_sha256)
    }

    fn outcome_for(
        users: &impl Users,
        fill: impl FnOnce(&mut MessageWriter<'_>, &[u8]) -> Result<(), Error>,
        algorithm: PasswordAlgorithm,
        by_sha256: bool,
    ) -> Result<Verified, u16> {
        let secret = NonceSecret::new(&mut SeededRandom::new(1));
        let mut authenticator = Authenticator::new(AuthenticationConfig::new("r"), &secret);
        let source = SOURCE.parse().unwrap();
        let nonce = authenticator.nonces.make(Instant::ZERO, source);
        let mut buf = [0; 600];
        let id = TransactionId([1; 12]);
        let mut writer = MessageWriter::new(&mut buf, Class::Request, Method::BINDING, id).unwrap();
        fill(&mut writer, &nonce).unwrap();
        let hash = PasswordHash::new(algorithm, "u", "r", "p");
        let key = if by_sha256 {
            hash.sha256()
        } else {
            hash.sha1()
        };
        writer.sign(&key).unwrap();
        let len = writer.finish();
        let request = Message::parse(&buf[..len]).unwrap();
        match authenticator.authenticate(Instant::ZERO, source, &request, users) {
            Authentication::Verified(user) => Ok(user),
            Authentication::Challenge(error) => Err(error.code),
            Authentication::BadRequest => Err(400),
        }
    }

    fn named(writer: &mut MessageWriter<'_>, nonce: &[u8]) -> Result<(), Error> {
        writer.username("u")?;
        writer.realm("r")?;
        writer.nonce(nonce)
    }

    const OFFERED: [PasswordAlgorithm; 2] = [PasswordAlgorithm::Sha256, PasswordAlgorithm::Md5];

    #[test]
    fn every_kind_of_client_is_verified() {
        let (md5, sha256) = (PasswordAlgorithm::Md5, PasswordAlgorithm::Sha256);
        // of RFC 5389: answered in kind
        let user = outcome(named, md5, false).unwrap();
        assert!(matches!(user.response_key, IntegrityKey::Sha1(_)));
        let user = outcome(named, md5, true).unwrap();
        assert!(matches!(user.response_key, IntegrityKey::Sha1(_)));
        for algorithm in [md5, sha256] {
            let chosen = |writer: &mut MessageWriter<'_>, nonce: &[u8]| {
                named(writer, nonce)?;
                writer.password_algorithms(&OFFERED)?;
                writer.password_algorithm(algorithm)
            };
            let user = outcome(chosen, algorithm, true).unwrap();
            assert!(matches!(user.response_key, IntegrityKey::Sha256(_)));
            assert_eq!(&*user.user.username, "u");
        }
    }

    /// Users that are asked for one realm do not have to look whether it is theirs.
    #[test]
    fn another_realm_is_nobodys() {
        struct Anywhere;
        impl Users for Anywhere {
            fn user(&self, _: Instant, _: &str, claim: &Claim<'_>) -> Option<User> {
                Some(claim.user("u", "r", "p"))
            }
        }
        let md5 = PasswordAlgorithm::Md5;
        let code = |realm| {
            let fill = |writer: &mut MessageWriter<'_>, nonce: &[u8]| {
                writer.username("u")?;
                writer.realm(realm)?;
                writer.nonce(nonce)
            };
            outcome_for(&Anywhere, fill, md5, true).err()
        };
        assert_eq!((code("r"), code("another")), (None, Some(401)));
    }

    #[test]
    fn what_was_left_out_or_made_up() {
        let md5 = PasswordAlgorithm::Md5;
        type Fill<'f> = &'f dyn Fn(&mut MessageWriter<'_>, &[u8]) -> Result<(), Error>;
        let code = |fill: Fill<'_>| outcome(fill, md5, true).map(drop).unwrap_err();
        assert_eq!(code(&|writer, _| writer.username("u")), 400);
        assert_eq!(code(&|writer, nonce| writer.nonce(nonce)), 400);
        let stale = |writer: &mut MessageWriter<'_>, _: &[u8]| named(writer, b"obMatJos2gAAAx");
        assert_eq!(code(&stale), 438);
        assert_eq!(
            code(&|writer, nonce| {
                writer.username("nobody")?;
                writer.realm("r")?;
                writer.nonce(nonce)
            }),
            401
        );
        assert_eq!(
            code(&|writer, nonce| {
                writer.username("u")?;
                writer.realm("another")?;
                writer.nonce(nonce)
            }),
            401
        );
        // bidding down: one without the other, another list, what was not offered
        assert_eq!(
            code(&|writer, nonce| {
                named(writer, nonce)?;
                writer.password_algorithm(md5)
            }),
            400
        );
        assert_eq!(
            code(&|writer, nonce| {
                named(writer, nonce)?;
                writer.password_algorithms(&OFFERED)
            }),
            400
        );
        assert_eq!(
            code(&|writer, nonce| {
                named(writer, nonce)?;
                writer.password_algorithms(&[md5])?;
                writer.password_algorithm(md5)
            }),
            400
        );
        assert_eq!(
            code(&|writer, nonce| {
                named(writer, nonce)?;
                writer.password_algorithms(&OFFERED)?;
                writer.attribute(AttributeType::PASSWORD_ALGORITHM, &[0, 9, 0, 0])
            }),
            400
        );
    }
}
