//! Writing what arrives, so that nothing half-written is left behind.

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind};
use std::path::{Path, PathBuf};

use rtckit_media::{ivf, ogg};

use crate::failure::Failure;
use crate::media::{Clip, Header, VIDEO_CLOCK_RATE, video_pts};

/// The serial number of the Ogg stream; with one stream in the file any number is as good.
const OGG_SERIAL: u32 = 1;

/// The directory of `--out`. Removed again, with all that was made to reach it, if the call failed.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    /// What was made for this call, the deepest last.
    made: Vec<PathBuf>,
}

impl Directory {
    /// Makes the directory, and those above it, if they are missing.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
        let mut missing: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
        missing.reverse();
        // What was made is removed again when the rest cannot be.
        let mut directory = Self {
            path: path.to_owned(),
            made: missing.into_iter().map(Path::to_owned).collect(),
        };
        if let Err(error) = fs::create_dir_all(path) {
            directory.made.retain(|made| made.is_dir());
            return Err(Failure::at(
                path,
                format_args!("the directory cannot be made: {error}"),
            ));
        }
        Ok(directory)
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
        for made in self.made.iter().rev() {
            // Fails, as it should, when there is something in it.
            let _ = fs::remove_dir(made);
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

    /// Completes the file, still under its temporary name.
    fn complete(mut self) -> Result<Partial, Failure> {
        self.writer()?;
        let Self {
            writer, partial, ..
        } = self;
        let file = match writer {
            Some(Writer::Ivf(writer, _)) => writer.finish(),
            Some(Writer::Ogg(writer)) => writer.finish(),
            None => return Ok(partial),
        };
        let file = file.map_err(|error| partial.failure(error))?;
        file.into_inner()
            .map_err(|error| partial.failure(error.error()))?;
        Ok(partial)
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

/// Completes the files and gives them their names: all of them, or none.
pub(crate) fn finish(recordings: impl IntoIterator<Item = Recording>) -> Result<(), Failure> {
    let mut partials = Vec::new();
    for recording in recordings {
        partials.push(recording.complete()?);
    }
    // What fails here drops them all, and each undoes what it has done.
    for partial in &mut partials {
        partial.replace()?;
    }
    partials.into_iter().for_each(Partial::keep);
    Ok(())
}

/// A file under a temporary name, which is removed unless it is kept.
#[derive(Debug)]
struct Partial {
    temporary: PathBuf,
    target: PathBuf,
    /// Where the file waits that had the name before.
    former: PathBuf,
    /// What the temporary file has become.
    place: Place,
}

/// Where a file in the making is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Under its temporary name.
    Temporary,
    /// As before, and the file that had its name is under another one.
    NameFree,
    /// Under its name.
    Target,
    /// Under its name, to stay.
    Kept,
}

impl Partial {
    fn create(target: &Path) -> Result<Self, Failure> {
        // A directory cannot be replaced; better to know before the call than after it.
        if target.is_dir() {
            return Err(Failure::at(target, "cannot be written: it is a directory"));
        }
        let beside = |ending: &str| {
            let mut name = target.file_name().unwrap_or_default().to_owned();
            name.push(format!(".{}.{ending}", std::process::id()));
            target.with_file_name(name)
        };
        let temporary = beside("partial");
        File::create_new(&temporary)
            .map_err(|error| Failure::at(target, format_args!("cannot be written: {error}")))?;
        Ok(Self {
            temporary,
            target: target.to_owned(),
            former: beside("former"),
            place: Place::Temporary,
        })
    }

    fn open(&self) -> Result<File, Failure> {
        File::options()
            .write(true)
            .open(&self.temporary)
            .map_err(|error| self.failure(error))
    }

    /// Gives the file its name. Until it is kept, what had the name before can come back.
    fn replace(&mut self) -> Result<(), Failure> {
        if self.target.is_dir() {
            return Err(self.failure("it is a directory"));
        }
        match fs::rename(&self.target, &self.former) {
            Ok(()) => self.place = Place::NameFree,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(self.failure(error)),
        }
        fs::rename(&self.temporary, &self.target).map_err(|error| self.failure(error))?;
        self.place = Place::Target;
        Ok(())
    }

    /// Lets the file stay, and what had its name before go.
    fn keep(mut self) {
        self.place = Place::Kept;
    }

    fn failure(&self, error: impl core::fmt::Display) -> Failure {
        Failure::at(&self.target, format_args!("cannot be written: {error}"))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Of all these files only those are there that the place says.
        let _ = match self.place {
            Place::Temporary => fs::remove_file(&self.temporary),
            Place::NameFree => fs::rename(&self.former, &self.target)
                .and_then(|()| fs::remove_file(&self.temporary)),
            Place::Target => match fs::rename(&self.former, &self.target) {
                // There was no such file before.
                Err(error) if error.kind() == ErrorKind::NotFound => fs::remove_file(&self.target),
                restored => restored,
            },
            Place::Kept => fs::remove_file(&self.former),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn nothing_is_left_of_what_is_not_finished() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b/c");
        let (video, audio) = (Clip::video(None).unwrap(), Clip::audio(None).unwrap());
        {
            let directory = Directory::open(&path).unwrap();
            let mut recording = directory.recording(&video).unwrap();
            recording.write(0, &[1, 2, 3]).unwrap();
            // locals drop in reverse order: the recording before its directory
        }
        assert!(names(root.path()).is_empty(), "all that was made is gone");

        let directory = Directory::open(&path).unwrap();
        let mut recording = directory.recording(&audio).unwrap();
        recording.write(0, audio.frame(0).1).unwrap();
        finish([recording]).unwrap();
        drop(directory);
        assert_eq!(names(&path), ["received.ogg"]);
    }

    #[test]
    fn all_files_get_their_names_or_none_does() {
        let root = tempfile::tempdir().unwrap();
        let (ivf, ogg) = (
            root.path().join("received.ivf"),
            root.path().join("received.ogg"),
        );
        let (video, audio) = (Clip::video(None).unwrap(), Clip::audio(None).unwrap());
        let recordings = || {
            let directory = Directory::open(root.path()).unwrap();
            [&video, &audio].map(|clip| directory.recording(clip).unwrap())
        };

        // Without a file that had the first name, and with one.
        for former in [None, Some("former")] {
            if let Some(former) = former {
                fs::write(&ivf, former).unwrap();
            }
            let both = recordings();
            fs::create_dir(&ogg).unwrap();
            assert!(finish(both).is_err());
            assert_eq!(fs::read_to_string(&ivf).ok().as_deref(), former);
            let left: &[&str] = match former {
                None => &["received.ogg"],
                Some(_) => &["received.ivf", "received.ogg"],
            };
            assert_eq!(names(root.path()), left);
            fs::remove_dir(&ogg).unwrap();
        }

        finish(recordings()).unwrap();
        assert_eq!(names(root.path()), ["received.ivf", "received.ogg"]);
        assert!(fs::read(&ivf).unwrap().starts_with(b"DKIF"));
    }

    #[test]
    fn a_directory_is_not_replaced() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("received.ogg")).unwrap();
        let directory = Directory::open(root.path()).unwrap();
        assert!(directory.recording(&Clip::video(None).unwrap()).is_ok());
        assert!(directory.recording(&Clip::audio(None).unwrap()).is_err());
        assert_eq!(names(root.path()), ["received.ogg"]);
    }
}
