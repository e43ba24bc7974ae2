//! Ctrl-C.

use tokio::sync::watch;

/// The exit code of a command that was interrupted, as shells have it.
const INTERRUPTED: i32 = 130;

/// Turns true on Ctrl-C. A second Ctrl-C ends the process.
pub(crate) fn stop_on_interrupt() -> watch::Receiver<bool> {
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.send_replace(true);
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(INTERRUPTED);
            }
        }
        // Without signals there is nothing to wait for, and the channel must stay open.
        core::future::pending::<()>().await;
    });
    stopped
}
