//! The handshake between our own two ends, on a network that works.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use rtckit_crypto::fingerprint::{Fingerprint, HashAlgorithm};
use rtckit_crypto::identity::Identity;
use rtckit_crypto::provider::{NamedGroup, Provider};
use rtckit_crypto::secret::Secret;
use rtckit_dtls::{
    AlertDescription, Error, Event, Misuse, PeerIncompatible, PeerMisbehaved, Verify, Version,
};
use rtckit_proto::SrtpProfile;
use support::{CLIENT, Pair, SERVER, configs, delivered};

#[test]
fn every_provider_connects() {
    let providers = [
        Provider::ring(),
        #[cfg(feature = "aws-lc-rs")]
        Provider::aws_lc_rs(),
        Provider::simulation(3),
    ];
    for provider in providers {
        let configs = configs(&provider);
        let certificate = configs[SERVER].identity.certificate_der().to_vec();
        let pair = Pair::connect(configs);
        let client = &pair.ends[CLIENT];
        assert_eq!(client.version(), Some(Version::Dtls12));
        assert_eq!(client.peer_certificate(), Some(&certificate[..]));
        assert!(client.has_extended_master_secret());
        assert_eq!(
            client.key_log().is_some(),
            client.is_closed(),
            "not allowed"
        );
        assert_eq!(client.poll_timeout(), None);
        assert_eq!(pair.sent.len(), 4, "one datagram a flight");
    }
}

#[test]
fn srtp_keys_fit_together() {
    let pair = Pair::connect(configs(&Provider::ring()));
    let [ours, theirs] = [0, 1].map(|end| pair.ends[end].srtp_keys().unwrap());
    assert_eq!(ours.profile, SrtpProfile::AeadAes128Gcm);
    assert_eq!(ours.local.key(), theirs.remote.key());
    assert_eq!(ours.remote.salt(), theirs.local.salt());
    assert_ne!(ours.local.key(), ours.remote.key());
    assert_eq!((ours.local.key().len(), ours.local.salt().len()), (16, 12));
    assert!(format!("{:?}", ours.local).contains("key: [16 bytes, redacted]"));
}

#[test]
fn the_servers_preference_among_common_profiles_wins() {
    let mut configs = configs(&Provider::simulation(1));
    configs[SERVER].srtp_profiles.reverse();
    let pair = Pair::connect(configs);
    let keys = pair.ends[CLIENT].srtp_keys().unwrap();
    assert_eq!(keys.profile, SrtpProfile::Aes128CmHmacSha1_80);
    assert_eq!(keys.local.salt().len(), 14);
}

#[test]
fn without_a_common_profile_there_is_no_srtp_unless_it_is_required() {
    let mut disjoint = configs(&Provider::simulation(1));
    disjoint[CLIENT].srtp_profiles.truncate(1);
    disjoint[SERVER].srtp_profiles.remove(0);
    let pair = Pair::connect(disjoint.clone());
    assert!(pair.ends.iter().all(|end| end.srtp_keys().is_none()));

    disjoint[SERVER].require_srtp = true;
    let failure = Error::from(PeerIncompatible::NoCommonSrtpProfile);
    assert_fails(
        disjoint.clone(),
        SERVER,
        failure.clone(),
        AlertDescription::HANDSHAKE_FAILURE,
    );

    disjoint[SERVER].require_srtp = false;
    disjoint[CLIENT].require_srtp = true;
    assert_fails(
        disjoint,
        CLIENT,
        failure,
        AlertDescription::HANDSHAKE_FAILURE,
    );
}

/// `end` fails with `error`, and the other end hears `alert`.
#[track_caller]
fn assert_fails(
    configs: [rtckit_dtls::Config; 2],
    end: usize,
    error: Error,
    alert: AlertDescription,
) {
    let mut pair = Pair::new(configs);
    pair.run(|_, _| delivered());
    assert_eq!(pair.events[end], [Event::Failed(error)]);
    assert!(pair.ends[end].is_closed());
    let other = &pair.events[1 - end];
    // a server that has not begun has nothing to give up
    assert_eq!(other[..], [Event::Failed(Error::AlertReceived(alert))]);
}

#[test]
fn a_wrong_fingerprint_ends_it_on_either_side() {
    for end in [CLIENT, SERVER] {
        let provider = Provider::ring();
        let mut configs = configs(&provider);
        let stranger = Identity::generate(&provider).unwrap();
        configs[end].verify =
            Verify::Fingerprints(vec![stranger.fingerprint(HashAlgorithm::Sha256)]);
        let error = PeerMisbehaved::FingerprintMismatch.into();
        assert_fails(configs, end, error, AlertDescription::BAD_CERTIFICATE);
    }
}

#[test]
fn any_of_several_fingerprints_of_any_hash_will_do() {
    let provider = Provider::simulation(1);
    let mut configs = configs(&provider);
    let certificate = configs[SERVER].identity.certificate_der();
    let fingerprints = vec![
        Fingerprint::of(HashAlgorithm::Sha256, b"another"),
        Fingerprint::of(HashAlgorithm::Sha512, certificate),
    ];
    configs[CLIENT].verify = Verify::Fingerprints(fingerprints);
    Pair::connect(configs);
}

#[test]
fn no_fingerprint_matches_nobody() {
    let mut configs = configs(&Provider::simulation(1));
    configs[CLIENT].verify = Verify::Fingerprints(Vec::new());
    let error = PeerMisbehaved::FingerprintMismatch.into();
    assert_fails(configs, CLIENT, error, AlertDescription::BAD_CERTIFICATE);
}

#[test]
fn a_cookie_costs_a_round_trip_and_binds_the_hello() {
    let mut configs = configs(&Provider::ring());
    configs[SERVER].cookie_secret = Some(Secret::from([9; 32]));
    let pair = Pair::connect(configs);
    let types: Vec<u8> = pair.sent.iter().map(|(_, bytes)| bytes[13]).collect();
    assert_eq!(types[..4], [1, 3, 1, 2], "hello, request, hello, hello");
    assert_eq!(pair.sent.len(), 6);
    assert!(
        pair.sent[1].1.len() < pair.sent[0].1.len(),
        "no amplification"
    );
}

#[test]
fn p256_alone() {
    for end in [CLIENT, SERVER] {
        let mut configs = configs(&Provider::ring());
        configs[end].groups = vec![NamedGroup::SECP256R1];
        Pair::connect(configs);
    }
    let mut disjoint = configs(&Provider::ring());
    disjoint[CLIENT].groups = vec![NamedGroup::SECP256R1];
    disjoint[SERVER].groups = vec![NamedGroup::X25519];
    let error = PeerIncompatible::NoCommonGroup.into();
    assert_fails(disjoint, SERVER, error, AlertDescription::HANDSHAKE_FAILURE);
}

#[test]
fn small_datagrams() {
    for mtu in [128, 200, 300, 576] {
        let mut configs = configs(&Provider::ring());
        for config in &mut configs {
            config.mtu = mtu;
        }
        let pair = Pair::connect(configs);
        assert!(pair.sent.iter().all(|(_, bytes)| bytes.len() <= mtu));
        assert!(pair.sent.len() > 4);
    }
    let mut configs = configs(&Provider::ring());
    configs[CLIENT].mtu = 127;
    let [client, _] = configs;
    let refused = rtckit_dtls::Connection::client(
        client.into(),
        support::path(),
        rtckit_proto::Instant::ZERO,
    );
    assert_eq!(refused.err(), Some(Misuse::MtuTooSmall.into()));
}

#[test]
fn a_simulated_handshake_replays_byte_for_byte() {
    let sent = |seed| Pair::connect(configs(&Provider::simulation(seed))).sent;
    assert_eq!(sent(5), sent(5));
    assert_ne!(sent(5), sent(6));
}

#[test]
fn a_key_log_line_on_demand() {
    let mut configs = configs(&Provider::simulation(1));
    configs[CLIENT].key_log = true;
    let pair = Pair::connect(configs);
    let line = pair.ends[CLIENT].key_log().unwrap();
    assert_eq!(line.to_string().len(), 14 + 64 + 1 + 96);
    assert_eq!(format!("{line:?}"), "KeyLogLine([redacted])");
    assert!(pair.ends[SERVER].key_log().is_none());
}

#[test]
fn a_hello_changed_on_the_way_is_noticed() {
    let tampered = |index, tamper| {
        let mut pair = Pair::new(configs(&Provider::ring()));
        pair.tampered = Some((index, tamper));
        pair.run(|_, _| delivered());
        pair.events
    };
    let bad_signature = Event::Failed(PeerMisbehaved::BadSignature.into());
    let told = Event::Failed(Error::AlertReceived(AlertDescription::DECRYPT_ERROR));
    // the second cipher suite of the ClientHello, the one that stands for renegotiation_info
    let events = tampered(0, |hello| hello[13 + 12 + 2 + 32 + 1 + 1 + 2 + 2] ^= 1);
    assert_eq!(events, [vec![told.clone()], vec![bad_signature.clone()]]);
    // the server's random
    let events = tampered(1, |hello| hello[13 + 12 + 2] ^= 1);
    assert_eq!(events, [vec![bad_signature], vec![told]]);
}
