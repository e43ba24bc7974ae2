//! A program without the standard library that links rtckit's no_std crates and calls something of each.
//!
//! It has its own panic handler: should any of the crates pull in `std`, which brings another, the compiler
//! refuses with E0152 ("duplicate lang item"). A build for the host with `--no-default-features` would prove
//! nothing, since a crate can ask for `std` whatever its features say.
//!
//! Run, it exits with 0 when every call did what it should.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering};

use rtckit_proto::{Datagram, FiveTuple, Instant, SeededRandom};
// linked for E0152 alone
use {rtckit_ice as _, rtckit_transport as _};

// the host's C library, for `memcpy` and the program's start; no Rust library is behind it
#[link(name = "c")]
unsafe extern "C" {
    fn abort() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: `abort` has no preconditions.
    unsafe { abort() }
}

/// The precompiled `alloc` names the personality of unwinding; with `panic = "abort"` nobody calls it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// Likewise, by what `format!` calls.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    // SAFETY: `abort` has no preconditions.
    unsafe { abort() }
}

/// Hands out memory from a fixed arena and never takes it back.
struct Arena {
    memory: UnsafeCell<[u8; Arena::LEN]>,
    used: AtomicUsize,
}

impl Arena {
    const LEN: usize = 1 << 20;
}

// SAFETY: each byte is handed out once, by an atomic counter.
unsafe impl Sync for Arena {}

// SAFETY: the ranges handed out are disjoint, aligned and inside the arena.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let base = self.memory.get().cast::<u8>();
        let reserved = layout.size() + layout.align();
        let used = self.used.fetch_add(reserved, Ordering::Relaxed);
        if used + reserved > Self::LEN {
            return core::ptr::null_mut();
        }
        // SAFETY: `used + reserved` bytes are inside the arena, and alignment skips less than `align` of them.
        unsafe {
            let start = base.add(used);
            start.add(start.align_offset(layout.align()))
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ARENA: Arena = Arena {
    memory: UnsafeCell::new([0; Arena::LEN]),
    used: AtomicUsize::new(0),
};

#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    let checks = [proto(), mac(), aes_ctr(), sdp(), stun(), turn(), rtp()];
    i32::from(!checks.iter().all(|passed| *passed))
}

fn proto() -> bool {
    use rtckit_proto::Reader;

    let later = Instant::ZERO + core::time::Duration::from_millis(20);
    later.as_millis() == 20 && Reader::new(&[1, 2]).u16() == Ok(0x0102)
}

fn mac() -> bool {
    use rtckit_crypto::mac::HmacSha1;

    let key = HmacSha1::new(b"key");
    key.verify(&[b"text"], &key.sign(&[b"text"]))
}

fn aes_ctr() -> bool {
    let mut data = *b"rtckit";
    let key = rtckit_crypto::ctr::Aes128Ctr::new(&[7; 16]);
    key.apply(&[0; 16], &mut data);
    key.apply(&[0; 16], &mut data);
    data == *b"rtckit"
}

fn sdp() -> bool {
    use rtckit_sdp::{Origin, Session, offer_answer};

    let text = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\nc=IN IP4 127.0.0.1\r\n";
    let Ok(offer) = Session::parse_strict(text) else {
        return false;
    };
    let answer = offer_answer::answer(&offer, &Origin::anonymous(2, 1), |_, _| None);
    answer.is_ok_and(|answer| answer.is_strict())
}

const CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)), 5000);
const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)), 3478);

/// A client asks, a responder answers.
fn stun() -> bool {
    use rtckit_stun::{Client, Outcome, respond};

    let (path, now) = (FiveTuple::udp(CLIENT, SERVER), Instant::ZERO);
    let mut client = Client::new(path, now, &mut SeededRandom::new(1));
    let (mut request, mut response) = ([0; 500], [0; 500]);
    let answered = client
        .poll_transmit(now, &mut request)
        .and_then(|sent| respond(&request[sent.range], CLIENT, &mut response).ok()?);
    let Some(len) = answered else {
        return false;
    };
    client.handle_input(now, Datagram::new(path, &mut response[..len]));
    matches!(client.outcome(), Some(Outcome::Mapped { address, .. }) if *address == CLIENT)
}

/// A client gets an address of a server, after a challenge.
fn turn() -> bool {
    use rtckit_stun::{NonceSecret, StaticUsers};
    use rtckit_turn::{Client, ClientConfig, RelayAddress, Server, ServerConfig, ServerEvent};

    let (path, now) = (FiveTuple::udp(CLIENT, SERVER), Instant::ZERO);
    let random = &mut SeededRandom::new(1);
    let mut users = StaticUsers::new("example.org");
    users.insert("alice", "secret");
    let relays = vec![RelayAddress::new(SERVER.ip())];
    let config = ServerConfig::new("example.org", NonceSecret::new(random), relays);
    let mut server = Server::new(config, users, random);
    let mut client = Client::new(ClientConfig::new("alice", "secret"), path, now, random);
    let mut buf = [0; 1500];
    for _ in 0..3 {
        let Some(sent) = client.poll_transmit(now, &mut buf) else {
            break;
        };
        server.handle_input(now, Datagram::new(path.reversed(), &mut buf[sent.range]));
        while let Some(event) = server.poll_event() {
            if let ServerEvent::BindRelay { relay, address, .. } = event {
                server.relay_bound(now, relay, Ok(address));
            }
        }
        let Some(sent) = server.poll_transmit(now, &mut buf) else {
            break;
        };
        client.handle_input(now, Datagram::new(path, &mut buf[sent.range]));
    }
    client
        .relayed(true)
        .is_some_and(|relayed| relayed.ip() == SERVER.ip())
}

fn rtp() -> bool {
    rtckit_rtp::Packet::parse(&[0x80, 0x60, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]).is_ok()
}
