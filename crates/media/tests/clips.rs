//! The built-in clips are what their documentation says, and survive a round trip through the writers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::io::Cursor;

use rtckit_media::{clips, ivf, ogg, opus};

#[test]
fn the_video_clip() {
    let mut reader = ivf::Reader::new(clips::VIDEO_IVF).unwrap();
    let header = *reader.header();
    assert_eq!(
        (header.fourcc, header.width, header.height),
        (ivf::FourCc::VP8, 320, 240)
    );
    assert_eq!(
        (header.timebase_numerator, header.timebase_denominator),
        (1, 25)
    );
    let frames: Vec<_> = reader.by_ref().collect::<Result<_, _>>().unwrap();
    assert_eq!(frames.len(), 100);
    assert!(frames.iter().map(|frame| frame.pts).eq(0..100));

    // RFC 6386 §9.1: bit 0 of a frame is clear in key frames, bit 4 set in frames that are shown
    let is_key = |frame: &ivf::Frame| frame.data[0] & 1 == 0;
    assert!(frames.iter().all(|frame| frame.data[0] & 0x10 != 0));
    assert!(frames.iter().step_by(25).all(is_key), "one a second");

    let mut writer = ivf::Writer::new(Cursor::new(Vec::new()), header).unwrap();
    for frame in &frames {
        writer.write_frame(frame.pts, &frame.data).unwrap();
    }
    assert!(writer.finish().unwrap().into_inner() == clips::VIDEO_IVF);
}

#[test]
fn the_audio_clip() {
    let mut reader = ogg::Reader::new(clips::AUDIO_OGG).unwrap();
    let (head, tags) = (*reader.head(), reader.tags().clone());
    assert_eq!((head.channels, head.pre_skip), (2, 312));
    let packets: Vec<_> = reader.by_ref().collect::<Result<_, _>>().unwrap();
    assert!(
        packets
            .iter()
            .all(|packet| opus::packet_duration(&packet.data) == Some(960))
    );
    assert_eq!(reader.playable_samples(), 4 * 48_000);

    let mut writer = ogg::Writer::new(Vec::new(), 9, head, &tags).unwrap();
    for packet in &packets {
        writer.write_packet(&packet.data).unwrap();
    }
    let end = packets.last().unwrap().timing.granule_position.unwrap();
    let copy = writer.finish_at(end).unwrap();
    let mut again = ogg::Reader::new(&copy[..]).unwrap();
    let copied: Vec<_> = again.by_ref().collect::<Result<_, _>>().unwrap();
    assert!(
        copied
            .iter()
            .map(|p| &p.data)
            .eq(packets.iter().map(|p| &p.data))
    );
    assert_eq!(again.playable_samples(), 4 * 48_000);
    assert_eq!(
        (again.serial(), again.head(), again.tags()),
        (9, &head, &tags)
    );
}

#[test]
fn the_clips_are_small() {
    assert!(clips::VIDEO_IVF.len() + clips::AUDIO_OGG.len() < 300_000);
}
