//! The five verbs in their smallest form: a machine that echoes, and a driver for any machine.
//!
//! `cargo run -p rtckit-proto --example echo`, then `nc -u 127.0.0.1 7777`. It ends after a minute of silence.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "an example is its own driver: it owns the socket and the clock"
)]

use core::time::Duration;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::UdpSocket;

use rtckit_proto::{Clock, Datagram, FiveTuple, Instant, Machine, Transmit};

/// How many echoes may wait; more are dropped.
const MAX_WAITING: usize = 16;
/// How long the machine waits for anything to echo.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends back what arrives, until nothing arrives any more.
#[derive(Default)]
struct Echo {
    waiting: VecDeque<(FiveTuple, Vec<u8>)>,
    last_heard: Instant,
    over: Option<&'static str>,
}

impl Machine for Echo {
    type Event = &'static str;

    fn handle_input(&mut self, now: Instant, datagram: Datagram<'_>) {
        self.last_heard = now;
        for segment in datagram.segments() {
            if self.waiting.len() < MAX_WAITING {
                self.waiting
                    .push_back((segment.path, segment.data.to_vec()));
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if now >= self.last_heard + PATIENCE {
            self.over = Some("a minute of silence");
        }
    }

    fn poll_transmit(&mut self, _: Instant, buf: &mut [u8]) -> Option<Transmit> {
        let (path, bytes) = self.waiting.pop_front()?;
        buf.get_mut(..bytes.len())?.copy_from_slice(&bytes);
        Some(Transmit::new(path, bytes.len()))
    }

    fn poll_event(&mut self) -> Option<&'static str> {
        self.over.take()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(self.last_heard + PATIENCE)
    }
}

/// Drives any machine over one socket until it has something to tell.
fn drive<M: Machine>(machine: &mut M, socket: &UdpSocket) -> io::Result<M::Event> {
    let local = socket.local_addr()?;
    let clock = Clock::new(std::time::Instant::now());
    let mut buf = [0; 2048];
    loop {
        let now = clock.instant(std::time::Instant::now());
        machine.handle_timeout(now);
        while let Some(transmit) = machine.poll_transmit(now, &mut buf) {
            for datagram in transmit.segments(&buf) {
                socket.send_to(datagram, transmit.path.remote)?;
            }
        }
        if let Some(event) = machine.poll_event() {
            return Ok(event);
        }
        // A timeout of zero would mean none.
        let wait = machine
            .poll_timeout()
            .map(|due| (due - now).max(Duration::from_millis(1)));
        socket.set_read_timeout(wait)?;
        match socket.recv_from(&mut buf) {
            Ok((len, remote)) => {
                let now = clock.instant(std::time::Instant::now());
                let path = FiveTuple::udp(local, remote);
                machine.handle_input(now, Datagram::new(path, &mut buf[..len]));
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
}

fn main() -> io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:7777")?;
    println!("echoing at {}", socket.local_addr()?);
    let end = drive(&mut Echo::default(), &socket)?;
    println!("the end: {end}");
    Ok(())
}
