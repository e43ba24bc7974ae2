//! A TURN client in a blocking loop: `turn_client HOST:PORT USERNAME PASSWORD` sends a greeting to itself, through
//! the server, until it arrives.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::std_instead_of_core,
    reason = "an example is its own driver: it owns the socket and the clock"
)]

use std::hash::{BuildHasher, RandomState};
use std::net::{ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant};

use rtckit_proto::{Clock, Datagram, FiveTuple, SeededRandom};
use rtckit_turn::{Client, ClientConfig, ClientEvent};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, username, password] = &arguments[..] else {
        return Err("usage: turn_client HOST:PORT USERNAME PASSWORD".into());
    };
    let server = server
        .to_socket_addrs()?
        .next()
        .ok_or("the name has no address")?;
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(server)?;
    let path = FiveTuple::udp(socket.local_addr()?, server);
    let clock = Clock::new(Instant::now());
    let now = || clock.instant(Instant::now());
    // A real client takes its crypto provider's secure source.
    let mut random = SeededRandom::new(RandomState::new().hash_one(server));
    let mut client = Client::new(
        ClientConfig::new(username, password),
        path,
        now(),
        &mut random,
    );
    let (mut buf, mut own) = ([0; 2048], None);
    loop {
        while let Some(sent) = client.poll_transmit(now(), &mut buf) {
            socket.send(&buf[sent.range])?;
        }
        while let Some(event) = client.poll_event() {
            println!("{event:?}");
            match event {
                ClientEvent::Allocated { relayed, .. } => {
                    own = relayed[0];
                    client.permit(now(), own.ok_or("no address of IPv4")?.ip());
                }
                ClientEvent::Released => return Ok(()),
                ClientEvent::Failed(failure) => return Err(failure.into()),
                _ => {}
            }
        }
        // to our own relayed address: there and back through the server
        if let Some(own) = own
            && let Ok(envelope) = client.send(now(), own, 5)
            && let Some(len) = envelope.wrap(b"hello", &mut buf)
        {
            socket.send(&buf[..len])?;
        }
        let wait = client
            .poll_timeout()
            .map_or(Duration::ZERO, |at| at - now());
        socket.set_read_timeout(Some(
            wait.clamp(Duration::from_millis(1), Duration::from_millis(50)),
        ))?;
        if let Ok(len) = socket.recv(&mut buf)
            && let Some(from) = client.handle_input(now(), Datagram::new(path, &mut buf[..len]))
        {
            println!("{:?} from {}", str::from_utf8(from.data), from.peer);
            client.close(now());
            own = None;
        }
    }
}
