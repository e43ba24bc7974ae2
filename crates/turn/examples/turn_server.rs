//! A TURN server inside a program that has its own users, over std's sockets: `turn_server [ADDRESS]`.
//!
//! One thread asks every socket in turn, which is simple and slow. `rtckit` has a driver that is neither, and an example
//! of twenty lines for it; this one shows what a driver has to do.
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
    reason = "an example is its own driver: it owns the sockets and the clock"
)]

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use rtckit_proto::{Clock, Datagram, FiveTuple, SeededRandom};
use rtckit_stun::{Claim, Name, NonceSecret, User, Users};
use rtckit_turn::{BindError, RelayAddress, RelayId, Server, ServerConfig, ServerEvent};

/// The program's own users: everybody whose password is the name.
struct Guests;

impl Users for Guests {
    fn user(&self, _: rtckit_proto::Instant, realm: &str, claim: &Claim<'_>) -> Option<User> {
        let Name::Username(name) = claim.name else {
            return None;
        };
        Some(claim.user(name, realm, name))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:3478".into());
    let socket = UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    let local = socket.local_addr()?;
    println!("relaying from {local}");
    // A real server takes its crypto provider's secure source.
    let mut random = SeededRandom::new(RandomState::new().hash_one(local));
    let secret = NonceSecret::new(&mut random);
    let mut config = ServerConfig::new("example.org", secret, vec![RelayAddress::new(local.ip())]);
    config.listeners.push(local);
    config.peers.allow.push("127.0.0.0/8".parse()?); // for a try at home; a server for others must not
    let mut server = Server::new(config, Guests, &mut random);
    let mut relays: HashMap<RelayId, UdpSocket> = HashMap::new();
    let clock = Clock::new(Instant::now());
    let (mut buf, mut out) = ([0; 2048], [0; 2048]);
    loop {
        let now = clock.instant(Instant::now());
        while let Ok((len, source)) = socket.recv_from(&mut buf) {
            let datagram = Datagram::new(FiveTuple::udp(local, source), &mut buf[..len]);
            if let Some(to) = server.handle_input(now, datagram)
                && let Some(relay) = relays.get(&to.relay)
            {
                let _ = relay.send_to(to.data, to.peer); // a peer that cannot be reached is no reason to stop
            }
        }
        for (id, relay) in &relays {
            while let Ok((len, peer)) = relay.recv_from(&mut buf) {
                if let Some(to) = server.handle_relay_input(now, *id, peer, len)
                    && let Some(len) = to.envelope.wrap(&buf[..len], &mut out)
                {
                    let _ = socket.send_to(&out[..len], to.path.remote);
                }
            }
        }
        server.handle_timeout(now);
        loop {
            while let Some(sent) = server.poll_transmit(now, &mut out) {
                let _ = socket.send_to(&out[sent.range], sent.path.remote);
            }
            match server.poll_event() {
                Some(ServerEvent::BindRelay { relay, address, .. }) => {
                    let bound = UdpSocket::bind(address).and_then(|socket| {
                        socket.set_nonblocking(true)?;
                        Ok((socket.local_addr()?, socket))
                    });
                    let result = bound.map(|(address, socket)| {
                        relays.insert(relay, socket);
                        address
                    });
                    let result = result.map_err(|_| BindError::AddressInUse);
                    server.relay_bound(now, relay, result);
                }
                Some(ServerEvent::CloseRelay { relay }) => drop(relays.remove(&relay)),
                Some(event) => println!("{event:?}"),
                None => break,
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
