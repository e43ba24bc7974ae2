//! One direction of SRTP: keys and streams
//! ([RFC 3711 §3.1](https://www.rfc-editor.org/rfc/rfc3711#section-3.1),
//! [RFC 7714 §8.2](https://www.rfc-editor.org/rfc/rfc7714#section-8.2)).
//!
//! ```text
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+ <+
//! |            RTP header with CSRCs and extension                |  |
//! +>+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+  |
//! | |                      payload, padding                         |  |
//! +>+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+ <+
//! | ~                 tag: 10 bytes (CM) or 16 (GCM)                ~  |
//! | +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+  |
//! +- encrypted                                        authenticated -+
//! ```

use rtckit_proto::SrtpProfile;
use rtckit_rtp::Packet;

use crate::Error;
use crate::aes_cm::{self, AesCm};
use crate::aes_gcm::{self, AesGcm};
use crate::kdf::{Labels, Master};
use crate::rtcp::{self, RtcpReceiver, RtcpSender};
use crate::stream::{Fingerprint, RtpReceiver, RtpSender, Streams};

/// The session keys of one direction of RTP or RTCP.
#[derive(Debug)]
pub(crate) enum Cipher {
    Cm(AesCm),
    Gcm(AesGcm),
}

impl Cipher {
    fn derive(profile: SrtpProfile, master: &Master, labels: Labels) -> Self {
        match profile {
            SrtpProfile::AeadAes128Gcm => Self::Gcm(AesGcm::derive(master, labels)),
            _ => Self::Cm(AesCm::derive(master, labels)),
        }
    }

    pub(crate) fn tag_len(&self) -> usize {
        match self {
            Self::Cm(_) => aes_cm::TAG_LEN,
            Self::Gcm(_) => aes_gcm::TAG_LEN,
        }
    }

    /// Protects the RTP packet in `packet`, whose last `tag_len` bytes are room for the tag; returns the tag's front.
    fn seal_rtp(
        &self,
        ssrc: u32,
        index: u64,
        header_len: usize,
        packet: &mut [u8],
    ) -> Result<Fingerprint, Error> {
        let (header, payload, tag) = split(packet, header_len, self.tag_len())?;
        match self {
            Self::Cm(keys) => {
                keys.apply(ssrc, index, payload);
                tag.copy_from_slice(&keys.tag(&[header, payload, &roll_over_counter(index)]));
            }
            Self::Gcm(keys) => keys.seal(ssrc, index, header, payload, tag)?,
        }
        tag.first_chunk().copied().ok_or(Error::Malformed)
    }

    /// Checks and opens the RTP packet in `packet`, tag included.
    fn open_rtp(
        &self,
        ssrc: u32,
        index: u64,
        header_len: usize,
        packet: &mut [u8],
    ) -> Result<(), Error> {
        let (header, payload, tag) = split(packet, header_len, self.tag_len())?;
        match self {
            Self::Cm(keys) => {
                let parts = [&*header, &*payload, &roll_over_counter(index)];
                if !keys.verify(&parts, array(tag)?) {
                    return Err(Error::Forged);
                }
                keys.apply(ssrc, index, payload);
                Ok(())
            }
            Self::Gcm(keys) => keys.open(ssrc, index, header, payload, array(tag)?),
        }
    }
}

/// The ROC of a packet index, as the tag of AES-CM covers it.
fn roll_over_counter(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

/// A tag of the length that its cipher wants.
pub(crate) fn array<const N: usize>(tag: &[u8]) -> Result<&[u8; N], Error> {
    tag.try_into().map_err(|_| Error::Malformed)
}

/// A packet cut into header, payload and tag, in this order.
type Parts<'p> = (&'p mut [u8], &'p mut [u8], &'p mut [u8]);

/// Cuts `packet` behind its header and in front of its last `tag_len` bytes.
pub(crate) fn split(
    packet: &mut [u8],
    header_len: usize,
    tag_len: usize,
) -> Result<Parts<'_>, Error> {
    let (header, rest) = packet
        .split_at_mut_checked(header_len)
        .ok_or(Error::Malformed)?;
    let payload_len = rest.len().checked_sub(tag_len).ok_or(Error::Malformed)?;
    let (payload, tag) = rest.split_at_mut(payload_len);
    Ok((header, payload, tag))
}

/// The session keys of one direction.
#[derive(Debug)]
struct Keys {
    rtp: Cipher,
    rtcp: Cipher,
}

impl Keys {
    fn derive(profile: SrtpProfile, key: &[u8], salt: &[u8]) -> Result<Self, Error> {
        let key = key.try_into().map_err(|_| Error::KeyLength)?;
        if salt.len() != profile.salt_len() {
            return Err(Error::KeyLength);
        }
        let master = Master::new(key, salt);
        Ok(Self {
            rtp: Cipher::derive(profile, &master, Labels::RTP),
            rtcp: Cipher::derive(profile, &master, Labels::RTCP),
        })
    }
}

/// How many bytes SRTP adds to an RTP packet: its tag.
pub const fn rtp_overhead(profile: SrtpProfile) -> usize {
    match profile {
        SrtpProfile::AeadAes128Gcm => aes_gcm::TAG_LEN,
        _ => aes_cm::TAG_LEN,
    }
}

/// How many bytes SRTCP adds to a compound RTCP packet: its tag, the E flag and the index.
pub const fn rtcp_overhead(profile: SrtpProfile) -> usize {
    rtp_overhead(profile) + rtcp::INDEX_LEN
}

/// Protects what one side sends, on all of its streams.
///
/// No two different packets leave it under one index, whatever the caller does: two of them would betray the
/// keystream, and with AES-GCM the key that authenticates. A retransmission of the very bytes comes out the same;
/// another packet under a number that was used, or one too old to tell, is [`Error::IndexReused`]. What is
/// remembered for that is 8 kB for each SSRC, allocated with its first packet.
#[derive(Debug)]
pub struct SendContext {
    keys: Keys,
    rtp: Streams<RtpSender>,
    rtcp: Streams<RtcpSender>,
}

impl SendContext {
    /// A context for `profile` with the master key and salt of the sending side, as DTLS exports them
    /// ([RFC 5764 §4.2](https://www.rfc-editor.org/rfc/rfc5764#section-4.2)). All session keys are derived here,
    /// once. Fails with [`Error::KeyLength`] alone.
    pub fn new(profile: SrtpProfile, key: &[u8], salt: &[u8]) -> Result<Self, Error> {
        Ok(Self {
            keys: Keys::derive(profile, key, salt)?,
            rtp: Streams::default(),
            rtcp: Streams::default(),
        })
    }

    /// Protects the RTP packet in `buf[..len]` in place, appends the tag and returns the new length.
    ///
    /// `buf` needs [`rtp_overhead`] bytes more than the packet. After [`Error::IndexReused`] it holds the packet
    /// as it was, or zeros.
    pub fn protect_rtp(&mut self, buf: &mut [u8], len: usize) -> Result<usize, Error> {
        let end = len + self.keys.rtp.tag_len();
        let buf = buf.get_mut(..end).ok_or(Error::BufferTooSmall)?;
        let plain = buf.get(..len).ok_or(Error::BufferTooSmall)?;
        let packet = Packet::parse_protected(plain).map_err(|_| Error::Malformed)?;
        let (ssrc, sequence_number, header_len) = fields(&packet);
        let stream = self.rtp.find_or_insert(ssrc)?;
        let index = stream.index(sequence_number)?;
        let fingerprint = self.keys.rtp.seal_rtp(ssrc, index, header_len, buf)?;
        stream
            .accept(sequence_number, index, fingerprint)
            // nobody may see a second packet under the same keystream, not even the caller
            .inspect_err(|_| buf.fill(0))?;
        Ok(end)
    }

    /// Protects the compound RTCP packet in `buf[..len]` in place, appends tag and index, returns the new length.
    ///
    /// `buf` needs [`rtcp_overhead`] bytes more than the packet.
    pub fn protect_rtcp(&mut self, buf: &mut [u8], len: usize) -> Result<usize, Error> {
        let end = len + rtcp::overhead(&self.keys.rtcp);
        let buf = buf.get_mut(..end).ok_or(Error::BufferTooSmall)?;
        let ssrc = rtcp::sender(buf.get(..len).ok_or(Error::BufferTooSmall)?)?;
        let index = self.rtcp.find_or_insert(ssrc)?.next_index()?;
        rtcp::seal(&self.keys.rtcp, ssrc, index, buf)?;
        Ok(end)
    }
}

/// Opens what one side receives, on all of its streams.
///
/// It drops what was received before ([RFC 3711 §3.3.2](https://www.rfc-editor.org/rfc/rfc3711#section-3.3.2)),
/// and makes state for an SSRC only after a packet of it was authenticated.
#[derive(Debug)]
pub struct ReceiveContext {
    keys: Keys,
    rtp: Streams<RtpReceiver>,
    rtcp: Streams<RtcpReceiver>,
}

impl ReceiveContext {
    /// A context for `profile` with the master key and salt of the side that sends. Fails with
    /// [`Error::KeyLength`] alone.
    pub fn new(profile: SrtpProfile, key: &[u8], salt: &[u8]) -> Result<Self, Error> {
        Ok(Self {
            keys: Keys::derive(profile, key, salt)?,
            rtp: Streams::default(),
            rtcp: Streams::default(),
        })
    }

    /// Checks the SRTP packet `packet`, decrypts it in place and returns the length of the RTP packet, which
    /// is its front.
    pub fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<usize, Error> {
        let view = Packet::parse_protected(packet).map_err(|_| Error::Malformed)?;
        let (ssrc, sequence_number, header_len) = fields(&view);
        let len = packet
            .len()
            .checked_sub(self.keys.rtp.tag_len())
            .filter(|&len| len >= header_len)
            .ok_or(Error::Malformed)?;
        if let Some(stream) = self.rtp.find(ssrc) {
            let index = stream.index(sequence_number)?;
            self.keys.rtp.open_rtp(ssrc, index, header_len, packet)?;
            stream.accept(sequence_number, index);
        } else {
            // the first packet of a stream: its ROC is 0, and it must be authentic to leave a trace
            let index = sequence_number.into();
            self.keys.rtp.open_rtp(ssrc, index, header_len, packet)?;
            self.rtp
                .find_or_insert(ssrc)?
                .accept(sequence_number, index);
        }
        Ok(len)
    }

    /// Checks the SRTCP packet `packet`, decrypts it in place and returns the length of the compound RTCP
    /// packet, which is its front.
    ///
    /// A packet whose E flag says that it is not encrypted is opened all the same, since it is authenticated.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Error> {
        let ssrc = rtcp::sender(packet)?;
        let opening = rtcp::Opening::new(&self.keys.rtcp, packet)?;
        if let Some(stream) = self.rtcp.find(ssrc) {
            stream.check(opening.index)?;
            opening.open(&self.keys.rtcp, ssrc, packet)?;
            stream.accept(opening.index);
        } else {
            opening.open(&self.keys.rtcp, ssrc, packet)?;
            self.rtcp.find_or_insert(ssrc)?.accept(opening.index);
        }
        Ok(opening.len)
    }

    /// How many SSRCs have sent an authentic RTP packet; at most [`MAX_STREAMS`](crate::MAX_STREAMS).
    pub fn streams(&self) -> usize {
        self.rtp.len()
    }
}

fn fields(packet: &Packet<'_>) -> (u32, u16, usize) {
    (
        packet.ssrc().0,
        packet.sequence_number(),
        packet.header_len(),
    )
}
