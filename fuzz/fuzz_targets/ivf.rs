//! See `rtckit_fuzz::ivf`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtckit_fuzz::ivf::target(data));
