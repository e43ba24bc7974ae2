//! Every attribute by its name: what is written is read, whatever stands around it.

use core::net::{IpAddr, SocketAddr};

use proptest::prelude::*;
use rtckit_stun::{
    AddressErrorCode, AddressFamily, ChangeRequest, Class, Error, ErrorCode, EvenPort, Icmp,
    Message, MessageWriter, Method, NetworkInfo, PasswordAlgorithm, TransactionId,
};

/// A message with one attribute after another, in a buffer that was full of something else.
fn write(fill: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), Error>) -> Vec<u8> {
    let mut buf = vec![0xa5; 8192];
    let id = TransactionId([3; 12]);
    let mut writer = MessageWriter::new(&mut buf, Class::Request, Method::ALLOCATE, id)
        .expect("room for a header");
    fill(&mut writer).expect("room for the attributes");
    let len = writer.finish();
    assert!(
        buf[len..].iter().all(|&byte| byte == 0xa5),
        "wrote past its end"
    );
    buf.truncate(len);
    buf
}

/// Writes `$value` by its name, reads it back, and sees that no cut message panics or lies.
macro_rules! round_trip {
    ($($name:ident: $value:expr;)*) => {$(
        let value = $value;
        let bytes = write(|writer| writer.$name(value));
        let message = Message::parse(&bytes).expect("what was written is a message");
        prop_assert_eq!(message.$name(), Some(value), "{}", stringify!($name));
        for len in 0..bytes.len() {
            prop_assert!(Message::parse(&bytes[..len]).is_err());
        }
        // a value cut short, with lengths that agree, is none or another, never a panic
        if bytes.len() > 24 {
            let mut short = bytes[..bytes.len() - 4].to_vec();
            let len = (short.len() - 20) as u16;
            short[2..4].copy_from_slice(&len.to_be_bytes());
            short[22..24].copy_from_slice(&(len - 4).to_be_bytes());
            if let Ok(message) = Message::parse(&short) {
                prop_assert_ne!(message.$name(), Some(value), "{}", stringify!($name));
            }
        }
    )*};
}

fn addresses() -> impl Strategy<Value = SocketAddr> {
    (any::<IpAddr>(), any::<u16>()).prop_map(|(ip, port)| SocketAddr::new(ip, port))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn text_and_bytes(text in "[ -~]{1,40}", bytes in prop::collection::vec(any::<u8>(), 1..100)) {
        round_trip! {
            username: &text[..];
            realm: &text[..];
            software: &text[..];
            alternate_domain: &text[..];
            third_party_authorization: &text[..];
            nonce: &bytes[..];
            data: &bytes[..];
            padding: &bytes[..];
            access_token: &bytes[..];
            mobility_ticket: &bytes[..];
        }
    }

    #[test]
    fn numbers(word: u32, half: u16, byte: u8, long: u64, hash: [u8; 32], token: [u8; 8], a: bool, b: bool) {
        let family = if a { AddressFamily::Ipv4 } else { AddressFamily::Ipv6 };
        round_trip! {
            priority: word;
            lifetime: word;
            connection_id: word;
            ice_controlled: long;
            ice_controlling: long;
            channel_number: half;
            response_port: half;
            requested_transport: byte;
            userhash: hash;
            reservation_token: token;
            requested_address_family: family;
            additional_address_family: family;
            password_algorithm: if a { PasswordAlgorithm::Md5 } else { PasswordAlgorithm::Sha256 };
            even_port: EvenPort { reserve_next: a };
            change_request: ChangeRequest { ip: a, port: b };
            icmp: Icmp { icmp_type: byte, code: !byte, data: word };
            network_info: NetworkInfo { id: half, cost: !half };
            error_code: ErrorCode::new(300 + half % 400, "reason");
            address_error_code: AddressErrorCode { family, error: ErrorCode::new(440, "no") };
        }
    }

    #[test]
    fn socket_addresses(address in addresses()) {
        round_trip! {
            mapped_address: address;
            alternate_server: address;
            response_origin: address;
            other_address: address;
            source_address: address;
            changed_address: address;
            xor_mapped_address: address;
            xor_peer_address: address;
            xor_relayed_address: address;
        }
    }

    #[test]
    fn several_of_one_kind(addresses in prop::collection::vec(addresses(), 0..5)) {
        let bytes = write(|writer| {
            writer.use_candidate()?;
            addresses.iter().try_for_each(|address| writer.xor_peer_address(*address))?;
            writer.dont_fragment()
        });
        let message = Message::parse(&bytes).expect("what was written is a message");
        let read: Option<Vec<_>> = message.xor_peer_addresses().collect();
        prop_assert_eq!(read, Some(addresses));
        prop_assert!(message.use_candidate() && message.dont_fragment());
    }
}

#[test]
fn lists_of_algorithms() {
    let both = [PasswordAlgorithm::Sha256, PasswordAlgorithm::Md5];
    let bytes = write(|writer| writer.password_algorithms(&both));
    let message = Message::parse(&bytes).expect("a message");
    assert!(message.password_algorithms().eq(both));
    // one that nobody knows, with parameters, in between
    let list = [
        0, 9, 0, 2, 1, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 1, 7, 0, 0, 0, 0, 1, 0, 0,
    ];
    let bytes =
        write(|writer| writer.attribute(rtckit_stun::AttributeType::PASSWORD_ALGORITHMS, &list));
    let message = Message::parse(&bytes).expect("a message");
    assert!(
        message.password_algorithms().eq(both),
        "MD5 takes no parameters"
    );
}

#[test]
fn pings_of_libwebrtc() {
    let key = rtckit_stun::short_term_key("VOkJxbRl1RmTxUk/WvJxBt");
    let mut buf = [0xa5; 64];
    let id = TransactionId([9; 12]);
    let mut writer = MessageWriter::new(&mut buf, Class::Request, Method::GOOG_PING, id)
        .expect("room for a header");
    writer.integrity_32(&key).expect("room for the tag");
    writer.fingerprint().expect("room for the fingerprint");
    let len = writer.finish();
    assert_eq!(buf[..2], [0x02, 0x00]);
    let message = Message::parse(&buf[..len]).expect("a message");
    assert!(message.verify_integrity_32(&key) && message.verify_fingerprint() == Some(true));
    assert!(!message.verify_integrity_32(&rtckit_stun::short_term_key("another")));
}
