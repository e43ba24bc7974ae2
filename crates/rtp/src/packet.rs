//! An RTP packet as it stands in a datagram ([RFC 3550 §5.1](https://www.rfc-editor.org/rfc/rfc3550#section-5.1)).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                           timestamp                           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |           synchronization source (SSRC) identifier            |
//! +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! |            contributing source (CSRC) identifiers             |
//! |                             ....                              |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      defined by profile       |      length in 32-bit words   |  if X
//! |                        header extension                       |
//! |                             ....                              |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |              payload, then padding if P                       |
//! ```

use rtckit_proto::id;

use crate::ParseError;
use crate::extension::Extensions;

id! {
    /// A synchronization source: who sends a stream
    /// ([RFC 3550 §3](https://www.rfc-editor.org/rfc/rfc3550#section-3)).
    pub struct Ssrc(u32);
}

id! {
    /// A payload type, 0 to 127: what SDP says the payload is
    /// ([RFC 3550 §5.1](https://www.rfc-editor.org/rfc/rfc3550#section-5.1)).
    pub struct PayloadType(u8);
}

/// The length of the fixed header in bytes.
pub const FIXED_HEADER_LEN: usize = 12;

/// Where the fields of the fixed header stand, and their bits.
pub(crate) mod field {
    pub(crate) const VERSION: u8 = 0b1000_0000;
    pub(crate) const VERSION_MASK: u8 = 0b1100_0000;
    pub(crate) const PADDING: u8 = 0b0010_0000;
    pub(crate) const EXTENSION: u8 = 0b0001_0000;
    pub(crate) const CSRC_COUNT: u8 = 0b0000_1111;
    pub(crate) const MARKER: u8 = 0b1000_0000;
    /// Where the marker bit stands.
    pub(crate) const MARKER_BYTE: usize = 1;
    pub(crate) const PAYLOAD_TYPE: u8 = 0b0111_1111;
    pub(crate) const SEQUENCE_NUMBER: core::ops::Range<usize> = 2..4;
    pub(crate) const TIMESTAMP: core::ops::Range<usize> = 4..8;
    pub(crate) const SSRC: core::ops::Range<usize> = 8..12;
    /// The 16 bits "defined by profile" and the length of the extension.
    pub(crate) const EXTENSION_HEADER_LEN: usize = 4;
    pub(crate) const CSRC_LEN: usize = 4;
}

/// A header extension as it is: the 16 bits "defined by profile" and the bytes.
type RawExtension<'a> = (u16, &'a [u8]);

/// A checked view of an RTP packet: once parsed, no accessor fails.
///
/// ```
/// use rtckit_rtp::{Packet, PayloadType, Ssrc};
///
/// let packet = Packet::parse(&[0x80, 0xe0, 0, 7, 0, 0, 0, 9, 0, 0, 0, 1, 0xaa])?;
/// assert_eq!(packet.payload_type(), PayloadType(96));
/// assert_eq!(packet.ssrc(), Ssrc(1));
/// assert_eq!((packet.sequence_number(), packet.timestamp()), (7, 9));
/// assert!(packet.marker());
/// assert_eq!(packet.payload(), [0xaa]);
/// # Ok::<(), rtckit_rtp::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// A copy, so that a packet that was sent again can be seen as the one it repeats.
    fixed: [u8; FIXED_HEADER_LEN],
    csrcs: &'a [u8],
    extension: Option<RawExtension<'a>>,
    payload: &'a [u8],
    padding: u8,
}

impl<'a> Packet<'a> {
    /// Checks that `bytes` are a whole RTP packet: version 2, and header and padding within it.
    ///
    /// A packet of nothing but padding is fine; bandwidth probes look like that.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut packet = Self::parse_protected(bytes)?;
        if packet.fixed[0] & field::PADDING != 0 {
            let last = bytes.len().saturating_sub(1);
            let error = ParseError::new(last, "a padding length of 1 up to the payload's length");
            let &padding = packet.payload.last().ok_or(error)?;
            let payload_len = packet.payload.len().checked_sub(padding.into());
            packet.payload = payload_len
                .filter(|_| padding != 0)
                .and_then(|len| packet.payload.get(..len))
                .ok_or(error)?;
            packet.padding = padding;
        }
        Ok(packet)
    }

    /// Checks the header only: what SRTP leaves in the clear. The payload is then everything behind the
    /// header, padding and tag included
    /// ([RFC 3711 §3.1](https://www.rfc-editor.org/rfc/rfc3711#section-3.1)).
    pub fn parse_protected(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let (fixed, rest) = bytes
            .split_first_chunk::<FIXED_HEADER_LEN>()
            .ok_or_else(|| ParseError::new(bytes.len(), "a fixed header of 12 bytes"))?;
        if fixed[0] & field::VERSION_MASK != field::VERSION {
            return Err(ParseError::new(0, "RTP version 2"));
        }
        let csrc_count = usize::from(fixed[0] & field::CSRC_COUNT);
        let (csrcs, rest) =
            rest.split_at_checked(csrc_count * field::CSRC_LEN)
                .ok_or(ParseError::new(
                    FIXED_HEADER_LEN,
                    "as many CSRCs as counted",
                ))?;
        let (extension, payload) = if fixed[0] & field::EXTENSION == 0 {
            (None, rest)
        } else {
            let position = FIXED_HEADER_LEN + csrcs.len();
            let (extension, payload) = split_extension(rest)
                .ok_or_else(|| ParseError::new(position, "as long an extension as it says"))?;
            (Some(extension), payload)
        };
        Ok(Self {
            fixed: *fixed,
            csrcs,
            extension,
            payload,
            padding: 0,
        })
    }

    /// Whether this packet ends a video frame, or starts a talkspurt; profiles decide.
    pub fn marker(&self) -> bool {
        self.fixed[1] & field::MARKER != 0
    }

    /// What the payload is.
    pub fn payload_type(&self) -> PayloadType {
        PayloadType(self.fixed[1] & field::PAYLOAD_TYPE)
    }

    /// Counts packets; wraps.
    pub fn sequence_number(&self) -> u16 {
        u16::from_be_bytes([self.fixed[2], self.fixed[3]])
    }

    /// The sampling instant of the first byte of the payload, in ticks of the format's clock; wraps.
    pub fn timestamp(&self) -> u32 {
        let [_, _, _, _, a, b, c, d, ..] = self.fixed;
        u32::from_be_bytes([a, b, c, d])
    }

    /// Who sent it.
    pub fn ssrc(&self) -> Ssrc {
        let [.., a, b, c, d] = self.fixed;
        Ssrc(u32::from_be_bytes([a, b, c, d]))
    }

    /// The sources a mixer made this packet of; at most 15.
    pub fn csrcs(&self) -> impl ExactSizeIterator<Item = Ssrc> + 'a {
        let (csrcs, _) = self.csrcs.as_chunks::<{ field::CSRC_LEN }>();
        csrcs.iter().map(|&csrc| Ssrc(u32::from_be_bytes(csrc)))
    }

    /// The header extension as it is: the 16 bits "defined by profile" and the bytes.
    pub fn raw_extension(&self) -> Option<(u16, &'a [u8])> {
        self.extension
    }

    /// The elements of the header extension ([RFC 8285](https://www.rfc-editor.org/rfc/rfc8285)); none when
    /// there is no extension, or one of another form.
    pub fn extensions(&self) -> Extensions<'a> {
        let (profile, bytes) = self.extension.unwrap_or_default();
        Extensions::new(profile, bytes)
    }

    /// The data of the extension element whose identifier is `id`, if there is one.
    pub fn extension(&self, id: u8) -> Option<&'a [u8]> {
        self.extensions()
            .find(|element| element.id == id)
            .map(|element| element.data)
    }

    /// The payload, without padding.
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// How many bytes of padding follow the payload; the last of them is this number.
    pub fn padding_len(&self) -> u8 {
        self.padding
    }

    /// This packet with another source, payload type, number and payload.
    pub(crate) fn under(
        mut self,
        ssrc: Ssrc,
        payload_type: PayloadType,
        sequence_number: u16,
        payload: &'a [u8],
    ) -> Self {
        let [_, marker_and_type, number @ .., _, _, _, _, _, _, _, _] = &mut self.fixed;
        *marker_and_type = *marker_and_type & field::MARKER | payload_type.0 & field::PAYLOAD_TYPE;
        *number = sequence_number.to_be_bytes();
        let [.., a, b, c, d] = &mut self.fixed;
        [*a, *b, *c, *d] = ssrc.0.to_be_bytes();
        Self { payload, ..self }
    }

    /// The length of everything in front of the payload.
    pub fn header_len(&self) -> usize {
        FIXED_HEADER_LEN
            + self.csrcs.len()
            + self
                .extension
                .map_or(0, |(_, bytes)| field::EXTENSION_HEADER_LEN + bytes.len())
    }
}

/// The extension's profile bits and bytes, and what follows it.
fn split_extension(bytes: &[u8]) -> Option<(RawExtension<'_>, &[u8])> {
    let (&[p0, p1, l0, l1], rest) = bytes.split_first_chunk::<{ field::EXTENSION_HEADER_LEN }>()?;
    let words = usize::from(u16::from_be_bytes([l0, l1]));
    let (extension, payload) = rest.split_at_checked(words * 4)?;
    Some(((u16::from_be_bytes([p0, p1]), extension), payload))
}
