//! Requests written by hand, by people who want other things than a client does.

use core::net::SocketAddr;

use rtckit_proto::{Datagram, FiveTuple};
use rtckit_stun::{Class, LongTermClient, Message, MessageWriter, Method, TransactionId, Verdict};
use rtckit_turn::ServerEvent;

use super::{World, address};

/// Somebody who writes requests by hand, and reads the answers.
pub(crate) struct Hand {
    pub(crate) path: FiveTuple,
    pub(crate) credentials: LongTermClient,
    serial: u64,
}

impl Hand {
    pub(crate) fn new(path: FiveTuple, username: &str, password: &str) -> Self {
        Self {
            path,
            credentials: LongTermClient::new(username, password),
            serial: 0,
        }
    }

    /// Writes a request with what credentials it has.
    pub(crate) fn write(
        &mut self,
        method: Method,
        fill: impl Fn(&mut MessageWriter<'_>) -> Result<(), rtckit_stun::Error>,
    ) -> Vec<u8> {
        self.serial += 1;
        let mut id = [0; 12];
        id[..8].copy_from_slice(&self.serial.to_be_bytes());
        let mut buf = [0; 1400];
        let mut writer =
            MessageWriter::new(&mut buf, Class::Request, method, TransactionId(id)).unwrap();
        fill(&mut writer).unwrap();
        self.credentials.write(&mut writer).unwrap();
        let len = writer.finish();
        buf[..len].to_vec()
    }

    /// Asks, answers challenges, and returns the error code of the answer, 0 for success; `None` without one.
    pub(crate) fn ask(
        &mut self,
        world: &mut World,
        method: Method,
        fill: impl Fn(&mut MessageWriter<'_>) -> Result<(), rtckit_stun::Error>,
    ) -> Option<u16> {
        for _ in 0..3 {
            let was_signed = self.credentials.is_challenged();
            let mut request = self.write(method, &fill);
            let answer = exchange(world, self.path, &mut request)?;
            let answer = Message::parse(&answer).unwrap();
            let code = answer.error_code().map_or(0, |error| error.code);
            match self.credentials.on_response(&answer, was_signed) {
                Verdict::Retry => {}
                _ => return Some(code),
            }
        }
        None
    }

    pub(crate) fn allocate(&mut self, world: &mut World) -> Option<u16> {
        self.ask(world, Method::ALLOCATE, |writer| {
            writer.requested_transport(17)
        })
    }

    pub(crate) fn permit(&mut self, world: &mut World, peer: &str) -> Option<u16> {
        let peer = address(peer);
        self.ask(world, Method::CREATE_PERMISSION, |w| {
            w.xor_peer_address(peer)
        })
    }

    pub(crate) fn bind(&mut self, world: &mut World, number: u16, peer: SocketAddr) -> Option<u16> {
        self.ask(world, Method::CHANNEL_BIND, |writer| {
            writer.channel_number(number)?;
            writer.xor_peer_address(peer)
        })
    }
}

/// Hands `data` to the server, does what it asks of its driver, and returns its last answer.
pub(crate) fn exchange(world: &mut World, path: FiveTuple, data: &mut [u8]) -> Option<Vec<u8>> {
    let now = world.now;
    let path = path.reversed();
    if let Some(to) = world.server.handle_input(now, Datagram::new(path, data)) {
        let _ = to;
        return None;
    }
    let mut buf = [0; 1500];
    let mut answer = None;
    loop {
        while let Some(sent) = world.server.poll_transmit(now, &mut buf) {
            assert_eq!(sent.path, path, "to who asked and nobody else");
            answer = Some(buf[sent.range].to_vec());
        }
        match world.server.poll_event() {
            Some(ServerEvent::BindRelay { relay, address, .. }) => {
                world.relays.insert(relay, address);
                world.server.relay_bound(now, relay, Ok(address));
            }
            Some(ServerEvent::CloseRelay { relay }) => {
                world.relays.remove(&relay);
            }
            Some(ServerEvent::Join { connection, path }) => world.joins.push((connection, path)),
            Some(_) => {}
            None => return answer,
        }
    }
}
