//! Asks a STUN server which address it sees, by a plain socket: `query HOST:PORT`.
//!
//! ```text
//! cargo run -p rtckit-stun --example responder &
//! cargo run -p rtckit-stun --example query -- 127.0.0.1:3478
//! ```
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::std_instead_of_core,
    reason = "an example is its own driver: it owns the socket and the clock"
)]

use std::hash::{BuildHasher, RandomState};
use std::net::{ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant};

use rtckit_proto::{Clock, Datagram, FiveTuple, SeededRandom};
use rtckit_stun::Client;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:3478".into());
    let server = server
        .to_socket_addrs()?
        .next()
        .ok_or("the name has no address")?;
    let socket = UdpSocket::bind(if server.is_ipv4() {
        "0.0.0.0:0"
    } else {
        "[::]:0"
    })?;
    let path = FiveTuple::udp(socket.local_addr()?, server);
    let clock = Clock::new(Instant::now());
    let now = || clock.instant(Instant::now());
    // Good enough to ask one question; a real client takes its crypto provider's secure source.
    let mut random = SeededRandom::new(RandomState::new().hash_one(server));
    let mut client = Client::new(path, now(), &mut random);
    let mut buf = [0; 1500];
    while client.outcome().is_none() {
        while let Some(sent) = client.poll_transmit(now(), &mut buf) {
            socket.send_to(&buf[sent.range], sent.path.remote)?;
        }
        let wait = client
            .poll_timeout()
            .map_or(Duration::ZERO, |at| at - now());
        socket.set_read_timeout(Some(wait.max(Duration::from_millis(1))))?;
        if let Ok((len, source)) = socket.recv_from(&mut buf) {
            let path = FiveTuple::udp(path.local, source);
            client.handle_input(now(), Datagram::new(path, &mut buf[..len]));
        }
    }
    println!("{:?}", client.outcome());
    Ok(())
}
