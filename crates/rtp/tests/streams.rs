//! Streams over a bad network, in virtual time: what is sent comes out, byte for byte, or is skipped in time.
#![allow(
    clippy::unwrap_used,
    clippy::std_instead_of_core,
    reason = "a test may panic, and has a standard library"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use rtckit_proto::{Instant, Random, SeededRandom, WallClock};
use rtckit_rtp::payload::Codec;
use rtckit_rtp::rtcp::{self, Compound, RtcpPacket};
use rtckit_rtp::rtx::RtxStream;
use rtckit_rtp::{
    Error, Header, Packet, PayloadType, ReceiveConfig, ReceiveStream, SendConfig, SendStream, Ssrc,
};

const SSRC: Ssrc = Ssrc(0xcafe);
const RTX: RtxStream = RtxStream {
    ssrc: Ssrc(0xbeef),
    payload_type: PayloadType(97),
};
const STEP: Duration = Duration::from_millis(1);

/// What the network does to packets on their way to the receiver, in percent, and to all in milliseconds.
#[derive(Clone, Copy)]
struct Network {
    loss: u64,
    duplicate: u64,
    delay: u64,
    jitter: u64,
}

/// What came out.
#[derive(Debug, PartialEq)]
struct Received {
    data: Vec<u8>,
    timestamp: u32,
    key_frame: bool,
    contiguous: bool,
}

/// A sender, a receiver, and the packets between them by the time they arrive.
struct Call {
    now: Instant,
    random: SeededRandom,
    network: Network,
    sender: SendStream,
    receiver: ReceiveStream,
    to_receiver: BTreeMap<(Instant, u64), Vec<u8>>,
    to_sender: BTreeMap<(Instant, u64), Vec<u8>>,
    count: u64,
    received: Vec<Received>,
    /// How many packets at the beginning are not lost: a receiver cannot know
    /// what was before the first that came.
    spare: usize,
}

impl Call {
    fn new(codec: Codec, nack: bool, network: Network, seed: u64) -> Self {
        let config = SendConfig {
            mid: Some((4, b"0".to_vec())),
            ..SendConfig::new(SSRC, PayloadType(96), codec, seed)
        };
        Self {
            now: Instant::from_millis(5),
            random: SeededRandom::new(seed),
            network,
            sender: SendStream::new(&config).unwrap(),
            receiver: ReceiveStream::new(ReceiveConfig::new(SSRC, codec, nack)).unwrap(),
            to_receiver: BTreeMap::new(),
            to_sender: BTreeMap::new(),
            count: 0,
            received: Vec::new(),
            spare: 1,
        }
    }

    fn arrival(&mut self) -> (Instant, u64) {
        self.count += 1;
        let delay = self.network.delay + self.random.below(self.network.jitter + 1);
        (self.now + Duration::from_millis(delay), self.count)
    }

    fn send(&mut self) {
        let mut buf = [0; 1_500];
        while let Some(len) = self.sender.poll_packet(self.now, &mut buf) {
            let spared = self.spare > 0;
            self.spare = self.spare.saturating_sub(1);
            if !spared && self.random.below(100) < self.network.loss {
                continue;
            }
            let at = self.arrival();
            self.to_receiver.insert(at, buf[..len].to_vec());
            if self.random.below(100) < self.network.duplicate {
                let at = self.arrival();
                self.to_receiver.insert(at, buf[..len].to_vec());
            }
        }
    }

    fn receive(&mut self) {
        let later = self.to_receiver.split_off(&(self.now, u64::MAX));
        for bytes in std::mem::replace(&mut self.to_receiver, later).into_values() {
            let packet = Packet::parse(&bytes).unwrap();
            assert_eq!(packet.extension(4), Some(&b"0"[..]));
            if packet.payload_type() == RTX.payload_type {
                assert_eq!(packet.ssrc(), RTX.ssrc);
                self.receiver.handle_retransmission(self.now, &packet);
            } else {
                self.receiver.handle_packet(self.now, &packet);
            }
        }
        while let Some(frame) = self.receiver.poll_frame(self.now) {
            self.received.push(Received {
                data: frame.data.to_vec(),
                timestamp: frame.timestamp,
                key_frame: frame.key_frame,
                contiguous: frame.contiguous,
            });
        }
    }

    fn feed_back(&mut self) {
        let mut numbers = [0; 64];
        let mut buf = [0; 500];
        loop {
            let count = self.receiver.poll_nack(self.now, &mut numbers);
            if count == 0 {
                break;
            }
            let mut compound = Compound::new(&mut buf);
            let numbers = numbers[..count].iter().copied();
            compound.nack(Ssrc(1), SSRC, numbers).unwrap();
            let len = compound.len();
            let at = self.arrival();
            self.to_sender.insert(at, buf[..len].to_vec());
        }
        let later = self.to_sender.split_off(&(self.now, u64::MAX));
        for bytes in std::mem::replace(&mut self.to_sender, later).into_values() {
            for packet in rtcp::packets(&bytes) {
                if let Ok(RtcpPacket::Nack(nack)) = packet {
                    self.sender.handle_nack(self.now, nack.sequence_numbers());
                }
            }
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.send();
            self.receive();
            self.feed_back();
            self.now += STEP;
        }
    }

    fn write(&mut self, timestamp: u32, frame: &[u8]) {
        self.sender.write_frame(self.now, timestamp, frame).unwrap();
    }
}

/// Frame `n` of a stream: like VP8, with a key frame every 30.
fn vp8_frame(random: &mut SeededRandom, n: usize) -> Vec<u8> {
    let mut frame = vec![0; 200 + random.below(9_000) as usize];
    random.fill(&mut frame);
    if n.is_multiple_of(30) {
        frame[0] &= !1;
        frame[3..6].copy_from_slice(&[0x9d, 0x01, 0x2a]);
    } else {
        frame[0] |= 1;
    }
    frame
}

#[test]
fn video_over_a_lossy_network_is_repaired_byte_for_byte() {
    for (seed, with_rtx) in [
        (0, false),
        (1, false),
        (2, false),
        (3, true),
        (4, true),
        (5, true),
    ] {
        let network = Network {
            loss: 10,
            duplicate: 5,
            delay: 15,
            jitter: 8,
        };
        let mut call = Call::new(Codec::Vp8, true, network, seed);
        if with_rtx {
            call.sender.set_payload_types(PayloadType(96), Some(RTX));
        }
        call.sender.set_rtt(Duration::from_millis(40));
        call.receiver.set_rtt(Duration::from_millis(40));
        let mut random = SeededRandom::new(seed + 100);
        let mut frames: Vec<_> = (0..90).map(|n| vp8_frame(&mut random, n)).collect();
        for (n, frame) in frames.iter().enumerate() {
            call.write(n as u32 * 3_000, frame);
            call.run(Duration::from_millis(33));
        }
        // nothing can tell that the last packet of all was lost, so let it come
        call.network.loss = 0;
        frames.push(vec![1; 500]);
        call.write(90 * 3_000, &frames[90]);
        call.run(Duration::from_millis(1_500));
        assert!(
            call.received.iter().map(|frame| &frame.data).eq(&frames),
            "seed {seed}: {:?}, {} frames",
            call.receiver.stats(),
            call.received.len()
        );
        assert!(call.received.iter().all(|frame| frame.contiguous));
        let key_frames = call.received.iter().filter(|frame| frame.key_frame).count();
        assert_eq!(key_frames, 3);
        let stamps = call.received.windows(2);
        assert!(
            stamps
                .into_iter()
                .all(|w| w[1].timestamp.wrapping_sub(w[0].timestamp) == 3_000)
        );

        let (sent, seen) = (*call.sender.stats(), call.receiver.stats());
        assert!(seen.repaired > 10 && seen.repaired <= sent.retransmitted_packets);
        assert!(seen.duplicates > 0 && seen.jitter > 0);
        assert_eq!((seen.skips, seen.key_frame_requests), (0, 0));
        if with_rtx {
            // the report is on the stream: what was lost of it stays lost
            assert_eq!(sent.rtx_packets, sent.retransmitted_packets);
            assert_eq!(seen.lost, seen.retransmitted as i64);
            assert!(seen.retransmitted >= seen.repaired);
            assert_eq!(seen.packets, sent.packets - sent.rtx_packets);
            assert_eq!(seen.retransmitted_ignored, 0);
        } else {
            assert_eq!((seen.lost, seen.retransmitted, sent.rtx_packets), (0, 0, 0));
        }
        assert!(seen.nacks >= sent.nacks && sent.nacks > 0);
        // nothing is left to do
        assert_eq!(call.receiver.poll_timeout(), None);
        assert_eq!(call.sender.queued_packets(), 0);
    }
}

#[test]
fn audio_without_nack_skips_what_was_lost_and_goes_on() {
    let network = Network {
        loss: 5,
        duplicate: 2,
        delay: 10,
        jitter: 30,
    };
    let mut call = Call::new(Codec::Opus, false, network, 3);
    let mut frames = Vec::new();
    for n in 0..300u32 {
        let frame = [&[0xf8][..], &n.to_be_bytes()].concat();
        call.write(n * 960, &frame);
        frames.push(frame);
        call.run(Duration::from_millis(20));
    }
    call.run(Duration::from_millis(200));
    let stats = call.receiver.stats();
    assert!(call.received.len() > 260 && call.received.len() < 300);
    assert_eq!(call.received.len() as i64 + stats.lost, 300);
    assert_eq!(stats.nacks, 0);
    assert_eq!(stats.key_frame_requests, 0);
    // in order, and each hole is announced
    let mut expected = frames.iter();
    for frame in &call.received {
        let skipped = expected
            .by_ref()
            .take_while(|&sent| *sent != frame.data)
            .count();
        assert_eq!(frame.contiguous, skipped == 0);
    }
}

#[test]
fn a_frame_that_cannot_be_repaired_is_skipped_and_a_key_frame_is_asked_for() {
    let network = Network {
        loss: 0,
        duplicate: 0,
        delay: 5,
        jitter: 0,
    };
    let mut call = Call::new(Codec::Vp8, true, network, 1);
    let mut random = SeededRandom::new(9);
    call.write(0, &vp8_frame(&mut random, 0));
    call.run(Duration::from_millis(20));
    assert_eq!(call.received.len(), 1);
    // this one never gets out of the house, and the sender is deaf to NACKs
    call.write(3_000, &vp8_frame(&mut random, 1));
    while call.sender.poll_packet(call.now, &mut [0; 1_500]).is_some() {}
    call.write(6_000, &vp8_frame(&mut random, 2));
    let mut numbers = [0; 64];
    let mut buf = [0; 1_500];
    while let Some(len) = call.sender.poll_packet(call.now, &mut buf) {
        call.receiver
            .handle_packet(call.now, &Packet::parse(&buf[..len]).unwrap());
    }
    let start = call.now;
    let mut asked = 0;
    let frame = loop {
        let next = call
            .receiver
            .poll_timeout()
            .expect("it must not wait for ever");
        assert!(
            next > call.now,
            "a timeout in the past is a busy loop: {next:?} at {:?}, {asked} asked, {:?}",
            call.now,
            call.receiver.stats()
        );
        call.now = next;
        call.receiver.handle_timeout(call.now);
        while call.receiver.poll_nack(call.now, &mut numbers) > 0 {
            asked += 1;
        }
        if let Some(frame) = call.receiver.poll_frame(call.now) {
            break (frame.timestamp, frame.contiguous);
        }
    };
    assert_eq!(frame.0.wrapping_sub(call.received[0].timestamp), 6_000);
    assert!(!frame.1);
    assert!(asked >= 5, "{asked}");
    assert_eq!(call.now - start, Duration::from_millis(1_000));
    // once in half a second until it comes
    assert!(call.receiver.poll_key_frame_request(call.now));
    assert!(!call.receiver.poll_key_frame_request(call.now));
    assert_eq!(
        call.receiver.poll_timeout(),
        Some(call.now + Duration::from_millis(500))
    );
    assert!(
        call.receiver
            .poll_key_frame_request(call.now + Duration::from_millis(500))
    );
    let key_frame = vp8_frame(&mut random, 30);
    call.write(9_000, &key_frame);
    call.run(Duration::from_millis(20));
    assert_eq!(call.received.last().unwrap().data, key_frame);
    assert!(call.received.last().unwrap().contiguous);
    assert_eq!(call.receiver.poll_timeout(), None);
}

#[test]
fn sequence_numbers_and_timestamps_wrap() {
    let network = Network {
        loss: 3,
        duplicate: 3,
        delay: 3,
        jitter: 8,
    };
    for with_rtx in [false, true] {
        sequence_numbers_and_timestamps_wrap_with(network, with_rtx);
    }
}

fn sequence_numbers_and_timestamps_wrap_with(network: Network, with_rtx: bool) {
    let mut call = Call::new(Codec::Vp8, true, network, 77);
    if with_rtx {
        call.sender.set_payload_types(PayloadType(96), Some(RTX));
    }
    call.receiver.set_rtt(Duration::from_millis(15));
    call.sender.set_rtt(Duration::from_millis(15));
    let mut random = SeededRandom::new(1);
    // 200 packets a frame, so that 65536 numbers are used up soon; the clock runs fast for the same reason
    let mut wrapped = (false, false);
    for n in 0..400u32 {
        let mut frame = vec![0; 200 * 1_100];
        random.fill(&mut frame[..1_000]);
        frame[0] = 1;
        call.write(n.wrapping_mul(15_000_000), &frame);
        call.run(Duration::from_millis(20));
        if let [.., before, after] = &call.received[..] {
            wrapped.0 |= after.timestamp < before.timestamp;
        }
        call.received.truncate(2);
        wrapped.1 |= call.sender.stats().packets > 70_000;
    }
    call.run(Duration::from_millis(1_000));
    assert_eq!(wrapped, (true, true));
    let stats = call.receiver.stats();
    assert_eq!((stats.frames, stats.skips, stats.restarts), (400, 0, 0));
    assert_eq!(stats.lost, stats.retransmitted as i64);
    assert_eq!(stats.retransmitted > 1_000, with_rtx);
    let report = call.receiver.report_block(call.now).unwrap();
    assert!(report.highest_sequence > 65_536);
}

/// What `packet` is on the stream of RTX, as its packet `number`.
fn again(packet: &[u8], number: u16) -> Vec<u8> {
    let mut out = vec![0xa5; packet.len() + 2];
    let header_len = Packet::parse(packet).unwrap().header_len();
    let len = RTX.write(number, packet, header_len, &mut out);
    assert_eq!(len, Some(out.len()));
    out
}

fn feed_again(stream: &mut ReceiveStream, bytes: &[u8]) {
    stream.handle_retransmission(Instant::ZERO, &Packet::parse(bytes).unwrap());
}

/// Early packets may be lost, and a receiver that hears of a stream beyond its first roll-over, or near it, cannot tell
/// SRTP's counter ([RFC 3711 §3.3.1](https://www.rfc-editor.org/rfc/rfc3711#section-3.3.1)).
#[test]
fn sequence_numbers_begin_in_the_lower_half() {
    let mut firsts = Vec::new();
    for seed in 0..64 {
        let config = SendConfig {
            rtx: Some(RTX),
            ..SendConfig::new(SSRC, PayloadType(96), Codec::Vp8, seed)
        };
        let mut sender = SendStream::new(&config).unwrap();
        let mut buf = [0; 1_200];
        sender.write_frame(Instant::ZERO, 0, &[1; 10]).unwrap();
        let mut poll = |now| {
            let len = sender.poll_packet(now, &mut buf).unwrap();
            let packet = Packet::parse(&buf[..len]).unwrap();
            let number = packet.sequence_number();
            sender.handle_nack(Instant::from_millis(1_000), [number]);
            (packet.ssrc(), number)
        };
        let (ssrc, first) = poll(Instant::ZERO);
        let (rtx_ssrc, rtx_first) = poll(Instant::from_millis(1_000));
        assert_eq!((ssrc, rtx_ssrc), (SSRC, RTX.ssrc));
        firsts.extend([first, rtx_first]);
    }
    assert!(firsts.iter().all(|&first| first < 0x8000), "{firsts:?}");
    // and anywhere in it: to guess them would help whoever attacks the cipher (RFC 3550 §5.1)
    for bit in 0..15 {
        let set = firsts.iter().filter(|&first| first >> bit & 1 == 1).count();
        assert!((30..=98).contains(&set), "bit {bit}: {set} of 128");
    }
}

#[test]
fn a_packet_sent_again_has_a_number_of_its_own_each_time() {
    let config = SendConfig {
        rtx: Some(RTX),
        mid: Some((4, b"video".to_vec())),
        ..SendConfig::new(SSRC, PayloadType(96), Codec::Vp8, 5)
    };
    let mut sender = SendStream::new(&config).unwrap();
    let mut buf = [0xa5; 1_200];
    sender.write_frame(Instant::ZERO, 7, &[1; 3_000]).unwrap();
    let mut packets = Vec::new();
    while let Some(len) = sender.poll_packet(Instant::ZERO, &mut buf) {
        packets.push(buf[..len].to_vec());
    }
    let original = Packet::parse(&packets[1]).unwrap();
    let mut numbers = Vec::new();
    for round in 1..=16 {
        let now = Instant::from_millis(round * 200);
        sender.handle_nack(now, [original.sequence_number()]);
        // it needs more room than the original: it waits until there is
        assert_eq!(
            sender.poll_packet(now, &mut buf[..packets[1].len() + 1]),
            None
        );
        let len = sender.poll_packet(now, &mut buf).unwrap();
        assert_eq!(len, packets[1].len() + 2);
        assert_eq!(sender.poll_packet(now, &mut buf), None);
        let packet = Packet::parse(&buf[..len]).unwrap();
        assert_eq!(
            (packet.ssrc(), packet.payload_type()),
            (RTX.ssrc, RTX.payload_type)
        );
        assert_eq!(packet.extension(4), Some(&b"video"[..]));
        numbers.push(packet.sequence_number());
        let repeated = rtckit_rtp::rtx::original(&packet, SSRC, PayloadType(96)).unwrap();
        assert_eq!(repeated, original);
    }
    assert!(numbers.windows(2).all(|w| w[1] == w[0].wrapping_add(1)));
    // the report on the stream counts what has its source
    let clock = WallClock::new(Duration::ZERO);
    let report = sender
        .sender_report(Instant::from_millis(4_000), &clock)
        .unwrap();
    assert_eq!(
        (report.ssrc, report.packet_count),
        (SSRC, packets.len() as u32)
    );
    let (stats, len) = (*sender.stats(), original.payload().len() as u64);
    assert_eq!((stats.retransmitted_packets, stats.rtx_packets), (16, 16));
    assert_eq!(
        (stats.retransmitted_bytes, stats.rtx_bytes),
        (16 * len, 16 * len)
    );
    assert_eq!(stats.packets, packets.len() as u64 + 16);
    // RTX is given up: the same bytes again
    sender.set_payload_types(PayloadType(100), None);
    sender.handle_nack(
        Instant::from_millis(5_000),
        [Packet::parse(&packets[0]).unwrap().sequence_number()],
    );
    let len = sender
        .poll_packet(Instant::from_millis(5_000), &mut buf)
        .unwrap();
    assert_eq!(buf[..len], packets[0]);
    sender
        .write_frame(Instant::from_millis(5_000), 9, &[1; 10])
        .unwrap();
    let len = sender
        .poll_packet(Instant::from_millis(5_000), &mut buf)
        .unwrap();
    assert_eq!(
        Packet::parse(&buf[..len]).unwrap().payload_type(),
        PayloadType(100)
    );
}

#[test]
fn rtx_fills_holes_before_and_behind_the_wrap_and_is_no_packet_of_the_stream() {
    let mut stream = video();
    feed(&mut stream, &packet(65_534, 1, true, true, 1));
    feed(&mut stream, &packet(1, 4, true, true, 4));
    // in the hole, then behind the last packet: that one was lost too, and nobody knew
    for (number, timestamp) in [(0, 3), (65_535, 2), (2, 5)] {
        let original = packet(number, timestamp, true, true, timestamp as u8);
        feed_again(&mut stream, &again(&original, number.wrapping_add(77)));
    }
    for expected in 1..=5 {
        let frame = stream.poll_frame(Instant::ZERO).unwrap();
        assert_eq!((frame.timestamp, frame.contiguous), (expected, true));
    }
    let stats = stream.stats();
    assert_eq!((stats.packets, stats.retransmitted, stats.lost), (5, 3, 2));
    let report = stream.report_block(Instant::ZERO).unwrap();
    assert_eq!(
        report.highest_sequence & 0xffff,
        1,
        "what RTX brought is not in it"
    );
    assert_eq!((report.cumulative_lost, report.fraction_lost), (2, 128));
    // the one that RTX was ahead of comes after all
    feed(&mut stream, &packet(2, 5, true, true, 5));
    assert_eq!(stream.stats().duplicates, 1);
    assert_eq!(stream.poll_frame(Instant::ZERO), None);
}

#[test]
fn rtx_that_probes_or_repeats_for_nothing_is_survived() {
    let mut stream = video();
    let probe = |padding| {
        let mut bytes = vec![0; 300];
        let header = Header {
            payload_type: RTX.payload_type,
            ssrc: RTX.ssrc,
            ..Header::default()
        };
        let len = header.write(&mut bytes).unwrap();
        let len = rtckit_rtp::append_padding(&mut bytes, len, padding).unwrap();
        bytes.truncate(len);
        bytes
    };
    let first = packet(500, 1, true, true, 1);
    // before the stream has begun: of padding, empty, and a true one
    for bytes in [probe(255), probe(0), again(&first, 1)] {
        feed_again(&mut stream, &bytes);
    }
    assert_eq!(stream.stats().retransmitted_ignored, 3);
    assert_eq!(stream.poll_timeout(), None);
    feed(&mut stream, &first);
    assert!(stream.poll_frame(Instant::ZERO).is_some());
    // of what came, of what is long past, and of what is far ahead: nothing starts over
    for number in [
        500,
        500_u16.wrapping_sub(3_001),
        500 + 3_001,
        500 + 3_002,
        40_000,
    ] {
        feed_again(&mut stream, &again(&packet(number, 1, true, true, 1), 2));
    }
    feed_again(&mut stream, &probe(1));
    let stats = stream.stats();
    assert_eq!((stats.duplicates, stats.retransmitted_ignored), (1, 8));
    assert_eq!(
        (stats.restarts, stats.packets, stats.retransmitted),
        (0, 1, 0)
    );
    assert_eq!(
        stream.poll_nack(Instant::from_millis(1_000), &mut [0; 10]),
        0
    );
    feed(&mut stream, &packet(501, 2, true, true, 2));
    assert!(stream.poll_frame(Instant::ZERO).unwrap().contiguous);
}

/// A packet of one VP8 fragment, by hand.
fn packet(sequence_number: u16, timestamp: u32, marker: bool, start: bool, data: u8) -> Vec<u8> {
    let header = Header {
        marker,
        payload_type: PayloadType(96),
        sequence_number,
        timestamp,
        ssrc: SSRC,
        ..Header::default()
    };
    let mut bytes = vec![0; 14];
    header.write(&mut bytes).unwrap();
    bytes[12] = if start { 0x10 } else { 0 };
    bytes[13] = data;
    bytes
}

fn video() -> ReceiveStream {
    ReceiveStream::new(ReceiveConfig::new(SSRC, Codec::Vp8, true)).unwrap()
}

fn feed(stream: &mut ReceiveStream, bytes: &[u8]) {
    stream.handle_packet(Instant::ZERO, &Packet::parse(bytes).unwrap());
}

#[test]
fn a_stream_that_begins_reordered_begins_with_its_first_packet() {
    let mut stream = video();
    feed(&mut stream, &packet(12, 1, true, false, 3));
    assert_eq!(stream.poll_frame(Instant::ZERO), None);
    feed(&mut stream, &packet(10, 1, false, true, 1));
    feed(&mut stream, &packet(11, 1, false, false, 2));
    let frame = stream.poll_frame(Instant::ZERO);
    // 12 alone cannot begin a frame, but was not given up before the others came
    assert_eq!(frame.unwrap().data, [1, 2, 3]);
    assert_eq!(stream.stats().lost, 0);
}

#[test]
fn a_beginning_that_is_lost_is_asked_for() {
    let mut stream = video();
    feed(&mut stream, &packet(11, 3000, true, false, 11));
    assert!(!stream.has_frame(Instant::ZERO));
    let due = stream.poll_timeout().unwrap();
    let mut lost = [0; 4];
    assert_eq!(stream.poll_nack(due, &mut lost), 1);
    assert_eq!(lost[0], 10);
    // nobody has it any more: the stream goes on without
    feed(&mut stream, &packet(12, 6000, true, true, 12));
    let mut now = due;
    while !stream.has_frame(now) {
        now = now.max(stream.poll_timeout().unwrap()) + Duration::from_millis(1);
        stream.poll_nack(now, &mut lost);
        assert!(now <= Instant::from_millis(1_100), "{now:?}");
    }
    assert_eq!(stream.poll_frame(now).unwrap().data, [12]);
}

#[test]
fn a_frame_without_a_marker_ends_where_the_timestamp_changes() {
    let mut stream = video();
    feed(&mut stream, &packet(1, 1, false, true, 1));
    feed(&mut stream, &packet(2, 1, false, false, 2));
    assert_eq!(stream.poll_frame(Instant::ZERO), None);
    feed(&mut stream, &packet(3, 2, true, true, 3));
    assert_eq!(stream.poll_frame(Instant::ZERO).unwrap().data, [1, 2]);
    assert_eq!(stream.poll_frame(Instant::ZERO).unwrap().data, [3]);
}

#[test]
fn packets_of_padding_only_are_part_of_no_frame() {
    let mut stream = video();
    let padding = |number| {
        let mut bytes = packet(number, 1, false, false, 2);
        bytes[0] |= 0x20;
        bytes
    };
    feed(&mut stream, &padding(1));
    feed(&mut stream, &packet(2, 1, false, true, 1));
    feed(&mut stream, &padding(3));
    feed(&mut stream, &packet(4, 1, true, false, 2));
    feed(&mut stream, &padding(5));
    feed(&mut stream, &packet(6, 2, true, true, 3));
    let frame = stream.poll_frame(Instant::ZERO).unwrap();
    assert_eq!((frame.data, frame.contiguous), (&[1, 2][..], true));
    let frame = stream.poll_frame(Instant::ZERO).unwrap();
    assert_eq!((frame.data, frame.contiguous), (&[3][..], true));
}

#[test]
fn a_restart_is_believed_at_its_second_packet() {
    for jump in [10_000u16, 55_000] {
        let mut stream = video();
        feed(&mut stream, &packet(20_000, 1, true, true, 1));
        assert!(stream.poll_frame(Instant::ZERO).is_some());
        let at = 20_000u16.wrapping_add(jump);
        feed(&mut stream, &packet(at, 9, true, true, 2));
        assert_eq!(stream.poll_frame(Instant::ZERO), None);
        feed(&mut stream, &packet(at.wrapping_add(1), 10, true, true, 3));
        let frame = stream.poll_frame(Instant::ZERO).unwrap();
        assert_eq!((frame.data, frame.contiguous), (&[3][..], false));
        assert_eq!(stream.stats().restarts, 1);
        assert!(stream.poll_key_frame_request(Instant::ZERO));
    }
    // a stray packet changes nothing
    let mut stream = video();
    feed(&mut stream, &packet(1, 1, true, true, 1));
    feed(&mut stream, &packet(30_000, 1, true, true, 2));
    feed(&mut stream, &packet(2, 2, true, true, 3));
    assert_eq!(stream.poll_frame(Instant::ZERO).unwrap().data, [1]);
    assert_eq!(stream.poll_frame(Instant::ZERO).unwrap().data, [3]);
    assert_eq!(stream.stats().restarts, 0);
}

#[test]
fn another_ssrc_starts_over() {
    let mut stream = video();
    feed(&mut stream, &packet(500, 1, true, true, 1));
    assert!(stream.poll_frame(Instant::ZERO).is_some());
    let mut other = packet(7, 1, true, true, 2);
    other[11] ^= 1;
    feed(&mut stream, &other);
    assert_eq!(stream.poll_frame(Instant::ZERO).unwrap().data, [2]);
    assert_eq!(stream.ssrc(), Ssrc(SSRC.0 ^ 1));
    assert_eq!(
        stream.report_block(Instant::ZERO).unwrap().ssrc,
        Ssrc(SSRC.0 ^ 1)
    );
}

#[test]
fn a_frame_that_never_ends_is_cut_off_at_the_ceiling() {
    let config = ReceiveConfig {
        max_frame: 100,
        ..ReceiveConfig::new(SSRC, Codec::Vp8, true)
    };
    let mut stream = ReceiveStream::new(config).unwrap();
    for number in 0..5_000u16 {
        feed(&mut stream, &packet(number, 1, false, number == 0, 1));
        assert_eq!(stream.poll_frame(Instant::ZERO), None);
    }
    feed(&mut stream, &packet(5_000, 2, true, true, 7));
    let frame = stream.poll_frame(Instant::ZERO).unwrap();
    assert_eq!((frame.data, frame.contiguous), (&[7][..], false));

    // the ring alone bounds it, too: nobody polls
    let mut stream = video();
    for number in 0..5_000u16 {
        feed(&mut stream, &packet(number, 1, false, number == 0, 1));
    }
    feed(&mut stream, &packet(5_000, 2, true, true, 7));
    assert_eq!(stream.poll_frame(Instant::ZERO).unwrap().data, [7]);
}

#[test]
fn hostile_packets_neither_panic_nor_pile_up() {
    let mut random = SeededRandom::new(5);
    let mut stream = video();
    let mut numbers = [0; 32];
    for step in 0..20_000u64 {
        let now = Instant::from_millis(step / 4);
        let [a, b, c, d] = random.next_u32().to_be_bytes();
        let number = match a % 8 {
            0 => u16::from_be_bytes([b, c]),
            1 => (step as u16).wrapping_add(2_900),
            _ => (step as u16).wrapping_add(u16::from(b)),
        };
        let mut bytes = packet(number, u32::from(d % 4), c & 1 == 1, c & 2 == 2, d);
        bytes[12] = if c > 200 { b } else { bytes[12] };
        stream.handle_packet(now, &Packet::parse(&bytes).unwrap());
        if a % 3 == 0 {
            while stream.poll_frame(now).is_some() {}
            while stream.poll_nack(now, &mut numbers) > 0 {}
            stream.poll_key_frame_request(now);
            stream.report_block(now);
        }
    }
    // it still works afterwards
    let now = Instant::from_millis(100_000);
    while stream.poll_frame(now).is_some() {}
    for number in [40_000, 40_001, 40_002] {
        let bytes = packet(number, number.into(), true, true, 9);
        stream.handle_packet(now, &Packet::parse(&bytes).unwrap());
    }
    let mut frames = 0;
    while stream.poll_frame(now).is_some() {
        frames += 1;
    }
    assert!(frames >= 2, "{frames}");
}

#[test]
fn the_sender_refuses_what_it_cannot_hold_and_goes_on() {
    let config = SendConfig {
        history: 8,
        ..SendConfig::new(SSRC, PayloadType(96), Codec::Vp8, 1)
    };
    let mut sender = SendStream::new(&config).unwrap();
    let now = Instant::ZERO;
    let mut buf = [0; 1_200];
    assert_eq!(sender.write_frame(now, 0, &[]), Err(Error::FrameLength(0)));
    assert_eq!(
        sender.write_frame(now, 0, &[0; 20_000]),
        Err(Error::FrameLength(20_000))
    );
    sender.write_frame(now, 0, &[1; 7_000]).unwrap();
    assert_eq!(
        sender.write_frame(now, 1, &[1; 7_000]),
        Err(Error::QueueFull)
    );
    assert_eq!(sender.stats().frames_dropped, 1);
    assert_eq!(sender.poll_packet(now, &mut [0; 100]), None);
    let mut packets = Vec::new();
    while let Some(len) = sender.poll_packet(now, &mut buf) {
        packets.push(buf[..len].to_vec());
    }
    assert_eq!(packets.len(), 6);
    assert!(packets[..5].iter().all(|packet| packet.len() == 1_198));

    // again, the same bytes; but not at once, nor what is unknown, nor for ever
    let number = Packet::parse(&packets[2]).unwrap().sequence_number();
    sender.handle_nack(
        now,
        [
            number,
            number,
            number.wrapping_add(100),
            number.wrapping_sub(100),
        ],
    );
    assert_eq!(sender.poll_packet(now, &mut buf), None);
    let mut again = 0;
    for round in 1..100 {
        let now = Instant::from_millis(round * 100);
        sender.handle_nack(now, [number, number, number.wrapping_add(100)]);
        while let Some(len) = sender.poll_packet(now, &mut buf) {
            assert_eq!(buf[..len], packets[2]);
            again += 1;
        }
    }
    assert_eq!(again, 16);
    assert_eq!(sender.stats().retransmitted_packets, 16);
    sender.write_frame(now, 1, &[1; 7_000]).unwrap();
}

#[test]
fn reports_tell_the_round_trip_time() {
    let clock = WallClock::new(Duration::from_secs(1_700_000_000));
    let config = SendConfig::new(SSRC, PayloadType(96), Codec::Vp8, 1);
    let mut sender = SendStream::new(&config).unwrap();
    let mut receiver = video();
    let mut buf = [0; 1_200];
    let at = Instant::from_millis;
    assert_eq!(sender.sender_report(at(0), &clock), None);
    sender.write_frame(at(0), 5_000, &[1; 100]).unwrap();
    let len = sender.poll_packet(at(0), &mut buf).unwrap();
    let packet = Packet::parse(&buf[..len]).unwrap();
    receiver.handle_packet(at(30), &packet);

    let report = sender.sender_report(at(1_000), &clock).unwrap();
    assert_eq!(
        report.rtp_timestamp,
        packet.timestamp().wrapping_add(90_000)
    );
    assert_eq!((report.packet_count, report.octet_count), (1, 104));
    assert_eq!(report.ntp, clock.ntp(at(1_000)));
    receiver.handle_sender_report(at(1_030), &report);
    let block = receiver.report_block(at(1_500)).unwrap();
    assert_eq!(block.last_sr, report.ntp.middle());
    let rtt = sender.handle_report(at(1_550), &block).unwrap();
    // 1/65536 s is as fine as the wire tells
    assert!(
        rtt.abs_diff(Duration::from_millis(80)) < Duration::from_micros(20),
        "{rtt:?}"
    );
    assert_eq!(sender.stats().rtt, Some(rtt));
    assert_eq!(sender.rtt(), rtt);

    // a report on something that was never sent tells nothing
    let mut forged = block;
    forged.last_sr ^= 1;
    assert_eq!(sender.handle_report(at(1_600), &forged), None);
    forged.last_sr = 0;
    assert_eq!(sender.handle_report(at(1_600), &forged), None);
    assert_eq!(sender.stats().rtt_measurements, 1);
}

#[test]
fn key_frames_are_asked_for_by_pli_and_fir() {
    let config = SendConfig::new(SSRC, PayloadType(96), Codec::Vp8, 1);
    let mut sender = SendStream::new(&config).unwrap();
    assert!(!sender.poll_key_frame_request());
    sender.handle_picture_loss_indication();
    sender.handle_picture_loss_indication();
    assert!(sender.poll_key_frame_request());
    assert!(!sender.poll_key_frame_request());
    sender.handle_full_intra_request(3);
    assert!(sender.poll_key_frame_request());
    sender.handle_full_intra_request(3);
    assert!(!sender.poll_key_frame_request());
    sender.handle_full_intra_request(4);
    assert!(sender.poll_key_frame_request());
    assert_eq!((sender.stats().plis, sender.stats().firs), (2, 2));
}
