//! The TURN client on its link: it goes where its server sends it. What is waited for always comes, so nothing here is
//! timed.
#![cfg(feature = "turn")]
#![allow(clippy::unwrap_used, reason = "a test fails where it must")]

use core::future::poll_fn;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::sync::Arc;

use rtckit::Provider;
use rtckit::client::{Buffers, Link, ServerUri, Timer, TurnClient};
use rtckit::server::{Config, TurnServer};
use rtckit_crypto::self_signed::SelfSigned;
use rtckit_proto::Transport;
use rtckit_stun::{Class, ErrorCode, Message, MessageWriter, Method, NonceSecret, StaticUsers};
use rtckit_turn::{Cidr, ClientConfig, ClientEvent, Failure, RelayAddress, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{self, RootCertStore};
use tokio_rustls::server::TlsStream;

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
    let event = poll_fn(|cx| client.poll_event(cx, &mut buffers, |_| {}));
    // what never comes is no reason to wait for ever
    tokio::time::timeout(Duration::from_secs(60), event)
        .await
        .expect("an event")
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

/// Over TLS the other server has a name of its own, which its certificate has to have.
#[tokio::test]
async fn a_redirect_names_whom_to_trust() {
    let (first, second) = (
        Tls::listen("one.example").await,
        Tls::listen("two.example").await,
    );
    let mut roots = RootCertStore::empty();
    for server in [&first, &second] {
        roots.add(server.certificate.clone()).unwrap();
    }
    let tls = rustls::ClientConfig::builder_with_provider(ring())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tls = Some(Arc::new(tls));
    let (at, next) = (first.address(), second.address());
    let client = async {
        let uri: ServerUri = "turns:one.example".parse().unwrap();
        let link = Link::open(&uri, at, tls.clone()).await.unwrap();
        let mut client = TurnClient::new(link, uri, tls, alice(), Timer::start());
        next_event(&mut client).await
    };
    let servers = async {
        let (mut stream, request) = first.accept().await;
        let mut buf = [0; 200];
        let id = Message::parse(&request).unwrap().transaction_id();
        let mut writer =
            MessageWriter::new(&mut buf, Class::ErrorResponse, Method::ALLOCATE, id).unwrap();
        writer.error_code(ErrorCode::TRY_ALTERNATE).unwrap();
        writer.alternate_server(next).unwrap();
        writer.alternate_domain("two.example").unwrap();
        let len = writer.finish();
        stream.write_all(&buf[..len]).await.unwrap();
        let (_stream, request) = second.accept().await;
        Message::parse(&request).unwrap().method()
    };
    tokio::select! {
        event = client => panic!("{event:?}"),
        asked = servers => assert_eq!(asked, Method::ALLOCATE),
    }
}

fn ring() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A server over TLS, by hand.
struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    certificate: CertificateDer<'static>,
}

impl Tls {
    async fn listen(name: &str) -> Self {
        let made = SelfSigned::generate(&Provider::ring(), [name.to_owned()]).unwrap();
        let certificate = CertificateDer::from(made.certificate_der().to_vec());
        let key = PrivatePkcs8KeyDer::from(made.private_key_der().to_vec());
        let config = rustls::ServerConfig::builder_with_provider(ring())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.into())
            .unwrap();
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            acceptor: Arc::new(config).into(),
            certificate,
        }
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// A client and its first request.
    async fn accept(&self) -> (TlsStream<TcpStream>, Vec<u8>) {
        let (stream, _) = self.listener.accept().await.unwrap();
        let mut stream = self.acceptor.accept(stream).await.unwrap();
        let mut request = vec![0; 20];
        stream.read_exact(&mut request).await.unwrap();
        let len = usize::from(request[2]) << 8 | usize::from(request[3]);
        request.resize(20 + len, 0);
        stream.read_exact(&mut request[20..]).await.unwrap();
        (stream, request)
    }
}
