//! What rustls says, in words: its own are the names of its variants.

use std::io;

use tokio_rustls::rustls::{AlertDescription as Alert, CertificateError, Error};

/// What failed, and what the user can do about it.
pub(super) fn explain(error: &io::Error, host: &str) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(error @ Error::InvalidCertificate(_)) => {
            format!("{} (--insecure would not mind)", explain_tls(error, host))
        }
        Some(error @ Error::InvalidMessage(_)) => {
            let what = explain_tls(error, host);
            format!("{what}: is it http:// rather than https://?")
        }
        Some(error) => explain_tls(error, host),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the server closed the connection when TLS began".into()
        }
        None => format!("TLS failed: {error}"),
    }
}

/// What failed where STUN or TURN is spoken to `host`, be it TLS or not.
pub(crate) fn explain_link(error: &io::Error, host: &str) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    inner.map_or_else(|| error.to_string(), |error| explain_tls(error, host))
}

fn explain_tls(error: &Error, host: &str) -> String {
    match error {
        Error::InvalidCertificate(error) => explain_certificate(error, host),
        Error::InvalidMessage(_) => "what answers there does not speak TLS".into(),
        Error::AlertReceived(Alert::HandshakeFailure | Alert::ProtocolVersion)
        | Error::PeerIncompatible(_) => "the server speaks no TLS that we speak".into(),
        Error::AlertReceived(alert) => format!("the server ends TLS (alert {})", u8::from(*alert)),
        _ => "the server breaks the rules of TLS".into(),
    }
}

fn explain_certificate(error: &CertificateError, host: &str) -> String {
    let what = match error {
        // A bad signature is that of an issuer who only has the name of a trusted one.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "nobody trusted vouches for the server's certificate: name it or its authority with --ca FILE"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            return format!(
                "the server's certificate is not for {host}: its subjectAltName does not have that name"
            );
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet: are both clocks right?"
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the server's certificate is not one for servers"
        }
        CertificateError::BadEncoding => "the server's certificate cannot be read",
        _ => {
            "the server's certificate is an authority's, or breaks another rule: if it is the right one, name it with --ca FILE"
        }
    };
    what.into()
}
