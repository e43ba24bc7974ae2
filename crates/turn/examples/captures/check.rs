//! One captured message: parsed, verified, and written again.

use rtckit_crypto::mac::HmacSha1;
use rtckit_stun::{
    AttributeType, Class, Message, MessageWriter, StreamFramer, long_term_key, short_term_key,
};
use rtckit_turn::{ChannelData, is_channel_data};

/// What was found in a file.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) messages: usize,
    pub(crate) verified: usize,
    pub(crate) fingerprints: usize,
    pub(crate) channel_data: usize,
    pub(crate) requests: usize,
    pub(crate) streams: usize,
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
            return check(&unhex(hex)?, &key, counts);
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
                check(frame, &key, counts)?;
            }
        }
        Ok(())
    }
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    (0..text.len() / 2 * 2)
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).map_err(|e| e.to_string()))
        .collect()
}

fn check(bytes: &[u8], key: &HmacSha1, counts: &mut Counts) -> Result<(), String> {
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
    if message.has_integrity() {
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
    let written = write_again(&message, key).map_err(|e| e.to_string())?;
    if written != bytes {
        return Err(format!("{message:?} became {written:02x?}"));
    }
    Ok(())
}

/// Every attribute by its name where it has one, integrity and fingerprint computed anew.
fn write_again(message: &Message<'_>, key: &HmacSha1) -> Result<Vec<u8>, rtckit_stun::Error> {
    let mut buf = vec![0xa5; message.as_bytes().len() + 64];
    let id = message.transaction_id();
    let mut writer = MessageWriter::new(&mut buf, message.class(), message.method(), id)?;
    for attribute in message.attributes() {
        let attribute_type = attribute.attribute_type;
        macro_rules! again {
            ($name:ident) => {
                match message.$name() {
                    Some(value) => writer.$name(value)?,
                    None => writer.attribute(attribute_type, attribute.value)?,
                }
            };
        }
        match attribute_type {
            AttributeType::MESSAGE_INTEGRITY => writer.integrity(key)?,
            AttributeType::FINGERPRINT => writer.fingerprint()?,
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
            AttributeType::USE_CANDIDATE => writer.use_candidate()?,
            _ => writer.attribute(attribute_type, attribute.value)?,
        }
    }
    let len = writer.finish();
    buf.truncate(len);
    Ok(buf)
}
