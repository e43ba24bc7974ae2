//! Two peers, the signalling between them and the network, all ruled by the input.

use core::time::Duration;
use std::collections::VecDeque;
use std::net::SocketAddr;

use rtckit_peer::{
    ConnectionState, Direction, Event, IceCandidate, MediaKind, Peer, SessionDescription,
    SignalingState, TransceiverId,
};
use rtckit_proto::{Datagram, FiveTuple, Instant};

use crate::input::{Input, mutate};
use crate::peers::peer;
use crate::settle::settle;

const MAX_OPERATIONS: usize = 200;
/// The time the operations may take, if the peers are to connect afterwards.
const MAX_TIME: Instant = Instant::from_millis(15_000);
/// Datagrams that the network holds.
const MAX_IN_FLIGHT: usize = 400;

struct World {
    peers: [Peer; 2],
    now: Instant,
    /// Receiver, path as it sees it, bytes.
    in_flight: VecDeque<(usize, FiveTuple, Vec<u8>)>,
    /// Datagrams of earlier, to be played again.
    past: VecDeque<(usize, FiveTuple, Vec<u8>)>,
    /// Candidates told by each peer, until they are signalled.
    trickled: [VecDeque<IceCandidate>; 2],
    /// The descriptions each peer has made, as signalling would carry them.
    described: [Option<SessionDescription>; 2],
    /// Nothing has happened that may keep the peers from connecting.
    honest: bool,
    frames: u32,
    /// Where datagrams are written: room for a run of them.
    buf: Vec<u8>,
}

/// Two peers that suffered any list of operations neither panic, grow nor spin; if the list lost, doubled, delayed
/// and reordered datagrams and no worse, they connect once it is over, and a frame goes through.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    let wild = input.bool();
    let mut world = World::new();
    world.settle();
    for _ in 0..MAX_OPERATIONS {
        if input.is_empty() {
            break;
        }
        world.operation(&mut input, wild);
        world.settle();
        world.check();
    }
    world.finish();
}

fn address(number: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number as u8 + 1], 1000))
}

impl World {
    fn new() -> Self {
        let mut peers = [0, 1].map(peer);
        for (number, peer) in peers.iter_mut().enumerate() {
            peer.add_local_address(Instant::ZERO, address(number));
        }
        peers[1].end_of_local_addresses(Instant::ZERO);
        Self {
            peers,
            now: Instant::ZERO,
            in_flight: VecDeque::new(),
            past: VecDeque::new(),
            trickled: Default::default(),
            described: Default::default(),
            honest: true,
            frames: 0,
            buf: vec![0; 65_535],
        }
    }

    /// One operation. Unless the run is `wild`, none that excuses the peers from connecting in the end.
    fn operation(&mut self, input: &mut Input<'_>, wild: bool) {
        let operation = input.u8() % 24;
        match operation {
            6 | 8 | 19 | 23 if !wild => self.deliver(0),
            0 | 1 => self.deliver(0),
            2 => self.deliver_all(input.below(32)),
            3 => drop(self.in_flight.pop_front()),
            4 => {
                let index = input.below(self.in_flight.len());
                self.deliver(index);
            }
            5 => {
                let index = input.below(self.in_flight.len());
                if let Some(copy) = self.in_flight.get(index).cloned() {
                    self.in_flight.push_back(copy);
                }
            }
            6 => {
                // a changed datagram may be a forged handshake message, which DTLS cannot tell from a real one
                self.honest = false;
                if let Some((_, _, datagram)) = self.in_flight.front_mut() {
                    mutate(input, datagram);
                    self.deliver(0);
                }
            }
            7 => {
                let index = input.below(self.past.len());
                if let Some(old) = self.past.get(index).cloned() {
                    self.in_flight.push_front(old);
                    self.deliver(0);
                }
            }
            8 => self.inject(input),
            9 => self.pass(Duration::from_millis(input.u8().into())),
            10 | 11 => {
                let due = self.peers.iter().filter_map(Peer::poll_timeout).min();
                if let Some(due) = due {
                    self.pass(due.duration_since(self.now));
                }
            }
            12 | 13 => {
                let (number, turn) = (input.below(2), input.below(4));
                self.write_frame(number, turn, usize::from(input.u16() % 20_000));
            }
            14 => {
                let number = input.below(2);
                self.read_frames(number);
            }
            15 => {
                let kind = input.choose(&[MediaKind::Audio, MediaKind::Video]);
                let direction = direction(input);
                let _ = self.peers[input.below(2)].add_transceiver(kind, direction);
            }
            16 => {
                let number = input.below(2);
                let ids = self.transceivers(number);
                if let Some(&id) = ids.get(input.below(ids.len())) {
                    let _ = self.peers[number].set_direction(id, direction(input));
                }
            }
            17 | 18 => {
                let offerer = input.below(2);
                self.negotiate(offerer);
            }
            19 => self.signal(input),
            20 => {
                let to = input.below(2);
                if let Some(candidate) = self.trickled[1 - to].pop_front() {
                    let _ = self.peers[to].add_remote_candidate(self.now, &candidate);
                }
            }
            21 => {
                let number = input.below(2);
                for id in self.transceivers(number) {
                    if let Some(mut receiver) = self.peers[number].receiver(id) {
                        receiver.request_keyframe(self.now);
                    }
                }
            }
            22 => self.send_a_run(input),
            _ => self.misuse(input),
        }
    }

    // The network.

    fn deliver(&mut self, index: usize) {
        let Some((to, path, mut datagram)) = self.in_flight.remove(index) else {
            return;
        };
        self.past.push_back((to, path, datagram.clone()));
        if self.past.len() > 16 {
            self.past.pop_front();
        }
        self.peers[to].handle_input(self.now, Datagram::new(path, &mut datagram));
    }

    fn deliver_all(&mut self, limit: usize) {
        for _ in 0..limit {
            if self.in_flight.is_empty() {
                break;
            }
            self.deliver(0);
            self.settle();
        }
    }

    /// A datagram that nobody sent, of a protocol that shares the port.
    fn inject(&mut self, input: &mut Input<'_>) {
        self.honest = false;
        let to = input.below(2);
        let mut datagram = match input.u8() % 5 {
            0 => vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42],
            1 => vec![
                input.choose(&[20, 21, 22, 23, 25]),
                0xfe,
                0xfd,
                0,
                input.u8() & 1,
            ],
            2 => vec![0x80, 96],
            3 => vec![0x80, 200 + input.u8() % 8, 0, 1],
            _ => Vec::new(),
        };
        datagram.extend(input.vec8());
        let path = FiveTuple::udp(address(to), address(1 - to));
        self.in_flight.push_front((to, path, datagram));
        self.deliver(0);
    }

    /// Everything on its way to one peer that is of one length arrives as a single read.
    fn send_a_run(&mut self, input: &mut Input<'_>) {
        let to = input.below(2);
        let Some(stride) = self
            .in_flight
            .iter()
            .find(|(receiver, ..)| *receiver == to)
            .map(|(_, _, datagram)| datagram.len())
        else {
            return;
        };
        let mut run = Vec::new();
        self.in_flight.retain(|(receiver, _, datagram)| {
            let fits = *receiver == to && datagram.len() == stride && run.len() < 60_000;
            if fits {
                run.extend(datagram);
            }
            !fits
        });
        let path = FiveTuple::udp(address(to), address(1 - to));
        let datagram = Datagram {
            stride,
            ..Datagram::new(path, &mut run)
        };
        self.peers[to].handle_input(self.now, datagram);
    }

    fn pass(&mut self, time: Duration) {
        if self.now + time <= MAX_TIME {
            self.now += time;
        }
    }

    // The signalling.

    /// A whole exchange, as it should be.
    fn negotiate(&mut self, offerer: usize) -> bool {
        let stable = |peer: &Peer| peer.signaling_state() == SignalingState::Stable;
        if !self.peers.iter().all(stable) {
            return false;
        }
        let answerer = 1 - offerer;
        let now = self.now;
        let offer = self.peers[offerer].create_offer().expect("stable");
        self.peers[offerer]
            .set_local_description(now, offer)
            .expect("what was just made");
        let offer = self.peers[offerer].local_description().expect("just set");
        self.peers[answerer]
            .set_remote_description(now, offer)
            .expect("our own offer");
        let answer = self.peers[answerer]
            .create_answer()
            .expect("an offer is pending");
        self.peers[answerer]
            .set_local_description(now, answer)
            .expect("what was just made");
        let answer = self.peers[answerer].local_description().expect("just set");
        self.peers[offerer]
            .set_remote_description(now, answer)
            .expect("our own answer");
        assert!(self.peers.iter().all(stable));
        true
    }

    /// One step of signalling, in or out of turn, with the text broken or not.
    fn signal(&mut self, input: &mut Input<'_>) {
        let number = input.below(2);
        let peer = &mut self.peers[number];
        match input.u8() % 6 {
            0 => {
                self.described[number] = peer.create_offer().ok().or(self.described[number].take())
            }
            1 => {
                self.described[number] = peer.create_answer().ok().or(self.described[number].take())
            }
            2 => {
                if let Some(description) = self.described[number].clone() {
                    // half an exchange: whether it will be finished is up to the input
                    self.honest &= peer.set_local_description(self.now, description).is_err();
                }
            }
            3 | 4 => {
                let description = self.peers[1 - number].local_description();
                if let Some(description) = description {
                    self.honest &= self.peers[number]
                        .set_remote_description(self.now, description)
                        .is_err();
                }
            }
            _ => {
                let other = self.peers[1 - number].local_description();
                if let Some(mut description) = other {
                    let mut text = description.sdp.into_bytes();
                    mutate(input, &mut text);
                    description.sdp = String::from_utf8_lossy(&text).into_owned();
                    self.honest &= self.peers[number]
                        .set_remote_description(self.now, description)
                        .is_err();
                }
            }
        }
    }

    // The media.

    fn transceivers(&self, number: usize) -> Vec<TransceiverId> {
        self.peers[number]
            .transceivers()
            .map(|info| info.id)
            .collect()
    }

    fn write_frame(&mut self, number: usize, turn: usize, len: usize) {
        self.frames += 1;
        let ids = self.transceivers(number);
        let Some(&id) = ids.get(turn.checked_rem(ids.len()).unwrap_or(0)) else {
            return;
        };
        let Some(mut sender) = self.peers[number].sender(id) else {
            return;
        };
        let mut frame = vec![0, 0, 0, 0x9d, 0x01, 0x2a];
        frame.resize(frame.len() + len, self.frames as u8);
        let _ = sender.write_frame(self.now, self.frames.wrapping_mul(960), &frame);
        assert!(sender.queued_packets() <= 2048);
    }

    /// Reads every frame there is; how many there were.
    fn read_frames(&mut self, number: usize) -> usize {
        let mut count = 0;
        for id in self.transceivers(number) {
            if let Some(mut receiver) = self.peers[number].receiver(id) {
                while let Some(frame) = receiver.read_frame(self.now) {
                    let _ = format!("{frame:?}");
                    count += 1;
                    assert!(count < 100_000, "frames without an end");
                }
            }
        }
        count
    }

    /// What a user should not do, or what ends the call.
    fn misuse(&mut self, input: &mut Input<'_>) {
        let number = input.below(2);
        let now = self.now;
        let peer = &mut self.peers[number];
        match input.u8() % 8 {
            0 => {
                // rarely, or nothing else would be tried
                if input.u8() == 0xc1 {
                    self.honest = false;
                    peer.close(now);
                    assert!(matches!(
                        peer.add_transceiver(MediaKind::Audio, Direction::SendRecv),
                        Err(rtckit_peer::Error::Closed)
                    ));
                }
            }
            1 => {
                let port = u16::from(input.u8() % 4);
                peer.add_local_address(now, ([input.u8() % 3, 0, 0, 1], port).into());
            }
            2 => peer.end_of_local_addresses(now),
            3 => {
                let candidate = IceCandidate {
                    candidate: String::from_utf8_lossy(input.vec8()).into_owned(),
                    sdp_mid: input.bool().then(|| "0".to_owned()),
                    username_fragment: None,
                };
                let _ = peer.add_remote_candidate(now, &candidate);
            }
            4 => {
                // too small a buffer loses datagrams, and may lose the handshake's
                let mut small = [0; 1199];
                let len = usize::from(input.u8()) * 4;
                for _ in 0..64 {
                    if peer.poll_transmit(now, &mut small[..len]).is_none() {
                        break;
                    }
                }
            }
            5 => peer.handle_timeout(now),
            6 => {
                let _ = peer.set_direction(TransceiverId(input.u8().into()), direction(input));
                assert!(peer.sender(TransceiverId(9999)).is_none());
                let offer = SessionDescription::offer(String::from_utf8_lossy(input.vec8()));
                let _ = peer.set_local_description(now, offer.clone());
                self.honest &= peer.set_remote_description(now, offer).is_err();
            }
            _ => drop(format!("{:?}{:?}", peer.stats(now), peer.take_key_log())),
        }
    }

    // The checks.

    fn settle(&mut self) {
        for (number, peer) in self.peers.iter_mut().enumerate() {
            let in_flight = &mut self.in_flight;
            let trickled = &mut self.trickled[number];
            settle(
                peer,
                self.now,
                &mut self.buf,
                |transmit, datagram| {
                    let path = transmit.path.reversed();
                    // what is sent to nowhere gets nowhere
                    if path.local == address(1 - number) {
                        in_flight.push_back((1 - number, path, datagram.to_vec()));
                    }
                },
                |event| {
                    if let Event::IceCandidate(candidate) = event {
                        trickled.push_back(candidate);
                    }
                },
            );
            trickled.truncate(100);
        }
        while self.in_flight.len() > MAX_IN_FLIGHT {
            self.in_flight.pop_front();
        }
    }

    fn check(&self) {
        for peer in &self.peers {
            assert!(peer.transceivers().count() <= 64);
            if peer.connection_state() == ConnectionState::Closed {
                assert_eq!(peer.poll_timeout(), None, "the dead sleep well");
            }
        }
    }

    fn is_connected(&self) -> bool {
        self.peers
            .iter()
            .all(|peer| peer.connection_state() == ConnectionState::Connected)
    }

    fn finish(&mut self) {
        if self.honest {
            let video = MediaKind::Video;
            let _ = self.peers[0].add_transceiver(video, Direction::SendRecv);
            let negotiated = self.negotiate(0);
            assert!(negotiated, "an exchange was left half done");
        }
        self.run(Duration::from_secs(if self.honest { 20 } else { 5 }));
        if !self.honest {
            return;
        }
        assert!(
            self.is_connected(),
            "left alone, they did not connect: {self:?}"
        );
        self.read_frames(1);
        // the last transceiver is the one that was just added, unless there were too many
        let ids = self.transceivers(0);
        let turn = ids.len() - 1;
        if ids.len() < 64 && self.peers[0].sender(ids[turn]).is_some() {
            self.write_frame(0, turn, 3000);
            self.settle();
            let mut received = 0;
            for _ in 0..100 {
                self.deliver_all(MAX_IN_FLIGHT);
                received += self.read_frames(1);
                self.now += Duration::from_millis(20);
                self.settle();
            }
            assert!(received > 0, "left alone, no frame arrived: {self:?}");
        }
    }

    /// Lets the world go on by itself for a while.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.settle();
            while !self.in_flight.is_empty() {
                self.deliver_all(MAX_IN_FLIGHT);
            }
            if self.honest && self.is_connected() {
                return;
            }
            let due = self.peers.iter().filter_map(Peer::poll_timeout).min();
            let Some(due) = due else {
                return;
            };
            self.now = due.max(self.now + Duration::from_millis(1));
        }
    }
}

impl core::fmt::Debug for World {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut states = f.debug_list();
        for peer in &self.peers {
            states.entry(&(
                peer.connection_state(),
                peer.ice_connection_state(),
                peer.dtls_state(),
                peer.signaling_state(),
                peer.poll_timeout(),
                peer.stats(self.now),
            ));
        }
        states.finish()
    }
}

fn direction(input: &mut Input<'_>) -> Direction {
    Direction::new(input.bool(), input.bool())
}
