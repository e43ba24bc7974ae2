//! Why a command failed, in one line.

use core::fmt::Display;
use std::io::Write;
use std::path::Path;

/// What goes to stderr before the command exits with 1.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    /// Something failed: `what` says it all.
    pub(crate) fn new(what: impl Display) -> Self {
        Self(what.to_string())
    }

    /// Something failed at the file or directory `path`.
    pub(crate) fn at(path: &Path, what: impl Display) -> Self {
        Self(format!("{}: {what}", path.display()))
    }

    /// Writes the line to stderr. If that is gone too, the exit code remains.
    pub(crate) fn print(&self) {
        // A message from outside may hold line breaks; the promise is one line.
        let line = self.0.replace(['\n', '\r'], " ");
        let _ = writeln!(std::io::stderr(), "rtckit: {line}");
    }
}

impl From<rtckit::Error> for Failure {
    fn from(error: rtckit::Error) -> Self {
        Self::new(error)
    }
}
