//! Message authentication and hashing: HMAC-SHA1, HMAC-SHA256, SHA-256, MD5.
//!
//! A [`HmacSha1`] or [`HmacSha256`] hashes the padded key once, when it is made; a tag then costs the message's
//! blocks and one more. They are RustCrypto's, which use the processor's SHA instructions where there are any
//! (ring has none for SHA-1 and is four times slower).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Digest;
use subtle::ConstantTimeEq;

/// A key for HMAC-SHA1 ([RFC 2104](https://www.rfc-editor.org/rfc/rfc2104)), with both pad states computed.
#[derive(Clone)]
pub struct HmacSha1(Hmac<sha1::Sha1>);

/// A key for HMAC-SHA256 ([RFC 2104](https://www.rfc-editor.org/rfc/rfc2104)), with both pad states computed.
#[derive(Clone)]
pub struct HmacSha256(Hmac<sha2::Sha256>);

macro_rules! hmac_key {
    ($name:ident, $hash:ty, $len:literal) => {
        impl $name {
            /// The length of a tag in bytes.
            pub const TAG_LEN: usize = $len;

            /// A key of any length, which RFC 2104 allows.
            pub fn new(key: &[u8]) -> Self {
                match Hmac::new_from_slice(key) {
                    Ok(mac) => Self(mac),
                    // RFC 2104 takes keys of every length, and so does the type; there is no other error.
                    Err(_) => unreachable!("HMAC takes keys of every length"),
                }
            }

            /// The tag over the concatenation of `parts`.
            pub fn sign(&self, parts: &[&[u8]]) -> [u8; $len] {
                let mut mac = self.0.clone();
                for part in parts {
                    mac.update(part);
                }
                mac.finalize().into_bytes().into()
            }

            /// Whether `tag`, or as much of it as is given, is the tag over `parts`; in constant time.
            /// An empty or overlong `tag` never is.
            pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
                let expected = self.sign(parts);
                !tag.is_empty()
                    && expected
                        .get(..tag.len())
                        .is_some_and(|expected| expected.ct_eq(tag).into())
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    };
}

hmac_key!(HmacSha1, sha1::Sha1, 20);
hmac_key!(HmacSha256, sha2::Sha256, 32);

/// SHA-256 over the concatenation of `parts`.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = sha2::Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// MD5 over the concatenation of `parts`: for STUN's long-term key alone
/// ([RFC 8489 §9.2.2](https://www.rfc-editor.org/rfc/rfc8489#section-9.2.2)).
pub fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = md5::Md5::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// Whether `a` and `b` are equal, in time that depends on their length alone.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
