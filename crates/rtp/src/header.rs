//! Writing RTP headers ([RFC 3550 §5.1](https://www.rfc-editor.org/rfc/rfc3550#section-5.1); the diagram stands
//! over [`Packet`](crate::Packet)).

use rtckit_proto::Writer;

use crate::packet::{FIXED_HEADER_LEN, field};
use crate::{Error, Extension, PayloadType, Ssrc, extension};

/// The header of an RTP packet to write.
///
/// ```
/// use rtckit_rtp::{Extension, Header, Packet, PayloadType, Ssrc};
///
/// let header = Header {
///     payload_type: PayloadType(96),
///     sequence_number: 7,
///     ssrc: Ssrc(1),
///     extensions: &[Extension { id: 4, data: b"0" }],
///     ..Header::default()
/// };
/// let mut buf = [0; 64];
/// let len = header.write(&mut buf)?;
/// buf[len] = 0xaa;
/// let packet = Packet::parse(&buf[..len + 1])?;
/// assert_eq!(packet.extension(4), Some(&b"0"[..]));
/// assert_eq!(packet.payload(), [0xaa]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header<'a> {
    /// Whether this packet ends a video frame, or starts a talkspurt.
    pub marker: bool,
    /// What the payload is: 0 to 127.
    pub payload_type: PayloadType,
    /// Counts packets.
    pub sequence_number: u16,
    /// The sampling instant of the payload, in ticks of the format's clock.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: Ssrc,
    /// The sources a mixer made this packet of; at most 15.
    pub csrcs: &'a [Ssrc],
    /// The elements of the header extension; it is left out when there are none.
    pub extensions: &'a [Extension<'a>],
}

impl Header<'_> {
    /// How many bytes [`write`](Self::write) writes.
    pub fn encoded_len(&self) -> Result<usize, Error> {
        if self.csrcs.len() > usize::from(field::CSRC_COUNT) {
            return Err(Error::OutOfRange("at most 15 CSRCs"));
        }
        Ok(FIXED_HEADER_LEN
            + self.csrcs.len() * field::CSRC_LEN
            + extension::encoded_len(self.extensions)?)
    }

    /// Writes the header to the front of `buf` and returns its length; the payload goes behind it.
    pub fn write(&self, buf: &mut [u8]) -> Result<usize, Error> {
        if self.payload_type.0 > field::PAYLOAD_TYPE {
            return Err(Error::OutOfRange("payload type 0-127"));
        }
        if self.encoded_len()? > buf.len() {
            return Err(Error::BufferTooSmall);
        }
        let mut writer = Writer::new(buf);
        let extension = if self.extensions.is_empty() {
            0
        } else {
            field::EXTENSION
        };
        writer.u8(field::VERSION | extension | self.csrcs.len() as u8)?;
        let marker = if self.marker { field::MARKER } else { 0 };
        writer.u8(marker | self.payload_type.0)?;
        writer.u16(self.sequence_number)?;
        writer.u32(self.timestamp)?;
        writer.u32(self.ssrc.0)?;
        for csrc in self.csrcs {
            writer.u32(csrc.0)?;
        }
        extension::write(self.extensions, &mut writer)?;
        Ok(writer.len())
    }
}

/// Adds `padding` bytes to the RTP packet in `buf[..len]` and returns its new length
/// ([RFC 3550 §5.1](https://www.rfc-editor.org/rfc/rfc3550#section-5.1)).
///
/// The packet must not be padded yet. Padding of 0 bytes changes nothing.
pub fn append_padding(buf: &mut [u8], len: usize, padding: u8) -> Result<usize, Error> {
    if padding == 0 {
        return Ok(len);
    }
    let end = len + usize::from(padding);
    let room = buf.get_mut(len..end).ok_or(Error::BufferTooSmall)?;
    room.fill(0);
    if let Some(last) = room.last_mut() {
        *last = padding;
    }
    let first = buf.first_mut().ok_or(Error::BufferTooSmall)?;
    *first |= field::PADDING;
    Ok(end)
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::Packet;

    /// Written by hand from the diagram: two CSRCs, a one-byte extension of two elements, three bytes of padding.
    const VECTOR: [u8; 40] = [
        0xb2, 0xe0, 0x12, 0x34, 0xde, 0xad, 0xbe, 0xef, 0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 1, 0, 0,
        0, 2, // header
        0xbe, 0xde, 0, 2, 0x10, 0x55, 0x42, 1, 2, 3, 0, 0, // extension
        1, 2, 3, 4, 5, // payload
        0, 0, 3, // padding
    ];

    fn vector_header() -> (Header<'static>, &'static [u8]) {
        let header = Header {
            marker: true,
            payload_type: PayloadType(96),
            sequence_number: 0x1234,
            timestamp: 0xdead_beef,
            ssrc: Ssrc(0xcafe_babe),
            csrcs: &[Ssrc(1), Ssrc(2)],
            extensions: &[
                Extension {
                    id: 1,
                    data: &[0x55],
                },
                Extension {
                    id: 4,
                    data: &[1, 2, 3],
                },
            ],
        };
        (header, &[1, 2, 3, 4, 5])
    }

    fn emit(header: &Header<'_>, payload: &[u8], padding: u8) -> Vec<u8> {
        let mut buf = [0xa5; 2048];
        let at = header.write(&mut buf).unwrap();
        assert_eq!(at, header.encoded_len().unwrap());
        let len = at + payload.len();
        buf[at..len].copy_from_slice(payload);
        let len = append_padding(&mut buf, len, padding).unwrap();
        buf[..len].to_vec()
    }

    #[test]
    fn the_vector_is_parsed() {
        let packet = Packet::parse(&VECTOR).unwrap();
        assert!(packet.marker());
        assert_eq!(packet.payload_type(), PayloadType(96));
        assert_eq!(packet.sequence_number(), 0x1234);
        assert_eq!(packet.timestamp(), 0xdead_beef);
        assert_eq!(packet.ssrc(), Ssrc(0xcafe_babe));
        assert!(packet.csrcs().eq([Ssrc(1), Ssrc(2)]));
        assert_eq!(packet.extension(4), Some(&[1, 2, 3][..]));
        assert_eq!(packet.extension(2), None);
        assert_eq!(packet.payload(), [1, 2, 3, 4, 5]);
        assert_eq!(packet.padding_len(), 3);
        assert_eq!(packet.header_len(), 32);
    }

    #[test]
    fn the_vector_is_emitted() {
        let (header, payload) = vector_header();
        assert_eq!(emit(&header, payload, 3), VECTOR);
    }

    #[test]
    fn every_truncation_is_refused_or_read_within_bounds() {
        for len in 0..VECTOR.len() {
            let parsed = Packet::parse(&VECTOR[..len]);
            if len < 33 {
                assert!(parsed.is_err(), "{len}");
            } else if let Ok(packet) = parsed {
                assert!(packet.header_len() + packet.payload().len() <= len);
            }
        }
        let (header, _) = vector_header();
        for len in 0..32 {
            let written = header.write(&mut [0; 32][..len]);
            assert_eq!(written, Err(Error::BufferTooSmall), "{len}");
        }
    }

    #[test]
    fn padding_longer_than_the_payload_is_refused() {
        let mut packet = VECTOR;
        for (padding, fits) in [(0, false), (1, true), (8, true), (9, false), (255, false)] {
            packet[39] = padding;
            assert_eq!(Packet::parse(&packet).is_ok(), fits, "{padding}");
        }
        packet[39] = 8;
        assert!(Packet::parse(&packet).unwrap().payload().is_empty());
    }

    #[test]
    fn other_versions_are_refused() {
        for version in [0, 1, 3] {
            let mut packet = VECTOR;
            packet[0] = packet[0] & 0x3f | version << 6;
            assert_eq!(Packet::parse(&packet).unwrap_err().position, 0);
        }
    }

    #[test]
    fn values_that_do_not_fit_are_misuse() {
        let mut buf = [0; 128];
        let header = Header {
            payload_type: PayloadType(128),
            ..Header::default()
        };
        assert!(matches!(header.write(&mut buf), Err(Error::OutOfRange(_))));
        let header = Header {
            csrcs: &[Ssrc(0); 16],
            ..Header::default()
        };
        assert!(matches!(header.write(&mut buf), Err(Error::OutOfRange(_))));
        let header = Header {
            extensions: &[Extension { id: 0, data: &[1] }],
            ..Header::default()
        };
        assert!(matches!(header.write(&mut buf), Err(Error::OutOfRange(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn what_is_written_is_what_is_read(
            (marker, payload_type, sequence_number, timestamp, ssrc)
                in (any::<bool>(), 0u8..128, any::<u16>(), any::<u32>(), any::<u32>()),
            csrcs in prop::collection::vec(any::<u32>().prop_map(Ssrc), 0..=15),
            elements in prop::collection::vec((1u8..=255, prop::collection::vec(any::<u8>(), 0..40)), 0..6),
            payload in prop::collection::vec(any::<u8>(), 0..100),
            padding in any::<u8>(),
        ) {
            let extensions: Vec<_> = elements
                .iter()
                .map(|(id, data)| Extension { id: *id, data })
                .collect();
            let header = Header {
                marker,
                payload_type: PayloadType(payload_type),
                sequence_number,
                timestamp,
                ssrc: Ssrc(ssrc),
                csrcs: &csrcs,
                extensions: &extensions,
            };
            let bytes = emit(&header, &payload, padding);
            let packet = Packet::parse(&bytes).unwrap();
            prop_assert_eq!(packet.marker(), marker);
            prop_assert_eq!(packet.payload_type().0, payload_type);
            prop_assert_eq!(packet.sequence_number(), sequence_number);
            prop_assert_eq!(packet.timestamp(), timestamp);
            prop_assert_eq!(packet.ssrc().0, ssrc);
            prop_assert!(packet.csrcs().eq(csrcs.iter().copied()));
            prop_assert!(packet.extensions().eq(extensions.iter().copied()));
            prop_assert_eq!(packet.payload(), &payload[..]);
            prop_assert_eq!(packet.padding_len(), padding);
            prop_assert_eq!(packet.header_len(), header.encoded_len().unwrap());
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(packet) = Packet::parse(&bytes) {
                prop_assert!(packet.extensions().count() <= bytes.len());
                prop_assert!(packet.header_len() + packet.payload().len() <= bytes.len());
            }
        }
    }
}
