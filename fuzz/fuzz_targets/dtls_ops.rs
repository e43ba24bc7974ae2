//! See `rtckit_fuzz::dtls_ops`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtckit_fuzz::dtls_ops::target(data));
