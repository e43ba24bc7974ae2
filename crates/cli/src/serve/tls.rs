//! The certificate of HTTPS.

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

/// HTTPS as the options want it, and the certificate's fingerprint if it was made here.
pub(crate) fn acceptor(options: &Options) -> Result<(TlsAcceptor, Option<String>), Failure> {
    let (chain, key, fingerprint) = match (&options.cert, &options.key) {
        (Some(cert), Some(key)) => (chain(cert)?, private_key(key)?, None),
        _ => {
            let (certificate, key) = self_made(options)?;
            let fingerprint = Fingerprint::of(HashAlgorithm::Sha256, &certificate).to_string();
            (vec![certificate], key, Some(fingerprint))
        }
    };
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| refused(options, &error))?;
    Ok((TlsAcceptor::from(Arc::new(config)), fingerprint))
}

fn refused(options: &Options, error: &rustls::Error) -> Failure {
    match &options.cert {
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

/// A certificate for the addresses at which the page may be asked for.
fn self_made(
    options: &Options,
) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), Failure> {
    let mut names = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    if !options.listen.ip().is_unspecified() {
        names.push(options.listen.ip().to_string());
    }
    names.extend(options.ip.iter().map(ToString::to_string));
    let made = SelfSigned::generate(&Provider::ring(), names)
        .map_err(|error| Failure::new(format_args!("cannot make a certificate: {error}")))?;
    let key = PrivatePkcs8KeyDer::from(made.private_key_der().to_vec());
    Ok((
        CertificateDer::from(made.certificate_der().to_vec()),
        key.into(),
    ))
}
