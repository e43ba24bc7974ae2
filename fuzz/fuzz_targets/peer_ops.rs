//! See `rtckit_fuzz::peer_ops`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtckit_fuzz::peer_ops::target(data));
