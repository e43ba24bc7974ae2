//! After the connection: consent, silence, restart, close.
#![allow(clippy::unwrap_used, reason = "tests")]

mod network;

use std::time::Duration;

use network::{A, B, Network, address};
use rtckit_ice::{Agent, ConnectionState, Error, Event};

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
    network.lose = Box::new(|number| number % 3 == 0);
    network.run_for(SECS(300));
    assert!(network.both_selected());
    assert_ne!(network.agents[A].state(), ConnectionState::Failed);
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
