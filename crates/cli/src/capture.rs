//! What a call leaves behind for Wireshark: the datagrams, and the keys to them.

use core::time::Duration;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rtckit::{FiveTuple, Tap, Way};
use rtckit_netsim::pcap;

use crate::failure::Failure;

/// The file that takes the keys of DTLS.
#[derive(Debug)]
pub(crate) struct KeyLog {
    path: PathBuf,
    file: File,
}

impl KeyLog {
    /// Opens the file at `path`, to be added to: that is what programs do that share one.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        match File::options().append(true).create(true).open(path) {
            Ok(file) => Ok(Self {
                path: path.to_owned(),
                file,
            }),
            Err(error) => Err(Failure::at(
                path,
                format_args!("cannot be written: {error}"),
            )),
        }
    }

    /// Adds `lines`, each with its end.
    pub(crate) fn append(&mut self, lines: &str) -> Result<(), Failure> {
        let text: String = lines.lines().flat_map(|line| [line, "\n"]).collect();
        self.file
            .write_all(text.as_bytes())
            .map_err(|error| Failure::at(&self.path, format_args!("cannot be written: {error}")))
    }
}

/// A capture file. Clones write to the same one.
#[derive(Clone, Debug)]
pub(crate) struct Capture(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    path: PathBuf,
    /// `None` once it is finished, or writing has failed.
    writer: Option<pcap::Writer<BufWriter<File>>>,
    failure: Option<Failure>,
}

impl Capture {
    /// Begins the file at `path`.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let failure = |error| Failure::at(path, format_args!("cannot be written: {error}"));
        let file = File::create(path).map_err(failure)?;
        let writer = pcap::Writer::new(BufWriter::new(file)).map_err(failure)?;
        Ok(Self(Arc::new(Mutex::new(State {
            path: path.to_owned(),
            writer: Some(writer),
            failure: None,
        }))))
    }

    /// Completes the file. Reports what went wrong since it was begun.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = state.writer.take()
            && let Err(error) = writer.finish()
        {
            state.fail(&error);
        }
        state.failure.take().map_or(Ok(()), Err)
    }
}

impl Tap for Capture {
    fn datagram(&mut self, unix: Duration, way: Way, path: FiveTuple, bytes: &[u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let path = match way {
            Way::Out => path,
            Way::In => path.reversed(),
        };
        if let Some(writer) = &mut state.writer
            && let Err(error) = writer.write(unix, path, bytes)
        {
            state.writer = None;
            state.fail(&error);
        }
    }
}

impl State {
    fn fail(&mut self, error: &std::io::Error) {
        self.failure = Some(Failure::at(
            &self.path,
            format_args!("cannot be written: {error}"),
        ));
    }
}
