//! Handshakes with an end of ours that says something else than it would: what only a peer that holds the right
//! keys, or signs what it says, could send. And one ceiling that shows only from inside.

use core::slice;
use core::time::Duration;
use std::sync::Arc;

use rtckit_crypto::fingerprint::HashAlgorithm;
use rtckit_crypto::identity::Identity;
use rtckit_crypto::provider::{Provider, SignatureScheme};
use rtckit_proto::{Datagram, FiveTuple, Instant, Reader, SrtpProfile};

use crate::handshake::{FragmentHeader, Message};
use crate::{
    AlertDescription, Config, Connection, Error, Event, PeerIncompatible, PeerMisbehaved, Verify,
};

const CLIENT: usize = 0;
const SERVER: usize = 1;

fn path() -> FiveTuple {
    FiveTuple::udp(
        "192.0.2.1:1000".parse().unwrap(),
        "192.0.2.2:2000".parse().unwrap(),
    )
}

fn configs() -> [Config; 2] {
    let provider = Provider::simulation(1);
    let identities = [(); 2].map(|()| Arc::new(Identity::generate(&provider).unwrap()));
    [CLIENT, SERVER].map(|end| {
        let fingerprint = identities[1 - end].fingerprint(HashAlgorithm::Sha256);
        let verify = Verify::Fingerprints(vec![fingerprint]);
        Config::new(provider.clone(), identities[end].clone(), verify)
    })
}

struct Pair {
    ends: [Connection; 2],
    now: Instant,
}

impl Pair {
    fn new(configs: [Config; 2]) -> Self {
        let [client, server] = configs.map(Arc::new);
        let now = Instant::ZERO;
        Self {
            ends: [
                Connection::client(client, path(), now).unwrap(),
                Connection::server(server, path().reversed(), now).unwrap(),
            ],
            now,
        }
    }

    /// Gives the other end everything that `end` has to send.
    fn deliver_from(&mut self, end: usize) {
        let mut buf = [0xa5; 2048];
        while let Some(transmit) = self.ends[end].poll_transmit(self.now, &mut buf) {
            let datagram = Datagram::new(path(), &mut buf[transmit.range]);
            self.ends[1 - end].handle_input(self.now, datagram);
        }
    }

    /// Goes on until both ends are done, and returns what each has to say.
    fn finish(mut self) -> [Vec<Event>; 2] {
        // an alert in the clear is believed when the answer does not come
        for _ in 0..4 {
            for end in [CLIENT, SERVER, CLIENT, SERVER] {
                self.deliver_from(end);
            }
            self.now += Duration::from_secs(2);
            for end in &mut self.ends {
                end.handle_timeout(self.now);
            }
        }
        self.ends
            .map(|mut end| core::iter::from_fn(|| end.poll_event()).collect())
    }

    /// Has `end` say `new` instead of `old`, and believe that it did.
    #[track_caller]
    fn rewrite(&mut self, end: usize, old: &[u8], new: &[u8]) {
        assert_eq!(old.len(), new.len());
        let end = &mut self.ends[end];
        for messages in [end.flight.messages_mut(), end.transcript.messages_mut()] {
            let mut places = messages.windows(old.len());
            let at = places.position(|place| place == old).unwrap();
            messages[at..at + new.len()].copy_from_slice(new);
        }
    }
}

/// Runs the handshake with one byte of the Finished that `sender` sends, the `from_end`th from its end, changed
/// before it is sealed.
fn with_another_finished(sender: usize, from_end: usize) -> [Vec<Event>; 2] {
    let mut pair = Pair::new(configs());
    pair.deliver_from(CLIENT);
    pair.deliver_from(SERVER);
    if sender == SERVER {
        pair.deliver_from(CLIENT);
        assert!(pair.ends[SERVER].is_connected());
    }
    // Finished is the last message of either last flight
    let messages = pair.ends[sender].flight.messages_mut();
    let at = messages.len() - from_end;
    messages[at] ^= 1;
    pair.finish()
}

#[test]
fn nothing_but_a_wrong_finished_ends_it_on_either_side() {
    let bad_finished = Event::Failed(PeerMisbehaved::BadFinished.into());
    let told = Event::Failed(Error::AlertReceived(AlertDescription::DECRYPT_ERROR));
    for from_end in 1..=12 {
        let events = with_another_finished(CLIENT, from_end);
        assert_eq!(events, [vec![told.clone()], vec![bad_finished.clone()]]);
        let events = with_another_finished(SERVER, from_end);
        let told = vec![Event::Connected, told.clone()];
        assert_eq!(events, [vec![bad_finished.clone()], told]);
    }
}

#[test]
fn what_is_not_rewritten_connects() {
    let events = Pair::new(configs()).finish();
    assert_eq!(events, [[Event::Connected], [Event::Connected]]);
}

/// The handshake of a client that has not heard of the extended master secret, whatever it requires of others.
fn without_extended_master_secret(configs: [Config; 2]) -> Pair {
    let mut pair = Pair::new(configs);
    // extension 23, empty, becomes one that nobody knows
    pair.rewrite(CLIENT, &[0, 23, 0, 0], &[0x77, 23, 0, 0]);
    pair.deliver_from(CLIENT);
    pair
}

#[test]
fn an_extended_master_secret_is_insisted_on_where_it_is_required() {
    let pair = without_extended_master_secret(configs());
    let connected = [[Event::Connected], [Event::Connected]];
    assert_eq!(pair.finish(), connected, "nobody requires it");

    let told = Event::Failed(Error::AlertReceived(AlertDescription::HANDSHAKE_FAILURE));
    let refused = Event::Failed(PeerIncompatible::NoExtendedMasterSecret.into());
    for end in [CLIENT, SERVER] {
        let mut configs = configs();
        configs[end].require_extended_master_secret = true;
        let events = without_extended_master_secret(configs.clone()).finish();
        assert_eq!(events[end][..], *slice::from_ref(&refused));
        assert_eq!(events[1 - end][..], *slice::from_ref(&told));
        let events = Pair::new(configs).finish();
        assert_eq!(events, connected, "a peer that has it");
    }
}

/// What a client makes of a server that answers `use_srtp` and the extensions before it with `answer`.
fn with_srtp_answer(answer: [u8; 19]) -> [Vec<Event>; 2] {
    let mut configs = configs();
    for config in &mut configs {
        config.srtp_profiles = vec![SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmHmacSha1_80];
    }
    let mut pair = Pair::new(configs);
    pair.deliver_from(CLIENT);
    let point_formats_and_one_profile = [
        0, 11, 0, 2, 1, 0, // ec_point_formats
        0, 23, 0, 0, // extended_master_secret
        0, 14, 0, 5, 0, 2, 0, 7, 0, // use_srtp
    ];
    pair.rewrite(SERVER, &point_formats_and_one_profile, &answer);
    pair.finish()
}

#[test]
fn a_server_chooses_one_srtp_profile_of_those_offered() {
    let one_then_empty_groups = [
        0, 14, 0, 5, 0, 2, 0, 7, 0, // use_srtp
        0, 23, 0, 0, // extended_master_secret
        0, 10, 0, 2, 0, 0, // supported_groups
    ];
    let events = with_srtp_answer(one_then_empty_groups);
    assert_eq!(events, [[Event::Connected], [Event::Connected]]);

    let two = [
        0, 14, 0, 7, 0, 4, 0, 7, 0, 1, 0, // use_srtp
        0, 23, 0, 0, // extended_master_secret
        0, 10, 0, 0, // supported_groups
    ];
    let mut not_offered = one_then_empty_groups;
    not_offered[7] = 8;
    for answer in [two, not_offered] {
        let refused = Event::Failed(PeerMisbehaved::NotOffered.into());
        let told = Event::Failed(Error::AlertReceived(AlertDescription::ILLEGAL_PARAMETER));
        assert_eq!(with_srtp_answer(answer), [[refused], [told]]);
    }
}

/// Runs the handshake with `scheme` named beside the signature that `end` makes. Simulated signatures verify under
/// any name: whether the name is looked at shows.
fn with_signature_scheme(end: usize, scheme: SignatureScheme) -> [Vec<Event>; 2] {
    let mut pair = Pair::new(configs());
    pair.deliver_from(CLIENT);
    if end == CLIENT {
        pair.deliver_from(SERVER);
    }
    let messages = pair.ends[end].flight.messages_mut().to_vec();
    let mut reader = Reader::new(&messages);
    while !reader.is_empty() {
        let (header, body) = FragmentHeader::parse(&mut reader).unwrap();
        let signature = match Message::parse(header.message_type, body) {
            Ok(Some(Message::ServerKeyExchange(exchange))) => exchange.signature,
            Ok(Some(Message::CertificateVerify(verify))) => verify.signature,
            _ => continue,
        };
        let at = body.len() - signature.len() - 4;
        let mut new = body.to_vec();
        new[at..at + 2].copy_from_slice(&scheme.0.to_be_bytes());
        pair.rewrite(end, body, &new);
    }
    pair.finish()
}

#[test]
fn the_suite_has_a_server_sign_with_ecdsa() {
    let connected = [[Event::Connected], [Event::Connected]];
    for scheme in [SignatureScheme::ECDSA_SHA256, SignatureScheme::ECDSA_SHA384] {
        assert_eq!(with_signature_scheme(SERVER, scheme), connected);
    }
    for scheme in [
        SignatureScheme::RSA_PSS_SHA256,
        SignatureScheme::RSA_PKCS1_SHA256,
        SignatureScheme::RSA_PKCS1_SHA384,
        SignatureScheme::RSA_PKCS1_SHA512,
    ] {
        let refused = Event::Failed(PeerMisbehaved::NotOffered.into());
        let told = Event::Failed(Error::AlertReceived(AlertDescription::ILLEGAL_PARAMETER));
        assert_eq!(with_signature_scheme(SERVER, scheme), [[refused], [told]]);
    }
}

#[test]
fn a_client_may_sign_with_rsa() {
    let [_, server] = with_signature_scheme(CLIENT, SignatureScheme::RSA_PSS_SHA256);
    // its Finished was made before the other name was put in: the signature, which comes first, was taken
    let bad_finished = Event::Failed(PeerMisbehaved::BadFinished.into());
    assert_eq!(server, [bad_finished]);
    let [_, server] = with_signature_scheme(CLIENT, SignatureScheme(0x0201));
    let not_offered = Event::Failed(PeerMisbehaved::NotOffered.into());
    assert_eq!(server, [not_offered]);
}

#[test]
fn what_comes_before_the_keys_is_kept_up_to_a_ceiling() {
    let mut pair = Pair::new(configs());
    pair.deliver_from(CLIENT);
    let now = pair.now;
    // a record of epoch 1 that nobody sealed, as long as it says, header included
    let mut forge = |content_type: u8, sequence: u8, len: usize| {
        let head = [content_type, 254, 253, 0, 1, 0, 0, 0, 0, 0, sequence, 0];
        let mut record = head.to_vec();
        record.push((len - 13) as u8);
        record.resize(len, 7);
        let server = &mut pair.ends[SERVER];
        server.handle_input(now, Datagram::new(path(), &mut record));
        (server.early.len(), server.stats.dropped_records)
    };
    assert_eq!(forge(22, 0, 257), (0, 1), "too long");
    assert_eq!(
        forge(23, 1, 61),
        (0, 2),
        "no application data before Finished"
    );
    for sequence in 2..6 {
        let kept = usize::from(sequence) - 1;
        assert_eq!(forge(22, sequence, 256), (kept, 2));
    }
    for dropped in 3..100 {
        assert_eq!(forge(22, 9, 61), (4, dropped), "too many");
    }
    pair.deliver_from(SERVER);
    pair.deliver_from(CLIENT);
    let server = &pair.ends[SERVER];
    assert!(server.is_connected());
    assert_eq!(server.stats.forged_or_replayed_records, 4);
    assert_eq!(server.early.capacity(), 0);
}
