//! After the connection: consent, silence, restart, close.
#![allow(clippy::unwrap_used, reason = "tests")]

mod network;

use core::time::Duration;

use network::{A, B, Network, address};
use rtckit_ice::{Agent, ConnectionState, Error, Event};
use rtckit_proto::{Datagram, Random, SeededRandom};
use rtckit_stun::{Class, ErrorCode, Message, MessageWriter, Method, short_term_key};

const SECS: fn(u64) -> Duration = Duration::from_secs;

fn connected() -> Network {
    let mut network = Network::pair(11);
    network.run_until(SECS(1), Network::both_selected);
    network
}

fn in_state(who: usize, state: ConnectionState) -> impl Fn(&Network) -> bool {
    move |network| network.agents[who].state() == state
}

#[test]
fn consent_keeps_it_connected_and_measures() {
    let mut network = connected();
    network.delay = Duration::from_millis(20);
    let before = network.sent;
    network.run_for(SECS(600));
    assert_eq!(network.states(A).last(), Some(&ConnectionState::Connected));
    // each agent sends one request per 4 to 6 s, and each is answered
    let sent = network.sent - before;
    assert!((4 * 100..=4 * 150).contains(&sent), "{sent}");
    let stats = *network.agents[A].pairs()[0].stats();
    assert_eq!(stats.current_rtt, Some(Duration::from_millis(40)));
    assert!((100..=150).contains(&stats.consent_requests_sent));
    assert!(stats.rtt_measurements > stats.consent_requests_sent);
    assert!(stats.total_rtt > stats.current_rtt.unwrap() * 100);
}

#[test]
fn consent_survives_loss() {
    let mut network = connected();
    let mut random = SeededRandom::new(4);
    network.lose = Box::new(move |_| random.below(10) < 3);
    network.run_for(SECS(300));
    assert!(network.both_selected());
    assert_ne!(network.agents[A].state(), ConnectionState::Failed);
}

#[test]
fn consent_revoked_is_the_end_of_sending() {
    let mut network = connected();
    network.run_for(SECS(1));
    let mut buf = [0; Agent::MAX_DATAGRAM];
    let agent = &mut network.agents[A];
    let mut now = network.now;
    let request = loop {
        if let Some(transmit) = agent.poll_transmit(now, &mut buf) {
            break transmit;
        }
        now = agent.poll_timeout().unwrap();
        agent.handle_timeout(now);
    };
    let id = Message::parse(&buf[request.range])
        .unwrap()
        .transaction_id();
    let mut answer = |agent: &mut Agent, code, password: &str| {
        let mut writer =
            MessageWriter::new(&mut buf, Class::ErrorResponse, Method::BINDING, id).unwrap();
        writer.error_code(ErrorCode::new(code, "")).unwrap();
        writer.integrity(&short_term_key(password)).unwrap();
        writer.fingerprint().unwrap();
        let len = writer.finish();
        agent.handle_input(now, Datagram::new(request.path, &mut buf[..len]));
    };
    let password = agent.remote_credentials().unwrap().password().to_owned();
    answer(agent, 403, "anybody could send this");
    answer(agent, 500, &password);
    assert_eq!(agent.state(), ConnectionState::Connected);
    answer(agent, 403, &password);
    assert_eq!(agent.state(), ConnectionState::Failed);
    assert_eq!(agent.selected_pair(), None);
}

#[test]
fn silence_disconnects_and_then_fails() {
    let mut network = connected();
    network.run_for(SECS(20));
    network.lose = Box::new(|_| true);
    let silent = network.run_until(SECS(13), in_state(A, ConnectionState::Disconnected));
    assert!(network.selected(A).is_some(), "consent lasts");
    let failed = silent + network.run_until(SECS(30), in_state(A, ConnectionState::Failed));
    assert!(
        failed > SECS(20) && failed <= SECS(30),
        "{failed:?} of silence"
    );
    assert_eq!(network.selected(A), None);
    network.run_until(SECS(30), in_state(B, ConnectionState::Failed));
    assert!(
        network
            .agents
            .iter()
            .all(|agent| agent.poll_timeout().is_none())
    );
}

#[test]
fn silence_may_pass() {
    let mut network = connected();
    network.lose = Box::new(|_| true);
    network.run_until(SECS(13), in_state(A, ConnectionState::Disconnected));
    network.lose = Box::new(|_| false);
    network.run_until(SECS(7), in_state(A, ConnectionState::Connected));
}

#[test]
fn a_restart_keeps_the_old_pair_until_it_has_a_new_one() {
    let mut network = connected();
    let old = network.agents[A].local_credentials().clone();
    for who in [A, B] {
        network.agents[who].restart(network.now);
    }
    assert_ne!(network.agents[A].local_credentials().ufrag(), old.ufrag());
    assert!(network.both_selected(), "data goes on");
    assert!(network.agents[A].pairs().is_empty());
    // consent goes on with the old credentials while signalling takes its time
    network.run_for(SECS(60));
    assert!(network.both_selected(), "so does consent");
    assert_eq!(network.agents[A].state(), ConnectionState::Checking);

    network.exchange_credentials();
    network.signal(A, "192.0.2.1:1000");
    network.signal(B, "192.0.2.2:2000");
    network.events = [Vec::new(), Vec::new()];
    network.run_until(SECS(1), |network| {
        let selects = |event: &Event| matches!(event, Event::SelectedPair(_));
        network
            .events
            .iter()
            .all(|events| events.iter().any(selects))
    });
    assert_eq!(network.states(A), [ConnectionState::Connected]);
    network.run_for(SECS(60));
    assert_eq!(network.agents[B].state(), ConnectionState::Connected);
}

#[test]
fn consent_lost_during_a_restart_takes_the_old_pair_alone() {
    let mut network = connected();
    network.agents[A].restart(network.now);
    network.lose = Box::new(|_| true);
    network.run_for(SECS(31));
    assert_eq!(network.selected(A), None);
    assert_eq!(
        network.agents[A].state(),
        ConnectionState::Checking,
        "the new session may still succeed"
    );
    assert_eq!(
        network.agents[B].state(),
        ConnectionState::Failed,
        "which was in no restart"
    );
    network.lose = Box::new(|_| false);
    network.agents[B].restart(network.now);
    network.exchange_credentials();
    network.signal(B, "192.0.2.2:2000");
    network.run_until(SECS(1), Network::both_selected);
}

#[test]
fn a_restart_revives_what_failed() {
    let mut network = connected();
    network.lose = Box::new(|_| true);
    network.run_until(SECS(60), |network| {
        in_state(A, ConnectionState::Failed)(network)
            && in_state(B, ConnectionState::Failed)(network)
    });
    network.lose = Box::new(|_| false);
    for who in [A, B] {
        network.agents[who].restart(network.now);
    }
    network.exchange_credentials();
    network.signal(B, "192.0.2.2:2000");
    network.run_until(SECS(1), Network::both_selected);
}

#[test]
fn credentials_change_only_through_a_restart() {
    let mut network = connected();
    let same = network.agents[B].local_credentials().clone();
    assert_eq!(
        network.agents[A].set_remote_credentials(network.now, same),
        Ok(())
    );
    let other = network.agents[B].restart(network.now).clone();
    assert_eq!(
        network.agents[A].set_remote_credentials(network.now, other),
        Err(Error::CredentialsChanged)
    );
}

#[test]
fn closed_is_the_end() {
    let mut network = connected();
    network.run_for(SECS(1));
    let agent = &mut network.agents[A];
    agent.close();
    assert_eq!(
        agent.poll_event(),
        Some(Event::StateChanged(ConnectionState::Closed))
    );
    assert_eq!(agent.selected_pair(), None);
    assert_eq!(agent.poll_timeout(), None);
    assert!(
        agent
            .poll_transmit(network.now, &mut [0; Agent::MAX_DATAGRAM])
            .is_none()
    );
    assert_eq!(
        agent.add_remote_candidate(network.now, network::host("192.0.2.9:1")),
        Err(Error::Closed)
    );
    let dropped = agent.dropped();
    network.run_for(SECS(10));
    assert!(
        network.agents[A].dropped() > dropped,
        "B's consent checks come to nothing"
    );
    assert_eq!(
        network.selected(B).map(|path| path.remote),
        Some(address("192.0.2.1:1000"))
    );
}

#[test]
fn a_restart_before_anything_happened_is_still_new() {
    let mut agent = network::agent(1, rtckit_ice::Role::Controlled);
    let old = agent.local_credentials().clone();
    assert_ne!(*agent.restart(rtckit_proto::Instant::ZERO), old);
    assert_eq!(agent.state(), ConnectionState::New);
    assert_eq!(agent.poll_event(), None);
}
