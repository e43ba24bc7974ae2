//! `rtckit stun-server`.

use core::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use clap::Args;
use rtckit::Provider;
use rtckit::server::{Config, TurnServer};
use rtckit_stun::NonceSecret;
use rtckit_turn::ServerConfig;

use crate::failure::Failure;
use crate::interrupt::interrupts;
use crate::serve::Log;
use crate::trace::Chapter;
use crate::turn_server::{Metrics, Report, address, check_threads, runtime, until_stopped};

/// Tell clients the address they are seen at (STUN).
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Where to listen for UDP and TCP; repeatable. Two addresses with different IPs make the server help clients to find
    /// out how their NAT behaves (RFC 5780). Without a port it is 3478 [default: 127.0.0.1:3478]
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = address::<3478>)]
    listen: Vec<SocketAddr>,

    /// How many answers per second an address gets; ten times as many at once
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..))]
    replies_per_second: u32,

    /// How many threads answer, at most 64 [default: one for each processor]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,

    /// Serve metrics for Prometheus at http://ADDR:PORT/metrics
    #[arg(long, value_name = "ADDR:PORT")]
    metrics: Option<SocketAddr>,

    /// Report on stdout as one JSON object a line, and tell the story on stderr
    #[arg(long)]
    json: bool,
}

impl Options {
    /// Whether the logs are for programs.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    check_threads(options.threads).map_err(|what| Failure::new(what).with_code(2))?;
    let secret = NonceSecret::new(&mut *Provider::ring().random());
    let mut turn = ServerConfig::new("rtckit", secret, Vec::new());
    turn.responder.answers_classic = true;
    turn.replies_per_second = options.replies_per_second;
    turn.reply_burst = options.replies_per_second.saturating_mul(10);
    let mut config = Config::new(turn);
    config.is_stun_only = true;
    config.listen = options.listen.clone();
    if config.listen.is_empty() {
        config.listen.push((Ipv4Addr::LOCALHOST, 3478).into());
    }
    if let Some(threads) = options.threads {
        config.threads = threads;
    }
    runtime(config.threads)?.block_on(serve(config, options))
}

async fn serve(config: Config, options: &Options) -> Result<(), Failure> {
    let log = Log::new(options.json);
    let signals = interrupts();
    let is_bare = options.listen.is_empty();
    let server = TurnServer::start(config).await.map_err(Failure::new)?;
    let server = Arc::new(server);
    let metrics = match options.metrics {
        Some(address) => Some(Metrics::start(address, &server).await?),
        None => None,
    };
    let addresses = server.addresses();
    for address in &addresses.udp {
        log.trace
            .tell(Chapter::Start, format_args!("UDP and TCP at {address}"));
    }
    if is_bare {
        log.trace
            .tell(Chapter::Start, "try it:        rtckit stun 127.0.0.1");
        log.trace.tell(
            Chapter::Start,
            "for the world: rtckit stun-server --listen ADDR:3478, or two such addresses for NAT types",
        );
    }
    log.report(
        Chapter::Start,
        "listening",
        &Report::Listening {
            udp: &addresses.udp,
            tcp: &addresses.tcp,
            tls: &addresses.tls,
            discovery: addresses.discovery,
            metrics: metrics.as_ref().map(Metrics::url),
            user: None,
        },
    );
    until_stopped(&server, &log, signals).await
}
