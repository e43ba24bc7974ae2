//! What `rtckit turn-bench` can be told.

use core::time::Duration;
use std::path::PathBuf;

use clap::Args;
use rtckit::client::ServerUri;

use crate::arguments::seconds;

/// Load a TURN server, and measure what it loses and how long it takes.
///
/// Each client allocates an address and sends to it, so that each packet is relayed twice: from the client to the relayed
/// address, and from there back to the client.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// The server: turn:HOST[:PORT][?transport=udp|tcp] or turns:HOST[:PORT]
    #[arg(value_name = "URI", value_parser = server)]
    pub(super) server: ServerUri,

    /// Who to be
    #[arg(long, value_name = "NAME:PASSWORD", value_parser = user)]
    pub(super) user: (String, String),

    /// The CA that the server's certificate is to be from (PEM) [default: the system's]
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,

    /// How many clients send in turn
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(super) clients: u32,

    /// Packets per second of all clients together; 0 is as many as come back
    #[arg(long, value_name = "N", default_value = "1000")]
    pub(super) rate: u32,

    /// Bytes in each packet
    #[arg(long, value_name = "N", default_value = "160", value_parser = clap::value_parser!(u16).range(24..=1400))]
    pub(super) size: u16,

    /// How many packets a client sends at once
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(super) burst: u32,

    /// With --rate 0: how many packets are on their way at a time
    #[arg(long, value_name = "N", default_value = "64", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(super) window: u32,

    /// Hand each packet of a burst to the kernel on its own, as if they came from many senders
    #[arg(long)]
    pub(super) no_offload: bool,

    /// How long to send
    #[arg(long, value_name = "N", default_value = "5", value_parser = seconds)]
    pub(super) seconds: Duration,

    /// Ask for relayed addresses of IPv6
    #[arg(long)]
    pub(super) ipv6: bool,

    /// Relay TCP (RFC 6062): from each client, through the server, to an echo this command runs where the server can reach
    /// it
    #[arg(long)]
    pub(super) tcp_relay: bool,

    /// Only allocate, and hold the allocations for that long
    #[arg(long, conflicts_with_all = ["tcp_relay", "rate", "burst"])]
    pub(super) hold: bool,

    /// Report as one JSON object on stdout
    #[arg(long)]
    pub(super) json: bool,
}

fn server(text: &str) -> Result<ServerUri, String> {
    match text.parse::<ServerUri>() {
        Ok(uri) if uri.is_turn => Ok(uri),
        Ok(_) => Err("expected turn:HOST or turns:HOST".into()),
        Err(error) => Err(error.to_string()),
    }
}

fn user(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once(':') {
        // time-limited names have colons, passwords of theirs have none
        Some((name, password)) if !name.is_empty() && !password.is_empty() => {
            Ok((name.to_owned(), password.to_owned()))
        }
        _ => Err("expected NAME:PASSWORD".into()),
    }
}
