//! The one place rtckit names a cryptography library.
//!
//! Everything else asks this crate's small types: [`Provider`](provider::Provider) for key exchange, signatures,
//! the TLS 1.2 PRF and secure randomness, [`Identity`](identity::Identity) and
//! [`Fingerprint`](fingerprint::Fingerprint) for WebRTC's self-signed certificates, [`aead`] and [`ctr`] for
//! records and packets, [`mac`] for HMAC and plain hashes. No type of a cryptography library appears in a
//! public signature, so a new major version of one is not a new major version of rtckit.
//!
//! ```
//! use rtckit_crypto::fingerprint::{Fingerprint, HashAlgorithm};
//! use rtckit_crypto::identity::Identity;
//! use rtckit_crypto::provider::Provider;
//!
//! let provider = Provider::ring();
//! let identity = Identity::generate(&provider)?;
//!
//! // what goes into the SDP, and comes back out of it
//! let line = identity.fingerprint(HashAlgorithm::Sha256).to_string();
//! assert!(line.starts_with("sha-256 "));
//! let announced: Fingerprint = line.parse().expect("our own line");
//! assert!(announced.matches(identity.certificate_der()));
//! # Ok::<(), rtckit_crypto::error::CryptoError>(())
//! ```
//!
//! # Features
//!
//! All additive; none changes a default.
//!
//! | feature | adds | from |
//! | --- | --- | --- |
//! | `mac` | HMAC-SHA1, HMAC-SHA256, SHA-256, MD5 (`no_std`) | RustCrypto |
//! | `aead` | AES-GCM in place | ring |
//! | `ctr` | AES-CTR (`no_std`) | RustCrypto |
//! | `tls` | [`Provider`](provider::Provider) | rustls 0.23's `CryptoProvider`, with ring |
//! | `identity` | certificates, fingerprints, signature verification | rcgen, rustls-webpki |
//! | `aws-lc-rs` | `Provider::aws_lc_rs()` beside ring | aws-lc-rs |
//! | `simulation` | `Provider::simulation(seed)`, **insecure**, repeatable | nothing |
//!
//! # What it does not do
//!
//! No chain building and no expiry checks: a WebRTC certificate is trusted because its fingerprint arrived
//! through signalling ([RFC 8827 §6.5](https://www.rfc-editor.org/rfc/rfc8827#section-6.5)), so webpki's profile is
//! not applied to it. No post-quantum groups yet, no HKDF (DTLS 1.3 will need both).
#![cfg_attr(not(feature = "tls"), no_std)]
#![forbid(unsafe_code)]

#[cfg(feature = "aead")]
pub mod aead;
#[cfg(feature = "ctr")]
pub mod ctr;
#[cfg(feature = "tls")]
pub mod error;
#[cfg(feature = "identity")]
pub mod fingerprint;
#[cfg(feature = "identity")]
pub mod identity;
#[cfg(feature = "mac")]
pub mod mac;
#[cfg(feature = "tls")]
pub mod provider;
#[cfg(feature = "tls")]
pub mod secret;
#[cfg(feature = "identity")]
pub mod self_signed;
#[cfg(feature = "simulation")]
mod simulation;
#[cfg(feature = "identity")]
pub mod x509;
