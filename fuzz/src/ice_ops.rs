//! Two ICE agents and a network between them that the input rules.

use core::time::Duration;
use std::collections::VecDeque;
use std::net::SocketAddr;

use rtckit_crypto::mac::HmacSha1;
use rtckit_ice::{Agent, AgentConfig, Candidate, ConnectionState, Credentials, Role};
use rtckit_proto::{Datagram, FiveTuple, Instant, SeededRandom};
use rtckit_stun::{AttributeType, Class, ErrorCode, Message, MessageWriter, Method, TransactionId};

use crate::input::{Input, mutate};
use crate::settle::settle;

const MAX_OPERATIONS: usize = 200;
/// The time the operations may take: what is left of an agent's patience must do for a selection.
const MAX_TIME: Instant = Instant::from_millis(15_000);
/// Addresses of each side.
const ADDRESSES: u16 = 4;

struct World {
    agents: [Agent; 2],
    now: Instant,
    /// Receiver, path as it sees it, bytes.
    in_flight: VecDeque<(usize, FiveTuple, Vec<u8>)>,
    /// Whether the agents have been used as they should be and have talked to nobody who knows their passwords.
    honest: bool,
}

/// Agents on a network that loses, doubles, delays, breaks and invents datagrams find a path once it stops, as long
/// as whoever invents does not know the passwords; if he does, nothing grows beyond its ceiling.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    let mut world = World::new(&mut input);
    for _ in 0..MAX_OPERATIONS {
        if input.is_empty() {
            break;
        }
        world.operation(&mut input);
        world.settle();
        world.check_ceilings();
    }
    world.finish();
}

fn address(side: usize, number: u16) -> SocketAddr {
    if number == 3 {
        SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, side as u16 + 1], 1003))
    } else {
        SocketAddr::from(([192, 0, 2, side as u8 + 1], 1000 + number))
    }
}

impl World {
    fn new(input: &mut Input<'_>) -> Self {
        let seed = u64::from(input.u8());
        let mut agents = [seed, seed + 1000]
            .map(|seed| Agent::new(AgentConfig::default(), Box::new(SeededRandom::new(seed))));
        for agent in &mut agents {
            agent.set_role(input.choose(&[Role::Controlling, Role::Controlled]));
        }
        Self {
            agents,
            now: Instant::ZERO,
            in_flight: VecDeque::new(),
            honest: true,
        }
    }

    fn operation(&mut self, input: &mut Input<'_>) {
        match input.u8() % 20 {
            0 | 1 => self.deliver(0, None),
            2 => {
                for _ in 0..input.below(16) {
                    self.deliver(0, None);
                    self.settle();
                }
            }
            3 => drop(self.in_flight.pop_front()),
            4 => {
                let index = input.below(self.in_flight.len());
                self.deliver(index, None);
            }
            5 => {
                let index = input.below(self.in_flight.len());
                if let Some(copy) = self.in_flight.get(index).cloned() {
                    self.in_flight.push_back(copy);
                }
            }
            6 => {
                if let Some((_, _, datagram)) = self.in_flight.front_mut() {
                    mutate(input, datagram);
                    self.deliver(0, None);
                }
            }
            7 => {
                // it comes from somewhere else: a NAT, or a liar
                let source =
                    SocketAddr::from(([198, 51, 100, 1], 2000 + u16::from(input.u8() % 8)));
                self.deliver(0, Some(source));
            }
            8 => {
                let to = input.below(2);
                let number = u16::from(input.u8() % ADDRESSES as u8);
                let path = FiveTuple::udp(address(to, number), address(1 - to, number));
                self.in_flight.push_front((to, path, input.vec8().to_vec()));
                self.deliver(0, None);
            }
            9 => self.forge(input),
            10 => self.pass(Duration::from_millis(input.u8().into())),
            11 | 12 => {
                let due = self.agents.iter().filter_map(Agent::poll_timeout).min();
                if let Some(due) = due {
                    self.pass(due.duration_since(self.now));
                }
            }
            13 | 14 => {
                let (side, number) = (input.below(2), u16::from(input.u8() % ADDRESSES as u8));
                self.add_local(side, number);
            }
            15 => {
                let side = input.below(2);
                self.signal_credentials(side);
            }
            16 => {
                let side = input.below(2);
                self.signal_candidates(side);
            }
            17 => {
                // candidates that lead nowhere
                let side = input.below(2);
                let text = input.vec8();
                let candidate = core::str::from_utf8(text)
                    .ok()
                    .and_then(|text| text.parse().ok());
                let candidate = candidate.unwrap_or_else(|| {
                    Candidate::host(([203, 0, 113, 7], 1 + u16::from(input.u8())).into(), 9)
                });
                let _ = self.agents[side].add_remote_candidate(self.now, candidate);
            }
            18 => self.agents[input.below(2)].set_end_of_remote_candidates(self.now),
            _ => self.misuse(input),
        }
    }

    /// What a user should not do, or what ends the session.
    fn misuse(&mut self, input: &mut Input<'_>) {
        // rarely, or little else would be tried
        if input.u8() < 0xc0 {
            return;
        }
        self.honest = false;
        let side = input.below(2);
        let agent = &mut self.agents[side];
        match input.u8() % 6 {
            0 => agent.close(),
            1 => drop(agent.restart(self.now).clone()),
            2 => agent.set_role(input.choose(&[Role::Controlling, Role::Controlled])),
            3 => agent.set_remote_lite(input.bool()),
            4 => {
                let credentials = Credentials::new("abcd", "abcdefghijklmnopqrstuvwx");
                let _ = agent.set_remote_credentials(self.now, credentials.expect("long enough"));
            }
            _ => {
                let mut small = [0; 60];
                while agent
                    .poll_transmit(self.now, &mut small[..usize::from(input.u8() % 60)])
                    .is_some()
                {}
            }
        }
    }

    /// A message from somebody who knows the password.
    fn forge(&mut self, input: &mut Input<'_>) {
        self.honest = false;
        let to = input.below(2);
        let local = self.agents[to].local_credentials().clone();
        let class = input.choose(&[
            Class::Request,
            Class::SuccessResponse,
            Class::ErrorResponse,
            Class::Indication,
        ]);
        let password = match class {
            Class::Request | Class::Indication => local.password().to_owned(),
            _ => self.agents[1 - to]
                .local_credentials()
                .password()
                .to_owned(),
        };
        let id = self.id_in_flight(1 - to).filter(|_| input.bool());
        let id = id.unwrap_or_else(|| TransactionId(core::array::from_fn(|_| input.u8())));
        let mut buf = [0; 512];
        let Ok(mut writer) = MessageWriter::new(&mut buf, class, Method::BINDING, id) else {
            return;
        };
        let their_ufrag = self.agents[1 - to].local_credentials().ufrag().to_owned();
        let _ = writer.username(&format!("{}:{their_ufrag}", local.ufrag()));
        for _ in 0..input.below(6) {
            let _ = match input.u8() % 8 {
                0 => writer.priority(input.u32()),
                1 => writer.use_candidate(),
                2 => writer.ice_controlling(u64::from(input.u32()) << 32),
                3 => writer.ice_controlled(u64::from(input.u32()) << 32),
                4 => writer.xor_mapped_address(address(to, u16::from(input.u8() % 8))),
                5 => writer.error_code(ErrorCode::new(input.u16(), "")),
                6 => writer.error_code(ErrorCode::ROLE_CONFLICT),
                _ => writer.attribute(AttributeType(input.u16()), input.vec8()),
            };
        }
        let _ = writer.integrity(&HmacSha1::new(password.as_bytes()));
        let _ = writer.fingerprint();
        let len = writer.finish();
        let local = address(to, u16::from(input.u8() % ADDRESSES as u8));
        let remote = SocketAddr::from(([198, 51, 100, input.u8()], input.u16()));
        let known = address(1 - to, u16::from(input.u8() % ADDRESSES as u8));
        let path = FiveTuple::udp(local, if input.bool() { known } else { remote });
        self.in_flight.push_front((to, path, buf[..len].to_vec()));
        self.deliver(0, None);
    }

    /// The transaction of a request on its way to `to`.
    fn id_in_flight(&self, to: usize) -> Option<TransactionId> {
        self.in_flight
            .iter()
            .filter(|(receiver, ..)| *receiver == to)
            .find_map(|(_, _, bytes)| Some(Message::parse(bytes).ok()?.transaction_id()))
    }

    fn pass(&mut self, time: Duration) {
        if self.now + time <= MAX_TIME {
            self.now += time;
        }
    }

    fn add_local(&mut self, side: usize, number: u16) {
        let candidate = Candidate::host(address(side, number), number + 1);
        let _ = self.agents[side].add_local_candidate(self.now, candidate);
    }

    fn signal_credentials(&mut self, side: usize) {
        let theirs = self.agents[1 - side].local_credentials().clone();
        let _ = self.agents[side].set_remote_credentials(self.now, theirs);
    }

    fn signal_candidates(&mut self, side: usize) {
        for candidate in self.agents[1 - side].local_candidates().to_vec() {
            // as signalling would carry it
            let text = candidate.to_string();
            let candidate = text.parse().expect("our own text");
            let _ = self.agents[side].add_remote_candidate(self.now, candidate);
        }
    }

    fn deliver(&mut self, index: usize, source: Option<SocketAddr>) {
        let Some((to, mut path, mut datagram)) = self.in_flight.remove(index) else {
            return;
        };
        path.remote = source.unwrap_or(path.remote);
        self.agents[to].handle_input(self.now, Datagram::new(path, &mut datagram));
    }

    fn settle(&mut self) {
        let mut buf = [0; Agent::MAX_DATAGRAM];
        for (index, agent) in self.agents.iter_mut().enumerate() {
            let in_flight = &mut self.in_flight;
            settle(
                agent,
                self.now,
                &mut buf,
                |transmit, datagram| {
                    let path = transmit.path.reversed();
                    let to = 1 - index;
                    // what is sent to nowhere gets nowhere
                    if (0..ADDRESSES).any(|number| address(to, number) == path.local) {
                        in_flight.push_back((to, path, datagram.to_vec()));
                    }
                },
                |event| drop(format!("{event:?}")),
            );
        }
        while self.in_flight.len() > 500 {
            self.in_flight.pop_front();
        }
    }

    fn check_ceilings(&self) {
        let config = AgentConfig::default();
        for agent in &self.agents {
            assert!(agent.local_candidates().len() <= config.max_local_candidates);
            assert!(agent.remote_candidates().len() <= config.max_remote_candidates);
            assert!(agent.pairs().len() <= config.max_pairs);
            let _ = (agent.state(), agent.role(), format!("{agent:?}"));
            if let Some(selected) = agent.selected_pair() {
                assert!(agent.is_known_path(selected.path));
            }
        }
    }

    fn finish(&mut self) {
        for side in 0..2 {
            self.add_local(side, 0);
            self.signal_credentials(side);
        }
        for side in 0..2 {
            self.signal_candidates(side);
        }
        let end = self.now + Duration::from_secs(25);
        while self.now < end {
            self.settle();
            while !self.in_flight.is_empty() {
                self.deliver(0, None);
                self.settle();
            }
            let due = self.agents.iter().filter_map(Agent::poll_timeout).min();
            let Some(due) = due else {
                break;
            };
            self.now = due.max(self.now + Duration::from_millis(1));
        }
        self.check_ceilings();
        if self.honest {
            let [left, right] = self.agents.each_ref().map(Agent::selected_pair);
            let (Some(left), Some(right)) = (left, right) else {
                panic!("left alone, they selected nothing: {self:#?}");
            };
            assert_eq!(left.path.reversed(), right.path, "they disagree");
            for agent in &self.agents {
                assert!(
                    matches!(
                        agent.state(),
                        ConnectionState::Connected | ConnectionState::Completed
                    ),
                    "{:?}",
                    agent.state()
                );
            }
            assert_ne!(self.agents[0].role(), self.agents[1].role());
        }
    }
}

impl core::fmt::Debug for World {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut world = f.debug_list();
        for agent in &self.agents {
            world.entry(&(agent, agent.role(), agent.local_candidates(), agent.pairs()));
        }
        world.finish()
    }
}
