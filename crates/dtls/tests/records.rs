//! Application data, goodbyes, and what a network or an attacker may do to them.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use proptest::prelude::*;
use rtckit_crypto::provider::Provider;
use rtckit_dtls::{Error, Event, Misuse};
use rtckit_proto::{Datagram, Ecn, Instant};
use support::{CLIENT, Pair, SERVER, configs, delivered, path};

fn connected() -> Pair {
    Pair::connect(configs(&Provider::simulation(1)))
}

#[test]
fn data_flows_both_ways_and_both_ways_of_sealing_agree() {
    let mut pair = connected();
    for end in [CLIENT, SERVER] {
        let record = pair.seal(end, b"hello");
        pair.deliver(1 - end, record);
        assert_eq!(pair.data[1 - end], [b"hello"]);
    }
    let (head, tail) = pair.ends[CLIENT].overhead();
    let mut buf = vec![0; head + 5 + tail];
    buf[head..head + 5].copy_from_slice(b"again");
    let len = pair.ends[CLIENT].seal_in_place(&mut buf, 5).unwrap();
    assert_eq!(len, buf.len());
    pair.deliver(SERVER, buf);
    assert_eq!(pair.data[SERVER][1], b"again");
}

#[test]
fn several_records_in_a_datagram_and_several_datagrams_in_a_run() {
    let mut pair = connected();
    let records = [b"one", b"two", b"six"].map(|payload| pair.seal(CLIENT, payload));
    let mut run = records.concat();
    let stride = records[0].len();
    let received = pair.ends[SERVER].handle_input(
        pair.now,
        Datagram {
            path: path(),
            ecn: Ecn::NotCapable,
            data: &mut run,
            stride,
        },
    );
    assert_eq!(
        received.iter().collect::<Vec<_>>(),
        [b"one", b"two", b"six"]
    );
    let both = [pair.seal(CLIENT, b"a"), pair.seal(CLIENT, b"b")].concat();
    pair.deliver(SERVER, both);
    assert_eq!(pair.data[SERVER], [b"a", b"b"]);
}

#[test]
fn a_replayed_record_is_dropped_and_counted() {
    let mut pair = connected();
    let record = pair.seal(CLIENT, b"once");
    for _ in 0..3 {
        pair.deliver(SERVER, record.clone());
    }
    assert_eq!(pair.data[SERVER].len(), 1);
    assert_eq!(pair.ends[SERVER].stats().forged_or_replayed_records, 2);
}

#[test]
fn nothing_is_sealed_before_or_after() {
    let mut pair = Pair::new(configs(&Provider::simulation(1)));
    let mut buf = [0; 100];
    let refused = Err(Error::from(Misuse::NotConnected));
    assert_eq!(pair.ends[CLIENT].seal(b"x", &mut buf), refused);
    pair.run(|_, _| delivered());
    assert_eq!(pair.ends[CLIENT].seal(b"x", &mut buf), Ok(38));
    assert_eq!(
        pair.ends[CLIENT].seal(b"x", &mut buf[..37]),
        Err(Misuse::BufferTooSmall.into())
    );
    let mut long = vec![0; 17_000];
    assert_eq!(
        pair.ends[CLIENT].seal_in_place(&mut long, 16_385),
        Err(Misuse::PayloadTooLarge.into())
    );
    pair.ends[CLIENT].close(Instant::ZERO);
    assert_eq!(pair.ends[CLIENT].seal(b"x", &mut buf), refused);
}

#[test]
fn a_goodbye_is_answered_and_ends_both() {
    let mut pair = connected();
    let sent = pair.sent.len();
    pair.ends[CLIENT].close(pair.now);
    pair.ends[CLIENT].close(pair.now);
    pair.run(|_, _| delivered());
    assert_eq!(pair.sent.len() - sent, 2, "one alert each");
    assert_eq!(pair.events[SERVER][1..], [Event::PeerClosed]);
    assert_eq!(pair.events[CLIENT].len(), 1, "the user knows");
    assert!(pair.ends.iter().all(rtckit_dtls::Connection::is_closed));
    assert!(pair.ends.iter().all(|end| end.poll_timeout().is_none()));
}

#[test]
fn a_forged_goodbye_ends_nothing() {
    let mut pair = connected();
    let plain = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 1, 0];
    pair.deliver(SERVER, plain.to_vec());
    let mut protected = pair.seal(CLIENT, &[1, 0]);
    protected[0] = 21;
    pair.deliver(SERVER, protected);
    assert!(pair.ends[SERVER].is_connected());
    let stats = pair.ends[SERVER].stats();
    assert_eq!(stats.forged_or_replayed_records, 1);
    assert_eq!(stats.dropped_records, 1);
}

#[test]
fn a_new_hello_on_an_established_connection_changes_nothing() {
    let mut pair = connected();
    let hello = pair.sent[0].1.clone();
    pair.deliver(SERVER, hello);
    assert!(pair.ends[SERVER].is_connected());
    assert!(
        pair.ends[SERVER]
            .poll_transmit(pair.now, &mut [0; 2000])
            .is_none()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Noise at any moment of the handshake: no panic, and it succeeds all the same.
    #[test]
    fn noise_is_dropped(
        noise in prop::collection::vec((1usize..7, 0usize..2, prop::collection::vec(any::<u8>(), 0..60)), 1..12),
        dressed_up: bool,
    ) {
        let mut pair = Pair::new(configs(&Provider::simulation(1)));
        pair.injected = noise;
        if dressed_up {
            for (_, _, bytes) in &mut pair.injected {
                *bytes = record_around(bytes);
            }
        }
        pair.run(|_, _| delivered());
        pair.assert_connected();
    }

    /// A forged fragment of a message that is due delays the handshake by a retransmission at most.
    #[test]
    fn forged_fragments_are_survived(
        at in 1usize..4,
        to in 0usize..2,
        message_type in prop::sample::select(vec![1u8, 2, 3, 11, 12, 13, 14, 15, 16]),
        message_seq in 0u8..6,
        length in 2u8..200,
    ) {
        let mut pair = Pair::new(configs(&Provider::simulation(1)));
        let fragment = [message_type, 0, 0, length, 0, message_seq, 0, 0, 0, 0, 0, 1, 0xff];
        pair.injected = vec![(at, to, record_of(22, &fragment))];
        pair.run(|_, _| delivered());
        pair.assert_connected();
        prop_assert!(pair.now <= Instant::from_millis(2_000), "{:?}", pair.now);
    }

    /// A connection with keys: nothing but the genuine record gets through.
    #[test]
    fn forged_records_are_dropped(bytes in prop::collection::vec(any::<u8>(), 0..80), content_type in 20u8..24) {
        let mut pair = connected();
        let mut record = vec![content_type, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 1, 0, 0, bytes.len() as u8];
        record.extend(bytes);
        pair.deliver(SERVER, record);
        prop_assert!(pair.ends[SERVER].is_connected());
        prop_assert!(pair.data[SERVER].is_empty());
        prop_assert_eq!(pair.ends[SERVER].stats().forged_or_replayed_records, 1);
        let genuine = pair.seal(CLIENT, b"genuine");
        pair.deliver(SERVER, genuine);
        prop_assert_eq!(&pair.data[SERVER], &[b"genuine"]);
    }
}

/// A record of epoch 0 with any content, as far as its header goes.
fn record_around(bytes: &[u8]) -> Vec<u8> {
    record_of(20 + bytes.first().map_or(0, |byte| byte % 4), bytes)
}

fn record_of(content_type: u8, bytes: &[u8]) -> Vec<u8> {
    let mut record = vec![content_type, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 7, 0];
    record.push(bytes.len() as u8);
    record.extend(bytes);
    record
}
