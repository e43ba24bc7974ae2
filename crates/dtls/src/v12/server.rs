//! The server's half, in the order of the flow:
//!
//! ```text
//!  1. ClientHello                                   ExpectClientHello
//!  2. send HelloVerifyRequest, if configured
//!  3. ClientHello with the cookie                   ExpectClientHello
//!  4. send ServerHello .. ServerHelloDone
//!  5. Certificate                                   ExpectCertificate
//!     ClientKeyExchange                             ExpectClientKeyExchange
//!     CertificateVerify                             ExpectCertificateVerify
//!     Finished                                      ExpectFinished
//!  6. send Finished
//! ```

use core::net::IpAddr;

use rtckit_crypto::mac::{HmacSha256, constant_time_eq};
use rtckit_crypto::provider::{KeyExchange, NamedGroup, SignatureScheme};
use rtckit_crypto::secret::Secret;
use rtckit_proto::{FiveTuple, SrtpProfile};

use super::{Context, Negotiated, Session};
use crate::error::{Error, PeerIncompatible, PeerMisbehaved};
use crate::handshake::extension::{ExtensionBlock, extension_type};
use crate::handshake::{
    CIPHER_SUITE, Certificate, CertificateRequest, CertificateVerify, ClientHello,
    ClientKeyExchange, EMPTY_RENEGOTIATION_INFO_SCSV, EcdheParams, Finished, HandshakeType,
    HelloVerifyRequest, Message, ServerHello, ServerHelloDone, ServerKeyExchange, U16List,
    certificate_type,
};
use crate::key_schedule::Randoms;
use crate::record::version;
use crate::{Config, Role};

/// The only compression there is: none.
const NULL_COMPRESSION: u8 = 0;

#[derive(Debug)]
#[expect(
    clippy::enum_variant_names,
    reason = "a state is named for what it expects"
)]
pub(crate) enum State {
    ExpectClientHello,
    ExpectCertificate(ExpectCertificate),
    ExpectClientKeyExchange(ExpectClientKeyExchange),
    ExpectCertificateVerify(ExpectCertificateVerify),
    ExpectFinished(ExpectFinished),
}

impl State {
    pub(crate) fn expects(&self, message_type: HandshakeType) -> bool {
        message_type
            == match self {
                Self::ExpectClientHello => HandshakeType::CLIENT_HELLO,
                Self::ExpectCertificate(_) => HandshakeType::CERTIFICATE,
                Self::ExpectClientKeyExchange(_) => HandshakeType::CLIENT_KEY_EXCHANGE,
                Self::ExpectCertificateVerify(_) => HandshakeType::CERTIFICATE_VERIFY,
                Self::ExpectFinished(_) => HandshakeType::FINISHED,
            }
    }

    pub(crate) fn handle(
        self,
        cx: &mut Context<'_>,
        message: &Message<'_>,
    ) -> Result<super::State, Error> {
        let next = match (self, message) {
            (Self::ExpectClientHello, Message::ClientHello(hello)) => on_client_hello(cx, hello)?,
            (Self::ExpectCertificate(state), Message::Certificate(certificate)) => {
                state.on_certificate(cx, certificate)?
            }
            (Self::ExpectClientKeyExchange(state), Message::ClientKeyExchange(exchange)) => {
                state.on_client_key_exchange(cx, exchange)?
            }
            (Self::ExpectCertificateVerify(state), Message::CertificateVerify(verify)) => {
                state.on_certificate_verify(cx, verify)?
            }
            (Self::ExpectFinished(state), Message::Finished(finished)) => {
                return state.on_finished(cx, finished);
            }
            (state, _) => state,
        };
        Ok(super::State::Server(next))
    }
}

fn on_client_hello(cx: &mut Context<'_>, hello: &ClientHello<'_>) -> Result<State, Error> {
    if let Some(secret) = &cx.config.cookie_secret {
        let cookie = cookie(secret, cx.path, hello);
        if !constant_time_eq(&cookie, hello.cookie) {
            cx.transcript.clear();
            cx.flight.begin(Some(cx.message_seq), false);
            cx.flight.push(&HelloVerifyRequest {
                version: version::DTLS_1_0,
                cookie: &cookie,
            });
            return Ok(State::ExpectClientHello);
        }
    }
    let offer = Offer::negotiate(cx.config, hello)?;
    let mut server_random = [0; 32];
    cx.config.provider.fill_random(&mut server_random)?;
    let negotiated = Negotiated {
        randoms: Randoms {
            client: hello.random,
            server: server_random,
        },
        extended_master_secret: offer.extended_master_secret,
        srtp_profile: offer.srtp_profile,
    };
    let exchange = cx.config.provider.key_exchange(offer.group)?;
    send_server_flight(cx, hello, &offer, &negotiated, &exchange)?;
    Ok(State::ExpectCertificate(ExpectCertificate {
        negotiated,
        exchange,
    }))
}

/// A cookie under our secret that only this client, at this address, with this hello, can return
/// ([RFC 6347 §4.2.1](https://www.rfc-editor.org/rfc/rfc6347#section-4.2.1)).
fn cookie(secret: &Secret<32>, path: FiveTuple, hello: &ClientHello<'_>) -> [u8; 32] {
    let ip = match path.remote.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    HmacSha256::new(secret.as_ref()).sign(&[
        &ip.octets(),
        &path.remote.port().to_be_bytes(),
        &hello.random,
        hello.cipher_suites.as_bytes(),
    ])
}

/// What the client's offer and our configuration have in common.
struct Offer<'a> {
    group: NamedGroup,
    schemes: U16List<'a>,
    extended_master_secret: bool,
    srtp_profile: Option<SrtpProfile>,
}

impl<'a> Offer<'a> {
    fn negotiate(config: &Config, hello: &ClientHello<'a>) -> Result<Self, Error> {
        // Versions count down. A client that also offers 1.3 says so in supported_versions and 1.2 here
        // (RFC 9147 §5.3); a server without 1.3 is to ignore the former.
        if hello.version > version::DTLS_1_2 {
            return Err(PeerIncompatible::NoCommonVersion.into());
        }
        let extensions = &hello.extensions;
        if !hello.cipher_suites.contains(CIPHER_SUITE)
            || !hello.compression_methods.contains(&NULL_COMPRESSION)
            || !extensions.takes_uncompressed_points()
        {
            return Err(PeerIncompatible::NoCommonCipherSuite.into());
        }
        if !extensions.is_first_handshake() {
            return Err(PeerMisbehaved::BadRenegotiationInfo.into());
        }
        let extended_master_secret = extensions.has(extension_type::EXTENDED_MASTER_SECRET);
        if config.require_extended_master_secret && !extended_master_secret {
            return Err(PeerIncompatible::NoExtendedMasterSecret.into());
        }
        let schemes = extensions.list(extension_type::SIGNATURE_ALGORITHMS);
        Ok(Self {
            group: choose_group(config, hello)?,
            // without the extension the client takes SHA-1 alone (RFC 5246 §7.4.1.4.1), and we do not
            schemes: schemes
                .ok()
                .flatten()
                .ok_or(PeerIncompatible::NoCommonSignatureScheme)?,
            extended_master_secret,
            srtp_profile: choose_profile(config, hello)?,
        })
    }
}

/// Our first group that the client has. One that names none leaves the choice to us
/// ([RFC 8422 §4](https://www.rfc-editor.org/rfc/rfc8422#section-4)).
fn choose_group(config: &Config, hello: &ClientHello<'_>) -> Result<NamedGroup, Error> {
    let theirs = hello.extensions.list(extension_type::SUPPORTED_GROUPS);
    let theirs = theirs.map_err(|_| PeerIncompatible::NoCommonGroup)?;
    let fits = |group: &&NamedGroup| match theirs {
        Some(theirs) => theirs.contains(group.0),
        None => **group == NamedGroup::SECP256R1,
    };
    let group = config.groups.iter().find(fits);
    group
        .copied()
        .ok_or_else(|| PeerIncompatible::NoCommonGroup.into())
}

fn choose_profile(config: &Config, hello: &ClientHello<'_>) -> Result<Option<SrtpProfile>, Error> {
    let theirs = hello.extensions.use_srtp().ok().flatten();
    let chosen =
        theirs.and_then(|theirs| config.choose_srtp(|profile| theirs.contains(profile.to_wire())));
    match chosen {
        None if config.require_srtp => Err(PeerIncompatible::NoCommonSrtpProfile.into()),
        chosen => Ok(chosen),
    }
}

/// Flight 4.
fn send_server_flight(
    cx: &mut Context<'_>,
    hello: &ClientHello<'_>,
    offer: &Offer<'_>,
    negotiated: &Negotiated,
    exchange: &KeyExchange,
) -> Result<(), Error> {
    let config = cx.config;
    let params = EcdheParams {
        group: exchange.group(),
        public_key: exchange.public_key(),
    };
    // sign first: when it fails, there is no flight
    let (scheme, signature) = config.identity.sign(
        offer.schemes.iter().map(SignatureScheme),
        &params.signed_content(&negotiated.randoms.client_first()),
    )?;
    cx.flight.begin(Some(cx.message_seq), true);
    let block = answer_extensions(hello, negotiated);
    cx.send(&ServerHello {
        version: version::DTLS_1_2,
        random: negotiated.randoms.server,
        session_id: &[],
        cipher_suite: CIPHER_SUITE,
        compression_method: NULL_COMPRESSION,
        extensions: block.as_extensions(),
    });
    cx.send(&Certificate {
        leaf: Some(config.identity.certificate_der()),
        issuers: &[],
    });
    cx.send(&ServerKeyExchange {
        params,
        scheme,
        signature: &signature,
    });
    let schemes = config.provider.signature_schemes().iter();
    let schemes: Vec<_> = schemes.map(|scheme| scheme.0.to_be_bytes()).collect();
    cx.send(&CertificateRequest {
        certificate_types: &[certificate_type::ECDSA_SIGN, certificate_type::RSA_SIGN],
        schemes: U16List::new(&schemes),
        authorities: &[],
    });
    cx.send(&ServerHelloDone);
    Ok(())
}

/// Extensions are answered, never volunteered.
fn answer_extensions(hello: &ClientHello<'_>, negotiated: &Negotiated) -> ExtensionBlock {
    let mut block = ExtensionBlock::with_capacity(32);
    if hello.extensions.has(extension_type::RENEGOTIATION_INFO)
        || hello.cipher_suites.contains(EMPTY_RENEGOTIATION_INFO_SCSV)
    {
        block.push_renegotiation_info();
    }
    if hello.extensions.has(extension_type::EC_POINT_FORMATS) {
        block.push_point_formats();
    }
    if negotiated.extended_master_secret {
        block.push(extension_type::EXTENDED_MASTER_SECRET, &[]);
    }
    if let Some(profile) = negotiated.srtp_profile {
        block.push_use_srtp([profile.to_wire()].into_iter());
    }
    block
}

#[derive(Debug)]
pub(crate) struct ExpectCertificate {
    negotiated: Negotiated,
    exchange: KeyExchange,
}

impl ExpectCertificate {
    fn on_certificate(
        self,
        cx: &Context<'_>,
        certificate: &Certificate<'_>,
    ) -> Result<State, Error> {
        let leaf = certificate.leaf.ok_or(PeerMisbehaved::NoCertificate)?;
        cx.config.verify.check(leaf)?;
        Ok(State::ExpectClientKeyExchange(ExpectClientKeyExchange {
            negotiated: self.negotiated,
            exchange: self.exchange,
            certificate: leaf.to_vec(),
        }))
    }
}

#[derive(Debug)]
pub(crate) struct ExpectClientKeyExchange {
    negotiated: Negotiated,
    exchange: KeyExchange,
    certificate: Vec<u8>,
}

impl ExpectClientKeyExchange {
    fn on_client_key_exchange(
        self,
        cx: &mut Context<'_>,
        exchange: &ClientKeyExchange<'_>,
    ) -> Result<State, Error> {
        let shared = self.exchange.complete(exchange.public_key)?;
        let master_secret = cx.install_keys(Role::Server, &self.negotiated, &shared);
        Ok(State::ExpectCertificateVerify(ExpectCertificateVerify {
            negotiated: self.negotiated,
            certificate: self.certificate,
            master_secret,
        }))
    }
}

#[derive(Debug)]
pub(crate) struct ExpectCertificateVerify {
    negotiated: Negotiated,
    certificate: Vec<u8>,
    master_secret: Secret<48>,
}

impl ExpectCertificateVerify {
    fn on_certificate_verify(
        self,
        cx: &Context<'_>,
        verify: &CertificateVerify<'_>,
    ) -> Result<State, Error> {
        let provider = &cx.config.provider;
        if !provider.signature_schemes().contains(&verify.scheme) {
            return Err(PeerMisbehaved::NotOffered.into());
        }
        provider.verify_signature(
            &self.certificate,
            verify.scheme,
            cx.transcript.before_latest(),
            verify.signature,
        )?;
        Ok(State::ExpectFinished(ExpectFinished {
            negotiated: self.negotiated,
            certificate: self.certificate,
            master_secret: self.master_secret,
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
    /// The last flight is not repeated on a timer: the client repeats its own until it has ours.
    fn on_finished(self, cx: &mut Context<'_>, finished: &Finished) -> Result<super::State, Error> {
        cx.check_finished(Role::Client, &self.master_secret, finished)?;
        cx.flight.begin(Some(cx.message_seq), false);
        cx.send_finished(Role::Server, &self.master_secret);
        Ok(super::State::Connected(Session::new(
            &self.negotiated,
            self.master_secret,
            self.certificate,
        )))
    }
}
