//! Two short clips to send without a camera: a moving test pattern and a tone.
//!
//! `clips/make-clips.sh` makes them anew.

/// Four seconds of VP8, 320x240, 25 frames a second, a key frame every second, no hidden frames: an IVF file
/// for [`ivf::Reader`](crate::ivf::Reader).
pub const VIDEO_IVF: &[u8] = include_bytes!("../clips/clip.ivf");

/// Four seconds of Opus, stereo, packets of 20 ms: an Ogg file for [`ogg::Reader`](crate::ogg::Reader).
pub const AUDIO_OGG: &[u8] = include_bytes!("../clips/clip.ogg");
