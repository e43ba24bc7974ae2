//! Base64 without padding ([RFC 4648 §4](https://www.rfc-editor.org/rfc/rfc4648#section-4)).

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes the digits of `bytes` into `out`, as many as fit.
pub(crate) fn write(bytes: &[u8], out: &mut [u8]) {
    for (digits, chunk) in out.chunks_mut(4).zip(bytes.chunks(3)) {
        let byte = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (place, digit) in digits.iter_mut().take(chunk.len() + 1).enumerate() {
            *digit = DIGITS[(word >> (18 - 6 * place) & 63) as usize];
        }
    }
}

/// The six bits of a digit.
pub(crate) fn value(digit: u8) -> Option<u8> {
    let place = DIGITS.iter().position(|&other| other == digit)?;
    Some(place as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648() {
        for (bytes, digits) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            let mut out = [b'='; 9];
            write(bytes.as_bytes(), &mut out);
            let (written, rest) = out.split_at(digits.len());
            assert_eq!(written, digits.as_bytes());
            assert!(rest.iter().all(|&byte| byte == b'='));
        }
        let values = DIGITS.iter().map(|&digit| value(digit));
        assert!(values.eq((0..64).map(Some)) && value(b'=').is_none());
    }
}
