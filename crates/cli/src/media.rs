//! The clips: what is played, at which times.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use rtckit::MediaKind;
use rtckit_media::{clips, ivf, ogg};
use rtckit_rtp::payload::Codec;

use crate::failure::Failure;

/// Ticks per second of the RTP clock of video (RFC 7741 §4.1).
pub(crate) const VIDEO_CLOCK_RATE: u32 = 90_000;

/// Ticks per second of Opus' RTP clock (RFC 7587 §4.1).
const AUDIO_CLOCK_RATE: u32 = 48_000;

/// The most a clip may hold: it is kept in memory, to be compared with what arrives.
const MAX_CLIP_LEN: usize = 512 << 20;

/// The largest frame that is sent; the receiving side stores no larger ones.
const MAX_FRAME_LEN: usize = 1 << 20;

/// A clip that starts over at its end.
#[derive(Debug)]
pub(crate) struct Clip {
    /// Audio or video.
    pub(crate) kind: MediaKind,
    /// Ticks per second.
    pub(crate) clock_rate: u32,
    /// How a file of its kind begins.
    pub(crate) header: Header,
    /// What it is, for a reader.
    pub(crate) description: String,
    /// At least one, at strictly increasing times; the first at 0.
    frames: Vec<Frame>,
    /// The time at which it starts over, in ticks.
    length: u64,
}

/// What a file with the same contents would begin with.
#[derive(Clone, Debug)]
pub(crate) enum Header {
    Ivf(ivf::Header),
    Ogg(ogg::OpusHead),
}

#[derive(Debug)]
struct Frame {
    ticks: u64,
    data: Vec<u8>,
}

impl Clip {
    /// The video at `path`, or the built-in one.
    pub(crate) fn video(path: Option<&Path>) -> Result<Self, Failure> {
        match path {
            Some(path) => Self::read_video(open(path, "an IVF")?, &path.display().to_string())
                .map_err(|what| Failure::at(path, what)),
            None => Self::read_video(clips::VIDEO_IVF, "built-in video").map_err(Failure::new),
        }
    }

    /// The sound at `path`, or the built-in one.
    pub(crate) fn audio(path: Option<&Path>) -> Result<Self, Failure> {
        match path {
            Some(path) => Self::read_audio(open(path, "an Ogg")?, &path.display().to_string())
                .map_err(|what| Failure::at(path, what)),
            None => Self::read_audio(clips::AUDIO_OGG, "built-in sound").map_err(Failure::new),
        }
    }

    /// The video or sound at `path`; its first bytes say which.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let mut magic = [0; 4];
        open(path, "an IVF or Ogg")?
            .read_exact(&mut magic)
            .map_err(|error| Failure::at(path, format_args!("cannot be read: {error}")))?;
        match &magic {
            b"DKIF" => Self::video(Some(path)),
            b"OggS" => Self::audio(Some(path)),
            _ => Err(Failure::at(path, "is neither IVF nor Ogg")),
        }
    }

    pub(crate) fn read_video(input: impl Read, name: &str) -> Result<Self, String> {
        let mut reader = ivf::Reader::new(input).map_err(|error| error.to_string())?;
        let header = *reader.header();
        if header.fourcc != ivf::FourCc::VP8 {
            return Err(format!(
                "holds {} video, and only VP8 can be sent",
                header.fourcc
            ));
        }
        let mut frames = Frames::default();
        let mut data = Vec::new();
        let mut first = None;
        while let Some(pts) = reader
            .read_frame(&mut data)
            .map_err(|error| error.to_string())?
        {
            let pts = pts.checked_sub(*first.get_or_insert(pts));
            let ticks = pts.and_then(|pts| video_ticks(&header, pts));
            frames.push(
                ticks.ok_or("its timestamps go backwards or out of range")?,
                &data,
            )?;
        }
        let step = video_ticks(&header, 1).unwrap_or(1).max(1);
        let (frames, length) = frames.finish(step)?;
        let seconds = length as f64 / f64::from(VIDEO_CLOCK_RATE);
        let description = format!(
            "{name}: VP8, {}x{}, {} frames, {seconds:.1} s",
            header.width,
            header.height,
            frames.len()
        );
        Ok(Self {
            kind: MediaKind::Video,
            clock_rate: VIDEO_CLOCK_RATE,
            header: Header::Ivf(header),
            description,
            frames,
            length,
        })
    }

    fn read_audio(input: impl Read, name: &str) -> Result<Self, String> {
        let mut reader = ogg::Reader::new(input).map_err(|error| error.to_string())?;
        let head = *reader.head();
        let mut frames = Frames::default();
        let mut data = Vec::new();
        let (mut ticks, mut step) = (0, 0);
        while let Some(timing) = reader
            .read_packet(&mut data)
            .map_err(|error| error.to_string())?
        {
            frames.push(ticks, &data)?;
            step = u64::from(timing.duration);
            ticks += step;
        }
        let (frames, length) = frames.finish(step)?;
        let seconds = length as f64 / f64::from(AUDIO_CLOCK_RATE);
        let description = format!(
            "{name}: Opus, {}, {} packets, {seconds:.1} s",
            if head.channels == 1 { "mono" } else { "stereo" },
            frames.len()
        );
        Ok(Self {
            kind: MediaKind::Audio,
            clock_rate: AUDIO_CLOCK_RATE,
            header: Header::Ogg(head),
            description,
            frames,
            length,
        })
    }

    /// How many frames it has before it starts over.
    pub(crate) fn len(&self) -> u64 {
        self.frames.len() as u64
    }

    /// The frame at `index`, counted on through every repetition, and its time in ticks.
    pub(crate) fn frame(&self, index: u64) -> (u64, &[u8]) {
        let (round, index) = (index / self.len(), index % self.len());
        // The clip has a frame at every index below its length.
        self.frames
            .get(index as usize)
            .map_or((u64::MAX, &[]), |frame| {
                (round * self.length + frame.ticks, &frame.data)
            })
    }

    /// Whether the frame at `index` needs no other to be decoded.
    pub(crate) fn is_key_frame(&self, index: u64) -> bool {
        let codec = match self.header {
            Header::Ivf(_) => Codec::Vp8,
            Header::Ogg(_) => Codec::Opus,
        };
        codec.is_key_frame(self.frame(index).1)
    }

    /// The frame that is played at exactly this time.
    pub(crate) fn frame_at(&self, ticks: u64) -> Option<&[u8]> {
        let within = ticks % self.length;
        let index = self
            .frames
            .binary_search_by_key(&within, |frame| frame.ticks)
            .ok()?;
        self.frames.get(index).map(|frame| &*frame.data)
    }

    /// How many frames begin in the first `seconds`.
    pub(crate) fn frames_within(&self, duration: core::time::Duration) -> u64 {
        let end = (duration.as_secs_f64() * f64::from(self.clock_rate)).ceil() as u64;
        let (rounds, rest) = (end / self.length, end % self.length);
        rounds * self.len() + self.frames.partition_point(|frame| frame.ticks < rest) as u64
    }
}

/// The frames read so far.
#[derive(Default)]
struct Frames {
    frames: Vec<Frame>,
    bytes: usize,
}

impl Frames {
    fn push(&mut self, ticks: u64, data: &[u8]) -> Result<(), String> {
        let number = self.frames.len();
        if data.is_empty() {
            return Err(format!("frame {number} is empty"));
        }
        if data.len() > MAX_FRAME_LEN {
            return Err(format!(
                "frame {number} has {} bytes, and {MAX_FRAME_LEN} are the most",
                data.len()
            ));
        }
        if self.frames.last().is_some_and(|last| last.ticks >= ticks) {
            return Err(format!(
                "frame {number} is not later than the one before it"
            ));
        }
        self.bytes += data.len();
        if self.bytes > MAX_CLIP_LEN {
            return Err(format!("holds more than {} MB", MAX_CLIP_LEN >> 20));
        }
        self.frames.push(Frame {
            ticks,
            data: data.to_vec(),
        });
        Ok(())
    }

    /// The frames, and when they start over: after the last one has had the time of the one before it, or of one
    /// `step` when it is alone.
    fn finish(self, step: u64) -> Result<(Vec<Frame>, u64), String> {
        let length = match &*self.frames {
            [] => return Err("holds no frames".into()),
            [only] => only.ticks + step,
            [.., before, last] => last.ticks + (last.ticks - before.ticks),
        };
        Ok((self.frames, length.max(1)))
    }
}

/// The time `pts` in ticks of the RTP clock; `None` when it is beyond anything that can be played.
fn video_ticks(header: &ivf::Header, pts: u64) -> Option<u64> {
    let ticks =
        u128::from(pts) * u128::from(header.timebase_numerator) * u128::from(VIDEO_CLOCK_RATE)
            / u128::from(header.timebase_denominator.max(1));
    u64::try_from(ticks).ok().filter(|&ticks| ticks < 1 << 48)
}

/// The timestamp in units of the file's timebase that `ticks` stands for.
pub(crate) fn video_pts(header: &ivf::Header, ticks: u64) -> u64 {
    let divisor = u128::from(VIDEO_CLOCK_RATE) * u128::from(header.timebase_numerator.max(1));
    let pts = (u128::from(ticks) * u128::from(header.timebase_denominator) + divisor / 2) / divisor;
    u64::try_from(pts).unwrap_or(u64::MAX)
}

/// Opens the file at `path`, which should be one of this `kind`.
fn open(path: &Path, kind: &str) -> Result<impl Read + use<>, Failure> {
    // Unix opens a directory like a file, and complains only when it is read.
    if path.is_dir() {
        return Err(Failure::at(
            path,
            format_args!("is a directory, not {kind} file"),
        ));
    }
    let file = File::open(path)
        .map_err(|error| Failure::at(path, format_args!("cannot be opened: {error}")))?;
    Ok(BufReader::new(file))
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::io::Cursor;

    use super::*;

    fn ivf(timebase: (u32, u32), timestamps: &[u64]) -> Vec<u8> {
        let mut header = ivf::Header::new(ivf::FourCc::VP8, 64, 48, timebase.1);
        header.timebase_numerator = timebase.0;
        let mut writer = ivf::Writer::new(Cursor::new(Vec::new()), header).unwrap();
        for (index, &pts) in timestamps.iter().enumerate() {
            writer.write_frame(pts, &[index as u8, 1]).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn a_clip_goes_on_where_it_starts_over() {
        let clip = Clip::read_video(&*ivf((1, 30), &[7, 8, 10]), "test").unwrap();
        let times: Vec<u64> = (0..7).map(|index| clip.frame(index).0).collect();
        assert_eq!(times, [0, 3_000, 9_000, 15_000, 18_000, 24_000, 30_000]);
        assert_eq!(clip.frame(4).1, [1, 1]);
        assert_eq!(clip.frame_at(18_000), Some(&[1, 1][..]));
        assert_eq!(clip.frame_at(18_001), None);
        assert_eq!(
            clip.frames_within(Duration::from_millis(100)),
            2,
            "9000 ticks: the third would begin there"
        );
        assert_eq!(clip.frames_within(Duration::from_secs(1)), 18);
        assert_eq!(clip.frames_within(Duration::from_nanos(1)), 1);
    }

    #[test]
    fn timestamps_survive_the_way_through_ticks() {
        for timebase in [(1, 25), (1, 30), (1001, 30_000), (1, 1000), (1, 90_000)] {
            let mut header = ivf::Header::new(ivf::FourCc::VP8, 64, 48, timebase.1);
            header.timebase_numerator = timebase.0;
            for pts in [0, 1, 2, 3, 1_000, 123_456] {
                let ticks = video_ticks(&header, pts).unwrap();
                assert_eq!(video_pts(&header, ticks), pts, "{timebase:?}");
            }
        }
    }

    #[test]
    fn clips_that_cannot_be_played() {
        let refused = |bytes: &[u8]| Clip::read_video(bytes, "test").unwrap_err();
        assert_eq!(refused(&ivf((1, 30), &[])), "holds no frames");
        assert_eq!(
            refused(&ivf((1, 30), &[3, 3])),
            "frame 1 is not later than the one before it"
        );
        assert_eq!(
            refused(&ivf((1, 30), &[3, 2])),
            "its timestamps go backwards or out of range"
        );
        assert_eq!(
            refused(&ivf((1, 30), &[0, u64::MAX])),
            "its timestamps go backwards or out of range"
        );
        assert!(refused(b"").starts_with("not an IVF file"));
        let mut other = ivf((1, 30), &[0]);
        other[8..12].copy_from_slice(b"VP90");
        assert_eq!(
            refused(&other),
            "holds VP90 video, and only VP8 can be sent"
        );
    }

    #[test]
    fn the_built_in_clips_can_be_played() {
        let (video, audio) = (Clip::video(None).unwrap(), Clip::audio(None).unwrap());
        assert_eq!((video.kind, video.clock_rate), (MediaKind::Video, 90_000));
        assert_eq!((audio.kind, audio.clock_rate), (MediaKind::Audio, 48_000));
        assert_eq!(audio.frames_within(Duration::from_secs(1)), 50);
    }
}
