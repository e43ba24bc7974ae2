//! A DTLS 1.2 handshake with mutual certificates, both sides in one thread, certificates made beforehand.

use core::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use rtckit_crypto::provider::Provider;

mod support;

fn handshake(criterion: &mut Criterion) {
    let configs = support::dtls_configs(&Provider::ring());
    let mut group = criterion.benchmark_group("dtls_handshake");
    group.bench_function("both_sides_x25519", |bencher| {
        bencher.iter(|| black_box(support::dtls_handshake(&configs)));
    });
    group.finish();
}

criterion_group!(benches, handshake);
criterion_main!(benches);
