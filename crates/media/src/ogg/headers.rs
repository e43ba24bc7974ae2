//! The two header packets of an Ogg Opus stream.

use crate::{Error, Found, Item, Problem};

const HEAD_SIGNATURE: &str = "OpusHead";
const TAGS_SIGNATURE: &str = "OpusTags";
/// The most comments that are kept.
const MAX_COMMENTS: usize = 4096;

mod field {
    pub(super) const VERSION: usize = 8;
    pub(super) const CHANNELS: usize = 9;
    pub(super) const PRE_SKIP: usize = 10;
    pub(super) const INPUT_SAMPLE_RATE: usize = 12;
    pub(super) const OUTPUT_GAIN: usize = 16;
    pub(super) const MAPPING_FAMILY: usize = 18;
}

/// The identification header ([RFC 7845 §5.1](https://www.rfc-editor.org/rfc/rfc7845#section-5.1)), for
/// channel mapping family 0. Numbers are little-endian.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |      'O'      |      'p'      |      'u'      |      's'      |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |      'H'      |      'e'      |      'a'      |      'd'      |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Version = 1  | Channel Count |           Pre-skip            |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                     Input Sample Rate (Hz)                    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Output Gain (Q7.8 in dB)    | Mapping Family|
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpusHead {
    /// How many channels there are: 1 or 2.
    pub channels: u8,
    /// How many samples at 48 kHz a decoder discards at the beginning.
    pub pre_skip: u16,
    /// The sample rate of what was encoded, in Hz; 0 when unknown. Decoding does not depend on it.
    pub input_sample_rate: u32,
    /// What a player adds to the volume, in 1/256 dB.
    pub output_gain: i16,
}

impl OpusHead {
    /// How many bytes the header takes.
    pub const ENCODED_LEN: usize = 19;

    /// A header for what an encoder makes of 48 kHz audio with `channels` channels and no look-ahead worth
    /// skipping.
    pub const fn new(channels: u8) -> Self {
        Self {
            channels,
            pre_skip: 0,
            input_sample_rate: 48_000,
            output_gain: 0,
        }
    }

    /// The header as a packet.
    pub fn to_bytes(self) -> [u8; Self::ENCODED_LEN] {
        let mut bytes = [0; Self::ENCODED_LEN];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, HEAD_SIGNATURE.as_bytes());
        put(field::VERSION, &[1, self.channels]);
        put(field::PRE_SKIP, &self.pre_skip.to_le_bytes());
        put(
            field::INPUT_SAMPLE_RATE,
            &self.input_sample_rate.to_le_bytes(),
        );
        put(field::OUTPUT_GAIN, &self.output_gain.to_le_bytes());
        bytes
    }

    /// Reads the packet that begins at `position` in the file.
    pub(super) fn parse(packet: &[u8], position: u64) -> Result<Self, Error> {
        let item = Item::OpusHead;
        check_signature(packet, position, item, HEAD_SIGNATURE)?;
        let Some(bytes) = packet.first_chunk::<{ Self::ENCODED_LEN }>() else {
            let end = position + packet.len() as u64;
            return Err(Error::parse(end, Problem::CutShort(item)));
        };
        let refuse = |at: usize, field, value: u8, expected| {
            let value = value.into();
            let problem = Problem::Field {
                item,
                field,
                value,
                expected,
            };
            Err(Error::parse(position + at as u64, problem))
        };
        let (version, channels) = (bytes[field::VERSION], bytes[field::CHANNELS]);
        // the upper half is the incompatible one (RFC 7845 §5.1)
        if version & 0xf0 != 0 {
            return refuse(field::VERSION, "the version", version, "below 16");
        }
        if bytes[field::MAPPING_FAMILY] != 0 {
            let what = "a channel mapping other than mono and stereo";
            let problem = Problem::Unsupported { item, what };
            return Err(Error::parse(
                position + field::MAPPING_FAMILY as u64,
                problem,
            ));
        }
        if !(1..=2).contains(&channels) {
            return refuse(field::CHANNELS, "the channel count", channels, "1 or 2");
        }
        Ok(Self {
            channels,
            pre_skip: u16::from_le_bytes([bytes[field::PRE_SKIP], bytes[field::PRE_SKIP + 1]]),
            input_sample_rate: u32::from_le_bytes([
                bytes[field::INPUT_SAMPLE_RATE],
                bytes[field::INPUT_SAMPLE_RATE + 1],
                bytes[field::INPUT_SAMPLE_RATE + 2],
                bytes[field::INPUT_SAMPLE_RATE + 3],
            ]),
            output_gain: i16::from_le_bytes([
                bytes[field::OUTPUT_GAIN],
                bytes[field::OUTPUT_GAIN + 1],
            ]),
        })
    }
}

/// The comment header ([RFC 7845 §5.2](https://www.rfc-editor.org/rfc/rfc7845#section-5.2)). Each string is
/// preceded by its length in four bytes, little-endian; what is not UTF-8 is read with replacement characters.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |      'O'      |      'p'      |      'u'      |      's'      |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |      'T'      |      'a'      |      'g'      |      's'      |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                     Vendor String Length                      |
/// :                        Vendor String...                       :
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                   User Comment List Length                    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                 User Comment #0 String Length                 |
/// :                   User Comment #0 String...                   :
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpusTags {
    /// Which software encoded the stream.
    pub vendor: String,
    /// Comments of the form `NAME=value`; of a file with more than 4096 the first 4096.
    pub comments: Vec<String>,
}

impl Default for OpusTags {
    fn default() -> Self {
        Self {
            vendor: "rtckit".to_owned(),
            comments: Vec::new(),
        }
    }
}

impl OpusTags {
    /// The header as a packet; `None` when a length does not fit its field or the whole
    /// [`MAX_TAGS_LEN`](super::MAX_TAGS_LEN).
    pub(super) fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = TAGS_SIGNATURE.as_bytes().to_vec();
        let string = |bytes: &mut Vec<u8>, text: &str| {
            bytes.extend(u32::try_from(text.len()).ok()?.to_le_bytes());
            bytes.extend(text.as_bytes());
            Some(())
        };
        string(&mut bytes, &self.vendor)?;
        bytes.extend(u32::try_from(self.comments.len()).ok()?.to_le_bytes());
        for comment in &self.comments {
            string(&mut bytes, comment)?;
        }
        (bytes.len() <= super::MAX_TAGS_LEN).then_some(bytes)
    }

    /// Reads the packet that begins at `position` in the file. (In a packet that spans pages, positions of
    /// faults count its bytes as if no page headers lay between them.)
    pub(super) fn parse(packet: &[u8], position: u64) -> Result<Self, Error> {
        check_signature(packet, position, Item::OpusTags, TAGS_SIGNATURE)?;
        let end = position + packet.len() as u64;
        Self::parse_strings(packet.get(TAGS_SIGNATURE.len()..).unwrap_or_default())
            .ok_or_else(|| Error::parse(end, Problem::CutShort(Item::OpusTags)))
    }

    fn parse_strings(mut rest: &[u8]) -> Option<Self> {
        let vendor = take_string(&mut rest)?;
        let count = take_len(&mut rest)?;
        let comments = (0..count.min(MAX_COMMENTS))
            .map(|_| take_string(&mut rest))
            .collect::<Option<_>>()?;
        Some(Self { vendor, comments })
    }
}

fn take_len(rest: &mut &[u8]) -> Option<usize> {
    let (len, after) = rest.split_first_chunk()?;
    *rest = after;
    usize::try_from(u32::from_le_bytes(*len)).ok()
}

fn take_string(rest: &mut &[u8]) -> Option<String> {
    let len = take_len(rest)?;
    let (text, after) = rest.split_at_checked(len)?;
    *rest = after;
    Some(String::from_utf8_lossy(text).into_owned())
}

fn check_signature(
    packet: &[u8],
    position: u64,
    item: Item,
    expected: &'static str,
) -> Result<(), Error> {
    if packet.starts_with(expected.as_bytes()) {
        return Ok(());
    }
    let problem = Problem::Signature {
        item,
        expected,
        found: Found::new(packet),
    };
    Err(Error::parse(position, problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Stereo, 312 samples of pre-skip, 48 kHz, +1 dB.
    const HEAD: &[u8] = b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\x01\0";
    const TAGS: &[u8] = b"OpusTags\x06\0\0\0rtckit\x02\0\0\0\x03\0\0\0A=b\0\0\0\0";

    #[test]
    fn head() {
        let head = OpusHead {
            pre_skip: 312,
            output_gain: 256,
            ..OpusHead::new(2)
        };
        assert_eq!(OpusHead::parse(HEAD, 0), Ok(head));
        assert_eq!(head.to_bytes(), HEAD);
        for len in 0..HEAD.len() {
            assert!(OpusHead::parse(&HEAD[..len], 0).is_err());
        }
    }

    #[test]
    fn faults_of_the_head() {
        let with = |at: usize, byte: u8| {
            let mut bytes = HEAD.to_vec();
            bytes[at] = byte;
            OpusHead::parse(&bytes, 28).map_err(|error| error.to_string())
        };
        assert!(with(field::VERSION, 15).is_ok(), "compatible versions");
        assert!(
            with(field::VERSION, 16)
                .unwrap_err()
                .contains("version at byte 36")
        );
        assert!(
            with(field::CHANNELS, 0)
                .unwrap_err()
                .contains("1 or 2, found 0")
        );
        assert!(with(field::CHANNELS, 3).is_err());
        assert!(
            with(field::MAPPING_FAMILY, 1)
                .unwrap_err()
                .contains("not supported")
        );
        let vorbis = OpusHead::parse(b"\x01vorbis!\0\0", 28).unwrap_err();
        assert_eq!(
            vorbis.to_string(),
            r#"not an Ogg Opus file: expected "OpusHead" at byte 28, found "\x01vorbis!""#
        );
    }

    #[test]
    fn tags() {
        let tags = OpusTags {
            comments: vec!["A=b".into(), String::new()],
            ..OpusTags::default()
        };
        assert_eq!(OpusTags::parse(TAGS, 0), Ok(tags.clone()));
        assert_eq!(tags.to_bytes().unwrap(), TAGS);
        for len in 0..TAGS.len() {
            assert!(OpusTags::parse(&TAGS[..len], 0).is_err());
        }
        let padded = [TAGS, b"\0padding"].concat();
        assert_eq!(OpusTags::parse(&padded, 0), Ok(tags));
    }

    #[test]
    fn comments_have_a_ceiling() {
        let mut bytes = b"OpusTags\0\0\0\0".to_vec();
        bytes.extend(u32::MAX.to_le_bytes());
        bytes.extend([0; 4 * 5000]);
        assert_eq!(
            OpusTags::parse(&bytes, 0).unwrap().comments.len(),
            MAX_COMMENTS
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn round_trip(
            channels in 1u8..=2, pre_skip: u16, input_sample_rate: u32, output_gain: i16,
            vendor: String, comments: Vec<String>,
        ) {
            let head = OpusHead { channels, pre_skip, input_sample_rate, output_gain };
            prop_assert_eq!(OpusHead::parse(&head.to_bytes(), 0), Ok(head));
            let tags = OpusTags { vendor, comments };
            prop_assert_eq!(OpusTags::parse(&tags.to_bytes().unwrap(), 0), Ok(tags));
        }
    }
}
