//! Handshake messages: one file each ([RFC 6347 §4.2](https://www.rfc-editor.org/rfc/rfc6347#section-4.2),
//! [RFC 5246 §7.4](https://www.rfc-editor.org/rfc/rfc5246#section-7.4)).

mod certificate;
mod certificate_request;
mod certificate_verify;
mod client_hello;
mod client_key_exchange;
pub(crate) mod extension;
mod finished;
mod header;
mod hello_verify_request;
mod list;
mod server_hello;
mod server_hello_done;
mod server_key_exchange;

use rtckit_proto::{CursorError, Writer};

pub(crate) use certificate::Certificate;
pub(crate) use certificate_request::{CertificateRequest, certificate_type};
pub(crate) use certificate_verify::CertificateVerify;
pub(crate) use client_hello::ClientHello;
pub(crate) use client_key_exchange::ClientKeyExchange;
pub(crate) use finished::Finished;
pub(crate) use header::{FragmentHeader, HandshakeType};
pub(crate) use hello_verify_request::HelloVerifyRequest;
pub(crate) use list::U16List;
pub(crate) use server_hello::ServerHello;
pub(crate) use server_hello_done::ServerHelloDone;
pub(crate) use server_key_exchange::{EcdheParams, ServerKeyExchange};

use crate::error::ParseError;

/// `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256`: the suite every WebRTC endpoint has
/// ([RFC 8827 §6.5](https://www.rfc-editor.org/rfc/rfc8827#section-6.5)).
pub(crate) const CIPHER_SUITE: u16 = 0xc02b;

/// The suite number that stands for an empty `renegotiation_info`
/// ([RFC 5746 §3.3](https://www.rfc-editor.org/rfc/rfc5746#section-3.3)).
pub(crate) const EMPTY_RENEGOTIATION_INFO_SCSV: u16 = 0x00ff;

/// The body of a handshake message, borrowed from its bytes.
pub(crate) trait Body<'a>: Sized {
    const TYPE: HandshakeType;

    /// Reads a whole body: what is left over is an error.
    fn parse(body: &'a [u8]) -> Result<Self, ParseError>;

    fn encoded_len(&self) -> usize;

    /// Writes exactly [`encoded_len`](Self::encoded_len) bytes.
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), CursorError>;
}

/// A message of the DTLS 1.2 handshake.
#[derive(Debug)]
pub(crate) enum Message<'a> {
    ClientHello(ClientHello<'a>),
    ServerHello(ServerHello<'a>),
    HelloVerifyRequest(HelloVerifyRequest<'a>),
    Certificate(Certificate<'a>),
    ServerKeyExchange(ServerKeyExchange<'a>),
    CertificateRequest(CertificateRequest<'a>),
    ServerHelloDone,
    CertificateVerify(CertificateVerify<'a>),
    ClientKeyExchange(ClientKeyExchange<'a>),
    Finished(Finished),
}

impl<'a> Message<'a> {
    /// Reads the body of a message of type `message_type`; `None` for types that have no place here.
    pub(crate) fn parse(
        message_type: HandshakeType,
        body: &'a [u8],
    ) -> Result<Option<Self>, ParseError> {
        Ok(Some(match message_type {
            HandshakeType::CLIENT_HELLO => Self::ClientHello(Body::parse(body)?),
            HandshakeType::SERVER_HELLO => Self::ServerHello(Body::parse(body)?),
            HandshakeType::HELLO_VERIFY_REQUEST => Self::HelloVerifyRequest(Body::parse(body)?),
            HandshakeType::CERTIFICATE => Self::Certificate(Body::parse(body)?),
            HandshakeType::SERVER_KEY_EXCHANGE => Self::ServerKeyExchange(Body::parse(body)?),
            HandshakeType::CERTIFICATE_REQUEST => Self::CertificateRequest(Body::parse(body)?),
            HandshakeType::SERVER_HELLO_DONE => {
                ServerHelloDone::parse(body)?;
                Self::ServerHelloDone
            }
            HandshakeType::CERTIFICATE_VERIFY => Self::CertificateVerify(Body::parse(body)?),
            HandshakeType::CLIENT_KEY_EXCHANGE => Self::ClientKeyExchange(Body::parse(body)?),
            HandshakeType::FINISHED => Self::Finished(Body::parse(body)?),
            _ => return Ok(None),
        }))
    }
}

/// What each message file tests: the vector parses and is emitted again, and no truncation passes for it.
#[cfg(test)]
pub(crate) fn assert_round_trip<'a, B: Body<'a> + PartialEq + core::fmt::Debug>(vector: &'a [u8]) {
    let body = B::parse(vector).unwrap();
    assert_eq!(body.encoded_len(), vector.len());
    let mut buf = vec![0xa5; vector.len() + 1];
    let mut writer = Writer::new(&mut buf);
    body.write(&mut writer).unwrap();
    assert_eq!(writer.written(), vector);
    assert_eq!(buf[vector.len()], 0xa5);
    for len in 0..vector.len() {
        assert_ne!(B::parse(&vector[..len]).as_ref(), Ok(&body), "{len} bytes");
    }
}

#[cfg(test)]
pub(crate) fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect()
}
