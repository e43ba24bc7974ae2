//! What one user has is not another's, and what was given back can be given again.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod network;

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::BTreeSet;

use network::hand::{Hand, exchange};
use network::{SERVER, World, address, config};
use rtckit_proto::{Datagram, FiveTuple, Instant, Transport};
use rtckit_stun::{
    AccessTokens, AddressFamily, Class, Error, EvenPort, LongTermClient, Message, MessageWriter,
    Method,
};
use rtckit_turn::{
    ClientConfig, ConnectionId, PeerPolicy, RelayAddress, RelayId, Release, Server, ServerEvent,
};

const PEER: &str = "198.51.100.1:1";

/// A client at port `port` of 192.0.2.`host`.
fn path(host: u8, port: u16, transport: Transport) -> FiveTuple {
    let mut path = FiveTuple::udp(SocketAddr::from(([192, 0, 2, host], port)), address(SERVER));
    path.transport = transport;
    path
}

fn udp(host: u8, port: u16) -> FiveTuple {
    path(host, port, Transport::Udp)
}

fn alice(path: FiveTuple) -> Hand {
    Hand::new(path, "alice", "secret")
}

fn bob(path: FiveTuple) -> Hand {
    Hand::new(path, "bob", "hidden")
}

/// Whether `path` can send to `peer` through the server.
fn sends(world: &mut World, path: FiveTuple, peer: &str) -> bool {
    let mut buf = [0; 64];
    let id = rtckit_stun::TransactionId([1; 12]);
    let mut writer = MessageWriter::new(&mut buf, Class::Indication, Method::SEND, id).unwrap();
    writer.xor_peer_address(address(peer)).unwrap();
    writer.data(b"x").unwrap();
    let len = writer.finish();
    let datagram = Datagram::new(path.reversed(), &mut buf[..len]);
    world.server.handle_input(world.now, datagram).is_some()
}

/// The relay that was bound last.
fn relay(world: &World) -> RelayId {
    *world.relays.keys().last().unwrap()
}

/// Asks for something whose answer carries more than its code.
fn ask(
    world: &mut World,
    hand: &mut Hand,
    method: Method,
    fill: impl Fn(&mut MessageWriter<'_>) -> Result<(), Error>,
) -> Vec<u8> {
    let mut request = hand.write(method, fill);
    exchange(world, hand.path, &mut request).unwrap()
}

#[test]
fn a_listener_on_every_address_is_no_peer() {
    let mut wild = config();
    wild.listeners = vec![address("0.0.0.0:50000")];
    wild.relays = vec![RelayAddress::new([9, 9, 9, 1].into())];
    let mut world = World::new(1, wild);
    let mut hand = alice(udp(1, 1));
    assert_eq!(hand.allocate(&mut world), Some(0));
    let relay = *world.relays.values().next().unwrap();
    let mut bind = |peer| hand.bind(&mut world, 0x4000, peer);
    assert_eq!(bind(address("9.9.9.1:50000")), Some(403));
    assert_eq!(bind(relay), Some(0));
}

#[test]
fn tcp_is_not_relayed_where_that_is_switched_off() {
    let mut config = config();
    config.relays_tcp = false;
    let mut world = World::new(1, config);
    let mut hand = alice(path(1, 1, Transport::Tcp));
    assert_eq!(
        hand.ask(&mut world, Method::ALLOCATE, |w| w.requested_transport(6)),
        Some(442)
    );
    assert_eq!(hand.allocate(&mut world), Some(0));
}

#[test]
fn all_permissions_of_a_request_or_none() {
    let mut few = config();
    few.max_permissions = 2;
    let mut world = World::new(1, few);
    let mut hand = alice(udp(1, 1));
    assert_eq!(hand.allocate(&mut world), Some(0));
    let mut permit = |world: &mut World, peers: &[&str]| {
        hand.ask(world, Method::CREATE_PERMISSION, |writer| {
            let mut peers = peers.iter().map(|peer| address(peer));
            peers.try_for_each(|peer| writer.xor_peer_address(peer))
        })
    };
    let third = "198.51.100.3:1";
    for (others, code) in [
        (["198.51.100.2:1", third], 508),
        ([third, "10.0.0.1:1"], 403),
    ] {
        let [second, third] = others;
        assert_eq!(permit(&mut world, &[PEER, second, third]), Some(code));
        assert!(!sends(&mut world, udp(1, 1), PEER), "{code}");
    }
    assert_eq!(permit(&mut world, &[PEER, third]), Some(0));
    assert!(sends(&mut world, udp(1, 1), PEER) && sends(&mut world, udp(1, 1), third));
}

fn ticket_of(answer: &[u8]) -> Vec<u8> {
    let answer = Message::parse(answer).unwrap();
    answer.mobility_ticket().unwrap().to_vec()
}

/// Alice has an allocation at `path` that may move, and a permission; returns the ticket.
fn allocate_mobile(world: &mut World, path: FiveTuple) -> Vec<u8> {
    let mut hand = alice(path);
    // to be asked for credentials
    assert_eq!(hand.permit(world, PEER), Some(437));
    let answer = ask(world, &mut hand, Method::ALLOCATE, |writer| {
        writer.requested_transport(17)?;
        writer.mobility_ticket(&[])
    });
    assert_eq!(hand.permit(world, PEER), Some(0));
    ticket_of(&answer)
}

/// Alice is at `path` now; returns the next ticket, or why she may not be.
fn move_to(world: &mut World, path: FiveTuple, ticket: &[u8]) -> Result<Vec<u8>, u16> {
    refresh_with(world, alice(path), |writer| writer.mobility_ticket(ticket))
}

fn refresh_with(
    world: &mut World,
    mut hand: Hand,
    fill: impl Fn(&mut MessageWriter<'_>) -> Result<(), Error>,
) -> Result<Vec<u8>, u16> {
    let challenge = ask(world, &mut hand, Method::REFRESH, &fill);
    hand.credentials
        .on_response(&Message::parse(&challenge).unwrap(), false);
    let answer = ask(world, &mut hand, Method::REFRESH, &fill);
    match Message::parse(&answer).unwrap().error_code() {
        None => Ok(ticket_of(&answer)),
        Some(error) => Err(error.code),
    }
}

#[test]
fn a_ticket_is_good_once() {
    let mut world = World::new(1, config());
    let first = allocate_mobile(&mut world, udp(1, 1));
    let second = move_to(&mut world, udp(2, 1), &first).unwrap();
    assert_eq!(
        move_to(&mut world, udp(3, 1), &first),
        Err(400),
        "while it moves"
    );
    assert!(sends(&mut world, udp(2, 1), PEER), "it has moved");
    assert!(!sends(&mut world, udp(1, 1), PEER));
    assert_eq!(
        move_to(&mut world, udp(3, 1), &first),
        Err(400),
        "when it has"
    );
    assert!(sends(&mut world, udp(2, 1), PEER));
    assert!(move_to(&mut world, udp(3, 1), &second).is_ok());
}

#[test]
fn a_ticket_is_its_users_alone() {
    let mut world = World::new(1, config());
    let ticket = allocate_mobile(&mut world, udp(1, 1));
    let stolen = refresh_with(&mut world, bob(udp(2, 1)), |w| w.mobility_ticket(&ticket));
    assert_eq!(stolen, Err(441));
    assert!(!sends(&mut world, udp(2, 1), PEER));
    assert!(sends(&mut world, udp(1, 1), PEER));
    assert!(move_to(&mut world, udp(3, 1), &ticket).is_ok(), "unspent");
}

#[test]
fn a_refresh_that_is_refused_moves_nothing() {
    let mut world = World::new(1, config());
    let ticket = allocate_mobile(&mut world, udp(1, 1));
    let refused = refresh_with(&mut world, alice(udp(2, 1)), |writer| {
        writer.requested_address_family(AddressFamily::Ipv6)?;
        writer.mobility_ticket(&ticket)
    });
    assert_eq!(refused, Err(443));
    assert!(!sends(&mut world, udp(2, 1), PEER));
    assert!(sends(&mut world, udp(1, 1), PEER));
    assert!(move_to(&mut world, udp(2, 1), &ticket).is_ok(), "unspent");
    assert!(sends(&mut world, udp(2, 1), PEER));
}

/// The index of paths is asked about at the end of the last allocation, in debug builds.
#[test]
fn who_has_moved_leaves_no_path_behind() {
    let mut world = World::new(1, config());
    let ticket = allocate_mobile(&mut world, udp(1, 1));
    move_to(&mut world, udp(2, 1), &ticket).unwrap();
    assert!(sends(&mut world, udp(2, 1), PEER), "it has moved");
    assert_eq!(world.server.release_account("alice"), 1);
    assert_eq!(world.server.allocations(), 0);
}

#[test]
fn a_move_whose_answer_was_lost_is_asked_for_again() {
    let mut world = World::new(1, config());
    let first = allocate_mobile(&mut world, udp(1, 1));
    let mut hand = alice(udp(2, 1));
    assert_eq!(hand.permit(&mut world, PEER), Some(437), "challenged");
    let request = hand.write(Method::REFRESH, |w| w.mobility_ticket(&first));
    let mut answer = || exchange(&mut world, hand.path, &mut request.clone()).unwrap();
    let second = ticket_of(&answer());
    assert_eq!(ticket_of(&answer()), second);
    move_to(&mut world, udp(3, 1), &second).unwrap();
}

#[test]
fn one_family_ends_and_the_other_stays() {
    let mut both = config();
    both.relays
        .push(RelayAddress::new("2001:db8::1".parse().unwrap()));
    let (v4, v6) = (PEER, "[2001:db8:1::1]:1");
    both.peers.allow.push("2001:db8:1::/48".parse().unwrap());
    let mut world = World::new(1, both);
    for (family, ended, other) in [(AddressFamily::Ipv6, v6, v4), (AddressFamily::Ipv4, v4, v6)] {
        let mut hand = alice(udp(1, 1));
        let code = hand.ask(&mut world, Method::ALLOCATE, |writer| {
            writer.requested_transport(17)?;
            writer.additional_address_family(AddressFamily::Ipv6)
        });
        assert_eq!(code, Some(0));
        assert_eq!(world.relays.len(), 2);
        for peer in [v4, v6] {
            assert_eq!(hand.permit(&mut world, peer), Some(0));
        }
        let code = hand.ask(&mut world, Method::REFRESH, |writer| {
            writer.lifetime(0)?;
            writer.requested_address_family(family)
        });
        assert_eq!(code, Some(0));
        assert_eq!(world.relays.len(), 1);
        assert_eq!(hand.permit(&mut world, ended), Some(443));
        assert_eq!(hand.permit(&mut world, other), Some(0));
        let code = hand.ask(&mut world, Method::REFRESH, |w| w.lifetime(0));
        assert_eq!(code, Some(0));
    }
}

#[test]
fn the_quota_of_an_address_follows_who_moves() {
    let mut strict = config();
    strict.max_allocations_per_address = 1;
    let mut world = World::new(1, strict);
    let ticket = allocate_mobile(&mut world, udp(1, 1));
    assert_eq!(bob(udp(1, 2)).allocate(&mut world), Some(486));
    move_to(&mut world, udp(2, 1), &ticket).unwrap();
    assert!(sends(&mut world, udp(2, 1), PEER));
    assert_eq!(bob(udp(2, 2)).allocate(&mut world), Some(486));
    assert_eq!(bob(udp(1, 2)).allocate(&mut world), Some(0));
    // and it counts there when it ends
    let mut hand = alice(udp(2, 1));
    let code = hand.ask(&mut world, Method::REFRESH, |w| w.lifetime(0));
    assert_eq!(code, Some(0));
    assert_eq!(bob(udp(2, 2)).allocate(&mut world), Some(0));
    assert_eq!(bob(udp(1, 3)).allocate(&mut world), Some(486));
}

/// A peer connects to the relay of Alice, who allocates by TCP: the connection, and what she is told of it.
fn attempt(world: &mut World, hand: &mut Hand) -> (ConnectionId, u32) {
    let code = hand.ask(world, Method::ALLOCATE, |w| w.requested_transport(6));
    assert_eq!(code, Some(0));
    assert_eq!(hand.permit(world, PEER), Some(0));
    let (now, relay) = (world.now, relay(world));
    let connection = world.server.accept(now, relay, address(PEER)).unwrap();
    let mut buf = [0; 200];
    let sent = world.server.poll_transmit(now, &mut buf).unwrap();
    let attempt = Message::parse(&buf[sent.range]).unwrap();
    assert_eq!(attempt.method(), Method::CONNECTION_ATTEMPT);
    (connection, attempt.connection_id().unwrap())
}

#[test]
fn a_connection_is_bound_by_its_user_alone() {
    let mut world = World::new(1, config());
    let mut hand = alice(path(1, 1, Transport::Tcp));
    let (connection, id) = attempt(&mut world, &mut hand);
    let bind = |world: &mut World, mut hand: Hand| {
        hand.ask(world, Method::CONNECTION_BIND, |w| w.connection_id(id))
    };
    let stream = |port| path(1, port, Transport::Tcp);
    assert_eq!(bind(&mut world, bob(stream(2))), Some(400));
    assert_eq!(bind(&mut world, alice(stream(1))), Some(400), "its own");
    assert!(world.joins.is_empty());
    assert_eq!(bind(&mut world, alice(stream(3))), Some(0));
    assert_eq!(world.joins, [(connection, stream(3).reversed())]);
    assert_eq!(bind(&mut world, alice(stream(4))), Some(400), "once");
}

#[test]
fn nobody_foretells_the_id_of_a_connection() {
    let ids: BTreeSet<u32> = (0..8)
        .map(|seed| {
            let mut world = World::new(seed, config());
            attempt(&mut world, &mut alice(path(1, 1, Transport::Tcp))).1
        })
        .collect();
    assert_eq!(ids.len(), 8, "{ids:?}");
}

#[test]
fn a_connection_is_bound_with_the_nonce_of_the_allocation() {
    let mut world = World::new(1, config());
    let mut hand = alice(path(1, 1, Transport::Tcp));
    let (connection, id) = attempt(&mut world, &mut hand);
    // signed as the allocation's own requests are, from one host and from another
    let mut bind = |world: &mut World, method, path| {
        let mut request = hand.write(method, |w| w.connection_id(id));
        let answer = exchange(world, path, &mut request).unwrap();
        let answer = Message::parse(&answer).unwrap();
        answer.error_code().map_or(0, |error| error.code)
    };
    let [same, other] = [1, 2].map(|host| path(host, 2, Transport::Tcp));
    assert_eq!(
        bind(&mut world, Method::REFRESH, same),
        438,
        "the path's own"
    );
    assert_eq!(bind(&mut world, Method::CONNECTION_BIND, other), 438);
    assert!(world.joins.is_empty());
    assert_eq!(bind(&mut world, Method::CONNECTION_BIND, same), 0);
    assert_eq!(world.joins, [(connection, same.reversed())]);
}

#[test]
fn a_policy_that_is_replaced_holds_at_once() {
    let mut world = World::new(1, config());
    let (denied, allowed) = (address(PEER), address("198.51.100.200:9"));
    let mut hand = alice(udp(1, 1));
    assert_eq!(hand.allocate(&mut world), Some(0));
    for peer in [denied, allowed] {
        assert_eq!(hand.permit(&mut world, &peer.to_string()), Some(0));
    }
    assert_eq!(hand.bind(&mut world, 0x4000, denied), Some(0));
    assert_eq!(hand.bind(&mut world, 0x4001, allowed), Some(0));
    let mut by_tcp = alice(path(1, 2, Transport::Tcp));
    let code = by_tcp.ask(&mut world, Method::ALLOCATE, |w| w.requested_transport(6));
    assert_eq!(code, Some(0));
    assert_eq!(by_tcp.permit(&mut world, PEER), Some(0));
    let udp_relay = world
        .server
        .list(world.now)
        .find(|found| found.transport == Transport::Udp)
        .and_then(|found| found.relayed[0])
        .unwrap();
    let id_of = |is_udp: bool| {
        let mut relays = world.relays.iter();
        let found = relays.find(|(_, at)| (**at == udp_relay) == is_udp);
        *found.unwrap().0
    };
    let (tcp, udp) = (id_of(false), id_of(true));
    let connection = world.server.accept(world.now, tcp, denied).unwrap();
    let attempt = world.server.poll_transmit(world.now, &mut [0; 200]);
    assert_eq!(attempt.unwrap().path, by_tcp.path.reversed());
    let reaches = |world: &mut World, peer| {
        let to = world.server.handle_relay_input(world.now, udp, peer, 1);
        to.is_some()
    };
    let sends = |world: &mut World, number: u8| {
        let mut data = [0x40, number, 0, 1, b'x', 0, 0, 0];
        let path = hand.path.reversed();
        let sent = world
            .server
            .handle_input(world.now, Datagram::new(path, &mut data));
        sent.is_some()
    };
    assert!(reaches(&mut world, denied) && reaches(&mut world, allowed));
    assert!(sends(&mut world, 0) && sends(&mut world, 1));

    let mut peers = PeerPolicy::default();
    peers.allow.push(allowed.ip().into());
    world.server.set_peers(peers);
    assert!(!reaches(&mut world, denied) && reaches(&mut world, allowed));
    assert!(!sends(&mut world, 0) && sends(&mut world, 1));
    let disconnect = ServerEvent::Disconnect { connection };
    assert!(core::iter::from_fn(|| world.server.poll_event()).any(|event| event == disconnect));
    assert_eq!(hand.permit(&mut world, PEER), Some(403));
}

#[test]
fn a_reserved_port_is_its_users_alone() {
    let mut world = World::new(1, config());
    let mut hand = alice(udp(1, 1));
    assert_eq!(hand.allocate(&mut world), Some(0));
    let code = hand.ask(&mut world, Method::REFRESH, |w| w.lifetime(0));
    assert_eq!(code, Some(0));
    let answer = ask(&mut world, &mut hand, Method::ALLOCATE, |writer| {
        writer.requested_transport(17)?;
        writer.even_port(EvenPort { reserve_next: true })
    });
    let token = Message::parse(&answer)
        .unwrap()
        .reservation_token()
        .unwrap();
    let take = |world: &mut World, mut hand: Hand| {
        hand.ask(world, Method::ALLOCATE, |writer| {
            writer.requested_transport(17)?;
            writer.reservation_token(token)
        })
    };
    assert_eq!(take(&mut world, bob(udp(2, 1))), Some(508));
    assert_eq!(take(&mut world, alice(udp(3, 1))), Some(0));
    assert_eq!(take(&mut world, alice(udp(4, 1))), Some(508), "once");
}

#[test]
fn ports_that_were_taken_are_tried_again_later() {
    // where it begins is random
    for seed in 0..8 {
        let mut narrow = config();
        narrow.ports = 50_000..=50_003;
        let mut world = World::new(seed, narrow);
        world.taken.extend(50_000..=50_002);
        let add = |world: &mut World| {
            let client = world.add(ClientConfig::new("alice", "secret"));
            world.run(Duration::from_secs(1));
            world.clients[client].is_allocated()
        };
        assert!(add(&mut world), "by the fourth port");
        world.taken.clear();
        for number in 0..3 {
            assert!(add(&mut world), "{number}");
        }
        assert!(!add(&mut world), "there are four");
    }
}

#[test]
fn another_pair_is_tried_when_one_of_two_ports_is_taken() {
    for seed in 0..8 {
        let mut narrow = config();
        narrow.ports = 50_000..=50_007;
        let mut world = World::new(seed, narrow);
        world.taken.extend([50_001, 50_002, 50_005]);
        let mut pair = ClientConfig::new("alice", "secret");
        pair.even_port = Some(true);
        let client = world.add(pair.clone());
        world.run(Duration::from_secs(1));
        assert!(world.clients[client].is_allocated());
        let mut bound: Vec<_> = world.relays.values().map(SocketAddr::port).collect();
        bound.sort();
        assert_eq!(bound, [50_006, 50_007], "the others are closed again");
        let client = world.add(pair);
        world.run(Duration::from_secs(1));
        assert!(!world.clients[client].is_allocated());
        // and they may be had one by one
        for _ in 0..3 {
            let client = world.add(ClientConfig::new("alice", "secret"));
            world.run(Duration::from_secs(1));
            assert!(world.clients[client].is_allocated());
        }
    }
}

#[test]
fn the_operator_lists_and_ends() {
    let mut world = World::new(1, config());
    let relayed = |world: &mut World, hand: &mut Hand, even: bool| {
        assert_eq!(hand.permit(world, PEER), Some(437), "challenged");
        let answer = ask(world, hand, Method::ALLOCATE, |writer| {
            writer.requested_transport(17)?;
            if even {
                writer.even_port(EvenPort { reserve_next: true })?;
            }
            writer.lifetime(1_200)
        });
        Message::parse(&answer).unwrap().xor_relayed_address()
    };
    let (mut first, mut second) = (alice(udp(1, 1)), alice(udp(1, 2)));
    let mut third = bob(udp(2, 1));
    let mut expected = vec![
        ("alice", first.path, relayed(&mut world, &mut first, false)),
        ("alice", second.path, relayed(&mut world, &mut second, true)),
        ("bob", third.path, relayed(&mut world, &mut third, false)),
    ];
    world.now += Duration::from_secs(200);
    let list = |world: &World| {
        let list = world.server.list(world.now);
        let mut list: Vec<_> = list
            .map(|found| {
                assert_eq!(found.account, found.username);
                assert_eq!(found.transport, Transport::Udp);
                assert_eq!(found.lifetime, Duration::from_secs(1_000));
                let [v4, v6] = found.relayed;
                assert_eq!(v6, None);
                (found.username, found.path.reversed(), v4)
            })
            .collect();
        list.sort();
        list
    };
    let named = |expected: &[(&str, FiveTuple, Option<SocketAddr>)]| -> Vec<_> {
        let mut list = expected.to_vec();
        list.sort();
        let list = list.into_iter();
        list.map(|(name, path, relayed)| (Box::from(name), path, relayed))
            .collect()
    };
    assert_eq!(list(&world), named(&expected));
    // of the two relays of a pair one was kept aside
    assert_eq!(world.server.release_account("nobody"), 0);
    assert_eq!(world.server.release_account("alice"), 2);
    let (mut closed, mut released) = (0, Vec::new());
    while let Some(event) = world.server.poll_event() {
        match event {
            ServerEvent::CloseRelay { .. } => closed += 1,
            ServerEvent::Released { path, reason, .. } => {
                assert_eq!(reason, Release::Operator);
                released.push(path.reversed());
            }
            ServerEvent::PathRemoved { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((closed, released), (3, vec![first.path, second.path]));
    assert_eq!(list(&world), named(&expected.split_off(2)));
    assert!(
        world
            .server
            .poll_transmit(world.now, &mut [0; 100])
            .is_none()
    );
    let code = first.ask(&mut world, Method::REFRESH, |w| w.lifetime(600));
    assert_eq!(code, Some(437));
}

/// RFC 7635 §7: clocks may be five seconds apart.
#[test]
fn a_token_is_good_a_little_longer_than_it_says() {
    let made = Duration::from_secs(1_700_000_000);
    let wall = rtckit_proto::WallClock::new(made);
    let mut strict = config();
    strict.authentication.third_party = Some("example.org".into());
    let mut random = rtckit_proto::SeededRandom::new(1);
    for (seconds, code) in [(99, 0), (104, 0), (105, 401)] {
        let mut tokens = AccessTokens::new("example.org", wall);
        tokens.insert_256("north", &[3; 32]);
        let lifetime = Duration::from_secs(100);
        let token = tokens
            .seal("north", &[1; 12], &[7; 20], made, lifetime)
            .unwrap();
        let mut server = Server::new(strict.clone(), tokens, &mut random);
        let mut who = LongTermClient::with_token("north", &token, &[7; 20]).unwrap();
        let now = Instant::from_millis(seconds * 1_000);
        let mut answered = 0;
        for id in 1..=2 {
            let mut buf = [0; 600];
            let id = rtckit_stun::TransactionId([id; 12]);
            let mut writer =
                MessageWriter::new(&mut buf, Class::Request, Method::REFRESH, id).unwrap();
            who.write(&mut writer).unwrap();
            let len = writer.finish();
            let datagram = Datagram::new(udp(1, 1).reversed(), &mut buf[..len]);
            server.handle_input(now, datagram);
            let sent = server.poll_transmit(now, &mut buf).unwrap();
            let answer = Message::parse(&buf[sent.range]).unwrap();
            answered = answer.error_code().unwrap().code;
            who.on_response(&answer, id.0[0] == 2);
        }
        // nothing is allocated, which only who is believed is told
        let code = if code == 0 { 437 } else { code };
        assert_eq!(answered, code, "{seconds}");
    }
}
