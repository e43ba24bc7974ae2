//! Elements of the RTP header extension ([RFC 8285](https://www.rfc-editor.org/rfc/rfc8285)).
//!
//! ```text
//!  one-byte form, 0xBEDE                   two-byte form, 0x100_
//!  0 1 2 3 4 5 6 7                          0                   1
//! +-+-+-+-+-+-+-+-+------------------+      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
//! |  ID   |len - 1| data, 1-16 bytes |     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-------------------+
//! +-+-+-+-+-+-+-+-+------------------+     |      ID       |      len      | data, 0-255 bytes |
//!                                          +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-------------------+
//! ```
//!
//! A zero byte where an identifier could stand is padding, in both forms.

use rtckit_proto::{CursorError, Writer};

use crate::Error;

/// "Defined by profile" of the one-byte form.
const ONE_BYTE: u16 = 0xbede;
/// "Defined by profile" of the two-byte form; its lower four bits are the application's.
const TWO_BYTE: u16 = 0x1000;
const TWO_BYTE_MASK: u16 = 0xfff0;
/// The identifier that ends the one-byte form: reserved.
const RESERVED_ID: u8 = 15;

/// One element of a header extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// The identifier that SDP's `extmap` gave it: 1 to 14, or up to 255 in the two-byte form.
    pub id: u8,
    /// Its data: up to 255 bytes; 1 to 16 in the one-byte form.
    pub data: &'a [u8],
}

/// Walks the elements of a header extension.
///
/// It never fails: where the elements stop making sense it ends, as
/// [RFC 8285 §4.1.2](https://www.rfc-editor.org/rfc/rfc8285#section-4.1.2) asks.
#[derive(Clone, Debug)]
pub struct Extensions<'a> {
    form: Form,
    rest: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    OneByte,
    TwoByte,
}

impl<'a> Extensions<'a> {
    pub(crate) fn new(profile: u16, bytes: &'a [u8]) -> Self {
        let (form, rest) = match profile {
            ONE_BYTE => (Form::OneByte, bytes),
            _ if profile & TWO_BYTE_MASK == TWO_BYTE => (Form::TwoByte, bytes),
            _ => (Form::OneByte, &[][..]),
        };
        Self { form, rest }
    }

    fn element(&self) -> Option<(Extension<'a>, &'a [u8])> {
        let (&first, rest) = self.rest.split_first()?;
        let (id, len, rest) = match self.form {
            Form::OneByte => (first >> 4, usize::from(first & 0xf) + 1, rest),
            Form::TwoByte => {
                let (&len, rest) = rest.split_first()?;
                (first, len.into(), rest)
            }
        };
        if id == 0 || (self.form == Form::OneByte && id == RESERVED_ID) {
            return None;
        }
        let (data, rest) = rest.split_at_checked(len)?;
        Some((Extension { id, data }, rest))
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Extension<'a>;

    fn next(&mut self) -> Option<Extension<'a>> {
        while let [0, rest @ ..] = self.rest {
            self.rest = rest;
        }
        let (element, rest) = self.element().unzip();
        self.rest = rest.unwrap_or_default();
        element
    }
}

/// The form that `extensions` need, or what is wrong with them.
fn form(extensions: &[Extension<'_>]) -> Result<Form, Error> {
    let mut form = Form::OneByte;
    for extension in extensions {
        if extension.id == 0 || extension.data.len() > 255 {
            return Err(Error::OutOfRange("header extension: id 1-255, 0-255 bytes"));
        }
        if extension.id >= RESERVED_ID || !(1..=16).contains(&extension.data.len()) {
            form = Form::TwoByte;
        }
    }
    Ok(form)
}

/// The length of a header extension with these elements, its own header included; 0 when there are none.
pub(crate) fn encoded_len(extensions: &[Extension<'_>]) -> Result<usize, Error> {
    if extensions.is_empty() {
        return Ok(0);
    }
    let head = match form(extensions)? {
        Form::OneByte => 1,
        Form::TwoByte => 2,
    };
    let elements: usize = extensions.iter().map(|e| head + e.data.len()).sum();
    let words = elements.div_ceil(4);
    if words > usize::from(u16::MAX) {
        return Err(Error::OutOfRange("header extension: 65535 words"));
    }
    Ok(4 + words * 4)
}

/// Writes a header extension with these elements: in the one-byte form if all of them fit it.
pub(crate) fn write(extensions: &[Extension<'_>], writer: &mut Writer<'_>) -> Result<(), Error> {
    let len = encoded_len(extensions)?;
    if len == 0 {
        return Ok(());
    }
    let form = form(extensions)?;
    let end = writer.len() + len;
    writer.u16(match form {
        Form::OneByte => ONE_BYTE,
        Form::TwoByte => TWO_BYTE,
    })?;
    writer.u16(((len - 4) / 4) as u16)?;
    for extension in extensions {
        write_element(form, extension, writer)?;
    }
    writer.reserve(end - writer.len())?.fill(0);
    Ok(())
}

fn write_element(
    form: Form,
    extension: &Extension<'_>,
    writer: &mut Writer<'_>,
) -> Result<(), CursorError> {
    let len = extension.data.len() as u8;
    match form {
        Form::OneByte => writer.u8(extension.id << 4 | (len - 1))?,
        Form::TwoByte => {
            writer.u8(extension.id)?;
            writer.u8(len)?;
        }
    }
    writer.bytes(extension.data)
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn elements(profile: u16, bytes: &[u8]) -> Vec<(u8, &[u8])> {
        Extensions::new(profile, bytes)
            .map(|e| (e.id, e.data))
            .collect()
    }

    #[test]
    fn one_byte_elements_end_at_the_reserved_identifier() {
        let bytes = [0x10, 0xaa, 0, 0, 0x21, 1, 2, 0xf0, 0x30, 0xbb];
        assert_eq!(elements(ONE_BYTE, &bytes), [(1, &[0xaa][..]), (2, &[1, 2])]);
    }

    #[test]
    fn an_identifier_of_zero_with_a_length_ends_the_one_byte_form() {
        let bytes = [0x10, 0xaa, 0x01, 1, 2, 0x30, 0xbb, 0];
        assert_eq!(elements(ONE_BYTE, &bytes), [(1, &[0xaa][..])]);
    }

    #[test]
    fn two_byte_elements_may_be_empty() {
        let bytes = [1, 0, 0, 200, 2, 7, 8, 0];
        assert_eq!(elements(0x1003, &bytes), [(1, &[][..]), (200, &[7, 8])]);
    }

    #[test]
    fn an_element_that_leaves_the_extension_is_none() {
        assert_eq!(elements(ONE_BYTE, &[0x10, 1, 0x2f, 1]), [(1, &[1][..])]);
        assert_eq!(elements(TWO_BYTE, &[1]), []);
        assert_eq!(elements(0x1234, &[0x10, 1, 0, 0]), []);
    }
}
