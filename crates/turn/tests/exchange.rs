//! A client and a server, over networks good and bad.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod network;

use core::net::SocketAddr;
use core::time::Duration;

use network::{Weather, World, address, config};
use rtckit_proto::{FiveTuple, Transport};
use rtckit_turn::{
    ClientConfig, ClientEvent, Failure, Families, RelayAddress, Release, ServerEvent,
};

const PEER: &str = "198.51.100.7:4000";

fn alice() -> ClientConfig {
    ClientConfig::new("alice", "secret")
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn allocate_permit_send_and_receive() {
    let mut world = World::new(1, config());
    let client = world.add(alice());
    world.run(seconds(1));
    assert!(world.clients[client].is_allocated(), "{:?}", world.events);
    let peer = address(PEER);
    assert!(!world.send(client, peer, b"too early"));
    assert!(world.clients[client].permit(world.now, peer.ip()));
    world.run(seconds(1));
    // the first goes in an indication, and binds a channel
    assert!(world.send(client, peer, b"one"));
    world.run(seconds(1));
    assert!(world.clients[client].channel(peer).is_some());
    assert!(world.send(client, peer, b"two!!"));
    world.run(seconds(1));
    let relayed = world.relayed(client);
    let expected = [(relayed, b"one".to_vec()), (relayed, b"two!!".to_vec())];
    assert_eq!(world.at_peers[&peer], expected);
    let received: Vec<_> = world
        .at_clients
        .iter()
        .map(|(_, from, data)| (*from, &data[..]))
        .collect();
    assert_eq!(received, [(peer, &b"one"[..]), (peer, b"two!!")]);
    // strangers are not heard
    world.put(address("198.51.100.8:1"), relayed, Transport::Udp, b"spam");
    world.run(seconds(1));
    assert_eq!(world.at_clients.len(), 2);
    assert_eq!(world.server.counters().unroutable_from_peers, 1);
    // but another port of a permitted address is, in an indication
    world.put(address("198.51.100.7:1"), relayed, Transport::Udp, b"hello");
    world.run(seconds(1));
    assert_eq!(world.at_clients[2].1, address("198.51.100.7:1"));
    // everything lives on, hours later
    world.run(seconds(7200));
    assert!(world.send(client, peer, b"three"));
    world.run(seconds(1));
    assert_eq!(world.at_peers[&peer].len(), 3);
    // and ends when told
    let now = world.now;
    world.clients[client].close(now);
    world.run(seconds(1));
    assert!(world.has(client, |event| *event == ClientEvent::Released));
    assert_eq!(world.server.allocations(), 0);
    assert!(world.relays.is_empty());
    assert!(world.server_events.iter().any(|event| matches!(
        event,
        ServerEvent::Released {
            reason: Release::Client,
            ..
        }
    )));
}

#[test]
fn through_loss_duplicates_and_reordering() {
    for seed in 0..20 {
        let mut world = World::new(seed, config());
        world.weather = Weather {
            loss: 200,
            duplicates: 100,
            jitter: 80,
        };
        let clients: Vec<_> = (0..5).map(|_| world.add(alice())).collect();
        world.run(seconds(60));
        let peer = address(PEER);
        for &client in &clients {
            assert!(world.clients[client].is_allocated(), "seed {seed}");
            let now = world.now;
            world.clients[client].permit(now, peer.ip());
        }
        world.run(seconds(60));
        for round in 0..50_u8 {
            for &client in &clients {
                assert!(
                    world.send(client, peer, &[client as u8, round]),
                    "seed {seed}"
                );
            }
            world.run(Duration::from_millis(100));
        }
        world.run(seconds(1800));
        for &client in &clients {
            assert!(
                world.clients[client].is_allocated(),
                "seed {seed}: not refreshed"
            );
            let relayed = world.relayed(client);
            let arrived = world.at_peers[&peer]
                .iter()
                .filter(|(from, data)| *from == relayed && data[0] == client as u8);
            assert!(arrived.count() > 25, "seed {seed}");
            let back = world
                .at_clients
                .iter()
                .filter(|(at, _, data)| *at == client && data[0] == client as u8);
            assert!(back.count() > 15, "seed {seed}");
        }
        assert_eq!(world.server.allocations(), 5, "none twice");
    }
}

#[test]
fn a_wrong_password_is_known_at_once() {
    let mut world = World::new(1, config());
    let wrong = world.add(ClientConfig::new("alice", "guess"));
    let nobody = world.add(ClientConfig::new("mallory", "secret"));
    world.run(Duration::from_millis(100));
    for client in [wrong, nobody] {
        let failed = ClientEvent::Failed(Failure::WrongCredentials);
        assert!(world.has(client, |event| *event == failed));
        assert!(world.clients[client].is_closed());
    }
    assert_eq!(world.server.counters().wrong_credentials, 2);
    assert_eq!(world.server.allocations(), 0);
}

#[test]
fn what_is_not_refreshed_ends() {
    let mut world = World::new(1, config());
    world.add(alice());
    world.run(seconds(1));
    assert_eq!(world.server.allocations(), 1);
    world.clients.clear();
    world.run(seconds(598));
    assert_eq!(world.server.allocations(), 1);
    world.run(seconds(2));
    assert_eq!(world.server.allocations(), 0);
    assert!(world.relays.is_empty());
    assert_eq!(world.server.poll_timeout(), None);
}

#[test]
fn both_families_and_their_peers() {
    let mut world = World::new(1, config());
    let mut both = alice();
    both.families = Families::Both;
    let client = world.add(both);
    world.run(seconds(1));
    let v6 = address("[2001:db8:7::1]:9");
    for peer in [address(PEER), v6] {
        let now = world.now;
        assert!(world.clients[client].relayed(peer.is_ipv4()).is_some());
        world.clients[client].permit(now, peer.ip());
        world.run(seconds(1));
        assert!(world.send(client, peer, b"x"));
        world.run(seconds(1));
        assert_eq!(world.at_peers[&peer].len(), 1);
    }
    assert_eq!(world.relays.len(), 2);
    // IPv6 alone, and peers of the other family refused
    let mut only = alice();
    only.families = Families::Ipv6;
    let client = world.add(only);
    world.run(seconds(1));
    assert!(world.clients[client].relayed(true).is_none());
    let now = world.now;
    world.clients[client].permit(now, address(PEER).ip());
    world.run(seconds(1));
    assert!(world.has(client, |event| matches!(
        event,
        ClientEvent::PermissionRefused { code: 443, .. }
    )));
}

#[test]
fn an_even_port_and_the_next() {
    let mut world = World::new(1, config());
    let mut even = alice();
    even.even_port = Some(true);
    let client = world.add(even);
    world.run(seconds(1));
    let port = world.relayed(client).port();
    assert_eq!(port % 2, 0);
    let token = world.events.iter().find_map(|(_, event)| match event {
        ClientEvent::Allocated { reservation, .. } => *reservation,
        _ => None,
    });
    let mut next = alice();
    next.reservation = token;
    assert!(token.is_some());
    let second = world.add(next.clone());
    world.run(seconds(1));
    assert_eq!(world.relayed(second).port(), port + 1);
    // once
    let third = world.add(next);
    world.run(seconds(1));
    assert!(world.has(third, |event| *event
        == ClientEvent::Failed(Failure::Refused(508))));
    // and not by another user, nor after 30 s
    let mut even = alice();
    even.even_port = Some(true);
    world.add(even);
    world.run(seconds(1));
    assert_eq!(world.relays.len(), 4);
    world.run(seconds(30));
    assert_eq!(world.relays.len(), 3);
}

#[test]
fn ports_somebody_else_has() {
    let mut narrow = config();
    narrow.ports = 50_000..=50_009;
    let mut world = World::new(1, narrow);
    world.taken.extend(50_000..=50_008);
    let clients: Vec<_> = (0..2).map(|_| world.add(alice())).collect();
    world.run(seconds(3));
    let allocated = clients.iter().filter(|&&c| world.clients[c].is_allocated());
    // sixteen tries of ten ports find the free one, more or less; the second client finds none
    assert!(allocated.count() <= 1);
    assert!(world.has(clients[1], |e| *e
        == ClientEvent::Failed(Failure::Refused(508))));
}

#[test]
fn nonces_grow_stale_and_nobody_notices() {
    let mut short = config();
    short.authentication.nonce_lifetime = seconds(30);
    let mut world = World::new(1, short);
    let client = world.add(alice());
    world.run(seconds(1));
    let now = world.now;
    world.clients[client].permit(now, address(PEER).ip());
    world.run(seconds(3600));
    assert!(world.clients[client].is_allocated());
    assert!(world.send(client, address(PEER), b"x"));
    world.run(seconds(1));
    assert_eq!(world.at_peers[&address(PEER)].len(), 1);
    assert!(world.server.counters().challenges > 10);
    assert_eq!(world.server.counters().wrong_credentials, 0);
}

#[test]
fn old_servers_and_anonymous_users() {
    for (algorithms, is_anonymous) in [(false, false), (true, true), (false, true)] {
        let mut other = config();
        if !algorithms {
            other.authentication.algorithms.clear();
        }
        other.authentication.is_anonymous = is_anonymous;
        let mut world = World::new(1, other);
        let client = world.add(alice());
        world.run(seconds(700));
        assert!(world.clients[client].is_allocated());
    }
}

#[test]
fn a_redirect_and_a_drain() {
    let mut world = World::new(1, config());
    let first = world.add(alice());
    world.run(seconds(1));
    world.server.drain();
    let second = world.add(alice());
    world.run(seconds(1));
    assert!(world.clients[first].is_allocated() && !world.server.is_drained());
    assert!(world.has(second, |e| *e == ClientEvent::Failed(Failure::Refused(508))));
    let now = world.now;
    world.clients[first].close(now);
    world.run(seconds(1));
    assert!(world.server.is_drained());

    let mut elsewhere = config();
    let other = address("203.0.113.2:3478");
    elsewhere.alternate_server = Some(other);
    let mut world = World::new(1, elsewhere);
    world.server.drain();
    let client = world.add(alice());
    world.run(seconds(1));
    let expected = ClientEvent::Reconnect {
        server: other,
        domain: None,
    };
    assert!(world.has(client, |event| *event == expected));
}

#[test]
fn a_client_moves_with_its_allocation() {
    let mut world = World::new(1, config());
    let mut mobile = alice();
    mobile.is_mobile = true;
    let client = world.add(mobile);
    world.run(seconds(1));
    let peer = address(PEER);
    let now = world.now;
    world.clients[client].permit(now, peer.ip());
    world.run(seconds(1));
    world.send(client, peer, b"before");
    world.run(seconds(1));
    let relayed = world.relayed(client);
    for number in [700, 701, 702] {
        let path = World::path(number);
        let now = world.now;
        assert!(world.clients[client].migrate(now, path));
        // the answer goes to the new path, which the world does not know as the client's yet
        let mut buf = [0; 1500];
        let sent = world.clients[client].poll_transmit(now, &mut buf).unwrap();
        assert_eq!(sent.path, path);
        let mut request = buf[sent.range].to_vec();
        // the nonce was for the old address: a new one comes, and the request again
        for _ in 0..3 {
            let datagram = rtckit_proto::Datagram::new(path.reversed(), &mut request);
            assert!(world.server.handle_input(now, datagram).is_none());
            let Some(sent) = world.server.poll_transmit(now, &mut buf) else {
                break;
            };
            let mut answer = buf[sent.range].to_vec();
            let datagram = rtckit_proto::Datagram::new(path, &mut answer);
            assert!(world.clients[client].handle_input(now, datagram).is_none());
            match world.clients[client].poll_transmit(now, &mut buf) {
                Some(sent) => request = buf[sent.range].to_vec(),
                None => break,
            }
        }
        world.settle();
        assert_eq!(world.events.last().unwrap().1, ClientEvent::Moved);
        assert_eq!(world.clients[client].path(), path);
        assert!(world.send(client, peer, b"after"));
        world.run(seconds(1));
        assert_eq!(world.at_clients.last().unwrap().2, b"after");
        assert_eq!(world.relayed(client), relayed);
    }
    world.run(seconds(4000));
    assert!(world.clients[client].is_allocated());
    assert_eq!(world.server.allocations(), 1);
}

#[test]
fn what_came_back_is_told() {
    let mut world = World::new(1, config());
    let client = world.add(alice());
    world.run(seconds(1));
    let peer = address(PEER);
    let now = world.now;
    let relay = *world.relays.keys().next().unwrap();
    let icmp = rtckit_stun::Icmp {
        icmp_type: 3,
        code: 4,
        data: 1400,
    };
    // not of peers that nobody permitted
    world.server.handle_relay_icmp(now, relay, peer, icmp);
    world.clients[client].permit(now, peer.ip());
    world.run(seconds(1));
    assert!(!world.has(client, |event| matches!(event, ClientEvent::Icmp { .. })));
    let now = world.now;
    world.server.handle_relay_icmp(now, relay, peer, icmp);
    world.run(seconds(1));
    let expected = ClientEvent::Icmp { peer, icmp };
    assert!(world.has(client, |event| *event == expected));
    assert!(world.at_clients.is_empty());
}

#[test]
fn who_has_a_token_is_let_in() {
    use rtckit_proto::{Datagram, Instant, SeededRandom, WallClock};
    use rtckit_stun::{AccessTokens, LongTermClient};
    use rtckit_turn::{Client, Server};

    let made = seconds(1_700_000_000);
    let mut tokens = AccessTokens::new("turn.example.org", WallClock::new(made));
    tokens.insert_256("north", &[3; 32]);
    let token = tokens.seal("north", &[1; 12], &[7; 20], made, seconds(1_000));
    let mut config = config();
    config.authentication.third_party = Some("turn.example.org".into());
    let mut random = SeededRandom::new(1);
    let mut server = Server::new(config, tokens, &mut random);
    for (mac_key, is_right) in [([7; 20], true), ([8; 20], false)] {
        let token = token.as_deref().unwrap();
        let credentials = LongTermClient::with_token("north", token, &mac_key).unwrap();
        let path = World::path(usize::from(is_right));
        let mut now = Instant::from_millis(1);
        let wishes = ClientConfig::with_credentials(credentials);
        let mut client = Client::new(wishes, path, now, &mut random);
        client.permit(now, address(PEER).ip());
        let mut buf = [0; 1500];
        let mut lifetimes = Vec::new();
        for _ in 0..200 {
            while let Some(sent) = client.poll_transmit(now, &mut buf) {
                let datagram = Datagram::new(path.reversed(), &mut buf[sent.range]);
                assert!(server.handle_input(now, datagram).is_none());
                while let Some(event) = server.poll_event() {
                    if let ServerEvent::BindRelay { relay, address, .. } = event {
                        server.relay_bound(now, relay, Ok(address));
                    }
                }
                if let Some(sent) = server.poll_transmit(now, &mut buf) {
                    let datagram = Datagram::new(path, &mut buf[sent.range]);
                    assert!(client.handle_input(now, datagram).is_none());
                }
            }
            while let Some(event) = client.poll_event() {
                if let ClientEvent::Allocated { lifetime, .. } = event {
                    lifetimes.push(lifetime);
                }
            }
            let next = [client.poll_timeout(), server.poll_timeout()];
            let Some(next) = next.into_iter().flatten().min() else {
                break;
            };
            now = next.max(now);
            server.handle_timeout(now);
            client.handle_timeout(now);
            if now < Instant::from_millis(900_000) && is_right {
                assert!(client.is_allocated() && client.is_permitted(address(PEER).ip()));
            }
        }
        assert_eq!(lifetimes.len(), usize::from(is_right));
        assert_eq!(server.allocations(), 0, "nothing outlives its token");
        assert!(now < Instant::from_millis(1_006_000));
    }
}

fn stream(number: usize) -> FiveTuple {
    FiveTuple {
        transport: Transport::Tcp,
        ..World::path(number)
    }
}

#[test]
fn tcp_connections_with_peers() {
    let mut world = World::new(1, config());
    let mut tcp = alice();
    tcp.relayed = Transport::Tcp;
    let client = world.add_at(tcp.clone(), stream(1));
    world.run(seconds(1));
    assert!(world.clients[client].is_allocated());
    let peer = address(PEER);
    let now = world.now;
    // out
    assert!(world.clients[client].connect(now, peer));
    world.run(seconds(1));
    let (connection, to) = world.connects[0];
    assert_eq!(to, peer);
    let now = world.now;
    world.server.connected(now, connection, true);
    world.run(seconds(1));
    bind(&mut world, client, connection, 2);
    // in: refused, as nobody permitted it; then permitted
    let stranger = address("198.51.100.9:77");
    let relay = *world.relays.keys().next().unwrap();
    assert_eq!(world.server.accept(now, relay, stranger), None);
    let now = world.now;
    world.clients[client].permit(now, stranger.ip());
    world.run(seconds(1));
    let now = world.now;
    let connection = world.server.accept(now, relay, stranger).unwrap();
    world.run(seconds(1));
    bind(&mut world, client, connection, 3);
    // failures
    let now = world.now;
    assert!(world.clients[client].connect(now, peer));
    world.run(seconds(1));
    assert!(world.has(client, |e| matches!(
        e,
        ClientEvent::ConnectFailed { code: 446, .. }
    )));
    let now = world.now;
    world.clients[client].connect(now, address("198.51.100.10:1"));
    world.run(seconds(31));
    assert!(world.has(client, |e| matches!(
        e,
        ClientEvent::ConnectFailed { code: 447, .. }
    )));
    // never over UDP
    let client = world.add_at(tcp, World::path(9));
    world.run(seconds(1));
    assert!(world.has(client, |e| *e == ClientEvent::Failed(Failure::Refused(400))));
    // the end of the stream is the end of it all
    world.server.stream_closed(stream(1).reversed());
    world.run(seconds(1));
    assert_eq!(world.server.allocations(), 0);
    let disconnects = world.server_events.iter();
    let disconnects = disconnects.filter(|event| matches!(event, ServerEvent::Disconnect { .. }));
    assert_eq!(disconnects.count(), 3, "the one that failed, and the two");
}

/// The client opens a stream and binds it.
fn bind(world: &mut World, client: usize, connection: rtckit_turn::ConnectionId, number: usize) {
    let id = world
        .events
        .iter()
        .rev()
        .find_map(|(_, event)| match event {
            ClientEvent::OpenDataConnection { connection, .. } => Some(*connection),
            _ => None,
        });
    let now = world.now;
    let mut data = world.clients[client].data_connection(now, id.unwrap());
    let path = stream(number);
    let mut buf = [0; 1500];
    for _ in 0..3 {
        let Some(len) = data.poll_transmit(now, &mut buf) else {
            break;
        };
        let datagram = rtckit_proto::Datagram::new(path.reversed(), &mut buf[..len]);
        assert!(world.server.handle_input(now, datagram).is_none());
        let sent = world.server.poll_transmit(now, &mut buf).unwrap();
        data.handle_input(now, &buf[sent.range]);
    }
    assert_eq!(data.state(), rtckit_turn::DataConnectionState::Bound);
    world.settle();
    assert_eq!(world.joins.last().unwrap(), &(connection, path.reversed()));
}

#[test]
fn over_a_stream_with_padding() {
    let mut world = World::new(1, config());
    let client = world.add_at(alice(), stream(1));
    world.run(seconds(1));
    let peer = address(PEER);
    let now = world.now;
    assert!(world.clients[client].bind_channel(now, peer));
    world.run(seconds(1));
    assert!(world.send(client, peer, b"12345"));
    world.run(seconds(1));
    assert_eq!(world.at_peers[&peer][0].1, b"12345");
    assert_eq!(world.at_clients[0].2, b"12345");
}

#[test]
fn clients_of_one_server_meet_through_it() {
    // relays are peers where their address is: elsewhere it would have to be allowed
    let mut public = config();
    public.relays = vec![RelayAddress::new([9, 9, 9, 1].into())];
    let listener = address("9.9.9.1:50000");
    public.listeners = vec![listener];
    let mut world = World::new(1, public);
    world.echo = false;
    let (a, b) = (
        world.add(alice()),
        world.add(ClientConfig::new("bob", "hidden")),
    );
    world.run(seconds(1));
    let (at_a, at_b): (SocketAddr, SocketAddr) = (world.relayed(a), world.relayed(b));
    let now = world.now;
    world.clients[a].permit(now, at_b.ip());
    world.clients[b].permit(now, at_a.ip());
    world.run(seconds(1));
    assert!(world.send(a, at_b, b"hello"));
    world.run(seconds(1));
    assert_eq!(world.at_clients, [(b, at_a, b"hello".to_vec())]);
    // but the server itself is no peer
    assert!(world.send(a, listener, b"hello"));
    world.run(seconds(1));
    assert_eq!(world.server.counters().unroutable_from_clients, 1);
}
