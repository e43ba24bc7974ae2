//! A Binding server without authentication: tells a client where its request came from
//! ([RFC 8489 §12](https://www.rfc-editor.org/rfc/rfc8489#section-12)).

use core::net::SocketAddr;

use crate::attribute::{AttributeType, ErrorCode};
use crate::error::Error;
use crate::header::{Class, Method};
use crate::message::Message;
use crate::writer::MessageWriter;

/// What the responder understands of a request: with no authentication, none that must be understood.
const KNOWN: &[AttributeType] = &[
    AttributeType::USERNAME,
    AttributeType::MESSAGE_INTEGRITY,
    AttributeType::MESSAGE_INTEGRITY_SHA256,
    AttributeType::REALM,
    AttributeType::NONCE,
    AttributeType::USERHASH,
    AttributeType::PASSWORD_ALGORITHM,
];

/// Writes the answer to `datagram`, received from `source`, into `buf`, and returns its length.
///
/// `None` when nothing is to be sent: the bytes are not a Binding request, or its fingerprint is wrong. It keeps
/// no state, so retransmitted requests are answered alike; the answer is at most 84 bytes long, so that a forged
/// source gains an attacker little.
///
/// # Errors
/// [`Error::BufferTooSmall`] when `buf` is shorter than the answer.
///
/// ```
/// use rtckit_stun::{Class, Message, MessageWriter, Method, TransactionId, respond};
///
/// let (mut request, mut response) = ([0; 20], [0; 128]);
/// MessageWriter::new(&mut request, Class::Request, Method::BINDING, TransactionId([3; 12]))?;
/// let source = "192.0.2.1:32853".parse()?;
/// let len = respond(&request, source, &mut response)?.expect("a Binding request");
/// assert_eq!(Message::parse(&response[..len])?.xor_mapped_address(), Some(source));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn respond(
    datagram: &[u8],
    source: SocketAddr,
    buf: &mut [u8],
) -> Result<Option<usize>, Error> {
    let Ok(request) = Message::parse(datagram) else {
        return Ok(None);
    };
    let fingerprint = request.verify_fingerprint();
    if request.class() != Class::Request
        || request.method() != Method::BINDING
        || fingerprint == Some(false)
    {
        return Ok(None);
    }
    let refused = request.unknown_required(KNOWN).next().is_some();
    let class = if refused {
        Class::ErrorResponse
    } else {
        Class::SuccessResponse
    };
    let mut writer = MessageWriter::new(buf, class, Method::BINDING, request.transaction_id())?;
    if refused {
        writer.error_code(ErrorCode::UNKNOWN_ATTRIBUTE)?;
        writer.unknown_attributes(request.unknown_required(KNOWN))?;
    } else {
        writer.xor_mapped_address(source)?;
    }
    if fingerprint.is_some() {
        writer.fingerprint()?;
    }
    Ok(Some(writer.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::TransactionId;

    const SOURCE: &str = "[2001:db8::7]:4711";

    fn request(class: Class, extra: Option<AttributeType>) -> alloc::vec::Vec<u8> {
        let mut buf = [0; 64];
        let mut writer =
            MessageWriter::new(&mut buf, class, Method::BINDING, TransactionId([9; 12])).unwrap();
        if let Some(extra) = extra {
            writer.attribute(extra, &[1]).unwrap();
        }
        writer.fingerprint().unwrap();
        let len = writer.finish();
        buf[..len].to_vec()
    }

    #[test]
    fn unknown_required_attributes_are_named() {
        let mut buf = [0; 128];
        let request = request(Class::Request, Some(AttributeType(0x7abc)));
        let len = respond(&request, SOURCE.parse().unwrap(), &mut buf)
            .unwrap()
            .unwrap();
        let response = Message::parse(&buf[..len]).unwrap();
        assert_eq!(response.error_code(), Some(ErrorCode::UNKNOWN_ATTRIBUTE));
        assert!(response.unknown_attributes().eq([AttributeType(0x7abc)]));
        assert_eq!(response.verify_fingerprint(), Some(true));
    }

    #[test]
    fn optional_attributes_are_ignored() {
        let mut buf = [0; 128];
        let request = request(Class::Request, Some(AttributeType(0xfabc)));
        let len = respond(&request, SOURCE.parse().unwrap(), &mut buf)
            .unwrap()
            .unwrap();
        assert_eq!(
            Message::parse(&buf[..len]).unwrap().xor_mapped_address(),
            SOURCE.parse().ok()
        );
    }

    #[test]
    fn only_binding_requests_are_answered() {
        let mut buf = [0; 128];
        let source = SOURCE.parse().unwrap();
        for class in [
            Class::Indication,
            Class::SuccessResponse,
            Class::ErrorResponse,
        ] {
            assert_eq!(respond(&request(class, None), source, &mut buf), Ok(None));
        }
        let mut forged = request(Class::Request, None);
        *forged.last_mut().unwrap() ^= 1;
        assert_eq!(respond(&forged, source, &mut buf), Ok(None));
        assert_eq!(
            respond(&request(Class::Request, None), source, &mut buf[..40]),
            Err(Error::BufferTooSmall)
        );
    }
}
