//! Two agents find each other: quickly, whatever is lost, whoever knows what, whoever claims to control.
#![allow(clippy::unwrap_used, reason = "tests")]

mod network;

use core::time::Duration;

use network::{A, B, Network, address, agent, host};
use rtckit_ice::{CandidateType, ConnectionState, Event, PairState, Role};
use rtckit_proto::{FiveTuple, Random, SeededRandom};

const MILLIS: fn(u64) -> Duration = Duration::from_millis;

#[test]
fn within_a_tenth_of_a_second() {
    use ConnectionState::{Checking, Completed, Connected};
    for seed in 0..20 {
        let mut network = Network::pair(seed);
        let took = network.run_until(MILLIS(100), Network::both_selected);
        assert!(took < MILLIS(100), "{took:?}");
        let path = FiveTuple::udp(address("192.0.2.1:1000"), address("192.0.2.2:2000"));
        assert_eq!(network.selected(A), Some(path));
        assert_eq!(network.selected(B), Some(path.reversed()));
        for who in [A, B] {
            network.agents[who].set_end_of_remote_candidates(network.now);
        }
        network.drain();
        assert_eq!(network.states(A), [Checking, Connected, Completed]);
        assert_eq!(network.states(B), [Checking, Connected, Completed]);
        assert!(
            network.events[A]
                .iter()
                .any(|event| matches!(event, Event::SelectedPair(pair) if pair.path == path))
        );
        let pair = &network.agents[A].pairs()[0];
        assert_eq!(pair.state(), PairState::Succeeded);
        assert!(pair.is_nominated());
        assert_eq!(pair.stats().current_rtt, Some(MILLIS(2)));
        assert!(pair.stats().responses_received >= 2 && pair.stats().responses_sent >= 1);
    }
}

#[test]
fn whichever_datagram_is_lost() {
    let mut lossless = Network::pair(7);
    lossless.run_until(MILLIS(100), Network::both_selected);
    lossless.run_for(MILLIS(300));
    assert!(lossless.sent >= 6);
    for lost in 0..lossless.sent {
        let mut network = Network::pair(7);
        network.lose = Box::new(move |number| number == lost);
        network.run_until(MILLIS(1_100), Network::both_selected);
        assert_eq!(
            network.selected(A).map(FiveTuple::reversed),
            network.selected(B),
            "datagram {lost}"
        );
    }
}

/// The path has answered before, so the nominating check does not back off.
#[test]
fn after_many_lost_nominations() {
    let lossless_checks = 4;
    let mut network = Network::pair(7);
    network.lose = Box::new(move |number| (lossless_checks..lossless_checks + 7).contains(&number));
    let took = network.run_until(MILLIS(5_000), Network::both_selected);
    assert!(took > MILLIS(2_500), "{took:?}: nothing was lost");
}

/// Each check of the peer cancels one of ours, and comes before the answer to the last.
#[test]
fn over_a_round_trip_longer_than_the_time_between_checks() {
    for delay in [300, 700, 1_000] {
        let mut network = Network::pair(7);
        network.delay = MILLIS(delay);
        let took = network.run_until(MILLIS(5 * delay), Network::both_selected);
        assert!(took >= MILLIS(2 * delay), "{took:?}");
    }
}

#[test]
fn through_heavy_loss() {
    for seed in 0..30 {
        let mut network = Network::pair(seed);
        let mut random = SeededRandom::new(seed);
        network.lose = Box::new(move |_| random.below(10) < 3);
        network.run_until(Duration::from_secs(39), Network::both_selected);
        assert_eq!(
            network.selected(A).map(FiveTuple::reversed),
            network.selected(B)
        );
    }
}

#[test]
fn with_candidates_that_trickle_in_late() {
    let mut network = Network::new(agent(1, Role::Controlling), agent(2, Role::Controlled));
    network.exchange_credentials();
    network.add_address(A, "192.0.2.1:1000");
    network.run_for(Duration::from_secs(2));
    assert_eq!(network.sent, 0);
    network.add_address(B, "192.0.2.2:2000");
    network.signal(B, "192.0.2.2:2000");
    let took = network.run_until(MILLIS(100), Network::both_selected);
    assert!(took < MILLIS(100), "{took:?}");
}

#[test]
fn with_a_better_candidate_after_the_first_is_dead() {
    let mut network = Network::new(agent(1, Role::Controlling), agent(2, Role::Controlled));
    network.exchange_credentials();
    network.add_address(A, "192.0.2.1:1000");
    network.add_address(B, "192.0.2.2:2000");
    network.signal(B, "198.51.100.9:9");
    network.run_for(Duration::from_secs(1));
    network.signal(B, "192.0.2.2:2000");
    network.run_until(MILLIS(200), Network::both_selected);
    assert_eq!(
        network.selected(A).unwrap().remote,
        address("192.0.2.2:2000")
    );
}

#[test]
fn checks_before_the_answer_are_answered_and_remembered() {
    let mut network = Network::new(agent(1, Role::Controlling), agent(2, Role::Controlled));
    network.add_address(A, "192.0.2.1:1000");
    network.add_address(B, "192.0.2.2:2000");
    let credentials = network.agents[B].local_credentials().clone();
    network.agents[A]
        .set_remote_credentials(network.now, credentials)
        .unwrap();
    network.signal(B, "192.0.2.2:2000");
    network.run_for(MILLIS(400));
    assert!(
        network.selected(A).is_some(),
        "B answers before it knows whom"
    );
    assert_eq!(network.agents[B].state(), ConnectionState::New);
    assert!(network.agents[B].remote_candidates().is_empty());
    let credentials = network.agents[A].local_credentials().clone();
    network.agents[B]
        .set_remote_credentials(network.now, credentials)
        .unwrap();
    let took = network.run_until(MILLIS(10), Network::both_selected);
    assert!(
        took < MILLIS(10),
        "one check is enough, the nomination was remembered: {took:?}"
    );
}

#[test]
fn with_a_candidate_that_was_never_signalled() {
    let mut network = Network::new(agent(1, Role::Controlling), agent(2, Role::Controlled));
    network.add_address(A, "192.0.2.1:1000");
    network.add_address(B, "192.0.2.2:2000");
    network.exchange_credentials();
    network.signal(B, "192.0.2.2:2000");
    network.run_until(MILLIS(200), Network::both_selected);
    let learnt = network.agents[B].remote_candidates()[0];
    assert_eq!(learnt.candidate_type, CandidateType::PeerReflexive);
    assert_eq!(learnt.address, address("192.0.2.1:1000"));
    // signalled at last, it becomes what it is, and stays one
    network.signal(A, "192.0.2.1:1000");
    assert_eq!(
        network.agents[B].remote_candidates(),
        [host("192.0.2.1:1000")]
    );
}

#[test]
fn through_a_nat() {
    let mut network = Network::pair(3);
    network
        .nat
        .push((address("192.0.2.1:1000"), address("198.51.100.1:31000")));
    network.run_until(MILLIS(700), Network::both_selected);
    let at_a = network.agents[A].selected_pair().unwrap();
    assert_eq!(at_a.local.candidate_type, CandidateType::PeerReflexive);
    assert_eq!(at_a.local.address, address("198.51.100.1:31000"));
    assert_eq!(
        at_a.path.local,
        address("192.0.2.1:1000"),
        "sent from the base"
    );
    let at_b = network.agents[B].selected_pair().unwrap();
    assert_eq!(at_b.remote.candidate_type, CandidateType::PeerReflexive);
    assert_eq!(at_b.path.remote, address("198.51.100.1:31000"));
}

#[test]
fn over_ipv6_and_with_both_families() {
    let mut network = Network::new(agent(1, Role::Controlling), agent(2, Role::Controlled));
    for (who, v6, v4) in [
        (A, "[2001:db8::1]:1000", "192.0.2.1:1000"),
        (B, "[2001:db8::2]:2000", "192.0.2.2:2000"),
    ] {
        network.addresses[who] = vec![address(v6), address(v4)];
        for (text, preference) in [(v6, 2000), (v4, 1000)] {
            let candidate = rtckit_ice::Candidate::host(address(text), preference);
            network.agents[who]
                .add_local_candidate(network.now, candidate)
                .unwrap();
            network.agents[1 - who]
                .add_remote_candidate(network.now, candidate)
                .unwrap();
        }
    }
    network.exchange_credentials();
    network.run_until(MILLIS(200), Network::both_selected);
    assert!(
        network.selected(A).unwrap().remote.is_ipv6(),
        "the preferred family"
    );
    assert_eq!(
        network.selected(A).map(FiveTuple::reversed),
        network.selected(B)
    );
}

#[test]
fn of_many_addresses_the_working_pair_is_found() {
    let mut network = Network::new(agent(1, Role::Controlling), agent(2, Role::Controlled));
    for index in 1..6 {
        network.add_address(A, &format!("10.0.{index}.1:1000"));
        network.signal(A, &format!("10.0.{index}.1:1000"));
        // B really is at one of the addresses it signals
        network.signal(B, &format!("10.1.{index}.1:2000"));
    }
    network.add_address(B, "10.1.3.1:2000");
    network.exchange_credentials();
    network.run_until(Duration::from_secs(5), Network::both_selected);
    assert_eq!(
        network.selected(A).unwrap().remote,
        address("10.1.3.1:2000")
    );
    assert_eq!(
        network.selected(A).map(FiveTuple::reversed),
        network.selected(B)
    );
}

#[test]
fn nobody_there_fails_after_the_patience_of_rfc_8863() {
    let mut network = Network::pair(1);
    network.lose = Box::new(|_| true);
    for who in [A, B] {
        network.agents[who].set_end_of_remote_candidates(network.now);
    }
    let took = network.run_until(Duration::from_secs(60), |network| {
        network
            .agents
            .iter()
            .all(|agent| agent.state() == ConnectionState::Failed)
    });
    assert!(took >= MILLIS(39_500), "{took:?}");
    assert!(
        network
            .agents
            .iter()
            .all(|agent| agent.poll_timeout().is_none()),
        "nothing is left to do"
    );
    assert_eq!(network.sent, 14, "seven checks each");
}
