//! Opening a protected RTP packet in place, its replay check included.

use core::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rtckit_srtp::{ReceiveContext, rtp_overhead};

mod support;

/// Packets that are made before as many are opened and timed: what a burst from a socket may be.
const BATCH: BatchSize = BatchSize::NumIterations(64);

fn unprotect(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("srtp_unprotect");
    for profile in support::PROFILES {
        for len in [160, 1200] {
            let mut sender = support::send_context(profile);
            let mut receiver =
                ReceiveContext::new(profile, &support::KEY, support::salt(profile)).expect("keys");
            let mut sequence_number = 0_u32;
            group.throughput(Throughput::Bytes(len as u64));
            group.bench_function(BenchmarkId::new(profile.name(), len), |bencher| {
                bencher.iter_batched_ref(
                    || {
                        sequence_number += 1;
                        let mut packet = support::rtp_packet(sequence_number as u16, len);
                        packet.resize(len + rtp_overhead(profile), 0);
                        sender.protect_rtp(&mut packet, len).expect("a packet");
                        packet
                    },
                    |packet| black_box(receiver.unprotect_rtp(packet)).expect("authentic"),
                    BATCH,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, unprotect);
criterion_main!(benches);
