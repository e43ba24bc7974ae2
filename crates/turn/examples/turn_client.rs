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
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use rtckit_proto::{Clock, Datagram, FiveTuple, SeededRandom};
use rtckit_turn::{Client, ClientConfig, ClientEvent};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, username, password, peer] = &arguments[..] else {
        return Err("usage: turn_client HOST:PORT USERNAME PASSWORD PEER:PORT".into());
    };
    let peer: SocketAddr = peer.parse()?;
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(Duration::from_millis(20)))?;
    let path = FiveTuple::udp(socket.local_addr()?, socket.peer_addr()?);
    let config = ClientConfig::new(username, password);
    let clock = Clock::new(Instant::now());
    let now = || clock.instant(Instant::now());
    // a real client takes its crypto provider's secure source
    let mut random = SeededRandom::new(RandomState::new().hash_one(path));
    let mut client = Client::new(config, path, now(), &mut random);
    client.permit(now(), peer.ip());
    let mut buf = [0; 2048];
    loop {
        while let Some(sent) = client.poll_transmit(now(), &mut buf) {
            socket.send(&buf[sent.range])?;
        }
        if let Ok(len) = client.write(now(), peer, b"hello", &mut buf) {
            socket.send(&buf[..len])?; // before there is an allocation it is too early
        }
        if let Ok(len) = socket.recv(&mut buf)
            && let Some(from) = client.handle_input(now(), Datagram::new(path, &mut buf[..len]))
        {
            println!("{:?} from {}", str::from_utf8(from.data), from.peer);
            return Ok(()); // whoever goes on calls close(), and drains, at the end
        }
        match client.poll_event() {
            Some(ClientEvent::Failed(failure)) => return Err(failure.into()),
            // a 300 or 437: whoever can opens another socket and calls reconnect()
            Some(ClientEvent::Reconnect { server, .. }) => Err(format!("go to {server}"))?,
            _ => {}
        }
    }
}
