//! What can be wrong: with bytes from the network ([`ParseError`]), with a call ([`Error`]).

use core::fmt;

use rtckit_proto::CursorError;

/// Bytes that are not what they should be. The packet is dropped and counted; nothing else follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The offset of the first byte that does not fit.
    pub position: usize,
    /// What was expected there.
    pub expected: &'static str,
}

impl ParseError {
    pub(crate) const fn new(position: usize, expected: &'static str) -> Self {
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

/// A call that could not be carried out. What it was called on is as it was before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Misuse: the buffer is too small for what was to be written.
    BufferTooSmall,
    /// Misuse: a value does not fit the field it was meant for; the text names the field.
    OutOfRange(&'static str),
    /// Local: the frame is empty, or longer than the stream can ever hold or its format can carry.
    FrameLength(usize),
    /// Local: too many packets wait to be sent; the frame was not taken.
    QueueFull,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BufferTooSmall => f.write_str("the buffer is too small"),
            Self::OutOfRange(field) => write!(f, "the value does not fit: {field}"),
            Self::FrameLength(len) => write!(f, "a frame of {len} bytes cannot be sent"),
            Self::QueueFull => f.write_str("too many packets wait to be sent"),
        }
    }
}

impl core::error::Error for Error {}

impl From<CursorError> for Error {
    /// Writers fail for one reason: there is no more room.
    fn from(_: CursorError) -> Self {
        Self::BufferTooSmall
    }
}
