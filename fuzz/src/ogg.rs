//! Ogg Opus files.

use rtckit_media::ogg;

/// A file that reads as Ogg Opus has the same packets after it is written again.
pub fn target(data: &[u8]) {
    let Ok(mut reader) = ogg::Reader::new(data) else {
        return;
    };
    let mut writer = ogg::Writer::new(Vec::new(), reader.serial(), *reader.head(), reader.tags())
        .expect("headers that were read can be written");
    let mut packets = Vec::new();
    while let Some(Ok(packet)) = reader.next() {
        writer
            .write_packet(&packet.data)
            .expect("a packet that was read can be written");
        packets.push(packet.data);
    }
    let file = writer.finish().expect("memory takes everything");
    let mut again = ogg::Reader::new(&file[..]).expect("what was written can be read");
    assert_eq!((again.head(), again.tags()), (reader.head(), reader.tags()));
    let read: Vec<_> = again
        .by_ref()
        .map(|packet| packet.expect("what was written can be read").data)
        .collect();
    assert_eq!(read, packets);
}
