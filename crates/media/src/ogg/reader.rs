//! Packets out of pages.

use std::io::Read;

use super::page::{BEGINNING_OF_STREAM, CONTINUED, END_OF_STREAM, FULL_SEGMENT, Page};
use super::{MAX_PACKET_LEN, MAX_TAGS_LEN, OpusHead, OpusTags};
use crate::source::Source;
use crate::{Error, Item, Problem, opus};

/// When an audio packet plays. All counts are samples at 48 kHz.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long it lasts, by its own first bytes.
    pub duration: u32,
    /// Where it ends, when it is the last packet that ends on its page: only then a file says so. The first
    /// [`pre_skip`](OpusHead::pre_skip) samples of a stream are counted. On the last page it may lie before
    /// the packet's end: the rest is to be trimmed.
    pub granule_position: Option<u64>,
}

/// An audio packet of an Ogg Opus file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// When it plays.
    pub timing: Timing,
    /// The Opus packet.
    pub data: Vec<u8>,
}

/// Reads an Ogg Opus file that holds one stream.
///
/// Packets come either into the caller's memory with [`read_packet`](Self::read_packet), which allocates
/// nothing once the buffers have grown, or by iteration, each in a vector of its own. After an error there is
/// nothing more to read.
#[derive(Debug)]
pub struct Reader<R> {
    pages: Pages<R>,
    head: OpusHead,
    tags: OpusTags,
    packets: u64,
    /// Samples in the packets read so far.
    samples: u64,
    /// The granule position at which the first packet begins, once its page has told.
    first_granule: Option<u64>,
    last_granule: u64,
    failed: bool,
}

impl<R: Read> Reader<R> {
    /// Reads both headers of the file.
    ///
    /// # Errors
    ///
    /// What is wrong with the headers, or with reading them.
    pub fn new(input: R) -> Result<Self, Error> {
        let mut pages = Pages::new(input)?;
        let mut packet = Vec::new();
        let position = pages.page.body_position();
        let item = Item::OpusHead;
        // no codec's identification header is longer than a page
        pages.read_packet(&mut packet, item, MAX_PACKET_LEN)?;
        let head = OpusHead::parse(&packet, position)?;
        pages.must_be_finished(item)?;

        let item = Item::OpusTags;
        packet.clear();
        if !pages.read_packet(&mut packet, item, MAX_TAGS_LEN)? {
            return Err(Error::parse(
                pages.source.position(),
                Problem::CutShort(item),
            ));
        }
        let tags = OpusTags::parse(&packet, pages.packet_position)?;
        pages.must_be_finished(item)?;
        Ok(Self {
            pages,
            head,
            tags,
            packets: 0,
            samples: 0,
            first_granule: None,
            last_granule: 0,
            failed: false,
        })
    }

    /// The identification header.
    pub const fn head(&self) -> &OpusHead {
        &self.head
    }

    /// The comment header.
    pub const fn tags(&self) -> &OpusTags {
        &self.tags
    }

    /// The number that tells the stream from others.
    pub const fn serial(&self) -> u32 {
        self.pages.serial
    }

    /// How many audio packets have been read.
    pub const fn packets_read(&self) -> u64 {
        self.packets
    }

    /// How many samples at 48 kHz a player plays of what has been read, pre-skip and trimming taken off. Exact
    /// whenever a page has ended.
    pub const fn playable_samples(&self) -> u64 {
        let first = match self.first_granule {
            Some(granule) => granule,
            None => 0,
        };
        self.last_granule
            .saturating_sub(first)
            .saturating_sub(self.head.pre_skip as u64)
    }

    /// Reads the next audio packet into `data`, whose former contents are lost, and says when it plays; `None`
    /// at the end of the stream. A file may end without marking its end.
    ///
    /// # Errors
    ///
    /// What is wrong with the file, or with reading it. `data` then holds nothing useful.
    pub fn read_packet(&mut self, data: &mut Vec<u8>) -> Result<Option<Timing>, Error> {
        data.clear();
        if self.failed {
            return Ok(None);
        }
        let outcome = self.read_next(data);
        self.failed = outcome.is_err();
        outcome
    }

    fn read_next(&mut self, data: &mut Vec<u8>) -> Result<Option<Timing>, Error> {
        let item = Item::Packet(self.packets);
        if !self.pages.read_packet(data, item, MAX_PACKET_LEN)? {
            return Ok(None);
        }
        let Some(duration) = opus::packet_duration(data) else {
            let problem = Problem::Field {
                item,
                field: "the TOC byte",
                value: data.first().copied().unwrap_or(0).into(),
                expected: "that of 1 to 48 frames of at most 120 ms together",
            };
            return Err(Error::parse(self.pages.packet_position, problem));
        };
        self.packets += 1;
        self.samples += u64::from(duration);
        let granule_position = if self.pages.another_packet_ends() {
            None
        } else {
            Some(self.take_granule()?)
        };
        Ok(Some(Timing {
            duration,
            granule_position,
        }))
    }

    /// Checks the granule position of the page whose last packet has just been read.
    ///
    /// A stream may begin at any position, but not before 0, unless the first page is also the last and
    /// trimmed ([RFC 7845 §4.5](https://www.rfc-editor.org/rfc/rfc7845#section-4.5)).
    fn take_granule(&mut self) -> Result<u64, Error> {
        let page = &self.pages.page;
        let refuse = |value: Option<u64>, expected| {
            let problem = Problem::Field {
                item: Item::Page(self.pages.count.saturating_sub(1)),
                field: "the granule position",
                value: value.unwrap_or(u64::MAX),
                expected,
            };
            Err(Error::parse(page.position, problem))
        };
        let Some(granule) = page.granule_position else {
            return refuse(None, "set, since a packet ends on the page");
        };
        if granule > i64::MAX as u64 {
            return refuse(Some(granule), "positive");
        }
        if granule < self.last_granule {
            return refuse(Some(granule), "no less than that of the page before");
        }
        if self.first_granule.is_none() {
            let first = granule.checked_sub(self.samples);
            if first.is_none() && !page.has(END_OF_STREAM) {
                return refuse(Some(granule), "no less than the samples up to there");
            }
            self.first_granule = Some(first.unwrap_or(0));
        }
        self.last_granule = granule;
        Ok(granule)
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Packet, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut data = Vec::new();
        let packet = self.read_packet(&mut data).transpose()?;
        Some(packet.map(|timing| Packet { timing, data }))
    }
}

/// The pages of one logical stream, and the packets laced into them
/// ([RFC 3533 §5](https://www.rfc-editor.org/rfc/rfc3533#section-5)).
#[derive(Debug)]
struct Pages<R> {
    source: Source<R>,
    page: Page,
    /// How many pages have been read.
    count: u64,
    serial: u32,
    /// The first segment of the page that has not been read.
    segment: usize,
    /// Where it begins in the body.
    offset: usize,
    /// Where in the file the latest packet begins.
    packet_position: u64,
}

impl<R: Read> Pages<R> {
    /// Reads the first page.
    fn new(input: R) -> Result<Self, Error> {
        let mut source = Source::new(input);
        let mut page = Page::default();
        page.read(&mut source, 0)?;
        if !page.has(BEGINNING_OF_STREAM) {
            let problem = Problem::Field {
                item: Item::Page(0),
                field: "the header type",
                value: page.flags.into(),
                expected: "that of a stream's first page",
            };
            return Err(Error::parse(page.position, problem));
        }
        Ok(Self {
            serial: page.serial,
            source,
            page,
            count: 1,
            segment: 0,
            offset: 0,
            packet_position: 0,
        })
    }

    /// Appends the next packet to `out`. `false` at the end of the stream.
    fn read_packet(
        &mut self,
        out: &mut Vec<u8>,
        item: Item,
        ceiling: usize,
    ) -> Result<bool, Error> {
        let mut begun = false;
        loop {
            let Some(&len) = self.page.segments.get(self.segment) else {
                if self.next_page(begun)? {
                    continue;
                }
                if begun {
                    return Err(Error::parse(
                        self.source.position(),
                        Problem::CutShort(item),
                    ));
                }
                return Ok(false);
            };
            if !begun {
                begun = true;
                self.packet_position = self.page.body_position() + self.offset as u64;
            }
            let end = self.offset + usize::from(len);
            // the page was read with as many bytes as its segments have
            out.extend_from_slice(self.page.body.get(self.offset..end).unwrap_or_default());
            self.segment += 1;
            self.offset = end;
            if out.len() > ceiling {
                let problem = Problem::TooLong {
                    item,
                    len: out.len() as u64,
                    ceiling: ceiling as u64,
                };
                return Err(Error::parse(self.packet_position, problem));
            }
            if len < FULL_SEGMENT {
                return Ok(true);
            }
        }
    }

    /// Whether a further packet ends on the current page.
    fn another_packet_ends(&self) -> bool {
        let rest = self.page.segments.get(self.segment..).unwrap_or_default();
        rest.iter().any(|&len| len < FULL_SEGMENT)
    }

    /// The header packets end the pages they end on (RFC 7845 §3).
    fn must_be_finished(&self, item: Item) -> Result<(), Error> {
        if self.segment == self.page.segments.len() {
            return Ok(());
        }
        let what = "another packet on the same page";
        let position = self.page.body_position() + self.offset as u64;
        Err(Error::parse(position, Problem::Unsupported { item, what }))
    }

    /// Reads the next page, which continues a packet if one has `begun`. `false` at the end of the stream.
    fn next_page(&mut self, begun: bool) -> Result<bool, Error> {
        let was_last = self.page.has(END_OF_STREAM);
        let sequence = self.page.sequence.wrapping_add(1);
        if !self.page.read(&mut self.source, self.count)? {
            return Ok(false);
        }
        let item = Item::Page(self.count);
        self.count += 1;
        let page = &self.page;
        let fault = |problem| Err(Error::parse(page.position, problem));
        if page.has(BEGINNING_OF_STREAM) {
            let what = if was_last {
                "a second stream after the first (chaining)"
            } else {
                "a second stream beside the first (multiplexing)"
            };
            return fault(Problem::Unsupported { item, what });
        }
        let refuse = |field, value: u32, expected| {
            let value = value.into();
            fault(Problem::Field {
                item,
                field,
                value,
                expected,
            })
        };
        if page.serial != self.serial {
            return refuse("the serial number", page.serial, "that of the first page");
        }
        if was_last {
            return refuse(
                "the header type",
                page.flags.into(),
                "absent: the stream has ended",
            );
        }
        if page.sequence != sequence {
            return refuse(
                "the sequence number",
                page.sequence,
                "one more than that of the page before",
            );
        }
        if page.has(CONTINUED) != begun {
            let expected = if begun {
                "that of a page that continues a packet"
            } else {
                "that of a page that begins with a packet"
            };
            return refuse("the header type", page.flags.into(), expected);
        }
        self.segment = 0;
        self.offset = 0;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SERIAL: u32 = 77;

    fn page(sequence: u32, flags: u8, granule_position: Option<u64>, packets: &[&[u8]]) -> Page {
        Page {
            flags,
            granule_position,
            serial: SERIAL,
            sequence,
            segments: packets.iter().map(|packet| packet.len() as u8).collect(),
            body: packets.concat(),
            position: 0,
        }
    }

    /// A stream of four packets of 20 ms on two pages.
    fn pages() -> Vec<Page> {
        let head = OpusHead {
            pre_skip: 312,
            ..OpusHead::new(2)
        };
        let tags = OpusTags::default().to_bytes().unwrap();
        vec![
            page(0, BEGINNING_OF_STREAM, Some(0), &[&head.to_bytes()]),
            page(1, 0, Some(0), &[&tags]),
            page(2, 0, Some(1920), &[b"\x08a", b"\x08b"]),
            page(3, END_OF_STREAM, Some(3500), &[b"\x08c", b"\x08d"]),
        ]
    }

    fn file(pages: &[Page]) -> Vec<u8> {
        let mut out = Vec::new();
        for page in pages {
            page.write(&mut out).unwrap();
        }
        out
    }

    fn read(pages: &[Page]) -> Result<(Vec<Packet>, u64), Error> {
        read_bytes(&file(pages))
    }

    fn read_bytes(bytes: &[u8]) -> Result<(Vec<Packet>, u64), Error> {
        let mut reader = Reader::new(bytes)?;
        let packets = reader.by_ref().collect::<Result<_, _>>()?;
        Ok((packets, reader.playable_samples()))
    }

    /// The message that a change to the pages brings about.
    fn fault(change: impl FnOnce(&mut Vec<Page>)) -> String {
        let mut pages = pages();
        change(&mut pages);
        read(&pages).unwrap_err().to_string()
    }

    #[test]
    fn packets_and_their_times() {
        let (packets, playable) = read(&pages()).unwrap();
        let data: Vec<&[u8]> = packets.iter().map(|packet| &packet.data[..]).collect();
        assert_eq!(data, [b"\x08a", b"\x08b", b"\x08c", b"\x08d"]);
        let granules: Vec<_> = packets.iter().map(|p| p.timing.granule_position).collect();
        assert_eq!(granules, [None, Some(1920), None, Some(3500)]);
        assert!(packets.iter().all(|packet| packet.timing.duration == 960));
        assert_eq!(playable, 3500 - 312);
    }

    #[test]
    fn a_recording_may_begin_late_and_end_unmarked() {
        let mut pages = pages();
        pages[2].granule_position = Some(101_920);
        pages[3].granule_position = Some(103_840);
        pages[3].flags = 0;
        assert_eq!(read(&pages).unwrap().1, 3840 - 312);
    }

    #[test]
    fn truncation_at_every_length() {
        let bytes = file(&pages());
        let mut ends = vec![0];
        for page in pages() {
            ends.push(ends[ends.len() - 1] + page.encoded_len() as usize);
        }
        for len in 0..bytes.len() {
            let outcome = read_bytes(&bytes[..len]);
            // after the headers every end of a page may be the end of the file
            assert_eq!(outcome.is_ok(), ends[2..].contains(&len), "{len}");
            if let Err(Error::Parse(error)) = outcome {
                assert!(error.position <= len as u64);
            }
        }
    }

    #[test]
    fn a_packet_over_three_pages() {
        let packet: Vec<u8> = core::iter::once(0x08)
            .chain((0..=254).cycle())
            .take(600)
            .collect();
        let mut pages = pages();
        pages.truncate(2);
        let part = |sequence, flags, granule, range: core::ops::Range<usize>| {
            page(sequence, flags, granule, &[&packet[range]])
        };
        pages.push(part(2, 0, None, 0..255));
        pages.push(part(3, CONTINUED, None, 255..510));
        pages.push(part(4, CONTINUED | END_OF_STREAM, Some(960), 510..600));
        assert_eq!(read(&pages).unwrap().0[0].data, packet);

        let cut = read(&pages[..4]).unwrap_err().to_string();
        assert!(cut.starts_with("audio packet 0 is cut short"), "{cut}");
        pages[3].flags = 0;
        let broken = read(&pages).unwrap_err().to_string();
        assert!(
            broken.contains("that of a page that continues a packet"),
            "{broken}"
        );
    }

    #[test]
    fn packets_have_a_ceiling() {
        let mut pages = pages();
        pages.truncate(2);
        pages.push(Page {
            segments: vec![255; 255],
            body: vec![8; 255 * 255],
            ..page(2, 0, None, &[])
        });
        let message = read(&pages).unwrap_err().to_string();
        assert!(message.ends_with("61440 are the most"), "{message}");
    }

    #[test]
    fn what_is_not_one_opus_stream_is_named() {
        let second = |serial| Page {
            serial,
            ..pages().remove(0)
        };
        assert!(
            fault(|pages| pages.insert(1, second(78))).contains("(multiplexing) is not supported")
        );
        assert!(fault(|pages| pages.push(second(78))).contains("(chaining) is not supported"));
        let vorbis =
            fault(|pages| pages[0] = page(0, BEGINNING_OF_STREAM, Some(0), &[b"\x01vorbis"]));
        assert!(vorbis.starts_with("not an Ogg Opus file"), "{vorbis}");
        assert!(fault(|pages| pages[1].body[0] = b'X').contains("the comment header is damaged"));
        assert!(
            read_bytes(b"RIFF")
                .unwrap_err()
                .to_string()
                .starts_with("not an Ogg file")
        );
    }

    #[test]
    fn damage_is_named() {
        assert!(fault(|pages| pages[0].flags = 0).contains("that of a stream's first page"));
        assert!(fault(|pages| pages[2].serial = 1).contains("the serial number"));
        assert!(fault(|pages| drop(pages.remove(2))).contains("the sequence number"));
        assert!(fault(|pages| pages[3].flags = CONTINUED).contains("begins with a packet"));
        assert!(fault(|pages| pages[2].flags = END_OF_STREAM).contains("the stream has ended"));
        assert!(
            fault(|pages| pages[2].granule_position = Some(1919))
                .contains("no less than the samples")
        );
        assert!(fault(|pages| pages[2].granule_position = None).contains("since a packet ends"));
        assert!(fault(|pages| pages[3].granule_position = Some(1919)).contains("the page before"));
        assert!(fault(|pages| pages[2].granule_position = Some(1 << 63)).contains("positive"));
        assert!(fault(|pages| pages[2] = page(2, 0, Some(0), &[b""])).contains("the TOC byte"));
        let both = |pages: &mut Vec<Page>| {
            let tags = pages[1].body.clone();
            pages[1] = page(1, 0, Some(0), &[&tags, b"\x08a"]);
        };
        assert!(fault(both).contains("the comment header"));
    }

    #[test]
    fn nothing_follows_an_error() {
        let mut pages = pages();
        pages[2].serial = 1;
        let bytes = file(&pages);
        let mut reader = Reader::new(&bytes[..]).unwrap();
        assert!(reader.next().unwrap().is_err());
        assert!(reader.next().is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        /// Pages with valid checksums and arbitrary contents: what noise alone would never reach.
        #[test]
        fn strange_pages_never_panic(
            changes in prop::collection::vec((0usize..4, any::<u8>(), any::<Option<u64>>(),
                prop::collection::vec((any::<u8>(), any::<u8>()), 0..6)), 0..3),
        ) {
            let mut pages = pages();
            for (index, flags, granule_position, segments) in changes {
                let page = &mut pages[index];
                page.flags = flags & 7;
                page.granule_position = granule_position;
                page.segments = segments.iter().map(|&(len, _)| len).collect();
                page.body = segments.iter().flat_map(|&(len, byte)| vec![byte; len.into()]).collect();
            }
            let _ = read(&pages);
        }

        #[test]
        fn mutated_files_never_panic(
            mutations in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        ) {
            let mut bytes = file(&pages());
            for (index, byte) in mutations {
                let at = index.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = read_bytes(&bytes);
        }
    }
}
