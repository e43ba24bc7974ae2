//! A STUN message as a checked view over its bytes.
//!
//! ```text
//! +--------+-----------+-----+-------------------+-----------------+-------------+
//! | header | attribute | ... | MESSAGE-INTEGRITY | (... -SHA256)   | FINGERPRINT |
//! +--------+-----------+-----+-------------------+-----------------+-------------+
//! '--------- covered by MESSAGE-INTEGRITY -------'                 '
//! '----------------------- covered by FINGERPRINT -----------------'
//! ```

use core::fmt;
use core::net::SocketAddr;
use core::ops::Range;

use rtckit_crypto::mac::{HmacSha1, HmacSha256};

use crate::address::{self, Mask};
use crate::attribute::{Attribute, AttributeType, Attributes, ErrorCode, attribute_at};
use crate::error::ParseError;
use crate::fingerprint::fingerprint;
use crate::header::{Class, HEADER_LEN, MAGIC_COOKIE, Method, TransactionId, decode_type, field};
use crate::integrity::IntegrityKey;

/// A STUN message ([RFC 8489 §5](https://www.rfc-editor.org/rfc/rfc8489#section-5)) over borrowed bytes.
///
/// [`parse`](Self::parse) checks the header and that the attributes fill the message exactly; after it no
/// accessor panics. A typed accessor returns `None` when the attribute is absent or its value malformed; when
/// an attribute stands twice the first counts.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    bytes: &'a [u8],
    integrity: Option<usize>,
    integrity_sha256: Option<usize>,
    fingerprint: Option<usize>,
}

impl<'a> Message<'a> {
    /// A view over `bytes`, which are one datagram: the message has to fill it.
    ///
    /// # Errors
    /// The first place where the bytes are not what RFC 8489 asks for.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        if bytes.len() >= HEADER_LEN
            && read(bytes, field::COOKIE.start) != MAGIC_COOKIE.to_be_bytes()
        {
            return Err(ParseError::new(field::COOKIE.start, "the magic cookie"));
        }
        Self::parse_classic(bytes)
    }

    /// A view over `bytes`, which may also be a message of
    /// [RFC 3489](https://www.rfc-editor.org/rfc/rfc3489#section-11.1), where the magic cookie was the beginning of
    /// a longer transaction id. Only a server that answers such clients wants it.
    ///
    /// # Errors
    /// As [`parse`](Self::parse)'s.
    pub fn parse_classic(bytes: &'a [u8]) -> Result<Self, ParseError> {
        check_header(bytes)?;
        let mut message = Self {
            bytes,
            integrity: None,
            integrity_sha256: None,
            fingerprint: None,
        };
        let mut offset = HEADER_LEN;
        while offset < bytes.len() {
            if message.fingerprint.is_some() {
                return Err(ParseError::new(offset, "nothing after FINGERPRINT"));
            }
            let (attribute, next) = attribute_at(bytes, offset)
                .ok_or_else(|| ParseError::new(offset, "a whole attribute"))?;
            message.note(attribute, offset)?;
            offset = next;
        }
        Ok(message)
    }

    /// Remembers where the attributes stand that cover others.
    fn note(&mut self, attribute: Attribute<'_>, offset: usize) -> Result<(), ParseError> {
        let len = attribute.value.len();
        match attribute.attribute_type {
            AttributeType::MESSAGE_INTEGRITY
                if self.integrity.is_none() && self.integrity_sha256.is_none() =>
            {
                if len != HmacSha1::TAG_LEN {
                    return Err(ParseError::new(offset, "20 bytes of MESSAGE-INTEGRITY"));
                }
                self.integrity = Some(offset);
            }
            AttributeType::MESSAGE_INTEGRITY_SHA256 if self.integrity_sha256.is_none() => {
                // RFC 8489 §14.6: truncated to no less than 16 bytes, in steps of 4
                if !(16..=HmacSha256::TAG_LEN).contains(&len) || !len.is_multiple_of(4) {
                    return Err(ParseError::new(
                        offset,
                        "16 to 32 bytes of MESSAGE-INTEGRITY-SHA256",
                    ));
                }
                self.integrity_sha256 = Some(offset);
            }
            AttributeType::FINGERPRINT => {
                if len != 4 {
                    return Err(ParseError::new(offset, "4 bytes of FINGERPRINT"));
                }
                self.fingerprint = Some(offset);
            }
            _ => {}
        }
        Ok(())
    }

    /// The whole message.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What it is in its transaction.
    pub fn class(&self) -> Class {
        decode_type(self.message_type()).0
    }

    /// What it is about.
    pub fn method(&self) -> Method {
        decode_type(self.message_type()).1
    }

    fn message_type(&self) -> u16 {
        u16::from_be_bytes(read(self.bytes, field::TYPE.start))
    }

    /// Which transaction it belongs to.
    pub fn transaction_id(&self) -> TransactionId {
        TransactionId(read(self.bytes, field::TRANSACTION_ID.start))
    }

    /// Whether it carries the magic cookie: `false` for a message of RFC 3489.
    pub fn has_cookie(&self) -> bool {
        read(self.bytes, field::COOKIE.start) == MAGIC_COOKIE.to_be_bytes()
    }

    /// The 16 bytes after the length: the magic cookie and the transaction id, or the transaction id of RFC 3489.
    pub fn classic_transaction_id(&self) -> [u8; 16] {
        read(self.bytes, field::COOKIE.start)
    }

    /// Its attributes, in order, without those that a receiver has to ignore.
    pub const fn attributes(&self) -> Attributes<'a> {
        Attributes {
            message: *self,
            offset: HEADER_LEN,
        }
    }

    /// Whether the attribute at `offset` counts: it stands before the first integrity attribute, or is one of
    /// those that may follow it.
    pub(crate) fn is_covered(&self, offset: usize) -> bool {
        let first = self.integrity.or(self.integrity_sha256);
        first.is_none_or(|first| offset <= first)
            || [self.integrity_sha256, self.fingerprint].contains(&Some(offset))
    }

    /// The value of the first attribute of this type.
    pub fn attribute(&self, attribute_type: AttributeType) -> Option<&'a [u8]> {
        let mut offset = HEADER_LEN;
        while let Some((attribute, next)) = attribute_at(self.bytes, offset) {
            // whether it counts is asked of the one that is sought alone
            if attribute.attribute_type == attribute_type && self.is_covered(offset) {
                return Some(attribute.value);
            }
            offset = next;
        }
        None
    }

    /// Where in the message the value of the first attribute of this type is: for who holds the bytes mutably.
    pub fn range_of(&self, attribute_type: AttributeType) -> Option<Range<usize>> {
        let mut attributes = self.attributes();
        let attribute = attributes.find(|attribute| attribute.attribute_type == attribute_type)?;
        let len = attribute.value.len();
        // the iterator stands behind the padding
        let start = attributes.offset - len.next_multiple_of(4);
        Some(start..start + len)
    }

    /// The comprehension-required attributes that are not in `known`: a request that has one is answered with
    /// 420, a response fails its transaction, an indication is dropped
    /// ([RFC 8489 §6.3](https://www.rfc-editor.org/rfc/rfc8489#section-6.3)).
    pub fn unknown_required(&self, known: &[AttributeType]) -> impl Iterator<Item = AttributeType> {
        self.attributes()
            .map(|attribute| attribute.attribute_type)
            .filter(|attribute| attribute.is_comprehension_required() && !known.contains(attribute))
    }

    // ---- what a message says ----

    /// An address that is sent in the clear, under any attribute type.
    pub fn address(&self, attribute_type: AttributeType) -> Option<SocketAddr> {
        address::parse(self.attribute(attribute_type)?, Mask::NONE)
    }

    /// An address that is sent xored, under any attribute type.
    pub fn xor_address(&self, attribute_type: AttributeType) -> Option<SocketAddr> {
        address::parse(
            self.attribute(attribute_type)?,
            Mask::new(self.transaction_id()),
        )
    }

    pub(crate) fn xor_addresses(
        &self,
        attribute_type: AttributeType,
    ) -> impl Iterator<Item = Option<SocketAddr>> + use<'a> {
        let mask = Mask::new(self.transaction_id());
        self.attributes()
            .filter(move |attribute| attribute.attribute_type == attribute_type)
            .map(move |attribute| address::parse(attribute.value, mask))
    }

    /// ERROR-CODE.
    pub fn error_code(&self) -> Option<ErrorCode<'a>> {
        ErrorCode::parse(self.attribute(AttributeType::ERROR_CODE)?)
    }

    /// UNKNOWN-ATTRIBUTES, one by one.
    pub fn unknown_attributes(&self) -> impl Iterator<Item = AttributeType> + use<'a> {
        let value = self
            .attribute(AttributeType::UNKNOWN_ATTRIBUTES)
            .unwrap_or_default();
        value
            .as_chunks::<2>()
            .0
            .iter()
            .map(|&number| AttributeType(u16::from_be_bytes(number)))
    }

    // ---- what proves it ----

    /// Whether MESSAGE-INTEGRITY is there.
    pub const fn has_integrity(&self) -> bool {
        self.integrity.is_some()
    }

    /// Whether MESSAGE-INTEGRITY is there and was made with `key`; in constant time
    /// ([RFC 8489 §14.5](https://www.rfc-editor.org/rfc/rfc8489#section-14.5)).
    pub fn verify_integrity(&self, key: &HmacSha1) -> bool {
        let Some((offset, tag)) = self.tag_at(self.integrity) else {
            return false;
        };
        let length = self.length_up_to(offset, tag.len());
        tag.len() == HmacSha1::TAG_LEN && key.verify(&self.covered(offset, &length), tag)
    }

    /// Whether MESSAGE-INTEGRITY-SHA256 is there and was made with `key`; in constant time
    /// ([RFC 8489 §14.6](https://www.rfc-editor.org/rfc/rfc8489#section-14.6)).
    pub fn verify_integrity_sha256(&self, key: &HmacSha256) -> bool {
        let Some((offset, tag)) = self.tag_at(self.integrity_sha256) else {
            return false;
        };
        let length = self.length_up_to(offset, tag.len());
        key.verify(&self.covered(offset, &length), tag)
    }

    /// Whether the integrity attribute that belongs to `key` is there and was made with it; in constant time.
    pub fn verify(&self, key: &IntegrityKey) -> bool {
        match key {
            IntegrityKey::Sha1(key) => self.verify_integrity(key),
            IntegrityKey::Sha256(key) => self.verify_integrity_sha256(key),
        }
    }

    /// Whether GOOG-MESSAGE-INTEGRITY-32 of libwebrtc's [`GOOG_PING`](Method::GOOG_PING) is there and was made with
    /// `key`: four bytes of HMAC-SHA1.
    pub fn verify_integrity_32(&self, key: &HmacSha1) -> bool {
        let mut offset = HEADER_LEN;
        while let Some((attribute, next)) = attribute_at(self.bytes, offset) {
            if attribute.attribute_type == AttributeType::GOOG_MESSAGE_INTEGRITY_32 {
                let length = self.length_up_to(offset, attribute.value.len());
                return attribute.value.len() == 4
                    && key.verify(&self.covered(offset, &length), attribute.value);
            }
            offset = next;
        }
        false
    }

    /// Whether MESSAGE-INTEGRITY-SHA256 is there.
    pub const fn has_integrity_sha256(&self) -> bool {
        self.integrity_sha256.is_some()
    }

    /// Whether FINGERPRINT is right; `None` when it is absent
    /// ([RFC 8489 §14.7](https://www.rfc-editor.org/rfc/rfc8489#section-14.7)).
    pub fn verify_fingerprint(&self) -> Option<bool> {
        let (offset, value) = self.tag_at(self.fingerprint)?;
        let covered = self.bytes.get(..offset)?;
        Some(value == fingerprint(covered).to_be_bytes())
    }

    fn tag_at(&self, offset: Option<usize>) -> Option<(usize, &'a [u8])> {
        let offset = offset?;
        Some((offset, attribute_at(self.bytes, offset)?.0.value))
    }

    /// The Length field as it was when the tag was computed: up to and including the tag's attribute.
    fn length_up_to(&self, offset: usize, tag_len: usize) -> [u8; 2] {
        let end = offset + field::ATTRIBUTE_HEADER_LEN + tag_len;
        ((end - HEADER_LEN) as u16).to_be_bytes()
    }

    fn covered<'b>(&self, offset: usize, length: &'b [u8; 2]) -> [&'b [u8]; 3]
    where
        'a: 'b,
    {
        [
            self.bytes.get(field::TYPE).unwrap_or_default(),
            length,
            self.bytes
                .get(field::LENGTH.end..offset)
                .unwrap_or_default(),
        ]
    }
}

/// `N` bytes at `offset`, which `parse` has checked to be there.
fn read<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    bytes
        .get(offset..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .unwrap_or([0; N])
}

fn check_header(bytes: &[u8]) -> Result<(), ParseError> {
    if bytes.len() < HEADER_LEN {
        return Err(ParseError::new(bytes.len(), "a header of 20 bytes"));
    }
    if bytes.first().is_none_or(|first| first & 0xc0 != 0) {
        return Err(ParseError::new(0, "two zero bits"));
    }
    let length = usize::from(u16::from_be_bytes(read(bytes, field::LENGTH.start)));
    if length % 4 != 0 || HEADER_LEN + length != bytes.len() {
        return Err(ParseError::new(
            field::LENGTH.start,
            "the length of the datagram",
        ));
    }
    Ok(())
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} {:#05x} {:?} ",
            self.class(),
            self.method().number(),
            self.transaction_id()
        )?;
        f.debug_list().entries(self.attributes()).finish()
    }
}
