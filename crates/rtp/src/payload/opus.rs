//! Opus in RTP ([RFC 7587](https://www.rfc-editor.org/rfc/rfc7587)): one Opus packet is one payload.
//!
//! The first byte of an Opus packet, the TOC, tells how long it sounds
//! ([RFC 6716 §3.1](https://www.rfc-editor.org/rfc/rfc6716#section-3.1)):
//!
//! ```text
//!  0 1 2 3 4 5 6 7
//! +-+-+-+-+-+-+-+-+
//! | config  |s| c |   s: stereo; c: 1, 2 equal, 2, or counted frames
//! +-+-+-+-+-+-+-+-+
//! ```

use crate::payload::Chunk;
use crate::{Error, ParseError};

/// The most samples per channel of one packet: 120 ms at 48 kHz
/// ([RFC 6716 §3.2.5](https://www.rfc-editor.org/rfc/rfc6716#section-3.2.5)).
pub const MAX_SAMPLES: u32 = 5_760;

/// What the TOC byte of an Opus packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Toc(pub u8);

impl Toc {
    /// The configuration: mode, bandwidth and frame size; 0 to 31.
    pub const fn config(self) -> u8 {
        self.0 >> 3
    }

    /// Whether there are two channels.
    pub const fn is_stereo(self) -> bool {
        self.0 & 0b100 != 0
    }

    /// The length of one frame in samples at 48 kHz.
    pub const fn frame_samples(self) -> u32 {
        match self.config() {
            // SILK: 10, 20, 40, 60 ms
            config @ 0..=11 => match config % 4 {
                0 => 480,
                1 => 960,
                2 => 1_920,
                _ => 2_880,
            },
            // hybrid: 10, 20 ms
            config @ 12..=15 => 480 << (config % 2),
            // CELT: 2.5, 5, 10, 20 ms
            config => 120 << (config % 4),
        }
    }

    const fn code(self) -> u8 {
        self.0 & 0b11
    }
}

/// The length of an Opus packet in samples per channel at 48 kHz, which is by how much the RTP timestamp advances
/// ([RFC 7587 §4.1](https://www.rfc-editor.org/rfc/rfc7587#section-4.1)).
///
/// It reads the TOC and, where frames are counted, the count; the frames themselves it does not check.
pub fn samples(packet: &[u8]) -> Result<u32, ParseError> {
    let (&toc, rest) = packet
        .split_first()
        .ok_or(const { ParseError::new(0, "an Opus TOC byte") })?;
    let toc = Toc(toc);
    let frames = match toc.code() {
        0 => 1,
        1 | 2 => 2,
        _ => {
            let count = rest.first().map_or(0, |count| count & 0b11_1111);
            u32::from(count)
        }
    };
    let samples = frames * toc.frame_samples();
    if samples == 0 || samples > MAX_SAMPLES {
        return Err(ParseError::new(
            1,
            "a count of frames, at most 120 ms of them",
        ));
    }
    Ok(samples)
}

/// Puts Opus packets into payloads: as they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Packetizer;

impl Packetizer {
    /// The payload of `frame`; see [`Packetizer::packets`](crate::payload::Packetizer::packets). Opus packets
    /// cannot be divided, so `frame` must fit `max_payload`.
    pub fn packets<'f>(
        &mut self,
        frame: &'f [u8],
        max_payload: usize,
    ) -> Result<Payloads<'f>, Error> {
        if frame.is_empty() || frame.len() > max_payload {
            return Err(Error::FrameLength(frame.len()));
        }
        Ok(Payloads { frame })
    }
}

/// The payload of one Opus packet.
#[derive(Clone, Debug)]
pub struct Payloads<'f> {
    frame: &'f [u8],
}

impl Payloads<'_> {
    /// How many payloads are left: 1, then 0.
    pub fn remaining(&self) -> usize {
        usize::from(!self.frame.is_empty())
    }

    /// Writes it to the front of `out`; see [`Payloads::next`](crate::payload::Payloads::next).
    pub fn next(&mut self, out: &mut [u8]) -> Option<Chunk> {
        let len = self.frame.len();
        if len == 0 {
            return None;
        }
        out.get_mut(..len)?.copy_from_slice(self.frame);
        self.frame = &[];
        Some(Chunk { len, marker: false })
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString as _;
    use std::vec::Vec;

    use super::*;

    fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split(' ').collect())
    }

    #[test]
    fn every_toc_byte_has_its_duration_and_channels() {
        let mut count = 0;
        for row in rows(include_str!("../../testdata/opus_toc.txt")) {
            let toc = Toc(u8::from_str_radix(row[0], 16).unwrap());
            assert_eq!(toc.frame_samples().to_string(), row[1], "{row:?}");
            assert_eq!(toc.is_stereo(), row[2] == "2", "{row:?}");
            count += 1;
        }
        assert_eq!(count, 256);
    }

    #[test]
    fn packets_last_as_long_as_their_frames() {
        for row in rows(include_str!("../../testdata/opus_packets.txt")) {
            let hex = row[0].trim_start_matches('-');
            let packet: Vec<u8> = (0..hex.len() / 2)
                .map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap())
                .collect();
            // the frames' own lengths (R3, R4, R6) are the decoder's to check
            let unseen = row[1] == "invalid" && ["R3", "R4", "R6"].contains(&row[row.len() - 1]);
            match row[1].parse::<u32>() {
                Ok(frames) => {
                    let expected = frames * Toc(packet[0]).frame_samples();
                    assert_eq!(samples(&packet), Ok(expected), "{row:?}");
                }
                Err(_) => assert_eq!(samples(&packet).is_ok(), unseen, "{row:?}"),
            }
        }
    }

    #[test]
    fn a_packet_is_one_payload() {
        let mut payloads = Packetizer.packets(&[0xf8, 1, 2], 3).unwrap();
        let mut out = [0xa5; 4];
        assert!(payloads.next(&mut out[..2]).is_none());
        assert_eq!(payloads.remaining(), 1);
        assert_eq!(
            payloads.next(&mut out),
            Some(Chunk {
                len: 3,
                marker: false
            })
        );
        assert_eq!(out, [0xf8, 1, 2, 0xa5]);
        assert!(payloads.next(&mut out).is_none());
        assert_eq!(
            Packetizer.packets(&[0; 4], 3).unwrap_err(),
            Error::FrameLength(4)
        );
        assert_eq!(
            Packetizer.packets(&[], 3).unwrap_err(),
            Error::FrameLength(0)
        );
    }
}
