//! Media in steady state allocates nothing: not to send a packet, not to receive one, not for the reports between them.
#![allow(
    unsafe_code,
    reason = "a global allocator that counts is the one thing safe code cannot write"
)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::mem::replace;
use core::net::SocketAddr;
use core::time::Duration;
use std::alloc::System;

use rtckit_peer::{Event, IceCandidate, IceConnectionState, Peer, TransceiverId};
use rtckit_proto::{Datagram, FiveTuple, Instant, Random as _, SeededRandom, SrtpProfile};
use rtckit_tests::{Call, CallBuilder, Clip, Side};

/// The system's allocator, counting what each thread asks of it while it is told to.
struct Counting;

std::thread_local! {
    static IS_COUNTING: Cell<bool> = const { Cell::new(false) };
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    /// Bytes taken and not given back, by this thread.
    static HELD: Cell<i64> = const { Cell::new(0) };
}

/// `count` more allocations, and `bytes` more (or fewer) held.
fn note(count: u64, bytes: i64) {
    // a thread that is ending has no counters any more, and is none of ours
    let _ = IS_COUNTING.try_with(|is_counting| {
        if is_counting.get() {
            let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + count));
            let _ = HELD.try_with(|held| held.set(held.get() + bytes));
        }
    });
}

// SAFETY: every call goes to the system's allocator as it came; counting touches thread-local cells alone, which are
// initialised without allocating.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size() as i64);
        // SAFETY: the caller keeps `GlobalAlloc::alloc`'s contract, which is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note(0, -(layout.size() as i64));
        // SAFETY: `pointer` came from `System` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note(1, new_size as i64 - layout.size() as i64);
        // SAFETY: `pointer` came from `System` with this layout.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations `work` makes.
fn allocations<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = ALLOCATIONS.get();
    IS_COUNTING.set(true);
    let result = work();
    IS_COUNTING.set(false);
    (ALLOCATIONS.get() - before, result)
}

/// What a driver has: two peers, the time, and one buffer.
struct Wire<'c> {
    a: &'c mut Peer,
    b: &'c mut Peer,
    now: Instant,
    buf: Box<[u8]>,
    /// Datagrams carried, by kind.
    rtp: u64,
    rtcp: u64,
    stun: u64,
    frames: u64,
    /// Every so many RTP packets one is lost, so that repairs are part of it.
    lose_every: u64,
}

impl Wire<'_> {
    /// Carries what both sides have to send, and reads the frames that are ready, until nothing is left.
    fn settle(&mut self) {
        loop {
            let carried = self.carry(Side::A) + self.carry(Side::B);
            while let Some(event) = self.a.poll_event() {
                assert!(!matches!(event, Event::ConnectionState(_)));
            }
            while let Some(event) = self.b.poll_event() {
                if let Event::FrameReady(id) = event {
                    let mut receiver = self.b.receiver(id).unwrap();
                    while let Some(frame) = receiver.read_frame(self.now) {
                        assert!(!frame.data.is_empty());
                        self.frames += 1;
                    }
                }
            }
            if carried == 0 {
                return;
            }
        }
    }

    fn carry(&mut self, from: Side) -> u64 {
        let (from, to) = match from {
            Side::A => (&mut *self.a, &mut *self.b),
            Side::B => (&mut *self.b, &mut *self.a),
        };
        let mut carried = 0;
        while let Some(transmit) = from.poll_transmit(self.now, &mut self.buf) {
            let path = transmit.path.reversed();
            let stride = transmit
                .segment_size
                .unwrap_or_else(|| transmit.range.len());
            for bytes in self.buf[transmit.range].chunks_mut(stride) {
                carried += 1;
                match (bytes[0], bytes[1]) {
                    (128..=191, 192..=223) => self.rtcp += 1,
                    (128..=191, _) => {
                        self.rtp += 1;
                        if self.rtp.is_multiple_of(self.lose_every) {
                            continue;
                        }
                    }
                    _ => self.stun += 1,
                }
                to.handle_input(self.now, Datagram::new(path, bytes));
            }
        }
        carried
    }

    /// Plays 20 ms: sound, every other time a picture, and whatever timers are due.
    fn play(&mut self, clip: &Clip, [audio, video]: [TransceiverId; 2], tick: usize) {
        let packet = &clip.audio[tick % clip.audio.len()];
        let mut sender = self.a.sender(audio).unwrap();
        let timestamp = (tick as u32).wrapping_mul(960);
        sender.write_frame(self.now, timestamp, packet).unwrap();
        if tick.is_multiple_of(2) {
            let picture = &clip.video[tick / 2 % clip.video.len()];
            let mut sender = self.a.sender(video).unwrap();
            let timestamp = (tick as u32).wrapping_mul(1800);
            sender.write_frame(self.now, timestamp, picture).unwrap();
        }
        for _ in 0..4 {
            self.settle();
            self.now += Duration::from_millis(5);
            self.a.handle_timeout(self.now);
            self.b.handle_timeout(self.now);
        }
        self.settle();
    }
}

/// Plays the clip for `ticks` of 20 ms after a warm-up, and returns the wire and the allocations.
fn steady_state(call: &mut Call, lose_every: u64) -> u64 {
    call.connect_within(Duration::from_secs(2));
    call.listen();
    let clip = Clip::load();
    let streams = call.streams[0];
    let now = call.pair.now;
    let mut wire = Wire {
        a: &mut call.pair.a,
        b: &mut call.pair.b,
        now,
        buf: vec![0; 65_536].into(),
        rtp: 0,
        rtcp: 0,
        stun: 0,
        frames: 0,
        lose_every,
    };
    // Two rounds of the clip: the longest frame has been seen, and so have reports and consent checks.
    let warm_up = 2 * clip.audio.len();
    for tick in 0..warm_up {
        wire.play(&clip, streams, tick);
    }
    (wire.rtp, wire.rtcp, wire.stun, wire.frames) = (0, 0, 0, 0);
    let ticks = 3000;
    let mut total = 0;
    for tick in warm_up..warm_up + ticks {
        let (count, ()) = allocations(|| wire.play(&clip, streams, tick));
        assert_eq!(count, 0, "at {:?}, {} packets in", wire.now, wire.rtp);
        total += count;
    }
    assert!(wire.rtp > 5_000, "{}", wire.rtp);
    assert!(
        wire.rtcp > 80 && wire.stun > 20,
        "{} {}",
        wire.rtcp,
        wire.stun
    );
    assert!(wire.frames as usize >= ticks * 3 / 2 * 97 / 100);
    println!(
        "{} RTP, {} RTCP and {} STUN datagrams, {} frames: {total} allocations",
        wire.rtp, wire.rtcp, wire.stun, wire.frames
    );
    total
}

const PROFILES: [SrtpProfile; 2] = [SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmHmacSha1_80];

fn builder(name: &'static str, profile: SrtpProfile) -> CallBuilder {
    CallBuilder::new(name, 1).ring().profiles(&[profile])
}

#[test]
fn sending_and_receiving_allocate_nothing() {
    for profile in PROFILES {
        let mut call = builder("sending_and_receiving_allocate_nothing", profile).start();
        assert_eq!(steady_state(&mut call, u64::MAX), 0);
    }
}

#[test]
fn repairing_losses_allocates_nothing() {
    for profile in PROFILES {
        let mut call = builder("repairing_losses_allocates_nothing", profile).start();
        assert_eq!(steady_state(&mut call, 50), 0);
        let stats = call.pair.b.stats(call.pair.now).inbound_rtp;
        assert!(stats.iter().any(|stream| stream.rtx_ssrc.is_some()));
    }
}

#[test]
fn repairing_losses_without_rtx_allocates_nothing() {
    let name = "repairing_losses_without_rtx_allocates_nothing";
    let mut call = builder(name, PROFILES[0]).without_rtx().start();
    assert_eq!(steady_state(&mut call, 50), 0);
    let stats = call.pair.b.stats(call.pair.now).inbound_rtp;
    assert!(stats.iter().all(|stream| stream.rtx_ssrc.is_none()));
}

/// Forged datagrams of every kind, from the peer's address and from everywhere.
fn forgery(random: &mut SeededRandom, real: &[Vec<u8>], path: FiveTuple) -> (FiveTuple, Vec<u8>) {
    let mut bytes = real[random.below(real.len() as u64) as usize].clone();
    match random.below(3) {
        0 => bytes.truncate(1 + random.below(bytes.len() as u64) as usize),
        1 => {
            let at = random.below(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << random.below(8);
        }
        _ => random.fill(&mut bytes[1..]),
    }
    let stranger = SocketAddr::from((
        [203, 0, 113, random.below(256) as u8],
        1 + random.below(65_535) as u16,
    ));
    let remote = if random.below(2) == 0 {
        path.remote
    } else {
        stranger
    };
    (FiveTuple { remote, ..path }, bytes)
}

/// While a call connects, and once it is up: what a flood makes it hold stays below a fixed ceiling.
#[test]
fn forgeries_fill_no_memory() {
    const CEILING: i64 = 512 * 1024;
    for before_keys in [true, false] {
        let mut call = CallBuilder::new("forgeries_fill_no_memory", 1)
            .delay(Duration::from_millis(10))
            .start();
        let until = Duration::from_millis(if before_keys { 35 } else { 500 });
        call.run_for(until);
        assert_eq!(call.is_connected(), !before_keys);
        if !before_keys {
            call.exchange_frames(Duration::from_secs(1));
        }
        let datagrams = call.pair.trace.iter();
        let real: Vec<Vec<u8>> = datagrams.map(|sent| sent.data.to_vec()).collect();
        let path = FiveTuple::udp(
            SocketAddr::from(([10, 0, 0, 2], 2000)),
            SocketAddr::from(([10, 0, 0, 1], 1000)),
        );
        let mut random = SeededRandom::new(1);
        let mut buf = vec![0; 65_536];
        let (mut now, peer) = (call.pair.now, &mut call.pair.b);
        let (before, mut most) = (HELD.get(), 0);
        for _ in 0..50_000 {
            let (path, mut bytes) = forgery(&mut random, &real, path);
            now += Duration::from_micros(10);
            allocations(|| {
                peer.handle_input(now, Datagram::new(path, &mut bytes));
                while peer.poll_transmit(now, &mut buf).is_some() {}
                // events are left where they are: nobody says that the user is quick
            });
            most = most.max(HELD.get() - before);
        }
        println!("before keys: {before_keys}, at most {most} bytes more");
        assert!(most < CEILING, "{most}");
    }
}

/// Candidates that come before the descriptions are kept for them, but not any number.
#[test]
fn early_candidates_have_a_ceiling() {
    let mut peer = builder("early_candidates_have_a_ceiling", PROFILES[0]).peer(Side::A);
    let candidate = IceCandidate {
        candidate: format!(
            "candidate:1 1 udp 1 192.0.2.1 1 typ host{}",
            " a b".repeat(250)
        ),
        sdp_mid: None,
        username_fragment: None,
    };
    let before = HELD.get();
    allocations(|| {
        for _ in 0..10_000 {
            peer.add_remote_candidate(Instant::ZERO, &candidate)
                .unwrap();
        }
    });
    let held = HELD.get() - before;
    // 64 of a kilobyte
    assert!((32_000..128_000).contains(&held), "{held}");
}

/// Media that overtake the end of the handshake are kept for its keys, but not any number.
#[test]
fn early_media_have_a_ceiling() {
    let mut call = CallBuilder::new("early_media_have_a_ceiling", 1)
        .delay(Duration::from_millis(10))
        .start();
    // ICE has a path, and DTLS is under way
    while call.pair.b.ice_connection_state() != IceConnectionState::Completed {
        call.run_for(Duration::from_millis(1));
    }
    assert!(!call.is_connected());
    let path = FiveTuple::udp(
        SocketAddr::from(([10, 0, 0, 2], 2000)),
        SocketAddr::from(([10, 0, 0, 1], 1000)),
    );
    let (now, peer) = (call.pair.now, &mut call.pair.b);
    let mut packet = vec![0x80; 1_000];
    packet[1] = 96;
    let before = HELD.get();
    allocations(|| {
        for _ in 0..10_000 {
            peer.handle_input(now, Datagram::new(path, &mut packet));
        }
    });
    let held = HELD.get() - before;
    // 64 of a kilobyte
    assert!((32_000..128_000).contains(&held), "{held}");
}

/// What `peer` holds, by what goes back when it is dropped.
fn held_by(peer: &mut Peer) -> i64 {
    let spare = builder("spare", PROFILES[0]).peer(Side::A);
    let before = HELD.get();
    allocations(|| drop(replace(peer, spare)));
    before - HELD.get()
}

/// A peer takes memory for what it does: little when it is idle, and for media what a second of it needs.
#[test]
fn a_peer_is_small() {
    let start = || {
        let mut call = builder("a_peer_is_small", PROFILES[0]).start();
        call.connect_within(Duration::from_secs(2));
        call
    };
    let idle = held_by(&mut start().pair.a);
    let mut call = start();
    steady_state(&mut call, u64::MAX);
    let (sends, receives) = (held_by(&mut call.pair.a), held_by(&mut call.pair.b));
    println!("idle {idle} bytes, with media {sends} and {receives}");
    assert!((1_000..32_000).contains(&idle), "{idle}");
    assert!((10_000..250_000).contains(&sends), "{sends}");
    assert!((10_000..100_000).contains(&receives), "{receives}");
}

#[test]
fn the_counter_counts() {
    let before = HELD.get();
    let (count, kept) = allocations(|| vec![1_u8; 100]);
    assert_eq!((count, kept.len(), HELD.get() - before), (1, 100, 100));
}
