//! A peer driven by a blocking loop over one `std` socket: no tokio, no threads.
//!
//! ```text
//! cargo run -p rtckit-peer --example blocking -- offer     # prints an offer, waits for an answer
//! cargo run -p rtckit-peer --example blocking -- answer    # waits for an offer, prints the answer
//! ```
//!
//! Paste each description into the other program's input, ended by an empty line. The offerer then sends a counter as
//! "video" ten times a second for five seconds, and hangs up.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this program is the driver: sockets and the clock are its business"
)]

use core::error::Error;
use core::time::Duration;
use std::io::{self, BufRead as _, ErrorKind};
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::{Instant as StdInstant, SystemTime};

use rtckit_crypto::{identity::Identity, provider::Provider};
use rtckit_peer::{
    Config, ConnectionState, Direction, Event, MediaKind, Peer, SessionDescription, TransceiverId,
};
use rtckit_proto::{Clock, Datagram, FiveTuple, Instant, WallClock};

fn main() -> Result<(), Box<dyn Error>> {
    let role = std::env::args().nth(1).unwrap_or_default();
    if role != "offer" && role != "answer" {
        return Err("usage: blocking offer|answer".into());
    }
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let local = socket.local_addr()?;

    let clock = Clock::new(StdInstant::now());
    let now = || clock.instant(StdInstant::now());
    let provider = Provider::ring();
    let identity = Arc::new(Identity::generate(&provider)?);
    let wall_clock = WallClock::new(SystemTime::UNIX_EPOCH.elapsed()?);
    let mut peer = Peer::new(Config::new(provider, identity, wall_clock), now())?;
    peer.add_local_address(now(), local);
    peer.end_of_local_addresses(now());

    let mut video = None;
    if role == "offer" {
        video = Some(peer.add_transceiver(MediaKind::Video, Direction::SendOnly)?);
        let offer = peer.create_offer()?;
        peer.set_local_description(now(), offer)?;
        print_description(&peer);
        peer.set_remote_description(now(), SessionDescription::answer(read_description()?))?;
    } else {
        peer.set_remote_description(now(), SessionDescription::offer(read_description()?))?;
        let answer = peer.create_answer()?;
        peer.set_local_description(now(), answer)?;
        print_description(&peer);
    }

    let mut counter = Counter {
        video,
        next: None,
        sent: 0,
    };
    let mut buf = vec![0; 2048];
    while peer.connection_state() != ConnectionState::Closed {
        // 1. Everything that is to be sent, told or done.
        counter.write(&mut peer, now())?;
        while let Some(transmit) = peer.poll_transmit(now(), &mut buf) {
            for datagram in transmit.segments(&buf) {
                socket.send_to(datagram, transmit.path.remote)?;
            }
        }
        while let Some(event) = peer.poll_event() {
            on_event(&mut peer, now(), &event);
        }
        // 2. Wait for a datagram, or for the first thing that is due.
        let due = peer.poll_timeout().into_iter().chain(counter.next).min();
        let wait = due.map_or(Duration::from_secs(1), |due| due - now());
        socket.set_read_timeout(Some(wait.max(Duration::from_millis(1))))?;
        match socket.recv_from(&mut buf) {
            Ok((len, remote)) => {
                let path = FiveTuple::udp(local, remote);
                peer.handle_input(now(), Datagram::new(path, &mut buf[..len]));
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.into()),
        }
        peer.handle_timeout(now());
    }
    Ok(())
}

/// Ten "pictures" a second, for five seconds.
struct Counter {
    video: Option<TransceiverId>,
    next: Option<Instant>,
    sent: u32,
}

impl Counter {
    fn write(&mut self, peer: &mut Peer, now: Instant) -> Result<(), rtckit_peer::Error> {
        let Some(video) = self
            .video
            .filter(|_| peer.connection_state() == ConnectionState::Connected)
        else {
            return Ok(());
        };
        if self.next.is_some_and(|next| now < next) {
            return Ok(());
        }
        self.next = Some(now + Duration::from_millis(100));
        if self.sent == 50 {
            println!("hanging up");
            peer.close(now);
            return Ok(());
        }
        if let Some(mut sender) = peer.sender(video) {
            let ticks = self.sent * sender.clock_rate() / 10;
            sender.write_frame(now, ticks, format!("picture {}", self.sent).as_bytes())?;
            self.sent += 1;
        }
        Ok(())
    }
}

fn on_event(peer: &mut Peer, now: Instant, event: &Event) {
    match event {
        Event::FrameReady(id) => {
            let Some(mut receiver) = peer.receiver(*id) else {
                return;
            };
            while let Some(frame) = receiver.read_frame(now) {
                println!("received {}", String::from_utf8_lossy(frame.data));
            }
        }
        Event::ConnectionState(state) => println!("connection: {state}"),
        _ => {}
    }
}

fn print_description(peer: &Peer) {
    if let Some(description) = peer.local_description() {
        println!("{}", description.sdp);
    }
}

fn read_description() -> io::Result<String> {
    let mut text = String::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        text.push_str(&line);
        text.push_str("\r\n");
    }
    Ok(text)
}
