//! Randomness for coturn's client, to be preloaded: no number it draws is the last one again.
//!
//! The client draws the number of a channel among 4096 or 16384 (it depends on its version), and then one for another
//! peer. When that is the same, any server has to refuse it (RFC 8656 §12.2: 400), coturn's own too. Here the low 14 bits
//! of what it draws count up; the others are as random as they were.
use std::fs::File;
use std::io::Read;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

static COUNT: AtomicU16 = AtomicU16::new(0);
static SYSTEM: OnceLock<Option<File>> = OnceLock::new();

/// What OpenSSL has under this name: fills the `len` bytes at `bytes`, returns 1, or else 0.
///
/// # Safety
/// They have to be writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn RAND_bytes(bytes: *mut u8, len: i32) -> i32 {
    let Ok(len) = usize::try_from(len) else {
        return 0;
    };
    // SAFETY: as the caller promises
    let bytes = unsafe { std::slice::from_raw_parts_mut(bytes, len) };
    let system = SYSTEM.get_or_init(|| File::open("/dev/urandom").ok());
    let Some(mut system) = system.as_ref() else {
        return 0;
    };
    if system.read_exact(bytes).is_err() {
        return 0;
    }
    // a number of C's; transaction ids are longer
    if let [low, high, _, _] | [low, high, _, _, _, _, _, _] = bytes {
        let [first, second] = COUNT.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        *low = first;
        *high = *high & 0xc0 | second & 0x3f;
    }
    1
}
