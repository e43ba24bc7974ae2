//! A server, its clients and its peers in virtual time: what leaves one machine reaches the other late, twice or never.
#![allow(dead_code, reason = "each test takes what it needs")]

pub(crate) mod hand;

use core::cmp::Reverse;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use rtckit_proto::{Datagram, FiveTuple, Instant, Random, SeededRandom, Transport};
use rtckit_stun::{NonceSecret, StaticUsers};
use rtckit_turn::{
    BindError, Client, ClientConfig, ClientEvent, ConnectionId, RelayAddress, RelayId, Server,
    ServerConfig, ServerEvent,
};

pub(crate) const REALM: &str = "example.org";
pub(crate) const SERVER: &str = "203.0.113.1:3478";

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) fn config() -> ServerConfig {
    let secret = NonceSecret::new(&mut SeededRandom::new(99));
    let relays = ["203.0.113.1", "2001:db8::1"].map(|ip| RelayAddress::new(ip.parse().unwrap()));
    let mut config = ServerConfig::new(REALM, secret, relays.into());
    config.listeners.push(address(SERVER));
    // addresses for documentation stand for public ones here; those of the server are no peers by this
    config.peers.allow = ["198.51.100.0/24", "2001:db8:7::/48"]
        .map(|block| block.parse().unwrap())
        .into();
    config
}

pub(crate) fn users() -> StaticUsers {
    let mut users = StaticUsers::new(REALM);
    users.insert("alice", "secret");
    users.insert("bob", "hidden");
    users
}

/// How bad the network is, in thousandths.
#[derive(Clone, Copy, Default)]
pub(crate) struct Weather {
    pub(crate) loss: u64,
    pub(crate) duplicates: u64,
    /// The longest delay in milliseconds; each datagram gets its own.
    pub(crate) jitter: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Packet {
    pub(crate) transport: u8,
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) data: Vec<u8>,
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) server: Server<StaticUsers>,
    pub(crate) clients: Vec<Client>,
    pub(crate) events: Vec<(usize, ClientEvent)>,
    pub(crate) server_events: Vec<ServerEvent>,
    pub(crate) weather: Weather,
    /// What each address that is neither server nor client received.
    pub(crate) at_peers: BTreeMap<SocketAddr, Vec<(SocketAddr, Vec<u8>)>>,
    /// What clients received from peers.
    pub(crate) at_clients: Vec<(usize, SocketAddr, Vec<u8>)>,
    /// Everybody the server has sent to.
    pub(crate) sent_to: BTreeSet<SocketAddr>,
    /// Bytes from the server to clients.
    pub(crate) sent_bytes: usize,
    pub(crate) relays: BTreeMap<RelayId, SocketAddr>,
    /// Ports that somebody else has.
    pub(crate) taken: BTreeSet<u16>,
    pub(crate) connects: Vec<(ConnectionId, SocketAddr)>,
    pub(crate) joins: Vec<(ConnectionId, FiveTuple)>,
    /// Whether peers send back what they get.
    pub(crate) echo: bool,
    under_way: BinaryHeap<Reverse<(Instant, u64, Packet)>>,
    serial: u64,
    pub(crate) random: SeededRandom,
}

impl World {
    pub(crate) fn new(seed: u64, config: ServerConfig) -> Self {
        let mut random = SeededRandom::new(seed);
        Self {
            now: Instant::from_millis(1_000),
            server: Server::new(config, users(), &mut random),
            clients: Vec::new(),
            events: Vec::new(),
            server_events: Vec::new(),
            weather: Weather::default(),
            at_peers: BTreeMap::new(),
            at_clients: Vec::new(),
            sent_to: BTreeSet::new(),
            sent_bytes: 0,
            relays: BTreeMap::new(),
            taken: BTreeSet::new(),
            connects: Vec::new(),
            joins: Vec::new(),
            echo: true,
            under_way: BinaryHeap::new(),
            serial: 0,
            random,
        }
    }

    pub(crate) fn path(number: usize) -> FiveTuple {
        let ip = IpAddr::from([192, 0, (number >> 8) as u8, number as u8]);
        FiveTuple::udp(SocketAddr::new(ip, 5000), address(SERVER))
    }

    pub(crate) fn add(&mut self, config: ClientConfig) -> usize {
        let path = Self::path(self.clients.len());
        self.add_at(config, path)
    }

    pub(crate) fn add_at(&mut self, config: ClientConfig, path: FiveTuple) -> usize {
        let client = Client::new(config, path, self.now, &mut self.random);
        self.clients.push(client);
        self.clients.len() - 1
    }

    pub(crate) fn put(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        transport: Transport,
        data: &[u8],
    ) {
        let transport = transport as u8;
        let is_reliable = transport != Transport::Udp as u8;
        let mut copies = 1;
        if !is_reliable {
            if self.random.below(1000) < self.weather.loss {
                copies = 0;
            } else if self.random.below(1000) < self.weather.duplicates {
                copies = 2;
            }
        }
        for _ in 0..copies {
            let jitter = if is_reliable { 0 } else { self.weather.jitter };
            let delay = Duration::from_millis(1 + self.random.below(jitter + 1));
            self.serial += 1;
            let packet = Packet {
                transport,
                from,
                to,
                data: data.to_vec(),
            };
            self.under_way
                .push(Reverse((self.now + delay, self.serial, packet)));
        }
    }

    /// A payload from a client to a peer; whether the client could send it.
    pub(crate) fn send(&mut self, client: usize, peer: SocketAddr, payload: &[u8]) -> bool {
        let machine = &mut self.clients[client];
        let Ok(envelope) = machine.send(self.now, peer, payload.len()) else {
            return false;
        };
        let path = machine.path();
        let mut buf = vec![0; envelope.wrapped_len(payload.len())];
        envelope.wrap(payload, &mut buf).unwrap();
        self.put(path.local, path.remote, path.transport, &buf);
        true
    }

    /// Lets everybody say what they have to say.
    pub(crate) fn settle(&mut self) {
        let mut buf = [0; 1500];
        for index in 0..self.clients.len() {
            while let Some(sent) = self.clients[index].poll_transmit(self.now, &mut buf) {
                let path = sent.path;
                self.put(path.local, path.remote, path.transport, &buf[sent.range]);
            }
            while let Some(event) = self.clients[index].poll_event() {
                self.events.push((index, event));
            }
        }
        self.settle_server();
    }

    fn settle_server(&mut self) {
        let mut buf = [0; 1500];
        loop {
            while let Some(sent) = self.server.poll_transmit(self.now, &mut buf) {
                let path = sent.path;
                self.sent_to.insert(path.remote);
                self.sent_bytes += sent.range.len();
                self.put(path.local, path.remote, path.transport, &buf[sent.range]);
            }
            let Some(event) = self.server.poll_event() else {
                return;
            };
            match &event {
                ServerEvent::BindRelay { relay, address, .. } => {
                    let result = if self.taken.contains(&address.port()) {
                        Err(BindError::AddressInUse)
                    } else {
                        assert!(
                            !self.relays.values().any(|bound| bound == address),
                            "{address} twice"
                        );
                        self.relays.insert(*relay, *address);
                        Ok(*address)
                    };
                    self.server.relay_bound(self.now, *relay, result);
                }
                ServerEvent::CloseRelay { relay } => {
                    self.relays.remove(relay);
                }
                ServerEvent::Connect {
                    connection, peer, ..
                } => self.connects.push((*connection, *peer)),
                ServerEvent::Join { connection, path } => self.joins.push((*connection, *path)),
                _ => {}
            }
            self.server_events.push(event);
        }
    }

    /// One step: the next thing that arrives or is due, at most until `end`; `false` when nothing is.
    fn step(&mut self, end: Instant) -> bool {
        self.settle();
        let arrival = self.under_way.peek().map(|Reverse((at, _, _))| *at);
        let timers = self.clients.iter().filter_map(Client::poll_timeout);
        let next = timers
            .chain(self.server.poll_timeout())
            .chain(arrival)
            .min()
            .map(|at| at.max(self.now));
        let Some(next) = next.filter(|next| *next <= end) else {
            self.now = end;
            return false;
        };
        self.now = next;
        while let Some(Reverse((at, _, _))) = self.under_way.peek() {
            if *at > self.now {
                break;
            }
            let Reverse((_, _, packet)) = self.under_way.pop().unwrap();
            self.deliver(packet);
        }
        for client in &mut self.clients {
            client.handle_timeout(self.now);
        }
        self.server.handle_timeout(self.now);
        true
    }

    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        let mut steps = 0;
        while self.step(end) {
            steps += 1;
            assert!(steps < 1_000_000, "the world spins");
        }
    }

    fn deliver(&mut self, mut packet: Packet) {
        let transport = match packet.transport {
            0 => Transport::Udp,
            1 => Transport::Tcp,
            _ => Transport::Tls,
        };
        let path = FiveTuple {
            transport,
            local: packet.to,
            remote: packet.from,
        };
        if packet.to == address(SERVER) {
            self.arrive(path, &mut packet.data);
        } else if let Some((&relay, _)) = self.relays.iter().find(|(_, at)| **at == packet.to) {
            let len = packet.data.len();
            if let Some(to) = self
                .server
                .handle_relay_input(self.now, relay, packet.from, len)
            {
                let mut buf = vec![0; to.envelope.wrapped_len(len)];
                to.envelope.wrap(&packet.data, &mut buf).unwrap();
                self.sent_to.insert(to.path.remote);
                self.put(to.path.local, to.path.remote, to.path.transport, &buf);
            }
        } else if let Some(client) = (0..self.clients.len())
            .find(|&c| self.clients[c].path().local == packet.to && packet.from == address(SERVER))
        {
            let datagram = Datagram::new(path, &mut packet.data);
            if let Some(from) = self.clients[client].handle_input(self.now, datagram) {
                let received = (client, from.peer, from.data.to_vec());
                self.at_clients.push(received);
            }
        } else if packet.from != address(SERVER) {
            let received = (packet.from, packet.data.clone());
            self.at_peers.entry(packet.to).or_default().push(received);
            if self.echo {
                self.put(packet.to, packet.from, Transport::Udp, &packet.data);
            }
        }
    }

    /// A datagram that reaches the server.
    pub(crate) fn arrive(&mut self, path: FiveTuple, data: &mut [u8]) {
        let datagram = Datagram::new(path, data);
        let sent = self
            .server
            .handle_input(self.now, datagram)
            .map(|to| (to.relay, to.peer, to.data.to_vec()));
        if let Some((relay, peer, data)) = sent {
            let from = self.relays[&relay];
            self.put(from, peer, Transport::Udp, &data);
        }
        self.settle_server();
    }

    pub(crate) fn relayed(&self, client: usize) -> SocketAddr {
        self.clients[client].relayed(true).unwrap()
    }

    pub(crate) fn has(&self, client: usize, is_it: impl Fn(&ClientEvent) -> bool) -> bool {
        self.events
            .iter()
            .any(|(index, event)| *index == client && is_it(event))
    }
}
