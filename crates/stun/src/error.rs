//! What can go wrong: bytes that are not STUN, and buffers that are too small.

use core::fmt;

use rtckit_proto::CursorError;

/// Bytes that are not a STUN message, or a value that is not what its attribute says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseError {
    /// The offset into the message.
    pub position: usize,
    /// What was to stand there.
    pub expected: &'static str,
}

impl ParseError {
    /// An error at `position`.
    pub const fn new(position: usize, expected: &'static str) -> Self {
        Self { position, expected }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: expected {}", self.position, self.expected)
    }
}

impl core::error::Error for ParseError {}

impl From<CursorError> for ParseError {
    fn from(error: CursorError) -> Self {
        Self::new(error.position, error.expected)
    }
}

/// A message that could not be written. Both cases are misuse by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Misuse: the buffer is too small for the message.
    BufferTooSmall,
    /// Misuse: a value is longer than its attribute allows.
    ValueTooLong,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BufferTooSmall => "the buffer is too small for the message",
            Self::ValueTooLong => "the value is longer than its attribute allows",
        })
    }
}

impl core::error::Error for Error {}

impl From<CursorError> for Error {
    fn from(_: CursorError) -> Self {
        Self::BufferTooSmall
    }
}
