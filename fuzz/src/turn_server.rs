//! A TURN server and several clients, some of which know the password.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use rtckit_proto::{Datagram, FiveTuple, Instant, SeededRandom, Transport};
use rtckit_stun::{
    AddressFamily, AttributeType, ChangeRequest, Class, EvenPort, LongTermClient, Message,
    MessageWriter, Method, NonceSecret, StaticUsers, TransactionId,
};
use rtckit_turn::{
    BindError, ConnectionId, PeerPolicy, RelayAddress, RelayId, Server, ServerConfig, ServerEvent,
};

use crate::input::{Input, mutate};

const MAX_OPERATIONS: usize = 200;
const SERVER: ([u8; 4], u16) = ([9, 9, 9, 1], 3478);

struct Hand {
    path: FiveTuple,
    credentials: LongTermClient,
    last: Vec<u8>,
    /// The last ticket, token and connection it was given.
    ticket: Vec<u8>,
    token: [u8; 8],
    connection: u32,
}

struct World {
    server: Server<StaticUsers>,
    hands: Vec<Hand>,
    now: Instant,
    relays: BTreeMap<RelayId, SocketAddr>,
    /// Binds not answered yet.
    binding: Vec<(RelayId, SocketAddr)>,
    connections: Vec<ConnectionId>,
    asked: BTreeSet<SocketAddr>,
    serial: u32,
    is_draining: bool,
}

/// Whatever they send, in whatever order the driver answers: nothing is sent to who did not ask, no peer is reached
/// that the policy forbids, and a client that knows the password is served at the end.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    let mut world = World::new(&mut input);
    for _ in 0..MAX_OPERATIONS {
        if input.is_empty() {
            break;
        }
        world.operation(&mut input);
        world.settle();
    }
    world.finish();
}

fn peer(input: &mut Input<'_>) -> SocketAddr {
    let ip: IpAddr = match input.u8() % 8 {
        0 => [127, 0, 0, 1].into(),
        1 => [10, 0, 0, 1].into(),
        2 => [9, 9, 9, 1].into(),
        3 => "2001:db8:7::1".parse().expect("an address"),
        4 => "::ffff:127.0.0.1".parse().expect("an address"),
        other => [198, 51, 100, other].into(),
    };
    SocketAddr::new(ip, input.choose(&[80, 3478, 50_000, 50_001, 0]))
}

impl World {
    fn new(input: &mut Input<'_>) -> Self {
        let mut random = SeededRandom::new(input.u8().into());
        let relays =
            ["9.9.9.1", "2001:db8::1"].map(|ip| RelayAddress::new(ip.parse().expect("an address")));
        let secret = NonceSecret::new(&mut random);
        let mut config = ServerConfig::new("r", secret, relays.into());
        config.ports = 50_000..=50_015;
        // they stand for public ones here
        config.peers.allow = ["198.51.100.0/24", "2001:db8:7::/48"]
            .map(|block| block.parse().expect("a block"))
            .into();
        config.max_allocations_per_user = 4;
        config.max_permissions = 4;
        config.max_channels = 4;
        config.max_connections = 2;
        config.listeners.push(SERVER.into());
        config.authentication.is_anonymous = input.bool();
        config.supports_dont_fragment = input.bool();
        config.responder.answers_classic = input.bool();
        if input.bool() {
            let other = SocketAddr::from(([9, 9, 9, 2], 3479));
            config.responder.discovery = Some([SERVER.into(), other]);
        }
        let mut users = StaticUsers::new("r");
        users.insert("u", "p");
        users.insert("v", "q");
        let hands = (0..5_u8).map(|number| {
            let client = SocketAddr::from(([192, 0, 2, number / 2], 1_000 + u16::from(number)));
            let (name, password) = [("u", "p"), ("v", "q"), ("u", "x")][usize::from(number) % 3];
            Hand {
                path: FiveTuple {
                    transport: [Transport::Udp, Transport::Tcp][usize::from(number) % 2],
                    local: SERVER.into(),
                    remote: client,
                },
                credentials: LongTermClient::new(name, password),
                last: Vec::new(),
                ticket: Vec::new(),
                token: [0; 8],
                connection: 0,
            }
        });
        Self {
            hands: hands.collect(),
            server: Server::new(config, users, &mut random),
            now: Instant::from_millis(1),
            relays: BTreeMap::new(),
            binding: Vec::new(),
            connections: Vec::new(),
            asked: BTreeSet::new(),
            serial: 0,
            is_draining: false,
        }
    }

    fn operation(&mut self, input: &mut Input<'_>) {
        let hand = input.below(self.hands.len());
        match input.u8() % 12 {
            0..=4 => {
                let mut request = self.write(input, hand);
                self.hands[hand].last.clone_from(&request);
                if input.u8().is_multiple_of(8) {
                    mutate(input, &mut request);
                }
                self.deliver(hand, request);
            }
            5 => {
                let mut request = self.hands[hand].last.clone();
                if input.bool() {
                    mutate(input, &mut request);
                }
                let from = input.below(self.hands.len());
                self.deliver(from, request);
            }
            6 => {
                let len = input.below(40);
                let mut data = vec![0x40, input.u8() % 5, 0, len as u8];
                data.resize(4 + input.below(44), 7);
                self.deliver(hand, data);
            }
            7 => self.deliver(hand, input.vec8().to_vec()),
            8 => self.relay_input(input),
            9 => self.answer_binding(input),
            10 => self.tcp(input, hand),
            _ => {
                let pause = input.choose(&[1, 1_000, 31_000, 301_000, 601_000, 3_600_000]);
                self.now += Duration::from_millis(pause);
                self.server.handle_timeout(self.now);
                match input.u8() {
                    255 => {
                        self.server.drain();
                        self.is_draining = true;
                    }
                    254 => self.operate(input),
                    _ => {}
                }
            }
        }
    }

    /// What the operator of the server asks for.
    fn operate(&mut self, input: &mut Input<'_>) {
        if input.bool() {
            let had = self.server.allocations();
            let ended = self
                .server
                .release_account(input.choose(&["u", "v", "nobody"]));
            assert_eq!(self.server.allocations() + ended, had);
        } else {
            let mut peers = PeerPolicy::default();
            if input.bool() {
                peers.allow.push(peer(input).ip().into());
            }
            self.server.set_peers(peers);
        }
        let listed = self.server.list(self.now).count();
        assert!(listed <= self.server.allocations());
    }

    /// A request or a Send indication, with attributes that may or may not belong there.
    fn write(&mut self, input: &mut Input<'_>, hand: usize) -> Vec<u8> {
        self.serial += 1;
        let mut id = [0; 12];
        id[..4].copy_from_slice(&self.serial.to_be_bytes());
        let method = input.choose(&[
            Method::ALLOCATE,
            Method::ALLOCATE,
            Method::REFRESH,
            Method::CREATE_PERMISSION,
            Method::CHANNEL_BIND,
            Method::CONNECT,
            Method::CONNECTION_BIND,
            Method::SEND,
            Method::BINDING,
        ]);
        let class = if method == Method::SEND {
            Class::Indication
        } else {
            Class::Request
        };
        let hand = &self.hands[hand];
        let mut buf = vec![0; 2_000];
        let mut writer =
            MessageWriter::new(&mut buf, class, method, TransactionId(id)).expect("room");
        if method == Method::ALLOCATE {
            let number = input.choose(&[17, 17, 17, 6, 1]);
            writer.requested_transport(number).expect("room");
        }
        for _ in 0..input.below(4) {
            match input.u8() % 14 {
                0..=2 => writer.xor_peer_address(peer(input)),
                3 => writer.channel_number(0x4000 | u16::from(input.u8() % 5)),
                4 => writer.lifetime(input.choose(&[0, 600, 3_600, u32::MAX])),
                5 => writer.requested_address_family(
                    input.choose(&[AddressFamily::Ipv4, AddressFamily::Ipv6]),
                ),
                6 => writer.additional_address_family(AddressFamily::Ipv6),
                7 => writer.even_port(EvenPort {
                    reserve_next: input.bool(),
                }),
                8 => writer.reservation_token(hand.token),
                9 => writer.mobility_ticket(&hand.ticket[..hand.ticket.len() * input.below(2)]),
                10 => writer.connection_id(hand.connection),
                11 => writer.data(input.vec8()),
                12 => writer.change_request(ChangeRequest {
                    ip: input.bool(),
                    port: input.bool(),
                }),
                _ => writer.attribute(AttributeType(input.u16()), input.vec8()),
            }
            .expect("room");
        }
        if class == Class::Request && method != Method::BINDING {
            hand.credentials.write(&mut writer).expect("room");
        }
        let len = writer.finish();
        buf.truncate(len);
        buf
    }

    fn deliver(&mut self, hand: usize, mut data: Vec<u8>) {
        let path = self.hands[hand].path;
        self.asked.insert(path.remote);
        if let Some(to) = self
            .server
            .handle_input(self.now, Datagram::new(path, &mut data))
        {
            assert!(self.relays.contains_key(&to.relay), "a relay that is bound");
            let policy = &self.server.config().peers;
            assert!(policy.allows(to.peer.ip()), "{} is no peer", to.peer);
            assert_ne!(to.peer, SERVER.into());
        }
    }

    fn relay_input(&mut self, input: &mut Input<'_>) {
        let at = input.below(self.relays.len().max(1));
        let Some(&relay) = self.relays.keys().nth(at) else {
            return;
        };
        let from = peer(input);
        let len = usize::from(input.u16());
        if let Some(to) = self.server.handle_relay_input(self.now, relay, from, len) {
            assert!(self.asked.contains(&to.path.remote));
            assert!(to.envelope.header().len() <= rtckit_turn::MAX_HEADER_LEN);
        }
    }

    fn answer_binding(&mut self, input: &mut Input<'_>) {
        if self.binding.is_empty() {
            return;
        }
        let at = input.below(self.binding.len());
        let (relay, address) = self.binding.swap_remove(at);
        let result = match input.u8() % 4 {
            0 => Err(BindError::AddressInUse),
            1 => Err(BindError::Failed),
            _ => Ok(address),
        };
        self.bound(relay, result);
    }

    fn bound(&mut self, relay: RelayId, result: Result<SocketAddr, BindError>) {
        if let Ok(address) = result {
            self.relays.insert(relay, address);
        }
        self.server.relay_bound(self.now, relay, result);
    }

    fn tcp(&mut self, input: &mut Input<'_>, hand: usize) {
        let at = input.below(self.connections.len().max(1));
        let connection = self.connections.get(at).copied();
        match (input.u8() % 4, connection) {
            (0, _) => {
                let at = input.below(self.relays.len().max(1));
                if let Some(&relay) = self.relays.keys().nth(at) {
                    self.connections
                        .extend(self.server.accept(self.now, relay, peer(input)));
                }
            }
            (1, _) => self.server.stream_closed(self.hands[hand].path),
            (2, Some(connection)) => self.server.connected(self.now, connection, input.bool()),
            (3, Some(connection)) => self.server.connection_closed(connection),
            _ => {}
        }
    }

    fn settle(&mut self) {
        let mut buf = [0; 1_500];
        for _ in 0..1_000 {
            while let Some(sent) = self.server.poll_transmit(self.now, &mut buf) {
                let is_known = self.asked.iter().any(|a| a.ip() == sent.path.remote.ip());
                assert!(is_known, "sent to who did not ask");
                self.read(sent.path, &buf[sent.range]);
            }
            match self.server.poll_event() {
                Some(ServerEvent::BindRelay { relay, address, .. }) => {
                    self.binding.push((relay, address));
                }
                Some(ServerEvent::CloseRelay { relay }) => {
                    self.relays.remove(&relay);
                    self.binding.retain(|(other, _)| *other != relay);
                }
                Some(ServerEvent::Connect {
                    connection, peer, ..
                }) => {
                    let policy = &self.server.config().peers;
                    assert!(policy.allows(peer.ip()), "{peer} is no peer");
                    self.connections.push(connection);
                }
                Some(_) => {}
                None => {
                    if self.server.poll_timeout().is_none_or(|at| at > self.now) {
                        assert!(self.server.allocations() <= 8, "two users with four each");
                        return;
                    }
                    self.server.handle_timeout(self.now);
                }
            }
        }
        panic!("the server is never done");
    }

    fn read(&mut self, path: FiveTuple, data: &[u8]) {
        let Ok(message) = Message::parse(data) else {
            return; // an answer to a client of RFC 3489
        };
        assert_ne!(message.verify_fingerprint(), Some(false));
        let Some(hand) = self.hands.iter_mut().find(|hand| hand.path == path) else {
            return;
        };
        if let Some(ticket) = message.mobility_ticket() {
            hand.ticket = ticket.to_vec();
        }
        hand.token = message.reservation_token().unwrap_or(hand.token);
        hand.connection = message.connection_id().unwrap_or(hand.connection);
        let was_signed = hand.credentials.is_challenged();
        hand.credentials.on_response(&message, was_signed);
    }

    /// Left alone, everything ends, and the honest are served.
    fn finish(mut self) {
        for _ in 0..20 {
            self.settle();
            while let Some((relay, address)) = self.binding.pop() {
                self.bound(relay, Ok(address));
            }
            self.settle();
            let Some(at) = self.server.poll_timeout() else {
                break;
            };
            self.now = at.max(self.now);
            self.server.handle_timeout(self.now);
        }
        while let Some(at) = self.server.poll_timeout() {
            self.now = at.max(self.now);
            self.server.handle_timeout(self.now);
            self.settle();
        }
        assert_eq!(self.server.allocations(), 0, "something lives for ever");
        assert!(
            self.relays.is_empty() && self.binding.is_empty(),
            "a socket is left"
        );
        self.serve_the_honest();
    }

    /// Somebody new, who knows the password.
    fn serve_the_honest(&mut self) {
        let client = SocketAddr::from(([192, 0, 2, 200], 1_000));
        self.hands.push(Hand {
            path: FiveTuple::udp(SERVER.into(), client),
            credentials: LongTermClient::new("u", "p"),
            last: Vec::new(),
            ticket: Vec::new(),
            token: [0; 8],
            connection: 0,
        });
        let hand = self.hands.len() - 1;
        for _ in 0..2 {
            // no decisions: an Allocate for UDP, with nothing else
            let request = self.write(&mut Input::new(&[]), hand);
            self.deliver(hand, request);
            self.settle();
            while let Some((relay, address)) = self.binding.pop() {
                self.bound(relay, Ok(address));
            }
            self.settle();
        }
        let served = usize::from(!self.is_draining);
        assert_eq!(self.server.allocations(), served, "the honest are served");
    }
}
