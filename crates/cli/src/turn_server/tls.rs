//! TURN over TLS, with the certificate of the options.

use std::sync::Arc;

use tokio_rustls::rustls::ServerConfig;

use super::Options;
use crate::certificate::shown;
use crate::failure::Failure;

/// TLS as the options want it, and the certificate's fingerprint if it was made here.
pub(super) fn configuration(
    options: &Options,
) -> Result<(Arc<ServerConfig>, Option<String>), Failure> {
    let listened = options.tls_listen.iter().map(core::net::SocketAddr::ip);
    let addresses = listened
        .chain(options.external_ip.iter().copied())
        .filter(|ip| !ip.is_unspecified());
    let shown = shown(options.cert.as_deref(), options.key.as_deref(), addresses)?;
    let made = options.cert.is_none().then_some(shown.fingerprint);
    Ok((Arc::new(shown.config), made))
}
