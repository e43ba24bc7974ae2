//! The client's end of a TCP connection with a peer: a stream to the server that is bound to it
//! ([RFC 6062 §4.3](https://www.rfc-editor.org/rfc/rfc6062#section-4.3)).

use rtckit_proto::Instant;
use rtckit_stun::{
    Class, LongTermClient, Message, MessageWriter, Method, Retransmission, Step, Transaction,
    TransactionId, Verdict,
};

use crate::client::{Failure, PeerConnectionId};

/// Binds a stream that the user has opened to the server. When it is [bound](DataConnectionState::Bound), everything
/// behind the message that said so is the peer's
/// ([`Frames::remainder`](rtckit_stun::Frames::remainder)), and the machine has done its work.
#[derive(Debug)]
pub struct DataConnection {
    credentials: LongTermClient,
    connection: PeerConnectionId,
    /// For this request and the ones that answer challenges.
    ids: [TransactionId; 3],
    attempt: usize,
    transaction: Transaction,
    was_signed: bool,
    state: DataConnectionState,
}

/// How far a [`DataConnection`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the whole of its life")]
pub enum DataConnectionState {
    /// The server has not answered.
    Binding,
    /// The stream is the peer's.
    Bound,
    /// The stream is of no use.
    Failed(Failure),
}

impl DataConnection {
    pub(super) const fn new(
        credentials: LongTermClient,
        connection: PeerConnectionId,
        ids: [TransactionId; 3],
        now: Instant,
    ) -> Self {
        let [first, ..] = ids;
        Self {
            credentials,
            connection,
            ids,
            attempt: 0,
            transaction: Transaction::new(first, now, Retransmission::STREAM),
            was_signed: false,
            state: DataConnectionState::Binding,
        }
    }

    /// How far it is.
    pub const fn state(&self) -> DataConnectionState {
        self.state
    }

    /// Writes the request into `buf`, and returns its length; 1400 bytes are enough.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<usize> {
        if self.state != DataConnectionState::Binding {
            return None;
        }
        match self.transaction.poll(now) {
            Step::Send => {}
            Step::Wait => return None,
            Step::TimedOut => {
                self.state = DataConnectionState::Failed(Failure::TimedOut);
                return None;
            }
        }
        self.was_signed = self.credentials.is_challenged();
        let id = self.transaction.id();
        let mut writer =
            MessageWriter::new(buf, Class::Request, Method::CONNECTION_BIND, id).ok()?;
        writer.connection_id(self.connection.0).ok()?;
        self.credentials.write(&mut writer).ok()?;
        Some(writer.finish())
    }

    /// A message of the stream; returns how far the connection is then.
    pub fn handle_input(&mut self, now: Instant, message: &[u8]) -> DataConnectionState {
        let Ok(message) = Message::parse(message) else {
            return self.state;
        };
        if self.state != DataConnectionState::Binding || !self.transaction.is_answered_by(&message)
        {
            return self.state;
        }
        self.state = match self.credentials.on_response(&message, self.was_signed) {
            Verdict::Accepted if message.class() == Class::SuccessResponse => {
                DataConnectionState::Bound
            }
            Verdict::Accepted => {
                let code = message.error_code().map_or(0, |error| error.code);
                DataConnectionState::Failed(Failure::Refused(code))
            }
            Verdict::Forged => DataConnectionState::Failed(Failure::Forged),
            Verdict::Rejected => DataConnectionState::Failed(Failure::WrongCredentials),
            Verdict::Unanswerable => DataConnectionState::Failed(Failure::BadChallenge),
            Verdict::Retry => {
                self.attempt += 1;
                match self.ids.get(self.attempt) {
                    Some(&id) => {
                        self.transaction = Transaction::new(id, now, Retransmission::STREAM);
                        DataConnectionState::Binding
                    }
                    None => DataConnectionState::Failed(Failure::BadChallenge),
                }
            }
        };
        self.state
    }

    /// When [`poll_transmit`](Self::poll_transmit) wants to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        (self.state == DataConnectionState::Binding).then(|| self.transaction.poll_timeout())
    }
}
