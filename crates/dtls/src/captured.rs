//! A captured connection of two OpenSSL ends, replayed against every layer.

use rtckit_crypto::provider::Provider;
use rtckit_crypto::secret::Secret;
use rtckit_proto::Reader;
use serde_json::Value;

use crate::Role;
use crate::handshake::{
    Certificate, CertificateVerify, ClientKeyExchange, FragmentHeader, HandshakeType, Message,
    ServerHello, ServerKeyExchange, unhex,
};
use crate::key_schedule::{Randoms, TrafficKeys, verify_data};
use crate::reassembly::Reassembly;
use crate::record::{ContentType, Opener, RecordHeader};
use crate::transcript::Transcript;
use crate::v12::Session;

struct Trace(Value);

impl Trace {
    fn load() -> Self {
        Self(serde_json::from_str(include_str!("../testdata/dtls12_trace.json")).unwrap())
    }

    fn bytes(&self, pointer: &str) -> Vec<u8> {
        unhex(self.0.pointer(pointer).unwrap().as_str().unwrap())
    }

    fn randoms(&self) -> Randoms {
        Randoms {
            client: self.bytes("/client_random").try_into().unwrap(),
            server: self.bytes("/server_random").try_into().unwrap(),
        }
    }

    fn master_secret(&self) -> Secret<48> {
        let bytes: [u8; 48] = self.bytes("/master_secret").try_into().unwrap();
        Secret::from(bytes)
    }

    /// Every record with its sender, in order.
    fn records(&self) -> Vec<(Role, RecordHeader, Vec<u8>)> {
        let mut records = Vec::new();
        for datagram in self.0["datagrams"].as_array().unwrap() {
            let sender = match datagram["from"].as_str() {
                Some("client") => Role::Client,
                _ => Role::Server,
            };
            let bytes = unhex(datagram["hex"].as_str().unwrap());
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let header = RecordHeader::parse(rest).unwrap();
                let (record, next) = rest.split_at(RecordHeader::LEN + usize::from(header.length));
                records.push((sender, header, record[RecordHeader::LEN..].to_vec()));
                rest = next;
            }
        }
        records
    }
}

#[test]
fn every_protected_record_opens_and_both_finished_match() {
    let (trace, provider) = (Trace::load(), Provider::ring());
    let master = trace.master_secret();
    let keys = TrafficKeys::derive(&provider, &master, &trace.randoms());
    let block = trace.bytes("/key_block");
    assert_eq!(keys.client.key.as_ref()[..], block[..16]);
    assert_eq!(keys.server.iv[..], block[36..40]);
    let mut openers = [
        Opener::new(&provider, &keys.client),
        Opener::new(&provider, &keys.server),
    ];
    let (mut opened, mut transcript) = (0, Transcript::default());
    let mut reassemblies = [Reassembly::default(), Reassembly::default()];
    for (sender, header, mut fragment) in trace.records() {
        let mut plain = &fragment.clone()[..];
        if header.epoch == 1 {
            let range = openers[sender as usize]
                .open(&header, &mut fragment)
                .unwrap();
            plain = &fragment[range];
            opened += 1;
        }
        if header.content_type != ContentType::HANDSHAKE {
            continue;
        }
        let reassembly = &mut reassemblies[sender as usize];
        let mut reader = Reader::new(plain);
        while !reader.is_empty() {
            let (header, fragment) = FragmentHeader::parse(&mut reader).unwrap();
            let _ = reassembly.insert(&header, fragment);
        }
        while let Some(message) = reassembly.take() {
            reassembly.consume();
            if let Ok(Some(Message::Finished(finished))) =
                Message::parse(message.message_type, message.body())
            {
                let hash = transcript.hash(&provider);
                let expected = verify_data(&provider, &master, sender, &hash);
                assert_eq!(finished.verify_data, expected, "{sender:?}");
            }
            transcript.push(&message.bytes);
        }
    }
    assert_eq!(opened, 50);
}

#[test]
fn both_signatures_verify() {
    let (trace, provider) = (Trace::load(), Provider::ring());
    let (mut reassembly, mut transcript) = (
        [(); 2].map(|()| Reassembly::default()),
        Transcript::default(),
    );
    let mut certificates: [Vec<u8>; 2] = Default::default();
    let mut verified = 0;
    for (sender, header, fragment) in trace.records() {
        if header.epoch != 0 || header.content_type != ContentType::HANDSHAKE {
            continue;
        }
        let mut reader = Reader::new(&fragment);
        let (header, fragment) = FragmentHeader::parse(&mut reader).unwrap();
        let _ = reassembly[sender as usize].insert(&header, fragment);
        let Some(message) = reassembly[sender as usize].take() else {
            continue;
        };
        reassembly[sender as usize].consume();
        let certificate = &mut certificates[sender as usize];
        match Message::parse(message.message_type, message.body()).unwrap() {
            Some(Message::Certificate(Certificate { leaf, .. })) => {
                *certificate = leaf.unwrap().to_vec();
            }
            Some(Message::ServerKeyExchange(ServerKeyExchange {
                params,
                scheme,
                signature,
            })) => {
                let signed = params.signed_content(&trace.randoms().client_first());
                provider
                    .verify_signature(certificate, scheme, &signed, signature)
                    .unwrap();
                verified += 1;
            }
            Some(Message::CertificateVerify(CertificateVerify { scheme, signature })) => {
                let signed = transcript.messages();
                provider
                    .verify_signature(certificate, scheme, signed, signature)
                    .unwrap();
                verified += 1;
            }
            Some(Message::ClientKeyExchange(ClientKeyExchange { public_key })) => {
                assert_eq!(public_key.len(), 32);
            }
            Some(Message::ServerHello(ServerHello { cipher_suite, .. })) => {
                assert_eq!(cipher_suite, 0xc02b);
                assert_eq!(message.message_type, HandshakeType::SERVER_HELLO);
            }
            _ => {}
        }
        transcript.push(&message.bytes);
    }
    assert_eq!(verified, 2);
}

#[test]
fn the_exporter_agrees() {
    let trace = Trace::load();
    let randoms = trace.randoms();
    let session = Session {
        client_random: randoms.client,
        server_random: randoms.server,
        master_secret: trace.master_secret(),
        srtp_profile: None,
        extended_master_secret: true,
        peer_certificate: Vec::new(),
    };
    let expected = trace.bytes("/exporter/output");
    let mut out = vec![0; expected.len()];
    session.export(&Provider::ring(), b"EXTRACTOR-dtls_srtp", None, &mut out);
    assert_eq!(out, expected);
    // RFC 5705 §4: no context and an empty one are two different things
    let mut with_context = vec![0; expected.len()];
    session.export(
        &Provider::ring(),
        b"EXTRACTOR-dtls_srtp",
        Some(b""),
        &mut with_context,
    );
    assert_ne!(out, with_context);
    assert!(
        session
            .key_log()
            .to_string()
            .starts_with("CLIENT_RANDOM 0687fcf2")
    );
}
