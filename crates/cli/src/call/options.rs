//! The command line of `rtckit call`.

use clap::Args;

use crate::arguments::Setup;
use crate::stage;

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
}
