//! Cursors over bytes: every read and write is checked, every failure names its place.

use core::fmt;

/// A read or write that did not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CursorError {
    /// The offset at which the cursor stood.
    pub position: usize,
    /// What was to be read or written there.
    pub expected: &'static str,
}

impl fmt::Display for CursorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: expected {}", self.position, self.expected)
    }
}

impl core::error::Error for CursorError {}

/// Reads big-endian values from a slice.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// A cursor at the start of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// How many bytes have been read.
    pub const fn position(&self) -> usize {
        self.position
    }

    /// What has not been read yet.
    pub fn remaining(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        self.remaining().is_empty()
    }

    /// The next `len` bytes.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], CursorError> {
        self.take_as(len, "more bytes")
    }

    /// The next `N` bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], CursorError> {
        let position = self.position;
        self.take(N)?.try_into().map_err(|_| CursorError {
            position,
            expected: "more bytes",
        })
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = self.remaining();
        self.position = self.bytes.len();
        rest
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, CursorError> {
        Ok(self.take_as(1, "an 8-bit number")?[0])
    }

    /// A 16-bit number.
    pub fn u16(&mut self) -> Result<u16, CursorError> {
        Ok(self.be(2, "a 16-bit number")? as u16)
    }

    /// A 24-bit number.
    pub fn u24(&mut self) -> Result<u32, CursorError> {
        Ok(self.be(3, "a 24-bit number")? as u32)
    }

    /// A 32-bit number.
    pub fn u32(&mut self) -> Result<u32, CursorError> {
        Ok(self.be(4, "a 32-bit number")? as u32)
    }

    /// A 48-bit number.
    pub fn u48(&mut self) -> Result<u64, CursorError> {
        self.be(6, "a 48-bit number")
    }

    /// A 64-bit number.
    pub fn u64(&mut self) -> Result<u64, CursorError> {
        self.be(8, "a 64-bit number")
    }

    /// A cursor over a vector that is preceded by its length in one byte.
    pub fn vec8(&mut self) -> Result<Self, CursorError> {
        let len = self.u8()?;
        Ok(Reader::new(
            self.take_as(len.into(), "as many bytes as the length says")?,
        ))
    }

    /// A cursor over a vector that is preceded by its length in two bytes.
    pub fn vec16(&mut self) -> Result<Self, CursorError> {
        let len = self.u16()?;
        Ok(Reader::new(
            self.take_as(len.into(), "as many bytes as the length says")?,
        ))
    }

    /// A cursor over a vector that is preceded by its length in three bytes.
    pub fn vec24(&mut self) -> Result<Self, CursorError> {
        let len = self.u24()?;
        Ok(Self::new(self.take_as(
            len as usize,
            "as many bytes as the length says",
        )?))
    }

    /// Succeeds only when nothing is left.
    pub fn finish(&self) -> Result<(), CursorError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(CursorError {
                position: self.position,
                expected: "the end",
            })
        }
    }

    fn be(&mut self, len: usize, expected: &'static str) -> Result<u64, CursorError> {
        Ok(self
            .take_as(len, expected)?
            .iter()
            .fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    fn take_as(&mut self, len: usize, expected: &'static str) -> Result<&'a [u8], CursorError> {
        let taken = self.remaining().get(..len).ok_or(CursorError {
            position: self.position,
            expected,
        })?;
        self.position += len;
        Ok(taken)
    }
}

/// Writes big-endian values into a slice.
#[derive(Debug)]
pub struct Writer<'b> {
    buf: &'b mut [u8],
    position: usize,
}

impl<'b> Writer<'b> {
    /// A cursor at the start of `buf`.
    pub fn new(buf: &'b mut [u8]) -> Self {
        Self { buf, position: 0 }
    }

    /// How many bytes have been written.
    pub fn len(&self) -> usize {
        self.position
    }

    /// Whether nothing has been written yet.
    pub fn is_empty(&self) -> bool {
        self.position == 0
    }

    /// What has been written.
    pub fn written(&self) -> &[u8] {
        &self.buf[..self.position]
    }

    /// What has been written, to be patched: a length or a checksum that comes before what it covers.
    pub fn written_mut(&mut self) -> &mut [u8] {
        &mut self.buf[..self.position]
    }

    /// Writes `bytes`.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), CursorError> {
        self.reserve(bytes.len())?.copy_from_slice(bytes);
        Ok(())
    }

    /// The next `len` bytes, to be filled by the caller.
    pub fn reserve(&mut self, len: usize) -> Result<&mut [u8], CursorError> {
        let start = self.position;
        let slot = self
            .buf
            .get_mut(start..)
            .and_then(|rest| rest.get_mut(..len))
            .ok_or(CursorError {
                position: start,
                expected: "more room in the buffer",
            })?;
        self.position += len;
        Ok(slot)
    }

    /// Writes one byte.
    pub fn u8(&mut self, value: u8) -> Result<(), CursorError> {
        self.bytes(&[value])
    }

    /// Writes a 16-bit number.
    pub fn u16(&mut self, value: u16) -> Result<(), CursorError> {
        self.bytes(&value.to_be_bytes())
    }

    /// Writes the lower 24 bits of `value`.
    pub fn u24(&mut self, value: u32) -> Result<(), CursorError> {
        self.bytes(&value.to_be_bytes()[1..])
    }

    /// Writes a 32-bit number.
    pub fn u32(&mut self, value: u32) -> Result<(), CursorError> {
        self.bytes(&value.to_be_bytes())
    }

    /// Writes the lower 48 bits of `value`.
    pub fn u48(&mut self, value: u64) -> Result<(), CursorError> {
        self.bytes(&value.to_be_bytes()[2..])
    }

    /// Writes a 64-bit number.
    pub fn u64(&mut self, value: u64) -> Result<(), CursorError> {
        self.bytes(&value.to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_was_written() {
        let mut buf = [0xa5; 24];
        let mut writer = Writer::new(&mut buf);
        writer.u8(1).unwrap();
        writer.u16(0x0203).unwrap();
        writer.u24(0x04_0506).unwrap();
        writer.u32(0x0708_090a).unwrap();
        writer.u48(0x0b0c_0d0e_0f10).unwrap();
        writer.u64(0x1112_1314_1516_1718).unwrap();
        assert!(writer.written().iter().zip(1..).all(|(&byte, n)| byte == n));
        assert_eq!(
            writer.u8(0),
            Err(CursorError {
                position: 24,
                expected: "more room in the buffer"
            })
        );

        let mut reader = Reader::new(&buf);
        assert_eq!(reader.u8(), Ok(1));
        assert_eq!(reader.u16(), Ok(0x0203));
        assert_eq!(reader.u24(), Ok(0x04_0506));
        assert_eq!(
            reader.finish(),
            Err(CursorError {
                position: 6,
                expected: "the end"
            })
        );
        assert_eq!(reader.u32(), Ok(0x0708_090a));
        assert_eq!(reader.u48(), Ok(0x0b0c_0d0e_0f10));
        assert_eq!(reader.u64(), Ok(0x1112_1314_1516_1718));
        assert_eq!(reader.finish(), Ok(()));
        assert_eq!(
            reader.u8(),
            Err(CursorError {
                position: 24,
                expected: "an 8-bit number"
            })
        );
    }

    #[test]
    fn vectors_end_where_their_length_says() {
        let mut reader = Reader::new(&[2, 9, 8, 0, 1, 7, 0, 0, 5, 1]);
        assert_eq!(reader.vec8().unwrap().rest(), [9, 8]);
        assert_eq!(reader.vec16().unwrap().rest(), [7]);
        assert_eq!(reader.vec24().unwrap_err().position, 9);
    }

    proptest! {
        #[test]
        fn no_read_panics(bytes: [u8; 12], reads in prop::collection::vec(0usize..20, 0..20)) {
            let mut reader = Reader::new(&bytes);
            for len in reads {
                let before = reader.position();
                match reader.take(len) {
                    Ok(taken) => prop_assert_eq!(taken, &bytes[before..before + len]),
                    Err(error) => prop_assert_eq!(error.position, before),
                }
            }
        }
    }
}
