//! The payload formats of VP8 and Opus.

use rtckit_rtp::payload::{Codec, Packetizer, opus, vp8};

use crate::input::Input;

/// A payload that parses reads as the same after it is written; a frame survives being cut up.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    let codec = input.choose(&[Codec::Vp8, Codec::Opus]);
    let max_payload = usize::from(input.u16() % 1500);
    let data = input.rest();

    let _ = opus::samples(data).map(|samples| assert!(samples <= opus::MAX_SAMPLES));
    let _ = vp8::FrameHeader::parse(data).map(|header| format!("{header:?}"));
    if let Ok((descriptor, frame)) = vp8::Descriptor::parse(data) {
        let mut buf = [0xa5; vp8::MAX_DESCRIPTOR_LEN];
        let len = descriptor
            .write(&mut buf)
            .expect("what was read fits its fields");
        assert_eq!(len, descriptor.encoded_len());
        let mut payload = buf[..len].to_vec();
        payload.extend(frame);
        let again = vp8::Descriptor::parse(&payload).expect("what was written is a descriptor");
        assert_eq!(again, (descriptor, frame));
    }

    let mut packetizer = Packetizer::new(codec, u64::from(max_payload as u32));
    let Ok(mut payloads) = packetizer.packets(data, max_payload) else {
        return;
    };
    let count = payloads.remaining();
    let mut buf = vec![0xa5; max_payload];
    let mut frame: Vec<u8> = Vec::new();
    let mut written = 0;
    while let Some(chunk) = payloads.next(&mut buf) {
        written += 1;
        let fragment = codec
            .depacketize(&buf[..chunk.len])
            .expect("what was written is a payload");
        assert_eq!(fragment.starts_frame, written == 1);
        if codec == Codec::Vp8 {
            assert_eq!(chunk.marker, written == count);
        }
        frame.extend(fragment.data);
    }
    assert_eq!(written, count);
    assert_eq!(frame, data);
}
