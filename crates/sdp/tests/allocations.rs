//! What a browser's offer costs in allocations, counted.
#![allow(unsafe_code, reason = "a counting allocator cannot be written without")]

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::Cell,
};
use rtckit_sdp::Session;
use std::alloc::System;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static HELD: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
}

/// Bytes come and go.
fn hold(more: usize, less: usize) {
    // What another thread has allocated may be freed on this one.
    let held = (HELD.get() + more).saturating_sub(less);
    HELD.set(held);
    MOST.set(MOST.get().max(held));
}

// SAFETY: every call goes to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        hold(layout.size(), 0);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // While it moves, both are there.
        hold(size, 0);
        hold(0, layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        hold(0, layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn an_offer_is_read_with_a_dozen_allocations() {
    let text = include_str!("../testdata/browsers/chromium156_audio_video_data_offer.sdp");
    let before = ALLOCATIONS.get();
    let session = Session::parse(text).unwrap();
    let parsed = ALLOCATIONS.get() - before;
    assert_eq!(session.media().len(), 3);
    assert!((1..=12).contains(&parsed), "{parsed} allocations");

    let before = ALLOCATIONS.get();
    let media = session.media().iter().flat_map(|media| media.attributes());
    let attributes = session.attributes().chain(media);
    let typed = attributes.filter(|attribute| matches!(attribute.typed(), Some(Ok(_))));
    assert_eq!(typed.count(), 173);
    // Lists of candidates' extensions, of SSRCs in groups, of mids.
    let reading = ALLOCATIONS.get() - before;
    assert!(parsed + reading < 30, "{parsed} and {reading} allocations");

    let before = ALLOCATIONS.get();
    let video = &session.media()[1];
    assert!(
        video
            .attributes_of::<rtckit_sdp::attribute::RtcpFb<'_>>()
            .all(|fb| fb.is_ok())
    );
    assert!(
        video
            .attributes_of::<rtckit_sdp::attribute::RtpMap<'_>>()
            .all(|map| map.is_ok())
    );
    assert_eq!(ALLOCATIONS.get(), before, "views borrow");
}

/// Twice the text costs twice the allocations, and no more than one for each encoding.
#[test]
fn simulcast_is_read_with_an_allocation_for_each_stream() {
    use rtckit_sdp::attribute::{Attribute as _, Simulcast};

    let count = |streams: usize| {
        let value = format!("send {}", vec!["a"; streams].join(";"));
        let before = ALLOCATIONS.get();
        let simulcast = Simulcast::parse(&value).unwrap();
        let allocations = ALLOCATIONS.get() - before;
        assert_eq!(simulcast.send.len(), streams);
        assert!(simulcast.send.iter().all(|one| one.capacity() == 1));
        allocations
    };
    let (half, whole) = (count(4000), count(8000));
    assert!(whole <= 2 * half, "{half} and {whole} allocations");
    assert!(whole <= 8000 + 16, "{whole} allocations");
}

/// What `Limits` says of memory: the shapes of text that cost most, at the limits of bytes, lines and sections.
#[test]
fn a_strangers_text_occupies_what_limits_say() {
    const HEAD: &str = "v=0\no=- 1 1 IN IP4 192.0.2.1\n";

    let section = |lines: usize| format!("m=a 9 b c\n{}", "a=b\n".repeat(lines));
    let (mut read, mut owned) = (0, 0);
    for lines in [
        "a=b\n".repeat(32_766),
        // A vector of one more than a power of two has room for twice as many.
        "a=b\n".repeat(16_384),
        section(32_765),
        section(16_384),
        section(63).repeat(511),
        section(33).repeat(512),
        section(5).repeat(512),
        section(0).repeat(512),
    ] {
        // The bytes that are left go into the lines, as evenly as they can.
        let count = lines.matches('\n').count();
        let fill = ((1 << 20) - HEAD.len() - lines.len()) / count;
        let fill = fill.min(16_000);
        let text = format!(
            "{HEAD}{}",
            lines.replace('\n', &format!("{}\n", "x".repeat(fill)))
        );
        assert!(text.len() <= 1 << 20);
        let measure = |work: &dyn Fn()| {
            let before = HELD.get();
            MOST.set(before);
            work();
            MOST.get() - before
        };
        read = read.max(measure(&|| drop(Session::parse(&text).unwrap())));
        owned = owned.max(measure(&|| {
            drop(Session::parse(&text).unwrap().into_owned())
        }));
    }
    assert!((1_500_000..2_000_000).contains(&read), "{read}");
    assert!((2_000_000..2_500_000).contains(&owned), "{owned}");
}
