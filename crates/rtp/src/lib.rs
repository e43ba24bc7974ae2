//! (docs below)
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod error;
mod extension;
mod header;
mod packet;
pub mod rtcp;

pub use error::{Error, ParseError};
pub use extension::{Extension, Extensions};
pub use header::{Header, append_padding};
pub use packet::{FIXED_HEADER_LEN, Packet, PayloadType, Ssrc};
