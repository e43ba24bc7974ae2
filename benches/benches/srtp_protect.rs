//! Protecting an RTP packet, and an RTCP packet, in place.

use core::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rtckit_srtp::rtp_overhead;

mod support;

fn protect(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("srtp_protect");
    for profile in support::PROFILES {
        for len in [160, 1200] {
            let mut context = support::send_context(profile);
            let mut packet = support::rtp_packet(0, len);
            packet.resize(len + rtp_overhead(profile), 0);
            let mut sequence_number = 0_u16;
            group.throughput(Throughput::Bytes(len as u64));
            group.bench_function(BenchmarkId::new(profile.name(), len), |bencher| {
                bencher.iter(|| {
                    // the same bytes get encrypted again and again: it makes no difference to the cipher
                    sequence_number = sequence_number.wrapping_add(1);
                    packet[2..4].copy_from_slice(&sequence_number.to_be_bytes());
                    black_box(context.protect_rtp(&mut packet, len))
                });
            });
        }
    }
    group.finish();
}

fn protect_rtcp(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("srtcp_protect");
    for profile in support::PROFILES {
        let mut context = support::send_context(profile);
        let len = 64;
        let mut packet = [0; 64 + 32];
        packet[..8].copy_from_slice(&[0x80, 200, 0, 15, 0, 0, 0, 5]);
        group.bench_function(BenchmarkId::new(profile.name(), len), |bencher| {
            bencher.iter(|| black_box(context.protect_rtcp(&mut packet, len)));
        });
    }
    group.finish();
}

criterion_group!(benches, protect, protect_rtcp);
criterion_main!(benches);
