//! Two agents, a queue of datagrams between them, and a clock that jumps to the next thing to do.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses a part of it"
)]

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::VecDeque;

use rtckit_ice::{Agent, AgentConfig, Candidate, ConnectionState, Event, Role};
use rtckit_proto::{Datagram, FiveTuple, Instant, SeededRandom};

pub const A: usize = 0;
pub const B: usize = 1;

pub fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub fn host(text: &str) -> Candidate {
    Candidate::host(address(text), 1000)
}

pub fn agent(seed: u64, role: Role) -> Agent {
    agent_with(AgentConfig::default(), seed, role)
}

pub fn agent_with(config: AgentConfig, seed: u64, role: Role) -> Agent {
    let mut agent = Agent::new(config, Box::new(SeededRandom::new(seed)));
    agent.set_role(role);
    agent
}

struct InFlight {
    arrives: Instant,
    path: FiveTuple,
    bytes: Vec<u8>,
}

pub struct Network {
    pub now: Instant,
    pub agents: [Agent; 2],
    /// Who receives at which addresses.
    pub addresses: [Vec<SocketAddr>; 2],
    /// Inner and outer address of each mapping of an endpoint-independent NAT.
    pub nat: Vec<(SocketAddr, SocketAddr)>,
    pub events: [Vec<Event>; 2],
    pub delay: Duration,
    /// Which datagrams, counted from 0 in the order they are sent, get lost.
    pub lose: Box<dyn FnMut(usize) -> bool>,
    pub sent: usize,
    /// Every datagram that was sent, lost ones included, and by whom.
    pub wire: Vec<(usize, Vec<u8>)>,
    queue: VecDeque<InFlight>,
}

impl Network {
    pub fn new(a: Agent, b: Agent) -> Self {
        Self {
            now: Instant::from_millis(1_000),
            agents: [a, b],
            addresses: [Vec::new(), Vec::new()],
            nat: Vec::new(),
            events: [Vec::new(), Vec::new()],
            delay: Duration::from_millis(1),
            lose: Box::new(|_| false),
            sent: 0,
            wire: Vec::new(),
            queue: VecDeque::new(),
        }
    }

    /// A controlling and a controlled agent, one address each, that know everything about each other.
    pub fn pair(seed: u64) -> Self {
        let mut network = Self::new(
            agent(seed, Role::Controlling),
            agent(seed + 1000, Role::Controlled),
        );
        network.add_address(A, "192.0.2.1:1000");
        network.add_address(B, "192.0.2.2:2000");
        network.exchange_credentials();
        network.signal(A, "192.0.2.1:1000");
        network.signal(B, "192.0.2.2:2000");
        network
    }

    pub fn add_address(&mut self, who: usize, text: &str) {
        self.addresses[who].push(address(text));
        self.agents[who]
            .add_local_candidate(self.now, host(text))
            .unwrap();
    }

    pub fn exchange_credentials(&mut self) {
        for (who, other) in [(A, B), (B, A)] {
            let credentials = self.agents[other].local_credentials().clone();
            self.agents[who]
                .set_remote_credentials(self.now, credentials)
                .unwrap();
        }
    }

    /// Tells the other agent that `who` can be reached there.
    pub fn signal(&mut self, who: usize, text: &str) {
        self.agents[1 - who]
            .add_remote_candidate(self.now, host(text))
            .unwrap();
    }

    pub fn selected(&self, who: usize) -> Option<FiveTuple> {
        self.agents[who].selected_pair().map(|pair| pair.path)
    }

    pub fn both_selected(&self) -> bool {
        self.selected(A).is_some() && self.selected(B).is_some()
    }

    pub fn states(&self, who: usize) -> Vec<ConnectionState> {
        let states = self.events[who].iter().filter_map(|event| match event {
            Event::StateChanged(state) => Some(*state),
            _ => None,
        });
        states.collect()
    }

    /// Runs until `done`, and returns how long that took; panics after `limit` of virtual time.
    pub fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&Self) -> bool) -> Duration {
        let start = self.now;
        let mut steps_at_now = 0;
        loop {
            self.drain();
            if done(self) {
                return self.now - start;
            }
            let next = self.next().expect("something is pending");
            if next <= self.now {
                steps_at_now += 1;
                assert!(steps_at_now < 200, "spins at {:?}", self.now);
            } else {
                steps_at_now = 0;
                self.now = next;
            }
            assert!(
                self.now - start <= limit,
                "not done after {limit:?}: {:?}",
                self.agents
            );
            self.deliver();
            for agent in &mut self.agents {
                agent.handle_timeout(self.now);
            }
        }
    }

    pub fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        let mut steps_at_now = 0;
        loop {
            self.drain();
            let next = self.next().filter(|&next| next <= end);
            let Some(next) = next else {
                break;
            };
            steps_at_now = if next > self.now { 0 } else { steps_at_now + 1 };
            assert!(steps_at_now < 200, "spins at {:?}", self.now);
            self.now = self.now.max(next);
            self.deliver();
            for agent in &mut self.agents {
                agent.handle_timeout(self.now);
            }
        }
        self.now = end;
    }

    fn next(&self) -> Option<Instant> {
        let timeouts = self.agents.iter().filter_map(Agent::poll_timeout);
        timeouts
            .chain(self.queue.front().map(|datagram| datagram.arrives))
            .min()
    }

    pub fn drain(&mut self) {
        let mut buf = [0xa5; Agent::MAX_DATAGRAM];
        for who in [A, B] {
            while let Some(transmit) = self.agents[who].poll_transmit(self.now, &mut buf) {
                let number = self.sent;
                self.sent += 1;
                self.wire.push((who, buf[transmit.range.clone()].to_vec()));
                if (self.lose)(number) {
                    continue;
                }
                self.queue.push_back(InFlight {
                    arrives: self.now + self.delay,
                    path: self.translate(transmit.path),
                    bytes: buf[transmit.range].to_vec(),
                });
            }
            while let Some(event) = self.agents[who].poll_event() {
                self.events[who].push(event);
            }
        }
    }

    /// The path as its receiver sees it.
    fn translate(&self, path: FiveTuple) -> FiveTuple {
        let outer = self.nat.iter().find(|(inner, _)| *inner == path.local);
        let inner = self.nat.iter().find(|(_, outer)| *outer == path.remote);
        FiveTuple::udp(
            inner.map_or(path.remote, |(inner, _)| *inner),
            outer.map_or(path.local, |(_, outer)| *outer),
        )
    }

    fn deliver(&mut self) {
        while self
            .queue
            .front()
            .is_some_and(|datagram| datagram.arrives <= self.now)
        {
            let mut datagram = self.queue.pop_front().unwrap();
            let receiver = (0..2).find(|&who| self.addresses[who].contains(&datagram.path.local));
            if let Some(who) = receiver {
                self.agents[who]
                    .handle_input(self.now, Datagram::new(datagram.path, &mut datagram.bytes));
            }
        }
    }
}
