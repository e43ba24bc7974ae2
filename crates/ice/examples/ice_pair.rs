//! Two agents over two UDP sockets of this host: `cargo run -p rtckit-ice --example ice_pair`.
//!
//! One thread drives both, the way any driver does: drain what wants to leave and what has happened, wait until the
//! next deadline or datagram, hand it in.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::std_instead_of_core,
    reason = "an example is its own driver: it owns the sockets and the clock"
)]

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;
use std::net::UdpSocket;
use std::time::Duration;

use rtckit_ice::{Agent, AgentConfig, Candidate, Event, Role};
use rtckit_proto::{Clock, Datagram, FiveTuple, Instant, SeededRandom};

struct Host {
    name: &'static str,
    agent: Agent,
    socket: UdpSocket,
}

impl Host {
    fn new(name: &'static str, role: Role) -> Result<Self, Box<dyn Error>> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(Duration::from_millis(1)))?;
        // A toy: credentials want the crypto provider's secure source.
        let random = SeededRandom::new(RandomState::new().hash_one(name));
        let mut agent = Agent::new(AgentConfig::default(), Box::new(random));
        agent.set_role(role);
        agent.add_local_candidate(Instant::ZERO, Candidate::host(socket.local_addr()?, 65_535))?;
        Ok(Self {
            name,
            agent,
            socket,
        })
    }

    /// What a signalling server would do.
    fn learn(&mut self, now: Instant, peer: &Self) -> Result<(), Box<dyn Error>> {
        self.agent
            .set_remote_credentials(now, peer.agent.local_credentials().clone())?;
        for candidate in peer.agent.local_candidates() {
            println!("{} learns {candidate}", self.name);
            self.agent
                .add_remote_candidate(now, candidate.to_string().parse()?)?;
        }
        self.agent.set_end_of_remote_candidates(now);
        Ok(())
    }

    fn turn(&mut self, now: Instant) -> Result<(), Box<dyn Error>> {
        let mut buf = [0; 1500];
        match self.socket.recv_from(&mut buf) {
            Ok((len, source)) => {
                let path = FiveTuple::udp(self.socket.local_addr()?, source);
                self.agent
                    .handle_input(now, Datagram::new(path, &mut buf[..len]));
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.into()),
        }
        if self.agent.poll_timeout().is_some_and(|due| due <= now) {
            self.agent.handle_timeout(now);
        }
        while let Some(transmit) = self.agent.poll_transmit(now, &mut buf) {
            self.socket
                .send_to(&buf[transmit.range], transmit.path.remote)?;
        }
        while let Some(event) = self.agent.poll_event() {
            match event {
                Event::SelectedPair(pair) => {
                    println!("{now:?} {} selects {:?}", self.name, pair.path)
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
    alice.learn(now(), &bob)?;
    bob.learn(now(), &alice)?;
    // long enough for a consent check or two
    while now() < Instant::from_millis(8_000) {
        alice.turn(now())?;
        bob.turn(now())?;
    }
    for host in [&alice, &bob] {
        for pair in host.agent.pairs() {
            println!("{} {:?} {:?}", host.name, pair.state(), pair.stats());
        }
    }
    match alice.agent.selected_pair().is_some() && bob.agent.selected_pair().is_some() {
        true => Ok(()),
        false => Err("not connected".into()),
    }
}
