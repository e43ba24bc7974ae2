//! The server among people who do not mean well, and at its end. What is waited for always comes, so nothing here is timed.
#![cfg(feature = "turn")]
#![allow(clippy::unwrap_used, reason = "a test fails where it must")]

use core::future::poll_fn;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use std::io;
use std::sync::Arc;

use rtckit::Provider;
use rtckit::client::{Buffers, Link, ServerUri, Timer};
use rtckit::server::{Config, TurnServer};
use rtckit_proto::{Datagram, FiveTuple, Transport};
use rtckit_stun::{Client, NonceSecret, Outcome, StaticUsers};
use rtckit_turn::{
    Cidr, Client as TurnClient, ClientConfig, ClientEvent, DataConnectionState, Failure,
    RelayAddress, ServerConfig,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};

/// A server on loopback with the user alice. TCP takes the port UDP got, which may be taken: then another try.
async fn server(change: impl Fn(&mut Config)) -> TurnServer {
    for _ in 0..10 {
        let secret = NonceSecret::new(&mut *Provider::ring().random());
        let relay = RelayAddress::new([127, 0, 0, 1].into());
        let mut turn = ServerConfig::new("test", secret, vec![relay]);
        turn.peers.allow.extend(Cidr::new([127, 0, 0, 0].into(), 8));
        let mut config = Config::new(turn);
        config.listen = vec![([127, 0, 0, 1], 0).into()];
        config.threads = 2;
        let mut users = StaticUsers::new("test");
        users.insert("alice", "secret");
        config.users = Arc::new(users);
        change(&mut config);
        if let Ok(server) = TurnServer::start(config).await {
            return server;
        }
    }
    panic!("no port is free");
}

fn udp(server: &TurnServer) -> SocketAddr {
    server.addresses().udp[0]
}

/// Asks for its address, as an honest client does.
async fn ask(server: SocketAddr, transport: &str) -> Outcome {
    let uri: ServerUri = format!("stun:{server}?transport={transport}")
        .parse()
        .unwrap();
    let mut link = Link::open(&uri, server, None).await.unwrap();
    let timer = Timer::start();
    let random = &mut *Provider::ring().random();
    let mut client = Client::new(link.path(), timer.now(), random);
    let (mut buffers, mut buf) = (Buffers::new(), [0; 1400]);
    loop {
        while let Some(sent) = client.poll_transmit(timer.now(), &mut buf) {
            let bytes = &buf[sent.range.clone()];
            link.send(sent.path, bytes, bytes.len());
        }
        poll_fn(|cx| link.poll_flush(cx)).await.unwrap();
        let receive = poll_fn(|cx| {
            link.poll_receive(cx, &mut buffers, |datagram| {
                client.handle_input(timer.now(), datagram);
            })
        });
        // UDP may lose the request, which is repeated then
        let _ = tokio::time::timeout(Duration::from_millis(100), receive).await;
        client.handle_timeout(timer.now());
        if let Some(outcome) = client.outcome() {
            return outcome.clone();
        }
    }
}

async fn is_served(server: &TurnServer) {
    for transport in ["udp", "tcp"] {
        assert!(
            matches!(ask(udp(server), transport).await, Outcome::Mapped { .. }),
            "over {transport}"
        );
    }
}

/// Two sockets for all addresses, one for each family, have one port.
#[allow(
    clippy::disallowed_types,
    reason = "a closure does not wait for tokio's"
)]
#[tokio::test]
async fn who_asks_at_any_address_is_answered_from_there() {
    let any: [IpAddr; 2] = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
    // not every machine has IPv6
    if UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).await.is_err() {
        return;
    }
    for [first, second] in [any, [any[1], any[0]]] {
        let server = server(|config| {
            // a port that was free for UDP a moment ago
            let port = std::net::UdpSocket::bind((first, 0))
                .and_then(|socket| socket.local_addr())
                .map_or(0, |local| local.port());
            config.listen = vec![(first, port).into(), (second, port).into()];
        })
        .await;
        let port = udp(&server).port();
        for transport in ["udp", "tcp"] {
            for host in [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()] {
                let host = SocketAddr::new(host, port);
                let outcome = ask(host, transport).await;
                assert!(
                    matches!(outcome, Outcome::Mapped { .. }),
                    "{host} over {transport}: {outcome:?}"
                );
            }
        }
    }
}

/// Reads until the other side closes.
async fn until_closed(stream: &mut TcpStream) {
    let mut bytes = Vec::new();
    // a reset closes it as well
    let _ = stream.read_to_end(&mut bytes).await;
}

#[tokio::test]
async fn a_slow_sender_is_closed_and_others_are_served() {
    let server = server(|config| config.stream_timeout = Duration::from_millis(200)).await;
    let mut silent = TcpStream::connect(udp(&server)).await.unwrap();
    let mut slow = TcpStream::connect(udp(&server)).await.unwrap();
    // the beginning of a request, a byte at a time
    let dribble = async {
        for byte in [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42].into_iter().cycle() {
            if slow.write_all(&[byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    dribble.await;
    until_closed(&mut silent).await;
    is_served(&server).await;
}

/// Whole messages that ask for nothing do not keep a place.
#[tokio::test]
async fn a_stream_without_an_allocation_is_closed_whatever_it_says() {
    let server = server(|config| config.stream_timeout = Duration::from_millis(200)).await;
    let mut stream = TcpStream::connect(udp(&server)).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let talk = async {
        let mut indication = [0; 20];
        indication[..8].copy_from_slice(&[0, 0x11, 0, 0, 0x21, 0x12, 0xa4, 0x42]);
        // far longer than it may: without an end it would go on for ever
        for _ in 0..1000 {
            if writer.write_all(&indication).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it is still open");
    };
    let mut bytes = Vec::new();
    tokio::select! {
        () = talk => {}
        _ = reader.read_to_end(&mut bytes) => {}
    }
    is_served(&server).await;
}

#[tokio::test]
async fn a_stream_of_noise_is_closed() {
    let server = server(|_| {}).await;
    for noise in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0xff; 100],
        &[0, 1, 0, 3, 0, 0, 0, 0],
    ] {
        let mut stream = TcpStream::connect(udp(&server)).await.unwrap();
        stream.write_all(noise).await.unwrap();
        until_closed(&mut stream).await;
    }
    is_served(&server).await;
}

#[tokio::test]
async fn streams_have_a_ceiling() {
    let server = server(|config| config.max_streams_per_address = 3).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(TcpStream::connect(udp(&server)).await.unwrap());
    }
    // the three are let in before the fourth, which is not
    let fourth = ask_if_open(udp(&server)).await;
    assert!(fourth.is_none(), "a fourth is answered");
    drop(held);
    while !matches!(
        ask_if_open(udp(&server)).await,
        Some(Outcome::Mapped { .. })
    ) {}
}

/// A request without attributes.
fn request(method: u8) -> [u8; 20] {
    let mut request = [0; 20];
    request[1] = method;
    request[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
    request
}

const BINDING: u8 = 1;
const ALLOCATE: u8 = 3;

/// A response to [`BINDING`].
const BOUND: [u8; 2] = [0x01, 0x01];

#[tokio::test]
async fn a_stun_server_hears_nothing_of_turn() {
    let server = server(|config| config.is_stun_only = true).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut buf = [0; 1500];
    let len = loop {
        // by one socket both come to one thread, one after the other
        socket
            .send_to(&request(ALLOCATE), udp(&server))
            .await
            .unwrap();
        socket
            .send_to(&request(BINDING), udp(&server))
            .await
            .unwrap();
        // UDP may lose them
        let received = socket.recv_from(&mut buf);
        if let Ok(received) = tokio::time::timeout(Duration::from_secs(1), received).await {
            break received.unwrap().0;
        }
    };
    assert!(buf[..len].starts_with(&BOUND), "{:x?}", &buf[..len]);
    assert_eq!(server.stats().await.counters.requests, 0);
}

/// Whether it comes alone or behind another one.
#[tokio::test]
async fn a_stun_server_closes_a_stream_that_asks_for_more() {
    let server = server(|config| {
        config.is_stun_only = true;
        config.stream_timeout = Duration::from_millis(500);
    })
    .await;
    for requests in [
        request(ALLOCATE).to_vec(),
        [request(BINDING), request(ALLOCATE)].concat(),
    ] {
        let mut stream = TcpStream::connect(udp(&server)).await.unwrap();
        stream.write_all(&requests).await.unwrap();
        until_closed(&mut stream).await;
    }
    assert_eq!(server.stats().await.counters.requests, 0);
    is_served(&server).await;
}

#[tokio::test]
async fn an_allocation_ends_with_its_stream() {
    let server = server(|_| {}).await;
    let uri = format!("turn:{}?transport=tcp", udp(&server));
    let (client, link, event) = allocate_at(
        &uri,
        &server,
        ClientConfig::new("alice", "secret"),
        Timer::start(),
    )
    .await;
    assert!(matches!(event, ClientEvent::Allocated { .. }), "{event:?}");
    assert_eq!(server.stats().await.allocations, 1);
    drop((client, link));
    let stats = loop {
        let stats = server.stats().await;
        if stats.streams == 0 {
            break stats;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(stats.allocations, 0);
}

/// The end of the client's last stream may be known later than its next one: each is served by a task of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_client_comes_back_from_the_same_port_at_once() {
    let server = server(|_| {}).await;
    let timer = Timer::start();
    let mut local = SocketAddr::from(([127, 0, 0, 1], 0));
    for round in 0..200 {
        let config = ClientConfig::new("alice", "secret");
        let (mut client, mut stream) = stream_from(local, &server, config, timer).await;
        local = client.path().local;
        let event = next_on(&mut client, &mut stream, timer).await;
        let is_allocated = matches!(event, Ok(ClientEvent::Allocated { .. }));
        assert!(is_allocated, "round {round}: {event:?}");
        // and is not thrown out later
        client.permit(timer.now(), [127, 0, 0, 1].into());
        let event = next_on(&mut client, &mut stream, timer).await;
        let is_permitted = matches!(event, Ok(ClientEvent::Permitted { .. }));
        assert!(is_permitted, "round {round}: {event:?}");
        // what an earlier stream had has ended with it
        let stats = server.stats().await;
        assert_eq!((stats.streams, stats.allocations), (1, 1), "round {round}");
    }
}

/// Each stream goes to the thread that gave what it brings, which may be another one than the last stream went to.
// all of 127.0.0.0/8 is this host's there: an address where nobody else has ports
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_client_comes_back_from_the_same_port_to_another_thread() {
    let [.., high, low] = std::process::id().to_be_bytes();
    let server = server(|config| {
        config.threads = 4;
        config.turn.relays = vec![RelayAddress::new([127, 8, high, low].into())];
    })
    .await;
    let timer = Timer::start();
    let mut local = SocketAddr::from(([127, 0, 0, 1], 0));
    for round in 0..64 {
        let (mut first, mut link, config) = allocate_pair(&server, timer).await;
        let (mut client, mut stream) = stream_from(local, &server, config, timer).await;
        local = client.path().local;
        let event = next_on(&mut client, &mut stream, timer).await;
        let is_allocated = matches!(event, Ok(ClientEvent::Allocated { .. }));
        assert!(is_allocated, "round {round}: {event:?}");
        first.close(timer.now());
        let event = next_event(&mut first, &mut link, timer).await;
        assert_eq!(event, ClientEvent::Released);
        client.permit(timer.now(), [127, 0, 0, 1].into());
        let event = next_on(&mut client, &mut stream, timer).await;
        let is_permitted = matches!(event, Ok(ClientEvent::Permitted { .. }));
        assert!(is_permitted, "round {round}: {event:?}");
    }
    // nothing of them stays with any thread
    loop {
        let stats = server.stats().await;
        if (stats.streams, stats.allocations) == (0, 0) {
            break;
        }
        tokio::task::yield_now().await;
    }
}

/// The stream may have ended when its task is told of the connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_connection_ends_with_a_stream_that_ends_as_it_is_joined() {
    let server = server(|_| {}).await;
    let timer = Timer::start();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = listener.local_addr().unwrap();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut config = ClientConfig::new("alice", "secret");
    config.relayed = Transport::Tcp;
    let (mut client, mut control) = stream_from(any, &server, config.clone(), timer).await;
    let event = next_on(&mut client, &mut control, timer).await;
    assert!(matches!(event, Ok(ClientEvent::Allocated { .. })));
    client.permit(timer.now(), peer.ip());
    let event = next_on(&mut client, &mut control, timer).await;
    assert!(matches!(event, Ok(ClientEvent::Permitted { .. })));
    for round in 0..200 {
        // the end of the last connection is known a moment later; if it never is, there is one with this peer already
        let connection = tokio::time::timeout(Duration::from_secs(10), async {
            loop {
                client.connect(timer.now(), peer);
                match next_on(&mut client, &mut control, timer).await.unwrap() {
                    ClientEvent::OpenDataConnection { connection, .. } => return connection,
                    event => assert!(
                        matches!(event, ClientEvent::ConnectFailed { code: 446, .. }),
                        "round {round}: {event:?}"
                    ),
                }
            }
        })
        .await;
        let connection = connection.unwrap_or_else(|_| panic!("round {round}: it does not end"));
        let (mut accepted, _) = listener.accept().await.unwrap();
        // a reset, before the server has read it, or when it answers, or when the streams are joined already
        let mut binding = client.data_connection(timer.now(), connection);
        let mut data = TcpStream::connect(udp(&server)).await.unwrap();
        data.set_zero_linger().unwrap();
        let mut buf = [0; 1400];
        let len = binding.poll_transmit(timer.now(), &mut buf).unwrap();
        data.write_all(&buf[..len]).await.unwrap();
        for _ in 0..round % 50 {
            tokio::task::yield_now().await;
        }
        drop(data);
        // what the server has not read it waits for still
        let mut binding = client.data_connection(timer.now(), connection);
        let mut data = TcpStream::connect(udp(&server)).await.unwrap();
        let len = binding.poll_transmit(timer.now(), &mut buf).unwrap();
        data.write_all(&buf[..len]).await.unwrap();
        let len = data.read(&mut buf).await.unwrap();
        let state = binding.handle_input(timer.now(), &buf[..len]);
        // or it is joined, or over: asked for a nonce of this stream's own
        let joined = DataConnectionState::Failed(Failure::Refused(400));
        let states = [
            DataConnectionState::Bound,
            joined,
            DataConnectionState::Binding,
        ];
        assert!(states.contains(&state), "round {round}: {state:?}");
        drop(data);
        until_closed(&mut accepted).await;
    }
}

/// A client by a stream from `local`, which ends with a reset: the port is free at once.
async fn stream_from(
    local: SocketAddr,
    server: &TurnServer,
    config: ClientConfig,
    timer: Timer,
) -> (TurnClient, TcpStream) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.set_zero_linger().unwrap();
    socket.bind(local).unwrap();
    let stream = socket.connect(udp(server)).await.unwrap();
    let path = FiveTuple {
        transport: Transport::Tcp,
        local: stream.local_addr().unwrap(),
        remote: udp(server),
    };
    let random = &mut *Provider::ring().random();
    (TurnClient::new(config, path, timer.now(), random), stream)
}

/// Drives a client by a stream until something happens, or the stream ends.
async fn next_on(
    client: &mut TurnClient,
    stream: &mut TcpStream,
    timer: Timer,
) -> io::Result<ClientEvent> {
    let mut buf = [0; 1400];
    loop {
        while let Some(sent) = client.poll_transmit(timer.now(), &mut buf) {
            stream.write_all(&buf[sent.range]).await?;
        }
        if let Some(event) = client.poll_event() {
            return Ok(event);
        }
        let (header, body) = buf.split_at_mut(20);
        stream.read_exact(header).await?;
        let len = usize::from(u16::from_be_bytes([header[2], header[3]]));
        stream.read_exact(&mut body[..len]).await?;
        let datagram = Datagram::new(client.path(), &mut buf[..20 + len]);
        let _ = client.handle_input(timer.now(), datagram);
    }
}

/// Asks over TCP; `None` when the stream is closed at once.
async fn ask_if_open(server: SocketAddr) -> Option<Outcome> {
    let mut stream = TcpStream::connect(server).await.ok()?;
    stream.write_all(&request(BINDING)).await.ok()?;
    let mut header = [0; 20];
    stream.read_exact(&mut header).await.ok()?;
    Some(Outcome::Mapped {
        address: server,
        rtt: None,
    })
}

#[tokio::test]
async fn a_flood_of_noise_changes_nothing() {
    let server = server(|_| {}).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for round in 0..2000_u32 {
        let mut noise = [0; 64];
        for (place, byte) in noise.iter_mut().enumerate() {
            *byte = (round.wrapping_mul(2_654_435_761) >> (place % 24)) as u8;
        }
        let len = (round % 64) as usize;
        let _ = socket.try_send_to(&noise[..len], udp(&server));
        // requests that nobody signed, and payloads of nobody's channels
        let _ = socket.try_send_to(&[0, 3, 0, 0, 0x21, 0x12, 0xa4, 0x42], udp(&server));
        let _ = socket.try_send_to(&[0x40, 0, 0, 1, 9], udp(&server));
        if round % 50 == 0 {
            tokio::task::yield_now().await;
        }
    }
    is_served(&server).await;
    let stats = server.stats().await;
    assert_eq!(stats.allocations, 0);
    assert_eq!(stats.counters.packets_to_peers, 0);
    assert!(stats.counters.malformed > 0);
}

#[tokio::test]
async fn a_server_without_allocations_drains_at_once() {
    let server = server(|_| {}).await;
    is_served(&server).await;
    server.drain().await;
    server.stopped().await;
}

#[tokio::test]
async fn what_is_allocated_outlives_the_drain() {
    let server = server(|_| {}).await;
    let uri: ServerUri = format!("turn:{}?transport=tcp", udp(&server))
        .parse()
        .unwrap();
    let mut link = Link::open(&uri, udp(&server), None).await.unwrap();
    let timer = Timer::start();
    let random = &mut *Provider::ring().random();
    let config = ClientConfig::new("alice", "secret");
    let mut client = TurnClient::new(config, link.path(), timer.now(), random);
    let event = next_event(&mut client, &mut link, timer).await;
    assert!(matches!(event, ClientEvent::Allocated { .. }), "{event:?}");
    server.drain().await;
    assert_eq!(server.stats().await.allocations, 1);

    // nobody new is let in
    let mut other_link = Link::open(&uri, udp(&server), None).await.unwrap();
    let random = &mut *Provider::ring().random();
    let config = ClientConfig::new("alice", "secret");
    let mut other = TurnClient::new(config, other_link.path(), timer.now(), random);
    let event = next_event(&mut other, &mut other_link, timer).await;
    assert!(matches!(event, ClientEvent::Failed(_)), "{event:?}");

    client.close(timer.now());
    let event = next_event(&mut client, &mut link, timer).await;
    assert_eq!(event, ClientEvent::Released);
    server.stopped().await;
}

/// Drives a client until something happens.
async fn next_event(client: &mut TurnClient, link: &mut Link, timer: Timer) -> ClientEvent {
    let (mut buffers, mut buf) = (Buffers::new(), [0; 1400]);
    loop {
        while let Some(sent) = client.poll_transmit(timer.now(), &mut buf) {
            let bytes = &buf[sent.range.clone()];
            link.send(sent.path, bytes, bytes.len());
        }
        if let Some(event) = client.poll_event() {
            return event;
        }
        poll_fn(|cx| link.poll_flush(cx)).await.unwrap();
        poll_fn(|cx| {
            link.poll_receive(cx, &mut buffers, |datagram| {
                let _ = client.handle_input(timer.now(), datagram);
            })
        })
        .await
        .unwrap();
    }
}

/// A client of the server that has allocated, or why it could not.
async fn allocate(server: &TurnServer, timer: Timer) -> (TurnClient, Link, ClientEvent) {
    allocate_as(server, timer, ClientConfig::new("alice", "secret")).await
}

async fn allocate_as(
    server: &TurnServer,
    timer: Timer,
    config: ClientConfig,
) -> (TurnClient, Link, ClientEvent) {
    let uri = format!("turn:{}", udp(server));
    allocate_at(&uri, server, config, timer).await
}

/// A client that has a port and has had the next one kept aside, and how another one gets that.
async fn allocate_pair(server: &TurnServer, timer: Timer) -> (TurnClient, Link, ClientConfig) {
    let mut config = ClientConfig::new("alice", "secret");
    config.even_port = Some(true);
    let (client, link, event) = allocate_as(server, timer, config).await;
    let ClientEvent::Allocated { reservation, .. } = event else {
        panic!("{event:?}");
    };
    let mut config = ClientConfig::new("alice", "secret");
    config.reservation = reservation;
    (client, link, config)
}

async fn allocate_at(
    uri: &str,
    server: &TurnServer,
    config: ClientConfig,
    timer: Timer,
) -> (TurnClient, Link, ClientEvent) {
    let uri: ServerUri = uri.parse().unwrap();
    let mut link = Link::open(&uri, udp(server), None).await.unwrap();
    let random = &mut *Provider::ring().random();
    let mut client = TurnClient::new(config, link.path(), timer.now(), random);
    let event = next_event(&mut client, &mut link, timer).await;
    (client, link, event)
}

/// The second client comes by a port of its own to the thread of the first, or of another, which passes on what it sends;
/// its next request leaves as soon as the answer is here.
#[tokio::test]
async fn a_reserved_port_is_held_whatever_thread_its_client_comes_to() {
    let server = server(|config| {
        config.threads = 4;
        // half a pair may not be another test's, nor one that the kernel gives out by itself: no other is tried
        config.turn.ports = 10_000..=19_999;
    })
    .await;
    let timer = Timer::start();
    for round in 0..64 {
        let (mut first, mut link, config) = allocate_pair(&server, timer).await;
        let (mut second, mut second_link, event) = allocate_as(&server, timer, config).await;
        assert!(
            matches!(event, ClientEvent::Allocated { .. }),
            "round {round}: {event:?}"
        );
        second.permit(timer.now(), [127, 0, 0, 1].into());
        let event = next_event(&mut second, &mut second_link, timer).await;
        assert!(
            matches!(event, ClientEvent::Permitted { .. }),
            "round {round}: {event:?}"
        );
        for (client, link) in [(&mut first, &mut link), (&mut second, &mut second_link)] {
            client.close(timer.now());
            assert_eq!(next_event(client, link, timer).await, ClientEvent::Released);
        }
    }
}

#[tokio::test]
async fn quotas_hold_for_all_threads_together() {
    let server = server(|config| {
        config.threads = 4;
        config.turn.max_allocations_per_user = 3;
    })
    .await;
    let timer = Timer::start();
    let mut held = Vec::new();
    let (mut allocated, mut refused) = (0, 0);
    // they come from as many ports, which the kernel spreads over the threads
    for _ in 0..24 {
        let (client, link, event) = allocate(&server, timer).await;
        match event {
            ClientEvent::Allocated { .. } => allocated += 1,
            _ => refused += 1,
        }
        held.push((client, link));
    }
    assert_eq!((allocated, refused), (3, 21));
}

/// It listens at every address of this host, of which nobody has told it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_is_no_peer_at_any_address_of_its_host() {
    let server = server(|config| {
        config.listen = vec![([0, 0, 0, 0], 0).into()];
        config.turn.relays = vec![RelayAddress::new([127, 0, 0, 2].into())];
    })
    .await;
    let here = SocketAddr::from(([127, 0, 0, 1], udp(&server).port()));
    let uri: ServerUri = format!("turn:{here}").parse().unwrap();
    let mut link = Link::open(&uri, here, None).await.unwrap();
    let timer = Timer::start();
    let random = &mut *Provider::ring().random();
    let config = ClientConfig::new("alice", "secret");
    let mut client = TurnClient::new(config, link.path(), timer.now(), random);
    let event = next_event(&mut client, &mut link, timer).await;
    assert!(matches!(event, ClientEvent::Allocated { .. }), "{event:?}");
    let other = SocketAddr::new(here.ip(), here.port() ^ 1);
    for (peer, is_allowed) in [(here, false), (other, true)] {
        client.bind_channel(timer.now(), peer);
        let is_bound = loop {
            match next_event(&mut client, &mut link, timer).await {
                ClientEvent::ChannelBound { .. } => break true,
                ClientEvent::ChannelRefused { code, .. } => {
                    assert_eq!(code, 403);
                    break false;
                }
                _ => {}
            }
        };
        assert_eq!(is_bound, is_allowed, "{peer}");
    }
}

/// By pairs, for which no other port is tried: no thread asks for one that another has.
// all of 127.0.0.0/8 is this host's there: an address where nobody else has ports
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_small_range_of_ports_is_for_all_threads() {
    let [.., high, low] = std::process::id().to_be_bytes();
    let server = server(|config| {
        config.threads = 4;
        config.turn.relays = vec![RelayAddress::new([127, 7, high, low].into())];
        // below those that the kernel gives out by itself
        config.turn.ports = 20_000..=20_019;
    })
    .await;
    let timer = Timer::start();
    let mut pair = ClientConfig::new("alice", "secret");
    pair.even_port = Some(true);
    let mut held = Vec::new();
    for number in 0..10 {
        let (client, link, event) = allocate_as(&server, timer, pair.clone()).await;
        let is_allocated = matches!(event, ClientEvent::Allocated { .. });
        assert!(is_allocated, "{number}: {event:?}");
        held.push((client, link));
    }
    let relayed = held.iter().filter_map(|(client, _)| client.relayed(true));
    let mut ports: Vec<u16> = relayed.map(|relayed| relayed.port()).collect();
    ports.sort();
    assert_eq!(ports, Vec::from_iter((20_000..20_020).step_by(2)));
    let (.., event) = allocate(&server, timer).await;
    assert!(matches!(event, ClientEvent::Failed(_)), "{event:?}");
}

#[tokio::test]
async fn the_operator_lists_and_ends() {
    let server = server(|config| config.threads = 4).await;
    let timer = Timer::start();
    let mut held = Vec::new();
    for _ in 0..8 {
        let (client, link, event) = allocate(&server, timer).await;
        assert!(matches!(event, ClientEvent::Allocated { .. }), "{event:?}");
        held.push((client, link));
    }
    let mut expected: Vec<_> = held
        .iter()
        .map(|(client, _)| (client.path().reversed(), client.relayed(true)))
        .collect();
    expected.sort();
    let list = server.list().await;
    assert!(list.iter().all(|found| *found.account == *"alice"));
    let list = list.iter().map(|found| (found.path, found.relayed[0]));
    let mut list: Vec<_> = list.collect();
    list.sort();
    assert_eq!(list, expected);
    assert_eq!(server.release_account("bob").await, 0);
    assert_eq!(server.release_account("alice").await, 8);
    assert!(server.list().await.is_empty());
    assert_eq!(server.stats().await.allocations, 0);
}

/// The client's next path, a port or a stream, leads to any of the threads; what it sends first is data, right after the
/// answer to its Refresh (RFC 8016 §3.2.2).
#[tokio::test]
async fn a_client_moves_whatever_thread_it_comes_to() {
    let server = server(|config| config.threads = 4).await;
    let timer = Timer::start();
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = peer.local_addr().unwrap();
    for round in 0..24 {
        let (from, next) = [
            ("udp", "udp"),
            ("udp", "tcp"),
            ("tcp", "tcp"),
            ("tcp", "udp"),
        ][round % 4];
        let mut config = ClientConfig::new("alice", "secret");
        config.is_mobile = true;
        let mut link = open(&server, from).await;
        let random = &mut *Provider::ring().random();
        let mut client = TurnClient::new(config, link.path(), timer.now(), random);
        let event = next_event(&mut client, &mut link, timer).await;
        assert!(matches!(event, ClientEvent::Allocated { .. }), "{event:?}");
        client.permit(timer.now(), to.ip());
        client.bind_channel(timer.now(), to);
        loop {
            let event = next_event(&mut client, &mut link, timer).await;
            if matches!(event, ClientEvent::ChannelBound { .. }) {
                break;
            }
        }

        let mut second = open(&server, next).await;
        assert!(client.migrate(timer.now(), second.path()));
        let event = next_event(&mut client, &mut second, timer).await;
        assert_eq!(event, ClientEvent::Moved, "{from} to {next}, round {round}");
        send(&mut client, &mut second, timer, to);
        poll_fn(|cx| second.poll_flush(cx)).await.unwrap();
        let mut buf = [0; 16];
        let (len, relayed) = peer.recv_from(&mut buf).await.unwrap();
        assert_eq!(&buf[..len], b"hello", "{from} to {next}, round {round}");
        peer.send_to(b"hello", relayed).await.unwrap();
        let echoed = next_payload(&mut client, &mut second, timer).await;
        assert_eq!(echoed, b"hello", "{from} to {next}, round {round}");

        client.close(timer.now());
        let event = next_event(&mut client, &mut second, timer).await;
        assert_eq!(event, ClientEvent::Released);
    }
}

/// Peers say by them that they are still there.
#[tokio::test]
async fn empty_datagrams_of_peers_arrive() {
    let server = server(|_| {}).await;
    let timer = Timer::start();
    for transport in ["udp", "tcp"] {
        let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let to = peer.local_addr().unwrap();
        let mut link = open(&server, transport).await;
        let random = &mut *Provider::ring().random();
        let config = ClientConfig::new("alice", "secret");
        let mut client = TurnClient::new(config, link.path(), timer.now(), random);
        let event = next_event(&mut client, &mut link, timer).await;
        assert!(matches!(event, ClientEvent::Allocated { .. }), "{event:?}");
        client.permit(timer.now(), to.ip());
        while !client.is_permitted(to.ip()) {
            let _ = next_event(&mut client, &mut link, timer).await;
        }
        let relayed = client.relayed(true).unwrap();
        // in an indication, and by a channel
        for is_bound in [false, true] {
            if is_bound {
                client.bind_channel(timer.now(), to);
                let event = next_event(&mut client, &mut link, timer).await;
                assert!(matches!(event, ClientEvent::ChannelBound { .. }));
            }
            let sent = [&b"one"[..], b"", b"", b"two"];
            for payload in sent {
                peer.send_to(payload, relayed).await.unwrap();
            }
            let mut received = Vec::new();
            let mut buffers = Buffers::new();
            while received.last().is_none_or(|last| last != b"two") {
                let receive = poll_fn(|cx| {
                    link.poll_receive(cx, &mut buffers, |datagram| {
                        let from = client.handle_input(timer.now(), datagram);
                        received.extend(from.map(|from| from.data.to_vec()));
                    })
                });
                receive.await.unwrap();
            }
            assert_eq!(received, sent, "over {transport}");
        }
    }
}

/// It goes to the thread that has the allocation; the one it came to first has nothing more of it.
#[tokio::test]
async fn a_stream_that_goes_to_another_thread_leaves_the_first() {
    let server = server(|config| config.threads = 4).await;
    let timer = Timer::start();
    let mut held = Vec::new();
    for round in 1..=16 {
        let mut config = ClientConfig::new("alice", "secret");
        config.is_mobile = true;
        let (mut client, _link, event) = allocate_as(&server, timer, config).await;
        assert!(matches!(event, ClientEvent::Allocated { .. }), "{event:?}");
        let mut stream = open(&server, "tcp").await;
        assert!(client.migrate(timer.now(), stream.path()));
        let event = next_event(&mut client, &mut stream, timer).await;
        assert_eq!(event, ClientEvent::Moved);
        held.push(stream);
        assert_eq!(server.stats().await.streams, round);
    }
}

async fn open(server: &TurnServer, transport: &str) -> Link {
    let uri = format!("turn:{}?transport={transport}", udp(server));
    let uri: ServerUri = uri.parse().unwrap();
    Link::open(&uri, udp(server), None).await.unwrap()
}

/// What a peer sends next.
async fn next_payload(client: &mut TurnClient, link: &mut Link, timer: Timer) -> Vec<u8> {
    let (mut buffers, mut payload) = (Buffers::new(), None);
    while payload.is_none() {
        poll_fn(|cx| {
            link.poll_receive(cx, &mut buffers, |datagram| {
                let from = client.handle_input(timer.now(), datagram);
                payload = payload
                    .take()
                    .or_else(|| from.map(|from| from.data.to_vec()));
            })
        })
        .await
        .unwrap();
    }
    payload.unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_client_is_told_that_nobody_listens() {
    let server = server(|_| {}).await;
    let timer = Timer::start();
    let (mut client, mut link, event) = allocate(&server, timer).await;
    assert!(matches!(event, ClientEvent::Allocated { .. }), "{event:?}");
    // a port where nobody is any more, and one where somebody is
    let nobody = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let peer = nobody.local_addr().unwrap();
    let somebody = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    drop(nobody);
    client.permit(timer.now(), peer.ip());
    while !client.is_permitted(peer.ip()) {
        let _ = next_event(&mut client, &mut link, timer).await;
    }
    let icmp = loop {
        send(&mut client, &mut link, timer, peer);
        let event = next_event(&mut client, &mut link, timer).await;
        if let ClientEvent::Icmp { peer: from, icmp } = event {
            assert_eq!(from, peer);
            break icmp;
        }
    };
    assert_eq!((icmp.icmp_type, icmp.code), (3, 3), "port unreachable");
    // what goes elsewhere by the same relay still arrives
    send(&mut client, &mut link, timer, peer);
    send(
        &mut client,
        &mut link,
        timer,
        somebody.local_addr().unwrap(),
    );
    let mut buf = [0; 16];
    let (len, _) = somebody.recv_from(&mut buf).await.unwrap();
    assert_eq!(&buf[..len], b"hello");
}

fn send(client: &mut TurnClient, link: &mut Link, timer: Timer, peer: SocketAddr) {
    let mut buf = [0; 64];
    if let Ok(envelope) = client.send(timer.now(), peer, 5)
        && let Some(len) = envelope.wrap(b"hello", &mut buf)
    {
        link.send(client.path(), &buf[..len], len);
    }
}

#[tokio::test]
async fn dont_fragment_is_understood() {
    let server = server(|_| {}).await;
    let timer = Timer::start();
    let uri: ServerUri = format!("turn:{}", udp(&server)).parse().unwrap();
    let mut link = Link::open(&uri, udp(&server), None).await.unwrap();
    let mut config = ClientConfig::new("alice", "secret");
    config.dont_fragment = true;
    let random = &mut *Provider::ring().random();
    let mut client = TurnClient::new(config, link.path(), timer.now(), random);
    let event = next_event(&mut client, &mut link, timer).await;
    let is_allocated = matches!(event, ClientEvent::Allocated { .. });
    assert_eq!(is_allocated, cfg!(target_os = "linux"), "{event:?}");
}
