//! RTP packets, and VP8 frames cut into them and put together again.

use core::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rtckit_proto::Instant;
use rtckit_rtp::payload::{Codec, Packetizer};
use rtckit_rtp::{Packet, PayloadType, ReceiveConfig, ReceiveStream, SendConfig, SendStream, Ssrc};

mod support;

const FRAME_LEN: usize = 30_000;
const MAX_PAYLOAD: usize = 1_160;

fn parse(criterion: &mut Criterion) {
    let packet = support::rtp_packet(1, 1200);
    let mut group = criterion.benchmark_group("rtp");
    group.bench_function("parse", |bencher| {
        bencher.iter(|| {
            let packet = Packet::parse(black_box(&packet)).expect("a packet");
            black_box((
                packet.ssrc(),
                packet.sequence_number(),
                packet.payload().len(),
            ))
        });
    });
    group.bench_function("parse_and_find_extension", |bencher| {
        bencher.iter(|| {
            let packet = Packet::parse(black_box(&packet)).expect("a packet");
            black_box(packet.extension(3))
        });
    });
    group.finish();
}

fn payload(criterion: &mut Criterion) {
    let frame = vec![0x5a; FRAME_LEN];
    let mut packetizer = Packetizer::new(Codec::Vp8, 0);
    let mut buf = [0; 1_500];
    let mut group = criterion.benchmark_group("vp8");
    group.throughput(Throughput::Bytes(FRAME_LEN as u64));
    group.bench_function("packetize_30kB", |bencher| {
        bencher.iter(|| {
            let mut payloads = packetizer
                .packets(black_box(&frame), MAX_PAYLOAD)
                .expect("a frame");
            while let Some(chunk) = payloads.next(&mut buf) {
                black_box((chunk, &buf));
            }
        });
    });
    let mut payloads = packetizer.packets(&frame, MAX_PAYLOAD).expect("a frame");
    let mut packets = Vec::new();
    while let Some(chunk) = payloads.next(&mut buf) {
        packets.push(buf[..chunk.len].to_vec());
    }
    group.bench_function("depacketize_30kB", |bencher| {
        bencher.iter(|| {
            for packet in &packets {
                black_box(Codec::Vp8.depacketize(black_box(packet))).expect("a payload");
            }
        });
    });
    group.finish();
}

fn streams(criterion: &mut Criterion) {
    let mut sender = SendStream::new(&SendConfig::new(Ssrc(1), PayloadType(96), Codec::Vp8, 7))
        .expect("the defaults");
    let frame = vec![0x5a; FRAME_LEN];
    let mut timestamp = 0_u32;
    let mut write = |on_packet: &mut dyn FnMut(&[u8])| {
        let mut buf = [0; 1_500];
        timestamp = timestamp.wrapping_add(3_000);
        let now = Instant::from_millis(u64::from(timestamp / 90));
        sender.write_frame(now, timestamp, &frame).expect("room");
        while let Some(len) = sender.poll_packet(now, &mut buf) {
            on_packet(&buf[..len]);
        }
        now
    };
    let mut group = criterion.benchmark_group("stream");
    group.throughput(Throughput::Bytes(FRAME_LEN as u64));
    group.bench_function("send_30kB", |bencher| {
        bencher.iter(|| {
            write(&mut |packet| {
                black_box(packet.len());
            })
        });
    });
    let mut receiver =
        ReceiveStream::new(ReceiveConfig::new(Ssrc(1), Codec::Vp8, true)).expect("the defaults");
    group.bench_function("receive_30kB", |bencher| {
        bencher.iter_batched_ref(
            || {
                let mut packets = Vec::new();
                let now = write(&mut |packet| packets.push(packet.to_vec()));
                (now, packets)
            },
            |(now, packets)| {
                for packet in packets {
                    receiver.handle_packet(*now, &Packet::parse(packet).expect("a packet"));
                }
                black_box(receiver.poll_frame(*now).expect("a frame").data.len())
            },
            BatchSize::NumIterations(4),
        );
    });
    group.finish();
}

criterion_group!(benches, parse, payload, streams);
criterion_main!(benches);
