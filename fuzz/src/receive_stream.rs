//! A sending and a receiving RTP stream with a network between them that the input rules.

use core::time::Duration;
use std::collections::VecDeque;

use rtckit_proto::{Instant, NtpTime, WallClock};
use rtckit_rtp::payload::Codec;
use rtckit_rtp::rtcp::{ReportBlock, SenderInfo};
use rtckit_rtp::rtx::RtxStream;
use rtckit_rtp::{
    MAX_FRAME, Packet, PayloadType, ReceiveConfig, ReceiveStream, SendConfig, SendStream, Ssrc,
};

use crate::input::{Input, mutate};

const SSRC: Ssrc = Ssrc(7);
const RTX: RtxStream = RtxStream {
    ssrc: Ssrc(8),
    payload_type: PayloadType(97),
};
/// Operations of one input: enough for any state, few enough to be quick.
const MAX_OPERATIONS: usize = 400;

struct World {
    now: Instant,
    sender: SendStream,
    receiver: ReceiveStream,
    max_frame: usize,
    in_flight: VecDeque<Vec<u8>>,
    /// What was handed to the sender and has not come out yet.
    written: VecDeque<Vec<u8>>,
    frames_written: u32,
    /// Whether the receiver has seen nothing but what the sender made.
    honest: bool,
    clock: WallClock,
    buf: Vec<u8>,
}

/// Frames come out as they went in and in order, as long as packets are only lost, doubled, delayed or reordered;
/// whatever comes, memory stays bounded and time goes on.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    let codec = input.choose(&[Codec::Vp8, Codec::Opus]);
    let mut config = ReceiveConfig::new(SSRC, codec, input.bool());
    if input.bool() {
        config.packets = 1 + input.below(64);
        config.max_frame = 1 + usize::from(input.u16());
    }
    let seed = u64::from(input.u8());
    let mut send = SendConfig::new(SSRC, PayloadType(96), codec, seed);
    send.rtx = (seed & 1 == 0).then_some(RTX);
    let mut world = World {
        now: Instant::ZERO,
        sender: SendStream::new(&send).expect("the defaults are in range"),
        max_frame: config.max_frame,
        receiver: ReceiveStream::new(config).expect("the values are in range"),
        in_flight: VecDeque::new(),
        written: VecDeque::new(),
        frames_written: 0,
        honest: true,
        clock: WallClock::new(Duration::from_secs(1_700_000_000)),
        buf: vec![0; 2048],
    };
    for _ in 0..MAX_OPERATIONS {
        if input.is_empty() {
            break;
        }
        world.operation(&mut input);
        world.settle();
    }
    world.recover();
}

impl World {
    fn operation(&mut self, input: &mut Input<'_>) {
        match input.u8() % 16 {
            0 | 1 => {
                let len = usize::from(input.u16() % 6000);
                self.write_frame(len, input.bool());
            }
            2 | 3 => self.deliver_next(),
            4 => {
                for _ in 0..input.u8() {
                    self.deliver_next();
                }
            }
            5 => drop(self.in_flight.pop_front()),
            6 => {
                let index = input.below(self.in_flight.len());
                if let Some(packet) = self.in_flight.remove(index) {
                    self.deliver(&packet);
                }
            }
            7 => {
                if let Some(packet) = self.in_flight.front().cloned() {
                    self.deliver(&packet);
                }
            }
            8 => self.now += Duration::from_millis(input.u8().into()),
            9 => {
                if let Some(due) = self.receiver.poll_timeout() {
                    self.now = self.now.max(due);
                }
            }
            10 => {
                if let Some(mut packet) = self.in_flight.pop_front() {
                    mutate(input, &mut packet);
                    self.honest = false;
                    self.deliver(&packet);
                }
            }
            11 => self.forge(input),
            12 => self.receiver.request_key_frame(self.now),
            13 => self.report(input),
            14 => {
                let rtt = Duration::from_millis(input.u16().into());
                self.receiver.set_rtt(rtt);
                self.sender.set_rtt(rtt);
            }
            _ => {
                let numbers: Vec<u16> = (0..input.below(8)).map(|_| input.u16()).collect();
                self.sender.handle_nack(self.now, numbers);
            }
        }
    }

    fn write_frame(&mut self, len: usize, key_frame: bool) {
        self.frames_written += 1;
        let mut frame = vec![u8::from(!key_frame), 0, 0, 0x9d, 0x01, 0x2a];
        frame.extend(self.frames_written.to_be_bytes());
        frame.resize(frame.len() + len, self.frames_written as u8);
        let timestamp = self.frames_written.wrapping_mul(3000);
        if self.sender.write_frame(self.now, timestamp, &frame).is_ok() {
            self.written.push_back(frame);
        }
        self.send();
    }

    fn send(&mut self) {
        while let Some(len) = self.sender.poll_packet(self.now, &mut self.buf) {
            self.in_flight.push_back(self.buf[..len].to_vec());
        }
        // a network that holds everything for ever is no network
        while self.in_flight.len() > 2000 {
            self.in_flight.pop_front();
        }
    }

    fn deliver_next(&mut self) {
        if let Some(packet) = self.in_flight.pop_front() {
            self.deliver(&packet);
        }
    }

    fn deliver(&mut self, packet: &[u8]) {
        let Ok(packet) = Packet::parse(packet) else {
            return;
        };
        if packet.ssrc() == RTX.ssrc {
            self.receiver.handle_retransmission(self.now, &packet);
        } else {
            self.receiver.handle_packet(self.now, &packet);
        }
    }

    /// A packet that nobody sent.
    fn forge(&mut self, input: &mut Input<'_>) {
        self.honest = false;
        let [first, marker] = [0x80 | input.u8() & 0x3f, input.u8()];
        let [high, low] = input.u16().to_be_bytes();
        let mut packet = vec![first, marker, high, low];
        packet.extend(input.u32().to_be_bytes());
        let sources = [SSRC, SSRC, RTX.ssrc, Ssrc(9)];
        packet.extend(input.choose(&sources).0.to_be_bytes());
        packet.extend(input.vec8());
        self.deliver(&packet);
    }

    fn report(&mut self, input: &mut Input<'_>) {
        let honest = self.sender.sender_report(self.now, &self.clock);
        if let Some(report) = honest.filter(|_| input.bool()) {
            self.receiver.handle_sender_report(self.now, &report);
        } else {
            let report = SenderInfo {
                ssrc: SSRC,
                ntp: NtpTime(u64::from(input.u32()) << 16),
                rtp_timestamp: input.u32(),
                packet_count: input.u32(),
                octet_count: input.u32(),
            };
            self.receiver.handle_sender_report(self.now, &report);
        }
        if let Some(report) = self.receiver.report_block(self.now) {
            self.sender.handle_report(self.now, &report);
        }
        let report = ReportBlock {
            ssrc: SSRC,
            last_sr: input.u32(),
            delay_since_last_sr: input.u32(),
            ..ReportBlock::default()
        };
        self.sender.handle_report(self.now, &report);
    }

    /// Does everything that is due now, and checks that it gets done.
    fn settle(&mut self) {
        for _ in 0..64 {
            self.receiver.handle_timeout(self.now);
            self.read_frames();
            let mut numbers = [0; 32];
            let mut asked = 0;
            loop {
                let count = self.receiver.poll_nack(self.now, &mut numbers);
                if count == 0 {
                    break;
                }
                asked += count;
                assert!(asked <= 65_536, "it asks without an end");
                self.sender
                    .handle_nack(self.now, numbers[..count].iter().copied());
            }
            if self.receiver.poll_key_frame_request(self.now) {
                self.sender.handle_picture_loss_indication();
                assert!(self.sender.poll_key_frame_request());
            }
            self.send();
            if self
                .receiver
                .poll_timeout()
                .is_none_or(|due| due > self.now)
            {
                return;
            }
        }
        panic!(
            "stuck at {:?}: {:?}",
            self.now,
            self.receiver.poll_timeout()
        );
    }

    fn read_frames(&mut self) {
        let mut count = 0;
        while self.receiver.has_frame(self.now) {
            let frame = self
                .receiver
                .poll_frame(self.now)
                .expect("has_frame said so");
            count += 1;
            assert!(count <= 10_000, "frames without an end");
            assert!(frame.data.len() <= self.max_frame.min(MAX_FRAME));
            if self.honest {
                let index = self
                    .written
                    .iter()
                    .position(|frame_in| frame_in == frame.data);
                let index = index.expect("a frame that was written, later than the one before");
                self.written.drain(..=index);
            }
        }
        assert!(self.receiver.poll_frame(self.now).is_none());
    }

    /// Left alone, the stream works again: a key frame arrives.
    fn recover(&mut self) {
        if !self.honest || self.max_frame < 10 {
            return;
        }
        while !self.in_flight.is_empty() {
            self.deliver_next();
            self.settle();
        }
        self.write_frame(0, true);
        let last = self.written.back().cloned();
        for _ in 0..400 {
            while !self.in_flight.is_empty() {
                self.deliver_next();
            }
            self.settle();
            self.now += Duration::from_millis(10);
        }
        assert!(
            !self
                .written
                .iter()
                .any(|frame| Some(frame) == last.as_ref()),
            "the last frame never came out"
        );
    }
}
