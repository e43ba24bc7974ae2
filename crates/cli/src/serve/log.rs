//! What the server reports: a story for people or, with `--json`, an object a line for programs.

use core::fmt::Display;
use std::io::{Write, stdout};

use serde::Serialize;

use crate::trace::{Chapter, Trace};

/// Where the reports go.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) trace: Trace,
    json: bool,
}

impl Log {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            trace: Trace::new(json),
            json,
        }
    }

    /// Tells what has just happened, and reports it.
    pub(crate) fn report(&self, chapter: Chapter, what: impl Display, event: &impl Serialize) {
        self.trace.tell(chapter, what);
        if self.json
            && let Ok(mut line) = serde_json::to_string(event)
        {
            line.push('\n');
            // A reader who has gone away misses it, that is all.
            let _ = stdout().write_all(line.as_bytes());
        }
    }
}
