//! Where descriptions come from.

use core::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read, stdin};
use std::path::Path;

use rtckit_sdp::{Deviation, Limits, Session, check_bytes, decode};

use crate::failure::Failure;

/// A text, and what it is called in messages.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) name: String,
    /// What the bytes say, whatever they are encoded in.
    pub(crate) text: String,
    bytes: Vec<u8>,
}

impl Input {
    /// Reads the file at `path`, or stdin for `-`. It must be text, of a size that a description can have.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let name = match is_stdin(path) {
            true => "stdin".to_owned(),
            false => path.display().to_string(),
        };
        let failure = |what: &dyn fmt::Display| Failure::new(format_args!("{name}: {what}"));
        let bytes = bytes(path).map_err(|error| match error.kind() {
            ErrorKind::IsADirectory => failure(&"is a directory, not a session description"),
            _ => failure(&format_args!("cannot be read: {error}")),
        })?;
        let most = Limits::default().bytes;
        if bytes.len() > most {
            let what = format_args!("is longer than {most} bytes: not a session description");
            return Err(failure(&what));
        }
        if let Some(what) = not_text(&bytes) {
            return Err(failure(&what));
        }
        let text = decode(&bytes).into_owned();
        match not_sdp(&text) {
            Some(what) => Err(failure(&what)),
            None => Ok(Self { name, text, bytes }),
        }
    }

    /// All in which it departs from the RFCs.
    pub(crate) fn deviations(&self) -> Vec<Deviation> {
        check_bytes(&self.bytes)
    }

    /// The session that the text describes, read tolerantly.
    pub(crate) fn session(&self) -> Result<Session<'_>, Failure> {
        self.parse(&self.text)
    }

    /// The session that `text`, a version of this one, describes.
    pub(crate) fn parse<'t>(&self, text: &'t str) -> Result<Session<'t>, Failure> {
        Session::parse(text).map_err(|error| match error.reference() {
            Some(reference) => Failure::new(format_args!("{}: {error} ({reference})", self.name)),
            None => Failure::new(format_args!("{}: {error}", self.name)),
        })
    }
}

/// Whether the argument means stdin.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The bytes, or more than there may be.
fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let most = Limits::default().bytes as u64 + 1;
    let mut bytes = Vec::new();
    if is_stdin(path) {
        stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// What to say of a text that was plainly meant to be something else.
fn not_sdp(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("is empty")
    } else if text.trim_start().starts_with('{') {
        Some("is JSON; the description is what its member \"sdp\" has, without the escapes")
    } else {
        None
    }
}

/// What to say of bytes that are no text in any encoding that a description may have. A few that are not UTF-8 are forgiven.
fn not_text(bytes: &[u8]) -> Option<String> {
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = bytes {
        return Some("is UTF-16: SDP is UTF-8 (RFC 8866 §5)".to_owned());
    }
    let error = core::str::from_utf8(bytes).err()?;
    // No character set that SDP may be of has NUL.
    bytes.contains(&0).then_some(())?;
    let at = error.valid_up_to();
    let before = bytes.get(..at).unwrap_or_default();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n');
    let column = at - start.map_or(0, |newline| newline + 1) + 1;
    Some(format!(
        "line {line}, column {column}: is not text: SDP is UTF-8 (RFC 8866 §5)"
    ))
}
