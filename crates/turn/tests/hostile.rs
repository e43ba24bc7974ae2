//! A server among people who do not mean well: forged, replayed and cut messages, floods, peers that are none.
#![allow(
    unsafe_code,
    reason = "a global allocator that counts is the one thing safe code cannot write"
)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod network;

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::net::SocketAddr;
use core::time::Duration;
use std::alloc::System;

use network::hand::{Hand, exchange};
use network::{SERVER, World, address, config};
use rtckit_proto::{Datagram, FiveTuple, Random, SeededRandom};
use rtckit_stun::{Class, Message, MessageWriter, Method, TransactionId};
use rtckit_turn::{Cidr, RelayAddress};

/// The system's allocator, which knows how much this thread holds.
struct Counting;

std::thread_local! {
    static HELD: Cell<i64> = const { Cell::new(0) };
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn note(count: u64, bytes: i64) {
    let _ = HELD.try_with(|held| held.set(held.get() + bytes));
    let _ = COUNT.try_with(|all| all.set(all.get() + count));
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

fn path(number: u32) -> FiveTuple {
    let ip = core::net::Ipv4Addr::from_bits(0x0a00_0000 + number / 50_000);
    let port = 1_024 + (number % 50_000) as u16;
    FiveTuple::udp(SocketAddr::new(ip.into(), port), address(SERVER))
}

#[test]
fn peers_that_are_none() {
    let mut public = config();
    public.relays = vec![RelayAddress::new([9, 9, 9, 1].into())];
    public.listeners.push(address("9.9.9.1:50001"));
    let mut world = World::new(1, public);
    let mut hand = Hand::new(path(0), "alice", "secret");
    assert_eq!(hand.allocate(&mut world), Some(0));
    for peer in [
        "127.0.0.1:80",
        "10.1.2.3:80",
        "169.254.169.254:80",
        "192.168.0.1:80",
        "0.0.0.0:80",
        "224.0.0.1:80",
        "255.255.255.255:80",
    ] {
        assert_eq!(hand.permit(&mut world, peer), Some(403), "{peer}");
        let to = address(peer);
        assert_eq!(hand.bind(&mut world, 0x4000, to), Some(403), "{peer}");
    }
    // the server's own listener, by channel; its relays are peers like others, but not the ports where none is
    let relay = world.relays.values().next().unwrap().port();
    for (port, code) in [(50_001, 403), (22, 403), (relay ^ 1, 403), (relay, 0)] {
        let peer = SocketAddr::from(([9, 9, 9, 1], port));
        assert_eq!(hand.bind(&mut world, 0x4000, peer), Some(code), "{port}");
    }
    // all or none
    let peers = [address("198.51.100.1:1"), address("127.0.0.1:1")];
    let code = hand.ask(&mut world, Method::CREATE_PERMISSION, |writer| {
        peers
            .iter()
            .try_for_each(|peer| writer.xor_peer_address(*peer))
    });
    assert_eq!(code, Some(403));
    assert_eq!(world.server.counters().peers_refused, 18);
    assert_eq!(hand.permit(&mut world, "[2001:db8::7]:1"), Some(443));
}

/// What else listens on the host, on an address that neither relays nor listeners have.
#[test]
fn the_hosts_other_addresses_are_no_peers() {
    let other = "9.9.9.9";
    for (allow, expected) in [(false, 403), (true, 0)] {
        let mut config = config();
        config.addresses = vec![other.parse().unwrap()];
        if allow {
            let cidr = Cidr::new(other.parse().unwrap(), 32);
            config.peers.allow.extend(cidr);
        }
        let mut world = World::new(1, config);
        let mut hand = Hand::new(path(0), "alice", "secret");
        assert_eq!(hand.allocate(&mut world), Some(0));
        let peer = address("9.9.9.9:22");
        assert_eq!(hand.bind(&mut world, 0x4000, peer), Some(expected));
    }
}

#[test]
fn requests_that_make_no_sense() {
    let mut world = World::new(1, config());
    let mut hand = Hand::new(path(0), "alice", "secret");
    assert_eq!(
        hand.ask(&mut world, Method::ALLOCATE, |_| Ok(())),
        Some(400)
    );
    assert_eq!(
        hand.ask(&mut world, Method::ALLOCATE, |w| w.requested_transport(1)),
        Some(442)
    );
    assert_eq!(
        hand.ask(&mut world, Method::ALLOCATE, |w| {
            w.requested_transport(17)?;
            w.dont_fragment()
        }),
        Some(420),
        "the driver cannot"
    );
    assert_eq!(
        hand.ask(&mut world, Method::ALLOCATE, |w| {
            w.requested_transport(17)?;
            w.reservation_token([0; 8])
        }),
        Some(508)
    );
    assert_eq!(
        hand.ask(&mut world, Method::ALLOCATE, |w| {
            w.requested_transport(17)?;
            w.mobility_ticket(&[1])
        }),
        Some(400)
    );
    assert_eq!(
        hand.ask(&mut world, Method::new(0x123), |_| Ok(())),
        Some(400)
    );
    assert_eq!(hand.ask(&mut world, Method::REFRESH, |_| Ok(())), Some(437));
    assert_eq!(hand.permit(&mut world, "198.51.100.1:1"), Some(437));
    assert_eq!(world.server.allocations(), 0);
    assert_eq!(hand.allocate(&mut world), Some(0));
    assert_eq!(hand.allocate(&mut world), Some(437));
    let peer = address("198.51.100.1:1");
    for number in [0, 0x3fff, 0x8000, 0xffff] {
        assert_eq!(hand.bind(&mut world, number, peer), Some(400));
    }
    assert_eq!(hand.bind(&mut world, 0x4000, peer), Some(0));
    assert_eq!(hand.bind(&mut world, 0x4001, peer), Some(400));
    // another user on the same path
    let mut bob = Hand::new(path(0), "bob", "hidden");
    assert_eq!(
        bob.ask(&mut world, Method::REFRESH, |w| w.lifetime(0)),
        Some(441)
    );
    assert_eq!(world.server.allocations(), 1);
    assert_eq!(
        hand.ask(&mut world, Method::REFRESH, |w| w.lifetime(0)),
        Some(0)
    );
    assert_eq!(world.server.allocations(), 0);
}

#[test]
fn replayed_from_elsewhere_cut_and_forged() {
    let mut world = World::new(1, config());
    let mut hand = Hand::new(path(0), "alice", "secret");
    assert_eq!(hand.allocate(&mut world), Some(0));
    let peer = address("198.51.100.1:1");
    let request = hand.write(Method::CHANNEL_BIND, |writer| {
        writer.channel_number(0x4000)?;
        writer.xor_peer_address(peer)
    });
    // replayed from another address: a challenge, and nothing is done
    let answer = exchange(&mut world, path(1), &mut request.clone()).unwrap();
    let answer = Message::parse(&answer).unwrap();
    assert_eq!(answer.error_code().unwrap().code, 438);
    for len in 0..request.len() {
        assert_eq!(
            exchange(&mut world, path(0), &mut request[..len].to_vec()),
            None
        );
    }
    for bit in 0..request.len() * 8 {
        let mut forged = request.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        if let Some(answer) = exchange(&mut world, path(0), &mut forged) {
            let answer = Message::parse(&answer).unwrap();
            assert_eq!(answer.class(), Class::ErrorResponse, "bit {bit}");
        }
    }
    assert_eq!(exchange(&mut world, path(0), &mut [0x40, 0, 0, 1, 7]), None);
    let routed = world.server.counters().packets_to_peers;
    assert_eq!(routed, 0, "nothing was bound");
    assert!(exchange(&mut world, path(0), &mut request.clone()).is_some());
    let now = world.now;
    let mut data = [0x40, 0, 0, 1, 7];
    let datagram = Datagram::new(path(0).reversed(), &mut data);
    let sent = world.server.handle_input(now, datagram).unwrap();
    assert_eq!((sent.peer, &*sent.data), (peer, &[7][..]));
    // the same by another client's path
    let mut data = [0x40, 0, 0, 1, 7];
    let datagram = Datagram::new(path(1).reversed(), &mut data);
    assert!(world.server.handle_input(now, datagram).is_none());
}

#[test]
fn a_repeated_request_is_answered_alike() {
    let mut world = World::new(1, config());
    let mut hand = Hand::new(path(0), "alice", "secret");
    assert_eq!(
        hand.ask(&mut world, Method::BINDING, |_| Ok(())),
        Some(0),
        "which needs no credentials"
    );
    let mut first = hand.write(Method::ALLOCATE, |writer| writer.requested_transport(17));
    let challenge = exchange(&mut world, path(0), &mut first).unwrap();
    let challenge = Message::parse(&challenge).unwrap();
    hand.credentials.on_response(&challenge, false);
    let request = hand.write(Method::ALLOCATE, |writer| writer.requested_transport(17));
    let relayed: Vec<_> = (0..3)
        .map(|_| {
            let answer = exchange(&mut world, path(0), &mut request.clone()).unwrap();
            let answer = Message::parse(&answer).unwrap();
            assert_eq!(answer.class(), Class::SuccessResponse);
            answer.xor_relayed_address()
        })
        .collect();
    assert!(relayed[0].is_some() && relayed.iter().all(|again| *again == relayed[0]));
    assert_eq!(world.server.allocations(), 1);
    assert_eq!(world.server.counters().allocations, 1);
}

#[test]
fn a_stranger_is_answered_seldom_and_the_others_as_ever() {
    let mut strict = config();
    strict.replies_per_second = 20;
    strict.reply_burst = 100;
    let mut world = World::new(1, strict);
    let mut friend = Hand::new(path(60_000), "bob", "hidden");
    assert_eq!(friend.allocate(&mut world), Some(0));
    // a victim's address is forged, with ever other ports
    let mut answered = 0;
    let mut bytes = [0; 2];
    for number in 0..10_000 {
        let mut hand = Hand::new(path(number % 50_000), "alice", "guess");
        let mut request = hand.write(Method::ALLOCATE, |writer| writer.requested_transport(17));
        bytes[0] += request.len();
        if let Some(answer) = exchange(&mut world, hand.path, &mut request) {
            bytes[1] += answer.len();
            answered += 1;
        }
        world.now += Duration::from_micros(100);
    }
    // a burst of 100, and 20 in the second that passed
    assert!((100..=121).contains(&answered), "{answered}");
    assert!(
        bytes[1] < bytes[0],
        "{bytes:?}: less comes out than went in"
    );
    assert_eq!(world.server.counters().rate_limited, 10_000 - answered);
    assert_eq!(friend.permit(&mut world, "198.51.100.1:1"), Some(0));
    let mut other = Hand::new(path(120_000), "bob", "hidden");
    assert_eq!(other.allocate(&mut world), Some(0));
}

#[test]
fn floods_meet_ceilings_and_memory_is_flat() {
    let mut small = config();
    small.max_allocations_per_user = 50;
    small.max_allocations_per_address = 1_000;
    let mut world = World::new(1, small);
    let mut friend = Hand::new(path(60_000), "bob", "hidden");
    assert_eq!(friend.allocate(&mut world), Some(0));
    let mut held = [0; 2];
    for (round, held) in held.iter_mut().enumerate() {
        // allocations
        let mut given = 0;
        for number in 0..200 {
            let mut hand = Hand::new(path(number), "alice", "secret");
            given += usize::from(hand.allocate(&mut world) == Some(0));
            world.now += Duration::from_millis(100);
        }
        assert!(given <= 50 && (round > 0 || given == 50), "{given}");
        // permissions and channels, 16 in a request
        let mut hand = Hand::new(path(0), "alice", "secret");
        let mut refused = 0;
        for n in 0..100_u32 {
            let code = hand.ask(&mut world, Method::CREATE_PERMISSION, |writer| {
                (0..16).try_for_each(|m| {
                    let ip = core::net::Ipv4Addr::from_bits(0x0800_0000 + n * 16 + m);
                    writer.xor_peer_address(SocketAddr::new(ip.into(), 1))
                })
            });
            refused += usize::from(code == Some(508));
        }
        assert!(refused >= 92, "{refused}");
        for n in 0..1_000 {
            let _ = hand.bind(&mut world, 0x4000 + n, SocketAddr::from(([8, 0, 0, 1], n)));
        }
        // credentials
        for number in 0..5_000 {
            let name = format!("nobody{number}");
            let mut hand = Hand::new(path(70_000 + number % 1_000), &name, "x");
            let _ = hand.allocate(&mut world);
            world.now += Duration::from_micros(50);
        }
        // noise
        let mut random = SeededRandom::new(round as u64);
        for _ in 0..20_000 {
            let mut noise = [0; 64];
            random.fill(&mut noise);
            let len = random.below(64) as usize;
            let from = path(80_000 + random.below(1_000) as u32);
            exchange(&mut world, from, &mut noise[..len]);
        }
        *held = HELD.get();
    }
    assert_eq!(friend.permit(&mut world, "198.51.100.1:1"), Some(0));
    let [first, second] = held;
    assert!(second - first < 20_000, "{first} bytes grew to {second}");
    assert_eq!(world.server.allocations(), 51);
    // and all of it ends
    world.now += Duration::from_secs(700);
    while world
        .server
        .poll_timeout()
        .is_some_and(|at| at <= world.now)
    {
        let now = world.now;
        world.server.handle_timeout(now);
        while world.server.poll_event().is_some() {}
    }
    assert_eq!(world.server.allocations(), 0);
}

#[test]
fn ports_are_kept_aside_for_few() {
    let mut world = World::new(1, config());
    let mut hand = Hand::new(path(0), "alice", "secret");
    let mut given = 0;
    for _ in 0..500 {
        let code = hand.ask(&mut world, Method::ALLOCATE, |writer| {
            writer.requested_transport(17)?;
            writer.even_port(rtckit_stun::EvenPort { reserve_next: true })
        });
        given += usize::from(code == Some(0));
        if code != Some(0) {
            assert_eq!(code, Some(486));
            break;
        }
        let code = hand.ask(&mut world, Method::REFRESH, |writer| writer.lifetime(0));
        assert_eq!(code, Some(0));
    }
    assert_eq!(given, 100, "as many as allocations");
    world.now += Duration::from_secs(30);
    let now = world.now;
    world.server.handle_timeout(now);
    let code = hand.ask(&mut world, Method::ALLOCATE, |writer| {
        writer.requested_transport(17)?;
        writer.even_port(rtckit_stun::EvenPort { reserve_next: true })
    });
    assert_eq!(code, Some(0));
}

#[test]
fn payloads_cost_no_memory() {
    let mut world = World::new(1, config());
    let mut hand = Hand::new(path(0), "alice", "secret");
    assert_eq!(hand.allocate(&mut world), Some(0));
    let peer = address("198.51.100.1:1");
    assert_eq!(hand.bind(&mut world, 0x4000, peer), Some(0));
    let relay = (0..100).find_map(|_| world.server.poll_event());
    assert!(relay.is_none(), "drained");
    let now = world.now;
    let mut relays = None;
    let mut data = [0; 200];
    data[..4].copy_from_slice(&[0x40, 0, 0, 100]);
    let mut round = |world: &mut World| {
        let datagram = Datagram::new(path(0).reversed(), &mut data);
        let to = world.server.handle_input(now, datagram).unwrap();
        assert_eq!(to.data.len(), 100);
        let relay = to.relay;
        relays = Some(relay);
        let to = world
            .server
            .handle_relay_input(now, relay, peer, 100)
            .unwrap();
        assert_eq!(to.envelope.header(), [0x40, 0, 0, 100]);
        let other = address("198.51.100.1:2");
        let to = world
            .server
            .handle_relay_input(now, relay, other, 100)
            .unwrap();
        assert_eq!(to.envelope.header().len(), 36);
    };
    round(&mut world);
    let before = COUNT.get();
    for _ in 0..1_000 {
        round(&mut world);
    }
    assert_eq!(COUNT.get() - before, 0);
}

#[test]
fn connectivity_checks_cost_no_memory() {
    let key = rtckit_stun::short_term_key("fKr5zM4VyfZDKgmIlEKMv+8o");
    let mut buf = [0; 256];
    let before = COUNT.get();
    for number in 0..100_u8 {
        let id = TransactionId([number; 12]);
        let mut writer = MessageWriter::new(&mut buf, Class::Request, Method::BINDING, id).unwrap();
        writer.username("LtSQ:NGbv").unwrap();
        writer.ice_controlling(7).unwrap();
        writer.priority(1).unwrap();
        writer.integrity(&key).unwrap();
        writer.fingerprint().unwrap();
        let len = writer.finish();
        let message = Message::parse(&buf[..len]).unwrap();
        assert!(message.verify_integrity(&key) && message.verify_fingerprint() == Some(true));
        assert_eq!(message.username(), Some("LtSQ:NGbv"));
    }
    assert_eq!(COUNT.get() - before, 0);
}

#[test]
fn ten_thousand_allocations_are_small() {
    let mut large = config();
    large.max_allocations_per_user = 20_000;
    large.max_allocations_per_address = 20_000;
    large.reply_burst = 20_000;
    let mut world = World::new(1, large);
    let before = HELD.get();
    for number in 0..10_000 {
        let mut hand = Hand::new(path(number * 7), "alice", "secret");
        assert_eq!(hand.allocate(&mut world), Some(0), "{number}");
        let peer = SocketAddr::from(([198, 51, 100, 1], 1 + number as u16));
        assert_eq!(hand.bind(&mut world, 0x4000, peer), Some(0));
        world.now += Duration::from_millis(10);
    }
    let each = (HELD.get() - before) / 10_000;
    println!("{each} bytes each");
    assert!(each < 1_000, "{each} bytes each");
}

/// Somebody who cannot hear the server sends what he likes from the address of a client that has an allocation.
#[test]
fn a_forged_client_is_answered_seldom_and_the_true_one_as_ever() {
    let mut strict = config();
    strict.replies_per_second = 20;
    strict.reply_burst = 100;
    let mut world = World::new(1, strict);
    let mut hand = Hand::new(path(0), "alice", "secret");
    assert_eq!(hand.allocate(&mut world), Some(0));
    let methods = [Method::ALLOCATE, Method::REFRESH, Method::BINDING];
    let flood = |world: &mut World, milliseconds: u64| {
        let mut answered = 0;
        for number in 0..milliseconds as usize * 10 {
            let mut forger = Hand::new(path(0), "mallory", "guess");
            let mut request = forger.write(methods[number % 3], |_| Ok(()));
            answered += u64::from(exchange(world, path(0), &mut request).is_some());
            world.now += Duration::from_micros(100);
        }
        answered
    };
    let answered = flood(&mut world, 990);
    assert!((100..=121).contains(&answered), "{answered}");
    // what she signs costs nothing
    for _ in 0..500 {
        assert_eq!(hand.permit(&mut world, "198.51.100.1:1"), Some(0));
    }
    // her nonce goes stale in the middle of it; she is told at the first time of asking, again and again
    for _ in 0..5 {
        world.now += Duration::from_secs(601);
        flood(&mut world, 990);
        let challenges = world.server.counters().challenges;
        assert_eq!(
            hand.ask(&mut world, Method::REFRESH, |w| w.lifetime(3_600)),
            Some(0)
        );
        assert_eq!(world.server.counters().challenges, challenges + 1);
    }
}
