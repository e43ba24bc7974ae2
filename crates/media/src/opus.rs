//! What the first bytes of an Opus packet say.

/// The longest packet in samples at 48 kHz: 120 ms
/// ([RFC 6716 §3.2.5](https://www.rfc-editor.org/rfc/rfc6716#section-3.2.5)).
pub const MAX_PACKET_DURATION: u32 = 5760;

/// The duration of an Opus packet in samples at 48 kHz, or `None` if it is not one: empty, without its frame
/// count, with no frames, or longer than 120 ms
/// ([RFC 6716 §3.1](https://www.rfc-editor.org/rfc/rfc6716#section-3.1)).
///
/// ```text
///    0 1 2 3 4 5 6 7      0 1 2 3 4 5 6 7
///   +-+-+-+-+-+-+-+-+    +-+-+-+-+-+-+-+-+
///   | config  |s| c |    |v|p|     M     |
///   +-+-+-+-+-+-+-+-+    +-+-+-+-+-+-+-+-+
///    the TOC byte         M frames, when c is 3
/// ```
///
/// ```
/// use rtckit_media::opus::packet_duration;
///
/// assert_eq!(packet_duration(&[0b11111_1_00]), Some(960), "CELT, stereo, one frame of 20 ms");
/// assert_eq!(packet_duration(&[0b11111_1_11, 3]), Some(2880), "three frames of 20 ms");
/// assert_eq!(packet_duration(&[]), None);
/// ```
pub fn packet_duration(packet: &[u8]) -> Option<u32> {
    rtckit_rtp::payload::opus::samples(packet).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_every_configuration() {
        // RFC 6716 §3.1, Table 2, in units of 2.5 ms
        let silk = [4, 8, 16, 24];
        let celt = [1, 2, 4, 8];
        let expected: Vec<u32> = [silk, silk, silk, [4, 8, 4, 8], celt, celt, celt, celt]
            .concat()
            .into_iter()
            .map(|units| units * 120)
            .collect();
        let found: Vec<u32> = (0..32)
            .filter_map(|config| packet_duration(&[config << 3]))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn frame_counts() {
        assert_eq!(packet_duration(&[0x01]), Some(960));
        assert_eq!(packet_duration(&[0x02]), Some(960));
        assert_eq!(packet_duration(&[0x03]), None, "the count is missing");
        assert_eq!(packet_duration(&[0x03, 0]), None, "no frames");
        assert_eq!(
            packet_duration(&[0x03, 12 | 0xc0]),
            Some(MAX_PACKET_DURATION)
        );
        assert_eq!(packet_duration(&[0x03, 13]), None, "longer than 120 ms");
    }
}
