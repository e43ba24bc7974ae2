//! RTP packets.

use rtckit_rtp::{Extension, Header, Packet, Ssrc, append_padding};

/// A packet that parses is written again and reads as the same; the header extension's elements too.
pub fn target(data: &[u8]) {
    let _ = Packet::parse_protected(data).map(|packet| packet.header_len());
    let Ok(packet) = Packet::parse(data) else {
        return;
    };
    let _ = format!("{packet:?}");
    assert_eq!(
        packet.header_len() + packet.payload().len() + usize::from(packet.padding_len()),
        data.len()
    );
    let csrcs: Vec<Ssrc> = packet.csrcs().collect();
    // zero is no identifier, and what the one-byte form cannot hold never came in it
    let extensions: Vec<Extension<'_>> = packet
        .extensions()
        .filter(|element| element.id != 0)
        .collect();
    for element in &extensions {
        assert!(packet.extension(element.id).is_some());
    }
    let header = Header {
        marker: packet.marker(),
        payload_type: packet.payload_type(),
        sequence_number: packet.sequence_number(),
        timestamp: packet.timestamp(),
        ssrc: packet.ssrc(),
        csrcs: &csrcs,
        extensions: &extensions,
    };
    // the longest: 64 k words of extension, in the longer form
    let mut buf = vec![0xa5; 2 * data.len() + 1024];
    let Ok(header_len) = header.write(&mut buf) else {
        return;
    };
    assert_eq!(Ok(header_len), header.encoded_len());
    let end = header_len + packet.payload().len();
    buf[header_len..end].copy_from_slice(packet.payload());
    let len = append_padding(&mut buf, end, packet.padding_len()).expect("room for the padding");

    let again = Packet::parse(&buf[..len]).expect("what was written is a packet");
    assert_eq!(again.payload(), packet.payload());
    assert_eq!(again.padding_len(), packet.padding_len());
    assert!(again.csrcs().eq(packet.csrcs()));
    assert!(again.extensions().eq(extensions.iter().copied()));
    assert_eq!(
        (again.marker(), again.payload_type(), again.ssrc()),
        (packet.marker(), packet.payload_type(), packet.ssrc())
    );
    assert_eq!(
        (again.sequence_number(), again.timestamp()),
        (packet.sequence_number(), packet.timestamp())
    );
}
