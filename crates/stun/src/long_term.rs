//! The client's side of long-term credentials: asked for them, it answers
//! ([RFC 8489 §9.2](https://www.rfc-editor.org/rfc/rfc8489#section-9.2)).
//!
//! ```text
//! 1. client -> server   request without credentials
//! 2. client <- server   401, REALM, NONCE (PASSWORD-ALGORITHMS)
//! 3. client -> server   request, USERNAME, REALM, NONCE (PASSWORD-ALGORITHM, -S), MESSAGE-INTEGRITY
//! 4. client <- server   response, MESSAGE-INTEGRITY       ... later requests start here, until
//! 5. client <- server   438, NONCE                        ... and again from 3 with the new nonce
//! ```

use alloc::boxed::Box;
use core::fmt;

use rtckit_proto::Redacted;

use crate::attribute::AttributeType;
use crate::error::Error;
use crate::header::{Class, Method};
use crate::integrity::{IntegrityKey, PasswordHash, userhash};
use crate::message::Message;
use crate::nonce::Features;
use crate::value::PasswordAlgorithm;
use crate::writer::MessageWriter;

/// The longest realm and nonce that are remembered, in bytes
/// ([RFC 8489 §14.9](https://www.rfc-editor.org/rfc/rfc8489#section-14.9)).
const MAX_LEN: usize = 763;

/// The longest PASSWORD-ALGORITHMS value that is repeated, in bytes.
const MAX_ALGORITHMS_LEN: usize = 64;

/// A user of long-term credentials, and what the server has asked of it.
///
/// ```
/// use rtckit_stun::{LongTermClient, MessageWriter, Class, Method, TransactionId};
///
/// let client = LongTermClient::new("alice", "secret");
/// let mut buf = [0; 512];
/// let mut writer = MessageWriter::new(&mut buf, Class::Request, Method::ALLOCATE, TransactionId([1; 12]))?;
/// client.write(&mut writer)?; // nothing yet: the server has not asked
/// assert_eq!(writer.finish(), 20);
/// # Ok::<(), rtckit_stun::Error>(())
/// ```
#[derive(Clone)]
pub struct LongTermClient {
    username: Box<str>,
    secret: Secret,
    challenge: Option<Challenge>,
}

#[derive(Clone)]
enum Secret {
    Password(Redacted<Box<str>>),
    /// RFC 7635: a token for the server, and the key that is inside it.
    Token {
        token: Redacted<Box<[u8]>>,
        mac_key: PasswordHash,
    },
}

/// What the server asked.
#[derive(Clone)]
struct Challenge {
    realm: Box<str>,
    nonce: Box<[u8]>,
    /// The value of PASSWORD-ALGORITHMS, to be repeated, and which of them was chosen.
    algorithms: Option<(Box<[u8]>, PasswordAlgorithm)>,
    is_anonymous: bool,
    key: IntegrityKey,
}

/// What a response means for the request it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every user has to handle each of them"
)]
pub enum Verdict {
    /// The response is to be taken as it is.
    Accepted,
    /// The server asked for credentials or gave a new nonce: the request is to be sent again, with a new transaction id.
    Retry,
    /// The server refuses these credentials; asking again would change nothing.
    Rejected,
    /// The server asks for credentials, but as nobody can answer: it gives no nonce or realm, or takes back what the
    /// nonce says it offers. So does one that asks for ever, which the caller counts.
    Unanswerable,
    /// Not from the server, or changed on the way: as if it had never come.
    Forged,
}

impl LongTermClient {
    /// A user with a password. Both have to be prepared already (OpaqueString of RFC 8265), which leaves ASCII as it
    /// is.
    pub fn new(username: &str, password: &str) -> Self {
        Self {
            username: username.into(),
            secret: Secret::Password(Redacted(password.into())),
            challenge: None,
        }
    }

    /// A user with a token of an authorization server
    /// ([RFC 7635 §5](https://www.rfc-editor.org/rfc/rfc7635#section-5)): `kid` names the key the token is encrypted
    /// with, `mac_key` is the key inside it. `None` when that is longer than 32 bytes.
    pub fn with_token(kid: &str, token: &[u8], mac_key: &[u8]) -> Option<Self> {
        Some(Self {
            username: kid.into(),
            secret: Secret::Token {
                token: Redacted(token.into()),
                mac_key: PasswordHash::from_mac_key(mac_key)?,
            },
            challenge: None,
        })
    }

    /// Whether requests carry credentials by now.
    pub const fn is_challenged(&self) -> bool {
        self.challenge.is_some()
    }

    /// The realm the server named.
    pub fn realm(&self) -> Option<&str> {
        self.challenge.as_ref().map(|challenge| &*challenge.realm)
    }

    /// Forgets what the server asked: for another server.
    pub fn reset(&mut self) {
        self.challenge = None;
    }

    /// Writes the credentials and the integrity attribute; nothing as long as the server has not asked.
    ///
    /// # Errors
    /// Those of the [`MessageWriter`].
    pub fn write(&self, writer: &mut MessageWriter<'_>) -> Result<(), Error> {
        let Some(challenge) = &self.challenge else {
            return Ok(());
        };
        if challenge.is_anonymous {
            writer.userhash(userhash(&self.username, &challenge.realm))?;
        } else {
            writer.username(&self.username)?;
        }
        writer.realm(&challenge.realm)?;
        writer.nonce(&challenge.nonce)?;
        if let Some((offered, chosen)) = &challenge.algorithms {
            writer.attribute(AttributeType::PASSWORD_ALGORITHMS, offered)?;
            writer.password_algorithm(*chosen)?;
        }
        if let Secret::Token { token, .. } = &self.secret
            && !is_about_allocation(writer.method())
        {
            writer.access_token(&token.0)?;
        }
        writer.sign(&challenge.key)
    }

    /// What `response` means for a request that was written when [`is_challenged`](Self::is_challenged) was
    /// `was_signed`. The caller has matched the transaction id.
    pub fn on_response(&mut self, response: &Message<'_>, was_signed: bool) -> Verdict {
        let features = response.nonce().and_then(Features::of);
        let is_bid_down = features.is_some_and(|features| features.password_algorithms)
            && response
                .attribute(AttributeType::PASSWORD_ALGORITHMS)
                .is_none();
        let code = match response.class() {
            Class::ErrorResponse => response.error_code().map(|error| error.code),
            _ => None,
        };
        match code {
            // RFC 8489 §9.2.5: somebody took the better algorithms away
            Some(401 | 438) if is_bid_down => Verdict::Unanswerable,
            Some(401) if was_signed => Verdict::Rejected,
            Some(401 | 438) => match self.answer(response, features) {
                Some(challenge) => {
                    self.challenge = Some(challenge);
                    Verdict::Retry
                }
                None => Verdict::Unanswerable,
            },
            _ if is_bid_down => Verdict::Forged,
            _ if !was_signed => Verdict::Accepted,
            _ => self.verify(response),
        }
    }

    fn verify(&self, response: &Message<'_>) -> Verdict {
        let is_ours = self
            .challenge
            .as_ref()
            .is_some_and(|challenge| response.verify(&challenge.key));
        if is_ours {
            Verdict::Accepted
        } else {
            Verdict::Forged
        }
    }

    /// The answer to a 401 or 438; `None` when there is none.
    fn answer(&self, response: &Message<'_>, features: Option<Features>) -> Option<Challenge> {
        let nonce = response.nonce().filter(|nonce| nonce.len() <= MAX_LEN)?;
        let last = self.challenge.as_ref();
        // a 438 of old servers names no realm
        let realm = response
            .realm()
            .or_else(|| last.map(|challenge| &*challenge.realm))
            .filter(|realm| realm.len() <= MAX_LEN)?;
        let offered = response
            .attribute(AttributeType::PASSWORD_ALGORITHMS)
            .filter(|offered| offered.len() <= MAX_ALGORITHMS_LEN);
        let algorithms = match offered {
            Some(offered) => Some((offered.into(), response.password_algorithms().next()?)),
            None => None,
        };
        let key = match (&self.secret, &algorithms) {
            (Secret::Token { mac_key, .. }, None) => mac_key.sha1(),
            (Secret::Token { mac_key, .. }, Some(_)) => mac_key.sha256(),
            (Secret::Password(password), None) => {
                let algorithm = PasswordAlgorithm::Md5;
                PasswordHash::new(algorithm, &self.username, realm, &password.0).sha1()
            }
            (Secret::Password(password), Some((_, algorithm))) => {
                PasswordHash::new(*algorithm, &self.username, realm, &password.0).sha256()
            }
        };
        Some(Challenge {
            realm: realm.into(),
            nonce: nonce.into(),
            algorithms,
            is_anonymous: matches!(self.secret, Secret::Password(_))
                && features.is_some_and(|features| features.username_anonymity),
            key,
        })
    }
}

/// Requests for which the server knows the token already
/// ([RFC 7635 §9](https://www.rfc-editor.org/rfc/rfc7635#section-9)).
fn is_about_allocation(method: Method) -> bool {
    [
        Method::CREATE_PERMISSION,
        Method::CHANNEL_BIND,
        Method::CONNECT,
    ]
    .contains(&method)
}

impl fmt::Debug for LongTermClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LongTermClient")
            .field("realm", &self.realm())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::ErrorCode;
    use crate::header::TransactionId;

    /// What a response with that nonce means, of which `offers` says whether it has PASSWORD-ALGORITHMS.
    fn verdict(class: Class, code: Option<u16>, nonce: &[u8], offers: bool) -> Verdict {
        let mut buf = [0; 200];
        let id = TransactionId([1; 12]);
        let mut writer = MessageWriter::new(&mut buf, class, Method::ALLOCATE, id).unwrap();
        if let Some(code) = code {
            let reason = "";
            writer.error_code(ErrorCode { code, reason }).unwrap();
        }
        writer.realm("r").unwrap();
        writer.nonce(nonce).unwrap();
        if offers {
            let offered = [PasswordAlgorithm::Sha256, PasswordAlgorithm::Md5];
            writer.password_algorithms(&offered).unwrap();
        }
        let len = writer.finish();
        let mut client = LongTermClient::new("u", "p");
        client.on_response(&Message::parse(&buf[..len]).unwrap(), false)
    }

    /// RFC 8489 §9.2.5: a nonce that says the server offers algorithms, in a response that does not.
    #[test]
    fn nobody_bids_down() {
        let (offering, plain) = (b"obMatJos2gAAAx", b"obMatJos2AAAAx");
        for (code, taken, refused) in [
            (Some(401), Verdict::Retry, Verdict::Unanswerable),
            (Some(438), Verdict::Retry, Verdict::Unanswerable),
            // others are thrown away, and the true one is waited for
            (Some(400), Verdict::Accepted, Verdict::Forged),
            (None, Verdict::Accepted, Verdict::Forged),
        ] {
            let class = match code {
                Some(_) => Class::ErrorResponse,
                None => Class::SuccessResponse,
            };
            assert_eq!(verdict(class, code, offering, true), taken, "{code:?}");
            assert_eq!(verdict(class, code, plain, false), taken, "{code:?}");
            assert_eq!(verdict(class, code, offering, false), refused, "{code:?}");
        }
    }
}
