//! What sections of nothing cost in memory, counted.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(unsafe_code, reason = "a counting allocator cannot be written without")]

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::Cell,
};
use rtckit_sdp::Session;
use std::alloc::System;

struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.set(HELD.get().wrapping_add(layout.size()));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.set(HELD.get().wrapping_sub(layout.size()));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The bytes that a session of so many sections holds, beside its text.
fn held(sections: usize) -> usize {
    let text = format!("v=0\no=- 1 1 IN IP4 a\n{}", "m=a 9 a a\n".repeat(sections));
    let before = HELD.get();
    let session = Session::parse(&text).unwrap();
    assert_eq!(session.media().len(), sections);
    HELD.get() - before
}

/// The first sections get room for lines in advance, which is what a browser's offer needs. All 512 would get 700 kB for 5 kB
/// of text.
#[test]
fn only_the_first_sections_have_room_in_advance() {
    let (few, many) = (held(16), held(512));
    let of_one = few / 16;
    assert!(of_one > 1000, "{of_one} bytes for one of the first");
    assert!(
        many < 512 * of_one / 4,
        "{few} bytes for 16 sections, {many} for 512"
    );
    assert!(many < 100_000, "{many} bytes");
}
