//! Both ends of a DTLS connection and a network between them that the input rules.

use core::time::Duration;
use std::collections::VecDeque;

use rtckit_dtls::{Connection, Event};
use rtckit_proto::{Datagram, Instant, SrtpProfile};

use crate::dtls::{CLIENT, SERVER, config, connections, path};
use crate::input::{Input, mutate};
use crate::settle::settle;

const MAX_OPERATIONS: usize = 200;
/// The time the operations may take: what is left must do for a handshake that is left alone.
const MAX_TIME: Instant = Instant::from_millis(15_000);

struct World {
    ends: [Connection; 2],
    now: Instant,
    /// Receiver and bytes.
    in_flight: VecDeque<(usize, Vec<u8>)>,
    /// Whether the network has said nothing but what the ends did.
    honest: bool,
    closed: bool,
    /// Events by end.
    connected: [u32; 2],
    /// What was sealed, by sender.
    sealed: [Vec<Vec<u8>>; 2],
}

/// A network that loses, doubles and delays cannot keep two ends from connecting once it stops; one that lies can
/// do no worse than that.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    let mut configs = [config(CLIENT), config(SERVER)];
    for config in &mut configs {
        config.mtu = 128 + usize::from(input.u8()) * 6;
        if input.bool() {
            config.srtp_profiles = vec![SrtpProfile::AeadAes128Gcm];
        }
    }
    if input.bool() {
        configs[SERVER].cookie_secret = Some([3; 32].into());
    }
    let mut world = World {
        ends: connections(configs),
        now: Instant::ZERO,
        in_flight: VecDeque::new(),
        honest: true,
        closed: false,
        connected: [0; 2],
        sealed: Default::default(),
    };
    world.settle();
    let wild = input.bool();
    for _ in 0..MAX_OPERATIONS {
        if input.is_empty() {
            break;
        }
        world.operation(&mut input, wild);
        world.settle();
    }
    world.finish();
}

impl World {
    /// One operation. Unless the run is `wild`, none that excuses the ends from connecting in the end.
    fn operation(&mut self, input: &mut Input<'_>, wild: bool) {
        let operation = input.u8() % 12;
        match operation {
            6 | 7 | 11 if !wild => self.deliver(0),
            0 | 1 => self.deliver(0),
            2 => {
                for _ in 0..input.below(16) {
                    self.deliver(0);
                    self.settle();
                }
            }
            3 => drop(self.in_flight.pop_front()),
            4 => {
                let index = input.below(self.in_flight.len());
                self.deliver(index);
            }
            5 => {
                let index = input.below(self.in_flight.len());
                if let Some(copy) = self.in_flight.get(index).cloned() {
                    self.in_flight.push_back(copy);
                }
            }
            6 => {
                if let Some((_, datagram)) = self.in_flight.front_mut() {
                    mutate(input, datagram);
                    self.honest = false;
                    self.deliver(0);
                }
            }
            7 => {
                let to = input.below(2);
                self.honest = false;
                self.in_flight.push_front((to, input.vec8().to_vec()));
                self.deliver(0);
            }
            8 => self.pass(Duration::from_millis(input.u8().into())),
            9 => {
                let due = self.ends.iter().filter_map(Connection::poll_timeout).min();
                if let Some(due) = due {
                    self.pass(due.duration_since(self.now));
                }
            }
            10 => {
                let from = input.below(2);
                self.seal(from, input.vec8());
            }
            _ => {
                // rarely, or nothing else would be tried
                if input.u8() == 0xc1 {
                    self.closed = true;
                    let end = input.below(2);
                    self.ends[end].close(self.now);
                }
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        if self.now + time <= MAX_TIME {
            self.now += time;
        }
    }

    fn deliver(&mut self, index: usize) {
        let Some((to, mut datagram)) = self.in_flight.remove(index) else {
            return;
        };
        let path = if to == CLIENT {
            path()
        } else {
            path().reversed()
        };
        let opened = self.ends[to].handle_input(self.now, Datagram::new(path, &mut datagram));
        for payload in opened.iter() {
            let sealed = &self.sealed[1 - to];
            assert!(
                sealed.iter().any(|sealed| sealed == payload),
                "application data that nobody sealed"
            );
        }
    }

    fn seal(&mut self, from: usize, payload: &[u8]) {
        let mut buf = [0xa5; 512];
        match self.ends[from].seal(payload, &mut buf) {
            Ok(len) => {
                self.sealed[from].push(payload.to_vec());
                self.in_flight.push_back((1 - from, buf[..len].to_vec()));
            }
            Err(_) => assert!(!self.ends[from].is_connected()),
        }
    }

    fn settle(&mut self) {
        let mut buf = [0; 2048];
        for (index, end) in self.ends.iter_mut().enumerate() {
            let in_flight = &mut self.in_flight;
            let connected = &mut self.connected[index];
            settle(
                end,
                self.now,
                &mut buf,
                |_, datagram| in_flight.push_back((1 - index, datagram.to_vec())),
                |event| {
                    *connected += u32::from(event == Event::Connected);
                    assert!(*connected <= 1, "connected twice");
                },
            );
        }
        while self.in_flight.len() > 500 {
            self.in_flight.pop_front();
        }
    }

    fn finish(&mut self) {
        // two minutes are more than any back-off
        for _ in 0..2000 {
            while !self.in_flight.is_empty() {
                self.deliver(0);
                self.settle();
            }
            let due = self.ends.iter().filter_map(Connection::poll_timeout).min();
            let Some(due) = due else {
                break;
            };
            self.now = self.now.max(due);
            self.settle();
        }
        assert!(
            self.ends.iter().all(|end| end.poll_timeout().is_none()),
            "a handshake without an end"
        );
        if self.honest && !self.closed {
            assert!(
                self.ends.iter().all(Connection::is_connected),
                "left alone, they did not connect: {:#?}",
                self.ends
            );
            let [client, server] = self
                .ends
                .each_ref()
                .map(|end| end.srtp_keys().expect("agreed"));
            assert_eq!(client.local.key(), server.remote.key());
            assert_eq!(client.remote.salt(), server.local.salt());
            self.seal(CLIENT, b"from the client");
            self.seal(SERVER, b"from the server");
            self.deliver(0);
            self.deliver(0);
        }
    }
}
