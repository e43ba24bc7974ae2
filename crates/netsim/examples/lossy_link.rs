//! Sends a thousand datagrams over a bad network and prints what becomes of them.
//!
//! ```text
//! cargo run -p rtckit-netsim --example lossy_link -- [LOSS-PERCENT] [SEED] [FILE.pcap]
//! ```
//!
//! No time passes while it runs: a second of network takes as long as the arithmetic.

use core::time::Duration;
use std::fs::File;
use std::io::BufWriter;

use rtckit_netsim::{Link, LinkConfig, pcap};
use rtckit_proto::{FiveTuple, Instant};

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let loss: f64 = arguments.next().map_or(Ok(10.0), |text| text.parse())?;
    let seed: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let mut capture = match arguments.next() {
        Some(file) => Some(pcap::Writer::new(BufWriter::new(File::create(file)?))?),
        None => None,
    };

    let config = LinkConfig {
        delay: Duration::from_millis(40),
        jitter: Duration::from_millis(30),
        loss: loss / 100.0,
        reorder: 0.02,
        duplicate: 0.01,
        ..LinkConfig::default()
    };
    let mut link = Link::new(config, seed);
    let path = FiveTuple::udp("192.0.2.1:5000".parse()?, "192.0.2.2:6000".parse()?);

    // one datagram a millisecond; what is due is taken out before each, and the rest at the end
    let sends = (0..1000).map(|i| (Instant::from_millis(i), Some(i)));
    let (mut least, mut most, mut sum) = (Duration::MAX, Duration::ZERO, Duration::ZERO);
    for (now, number) in sends.chain([(Instant::from_millis(10_000), None)]) {
        while let Some(due) = link.poll_timeout().filter(|&due| due <= now) {
            while let Some(delivery) = link.poll(due) {
                let took = due - delivery.sent;
                (least, most, sum) = (least.min(took), most.max(took), sum + took);
                if let Some(capture) = &mut capture {
                    capture.write(Duration::from_nanos(due.as_nanos()), path, delivery.data)?;
                }
            }
        }
        if let Some(number) = number {
            link.send(now, path, &u64::to_be_bytes(number));
        }
    }

    let counters = link.counters();
    println!("sent       {:>6}", counters.sent);
    println!("lost       {:>6}", counters.lost);
    println!("duplicated {:>6}", counters.duplicated);
    println!("reordered  {:>6}", counters.reordered);
    println!("delivered  {:>6}", counters.delivered);
    if let Ok(delivered @ 1..) = u32::try_from(counters.delivered) {
        println!(
            "one-way delay: least {least:.1?}, mean {:.1?}, most {most:.1?}",
            sum / delivered
        );
    }
    if let Some(capture) = capture {
        capture.finish()?;
    }
    Ok(())
}
