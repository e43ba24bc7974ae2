//! The ways to connect: how candidates travel, who is which DTLS role, over which addresses.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use core::net::SocketAddr;
use core::time::Duration;

use rtckit_peer::Setup;
use rtckit_proto::SrtpProfile;
use rtckit_tests::{CallBuilder, Side, Signaling};

const DELAY: Duration = Duration::from_millis(10);
const LIMIT: Duration = Duration::from_secs(2);

fn build(name: &'static str) -> CallBuilder {
    CallBuilder::new(name, 1).delay(DELAY)
}

/// Connects and sends a frame of each stream both ways; returns the DTLS roles of the two sides.
fn connects(builder: CallBuilder) -> [&'static str; 2] {
    let mut call = builder.start();
    call.connect_within(LIMIT);
    call.exchange_frames(LIMIT);
    Side::BOTH.map(|side| {
        let stats = call.peer(side).stats(call.pair.now);
        stats.transport.dtls_role.unwrap()
    })
}

#[test]
fn candidates_within_the_descriptions_or_trickled() {
    connects(build("candidates_within_the_descriptions_or_trickled"));
    for delay in [0, 5, 60, 500].map(Duration::from_millis) {
        connects(
            build("candidates_within_the_descriptions_or_trickled")
                .signaling(Signaling::Trickle(delay)),
        );
    }
}

/// The answerer checks as soon as it has answered. Its checks must not find an offerer that does not know yet that it
/// controls, and settle the roles the other way round while the answer is on its way.
#[test]
fn checks_that_overtake_the_answer() {
    for delay in [1, 15, 25, 45, 60, 80, 100, 150, 300].map(Duration::from_millis) {
        for seed in 1..=8 {
            let name = "checks_that_overtake_the_answer";
            let mut call = CallBuilder::new(name, seed)
                .delay(DELAY)
                .signaling(Signaling::LateAnswer(delay))
                .start();
            call.connect_within(LIMIT);
            let roles = Side::BOTH.map(|side| {
                let stats = call.peer(side).stats(call.pair.now);
                stats.transport.ice_role
            });
            assert_eq!(
                roles,
                ["controlling", "controlled"],
                "{delay:?}, seed {seed}"
            );
        }
    }
}

#[test]
fn setup_settles_the_dtls_roles() {
    let roles = |offerer, answerer| {
        connects(
            build("setup_settles_the_dtls_roles")
                .setup(Side::A, offerer)
                .setup(Side::B, answerer),
        )
    };
    // RFC 8842 §5.3: the answerer of actpass should take the client's role
    let (client_answers, server_answers) = (["server", "client"], ["client", "server"]);
    assert_eq!(roles(Setup::ActPass, Setup::ActPass), client_answers);
    assert_eq!(roles(Setup::ActPass, Setup::Active), client_answers);
    assert_eq!(roles(Setup::ActPass, Setup::Passive), server_answers);
    assert_eq!(roles(Setup::Active, Setup::ActPass), server_answers);
    assert_eq!(roles(Setup::Passive, Setup::ActPass), client_answers);
}

#[test]
fn over_ipv6() {
    let address = |text: &str| vec![text.parse::<SocketAddr>().unwrap()];
    let mut call = build("over_ipv6")
        .addresses(Side::A, address("[2001:db8::1]:1000"))
        .addresses(Side::B, address("[2001:db8::2]:2000"))
        .start();
    call.connect_within(LIMIT);
    call.exchange_frames(LIMIT);
    let path = call.peer(Side::A).stats(call.pair.now);
    let path = path.transport.selected_candidate_pair.unwrap();
    assert!(path.local.is_ipv6() && path.remote.is_ipv6());
}

#[test]
fn a_side_whose_candidates_are_never_signalled_is_peer_reflexive() {
    for (hidden, other) in [(Side::A, Side::B), (Side::B, Side::A)] {
        for signaling in [Signaling::Vanilla, Signaling::Trickle(DELAY)] {
            let mut call = build("a_side_whose_candidates_are_never_signalled_is_peer_reflexive")
                .withhold_candidates_of(hidden)
                .signaling(signaling)
                .start();
            call.connect_within(LIMIT);
            call.exchange_frames(LIMIT);
            let stats = call.peer(other).stats(call.pair.now);
            let mut types = stats.candidate_pairs.iter();
            assert!(types.any(|pair| pair.nominated && pair.remote_candidate_type == "prflx"));
        }
    }
}

#[test]
fn both_controlling_agents_settle_who_does() {
    let mut roles = Vec::new();
    for seed in 1..=8 {
        // an answerer that takes the offerer for a lite agent controls, and so does the offerer
        let mut call = CallBuilder::new("both_controlling_agents_settle_who_does", seed)
            .delay(DELAY)
            .edit(Side::A, |sdp| {
                sdp.replacen("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n", 1)
            })
            .start();
        let role = |call: &rtckit_tests::Call, side| {
            call.peer(side).stats(call.pair.now).transport.ice_role
        };
        assert_eq!(Side::BOTH.map(|side| role(&call, side)), ["controlling"; 2]);
        call.connect_within(LIMIT);
        call.exchange_frames(LIMIT);
        roles.push(Side::BOTH.map(|side| role(&call, side)));
    }
    let one = |roles: &[&str; 2]| *roles == ["controlling", "controlled"];
    let other = |roles: &[&str; 2]| *roles == ["controlled", "controlling"];
    assert!(
        roles.iter().all(|roles| one(roles) || other(roles)),
        "{roles:?}"
    );
    assert!(
        roles.iter().any(one) && roles.iter().any(other),
        "{roles:?}"
    );
}

#[test]
fn either_srtp_profile() {
    for profile in [SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmHmacSha1_80] {
        let mut call = build("either_srtp_profile").profiles(&[profile]).start();
        call.connect_within(LIMIT);
        call.exchange_frames(LIMIT);
        for side in Side::BOTH {
            let stats = call.peer(side).stats(call.pair.now);
            assert_eq!(stats.transport.srtp_cipher, Some(profile.name()));
        }
    }
}
