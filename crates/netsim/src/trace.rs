//! What was sent, in order: for assertions, and for a pcap when a test fails.

use core::fmt;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use rtckit_proto::{FiveTuple, Instant, WallClock};

use crate::{Direction, Fate, pcap};

/// One datagram of a [`Trace`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    /// When it was sent.
    pub at: Instant,
    /// Which way it went.
    pub direction: Direction,
    /// Which datagram of its direction it was, counted from 0.
    pub index: u64,
    /// The path, as its sender saw it.
    pub path: FiveTuple,
    /// What the script decided.
    pub fate: Fate,
    /// Whether it got on its way: neither dropped by the script nor lost by the link.
    pub on_its_way: bool,
    /// Its bytes.
    pub data: Box<[u8]>,
}

impl fmt::Display for Traced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} {} #{} {} bytes",
            self.at,
            self.direction,
            self.index,
            self.data.len()
        )?;
        match self.fate {
            Fate::Deliver if self.on_its_way => Ok(()),
            Fate::Delay(by) if self.on_its_way => write!(f, ", held back {by:?}"),
            Fate::Duplicate if self.on_its_way => f.write_str(", twice"),
            Fate::Drop => f.write_str(", dropped"),
            _ => f.write_str(", lost"),
        }
    }
}

/// The latest datagrams of a [`Pair`](crate::Pair), up to [`Trace::CAPACITY`] of them.
///
/// When a test panics, a trace that [belongs to a seed](Self::label) writes itself as a pcap file and prints
/// the file's name and the seed.
#[derive(Debug, Default)]
pub struct Trace {
    datagrams: VecDeque<Traced>,
    label: Option<(String, u64)>,
}

impl Trace {
    /// How many datagrams are kept; the oldest give way.
    pub const CAPACITY: usize = 16_384;

    /// The datagrams, in the order of sending, the lost ones included.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Traced> + ExactSizeIterator {
        self.datagrams.iter()
    }

    /// How many datagrams are kept.
    pub fn len(&self) -> usize {
        self.datagrams.len()
    }

    /// Whether nothing was sent yet.
    pub fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
    }

    /// Says which test and seed this is. If the thread panics while the trace is alive, it is written to
    /// `rtckit-<name>-<seed>.pcap` in the directory for temporary files, and the place and the seed printed.
    pub fn label(&mut self, name: &str, seed: u64) {
        self.label = Some((name.to_owned(), seed));
    }

    /// Writes the datagrams to the pcap file `path`, the lost ones included. `wall` says when virtual time
    /// began.
    ///
    /// # Errors
    ///
    /// What the file system reports.
    pub fn write_pcap(&self, path: impl AsRef<Path>, wall: WallClock) -> io::Result<()> {
        let mut writer = pcap::Writer::new(BufWriter::new(File::create(path)?))?;
        for datagram in &self.datagrams {
            writer.write(wall.unix(datagram.at), datagram.path, &datagram.data)?;
        }
        writer.finish().map(drop)
    }

    pub(crate) fn push(&mut self, datagram: Traced) {
        if self.datagrams.len() >= Self::CAPACITY {
            self.datagrams.pop_front();
        }
        self.datagrams.push_back(datagram);
    }

    /// Where the trace of a failing test goes.
    fn failure_file(name: &str, seed: u64) -> PathBuf {
        let name: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        std::env::temp_dir().join(format!("rtckit-{name}-{seed}.pcap"))
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let Some((name, seed)) = &self.label else {
            return;
        };
        let file = Self::failure_file(name, *seed);
        match self.write_pcap(&file, WallClock::new(core::time::Duration::ZERO)) {
            Ok(()) => eprintln!(
                "{name}: failed with seed {seed}; datagrams in {}",
                file.display()
            ),
            Err(error) => eprintln!("{name}: failed with seed {seed}; no pcap: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(index: u64) -> Traced {
        Traced {
            at: Instant::from_millis(index),
            direction: Direction::AToB,
            index,
            path: FiveTuple::udp("10.0.0.1:1".parse().unwrap(), "10.0.0.2:2".parse().unwrap()),
            fate: Fate::Deliver,
            on_its_way: true,
            data: Box::new([1, 2, 3]),
        }
    }

    #[test]
    fn the_oldest_give_way() {
        let mut trace = Trace::default();
        for index in 0..Trace::CAPACITY as u64 + 5 {
            trace.push(datagram(index));
        }
        assert_eq!(trace.len(), Trace::CAPACITY);
        assert_eq!(trace.iter().next().map(|d| d.index), Some(5));
    }

    #[test]
    fn a_line_says_what_happened() {
        assert_eq!(datagram(7).to_string(), "0.007000s a->b #7 3 bytes");
        let lost = Traced {
            on_its_way: false,
            ..datagram(1)
        };
        assert_eq!(lost.to_string(), "0.001000s a->b #1 3 bytes, lost");
    }

    #[test]
    fn a_panic_leaves_a_pcap() {
        let file = Trace::failure_file("trace unit/test", 42);
        let _ = std::fs::remove_file(&file);
        let outcome = std::thread::spawn(|| {
            let mut trace = Trace::default();
            trace.label("trace unit/test", 42);
            trace.push(datagram(0));
            panic!("on purpose");
        })
        .join();
        assert!(outcome.is_err());
        let written = std::fs::read(&file).unwrap();
        assert_eq!(written.len(), 24 + 16 + 20 + 8 + 3);
        std::fs::remove_file(&file).unwrap();
    }
}
