//! Writing what arrives, so that nothing half-written is left behind.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use rtckit_media::{ivf, ogg};

use crate::failure::Failure;
use crate::media::{Clip, Header, video_pts};

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

    /// Begins the file that takes what arrives of `clip`.
    pub(crate) fn recording(&self, clip: &Clip) -> Result<Recording, Failure> {
        let name = match clip.header {
            Header::Ivf(_) => "received.ivf",
            Header::Ogg(_) => "received.ogg",
        };
        let partial = Partial::create(&self.path.join(name))?;
        let file = BufWriter::new(partial.open()?);
        let writer = match &clip.header {
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
        let writer = writer.map_err(|error| partial.failure(error))?;
        Ok(Recording { writer, partial })
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
    writer: Writer,
    partial: Partial,
}

#[derive(Debug)]
enum Writer {
    Ivf(ivf::Writer<BufWriter<File>>, ivf::Header),
    Ogg(ogg::Writer<BufWriter<File>>),
}

impl Recording {
    /// Appends a frame that plays at `ticks`.
    pub(crate) fn write(&mut self, ticks: u64, data: &[u8]) -> Result<(), Failure> {
        let written = match &mut self.writer {
            Writer::Ivf(writer, header) => writer.write_frame(video_pts(header, ticks), data),
            Writer::Ogg(writer) => writer.write_packet(data),
        };
        written.map_err(|error| self.partial.failure(error))
    }

    /// Completes the file and gives it its name.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let Self { writer, partial } = self;
        let file = match writer {
            Writer::Ivf(writer, _) => writer.finish(),
            Writer::Ogg(writer) => writer.finish(),
        };
        let file = file.map_err(|error| partial.failure(error))?;
        file.into_inner()
            .map_err(|error| partial.failure(error.error()))?;
        partial.commit()
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
