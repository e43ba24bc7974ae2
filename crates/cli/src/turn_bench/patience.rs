//! A word for who waits at a terminal.

use core::fmt;
use core::pin::pin;
use core::time::Duration;
use std::io::{IsTerminal, stderr};

use tokio::time::timeout;

/// How long nothing is said.
const PATIENCE: Duration = Duration::from_secs(1);

/// Calls `tell` when `answer` takes long.
pub(crate) async fn patiently<T>(answer: impl Future<Output = T>, tell: impl FnOnce()) -> T {
    let mut answer = pin!(answer);
    match timeout(PATIENCE, answer.as_mut()).await {
        Ok(answer) => answer,
        Err(_) => {
            tell();
            answer.await
        }
    }
}

/// Tells a terminal, and nobody else, that `server` has not answered yet.
pub(crate) fn tell_silence(server: impl fmt::Display) {
    if stderr().is_terminal() {
        eprintln!("{server} has not answered yet ...");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_who_waits_long_is_told() {
        for (takes, is_long) in [(900, false), (1100, true)] {
            let mut is_told = false;
            let answer = tokio::time::sleep(Duration::from_millis(takes));
            patiently(answer, || is_told = true).await;
            assert_eq!(is_told, is_long, "{takes} ms");
        }
    }
}
