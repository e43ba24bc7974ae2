//! How the NAT in front of a socket behaves
//! ([RFC 5780](https://www.rfc-editor.org/rfc/rfc5780)).
//!
//! ```text
//! 1. connectivity   X -> A1:P1                    mapped to M1; OTHER-ADDRESS is A2:P2
//! 2. filtering      X -> A1:P1, change IP, port   an answer: endpoint-independent; else
//! 3.                X -> A1:P1, change port       an answer: address-dependent; else address-and-port-dependent
//! 4. mapping        X -> A2:P1                    mapped to M1: endpoint-independent; else
//! 5.                X -> A2:P2                    mapped as in 4: address-dependent; else address-and-port-dependent
//! 6. hairpinning    X -> M1                       arrives at X, or not
//! 7. lifetime       X -> A1:P1, a pause, Y -> A1:P1 with RESPONSE-PORT M1: an answer at X, or not; by bisection
//! ```
//! Filtering comes before mapping, as what is sent to the server's other addresses opens the filter for them.

use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;

use rtckit_proto::{Datagram, FiveTuple, Instant, Random, SeededRandom, Transmit};

use crate::header::{Class, Method, TransactionId};
use crate::message::Message;
use crate::transaction::{Retransmission, Step, Transaction};
use crate::value::ChangeRequest;
use crate::writer::MessageWriter;

/// How mappings are made, or what is let through
/// ([RFC 4787 §4.1 and §5](https://www.rfc-editor.org/rfc/rfc4787#section-4.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 4787 has three")]
pub enum Behaviour {
    /// The same whatever the other side is.
    EndpointIndependent,
    /// Another one for each address of the other side.
    AddressDependent,
    /// Another one for each address and port of the other side.
    AddressAndPortDependent,
}

/// What is known about the NAT. What was not found out, as the server cannot help with it, is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Report {
    /// Where the server sees the socket; `None` when it does not answer.
    pub mapped: Option<SocketAddr>,
    /// Whether that is the socket's own address: there is no NAT.
    pub is_direct: Option<bool>,
    /// The server's other address, without which there is no discovery.
    pub other: Option<SocketAddr>,
    /// How mappings are made.
    pub mapping: Option<Behaviour>,
    /// What is let through.
    pub filtering: Option<Behaviour>,
    /// Whether the socket can be reached from inside by its mapped address.
    pub hairpinning: Option<bool>,
    /// How long a mapping lives at least that is not used.
    pub lifetime: Option<Duration>,
}

/// What is to be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscoveryConfig {
    /// Whether hairpinning is tried. Yes.
    pub hairpinning: bool,
    /// The longest lifetime that is tried; none to try none. It takes several times as long. None.
    pub max_lifetime: Option<Duration>,
    /// How requests are repeated. Some are meant to be answered by nobody, so the default waits less than RFC 8489
    /// has it: 4 requests in 3.5 s, and 2 s more.
    pub retransmission: Retransmission,
}

impl Default for DiscoveryConfig {
    fn default() -> Self {
        Self {
            hairpinning: true,
            max_lifetime: None,
            retransmission: Retransmission {
                rto: Duration::from_millis(500),
                max_interval: Duration::MAX,
                max_requests: 4,
                last_wait: 4,
            },
        }
    }
}

/// Discovers how a NAT behaves, from a socket that has not been used for a while.
///
/// The driver has one socket (`local`, called X above), or two if the lifetime is to be found out (`second`, Y), not
/// connected, and hands everything that arrives at either to [`handle_input`](Self::handle_input).
pub struct Discovery {
    config: DiscoveryConfig,
    local: SocketAddr,
    second: Option<SocketAddr>,
    server: SocketAddr,
    step: Option<Test>,
    transaction: Transaction,
    random: SeededRandom,
    /// What test 4 saw.
    second_mapping: Option<SocketAddr>,
    /// Between which times the lifetime lies, and when the pause ends.
    bounds: (Duration, Duration),
    report: Report,
}

/// A test under way: a row of the table above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Connectivity,
    FilterBoth,
    FilterPort,
    MapIp,
    MapBoth,
    Hairpin,
    /// The mapping is made anew.
    Open,
    /// And asked for from the other socket after this pause.
    Probe(Duration),
}

/// The lifetime is found out to within this.
const LIFETIME_PRECISION: Duration = Duration::from_secs(5);

impl Discovery {
    /// Begins at `now`. `local` is the address X is bound to as peers would see it without a NAT (not `0.0.0.0`), and
    /// `second` that of Y.
    pub fn new(
        config: DiscoveryConfig,
        local: SocketAddr,
        second: Option<SocketAddr>,
        server: SocketAddr,
        now: Instant,
        random: &mut (impl Random + ?Sized),
    ) -> Self {
        let mut random = SeededRandom::new(random.next_u64());
        let id = TransactionId::new(&mut random);
        Self {
            local,
            second,
            server,
            step: Some(Test::Connectivity),
            transaction: Transaction::new(id, now, config.retransmission),
            random,
            second_mapping: None,
            bounds: (Duration::ZERO, config.max_lifetime.unwrap_or_default()),
            report: Report::default(),
            config,
        }
    }

    /// Whether everything is found out that can be.
    pub const fn is_finished(&self) -> bool {
        self.step.is_none()
    }

    /// What is known so far.
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// While the lifetime is sought: between which two it lies, as far as is known, and the pause that is waited for now.
    pub const fn sought_lifetime(&self) -> Option<(Duration, Duration, Duration)> {
        let (low, high) = self.bounds;
        match self.step {
            Some(Test::Probe(pause)) => Some((low, high, pause)),
            _ => None,
        }
    }

    // ---- the verbs ----

    /// Something arrived at either socket.
    pub fn handle_input(&mut self, now: Instant, datagram: Datagram<'_>) {
        let path = datagram.path;
        let Ok(message) = Message::parse(datagram.data) else {
            return;
        };
        let Some(test) = self.step else {
            return;
        };
        if message.transaction_id() != self.transaction.id() {
            return;
        }
        if test == Test::Hairpin && message.class() == Class::Request {
            // our own request came back: from the mapped address, by whichever port
            self.on_result(now, test, Some(&message));
            return;
        }
        if !self.transaction.is_answered_by(&message) || test == Test::Hairpin {
            return;
        }
        if let Test::Probe(_) = test
            && Some(path.local) == self.second
        {
            // at Y: the old mapping is gone, and the NAT gave its address to Y
            self.on_result(now, test, None);
            return;
        }
        self.on_result(now, test, Some(&message));
    }

    /// Goes on when nothing came.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(test) = self.step
            && self.transaction.is_timed_out(now)
        {
            self.on_result(now, test, None);
        }
    }

    /// Writes the next request into `buf`; its path says from which socket it is to be sent.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        self.handle_timeout(now);
        let test = self.step?;
        if self.transaction.poll(now) != Step::Send {
            return None;
        }
        let id = self.transaction.id();
        let mut writer = MessageWriter::new(buf, Class::Request, Method::BINDING, id).ok()?;
        match test {
            Test::FilterBoth => writer.change_request(ChangeRequest {
                ip: true,
                port: true,
            }),
            Test::FilterPort => writer.change_request(ChangeRequest {
                ip: false,
                port: true,
            }),
            Test::Probe(_) => writer.response_port(self.report.mapped?.port()),
            _ => Ok(()),
        }
        .ok()?;
        writer.fingerprint().ok()?;
        let len = writer.finish();
        Some(Transmit::new(self.path(test)?, len))
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called, and then
    /// [`poll_transmit`](Self::poll_transmit).
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.step.map(|_| self.transaction.poll_timeout())
    }

    fn path(&self, test: Test) -> Option<FiveTuple> {
        let remote = match test {
            Test::MapIp => SocketAddr::new(self.report.other?.ip(), self.server.port()),
            Test::MapBoth => self.report.other?,
            Test::Hairpin => self.report.mapped?,
            _ => self.server,
        };
        let local = match test {
            Test::Probe(_) => self.second?,
            _ => self.local,
        };
        Some(FiveTuple::udp(local, remote))
    }

    // ---- what the tests tell ----

    fn on_result(&mut self, now: Instant, test: Test, message: Option<&Message<'_>>) {
        // an error is an answer too, but tells nothing
        let success = message.filter(|message| message.class() != Class::ErrorResponse);
        let refused = message.is_some() && success.is_none();
        let mapped = success.and_then(|message| {
            let address = message.xor_mapped_address();
            address.or_else(|| message.mapped_address())
        });
        let next = match test {
            Test::Connectivity => self.on_connectivity(success, mapped),
            Test::FilterBoth => match success {
                _ if refused => Some(Test::MapIp),
                Some(_) => {
                    self.report.filtering = Some(Behaviour::EndpointIndependent);
                    Some(Test::MapIp)
                }
                None => Some(Test::FilterPort),
            },
            Test::FilterPort => {
                self.report.filtering = match success {
                    _ if refused => None,
                    Some(_) => Some(Behaviour::AddressDependent),
                    None => Some(Behaviour::AddressAndPortDependent),
                };
                Some(Test::MapIp)
            }
            Test::MapIp => self.on_second_mapping(mapped),
            Test::MapBoth => {
                self.report.mapping = mapped.map(|mapped| {
                    if Some(mapped) == self.second_mapping {
                        Behaviour::AddressDependent
                    } else {
                        Behaviour::AddressAndPortDependent
                    }
                });
                self.after_mapping()
            }
            Test::Hairpin => {
                self.report.hairpinning = Some(message.is_some());
                self.after_hairpin()
            }
            Test::Open => mapped.map(|mapped| {
                self.report.mapped = Some(mapped);
                let (low, high) = self.bounds;
                Test::Probe(low + (high - low) / 2)
            }),
            Test::Probe(pause) => self.on_probe(pause, message.is_some(), refused),
        };
        self.begin(now, next);
    }

    fn on_connectivity(
        &mut self,
        success: Option<&Message<'_>>,
        mapped: Option<SocketAddr>,
    ) -> Option<Test> {
        self.report.mapped = Some(mapped?);
        self.report.is_direct = Some(mapped == Some(self.local));
        let other = success.and_then(|message| {
            let other = message.other_address();
            other.or_else(|| message.changed_address())
        });
        // an address that is not another one is of no use
        let server = self.server;
        let is_other = |other: &SocketAddr| {
            other.ip() != server.ip()
                && other.port() != server.port()
                && other.is_ipv4() == server.is_ipv4()
        };
        self.report.other = other.filter(is_other);
        match self.report.other {
            Some(_) => Some(Test::FilterBoth),
            None => self.after_mapping(),
        }
    }

    fn on_second_mapping(&mut self, mapped: Option<SocketAddr>) -> Option<Test> {
        match mapped {
            None => self.after_mapping(),
            Some(mapped) if Some(mapped) == self.report.mapped => {
                self.report.mapping = Some(Behaviour::EndpointIndependent);
                self.after_mapping()
            }
            Some(_) => {
                self.second_mapping = mapped;
                Some(Test::MapBoth)
            }
        }
    }

    fn after_mapping(&self) -> Option<Test> {
        if self.config.hairpinning && self.report.is_direct == Some(false) {
            Some(Test::Hairpin)
        } else {
            self.after_hairpin()
        }
    }

    fn after_hairpin(&self) -> Option<Test> {
        let is_wanted = self.second.is_some()
            && self.config.max_lifetime.is_some()
            && self.report.is_direct == Some(false);
        is_wanted.then_some(Test::Open)
    }

    fn on_probe(&mut self, pause: Duration, is_alive: bool, refused: bool) -> Option<Test> {
        if refused {
            return None; // the server does not know RESPONSE-PORT
        }
        if is_alive {
            self.bounds.0 = pause;
            self.report.lifetime = Some(pause);
        } else {
            self.bounds.1 = pause;
            self.report.lifetime.get_or_insert(Duration::ZERO);
        }
        let (low, high) = self.bounds;
        (high > low + LIFETIME_PRECISION).then_some(Test::Open)
    }

    fn begin(&mut self, now: Instant, next: Option<Test>) {
        self.step = next;
        let pause = match next {
            Some(Test::Probe(pause)) => pause,
            _ => Duration::ZERO,
        };
        let id = TransactionId::new(&mut self.random);
        self.transaction = Transaction::new(id, now + pause, self.config.retransmission);
    }
}

impl fmt::Debug for Discovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discovery")
            .field("step", &self.step)
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::responder::{Responder, ResponderConfig};
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;

    const X: &str = "10.0.0.2:5000";
    const Y: &str = "10.0.0.2:5001";
    const PRIMARY: &str = "192.0.2.1:3478";
    const OTHER: &str = "192.0.2.2:3479";

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    /// A NAT by its two behaviours, how long it remembers, and whether it turns around what is for itself.
    struct Nat {
        mapping: Behaviour,
        filtering: Behaviour,
        lifetime: Duration,
        hairpins: bool,
        /// From (inside, what of the other side counts) to outside port, and when it was used last.
        mappings: BTreeMap<(SocketAddr, Vec<u8>), (u16, Instant)>,
        /// From outside port and what of the other side counts, to when.
        open: BTreeMap<(u16, Vec<u8>), Instant>,
        ports: u16,
    }

    fn counted(behaviour: Behaviour, other: SocketAddr) -> Vec<u8> {
        let text = match behaviour {
            Behaviour::EndpointIndependent => alloc::string::String::new(),
            Behaviour::AddressDependent => alloc::format!("{}", other.ip()),
            Behaviour::AddressAndPortDependent => alloc::format!("{other}"),
        };
        text.into_bytes()
    }

    impl Nat {
        fn out(&mut self, now: Instant, path: FiveTuple) -> SocketAddr {
            self.ports += 1;
            let next = 40_000 + self.ports;
            let key = (path.local, counted(self.mapping, path.remote));
            let entry = self.mappings.entry(key).or_insert((next, now));
            if now - entry.1 > self.lifetime {
                entry.0 = next;
            }
            entry.1 = now;
            let port = entry.0;
            self.open
                .insert((port, counted(self.filtering, path.remote)), now);
            SocketAddr::new("198.51.100.1".parse().unwrap(), port)
        }

        fn into(&self, now: Instant, port: u16, from: SocketAddr) -> Option<SocketAddr> {
            let opened = self.open.get(&(port, counted(self.filtering, from)))?;
            if now - *opened > self.lifetime {
                return None;
            }
            let mut mappings = self.mappings.iter();
            let ((inside, _), _) = mappings.find(|(_, (outside, _))| *outside == port)?;
            Some(*inside)
        }
    }

    fn discover(nat: Option<Nat>, server: ResponderConfig, config: DiscoveryConfig) -> Report {
        let mut nat = nat;
        let responder = Responder::new(server);
        let mut random = SeededRandom::new(3);
        let mut now = Instant::from_millis(1_000_000);
        let second = Some(at(Y));
        let mut discovery = Discovery::new(config, at(X), second, at(PRIMARY), now, &mut random);
        let (mut buf, mut answer) = ([0; 200], [0; 200]);
        for _ in 0..1_000 {
            while let Some(sent) = discovery.poll_transmit(now, &mut buf) {
                let source = match &mut nat {
                    Some(nat) => nat.out(now, sent.path),
                    None => sent.path.local,
                };
                let mut data = buf[sent.range.clone()].to_vec();
                if let Some(nat) = nat
                    .as_ref()
                    .filter(|_| sent.path.remote.ip() == source.ip())
                {
                    if nat.hairpins {
                        let path = FiveTuple::udp(at(X), source);
                        discovery.handle_input(now, Datagram::new(path, &mut data));
                    }
                    continue;
                }
                let path = FiveTuple::udp(sent.path.remote, source);
                let Some(back) = responder.respond(&data, path, &mut answer).unwrap() else {
                    continue;
                };
                let (from, to) = (back.path.local, back.path.remote);
                let to = match &nat {
                    Some(nat) => nat.into(now, to.port(), from),
                    None => Some(to),
                };
                if let Some(to) = to {
                    let path = FiveTuple::udp(to, from);
                    discovery.handle_input(now, Datagram::new(path, &mut answer[back.range]));
                }
            }
            match discovery.poll_timeout() {
                Some(next) => now = next.max(now),
                None => return *discovery.report(),
            }
            discovery.handle_timeout(now);
        }
        panic!("it spins: {discovery:?}");
    }

    fn server() -> ResponderConfig {
        ResponderConfig {
            discovery: Some([at(PRIMARY), at(OTHER)]),
            answers_classic: false,
        }
    }

    const ALL: [Behaviour; 3] = [
        Behaviour::EndpointIndependent,
        Behaviour::AddressDependent,
        Behaviour::AddressAndPortDependent,
    ];

    #[test]
    fn every_nat_is_told() {
        for mapping in ALL {
            for filtering in ALL {
                for hairpins in [false, true] {
                    let nat = Nat {
                        mapping,
                        filtering,
                        lifetime: Duration::from_secs(120),
                        hairpins,
                        mappings: BTreeMap::new(),
                        open: BTreeMap::new(),
                        ports: 0,
                    };
                    let report = discover(Some(nat), server(), DiscoveryConfig::default());
                    assert_eq!(report.is_direct, Some(false));
                    assert_eq!(report.mapping, Some(mapping));
                    assert_eq!(report.filtering, Some(filtering), "{mapping:?}");
                    assert_eq!(report.hairpinning, Some(hairpins));
                    assert_eq!(report.lifetime, None, "nobody asked");
                }
            }
        }
    }

    #[test]
    fn without_a_nat() {
        let report = discover(None, server(), DiscoveryConfig::default());
        assert_eq!(report.is_direct, Some(true));
        assert_eq!(report.mapping, Some(Behaviour::EndpointIndependent));
        assert_eq!(report.filtering, Some(Behaviour::EndpointIndependent));
        assert_eq!(report.hairpinning, None);
    }

    #[test]
    fn the_lifetime_of_a_mapping() {
        for seconds in [20, 33, 60, 119] {
            let nat = Nat {
                mapping: Behaviour::EndpointIndependent,
                filtering: Behaviour::EndpointIndependent,
                lifetime: Duration::from_secs(seconds),
                hairpins: false,
                mappings: BTreeMap::new(),
                open: BTreeMap::new(),
                ports: 0,
            };
            let config = DiscoveryConfig {
                max_lifetime: Some(Duration::from_secs(120)),
                ..DiscoveryConfig::default()
            };
            let lifetime = discover(Some(nat), server(), config).lifetime.unwrap();
            let least = Duration::from_secs(seconds - 11);
            assert!(
                lifetime >= least && lifetime.as_secs() <= seconds,
                "{lifetime:?} of {seconds}"
            );
        }
    }

    #[test]
    fn a_server_that_cannot_help() {
        let report = discover(None, ResponderConfig::default(), DiscoveryConfig::default());
        assert_eq!(report.mapped, Some(at(X)));
        assert_eq!(
            (report.other, report.mapping, report.filtering),
            (None, None, None)
        );
    }
}
