//! One captured message: parsed, verified, and written again.

use std::collections::BTreeMap;

use rtckit_crypto::mac::HmacSha1;
use rtckit_stun::{
    AttributeType, Class, Message, MessageWriter, StreamFramer, long_term_key, short_term_key,
};
use rtckit_turn::{ChannelData, is_channel_data};

/// What was found in a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) messages: usize,
    pub(crate) verified: usize,
    pub(crate) fingerprints: usize,
    pub(crate) channel_data: usize,
    pub(crate) requests: usize,
    pub(crate) streams: usize,
    /// Attributes written as they came, for want of a typed form.
    pub(crate) untyped: BTreeMap<AttributeType, usize>,
}

/// Knows the user of the TURN server.
pub(crate) struct Checker {
    long_term: HmacSha1,
}

impl Checker {
    pub(crate) fn new(username: &str, realm: &str, password: &str) -> Self {
        Self {
            long_term: long_term_key(username, realm, password),
        }
    }

    /// A line of JSON.
    pub(crate) fn check_line(&self, line: &str, counts: &mut Counts) -> Result<(), String> {
        let fields: serde_json::Value = serde_json::from_str(line).map_err(|e| e.to_string())?;
        let key = match fields["password"].as_str() {
            Some(password) => short_term_key(password),
            None => self.long_term.clone(),
        };
        if let Some(hex) = fields["hex"].as_str() {
            return check(&unhex(hex)?, Some(&key), counts);
        }
        let Some(hex) = fields["stream_prefix_hex"].as_str() else {
            return Err("neither a message nor a stream".into());
        };
        counts.streams += 1;
        let mut framer = StreamFramer::new(65_555);
        // in small reads, as a slow stream would bring it
        for read in unhex(hex)?.chunks_mut(100) {
            let mut frames = framer.frames(read);
            while let Some(frame) = frames.next().map_err(|e| e.to_string())? {
                check(frame, Some(&key), counts)?;
            }
        }
        Ok(())
    }
}

/// A message of somebody whose password is not known, and whose padding may be anything, as RFC 5389 had it.
pub(crate) fn check_unverified(bytes: &[u8], counts: &mut Counts) -> Result<(), String> {
    check(bytes, None, counts)
}

pub(crate) fn unhex(text: &str) -> Result<Vec<u8>, String> {
    (0..text.len() / 2 * 2)
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).map_err(|e| e.to_string()))
        .collect()
}

fn check(bytes: &[u8], key: Option<&HmacSha1>, counts: &mut Counts) -> Result<(), String> {
    if is_channel_data(bytes) {
        let data = ChannelData::parse(bytes).map_err(|e| e.to_string())?;
        let header = ChannelData::header(data.channel, data.payload.len());
        let header = header.ok_or("too long")?;
        if bytes[..4] != header {
            return Err("the header of ChannelData differs".into());
        }
        counts.channel_data += 1;
        return Ok(());
    }
    let message = Message::parse(bytes).map_err(|e| e.to_string())?;
    counts.messages += 1;
    counts.requests += usize::from(message.class() == Class::Request);
    if let Some(key) = key.filter(|_| message.has_integrity()) {
        if !message.verify_integrity(key) {
            return Err("MESSAGE-INTEGRITY was made with another password".into());
        }
        counts.verified += 1;
    }
    match message.verify_fingerprint() {
        Some(false) => return Err("FINGERPRINT is wrong".into()),
        Some(true) => counts.fingerprints += 1,
        None => {}
    }
    let written = write_again(&message, key, counts)?;
    let expected = match key {
        Some(_) => bytes.to_vec(),
        None => with_zero_padding(bytes),
    };
    if written != expected {
        return Err(format!("{message:?} became {written:02x?}"));
    }
    Ok(())
}

/// The message as RFC 8489 has it padded; it was parsed already.
fn with_zero_padding(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut at = 20;
    while let Some([_, _, high, low]) = bytes.get(at..at + 4) {
        let end = at + 4 + usize::from(u16::from_be_bytes([*high, *low]));
        at = end.next_multiple_of(4);
        bytes[end..at].fill(0);
    }
    bytes
}

/// Every attribute through its typed form where it has one, integrity and fingerprint computed anew. An attribute that
/// its typed getter does not find is an error.
fn write_again(
    message: &Message<'_>,
    key: Option<&HmacSha1>,
    counts: &mut Counts,
) -> Result<Vec<u8>, String> {
    let failed = |error: rtckit_stun::Error| error.to_string();
    let mut buf = vec![0xa5; message.as_bytes().len() + 64];
    let id = message.transaction_id();
    let writer = MessageWriter::new(&mut buf, message.class(), message.method(), id);
    let mut writer = writer.map_err(failed)?;
    for attribute in message.attributes() {
        let attribute_type = attribute.attribute_type;
        macro_rules! again {
            ($name:ident) => {
                match message.$name() {
                    Some(value) => writer.$name(value),
                    None => return Err(format!("{attribute_type:?} is there and is not read")),
                }
            };
        }
        let mut as_it_came = || {
            *counts.untyped.entry(attribute_type).or_default() += 1;
            writer.attribute(attribute_type, attribute.value)
        };
        let written = match attribute_type {
            AttributeType::MESSAGE_INTEGRITY => match key {
                Some(key) => writer.integrity(key),
                None => as_it_came(),
            },
            // it covers the padding
            AttributeType::FINGERPRINT if key.is_none() => as_it_came(),
            AttributeType::FINGERPRINT => writer.fingerprint(),
            AttributeType::USERNAME => again!(username),
            AttributeType::REALM => again!(realm),
            AttributeType::NONCE => again!(nonce),
            AttributeType::SOFTWARE => again!(software),
            AttributeType::ERROR_CODE => again!(error_code),
            AttributeType::DATA => again!(data),
            AttributeType::LIFETIME => again!(lifetime),
            AttributeType::CHANNEL_NUMBER => again!(channel_number),
            AttributeType::REQUESTED_TRANSPORT => again!(requested_transport),
            AttributeType::XOR_PEER_ADDRESS => again!(xor_peer_address),
            AttributeType::XOR_RELAYED_ADDRESS => again!(xor_relayed_address),
            AttributeType::XOR_MAPPED_ADDRESS => again!(xor_mapped_address),
            AttributeType::MAPPED_ADDRESS => again!(mapped_address),
            AttributeType::RESPONSE_ORIGIN => again!(response_origin),
            AttributeType::OTHER_ADDRESS => again!(other_address),
            AttributeType::PRIORITY => again!(priority),
            AttributeType::ICE_CONTROLLED => again!(ice_controlled),
            AttributeType::ICE_CONTROLLING => again!(ice_controlling),
            AttributeType::GOOG_NETWORK_INFO => again!(network_info),
            AttributeType::USE_CANDIDATE if message.use_candidate() => writer.use_candidate(),
            _ => as_it_came(),
        };
        written.map_err(failed)?;
    }
    let len = writer.finish();
    buf.truncate(len);
    Ok(buf)
}
