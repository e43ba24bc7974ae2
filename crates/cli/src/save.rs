//! Writing what arrives, so that nothing half-written is left behind.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use rtckit_media::{ivf, ogg};

use crate::failure::Failure;
use crate::media::{Clip, Header, VIDEO_CLOCK_RATE, video_pts};

/// The serial number of the Ogg stream; with one stream in the file any number is as good.
const OGG_SERIAL: u32 = 1;

/// The directory of `--out`. Removed again if it was made for this call and the call failed.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    is_new: bool,
}

impl Directory {
    /// Makes the directory if it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let is_new = !path.exists();
        fs::create_dir_all(path).map_err(|error| {
            Failure::at(path, format_args!("the directory cannot be made: {error}"))
        })?;
        Ok(Self {
            path: path.to_owned(),
            is_new,
        })
    }

    /// Begins the file that takes what arrives of `clip`: it will have the clip's header.
    pub(crate) fn recording(&self, clip: &Clip) -> Result<Recording, Failure> {
        let name = match clip.header {
            Header::Ivf(_) => "received.ivf",
            Header::Ogg(_) => "received.ogg",
        };
        Ok(Recording {
            writer: None,
            header: clip.header.clone(),
            is_of_the_clip: true,
            partial: Partial::create(&self.path.join(name))?,
        })
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if self.is_new {
            // Fails, as it should, when there is something in it.
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// A file in the making.
#[derive(Debug)]
pub(crate) struct Recording {
    // before `partial`, so that the file is closed before it is removed
    /// `None` until the first frame, which may change the header.
    writer: Option<Writer>,
    header: Header,
    is_of_the_clip: bool,
    partial: Partial,
}

#[derive(Debug)]
enum Writer {
    Ivf(ivf::Writer<BufWriter<File>>, ivf::Header),
    Ogg(ogg::Writer<BufWriter<File>>),
}

impl Recording {
    /// What comes need not be the clip: sizes and times are taken from what comes.
    pub(crate) fn expect_anything(&mut self) {
        self.is_of_the_clip = false;
    }

    /// Appends a frame that plays at `ticks`.
    pub(crate) fn write(&mut self, ticks: u64, data: &[u8]) -> Result<(), Failure> {
        if !self.is_of_the_clip
            && self.writer.is_none()
            && let Header::Ivf(header) = &mut self.header
        {
            fit(header, data);
        }
        let written = match self.writer()? {
            Writer::Ivf(writer, header) => writer.write_frame(video_pts(header, ticks), data),
            Writer::Ogg(writer) => writer.write_packet(data),
        };
        written.map_err(|error| self.partial.failure(error))
    }

    /// Completes the file and gives it its name.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.writer()?;
        let Self {
            writer, partial, ..
        } = self;
        let file = match writer {
            Some(Writer::Ivf(writer, _)) => writer.finish(),
            Some(Writer::Ogg(writer)) => writer.finish(),
            None => return Ok(()),
        };
        let file = file.map_err(|error| partial.failure(error))?;
        file.into_inner()
            .map_err(|error| partial.failure(error.error()))?;
        partial.commit()
    }

    /// The writer, begun if it was not.
    fn writer(&mut self) -> Result<&mut Writer, Failure> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.begin()?,
        };
        Ok(self.writer.insert(writer))
    }

    fn begin(&self) -> Result<Writer, Failure> {
        let file = BufWriter::new(self.partial.open()?);
        let writer = match &self.header {
            Header::Ivf(header) => {
                ivf::Writer::new(file, *header).map(|writer| Writer::Ivf(writer, *header))
            }
            Header::Ogg(head) => {
                let tags = ogg::OpusTags {
                    vendor: concat!("rtckit ", env!("CARGO_PKG_VERSION")).into(),
                    comments: Vec::new(),
                };
                ogg::Writer::new(file, OGG_SERIAL, *head, &tags).map(Writer::Ogg)
            }
        };
        writer.map_err(|error| self.partial.failure(error))
    }
}

/// Fits the header to a video of which nothing is known but its first frame: times as exact as RTP has them, and the
/// size that a key frame of VP8 begins with ([RFC 6386 §9.1](https://www.rfc-editor.org/rfc/rfc6386#section-9.1)).
fn fit(header: &mut ivf::Header, frame: &[u8]) {
    header.timebase_numerator = 1;
    header.timebase_denominator = VIDEO_CLOCK_RATE;
    if let [tag, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] = *frame
        && tag & 1 == 0
    {
        // The upper two bits scale.
        header.width = u16::from_le_bytes([w0, w1]) & 0x3fff;
        header.height = u16::from_le_bytes([h0, h1]) & 0x3fff;
    }
}

/// A file under a temporary name, which is removed unless it is committed.
#[derive(Debug)]
struct Partial {
    temporary: PathBuf,
    target: PathBuf,
}

impl Partial {
    fn create(target: &Path) -> Result<Self, Failure> {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.partial", std::process::id()));
        let temporary = target.with_file_name(name);
        File::create_new(&temporary)
            .map_err(|error| Failure::at(target, format_args!("cannot be written: {error}")))?;
        Ok(Self {
            temporary,
            target: target.to_owned(),
        })
    }

    fn open(&self) -> Result<File, Failure> {
        File::options()
            .write(true)
            .open(&self.temporary)
            .map_err(|error| self.failure(error))
    }

    fn commit(self) -> Result<(), Failure> {
        fs::rename(&self.temporary, &self.target).map_err(|error| self.failure(error))
    }

    fn failure(&self, error: impl core::fmt::Display) -> Failure {
        Failure::at(&self.target, format_args!("cannot be written: {error}"))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After a commit there is nothing under this name any more.
        let _ = fs::remove_file(&self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_what_is_not_finished() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b");
        let (video, audio) = (Clip::video(None).unwrap(), Clip::audio(None).unwrap());
        {
            let directory = Directory::open(&path).unwrap();
            let mut recording = directory.recording(&video).unwrap();
            recording.write(0, &[1, 2, 3]).unwrap();
            // locals drop in reverse order: the recording before its directory
        }
        assert!(!path.exists());

        let directory = Directory::open(&path).unwrap();
        let mut recording = directory.recording(&audio).unwrap();
        recording.write(0, audio.frame(0).1).unwrap();
        recording.finish().unwrap();
        drop(directory);
        let names: Vec<_> = fs::read_dir(&path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["received.ogg"]);
    }
}
