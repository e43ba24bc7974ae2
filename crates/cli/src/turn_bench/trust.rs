//! Whom TLS trusts.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::ClientConfig;

use crate::call::tls::Trust;
use crate::failure::Failure;

/// A TLS client that trusts the CAs in `file`, or the system's.
pub(crate) fn trust(file: Option<&Path>) -> Result<Arc<ClientConfig>, Failure> {
    let trust = file.map_or(Trust::System, |file| Trust::Only(vec![file.to_owned()]));
    trust.client().map(Arc::new)
}
