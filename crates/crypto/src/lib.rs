//! (being written)
#![cfg_attr(not(feature = "tls"), no_std)]
#![forbid(unsafe_code)]

#[cfg(feature = "aead")]
pub mod aead;
#[cfg(feature = "ctr")]
pub mod ctr;
#[cfg(feature = "mac")]
pub mod mac;
