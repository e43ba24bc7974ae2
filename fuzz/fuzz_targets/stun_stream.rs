//! See `rtckit_fuzz::stun_stream`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtckit_fuzz::stun_stream::target(data));
