//! Sealing and opening records with AES-128-GCM
//! ([RFC 5288 §3](https://www.rfc-editor.org/rfc/rfc5288#section-3)).

use core::ops::Range;

use rtckit_crypto::aead::{AesGcm, NONCE_LEN, TAG_LEN};
use rtckit_crypto::provider::Provider;
use rtckit_proto::{ReplayWindow, Writer};

use super::view::{ContentType, MAX_FRAGMENT_LEN, RecordHeader};
use crate::error::Misuse;
use crate::key_schedule::TrafficKey;

/// The part of the nonce that travels: epoch and sequence number.
const EXPLICIT_NONCE_LEN: usize = 8;

/// What precedes the payload of a protected record.
const SEALED_HEAD: usize = RecordHeader::LEN + EXPLICIT_NONCE_LEN;

const MAX_SEQUENCE: u64 = (1 << 48) - 1;

/// One direction's cipher.
#[derive(Debug)]
struct Cipher {
    aes: AesGcm,
    iv: [u8; 4],
}

impl Cipher {
    fn new(provider: &Provider, traffic: &TrafficKey) -> Self {
        Self {
            aes: provider.aes_128_gcm(traffic.key.as_ref()),
            iv: traffic.iv,
        }
    }

    fn nonce(&self, explicit: [u8; EXPLICIT_NONCE_LEN]) -> [u8; NONCE_LEN] {
        let mut nonce = [0; NONCE_LEN];
        nonce[..4].copy_from_slice(&self.iv);
        nonce[4..].copy_from_slice(&explicit);
        nonce
    }
}

/// What is authenticated beside the payload
/// ([RFC 5246 §6.2.3.3](https://www.rfc-editor.org/rfc/rfc5246#section-6.2.3.3)).
fn additional_data(header: &RecordHeader, plain_len: usize) -> [u8; 13] {
    let mut aad = [0; 13];
    aad[..8].copy_from_slice(&header.number());
    aad[8] = header.content_type.0;
    aad[9..11].copy_from_slice(&header.version.to_be_bytes());
    aad[11..].copy_from_slice(&(plain_len as u16).to_be_bytes());
    aad
}

/// Opens the peer's records of epoch 1, each once.
#[derive(Debug)]
pub(crate) struct Opener {
    cipher: Cipher,
    replay: ReplayWindow,
}

impl Opener {
    pub(crate) fn new(provider: &Provider, traffic: &TrafficKey) -> Self {
        Self {
            cipher: Cipher::new(provider, traffic),
            replay: ReplayWindow::default(),
        }
    }

    /// Decrypts a record's fragment in place and returns where in it the plaintext is; `None` when the record is
    /// forged, or was seen before.
    pub(crate) fn open(
        &mut self,
        header: &RecordHeader,
        fragment: &mut [u8],
    ) -> Option<Range<usize>> {
        if !self.replay.is_new(header.sequence) {
            return None;
        }
        let (explicit, sealed) = fragment.split_first_chunk_mut::<EXPLICIT_NONCE_LEN>()?;
        let plain_len = sealed.len().checked_sub(TAG_LEN)?;
        if plain_len > MAX_FRAGMENT_LEN {
            return None;
        }
        let nonce = self.cipher.nonce(*explicit);
        let aad = additional_data(header, plain_len);
        self.cipher.aes.open_with_tag(&nonce, &aad, sealed).ok()?;
        self.replay.accept(header.sequence);
        Some(EXPLICIT_NONCE_LEN..EXPLICIT_NONCE_LEN + plain_len)
    }
}

/// Writes records: in the clear in epoch 0, sealed in epoch 1.
#[derive(Debug, Default)]
pub(crate) struct RecordLayer {
    /// The next sequence number of each epoch.
    next: [u64; 2],
    sealer: Option<Cipher>,
}

impl RecordLayer {
    /// Makes epoch 1 writable.
    pub(crate) fn install(&mut self, provider: &Provider, traffic: &TrafficKey) {
        self.sealer = Some(Cipher::new(provider, traffic));
    }

    /// How many bytes stand before and after the payload of a record.
    pub(crate) const fn overhead(epoch: u16) -> (usize, usize) {
        match epoch {
            0 => (RecordHeader::LEN, 0),
            _ => (SEALED_HEAD, TAG_LEN),
        }
    }

    /// Completes the record whose payload of `len` bytes already stands in `buf` behind
    /// [`overhead`](Self::overhead)'s head. Returns the length of the record.
    pub(crate) fn seal(
        &mut self,
        epoch: u16,
        version: u16,
        content_type: ContentType,
        buf: &mut [u8],
        len: usize,
    ) -> Result<usize, Misuse> {
        let (head, tail) = Self::overhead(epoch);
        if len > MAX_FRAGMENT_LEN {
            return Err(Misuse::PayloadTooLarge);
        }
        let total = head + len + tail;
        let buf = buf.get_mut(..total).ok_or(Misuse::BufferTooSmall)?;
        let next = self
            .next
            .get_mut(usize::from(epoch))
            .ok_or(Misuse::NotConnected)?;
        if *next > MAX_SEQUENCE {
            return Err(Misuse::OutOfSequenceNumbers);
        }
        let header = RecordHeader {
            content_type,
            version,
            epoch,
            sequence: *next,
            length: (total - RecordHeader::LEN) as u16,
        };
        let mut writer = Writer::new(buf);
        header
            .write(&mut writer)
            .map_err(|_| Misuse::BufferTooSmall)?;
        if epoch > 0 {
            let cipher = self.sealer.as_ref().ok_or(Misuse::NotConnected)?;
            let explicit = header.number();
            writer
                .bytes(&explicit)
                .map_err(|_| Misuse::BufferTooSmall)?;
            let (payload, tag) = buf[head..].split_at_mut(len);
            let aad = additional_data(&header, len);
            let tag = tag.try_into().map_err(|_| Misuse::BufferTooSmall)?;
            cipher
                .aes
                .seal(&cipher.nonce(explicit), &aad, payload, tag)
                .map_err(|_| Misuse::PayloadTooLarge)?;
        }
        *next += 1;
        Ok(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::version::DTLS_1_2;
    use rtckit_crypto::secret::Secret;

    fn pair() -> (RecordLayer, Opener) {
        let provider = Provider::ring();
        let traffic = TrafficKey {
            key: Secret::from([7; 16]),
            iv: [1, 2, 3, 4],
        };
        let mut layer = RecordLayer::default();
        layer.install(&provider, &traffic);
        (layer, Opener::new(&provider, &traffic))
    }

    fn sealed(layer: &mut RecordLayer, payload: &[u8]) -> Vec<u8> {
        let mut buf = vec![0xa5; 100];
        buf[21..21 + payload.len()].copy_from_slice(payload);
        let len = layer
            .seal(
                1,
                DTLS_1_2,
                ContentType::APPLICATION_DATA,
                &mut buf,
                payload.len(),
            )
            .unwrap();
        buf.truncate(len);
        buf
    }

    fn open(opener: &mut Opener, record: &[u8]) -> Option<Vec<u8>> {
        let header = RecordHeader::parse(record).ok()?;
        let fragment = &record[RecordHeader::LEN..][..header.length.into()];
        let mut fragment = fragment.to_vec();
        let plain = opener.open(&header, &mut fragment)?;
        Some(fragment[plain].to_vec())
    }

    #[test]
    fn a_record_opens_once() {
        let (mut layer, mut opener) = pair();
        let first = sealed(&mut layer, b"one");
        let second = sealed(&mut layer, b"");
        assert_eq!(open(&mut opener, &second).unwrap(), b"");
        assert_eq!(open(&mut opener, &first).unwrap(), b"one");
        assert_eq!(open(&mut opener, &first), None, "a replay");
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let (mut layer, mut opener) = pair();
        let record = sealed(&mut layer, b"payload");
        for bit in 0..record.len() * 8 {
            let mut forged = record.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&mut opener, &forged), None, "bit {bit}");
        }
        assert!(
            open(&mut opener, &record).is_some(),
            "none moved the window"
        );
        for len in 0..record.len() {
            assert_eq!(open(&mut opener, &record[..len]), None);
        }
    }

    #[test]
    fn sequence_numbers_end() {
        let (mut layer, _) = pair();
        layer.next[1] = MAX_SEQUENCE;
        let mut buf = [0; 64];
        let mut seal = || layer.seal(1, DTLS_1_2, ContentType::ALERT, &mut buf, 2);
        assert_eq!(seal(), Ok(39));
        assert_eq!(seal(), Err(Misuse::OutOfSequenceNumbers));
    }
}
