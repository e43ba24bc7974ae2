//! Short borrows of one transceiver's halves.

use rtckit_proto::Instant;
use rtckit_rtp::{Frame, SendStream};

use crate::error::Error;
use crate::transceiver::Receiving;

/// The sending half of a transceiver.
#[derive(Debug)]
pub struct Sender<'p> {
    pub(crate) format: rtckit_rtp::payload::Codec,
    pub(crate) stream: &'p mut SendStream,
}

impl Sender<'_> {
    /// Hands over an encoded frame, to be cut into packets and sent.
    ///
    /// `timestamp` is its media time in ticks of [`clock_rate`](Self::clock_rate), from any origin; on the wire it
    /// gets a random offset. Fails when the frame is empty or too large, or when the packets of the frames before have
    /// not been polled out.
    pub fn write_frame(&mut self, now: Instant, timestamp: u32, data: &[u8]) -> Result<(), Error> {
        self.stream
            .write_frame(now, timestamp, data)
            .map_err(|error| match error {
                rtckit_rtp::Error::QueueFull => Error::QueueFull,
                _ => Error::FrameTooLarge,
            })
    }

    /// Ticks per second of the codec's RTP clock: 90000 for video, 48000 for Opus.
    pub fn clock_rate(&self) -> u32 {
        self.format.clock_rate()
    }

    /// The codec's name: `VP8`, `opus`.
    pub fn codec(&self) -> &'static str {
        self.format.name()
    }

    /// Packets that wait to be polled out.
    pub fn queued_packets(&self) -> usize {
        self.stream.queued_packets()
    }
}

/// The receiving half of a transceiver.
#[derive(Debug)]
pub struct Receiver<'p> {
    pub(crate) receiving: &'p mut Receiving,
}

impl Receiver<'_> {
    /// The next whole frame, in order, lent until the next call. `None` when there is none:
    /// [`Event::FrameReady`](crate::Event::FrameReady) will tell when there is one again.
    pub fn read_frame(&mut self, now: Instant) -> Option<Frame<'_>> {
        let receiving = &mut *self.receiving;
        let stream = receiving.stream.as_mut()?;
        if !stream.has_frame(now) {
            receiving.told = false;
            return None;
        }
        stream.poll_frame(now)
    }

    /// Asks the sender for a picture that stands alone.
    pub fn request_keyframe(&mut self, now: Instant) {
        if let Some(stream) = self.receiving.stream.as_mut() {
            stream.request_key_frame(now);
        }
    }
}
