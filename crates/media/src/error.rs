//! What can be wrong with a file, and with its use.

use core::fmt;
use std::io;

/// Why a file cannot be read or written any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The file's fault: its bytes are not what the format asks for.
    Parse(ParseError),
    /// The environment's fault: reading or writing failed.
    Io {
        /// How many bytes had been read or written.
        position: u64,
        /// What the system reported.
        kind: io::ErrorKind,
    },
    /// The caller's fault: what was to be written does not fit the format.
    Misuse(&'static str),
}

/// What is wrong with a file, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The byte of the file, counted from 0, at which the fault begins (for something cut short: at which the
    /// file ends).
    pub position: u64,
    /// The fault.
    pub problem: Problem,
}

/// A fault of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The bytes that mark the beginning of something are not there.
    Signature {
        /// What ought to begin there.
        item: Item,
        /// The bytes that mark it.
        expected: &'static str,
        /// What is there.
        found: Found,
    },
    /// The file ends inside something.
    CutShort(Item),
    /// Something claims to be longer than this crate is ready to store.
    TooLong {
        /// What it is.
        item: Item,
        /// The length it claims, or has reached so far, in bytes.
        len: u64,
        /// The most that is stored, in bytes.
        ceiling: u64,
    },
    /// A field has a value that the format does not allow.
    Field {
        /// Where the field is.
        item: Item,
        /// Its name in the format's specification.
        field: &'static str,
        /// Its value.
        value: u64,
        /// What it ought to be.
        expected: &'static str,
    },
    /// The checksum of an Ogg page does not fit its bytes.
    Checksum {
        /// Which page of the file it is, counted from 0.
        page: u64,
        /// The checksum in the page.
        found: u32,
        /// The checksum of its bytes.
        computed: u32,
    },
    /// Something the format allows and this crate does not read.
    Unsupported {
        /// Where it is.
        item: Item,
        /// What it is.
        what: &'static str,
    },
}

/// A part of a file. Frames, pages and packets are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item {
    /// The header of an IVF file.
    IvfHeader,
    /// A frame of an IVF file.
    Frame(u64),
    /// A page of an Ogg file.
    Page(u64),
    /// An audio packet of an Ogg Opus file.
    Packet(u64),
    /// The identification header of an Ogg Opus file.
    OpusHead,
    /// The comment header of an Ogg Opus file.
    OpusTags,
}

/// Up to eight bytes that were found where others were expected.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Found {
    bytes: [u8; 8],
    len: usize,
}

impl Found {
    /// The first eight of `bytes`.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut found = Self {
            bytes: [0; 8],
            len: bytes.len().min(8),
        };
        for (slot, &byte) in found.bytes.iter_mut().zip(bytes) {
            *slot = byte;
        }
        found
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.len == 0 {
            return f.write_str("the end of the file");
        }
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IvfHeader => f.write_str("the IVF header"),
            Self::Frame(number) => write!(f, "frame {number}"),
            Self::Page(number) => write!(f, "page {number}"),
            Self::Packet(number) => write!(f, "audio packet {number}"),
            Self::OpusHead => f.write_str("the identification header"),
            Self::OpusTags => f.write_str("the comment header"),
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let position = self.position;
        match self.problem {
            Problem::Signature {
                item,
                expected,
                found,
            } => {
                match (item, position) {
                    (Item::IvfHeader, _) => f.write_str("not an IVF file: ")?,
                    (Item::Page(0), 0) => f.write_str("not an Ogg file: ")?,
                    (Item::OpusHead, _) => f.write_str("not an Ogg Opus file: ")?,
                    (item, _) => write!(f, "{item} is damaged: ")?,
                }
                write!(f, "expected {expected:?} at byte {position}, found {found}")
            }
            Problem::CutShort(item) => write!(f, "{item} is cut short at byte {position}"),
            Problem::TooLong { item, len, ceiling } => write!(
                f,
                "{item} at byte {position} is too long: {len} bytes, and {ceiling} are the most"
            ),
            Problem::Field {
                item,
                field,
                value,
                expected,
            } => write!(
                f,
                "{item} is damaged: expected {field} at byte {position} to be {expected}, found {value}"
            ),
            Problem::Checksum {
                page,
                found,
                computed,
            } => write!(
                f,
                "page {page} at byte {position} is damaged: its checksum is {found:#010x}, that of its bytes {computed:#010x}"
            ),
            Problem::Unsupported { item, what } => {
                write!(f, "{item} at byte {position}: {what} is not supported")
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parse(error) => error.fmt(f),
            Self::Io { position, kind } => write!(f, "at byte {position}: {kind}"),
            Self::Misuse(what) => f.write_str(what),
        }
    }
}

impl core::error::Error for ParseError {}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Parse(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ParseError> for Error {
    fn from(error: ParseError) -> Self {
        Self::Parse(error)
    }
}

impl Error {
    pub(crate) const fn parse(position: u64, problem: Problem) -> Self {
        Self::Parse(ParseError { position, problem })
    }

    pub(crate) fn io(position: u64, error: &io::Error) -> Self {
        Self::Io {
            position,
            kind: error.kind(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_where_and_what() {
        let message = |position, problem| Error::parse(position, problem).to_string();
        assert_eq!(
            message(1234, Problem::CutShort(Item::Frame(17))),
            "frame 17 is cut short at byte 1234"
        );
        let signature = Problem::Signature {
            item: Item::Page(0),
            expected: "OggS",
            found: Found::new(b"\x00\x01"),
        };
        assert_eq!(
            message(0, signature),
            r#"not an Ogg file: expected "OggS" at byte 0, found "\x00\x01""#
        );
        let too_long = Problem::TooLong {
            item: Item::Frame(0),
            len: 99,
            ceiling: 10,
        };
        assert_eq!(
            message(32, too_long),
            "frame 0 at byte 32 is too long: 99 bytes, and 10 are the most"
        );
    }
}
