//! Why a packet was not protected or opened.

use core::fmt;

/// A packet that was not protected or opened. No state has changed, so that the next packet finds the context as
/// it was; the bytes of the packet itself are unspecified after [`Forged`](Self::Forged), and may be zeros after
/// [`IndexReused`](Self::IndexReused).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Peer: not an RTP or RTCP packet, or too short to carry a tag.
    Malformed,
    /// Peer, or somebody between: the tag does not match.
    Forged,
    /// Peer, or somebody between: this packet was opened before, or is too old to tell.
    Replayed,
    /// Peer: a packet of one more SSRC than [`MAX_STREAMS`](crate::MAX_STREAMS).
    TooManyStreams,
    /// Local: 2^48 RTP or 2^31 RTCP packets were protected with this key, or a packet older than the first of
    /// its stream is to be.
    KeyExhausted,
    /// Misuse: the packet differs from the one that was protected under its sequence number, or is more than 1024
    /// packets behind the newest of its stream, too old to tell. Sent, it would betray the keystream of both.
    IndexReused,
    /// Misuse: no room for the tag behind the packet.
    BufferTooSmall,
    /// Misuse: a master key or salt of another length than the profile's.
    KeyLength,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not an SRTP or SRTCP packet",
            Self::Forged => "the authentication tag does not match",
            Self::Replayed => "the packet was received before, or is too old to tell",
            Self::TooManyStreams => "too many streams",
            Self::KeyExhausted => "the key must not protect this packet",
            Self::IndexReused => "another packet was protected under this sequence number",
            Self::BufferTooSmall => "no room for the authentication tag",
            Self::KeyLength => "the master key or salt has not the profile's length",
        })
    }
}

impl core::error::Error for Error {}
