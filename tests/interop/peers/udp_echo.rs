//! What one datagram costs the kernel: a loop of one receive and one send, and a load for it.
//!
//! ```text
//! udp_echo serve ADDRESS
//! udp_echo load ADDRESS SECONDS SIZE      prints how many came back
//! ```
use std::error::Error;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

/// How many datagrams are on their way at a time.
const WINDOW: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", address] => serve(address),
        ["load", address, seconds, size] => load(address, seconds.parse()?, size.parse()?),
        _ => Err("usage: udp_echo serve ADDRESS | udp_echo load ADDRESS SECONDS SIZE".into()),
    }
}

fn serve(address: &str) -> Result<(), Box<dyn Error>> {
    let socket = UdpSocket::bind(address)?;
    let mut buf = [0; 2048];
    loop {
        let (len, from) = socket.recv_from(&mut buf)?;
        socket.send_to(&buf[..len], from)?;
    }
}

fn load(address: &str, seconds: f64, size: usize) -> Result<(), Box<dyn Error>> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(address)?;
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let (mut buf, mut received) = ([0; 2048], 0_u64);
    let mut due = WINDOW;
    while Instant::now() < end {
        for _ in 0..due {
            socket.send(&buf[..size])?;
        }
        // when nothing comes any more, all are lost
        due = match socket.recv(&mut buf) {
            Ok(_) => 1,
            Err(_) => WINDOW,
        };
        received += u64::from(due == 1);
    }
    println!("{received}");
    Ok(())
}
