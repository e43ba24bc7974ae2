//! See `rtckit_fuzz::rtcp_compound`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtckit_fuzz::rtcp_compound::target(data));
