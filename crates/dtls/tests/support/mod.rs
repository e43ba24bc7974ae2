//! Two connections and the network between them, all in memory and in virtual time.
#![allow(dead_code, reason = "each test file uses its part")]

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use rtckit_crypto::fingerprint::HashAlgorithm;
use rtckit_crypto::identity::Identity;
use rtckit_crypto::provider::Provider;
use rtckit_dtls::{Config, Connection, Event, Verify};
use rtckit_proto::{Datagram, FiveTuple, Instant, SrtpProfile};

pub(crate) fn path() -> FiveTuple {
    FiveTuple::udp(
        "192.0.2.1:1000".parse().unwrap(),
        "192.0.2.2:2000".parse().unwrap(),
    )
}

/// Both ends' configurations, each knowing the other's fingerprint.
pub(crate) fn configs(provider: &Provider) -> [Config; 2] {
    let identities = [(); 2].map(|()| Arc::new(Identity::generate(provider).unwrap()));
    [0, 1].map(|end| {
        let fingerprint = identities[1 - end].fingerprint(HashAlgorithm::Sha256);
        let verify = Verify::Fingerprints(vec![fingerprint]);
        let mut config = Config::new(provider.clone(), identities[end].clone(), verify);
        config.srtp_profiles = vec![SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmHmacSha1_80];
        config
    })
}

pub(crate) const CLIENT: usize = 0;
pub(crate) const SERVER: usize = 1;

/// What the network does with the datagram: how many copies arrive, and how late.
pub(crate) type Fate = Vec<Duration>;

pub(crate) type Tamper = fn(&mut [u8]);

pub(crate) fn delivered() -> Fate {
    vec![Duration::from_millis(10)]
}

pub(crate) struct Pair {
    pub(crate) ends: [Connection; 2],
    pub(crate) now: Instant,
    pub(crate) events: [Vec<Event>; 2],
    /// Application data, as it arrived.
    pub(crate) data: [Vec<Vec<u8>>; 2],
    /// Every datagram sent: who, and what.
    pub(crate) sent: Vec<(usize, Vec<u8>)>,
    /// What an attacker adds: once so many datagrams have been sent, to whom, and what. It overtakes them.
    pub(crate) injected: Vec<(usize, usize, Vec<u8>)>,
    /// What somebody in the middle does to the datagram with this number.
    pub(crate) tampered: Option<(usize, Tamper)>,
    in_flight: VecDeque<(Instant, usize, Vec<u8>)>,
}

impl Pair {
    pub(crate) fn new(configs: [Config; 2]) -> Self {
        let [client, server] = configs.map(Arc::new);
        let now = Instant::ZERO;
        Self {
            ends: [
                Connection::client(client, path(), now).unwrap(),
                Connection::server(server, path().reversed(), now).unwrap(),
            ],
            now,
            events: Default::default(),
            data: Default::default(),
            sent: Vec::new(),
            injected: Vec::new(),
            tampered: None,
            in_flight: VecDeque::new(),
        }
    }

    /// Takes everything out of both ends; `fate` decides what becomes of each datagram, counted from 0.
    pub(crate) fn drain(&mut self, fate: &mut impl FnMut(usize, &[u8]) -> Fate) {
        for end in 0..2 {
            let mut buf = [0xa5; 2048];
            while let Some(transmit) = self.ends[end].poll_transmit(self.now, &mut buf) {
                let mut bytes = buf[transmit.range].to_vec();
                if let Some((index, tamper)) = self.tampered
                    && index == self.sent.len()
                {
                    tamper(&mut bytes);
                }
                for delay in fate(self.sent.len(), &bytes) {
                    let at = self.now + delay;
                    self.in_flight.push_back((at, 1 - end, bytes.clone()));
                }
                self.sent.push((end, bytes));
                let sent = self.sent.len();
                for (_, to, bytes) in self.injected.extract_if(.., |(at, ..)| *at <= sent) {
                    self.in_flight.push_front((self.now, to, bytes));
                }
            }
            while let Some(event) = self.ends[end].poll_event() {
                self.events[end].push(event);
            }
        }
    }

    pub(crate) fn deliver(&mut self, to: usize, mut bytes: Vec<u8>) {
        let datagram = Datagram::new(path(), &mut bytes);
        let received = self.ends[to].handle_input(self.now, datagram);
        self.data[to].extend(received.iter().map(<[u8]>::to_vec));
    }

    /// Runs until nothing is pending any more, or for two minutes.
    pub(crate) fn run(&mut self, mut fate: impl FnMut(usize, &[u8]) -> Fate) {
        loop {
            self.drain(&mut fate);
            let next_datagram = self.in_flight.iter().map(|(at, ..)| *at).min();
            let timeouts = [0, 1].map(|end| self.ends[end].poll_timeout());
            let Some(next) = timeouts.into_iter().flatten().chain(next_datagram).min() else {
                return;
            };
            self.now = self.now.max(next);
            if self.now > Instant::from_millis(120_000) {
                return;
            }
            let due = self.in_flight.iter().position(|(at, ..)| *at <= self.now);
            match due.and_then(|index| self.in_flight.remove(index)) {
                Some((_, to, bytes)) => self.deliver(to, bytes),
                None => {
                    for end in &mut self.ends {
                        end.handle_timeout(self.now);
                    }
                }
            }
        }
    }

    pub(crate) fn connect(configs: [Config; 2]) -> Self {
        let mut pair = Self::new(configs);
        pair.run(|_, _| delivered());
        pair.assert_connected();
        pair
    }

    #[track_caller]
    pub(crate) fn assert_connected(&self) {
        assert_eq!(self.events[CLIENT], [Event::Connected], "client");
        assert_eq!(self.events[SERVER], [Event::Connected], "server");
        let exported = [0, 1].map(|end| {
            let mut out = [0; 60];
            self.ends[end]
                .export_keying_material(b"EXTRACTOR-dtls_srtp", None, &mut out)
                .unwrap();
            out
        });
        assert_eq!(exported[0], exported[1]);
        assert_ne!(exported[0], [0; 60]);
    }

    pub(crate) fn seal(&mut self, end: usize, payload: &[u8]) -> Vec<u8> {
        let mut buf = vec![0xa5; payload.len() + 37];
        let len = self.ends[end].seal(payload, &mut buf).unwrap();
        assert_eq!(len, buf.len());
        buf
    }
}
