//! RTP and RTCP of Chromium and Firefox: read, and written again byte for byte.
#![allow(
    clippy::unwrap_used,
    clippy::std_instead_of_core,
    reason = "a test may panic, and has a standard library"
)]

use std::collections::BTreeMap;

use rtckit_proto::Instant;
use rtckit_rtp::payload::{Codec, opus, vp8};
use rtckit_rtp::rtcp::{self, Compound, ReportBlock, RtcpPacket};
use rtckit_rtp::{
    Extension, Header, Packet, PayloadType, ReceiveConfig, ReceiveStats, ReceiveStream, Ssrc,
    append_padding, rtx,
};

const CHROMIUM: &str = include_str!("../testdata/chromium156_vp8.txt");
const FIREFOX: &str = include_str!("../testdata/firefox153_vp8.txt");

/// The packets of one kind in a capture.
fn packets<'c>(capture: &'c str, kind: &'c str) -> impl Iterator<Item = Vec<u8>> + 'c {
    let lines = capture.lines().filter_map(move |line| {
        let (this, hex) = line.split_once(' ')?;
        (this == kind).then_some(hex)
    });
    lines.map(|hex| {
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(byte).collect()
    })
}

#[test]
fn rtp_packets_are_written_again_as_they_were() {
    for (capture, expected) in [(CHROMIUM, 90), (FIREFOX, 80)] {
        let mut count = 0;
        for bytes in packets(capture, "rtp") {
            let packet = Packet::parse(&bytes).unwrap();
            let csrcs: Vec<Ssrc> = packet.csrcs().collect();
            let extensions: Vec<Extension<'_>> = packet.extensions().collect();
            let header = Header {
                marker: packet.marker(),
                payload_type: packet.payload_type(),
                sequence_number: packet.sequence_number(),
                timestamp: packet.timestamp(),
                ssrc: packet.ssrc(),
                csrcs: &csrcs,
                extensions: &extensions,
            };
            let mut buf = [0xa5; 1_500];
            let at = header.write(&mut buf).unwrap();
            let end = at + packet.payload().len();
            buf[at..end].copy_from_slice(packet.payload());
            let len = append_padding(&mut buf, end, packet.padding_len()).unwrap();
            // padding need not be zeros, and Firefox's is not
            buf[end..len].copy_from_slice(&bytes[end..]);
            assert_eq!(buf[..len], bytes);
            count += 1;
        }
        assert!(count >= expected, "{count}");
    }
}

/// What a receiver makes of every stream with this payload type.
fn receive(capture: &str, payload_type: u8, codec: Codec) -> Vec<(ReceiveStats, usize)> {
    let mut streams = BTreeMap::new();
    let now = Instant::ZERO;
    for bytes in packets(capture, "rtp") {
        let packet = Packet::parse(&bytes).unwrap();
        if packet.payload_type().0 != payload_type {
            continue;
        }
        let (stream, bytes) = streams.entry(packet.ssrc()).or_insert_with(|| {
            let config = ReceiveConfig::new(packet.ssrc(), codec, true);
            (ReceiveStream::new(config).unwrap(), 0)
        });
        stream.handle_packet(now, &packet);
        while let Some(frame) = stream.poll_frame(now) {
            assert!(frame.contiguous);
            *bytes += frame.data.len();
            match codec {
                Codec::Vp8 => {
                    let header = vp8::FrameHeader::parse(frame.data).unwrap();
                    assert_eq!(header.key_frame, frame.key_frame);
                    let size = frame.key_frame.then_some((320, 240));
                    assert_eq!(header.size, size);
                }
                _ => assert_eq!(opus::samples(frame.data), Ok(960)),
            }
        }
    }
    let streams = streams.into_values();
    streams
        .map(|(stream, bytes)| (stream.stats(), bytes))
        .collect()
}

#[test]
fn captured_streams_come_out_as_whole_frames() {
    for (capture, video, audio) in [(CHROMIUM, 96, 111), (FIREFOX, 120, 109)] {
        let streams = receive(capture, video, Codec::Vp8);
        assert_eq!(streams.len(), 2);
        for (stats, bytes) in streams {
            assert_eq!((stats.lost, stats.malformed), (0, 0));
            assert!(stats.packets >= 24);
            assert_eq!((stats.key_frames, stats.skips), (1, 0));
            // the descriptor of both browsers has four bytes
            assert_eq!(bytes as u64, stats.payload_bytes - 4 * stats.packets);
            assert!(stats.frames >= 13, "{}", stats.frames);
        }
        for (stats, bytes) in receive(capture, audio, Codec::Opus) {
            assert_eq!((stats.packets, stats.frames, stats.lost), (12, 12, 0));
            assert_eq!(bytes as u64, stats.payload_bytes);
        }
    }
}

/// Chromium repeats its last frames, padded, to probe for bandwidth, and goes on with packets of padding alone.
#[test]
fn chromiums_probes_on_rtx_change_nothing() {
    let now = Instant::ZERO;
    for (media, rtx) in [(3_454_303_903, 980_338_256), (3_957_455_226, 3_872_362_712)] {
        let config = ReceiveConfig::new(Ssrc(media), Codec::Vp8, true);
        let mut stream = ReceiveStream::new(config).unwrap();
        let (mut sent, mut frames) = ((0, 0, 0), 0);
        for bytes in packets(CHROMIUM, "rtp") {
            let packet = Packet::parse(&bytes).unwrap();
            match (packet.ssrc().0, packet.payload_type().0) {
                (ssrc, 96) if ssrc == media => {
                    stream.handle_packet(now, &packet);
                    sent.0 += 1;
                }
                (ssrc, 97) if ssrc == rtx => {
                    stream.handle_retransmission(now, &packet);
                    let is_probe = packet.payload().is_empty();
                    sent.1 += u64::from(!is_probe);
                    sent.2 += u64::from(is_probe);
                }
                _ => {}
            }
            while let Some(frame) = stream.poll_frame(now) {
                assert!(frame.contiguous);
                frames += 1;
            }
        }
        let stats = stream.stats();
        assert!(sent.1 >= 3 && sent.2 >= 7, "{sent:?}");
        assert_eq!((stats.packets, stats.duplicates), (sent.0, sent.1));
        assert_eq!(stats.retransmitted_ignored, sent.2);
        assert_eq!(
            (stats.lost, stats.skips, stats.restarts, stats.retransmitted),
            (0, 0, 0, 0)
        );
        assert_eq!(stats.frames, frames);
        assert!(frames >= 13);
    }
}

/// The same, but one packet that Chromium repeats is lost: the repetition takes its place.
#[test]
fn what_chromium_repeats_repairs_the_stream() {
    let now = Instant::ZERO;
    let mut repaired = 0;
    for (media, ssrc) in [(3_454_303_903, 980_338_256), (3_957_455_226, 3_872_362_712)] {
        let all: Vec<Vec<u8>> = packets(CHROMIUM, "rtp").collect();
        let of = |ssrc: u32| {
            let parsed = all.iter().map(|bytes| Packet::parse(bytes).unwrap());
            parsed.filter(move |packet| packet.ssrc().0 == ssrc)
        };
        for again in of(ssrc) {
            let Some(original) = rtx::original(&again, Ssrc(media), PayloadType(96)) else {
                continue;
            };
            let number = original.sequence_number();
            let lost = of(media).find(|packet| packet.sequence_number() == number);
            let lost = lost.unwrap();
            assert_eq!(lost.payload(), original.payload());
            assert_eq!(
                (lost.timestamp(), lost.marker()),
                (original.timestamp(), original.marker())
            );
            let config = ReceiveConfig::new(Ssrc(media), Codec::Vp8, true);
            let mut stream = ReceiveStream::new(config).unwrap();
            for packet in of(media).filter(|packet| packet.sequence_number() != number) {
                stream.handle_packet(now, &packet);
            }
            stream.handle_retransmission(now, &again);
            while let Some(frame) = stream.poll_frame(now) {
                assert!(frame.contiguous);
            }
            let stats = stream.stats();
            assert_eq!((stats.retransmitted, stats.skips), (1, 0));
            assert!(stats.frames >= 13);
            repaired += 1;
        }
    }
    assert_eq!(repaired, 6);
}

#[test]
fn rtcp_packets_are_read_and_written_again() {
    let mut kinds = [0; 4];
    for capture in [CHROMIUM, FIREFOX] {
        for bytes in packets(capture, "rtcp") {
            assert!(rtcp::is_rtcp(&bytes));
            let mut buf = [0xa5; 1_500];
            let mut compound = Compound::new(&mut buf);
            let mut padded = false;
            for packet in rtcp::packets(&bytes) {
                match packet.unwrap() {
                    RtcpPacket::SenderReport(sr) => {
                        let reports: Vec<ReportBlock> = sr.reports.collect();
                        compound.sender_report(&sr.sender, &reports).unwrap();
                        kinds[0] += 1;
                    }
                    RtcpPacket::ReceiverReport(rr) => {
                        let reports: Vec<ReportBlock> = rr.reports.collect();
                        compound.receiver_report(rr.ssrc, &reports).unwrap();
                        kinds[1] += 1;
                    }
                    RtcpPacket::SourceDescription(sdes) => {
                        let (ssrc, cname) = sdes.cname().unwrap();
                        let cname = std::str::from_utf8(cname).unwrap();
                        compound.cname(ssrc, cname).unwrap();
                        kinds[2] += 1;
                    }
                    RtcpPacket::Unknown(unknown) => {
                        let (packet_type, count) = (unknown.packet_type, unknown.count);
                        if unknown.body.len() % 4 == 0 {
                            compound.raw(packet_type, count, unknown.body).unwrap();
                        }
                        padded |= bytes[0] & 0x20 != 0;
                        kinds[3] += 1;
                    }
                    other => panic!("unexpected in this capture: {other:?}"),
                }
            }
            // transport-wide feedback is padded; the writer never pads
            if !padded {
                let len = compound.len();
                assert_eq!(buf[..len], bytes);
            }
        }
    }
    assert!(kinds.iter().all(|&count| count >= 9), "{kinds:?}");
}

#[test]
fn every_truncation_of_a_captured_packet_is_safe() {
    for capture in [CHROMIUM, FIREFOX] {
        for bytes in packets(capture, "rtp").step_by(9) {
            for len in 0..bytes.len() {
                if let Ok(packet) = Packet::parse(&bytes[..len]) {
                    assert!(packet.header_len() + packet.payload().len() <= len);
                    Codec::Vp8.depacketize(packet.payload()).ok();
                    packet.extensions().for_each(drop);
                }
            }
        }
        for bytes in packets(capture, "rtcp") {
            for len in 0..bytes.len() {
                assert!(rtcp::packets(&bytes[..len]).count() <= 1 + len / 4);
            }
        }
    }
}
