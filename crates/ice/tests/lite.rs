//! A peer that is a lite agent: it answers checks and never sends any.
#![allow(clippy::unwrap_used, reason = "tests")]

mod network;

use network::{address, agent, host};
use rtckit_ice::{Agent, ConnectionState, Credentials, Role};
use rtckit_proto::{Datagram, Instant, SeededRandom};
use rtckit_stun::{Class, Message, MessageWriter, Method, short_term_key};

struct Lite {
    credentials: Credentials,
    nominated: bool,
}

impl Lite {
    /// RFC 8445 §7.3 without the triggered check.
    fn answer(&mut self, datagram: &Datagram<'_>, buf: &mut [u8]) -> usize {
        let request = Message::parse(datagram.data).unwrap();
        let key = short_term_key(self.credentials.password());
        assert!(request.verify_integrity(&key));
        assert!(
            request.ice_controlling().is_some(),
            "a full agent controls a lite one"
        );
        self.nominated |= request.use_candidate();
        let id = request.transaction_id();
        let mut writer =
            MessageWriter::new(buf, Class::SuccessResponse, Method::BINDING, id).unwrap();
        writer.xor_mapped_address(datagram.path.remote).unwrap();
        writer.integrity(&key).unwrap();
        writer.fingerprint().unwrap();
        writer.finish()
    }
}

#[test]
fn connects_and_keeps_consent() {
    let mut lite = Lite {
        credentials: Credentials::generate(&mut SeededRandom::new(9)),
        nominated: false,
    };
    let mut now = Instant::from_millis(1);
    let mut agent = agent(1, Role::Controlled);
    agent.set_remote_lite(true);
    assert_eq!(agent.role(), Role::Controlling);
    agent
        .add_local_candidate(now, host("192.0.2.1:1000"))
        .unwrap();
    agent
        .set_remote_credentials(now, lite.credentials.clone())
        .unwrap();
    agent
        .add_remote_candidate(now, host("192.0.2.2:2000"))
        .unwrap();
    let mut connected_at = None;
    let (mut out, mut back) = ([0; Agent::MAX_DATAGRAM], [0; 256]);
    while now < Instant::from_millis(120_000) {
        while let Some(transmit) = agent.poll_transmit(now, &mut out) {
            let datagram = Datagram::new(transmit.path.reversed(), &mut out[transmit.range]);
            let len = lite.answer(&datagram, &mut back);
            agent.handle_input(now, Datagram::new(transmit.path, &mut back[..len]));
        }
        if agent.selected_pair().is_some() {
            connected_at.get_or_insert(now);
        }
        now = agent.poll_timeout().unwrap().max(now);
        agent.handle_timeout(now);
    }
    assert!(lite.nominated);
    assert!(connected_at.unwrap() < Instant::from_millis(100));
    assert_eq!(agent.state(), ConnectionState::Connected);
    assert_eq!(
        agent.selected_pair().unwrap().remote.address,
        address("192.0.2.2:2000")
    );
}
