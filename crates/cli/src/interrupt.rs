//! Ctrl-C, and SIGTERM, which means the same here.

use tokio::sync::watch;

/// The exit code of a command that was interrupted, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;

/// The first turns true on the first interrupt: what goes on is to be brought to its end. The other turns true on the
/// second: everything is to be dropped.
///
/// From the return on, interrupts no longer end the process. Must be called within a runtime.
pub(crate) fn interrupts() -> [watch::Receiver<bool>; 2] {
    let (first, stop) = watch::channel(false);
    let (second, abort) = watch::channel(false);
    let mut signals = Signals::listen();
    tokio::spawn(async move {
        signals.next().await;
        first.send_replace(true);
        signals.next().await;
        second.send_replace(true);
        // The channels must stay open.
        core::future::pending::<()>().await;
    });
    [stop, abort]
}

/// The signals that interrupt. One that the system does not grant never comes.
#[cfg(unix)]
struct Signals([Option<tokio::signal::unix::Signal>; 2]);

#[cfg(unix)]
impl Signals {
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self([SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).ok()))
    }

    async fn next(&mut self) {
        async fn one(signal: &mut Option<tokio::signal::unix::Signal>) {
            let received = match signal {
                Some(signal) => signal.recv().await,
                None => None,
            };
            if received.is_none() {
                core::future::pending::<()>().await;
            }
        }
        let [interrupt, terminate] = &mut self.0;
        tokio::select! {
            () = one(interrupt) => {}
            () = one(terminate) => {}
        }
    }
}

/// The signals that interrupt: where there is no SIGTERM, Ctrl-C alone.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Self {
        Self
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            core::future::pending::<()>().await;
        }
    }
}
