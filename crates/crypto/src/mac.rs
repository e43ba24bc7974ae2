//! Message authentication and hashing: HMAC-SHA1, HMAC-SHA256, SHA-256, MD5.
//!
//! A [`HmacSha1`] or [`HmacSha256`] is the two hash states that stand after the padded key, and nothing else: 40 and
//! 64 bytes, copied when a tag is made. A tag then costs the message's blocks and one more. The compression functions
//! are RustCrypto's, which use the processor's SHA instructions where there are any (ring has none for SHA-1 and is
//! four times slower); its own HMAC type is five times as large and a third slower on messages as short as STUN's.

use sha2::Digest;
use subtle::ConstantTimeEq;

/// The block length of SHA-1 and SHA-256 in bytes.
const BLOCK_LEN: usize = 64;

/// A key for HMAC-SHA1 ([RFC 2104](https://www.rfc-editor.org/rfc/rfc2104)), with both pad states computed.
#[derive(Clone)]
pub struct HmacSha1 {
    inner: [u32; 5],
    outer: [u32; 5],
}

/// A key for HMAC-SHA256 ([RFC 2104](https://www.rfc-editor.org/rfc/rfc2104)), with both pad states computed.
#[derive(Clone)]
pub struct HmacSha256 {
    inner: [u32; 8],
    outer: [u32; 8],
}

/// FIPS 180-4 §5.3.1.
const SHA1_START: [u32; 5] = [
    0x6745_2301,
    0xefcd_ab89,
    0x98ba_dcfe,
    0x1032_5476,
    0xc3d2_e1f0,
];

/// FIPS 180-4 §5.3.3.
const SHA256_START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// Feeds `parts` to a Merkle-Damgård hash whose `state` has taken in `before` bytes (whole blocks), and pads.
#[inline]
fn absorb<const W: usize>(
    state: &mut [u32; W],
    compress: impl Fn(&mut [u32; W], &[[u8; BLOCK_LEN]]),
    before: usize,
    parts: &[&[u8]],
) {
    let len = before + parts.iter().map(|part| part.len()).sum::<usize>();
    if len - before <= MAX_SHORT_LEN {
        return absorb_short(state, compress, len, parts);
    }
    let mut block = [0; BLOCK_LEN];
    let mut filled = 0;
    for part in parts {
        let mut part = *part;
        if filled > 0 {
            let taken = part.len().min(BLOCK_LEN - filled);
            let (now, later) = part.split_at(taken);
            block[filled..filled + taken].copy_from_slice(now);
            filled += taken;
            part = later;
            if filled < BLOCK_LEN {
                continue;
            }
            compress(state, core::slice::from_ref(&block));
        }
        let (blocks, rest) = part.as_chunks();
        if !blocks.is_empty() {
            compress(state, blocks);
        }
        block[..rest.len()].copy_from_slice(rest);
        filled = rest.len();
    }
    // FIPS 180-4 §5.1.1: a one bit, zeros, and the length in bits in the last eight bytes
    block[filled] = 0x80;
    block[filled + 1..].fill(0);
    if filled >= BLOCK_LEN - 8 {
        compress(state, core::slice::from_ref(&block));
        block = [0; BLOCK_LEN];
    }
    block[BLOCK_LEN - 8..].copy_from_slice(&(len as u64 * 8).to_be_bytes());
    compress(state, core::slice::from_ref(&block));
}

/// The longest message that fills two blocks with its padding.
const MAX_SHORT_LEN: usize = 2 * BLOCK_LEN - 9;

/// As [`absorb`], for a message that fits into two blocks, which are compressed in one call: connectivity checks and
/// their answers do.
#[inline]
fn absorb_short<const W: usize>(
    state: &mut [u32; W],
    compress: impl Fn(&mut [u32; W], &[[u8; BLOCK_LEN]]),
    len: usize,
    parts: &[&[u8]],
) {
    let mut blocks = [[0; BLOCK_LEN]; 2];
    let bytes = blocks.as_flattened_mut();
    let mut filled = 0;
    for part in parts {
        bytes[filled..filled + part.len()].copy_from_slice(part);
        filled += part.len();
    }
    bytes[filled] = 0x80;
    let count = if filled < BLOCK_LEN - 8 { 1 } else { 2 };
    let end = count * BLOCK_LEN;
    bytes[end - 8..end].copy_from_slice(&(len as u64 * 8).to_be_bytes());
    compress(state, &blocks[..count]);
}

macro_rules! hmac_key {
    ($name:ident, $hash:ty, $compress:path, $start:expr, $len:literal) => {
        impl $name {
            /// The length of a tag in bytes.
            pub const TAG_LEN: usize = $len;

            /// A key of any length, which RFC 2104 allows.
            pub fn new(key: &[u8]) -> Self {
                let mut block = [0; BLOCK_LEN];
                if key.len() > BLOCK_LEN {
                    block[..$len].copy_from_slice(&<$hash>::digest(key));
                } else {
                    block[..key.len()].copy_from_slice(key);
                }
                let pad = |byte: u8| {
                    let mut state = $start;
                    $compress(&mut state, &[block.map(|key| key ^ byte)]);
                    state
                };
                Self {
                    inner: pad(0x36),
                    outer: pad(0x5c),
                }
            }

            /// The tag over the concatenation of `parts`.
            pub fn sign(&self, parts: &[&[u8]]) -> [u8; $len] {
                let mut state = self.inner;
                absorb(&mut state, $compress, BLOCK_LEN, parts);
                let digest: [u8; $len] = bytes(state);
                state = self.outer;
                let mut block = [0; BLOCK_LEN];
                block[..$len].copy_from_slice(&digest);
                block[$len] = 0x80;
                let bits = 8 * (BLOCK_LEN as u64 + $len);
                block[BLOCK_LEN - 8..].copy_from_slice(&bits.to_be_bytes());
                $compress(&mut state, core::slice::from_ref(&block));
                bytes(state)
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

hmac_key!(
    HmacSha1,
    sha1::Sha1,
    sha1::block_api::compress,
    SHA1_START,
    20
);
hmac_key!(
    HmacSha256,
    sha2::Sha256,
    sha2::block_api::compress256,
    SHA256_START,
    32
);

/// The words of a hash state as bytes, big-endian; `N` is four times `W`.
fn bytes<const W: usize, const N: usize>(state: [u32; W]) -> [u8; N] {
    let mut out = [0; N];
    for (bytes, word) in out.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    out
}

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

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn unhex(hex: &str) -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
            .collect()
    }

    /// RFC 2202 §3: key, data, tag.
    const HMAC_SHA1: &[[&str; 3]] = &[
        [
            "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
            "4869205468657265",
            "b617318655057264e28bc0b6fb378c8ef146be00",
        ],
        [
            "4a656665",
            "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
        ],
        [
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd",
            "125d7342b9ac11cd91a39af48aa17b4f63f175d3",
        ],
        [
            "0102030405060708090a0b0c0d0e0f10111213141516171819",
            "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
            "4c9007f4026250c6bc8414f9bf50c86c2d7235da",
        ],
        [
            "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
            "546573742057697468205472756e636174696f6e",
            "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04",
        ],
        [
            concat!(
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            ),
            concat!(
                "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b65792046",
                "69727374"
            ),
            "aa4ae5e15272d00e95705637ce8a3b55ed402112",
        ],
        [
            concat!(
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            ),
            concat!(
                "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b65792046",
                "69727374"
            ),
            "aa4ae5e15272d00e95705637ce8a3b55ed402112",
        ],
        [
            concat!(
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            ),
            concat!(
                "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b657920616e64204c61726765722054",
                "68616e204f6e6520426c6f636b2d53697a652044617461"
            ),
            "e8e99d0f45237d786d6bbaa7965c7808bbff1a91",
        ],
    ];

    /// RFC 4231 §4: key, data, tag.
    const HMAC_SHA256: &[[&str; 3]] = &[
        [
            "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
            "4869205468657265",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ],
        [
            "4a656665",
            "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ],
        [
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd",
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        ],
        [
            "0102030405060708090a0b0c0d0e0f10111213141516171819",
            "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        ],
        [
            concat!(
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            ),
            concat!(
                "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b65792046",
                "69727374"
            ),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ],
        [
            concat!(
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            ),
            concat!(
                "5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b2d73697a65206b657920",
                "616e642061206c6172676572207468616e20626c6f636b2d73697a6520646174612e20546865206b6579206e656564732074",
                "6f20626520686173686564206265666f7265206265696e6720757365642062792074686520484d414320616c676f72697468",
                "6d2e"
            ),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ],
    ];

    #[test]
    fn hmac_vectors() {
        for vector in HMAC_SHA1 {
            let [key, data, tag] = vector.map(unhex);
            let mac = HmacSha1::new(&key);
            assert_eq!(mac.sign(&[&data])[..], tag);
            let (first, second) = data.split_at(data.len() / 2);
            assert!(mac.verify(&[first, second], &tag), "in two parts");
        }
        for vector in HMAC_SHA256 {
            let [key, data, tag] = vector.map(unhex);
            let mac = HmacSha256::new(&key);
            assert_eq!(mac.sign(&[&data])[..], tag);
            assert!(mac.verify(&[&data], &tag[..10]), "cut short, as SRTP's are");
        }
    }

    proptest! {
        #[test]
        fn equals_its_plain_twin(key: Vec<u8>, parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..150), 0..4)) {
            use hmac::{Hmac, KeyInit, Mac};
            let parts: Vec<&[u8]> = parts.iter().map(|part| &part[..]).collect();
            let whole = parts.concat();
            let twin = Hmac::<sha1::Sha1>::new_from_slice(&key).unwrap().chain_update(&whole).finalize().into_bytes();
            prop_assert_eq!(HmacSha1::new(&key).sign(&parts), twin.as_slice());
            let twin = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap().chain_update(&whole).finalize().into_bytes();
            prop_assert_eq!(HmacSha256::new(&key).sign(&parts), twin.as_slice());
        }
    }

    #[test]
    fn what_is_no_tag() {
        let mac = HmacSha1::new(b"key");
        let mut tag = mac.sign(&[b"data"]).to_vec();
        assert!(!mac.verify(&[b"data"], &[]));
        assert!(!mac.verify(&[b"data"], &[&tag[..], &[0]].concat()));
        tag[19] ^= 1;
        assert!(!mac.verify(&[b"data"], &tag));
    }

    #[test]
    fn hash_vectors() {
        // RFC 1321 §A.5 and FIPS 180-4
        assert_eq!(
            md5(&[b"message ", b"digest"])[..],
            unhex("f96b697d7cb7938d525a2f31aaf161d0")
        );
        assert_eq!(
            sha256(&[b"a", b"bc"])[..],
            unhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        );
        assert!(constant_time_eq(b"x", b"x") && !constant_time_eq(b"x", b"xy"));
    }
}
