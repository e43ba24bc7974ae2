//! The certificate of HTTPS.

use core::net::IpAddr;
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
use crate::call::tls::from_file;
use crate::failure::Failure;

/// HTTPS as the options want it.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    /// The fingerprint of the certificate that is shown.
    pub(crate) fingerprint: String,
}

/// Reads the certificate that the options name, or makes one for `addresses`.
pub(crate) fn tls(
    options: &Options,
    addresses: impl IntoIterator<Item = IpAddr>,
) -> Result<Tls, Failure> {
    let (chain, key) = match (&options.cert, &options.key) {
        (Some(cert), Some(key)) => (from_file(cert)?, private_key(key)?),
        _ => self_made(addresses)?,
    };
    let fingerprint = chain.first().map_or_else(String::new, |certificate| {
        Fingerprint::of(HashAlgorithm::Sha256, certificate).to_string()
    });
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| refused(options, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Tls {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        fingerprint,
    })
}

fn refused(options: &Options, error: &rustls::Error) -> Failure {
    match &options.cert {
        Some(path) => Failure::at(path, format_args!("cannot be used with the key: {error}")),
        None => Failure::new(format_args!("cannot make a certificate: {error}")),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Failure> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|error| Failure::at(path, format_args!("holds no private key (PEM): {error}")))
}

/// A certificate for `addresses`, and for this machine as it calls itself.
fn self_made(
    addresses: impl IntoIterator<Item = IpAddr>,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Failure> {
    let mut names = ["localhost", "127.0.0.1", "::1"]
        .map(str::to_owned)
        .to_vec();
    for address in addresses {
        let name = address.to_string();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let made = SelfSigned::generate(&Provider::ring(), names)
        .map_err(|error| Failure::new(format_args!("cannot make a certificate: {error}")))?;
    let certificate = CertificateDer::from(made.certificate_der().to_vec());
    let key = PrivatePkcs8KeyDer::from(made.private_key_der().to_vec());
    Ok((vec![certificate], key.into()))
}
