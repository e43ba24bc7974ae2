//! What the credentials of one ICE session become: user names, keys, and the requests they sign.

use alloc::string::String;

use rtckit_crypto::mac::HmacSha1;
use rtckit_stun::{Class, Error as StunError, MessageWriter, Method, TransactionId};

use crate::credentials::Credentials;
use crate::role::Role;

/// Our side: what the peer's checks are verified with.
#[derive(Clone, Debug)]
pub(crate) struct LocalSession {
    pub(crate) credentials: Credentials,
    pub(crate) key: HmacSha1,
}

impl LocalSession {
    pub(crate) fn new(credentials: Credentials) -> Self {
        let key = credentials.key();
        Self { credentials, key }
    }

    /// Whether a check with this USERNAME is for us: our fragment, a colon, and the peer's
    /// ([RFC 8445 §7.2.2](https://www.rfc-editor.org/rfc/rfc8445#section-7.2.2)).
    pub(crate) fn is_addressed_by(&self, username: &str) -> bool {
        username
            .split_once(':')
            .is_some_and(|(ours, _)| ours == self.credentials.ufrag())
    }
}

/// The peer's side: what our checks are signed with.
#[derive(Clone, Debug)]
pub(crate) struct RemoteSession {
    pub(crate) credentials: Credentials,
    pub(crate) key: HmacSha1,
    username: String,
}

/// What varies from one request to the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) id: TransactionId,
    pub(crate) priority: u32,
    pub(crate) role: Role,
    pub(crate) tie_breaker: u64,
    pub(crate) use_candidate: bool,
}

impl RemoteSession {
    pub(crate) fn new(credentials: Credentials, local_ufrag: &str) -> Self {
        let key = credentials.key();
        let username = alloc::format!("{}:{local_ufrag}", credentials.ufrag());
        Self {
            credentials,
            key,
            username,
        }
    }

    /// Writes a connectivity check ([RFC 8445 §7.1](https://www.rfc-editor.org/rfc/rfc8445#section-7.1)).
    pub(crate) fn write(&self, request: Request, buf: &mut [u8]) -> Result<usize, StunError> {
        let mut writer = MessageWriter::new(buf, Class::Request, Method::BINDING, request.id)?;
        writer.username(&self.username)?;
        match request.role {
            Role::Controlling => writer.ice_controlling(request.tie_breaker)?,
            Role::Controlled => writer.ice_controlled(request.tie_breaker)?,
        }
        if request.use_candidate {
            writer.use_candidate()?;
        }
        writer.priority(request.priority)?;
        writer.integrity(&self.key)?;
        writer.fingerprint()?;
        Ok(writer.finish())
    }
}
