//! SRTP and SRTCP.

use rtckit_proto::{Random as _, SeededRandom, SrtpProfile};
use rtckit_srtp::{Error, MAX_STREAMS, ReceiveContext, SendContext, rtcp_overhead, rtp_overhead};

use crate::input::{Input, mutate};

/// Packets are protected, broken on the way, replayed and opened; garbage is opened too.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    let profile = input.choose(&[SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmHmacSha1_80]);
    let (key, salt) = keys(data);
    let salt = &salt[..profile.salt_len()];
    let mut sender = SendContext::new(profile, &key, salt).expect("keys of the right length");
    let mut receiver = ReceiveContext::new(profile, &key, salt).expect("keys of the right length");
    while !input.is_empty() {
        let is_rtcp = input.bool();
        let plain = if input.bool() {
            input.vec8().to_vec()
        } else {
            packet(&mut input, is_rtcp)
        };
        let mut open = |packet: &mut [u8]| {
            let opened = if is_rtcp {
                receiver.unprotect_rtcp(packet)
            } else {
                receiver.unprotect_rtp(packet)
            };
            assert!(receiver.streams() <= MAX_STREAMS);
            opened.inspect(|&len| assert!(len <= packet.len()))
        };
        // as it is, it is garbage
        assert!(open(&mut plain.clone()).is_err());

        let overhead = if is_rtcp {
            rtcp_overhead(profile)
        } else {
            rtp_overhead(profile)
        };
        let mut protected = plain.clone();
        protected.resize(plain.len() + overhead, 0xa5);
        let written = if is_rtcp {
            sender.protect_rtcp(&mut protected, plain.len())
        } else {
            sender.protect_rtp(&mut protected, plain.len())
        };
        let Ok(len) = written else {
            continue;
        };
        assert_eq!(len, protected.len());

        let mut broken = protected.clone();
        mutate(&mut input, &mut broken);
        if broken != protected {
            assert!(open(&mut broken).is_err(), "a change went unnoticed");
        }
        let mut first = protected.clone();
        match open(&mut first) {
            Ok(len) => assert_eq!(first[..len], plain),
            // an old or repeated number, a roll-over that was not seen, or too many streams
            Err(_) => continue,
        }
        assert_eq!(open(&mut protected), Err(Error::Replayed));
    }
}

/// Keys that depend on every byte of the input. With keys that stay, a fuzzer that watches comparisons works out the
/// tag that garbage lacks.
fn keys(data: &[u8]) -> ([u8; 16], [u8; 14]) {
    // FNV-1a
    let seed = data.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut random = SeededRandom::new(seed);
    let (mut key, mut salt) = ([0; 16], [0; 14]);
    random.fill(&mut key);
    random.fill(&mut salt);
    (key, salt)
}

/// A packet that looks like one.
fn packet(input: &mut Input<'_>, is_rtcp: bool) -> Vec<u8> {
    let ssrc = [0, 0, 0, input.u8() % 4];
    let mut packet = if is_rtcp {
        [&[0x80, 200, 0, 1], &ssrc[..]].concat()
    } else {
        let [high, low] = input.u16().to_be_bytes();
        [&[0x80, 96, high, low, 0, 0, 0, 0], &ssrc[..]].concat()
    };
    packet.extend(input.vec8());
    packet
}
