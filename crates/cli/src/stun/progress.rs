//! What a person sees who waits for the NAT to be found out.

use core::time::Duration;
use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rtckit_proto::Instant;
use rtckit_stun::Discovery;

/// How often the bar moves.
const STEP: Duration = Duration::from_millis(250);

/// A line, and a bar for each pause, on a terminal; nothing elsewhere.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    is_bar_shown: bool,
    is_told: bool,
}

impl Progress {
    pub(super) fn new(is_quiet: bool) -> Self {
        let is_shown = !is_quiet && crate::has_colours(&stderr());
        let bar = is_shown.then(|| {
            let target = ProgressDrawTarget::hidden();
            let bar = ProgressBar::with_draw_target(Some(1), target);
            if let Ok(style) = ProgressStyle::with_template("{bar:32.green/dim} {msg}") {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar
        });
        Self {
            bar,
            is_bar_shown: false,
            is_told: is_quiet || !stderr().is_terminal(),
        }
    }

    /// Shows how far it is; returns when it wants to be shown again.
    pub(super) fn show(&mut self, now: Instant, discovery: &Discovery) -> Option<Instant> {
        if !self.is_told && discovery.report().other.is_some() {
            self.is_told = true;
            eprintln!("finding out how the NAT behaves takes up to 20 s ...");
        }
        let bar = self.bar.as_ref()?;
        let (low, high, pause) = discovery.sought_lifetime()?;
        // the question goes out when the pause is over
        let left = discovery
            .poll_timeout()
            .map_or(Duration::ZERO, |due| due - now);
        if !self.is_bar_shown {
            self.is_bar_shown = true;
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.set_length(millis(pause).max(1));
        bar.set_position(millis(pause.saturating_sub(left)));
        bar.set_message(format!(
            "a mapping lives {} to {} s: is it there after {}?",
            low.as_secs(),
            high.as_secs(),
            pause.as_secs()
        ));
        Some(now + STEP)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
