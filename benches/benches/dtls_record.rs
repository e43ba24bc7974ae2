//! Application data in DTLS records: sealed and opened in place.

use core::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rtckit_crypto::provider::Provider;
use rtckit_proto::{Datagram, Instant};

mod support;

fn record(criterion: &mut Criterion) {
    let configs = support::dtls_configs(&Provider::ring());
    let mut group = criterion.benchmark_group("dtls_record");
    for len in [64, 1200] {
        let [mut client, mut server] = support::dtls_handshake(&configs);
        let (head, tail) = client.overhead();
        let mut buf = vec![0x5a; head + len + tail];
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(BenchmarkId::new("seal", len), |bencher| {
            bencher.iter(|| black_box(client.seal_in_place(&mut buf, len)).expect("connected"));
        });
        group.bench_function(BenchmarkId::new("open", len), |bencher| {
            bencher.iter_batched_ref(
                || {
                    let mut datagram = vec![0x5a; head + len + tail];
                    client.seal_in_place(&mut datagram, len).expect("connected");
                    datagram
                },
                |datagram| {
                    let datagram = Datagram::new(support::path().reversed(), datagram);
                    let received = server.handle_input(Instant::ZERO, datagram);
                    assert_eq!(black_box(received.len()), 1);
                },
                BatchSize::NumIterations(64),
            );
        });
    }
    group.finish();
}

criterion_group!(benches, record);
criterion_main!(benches);
