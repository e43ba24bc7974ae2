//! The published vectors, which name session keys or internals that the API does not.

use std::format;
use std::string::String;
use std::vec::Vec;

use rtckit_crypto::ctr::Aes128Ctr;
use rtckit_proto::SrtpProfile;
use serde_json::Value;

use crate::aes_gcm::AesGcm;
use crate::context::Cipher;
use crate::kdf::{Label, Labels, Master};
use crate::{Error, ReceiveContext, SendContext, rtcp};

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap())
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key<const N: usize>(hex: &str) -> [u8; N] {
    bytes(hex).try_into().unwrap()
}

/// RFC 3711 B.2: the keystream of AES-CM.
#[test]
fn aes_cm_makes_the_keystream_of_the_rfc() {
    let mut iv: [u8; 16] = key("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000");
    let cipher = Aes128Ctr::new(&key("2b7e151628aed2a6abf7158809cf4f3c"));
    let mut keystream = std::vec![0; 0xff02 * 16];
    cipher.apply(&iv, &mut keystream);
    for (counter, expected) in [
        (0x0000, "e03ead0935c95e80e166b16dd92b4eb4"),
        (0x0001, "d23513162b02d0f72a43a2fe4a5f97ab"),
        (0x0002, "41e95b3bb0a2e8dd477901e4fca894c0"),
        (0xfeff, "ec8cdf7398607cb0f2d21675ea9ea1e4"),
        (0xff00, "362b7c3c6773516318a077d7fc5073ae"),
        (0xff01, "6a2cc3787889374fbeb4c81b17ba6c44"),
    ] {
        assert_eq!(hex(&keystream[counter * 16..][..16]), expected);
        iv[14..].copy_from_slice(&(counter as u16).to_be_bytes());
        let mut block = [0; 16];
        cipher.apply(&iv, &mut block);
        assert_eq!(hex(&block), expected);
    }
}

/// RFC 3711 B.3: key derivation.
#[test]
fn session_keys_are_those_of_the_rfc() {
    let salt: [u8; 14] = key("0ec675ad498afeebb6960b3aabe6");
    let master = Master::new(&key("e1f97a0d3e018be0d64fa32c06de4139"), &salt);
    assert_eq!(
        hex(&master.derive::<16>(Label::RtpEncryption)),
        "c61e7a93744f39ee10734afe3ff7a087"
    );
    assert_eq!(
        hex(&master.derive::<14>(Label::RtpSalt)),
        "30cbbc08863d8c85d49db34a9ae1"
    );
    assert_eq!(
        hex(&master.derive::<94>(Label::RtpAuthentication)),
        "cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbcee049646c43d9327ad175578ef7\
         2270986371c10c9a369ac2f94a8c5fbcdddc256d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2"
    );
}

const RFC7714_KEY: &str = "000102030405060708090a0b0c0d0e0f";
const RFC7714_SALT: &str = "517569642070726f2071756f";

/// RFC 7714 §16.1.1 and §16.1.2.
#[test]
fn srtp_gcm_is_that_of_the_rfc() {
    let keys = AesGcm::new(&key(RFC7714_KEY), key(RFC7714_SALT));
    let (ssrc, index) = (0x5501_a0b2, 0xf17b);
    let mut packet = bytes(
        "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573",
    );
    let plain = packet.clone();
    let (header, payload) = packet.split_at_mut(12);
    let mut tag = [0xa5; 16];
    keys.seal(ssrc, index, header, payload, &mut tag).unwrap();
    assert_eq!(
        hex(&packet) + &hex(&tag),
        "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833\
         899d7f27beb16a9152cf765ee4390cce"
    );
    let (header, payload) = packet.split_at_mut(12);
    keys.open(ssrc, index, header, payload, &tag).unwrap();
    assert_eq!(packet, plain);
}

const RFC7714_RTCP: &str = "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61\
                            deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";

fn rfc7714_opens(protected: &str) -> (Vec<u8>, rtcp::Opening) {
    let cipher = Cipher::Gcm(AesGcm::new(&key(RFC7714_KEY), key(RFC7714_SALT)));
    let mut packet = bytes(protected);
    let ssrc = rtcp::sender(&packet).unwrap();
    let opening = rtcp::Opening::new(&cipher, &packet).unwrap();
    opening.open(&cipher, ssrc, &mut packet).unwrap();
    packet.truncate(opening.len);
    (packet, opening)
}

/// RFC 7714 §17.1 and §17.2.
#[test]
fn srtcp_gcm_is_that_of_the_rfc() {
    let protected = "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b46\
                     86303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4";
    let cipher = Cipher::Gcm(AesGcm::new(&key(RFC7714_KEY), key(RFC7714_SALT)));
    let mut packet = bytes(RFC7714_RTCP);
    packet.resize(packet.len() + rtcp::overhead(&cipher), 0xa5);
    rtcp::seal(&cipher, 0x4d61_7273, 0x5d4, &mut packet).unwrap();
    assert_eq!(hex(&packet), protected);
    let (plain, opening) = rfc7714_opens(protected);
    assert_eq!((hex(&plain), opening.index), (RFC7714_RTCP.into(), 0x5d4));
}

/// RFC 7714 §17.3 and §17.4: the E flag is clear, the packet is authenticated only.
#[test]
fn srtcp_gcm_without_encryption_is_that_of_the_rfc() {
    let protected = format!("{RFC7714_RTCP}841dd9683dd78ec92ae58790125f62b3000005d4");
    let (plain, opening) = rfc7714_opens(&protected);
    assert_eq!((hex(&plain), opening.index), (RFC7714_RTCP.into(), 0x5d4));

    let cipher = Cipher::Gcm(AesGcm::new(&key(RFC7714_KEY), key(RFC7714_SALT)));
    for at in 8..protected.len() / 2 {
        let mut forged = bytes(&protected);
        forged[at] ^= 1;
        let opening = rtcp::Opening::new(&cipher, &forged).unwrap();
        assert_eq!(
            opening.open(&cipher, 0x4d61_7273, &mut forged),
            Err(Error::Forged)
        );
    }
}

/// Real packets under real keys, in both directions.
#[test]
fn a_call_of_firefox_is_opened_and_protected_again_byte_for_byte() {
    let call: Value =
        serde_json::from_str(include_str!("../testdata/firefox153_srtp.json")).unwrap();
    let text = |value: &Value| String::from(value.as_str().unwrap());
    let mut opened = [0; 2];
    for side in ["client", "server"] {
        let name = &side[..1];
        let (master_key, master_salt) = (
            bytes(&text(&call["master"][name]["master_key"])),
            bytes(&text(&call["master"][name]["master_salt"])),
        );
        let session = &call["session"][name];
        let master = Master::new(&master_key.clone().try_into().unwrap(), &master_salt);
        for (labels, name) in [(Labels::RTP, "srtp"), (Labels::RTCP, "srtcp")] {
            let derived = hex(&master.derive::<16>(labels.encryption));
            assert_eq!(derived, text(&session[format!("{name}_key")]));
            let derived = hex(&master.derive::<12>(labels.salt));
            assert_eq!(derived, text(&session[format!("{name}_salt")]));
        }

        let profile = SrtpProfile::AeadAes128Gcm;
        let mut receiver = ReceiveContext::new(profile, &master_key, &master_salt).unwrap();
        let mut sender = SendContext::new(profile, &master_key, &master_salt).unwrap();
        for packet in call["packets"].as_array().unwrap() {
            if packet["from"] != side {
                continue;
            }
            let (protected, plain) = (
                bytes(&text(&packet["protected"])),
                bytes(&text(&packet["plain"])),
            );
            let mut buf = protected.clone();
            if packet["kind"] == "rtp" {
                let len = receiver.unprotect_rtp(&mut buf).unwrap();
                assert_eq!(buf[..len], plain);
                buf[len..].fill(0);
                assert_eq!(sender.protect_rtp(&mut buf, len), Ok(protected.len()));
                assert_eq!(buf, protected);
                opened[0] += 1;
            } else {
                let len = receiver.unprotect_rtcp(&mut buf).unwrap();
                assert_eq!(buf[..len], plain);
                opened[1] += 1;
            }
        }
    }
    assert_eq!(opened, [27, 24]);
}

/// RFC 3711 prints no whole packet for AES-CM. Here one is put together from the formulas of §4.1.1 and §4.2.1.
#[test]
fn srtp_aes_cm_is_the_formula() {
    let (master_key, salt) = ([3; 16], [5; 14]);
    let master = Master::new(&master_key, &salt);
    let cipher_key = Aes128Ctr::new(&master.derive(Label::RtpEncryption));
    let session_salt = master.derive::<14>(Label::RtpSalt);
    let auth = rtckit_crypto::mac::HmacSha1::new(&master.derive::<20>(Label::RtpAuthentication));

    let mut packet = bytes("80600001000000000102030411223344556677");
    let mut iv = [0; 16];
    iv[..14].copy_from_slice(&session_salt);
    for (at, byte) in [1, 2, 3, 4, 0, 0, 0, 0, 0, 1].into_iter().enumerate() {
        iv[4 + at] ^= byte;
    }
    let mut expected = packet.clone();
    cipher_key.apply(&iv, &mut expected[12..]);
    let tag = auth.sign(&[&expected, &[0; 4]]);
    expected.extend_from_slice(&tag[..10]);

    let profile = SrtpProfile::Aes128CmHmacSha1_80;
    let len = packet.len();
    packet.resize(len + 10, 0xa5);
    let mut sender = SendContext::new(profile, &master_key, &salt).unwrap();
    assert_eq!(sender.protect_rtp(&mut packet, len), Ok(len + 10));
    assert_eq!(packet, expected);
}
