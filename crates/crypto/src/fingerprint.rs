//! Certificate fingerprints as SDP carries them
//! ([RFC 8122 §5](https://www.rfc-editor.org/rfc/rfc8122#section-5)).
//!
//! ```text
//! a=fingerprint:sha-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:...
//!               ─────── ───────────────────────────────────────────────────────────────
//!               HashAlgorithm       the hash of the certificate's DER, upper-case hex
//! ```

use core::fmt;
use core::str::FromStr;

use sha2::Digest;

use crate::mac::constant_time_eq;

/// The hash of a fingerprint. MD2 and MD5, which
/// [RFC 8122 §5](https://www.rfc-editor.org/rfc/rfc8122#section-5) forbids, are not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// SHA-1; only old peers announce it.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256, what everybody uses.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    const ALL: [Self; 5] = [
        Self::Sha1,
        Self::Sha224,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
    ];

    /// The name in SDP, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha-1",
            Self::Sha224 => "sha-224",
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    /// The length of a hash in bytes.
    pub const fn output_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The algorithm with this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }
}

const MAX_OUTPUT: usize = 64;

/// The hash of a certificate. Comparing two takes the same time wherever they differ.
#[derive(Clone, Copy)]
pub struct Fingerprint {
    algorithm: HashAlgorithm,
    bytes: [u8; MAX_OUTPUT],
}

impl Fingerprint {
    /// The fingerprint of a certificate in DER.
    pub fn of(algorithm: HashAlgorithm, certificate: &[u8]) -> Self {
        let mut bytes = [0; MAX_OUTPUT];
        let slot = &mut bytes[..algorithm.output_len()];
        match algorithm {
            HashAlgorithm::Sha1 => slot.copy_from_slice(&sha1::Sha1::digest(certificate)),
            HashAlgorithm::Sha224 => slot.copy_from_slice(&sha2::Sha224::digest(certificate)),
            HashAlgorithm::Sha256 => slot.copy_from_slice(&sha2::Sha256::digest(certificate)),
            HashAlgorithm::Sha384 => slot.copy_from_slice(&sha2::Sha384::digest(certificate)),
            HashAlgorithm::Sha512 => slot.copy_from_slice(&sha2::Sha512::digest(certificate)),
        }
        Self { algorithm, bytes }
    }

    /// A fingerprint from its bytes; `None` when their number is not the algorithm's.
    pub fn from_bytes(algorithm: HashAlgorithm, hash: &[u8]) -> Option<Self> {
        let mut bytes = [0; MAX_OUTPUT];
        if hash.len() != algorithm.output_len() {
            return None;
        }
        bytes[..hash.len()].copy_from_slice(hash);
        Some(Self { algorithm, bytes })
    }

    /// The hash it was made with.
    pub fn algorithm(&self) -> HashAlgorithm {
        self.algorithm
    }

    /// The hash.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.output_len()]
    }

    /// Whether it is the fingerprint of `certificate` (DER).
    pub fn matches(&self, certificate: &[u8]) -> bool {
        *self == Self::of(self.algorithm, certificate)
    }
}

impl PartialEq for Fingerprint {
    fn eq(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm && constant_time_eq(&self.bytes, &other.bytes)
    }
}

impl Eq for Fingerprint {}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.algorithm.name())?;
        for (index, byte) in self.as_bytes().iter().enumerate() {
            let separator = if index == 0 { ' ' } else { ':' };
            write!(f, "{separator}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// Why a string is not a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseFingerprintError {
    /// The hash algorithm is unknown, or the blank after it is missing.
    Algorithm,
    /// The hash is not pairs of hexadecimal digits with colons between them.
    Hex,
    /// The hash has not the length of its algorithm.
    Length,
}

impl fmt::Display for ParseFingerprintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Algorithm => "expected a known hash algorithm and a blank",
            Self::Hex => "expected pairs of hexadecimal digits with colons between them",
            Self::Length => "the hash has not the length of its algorithm",
        })
    }
}

impl core::error::Error for ParseFingerprintError {}

impl FromStr for Fingerprint {
    type Err = ParseFingerprintError;

    /// Reads `sha-256 AB:CD:…`. Digits may be of either case: peers send both.
    fn from_str(text: &str) -> Result<Self, ParseFingerprintError> {
        let (name, hex) = text
            .split_once(' ')
            .ok_or(ParseFingerprintError::Algorithm)?;
        let algorithm = HashAlgorithm::from_name(name).ok_or(ParseFingerprintError::Algorithm)?;
        let mut bytes = [0; MAX_OUTPUT];
        let mut len = 0;
        for pair in hex.trim_end().split(':') {
            if pair.len() != 2 || !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(ParseFingerprintError::Hex);
            }
            *bytes.get_mut(len).ok_or(ParseFingerprintError::Length)? =
                u8::from_str_radix(pair, 16).map_err(|_| ParseFingerprintError::Hex)?;
            len += 1;
        }
        if len != algorithm.output_len() {
            return Err(ParseFingerprintError::Length);
        }
        Ok(Self { algorithm, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hashes_of_abc() {
        let first =
            HashAlgorithm::ALL.map(|algorithm| Fingerprint::of(algorithm, b"abc").as_bytes()[0]);
        assert_eq!(first, [0xa9, 0x23, 0xba, 0xcb, 0xdd]);
        for algorithm in HashAlgorithm::ALL {
            let fingerprint = Fingerprint::of(algorithm, b"abc");
            assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
            assert!(fingerprint.matches(b"abc") && !fingerprint.matches(b"abd"));
            assert_eq!(
                Fingerprint::from_bytes(algorithm, fingerprint.as_bytes()),
                Some(fingerprint)
            );
        }
    }

    #[test]
    fn malformed_lines_are_named() {
        use ParseFingerprintError::{Algorithm, Hex, Length};
        let cases = [
            ("", Algorithm),
            ("md5 00", Algorithm),
            ("sha-256", Algorithm),
            ("sha-256 ", Hex),
            ("sha-256 AB:C", Hex),
            ("sha-256 +1", Hex),
            ("sha-256 AB:CD", Length),
        ];
        for (line, error) in cases {
            assert_eq!(line.parse::<Fingerprint>(), Err(error), "{line:?}");
        }
        let long = format!("sha-1 00{}", ":00".repeat(99));
        assert_eq!(long.parse::<Fingerprint>(), Err(Length));
    }

    #[test]
    fn case_does_not_matter() {
        let upper = Fingerprint::of(HashAlgorithm::Sha256, b"x").to_string();
        assert_eq!(
            upper.to_lowercase().parse::<Fingerprint>(),
            upper.to_uppercase().parse()
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,80}") {
            let _ = text.parse::<Fingerprint>();
        }
    }
}
