//! A TURN client in a blocking loop: `turn_client HOST:PORT USERNAME PASSWORD PEER:PORT` sends a greeting to the peer
//! through the server until an answer comes.
//!
//! ```text
//! cargo run -p rtckit-turn --example turn_server &
//! socat UDP-LISTEN:4000,fork PIPE &
//! cargo run -p rtckit-turn --example turn_client -- 127.0.0.1:3478 guest guest 127.0.0.1:4000
//! ```
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::std_instead_of_core,
    reason = "an example is its own driver: it owns the socket and the clock"
)]

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant};

use rtckit_proto::{Clock, Datagram, FiveTuple, SeededRandom};
use rtckit_turn::{Client, ClientConfig, ClientEvent};

const USAGE: &str = "usage: turn_client HOST:PORT USERNAME PASSWORD PEER:PORT";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, username, password, peer] = &arguments[..] else {
        return Err(USAGE.into());
    };
    let clock = Clock::new(Instant::now());
    let (socket, path) = open(server)?;
    let config = ClientConfig::new(username, password);
    // a real client takes its crypto provider's secure source
    let mut random = SeededRandom::new(RandomState::new().hash_one(path));
    let now = clock.instant(Instant::now());
    let client = Client::new(config, path, now, &mut random);
    greet(client, socket, clock, peer.parse()?)
}

/// A socket that talks to the server alone, and gives up waiting for it soon.
fn open(server: impl ToSocketAddrs) -> io::Result<(UdpSocket, FiveTuple)> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(Duration::from_millis(20)))?;
    let path = FiveTuple::udp(socket.local_addr()?, socket.peer_addr()?);
    Ok((socket, path))
}

/// The loop: what the client has to say, what has happened, a greeting, and what has come.
fn greet(
    mut client: Client,
    mut socket: UdpSocket,
    clock: Clock,
    peer: SocketAddr,
) -> Result<(), Box<dyn Error>> {
    let (mut path, mut buf) = (client.path(), [0; 2048]);
    client.permit(clock.instant(Instant::now()), peer.ip());
    loop {
        let now = clock.instant(Instant::now());
        while let Some(sent) = client.poll_transmit(now, &mut buf) {
            socket.send(&buf[sent.range])?;
        }
        if let Ok(len) = client.write(now, peer, b"hello", &mut buf) {
            socket.send(&buf[..len])?; // before there is an allocation it is too early
        }
        if let Ok(len) = socket.recv(&mut buf)
            && let Some(from) = client.handle_input(now, Datagram::new(path, &mut buf[..len]))
        {
            println!("{:?} from {}", str::from_utf8(from.data), from.peer);
            return Ok(()); // whoever goes on calls close(), and drains, at the end
        }
        match client.poll_event() {
            Some(ClientEvent::Failed(failure)) => return Err(failure.into()),
            Some(ClientEvent::Reconnect { server, .. }) => {
                (socket, path) = open(server)?;
                client.reconnect(now, path);
            }
            _ => {}
        }
    }
}
