//! Packets into pages.

use std::io::Write;

use super::page::{
    BEGINNING_OF_STREAM, CONTINUED, END_OF_STREAM, FULL_SEGMENT, MAX_SEGMENTS, Page,
};
use super::{MAX_PACKET_LEN, OpusHead, OpusTags};
use crate::{Error, opus};

/// A page is ended after so many samples at 48 kHz: a second, as
/// [RFC 7845 §3](https://www.rfc-editor.org/rfc/rfc7845#section-3) recommends.
const PAGE_DURATION: u64 = 48_000;

/// Writes an Ogg Opus file.
///
/// Packets are gathered into pages of about a second. [`finish`](Self::finish) writes the last one; what was
/// written after the last full page is lost if the writer is dropped before.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    written: u64,
    /// The page being filled, reused.
    page: Page,
    /// Samples in the packets written so far.
    granule: u64,
    /// The granule position at which the page being filled begins.
    page_start: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a file: writes both headers. `serial` is a number of the caller's choice that tells the stream
    /// from others, best a random one.
    ///
    /// # Errors
    ///
    /// What `out` reports, and [`Error::Misuse`] for headers that do not fit the format.
    pub fn new(out: W, serial: u32, head: OpusHead, tags: &OpusTags) -> Result<Self, Error> {
        if !(1..=2).contains(&head.channels) {
            return Err(Error::Misuse(
                "an Opus stream of mapping family 0 has 1 or 2 channels",
            ));
        }
        let tags = tags
            .to_bytes()
            .ok_or(Error::Misuse("the comment header is longer than 16 MiB"))?;
        let page = Page {
            flags: BEGINNING_OF_STREAM,
            serial,
            ..Page::default()
        };
        let mut writer = Self {
            out,
            written: 0,
            page,
            granule: 0,
            page_start: 0,
        };
        writer.lace(&head.to_bytes())?;
        writer.end_page(0)?;
        writer.lace(&tags)?;
        writer.end_page(0)?;
        Ok(writer)
    }

    /// Writes an audio packet.
    ///
    /// # Errors
    ///
    /// What `out` reports, and [`Error::Misuse`] for what is not an Opus packet or longer than
    /// [`MAX_PACKET_LEN`].
    pub fn write_packet(&mut self, packet: &[u8]) -> Result<(), Error> {
        let duration =
            opus::packet_duration(packet).ok_or(Error::Misuse("the bytes are no Opus packet"))?;
        if packet.len() > MAX_PACKET_LEN {
            return Err(Error::Misuse("an Opus packet has at most 61440 bytes"));
        }
        // the last page carries a mark, so a page is held until more follows it
        if self.granule - self.page_start >= PAGE_DURATION {
            self.end_page(0)?;
        }
        self.granule += u64::from(duration);
        self.lace(packet)
    }

    /// Samples at 48 kHz in the packets written so far: the granule position of the end.
    pub const fn granule_position(&self) -> u64 {
        self.granule
    }

    /// Writes the last page, marked as such, flushes, and hands `out` back.
    ///
    /// # Errors
    ///
    /// What `out` reports.
    pub fn finish(self) -> Result<W, Error> {
        let end = self.granule;
        self.finish_at(end)
    }

    /// Finishes as [`finish`](Self::finish) does, but has players trim what lies behind `granule_position`
    /// ([RFC 7845 §4.4](https://www.rfc-editor.org/rfc/rfc7845#section-4.4)).
    ///
    /// # Errors
    ///
    /// What `out` reports, and [`Error::Misuse`] for a position behind the end or before the last page.
    pub fn finish_at(mut self, granule_position: u64) -> Result<W, Error> {
        if !(self.page_start..=self.granule).contains(&granule_position) {
            return Err(Error::Misuse(
                "only the packets of the last page can be trimmed",
            ));
        }
        self.granule = granule_position;
        if self.page.segments.is_empty() || self.page.granule_position.is_some() {
            self.page.granule_position = Some(granule_position);
        }
        self.end_page(END_OF_STREAM)?;
        self.out
            .flush()
            .map_err(|error| Error::io(self.written, &error))?;
        Ok(self.out)
    }

    /// Cuts `packet` into segments and ends pages as they fill up.
    fn lace(&mut self, packet: &[u8]) -> Result<(), Error> {
        let full = usize::from(FULL_SEGMENT);
        for index in 0..=packet.len() / full {
            if self.page.segments.len() == MAX_SEGMENTS {
                self.end_page(0)?;
                if index > 0 {
                    self.page.flags |= CONTINUED;
                }
            }
            let rest = packet.get(index * full..).unwrap_or_default();
            let segment = rest.get(..full).unwrap_or(rest);
            self.page.segments.push(segment.len() as u8);
            self.page.body.extend_from_slice(segment);
        }
        self.page.granule_position = Some(self.granule);
        Ok(())
    }

    /// Writes the page being filled and begins the next.
    fn end_page(&mut self, flags: u8) -> Result<(), Error> {
        self.page.flags |= flags;
        self.page
            .write(&mut self.out)
            .map_err(|error| Error::io(self.written, &error))?;
        self.written += self.page.encoded_len();
        if let Some(granule) = self.page.granule_position.take() {
            self.page_start = granule;
        }
        self.page.flags = 0;
        self.page.sequence = self.page.sequence.wrapping_add(1);
        self.page.segments.clear();
        self.page.body.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ogg::{Packet, Reader};
    use proptest::prelude::*;

    fn write(packets: &[Vec<u8>], tags: &OpusTags) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new(), 5, OpusHead::new(1), tags).unwrap();
        for packet in packets {
            writer.write_packet(packet).unwrap();
        }
        writer.finish().unwrap()
    }

    fn read(file: &[u8]) -> (Vec<Packet>, u64) {
        let mut reader = Reader::new(file).unwrap();
        let packets = reader.by_ref().collect::<Result<_, _>>().unwrap();
        (packets, reader.playable_samples())
    }

    fn data(packets: Vec<Packet>) -> Vec<Vec<u8>> {
        packets.into_iter().map(|packet| packet.data).collect()
    }

    /// Where the pages of a file begin.
    fn page_count(file: &[u8]) -> usize {
        file.windows(5)
            .filter(|window| *window == b"OggS\0")
            .count()
    }

    #[test]
    fn a_page_a_second() {
        // 2.5 s: pages end at 1 s, 2 s and 2.5 s
        let packets = vec![vec![0x08, 1, 2]; 125];
        let file = write(&packets, &OpusTags::default());
        assert_eq!(page_count(&file), 2 + 3);
        let (read, playable) = read(&file);
        let ends: Vec<_> = read
            .iter()
            .filter_map(|p| p.timing.granule_position)
            .collect();
        assert_eq!(ends, [48_000, 96_000, 120_000]);
        assert_eq!((data(read), playable), (packets, 120_000));
    }

    #[test]
    fn long_packets_and_comments_span_pages() {
        // exactly 255 segments, one more, exactly a multiple of 255, and the ceiling
        for len in [1, 254, 255, 256, 255 * 200, 255 * 200 + 1, MAX_PACKET_LEN] {
            let packets = vec![vec![0x08; len]; 3];
            let comment = "x".repeat(len * 3);
            let tags = OpusTags {
                comments: vec![comment],
                ..OpusTags::default()
            };
            let file = write(&packets, &tags);
            assert_eq!(Reader::new(&file[..]).unwrap().tags(), &tags);
            assert_eq!(data(read(&file).0), packets, "{len}");
        }
    }

    #[test]
    fn trimming() {
        let mut writer =
            Writer::new(Vec::new(), 5, OpusHead::new(1), &OpusTags::default()).unwrap();
        for _ in 0..51 {
            writer.write_packet(&[0x08]).unwrap();
        }
        let file = writer.finish_at(48_500).unwrap();
        assert_eq!(read(&file).1, 48_500);

        for end in [0, 47_999, 48_961] {
            let mut writer =
                Writer::new(Vec::new(), 5, OpusHead::new(1), &OpusTags::default()).unwrap();
            for _ in 0..51 {
                writer.write_packet(&[0x08]).unwrap();
            }
            assert!(
                matches!(writer.finish_at(end), Err(Error::Misuse(_))),
                "{end}"
            );
        }
    }

    #[test]
    fn an_empty_stream() {
        let file = write(&[], &OpusTags::default());
        assert_eq!(read(&file), (vec![], 0));
    }

    #[test]
    fn misuse() {
        let tags = OpusTags::default();
        assert!(matches!(
            Writer::new(Vec::new(), 5, OpusHead::new(3), &tags),
            Err(Error::Misuse(_))
        ));
        let mut writer = Writer::new(Vec::new(), 5, OpusHead::new(2), &tags).unwrap();
        assert!(matches!(writer.write_packet(&[]), Err(Error::Misuse(_))));
        assert!(matches!(
            writer.write_packet(&[8; MAX_PACKET_LEN + 1]),
            Err(Error::Misuse(_))
        ));
        assert_eq!(writer.granule_position(), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn round_trip(
            packets in prop::collection::vec((0u8..32, prop::collection::vec(any::<u8>(), 0..700)), 0..80),
        ) {
            let packets: Vec<Vec<u8>> = packets
                .into_iter()
                .map(|(config, rest)| core::iter::once(config << 3).chain(rest).collect())
                .collect();
            let (found, playable) = read(&write(&packets, &OpusTags::default()));
            let samples: u64 = found.iter().map(|packet| u64::from(packet.timing.duration)).sum();
            prop_assert_eq!(playable, samples);
            prop_assert_eq!(data(found), packets);
        }
    }
}
