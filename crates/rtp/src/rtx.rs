//! The retransmission payload format, RTX ([RFC 4588 §4](https://www.rfc-editor.org/rfc/rfc4588#section-4)): a packet
//! that is sent again, under an SSRC, a payload type and a sequence number of its own.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  RTP header: marker, timestamp, CSRCs and extension of the    |
//! |  original; payload type, number and SSRC of the stream of RTX |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |            OSN                |                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               |
//! |                  Original RTP Packet Payload                  |
//! |                                                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! The two SSRCs share a session (§5.3, "SSRC-multiplexing"). Which belongs to which is for SDP to say, or the caller
//! to find out.

use crate::packet::{FIXED_HEADER_LEN, field};
use crate::{Packet, PayloadType, Ssrc};

/// The length of the original sequence number (OSN), which is the whole payload header.
pub const OSN_LEN: usize = 2;

/// The stream that packets are sent again on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtxStream {
    /// Its source; another than that of the media ([§5.3](https://www.rfc-editor.org/rfc/rfc4588#section-5.3)).
    pub ssrc: Ssrc,
    /// The payload type that SDP ties to the codec's by `apt`
    /// ([§8.6](https://www.rfc-editor.org/rfc/rfc4588#section-8.6)).
    pub payload_type: PayloadType,
}

impl RtxStream {
    /// Writes the packet of this stream that repeats `original` to the front of `out`, as number `sequence_number`, and
    /// returns its length. `None` when `out` is too short.
    ///
    /// `original` must be a packet without padding, `header_len` the length of all in front of its payload.
    pub fn write(
        &self,
        sequence_number: u16,
        original: &[u8],
        header_len: usize,
        out: &mut [u8],
    ) -> Option<usize> {
        let (header, payload) = original.split_at_checked(header_len)?;
        let fixed: &[u8; FIXED_HEADER_LEN] = header.first_chunk()?;
        let len = original.len() + OSN_LEN;
        let (head, body) = out.get_mut(..len)?.split_at_mut_checked(header_len)?;
        let (osn, body) = body.split_at_mut_checked(OSN_LEN)?;
        head.copy_from_slice(header);
        body.copy_from_slice(payload);
        osn.copy_from_slice(fixed.get(field::SEQUENCE_NUMBER)?);
        let marker = fixed[field::MARKER_BYTE] & field::MARKER;
        *head.get_mut(field::MARKER_BYTE)? = marker | self.payload_type.0 & field::PAYLOAD_TYPE;
        head.get_mut(field::SEQUENCE_NUMBER)?
            .copy_from_slice(&sequence_number.to_be_bytes());
        head.get_mut(field::SSRC)?
            .copy_from_slice(&self.ssrc.0.to_be_bytes());
        Some(len)
    }
}

/// The packet that `packet`, one of a stream of RTX, repeats: `ssrc` and `payload_type` are those of the media.
///
/// `None` when it repeats nothing: senders probe the path with packets of padding alone, which have no OSN.
///
/// ```
/// use rtckit_rtp::{Packet, PayloadType, Ssrc, rtx};
///
/// let bytes = [0x80, 0xe1, 0, 1, 0, 0, 0, 9, 0, 0, 0, 2, 0x12, 0x34, 0xaa];
/// let original = rtx::original(&Packet::parse(&bytes)?, Ssrc(1), PayloadType(96)).unwrap();
/// assert_eq!((original.ssrc(), original.payload_type()), (Ssrc(1), PayloadType(96)));
/// assert_eq!((original.sequence_number(), original.timestamp()), (0x1234, 9));
/// assert_eq!(original.payload(), [0xaa]);
/// # Ok::<(), rtckit_rtp::ParseError>(())
/// ```
pub fn original<'a>(
    packet: &Packet<'a>,
    ssrc: Ssrc,
    payload_type: PayloadType,
) -> Option<Packet<'a>> {
    let (&osn, payload) = packet.payload().split_first_chunk::<OSN_LEN>()?;
    Some(packet.under(ssrc, payload_type, u16::from_be_bytes(osn), payload))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Extension, Header, append_padding};

    const STREAM: RtxStream = RtxStream {
        ssrc: Ssrc(0x0102_0304),
        payload_type: PayloadType(97),
    };

    /// By hand from the diagram: VP8's first packet and how it is repeated. The marker, the timestamp, the CSRC and the
    /// extension are the same.
    const ORIGINAL: [u8; 29] = [
        0x91, 0xe0, 0x12, 0x34, 0xde, 0xad, 0xbe, 0xef, 0xca, 0xfe, 0xba, 0xbe, 0, 0, 0,
        7, // header
        0xbe, 0xde, 0, 1, 0x40, b'0', 0, 0, // extension
        0x90, 0x80, 1, 2, 3, // payload
    ];
    const REPEATED: [u8; 31] = [
        0x91, 0xe1, 0xff, 0xff, 0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4, 0, 0, 0, 7, // header
        0xbe, 0xde, 0, 1, 0x40, b'0', 0, 0, // extension
        0x12, 0x34, // OSN
        0x90, 0x80, 1, 2, 3, // payload
    ];

    #[test]
    fn the_vector_is_written_and_read() {
        let mut out = [0xa5; 40];
        assert_eq!(STREAM.write(0xffff, &ORIGINAL, 24, &mut out), Some(31));
        assert_eq!(out[..31], REPEATED);
        assert_eq!(out[31..], [0xa5; 9]);
        let packet = Packet::parse(&REPEATED).unwrap();
        let original = original(&packet, Ssrc(0xcafe_babe), PayloadType(96));
        assert_eq!(original.unwrap(), Packet::parse(&ORIGINAL).unwrap());
    }

    #[test]
    fn every_truncation_is_safe() {
        for len in 0..REPEATED.len() {
            let Ok(packet) = Packet::parse(&REPEATED[..len]) else {
                continue;
            };
            let original = original(&packet, Ssrc(1), PayloadType(96));
            assert_eq!(original.is_some(), len >= 26);
            let mut out = [0xa5; 40];
            assert_eq!(STREAM.write(1, &ORIGINAL, 24, &mut out[..len]), None);
            assert_eq!(out, [0xa5; 40]);
        }
        for len in 0..24 {
            assert_eq!(STREAM.write(1, &ORIGINAL[..len], 24, &mut [0; 40]), None);
        }
    }

    #[test]
    fn padding_repeats_nothing() {
        let mut bytes = REPEATED;
        let len = append_padding(&mut bytes, 24, 7).unwrap();
        let packet = Packet::parse(&bytes[..len]).unwrap();
        assert_eq!(original(&packet, Ssrc(1), PayloadType(96)), None);
        // one byte is no OSN
        let packet = Packet::parse(&REPEATED[..25]).unwrap();
        assert_eq!(original(&packet, Ssrc(1), PayloadType(96)), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn what_is_wrapped_is_unwrapped(
            marker: bool,
            sequence_number: u16,
            again: u16,
            timestamp: u32,
            ssrc: u32,
            payload_type in 0_u8..128,
            mid in proptest::collection::vec(any::<u8>(), 0..8),
            csrcs in proptest::collection::vec(any::<u32>(), 0..4),
            payload in proptest::collection::vec(any::<u8>(), 0..64),
            padding: u8,
        ) {
            let csrcs: std::vec::Vec<Ssrc> = csrcs.into_iter().map(Ssrc).collect();
            let extension = (!mid.is_empty()).then_some(Extension { id: 3, data: &mid });
            let header = Header {
                marker,
                payload_type: PayloadType(payload_type),
                sequence_number,
                timestamp,
                ssrc: Ssrc(ssrc),
                csrcs: &csrcs,
                extensions: extension.as_slice(),
            };
            let mut bytes = [0xa5; 512];
            let at = header.write(&mut bytes).unwrap();
            let len = at + payload.len();
            bytes[at..len].copy_from_slice(&payload);
            let mut out = [0xa5; 512];
            let len = STREAM.write(again, &bytes[..len], at, &mut out).unwrap();
            let len = append_padding(&mut out, len, padding).unwrap();
            let packet = Packet::parse(&out[..len]).unwrap();
            prop_assert_eq!((packet.ssrc(), packet.payload_type()), (STREAM.ssrc, STREAM.payload_type));
            prop_assert_eq!(packet.sequence_number(), again);
            let original = original(&packet, Ssrc(ssrc), PayloadType(payload_type)).unwrap();
            prop_assert_eq!(original.sequence_number(), sequence_number);
            prop_assert_eq!(original.header_len(), at);
            prop_assert_eq!(original.payload(), &payload);
            prop_assert_eq!(original.padding_len(), padding);
            let plain = Packet::parse(&bytes[..at]).unwrap();
            prop_assert_eq!(
                (original.marker(), original.timestamp(), original.raw_extension()),
                (plain.marker(), plain.timestamp(), plain.raw_extension())
            );
            prop_assert!(original.csrcs().eq(plain.csrcs()));
        }
    }
}
