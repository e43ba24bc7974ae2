//! The page, Ogg's unit of transport and of checking.

use std::io::{self, Read, Write};

use crate::source::Source;
use crate::{Error, Found, Item, Problem};

const CAPTURE_PATTERN: &str = "OggS";
const HEADER_LEN: usize = 27;
/// The granule position of a page on which no packet ends.
const NO_PACKET_ENDS: u64 = u64::MAX;

/// The page continues a packet of the page before.
pub(super) const CONTINUED: u8 = 0x01;
/// The page is the first of its stream.
pub(super) const BEGINNING_OF_STREAM: u8 = 0x02;
/// The page is the last of its stream.
pub(super) const END_OF_STREAM: u8 = 0x04;

/// The most segments a page has.
pub(super) const MAX_SEGMENTS: usize = 255;
/// A segment of this length says that the packet goes on in the next one.
pub(super) const FULL_SEGMENT: u8 = 255;

mod field {
    pub(super) const VERSION: usize = 4;
    pub(super) const FLAGS: usize = 5;
    pub(super) const GRANULE_POSITION: usize = 6;
    pub(super) const SERIAL: usize = 14;
    pub(super) const SEQUENCE: usize = 18;
    pub(super) const CHECKSUM: usize = 22;
    pub(super) const SEGMENTS: usize = 26;
}

/// A page. All numbers are little-endian.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1| Byte
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// | capture_pattern: Magic number for page start "OggS"           | 0-3
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// | version       | header_type   | granule_position              | 4-7
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                                                               | 8-11
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                               | bitstream_serial_number       | 12-15
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                               | page_sequence_number          | 16-19
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                               | CRC_checksum                  | 20-23
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                               |page_segments  | segment_table | 24-27
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
/// ([RFC 3533 §6](https://www.rfc-editor.org/rfc/rfc3533#section-6))
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// The `header_type`.
    pub(super) flags: u8,
    /// Where the last packet that ends on this page ends; `None` when none does.
    pub(super) granule_position: Option<u64>,
    pub(super) serial: u32,
    pub(super) sequence: u32,
    /// The segment table; at most [`MAX_SEGMENTS`].
    pub(super) segments: Vec<u8>,
    /// The segments, one after the other.
    pub(super) body: Vec<u8>,
    /// Where in the file the page begins; not part of it.
    pub(super) position: u64,
}

impl Page {
    pub(super) const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Where in the file the body begins.
    pub(super) fn body_position(&self) -> u64 {
        self.position + (HEADER_LEN + self.segments.len()) as u64
    }

    /// Reads the next page, the one with the number `number` in the file, into `self`. `false` at the end of
    /// the file.
    pub(super) fn read<R: Read>(
        &mut self,
        source: &mut Source<R>,
        number: u64,
    ) -> Result<bool, Error> {
        let item = Item::Page(number);
        self.position = source.position();
        let mut header = [0; HEADER_LEN];
        let len = source.fill(&mut header)?;
        if len == 0 && number > 0 {
            return Ok(false);
        }
        self.parse_header(&header, len, item)?;
        let cut_short =
            |source: &Source<R>| Error::parse(source.position(), Problem::CutShort(item));
        let segments = header[field::SEGMENTS].into();
        self.segments.clear();
        if source.append(&mut self.segments, segments)? < segments {
            return Err(cut_short(source));
        }
        let body_len = self.segments.iter().map(|&len| u64::from(len)).sum();
        self.body.clear();
        if source.append(&mut self.body, body_len)? < body_len {
            return Err(cut_short(source));
        }
        let found = u32::from_le_bytes(array(&header, field::CHECKSUM));
        header[field::CHECKSUM..field::CHECKSUM + 4].fill(0);
        let computed = self.checksum(&header);
        // a fuzzer would hardly ever get past the checksum
        if found != computed && !cfg!(fuzzing) {
            let problem = Problem::Checksum {
                page: number,
                found,
                computed,
            };
            return Err(Error::parse(self.position, problem));
        }
        Ok(true)
    }

    fn parse_header(
        &mut self,
        header: &[u8; HEADER_LEN],
        len: usize,
        item: Item,
    ) -> Result<(), Error> {
        let pattern = &header[..len.min(4)];
        if pattern != CAPTURE_PATTERN.as_bytes() {
            let problem = Problem::Signature {
                item,
                expected: CAPTURE_PATTERN,
                found: Found::new(pattern),
            };
            return Err(Error::parse(self.position, problem));
        }
        if len < HEADER_LEN {
            return Err(Error::parse(
                self.position + len as u64,
                Problem::CutShort(item),
            ));
        }
        let version = header[field::VERSION];
        if version != 0 {
            let problem = Problem::Field {
                item,
                field: "the version",
                value: version.into(),
                expected: "0",
            };
            return Err(Error::parse(self.position + field::VERSION as u64, problem));
        }
        self.flags = header[field::FLAGS];
        let granule_position = u64::from_le_bytes(array(header, field::GRANULE_POSITION));
        self.granule_position = (granule_position != NO_PACKET_ENDS).then_some(granule_position);
        self.serial = u32::from_le_bytes(array(header, field::SERIAL));
        self.sequence = u32::from_le_bytes(array(header, field::SEQUENCE));
        Ok(())
    }

    /// Writes the page. The segment table must fit the body.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        debug_assert!(self.segments.len() <= MAX_SEGMENTS);
        let mut header = [0; HEADER_LEN];
        let mut put = |at: usize, value: &[u8]| header[at..at + value.len()].copy_from_slice(value);
        put(0, CAPTURE_PATTERN.as_bytes());
        put(field::FLAGS, &[self.flags]);
        let granule_position = self.granule_position.unwrap_or(NO_PACKET_ENDS);
        put(field::GRANULE_POSITION, &granule_position.to_le_bytes());
        put(field::SERIAL, &self.serial.to_le_bytes());
        put(field::SEQUENCE, &self.sequence.to_le_bytes());
        put(field::SEGMENTS, &[self.segments.len() as u8]);
        let checksum = self.checksum(&header);
        header[field::CHECKSUM..field::CHECKSUM + 4].copy_from_slice(&checksum.to_le_bytes());
        out.write_all(&header)?;
        out.write_all(&self.segments)?;
        out.write_all(&self.body)
    }

    /// How many bytes the page has in the file.
    pub(super) fn encoded_len(&self) -> u64 {
        (HEADER_LEN + self.segments.len() + self.body.len()) as u64
    }

    /// The checksum over the page, whose `header` has zeros where the checksum belongs.
    fn checksum(&self, header: &[u8; HEADER_LEN]) -> u32 {
        let parts = header.iter().chain(&self.segments).chain(&self.body);
        parts.fold(0, |crc, &byte| {
            crc << 8 ^ CRC_TABLE[usize::from((crc >> 24) as u8 ^ byte)]
        })
    }
}

fn array<const N: usize>(header: &[u8; HEADER_LEN], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&header[at..at + N]);
    out
}

/// The CRC of each byte, for the generator polynomial 0x04c11db7, most significant bit first, no inversion.
static CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc << 1) ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clips;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Result<Page, Error> {
        let mut page = Page::default();
        assert!(page.read(&mut Source::new(bytes), 0)?);
        Ok(page)
    }

    /// The first page of the clip, which ffmpeg wrote.
    const PAGE_LEN: usize = 27 + 1 + 19;

    #[test]
    fn a_page_by_ffmpeg() {
        let bytes = &clips::AUDIO_OGG[..PAGE_LEN];
        let page = read(bytes).unwrap();
        assert_eq!(page.flags, BEGINNING_OF_STREAM);
        assert_eq!(page.granule_position, Some(0));
        assert_eq!((page.serial, page.sequence), (0, 0));
        assert_eq!(page.segments, [19]);
        assert_eq!(page.body_position(), 28);
        assert!(page.body.starts_with(b"OpusHead"));

        let mut out = [0xa5; PAGE_LEN];
        page.write(&mut &mut out[..]).unwrap();
        assert_eq!(out, bytes);
        assert_eq!(page.encoded_len(), PAGE_LEN as u64);
    }

    #[test]
    fn truncation_at_every_length() {
        for len in 0..PAGE_LEN {
            let Err(Error::Parse(error)) = read(&clips::AUDIO_OGG[..len]) else {
                panic!("{len} bytes are no page");
            };
            match error.problem {
                Problem::Signature { .. } => assert!(len < 4 && error.position == 0),
                Problem::CutShort(Item::Page(0)) => assert_eq!(error.position, len as u64),
                problem => panic!("{problem:?}"),
            }
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        for bit in 0..PAGE_LEN * 8 {
            let mut bytes = clips::AUDIO_OGG[..PAGE_LEN].to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&bytes).is_err(), "bit {bit}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn round_trip(
            flags: u8, granule_position: Option<u64>, serial: u32, sequence: u32,
            segments in prop::collection::vec(any::<u8>(), 0..=255), byte: u8,
        ) {
            prop_assume!(granule_position != Some(NO_PACKET_ENDS));
            let body = vec![byte; segments.iter().map(|&len| usize::from(len)).sum()];
            let page = Page { flags, granule_position, serial, sequence, segments, body, position: 0 };
            let mut out = Vec::new();
            page.write(&mut out).unwrap();
            prop_assert_eq!(out.len() as u64, page.encoded_len());
            prop_assert_eq!(read(&out), Ok(page));
        }
    }
}
