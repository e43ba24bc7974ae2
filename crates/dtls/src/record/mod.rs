//! The record layer: what every byte of DTLS is wrapped in
//! ([RFC 6347 §4.1](https://www.rfc-editor.org/rfc/rfc6347#section-4.1)).

mod protect;
mod view;

pub(crate) use protect::{Opener, RecordLayer};
pub(crate) use view::{ContentType, RecordHeader, version};
