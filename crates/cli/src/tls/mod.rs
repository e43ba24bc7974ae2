//! Whom the commands believe over TLS: `call` over HTTPS, those of STUN and TURN by the schemes that end in s.

mod explain;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rtckit_crypto::fingerprint::{Fingerprint, HashAlgorithm};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::failure::Failure;
use verify::{Takes, Verifier};

pub(crate) use explain::explain_link;

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
    fn client(&self) -> Result<ClientConfig, Failure> {
        let provider = Arc::new(ring::default_provider());
        let takes = match self {
            Self::Everybody => Takes::Everybody,
            Self::Only(paths) => {
                let (roots, certificates) = from_files(paths)?;
                let usual = vouched(roots, &provider)?;
                Takes::Named {
                    certificates,
                    usual,
                }
            }
            Self::System => Takes::Named {
                certificates: Vec::new(),
                usual: vouched(from_system()?, &provider)?,
            },
        };
        let verifier = Verifier {
            takes,
            provider: Arc::clone(&provider),
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::new(format_args!("cannot speak TLS: {error}")))?;
        let builder = builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        Ok(builder.with_no_client_auth())
    }
}

/// A TLS client that trusts what is in `file`, or whom the system trusts.
pub(crate) fn client(file: Option<&Path>) -> Result<Arc<ClientConfig>, Failure> {
    let trust = file.map_or(Trust::System, |file| Trust::Only(vec![file.to_owned()]));
    trust.client().map(Arc::new)
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
    connected.map_err(|error| explain::explain(&error, host))
}

/// The fingerprint of the certificate the server has shown.
pub(crate) fn fingerprint(stream: &TlsStream<TcpStream>) -> Option<String> {
    let (_, connection) = stream.get_ref();
    let certificate = connection.peer_certificates()?.first()?;
    Some(Fingerprint::of(HashAlgorithm::Sha256, certificate).to_string())
}
