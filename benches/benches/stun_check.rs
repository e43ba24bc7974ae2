//! An ICE connectivity check: written with integrity and fingerprint, read and verified.

use core::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use rtckit_crypto::mac::HmacSha1;
use rtckit_stun::{Class, Message, MessageWriter, Method, TransactionId, short_term_key};

fn build(buf: &mut [u8], key: &HmacSha1) -> usize {
    let id = TransactionId([7; 12]);
    let mut writer =
        MessageWriter::new(buf, Class::Request, Method::BINDING, id).expect("room for it");
    writer.username("LtSQ:NGbv").expect("room for it");
    writer
        .ice_controlling(0x1234_5678_9abc_def0)
        .expect("room for it");
    writer.use_candidate().expect("room for it");
    writer.priority(1_853_824_767).expect("room for it");
    writer.integrity(key).expect("room for it");
    writer.fingerprint().expect("room for it");
    writer.finish()
}

fn check(criterion: &mut Criterion) {
    let key = short_term_key("fKr5zM4VyfZDKgmIlEKMv+8o");
    let mut buf = [0; 256];
    let mut group = criterion.benchmark_group("stun_check");
    group.bench_function("build", |bencher| {
        bencher.iter(|| build(black_box(&mut buf), black_box(&key)));
    });
    let len = build(&mut buf, &key);
    group.bench_function("parse_and_verify", |bencher| {
        bencher.iter(|| {
            let message = Message::parse(black_box(&buf[..len])).expect("a message");
            assert_eq!(message.verify_fingerprint(), Some(true));
            assert!(message.verify_integrity(black_box(&key)));
            black_box((
                message.username(),
                message.priority(),
                message.use_candidate(),
            ))
        });
    });
    group.bench_function("key", |bencher| {
        bencher.iter(|| short_term_key(black_box("fKr5zM4VyfZDKgmIlEKMv+8o")));
    });
    group.finish();
}

criterion_group!(benches, check);
criterion_main!(benches);
