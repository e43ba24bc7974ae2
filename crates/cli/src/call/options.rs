//! The command line of `rtckit call`.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::Setup;
use crate::stage;
use crate::tls::Trust;

/// A call to a server such as `rtckit serve`
///
/// Posts an offer to URL (application/sdp, in the manner of WHIP), plays video and sound, and takes down what
/// comes back. If the server says that it echoes, every frame must come back as it was sent; of other servers
/// something must come.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// Where offers are taken; a URL without a path means /offer
    #[arg(value_name = "URL")]
    pub(crate) url: String,

    #[command(flatten)]
    pub(crate) stage: stage::Options,

    /// Which DTLS role to take
    #[arg(long, value_enum, default_value_t)]
    pub(crate) setup: Setup,

    /// For https://: trust the certificates in this file (PEM), and whom they vouch for, instead of whom the system
    /// trusts; repeatable
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub(crate) ca: Vec<PathBuf>,

    /// For https://: take any certificate, and print its fingerprint
    #[arg(long)]
    pub(crate) insecure: bool,
}

impl Options {
    /// Whom to believe.
    pub(crate) fn trust(&self) -> Trust {
        if self.insecure {
            Trust::Everybody
        } else if self.ca.is_empty() {
            Trust::System
        } else {
            Trust::Only(self.ca.clone())
        }
    }
}
