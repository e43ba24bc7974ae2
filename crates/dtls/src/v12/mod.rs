//! The DTLS 1.2 handshake ([RFC 6347 §4.2](https://www.rfc-editor.org/rfc/rfc6347#section-4.2)).
//!
//! ```text
//!    client                                         server
//!
//!    1. ClientHello               -------->
//!                                 <--------         2. HelloVerifyRequest   (if configured)
//!    3. ClientHello (with cookie) -------->
//!                                                   4. ServerHello
//!                                                      Certificate
//!                                                      ServerKeyExchange
//!                                                      CertificateRequest
//!                                 <--------            ServerHelloDone
//!    5. Certificate
//!       ClientKeyExchange
//!       CertificateVerify
//!       [ChangeCipherSpec]
//!       Finished                  -------->
//!                                                   6. [ChangeCipherSpec]
//!                                 <--------            Finished
//! ```
//!
//! A state owns what is known in it and nothing else. It takes a message of the one kind it expects and returns
//! the next state, having pushed its answers onto the flight. A message of another kind never reaches it: it is
//! noise, since nothing but Finished is authenticated when it arrives.

pub(crate) mod client;
pub(crate) mod server;

use rtckit_crypto::mac::constant_time_eq;
use rtckit_crypto::provider::SharedSecret;
use rtckit_crypto::secret::Secret;
use rtckit_proto::{FiveTuple, SrtpProfile};

use crate::error::{Error, PeerMisbehaved};
use crate::flight::Flight;
use crate::handshake::{Body, Finished, HandshakeType, Message};
use crate::key_schedule::{Randoms, TrafficKeys, master_secret, verify_data};
use crate::record::{Opener, RecordLayer};
use crate::transcript::Transcript;
use crate::{Config, Role};

/// Where a connection stands.
#[derive(Debug)]
pub(crate) enum State {
    Client(client::State),
    Server(server::State),
    /// Application data flows.
    Connected(Box<Session>),
    /// Failed, or closed by either side.
    Closed,
}

impl State {
    /// Whether a message of this type may come now.
    pub(crate) fn expects(&self, message_type: HandshakeType) -> bool {
        match self {
            Self::Client(state) => state.expects(message_type),
            Self::Server(state) => state.expects(message_type),
            Self::Connected(_) | Self::Closed => false,
        }
    }

    /// Takes a message that was expected; it is already the latest of the transcript.
    pub(crate) fn handle(self, cx: &mut Context<'_>, message: &Message<'_>) -> Result<Self, Error> {
        match self {
            Self::Client(state) => state.handle(cx, message),
            Self::Server(state) => state.handle(cx, message),
            Self::Connected(_) | Self::Closed => Ok(self),
        }
    }
}

/// What a state may read and change beside itself.
pub(crate) struct Context<'c> {
    pub(crate) config: &'c Config,
    pub(crate) path: FiveTuple,
    /// The number of the message that is being handled.
    pub(crate) message_seq: u16,
    pub(crate) transcript: &'c mut Transcript,
    pub(crate) flight: &'c mut Flight,
    pub(crate) records: &'c mut RecordLayer,
    pub(crate) opener: &'c mut Option<Opener>,
}

impl Context<'_> {
    /// Adds a message to the flight and to the transcript.
    fn send<'a, B: Body<'a>>(&mut self, body: &B) {
        self.transcript.push(self.flight.push(body));
    }

    /// Switches to the new keys and says that we saw the handshake so far.
    fn send_finished(&mut self, role: Role, master: &Secret<48>) {
        self.flight.push_change_cipher_spec();
        let provider = &self.config.provider;
        let hash = self.transcript.hash(provider);
        let verify_data = verify_data(provider, master, role, &hash);
        self.send(&Finished { verify_data });
    }

    /// Checks the Finished that `sender` has just sent.
    fn check_finished(
        &self,
        sender: Role,
        master: &Secret<48>,
        finished: &Finished,
    ) -> Result<(), Error> {
        let provider = &self.config.provider;
        let hash = self.transcript.hash_before_latest(provider);
        let expected = verify_data(provider, master, sender, &hash);
        constant_time_eq(&expected, &finished.verify_data)
            .then_some(())
            .ok_or_else(|| PeerMisbehaved::BadFinished.into())
    }

    /// Derives the keys once ClientKeyExchange is the latest message, and makes epoch 1 readable and writable.
    fn install_keys(
        &mut self,
        role: Role,
        negotiated: &Negotiated,
        shared: &SharedSecret,
    ) -> Secret<48> {
        let provider = &self.config.provider;
        let session_hash = negotiated
            .extended_master_secret
            .then(|| self.transcript.hash(provider));
        let master = master_secret(provider, shared, &negotiated.randoms, session_hash);
        let keys = TrafficKeys::derive(provider, &master, &negotiated.randoms);
        let (ours, theirs) = match role {
            Role::Client => (&keys.client, &keys.server),
            Role::Server => (&keys.server, &keys.client),
        };
        self.records.install(provider, ours);
        *self.opener = Some(Opener::new(provider, theirs));
        master
    }
}

/// What the hellos agreed on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Negotiated {
    randoms: Randoms,
    extended_master_secret: bool,
    srtp_profile: Option<SrtpProfile>,
}

/// What is left of a handshake when it is done.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client_random: [u8; 32],
    pub(crate) server_random: [u8; 32],
    pub(crate) master_secret: Secret<48>,
    pub(crate) srtp_profile: Option<SrtpProfile>,
    pub(crate) extended_master_secret: bool,
    /// X.509, DER.
    pub(crate) peer_certificate: Vec<u8>,
}

impl Session {
    fn new(
        negotiated: &Negotiated,
        master_secret: Secret<48>,
        peer_certificate: Vec<u8>,
    ) -> Box<Self> {
        Box::new(Self {
            client_random: negotiated.randoms.client,
            server_random: negotiated.randoms.server,
            master_secret,
            srtp_profile: negotiated.srtp_profile,
            extended_master_secret: negotiated.extended_master_secret,
            peer_certificate,
        })
    }
}
