//! AES-GCM against every vector of RFC 7714: both key lengths, sealing, opening and tagging alone.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use rtckit_crypto::aead::{AesGcm, TAG_LEN};
use serde_json::Value;

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn all_twelve_vectors_of_the_rfc() {
    let file: Value = serde_json::from_str(include_str!("../testdata/rfc7714.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 12);
    for vector in vectors {
        let field = |name: &str| bytes(vector[name].as_str().unwrap());
        let section = vector["section"].as_str().unwrap();
        let (iv, aad) = (field("iv").try_into().unwrap(), field("aad"));
        let (plain, protected) = (field("plaintext_packet"), field("protected_packet"));
        let key = match <[u8; 16]>::try_from(field("key")) {
            Ok(key) => AesGcm::new_128(&key),
            Err(key) => AesGcm::new_256(&key.try_into().unwrap()),
        };
        // Behind the tag SRTCP has its index, which is associated data as well.
        let index_len = if vector["protocol"] == "SRTCP" { 4 } else { 0 };
        let clear_len = aad.len() - index_len;
        let tag_at = protected.len() - TAG_LEN - index_len;
        let expected = &protected[clear_len..tag_at];
        let tag: [u8; TAG_LEN] = protected[tag_at..][..TAG_LEN].try_into().unwrap();

        let mut data = plain[clear_len..].to_vec();
        let mut sealed = [0xa5; TAG_LEN];
        assert_eq!(
            key.seal(&iv, &aad, &mut data, &mut sealed),
            Ok(()),
            "§{section}"
        );
        assert_eq!(sealed, tag, "§{section}");
        assert_eq!(data, expected, "§{section}");
        assert_eq!(key.open(&iv, &aad, &mut data, &tag), Ok(()), "§{section}");
        assert_eq!(data, plain[clear_len..], "§{section}");

        let mut forged = tag;
        forged[0] ^= 1;
        let mut data = expected.to_vec();
        assert!(
            key.open(&iv, &aad, &mut data, &forged).is_err(),
            "§{section}"
        );
    }
}
