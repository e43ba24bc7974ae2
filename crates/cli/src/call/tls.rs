//! Whom `rtckit call` believes over HTTPS, and the TURN commands over TLS.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rtckit_crypto::fingerprint::{Fingerprint, HashAlgorithm};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::client::{WebPkiServerVerifier, verify_server_name};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

use crate::failure::Failure;

/// What the command line says of certificates.
#[derive(Clone, Debug)]
pub(crate) enum Trust {
    /// Whom the system trusts.
    System,
    /// Only the certificates in these files, and whom they vouch for.
    Only(Vec<PathBuf>),
    /// Everybody.
    Everybody,
}

impl Trust {
    /// What makes TLS of TCP.
    pub(crate) fn connector(&self) -> Result<TlsConnector, Failure> {
        let mut config = self.client()?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }

    /// A TLS client for whatever protocol.
    pub(crate) fn client(&self) -> Result<ClientConfig, Failure> {
        let provider = Arc::new(ring::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match self {
            Self::Everybody => Arc::new(Unchecked(Arc::clone(&provider))),
            Self::Only(paths) => {
                let (roots, certificates) = from_files(paths)?;
                let usual = vouched(roots, &provider)?;
                Arc::new(Named {
                    certificates,
                    usual,
                })
            }
            Self::System => vouched(from_system()?, &provider)?,
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::new(format_args!("cannot speak TLS: {error}")))?;
        let builder = builder
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        Ok(builder.with_no_client_auth())
    }
}

/// The usual verifier: somebody among `roots` must vouch for the certificate.
fn vouched(
    roots: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Failure> {
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
            .build()
            .map_err(|error| Failure::new(format_args!("cannot check certificates: {error}")))?;
    Ok(verifier)
}

type Certificates = Vec<CertificateDer<'static>>;

/// The certificates in the files, as authorities and as they are.
fn from_files(paths: &[PathBuf]) -> Result<(RootCertStore, Certificates), Failure> {
    let (mut roots, mut certificates) = (RootCertStore::empty(), Vec::new());
    for path in paths {
        for certificate in from_file(path)? {
            roots.add(certificate.clone()).map_err(|_| {
                Failure::at(path, "holds what cannot be read as a certificate (X.509)")
            })?;
            certificates.push(certificate);
        }
    }
    Ok((roots, certificates))
}

/// The certificates in a file, of which there is at least one.
pub(crate) fn from_file(path: &Path) -> Result<Certificates, Failure> {
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match certificates {
        Ok(certificates) if certificates.is_empty() => {
            Err(Failure::at(path, "holds no certificate (PEM)"))
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(Failure::at(path, format_args!("cannot be read: {error}"))),
    }
}

fn from_system() -> Result<RootCertStore, Failure> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A system's store may hold what nobody can read; the rest is as good as it was.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(Failure::new(
            "this system trusts no certificate authority: name one with --ca FILE, or check nothing with --insecure",
        ));
    }
    Ok(roots)
}

/// Lets TLS begin on `stream` to a server that should be `host`.
pub(crate) async fn connect(
    connector: &TlsConnector,
    host: &str,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, String> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| format!("{host} is no name that a certificate could hold"))?;
    let connected = connector.connect(name, stream).await;
    connected.map_err(|error| explain(&error, host))
}

/// The fingerprint of the certificate the server has shown.
pub(crate) fn fingerprint(stream: &TlsStream<TcpStream>) -> Option<String> {
    let (_, connection) = stream.get_ref();
    let certificate = connection.peer_certificates()?.first()?;
    Some(Fingerprint::of(HashAlgorithm::Sha256, certificate).to_string())
}

/// What failed, and what the user can do about it.
fn explain(error: &io::Error, host: &str) -> String {
    use rustls::Error;

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

/// In words: those of rustls are the names of its variants.
fn explain_tls(error: &rustls::Error, host: &str) -> String {
    use rustls::{AlertDescription as Alert, Error};

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
            return format!("the server's certificate is not for {host}");
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

/// Takes the very certificates that were named, and whom they vouch for.
#[derive(Debug)]
struct Named {
    certificates: Certificates,
    usual: Arc<dyn ServerCertVerifier>,
}

impl ServerCertVerifier for Named {
    /// A certificate that was named needs nobody's word, and may be an authority's, as `openssl req -x509` makes them. Its
    /// name has to be right nevertheless; its dates are, as the usual verifier looks at them before what it finds fault
    /// with here.
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let usual = self.usual.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        let is_named = || self.certificates.iter().any(|named| named == end_entity);
        match usual {
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(_))) if is_named() => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            usual => usual,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// Takes any certificate, as long as the server has its key.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
