//! SRTCP ([RFC 3711 §3.4](https://www.rfc-editor.org/rfc/rfc3711#section-3.4),
//! [RFC 7714 §9](https://www.rfc-editor.org/rfc/rfc7714#section-9)).
//!
//! ```text
//! AES-CM                                   AES-GCM
//! +-------------------------------+        +-------------------------------+
//! | header and SSRC of sender, 8  |        | header and SSRC of sender, 8  |  associated data
//! +-------------------------------+        +-------------------------------+
//! | rest of the compound          | cipher | rest of the compound          |  cipher
//! +-------------------------------+        +-------------------------------+
//! |E|  SRTCP index, 31 bits       |        | tag, 16                       |
//! +-------------------------------+        +-------------------------------+
//! | tag over all of it, 10        |        |E|  SRTCP index, 31 bits       |  associated data
//! +-------------------------------+        +-------------------------------+
//! ```
//!
//! The index counts the compounds of a sender from 0 and travels in the packet.

use rtckit_proto::ReplayWindow;

use crate::Error;
use crate::context::{Cipher, array, split};

/// The length of the E flag and the index in bytes.
pub(crate) const INDEX_LEN: usize = 4;
/// What stays in the clear: the first packet's header and its sender.
const HEADER_LEN: usize = 8;
const E_FLAG: u32 = 1 << 31;
const MAX_INDEX: u32 = E_FLAG - 1;

/// The index that the next compound of a sender gets.
#[derive(Debug, Default)]
pub(crate) struct RtcpSender {
    next: u32,
}

impl RtcpSender {
    pub(crate) fn next_index(&mut self) -> Result<u32, Error> {
        let index = self.next;
        if index > MAX_INDEX {
            return Err(Error::KeyExhausted);
        }
        self.next += 1;
        Ok(index)
    }
}

/// Which indices of a sender were received.
#[derive(Debug, Default)]
pub(crate) struct RtcpReceiver {
    window: ReplayWindow,
}

impl RtcpReceiver {
    pub(crate) fn check(&self, index: u32) -> Result<(), Error> {
        self.window
            .is_new(index.into())
            .then_some(())
            .ok_or(Error::Replayed)
    }

    pub(crate) fn accept(&mut self, index: u32) {
        self.window.accept(index.into());
    }
}

/// How many bytes a compound grows by.
pub(crate) fn overhead(cipher: &Cipher) -> usize {
    cipher.tag_len() + INDEX_LEN
}

/// The SSRC of the compound's first packet: whose keys and index count.
pub(crate) fn sender(packet: &[u8]) -> Result<u32, Error> {
    match packet {
        [first, _, _, _, a, b, c, d, ..] if first >> 6 == 2 => {
            Ok(u32::from_be_bytes([*a, *b, *c, *d]))
        }
        _ => Err(Error::Malformed),
    }
}

/// Protects the compound in `packet`, whose last [`overhead`] bytes are room for tag and index.
pub(crate) fn seal(cipher: &Cipher, ssrc: u32, index: u32, packet: &mut [u8]) -> Result<(), Error> {
    let (header, payload, trailer) = split(packet, HEADER_LEN, overhead(cipher))?;
    let word = (E_FLAG | index).to_be_bytes();
    match cipher {
        Cipher::Cm(keys) => {
            keys.apply(ssrc, index.into(), payload);
            let (index, tag) = trailer.split_at_mut(INDEX_LEN);
            index.copy_from_slice(&word);
            tag.copy_from_slice(&keys.tag(&[header, payload, index]));
        }
        Cipher::Gcm(keys) => {
            let aad = associated(header, word)?;
            let (tag, index_word) = trailer.split_at_mut(cipher.tag_len());
            index_word.copy_from_slice(&word);
            keys.seal(ssrc, index.into(), &aad, payload, tag)?;
        }
    }
    Ok(())
}

/// The associated data of an encrypted compound: the clear header and the word of E flag and index.
fn associated(header: &[u8], word: [u8; INDEX_LEN]) -> Result<[u8; HEADER_LEN + INDEX_LEN], Error> {
    let mut aad = [0; HEADER_LEN + INDEX_LEN];
    let (front, back) = aad.split_at_mut(HEADER_LEN);
    front.copy_from_slice(header.get(..HEADER_LEN).ok_or(Error::Malformed)?);
    back.copy_from_slice(&word);
    Ok(aad)
}

/// An SRTCP packet whose index was read but whose tag was not checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub(crate) index: u32,
    /// The length of the compound inside.
    pub(crate) len: usize,
    encrypted: bool,
    word: [u8; INDEX_LEN],
}

impl Opening {
    pub(crate) fn new(cipher: &Cipher, packet: &[u8]) -> Result<Self, Error> {
        let len = packet
            .len()
            .checked_sub(overhead(cipher))
            .filter(|&len| len >= HEADER_LEN)
            .ok_or(Error::Malformed)?;
        let at = match cipher {
            Cipher::Cm(_) => len,
            Cipher::Gcm(_) => len + cipher.tag_len(),
        };
        let word: [u8; INDEX_LEN] = *packet
            .get(at..)
            .and_then(|rest| rest.first_chunk())
            .ok_or(Error::Malformed)?;
        let number = u32::from_be_bytes(word);
        Ok(Self {
            index: number & MAX_INDEX,
            len,
            encrypted: number & E_FLAG != 0,
            word,
        })
    }

    /// Checks the tag and decrypts what is encrypted.
    pub(crate) fn open(self, cipher: &Cipher, ssrc: u32, packet: &mut [u8]) -> Result<(), Error> {
        let (header, payload, trailer) = split(packet, HEADER_LEN, overhead(cipher))?;
        match cipher {
            Cipher::Cm(keys) => {
                let (index, tag) = trailer.split_at(INDEX_LEN);
                if !keys.verify(&[header, payload, index], array(tag)?) {
                    return Err(Error::Forged);
                }
                if self.encrypted {
                    keys.apply(ssrc, self.index.into(), payload);
                }
                Ok(())
            }
            Cipher::Gcm(keys) => {
                let tag = *array(trailer.get(..cipher.tag_len()).ok_or(Error::Malformed)?)?;
                if self.encrypted {
                    let aad = associated(header, self.word)?;
                    return keys.open(ssrc, self.index.into(), &aad, payload, &tag);
                }
                // RFC 7714 §9.3: everything is associated data, the index behind the compound. The word moves
                // over the tag to make it one slice; nothing behind `len` is read after this.
                let end = self.len + INDEX_LEN;
                let aad = packet.get_mut(..end).ok_or(Error::Malformed)?;
                if let Some(word) = aad.last_chunk_mut() {
                    *word = self.word;
                }
                keys.open(ssrc, self.index.into(), aad, &mut [], &tag)
            }
        }
    }
}
