//! The command line of `rtckit serve`.

use core::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;

use super::origin::Origin;
use crate::arguments::Setup;

/// A web server with a page that calls, and an endpoint that answers
///
/// Whoever calls gets audio and video back on the same transceivers. The page is for browsers; programs POST
/// their offer as application/sdp to /offer, in the manner of WHIP (RFC 9725).
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// Where to listen; browsers allow a page the camera only here, on this machine, or with --tls
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,

    /// Speak HTTPS, with a certificate made for this run unless --cert names one
    #[arg(long)]
    pub(crate) tls: bool,

    /// The certificate chain for HTTPS, PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,

    /// The certificate's private key, PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,

    /// Let the web pages of this origin call as well, such as https://example.org; repeatable; * means all. Without
    /// it only the server's own page may
    #[arg(long, value_name = "ORIGIN", value_parser = Origin::parse)]
    pub(crate) allow_origin: Vec<Origin>,

    /// Offer only this local address as a candidate; repeatable [default: every interface and loopback]
    #[arg(long, value_name = "ADDR")]
    pub(crate) ip: Vec<IpAddr>,

    /// The most callers at a time
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) max_peers: u32,

    /// Which DTLS role to take where the caller leaves a choice
    #[arg(long, value_enum, default_value_t)]
    pub(crate) setup: Setup,

    /// Send this file, over and over, instead of the echo: VP8 in IVF or Opus in Ogg; once for each kind
    #[arg(long, value_name = "FILE")]
    pub(crate) play: Vec<PathBuf>,

    /// Report on stdout as one JSON object a line, and tell the story on stderr
    #[arg(long)]
    pub(crate) json: bool,
}

impl Options {
    /// Whether HTTPS is spoken.
    pub(crate) fn is_secure(&self) -> bool {
        self.tls || self.cert.is_some()
    }
}
