//! SIGHUP: the file and the certificate are read again.

use core::convert::Infallible;

use rtckit::server::TurnServer;

use super::users::Register;
use super::{Options, Report, tls};
use crate::failure::Failure;
use crate::serve::Log;
use crate::trace::Chapter;

/// What is read again, and who is told.
pub(super) struct Reload<'r> {
    /// The options of the command line.
    pub(super) given: &'r Options,
    /// Those the server was started with.
    pub(super) running: &'r Options,
    pub(super) users: &'r Register,
    pub(super) server: &'r TurnServer,
    pub(super) log: &'r Log,
}

impl Reload<'_> {
    /// Reads again at each signal. What cannot be used changes nothing.
    pub(super) async fn at(&self, mut signals: Hangups) -> Infallible {
        loop {
            signals.next().await;
            let error = self.once().err().map(|failure| failure.to_string());
            let what = match &error {
                None => "read again: users, secrets, keys and certificate".to_owned(),
                Some(error) => format!("everything stays as it was: {error}"),
            };
            self.log
                .report(Chapter::Start, what, &Report::Reloaded { error });
        }
    }

    fn once(&self) -> Result<(), Failure> {
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
        Ok(())
    }
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
