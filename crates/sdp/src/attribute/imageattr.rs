//! Picture sizes: [RFC 6236](https://www.rfc-editor.org/rfc/rfc6236.html).

use super::{Attribute, rtcp::payload_type_or_all};
use crate::{
    error::ParseError,
    grammar::{blanks, rest, whole},
};
use core::fmt;

/// `a=imageattr`: the picture sizes a payload type may have. The sizes are left as text.
///
/// ```text
/// a=imageattr:97 send [x=800,y=640,sar=1.1,q=0.6] [x=480,y=320] recv *
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ImageAttr<'a> {
    /// The payload type; `None`, written `*`, for all.
    pub payload_type: Option<u8>,
    /// What may be sent and received.
    pub sizes: &'a str,
}

impl<'a> Attribute<'a> for ImageAttr<'a> {
    const NAME: &'static str = "imageattr";

    fn parse(value: &'a str) -> Result<Self, ParseError> {
        let parser = (payload_type_or_all, blanks, rest);
        let (payload_type, _, sizes) = whole(Self::NAME, value, parser)?;
        Ok(Self {
            payload_type,
            sizes,
        })
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        match self.payload_type {
            Some(payload_type) => write!(out, "{payload_type} {}", self.sizes),
            None => write!(out, "* {}", self.sizes),
        }
    }
}
