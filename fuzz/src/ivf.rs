//! IVF files.

use std::io::Cursor;

use rtckit_media::ivf;

/// A file that reads as IVF reads the same after it is written again.
pub fn target(data: &[u8]) {
    let Ok(mut reader) = ivf::Reader::new(data) else {
        return;
    };
    let mut writer = ivf::Writer::new(Cursor::new(Vec::new()), *reader.header())
        .expect("a header that was read can be written");
    let mut frames = Vec::new();
    while let Some(Ok(frame)) = reader.next() {
        writer
            .write_frame(frame.pts, &frame.data)
            .expect("a frame that was read can be written");
        frames.push(frame);
    }
    let file = writer
        .finish()
        .expect("memory takes everything")
        .into_inner();
    let mut again = ivf::Reader::new(&file[..]).expect("what was written can be read");
    assert_eq!(again.header().frame_count as usize, frames.len());
    let read: Vec<_> = again
        .by_ref()
        .map(|frame| frame.expect("what was written can be read"))
        .collect();
    assert_eq!(read, frames);
}
