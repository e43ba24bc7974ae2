//! See `rtckit_fuzz::dtls_record_handshake`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtckit_fuzz::dtls_record_handshake::target(data));
