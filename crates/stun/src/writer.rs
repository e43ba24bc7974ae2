//! Writes a STUN message into the caller's buffer.

use core::net::SocketAddr;

use rtckit_crypto::mac::{HmacSha1, HmacSha256};
use rtckit_proto::Writer;

use crate::address::{self, Mask};
use crate::attribute::{AttributeType, ErrorCode};
use crate::error::Error;
use crate::fingerprint::fingerprint;
use crate::header::field::{self, ATTRIBUTE_HEADER_LEN};
use crate::header::{
    Class, HEADER_LEN, MAGIC_COOKIE, Method, TransactionId, decode_type, encode_type,
};
use crate::integrity::IntegrityKey;

/// The longest USERNAME ([RFC 8489 §14.3](https://www.rfc-editor.org/rfc/rfc8489#section-14.3): less than 509
/// bytes), in bytes. ICE's two fragments of 256 characters are allowed beyond it, as RFC 8445 asks for both.
const MAX_USERNAME_LEN: usize = 513;

/// Writes one message, attribute by attribute.
///
/// The Length field is right after every call, so [`finish`](Self::finish) may follow any of them. Order is the
/// caller's: [`integrity`](Self::integrity) covers what is before it, [`fingerprint`](Self::fingerprint) comes
/// last. After an error the message is unusable.
///
/// ```
/// use rtckit_stun::{Class, Message, MessageWriter, Method, TransactionId, short_term_key};
///
/// let key = short_term_key("VOkJxbRl1RmTxUk/WvJxBt");
/// let mut buf = [0; 128];
/// let mut writer = MessageWriter::new(&mut buf, Class::Request, Method::BINDING, TransactionId([7; 12]))?;
/// writer.username("evtj:h6vY")?;
/// writer.priority(0x6e00_01ff)?;
/// writer.integrity(&key)?;
/// writer.fingerprint()?;
/// let len = writer.finish();
///
/// let message = Message::parse(&buf[..len])?;
/// assert!(message.verify_integrity(&key));
/// assert_eq!(message.verify_fingerprint(), Some(true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct MessageWriter<'b> {
    writer: Writer<'b>,
    transaction_id: TransactionId,
    padding: u8,
}

impl<'b> MessageWriter<'b> {
    /// Starts a message at the beginning of `buf`.
    ///
    /// # Errors
    /// [`Error::BufferTooSmall`], as for every method here.
    pub fn new(
        buf: &'b mut [u8],
        class: Class,
        method: Method,
        id: TransactionId,
    ) -> Result<Self, Error> {
        let mut writer = Writer::new(buf);
        writer.u16(encode_type(class, method))?;
        writer.u16(0)?;
        writer.u32(MAGIC_COOKIE)?;
        writer.bytes(&id.0)?;
        Ok(Self {
            writer,
            transaction_id: id,
            padding: 0,
        })
    }

    /// Starts a message of RFC 3489, whose transaction id has 16 bytes and no magic cookie before it: the answer to
    /// a request for which [`Message::has_cookie`](crate::Message::has_cookie) is `false`.
    ///
    /// # Errors
    /// [`Error::BufferTooSmall`].
    pub fn classic(
        buf: &'b mut [u8],
        class: Class,
        method: Method,
        id: [u8; 16],
    ) -> Result<Self, Error> {
        let mut writer = Writer::new(buf);
        writer.u16(encode_type(class, method))?;
        writer.u16(0)?;
        writer.bytes(&id)?;
        let [_, _, _, _, tail @ ..] = id;
        Ok(Self {
            writer,
            transaction_id: TransactionId(tail),
            padding: 0,
        })
    }

    /// What the message is about.
    pub fn method(&self) -> Method {
        let bits = self.writer.written().first_chunk();
        decode_type(u16::from_be_bytes(bits.copied().unwrap_or_default())).1
    }

    /// The published vectors pad with spaces, as RFC 5389 allowed; RFC 8489 asks for zeros.
    #[cfg(test)]
    pub(crate) fn pad_with(&mut self, padding: u8) {
        self.padding = padding;
    }

    /// The length of the message, which is complete.
    pub fn finish(self) -> usize {
        self.writer.len()
    }

    /// Any attribute.
    ///
    /// # Errors
    /// [`Error::ValueTooLong`] when the message would be longer than its Length field can say.
    #[inline]
    pub fn attribute(&mut self, attribute_type: AttributeType, value: &[u8]) -> Result<(), Error> {
        self.attribute_parts(attribute_type, &[], value)
    }

    /// The type and length of an attribute whose `len` bytes of value, and padding, the caller puts behind what is
    /// written here: a payload that is not copied. It has to be the last of its message.
    ///
    /// # Errors
    /// [`Error::ValueTooLong`] when the message would be longer than its Length field can say.
    pub fn attribute_header(
        &mut self,
        attribute_type: AttributeType,
        len: usize,
    ) -> Result<(), Error> {
        self.reserve_length(ATTRIBUTE_HEADER_LEN + len.next_multiple_of(4))?;
        self.writer.u16(attribute_type.0)?;
        self.writer.u16(len as u16)?;
        Ok(())
    }

    /// An attribute whose value is `head` and `tail`.
    #[inline]
    fn attribute_parts(
        &mut self,
        attribute_type: AttributeType,
        head: &[u8],
        tail: &[u8],
    ) -> Result<(), Error> {
        let len = head.len() + tail.len();
        let padded = len.next_multiple_of(4);
        self.reserve_length(ATTRIBUTE_HEADER_LEN + padded)?;
        let padding = self.padding;
        let slot = self.writer.reserve(ATTRIBUTE_HEADER_LEN + padded)?;
        let ([t0, t1, l0, l1, value @ ..], [ty0, ty1], [len0, len1]) = (
            slot,
            attribute_type.0.to_be_bytes(),
            (len as u16).to_be_bytes(),
        ) else {
            return Err(Error::BufferTooSmall);
        };
        (*t0, *t1, *l0, *l1) = (ty0, ty1, len0, len1);
        let (first, rest) = value.split_at_mut(head.len());
        let (second, pad) = rest.split_at_mut(tail.len());
        first.copy_from_slice(head);
        second.copy_from_slice(tail);
        pad.fill(padding);
        Ok(())
    }

    /// Adds `len` to the Length field, before the bytes are written: what covers the field covers them.
    fn reserve_length(&mut self, len: usize) -> Result<(), Error> {
        let length = self.writer.len() - HEADER_LEN + len;
        let length = u16::try_from(length).map_err(|_| Error::ValueTooLong)?;
        if let Some(slot) = self.writer.written_mut().get_mut(field::LENGTH) {
            slot.copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }

    /// USERNAME.
    ///
    /// # Errors
    /// [`Error::ValueTooLong`] above 513 bytes.
    pub fn username(&mut self, username: &str) -> Result<(), Error> {
        if username.len() > MAX_USERNAME_LEN {
            return Err(Error::ValueTooLong);
        }
        self.attribute(AttributeType::USERNAME, username.as_bytes())
    }

    /// An address in the clear, under any attribute type.
    pub fn address(
        &mut self,
        attribute_type: AttributeType,
        address: SocketAddr,
    ) -> Result<(), Error> {
        self.masked_address(attribute_type, address, Mask::NONE)
    }

    /// A xored address, under any attribute type.
    pub fn xor_address(
        &mut self,
        attribute_type: AttributeType,
        address: SocketAddr,
    ) -> Result<(), Error> {
        self.masked_address(attribute_type, address, Mask::new(self.transaction_id))
    }

    fn masked_address(
        &mut self,
        ty: AttributeType,
        address: SocketAddr,
        mask: Mask,
    ) -> Result<(), Error> {
        let mut value = [0; address::MAX_LEN];
        let len = address::write(address, mask, &mut value);
        self.attribute(ty, value.get(..len).unwrap_or_default())
    }

    /// ERROR-CODE.
    ///
    /// # Errors
    /// [`Error::ValueTooLong`] when the reason phrase is longer than 763 bytes.
    pub fn error_code(&mut self, error: ErrorCode<'_>) -> Result<(), Error> {
        self.error_value(AttributeType::ERROR_CODE, 0, error)
    }

    /// The value of ERROR-CODE and ADDRESS-ERROR-CODE, whose first byte is a family.
    pub(crate) fn error_value(
        &mut self,
        attribute_type: AttributeType,
        family: u8,
        error: ErrorCode<'_>,
    ) -> Result<(), Error> {
        /// RFC 8489 §14.8: fewer than 128 characters, which are as many as 763 bytes.
        const MAX_REASON_LEN: usize = 763;
        let reason = error.reason.as_bytes();
        if reason.len() > MAX_REASON_LEN {
            return Err(Error::ValueTooLong);
        }
        let head = [
            family,
            0,
            (error.code / 100) as u8,
            (error.code % 100) as u8,
        ];
        self.attribute_parts(attribute_type, &head, reason)
    }

    /// UNKNOWN-ATTRIBUTES; the first 16 of `unknown` are named.
    pub fn unknown_attributes(
        &mut self,
        unknown: impl Iterator<Item = AttributeType>,
    ) -> Result<(), Error> {
        let mut value = [[0; 2]; 16];
        let mut count = 0;
        for (slot, attribute_type) in value.iter_mut().zip(unknown) {
            *slot = attribute_type.0.to_be_bytes();
            count += 1;
        }
        let value = value.get(..count).unwrap_or_default();
        self.attribute(AttributeType::UNKNOWN_ATTRIBUTES, value.as_flattened())
    }

    /// MESSAGE-INTEGRITY over everything written so far
    /// ([RFC 8489 §14.5](https://www.rfc-editor.org/rfc/rfc8489#section-14.5)).
    pub fn integrity(&mut self, key: &HmacSha1) -> Result<(), Error> {
        self.reserve_length(ATTRIBUTE_HEADER_LEN + HmacSha1::TAG_LEN)?;
        let tag = key.sign(&[self.writer.written()]);
        self.attribute(AttributeType::MESSAGE_INTEGRITY, &tag)
    }

    /// MESSAGE-INTEGRITY-SHA256 over everything written so far, not truncated
    /// ([RFC 8489 §14.6](https://www.rfc-editor.org/rfc/rfc8489#section-14.6)).
    pub fn integrity_sha256(&mut self, key: &HmacSha256) -> Result<(), Error> {
        self.reserve_length(ATTRIBUTE_HEADER_LEN + HmacSha256::TAG_LEN)?;
        let tag = key.sign(&[self.writer.written()]);
        self.attribute(AttributeType::MESSAGE_INTEGRITY_SHA256, &tag)
    }

    /// The integrity attribute that belongs to `key`.
    pub fn sign(&mut self, key: &IntegrityKey) -> Result<(), Error> {
        match key {
            IntegrityKey::Sha1(key) => self.integrity(key),
            IntegrityKey::Sha256(key) => self.integrity_sha256(key),
        }
    }

    /// GOOG-MESSAGE-INTEGRITY-32 of libwebrtc's [`GOOG_PING`](Method::GOOG_PING): four bytes of HMAC-SHA1.
    pub fn integrity_32(&mut self, key: &HmacSha1) -> Result<(), Error> {
        self.reserve_length(ATTRIBUTE_HEADER_LEN + 4)?;
        let [a, b, c, d, ..] = key.sign(&[self.writer.written()]);
        self.attribute(AttributeType::GOOG_MESSAGE_INTEGRITY_32, &[a, b, c, d])
    }

    /// FINGERPRINT over everything written so far; nothing may follow
    /// ([RFC 8489 §14.7](https://www.rfc-editor.org/rfc/rfc8489#section-14.7)).
    pub fn fingerprint(&mut self) -> Result<(), Error> {
        self.reserve_length(ATTRIBUTE_HEADER_LEN + 4)?;
        let value = fingerprint(self.writer.written());
        self.attribute(AttributeType::FINGERPRINT, &value.to_be_bytes())
    }
}
