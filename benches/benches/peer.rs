//! Two whole peers in memory: a call set up, and the way of an RTP packet through the peer.

use core::cell::{Cell, RefCell};
use core::hint::black_box;

use core::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rtckit_crypto::provider::Provider;
use rtckit_peer::Peer;
use rtckit_proto::{Datagram, Instant};

mod support;

/// A key frame of 26 packets.
const FRAME_LEN: usize = 30_000;

fn connect(criterion: &mut Criterion) {
    let provider = Provider::ring();
    let identities = support::identities(&provider);
    let mut group = criterion.benchmark_group("peer");
    group.bench_function("connect_both_sides", |bencher| {
        bencher.iter(|| black_box(support::call(&provider, &identities)));
    });
    group.finish();
}

fn media(criterion: &mut Criterion) {
    let provider = Provider::ring();
    let identities = support::identities(&provider);
    let mut call = support::call(&provider, &identities);
    let frame = vec![0x5a; FRAME_LEN];
    let mut buf = vec![0; 65_535];
    let now = Cell::new(call.now);
    let video = call.video;

    let mut packets = 0;
    let mut runs = Vec::new();
    write(&mut call.left, now.get(), video, &frame);
    send(&mut call.left, now.get(), &mut buf, |run, stride| {
        packets += run.len().div_ceil(stride);
        runs.push(run.len());
    });

    let mut group = criterion.benchmark_group("peer_rtp");
    group.throughput(Throughput::Elements(packets as u64));
    group.bench_function("send_30kB_frame", |bencher| {
        let mut since_timeout = 0;
        bencher.iter(|| {
            now.set(now.get() + Duration::from_micros(10));
            write(&mut call.left, now.get(), video, &frame);
            send(&mut call.left, now.get(), &mut buf, |run, _| {
                black_box(run.len());
            });
            since_timeout += 1;
            if since_timeout % 1000 == 0 {
                call.left.handle_timeout(now.get());
            }
        });
    });

    // a fresh call: the other side has missed all of that
    let mut call = support::call(&provider, &identities);
    let receiver = call.receiving;
    now.set(call.now);
    let (left, right) = (&mut call.left, RefCell::new(&mut call.right));
    group.bench_function("receive_30kB_frame", |bencher| {
        bencher.iter_batched_ref(
            || {
                now.set(now.get() + Duration::from_millis(33));
                let mut right = right.borrow_mut();
                left.handle_timeout(now.get());
                right.handle_timeout(now.get());
                support::exchange(now.get(), left, &mut right);
                write(left, now.get(), video, &frame);
                let mut runs = Vec::new();
                send(left, now.get(), &mut buf, |run, stride| {
                    runs.push((run.to_vec(), stride));
                });
                runs
            },
            |runs| {
                let mut right = right.borrow_mut();
                for (run, stride) in runs {
                    let datagram = Datagram {
                        stride: *stride,
                        ..Datagram::new(support::peer_path().reversed(), run)
                    };
                    right.handle_input(now.get(), datagram);
                }
                let mut receiver = right.receiver(receiver).expect("it receives");
                let frame = receiver.read_frame(now.get()).expect("a whole frame");
                assert_eq!(black_box(frame.data.len()), FRAME_LEN);
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn write(peer: &mut Peer, now: Instant, video: rtckit_peer::TransceiverId, frame: &[u8]) {
    let timestamp = (now.as_nanos() / 11_111) as u32;
    peer.sender(video)
        .expect("it sends")
        .write_frame(now, timestamp, frame)
        .expect("room for a frame");
}

fn send(peer: &mut Peer, now: Instant, buf: &mut [u8], mut on_run: impl FnMut(&[u8], usize)) {
    while let Some(transmit) = peer.poll_transmit(now, buf) {
        let stride = transmit
            .segment_size
            .unwrap_or_else(|| transmit.range.len());
        on_run(&buf[transmit.range], stride);
    }
}

criterion_group!(benches, connect, media);
criterion_main!(benches);
