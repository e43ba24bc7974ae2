//! FINGERPRINT: CRC-32 of the message, xored with a constant
//! ([RFC 8489 §14.7](https://www.rfc-editor.org/rfc/rfc8489#section-14.7)).

/// "STUN" in ASCII: tells the fingerprint from a CRC-32 of the application's own.
const XOR: u32 = 0x5354_554e;

/// The reflected polynomial of ITU V.42.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// `TABLES[n][b]` is the remainder of byte `b` followed by `n` zero bytes, so that eight bytes fold in at once.
static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
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
    while table < 8 {
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
    let (words, tail) = bytes.as_chunks::<8>();
    for word in words {
        let folded = u64::from_le_bytes(*word) ^ u64::from(crc);
        crc = folded
            .to_le_bytes()
            .iter()
            .zip(TABLES.iter().rev())
            .fold(0, |crc, (&byte, table)| crc ^ table[usize::from(byte)]);
    }
    for &byte in tail {
        crc = (crc >> 8) ^ TABLES[0][usize::from(crc as u8 ^ byte)];
    }
    !crc
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
