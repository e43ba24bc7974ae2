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

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use rtckit_proto::{Clock, Datagram, FiveTuple, SeededRandom};
use rtckit_stun::Client;

fn main() -> Result<(), Box<dyn Error>> {
    let server = std::env::args().nth(1).ok_or("usage: query HOST:PORT")?;
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(Duration::from_millis(20)))?;
    let path = FiveTuple::udp(socket.local_addr()?, socket.peer_addr()?);
    let clock = Clock::new(Instant::now());
    let now = || clock.instant(Instant::now());
    // good enough for one question; others take a secure source
    let mut random = SeededRandom::new(RandomState::new().hash_one(path));
    let mut client = Client::new(path, now(), &mut random);
    let mut buf = [0; 1500];
    while client.outcome().is_none() {
        if let Some(sent) = client.poll_transmit(now(), &mut buf) {
            socket.send(&buf[sent.range])?;
        }
        if let Ok(len) = socket.recv(&mut buf) {
            client.handle_input(now(), Datagram::new(path, &mut buf[..len]));
        }
    }
    println!("{:?}", client.outcome());
    Ok(())
}
