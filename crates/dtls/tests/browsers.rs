//! What today's browsers send first: a ClientHello in two datagrams, with 1.3, post-quantum groups and all.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use rtckit_crypto::provider::Provider;
use rtckit_dtls::{Connection, Event};
use rtckit_proto::{Datagram, Instant};
use support::{configs, path};

fn flights() -> Vec<Vec<Vec<u8>>> {
    let json: serde_json::Value =
        serde_json::from_str(include_str!("../testdata/browser_client_hellos.json")).unwrap();
    let unhex = |hex: &str| -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
            .collect()
    };
    let flights = json["flights"].as_array().unwrap().iter();
    flights
        .map(|flight| {
            let datagrams = flight.as_array().unwrap().iter();
            datagrams.map(|hex| unhex(hex.as_str().unwrap())).collect()
        })
        .collect()
}

/// Feeds the datagrams to a fresh server and returns the handshake types of what it answers.
fn answer(datagrams: &[Vec<u8>]) -> Vec<u8> {
    let [_, config] = configs(&Provider::ring());
    let now = Instant::ZERO;
    let mut server = Connection::server(config.into(), path().reversed(), now).unwrap();
    for bytes in datagrams {
        let mut bytes = bytes.clone();
        server.handle_input(now, Datagram::new(path().reversed(), &mut bytes));
    }
    assert_eq!(server.poll_event(), None::<Event>);
    let (mut types, mut buf) = (Vec::new(), [0; 1200]);
    while let Some(transmit) = server.poll_transmit(now, &mut buf) {
        let mut records = &buf[transmit.range];
        while let Some(length) = records.get(11..13) {
            let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
            types.push(records[13]);
            records = &records[13 + length..];
        }
    }
    assert_eq!(types.is_empty(), server.poll_timeout().is_none());
    types
}

#[test]
fn browsers_get_the_servers_flight() {
    let flights = flights();
    assert!(flights.len() >= 4);
    for flight in &flights {
        assert_eq!(flight.len(), 2);
        assert_eq!(answer(flight), [2, 11, 12, 13, 14]);
        let backwards: Vec<_> = flight.iter().rev().cloned().collect();
        assert_eq!(answer(&backwards), [2, 11, 12, 13, 14]);
        assert!(answer(&flight[..1]).is_empty(), "half a hello is no hello");
    }
}
