//! Frames to send, taken from the clips of `rtckit-media`.

use rtckit_media::{clips, ivf, ogg};

/// Encoded pictures and sound, four seconds of each.
#[derive(Debug)]
pub struct Clip {
    /// VP8 frames, 25 a second.
    pub video: Vec<Vec<u8>>,
    /// Opus packets of 20 ms.
    pub audio: Vec<Vec<u8>>,
}

impl Clip {
    /// Reads the embedded clips.
    pub fn load() -> Self {
        let video = ivf::Reader::new(clips::VIDEO_IVF)
            .unwrap()
            .map(|frame| frame.unwrap().data)
            .collect();
        let mut reader = ogg::Reader::new(clips::AUDIO_OGG).unwrap();
        let mut audio = Vec::new();
        let mut packet = Vec::new();
        while reader.read_packet(&mut packet).unwrap().is_some() {
            audio.push(packet.clone());
        }
        Self { video, audio }
    }
}
