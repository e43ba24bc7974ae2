//! STUN server procedures: answering the peer's checks and learning from them
//! ([RFC 8445 §7.3](https://www.rfc-editor.org/rfc/rfc8445#section-7.3)).
//!
//! A request that is not authentic is dropped without an answer, where RFC 8489 §9.1.3 would have 400 or 401: the
//! agent's ports answer nobody but the peer.

use rtckit_proto::{FiveTuple, Instant, Transmit};
use rtckit_stun::{
    AttributeType, Class, Error as StunError, ErrorCode, Message, MessageWriter, Method,
    TransactionId,
};

use crate::agent::{Agent, MAX_RESPONSES};
use crate::candidate::{Candidate, Foundation};
use crate::pair::PairState;
use crate::role::{Conflict, Role, conflict};
use crate::session::LocalSession;

/// The comprehension-required attributes a check may carry.
const KNOWN: &[AttributeType] = &[
    AttributeType::USERNAME,
    AttributeType::MESSAGE_INTEGRITY,
    AttributeType::MESSAGE_INTEGRITY_SHA256,
    AttributeType::PRIORITY,
    AttributeType::USE_CANDIDATE,
];

/// What is acted upon of an authentic check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EarlyCheck {
    path: FiveTuple,
    priority: u32,
    use_candidate: bool,
}

/// An answer that waits to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Response {
    path: FiveTuple,
    id: TransactionId,
    answer: Answer,
    /// Whether it is to be signed with the session before the restart.
    previous: bool,
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Success,
    Error(ErrorCode<'static>),
    UnknownAttribute(AttributeType),
}

impl Agent {
    /// A check or consent check of the peer; `None` when it is dropped.
    pub(crate) fn on_request(
        &mut self,
        now: Instant,
        path: FiveTuple,
        message: &Message<'_>,
    ) -> Option<()> {
        self.checklist.local_at(path.local)?;
        let username = message.username()?;
        let is_addressed = |session: &&LocalSession| session.is_addressed_by(username);
        let current = Some(&self.local).filter(is_addressed);
        let session = current.or_else(|| self.previous.as_ref().filter(is_addressed))?;
        if !message.verify_integrity(&session.key) || self.responses.len() >= MAX_RESPONSES {
            tracing::debug!(?path, "check refused: forged, or too many at once");
            return None;
        }
        let previous = current.is_none();
        if let Some(selected) = &mut self.selected
            && selected.pair.path == path
        {
            selected.consent.on_heard(now);
        }
        let answer = if previous {
            Answer::Success
        } else {
            self.consider(now, path, message)
        };
        self.responses.push_back(Response {
            path,
            id: message.transaction_id(),
            answer,
            previous,
        });
        if let Some(pair) = self.checklist.pair_on(path) {
            pair.stats.requests_received += 1;
        }
        Some(())
    }

    /// Acts upon an authentic check and says how to answer it.
    fn consider(&mut self, now: Instant, path: FiveTuple, message: &Message<'_>) -> Answer {
        if let Some(unknown) = message.unknown_required(KNOWN).next() {
            return Answer::UnknownAttribute(unknown);
        }
        let Some(priority) = message.priority() else {
            return Answer::Error(ErrorCode::BAD_REQUEST);
        };
        match conflict(self.role, self.tie_breaker, message) {
            Conflict::Refuse => return Answer::Error(ErrorCode::ROLE_CONFLICT),
            Conflict::Switch => self.switch_role(),
            Conflict::None => {}
        }
        let check = EarlyCheck {
            path,
            priority,
            use_candidate: message.use_candidate(),
        };
        if self.remote.is_some() {
            self.on_check(now, check);
        } else {
            self.remember(check);
        }
        Answer::Success
    }

    /// Keeps a check until the peer's credentials are known; when there are too many, the answer has to do.
    fn remember(&mut self, check: EarlyCheck) {
        match self
            .early_checks
            .iter_mut()
            .find(|early| early.path == check.path)
        {
            Some(early) => early.use_candidate |= check.use_candidate,
            None => drop(self.early_checks.try_push(check)),
        }
    }

    /// Learns peer-reflexive candidates, triggers a check the other way, and notes the nomination
    /// ([RFC 8445 §7.3.1.3 to §7.3.1.5](https://www.rfc-editor.org/rfc/rfc8445#section-7.3.1.3)).
    pub(crate) fn on_check(&mut self, now: Instant, check: EarlyCheck) {
        let Some(remote) = self.remote_of(&check) else {
            return;
        };
        if self.checklist.pair_on(check.path).is_none()
            && let Some(local) = self.checklist.local_at(check.path.local)
        {
            self.checklist.insert(local, remote, self.role);
        }
        let nominated = check.use_candidate && self.role == Role::Controlled;
        let Some(pair) = self.checklist.pair_on(check.path) else {
            return;
        };
        let id = pair.id();
        if pair.state != PairState::Succeeded {
            pair.nominate |= nominated;
            self.checklist.trigger(id);
        } else if nominated {
            self.select(now, id);
        }
    }

    /// The remote candidate a check came from; a new peer-reflexive one, if it was never signalled
    /// ([RFC 8445 §7.3.1.3](https://www.rfc-editor.org/rfc/rfc8445#section-7.3.1.3)).
    fn remote_of(&mut self, check: &EarlyCheck) -> Option<usize> {
        if let Some(known) = self.checklist.remote_at(check.path.remote) {
            return Some(known);
        }
        if self.checklist.remote().len() >= self.config.max_remote_candidates {
            return None;
        }
        let foundation = Foundation::from_number(self.random.next_u32());
        let candidate =
            Candidate::peer_reflexive(check.path.remote, None, check.priority, foundation);
        tracing::debug!(address = %check.path.remote, "peer-reflexive remote candidate");
        Some(self.checklist.push_remote(candidate))
    }

    /// Writes the answer that waits longest.
    pub(crate) fn poll_response(&mut self, buf: &mut [u8]) -> Option<Transmit> {
        while let Some(response) = self.responses.pop_front() {
            let session = match &self.previous {
                Some(previous) if response.previous => previous,
                _ => &self.local,
            };
            if let Ok(len) = response.write(session, buf) {
                if let Some(pair) = self.checklist.pair_on(response.path) {
                    pair.stats.responses_sent += 1;
                }
                return Some(Transmit::new(response.path, len));
            }
        }
        None
    }
}

impl Response {
    fn write(&self, session: &LocalSession, buf: &mut [u8]) -> Result<usize, StunError> {
        let class = match self.answer {
            Answer::Success => Class::SuccessResponse,
            Answer::Error(_) | Answer::UnknownAttribute(_) => Class::ErrorResponse,
        };
        let mut writer = MessageWriter::new(buf, class, Method::BINDING, self.id)?;
        match self.answer {
            Answer::Success => writer.xor_mapped_address(self.path.remote)?,
            Answer::Error(error) => writer.error_code(error)?,
            Answer::UnknownAttribute(attribute_type) => {
                writer.error_code(ErrorCode::UNKNOWN_ATTRIBUTE)?;
                writer.unknown_attributes(core::iter::once(attribute_type))?;
            }
        }
        writer.integrity(&session.key)?;
        writer.fingerprint()?;
        Ok(writer.finish())
    }
}
