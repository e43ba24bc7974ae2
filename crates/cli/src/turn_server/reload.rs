//! SIGHUP: the file and the certificate are read again.

use core::convert::Infallible;

use rtckit::server::TurnServer;

use super::users::Register;
use super::{Options, Report, peers, tls};
use crate::failure::Failure;
use crate::serve::Log;
use crate::trace::Chapter;

/// What a reload changes.
const READ: &str = "users, secrets, keys, certificate and lists of peers";

/// What is read again, and who is told.
pub(super) struct Reload<'r> {
    /// The options of the command line.
    pub(super) given: &'r Options,
    /// Those the server was started with.
    pub(super) running: &'r Options,
    pub(super) is_demo: bool,
    pub(super) users: &'r Register,
    pub(super) server: &'r TurnServer,
    pub(super) log: &'r Log,
}

impl Reload<'_> {
    /// Reads again at each signal. What cannot be used changes nothing.
    pub(super) async fn at(&self, mut signals: Hangups) -> Infallible {
        loop {
            signals.next().await;
            let (error, needs_restart) = match self.once().await {
                Ok(needs_restart) => (None, needs_restart),
                Err(failure) => (Some(failure.to_string()), Vec::new()),
            };
            let what = match &error {
                None if needs_restart.is_empty() => {
                    format!("read again: {READ}")
                }
                None => format!(
                    "read again: {READ}; needs a restart: {}",
                    needs_restart.join(", ")
                ),
                Some(error) => format!("everything stays as it was: {error}"),
            };
            let report = Report::Reloaded {
                error,
                needs_restart,
            };
            self.log.report(Chapter::Start, what, &report);
        }
    }

    /// Takes what can be taken; returns what cannot.
    async fn once(&self) -> Result<Vec<&'static str>, Failure> {
        let options = self.given.with_file()?;
        let is_same = options.realm() == self.running.realm()
            && options.token_server() == self.running.token_server()
            && options.token_key.is_empty() == self.running.token_key.is_empty();
        if !is_same {
            return Err(Failure::new(
                "another realm, and tokens where there were none, take a new start",
            ));
        }
        // all is read before anything is changed
        let tls = match options.cert {
            Some(_) => Some(tls::configuration(&options)?),
            None => None,
        };
        self.users.replace(&options)?;
        if let Some((tls, _)) = tls {
            self.server.set_tls(tls);
        }
        self.server.set_peers(&peers(&options, self.is_demo)).await;
        Ok(needs_restart(self.running, &options))
    }
}

/// What the server cannot change while it runs, and what is told otherwise than at its start.
fn needs_restart(old: &Options, new: &Options) -> Vec<&'static str> {
    // every option is named here, so that none is added and forgotten
    let Options {
        config: _,
        listen,
        tls_listen,
        cert,
        key: _,
        relay_ip,
        external_ip,
        min_port,
        max_port,
        realm: _,
        user: _,
        secret: _,
        end_at_expiry: _,
        token_key: _,
        token_server: _,
        allow_peer: _,
        deny_peer: _,
        allow_loopback_peers: _,
        max_allocations,
        max_per_user,
        max_per_address,
        max_streams,
        max_streams_per_address,
        replies_per_second,
        alternate_server,
        threads,
        metrics,
        json: _,
        log_format: _,
    } = new;
    let changed = [
        ("listen", *listen != old.listen),
        ("tls-listen", *tls_listen != old.tls_listen),
        // another one is taken, but none is made in its place
        ("cert", cert.is_none() && old.cert.is_some()),
        ("relay-ip", *relay_ip != old.relay_ip),
        ("external-ip", *external_ip != old.external_ip),
        ("min-port", *min_port != old.min_port),
        ("max-port", *max_port != old.max_port),
        ("max-allocations", *max_allocations != old.max_allocations),
        ("max-per-user", *max_per_user != old.max_per_user),
        ("max-per-address", *max_per_address != old.max_per_address),
        ("max-streams", *max_streams != old.max_streams),
        (
            "max-streams-per-address",
            *max_streams_per_address != old.max_streams_per_address,
        ),
        (
            "replies-per-second",
            *replies_per_second != old.replies_per_second,
        ),
        (
            "alternate-server",
            *alternate_server != old.alternate_server,
        ),
        ("threads", *threads != old.threads),
        ("metrics", *metrics != old.metrics),
        ("json", new.is_json() != old.is_json()),
    ];
    let changed = changed.into_iter().filter(|(_, is_changed)| *is_changed);
    changed.map(|(name, _)| name).collect()
}

/// SIGHUP. From the listening on it no longer ends the process.
#[cfg(unix)]
pub(super) struct Hangups(Option<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Hangups {
    /// Must be called within a runtime.
    pub(super) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self(signal(SignalKind::hangup()).ok())
    }

    async fn next(&mut self) {
        let received = match &mut self.0 {
            Some(signal) => signal.recv().await,
            None => None,
        };
        if received.is_none() {
            core::future::pending::<()>().await;
        }
    }
}

/// There is no such signal here.
#[cfg(not(unix))]
pub(super) struct Hangups;

#[cfg(not(unix))]
impl Hangups {
    pub(super) fn listen() -> Self {
        Self
    }

    async fn next(&mut self) {
        core::future::pending::<()>().await;
    }
}
