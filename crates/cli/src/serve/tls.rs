//! The certificate of HTTPS, and of TURN over TLS.

use std::path::Path;
use std::sync::Arc;

use rtckit::Provider;
use rtckit_crypto::fingerprint::{Fingerprint, HashAlgorithm};
use rtckit_crypto::self_signed::SelfSigned;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use super::Options;
use crate::failure::Failure;

/// Where a certificate comes from.
#[derive(Debug)]
pub(crate) struct Certificate<'o> {
    /// The chain's file; without it a certificate is made.
    pub(crate) cert: Option<&'o Path>,
    /// Its private key's.
    pub(crate) key: Option<&'o Path>,
    /// What one that is made is good for, besides this host.
    pub(crate) names: Vec<String>,
}

/// HTTPS as the options want it, and the certificate's fingerprint if it was made here.
pub(crate) fn acceptor(options: &Options) -> Result<(TlsAcceptor, Option<String>), Failure> {
    let mut names = Vec::new();
    if !options.listen.ip().is_unspecified() {
        names.push(options.listen.ip().to_string());
    }
    names.extend(options.ip.iter().map(ToString::to_string));
    let certificate = Certificate {
        cert: options.cert.as_deref(),
        key: options.key.as_deref(),
        names,
    };
    let (config, fingerprint) = server_config(&certificate)?;
    Ok((TlsAcceptor::from(config), fingerprint))
}

/// A TLS server with a certificate, and its fingerprint if it was made here.
pub(crate) fn server_config(
    certificate: &Certificate<'_>,
) -> Result<(Arc<ServerConfig>, Option<String>), Failure> {
    let (chain, key, fingerprint) = match (certificate.cert, certificate.key) {
        (Some(cert), Some(key)) => (chain(cert)?, private_key(key)?, None),
        _ => {
            let (made, key) = self_made(&certificate.names)?;
            let fingerprint = Fingerprint::of(HashAlgorithm::Sha256, &made).to_string();
            (vec![made], key, Some(fingerprint))
        }
    };
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| refused(certificate.cert, &error))?;
    Ok((Arc::new(config), fingerprint))
}

fn refused(cert: Option<&Path>, error: &rustls::Error) -> Failure {
    match cert {
        Some(path) => Failure::at(path, format_args!("cannot be used with the key: {error}")),
        None => Failure::new(format_args!("cannot make a certificate: {error}")),
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| Failure::at(path, format_args!("cannot be read: {error}")));
    match chain {
        Ok(chain) if chain.is_empty() => Err(Failure::at(path, "holds no certificate (PEM)")),
        chain => chain,
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Failure> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|error| Failure::at(path, format_args!("holds no private key (PEM): {error}")))
}

/// A certificate for this host, and for `more` names.
fn self_made(
    more: &[String],
) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), Failure> {
    let mut names = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    names.extend_from_slice(more);
    let made = SelfSigned::generate(&Provider::ring(), names)
        .map_err(|error| Failure::new(format_args!("cannot make a certificate: {error}")))?;
    let key = PrivatePkcs8KeyDer::from(made.private_key_der().to_vec());
    Ok((
        CertificateDer::from(made.certificate_der().to_vec()),
        key.into(),
    ))
}
