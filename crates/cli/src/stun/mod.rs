//! `rtckit stun`: where a server sees this host, and how the NAT in between behaves.

mod progress;
mod verdict;

use core::future::poll_fn;
use core::net::SocketAddr;
use core::task::Poll;
use core::time::Duration;

use clap::Args;
use rtckit::Provider;
use rtckit::client::{Buffers, Link, ServerUri, Timer};
use rtckit_proto::Transport;
use rtckit_stun::{Client, Discovery, DiscoveryConfig, Outcome, Report, Retransmission};
use serde::Serialize;

use crate::failure::Failure;
use crate::tls::explain_link;
use crate::turn_bench::{patiently, tell_silence};
use progress::Progress;

/// Ask a STUN server for my address, and find out how the NAT in front of me behaves.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// The server: HOST, HOST:PORT or a stun: URI
    #[arg(value_name = "HOST", value_parser = server)]
    server: ServerUri,

    /// The CA that stuns: servers are to be certified by (PEM) [default: the system's]
    #[arg(long, value_name = "FILE")]
    ca: Option<std::path::PathBuf>,

    /// Find out how long the NAT remembers a mapping that is not used, up to so many seconds [default: 300]. It takes
    /// several times as long: the pauses are halved until they are known to 5 seconds
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "300",
        value_parser = clap::value_parser!(u64).range(1..=7200))]
    lifetime: Option<u64>,

    /// Report as one JSON object on stdout
    #[arg(long)]
    json: bool,
}

fn server(text: &str) -> Result<ServerUri, String> {
    let is_uri = ["stun:", "stuns:", "turn:", "turns:"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    let uri = if is_uri {
        text.parse()
    } else {
        format!("stun:{text}").parse()
    };
    uri.map_err(|error: rtckit::client::UriParseError| error.to_string())
}

/// What is reported.
#[derive(Debug, Serialize)]
struct Summary {
    server: SocketAddr,
    local: SocketAddr,
    mapped: SocketAddr,
    rtt_us: Option<u64>,
    nat: bool,
    mapping: Option<&'static str>,
    filtering: Option<&'static str>,
    hairpinning: Option<bool>,
    /// How long a mapping lives at least that is not used.
    lifetime_s: Option<f64>,
    /// Whether anybody wanted to know that.
    #[serde(skip)]
    seeks_lifetime: bool,
    verdict: &'static str,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format_args!("cannot start: {error}")))?;
    let summary = runtime.block_on(ask(options))?;
    if options.json {
        crate::report::print_json(&summary)
    } else {
        verdict::print(&summary);
        Ok(())
    }
}

async fn ask(options: &Options) -> Result<Summary, Failure> {
    let uri = &options.server;
    let fail = |error| Failure::new(format_args!("{}: {error}", uri.host));
    let server = uri.resolve().await.map_err(fail)?;
    let tls = match uri.transport {
        Transport::Tls => Some(crate::tls::client(options.ca.as_deref())?),
        _ => None,
    };
    let timer = Timer::start();
    let asked = async {
        let link = Link::open(uri, server, tls).await;
        let mut link = link.map_err(|error| {
            Failure::new(format_args!("{uri}: {}", explain_link(&error, &uri.host)))
        })?;
        let (mapped, rtt) = binding(&mut link, timer, uri).await?;
        Ok::<_, Failure>((link, mapped, rtt))
    };
    let tell = || {
        if !options.json {
            tell_silence(uri);
        }
    };
    let (link, mapped, rtt) = patiently(asked, tell).await?;
    let mut report = Report::default();
    if uri.transport == Transport::Udp {
        // the mapping of a fresh socket, which nothing has opened yet
        let local = SocketAddr::new(link.path().local.ip(), 0);
        let link = Link::udp(local, server).await.map_err(fail)?;
        let max_lifetime = options.lifetime.map(Duration::from_secs);
        let second = match max_lifetime {
            Some(_) => Some(Link::udp(local, server).await.map_err(fail)?),
            None => None,
        };
        report = discover(link, second, (max_lifetime, options.json), timer).await;
    }
    let local = link.path().local;
    let is_direct = mapped == local;
    Ok(Summary {
        server,
        local,
        mapped,
        rtt_us: rtt.map(|rtt| u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX)),
        nat: !is_direct,
        mapping: report.mapping.map(verdict::name),
        filtering: report.filtering.map(verdict::name),
        hairpinning: report.hairpinning,
        seeks_lifetime: options.lifetime.is_some(),
        lifetime_s: report.lifetime.map(|lifetime| lifetime.as_secs_f64()),
        verdict: verdict::verdict(mapped.ip(), is_direct, &report),
    })
}

async fn binding(
    link: &mut Link,
    timer: Timer,
    uri: &ServerUri,
) -> Result<(SocketAddr, Option<Duration>), Failure> {
    // nobody at a terminal waits for 39 seconds
    let retransmission = Retransmission {
        max_requests: 5,
        last_wait: 2,
        rto: Duration::from_millis(250),
        ..Retransmission::default()
    };
    let random = &mut *Provider::ring().random();
    let now = timer.now();
    let mut client = Client::new(link.path(), now, random).with_retransmission(retransmission, now);
    let mut buffers = Buffers::new();
    let mut buf = [0; 1400];
    let deadline = tokio::time::sleep(Duration::from_secs(10));
    let mut deadline = core::pin::pin!(deadline);
    let mut sleep = core::pin::pin!(tokio::time::sleep(Duration::ZERO));
    let outcome = poll_fn(|cx| {
        loop {
            let now = timer.now();
            client.handle_timeout(now);
            while let Some(sent) = client.poll_transmit(now, &mut buf) {
                let bytes = buf.get(sent.range).unwrap_or_default();
                link.send(sent.path, bytes, bytes.len());
            }
            if let Some(outcome) = client.outcome() {
                return Poll::Ready(Ok(outcome.clone()));
            }
            if let Poll::Ready(Err(error)) = link.poll_flush(cx) {
                return Poll::Ready(Err(error));
            }
            if deadline.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(Outcome::TimedOut));
            }
            let received = link.poll_receive(cx, &mut buffers, |datagram| {
                client.handle_input(now, datagram);
            });
            match received {
                Poll::Ready(Ok(())) => continue,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {}
            }
            if let Some(due) = client.poll_timeout() {
                sleep.as_mut().reset(timer.tokio(due));
                if sleep.as_mut().poll(cx).is_ready() {
                    continue;
                }
            }
            return Poll::Pending;
        }
    })
    .await
    .map_err(|error| Failure::new(format_args!("{uri}: {error}")))?;
    match outcome {
        Outcome::Mapped { address, rtt } => Ok((address, rtt)),
        Outcome::TimedOut => Err(Failure::new(format_args!("{uri}: no answer"))),
        Outcome::Redirected { server, .. } => Err(Failure::new(format_args!(
            "{uri} sends its clients to {server}: ask that one"
        ))),
        Outcome::Refused { code } => Err(Failure::new(format_args!("{uri} refuses, error {code}"))),
        Outcome::WrongCredentials => Err(Failure::new(format_args!("{uri} wants credentials"))),
        Outcome::Forged | Outcome::BadChallenge | Outcome::BadResponse => Err(Failure::new(
            format_args!("{uri}: the answer makes no sense"),
        )),
    }
}

/// Finds out what can be found out, from `link` and, for the lifetime, a second one.
async fn discover(
    mut link: Link,
    mut second: Option<Link>,
    (max_lifetime, is_quiet): (Option<Duration>, bool),
    timer: Timer,
) -> Report {
    let random = &mut *Provider::ring().random();
    let path = link.path();
    let mut config = DiscoveryConfig::default();
    config.max_lifetime = max_lifetime;
    let other = second.as_ref().map(|link| link.path().local);
    let mut discovery = Discovery::new(config, path.local, other, path.remote, timer.now(), random);
    let mut buffers = Buffers::new();
    let mut buf = [0; 1400];
    let mut sleep = core::pin::pin!(tokio::time::sleep(Duration::ZERO));
    let mut progress = Progress::new(is_quiet);
    poll_fn(|cx| {
        loop {
            let now = timer.now();
            discovery.handle_timeout(now);
            while let Some(sent) = discovery.poll_transmit(now, &mut buf) {
                let bytes = buf.get(sent.range).unwrap_or_default();
                match &mut second {
                    Some(second) if sent.path.local == second.path().local => {
                        second.send(sent.path, bytes, bytes.len());
                    }
                    _ => link.send(sent.path, bytes, bytes.len()),
                }
            }
            if discovery.is_finished() {
                return Poll::Ready(());
            }
            let next = progress.show(now, &discovery);
            let mut has_received = false;
            for link in [Some(&mut link), second.as_mut()].into_iter().flatten() {
                let received = link.poll_receive(cx, &mut buffers, |datagram| {
                    discovery.handle_input(now, datagram);
                });
                has_received |= received.is_ready();
            }
            if has_received {
                continue;
            }
            let due = [discovery.poll_timeout(), next];
            if let Some(due) = due.into_iter().flatten().min() {
                sleep.as_mut().reset(timer.tokio(due));
                if sleep.as_mut().poll(cx).is_ready() {
                    continue;
                }
            }
            return Poll::Pending;
        }
    })
    .await;
    *discovery.report()
}
