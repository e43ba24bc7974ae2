//! SRTP (RFC 3711, RFC 7714): one stream in sequence, the replay window on where it opens packets.
//!
//! A packet has the header browsers send, 24 bytes with two extensions. What a library takes and gives is up to it: it is
//! paid for writing in place, and pays for a buffer of its own. str0m's contexts are not public, so str0m is not here.

use std::hint::black_box;

use aes::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};
use bytes::{Bytes, BytesMut};
use hmac::{Hmac, Mac};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rtckit_proto::SrtpProfile;
use rtckit_srtp::{ReceiveContext, SendContext};

use crate::harness::{Meter, Work};

const RIVAL_WEBRTC_SRTP: &str = "webrtc-srtp 0.17.2";
const RIVAL_RTC_SRTP: &str = "rtc-srtp 0.21.1";

const KEY: [u8; 16] = [7; 16];
const SALT: [u8; 14] = [9; 14];
const HEADER_LEN: usize = 24;
/// Room behind a packet for all that any library wants there.
const TRAILER: usize = 160;
/// Packets that are made before as many are timed: what a burst may be.
const BATCH: usize = 64;
/// As large for all who can set it.
const REPLAY_WINDOW: usize = 1024;

const PROFILES: [SrtpProfile; 2] = [SrtpProfile::Aes128CmHmacSha1_80, SrtpProfile::AeadAes128Gcm];
const LENS: [usize; 2] = [1200, 160];

/// A packet that came out: where it went in, or in a buffer of its own.
enum Packet<'a> {
    InPlace(&'a [u8]),
    Bytes(Bytes),
    BytesMut(BytesMut),
}

impl AsRef<[u8]> for Packet<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::InPlace(bytes) => bytes,
            Self::Bytes(bytes) => bytes,
            Self::BytesMut(bytes) => bytes,
        }
    }
}

/// Both directions of one library.
trait Srtp {
    /// Protects the first `len` bytes; there are [`TRAILER`] more.
    fn protect<'a>(&mut self, packet: &'a mut [u8], len: usize) -> Packet<'a>;
    /// Opens a packet that is as long as `packet`.
    fn unprotect<'a>(&mut self, packet: &'a mut [u8]) -> Packet<'a>;
}

struct Rtckit(SendContext, ReceiveContext);

impl Rtckit {
    fn new(profile: SrtpProfile) -> Self {
        let salt = &SALT[..profile.salt_len()];
        Self(
            SendContext::new(profile, &KEY, salt).expect("keys of the right length"),
            ReceiveContext::new(profile, &KEY, salt).expect("keys of the right length"),
        )
    }
}

impl Srtp for Rtckit {
    fn protect<'a>(&mut self, packet: &'a mut [u8], len: usize) -> Packet<'a> {
        let len = self.0.protect_rtp(packet, len).expect("a packet");
        Packet::InPlace(&packet[..len])
    }

    fn unprotect<'a>(&mut self, packet: &'a mut [u8]) -> Packet<'a> {
        let len = self.1.unprotect_rtp(packet).expect("authentic");
        Packet::InPlace(&packet[..len])
    }
}

struct WebrtcSrtp(webrtc_srtp::context::Context, webrtc_srtp::context::Context);

impl WebrtcSrtp {
    fn new(profile: SrtpProfile) -> Self {
        use webrtc_srtp::context::Context;
        use webrtc_srtp::option::srtp_replay_protection;
        use webrtc_srtp::protection_profile::ProtectionProfile;

        let salt = &SALT[..profile.salt_len()];
        let profile = match profile {
            SrtpProfile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
            _ => ProtectionProfile::Aes128CmHmacSha1_80,
        };
        let window = Some(srtp_replay_protection(REPLAY_WINDOW));
        Self(
            Context::new(&KEY, salt, profile, None, None).expect("keys"),
            Context::new(&KEY, salt, profile, window, None).expect("keys"),
        )
    }
}

impl Srtp for WebrtcSrtp {
    fn protect<'a>(&mut self, packet: &'a mut [u8], len: usize) -> Packet<'a> {
        Packet::Bytes(self.0.encrypt_rtp(&packet[..len]).expect("a packet"))
    }

    fn unprotect<'a>(&mut self, packet: &'a mut [u8]) -> Packet<'a> {
        Packet::Bytes(self.1.decrypt_rtp(packet).expect("authentic"))
    }
}

struct RtcSrtp(rtc_srtp::context::Context, rtc_srtp::context::Context);

impl RtcSrtp {
    fn new(profile: SrtpProfile) -> Self {
        use rtc_srtp::context::Context;
        use rtc_srtp::option::srtp_replay_protection;
        use rtc_srtp::protection_profile::ProtectionProfile;

        let salt = &SALT[..profile.salt_len()];
        let profile = match profile {
            SrtpProfile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
            _ => ProtectionProfile::Aes128CmHmacSha1_80,
        };
        let window = Some(srtp_replay_protection(REPLAY_WINDOW));
        let provider = rtc_crypto::default_provider().expect("ring");
        let crypto = provider.crypto();
        Self(
            Context::new(&KEY, salt, profile, None, None, crypto).expect("keys"),
            Context::new(&KEY, salt, profile, window, None, crypto).expect("keys"),
        )
    }
}

impl Srtp for RtcSrtp {
    fn protect<'a>(&mut self, packet: &'a mut [u8], len: usize) -> Packet<'a> {
        Packet::BytesMut(self.0.encrypt_rtp(&packet[..len]).expect("a packet"))
    }

    fn unprotect<'a>(&mut self, packet: &'a mut [u8]) -> Packet<'a> {
        Packet::BytesMut(self.1.decrypt_rtp(packet).expect("authentic"))
    }
}

#[cfg(feature = "libsrtp")]
struct Libsrtp(crate::libsrtp::Session, crate::libsrtp::Session);

#[cfg(feature = "libsrtp")]
impl Libsrtp {
    fn new(profile: SrtpProfile) -> Self {
        let gcm = profile == SrtpProfile::AeadAes128Gcm;
        let key = [&KEY, &SALT[..profile.salt_len()]].concat();
        let session = |inbound| {
            crate::libsrtp::Session::new(gcm, inbound, &key).expect("libsrtp knows the profile")
        };
        Self(session(false), session(true))
    }
}

#[cfg(feature = "libsrtp")]
impl Srtp for Libsrtp {
    fn protect<'a>(&mut self, packet: &'a mut [u8], len: usize) -> Packet<'a> {
        let len = self.0.protect(packet, len).expect("a packet");
        Packet::InPlace(&packet[..len])
    }

    fn unprotect<'a>(&mut self, packet: &'a mut [u8]) -> Packet<'a> {
        let len = self.1.unprotect(packet).expect("authentic");
        Packet::InPlace(&packet[..len])
    }
}

/// The bare cryptography of a packet, keys ready: no header read, no rollover, no replay, nonces made up.
enum Floor {
    Gcm(Box<LessSafeKey>),
    Cm(Box<aes::Aes128>, Box<Hmac<sha1::Sha1>>),
}

impl Floor {
    fn new(profile: SrtpProfile) -> Self {
        match profile {
            SrtpProfile::AeadAes128Gcm => {
                let key = UnboundKey::new(&AES_128_GCM, &KEY).expect("a key");
                Self::Gcm(Box::new(LessSafeKey::new(key)))
            }
            _ => Self::Cm(
                Box::new(aes::Aes128::new(&KEY.into())),
                Box::new(Hmac::new_from_slice(&[7; 20]).expect("any length")),
            ),
        }
    }

    fn encrypt(aes: &aes::Aes128, payload: &mut [u8]) {
        let iv = [5; 16].into();
        let core = ctr::CtrCore::<_, ctr::flavors::Ctr128BE>::inner_iv_init(aes, &iv);
        StreamCipherCoreWrapper::from_core(core).apply_keystream(payload);
    }

    fn tag(hmac: &Hmac<sha1::Sha1>, packet: &[u8]) -> [u8; 20] {
        let mut hmac = hmac.clone();
        hmac.update(packet);
        hmac.update(&[0; 4]);
        hmac.finalize().into_bytes().into()
    }

    fn nonce() -> Nonce {
        Nonce::assume_unique_for_key([5; 12])
    }
}

impl Srtp for Floor {
    fn protect<'a>(&mut self, packet: &'a mut [u8], len: usize) -> Packet<'a> {
        let (header, payload) = packet.split_at_mut(HEADER_LEN);
        let (payload, trailer) = payload.split_at_mut(len - HEADER_LEN);
        let tag_len = match self {
            Self::Gcm(key) => {
                let tag = key
                    .seal_in_place_separate_tag(Self::nonce(), Aad::from(header), payload)
                    .expect("a packet");
                trailer[..16].copy_from_slice(tag.as_ref());
                16
            }
            Self::Cm(aes, hmac) => {
                Self::encrypt(aes, payload);
                let tag = Self::tag(hmac, &packet[..len]);
                packet[len..len + 10].copy_from_slice(&tag[..10]);
                10
            }
        };
        Packet::InPlace(&packet[..len + tag_len])
    }

    fn unprotect<'a>(&mut self, packet: &'a mut [u8]) -> Packet<'a> {
        let len = match self {
            Self::Gcm(key) => {
                let (header, sealed) = packet.split_at_mut(HEADER_LEN);
                let opened = key.open_in_place(Self::nonce(), Aad::from(header), sealed);
                HEADER_LEN + opened.expect("authentic").len()
            }
            Self::Cm(aes, hmac) => {
                let len = packet.len() - 10;
                let (message, found) = packet.split_at_mut(len);
                let tag = Self::tag(hmac, message);
                assert_eq!(&tag[..10], found, "authentic");
                Self::encrypt(aes, &mut message[HEADER_LEN..]);
                len
            }
        };
        Packet::InPlace(&packet[..len])
    }
}

/// Who takes part: a name, whose cryptography, and how to make one.
struct Maker {
    who: &'static str,
    crypto: &'static str,
    make: fn(SrtpProfile) -> Box<dyn Srtp>,
}

fn ours(profile: SrtpProfile) -> Maker {
    Maker {
        who: "rtckit",
        crypto: default_crypto(profile),
        make: |profile| Box::new(Rtckit::new(profile)),
    }
}

fn floor(profile: SrtpProfile) -> Maker {
    Maker {
        who: match profile {
            SrtpProfile::AeadAes128Gcm => "AES-GCM",
            _ => "AES-CTR and HMAC-SHA1",
        },
        crypto: default_crypto(profile),
        make: |profile| Box::new(Floor::new(profile)),
    }
}

fn rivals(profile: SrtpProfile) -> Vec<Maker> {
    vec![
        Maker {
            who: RIVAL_WEBRTC_SRTP,
            crypto: "RustCrypto",
            make: |profile| Box::new(WebrtcSrtp::new(profile)),
        },
        Maker {
            who: RIVAL_RTC_SRTP,
            crypto: default_crypto(profile),
            make: |profile| Box::new(RtcSrtp::new(profile)),
        },
        #[cfg(feature = "libsrtp")]
        Maker {
            who: "libsrtp 2 of the system",
            crypto: "as built",
            make: |profile| Box::new(Libsrtp::new(profile)),
        },
    ]
}

/// Ours, and rtc-srtp's: ring has no AES-CTR, and its SHA-1 does without the processor's instructions.
fn default_crypto(profile: SrtpProfile) -> &'static str {
    match profile {
        SrtpProfile::AeadAes128Gcm => "ring",
        _ => "RustCrypto",
    }
}

pub(super) fn works() -> Vec<Work<'static>> {
    let mut works = Vec::new();
    for profile in PROFILES {
        agree(profile);
        let name = match profile {
            SrtpProfile::AeadAes128Gcm => "AEAD_AES_128_GCM",
            _ => "AES_CM_128_HMAC_SHA1_80",
        };
        for len in LENS {
            let mut work = Work::new(format!("protect {name}, {len} B"));
            enter(&mut work, profile, |maker| {
                protect((maker.make)(profile), len)
            });
            works.push(work);
            let mut work = Work::new(format!("unprotect {name}, {len} B"));
            enter(&mut work, profile, |maker| {
                // the floor knows no nonces but its own
                let floor = maker.who == floor(profile).who;
                let source = if floor { maker } else { &ours(profile) };
                unprotect((source.make)(profile), (maker.make)(profile), len)
            });
            works.push(work);
        }
    }
    works
}

fn enter<B: FnMut(&mut Meter, u64) + 'static>(
    work: &mut Work<'static>,
    profile: SrtpProfile,
    body: impl Fn(&Maker) -> B,
) {
    let maker = ours(profile);
    work.ours(maker.who, maker.crypto, body(&maker));
    for maker in rivals(profile) {
        work.rival(maker.who, maker.crypto, body(&maker));
        #[cfg(feature = "libsrtp")]
        if maker.who.starts_with("libsrtp") {
            work.uncounted();
        }
    }
    let maker = floor(profile);
    work.floor(maker.who, maker.crypto, body(&maker));
}

fn protect(mut library: Box<dyn Srtp>, len: usize) -> impl FnMut(&mut Meter, u64) {
    let clear = clear_packet(len);
    let mut packets = vec![vec![0; len + TRAILER]; BATCH];
    let mut sequence_number = 0_u16;
    move |meter, times| {
        let mut left = times as usize;
        while left > 0 {
            let batch = &mut packets[..left.min(BATCH)];
            left -= batch.len();
            for packet in &mut *batch {
                sequence_number = sequence_number.wrapping_add(1);
                packet[..len].copy_from_slice(&clear);
                packet[2..4].copy_from_slice(&sequence_number.to_be_bytes());
            }
            meter.time(|| {
                for packet in &mut *batch {
                    black_box(library.protect(packet, len));
                }
            });
        }
    }
}

/// `source` makes the packets that `library` opens.
fn unprotect(
    mut source: Box<dyn Srtp>,
    mut library: Box<dyn Srtp>,
    len: usize,
) -> impl FnMut(&mut Meter, u64) {
    let clear = clear_packet(len);
    let mut packets = vec![vec![0; len + TRAILER]; BATCH];
    let mut sequence_number = 0_u16;
    move |meter, times| {
        let mut left = times as usize;
        while left > 0 {
            let batch = &mut packets[..left.min(BATCH)];
            left -= batch.len();
            let mut sealed_len = 0;
            for packet in &mut *batch {
                sequence_number = sequence_number.wrapping_add(1);
                packet[..len].copy_from_slice(&clear);
                packet[2..4].copy_from_slice(&sequence_number.to_be_bytes());
                sealed_len = source.protect(packet, len).as_ref().len();
            }
            meter.time(|| {
                for packet in &mut *batch {
                    black_box(library.unprotect(&mut packet[..sealed_len]));
                }
            });
        }
    }
}

/// Everyone opens what everyone protects, through a rollover of the sequence number; and the floor its own.
fn agree(profile: SrtpProfile) {
    let mut makers = rivals(profile);
    makers.push(ours(profile));
    let pairs = makers
        .iter()
        .flat_map(|a| makers.iter().map(move |b| (a, b)));
    for (sender, receiver) in pairs {
        exchange(profile, sender, receiver);
    }
    let floor = floor(profile);
    exchange(profile, &floor, &floor);
}

fn exchange(profile: SrtpProfile, sender: &Maker, receiver: &Maker) {
    for len in LENS {
        let mut from = (sender.make)(profile);
        let mut to = (receiver.make)(profile);
        let mut clear = clear_packet(len);
        for sequence_number in (65_500..=u16::MAX).chain(0..36) {
            clear[2..4].copy_from_slice(&sequence_number.to_be_bytes());
            let mut buf = clear.clone();
            buf.resize(len + TRAILER, 0);
            let mut sealed = from.protect(&mut buf, len).as_ref().to_vec();
            assert_ne!(&sealed[HEADER_LEN..len], &clear[HEADER_LEN..]);
            let opened = to.unprotect(&mut sealed);
            assert_eq!(
                opened.as_ref(),
                clear,
                "{} opens what {} protects",
                receiver.who,
                sender.who
            );
        }
    }
}

/// A packet of `len` bytes with two one-byte header extensions.
fn clear_packet(len: usize) -> Vec<u8> {
    let mut packet = vec![0x90, 96, 0, 0, 0, 1, 0x5f, 0x90, 0x12, 0x34, 0x56, 0x78];
    packet.extend([0xbe, 0xde, 0, 2, 0x31, 0, 0, 0x42, 1, 2, 3, 0]);
    assert_eq!(packet.len(), HEADER_LEN);
    packet.resize(len, 0x5a);
    packet
}
