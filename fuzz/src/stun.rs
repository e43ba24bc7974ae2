//! STUN messages.

use rtckit_crypto::mac::{HmacSha1, HmacSha256};
use rtckit_stun::{AttributeType, Message, MessageWriter, respond};

use crate::input::{Input, mutate};

/// The longest message that is written again.
const MAX_MESSAGE: usize = 70_000;

/// The input is a message; or, with an odd first byte, the recipe of one that is written, signed and then broken.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    if input.bool() {
        let message = write(&mut input);
        let key = HmacSha1::new(b"key");
        let parsed = Message::parse(&message).expect("what was written is a message");
        assert!(parsed.verify_integrity(&key));
        assert!(!parsed.verify_integrity(&HmacSha1::new(b"another")));
        assert_ne!(parsed.verify_fingerprint(), Some(false));
        read(&message);
        let mut broken = message.clone();
        mutate(&mut input, &mut broken);
        if let Ok(parsed) = Message::parse(&broken) {
            let covered = |message: &[u8]| covered_by_integrity(message).map(<[u8]>::to_vec);
            assert!(
                !parsed.verify_integrity(&key) || covered(&broken) == covered(&message),
                "a change went unnoticed"
            );
        }
        read(&broken);
    } else {
        read(input.rest());
    }
}

/// What MESSAGE-INTEGRITY protects: everything up to it, but for the length field, and its value.
fn covered_by_integrity(message: &[u8]) -> Option<&[u8]> {
    let parsed = Message::parse(message).ok()?;
    let tag = parsed.attribute(AttributeType::MESSAGE_INTEGRITY)?;
    let end = tag.as_ptr() as usize - message.as_ptr() as usize + tag.len();
    // the header's length field is replaced for the computation (RFC 8489 §14.5)
    message.get(4..end)
}

/// Writes a message as `input` has it.
fn write(input: &mut Input<'_>) -> Vec<u8> {
    use rtckit_stun::{Class, ErrorCode, Method, TransactionId};
    let class = input.choose(&[
        Class::Request,
        Class::Indication,
        Class::SuccessResponse,
        Class::ErrorResponse,
    ]);
    let id = TransactionId(core::array::from_fn(|_| input.u8()));
    let mut buf = vec![0xa5; 4096];
    let mut writer =
        MessageWriter::new(&mut buf, class, Method::BINDING, id).expect("room for a header");
    for _ in 0..input.below(8) {
        let address = std::net::SocketAddr::from((
            [input.u8(), input.u8(), input.u8(), input.u8()],
            input.u16(),
        ));
        // values that do not fit are refused; the message goes on without them
        let _ = match input.u8() % 12 {
            0 => writer.username(core::str::from_utf8(input.vec8()).unwrap_or("name")),
            1 => writer.software(core::str::from_utf8(input.vec8()).unwrap_or("name")),
            2 => writer.xor_mapped_address(address),
            3 => writer.mapped_address(address),
            4 => writer.error_code(ErrorCode::new(input.u16(), "reason")),
            5 => writer.priority(input.u32()),
            6 => writer.use_candidate(),
            7 => writer.ice_controlling(input.u32().into()),
            8 => writer.ice_controlled(input.u32().into()),
            9 => writer.nonce(input.vec8()),
            10 => writer.realm(core::str::from_utf8(input.vec8()).unwrap_or("name")),
            // not 8: a second MESSAGE-INTEGRITY is for the writer's own method
            _ => {
                let number = input.u16() | 0x4000;
                writer.attribute(AttributeType(number), input.vec8())
            }
        };
    }
    writer
        .integrity(&HmacSha1::new(b"key"))
        .expect("room for the tag");
    if input.bool() {
        writer.fingerprint().expect("room for the fingerprint");
    }
    let len = writer.finish();
    buf.truncate(len);
    buf
}

/// Reads every corner of a message, and writes it again.
fn read(bytes: &[u8]) {
    let _ = rtckit_stun::is_stun(bytes);
    let mut response = [0; 256];
    let source = std::net::SocketAddr::from(([192, 0, 2, 1], 1));
    if let Ok(Some(len)) = respond(bytes, source, &mut response) {
        let response = Message::parse(&response[..len]).expect("an answer is a message");
        assert_ne!(response.verify_fingerprint(), Some(false));
    }
    let Ok(message) = Message::parse(bytes) else {
        return;
    };
    let _ = format!("{message:?}");
    let _ = (
        message.username(),
        message.realm(),
        message.nonce(),
        message.software(),
    );
    let _ = (
        message.xor_mapped_address(),
        message.mapped_address(),
        message.alternate_server(),
    );
    let _ = (message.error_code(), message.unknown_attributes().count());
    let _ = (message.priority(), message.use_candidate());
    let _ = (message.ice_controlled(), message.ice_controlling());
    let _ = (message.has_integrity(), message.verify_fingerprint());
    let _ = message.unknown_required(&[]).count();
    read_by_name(&message);
    read_as_classic(bytes);
    let _ = message.verify_integrity(&HmacSha1::new(b""));
    let _ = message.verify_integrity_sha256(&HmacSha256::new(b""));

    let mut buf = vec![0xa5; MAX_MESSAGE];
    let (class, method, id) = (message.class(), message.method(), message.transaction_id());
    let mut writer = MessageWriter::new(&mut buf, class, method, id).expect("room for a header");
    for attribute in message.attributes() {
        writer
            .attribute(attribute.attribute_type, attribute.value)
            .expect("an attribute that was read can be written");
    }
    let len = writer.finish();
    let again = Message::parse(&buf[..len]).expect("what was written is a message");
    assert_eq!(
        (again.class(), again.method(), again.transaction_id()),
        (class, method, id)
    );
    let attributes = |message: Message<'_>| -> Vec<_> {
        message
            .attributes()
            .map(|attribute| (attribute.attribute_type, attribute.value.to_vec()))
            .collect()
    };
    assert_eq!(attributes(again), attributes(message));
}

/// The attributes of the other RFCs, and what a client and a server of long-term credentials make of them.
fn read_by_name(message: &Message<'_>) {
    let _ = (message.xor_peer_addresses().count(), message.data());
    let _ = (message.xor_relayed_addresses().count(), message.lifetime());
    let _ = (
        message.channel_number(),
        message.even_port(),
        message.icmp(),
    );
    let _ = (message.requested_transport(), message.address_error_code());
    let _ = (message.password_algorithms().count(), message.userhash());
    let _ = (message.password_algorithm(), message.change_request());
    let _ = (
        message.response_port(),
        message.padding(),
        message.network_info(),
    );
    let _ = (
        message.verify_integrity_32(&HmacSha1::new(b"")),
        message.access_token(),
    );
    for attribute in message.attributes() {
        let range = message
            .range_of(attribute.attribute_type)
            .expect("it is there");
        assert_eq!(
            message.as_bytes()[range],
            *message
                .attribute(attribute.attribute_type)
                .expect("it is there")
        );
    }
    let mut client = rtckit_stun::LongTermClient::new("user", "pass");
    for was_signed in [false, true] {
        client.on_response(message, was_signed);
        let mut buf = [0; 4096];
        let (class, method, id) = (message.class(), message.method(), message.transaction_id());
        let mut writer =
            MessageWriter::new(&mut buf, class, method, id).expect("room for a header");
        client
            .write(&mut writer)
            .expect("room for what is remembered");
        let len = writer.finish();
        Message::parse(&buf[..len]).expect("what was written is a message");
    }
    let mut random = rtckit_proto::SeededRandom::new(1);
    let secret = rtckit_stun::NonceSecret::new(&mut random);
    let config = rtckit_stun::AuthenticationConfig::new("realm");
    let mut authenticator = rtckit_stun::Authenticator::new(config, &secret);
    let source = std::net::SocketAddr::from(([192, 0, 2, 1], 1));
    let now = rtckit_proto::Instant::ZERO;
    let users = rtckit_stun::StaticUsers::new("realm");
    let found = authenticator.authenticate(now, source, message, &users);
    assert!(
        !matches!(found, rtckit_stun::Authentication::Verified(_)),
        "there are no users"
    );
}

/// An answer goes to where the request came from, and is a message.
fn read_as_classic(bytes: &[u8]) {
    let local = std::net::SocketAddr::from(([203, 0, 113, 1], 3478));
    let other = std::net::SocketAddr::from(([203, 0, 113, 2], 3479));
    let mut config = rtckit_stun::ResponderConfig::default();
    config.discovery = Some([local, other]);
    config.answers_classic = true;
    let source = std::net::SocketAddr::from(([192, 0, 2, 1], 1));
    let path = rtckit_proto::FiveTuple::udp(local, source);
    let mut answer = vec![0; bytes.len() + 256];
    let answered = rtckit_stun::Responder::new(config).respond(bytes, path, &mut answer);
    if let Ok(Some(sent)) = answered {
        assert_eq!(sent.path.remote.ip(), source.ip());
        assert!(
            sent.range.len() <= bytes.len() + 120,
            "an answer that amplifies"
        );
        Message::parse_classic(&answer[sent.range]).expect("an answer is a message");
    }
}
