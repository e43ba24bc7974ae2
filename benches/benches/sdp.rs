//! Chromium's offer of audio, video and data, 7 kB: read, looked through, written.

use core::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rtckit_sdp::Session;
use rtckit_sdp::attribute::{Candidate, ExtMap, Fingerprint, IcePwd, IceUfrag, Setup};

const OFFER: &str =
    include_str!("../../crates/sdp/testdata/browsers/chromium156_audio_video_data_offer.sdp");

/// What a peer wants to know of an offer.
fn read(session: &Session<'_>) -> usize {
    let mut found = session.bundle_groups().count();
    for media in session.media() {
        found += media.codecs().len();
        found += media.attributes_of::<ExtMap<'_>>().flatten().count();
        found += media.attributes_of::<Candidate<'_>>().flatten().count();
        found += usize::from(session.attribute_for::<IceUfrag<'_>>(media).is_some());
        found += usize::from(session.attribute_for::<IcePwd<'_>>(media).is_some());
        found += usize::from(session.attribute_for::<Fingerprint<'_>>(media).is_some());
        found += usize::from(session.attribute_for::<Setup>(media).is_some());
        found += usize::from(session.direction_of(media).sends());
    }
    found
}

fn sdp(criterion: &mut Criterion) {
    let session = Session::parse(OFFER).expect("Chromium's offer");
    assert!(read(&session) > 60, "the offer is what it was");
    let mut group = criterion.benchmark_group("sdp");
    group.throughput(Throughput::Bytes(OFFER.len() as u64));
    group.bench_function("parse", |bencher| {
        bencher.iter(|| Session::parse(black_box(OFFER)).expect("Chromium's offer"));
    });
    group.bench_function("read", |bencher| bencher.iter(|| read(black_box(&session))));
    group.bench_function("write", |bencher| {
        bencher.iter(|| black_box(&session).to_string())
    });
    group.finish();
}

criterion_group!(benches, sdp);
criterion_main!(benches);
