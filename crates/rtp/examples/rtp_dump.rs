//! Prints the headers of RTP and RTCP packets, one a line.
//!
//! ```sh
//! cargo run -p rtckit-rtp --example rtp_dump -- crates/rtp/testdata/chromium156_vp8.txt
//! ```
//!
//! A line is a packet in hexadecimal; words in front of it, and lines that begin with `#`, are ignored. Without a
//! file it reads standard input.

use core::error::Error;
use std::io::{self, BufRead, BufReader};

use rtckit_rtp::payload::vp8;
use rtckit_rtp::rtcp::{self, RtcpPacket};
use rtckit_rtp::{Packet, ParseError};

fn main() -> Result<(), Box<dyn Error>> {
    let input: Box<dyn BufRead> = match std::env::args().nth(1) {
        Some(path) => Box::new(BufReader::new(std::fs::File::open(path)?)),
        None => Box::new(io::stdin().lock()),
    };
    for line in input.lines() {
        let line = line?;
        let Some(word) = line
            .split_whitespace()
            .last()
            .filter(|_| !line.starts_with('#'))
        else {
            continue;
        };
        let bytes = from_hex(word).ok_or_else(|| format!("not hexadecimal: {word}"))?;
        if rtcp::is_rtcp(&bytes) {
            rtcp::packets(&bytes).for_each(print_rtcp);
        } else {
            match Packet::parse(&bytes) {
                Ok(packet) => print_rtp(&packet),
                Err(error) => println!("neither RTP nor RTCP: {error}"),
            }
        }
    }
    Ok(())
}

fn print_rtp(packet: &Packet<'_>) {
    print!(
        "rtp  ssrc {:08x} type {:3} seq {:5} time {:10}{} payload {:4}",
        packet.ssrc().0,
        packet.payload_type(),
        packet.sequence_number(),
        packet.timestamp(),
        if packet.marker() { " M" } else { "  " },
        packet.payload().len(),
    );
    for extension in packet.extensions() {
        print!(" ext {}:{}", extension.id, to_hex(extension.data));
    }
    if packet.padding_len() > 0 {
        print!(" padding {}", packet.padding_len());
    }
    // without SDP one can only guess the codec; a key frame's start code is hard to hit by chance
    if let Ok((descriptor, frame)) = vp8::Descriptor::parse(packet.payload())
        && descriptor.starts_frame()
        && let Ok(vp8::FrameHeader {
            size: Some((width, height)),
            ..
        }) = vp8::FrameHeader::parse(frame)
    {
        print!(" VP8 key frame {width}x{height}");
    }
    println!();
}

fn print_rtcp(packet: Result<RtcpPacket<'_>, ParseError>) {
    match packet {
        Ok(RtcpPacket::SenderReport(sr)) => {
            println!("rtcp SR {:?}", sr.sender);
            sr.reports.for_each(|report| println!("       {report:?}"));
        }
        Ok(RtcpPacket::ReceiverReport(rr)) => {
            println!("rtcp RR from {:08x}", rr.ssrc.0);
            rr.reports.for_each(|report| println!("       {report:?}"));
        }
        Ok(RtcpPacket::SourceDescription(sdes)) => {
            for item in sdes.items() {
                let text = String::from_utf8_lossy(item.text);
                println!(
                    "rtcp SDES {:08x} item {}: {text}",
                    item.ssrc.0, item.item_type
                );
            }
        }
        Ok(RtcpPacket::Nack(nack)) => {
            let numbers: Vec<u16> = nack.sequence_numbers().collect();
            println!("rtcp NACK of {:08x}: {numbers:?}", nack.media.0);
        }
        Ok(RtcpPacket::Unknown(unknown)) => println!(
            "rtcp type {} count {}: {} bytes",
            unknown.packet_type,
            unknown.count,
            unknown.body.len()
        ),
        Ok(other) => println!("rtcp {other:?}"),
        Err(error) => println!("rtcp broken: {error}"),
    }
}

fn from_hex(word: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = word
        .chars()
        .map(|digit| digit.to_digit(16).map(|digit| digit as u8))
        .collect();
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
