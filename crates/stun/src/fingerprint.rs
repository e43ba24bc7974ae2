//! FINGERPRINT: CRC-32 of the message, xored with a constant
//! ([RFC 8489 §14.7](https://www.rfc-editor.org/rfc/rfc8489#section-14.7)).

/// "STUN" in ASCII: tells the fingerprint from a CRC-32 of the application's own.
const XOR: u32 = 0x5354_554e;

/// The reflected polynomial of ITU V.42.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// `TABLES[n][b]` is the remainder of byte `b` followed by `n` zero bytes, so that sixteen bytes fold in at once.
///
/// What one step waits for is four look-ups, however many bytes it takes; processors have an instruction for another
/// polynomial, and carry-less multiplication pays from 128 bytes on, which connectivity checks do not have.
static TABLES: [[u32; 256]; STEP] = tables();

/// How many bytes fold in at once.
const STEP: usize = 16;

const fn tables() -> [[u32; 256]; STEP] {
    let mut tables = [[0; 256]; STEP];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            remainder = (remainder >> 1) ^ (POLYNOMIAL & (remainder & 1).wrapping_neg());
            bit += 1;
        }
        tables[0][byte] = remainder;
        byte += 1;
    }
    let mut table = 1;
    while table < STEP {
        let mut byte = 0;
        while byte < 256 {
            let shorter: u32 = tables[table - 1][byte];
            tables[table][byte] = (shorter >> 8) ^ tables[0][(shorter & 0xff) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

/// The value of FINGERPRINT for a message whose bytes before that attribute are `covered`.
pub(crate) fn fingerprint(covered: &[u8]) -> u32 {
    crc32(covered) ^ XOR
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    let (steps, tail) = bytes.as_chunks::<STEP>();
    for step in steps {
        let (first, rest) = split(step);
        let folded = (u32::from_le_bytes(first) ^ crc).to_le_bytes();
        // what does not depend on the step before is looked up while that is under way
        let later = look_up(&rest, &TABLES);
        crc = look_up(&folded, TABLES.split_at(STEP - 4).1) ^ later;
    }
    for &byte in tail {
        crc = (crc >> 8) ^ TABLES[0][usize::from(crc as u8 ^ byte)];
    }
    !crc
}

/// The remainder of `bytes`, of which the last goes through the first of `tables`.
#[inline]
fn look_up<const N: usize>(bytes: &[u8; N], tables: &[[u32; 256]]) -> u32 {
    bytes
        .iter()
        .zip(tables.iter().take(N).rev())
        .fold(0, |crc, (&byte, table)| crc ^ table[usize::from(byte)])
}

#[inline]
fn split(step: &[u8; STEP]) -> ([u8; 4], [u8; STEP - 4]) {
    let (mut first, mut rest) = ([0; 4], [0; STEP - 4]);
    let (a, b) = step.split_at(4);
    first.copy_from_slice(a);
    rest.copy_from_slice(b);
    (first, rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    /// One bit at a time, as the polynomial division is written on paper.
    fn naive(bytes: &[u8]) -> u32 {
        let mut crc = !0;
        for &byte in bytes {
            crc ^= u32::from(byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 {
                    crc >> 1 ^ POLYNOMIAL
                } else {
                    crc >> 1
                };
            }
        }
        !crc
    }

    #[test]
    fn check_value() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    proptest! {
        #[test]
        fn equals_its_naive_twin(bytes: Vec<u8>) {
            prop_assert_eq!(crc32(&bytes), naive(&bytes));
        }
    }
}
