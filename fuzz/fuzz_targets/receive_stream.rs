//! See `rtckit_fuzz::receive_stream`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtckit_fuzz::receive_stream::target(data));
