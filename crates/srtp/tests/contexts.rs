//! What contexts promise: packets come back, once, and nothing else does.
#![allow(
    clippy::unwrap_used,
    clippy::std_instead_of_core,
    reason = "a test may panic, and has a standard library"
)]

use proptest::prelude::*;
use rtckit_proto::SrtpProfile;
use rtckit_srtp::{Error, MAX_STREAMS, ReceiveContext, SendContext, rtcp_overhead, rtp_overhead};

const PROFILES: [SrtpProfile; 2] = [SrtpProfile::Aes128CmHmacSha1_80, SrtpProfile::AeadAes128Gcm];

fn pair(profile: SrtpProfile) -> (SendContext, ReceiveContext) {
    let (key, salt) = ([7; 16], &[9; 14][..profile.salt_len()]);
    (
        SendContext::new(profile, &key, salt).unwrap(),
        ReceiveContext::new(profile, &key, salt).unwrap(),
    )
}

fn rtp(ssrc: u32, sequence_number: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 96];
    packet.extend(sequence_number.to_be_bytes());
    packet.extend([0; 4]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend(payload);
    packet
}

fn rtcp(ssrc: u32, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 1];
    packet.extend(ssrc.to_be_bytes());
    packet.extend(body);
    packet
}

fn protect_rtp(sender: &mut SendContext, packet: &[u8]) -> Result<Vec<u8>, Error> {
    let mut buf = packet.to_vec();
    buf.resize(packet.len() + 40, 0xa5);
    let len = sender.protect_rtp(&mut buf, packet.len())?;
    assert!(buf[len..].iter().all(|&byte| byte == 0xa5));
    buf.truncate(len);
    Ok(buf)
}

fn protect_rtcp(sender: &mut SendContext, packet: &[u8]) -> Result<Vec<u8>, Error> {
    let mut buf = packet.to_vec();
    buf.resize(packet.len() + 40, 0xa5);
    let len = sender.protect_rtcp(&mut buf, packet.len())?;
    buf.truncate(len);
    Ok(buf)
}

fn unprotect_rtp(receiver: &mut ReceiveContext, packet: &[u8]) -> Result<Vec<u8>, Error> {
    let mut buf = packet.to_vec();
    let len = receiver.unprotect_rtp(&mut buf)?;
    buf.truncate(len);
    Ok(buf)
}

fn unprotect_rtcp(receiver: &mut ReceiveContext, packet: &[u8]) -> Result<Vec<u8>, Error> {
    let mut buf = packet.to_vec();
    let len = receiver.unprotect_rtcp(&mut buf)?;
    buf.truncate(len);
    Ok(buf)
}

#[test]
fn a_packet_is_received_once() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = pair(profile);
        let plain = rtp(1, 5, b"media");
        let protected = protect_rtp(&mut sender, &plain).unwrap();
        assert_eq!(protected.len(), plain.len() + rtp_overhead(profile));
        assert_eq!(protected[..12], plain[..12]);
        assert_ne!(protected[12..17], plain[12..]);
        // sent again it is the same packet
        assert_eq!(protect_rtp(&mut sender, &plain).unwrap(), protected);
        assert_eq!(unprotect_rtp(&mut receiver, &protected), Ok(plain));
        assert_eq!(
            unprotect_rtp(&mut receiver, &protected),
            Err(Error::Replayed)
        );

        let plain = rtcp(1, &[1, 2, 3, 4]);
        let protected = protect_rtcp(&mut sender, &plain).unwrap();
        assert_eq!(protected.len(), plain.len() + rtcp_overhead(profile));
        assert_eq!(unprotect_rtcp(&mut receiver, &protected), Ok(plain.clone()));
        assert_eq!(
            unprotect_rtcp(&mut receiver, &protected),
            Err(Error::Replayed)
        );
        // RTCP sent again is another packet
        let again = protect_rtcp(&mut sender, &plain).unwrap();
        assert_ne!(again, protected);
        assert_eq!(unprotect_rtcp(&mut receiver, &again), Ok(plain));
    }
}

#[test]
fn every_forged_bit_is_found_and_leaves_no_trace() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = pair(profile);
        let (plain, plain_rtcp) = (rtp(1, 5, b"media"), rtcp(1, &[1, 2, 3, 4]));
        let protected = protect_rtp(&mut sender, &plain).unwrap();
        let protected_rtcp = protect_rtcp(&mut sender, &plain_rtcp).unwrap();
        for bit in 0..protected.len() * 8 {
            let mut forged = protected.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            let error = unprotect_rtp(&mut receiver, &forged).unwrap_err();
            assert!(
                matches!(error, Error::Forged | Error::Malformed),
                "{bit}: {error:?}"
            );
        }
        for bit in 0..protected_rtcp.len() * 8 {
            let mut forged = protected_rtcp.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            let error = unprotect_rtcp(&mut receiver, &forged).unwrap_err();
            assert!(
                matches!(error, Error::Forged | Error::Malformed),
                "{bit}: {error:?}"
            );
        }
        assert_eq!(receiver.streams(), 0);
        assert_eq!(unprotect_rtp(&mut receiver, &protected), Ok(plain));
        assert_eq!(
            unprotect_rtcp(&mut receiver, &protected_rtcp),
            Ok(plain_rtcp)
        );
    }
}

#[test]
fn every_truncation_is_refused() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = pair(profile);
        let plain = rtp(1, 5, b"media");
        let protected = protect_rtp(&mut sender, &plain).unwrap();
        for len in 0..protected.len() {
            assert!(
                unprotect_rtp(&mut receiver, &protected[..len]).is_err(),
                "{len}"
            );
        }
        let plain_rtcp = rtcp(1, &[1, 2, 3, 4]);
        let protected = protect_rtcp(&mut sender, &plain_rtcp).unwrap();
        for len in 0..protected.len() {
            assert!(
                unprotect_rtcp(&mut receiver, &protected[..len]).is_err(),
                "{len}"
            );
        }
        for len in 0..12 {
            let mut buf = [0x80; 64];
            assert_eq!(sender.protect_rtp(&mut buf, len), Err(Error::Malformed));
        }
        let mut buf = [0; 64];
        buf[..plain.len()].copy_from_slice(&plain);
        let room = plain.len() + rtp_overhead(profile) - 1;
        let refused = sender.protect_rtp(&mut buf[..room], plain.len());
        assert_eq!(refused, Err(Error::BufferTooSmall));
        assert_eq!(sender.protect_rtp(&mut buf, 65), Err(Error::BufferTooSmall));
    }
}

#[test]
fn the_counter_rolls_over_with_loss_and_reordering() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = pair(profile);
        let mut protected = Vec::new();
        for number in 65_000..66_000u32 {
            let plain = rtp(1, number as u16, &number.to_be_bytes());
            protected.push((protect_rtp(&mut sender, &plain).unwrap(), plain));
        }
        // a third is lost, and neighbours change places
        let mut order: Vec<usize> = (0..1_000).filter(|n| n % 3 != 0).collect();
        for chunk in order.chunks_mut(7) {
            chunk.reverse();
        }
        for n in order {
            let (protected, plain) = &protected[n];
            assert_eq!(unprotect_rtp(&mut receiver, protected).as_ref(), Ok(plain));
        }
        // what was lost comes at last, from before the roll-over, too
        for (protected, plain) in protected.iter().step_by(3) {
            assert_eq!(unprotect_rtp(&mut receiver, protected).as_ref(), Ok(plain));
        }
        // the sender, far beyond, still protects an old packet as it did before
        let (old, plain) = &protected[3];
        assert_eq!(&protect_rtp(&mut sender, plain).unwrap(), old);
    }
}

#[test]
fn a_packet_before_the_first_is_not_protected_with_a_used_index() {
    let (mut sender, _) = pair(PROFILES[0]);
    protect_rtp(&mut sender, &rtp(1, 0, b"0")).unwrap();
    let before = protect_rtp(&mut sender, &rtp(1, 65_535, b"1"));
    assert_eq!(before, Err(Error::KeyExhausted));
}

/// Two plaintexts under one keystream are both betrayed, so the second is not even left in the buffer.
#[test]
fn another_packet_under_a_used_number_is_refused() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = pair(profile);
        let plain = rtp(1, 5, b"media");
        let protected = protect_rtp(&mut sender, &plain).unwrap();
        for at in (0..plain.len()).filter(|at| ![0, 2, 3, 8, 9, 10, 11].contains(at)) {
            let mut other = plain.clone();
            other[at] ^= 1;
            let mut buf = other.clone();
            buf.resize(other.len() + 40, 0);
            assert_eq!(
                sender.protect_rtp(&mut buf, other.len()),
                Err(Error::IndexReused),
                "byte {at}"
            );
            assert!(buf.iter().all(|&byte| byte == 0));
        }
        let longer = [&plain[..], b"!"].concat();
        for other in [&plain[..plain.len() - 1], &longer] {
            assert_eq!(protect_rtp(&mut sender, other), Err(Error::IndexReused));
        }
        // refusals leave no trace: the packet is still its number's, other streams and numbers are free
        assert_eq!(protect_rtp(&mut sender, &plain).unwrap(), protected);
        assert_eq!(unprotect_rtp(&mut receiver, &protected), Ok(plain));
        assert!(protect_rtp(&mut sender, &rtp(1, 6, b"other")).is_ok());
        assert!(protect_rtp(&mut sender, &rtp(2, 5, b"other")).is_ok());
        // the same number a roll-over later is another index
        for number in [30_000, 60_000, 5] {
            assert!(protect_rtp(&mut sender, &rtp(1, number, b"later")).is_ok());
        }
    }
}

#[test]
fn what_is_too_old_to_tell_is_not_protected() {
    for profile in PROFILES {
        let (mut sender, _) = pair(profile);
        let packet = |number| rtp(1, number, b"media");
        let old = protect_rtp(&mut sender, &packet(100)).unwrap();
        protect_rtp(&mut sender, &packet(100 + 1_023)).unwrap();
        assert_eq!(protect_rtp(&mut sender, &packet(100)).unwrap(), old);
        protect_rtp(&mut sender, &packet(100 + 1_024)).unwrap();
        // the first was sent and the second was not, but who remembers?
        for number in [100, 99] {
            let refused = protect_rtp(&mut sender, &packet(number));
            assert_eq!(refused, Err(Error::IndexReused));
        }
        assert!(
            protect_rtp(&mut sender, &packet(101)).is_ok(),
            "late, not old"
        );
    }
}

#[test]
fn what_is_older_than_the_window_is_refused() {
    let (mut sender, mut receiver) = pair(PROFILES[1]);
    let old = protect_rtp(&mut sender, &rtp(1, 1_000, b"old")).unwrap();
    let new = protect_rtp(&mut sender, &rtp(1, 3_000, b"new")).unwrap();
    assert!(unprotect_rtp(&mut receiver, &new).is_ok());
    assert_eq!(unprotect_rtp(&mut receiver, &old), Err(Error::Replayed));
}

#[test]
fn streams_are_apart_and_have_a_ceiling() {
    let (mut sender, mut receiver) = pair(PROFILES[1]);
    for ssrc in 0..MAX_STREAMS as u32 {
        let protected = protect_rtp(&mut sender, &rtp(ssrc, 9, b"x")).unwrap();
        assert!(unprotect_rtp(&mut receiver, &protected).is_ok());
    }
    let one_more = rtp(0xffff, 9, b"x");
    assert_eq!(
        protect_rtp(&mut sender, &one_more),
        Err(Error::TooManyStreams)
    );
    let (mut other, _) = pair(PROFILES[1]);
    let protected = protect_rtp(&mut other, &one_more).unwrap();
    assert_eq!(
        unprotect_rtp(&mut receiver, &protected),
        Err(Error::TooManyStreams)
    );
    assert_eq!(receiver.streams(), MAX_STREAMS);
    let known = protect_rtp(&mut sender, &rtp(3, 10, b"x")).unwrap();
    assert!(unprotect_rtp(&mut receiver, &known).is_ok());
    // no stream was forgotten for another: what was received and sent before still counts
    for ssrc in 0..MAX_STREAMS as u32 {
        let replayed = protect_rtp(&mut sender, &rtp(ssrc, 9, b"x")).unwrap();
        assert_eq!(
            unprotect_rtp(&mut receiver, &replayed),
            Err(Error::Replayed)
        );
        let reused = protect_rtp(&mut sender, &rtp(ssrc, 9, b"y"));
        assert_eq!(reused, Err(Error::IndexReused));
    }
}

#[test]
fn the_srtcp_index_counts_from_0_and_the_e_flag_is_set() {
    let (mut sender, _) = pair(PROFILES[0]);
    for index in 0..3u32 {
        let protected = protect_rtcp(&mut sender, &rtcp(1, &[0; 8])).unwrap();
        let word = &protected[16..20];
        assert_eq!(word, (1 << 31 | index).to_be_bytes());
    }
    let (mut sender, _) = pair(PROFILES[1]);
    for index in 0..3u32 {
        let protected = protect_rtcp(&mut sender, &rtcp(1, &[0; 8])).unwrap();
        let word = protected.last_chunk().unwrap();
        assert_eq!(word, &(1 << 31 | index).to_be_bytes());
    }
}

#[test]
fn keys_of_another_length_are_misuse() {
    for profile in PROFILES {
        let salt = &[0; 14][..profile.salt_len()];
        let short = SendContext::new(profile, &[0; 15], salt).unwrap_err();
        assert_eq!(short, Error::KeyLength);
        let long = ReceiveContext::new(profile, &[0; 16], &[0; 13]).unwrap_err();
        assert_eq!(long, Error::KeyLength);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_packet_comes_back(
        gcm in any::<bool>(),
        ssrc in any::<u32>(),
        start in any::<u16>(),
        packets in prop::collection::vec((1u16..200, prop::collection::vec(any::<u8>(), 0..300)), 1..20),
    ) {
        let (mut sender, mut receiver) = pair(PROFILES[usize::from(gcm)]);
        let mut number = start;
        for (step, payload) in packets {
            number = number.wrapping_add(step);
            let plain = rtp(ssrc, number, &payload);
            let protected = protect_rtp(&mut sender, &plain).unwrap();
            prop_assert_eq!(unprotect_rtp(&mut receiver, &protected), Ok(plain));
            let plain = rtcp(ssrc, &payload);
            let protected = protect_rtcp(&mut sender, &plain).unwrap();
            prop_assert_eq!(unprotect_rtcp(&mut receiver, &protected), Ok(plain));
        }
    }

    #[test]
    fn no_bytes_are_taken_for_a_packet(bytes in prop::collection::vec(any::<u8>(), 0..100), gcm in any::<bool>()) {
        let (_, mut receiver) = pair(PROFILES[usize::from(gcm)]);
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = 0x80 | *first & 0x3f;
        }
        prop_assert!(unprotect_rtp(&mut receiver, &bytes).is_err());
        prop_assert!(unprotect_rtcp(&mut receiver, &bytes).is_err());
        prop_assert_eq!(receiver.streams(), 0);
    }
}
