//! `rtckit serve`: a page that calls, and an endpoint that answers.

mod call;
mod crowd;
mod descriptors;
mod echo;
mod endpoint;
mod listen;
mod log;
mod options;
mod origin;
mod page;
mod peers;
mod play;
mod refusal;
mod stats;
mod tls;
mod unread;

use core::fmt::{Display, Write as _};
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::sync::Arc;

use axum::http::StatusCode;
use rtckit::{Configuration, Identity, Interface, MediaKind, Provider};
use serde::Serialize;
use tokio::time::timeout;

use crate::failure::Failure;
use crate::media::Clip;
use crate::trace::Chapter;
pub(crate) use log::Log;
use peers::{Ending, Peers, Slot};
use refusal::Refusal;
use tls::Tls;

pub(crate) use options::Options;

/// The header by which an answer of ours says that media comes back as it was sent.
pub(crate) const ECHO_HEADER: &str = "rtckit-media";

/// How long the farewells may take when the server stops.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(3);

/// All that the server is made of.
#[derive(Debug)]
pub(crate) struct Server {
    options: Options,
    provider: Provider,
    /// One for all calls: making one takes longer than all the rest of an answer.
    identity: Arc<Identity>,
    /// What is sent instead of the echo; at most one of each kind.
    clips: Vec<Arc<Clip>>,
    peers: Peers,
    log: Log,
}

/// What the server reports of itself.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Report<'r> {
    Listening {
        url: &'r str,
        offer: &'r str,
        /// All URLs at which the page is found; `url` is the first.
        urls: &'r [String],
        /// The certificate's fingerprint.
        certificate: Option<&'r str>,
    },
    Stopping {
        peers: usize,
    },
    Stopped {
        calls: u64,
    },
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    check_addresses(&options.ip)?;
    descriptors::raise_limit();
    let server = Arc::new(Server::new(options)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format_args!("cannot start: {error}")))?;
    runtime.block_on(server.run())
}

/// Candidates are addresses of this machine.
fn check_addresses(asked: &[IpAddr]) -> Result<(), Failure> {
    if asked.is_empty() {
        return Ok(());
    }
    let interfaces = if_addrs::get_if_addrs().map_err(|error| {
        Failure::new(format_args!("cannot list the network interfaces: {error}"))
    })?;
    let is_here = |address: &IpAddr| interfaces.iter().any(|found| found.ip() == *address);
    match asked.iter().find(|address| !is_here(address)) {
        Some(address) => Err(Failure::new(format_args!(
            "--ip {address}: this machine has no such address"
        ))),
        None => Ok(()),
    }
}

impl Server {
    fn new(options: &Options) -> Result<Self, Failure> {
        let log = Log::new(options.json);
        let mut clips: Vec<Arc<Clip>> = Vec::new();
        for path in &options.play {
            let clip = Clip::open(path)?;
            if clips.iter().any(|other| other.kind == clip.kind) {
                return Err(Failure::at(
                    path,
                    format_args!("there is a file for the {} already", clip.kind),
                ));
            }
            log.trace.tell(
                Chapter::Start,
                format_args!("plays {} instead of the echo", clip.description),
            );
            clips.push(Arc::new(clip));
        }
        let provider = Provider::ring();
        let identity = Identity::generate(&provider)
            .map_err(|error| Failure::new(format_args!("cannot make a certificate: {error}")))?;
        Ok(Self {
            options: options.clone(),
            provider,
            identity: Arc::new(identity),
            clips,
            peers: Peers::new(usize::try_from(options.max_peers).unwrap_or(usize::MAX)),
            log,
        })
    }

    /// Serves until Ctrl-C or SIGTERM, and hangs up.
    async fn run(self: Arc<Self>) -> Result<(), Failure> {
        let stop = stop_signal()?;
        let address = self.options.listen;
        let addresses = listen::reachable(address.ip());
        let tls = if self.options.is_secure() {
            let candidates = self.options.ip.iter().copied();
            Some(tls::tls(
                &self.options,
                addresses.iter().copied().chain(candidates),
            )?)
        } else {
            None
        };
        let cannot_listen =
            |error| Failure::new(format_args!("cannot listen at {address}: {error}"));
        let listener = listen::bind(address).map_err(cannot_listen)?;
        let port = listener.local_addr().map_err(cannot_listen)?.port();
        self.tell_listening(&addresses, port, tls.as_ref());
        let acceptor = tls.map(|tls| tls.acceptor);
        let router = endpoint::router(Arc::clone(&self));
        tokio::select! {
            () = listen::listen(listener, acceptor, router) => {}
            () = stop => {}
        }
        self.hang_up().await;
        Ok(())
    }

    fn tell_listening(&self, addresses: &[IpAddr], port: u16, tls: Option<&Tls>) {
        let tell = |what: &dyn Display| self.log.trace.tell(Chapter::Start, what);
        let urls: Vec<String> = addresses
            .iter()
            .map(|&address| listen::url(SocketAddr::new(address, port), tls.is_some()))
            .collect();
        let Some((url, others)) = urls.split_first() else {
            return;
        };
        if let Some(tls) = tls {
            let whose = if self.options.cert.is_some() {
                "the certificate is"
            } else {
                "the certificate was made for this run, and browsers will ask whether to go on:"
            };
            tell(&format_args!("{whose} {}", tls.fingerprint));
        }
        self.log.report(
            Chapter::Start,
            format_args!("open {url} in a browser, or POST an offer to {url}offer"),
            &Report::Listening {
                url,
                offer: &format!("{url}offer"),
                urls: &urls,
                certificate: tls.map(|tls| tls.fingerprint.as_str()),
            },
        );
        for other in others {
            tell(&format_args!("from other machines: {other}"));
        }
        if tls.is_none() && !self.options.listen.ip().is_loopback() {
            tell(&"browsers on other machines give the page no camera without --tls");
        }
    }

    /// Ends all calls and waits for their farewells.
    async fn hang_up(&self) {
        let lines = self.peers.forget_all();
        self.log.report(
            Chapter::HangUp,
            format_args!("stopping, with {} calls", lines.len()),
            &Report::Stopping { peers: lines.len() },
        );
        for line in lines {
            line.hang_up(Ending::Stopped);
        }
        let _ = timeout(FAREWELL_TIMEOUT, self.peers.all_gone()).await;
        let calls = self.peers.taken();
        self.log.report(
            Chapter::Stop,
            format_args!("stopped after {calls} calls"),
            &Report::Stopped { calls },
        );
    }

    /// How a call's connection is made.
    fn configuration(&self) -> Configuration {
        let configuration = Configuration::new()
            .provider(self.provider.clone())
            .identity(Arc::clone(&self.identity))
            .setup(self.options.setup.into())
            .include_loopback(true);
        if self.options.ip.is_empty() {
            return configuration;
        }
        let only = self.options.ip.clone();
        configuration
            .interface_filter(move |interface: &Interface| only.contains(&interface.address))
    }

    /// What is played to a stream of this kind; `None` means that it is echoed.
    fn clip(&self, kind: Option<MediaKind>) -> Option<Arc<Clip>> {
        self.clips
            .iter()
            .find(|clip| Some(clip.kind) == kind)
            .cloned()
    }

    /// Whether everything comes back.
    fn echoes(&self) -> bool {
        self.clips.is_empty()
    }

    /// The right to one more call.
    fn slot(&self) -> Result<Slot, Refusal> {
        self.peers.slot().ok_or_else(|| {
            Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format_args!("all {} lines are busy", self.peers.max()),
            )
        })
    }

    /// A new name for a call.
    fn name(&self) -> Result<String, Refusal> {
        let mut bytes = [0; 16];
        self.provider
            .fill_random(&mut bytes)
            .map_err(|error| Refusal::from(rtckit::Error::Crypto(error)))?;
        let mut name = String::with_capacity(2 * bytes.len());
        for byte in bytes {
            let _ = write!(name, "{byte:02x}");
        }
        Ok(name)
    }
}

/// Waits for Ctrl-C or SIGTERM.
#[cfg(unix)]
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};

    let cannot = |error| Failure::new(format_args!("cannot wait for signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            core::future::pending().await
        }
    })
}
