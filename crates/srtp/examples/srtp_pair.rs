//! Two ends of SRTP over UDP on this machine: one protects a few RTP packets, the other opens them, and a third
//! party's forgery and replay are turned away.
//!
//! ```sh
//! cargo run -p rtckit-srtp --example srtp_pair
//! ```
#![allow(
    clippy::disallowed_types,
    reason = "an example may use sockets; the library may not"
)]

use core::error::Error;
use std::net::UdpSocket;

use rtckit_proto::SrtpProfile;
use rtckit_rtp::{Header, Packet, PayloadType, Ssrc};
use rtckit_srtp::{ReceiveContext, SendContext};

fn main() -> Result<(), Box<dyn Error>> {
    let profile = SrtpProfile::AeadAes128Gcm;
    // DTLS agrees on these; two programs that shared a constant would have no secret
    let (key, salt) = ([0x42; 16], [0x17; 12]);
    let mut sender = SendContext::new(profile, &key, &salt)?;
    let mut receiver = ReceiveContext::new(profile, &key, &salt)?;

    let (here, there) = (
        UdpSocket::bind("127.0.0.1:0")?,
        UdpSocket::bind("127.0.0.1:0")?,
    );
    here.connect(there.local_addr()?)?;

    let mut buf = [0; 1_500];
    for sequence_number in 0..3 {
        let header = Header {
            payload_type: PayloadType(111),
            sequence_number,
            ssrc: Ssrc(0x1234),
            ..Header::default()
        };
        let at = header.write(&mut buf)?;
        let text = format!("hello number {sequence_number}");
        buf[at..at + text.len()].copy_from_slice(text.as_bytes());
        let len = sender.protect_rtp(&mut buf, at + text.len())?;
        here.send(&buf[..len])?;
    }
    // the last one again, and then again with one bit changed
    let len = 12 + "hello number 2".len() + rtckit_srtp::rtp_overhead(profile);
    here.send(&buf[..len])?;
    buf[3] ^= 8;
    here.send(&buf[..len])?;

    for _ in 0..5 {
        let len = there.recv(&mut buf)?;
        match receiver.unprotect_rtp(&mut buf[..len]) {
            Ok(len) => {
                let packet = Packet::parse(&buf[..len])?;
                let text = String::from_utf8_lossy(packet.payload());
                println!(
                    "{} from {:08x}: {text}",
                    packet.sequence_number(),
                    packet.ssrc().0
                );
            }
            Err(error) => println!("dropped: {error}"),
        }
    }
    Ok(())
}
