//! Two transports find a path and send a line over it: `cargo run -p rtckit-transport --example path`.
//!
//! It drives them as any driver does, over two UDP sockets of this host, in one thread.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "an example is its own driver: it owns the sockets and the clock"
)]

use core::error::Error;
use core::hash::BuildHasher as _;
use core::time::Duration;
use std::hash::RandomState;
use std::io::ErrorKind;
use std::net::UdpSocket;

use rtckit_ice::Role;
use rtckit_proto::{Clock, Datagram, FiveTuple, Instant, SeededRandom};
use rtckit_transport::{Event, Transport, TransportConfig};

struct Host {
    name: &'static str,
    transport: Transport,
    socket: UdpSocket,
}

impl Host {
    fn new(name: &'static str, role: Role) -> Result<Self, Box<dyn Error>> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(Duration::from_millis(1)))?;
        // A toy: credentials want the crypto provider's secure source.
        let random = SeededRandom::new(RandomState::new().hash_one(name));
        let mut transport = Transport::new(TransportConfig::default(), Box::new(random));
        transport.set_role(role);
        transport.add_local_address(Instant::ZERO, socket.local_addr()?)?;
        transport.end_of_local_addresses();
        Ok(Self {
            name,
            transport,
            socket,
        })
    }

    /// Takes one datagram in, and everything out. What is told to be signalled goes to `peer`.
    fn turn(&mut self, now: Instant, peer: &mut Self) -> Result<(), Box<dyn Error>> {
        let mut buf = [0; 1500];
        match self.socket.recv_from(&mut buf) {
            Ok((len, source)) => {
                let path = FiveTuple::udp(self.socket.local_addr()?, source);
                let datagram = Datagram::new(path, &mut buf[..len]);
                if let Some(data) = self.transport.handle_input(now, datagram) {
                    println!(
                        "{now:?} {} has {:?}",
                        self.name,
                        String::from_utf8_lossy(data.data)
                    );
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.into()),
        }
        self.transport.handle_timeout(now);
        while let Some(transmit) = self.transport.poll_transmit(now, &mut buf) {
            self.socket
                .send_to(&buf[transmit.range], transmit.path.remote)?;
        }
        while let Some(event) = self.transport.poll_event() {
            match event {
                Event::CandidateGathered(candidate) => {
                    println!("{now:?} {} has {candidate}", self.name);
                    peer.transport.add_remote_candidate(now, candidate)?;
                }
                event => println!("{now:?} {} {event:?}", self.name),
            }
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let clock = Clock::new(std::time::Instant::now());
    let now = || clock.instant(std::time::Instant::now());
    let mut alice = Host::new("alice", Role::Controlling)?;
    let mut bob = Host::new("bob", Role::Controlled)?;
    alice
        .transport
        .set_remote_credentials(now(), bob.transport.local_credentials().clone())?;
    bob.transport
        .set_remote_credentials(now(), alice.transport.local_credentials().clone())?;

    let mut greeted = false;
    while now() < Instant::from_millis(2_000) {
        alice.turn(now(), &mut bob)?;
        bob.turn(now(), &mut alice)?;
        // The first byte says that this is neither STUN nor anything else of RFC 7983.
        if let Some(path) = alice.transport.path().filter(|_| !greeted) {
            alice.socket.send_to(b"\xffgood morning", path.remote)?;
            greeted = true;
        }
    }
    if greeted {
        Ok(())
    } else {
        Err("no path was found in two seconds".into())
    }
}
