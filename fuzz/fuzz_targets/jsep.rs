//! See `rtckit_fuzz::jsep`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtckit_fuzz::jsep::target(data));
