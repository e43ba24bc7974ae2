//! A Binding server without authentication: tells a client where its request came from
//! ([RFC 8489 §12](https://www.rfc-editor.org/rfc/rfc8489#section-12)), and from another address when it asks
//! ([RFC 5780 §6](https://www.rfc-editor.org/rfc/rfc5780#section-6)).
//!
//! ```text
//! the request came to Da:Dp; with CHANGE-REQUEST   the answer comes from
//!                             nothing              Da:Dp
//!                             change IP            Ca:Dp     OTHER-ADDRESS is always Ca:Cp
//!                             change port          Da:Cp
//!                             both                 Ca:Cp
//! ```

use core::net::SocketAddr;

use rtckit_proto::{FiveTuple, Transmit, Transport};

use crate::attribute::{AttributeType, ErrorCode};
use crate::error::Error;
use crate::header::{Class, Method};
use crate::message::Message;
use crate::value::ChangeRequest;
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

/// What it understands too when it has a second address.
const KNOWN_OF_DISCOVERY: &[AttributeType] = &[
    AttributeType::CHANGE_REQUEST,
    AttributeType::RESPONSE_PORT,
    AttributeType::PADDING,
];

/// How a [`Responder`] answers. The default knows no second address and no clients of RFC 3489.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ResponderConfig {
    /// Two addresses with different IPs and different ports, for clients that discover how their NAT behaves. The
    /// driver has to have a socket on each of the four combinations of IP and port.
    pub discovery: Option<[SocketAddr; 2]>,
    /// Whether clients of [RFC 3489](https://www.rfc-editor.org/rfc/rfc3489) are answered. Their requests are not
    /// told from noise by a cookie, so this costs trust in what looks like one.
    pub answers_classic: bool,
}

/// A Binding server. It keeps no state, so retransmitted requests are answered alike.
///
/// An answer goes to the address the request came from; with RFC 5780's RESPONSE-PORT, which only a server with a
/// second address honours, to another port of it. It is at most 52 bytes long, 124 with a second address, and PADDING
/// only as long as the request's own: a forged source gains an attacker little. How many answers an address gets is
/// the driver's to limit.
///
/// ```
/// use rtckit_proto::FiveTuple;
/// use rtckit_stun::{Class, Message, MessageWriter, Method, Responder, TransactionId};
///
/// let (mut request, mut response) = ([0; 20], [0; 128]);
/// MessageWriter::new(&mut request, Class::Request, Method::BINDING, TransactionId([3; 12]))?;
/// let path = FiveTuple::udp("192.0.2.9:3478".parse()?, "192.0.2.1:32853".parse()?);
/// let sent = Responder::default().respond(&request, path, &mut response)?.expect("a Binding request");
/// assert_eq!(sent.path, path);
/// assert_eq!(Message::parse(&response[sent.range])?.xor_mapped_address(), Some(path.remote));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Responder {
    config: ResponderConfig,
}

impl Responder {
    /// A server that answers as `config` says.
    pub const fn new(config: ResponderConfig) -> Self {
        Self { config }
    }

    /// Writes the answer to `datagram`, received by `path`, into `buf`, and says where it goes.
    ///
    /// `None` when nothing is to be sent: the bytes are not a Binding request, or its fingerprint is wrong.
    ///
    /// # Errors
    /// [`Error::BufferTooSmall`] when `buf` is shorter than the answer.
    pub fn respond(
        &self,
        datagram: &[u8],
        path: FiveTuple,
        buf: &mut [u8],
    ) -> Result<Option<Transmit>, Error> {
        let parsed = if self.config.answers_classic {
            Message::parse_classic(datagram)
        } else {
            Message::parse(datagram)
        };
        let Ok(request) = parsed else {
            return Ok(None);
        };
        if request.class() != Class::Request
            || request.method() != Method::BINDING
            || request.verify_fingerprint() == Some(false)
        {
            return Ok(None);
        }
        let is_known = |attribute: &AttributeType| {
            KNOWN.contains(attribute)
                || self.config.discovery.is_some() && KNOWN_OF_DISCOVERY.contains(attribute)
        };
        let mut unknown = request
            .unknown_required(&[])
            .filter(|attribute| !is_known(attribute));
        if request.has_cookie() && unknown.next().is_some() {
            let unknown = request.unknown_required(&[]);
            return refuse(
                &request,
                path,
                buf,
                ErrorCode::UNKNOWN_ATTRIBUTE,
                |writer| {
                    writer.unknown_attributes(unknown.filter(|attribute| !is_known(attribute)))
                },
            )
            .map(Some);
        }
        // RFC 5780 §6.1: padding has to come back the way it went
        if request.response_port().is_some() && request.padding().is_some() {
            return refuse(&request, path, buf, ErrorCode::BAD_REQUEST, |_| Ok(())).map(Some);
        }
        self.succeed(&request, path, buf).map(Some)
    }

    fn succeed(
        &self,
        request: &Message<'_>,
        path: FiveTuple,
        buf: &mut [u8],
    ) -> Result<Transmit, Error> {
        let mut answer = path;
        let other = self.other(path);
        if let (Some(other), Some(change)) = (other, request.change_request()) {
            let ChangeRequest { ip, port } = change;
            answer.local = SocketAddr::new(
                if ip { other.ip() } else { path.local.ip() },
                if port {
                    other.port()
                } else {
                    path.local.port()
                },
            );
        }
        if let (Some(_), Some(port)) = (other, request.response_port()) {
            answer.remote.set_port(port);
        }
        let mut writer = start(request, Class::SuccessResponse, buf)?;
        if request.has_cookie() {
            writer.xor_mapped_address(path.remote)?;
        }
        if !request.has_cookie() || other.is_some() {
            writer.mapped_address(path.remote)?;
        }
        match (other, request.has_cookie()) {
            (Some(other), true) => {
                writer.response_origin(answer.local)?;
                writer.other_address(other)?;
            }
            (Some(other), false) => {
                writer.source_address(answer.local)?;
                writer.changed_address(other)?;
            }
            (None, _) => {}
        }
        if let (Some(_), Some(padding)) = (other, request.padding()) {
            // RFC 5780 §7.6: its bytes mean nothing, so the client's own serve
            writer.padding(padding)?;
        }
        finish(request, writer, answer)
    }

    /// The address that shares neither IP nor port with the one a request came to; none when that is not one of the
    /// four, and for streams, which cannot be answered from elsewhere.
    fn other(&self, path: FiveTuple) -> Option<SocketAddr> {
        let [a, b] = self.config.discovery?;
        let local = Some(path.local).filter(|_| path.transport == Transport::Udp)?;
        let is_first_ip = local.ip() == a.ip();
        let is_first_port = local.port() == a.port();
        let is_ours =
            (is_first_ip || local.ip() == b.ip()) && (is_first_port || local.port() == b.port());
        is_ours.then(|| {
            SocketAddr::new(
                if is_first_ip { b.ip() } else { a.ip() },
                if is_first_port { b.port() } else { a.port() },
            )
        })
    }
}

fn start<'b>(
    request: &Message<'_>,
    class: Class,
    buf: &'b mut [u8],
) -> Result<MessageWriter<'b>, Error> {
    MessageWriter::classic(
        buf,
        class,
        Method::BINDING,
        request.classic_transaction_id(),
    )
}

fn refuse(
    request: &Message<'_>,
    path: FiveTuple,
    buf: &mut [u8],
    error: ErrorCode<'static>,
    fill: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), Error>,
) -> Result<Transmit, Error> {
    let mut writer = start(request, Class::ErrorResponse, buf)?;
    writer.error_code(error.without_reason())?;
    fill(&mut writer)?;
    finish(request, writer, path)
}

fn finish(
    request: &Message<'_>,
    mut writer: MessageWriter<'_>,
    path: FiveTuple,
) -> Result<Transmit, Error> {
    if request.verify_fingerprint().is_some() {
        writer.fingerprint()?;
    }
    Ok(Transmit::new(path, writer.finish()))
}

/// Writes the answer to `datagram`, received from `source`, into `buf`, and returns its length: a [`Responder`]
/// without a second address.
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
    // without a second address the answer does not depend on where the request came in
    let path = FiveTuple::udp(source, source);
    let sent = Responder::default().respond(datagram, path, buf)?;
    Ok(sent.map(|sent| sent.range.end))
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
        let expected = ErrorCode::UNKNOWN_ATTRIBUTE.without_reason();
        assert_eq!(response.error_code(), Some(expected));
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
    fn answers_come_from_where_they_are_asked_to() {
        let addresses = ["192.0.2.1:3478", "192.0.2.2:3479"].map(|a| a.parse().unwrap());
        let responder = Responder::new(ResponderConfig {
            discovery: Some(addresses),
            answers_classic: false,
        });
        let source: SocketAddr = "198.51.100.1:5000".parse().unwrap();
        let ask = |local: &str, fill: &dyn Fn(&mut MessageWriter<'_>) -> Result<(), Error>| {
            let (mut buf, mut answer) = ([0; 600], [0; 600]);
            let id = TransactionId([1; 12]);
            let mut writer =
                MessageWriter::new(&mut buf, Class::Request, Method::BINDING, id).unwrap();
            fill(&mut writer).unwrap();
            let len = writer.finish();
            let path = FiveTuple::udp(local.parse().unwrap(), source);
            let sent = responder
                .respond(&buf[..len], path, &mut answer)
                .unwrap()
                .unwrap();
            let message = Message::parse(&answer[sent.range]).unwrap();
            assert_eq!(
                message.response_origin().is_some(),
                message.error_code().is_none()
            );
            let code = message.error_code().map(|error| error.code);
            (
                sent.path,
                message.other_address(),
                code,
                message.padding().map(<[u8]>::len),
            )
        };
        let change = |ip, port| {
            let (path, other, ..) = ask("192.0.2.1:3479", &|writer| {
                writer.change_request(ChangeRequest { ip, port })
            });
            assert_eq!(other, "192.0.2.2:3478".parse().ok());
            alloc::format!("{}", path.local)
        };
        assert_eq!(change(false, false), "192.0.2.1:3479");
        assert_eq!(change(true, false), "192.0.2.2:3479");
        assert_eq!(change(false, true), "192.0.2.1:3478");
        assert_eq!(change(true, true), "192.0.2.2:3478");
        let (path, ..) = ask("192.0.2.1:3478", &|writer| writer.response_port(77));
        assert_eq!(path.remote, "198.51.100.1:77".parse().unwrap());
        let (.., len) = ask("192.0.2.1:3478", &|writer| writer.padding(&[9; 300]));
        assert_eq!(len, Some(300));
        let (.., code, _) = ask("192.0.2.1:3478", &|writer| {
            writer.response_port(77)?;
            writer.padding(&[0; 4])
        });
        assert_eq!(code, Some(400));
    }

    /// RFC 5780 §7.5: it is for servers with a second address. Elsewhere it would send answers to whom they were never
    /// asked by; of RFC 3489's clients attributes are ignored that are not known.
    #[test]
    fn answers_go_to_another_port_by_discovery_alone() {
        let addresses = ["192.0.2.1:3478", "192.0.2.2:3479"].map(|a| a.parse().unwrap());
        let [local, source] = [addresses[0], SOURCE.parse().unwrap()];
        let mut request = [0; 28];
        request[..4].copy_from_slice(&[0, 1, 0, 8]);
        request[20..].copy_from_slice(&[0, 0x27, 0, 4, 0, 77, 0, 0]);
        let mut with_cookie = request;
        with_cookie[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
        let udp = FiveTuple::udp(local, source);
        let tcp = FiveTuple {
            transport: Transport::Tcp,
            ..udp
        };
        for (discovery, request, path, port) in [
            (Some(addresses), request, udp, 77),
            (Some(addresses), with_cookie, udp, 77),
            (Some(addresses), with_cookie, tcp, source.port()),
            (None, request, udp, source.port()),
        ] {
            let responder = Responder::new(ResponderConfig {
                discovery,
                answers_classic: true,
            });
            let mut buf = [0; 200];
            let sent = responder.respond(&request, path, &mut buf);
            assert_eq!(sent.unwrap().unwrap().path.remote.port(), port);
        }
    }

    #[test]
    fn clients_of_rfc_3489_are_told_in_the_clear() {
        let mut request = [7; 20];
        request[..4].copy_from_slice(&[0, 1, 0, 0]);
        let path = FiveTuple::udp("192.0.2.1:3478".parse().unwrap(), SOURCE.parse().unwrap());
        let mut buf = [0; 128];
        let modern = Responder::default();
        assert_eq!(modern.respond(&request, path, &mut buf), Ok(None));
        let classic = Responder::new(ResponderConfig {
            discovery: None,
            answers_classic: true,
        });
        let sent = classic.respond(&request, path, &mut buf).unwrap().unwrap();
        let answer = Message::parse_classic(&buf[sent.range]).unwrap();
        assert_eq!(answer.classic_transaction_id(), [7; 16]);
        assert_eq!(answer.mapped_address(), Some(path.remote));
        assert_eq!(answer.attributes().count(), 1);
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
