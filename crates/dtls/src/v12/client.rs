//! The client's half, in the order of the flow:
//!
//! ```text
//!  1. send ClientHello                              start
//!  2. HelloVerifyRequest: back to 1 with a cookie   ExpectServerHello
//!  4. ServerHello                                   ExpectServerHello
//!     Certificate                                   ExpectCertificate
//!     ServerKeyExchange                             ExpectServerKeyExchange
//!     CertificateRequest, if the server wants one   ExpectServerHelloDone
//!     ServerHelloDone                               ExpectServerHelloDone
//!  5. send Certificate .. Finished
//!  6. Finished                                      ExpectFinished
//! ```

use rtckit_crypto::provider::{SharedSecret, SignatureScheme};
use rtckit_crypto::secret::Secret;
use rtckit_proto::SrtpProfile;

use super::{Context, Negotiated, Session};
use crate::error::{Error, PeerIncompatible, PeerMisbehaved};
use crate::flight::Flight;
use crate::handshake::extension::{ExtensionBlock, extension_type};
use crate::handshake::{
    CIPHER_SUITE, Certificate, CertificateRequest, CertificateVerify, ClientHello,
    ClientKeyExchange, EMPTY_RENEGOTIATION_INFO_SCSV, Finished, HandshakeType, HelloVerifyRequest,
    Message, ServerHello, ServerKeyExchange, U16List,
};
use crate::key_schedule::Randoms;
use crate::record::version;
use crate::transcript::Transcript;
use crate::{Config, Role};

const CIPHER_SUITES: [[u8; 2]; 2] = [
    CIPHER_SUITE.to_be_bytes(),
    EMPTY_RENEGOTIATION_INFO_SCSV.to_be_bytes(),
];

/// How a server may sign under our suite, which asks for a certificate with an EC key
/// ([RFC 8422 §2.1](https://www.rfc-editor.org/rfc/rfc8422#section-2.1)). The other schemes that we offer are for the
/// signatures on certificates, and for a client's own.
const SERVER_SCHEMES: [SignatureScheme; 2] =
    [SignatureScheme::ECDSA_SHA256, SignatureScheme::ECDSA_SHA384];

/// The only compression there is: none.
const NULL_COMPRESSION: u8 = 0;

#[derive(Debug)]
#[expect(
    clippy::enum_variant_names,
    reason = "a state is named for what it expects"
)]
pub(crate) enum State {
    ExpectServerHello(ExpectServerHello),
    ExpectCertificate(ExpectCertificate),
    ExpectServerKeyExchange(ExpectServerKeyExchange),
    ExpectServerHelloDone(ExpectServerHelloDone),
    ExpectFinished(ExpectFinished),
}

impl State {
    /// Sends the first ClientHello.
    pub(crate) fn start(
        config: &Config,
        transcript: &mut Transcript,
        flight: &mut Flight,
    ) -> Result<super::State, Error> {
        let mut random = [0; 32];
        config.provider.fill_random(&mut random)?;
        flight.begin(None, true);
        transcript.push(push_client_hello(config, flight, random, &[]));
        Ok(super::State::Client(Self::ExpectServerHello(
            ExpectServerHello {
                random,
                has_cookie: false,
            },
        )))
    }

    pub(crate) fn expects(&self, message_type: HandshakeType) -> bool {
        match self {
            Self::ExpectServerHello(state) => {
                message_type == HandshakeType::SERVER_HELLO
                    || (message_type == HandshakeType::HELLO_VERIFY_REQUEST && !state.has_cookie)
            }
            Self::ExpectCertificate(_) => message_type == HandshakeType::CERTIFICATE,
            Self::ExpectServerKeyExchange(_) => message_type == HandshakeType::SERVER_KEY_EXCHANGE,
            Self::ExpectServerHelloDone(state) => {
                message_type == HandshakeType::SERVER_HELLO_DONE
                    || (message_type == HandshakeType::CERTIFICATE_REQUEST
                        && state.requested.is_none())
            }
            Self::ExpectFinished(_) => message_type == HandshakeType::FINISHED,
        }
    }

    pub(crate) fn handle(
        self,
        cx: &mut Context<'_>,
        message: &Message<'_>,
    ) -> Result<super::State, Error> {
        let next = match (self, message) {
            (Self::ExpectServerHello(state), Message::HelloVerifyRequest(request)) => {
                state.on_hello_verify_request(cx, request)
            }
            (Self::ExpectServerHello(state), Message::ServerHello(hello)) => {
                state.on_server_hello(cx, hello)?
            }
            (Self::ExpectCertificate(state), Message::Certificate(certificate)) => {
                state.on_certificate(cx, certificate)?
            }
            (Self::ExpectServerKeyExchange(state), Message::ServerKeyExchange(exchange)) => {
                state.on_server_key_exchange(cx, exchange)?
            }
            (Self::ExpectServerHelloDone(state), Message::CertificateRequest(request)) => {
                state.on_certificate_request(request)
            }
            (Self::ExpectServerHelloDone(state), Message::ServerHelloDone) => {
                state.on_server_hello_done(cx)?
            }
            (Self::ExpectFinished(state), Message::Finished(finished)) => {
                return state.on_finished(cx, finished);
            }
            (state, _) => state,
        };
        Ok(super::State::Client(next))
    }
}

fn push_client_hello<'f>(
    config: &Config,
    flight: &'f mut Flight,
    random: [u8; 32],
    cookie: &[u8],
) -> &'f [u8] {
    let mut block = ExtensionBlock::with_capacity(96);
    let groups = config.groups.iter().map(|group| group.0);
    block.push_list(extension_type::SUPPORTED_GROUPS, groups, &[]);
    block.push_point_formats();
    let schemes = config.provider.signature_schemes();
    let schemes = schemes.iter().map(|scheme| scheme.0);
    block.push_list(extension_type::SIGNATURE_ALGORITHMS, schemes, &[]);
    if !config.srtp_profiles.is_empty() {
        block.push_use_srtp(config.srtp_profiles.iter().map(|profile| profile.to_wire()));
    }
    block.push(extension_type::EXTENDED_MASTER_SECRET, &[]);
    flight.push(&ClientHello {
        version: version::DTLS_1_2,
        random,
        session_id: &[],
        cookie,
        cipher_suites: U16List::new(&CIPHER_SUITES),
        compression_methods: &[NULL_COMPRESSION],
        extensions: block.as_extensions(),
    })
}

#[derive(Debug)]
pub(crate) struct ExpectServerHello {
    random: [u8; 32],
    has_cookie: bool,
}

impl ExpectServerHello {
    /// The first ClientHello and the request leave no trace in the transcript
    /// ([RFC 6347 §4.2.1](https://www.rfc-editor.org/rfc/rfc6347#section-4.2.1)).
    fn on_hello_verify_request(
        self,
        cx: &mut Context<'_>,
        request: &HelloVerifyRequest<'_>,
    ) -> State {
        cx.transcript.clear();
        cx.flight.begin(Some(cx.message_seq), true);
        let hello = push_client_hello(cx.config, cx.flight, self.random, request.cookie);
        cx.transcript.push(hello);
        State::ExpectServerHello(Self {
            has_cookie: true,
            ..self
        })
    }

    fn on_server_hello(self, cx: &Context<'_>, hello: &ServerHello<'_>) -> Result<State, Error> {
        let config = cx.config;
        if hello.version != version::DTLS_1_2 {
            return Err(PeerIncompatible::NoCommonVersion.into());
        }
        if hello.cipher_suite != CIPHER_SUITE
            || hello.compression_method != NULL_COMPRESSION
            || !hello
                .extensions
                .types()
                .all(|offered| was_offered(config, offered))
            || !hello.extensions.takes_uncompressed_points()
        {
            return Err(PeerMisbehaved::NotOffered.into());
        }
        if !hello.extensions.is_first_handshake() {
            return Err(PeerMisbehaved::BadRenegotiationInfo.into());
        }
        let extended_master_secret = hello.extensions.has(extension_type::EXTENDED_MASTER_SECRET);
        if config.require_extended_master_secret && !extended_master_secret {
            return Err(PeerIncompatible::NoExtendedMasterSecret.into());
        }
        let negotiated = Negotiated {
            randoms: Randoms {
                client: self.random,
                server: hello.random,
            },
            extended_master_secret,
            srtp_profile: chosen_profile(config, hello)?,
        };
        Ok(State::ExpectCertificate(ExpectCertificate { negotiated }))
    }
}

/// Whether our ClientHello had this extension, or its stand-in among the suites.
fn was_offered(config: &Config, extension: u16) -> bool {
    match extension {
        extension_type::USE_SRTP => !config.srtp_profiles.is_empty(),
        extension_type::SUPPORTED_GROUPS
        | extension_type::EC_POINT_FORMATS
        | extension_type::EXTENDED_MASTER_SECRET
        | extension_type::RENEGOTIATION_INFO => true,
        _ => false,
    }
}

/// The server answers with exactly one of our profiles, or not at all
/// ([RFC 5764 §4.1.1](https://www.rfc-editor.org/rfc/rfc5764#section-4.1.1)).
fn chosen_profile(config: &Config, hello: &ServerHello<'_>) -> Result<Option<SrtpProfile>, Error> {
    let answer = hello
        .extensions
        .use_srtp()
        .map_err(|_| PeerMisbehaved::NotOffered)?;
    let Some(answer) = answer else {
        return match config.require_srtp {
            true => Err(PeerIncompatible::NoCommonSrtpProfile.into()),
            false => Ok(None),
        };
    };
    let chosen = config.choose_srtp(|profile| answer.contains(profile.to_wire()));
    match (chosen, answer.iter().count()) {
        (Some(profile), 1) => Ok(Some(profile)),
        _ => Err(PeerMisbehaved::NotOffered.into()),
    }
}

#[derive(Debug)]
pub(crate) struct ExpectCertificate {
    negotiated: Negotiated,
}

impl ExpectCertificate {
    fn on_certificate(
        self,
        cx: &Context<'_>,
        certificate: &Certificate<'_>,
    ) -> Result<State, Error> {
        let leaf = certificate.leaf.ok_or(PeerMisbehaved::NoCertificate)?;
        cx.config.verify.check(leaf)?;
        Ok(State::ExpectServerKeyExchange(ExpectServerKeyExchange {
            negotiated: self.negotiated,
            certificate: leaf.to_vec(),
        }))
    }
}

#[derive(Debug)]
pub(crate) struct ExpectServerKeyExchange {
    negotiated: Negotiated,
    certificate: Vec<u8>,
}

impl ExpectServerKeyExchange {
    fn on_server_key_exchange(
        self,
        cx: &Context<'_>,
        exchange: &ServerKeyExchange<'_>,
    ) -> Result<State, Error> {
        let provider = &cx.config.provider;
        let params = &exchange.params;
        if !cx.config.groups.contains(&params.group) || !SERVER_SCHEMES.contains(&exchange.scheme) {
            return Err(PeerMisbehaved::NotOffered.into());
        }
        let signed = params.signed_content(&self.negotiated.randoms.client_first());
        provider.verify_signature(
            &self.certificate,
            exchange.scheme,
            &signed,
            exchange.signature,
        )?;
        let ours = provider.key_exchange(params.group)?;
        let public_key = ours.public_key().to_vec();
        let shared = ours.complete(params.public_key)?;
        Ok(State::ExpectServerHelloDone(ExpectServerHelloDone {
            negotiated: self.negotiated,
            certificate: self.certificate,
            public_key,
            shared,
            requested: None,
        }))
    }
}

#[derive(Debug)]
pub(crate) struct ExpectServerHelloDone {
    negotiated: Negotiated,
    certificate: Vec<u8>,
    public_key: Vec<u8>,
    shared: SharedSecret,
    /// What our signature may be, when the server wants one.
    requested: Option<Vec<SignatureScheme>>,
}

impl ExpectServerHelloDone {
    fn on_certificate_request(self, request: &CertificateRequest<'_>) -> State {
        State::ExpectServerHelloDone(Self {
            requested: Some(request.schemes.iter().map(SignatureScheme).collect()),
            ..self
        })
    }

    fn on_server_hello_done(self, cx: &mut Context<'_>) -> Result<State, Error> {
        let config = cx.config;
        cx.flight.begin(Some(cx.message_seq), true);
        if self.requested.is_some() {
            cx.send(&Certificate {
                leaf: Some(config.identity.certificate_der()),
                issuers: &[],
            });
        }
        cx.send(&ClientKeyExchange {
            public_key: &self.public_key,
        });
        let master_secret = cx.install_keys(Role::Client, &self.negotiated, &self.shared);
        if let Some(schemes) = self.requested {
            let (scheme, signature) = config.identity.sign(schemes, cx.transcript.messages())?;
            cx.send(&CertificateVerify {
                scheme,
                signature: &signature,
            });
        }
        cx.send_finished(Role::Client, &master_secret);
        Ok(State::ExpectFinished(ExpectFinished {
            negotiated: self.negotiated,
            certificate: self.certificate,
            master_secret,
        }))
    }
}

#[derive(Debug)]
pub(crate) struct ExpectFinished {
    negotiated: Negotiated,
    certificate: Vec<u8>,
    master_secret: Secret<48>,
}

impl ExpectFinished {
    fn on_finished(self, cx: &mut Context<'_>, finished: &Finished) -> Result<super::State, Error> {
        cx.check_finished(Role::Server, &self.master_secret, finished)?;
        cx.flight.clear();
        Ok(super::State::Connected(Session::new(
            &self.negotiated,
            self.master_secret,
            self.certificate,
        )))
    }
}
