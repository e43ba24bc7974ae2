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
}

// SAFETY: every call goes to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
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
