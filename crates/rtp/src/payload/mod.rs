//! Payload formats: how a codec's frames travel in packets.
//!
//! [`Codec`] names the formats this crate knows. A [`Packetizer`] cuts frames into payloads;
//! [`Codec::depacketize`] reads one payload, and [`ReceiveStream`](crate::ReceiveStream) puts frames together again.

pub mod opus;
pub mod vp8;

use crate::{Error, ParseError};

/// A codec whose payload format this crate knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// VP8 video ([RFC 7741](https://www.rfc-editor.org/rfc/rfc7741)).
    Vp8,
    /// Opus audio ([RFC 7587](https://www.rfc-editor.org/rfc/rfc7587)).
    Opus,
}

impl Codec {
    /// The rate of the format's RTP clock in Hz.
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Vp8 => 90_000,
            Self::Opus => 48_000,
        }
    }

    /// The encoding name in SDP and in the IANA registry of media types.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vp8 => "VP8",
            Self::Opus => "opus",
        }
    }

    /// The number of channels that SDP gives; `None` for video. Opus always says two, whatever it carries
    /// ([RFC 7587 §7](https://www.rfc-editor.org/rfc/rfc7587#section-7)).
    pub const fn channels(self) -> Option<u16> {
        match self {
            Self::Vp8 => None,
            Self::Opus => Some(2),
        }
    }

    /// Whether frames depend on earlier ones, so that a loss is repaired by a key frame.
    pub const fn has_key_frames(self) -> bool {
        match self {
            Self::Vp8 => true,
            Self::Opus => false,
        }
    }

    /// Whether every packet is a frame of its own, and the marker bit means something else.
    pub(crate) const fn packet_is_frame(self) -> bool {
        match self {
            Self::Vp8 => false,
            Self::Opus => true,
        }
    }

    /// Whether `frame` can be decoded without any other.
    pub fn is_key_frame(self, frame: &[u8]) -> bool {
        match self {
            Self::Vp8 => vp8::is_key_frame(frame),
            Self::Opus => true,
        }
    }

    /// Reads one payload.
    pub fn depacketize(self, payload: &[u8]) -> Result<Fragment<'_>, ParseError> {
        match self {
            Self::Vp8 => {
                let (descriptor, data) = vp8::Descriptor::parse(payload)?;
                Ok(Fragment {
                    starts_frame: descriptor.starts_frame(),
                    data,
                })
            }
            Self::Opus => Ok(Fragment {
                starts_frame: true,
                data: payload,
            }),
        }
    }
}

/// The part of a frame that one packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment<'p> {
    /// Whether it is the first part.
    pub starts_frame: bool,
    /// The bytes of the frame.
    pub data: &'p [u8],
}

/// Cuts the frames of one stream into payloads.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Packetizer {
    /// For VP8.
    Vp8(vp8::Packetizer),
    /// For Opus.
    Opus(opus::Packetizer),
}

impl Packetizer {
    /// A packetizer for `codec`. `seed` chooses the numbers that should start at random.
    pub fn new(codec: Codec, seed: u64) -> Self {
        match codec {
            Codec::Vp8 => Self::Vp8(vp8::Packetizer::new(seed as u16)),
            Codec::Opus => Self::Opus(opus::Packetizer),
        }
    }

    /// The payloads of `frame`, each at most `max_payload` bytes long.
    ///
    /// Fails with [`Error::FrameLength`] when the frame is empty or the format cannot carry it, and with
    /// [`Error::OutOfRange`] when `max_payload` leaves no room for a byte of it. Numbers are used up only when
    /// it succeeds.
    pub fn packets<'f>(
        &mut self,
        frame: &'f [u8],
        max_payload: usize,
    ) -> Result<Payloads<'f>, Error> {
        match self {
            Self::Vp8(vp8) => Ok(Payloads::Vp8(vp8.packets(frame, max_payload)?)),
            Self::Opus(opus) => Ok(Payloads::Opus(opus.packets(frame, max_payload)?)),
        }
    }
}

/// One payload that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Its length in bytes.
    pub len: usize,
    /// The marker bit of its packet.
    pub marker: bool,
}

/// The payloads of one frame, written one at a time into the caller's memory.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Payloads<'f> {
    /// Of VP8.
    Vp8(vp8::Payloads<'f>),
    /// Of Opus.
    Opus(opus::Payloads<'f>),
}

impl Payloads<'_> {
    /// How many payloads are left.
    pub fn remaining(&self) -> usize {
        match self {
            Self::Vp8(payloads) => payloads.remaining(),
            Self::Opus(payloads) => payloads.remaining(),
        }
    }

    /// Writes the next payload to the front of `out`; `None` when there is none, or when `out` is shorter than
    /// `max_payload` and it does not fit.
    pub fn next(&mut self, out: &mut [u8]) -> Option<Chunk> {
        match self {
            Self::Vp8(payloads) => payloads.next(out),
            Self::Opus(payloads) => payloads.next(out),
        }
    }
}
