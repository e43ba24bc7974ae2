//! Servers that relay from one address: they share its ports, and their clients reach each other's relays.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod network;

use core::net::SocketAddr;
use core::time::Duration;
use std::sync::Arc;

use network::hand::Hand;
use network::{SERVER, World, address, config};
use rtckit_proto::{Datagram, FiveTuple, Transport};
use rtckit_stun::{Class, EvenPort, Message, MessageWriter, Method, TransactionId, Verdict};
use rtckit_turn::{BindError, RelayAddress, RelayPorts, ServerConfig, ServerEvent};

/// What one of them is told. Its address is a public one: nothing allows it by name.
fn shard(ports: &Arc<RelayPorts>) -> ServerConfig {
    let mut config = config();
    let [bind, advertise] = [[9, 9, 9, 1], [9, 9, 9, 2]];
    config.relays = vec![RelayAddress::behind_nat(bind.into(), advertise.into())];
    config.relay_ports = Some(Arc::clone(ports));
    config
}

fn two_shards() -> [World; 2] {
    let ports = Arc::default();
    [1, 2].map(|seed| World::new(seed, shard(&ports)))
}

/// Alice, from port `port` of a host that differs with each.
fn alice(port: u16, transport: Transport) -> Hand {
    let local = SocketAddr::from(([192, 0, 2, port as u8], port));
    let mut path = FiveTuple::udp(local, address(SERVER));
    path.transport = transport;
    Hand::new(path, "alice", "secret")
}

fn udp(port: u16) -> Hand {
    alice(port, Transport::Udp)
}

fn allocate_tcp(world: &mut World, hand: &mut Hand) -> Option<u16> {
    hand.ask(world, Method::ALLOCATE, |w| w.requested_transport(6))
}

fn refresh(world: &mut World, hand: &mut Hand, lifetime: u32) -> Option<u16> {
    hand.ask(world, Method::REFRESH, |w| w.lifetime(lifetime))
}

/// What it was asked to bind last, and has bound.
fn bound(world: &World) -> SocketAddr {
    *world.relays.values().last().unwrap()
}

fn sends(world: &mut World, hand: &Hand, peer: SocketAddr) -> bool {
    let mut buf = [0; 64];
    let id = TransactionId([1; 12]);
    let mut writer = MessageWriter::new(&mut buf, Class::Indication, Method::SEND, id).unwrap();
    writer.xor_peer_address(peer).unwrap();
    writer.data(b"x").unwrap();
    let len = writer.finish();
    let datagram = Datagram::new(hand.path.reversed(), &mut buf[..len]);
    world.server.handle_input(world.now, datagram).is_some()
}

/// The answer to Connect: none, when it is allowed, as long as the driver is at it.
fn connect(world: &mut World, hand: &mut Hand, peer: SocketAddr) -> Option<u16> {
    hand.ask(world, Method::CONNECT, |w| w.xor_peer_address(peer))
}

#[test]
fn clients_reach_relays_of_another_shard_while_they_are_there() {
    let [mut one, mut other] = two_shards();
    let (mut here, mut there) = (udp(1), udp(2));
    assert_eq!(here.allocate(&mut one), Some(0));
    assert_eq!(there.allocate(&mut other), Some(0));
    let relay = bound(&other);
    let advertised = SocketAddr::new([9, 9, 9, 2].into(), relay.port());
    assert_eq!(here.permit(&mut one, "9.9.9.1:1"), Some(0));
    assert_eq!(here.permit(&mut one, "9.9.9.2:1"), Some(0));
    for (channel, peer) in [(0x4000, relay), (0x4001, advertised)] {
        assert_eq!(here.bind(&mut one, channel, peer), Some(0), "{peer}");
        assert!(sends(&mut one, &here, peer), "{peer}");
        // nor is whatever else has a port there
        let nobody = SocketAddr::new(peer.ip(), relay.port() ^ 1);
        assert_eq!(here.bind(&mut one, 0x4002, nobody), Some(403), "{nobody}");
        assert!(!sends(&mut one, &here, nobody), "{nobody}");
    }
    // its own too, and that of the other one of the two
    let own = bound(&one);
    assert_eq!(here.bind(&mut one, 0x4003, own), Some(0));
    assert_eq!(there.bind(&mut other, 0x4000, own), Some(0));
    // at a third address of this host there is none
    one = World::new(3, {
        let mut config = one.server.config().clone();
        config.addresses.push([9, 9, 9, 3].into());
        config
    });
    assert_eq!(here.allocate(&mut one), Some(0));
    let third = SocketAddr::new([9, 9, 9, 3].into(), relay.port());
    assert_eq!(here.bind(&mut one, 0x4000, third), Some(403));
    assert_eq!(here.bind(&mut one, 0x4000, relay), Some(0));
    // and when it closes, it is no peer any more
    assert_eq!(refresh(&mut other, &mut there, 0), Some(0));
    assert_eq!(here.bind(&mut one, 0x4000, relay), Some(403));
    assert!(!sends(&mut one, &here, relay));
}

#[test]
fn relays_for_tcp_are_peers_of_such() {
    let [mut one, mut other] = two_shards();
    let [mut here, mut there] = [1, 2].map(|port| alice(port, Transport::Tcp));
    let (mut udp_here, mut udp_there) = (udp(3), udp(4));
    assert_eq!(allocate_tcp(&mut one, &mut here), Some(0));
    assert_eq!(udp_here.allocate(&mut one), Some(0));
    assert_eq!(allocate_tcp(&mut other, &mut there), Some(0));
    let tcp_relay = bound(&other);
    assert_eq!(udp_there.allocate(&mut other), Some(0));
    let udp_relay = bound(&other);
    assert_ne!(tcp_relay.port(), udp_relay.port(), "by the seed");
    assert_eq!(connect(&mut one, &mut here, tcp_relay), None);
    assert_eq!(connect(&mut one, &mut here, udp_relay), Some(403));
    assert_eq!(udp_here.bind(&mut one, 0x4000, tcp_relay), Some(403));
    assert_eq!(udp_here.bind(&mut one, 0x4000, udp_relay), Some(0));
    assert_eq!(refresh(&mut other, &mut there, 0), Some(0));
    let again = &mut alice(5, Transport::Tcp);
    assert_eq!(allocate_tcp(&mut one, again), Some(0));
    assert_eq!(connect(&mut one, again, tcp_relay), Some(403));
}

/// The next task, which is to bind a relay.
fn task(world: &mut World) -> (rtckit_turn::RelayId, SocketAddr) {
    loop {
        match world.server.poll_event() {
            Some(ServerEvent::BindRelay { relay, address, .. }) => return (relay, address),
            Some(ServerEvent::PathAdded { .. } | ServerEvent::PathRemoved { .. }) => {}
            event => panic!("{event:?}"),
        }
    }
}

#[test]
fn a_port_is_no_peer_before_it_is_bound() {
    let [mut one, mut other] = two_shards();
    let (mut here, mut there) = (udp(1), udp(2));
    assert_eq!(here.allocate(&mut one), Some(0));
    assert_eq!(
        there.permit(&mut other, "9.9.9.9:1"),
        Some(437),
        "to be challenged"
    );
    let mut request = there.write(Method::ALLOCATE, |w| w.requested_transport(17));
    let datagram = Datagram::new(there.path.reversed(), &mut request);
    assert!(other.server.handle_input(other.now, datagram).is_none());
    // the first port is somebody else's
    let (relay, first) = task(&mut other);
    assert_eq!(here.bind(&mut one, 0x4000, first), Some(403));
    let in_use = Err(BindError::AddressInUse);
    other.server.relay_bound(other.now, relay, in_use);
    let (_, second) = task(&mut other);
    assert_ne!(first, second);
    other.server.relay_bound(other.now, relay, Ok(second));
    assert_eq!(here.bind(&mut one, 0x4000, first), Some(403));
    assert_eq!(here.bind(&mut one, 0x4000, second), Some(0));
}

#[test]
fn a_small_range_is_for_all_shards_to_the_last_port() {
    let ports = Arc::default();
    let mut shards: Vec<World> = (0..8)
        .map(|seed| {
            let mut config = shard(&ports);
            config.ports = 50_000..=50_009;
            World::new(seed, config)
        })
        .collect();
    let mut clients: Vec<Hand> = (1..=10).map(udp).collect();
    for round in 0..3 {
        for (client, place) in clients.iter_mut().zip((0..8).cycle()) {
            assert_eq!(client.allocate(&mut shards[place]), Some(0), "{round}");
        }
        let mut taken: Vec<u16> = shards
            .iter()
            .flat_map(|shard| shard.relays.values().map(SocketAddr::port))
            .collect();
        taken.sort();
        assert_eq!(taken, Vec::from_iter(50_000..=50_009));
        for shard in &mut shards {
            assert_eq!(udp(20).allocate(shard), Some(508), "all are taken");
        }
        // they come back
        for (client, place) in clients.iter_mut().zip((0..8).cycle()) {
            assert_eq!(refresh(&mut shards[place], client, 0), Some(0));
        }
    }
    // also those of a shard that is dropped
    for client in &mut clients {
        assert_eq!(client.allocate(&mut shards[0]), Some(0));
    }
    shards.remove(0);
    for client in &mut clients {
        assert_eq!(client.allocate(&mut shards[1]), Some(0));
    }
}

#[test]
fn pairs_and_what_is_kept_aside_are_for_all_shards_too() {
    let ports = Arc::default();
    let [mut one, mut other] = [1, 2].map(|seed| {
        let mut config = shard(&ports);
        config.ports = 50_000..=50_001;
        World::new(seed, config)
    });
    let (mut here, mut there) = (udp(1), udp(2));
    let reserve = |w: &mut MessageWriter<'_>| {
        w.requested_transport(17)?;
        w.even_port(EvenPort { reserve_next: true })
    };
    assert_eq!(here.ask(&mut one, Method::ALLOCATE, reserve), Some(0));
    assert_eq!(there.allocate(&mut other), Some(508));
    // one of the two lives on
    assert_eq!(refresh(&mut one, &mut here, 0), Some(0));
    assert_eq!(there.ask(&mut other, Method::ALLOCATE, reserve), Some(508));
    // and not for ever
    one.now += Duration::from_secs(31);
    one.server.handle_timeout(one.now);
    assert_eq!(there.ask(&mut other, Method::ALLOCATE, reserve), Some(0));
    assert_eq!(here.allocate(&mut one), Some(508));
}

#[test]
fn a_port_that_cannot_be_bound_comes_back() {
    let ports = Arc::default();
    let [mut one, mut other] = [1, 2].map(|seed| {
        let mut config = shard(&ports);
        config.ports = 50_000..=50_000;
        World::new(seed, config)
    });
    let mut here = udp(1);
    for error in [BindError::AddressInUse, BindError::Failed] {
        assert!(matches!(here.permit(&mut one, "9.9.9.9:1"), Some(437)));
        let mut request = here.write(Method::ALLOCATE, |w| w.requested_transport(17));
        let datagram = Datagram::new(here.path.reversed(), &mut request);
        assert!(one.server.handle_input(one.now, datagram).is_none());
        let (relay, _) = task(&mut one);
        one.server.relay_bound(one.now, relay, Err(error));
        let mut buf = [0; 1400];
        let sent = one.server.poll_transmit(one.now, &mut buf).unwrap();
        let answer = Message::parse(&buf[sent.range]).unwrap();
        assert_eq!(answer.error_code().unwrap().code, 508);
        assert_eq!(
            here.credentials.on_response(&answer, true),
            Verdict::Accepted
        );
        let mut there = udp(2);
        assert_eq!(there.allocate(&mut other), Some(0), "{error:?}");
        assert_eq!(refresh(&mut other, &mut there, 0), Some(0));
    }
}
