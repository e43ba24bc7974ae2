//! IVF: video frames with timestamps, one after the other.
//!
//! The format has no RFC; it is what libvpx's tools read and write. All numbers are little-endian.
//!
//! ```text
//!    0                   1                   2                   3
//!    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//!   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! 0 |      'D'            'K'              'I'             'F'      |
//! 4 |           Version 0           |        Header length 32       |
//! 8 |                  Codec, four characters                       |
//! 12|             Width             |            Height             |
//! 16|                  Timebase denominator                         |
//! 20|                  Timebase numerator                           |
//! 24|                  Number of frames                             |
//! 28|                  Unused                                       |
//!   +===============================================================+
//! 0 |                  Frame length in bytes                        |  each
//! 4 |                  Presentation timestamp                       |  frame
//! 8 |                  (64 bits)                                    |
//! 12|                  The frame ...                                |
//!   +---------------------------------------------------------------+
//! ```

use core::fmt;
use std::io::{Read, Seek, SeekFrom, Write};

use crate::source::Source;
use crate::{Error, Found, Item, Problem};

/// The longest frame that is read or written, in bytes.
pub const MAX_FRAME_LEN: u32 = 16 << 20;

const SIGNATURE: &str = "DKIF";
const HEADER_LEN: usize = 32;
const FRAME_HEADER_LEN: usize = 12;

/// Where the fields of the file header are.
mod field {
    use core::ops::Range;

    pub(super) const SIGNATURE: Range<usize> = 0..4;
    pub(super) const VERSION: usize = 4;
    pub(super) const HEADER_LEN: usize = 6;
    pub(super) const FOURCC: usize = 8;
    pub(super) const WIDTH: usize = 12;
    pub(super) const HEIGHT: usize = 14;
    pub(super) const DENOMINATOR: usize = 16;
    pub(super) const NUMERATOR: usize = 20;
    pub(super) const FRAME_COUNT: usize = 24;
}

/// The four characters that name a codec.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FourCc(pub [u8; 4]);

impl FourCc {
    /// VP8.
    pub const VP8: Self = Self(*b"VP80");
    /// VP9.
    pub const VP9: Self = Self(*b"VP90");
    /// AV1.
    pub const AV1: Self = Self(*b"AV01");
    /// H.264, each frame an access unit in Annex B form.
    pub const H264: Self = Self(*b"H264");
}

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_ascii().fmt(f)
    }
}

impl fmt::Debug for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// The header of an IVF file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The codec.
    pub fourcc: FourCc,
    /// The width of a frame in pixels.
    pub width: u16,
    /// The height of a frame in pixels.
    pub height: u16,
    /// Timestamps count units of `timebase_numerator / timebase_denominator` seconds; usually 1.
    pub timebase_numerator: u32,
    /// Timestamps count units of `timebase_numerator / timebase_denominator` seconds; usually the frame rate.
    pub timebase_denominator: u32,
    /// How many frames the file claims to hold. Writers that could not seek leave 0, and some write a
    /// duration: no more than a hint. [`Writer`] ignores it and writes the truth.
    pub frame_count: u32,
}

impl Header {
    /// The header of a file of `fourcc` frames at `frame_rate` frames per second.
    pub const fn new(fourcc: FourCc, width: u16, height: u16, frame_rate: u32) -> Self {
        Self {
            fourcc,
            width,
            height,
            timebase_numerator: 1,
            timebase_denominator: frame_rate,
            frame_count: 0,
        }
    }

    /// The timestamp `pts` as time since timestamp 0, rounded down to nanoseconds. Saturates.
    pub fn time(&self, pts: u64) -> core::time::Duration {
        let nanos = u128::from(pts)
            .saturating_mul(u128::from(self.timebase_numerator) * 1_000_000_000)
            / u128::from(self.timebase_denominator.max(1));
        core::time::Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn parse(bytes: &[u8; HEADER_LEN], len: usize) -> Result<(Self, u16), Error> {
        let item = Item::IvfHeader;
        let signature = bytes.get(field::SIGNATURE).unwrap_or_default();
        if signature != SIGNATURE.as_bytes() {
            let problem = Problem::Signature {
                item,
                expected: SIGNATURE,
                found: Found::new(signature.get(..len.min(4)).unwrap_or_default()),
            };
            return Err(Error::parse(0, problem));
        }
        if len < HEADER_LEN {
            return Err(Error::parse(len as u64, Problem::CutShort(item)));
        }
        let refuse = |at: usize, field, value: u32, expected| {
            let value = value.into();
            let problem = Problem::Field {
                item,
                field,
                value,
                expected,
            };
            Err(Error::parse(at as u64, problem))
        };
        let version = le16(bytes, field::VERSION);
        if version != 0 {
            return refuse(field::VERSION, "the version", version.into(), "0");
        }
        let header_len = le16(bytes, field::HEADER_LEN);
        if usize::from(header_len) < HEADER_LEN {
            return refuse(
                field::HEADER_LEN,
                "the header length",
                header_len.into(),
                "32 or more",
            );
        }
        let header = Self {
            fourcc: FourCc(array(bytes, field::FOURCC)),
            width: le16(bytes, field::WIDTH),
            height: le16(bytes, field::HEIGHT),
            timebase_numerator: le32(bytes, field::NUMERATOR),
            timebase_denominator: le32(bytes, field::DENOMINATOR),
            frame_count: le32(bytes, field::FRAME_COUNT),
        };
        for (at, field, value) in [
            (
                field::DENOMINATOR,
                "the timebase denominator",
                header.timebase_denominator,
            ),
            (
                field::NUMERATOR,
                "the timebase numerator",
                header.timebase_numerator,
            ),
        ] {
            if value == 0 {
                return refuse(at, field, value, "1 or more");
            }
        }
        Ok((header, header_len))
    }

    fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, SIGNATURE.as_bytes());
        put(field::HEADER_LEN, &(HEADER_LEN as u16).to_le_bytes());
        put(field::FOURCC, &self.fourcc.0);
        put(field::WIDTH, &self.width.to_le_bytes());
        put(field::HEIGHT, &self.height.to_le_bytes());
        put(field::DENOMINATOR, &self.timebase_denominator.to_le_bytes());
        put(field::NUMERATOR, &self.timebase_numerator.to_le_bytes());
        put(field::FRAME_COUNT, &self.frame_count.to_le_bytes());
        bytes
    }
}

/// A frame of an IVF file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The presentation timestamp, in units of the file's timebase: see [`Header::time`].
    pub pts: u64,
    /// The encoded frame.
    pub data: Vec<u8>,
}

/// Reads an IVF file.
///
/// Frames come either into the caller's memory with [`read_frame`](Self::read_frame), which allocates nothing
/// once the buffer has grown, or by iteration, each in a vector of its own. After an error there is nothing
/// more to read.
#[derive(Debug)]
pub struct Reader<R> {
    source: Source<R>,
    header: Header,
    frames: u64,
    failed: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the header of the file.
    ///
    /// # Errors
    ///
    /// What is wrong with the header, or with reading it.
    pub fn new(input: R) -> Result<Self, Error> {
        let mut source = Source::new(input);
        let mut bytes = [0; HEADER_LEN];
        let len = source.fill(&mut bytes)?;
        let (header, header_len) = Header::parse(&bytes, len)?;
        // a later version's header may be longer: what it holds there is not needed
        let mut more = Vec::new();
        let extra = u64::from(header_len) - HEADER_LEN as u64;
        if source.append(&mut more, extra)? < extra {
            return Err(Error::parse(
                source.position(),
                Problem::CutShort(Item::IvfHeader),
            ));
        }
        Ok(Self {
            source,
            header,
            frames: 0,
            failed: false,
        })
    }

    /// The header of the file.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// How many frames have been read.
    pub const fn frames_read(&self) -> u64 {
        self.frames
    }

    /// Reads the next frame into `data`, whose former contents are lost, and returns its presentation
    /// timestamp; `None` at the end of the file.
    ///
    /// # Errors
    ///
    /// What is wrong with the frame, or with reading it. `data` then holds nothing useful.
    pub fn read_frame(&mut self, data: &mut Vec<u8>) -> Result<Option<u64>, Error> {
        data.clear();
        if self.failed {
            return Ok(None);
        }
        let outcome = self.read_next(data);
        self.failed = outcome.is_err();
        outcome
    }

    fn read_next(&mut self, data: &mut Vec<u8>) -> Result<Option<u64>, Error> {
        let item = Item::Frame(self.frames);
        let start = self.source.position();
        let mut bytes = [0; FRAME_HEADER_LEN];
        match self.source.fill(&mut bytes)? {
            0 => return Ok(None),
            FRAME_HEADER_LEN => {}
            _ => {
                return Err(Error::parse(
                    self.source.position(),
                    Problem::CutShort(item),
                ));
            }
        }
        let len = le32(&bytes, 0);
        let pts = u64::from_le_bytes(array(&bytes, 4));
        if len > MAX_FRAME_LEN {
            let problem = Problem::TooLong {
                item,
                len: len.into(),
                ceiling: MAX_FRAME_LEN.into(),
            };
            return Err(Error::parse(start, problem));
        }
        if self.source.append(data, len.into())? < u64::from(len) {
            return Err(Error::parse(
                self.source.position(),
                Problem::CutShort(item),
            ));
        }
        self.frames += 1;
        Ok(Some(pts))
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Frame, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut data = Vec::new();
        let frame = self.read_frame(&mut data).transpose()?;
        Some(frame.map(|pts| Frame { pts, data }))
    }
}

/// Writes an IVF file.
///
/// [`finish`](Self::finish) writes the number of frames into the header; a file whose writer was dropped
/// before says 0 there, which readers put up with.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    /// Where in `out` the file begins.
    start: u64,
    written: u64,
    frames: u32,
}

impl<W: Write + Seek> Writer<W> {
    /// Begins a file where `out` stands. The header's `frame_count` is ignored.
    ///
    /// # Errors
    ///
    /// What `out` reports, and [`Error::Misuse`] for a timebase with a zero in it.
    pub fn new(mut out: W, header: Header) -> Result<Self, Error> {
        if header.timebase_numerator == 0 || header.timebase_denominator == 0 {
            return Err(Error::Misuse("an IVF timebase has no zero in it"));
        }
        let header = Header {
            frame_count: 0,
            ..header
        };
        let start = out
            .stream_position()
            .map_err(|error| Error::io(0, &error))?;
        out.write_all(&header.to_bytes())
            .map_err(|error| Error::io(0, &error))?;
        Ok(Self {
            out,
            start,
            written: HEADER_LEN as u64,
            frames: 0,
        })
    }

    /// Writes one frame with its presentation timestamp, in units of the timebase.
    ///
    /// # Errors
    ///
    /// What `out` reports, and [`Error::Misuse`] for a frame longer than [`MAX_FRAME_LEN`].
    pub fn write_frame(&mut self, pts: u64, data: &[u8]) -> Result<(), Error> {
        let len = u32::try_from(data.len())
            .ok()
            .filter(|&len| len <= MAX_FRAME_LEN)
            .ok_or(Error::Misuse("an IVF frame has at most 16 MiB"))?;
        let mut header = [0; FRAME_HEADER_LEN];
        header[..4].copy_from_slice(&len.to_le_bytes());
        header[4..].copy_from_slice(&pts.to_le_bytes());
        self.out
            .write_all(&header)
            .and_then(|()| self.out.write_all(data))
            .map_err(|error| Error::io(self.written, &error))?;
        self.written += FRAME_HEADER_LEN as u64 + u64::from(len);
        self.frames = self.frames.saturating_add(1);
        Ok(())
    }

    /// How many frames have been written.
    pub const fn frames_written(&self) -> u32 {
        self.frames
    }

    /// Writes the number of frames into the header, flushes, and hands `out` back, which stands at the end.
    ///
    /// # Errors
    ///
    /// What `out` reports.
    pub fn finish(mut self) -> Result<W, Error> {
        let at = self.start + field::FRAME_COUNT as u64;
        self.out
            .seek(SeekFrom::Start(at))
            .and_then(|_| self.out.write_all(&self.frames.to_le_bytes()))
            .and_then(|()| self.out.seek(SeekFrom::Start(self.start + self.written)))
            .and_then(|_| self.out.flush())
            .map_err(|error| Error::io(at, &error))?;
        Ok(self.out)
    }
}

/// The `N` bytes at `at`, zeros where there are none.
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
    found.copied().unwrap_or([0; N])
}

fn le16(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(bytes, at))
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    /// Two frames of VP8 by ffmpeg's layout, put together by hand.
    const FILE: &[u8] = b"DKIF\0\0\x20\0VP80\x40\x01\xf0\0\x1e\0\0\0\x01\0\0\0\x02\0\0\0\0\0\0\0\
        \x03\0\0\0\0\0\0\0\0\0\0\0abc\
        \x02\0\0\0\x01\0\0\0\0\0\0\0de";

    fn header() -> Header {
        Header {
            frame_count: 2,
            ..Header::new(FourCc::VP8, 320, 240, 30)
        }
    }

    fn read(bytes: &[u8]) -> Result<(Header, Vec<Frame>), Error> {
        let mut reader = Reader::new(bytes)?;
        let header = *reader.header();
        Ok((header, reader.by_ref().collect::<Result<_, _>>()?))
    }

    fn write(header: Header, frames: &[Frame]) -> Vec<u8> {
        // what lies before the file stays, and what is overwritten shows
        let mut out = Cursor::new(vec![0xa5; 8]);
        out.set_position(4);
        let mut writer = Writer::new(out, header).unwrap();
        for frame in frames {
            writer.write_frame(frame.pts, &frame.data).unwrap();
        }
        let out = writer.finish().unwrap();
        assert_eq!(out.position(), out.get_ref().len() as u64);
        assert_eq!(out.get_ref()[..4], [0xa5; 4]);
        out.into_inner().split_off(4)
    }

    #[test]
    fn reads_and_writes_the_example() {
        let (found, frames) = read(FILE).unwrap();
        assert_eq!(found, header());
        let expected: Vec<Frame> = [(0, "abc"), (1, "de")]
            .map(|(pts, data)| Frame {
                pts,
                data: data.into(),
            })
            .into();
        assert_eq!(frames, expected);
        assert_eq!(write(header(), &frames), FILE);
    }

    #[test]
    fn truncation_at_every_length_is_reported_where_it_is() {
        for len in 0..FILE.len() {
            let outcome = read(&FILE[..len]);
            let expected = match len {
                0..4 => Problem::Signature {
                    item: Item::IvfHeader,
                    expected: SIGNATURE,
                    found: Found::new(&FILE[..len]),
                },
                4..32 => Problem::CutShort(Item::IvfHeader),
                32 => {
                    assert!(outcome.unwrap().1.is_empty());
                    continue;
                }
                33..47 => Problem::CutShort(Item::Frame(0)),
                47 => {
                    assert_eq!(outcome.unwrap().1.len(), 1);
                    continue;
                }
                _ => Problem::CutShort(Item::Frame(1)),
            };
            let position = if len < 4 { 0 } else { len as u64 };
            assert_eq!(
                outcome.unwrap_err(),
                Error::parse(position, expected),
                "{len}"
            );
        }
    }

    #[test]
    fn faults_of_the_header() {
        let with = |at: usize, byte: u8| {
            let mut bytes = FILE.to_vec();
            bytes[at] = byte;
            read(&bytes).unwrap_err().to_string()
        };
        assert_eq!(
            with(0, b'X'),
            r#"not an IVF file: expected "DKIF" at byte 0, found "XKIF""#
        );
        assert_eq!(
            with(field::VERSION, 1),
            "the IVF header is damaged: expected the version at byte 4 to be 0, found 1"
        );
        assert!(with(field::HEADER_LEN, 31).contains("32 or more, found 31"));
        assert!(with(field::DENOMINATOR, 0).contains("denominator at byte 16"));
        assert!(with(field::NUMERATOR, 0).contains("numerator at byte 20"));
        assert!(
            read(b"")
                .unwrap_err()
                .to_string()
                .ends_with("found the end of the file")
        );
    }

    #[test]
    fn a_lying_length_costs_no_memory() {
        let mut bytes = FILE.to_vec();
        bytes[32..36].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut reader = Reader::new(&bytes[..]).unwrap();
        let error = reader.next().unwrap().unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("frame 0 at byte 32 is too long")
        );
        assert!(reader.next().is_none(), "nothing follows an error");

        bytes[32..36].copy_from_slice(&MAX_FRAME_LEN.to_le_bytes());
        let mut data = Vec::new();
        let mut reader = Reader::new(&bytes[..]).unwrap();
        assert!(reader.read_frame(&mut data).is_err());
        assert!(data.capacity() < 4096);
    }

    #[test]
    fn a_longer_header_is_skipped() {
        let mut bytes = FILE.to_vec();
        bytes[field::HEADER_LEN] = 34;
        bytes.splice(32..32, [0xee, 0xee]);
        assert_eq!(read(&bytes).unwrap().1.len(), 2);
        assert!(read(&bytes[..33]).is_err());
    }

    #[test]
    fn times() {
        let header = Header {
            timebase_numerator: 1001,
            timebase_denominator: 30_000,
            ..header()
        };
        assert_eq!(header.time(30_000).as_secs(), 1001);
        assert_eq!(header.time(u64::MAX).as_nanos(), u64::MAX.into());
    }

    #[test]
    fn misuse() {
        let no_time = Header::new(FourCc::VP8, 1, 1, 0);
        assert!(matches!(
            Writer::new(Cursor::new(vec![]), no_time),
            Err(Error::Misuse(_))
        ));
        let mut writer = Writer::new(Cursor::new(vec![]), header()).unwrap();
        let frame = vec![0; MAX_FRAME_LEN as usize + 1];
        assert!(matches!(
            writer.write_frame(0, &frame),
            Err(Error::Misuse(_))
        ));
        assert_eq!(writer.frames_written(), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn round_trip(
            fourcc: [u8; 4], width: u16, height: u16, numerator in 1u32.., denominator in 1u32..,
            frames in prop::collection::vec((any::<u64>(), prop::collection::vec(any::<u8>(), 0..200)), 0..20),
        ) {
            let frames: Vec<Frame> = frames.into_iter().map(|(pts, data)| Frame { pts, data }).collect();
            let header = Header {
                fourcc: FourCc(fourcc), width, height, timebase_numerator: numerator,
                timebase_denominator: denominator, frame_count: frames.len() as u32,
            };
            prop_assert_eq!(read(&write(header, &frames)), Ok((header, frames)));
        }

        #[test]
        fn noise_never_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..300), genuine: bool) {
            if genuine {
                bytes.splice(0..bytes.len().min(32), FILE[..32].iter().copied());
            }
            let _ = read(&bytes);
        }
    }
}
