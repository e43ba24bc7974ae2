//! See `rtckit_fuzz::ice_ops`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtckit_fuzz::ice_ops::target(data));
