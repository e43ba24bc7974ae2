//! A client that asks one question: "where do you see me?"
//! ([RFC 8489 §6](https://www.rfc-editor.org/rfc/rfc8489#section-6)).

use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;

use alloc::boxed::Box;

use rtckit_proto::{Datagram, FiveTuple, Instant, Random, Transmit, Transport};

use crate::attribute::AttributeType;
use crate::header::{Class, Method, TransactionId};
use crate::long_term::{LongTermClient, Verdict};
use crate::message::Message;
use crate::transaction::{Retransmission, Step, Transaction};
use crate::writer::MessageWriter;

/// How many transactions one question may take: each challenge asks for another.
const MAX_ATTEMPTS: usize = 4;

/// The comprehension-required attributes of a Binding response.
const KNOWN: &[AttributeType] = &[
    AttributeType::XOR_MAPPED_ADDRESS,
    AttributeType::MAPPED_ADDRESS,
    AttributeType::ERROR_CODE,
    AttributeType::UNKNOWN_ATTRIBUTES,
    AttributeType::REALM,
    AttributeType::NONCE,
    AttributeType::MESSAGE_INTEGRITY,
    AttributeType::MESSAGE_INTEGRITY_SHA256,
    AttributeType::SOURCE_ADDRESS,
    AttributeType::CHANGED_ADDRESS,
    AttributeType::PADDING,
];

/// How a question ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every user has to handle each of them"
)]
pub enum Outcome {
    /// The server sees the client at this address; the time between, if the request was sent once.
    Mapped {
        /// The reflexive transport address.
        address: SocketAddr,
        /// The round-trip time.
        rtt: Option<Duration>,
    },
    /// The server sends its clients elsewhere (300)
    /// ([RFC 8489 §10](https://www.rfc-editor.org/rfc/rfc8489#section-10)). The user decides whether it was there before.
    Redirected {
        /// ALTERNATE-SERVER.
        server: SocketAddr,
        /// ALTERNATE-DOMAIN: the name a certificate of the other server has to bear.
        domain: Option<Box<str>>,
    },
    /// The server refused.
    Refused {
        /// ERROR-CODE.
        code: u16,
    },
    /// The server does not take the credentials.
    WrongCredentials,
    /// The server asks for credentials as nobody can answer: without a nonce, or with another one each time.
    BadChallenge,
    /// Answers came, none of them from who knows the password.
    Forged,
    /// The answer says nothing, or what nobody understands.
    BadResponse,
    /// No answer came.
    TimedOut,
}

/// A STUN client: one Binding request, repeated over UDP, with credentials if the server asks for them.
///
/// ```
/// use rtckit_proto::{Datagram, FiveTuple, Instant, SeededRandom};
/// use rtckit_stun::{Client, Outcome, respond};
///
/// let path = FiveTuple::udp("192.0.2.1:5000".parse()?, "192.0.2.2:3478".parse()?);
/// let mut client = Client::new(path, Instant::ZERO, &mut SeededRandom::new(1)); // take a secure source instead
/// let (mut request, mut response) = ([0; 1500], [0; 1500]);
/// let sent = client.poll_transmit(Instant::ZERO, &mut request).expect("the first request");
/// let len = respond(&request[sent.range], path.local, &mut response)?.expect("an answer");
/// client.handle_input(Instant::from_millis(20), Datagram::new(path, &mut response[..len]));
/// assert!(matches!(client.outcome(), Some(Outcome::Mapped { address, .. }) if *address == path.local));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Client {
    path: FiveTuple,
    credentials: Option<LongTermClient>,
    retransmission: Retransmission,
    ids: [TransactionId; MAX_ATTEMPTS],
    attempt: usize,
    transaction: Transaction,
    was_signed: bool,
    was_forged: bool,
    outcome: Option<Outcome>,
}

impl Client {
    /// Asks the server at the end of `path`, from `now` on. `random` has to be cryptographically secure.
    pub fn new(path: FiveTuple, now: Instant, random: &mut (impl Random + ?Sized)) -> Self {
        let retransmission = match path.transport {
            Transport::Udp => Retransmission::default(),
            _ => Retransmission::STREAM,
        };
        let ids: [_; MAX_ATTEMPTS] = core::array::from_fn(|_| TransactionId::new(random));
        let [first, ..] = ids;
        Self {
            path,
            credentials: None,
            retransmission,
            ids,
            attempt: 0,
            transaction: Transaction::new(first, now, retransmission),
            was_signed: false,
            was_forged: false,
            outcome: None,
        }
    }

    /// Answers a server that asks for credentials.
    #[must_use]
    pub fn with_credentials(mut self, credentials: LongTermClient) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Repeats the request otherwise than RFC 8489 has it; over a stream it is sent once in any case.
    #[must_use]
    pub fn with_retransmission(mut self, retransmission: Retransmission, now: Instant) -> Self {
        if self.path.transport == Transport::Udp {
            self.retransmission = retransmission;
            self.transaction = Transaction::new(self.transaction.id(), now, retransmission);
        }
        self
    }

    /// How it ended; `None` as long as it has not.
    pub const fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// A datagram, or a message of the stream. What is not the answer is left alone.
    pub fn handle_input(&mut self, now: Instant, datagram: Datagram<'_>) {
        let Ok(message) = Message::parse(datagram.data) else {
            return;
        };
        if self.outcome.is_some()
            || datagram.path.remote != self.path.remote
            || !self.transaction.is_answered_by(&message)
            || message.verify_fingerprint() == Some(false)
        {
            return;
        }
        let verdict = match &mut self.credentials {
            Some(credentials) => credentials.on_response(&message, self.was_signed),
            None => Verdict::Accepted,
        };
        match verdict {
            Verdict::Accepted => self.outcome = Some(self.read(now, &message)),
            Verdict::Rejected => self.outcome = Some(Outcome::WrongCredentials),
            Verdict::Unanswerable => self.outcome = Some(Outcome::BadChallenge),
            Verdict::Retry => {
                self.attempt += 1;
                match self.ids.get(self.attempt) {
                    Some(&id) => {
                        self.transaction = Transaction::new(id, now, self.retransmission);
                    }
                    None => self.outcome = Some(Outcome::BadChallenge),
                }
            }
            // over a stream nothing else will come
            Verdict::Forged if self.path.transport != Transport::Udp => {
                self.outcome = Some(Outcome::Forged);
            }
            Verdict::Forged => self.was_forged = true,
        }
    }

    fn read(&self, now: Instant, message: &Message<'_>) -> Outcome {
        if message.unknown_required(KNOWN).next().is_some() {
            return Outcome::BadResponse;
        }
        if message.class() == Class::SuccessResponse {
            let address = message.xor_mapped_address();
            return match address.or_else(|| message.mapped_address()) {
                Some(address) => Outcome::Mapped {
                    address,
                    rtt: self.transaction.rtt(now),
                },
                None => Outcome::BadResponse,
            };
        }
        let code = message.error_code().map_or(0, |error| error.code);
        match (code, message.alternate_server()) {
            (300, Some(server)) => Outcome::Redirected {
                server,
                domain: message.alternate_domain().map(Into::into),
            },
            (401, _) => Outcome::WrongCredentials,
            (0, _) => Outcome::BadResponse,
            _ => Outcome::Refused { code },
        }
    }

    /// Gives up when no answer came in time.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.outcome.is_none() && self.transaction.is_timed_out(now) {
            self.outcome = Some(if self.was_forged {
                Outcome::Forged
            } else {
                Outcome::TimedOut
            });
        }
    }

    /// Writes the request into `buf` when it is to be sent.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        self.handle_timeout(now);
        if self.outcome.is_some() || self.transaction.poll(now) != Step::Send {
            return None;
        }
        let id = self.transaction.id();
        let mut writer = MessageWriter::new(buf, Class::Request, Method::BINDING, id).ok()?;
        if let Some(credentials) = &self.credentials {
            self.was_signed = credentials.is_challenged();
            credentials.write(&mut writer).ok()?;
        }
        writer.fingerprint().ok()?;
        Some(Transmit::new(self.path, writer.finish()))
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.outcome
            .is_none()
            .then(|| self.transaction.poll_timeout())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("path", &self.path)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authentication::{Authentication, AuthenticationConfig, Authenticator};
    use crate::nonce::NonceSecret;
    use crate::users::StaticUsers;
    use rtckit_proto::SeededRandom;

    fn path() -> FiveTuple {
        FiveTuple::udp(
            "192.0.2.1:5000".parse().unwrap(),
            "192.0.2.2:3478".parse().unwrap(),
        )
    }

    /// A Binding server that asks for credentials.
    struct Strict {
        authenticator: Authenticator,
        users: StaticUsers,
    }

    impl Strict {
        fn new(change: impl FnOnce(&mut AuthenticationConfig)) -> Self {
            let mut config = AuthenticationConfig::new("r");
            change(&mut config);
            let mut users = StaticUsers::new("r");
            users.insert("u", "p");
            let secret = NonceSecret::new(&mut SeededRandom::new(5));
            Self {
                authenticator: Authenticator::new(config, &secret),
                users,
            }
        }

        fn answer(&mut self, now: Instant, request: &[u8], buf: &mut [u8]) -> usize {
            let request = Message::parse(request).unwrap();
            let source = path().local;
            let found = self
                .authenticator
                .authenticate(now, source, &request, &self.users);
            let start = |buf, class| {
                let id = request.transaction_id();
                MessageWriter::new(buf, class, Method::BINDING, id).unwrap()
            };
            match found {
                Authentication::Verified(user) => {
                    let mut writer = start(buf, Class::SuccessResponse);
                    writer.xor_mapped_address(source).unwrap();
                    writer.sign(&user.response_key).unwrap();
                    writer.finish()
                }
                Authentication::Challenge(error) => {
                    let mut writer = start(buf, Class::ErrorResponse);
                    writer.error_code(error).unwrap();
                    let authenticator = &mut self.authenticator;
                    authenticator
                        .write_challenge(now, source, &mut writer)
                        .unwrap();
                    writer.finish()
                }
                Authentication::BadRequest => panic!("our own client"),
            }
        }
    }

    /// Runs a client against a server, whose answers `change` may change; returns the outcome and how many answers
    /// were sent.
    fn run(
        mut client: Client,
        server: &mut Strict,
        mut change: impl FnMut(usize, &mut [u8], usize) -> usize,
    ) -> (Outcome, usize) {
        let (mut request, mut response) = ([0; 1500], [0; 1500]);
        let mut now = Instant::ZERO;
        let mut answers = 0;
        loop {
            if let Some(sent) = client.poll_transmit(now, &mut request) {
                let len = server.answer(now, &request[sent.range], &mut response);
                let len = change(answers, &mut response, len);
                answers += 1;
                client.handle_input(now, Datagram::new(path(), &mut response[..len]));
            } else if let Some(at) = client.poll_timeout() {
                now = at;
                client.handle_timeout(now);
            }
            if let Some(outcome) = client.outcome() {
                return (outcome.clone(), answers);
            }
        }
    }

    fn client(password: Option<&str>) -> Client {
        let client = Client::new(path(), Instant::ZERO, &mut SeededRandom::new(1));
        match password {
            Some(password) => client.with_credentials(LongTermClient::new("u", password)),
            None => client,
        }
    }

    fn mapped(outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::Mapped { address, .. } if *address == path().local)
    }

    #[test]
    fn asked_for_credentials_it_gives_them() {
        for anonymous in [false, true] {
            for algorithms in [
                &[][..],
                &[crate::PasswordAlgorithm::Md5],
                &[crate::PasswordAlgorithm::Sha256],
            ] {
                let mut server = Strict::new(|config| {
                    config.is_anonymous = anonymous;
                    config.algorithms = algorithms.into();
                });
                let (outcome, answers) = run(client(Some("p")), &mut server, |_, _, len| len);
                assert!(mapped(&outcome) && answers == 2, "{outcome:?}");
                let (outcome, answers) = run(client(Some("x")), &mut server, |_, _, len| len);
                assert_eq!((outcome, answers), (Outcome::WrongCredentials, 2));
            }
        }
        let mut server = Strict::new(|_| {});
        let (outcome, _) = run(client(None), &mut server, |_, _, len| len);
        assert_eq!(outcome, Outcome::WrongCredentials);
    }

    #[test]
    fn answers_that_were_changed_are_as_if_lost() {
        let mut server = Strict::new(|_| {});
        let (outcome, answers) = run(client(Some("p")), &mut server, |answer, bytes, len| {
            if answer > 0 {
                bytes[len - 1] ^= 1;
            }
            len
        });
        assert_eq!((outcome, answers), (Outcome::Forged, 8));
        let (outcome, answers) = run(client(Some("p")), &mut server, |answer, bytes, len| {
            if answer == 1 {
                bytes[len - 1] ^= 1;
            }
            len
        });
        assert!(mapped(&outcome) && answers == 3);
    }

    #[test]
    fn nobody_takes_the_better_algorithm_away() {
        let mut server = Strict::new(|_| {});
        let (outcome, answers) = run(client(Some("p")), &mut server, |_, bytes, len| {
            // PASSWORD-ALGORITHMS stands last, with 8 bytes of value
            let len = len - 12;
            bytes[2..4].copy_from_slice(&((len - 20) as u16).to_be_bytes());
            len
        });
        assert_eq!((outcome, answers), (Outcome::BadChallenge, 1));
    }

    #[test]
    fn silence_ends_it() {
        let mut client = client(None);
        let mut buf = [0; 100];
        let mut sent = 0;
        while let Some(at) = client.poll_timeout() {
            sent += usize::from(client.poll_transmit(at, &mut buf).is_some());
        }
        assert_eq!((client.outcome(), sent), (Some(&Outcome::TimedOut), 7));
    }

    #[test]
    fn answers_from_elsewhere_are_not_heard() {
        let mut client = client(None);
        let (mut buf, mut answer) = ([0; 100], [0; 100]);
        let sent = client.poll_transmit(Instant::ZERO, &mut buf).unwrap();
        let len = crate::respond(&buf[sent.range], path().local, &mut answer)
            .unwrap()
            .unwrap();
        let elsewhere = FiveTuple::udp(path().local, "192.0.2.3:3478".parse().unwrap());
        client.handle_input(Instant::ZERO, Datagram::new(elsewhere, &mut answer[..len]));
        assert_eq!(client.outcome(), None);
        client.handle_input(Instant::ZERO, Datagram::new(path(), &mut answer[..len]));
        assert!(mapped(client.outcome().unwrap()));
    }
}
