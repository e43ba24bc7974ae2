//! A `Read` that knows where it stands.

use std::io::{ErrorKind, Read};

use crate::Error;

#[derive(Debug)]
pub(crate) struct Source<R> {
    input: R,
    position: u64,
}

impl<R: Read> Source<R> {
    pub(crate) const fn new(input: R) -> Self {
        Self { input, position: 0 }
    }

    /// How many bytes have been read.
    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    /// Fills `out` as far as the input goes, and returns how far that is.
    pub(crate) fn fill(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        let mut filled = 0;
        while let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.input.read(rest) {
                Ok(0) => break,
                Ok(count) => {
                    filled += count;
                    self.position += count as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io(self.position, &error)),
            }
        }
        Ok(filled)
    }

    /// Appends up to `len` bytes to `out`, as far as the input goes, and returns how many they were.
    ///
    /// `out` grows with what is there, not with what the file claims.
    pub(crate) fn append(&mut self, out: &mut Vec<u8>, len: u64) -> Result<u64, Error> {
        let before = out.len();
        let outcome = self.input.by_ref().take(len).read_to_end(out);
        let count = (out.len() - before) as u64;
        self.position += count;
        outcome.map_err(|error| Error::io(self.position, &error))?;
        Ok(count)
    }
}
