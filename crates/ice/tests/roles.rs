//! Both agents claim the same role: the one that has to gives way, by what it hears or by a 487, and checks again
//! ([RFC 8445 §7.2.5.1, §7.3.1.1](https://www.rfc-editor.org/rfc/rfc8445#section-7.2.5.1)).
#![allow(clippy::unwrap_used, reason = "tests")]

mod network;

use core::time::Duration;

use network::{A, B, Network, agent, host};
use rtckit_ice::{Agent, Event, Role};
use rtckit_proto::{Datagram, FiveTuple, Instant, Random, SeededRandom};
use rtckit_stun::{Class, ErrorCode, Message, MessageWriter, Method, short_term_key};

const ADDRESSES: [&str; 2] = ["192.0.2.1:1000", "192.0.2.2:2000"];
const ROLES: [Role; 2] = [Role::Controlling, Role::Controlled];

/// Two seeds whose agents' tie-breakers, their first random numbers, compare as asked.
fn seeds(round: u64, first_is_larger: bool) -> [u64; 2] {
    let tie_breaker = |seed| SeededRandom::new(seed).next_u64();
    let (one, other) = (2 * round, 2 * round + 1);
    if (tie_breaker(one) > tie_breaker(other)) == first_is_larger {
        [one, other]
    } else {
        [other, one]
    }
}

/// Two agents that both claim `role`; those of `who_knows` know where the other is. Returns who has to switch, too.
fn conflict(
    role: Role,
    round: u64,
    a_is_larger: bool,
    who_knows: impl Fn(usize) -> Vec<usize>,
) -> (Network, usize) {
    let [a, b] = seeds(round, a_is_larger);
    let mut network = Network::new(agent(a, role), agent(b, role));
    for who in [A, B] {
        network.add_address(who, ADDRESSES[who]);
    }
    network.exchange_credentials();
    // the larger tie-breaker controls
    let larger = if a_is_larger { A } else { B };
    let switcher = match role {
        Role::Controlling => 1 - larger,
        Role::Controlled => larger,
    };
    for knowing in who_knows(switcher) {
        network.signal(1 - knowing, ADDRESSES[1 - knowing]);
    }
    (network, switcher)
}

fn every_conflict(
    who_knows: impl Fn(usize) -> Vec<usize> + Copy,
    test: impl Fn(&mut Network, Role, usize),
) {
    for role in ROLES {
        for a_is_larger in [true, false] {
            for round in 0..8 {
                let (mut network, switcher) = conflict(role, round, a_is_larger, who_knows);
                test(&mut network, role, switcher);
            }
        }
    }
}

/// What must be true in the end: the switcher has switched, once, and both use the same pair.
fn assert_settled(network: &mut Network, role: Role, switcher: usize) {
    network.run_until(Duration::from_millis(400), Network::both_selected);
    assert_eq!(network.agents[switcher].role(), role.switched());
    assert_eq!(network.agents[1 - switcher].role(), role);
    assert_eq!(role_changes(&network.events[switcher]), [role.switched()]);
    assert_eq!(role_changes(&network.events[1 - switcher]), []);
    assert_eq!(
        network.selected(A).map(FiveTuple::reversed),
        network.selected(B)
    );
}

fn role_changes(events: &[Event]) -> Vec<Role> {
    let changes = events.iter().filter_map(|event| match event {
        Event::RoleChanged(role) => Some(*role),
        _ => None,
    });
    changes.collect()
}

/// Which role a check claims.
fn claim(check: &Message<'_>) -> Option<Role> {
    match (check.ice_controlling(), check.ice_controlled()) {
        (Some(_), None) => Some(Role::Controlling),
        (None, Some(_)) => Some(Role::Controlled),
        _ => None,
    }
}

fn is_487(message: &Message<'_>) -> bool {
    message.class() == Class::ErrorResponse
        && message.error_code().is_some_and(|error| error.code == 487)
}

/// How many 487 `who` sent, and the roles its checks claimed, each once in a row.
fn sent_by(network: &Network, who: usize) -> (usize, Vec<Role>) {
    let sent = network.wire.iter().filter(|(sender, _)| *sender == who);
    let messages: Vec<_> = sent
        .map(|(_, bytes)| Message::parse(bytes).unwrap())
        .collect();
    let refusals = messages.iter().filter(|message| is_487(message)).count();
    let requests = messages
        .iter()
        .filter(|message| message.class() == Class::Request);
    let mut claims: Vec<_> = requests.filter_map(claim).collect();
    claims.dedup();
    (refusals, claims)
}

/// The switcher's check comes first and is refused; nothing else tells it that it has to switch.
#[test]
fn the_one_that_is_refused_switches_and_checks_again() {
    every_conflict(
        |switcher| vec![switcher],
        |network, role, switcher| {
            assert_settled(network, role, switcher);
            assert_eq!(sent_by(network, switcher), (0, vec![role, role.switched()]));
            assert_eq!(sent_by(network, 1 - switcher), (1, vec![role]));
        },
    );
}

/// The switcher hears a check first, and has sent none that could be refused.
#[test]
fn the_one_that_hears_a_stronger_claim_switches_and_refuses_nothing() {
    every_conflict(
        |switcher| vec![1 - switcher],
        |network, role, switcher| {
            assert_settled(network, role, switcher);
            assert_eq!(sent_by(network, switcher), (0, vec![role.switched()]));
            assert_eq!(sent_by(network, 1 - switcher), (0, vec![role]));
        },
    );
}

/// The checks cross: the switcher has switched already when its own comes back refused, and stays.
#[test]
fn checks_that_cross_make_one_of_them_switch_once() {
    every_conflict(
        |_| vec![A, B],
        |network, role, switcher| {
            assert_settled(network, role, switcher);
            assert_eq!(sent_by(network, switcher), (0, vec![role, role.switched()]));
            assert_eq!(sent_by(network, 1 - switcher), (1, vec![role]));
        },
    );
}

/// The next check of an agent alone: when it leaves, where to, and its bytes.
fn next_check(agent: &mut Agent, now: &mut Instant) -> (FiveTuple, Vec<u8>) {
    let mut buf = [0xa5; Agent::MAX_DATAGRAM];
    for _ in 0..20 {
        if let Some(transmit) = agent.poll_transmit(*now, &mut buf) {
            return (transmit.path, buf[transmit.range].to_vec());
        }
        *now = agent.poll_timeout().unwrap();
        agent.handle_timeout(*now);
    }
    panic!("no check is sent");
}

fn refuse(check: &Message<'_>, password: &str) -> Vec<u8> {
    let mut buf = [0; 256];
    let id = check.transaction_id();
    let mut writer =
        MessageWriter::new(&mut buf, Class::ErrorResponse, Method::BINDING, id).unwrap();
    writer.error_code(ErrorCode::ROLE_CONFLICT).unwrap();
    writer.integrity(&short_term_key(password)).unwrap();
    writer.fingerprint().unwrap();
    let len = writer.finish();
    buf[..len].to_vec()
}

/// A peer that refuses whatever it gets: two checks are under way when the first 487 comes, so the second is no
/// reason to switch back, and both are sent anew.
#[test]
fn refused_checks_are_sent_again_in_the_other_role() {
    for role in ROLES {
        let mut now = Instant::from_millis(1_000);
        let mut agent = agent(1, role);
        let peer = network::agent(2, role).local_credentials().clone();
        let password = peer.password().to_owned();
        agent
            .add_local_candidate(now, host("192.0.2.1:1000"))
            .unwrap();
        agent.set_remote_credentials(now, peer).unwrap();
        for remote in ["192.0.2.2:2000", "192.0.2.3:3000"] {
            agent.add_remote_candidate(now, host(remote)).unwrap();
        }
        let first = [
            next_check(&mut agent, &mut now),
            next_check(&mut agent, &mut now),
        ];
        assert_ne!(first[0].0.remote, first[1].0.remote);
        for (path, bytes) in &first {
            let check = Message::parse(bytes).unwrap();
            assert_eq!(claim(&check), Some(role));
            let mut refusal = refuse(&check, &password);
            agent.handle_input(now, Datagram::new(*path, &mut refusal));
        }
        assert_eq!(agent.dropped(), 0);
        assert_eq!(agent.role(), role.switched());
        for (path, bytes) in &first {
            let before = Message::parse(bytes).unwrap();
            let (path_again, bytes) = next_check(&mut agent, &mut now);
            let after = Message::parse(&bytes).unwrap();
            assert_eq!(path_again, *path);
            assert_ne!(after.transaction_id(), before.transaction_id());
            assert_eq!(claim(&after), Some(role.switched()));
            let tie_breaker = |check: &Message<'_>| {
                let controlling = check.ice_controlling();
                controlling.or_else(|| check.ice_controlled())
            };
            assert_ne!(
                tie_breaker(&after),
                tie_breaker(&before),
                "RFC 8445 §7.2.5.1: it changes"
            );
        }
        let mut events = Vec::new();
        while let Some(event) = agent.poll_event() {
            events.push(event);
        }
        assert_eq!(role_changes(&events), [role.switched()], "once");
        assert!(
            now < Instant::from_millis(1_400),
            "before a retransmission is due: {now:?}"
        );
    }
}
