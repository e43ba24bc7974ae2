//! Ogg Opus: Opus packets in pages.
//!
//! ```text
//!     Page 0         Pages 1 ... n        Pages (n+1) ...
//!  +------------+ +---+ +---+ ... +---+ +-----------+ +---------+ +--
//!  |            | |   | |   |     |   | |           | |         | |
//!  |+----------+| |+-----------------+| |+-------------------+ +-----
//!  |||ID Header|| ||  Comment Header || ||Audio Data Packet 1| | ...
//!  |+----------+| |+-----------------+| |+-------------------+ +-----
//!  |            | |   | |   |     |   | |           | |         | |
//!  +------------+ +---+ +---+ ... +---+ +-----------+ +---------+ +--
//!  ^      ^                           ^
//!  |      |                           |
//!  |      |                           Mandatory Page Break
//!  |      ID header is contained on a single page
//!  'Beginning Of Stream'
//! ```
//! ([RFC 7845 §3](https://www.rfc-editor.org/rfc/rfc7845#section-3))

mod headers;
mod page;
mod reader;
mod writer;

pub use headers::{OpusHead, OpusTags};
pub use reader::{Packet, Reader, Timing};
pub use writer::Writer;

/// The longest audio packet that is read or written, in bytes: what
/// [RFC 7845 §6](https://www.rfc-editor.org/rfc/rfc7845#section-6) allows a stream to hold.
pub const MAX_PACKET_LEN: usize = 61_440;

/// The longest comment header that is read or written, in bytes. Pictures may be in it.
pub const MAX_TAGS_LEN: usize = 16 << 20;
