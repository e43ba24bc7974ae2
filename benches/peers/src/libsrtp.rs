//! libsrtp 2 as the system has it, through `libsrtp.c`.

use std::ffi::{c_int, c_uchar, c_void};
use std::ptr::NonNull;

unsafe extern "C" {
    fn peers_new(gcm: c_int, inbound: c_int, key: *mut c_uchar) -> *mut c_void;
    fn peers_protect(session: *mut c_void, packet: *mut c_uchar, len: c_int) -> c_int;
    fn peers_unprotect(session: *mut c_void, packet: *mut c_uchar, len: c_int) -> c_int;
    fn peers_free(session: *mut c_void);
}

/// What libsrtp adds at most (`SRTP_MAX_TRAILER_LEN`).
const MAX_TRAILER_LEN: usize = 144;

/// One direction.
#[derive(Debug)]
pub(crate) struct Session(NonNull<c_void>);

impl Session {
    /// `key` is the master key with the salt after it.
    pub(crate) fn new(gcm: bool, inbound: bool, key: &[u8]) -> Option<Self> {
        assert_eq!(key.len(), if gcm { 28 } else { 30 });
        let mut key = key.to_vec();
        // SAFETY: the key is as long as its policy asks, and it is copied.
        let session = unsafe { peers_new(gcm.into(), inbound.into(), key.as_mut_ptr()) };
        NonNull::new(session).map(Self)
    }

    /// Protects the first `len` bytes of `packet`; how many there are then.
    pub(crate) fn protect(&mut self, packet: &mut [u8], len: usize) -> Option<usize> {
        assert!(packet.len() >= len + MAX_TRAILER_LEN);
        // SAFETY: there is room for the trailer.
        let len = unsafe { peers_protect(self.0.as_ptr(), packet.as_mut_ptr(), len as c_int) };
        usize::try_from(len).ok()
    }

    /// Opens `packet`; how many bytes are left.
    pub(crate) fn unprotect(&mut self, packet: &mut [u8]) -> Option<usize> {
        let len = packet.len() as c_int;
        // SAFETY: it writes no more than it was given.
        let len = unsafe { peers_unprotect(self.0.as_ptr(), packet.as_mut_ptr(), len) };
        usize::try_from(len).ok()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: it was made by peers_new, and this is the last that is heard of it.
        unsafe { peers_free(self.0.as_ptr()) }
    }
}
