//! `rtckit turn-server`.

mod metrics;
mod options;
mod reload;
mod tls;
mod users;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use std::sync::Arc;

use rtckit::Provider;
use rtckit::server::{Config, TurnServer};
use rtckit_stun::NonceSecret;
use rtckit_turn::{Cidr, PeerPolicy, RelayAddress, ServerConfig};
use serde::Serialize;

use crate::failure::Failure;
use crate::interrupt::interrupts;
use crate::serve::Log;
use crate::trace::Chapter;

pub(crate) use metrics::Metrics;
pub(crate) use options::{Options, address, check_threads};

use reload::{Hangups, Reload};
use users::Register;

/// What the server reports.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Report<'r> {
    Listening {
        udp: &'r [SocketAddr],
        tcp: &'r [SocketAddr],
        tls: &'r [SocketAddr],
        discovery: Option<[SocketAddr; 2]>,
        /// Where metrics are.
        metrics: Option<String>,
        /// The user that was made up, with the password.
        user: Option<String>,
    },
    /// After SIGHUP.
    Reloaded {
        /// Why everything stays as it was, if it does.
        error: Option<String>,
        /// What is told otherwise than at the start, and counts from the next start only.
        needs_restart: Vec<&'static str>,
    },
    Draining {
        allocations: usize,
    },
    Stopped {
        allocations: u64,
        packets_to_peers: u64,
        packets_to_clients: u64,
    },
}

/// Runs the command.
pub(crate) fn run(given: &Options) -> Result<(), Failure> {
    let options = given.with_file()?;
    let log = Log::new(options.is_json());
    let prepared = Prepared::new(&options)?;
    runtime(prepared.config.threads)?.block_on(serve(prepared, (given, &options), &log))
}

/// The threads for streams and metrics; datagrams have their own.
pub(crate) fn runtime(threads: usize) -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.clamp(1, 8))
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format_args!("cannot start: {error}")))
}

/// What the options come to.
struct Prepared {
    config: Config,
    users: Arc<Register>,
    made_up: Option<String>,
    fingerprint: Option<String>,
    /// Whether it is the bare command, on loopback.
    is_demo: bool,
}

impl Prepared {
    fn new(options: &Options) -> Result<Self, Failure> {
        let is_bare = options.listen.is_empty() && options.tls_listen.is_empty();
        let listen = if is_bare {
            vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 3478))]
        } else {
            options.listen.clone()
        };
        let secret = NonceSecret::new(&mut *Provider::ring().random());
        let relays = relays(options, &listen)?;
        let is_loopback = relays.iter().all(|relay| relay.bind.is_loopback());
        let mut turn = ServerConfig::new(options.realm(), secret, relays);
        if !options.token_key.is_empty() {
            turn.authentication.third_party = Some(options.token_server().into());
        }
        limit(&mut turn, options)?;
        let is_demo = is_bare && is_loopback;
        turn.peers = peers(options, is_demo);
        let mut config = Config::new(turn);
        config.listen = listen;
        config.tls_listen = options.tls_listen.clone();
        if let Some(threads) = options.threads {
            config.threads = threads;
        }
        if let Some(max) = options.max_streams {
            config.max_streams = max;
        }
        if let Some(max) = options.max_streams_per_address {
            config.max_streams_per_address = max;
        }
        let (users, made_up) = Register::new(options, config.clock())?;
        let users = Arc::new(users);
        config.users = Arc::<Register>::clone(&users);
        let mut fingerprint = None;
        // a certificate is read even if nobody will see it: it was not given for nothing
        if options.cert.is_some() || !options.tls_listen.is_empty() {
            let (tls, made) = tls::configuration(options)?;
            (config.tls, fingerprint) = (Some(tls), made);
        }
        Ok(Self {
            config,
            users,
            made_up,
            fingerprint,
            is_demo,
        })
    }
}

fn relays(options: &Options, listen: &[SocketAddr]) -> Result<Vec<RelayAddress>, Failure> {
    let mut ips = options.relay_ip.clone();
    if ips.is_empty() {
        let listened = listen.iter().chain(&options.tls_listen).map(SocketAddr::ip);
        for ip in listened.filter(|ip| !ip.is_unspecified()) {
            // the first of each family
            if !ips.iter().any(|other| other.is_ipv4() == ip.is_ipv4()) {
                ips.push(ip);
            }
        }
    }
    if ips.is_empty() {
        let what = "listening at every address, it does not know which one relays are to have: say --relay-ip ADDR";
        return Err(Failure::new(what).with_code(2));
    }
    if let Some(ip) = ips.iter().find(|ip| ip.is_unspecified()) {
        let what = format!("--relay-ip {ip}: clients have to be told an address of this host");
        return Err(Failure::new(what).with_code(2));
    }
    let is_relayed = |other: &&IpAddr| ips.iter().any(|ip| ip.is_ipv4() == other.is_ipv4());
    if let Some(ip) = options.external_ip.iter().find(|ip| !is_relayed(ip)) {
        let family = if ip.is_ipv4() { "IPv4" } else { "IPv6" };
        let what = format!("--external-ip {ip}: there is no relay for {family}: say --relay-ip");
        return Err(Failure::new(what).with_code(2));
    }
    let advertised = |ip: &IpAddr| {
        let mut external = options.external_ip.iter();
        external.find(|other| other.is_ipv4() == ip.is_ipv4())
    };
    let relay = |ip: &IpAddr| match advertised(ip) {
        Some(external) => RelayAddress::behind_nat(*ip, *external),
        None => RelayAddress::new(*ip),
    };
    Ok(ips.iter().map(relay).collect())
}

/// Whom clients may reach. The bare command, which nobody but this host reaches, is there to be tried.
fn peers(options: &Options, is_demo: bool) -> PeerPolicy {
    let mut peers = PeerPolicy::default();
    peers.allow.extend(&options.allow_peer);
    peers.deny.extend(&options.deny_peer);
    if options.allow_loopback_peers || is_demo {
        let v4 = Cidr::new(Ipv4Addr::new(127, 0, 0, 0).into(), 8);
        peers.allow.extend(v4);
        peers.allow.push(IpAddr::V6(Ipv6Addr::LOCALHOST).into());
    }
    peers
}

fn limit(turn: &mut ServerConfig, options: &Options) -> Result<(), Failure> {
    let (min, max) = (
        options.min_port.unwrap_or_else(|| *turn.ports.start()),
        options.max_port.unwrap_or_else(|| *turn.ports.end()),
    );
    if min == 0 || min > max {
        let what =
            format!("there are no ports from {min} to {max}: change --min-port or --max-port");
        return Err(Failure::new(what).with_code(2));
    }
    turn.ports = min..=max;
    if let Some(max) = options.max_allocations {
        turn.max_allocations = max;
    }
    if let Some(max) = options.max_per_user {
        turn.max_allocations_per_user = max;
    }
    if let Some(max) = options.max_per_address {
        turn.max_allocations_per_address = max;
    }
    if let Some(replies) = options.replies_per_second {
        turn.replies_per_second = replies;
        turn.reply_burst = replies.saturating_mul(10);
    }
    turn.alternate_server = options.alternate_server;
    turn.responder.answers_classic = true;
    turn.software = Some(concat!("rtckit ", env!("CARGO_PKG_VERSION")).into());
    Ok(())
}

/// Serves by the options: those that were given, and with what the file says.
async fn serve(
    prepared: Prepared,
    (given, options): (&Options, &Options),
    log: &Log,
) -> Result<(), Failure> {
    let [stop, abort] = interrupts();
    let hangups = Hangups::listen();
    let threads = prepared.config.threads;
    let server = TurnServer::start(prepared.config)
        .await
        .map_err(Failure::new)?;
    let server = Arc::new(server);
    let metrics = match options.metrics {
        Some(address) => Some(Metrics::start(address, &server).await?),
        None => None,
    };
    let addresses = server.addresses();
    if let Some(fingerprint) = &prepared.fingerprint {
        log.trace.tell(
            Chapter::Start,
            format_args!("the certificate was made for this run: {fingerprint}"),
        );
    }
    for (name, list) in [
        ("UDP", &addresses.udp),
        ("TCP", &addresses.tcp),
        ("TLS", &addresses.tls),
    ] {
        for address in list {
            log.trace
                .tell(Chapter::Start, format_args!("{name} at {address}"));
        }
    }
    if let Some(metrics) = &metrics {
        let line = format_args!("metrics at {}", metrics.url());
        log.trace.tell(Chapter::Start, line);
    }
    if let Some(user) = &prepared.made_up {
        log.trace.tell(
            Chapter::Start,
            format_args!("nobody was named, so there is a user for this run: {user}"),
        );
        if let Some(address) = addresses.udp.first() {
            log.trace.tell(
                Chapter::Start,
                format_args!("try it:        rtckit turn-bench turn:{address} --user {user}"),
            );
        }
        log.trace.tell(
            Chapter::Start,
            "for the world: rtckit turn-server --listen ADDR:3478 --realm DOMAIN --user NAME:PASSWORD",
        );
    }
    log.report(
        Chapter::Start,
        format_args!("listening, {threads} threads"),
        &Report::Listening {
            udp: &addresses.udp,
            tcp: &addresses.tcp,
            tls: &addresses.tls,
            discovery: addresses.discovery,
            metrics: metrics.as_ref().map(Metrics::url),
            user: prepared.made_up.clone(),
        },
    );
    let reload = Reload {
        given,
        running: options,
        is_demo: prepared.is_demo,
        users: &prepared.users,
        server: &server,
        log,
    };
    tokio::select! {
        result = until_stopped(&server, log, [stop, abort]) => result,
        never = reload.at(hangups) => match never {},
    }
}

/// Serves until the first signal, lets the clients go until the second, and says what was done.
pub(crate) async fn until_stopped(
    server: &TurnServer,
    log: &Log,
    [mut stop, mut abort]: [tokio::sync::watch::Receiver<bool>; 2],
) -> Result<(), Failure> {
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => {}
        () = server.stopped() => return Err(Failure::new("a thread of the server ended")),
    }
    let stats = server.stats().await;
    let allocations = stats.allocations;
    let what = match allocations {
        0 => "stopping".to_owned(),
        _ => format!("draining: {allocations} allocations live on; a second signal ends them"),
    };
    log.report(Chapter::Stop, what, &Report::Draining { allocations });
    server.drain().await;
    let mut last = stats;
    let is_aborted = loop {
        tokio::select! {
            () = server.stopped() => break false,
            _ = abort.wait_for(|abort| *abort) => break true,
            () = tokio::time::sleep(Duration::from_millis(500)) => {
                let stats = server.stats().await;
                if stats.counters.requests >= last.counters.requests {
                    last = stats;
                }
            }
        }
    };
    if is_aborted {
        server.stop();
    }
    let counters = last.counters;
    log.report(
        Chapter::Stop,
        format_args!(
            "{} allocations, {} packets to peers, {} to clients",
            counters.allocations, counters.packets_to_peers, counters.packets_to_clients
        ),
        &Report::Stopped {
            allocations: counters.allocations,
            packets_to_peers: counters.packets_to_peers,
            packets_to_clients: counters.packets_to_clients,
        },
    );
    if is_aborted {
        return Err(Failure::interrupted());
    }
    Ok(())
}
