//! The certificate that a server shows: read from files, or made for this run.

use core::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use rtckit::Provider;
use rtckit_crypto::fingerprint::{Fingerprint, HashAlgorithm};
use rtckit_crypto::self_signed::SelfSigned;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::failure::Failure;
use crate::tls::from_file;

/// TLS with a certificate.
pub(crate) struct Shown {
    pub(crate) config: ServerConfig,
    /// The certificate's fingerprint.
    pub(crate) fingerprint: String,
}

/// Reads the certificate and its key, if `cert` and `key` name files, or makes one for `addresses`.
pub(crate) fn shown(
    cert: Option<&Path>,
    key: Option<&Path>,
    addresses: impl IntoIterator<Item = IpAddr>,
) -> Result<Shown, Failure> {
    let (chain, private) = match (cert, key) {
        (Some(cert), Some(key)) => (from_file(cert)?, private_key(key)?),
        _ => self_made(addresses)?,
    };
    let fingerprint = chain.first().map_or_else(String::new, |certificate| {
        Fingerprint::of(HashAlgorithm::Sha256, certificate).to_string()
    });
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(chain, private)
        })
        .map_err(|error| refused(cert, key, &error))?;
    Ok(Shown {
        config,
        fingerprint,
    })
}

fn refused(cert: Option<&Path>, key: Option<&Path>, error: &rustls::Error) -> Failure {
    match (cert, key, error) {
        // of what the provider says of keys this is the one kind
        (_, Some(key), rustls::Error::General(_)) => Failure::at(
            key,
            "holds no key that TLS takes here: RSA of 2048 bits or more, ECDSA on P-256 or P-384, Ed25519",
        ),
        (Some(cert), ..) => Failure::at(cert, format_args!("cannot be used with the key: {error}")),
        (None, ..) => Failure::new(format_args!("cannot make a certificate: {error}")),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Failure> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| match std::fs::read_to_string(path) {
        Ok(text) if text.contains("ENCRYPTED") => Failure::at(
            path,
            format_args!(
                "is encrypted: write it without a password (openssl pkey -in {} -out FILE)",
                path.display()
            ),
        ),
        _ => Failure::at(path, format_args!("holds no private key (PEM): {error}")),
    })
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
