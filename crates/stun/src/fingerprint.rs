//! FINGERPRINT: CRC-32 of the message, xored with a constant
//! ([RFC 8489 §14.7](https://www.rfc-editor.org/rfc/rfc8489#section-14.7)).

/// "STUN" in ASCII: tells the fingerprint from a CRC-32 of the application's own.
const XOR: u32 = 0x5354_554e;

/// The value of FINGERPRINT for a message whose bytes before that attribute are `covered`.
pub(crate) fn fingerprint(covered: &[u8]) -> u32 {
    crc32fast::hash(covered) ^ XOR
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    /// The reflected polynomial of ITU V.42.
    const POLYNOMIAL: u32 = 0xedb8_8320;

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
        assert_eq!(fingerprint(b"123456789"), 0xcbf4_3926 ^ XOR);
    }

    proptest! {
        #[test]
        fn equals_its_naive_twin(bytes: Vec<u8>) {
            prop_assert_eq!(fingerprint(&bytes), naive(&bytes) ^ XOR);
        }
    }
}
