//! The vectors of RFC 5769, parsed and emitted; truncation, forgery and round trips of whole messages.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use proptest::prelude::*;
use rtckit_crypto::mac::{HmacSha1, HmacSha256};

use crate::*;

const REQUEST: &str = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";
const IPV4_RESPONSE: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";
const IPV6_RESPONSE: &str = "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c";
const LONG_TERM: &str = "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b900000015001c662f2f3439396b39353464364f4c33346f4c394653547679363473410014000b6578616d706c652e6f72670000080014f67024656dd64a3e02b8e0712e85c9a28ca89666";
const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";
const ID: TransactionId = TransactionId([
    0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae,
]);

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).unwrap() as u8;
    text.as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

/// Writes a message into a buffer full of 0xa5 and returns it.
fn emit(
    class: Class,
    id: TransactionId,
    padding: u8,
    fill: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), Error>,
) -> Vec<u8> {
    let mut buf = [0xa5; 512];
    let mut writer = MessageWriter::new(&mut buf, class, Method::BINDING, id).unwrap();
    writer.pad_with(padding);
    fill(&mut writer).unwrap();
    let len = writer.finish();
    assert!(
        buf[len..].iter().all(|&byte| byte == 0xa5),
        "wrote past its end"
    );
    buf[..len].to_vec()
}

#[test]
fn sample_request() {
    let bytes = unhex(REQUEST);
    let key = short_term_key(PASSWORD);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(
        (message.class(), message.method()),
        (Class::Request, Method::BINDING)
    );
    assert_eq!(message.transaction_id(), ID);
    assert_eq!(message.software(), Some("STUN test client"));
    assert_eq!(message.priority(), Some(0x6e00_01ff));
    assert_eq!(message.ice_controlled(), Some(0x932f_f9b1_5126_3b36));
    assert_eq!(message.username(), Some("evtj:h6vY"));
    assert!(message.verify_integrity(&key));
    assert_eq!(message.verify_fingerprint(), Some(true));

    let emitted = emit(Class::Request, ID, b' ', |writer| {
        writer.software("STUN test client")?;
        writer.priority(0x6e00_01ff)?;
        writer.ice_controlled(0x932f_f9b1_5126_3b36)?;
        writer.username("evtj:h6vY")?;
        writer.integrity(&key)?;
        writer.fingerprint()
    });
    assert_eq!(emitted, bytes);
}

fn sample_response(vector: &str, address: SocketAddr) {
    let bytes = unhex(vector);
    let key = short_term_key(PASSWORD);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.class(), Class::SuccessResponse);
    assert_eq!(message.software(), Some("test vector"));
    assert_eq!(message.xor_mapped_address(), Some(address));
    assert!(message.verify_integrity(&key));
    assert_eq!(message.verify_fingerprint(), Some(true));

    let emitted = emit(Class::SuccessResponse, ID, b' ', |writer| {
        writer.software("test vector")?;
        writer.xor_mapped_address(address)?;
        writer.integrity(&key)?;
        writer.fingerprint()
    });
    assert_eq!(emitted, bytes);
}

#[test]
fn sample_ipv4_response() {
    sample_response(IPV4_RESPONSE, "192.0.2.1:32853".parse().unwrap());
}

#[test]
fn sample_ipv6_response() {
    sample_response(
        IPV6_RESPONSE,
        "[2001:db8:1234:5678:11:2233:4455:6677]:32853"
            .parse()
            .unwrap(),
    );
}

#[test]
fn sample_request_with_long_term_authentication() {
    let bytes = unhex(LONG_TERM);
    let username = "\u{30de}\u{30c8}\u{30ea}\u{30c3}\u{30af}\u{30b9}";
    let nonce = b"f//499k954d6OL34oL9FSTvy64sA";
    // "The<U+00AD>M<U+00AA>tr<U+2168>" after its preparation
    let key = long_term_key(username, "example.org", "TheMatrIX");
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.username(), Some(username));
    assert_eq!(message.nonce(), Some(&nonce[..]));
    assert_eq!(message.realm(), Some("example.org"));
    assert!(message.verify_integrity(&key));
    assert_eq!(message.verify_fingerprint(), None);

    let emitted = emit(Class::Request, message.transaction_id(), 0, |writer| {
        writer.username(username)?;
        writer.nonce(nonce)?;
        writer.realm("example.org")?;
        writer.integrity(&key)
    });
    assert_eq!(emitted, bytes);
}

#[test]
fn truncation_at_every_length_is_refused() {
    for vector in [REQUEST, IPV4_RESPONSE, IPV6_RESPONSE, LONG_TERM] {
        let bytes = unhex(vector);
        for len in 0..bytes.len() {
            assert!(Message::parse(&bytes[..len]).is_err());
            // the same with a Length field that agrees, which leaves the attributes to be checked
            let mut short = bytes[..len].to_vec();
            if len >= HEADER_LEN {
                short[2..4].copy_from_slice(&((len - HEADER_LEN) as u16).to_be_bytes());
                if let Ok(message) = Message::parse(&short) {
                    assert_ne!(message.verify_fingerprint(), Some(true));
                    assert!(!message.has_integrity() || message.verify_integrity(&key_of(vector)));
                }
            }
        }
    }
}

fn key_of(vector: &str) -> HmacSha1 {
    if vector == LONG_TERM {
        long_term_key(
            "\u{30de}\u{30c8}\u{30ea}\u{30c3}\u{30af}\u{30b9}",
            "example.org",
            "TheMatrIX",
        )
    } else {
        short_term_key(PASSWORD)
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let key = short_term_key(PASSWORD);
    let bytes = unhex(REQUEST);
    for bit in 0..bytes.len() * 8 {
        let mut forged = bytes.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        let accepted = Message::parse(&forged).is_ok_and(|message| {
            message.verify_integrity(&key) && message.verify_fingerprint() == Some(true)
        });
        assert!(!accepted, "bit {bit}");
    }
    assert!(
        !Message::parse(&bytes)
            .unwrap()
            .verify_integrity(&short_term_key("another password"))
    );
}

#[test]
fn attributes_after_integrity_do_not_count() {
    let key = short_term_key(PASSWORD);
    let bytes = emit(Class::Request, ID, 0, |writer| {
        writer.integrity(&key)?;
        writer.use_candidate()?;
        writer.priority(1)?;
        writer.fingerprint()
    });
    let message = Message::parse(&bytes).unwrap();
    assert!(
        message.verify_integrity(&key),
        "what follows it is not covered"
    );
    assert!(!message.use_candidate());
    assert_eq!(message.priority(), None);
    let types: Vec<_> = message
        .attributes()
        .map(|attribute| attribute.attribute_type)
        .collect();
    assert_eq!(
        types,
        [AttributeType::MESSAGE_INTEGRITY, AttributeType::FINGERPRINT]
    );
    assert_eq!(message.verify_fingerprint(), Some(true));
}

#[test]
fn both_integrities_and_a_fingerprint() {
    let (sha1, sha256) = (
        short_term_key(PASSWORD),
        HmacSha256::new(PASSWORD.as_bytes()),
    );
    let bytes = emit(Class::Request, ID, 0, |writer| {
        writer.username("a:b")?;
        writer.integrity(&sha1)?;
        writer.integrity_sha256(&sha256)?;
        writer.fingerprint()
    });
    let message = Message::parse(&bytes).unwrap();
    assert!(message.verify_integrity(&sha1) && message.verify_integrity_sha256(&sha256));
    assert!(!message.verify_integrity_sha256(&HmacSha256::new(b"another")));
    assert_eq!(message.attributes().count(), 4);
}

#[test]
fn fingerprint_comes_last() {
    let bytes = emit(Class::Request, ID, 0, |writer| {
        writer.fingerprint()?;
        writer.priority(1)
    });
    assert_eq!(
        Message::parse(&bytes).unwrap_err(),
        ParseError::new(28, "nothing after FINGERPRINT")
    );
}

#[test]
fn too_long_and_too_small() {
    let mut buf = [0; 64];
    let mut writer = MessageWriter::new(&mut buf, Class::Request, Method::BINDING, ID).unwrap();
    assert_eq!(writer.username(&"u".repeat(514)), Err(Error::ValueTooLong));
    assert_eq!(
        writer.attribute(AttributeType::NONCE, &[0; 65_536]),
        Err(Error::ValueTooLong)
    );
    assert_eq!(
        writer.username(&"u".repeat(513)),
        Err(Error::BufferTooSmall)
    );
    assert!(MessageWriter::new(&mut [0; 19], Class::Request, Method::BINDING, ID).is_err());
}

#[test]
fn debug_shows_no_value() {
    let text: String = std::format!("{:?}", Message::parse(&unhex(REQUEST)).unwrap());
    assert!(
        text.contains("USERNAME(9 bytes)") && !text.contains("evtj"),
        "{text}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn round_trip(
        id: [u8; 12],
        method in 0_u16..0x1000,
        attributes in prop::collection::vec((0x0030_u16..0x8000, prop::collection::vec(any::<u8>(), 0..20)), 0..6),
        password in "[a-zA-Z0-9+/]{22,30}",
    ) {
        let key = short_term_key(&password);
        let mut buf = [0xa5; 512];
        let mut writer = MessageWriter::new(&mut buf, Class::Indication, Method::new(method), TransactionId(id))?;
        for (number, value) in &attributes {
            writer.attribute(AttributeType(*number), value)?;
        }
        writer.integrity(&key)?;
        writer.fingerprint()?;
        let len = writer.finish();
        let message = Message::parse(&buf[..len])?;
        prop_assert_eq!(message.method(), Method::new(method));
        prop_assert_eq!(message.transaction_id(), TransactionId(id));
        prop_assert!(message.verify_integrity(&key));
        prop_assert_eq!(message.verify_fingerprint(), Some(true));
        let read: Vec<_> = message.attributes().take(attributes.len())
            .map(|attribute| (attribute.attribute_type.0, attribute.value.to_vec())).collect();
        prop_assert_eq!(read, attributes);
    }

    #[test]
    fn no_accessor_panics(mut bytes: Vec<u8>, header: bool) {
        if header && bytes.len() >= HEADER_LEN {
            bytes.truncate(bytes.len() / 4 * 4);
            let length = ((bytes.len() - HEADER_LEN) as u16).to_be_bytes();
            bytes[0] &= 0x3f;
            bytes[2..4].copy_from_slice(&length);
            bytes[4..8].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
        }
        if let Ok(message) = Message::parse(&bytes) {
            let _ = (message.class(), message.username(), message.error_code(), message.xor_mapped_address());
            let _ = (message.verify_fingerprint(), message.verify_integrity(&short_term_key("x")));
            let _ = (message.unknown_attributes().count(), message.unknown_required(&[]).count());
        }
    }
}
