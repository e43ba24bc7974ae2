//! The story, told line by line while it happens.

use core::fmt::Display;
use core::time::Duration;
use std::io::{Write, stderr, stdout};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The chapters, in the order of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chapter {
    Start,
    Call,
    Ice,
    Keys,
    Media,
    HangUp,
    Stop,
}

impl Chapter {
    /// Its name, and the colour it has on terminals, as ANSI's number.
    fn name(self) -> (&'static str, u8) {
        match self {
            Self::Start => ("start", 35),
            Self::Call => ("call", 36),
            Self::Ice => ("ice", 34),
            Self::Keys => ("keys", 33),
            Self::Media => ("media", 32),
            Self::HangUp => ("hang up", 36),
            Self::Stop => ("stop", 35),
        }
    }
}

/// Prints lines with the time since the start, above the progress bar if there is one.
#[derive(Debug)]
pub(crate) struct Trace {
    start: Instant,
    to_stderr: bool,
    colours: bool,
    bar: Mutex<Option<ProgressBar>>,
}

impl Trace {
    /// A story that begins now. It goes to stdout, or to stderr when stdout is for something else.
    #[expect(
        clippy::disallowed_methods,
        reason = "the command tells its user the time"
    )]
    pub(crate) fn new(to_stderr: bool) -> Self {
        let colours = if to_stderr {
            crate::has_colours(&stderr())
        } else {
            crate::has_colours(&stdout())
        };
        Self {
            start: Instant::now(),
            to_stderr,
            colours,
            bar: Mutex::new(None),
        }
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Whether the story is coloured.
    pub(crate) fn has_colours(&self) -> bool {
        self.colours
    }

    /// Tells what has just happened.
    pub(crate) fn tell(&self, chapter: Chapter, what: impl Display) {
        let (name, colour) = chapter.name();
        let seconds = self.elapsed().as_secs_f64();
        let line = if self.colours {
            format!("\x1b[2m{seconds:8.3}\x1b[0m  \x1b[1;{colour}m{name:<8}\x1b[0m {what}\n")
        } else {
            format!("{seconds:8.3}  {name:<8} {what}\n")
        };
        self.print(&line);
    }

    /// Prints `text`, which ends its own lines. A reader who has gone away misses it, that is all.
    pub(crate) fn print(&self, text: &str) {
        let write = || {
            if self.to_stderr {
                let _ = stderr().write_all(text.as_bytes());
            } else {
                let _ = stdout().write_all(text.as_bytes());
            }
        };
        match &*self.bar.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Shows a bar for `duration`, if stderr is a terminal that may be written to with more than plain text: a bar
    /// moves by escape sequences.
    pub(crate) fn start_bar(&self, duration: Duration) {
        if !crate::has_colours(&stderr()) {
            return;
        }
        let bar =
            ProgressBar::with_draw_target(Some(millis(duration)), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("          {bar:32.green/dim} {msg}") {
            bar.set_style(style.progress_chars("━╸─"));
        }
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar);
    }

    /// Moves the bar.
    pub(crate) fn move_bar(&self, played: Duration, message: String) {
        if let Some(bar) = &*self.bar.lock().unwrap_or_else(PoisonError::into_inner) {
            bar.set_message(message);
            bar.set_position(millis(played));
        }
    }

    /// Takes the bar away.
    pub(crate) fn end_bar(&self) {
        if let Some(bar) = self
            .bar
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            bar.finish_and_clear();
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
