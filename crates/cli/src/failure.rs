//! Why a command failed, in one line.

use core::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use serde::{Serialize, Serializer};

use crate::interrupt::INTERRUPTED;

/// What goes to stderr before the command exits.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    line: String,
    code: u8,
}

impl Failure {
    /// Something failed: `what` says it all.
    pub(crate) fn new(what: impl Display) -> Self {
        Self {
            // A message from outside may hold line breaks, and what terminals obey; the promise is one line.
            line: what.to_string().replace(char::is_control, " "),
            code: 1,
        }
    }

    /// Something failed at the file or directory `path`.
    pub(crate) fn at(path: &Path, what: impl Display) -> Self {
        Self::new(format_args!("{}: {what}", path.display()))
    }

    /// The same with another exit code than 1.
    pub(crate) fn with_code(self, code: u8) -> Self {
        Self { code, ..self }
    }

    /// The user would not wait for the end.
    pub(crate) fn interrupted() -> Self {
        Self {
            code: INTERRUPTED,
            ..Self::new("interrupted")
        }
    }

    /// With what the command exits.
    pub(crate) fn exit_code(&self) -> ExitCode {
        self.code.into()
    }

    /// Writes the line to stderr. If that is gone too, the exit code remains.
    pub(crate) fn print(&self) {
        let _ = writeln!(std::io::stderr(), "rtckit: {}", self.line);
    }
}

/// The line alone.
impl Display for Failure {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.line)
    }
}

impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.line)
    }
}

impl From<rtckit::Error> for Failure {
    fn from(error: rtckit::Error) -> Self {
        Self::new(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_that_no_terminal_obeys() {
        let failure = Failure::new("a\r\nb\x1b[2J\u{9b}31m\x07");
        assert_eq!(failure.to_string(), "a  b [2J 31m ");
    }
}
