//! STUN (RFC 8489): a connectivity check of ICE with USERNAME, ICE-CONTROLLING, USE-CANDIDATE, PRIORITY,
//! MESSAGE-INTEGRITY and FINGERPRINT, 92 bytes.
//!
//! Keys are made ready beforehand, and messages and buffers used again, where a library lets one. "Parse and verify" is: the
//! message read, fingerprint and integrity checked, user name and priority looked up.

use std::hint::black_box;

use hmac::{Hmac, KeyInit, Mac};
use rtckit_crypto::mac::HmacSha1;
use rtckit_stun::{Class, Message, MessageWriter, Method, TransactionId, short_term_key};

use crate::harness::{Work, repeat};

const RIVAL_STUN_TYPES: &str = "stun-types 2.0.4";
const RIVAL_RTC_STUN: &str = "rtc-stun 0.21.1";
const RIVAL_STUN: &str = "stun 0.17.2";
const RIVAL_STUN_CODEC: &str = "stun_codec 0.4.0";

const USERNAME: &str = "LtSQ:NGbv";
const PASSWORD: &str = "fKr5zM4VyfZDKgmIlEKMv+8o";
const PRIORITY: u32 = 1_853_824_767;
const TIE_BREAKER: u64 = 0x1234_5678_9abc_def0;
const ID: [u8; 12] = [7; 12];
const LEN: usize = 92;

/// Types that some libraries have no constant for.
const USE_CANDIDATE: u16 = 0x0025;
const ICE_CONTROLLING: u16 = 0x802a;
const PRIORITY_TYPE: u16 = 0x0024;

pub(super) fn works() -> Vec<Work<'static>> {
    let message = rtckit_built();
    agree(&message);

    let mut build = Work::new(format!("build and sign an ICE check, {LEN} B"));
    let key = short_term_key(PASSWORD);
    let mut buf = [0; 256];
    build.ours(
        "rtckit",
        "RustCrypto",
        repeat(move || rtckit_build(black_box(&mut buf), &key)),
    );
    let key = stun_types_key();
    let mut buf = [0; 256];
    build.rival(
        RIVAL_STUN_TYPES,
        "RustCrypto",
        repeat(move || stun_types_build(black_box(&mut buf), &key)),
    );
    let provider = rtc_crypto::default_provider().expect("ring");
    let mut into = rtc_stun::message::Message::new();
    build.rival(
        RIVAL_RTC_STUN,
        "ring",
        repeat(move || rtc_stun_build(black_box(&mut into), provider.crypto())),
    );
    let mut into = stun::message::Message::new();
    build.rival(
        RIVAL_STUN,
        "ring",
        repeat(move || stun_build(black_box(&mut into))),
    );
    build.rival(RIVAL_STUN_CODEC, "RustCrypto", repeat(codec::build));
    let hmac = floor_key();
    let bytes = message.clone();
    build.floor(
        "HMAC-SHA1 of the signed bytes",
        "RustCrypto",
        repeat(move || floor(&hmac, black_box(&bytes))),
    );

    let mut verify = Work::new(format!("parse and verify an ICE check, {LEN} B"));
    let key = short_term_key(PASSWORD);
    let bytes = message.clone();
    verify.ours(
        "rtckit",
        "RustCrypto",
        repeat(move || rtckit_verify(black_box(&bytes), &key)),
    );
    let key = stun_types_key();
    let bytes = message.clone();
    verify.rival(
        RIVAL_STUN_TYPES,
        "RustCrypto",
        repeat(move || stun_types_verify(black_box(&bytes), &key)),
    );
    let provider = rtc_crypto::default_provider().expect("ring");
    let mut into = rtc_stun::message::Message::new();
    let bytes = message.clone();
    verify.rival(
        RIVAL_RTC_STUN,
        "ring",
        repeat(move || rtc_stun_verify(&mut into, black_box(&bytes), provider.crypto())),
    );
    let mut into = stun::message::Message::new();
    let key = stun::integrity::MessageIntegrity::new_short_term_integrity(PASSWORD.into());
    let bytes = message.clone();
    verify.rival(
        RIVAL_STUN,
        "ring",
        repeat(move || stun_verify(&mut into, black_box(&bytes), &key)),
    );
    let bytes = message.clone();
    verify.rival(
        RIVAL_STUN_CODEC,
        "RustCrypto",
        repeat(move || codec::verify(black_box(&bytes))),
    );
    let hmac = floor_key();
    verify.floor(
        "HMAC-SHA1 of the signed bytes",
        "RustCrypto",
        repeat(move || floor(&hmac, black_box(&message))),
    );
    vec![build, verify]
}

/// Everyone builds the same bytes, and reads the same from them; a byte changed is noticed.
fn agree(message: &[u8]) {
    assert_eq!(message.len(), LEN);
    let provider = rtc_crypto::default_provider().expect("ring");
    let mut buf = [0; 256];
    let len = stun_types_build(&mut buf, &stun_types_key());
    assert_eq!(&buf[..len], message, "{RIVAL_STUN_TYPES} builds the same");
    let mut into = rtc_stun::message::Message::new();
    rtc_stun_build(&mut into, provider.crypto());
    assert_eq!(into.raw, message, "{RIVAL_RTC_STUN} builds the same");
    let mut into = stun::message::Message::new();
    stun_build(&mut into);
    assert_eq!(into.raw, message, "{RIVAL_STUN} builds the same");
    assert_eq!(
        codec::build(),
        message,
        "{RIVAL_STUN_CODEC} builds the same"
    );

    let read = [
        rtckit_verify(message, &short_term_key(PASSWORD)),
        stun_types_verify(message, &stun_types_key()),
        rtc_stun_verify(
            &mut rtc_stun::message::Message::new(),
            message,
            provider.crypto(),
        ),
        stun_verify(
            &mut stun::message::Message::new(),
            message,
            &stun::integrity::MessageIntegrity::new_short_term_integrity(PASSWORD.into()),
        ),
        codec::verify(message),
    ];
    assert_eq!(read, [Some((USERNAME.len(), PRIORITY)); 5]);

    // everyone checks the integrity: with a wrong one under a right fingerprint, nobody is content
    let mut forged = [0; 256];
    let len = rtckit_build(&mut forged, &short_term_key("another password"));
    let forged = &forged[..len];
    let read = [
        rtckit_verify(forged, &short_term_key(PASSWORD)),
        stun_types_verify(forged, &stun_types_key()),
        rtc_stun_verify(
            &mut rtc_stun::message::Message::new(),
            forged,
            provider.crypto(),
        ),
        stun_verify(
            &mut stun::message::Message::new(),
            forged,
            &stun::integrity::MessageIntegrity::new_short_term_integrity(PASSWORD.into()),
        ),
        codec::verify(forged),
    ];
    assert_eq!(read, [None; 5]);
    assert_eq!(
        floor(&floor_key(), message),
        message[LEN - 28..LEN - 8],
        "the floor signs what the message signs"
    );
}

/// The length of the user name, and the priority; none if a check failed.
type Read = Option<(usize, u32)>;

fn rtckit_built() -> Vec<u8> {
    let mut buf = [0; 256];
    let len = rtckit_build(&mut buf, &short_term_key(PASSWORD));
    buf[..len].to_vec()
}

fn rtckit_build(buf: &mut [u8], key: &HmacSha1) -> usize {
    let id = TransactionId(ID);
    let mut writer =
        MessageWriter::new(buf, Class::Request, Method::BINDING, id).expect("room for it");
    writer.username(USERNAME).expect("room for it");
    writer.ice_controlling(TIE_BREAKER).expect("room for it");
    writer.use_candidate().expect("room for it");
    writer.priority(PRIORITY).expect("room for it");
    writer.integrity(key).expect("room for it");
    writer.fingerprint().expect("room for it");
    writer.finish()
}

fn rtckit_verify(bytes: &[u8], key: &HmacSha1) -> Read {
    let message = Message::parse(bytes).ok()?;
    if message.verify_fingerprint() != Some(true) || !message.verify_integrity(key) {
        return None;
    }
    Some((message.username()?.len(), message.priority()?))
}

type StunTypesKey = stun_types::message::IntegrityKey;

fn stun_types_key() -> StunTypesKey {
    use stun_types::message::{
        IntegrityAlgorithm, MessageIntegrityCredentials, ShortTermCredentials,
    };
    let credentials = ShortTermCredentials::new(PASSWORD.to_owned());
    MessageIntegrityCredentials::ShortTerm(credentials).make_key(IntegrityAlgorithm::Sha1)
}

fn stun_types_build(buf: &mut [u8], key: &StunTypesKey) -> usize {
    use stun_types::attribute::{AttributeType, RawAttribute, Username};
    use stun_types::message::{
        BINDING, IntegrityAlgorithm, Message, MessageClass, MessageType, MessageWrite,
        MessageWriteExt, MessageWriteMutSlice,
    };
    let id = u128::from_be_bytes([0, 0, 0, 0, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]);
    let kind = MessageType::from_class_method(MessageClass::Request, BINDING);
    let mut message = Message::builder(kind, id.into(), MessageWriteMutSlice::new(buf));
    let raw = |kind, value| RawAttribute::new(AttributeType::new(kind), value);
    let username = Username::new(USERNAME).expect("short enough");
    message.add_attribute(&username).expect("room for it");
    let tie_breaker = TIE_BREAKER.to_be_bytes();
    message
        .add_attribute(&raw(ICE_CONTROLLING, &tie_breaker))
        .expect("room for it");
    message
        .add_attribute(&raw(USE_CANDIDATE, &[]))
        .expect("room for it");
    message
        .add_attribute(&raw(PRIORITY_TYPE, &PRIORITY.to_be_bytes()))
        .expect("room for it");
    message
        .add_message_integrity_with_key(key, IntegrityAlgorithm::Sha1)
        .expect("room for it");
    message.add_fingerprint().expect("room for it");
    message.finish()
}

fn stun_types_verify(bytes: &[u8], key: &StunTypesKey) -> Read {
    use stun_types::attribute::{AttributeType, Username};
    // the fingerprint is checked here
    let message = stun_types::message::Message::from_bytes(bytes).ok()?;
    message.validate_integrity_with_key(key).ok()?;
    let username = message.attribute::<Username>().ok()?;
    let priority = message.raw_attribute(AttributeType::new(PRIORITY_TYPE))?;
    let priority = u32::from_be_bytes((*priority.value).try_into().ok()?);
    Some((username.username().len(), priority))
}

fn rtc_stun_build(message: &mut rtc_stun::message::Message, crypto: &dyn rtc_crypto::RTCCrypto) {
    use rtc_stun::attributes::{
        ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME,
    };
    use rtc_stun::fingerprint::FINGERPRINT;
    use rtc_stun::integrity::MessageIntegrity;
    use rtc_stun::message::{BINDING_REQUEST, Setter, TransactionId};
    message.reset();
    message.typ = BINDING_REQUEST;
    message.transaction_id = TransactionId(ID);
    message.write_header();
    message.add(ATTR_USERNAME, USERNAME.as_bytes());
    message.add(ATTR_ICE_CONTROLLING, &TIE_BREAKER.to_be_bytes());
    message.add(ATTR_USE_CANDIDATE, &[]);
    message.add(ATTR_PRIORITY, &PRIORITY.to_be_bytes());
    MessageIntegrity::new_short_term_integrity_with_provider(PASSWORD.into(), crypto)
        .add_to(message)
        .expect("room for it");
    FINGERPRINT.add_to(message).expect("room for it");
}

fn rtc_stun_verify(
    message: &mut rtc_stun::message::Message,
    bytes: &[u8],
    crypto: &dyn rtc_crypto::RTCCrypto,
) -> Read {
    use rtc_stun::attributes::{ATTR_PRIORITY, ATTR_USERNAME};
    use rtc_stun::fingerprint::FINGERPRINT;
    use rtc_stun::integrity::MessageIntegrity;
    message.unmarshal_binary(bytes).ok()?;
    FINGERPRINT.check(message).ok()?;
    MessageIntegrity::check(message, PASSWORD.as_bytes(), crypto).ok()?;
    let username = message.get(ATTR_USERNAME).ok()?;
    let priority = message.get(ATTR_PRIORITY).ok()?;
    let priority = u32::from_be_bytes(priority.try_into().ok()?);
    Some((username.len(), priority))
}

fn stun_build(message: &mut stun::message::Message) {
    use stun::attributes::{
        ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME,
    };
    use stun::fingerprint::FINGERPRINT;
    use stun::integrity::MessageIntegrity;
    use stun::message::{BINDING_REQUEST, Setter};
    message.reset();
    message.typ = BINDING_REQUEST;
    message.transaction_id = stun::agent::TransactionId(ID);
    message.write_header();
    message.add(ATTR_USERNAME, USERNAME.as_bytes());
    message.add(ATTR_ICE_CONTROLLING, &TIE_BREAKER.to_be_bytes());
    message.add(ATTR_USE_CANDIDATE, &[]);
    message.add(ATTR_PRIORITY, &PRIORITY.to_be_bytes());
    MessageIntegrity::new_short_term_integrity(PASSWORD.into())
        .add_to(message)
        .expect("room for it");
    FINGERPRINT.add_to(message).expect("room for it");
}

fn stun_verify(
    message: &mut stun::message::Message,
    bytes: &[u8],
    key: &stun::integrity::MessageIntegrity,
) -> Read {
    use stun::attributes::{ATTR_PRIORITY, ATTR_USERNAME};
    use stun::fingerprint::FINGERPRINT;
    message.unmarshal_binary(bytes).ok()?;
    FINGERPRINT.check(message).ok()?;
    key.check(message).ok()?;
    let username = message.get(ATTR_USERNAME).ok()?;
    let priority = message.get(ATTR_PRIORITY).ok()?;
    let priority = u32::from_be_bytes(priority.try_into().ok()?);
    Some((username.len(), priority))
}

/// stun_codec wants its attributes declared.
mod codec {
    use bytecodec::{DecodeExt, EncodeExt};
    use stun_codec::rfc5245::attributes::{IceControlling, Priority, UseCandidate};
    use stun_codec::rfc5389::attributes::{Fingerprint, MessageIntegrity, Username};
    use stun_codec::rfc5389::methods::BINDING;
    use stun_codec::{
        Message, MessageClass, MessageDecoder, MessageEncoder, TransactionId,
        define_attribute_enums,
    };

    define_attribute_enums!(
        Attribute,
        AttributeDecoder,
        AttributeEncoder,
        [
            Username,
            IceControlling,
            UseCandidate,
            Priority,
            MessageIntegrity,
            Fingerprint
        ]
    );

    pub(super) fn build() -> Vec<u8> {
        let id = TransactionId::new(super::ID);
        let mut message = Message::<Attribute>::new(MessageClass::Request, BINDING, id);
        message.add_attribute(Username::new(super::USERNAME.into()).expect("short enough"));
        message.add_attribute(IceControlling::new(super::TIE_BREAKER));
        message.add_attribute(UseCandidate::new());
        message.add_attribute(Priority::new(super::PRIORITY));
        let integrity = MessageIntegrity::new_short_term_credential(&message, super::PASSWORD);
        message.add_attribute(integrity.expect("it encodes"));
        let fingerprint = Fingerprint::new(&message);
        message.add_attribute(fingerprint.expect("it encodes"));
        MessageEncoder::new()
            .encode_into_bytes(message)
            .expect("it encodes")
    }

    pub(super) fn verify(bytes: &[u8]) -> super::Read {
        // the fingerprint is checked here
        let message = MessageDecoder::<Attribute>::new()
            .decode_from_bytes(bytes)
            .ok()?
            .ok()?;
        let integrity = message.get_attribute::<MessageIntegrity>()?;
        integrity
            .check_short_term_credential(super::PASSWORD)
            .ok()?;
        let username = message.get_attribute::<Username>()?.name().len();
        let priority = message.get_attribute::<Priority>()?.prio();
        Some((username, priority))
    }
}

fn floor_key() -> Hmac<sha1::Sha1> {
    Hmac::new_from_slice(PASSWORD.as_bytes()).expect("any length")
}

/// The MAC alone, its pads ready: what stands before MESSAGE-INTEGRITY, with the length as if FINGERPRINT were not there.
fn floor(key: &Hmac<sha1::Sha1>, message: &[u8]) -> [u8; 20] {
    let mut hmac = key.clone();
    hmac.update(&message[..2]);
    hmac.update(&[0, (LEN - 8 - 20) as u8]);
    hmac.update(&message[4..LEN - 8 - 24]);
    hmac.finalize().into_bytes().into()
}
