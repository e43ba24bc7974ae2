//! Asks a STUN server which address it sees: `query HOST:PORT`. `query --serve [ADDRESS]` is such a server.
//!
//! ```text
//! cargo run -p rtckit-stun --example query -- --serve 127.0.0.1:3478 &
//! cargo run -p rtckit-stun --example query -- 127.0.0.1:3478
//! ```
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::std_instead_of_core,
    reason = "an example is its own driver: it owns the socket and the clock"
)]

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use rtckit_proto::{Clock, SeededRandom};
use rtckit_stun::{
    Class, Message, MessageWriter, Method, Retransmission, Step, Transaction, TransactionId,
    respond,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("--serve") => serve(&arguments.next().unwrap_or_else(|| "127.0.0.1:3478".into())),
        Some(server) => query(server),
        None => Err("usage: query HOST:PORT | query --serve [ADDRESS]".into()),
    }
}

fn serve(address: &str) -> Result<(), Box<dyn Error>> {
    let socket = UdpSocket::bind(address)?;
    println!("serving on {}", socket.local_addr()?);
    let (mut request, mut response) = ([0; 1500], [0; 256]);
    loop {
        let (len, source) = socket.recv_from(&mut request)?;
        if let Some(len) = respond(&request[..len], source, &mut response)? {
            socket.send_to(&response[..len], source)?;
        }
    }
}

fn query(server: &str) -> Result<(), Box<dyn Error>> {
    let server: SocketAddr = server
        .to_socket_addrs()?
        .next()
        .ok_or("the name has no address")?;
    let socket = UdpSocket::bind(if server.is_ipv4() {
        "0.0.0.0:0"
    } else {
        "[::]:0"
    })?;
    let clock = Clock::new(std::time::Instant::now());
    let now = || clock.instant(std::time::Instant::now());
    // Good enough to ask one question; a real client takes its crypto provider's secure source.
    let id = TransactionId::new(&mut SeededRandom::new(RandomState::new().hash_one(server)));
    let mut transaction = Transaction::new(id, now(), Retransmission::default());
    let mut buf = [0; 1500];
    loop {
        match transaction.poll(now()) {
            Step::Send => {
                let mut writer = MessageWriter::new(&mut buf, Class::Request, Method::BINDING, id)?;
                writer.software("rtckit")?;
                writer.fingerprint()?;
                let len = writer.finish();
                socket.send_to(&buf[..len], server)?;
            }
            Step::Wait => {}
            Step::TimedOut => return Err("no answer".into()),
        }
        let wait = transaction.poll_timeout() - now();
        socket.set_read_timeout(Some(wait.max(Duration::from_millis(1))))?;
        let Ok((len, source)) = socket.recv_from(&mut buf) else {
            continue;
        };
        let Ok(message) = Message::parse(&buf[..len]) else {
            continue;
        };
        if source != server || !transaction.is_answered_by(&message) {
            continue;
        }
        return match (
            message
                .xor_mapped_address()
                .or_else(|| message.mapped_address()),
            message.error_code(),
        ) {
            (Some(mapped), _) => {
                println!("{mapped} (round trip {:?})", transaction.rtt(now()));
                Ok(())
            }
            (None, Some(error)) => Err(format!("{} {}", error.code, error.reason).into()),
            (None, None) => Err("an answer without an address".into()),
        };
    }
}
