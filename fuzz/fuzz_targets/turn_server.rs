//! See `rtckit_fuzz::turn_server`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtckit_fuzz::turn_server::target(data));
