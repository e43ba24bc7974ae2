//! Two transports connect and pass each other's datagrams up, and nobody else's.
#![allow(clippy::unwrap_used, reason = "tests")]

use core::net::SocketAddr;
use core::time::Duration;

use rtckit_ice::{ConnectionState, Error as IceError, Role};
use rtckit_proto::{Datagram, Ecn, FiveTuple, Instant, SeededRandom};
use rtckit_transport::{Error, Event, GatheringState, Transport, TransportConfig};

const A: &str = "192.0.2.1:1000";
const B: &str = "192.0.2.2:2000";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

struct Pair {
    now: Instant,
    a: Transport,
    b: Transport,
}

impl Pair {
    /// Signals by way of events, as an application would.
    fn connect() -> Self {
        let mut pair = Self {
            now: Instant::from_millis(1),
            a: Transport::new(TransportConfig::default(), Box::new(SeededRandom::new(1))),
            b: Transport::new(TransportConfig::default(), Box::new(SeededRandom::new(2))),
        };
        pair.a.set_role(Role::Controlling);
        pair.a.add_local_address(pair.now, address(A)).unwrap();
        pair.b.add_local_address(pair.now, address(B)).unwrap();
        pair.signal();
        pair.run(Duration::from_millis(200));
        pair
    }

    fn signal(&mut self) {
        let now = self.now;
        let (from, to) = (&mut self.a, &mut self.b);
        to.set_remote_credentials(now, from.local_credentials().clone())
            .unwrap();
        from.set_remote_credentials(now, to.local_credentials().clone())
            .unwrap();
        pass_candidates(now, from, to);
        pass_candidates(now, to, from);
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        let mut buf = [0; Transport::MAX_DATAGRAM];
        while self.now < end {
            for _ in 0..4 {
                let (from, to) = (&mut self.a, &mut self.b);
                pass_datagrams(self.now, from, to, &mut buf);
                pass_datagrams(self.now, to, from, &mut buf);
            }
            self.now += Duration::from_millis(10);
            self.a.handle_timeout(self.now);
            self.b.handle_timeout(self.now);
        }
    }
}

fn pass_candidates(now: Instant, from: &mut Transport, to: &mut Transport) {
    while let Some(event) = from.poll_event() {
        if let Event::CandidateGathered(candidate) = event {
            to.add_remote_candidate(now, candidate).unwrap();
        }
    }
}

fn pass_datagrams(now: Instant, from: &mut Transport, to: &mut Transport, buf: &mut [u8]) {
    while let Some(transmit) = from.poll_transmit(now, buf) {
        let datagram = Datagram::new(transmit.path.reversed(), &mut buf[transmit.range]);
        assert!(to.handle_input(now, datagram).is_none(), "STUN stays below");
    }
}

#[test]
fn data_passes_on_the_path_and_nowhere_else() {
    let mut pair = Pair::connect();
    let path = pair.a.path().unwrap();
    assert_eq!(path, FiveTuple::udp(address(A), address(B)));
    assert_eq!(pair.b.path(), Some(path.reversed()));
    assert_eq!(pair.a.overhead(path), (0, 0));

    let mut data = [0x80, 1, 2, 3, 0x80, 4];
    let run = Datagram {
        path,
        ecn: Ecn::Capable1,
        data: &mut data,
        stride: 4,
    };
    let up = pair.a.handle_input(pair.now, run).unwrap();
    assert_eq!(
        (up.data.len(), up.stride, up.ecn),
        (6, 4, Ecn::Capable1),
        "a run stays whole"
    );

    let strange = FiveTuple::udp(address(A), address("203.0.113.1:2000"));
    assert!(
        pair.a
            .handle_input(pair.now, Datagram::new(strange, &mut [0x80; 40]))
            .is_none()
    );
    assert_eq!(pair.a.dropped(), 1);
}

#[test]
fn consent_lost_means_no_path() {
    let mut pair = Pair::connect();
    let end = pair.now + Duration::from_secs(31);
    let mut buf = [0; Transport::MAX_DATAGRAM];
    while pair.now < end {
        while pair.a.poll_transmit(pair.now, &mut buf).is_some() {}
        pair.now = pair.a.poll_timeout().map_or(end, |due| due.max(pair.now));
        pair.a.handle_timeout(pair.now);
    }
    assert_eq!(pair.a.path(), None);
    assert_eq!(pair.a.state(), ConnectionState::Failed);
}

#[test]
fn a_restart_announces_the_candidates_again() {
    let mut pair = Pair::connect();
    pair.a.end_of_local_addresses();
    while pair.a.poll_event().is_some() {}
    while pair.b.poll_event().is_some() {}
    let old = pair.a.path();
    pair.a.restart(pair.now);
    pair.b.restart(pair.now);
    assert_eq!(pair.a.path(), old, "data goes on");
    assert_eq!(pair.a.gathering_state(), GatheringState::Complete);
    pair.signal();
    pair.run(Duration::from_millis(200));
    assert_eq!(pair.a.state(), ConnectionState::Connected);
    assert_eq!(pair.a.agent().remote_candidates()[0].address, address(B));
}

#[test]
fn addresses_become_candidates_once() {
    let now = Instant::ZERO;
    let mut transport = Transport::new(TransportConfig::default(), Box::new(SeededRandom::new(1)));
    transport.add_local_address(now, address(A)).unwrap();
    transport.add_local_address(now, address(A)).unwrap();
    transport
        .add_local_address(now, address("127.0.0.1:5"))
        .unwrap();
    assert_eq!(
        transport.add_local_address(now, address("0.0.0.0:5")),
        Err(Error::UnusableAddress)
    );
    transport.end_of_local_addresses();
    assert_eq!(
        transport.add_local_address(now, address(B)),
        Err(Error::UnusableAddress)
    );
    let mut events = Vec::new();
    while let Some(event) = transport.poll_event() {
        events.push(event);
    }
    let [
        first,
        Event::CandidateGathered(a),
        Event::CandidateGathered(loopback),
        last,
    ] = &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!(
        *first,
        Event::GatheringStateChanged(GatheringState::Gathering)
    );
    assert_eq!(
        *last,
        Event::GatheringStateChanged(GatheringState::Complete)
    );
    assert!(a.priority > loopback.priority);
    transport.close();
    assert_eq!(
        transport.add_remote_candidate(now, *a),
        Err(Error::Ice(IceError::Closed))
    );
}
