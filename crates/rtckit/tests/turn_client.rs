//! The TURN client on its link: it goes where its server sends it. What is waited for always comes, so nothing here is
//! timed.
#![cfg(feature = "turn")]
#![allow(clippy::unwrap_used, reason = "a test fails where it must")]

use core::future::poll_fn;
use core::net::SocketAddr;
use std::io;
use std::sync::Arc;

use rtckit::Provider;
use rtckit::client::{Buffers, Link, ServerUri, Timer, TurnClient};
use rtckit::server::{Config, TurnServer};
use rtckit_proto::Transport;
use rtckit_stun::{NonceSecret, StaticUsers};
use rtckit_turn::{Cidr, ClientConfig, ClientEvent, Failure, RelayAddress, ServerConfig};

/// A server on loopback with the user alice. TCP takes the port UDP got, which may be taken: then another try.
async fn server(realm: &str, change: impl Fn(&mut ServerConfig)) -> TurnServer {
    for _ in 0..10 {
        let secret = NonceSecret::new(&mut *Provider::ring().random());
        let relay = RelayAddress::new([127, 0, 0, 1].into());
        let mut turn = ServerConfig::new(realm, secret, vec![relay]);
        turn.peers.allow.extend(Cidr::new([127, 0, 0, 0].into(), 8));
        change(&mut turn);
        let mut config = Config::new(turn);
        config.listen = vec![([127, 0, 0, 1], 0).into()];
        config.threads = 2;
        let mut users = StaticUsers::new(realm);
        users.insert("alice", "secret");
        config.users = Arc::new(users);
        if let Ok(server) = TurnServer::start(config).await {
            return server;
        }
    }
    panic!("no port is free");
}

/// UDP and TCP alike.
fn address(server: &TurnServer) -> SocketAddr {
    server.addresses().udp[0]
}

fn alice() -> ClientConfig {
    ClientConfig::new("alice", "secret")
}

async fn client(server: SocketAddr, transport: &str) -> TurnClient {
    let uri: ServerUri = format!("turn:{server}?transport={transport}")
        .parse()
        .unwrap();
    let link = Link::open(&uri, server, None).await.unwrap();
    TurnClient::new(link, uri, None, alice(), Timer::start())
}

async fn next_event(client: &mut TurnClient) -> io::Result<ClientEvent> {
    let mut buffers = Buffers::new();
    poll_fn(|cx| client.poll_event(cx, &mut buffers, |_| {})).await
}

#[tokio::test]
async fn a_redirect_is_followed() {
    let second = server("second", |_| {}).await;
    let elsewhere = Some(address(&second));
    let first = server("first", |config| config.alternate_server = elsewhere).await;
    // who came before stays, and keeps the server
    let mut before = client(address(&first), "tcp").await;
    let event = next_event(&mut before).await.unwrap();
    assert!(matches!(event, ClientEvent::Allocated { .. }), "{event:?}");
    first.drain().await;
    for transport in ["udp", "tcp"] {
        let mut client = client(address(&first), transport).await;
        let event = next_event(&mut client).await.unwrap();
        assert!(matches!(event, ClientEvent::Allocated { .. }), "{event:?}");
        let path = client.link().path();
        assert_eq!(path, client.machine().path());
        assert_eq!(path.remote, address(&second), "over {transport}");
        assert_eq!(path.transport == Transport::Udp, transport == "udp");
        // data connections go there too
        let link = client.open_link().await.unwrap();
        assert_eq!(link.path().remote, address(&second));
    }
}

#[tokio::test]
async fn a_port_that_somebody_had_is_left_for_another() {
    let server = server("test", |_| {}).await;
    let to = address(&server);
    let mut crashed = client(to, "udp").await;
    next_event(&mut crashed).await.unwrap();
    let local = crashed.link().path().local;
    drop(crashed);
    // the next program gets its port
    let link = Link::udp(local, to).await.unwrap();
    assert_eq!(link.path().local, local);
    let uri: ServerUri = format!("turn:{to}").parse().unwrap();
    let mut client = TurnClient::new(link, uri, None, alice(), Timer::start());
    let event = next_event(&mut client).await.unwrap();
    assert!(matches!(event, ClientEvent::Allocated { .. }), "{event:?}");
    assert_ne!(client.link().path().local, local);
    assert_eq!(server.stats().await.allocations, 2);
}

#[tokio::test]
async fn a_wrong_password_is_told() {
    let server = server("test", |_| {}).await;
    let uri: ServerUri = format!("turn:{}", address(&server)).parse().unwrap();
    let link = Link::open(&uri, address(&server), None).await.unwrap();
    let config = ClientConfig::new("alice", "guess");
    let mut client = TurnClient::new(link, uri, None, config, Timer::start());
    let event = next_event(&mut client).await.unwrap();
    assert_eq!(event, ClientEvent::Failed(Failure::WrongCredentials));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_port_where_nobody_listens_is_known_at_once() {
    let nobody = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = nobody.local_addr().unwrap();
    drop(nobody);
    let mut client = client(server, "udp").await;
    let error = next_event(&mut client).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert!(!client.machine().is_closed(), "before the machine gives up");
}
