//! Reads decisions out of the fuzzer's bytes.

/// A cursor over the fuzzer's bytes that never fails: behind their end everything is zero.
///
/// One byte is one decision, in the order in which they are taken, so that a seed can be written by hand and a
/// fuzzer that changes a byte changes one decision.
#[derive(Debug)]
pub struct Input<'d> {
    rest: &'d [u8],
}

impl<'d> Input<'d> {
    /// A cursor at the start of `data`.
    pub const fn new(data: &'d [u8]) -> Self {
        Self { rest: data }
    }

    /// Whether everything has been read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Up to `len` bytes.
    pub fn bytes(&mut self, len: usize) -> &'d [u8] {
        let (taken, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// Bytes, as many as the byte in front of them says, or as there are.
    pub fn vec8(&mut self) -> &'d [u8] {
        let len = self.u8();
        self.bytes(len.into())
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'d [u8] {
        self.bytes(usize::MAX)
    }

    /// One byte.
    pub fn u8(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    /// Two bytes.
    pub fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.u8(), self.u8()])
    }

    /// Four bytes.
    pub fn u32(&mut self) -> u32 {
        u32::from(self.u16()) << 16 | u32::from(self.u16())
    }

    /// A coin.
    pub fn bool(&mut self) -> bool {
        self.u8() & 1 == 1
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.u8()).checked_rem(bound).unwrap_or(0)
    }

    /// One of `choices`.
    pub fn choose<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// Changes `datagram` the way a broken or hostile network would: bytes overwritten, cut off, inserted, doubled.
pub fn mutate(input: &mut Input<'_>, datagram: &mut Vec<u8>) {
    for _ in 0..=input.below(4) {
        let at = usize::from(input.u16())
            .checked_rem(datagram.len())
            .unwrap_or(0);
        match input.u8() % 6 {
            0 => datagram.truncate(at),
            1 => {
                let bytes = input.vec8();
                datagram.splice(at..at, bytes.iter().copied());
            }
            2 => {
                let end = (at + input.below(32)).min(datagram.len());
                datagram.drain(at..end);
            }
            3 => {
                let end = (at + input.below(64)).min(datagram.len());
                let copy = datagram[at..end].to_vec();
                datagram.extend(copy);
            }
            // a single byte is what hits length fields and types
            _ => {
                let value = input.u8();
                if let Some(byte) = datagram.get_mut(at) {
                    *byte ^= value;
                }
            }
        }
    }
    datagram.truncate(4096);
}
