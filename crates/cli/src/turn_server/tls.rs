//! The certificate of TLS.

use std::sync::Arc;

use tokio_rustls::rustls::ServerConfig;

use super::Options;
use crate::failure::Failure;
use crate::serve::tls::{Certificate, server_config};

/// TLS as the options want it, and the certificate's fingerprint if it was made here.
pub(super) fn configuration(
    options: &Options,
) -> Result<(Arc<ServerConfig>, Option<String>), Failure> {
    let names = options.tls_listen.iter().map(core::net::SocketAddr::ip);
    let names = names.chain(options.external_ip.iter().copied());
    let certificate = Certificate {
        cert: options.cert.as_deref(),
        key: options.key.as_deref(),
        names: names
            .filter(|ip| !ip.is_unspecified())
            .map(|ip| ip.to_string())
            .collect(),
    };
    server_config(&certificate)
}
