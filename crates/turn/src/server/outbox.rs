//! Answers on their way out: written once, copied once, in memory that is used again.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ops::Range;

use rtckit_proto::{FiveTuple, Transmit};
use rtckit_stun::{Class, Error, MessageWriter, Method, TransactionId};

/// How many answers may wait for the driver.
const MAX_WAITING: usize = 1024;

/// The longest answer.
const MAX_LEN: usize = 1400;

#[derive(Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    waiting: VecDeque<(FiveTuple, Range<usize>)>,
}

impl Outbox {
    /// Writes a message; `false` when too many wait, or it is too long.
    pub(crate) fn write(
        &mut self,
        path: FiveTuple,
        (class, method, id): (Class, Method, TransactionId),
        fill: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), Error>,
    ) -> bool {
        self.write_raw(path, |buf| {
            let mut writer = MessageWriter::new(buf, class, method, id).ok()?;
            fill(&mut writer).ok()?;
            Some(writer.finish())
        })
    }

    /// Lets `fill` write into a buffer and return how much it wrote.
    pub(crate) fn write_raw(
        &mut self,
        path: FiveTuple,
        fill: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> bool {
        if self.waiting.len() >= MAX_WAITING {
            return false;
        }
        let start = self.bytes.len();
        self.bytes.resize(start + MAX_LEN, 0);
        let len = self.bytes.get_mut(start..).and_then(fill);
        self.bytes.truncate(start + len.unwrap_or(0));
        if let Some(len) = len {
            self.waiting.push_back((path, start..start + len));
        }
        len.is_some()
    }

    /// Changes where the answer written last is sent from and to.
    pub(crate) fn redirect_last(&mut self, path: FiveTuple) {
        if let Some((last, _)) = self.waiting.back_mut() {
            *last = path;
        }
    }

    /// The next answer; one that does not fit into `buf` is dropped.
    pub(crate) fn read(&mut self, buf: &mut [u8]) -> Option<Transmit> {
        while let Some((path, range)) = self.waiting.pop_front() {
            let len = range.len();
            let from = self.bytes.get(range);
            let copied = match (from, buf.get_mut(..len)) {
                (Some(from), Some(to)) => {
                    to.copy_from_slice(from);
                    true
                }
                _ => false,
            };
            if self.waiting.is_empty() {
                self.bytes.clear();
                self.bytes.shrink_to(16 * MAX_LEN);
            }
            if copied {
                return Some(Transmit::new(path, len));
            }
        }
        None
    }
}
