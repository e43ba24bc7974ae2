//! See `rtckit_fuzz::vp8_opus_payload`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtckit_fuzz::vp8_opus_payload::target(data));
