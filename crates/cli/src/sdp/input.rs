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

/// What to say of a text that was plainly meant to be something else, or came to harm on its way from a log or a mail.
fn not_sdp(text: &str) -> Option<&'static str> {
    let first = text.lines().next().unwrap_or_default();
    let start = text.trim_start();
    let is_message = ["SIP/2.0", "RTSP/1.0", "RTSP/2.0", "HTTP/1.1"]
        .iter()
        .any(|protocol| first.starts_with(protocol) || first.trim_end().ends_with(protocol));
    if text.is_empty() {
        Some("is empty")
    } else if start.starts_with('{') {
        Some("is JSON; the description is what its member \"sdp\" has, without the escapes")
    } else if is_message {
        Some("is a whole message; the description is what comes after its first empty line")
    } else if first.starts_with("v=") && (first.contains(r"\no=") || first.contains(r"\r\n")) {
        Some(r"has \r\n in letters where its lines end: they were escaped by a program")
    } else if start.starts_with(['"', '\'', '`', '>']) {
        Some("is quoted; the description begins with v=0")
    } else if start.starts_with("v=") && first.trim().is_empty() {
        Some("begins with an empty line: v=0 is the first (RFC 8866 §5)")
    } else if start.starts_with("v=") && start.len() < text.len() {
        Some("is indented: a line of a description begins with its letter (RFC 8866 §5)")
    } else {
        None
    }
}

/// What to say of bytes that are no text in any encoding that a description may have. A few that are not UTF-8 are forgiven.
fn not_text(bytes: &[u8]) -> Option<String> {
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'v', 0, b'=', 0, ..] | [0, b'v', 0, b'=', ..] =
        bytes
    {
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
