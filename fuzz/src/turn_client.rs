//! A TURN client whose server is the fuzzer, or a real one behind a network the fuzzer rules.

use core::time::Duration;
use std::net::SocketAddr;

use rtckit_proto::{Datagram, FiveTuple, Instant, SeededRandom};
use rtckit_stun::{Class, ErrorCode, Message, MessageWriter, NonceSecret, StaticUsers};
use rtckit_turn::{
    Client, ClientConfig, Families, RelayAddress, Server, ServerConfig, ServerEvent,
};

use crate::input::{Input, mutate};

const MAX_OPERATIONS: usize = 200;

struct World {
    client: Client,
    server: Server<StaticUsers>,
    now: Instant,
    path: FiveTuple,
    /// What the client has sent and the server has not seen, and the other way.
    out: Vec<Vec<u8>>,
    back: Vec<Vec<u8>>,
}

/// Nothing the server says makes the client panic, spin, grow, or hand out what nobody permitted.
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
    // left alone, it refreshes for ever or ends
    for _ in 0..200 {
        world.settle();
        let Some(at) = world.client.poll_timeout() else {
            return;
        };
        assert!(at > world.now, "it asks for the present again and again");
        world.now = at;
        world.client.handle_timeout(at);
    }
}

fn peer(input: &mut Input<'_>) -> SocketAddr {
    let last = input.u8();
    SocketAddr::from(([198, 51, 100, last % 4], 1_000 + u16::from(last / 128)))
}

impl World {
    fn new(input: &mut Input<'_>) -> Self {
        let mut random = SeededRandom::new(input.u8().into());
        let relays = ["203.0.113.1", "2001:db8::1"]
            .map(|ip| RelayAddress::new(ip.parse().expect("an address")));
        let secret = NonceSecret::new(&mut random);
        let mut config = ServerConfig::new("r", secret, relays.into());
        // they stand for public ones here
        config.peers.allow = vec!["198.51.100.0/24".parse().expect("a block")];
        let mut users = StaticUsers::new("r");
        users.insert("u", "p");
        let now = Instant::from_millis(1);
        let path = FiveTuple::udp(
            SocketAddr::from(([192, 0, 2, 1], 1_000)),
            SocketAddr::from(([203, 0, 113, 1], 3_478)),
        );
        let mut wishes = ClientConfig::new("u", input.choose(&["p", "p", "p", "x"]));
        wishes.families = input.choose(&[Families::Ipv4, Families::Ipv6, Families::Both]);
        wishes.is_mobile = input.bool();
        wishes.even_port = input.choose(&[None, Some(true), Some(false)]);
        Self {
            client: Client::new(wishes, path, now, &mut random),
            server: Server::new(config, users, &mut random),
            now,
            path,
            out: Vec::new(),
            back: Vec::new(),
        }
    }

    fn operation(&mut self, input: &mut Input<'_>) {
        let now = self.now;
        match input.u8() % 12 {
            0..=2 if !self.out.is_empty() => {
                let at = input.below(self.out.len());
                let mut request = self.out.swap_remove(at);
                let path = self.path.reversed();
                let _ = self
                    .server
                    .handle_input(now, Datagram::new(path, &mut request));
                self.drain_server();
            }
            3..=5 if !self.back.is_empty() => {
                let at = input.below(self.back.len());
                let mut answer = self.back.swap_remove(at);
                if input.u8().is_multiple_of(4) {
                    mutate(input, &mut answer);
                }
                self.deliver(answer);
            }
            6 => {
                let answer = self.invent(input);
                self.deliver(answer);
            }
            7 => self.deliver(input.vec8().to_vec()),
            8 => {
                self.client.permit(now, peer(input).ip());
                if input.bool() {
                    self.client.bind_channel(now, peer(input));
                }
            }
            9 => {
                let to = peer(input);
                if self.client.send(now, to, input.u16().into()).is_ok() {
                    assert!(self.client.is_allocated());
                }
            }
            10 => match input.u8() % 16 {
                0 => self.client.close(now),
                1 => self.client.forget(peer(input).ip()),
                2 => {
                    let local = SocketAddr::from(([192, 0, 2, 2], 1_000));
                    let to = FiveTuple::udp(local, self.path.remote);
                    self.client.migrate(now, to);
                }
                _ => {}
            },
            _ => {
                let pause = input.choose(&[1, 500, 5_000, 60_000, 300_000, 3_600_000]);
                self.now += Duration::from_millis(pause);
                self.client.handle_timeout(self.now);
            }
        }
    }

    /// An answer to something that was asked, by a server that makes it up.
    fn invent(&mut self, input: &mut Input<'_>) -> Vec<u8> {
        let at = input.below(self.out.len().max(1));
        let Some(request) = self.out.get(at) else {
            return Vec::new();
        };
        let Ok(request) = Message::parse(request) else {
            return Vec::new();
        };
        let class = input.choose(&[
            Class::SuccessResponse,
            Class::ErrorResponse,
            Class::Indication,
        ]);
        let mut buf = vec![0; 1_400];
        let (method, id) = (request.method(), request.transaction_id());
        let mut writer = MessageWriter::new(&mut buf, class, method, id).expect("room");
        for _ in 0..input.below(6) {
            let _ = match input.u8() % 10 {
                0 => writer.error_code(ErrorCode::new(300 + u16::from(input.u8()), "x")),
                1 => writer.realm("r"),
                2 => writer.nonce(input.vec8()),
                3 => writer.nonce(b"obMatJos2gAAA"),
                4 => writer.lifetime(input.choose(&[0, 1, 600, u32::MAX])),
                5 => writer.xor_relayed_address(peer(input)),
                6 => writer.alternate_server(peer(input)),
                7 => writer.mobility_ticket(input.vec8()),
                8 => writer.connection_id(input.u32()),
                _ => writer.xor_peer_address(peer(input)),
            };
        }
        let len = writer.finish();
        buf.truncate(len);
        buf
    }

    fn deliver(&mut self, mut data: Vec<u8>) {
        let datagram = Datagram::new(self.path, &mut data);
        let _ = self.client.handle_input(self.now, datagram);
    }

    fn drain_server(&mut self) {
        let mut buf = [0; 1_500];
        loop {
            while let Some(sent) = self.server.poll_transmit(self.now, &mut buf) {
                self.back.push(buf[sent.range].to_vec());
            }
            match self.server.poll_event() {
                Some(ServerEvent::BindRelay { relay, address, .. }) => {
                    self.server.relay_bound(self.now, relay, Ok(address));
                }
                Some(_) => {}
                None => return,
            }
        }
    }

    fn settle(&mut self) {
        let mut buf = [0; 1_500];
        for round in 0.. {
            assert!(round < 1_000, "the client is never done");
            if let Some(sent) = self.client.poll_transmit(self.now, &mut buf) {
                Message::parse(&buf[sent.range.clone()]).expect("a request");
                self.out.push(buf[sent.range].to_vec());
            } else if self.client.poll_event().is_none() {
                if self.client.poll_timeout().is_none_or(|at| at > self.now) {
                    break;
                }
                self.client.handle_timeout(self.now);
            }
        }
        self.out.truncate(64);
        self.back.truncate(64);
    }
}
