//! The keys of MESSAGE-INTEGRITY ([RFC 8489 §9](https://www.rfc-editor.org/rfc/rfc8489#section-9)).

use rtckit_crypto::mac::{HmacSha1, md5};

/// The key of short-term credentials: the password itself
/// ([RFC 8489 §9.1.1](https://www.rfc-editor.org/rfc/rfc8489#section-9.1.1)). Make it once and keep it: both
/// HMAC pads are hashed here.
///
/// The password has to be prepared already (OpaqueString of RFC 8265); ICE's alphabet needs no preparation.
pub fn short_term_key(password: &str) -> HmacSha1 {
    HmacSha1::new(password.as_bytes())
}

/// The key of long-term credentials: MD5 of `username ":" realm ":" password`
/// ([RFC 8489 §9.2.2](https://www.rfc-editor.org/rfc/rfc8489#section-9.2.2)). All three have to be prepared
/// already (OpaqueString of RFC 8265), which leaves ASCII as it is.
pub fn long_term_key(username: &str, realm: &str, password: &str) -> HmacSha1 {
    HmacSha1::new(&md5(&[
        username.as_bytes(),
        b":",
        realm.as_bytes(),
        b":",
        password.as_bytes(),
    ]))
}
