//! HTTPS, with the certificate of the options.

use core::net::IpAddr;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;

use super::Options;
use crate::certificate::shown;
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
    let mut shown = shown(options.cert.as_deref(), options.key.as_deref(), addresses)?;
    shown.config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Tls {
        acceptor: TlsAcceptor::from(Arc::new(shown.config)),
        fingerprint: shown.fingerprint,
    })
}
