//! The relay's data path: what a client sent finds its peer, what a peer sent finds its client and its envelope.

use core::hint::black_box;
use core::net::SocketAddr;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rtckit_proto::{Datagram, FiveTuple, Instant, SeededRandom};
use rtckit_stun::{
    Class, LongTermClient, Message, MessageWriter, Method, NonceSecret, StaticUsers, TransactionId,
};
use rtckit_turn::{RelayAddress, RelayId, Server, ServerConfig, ServerEvent};

const SERVER: &str = "203.0.113.1:3478";

fn path(number: u16) -> FiveTuple {
    let client = SocketAddr::from(([192, 0, 2, (number >> 8) as u8], 10_000 + number));
    FiveTuple::udp(SERVER.parse().expect("an address"), client)
}

fn peer(number: u16) -> SocketAddr {
    SocketAddr::from(([9, 9, 9, 9], 10_000 + number))
}

/// A server with `count` clients, each with a channel bound to a peer of its own.
struct World {
    server: Server<StaticUsers>,
    relays: Vec<RelayId>,
}

impl World {
    fn new(count: u16) -> Self {
        let mut random = SeededRandom::new(1);
        let mut users = StaticUsers::new("r");
        users.insert("u", "p");
        let relay = RelayAddress::new("203.0.113.1".parse().expect("an address"));
        let secret = NonceSecret::new(&mut random);
        let mut config = ServerConfig::new("r", secret, vec![relay]);
        config.max_allocations_per_user = u32::MAX;
        config.max_allocations_per_address = u32::MAX;
        config.reply_burst = 1_000_000;
        let mut world = Self {
            server: Server::new(config, users, &mut random),
            relays: Vec::new(),
        };
        for number in 0..count {
            let mut client = LongTermClient::new("u", "p");
            let id = u64::from(number);
            world.ask(&mut client, number, Method::ALLOCATE, 3 * id, |writer| {
                writer.requested_transport(17)
            });
            world.ask(
                &mut client,
                number,
                Method::ALLOCATE,
                3 * id + 1,
                |writer| writer.requested_transport(17),
            );
            world.ask(
                &mut client,
                number,
                Method::CHANNEL_BIND,
                3 * id + 2,
                |writer| {
                    writer.channel_number(0x4000)?;
                    writer.xor_peer_address(peer(number))
                },
            );
        }
        world
    }

    fn ask(
        &mut self,
        client: &mut LongTermClient,
        number: u16,
        method: Method,
        serial: u64,
        fill: impl Fn(&mut MessageWriter<'_>) -> Result<(), rtckit_stun::Error>,
    ) {
        let mut id = [0; 12];
        id[..8].copy_from_slice(&serial.to_be_bytes());
        let mut buf = [0; 1400];
        let mut writer = MessageWriter::new(&mut buf, Class::Request, method, TransactionId(id))
            .expect("room for it");
        fill(&mut writer).expect("room for it");
        let was_signed = client.is_challenged();
        client.write(&mut writer).expect("room for it");
        let len = writer.finish();
        let now = Instant::ZERO;
        let datagram = Datagram::new(path(number), &mut buf[..len]);
        assert!(self.server.handle_input(now, datagram).is_none());
        while let Some(event) = self.server.poll_event() {
            if let ServerEvent::BindRelay { relay, address, .. } = event {
                self.relays.push(relay);
                self.server.relay_bound(now, relay, Ok(address));
            }
        }
        let sent = self.server.poll_transmit(now, &mut buf).expect("an answer");
        let answer = Message::parse(&buf[sent.range]).expect("a message");
        client.on_response(&answer, was_signed);
        assert!(
            !was_signed || answer.class() == Class::SuccessResponse,
            "{answer:?}"
        );
    }
}

fn channel_data(len: usize) -> Vec<u8> {
    let mut data = vec![0; 4 + len];
    data[..2].copy_from_slice(&[0x40, 0]);
    data[2..4].copy_from_slice(&(len as u16).to_be_bytes());
    data
}

fn send_indication(len: usize) -> Vec<u8> {
    let mut buf = vec![0; 48 + len.next_multiple_of(4)];
    let id = TransactionId([3; 12]);
    let mut writer =
        MessageWriter::new(&mut buf, Class::Indication, Method::SEND, id).expect("room for it");
    writer.xor_peer_address(peer(0)).expect("room for it");
    writer.data(&vec![0; len]).expect("room for it");
    let len = writer.finish();
    buf.truncate(len);
    buf
}

fn relay(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("turn_relay");
    group.throughput(Throughput::Elements(1));
    let now = Instant::from_millis(1);
    for flows in [1, 1_000, 10_000] {
        let mut world = World::new(flows);
        let mut data = channel_data(160);
        let mut next = 0;
        group.bench_function(BenchmarkId::new("channel_to_peer", flows), |bencher| {
            bencher.iter(|| {
                next = (next + 1) % flows;
                let datagram = Datagram::new(path(next), black_box(&mut data));
                let to = world.server.handle_input(now, datagram).expect("a peer");
                black_box((to.relay, to.peer, to.data.len()))
            });
        });
        group.bench_function(BenchmarkId::new("channel_to_client", flows), |bencher| {
            bencher.iter(|| {
                next = (next + 1) % flows;
                let relay = world.relays[usize::from(next)];
                let to = world.server.handle_relay_input(now, relay, peer(next), 160);
                black_box(to.expect("a client"))
            });
        });
    }
    let mut world = World::new(1);
    let mut data = send_indication(160);
    group.bench_function("send_to_peer", |bencher| {
        bencher.iter(|| {
            let datagram = Datagram::new(path(0), black_box(&mut data));
            let to = world.server.handle_input(now, datagram).expect("a peer");
            black_box((to.relay, to.peer, to.data.len()))
        });
    });
    let relay = world.relays[0];
    let other = SocketAddr::from(([9, 9, 9, 9], 9));
    group.bench_function("data_to_client", |bencher| {
        bencher.iter(|| {
            let to = world
                .server
                .handle_relay_input(now, relay, black_box(other), 160);
            black_box(to.expect("a client"))
        });
    });
    group.bench_function("allocate_unsigned", |bencher| {
        let mut buf = [0; 64];
        let id = TransactionId([9; 12]);
        let mut writer = MessageWriter::new(&mut buf, Class::Request, Method::ALLOCATE, id)
            .expect("room for it");
        writer.requested_transport(17).expect("room for it");
        let len = writer.finish();
        let mut answer = [0; 1500];
        bencher.iter_batched(
            || buf,
            |mut buf| {
                let datagram = Datagram::new(path(0), &mut buf[..len]);
                assert!(world.server.handle_input(now, datagram).is_none());
                black_box(world.server.poll_transmit(now, &mut answer))
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, relay);
criterion_main!(benches);
