//! VP8 in RTP ([RFC 7741](https://www.rfc-editor.org/rfc/rfc7741)).
//!
//! ```text
//!      0 1 2 3 4 5 6 7
//!     +-+-+-+-+-+-+-+-+
//!     |X|R|N|S|R| PID |
//!     +-+-+-+-+-+-+-+-+
//! X:  |I|L|T|K|  RSV  |
//!     +-+-+-+-+-+-+-+-+
//! I:  |M| PictureID   |  7 bits, or 15 if M
//!     +-+-+-+-+-+-+-+-+
//!     |   PictureID   |
//!     +-+-+-+-+-+-+-+-+
//! L:  |   TL0PICIDX   |
//!     +-+-+-+-+-+-+-+-+
//! T/K:|TID|Y| KEYIDX  |
//!     +-+-+-+-+-+-+-+-+
//! ```

use rtckit_proto::{CursorError, Reader, Writer};

use crate::payload::Chunk;
use crate::{Error, ParseError};

mod bits {
    pub(super) const EXTENDED: u8 = 0x80;
    pub(super) const NON_REFERENCE: u8 = 0x20;
    pub(super) const START: u8 = 0x10;
    pub(super) const PARTITION: u8 = 0x07;
    pub(super) const PICTURE_ID: u8 = 0x80;
    pub(super) const TL0PICIDX: u8 = 0x40;
    pub(super) const TID: u8 = 0x20;
    pub(super) const KEYIDX: u8 = 0x10;
    pub(super) const LONG: u8 = 0x80;
    pub(super) const LAYER_SYNC: u8 = 0x20;
    pub(super) const KEYIDX_MASK: u8 = 0x1f;
}

/// Counts pictures; wraps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureId {
    /// 0 to 127.
    Short(u8),
    /// 0 to 32767.
    Long(u16),
}

/// The temporal layer of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemporalLayer {
    /// TID: 0 is the base layer; at most 3.
    pub id: u8,
    /// Y: the frame depends on the base layer alone, so that a receiver may switch up here.
    pub sync: bool,
}

/// The VP8 payload descriptor ([RFC 7741 §4.2](https://www.rfc-editor.org/rfc/rfc7741#section-4.2)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// N: no other frame depends on this one.
    pub non_reference: bool,
    /// S: a partition starts here.
    pub start_of_partition: bool,
    /// PID: which one; at most 7.
    pub partition: u8,
    /// The picture, if numbered.
    pub picture_id: Option<PictureId>,
    /// TL0PICIDX: counts the frames of the base layer.
    pub tl0_picture_index: Option<u8>,
    /// TID and Y.
    pub temporal_layer: Option<TemporalLayer>,
    /// KEYIDX: counts key frames; at most 31.
    pub key_index: Option<u8>,
}

/// The longest descriptor in bytes.
pub const MAX_DESCRIPTOR_LEN: usize = 6;

impl Descriptor {
    /// Reads the descriptor at the front of `payload`. Returns it and the bytes of the frame behind it, of which
    /// there must be one at least.
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), ParseError> {
        let mut reader = Reader::new(payload);
        let descriptor = Self::read(&mut reader)?;
        if reader.is_empty() {
            return Err(ParseError::new(reader.position(), "a part of a VP8 frame"));
        }
        Ok((descriptor, reader.rest()))
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, CursorError> {
        let first = reader.u8()?;
        let mut descriptor = Self {
            non_reference: first & bits::NON_REFERENCE != 0,
            start_of_partition: first & bits::START != 0,
            partition: first & bits::PARTITION,
            ..Self::default()
        };
        if first & bits::EXTENDED == 0 {
            return Ok(descriptor);
        }
        let extended = reader.u8()?;
        if extended & bits::PICTURE_ID != 0 {
            let high = reader.u8()?;
            let id = high & !bits::LONG;
            descriptor.picture_id = Some(if high & bits::LONG == 0 {
                PictureId::Short(id)
            } else {
                PictureId::Long(u16::from_be_bytes([id, reader.u8()?]))
            });
        }
        if extended & bits::TL0PICIDX != 0 {
            descriptor.tl0_picture_index = Some(reader.u8()?);
        }
        if extended & (bits::TID | bits::KEYIDX) != 0 {
            let byte = reader.u8()?;
            descriptor.temporal_layer = (extended & bits::TID != 0).then_some(TemporalLayer {
                id: byte >> 6,
                sync: byte & bits::LAYER_SYNC != 0,
            });
            descriptor.key_index =
                (extended & bits::KEYIDX != 0).then_some(byte & bits::KEYIDX_MASK);
        }
        Ok(descriptor)
    }

    /// Whether a frame starts with this payload: its first partition does.
    pub fn starts_frame(&self) -> bool {
        self.start_of_partition && self.partition == 0
    }

    /// How many bytes [`write`](Self::write) writes.
    pub fn encoded_len(&self) -> usize {
        if self.extended() == 0 {
            return 1;
        }
        let picture_id = match self.picture_id {
            None => 0,
            Some(PictureId::Short(_)) => 1,
            Some(PictureId::Long(_)) => 2,
        };
        let layer = self.temporal_layer.is_some() || self.key_index.is_some();
        2 + picture_id + usize::from(self.tl0_picture_index.is_some()) + usize::from(layer)
    }

    /// Writes the descriptor to the front of `buf` and returns its length. Numbers that are too big for their
    /// fields are [`Error::OutOfRange`].
    pub fn write(&self, buf: &mut [u8]) -> Result<usize, Error> {
        self.check()?;
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let extended = self.extended();
        let mut writer = Writer::new(buf);
        writer.u8(flag(extended != 0, bits::EXTENDED)
            | flag(self.non_reference, bits::NON_REFERENCE)
            | flag(self.start_of_partition, bits::START)
            | self.partition)?;
        if extended != 0 {
            writer.u8(extended)?;
        }
        match self.picture_id {
            None => {}
            Some(PictureId::Short(id)) => writer.u8(id)?,
            Some(PictureId::Long(id)) => writer.u16(u16::from(bits::LONG) << 8 | id)?,
        }
        if let Some(index) = self.tl0_picture_index {
            writer.u8(index)?;
        }
        if extended & (bits::TID | bits::KEYIDX) != 0 {
            let layer = self.temporal_layer.map_or(0, |layer| {
                layer.id << 6 | flag(layer.sync, bits::LAYER_SYNC)
            });
            writer.u8(layer | self.key_index.unwrap_or(0))?;
        }
        Ok(writer.len())
    }

    fn extended(&self) -> u8 {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        flag(self.picture_id.is_some(), bits::PICTURE_ID)
            | flag(self.tl0_picture_index.is_some(), bits::TL0PICIDX)
            | flag(self.temporal_layer.is_some(), bits::TID)
            | flag(self.key_index.is_some(), bits::KEYIDX)
    }

    fn check(&self) -> Result<(), Error> {
        let picture_id_fits = match self.picture_id {
            None => true,
            Some(PictureId::Short(id)) => id < 1 << 7,
            Some(PictureId::Long(id)) => id < 1 << 15,
        };
        if self.partition > bits::PARTITION {
            Err(Error::OutOfRange("VP8 partition index 0-7"))
        } else if !picture_id_fits {
            Err(Error::OutOfRange("VP8 picture ID: 7 or 15 bits"))
        } else if self.temporal_layer.is_some_and(|layer| layer.id > 3) {
            Err(Error::OutOfRange("VP8 temporal layer 0-3"))
        } else if self
            .key_index
            .is_some_and(|index| index > bits::KEYIDX_MASK)
        {
            Err(Error::OutOfRange("VP8 key index 0-31"))
        } else {
            Ok(())
        }
    }
}

/// What the start of a VP8 frame says ([RFC 7741 §4.3](https://www.rfc-editor.org/rfc/rfc7741#section-4.3),
/// [RFC 6386 §9.1](https://www.rfc-editor.org/rfc/rfc6386#section-9.1)).
///
/// ```text
///  0 1 2 3 4 5 6 7
/// +-+-+-+-+-+-+-+-+
/// |Size0|H| VER |P|   P = 0: key frame; H: shown
/// |     Size1     |
/// |     Size2     |
/// +-+-+-+-+-+-+-+-+   key frames go on:
/// |  9d 01 2a     |
/// |  width, 14 bits little-endian, and 2 of scale; height the same
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Whether it can be decoded without any other frame.
    pub key_frame: bool,
    /// Whether it is meant to be shown.
    pub shown: bool,
    /// VER: the profile of the bitstream.
    pub version: u8,
    /// The length of the first partition in bytes.
    pub first_partition_len: u32,
    /// Width and height in pixels; key frames alone carry them.
    pub size: Option<(u16, u16)>,
}

/// The start code of a key frame.
const START_CODE: [u8; 3] = [0x9d, 0x01, 0x2a];
/// The bits of width and height that are not the scale.
const SIZE_MASK: u16 = 0x3fff;

impl FrameHeader {
    /// Reads the start of `frame`.
    pub fn parse(frame: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(frame);
        let tag: [u8; 3] = reader.array()?;
        let tag = u32::from_le_bytes([tag[0], tag[1], tag[2], 0]);
        let mut header = Self {
            key_frame: tag & 1 == 0,
            version: (tag >> 1 & 7) as u8,
            shown: tag >> 4 & 1 == 1,
            first_partition_len: tag >> 5,
            size: None,
        };
        if header.key_frame {
            if reader.array()? != START_CODE {
                return Err(ParseError::new(3, "the start code of a VP8 key frame"));
            }
            let width = u16::from_le_bytes(reader.array()?) & SIZE_MASK;
            let height = u16::from_le_bytes(reader.array()?) & SIZE_MASK;
            header.size = Some((width, height));
        }
        Ok(header)
    }
}

/// Whether `frame` is a key frame, with a start code where a key frame has one.
pub fn is_key_frame(frame: &[u8]) -> bool {
    matches!(frame, [first, _, _, 0x9d, 0x01, 0x2a, ..] if first & 1 == 0)
}

/// Cuts VP8 frames into payloads, with a 15-bit picture ID.
///
/// Payloads are filled to the brim and only the last of a frame is shorter, so that a frame leaves as one run
/// of packets of equal length. The frame is not parsed: all payloads are of partition 0, which RFC 7741 allows.
#[derive(Clone, Debug)]
pub struct Packetizer {
    picture_id: u16,
}

impl Packetizer {
    /// A packetizer whose first picture has this ID, of which 15 bits count.
    pub fn new(picture_id: u16) -> Self {
        Self {
            picture_id: picture_id & 0x7fff,
        }
    }

    /// The payloads of `frame`; see [`Packetizer::packets`](crate::payload::Packetizer::packets).
    pub fn packets<'f>(
        &mut self,
        frame: &'f [u8],
        max_payload: usize,
    ) -> Result<Payloads<'f>, Error> {
        if frame.is_empty() {
            return Err(Error::FrameLength(0));
        }
        let descriptor = Descriptor {
            start_of_partition: true,
            picture_id: Some(PictureId::Long(self.picture_id)),
            ..Descriptor::default()
        };
        let descriptor_len = descriptor.encoded_len();
        if max_payload <= descriptor_len {
            return Err(Error::OutOfRange("payload: longer than a VP8 descriptor"));
        }
        self.picture_id = (self.picture_id + 1) & 0x7fff;
        Ok(Payloads {
            descriptor,
            frame,
            max_data: max_payload - descriptor_len,
        })
    }
}

/// The payloads of one VP8 frame.
#[derive(Clone, Debug)]
pub struct Payloads<'f> {
    /// The descriptor of the next payload.
    descriptor: Descriptor,
    /// What is left of the frame.
    frame: &'f [u8],
    max_data: usize,
}

impl Payloads<'_> {
    /// How many payloads are left.
    pub fn remaining(&self) -> usize {
        self.frame.len().div_ceil(self.max_data)
    }

    /// Writes the next one to the front of `out`; see [`Payloads::next`](crate::payload::Payloads::next).
    pub fn next(&mut self, out: &mut [u8]) -> Option<Chunk> {
        if self.frame.is_empty() {
            return None;
        }
        let (data, rest) = self.frame.split_at(self.max_data.min(self.frame.len()));
        let at = self.descriptor.write(out).ok()?;
        out.get_mut(at..)?
            .get_mut(..data.len())?
            .copy_from_slice(data);
        self.frame = rest;
        self.descriptor.start_of_partition = false;
        Some(Chunk {
            len: at + data.len(),
            marker: rest.is_empty(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    /// Payload heads of Chromium 156 and Firefox 153, and some written from the text, each with its fields.
    const VECTORS: &str = include_str!("../../testdata/vp8_descriptors.json");

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap())
            .collect()
    }

    #[test]
    fn the_vectors_are_parsed_and_emitted() {
        let vectors: Vec<serde_json::Value> = serde_json::from_str(VECTORS).unwrap();
        assert_eq!(vectors.len(), 17);
        for vector in vectors {
            let fields = &vector["fields"];
            let number = |name: &str| fields[name].as_u64();
            let mut payload = bytes(vector["payload"].as_str().unwrap());
            let descriptor_len = number("descriptor_len").unwrap() as usize;
            if payload.len() == descriptor_len {
                payload.push(0);
            }
            let (descriptor, frame) = Descriptor::parse(&payload).unwrap();
            assert_eq!(descriptor.encoded_len(), descriptor_len, "{vector}");
            assert_eq!(frame, &payload[descriptor_len..]);
            assert_eq!(number("S"), Some(descriptor.start_of_partition.into()));
            assert_eq!(number("N"), Some(descriptor.non_reference.into()));
            assert_eq!(number("PID"), Some(descriptor.partition.into()));
            let picture_id = number("picture_id").map(|id| match number("picture_id_bits") {
                Some(7) => PictureId::Short(id as u8),
                _ => PictureId::Long(id as u16),
            });
            assert_eq!(descriptor.picture_id, picture_id);
            assert_eq!(
                number("tl0picidx"),
                descriptor.tl0_picture_index.map(u64::from)
            );
            assert_eq!(
                number("tid"),
                descriptor.temporal_layer.map(|l| l.id.into())
            );
            assert_eq!(
                number("y"),
                descriptor.temporal_layer.map(|l| l.sync.into())
            );
            assert_eq!(number("keyidx"), descriptor.key_index.map(u64::from));

            if let Some(header) = fields.get("payload_header") {
                let read = FrameHeader::parse(frame).unwrap();
                assert_eq!(header["key_frame"].as_bool(), Some(read.key_frame));
                assert_eq!(
                    header["size0"].as_u64(),
                    Some(read.first_partition_len.into())
                );
                assert_eq!(header["show_frame"].as_u64(), Some(read.shown.into()));
                assert_eq!(
                    header["width"].as_u64(),
                    read.size.map(|size| size.0.into())
                );
                assert_eq!(
                    header["height"].as_u64(),
                    read.size.map(|size| size.1.into())
                );
                assert_eq!(is_key_frame(frame), read.key_frame);
            }

            let mut buf = [0xa5; 8];
            assert_eq!(descriptor.write(&mut buf), Ok(descriptor_len));
            assert_eq!(buf[..descriptor_len], payload[..descriptor_len]);
            assert!(buf[descriptor_len..].iter().all(|&byte| byte == 0xa5));

            for len in 0..=descriptor_len {
                assert!(Descriptor::parse(&payload[..len]).is_err());
                let written = descriptor.write(&mut [0; 8][..len]);
                assert_eq!(written.is_ok(), len == descriptor_len);
            }
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_misuse() {
        for descriptor in [
            Descriptor {
                partition: 8,
                ..Descriptor::default()
            },
            Descriptor {
                picture_id: Some(PictureId::Short(128)),
                ..Descriptor::default()
            },
            Descriptor {
                picture_id: Some(PictureId::Long(1 << 15)),
                ..Descriptor::default()
            },
            Descriptor {
                key_index: Some(32),
                ..Descriptor::default()
            },
            Descriptor {
                temporal_layer: Some(TemporalLayer { id: 4, sync: false }),
                ..Descriptor::default()
            },
        ] {
            assert!(matches!(
                descriptor.write(&mut [0; 8]),
                Err(Error::OutOfRange(_))
            ));
        }
    }

    #[test]
    fn a_key_frame_needs_its_start_code() {
        assert!(is_key_frame(&[0x10, 0, 0, 0x9d, 0x01, 0x2a, 0, 0, 0, 0]));
        assert!(!is_key_frame(&[0x11, 0, 0, 0x9d, 0x01, 0x2a, 0, 0, 0, 0]));
        assert!(!is_key_frame(&[0x10, 0, 0, 0x9d, 0x01]));
        assert!(FrameHeader::parse(&[0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
    }

    #[test]
    fn the_picture_id_wraps_after_15_bits_and_fills_payloads_to_the_brim() {
        let mut packetizer = Packetizer::new(0x7fff);
        let mut out = [0; 104];
        let mut payloads = packetizer.packets(&[1; 201], 104).unwrap();
        assert_eq!(payloads.remaining(), 3);
        let mut seen = Vec::new();
        while let Some(chunk) = payloads.next(&mut out) {
            seen.push((chunk.len, chunk.marker, out[0], out[2], out[3]));
        }
        let (start, rest) = (0x90, 0x80);
        assert_eq!(
            seen,
            [
                (104, false, start, 0xff, 0xff),
                (104, false, rest, 0xff, 0xff),
                (5, true, rest, 0xff, 0xff)
            ]
        );
        packetizer
            .packets(&[1], 104)
            .unwrap()
            .next(&mut out)
            .unwrap();
        assert_eq!(out[2..4], [0x80, 0]);
        assert_eq!(
            packetizer.packets(&[], 104).unwrap_err(),
            Error::FrameLength(0)
        );
        assert!(packetizer.packets(&[1], 4).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn descriptors_come_back(
            (non_reference, start_of_partition, partition) in (any::<bool>(), any::<bool>(), 0u8..8),
            picture_id in prop_oneof![
                Just(None),
                (0u8..128).prop_map(|id| Some(PictureId::Short(id))),
                (0u16..1 << 15).prop_map(|id| Some(PictureId::Long(id))),
            ],
            tl0_picture_index in any::<Option<u8>>(),
            layer in prop::option::of((0u8..4, any::<bool>())),
            key_index in prop::option::of(0u8..32),
        ) {
            let descriptor = Descriptor {
                non_reference,
                start_of_partition,
                partition,
                picture_id,
                tl0_picture_index,
                temporal_layer: layer.map(|(id, sync)| TemporalLayer { id, sync }),
                key_index,
            };
            let mut buf = [0xa5; MAX_DESCRIPTOR_LEN + 1];
            let len = descriptor.write(&mut buf).unwrap();
            prop_assert_eq!(len, descriptor.encoded_len());
            prop_assert_eq!(Descriptor::parse(&buf[..=len]).unwrap(), (descriptor, &[0xa5][..]));
        }

        #[test]
        fn frames_come_back(frame in prop::collection::vec(any::<u8>(), 1..5_000), max in 5usize..1_400) {
            let mut payloads = Packetizer::new(1).packets(&frame, max).unwrap();
            let (mut read, mut count) = (Vec::new(), 0);
            let expected = payloads.remaining();
            let mut out = std::vec![0xa5; max];
            while let Some(chunk) = payloads.next(&mut out) {
                let (descriptor, data) = Descriptor::parse(&out[..chunk.len]).unwrap();
                prop_assert_eq!(descriptor.starts_frame(), count == 0);
                read.extend_from_slice(data);
                count += 1;
                prop_assert_eq!(chunk.marker, count == expected);
            }
            prop_assert_eq!(count, expected);
            prop_assert_eq!(read, frame);
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            if let Ok((descriptor, data)) = Descriptor::parse(&bytes) {
                prop_assert!(!data.is_empty());
                prop_assert!(descriptor.encoded_len() <= MAX_DESCRIPTOR_LEN);
            }
            FrameHeader::parse(&bytes).ok();
        }
    }
}
