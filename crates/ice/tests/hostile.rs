//! What a network full of strangers can do to an agent: nothing. What a peer can make it keep: what it allows.
#![allow(clippy::unwrap_used, reason = "tests")]

mod network;

use core::time::Duration;

use network::{A, Network, address, agent, agent_with, host};
use proptest::prelude::*;
use rtckit_ice::{Agent, AgentConfig, ConnectionState, Error, Role};
use rtckit_proto::{Datagram, FiveTuple, Instant};
use rtckit_stun::{
    AttributeType, Class, Message, MessageWriter, Method, TransactionId, short_term_key,
};

const NOW: Instant = Instant::from_millis(1_000);

/// An agent at 192.0.2.1:1000 that waits for checks.
fn listener(config: AgentConfig) -> Agent {
    let mut agent = agent_with(config, 1, Role::Controlled);
    agent
        .add_local_candidate(NOW, host("192.0.2.1:1000"))
        .unwrap();
    let peer = network::agent(2, Role::Controlling)
        .local_credentials()
        .clone();
    agent.set_remote_credentials(NOW, peer).unwrap();
    agent
}

fn path_from(port: u16) -> FiveTuple {
    FiveTuple::udp(
        address("192.0.2.1:1000"),
        format!("198.51.100.1:{port}").parse().unwrap(),
    )
}

struct Check<'a> {
    username: &'a str,
    password: &'a str,
    fingerprint: bool,
    priority: bool,
    unknown: bool,
}

impl Check<'_> {
    fn write(&self) -> Vec<u8> {
        let mut buf = [0; 512];
        let id = TransactionId([5; 12]);
        let mut writer = MessageWriter::new(&mut buf, Class::Request, Method::BINDING, id).unwrap();
        writer.username(self.username).unwrap();
        if self.priority {
            writer.priority(77).unwrap();
        }
        if self.unknown {
            writer.attribute(AttributeType(0x7123), &[]).unwrap();
        }
        writer.ice_controlling(1).unwrap();
        writer.use_candidate().unwrap();
        writer.integrity(&short_term_key(self.password)).unwrap();
        if self.fingerprint {
            writer.fingerprint().unwrap();
        }
        let len = writer.finish();
        buf[..len].to_vec()
    }
}

/// A check as the peer would send it.
fn genuine<'a>(username: &'a str, password: &'a str) -> Check<'a> {
    Check {
        username,
        password,
        fingerprint: true,
        priority: true,
        unknown: false,
    }
}

fn username(agent: &Agent) -> String {
    format!("{}:peer", agent.local_credentials().ufrag())
}

fn answer_to(agent: &mut Agent, bytes: &[u8]) -> Option<Vec<u8>> {
    agent.handle_input(NOW, Datagram::new(path_from(9), &mut bytes.to_vec()));
    let mut buf = [0; Agent::MAX_DATAGRAM];
    let transmit = agent.poll_transmit(NOW, &mut buf)?;
    Some(buf[transmit.range].to_vec())
}

#[test]
fn forged_checks_are_dropped_without_an_answer() {
    let mut agent = listener(AgentConfig::default());
    let (username, password) = (
        username(&agent),
        agent.local_credentials().password().to_owned(),
    );
    let forged = [
        genuine(&username, "not the password at all").write(),
        genuine("someone:else", &password).write(),
        genuine(&username[..8], &password).write(),
        Check {
            fingerprint: false,
            ..genuine(&username, &password)
        }
        .write(),
        vec![0; 20],
        vec![0],
    ];
    for (index, bytes) in forged.iter().enumerate() {
        assert_eq!(answer_to(&mut agent, bytes), None, "forgery {index}");
        assert_eq!(agent.dropped(), index as u64 + 1);
    }
    assert!(agent.remote_candidates().is_empty() && agent.pairs().is_empty());
    let answer = answer_to(&mut agent, &genuine(&username, &password).write()).unwrap();
    let answer = Message::parse(&answer).unwrap();
    assert_eq!(answer.class(), Class::SuccessResponse);
    assert_eq!(answer.xor_mapped_address(), Some(path_from(9).remote));
    assert!(answer.verify_integrity(&short_term_key(&password)));
    assert_eq!(agent.remote_candidates().len(), 1);
}

#[test]
fn of_several_nominations_the_best_counts() {
    let mut agent = listener(AgentConfig::default());
    let check = genuine(&username(&agent), agent.local_credentials().password()).write();
    let peer = agent.remote_credentials().unwrap().password().to_owned();
    // the peer is an agent of RFC 5245 and nominates whatever it checks
    let worst = FiveTuple::udp(address("192.0.2.1:1000"), address("192.0.2.3:1"));
    let best = FiveTuple::udp(address("192.0.2.1:1000"), address("192.0.2.3:2"));
    let middle = FiveTuple::udp(address("192.0.2.1:1000"), address("192.0.2.3:3"));
    for (path, preference) in [(worst, 1), (best, 3), (middle, 2)] {
        let candidate = rtckit_ice::Candidate::host(path.remote, preference);
        agent.add_remote_candidate(NOW, candidate).unwrap();
    }
    let mut now = NOW;
    let mut buf = [0; Agent::MAX_DATAGRAM];
    for (path, selected) in [(worst, worst), (best, best), (middle, best)] {
        agent.handle_input(now, Datagram::new(path, &mut check.clone()));
        for _ in 0..20 {
            now += Duration::from_millis(25);
            agent.handle_timeout(now);
            while let Some(transmit) = agent.poll_transmit(now, &mut buf) {
                let message = Message::parse(&buf[transmit.range]).unwrap();
                if message.class() != Class::Request || transmit.path != path {
                    continue;
                }
                let id = message.transaction_id();
                let mut writer =
                    MessageWriter::new(&mut buf, Class::SuccessResponse, Method::BINDING, id)
                        .unwrap();
                writer.xor_mapped_address(path.local).unwrap();
                writer.integrity(&short_term_key(&peer)).unwrap();
                writer.fingerprint().unwrap();
                let len = writer.finish();
                agent.handle_input(now, Datagram::new(path, &mut buf[..len]));
            }
        }
        assert_eq!(agent.selected_pair().unwrap().path, selected);
    }
}

#[test]
fn authentic_nonsense_gets_an_error() {
    let mut agent = listener(AgentConfig::default());
    let (username, password) = (
        username(&agent),
        agent.local_credentials().password().to_owned(),
    );
    let unknown = Check {
        unknown: true,
        ..genuine(&username, &password)
    }
    .write();
    let answer = answer_to(&mut agent, &unknown).unwrap();
    let answer = Message::parse(&answer).unwrap();
    assert_eq!(answer.error_code().unwrap().code, 420);
    assert!(answer.unknown_attributes().eq([AttributeType(0x7123)]));
    let incomplete = Check {
        priority: false,
        ..genuine(&username, &password)
    }
    .write();
    let answer = answer_to(&mut agent, &incomplete).unwrap();
    assert_eq!(
        Message::parse(&answer).unwrap().error_code().unwrap().code,
        400
    );
    assert!(agent.pairs().is_empty());
}

#[test]
fn forged_answers_change_nothing() {
    let mut network = Network::pair(5);
    let mut buf = [0; Agent::MAX_DATAGRAM];
    let agent = &mut network.agents[A];
    let transmit = agent.poll_transmit(NOW, &mut buf).unwrap();
    let id = Message::parse(&buf[transmit.range])
        .unwrap()
        .transaction_id();
    let peer = agent.remote_credentials().unwrap().password().to_owned();
    for (password, id) in [
        ("not the password at all", id),
        (peer.as_str(), TransactionId([1; 12])),
    ] {
        let mut writer =
            MessageWriter::new(&mut buf, Class::SuccessResponse, Method::BINDING, id).unwrap();
        writer.xor_mapped_address(transmit.path.local).unwrap();
        writer.integrity(&short_term_key(password)).unwrap();
        writer.fingerprint().unwrap();
        let len = writer.finish();
        agent.handle_input(NOW, Datagram::new(transmit.path, &mut buf[..len]));
    }
    assert_eq!(agent.dropped(), 2);
    assert_eq!(agent.pairs()[0].stats().responses_received, 0);
    assert_eq!(agent.state(), ConnectionState::Checking);
}

#[test]
fn an_answer_from_elsewhere_fails_the_pair() {
    let mut network = Network::pair(5);
    let mut buf = [0; Agent::MAX_DATAGRAM];
    let agent = &mut network.agents[A];
    let transmit = agent.poll_transmit(NOW, &mut buf).unwrap();
    let id = Message::parse(&buf[transmit.range])
        .unwrap()
        .transaction_id();
    let peer = agent.remote_credentials().unwrap().password().to_owned();
    let mut writer =
        MessageWriter::new(&mut buf, Class::SuccessResponse, Method::BINDING, id).unwrap();
    writer.xor_mapped_address(transmit.path.local).unwrap();
    writer.integrity(&short_term_key(&peer)).unwrap();
    writer.fingerprint().unwrap();
    let len = writer.finish();
    agent.handle_input(NOW, Datagram::new(path_from(9), &mut buf[..len]));
    assert_eq!(agent.pairs()[0].state(), rtckit_ice::PairState::Failed);
    // a check of the peer gives it another chance
    network.run_until(Duration::from_secs(1), Network::both_selected);
}

#[test]
fn candidates_and_pairs_have_ceilings() {
    let mut config = AgentConfig::default();
    config.max_remote_candidates = 8;
    config.max_pairs = 5;
    let mut agent = listener(config);
    for port in 1..=8 {
        agent
            .add_remote_candidate(NOW, host(&format!("192.0.2.2:{port}")))
            .unwrap();
    }
    assert_eq!(
        agent.add_remote_candidate(NOW, host("192.0.2.2:9")),
        Err(Error::TooManyCandidates)
    );
    assert_eq!(
        agent.add_remote_candidate(NOW, host("192.0.2.2:8")),
        Ok(()),
        "known already"
    );
    assert_eq!(agent.pairs().len(), 5);
    for port in 1..32 {
        let candidate = host(&format!("192.0.2.1:{}", 1000 + port));
        agent.add_local_candidate(NOW, candidate).unwrap();
    }
    assert_eq!(
        agent.add_local_candidate(NOW, host("192.0.2.1:1")),
        Err(Error::TooManyCandidates)
    );
    assert_eq!(agent.pairs().len(), 5);
}

#[test]
fn checks_from_everywhere_fill_no_memory() {
    for with_credentials in [true, false] {
        let mut agent = if with_credentials {
            listener(AgentConfig::default())
        } else {
            let mut agent = agent(1, Role::Controlled);
            agent
                .add_local_candidate(NOW, host("192.0.2.1:1000"))
                .unwrap();
            agent
        };
        let check = genuine(&username(&agent), agent.local_credentials().password()).write();
        for port in 1..1_000 {
            agent.handle_input(NOW, Datagram::new(path_from(port), &mut check.clone()));
        }
        assert!(agent.remote_candidates().len() <= 64);
        assert!(agent.pairs().len() <= 100);
        let mut buf = [0; Agent::MAX_DATAGRAM];
        let mut answers = 0;
        while agent.poll_transmit(NOW, &mut buf).is_some() {
            answers += 1;
        }
        assert!(
            answers <= 33,
            "{answers}: 32 answers and one check of our own"
        );
        assert!(agent.dropped() >= 900);
    }
}

#[test]
fn unusable_candidates_are_refused() {
    let mut agent = agent(1, Role::Controlled);
    for text in [
        "1 1 tcp 1 192.0.2.2 9 typ host tcptype active",
        "1 2 udp 1 192.0.2.2 9 typ host",
        "1 1 udp 1 192.0.2.2 0 typ host",
        "1 1 udp 1 0.0.0.0 9 typ host",
    ] {
        assert_eq!(
            agent.add_remote_candidate(NOW, text.parse().unwrap()),
            Err(Error::UnsupportedCandidate)
        );
    }
}

#[test]
fn a_buffer_that_is_too_small_loses_the_datagram_alone() {
    let mut network = Network::pair(1);
    assert_eq!(
        network.agents[A].poll_transmit(network.now, &mut [0; 50]),
        None
    );
    network.run_until(Duration::from_secs(2), Network::both_selected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_damage_to_a_datagram_does_harm(number in 0_usize..8, at in 0_usize..150, bit in 0_u8..8) {
        let mut network = Network::pair(3);
        let mut flipped = genuine(&username(&network.agents[A]), network.agents[A].local_credentials().password()).write();
        let at = at % flipped.len();
        flipped[at] ^= 1 << bit;
        network.lose = Box::new(move |sent| sent == number);
        let path = FiveTuple::udp(address("192.0.2.1:1000"), address("192.0.2.2:2000"));
        network.agents[A].handle_input(network.now, Datagram::new(path, &mut flipped));
        prop_assert_eq!(network.agents[A].dropped(), 1);
        network.run_until(Duration::from_secs(2), Network::both_selected);
    }

    /// Whatever is called in whatever order, with whatever lost: no panic, no spinning, nothing beyond its ceiling,
    /// and after a restart with a good network the agents find each other.
    #[test]
    fn any_sequence_of_calls(calls in prop::collection::vec((0_u8..9, 0_usize..2, 0_u16..3), 0..40), seed: u16) {
        let mut network = Network::pair(u64::from(seed));
        for (call, who, argument) in calls {
            let now = network.now;
            match call {
                0 => network.run_for(Duration::from_millis(u64::from(argument) * 37)),
                1 => network.run_for(Duration::from_secs(u64::from(argument) * 9)),
                2 => network.lose = Box::new(move |sent| sent % 3 < usize::from(argument)),
                3 => drop(network.agents[who].restart(now).ufrag().len()),
                4 => {
                    let credentials = network.agents[1 - who].local_credentials().clone();
                    let _ = network.agents[who].set_remote_credentials(now, credentials);
                }
                5 => network.agents[who].set_role(network.agents[1 - who].role()),
                6 => network.signal(who, ["192.0.2.1:1000", "192.0.2.2:2000"][who]),
                7 => network.signal(who, &format!("203.0.113.{argument}:7")),
                _ => network.agents[who].set_end_of_remote_candidates(now),
            }
        }
        network.lose = Box::new(|_| false);
        for who in [0, 1] {
            network.agents[who].restart(network.now);
        }
        network.exchange_credentials();
        network.signal(0, "192.0.2.1:1000");
        network.signal(1, "192.0.2.2:2000");
        network.events = [Vec::new(), Vec::new()];
        network.run_until(Duration::from_secs(5), |network| {
            network.agents.iter().all(|agent| agent.pairs().iter().any(rtckit_ice::CandidatePair::is_nominated))
        });
        prop_assert_eq!(network.selected(0).map(FiveTuple::reversed), network.selected(1));
    }

    #[test]
    fn no_bytes_panic(mut bytes: Vec<u8>) {
        let mut agent = listener(AgentConfig::default());
        agent.handle_input(NOW, Datagram::new(path_from(1), &mut bytes));
        prop_assert!(agent.pairs().is_empty());
    }
}
