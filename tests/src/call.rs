//! Two peers, their signalling and the network between them, in virtual time.

use core::fmt;
use core::net::SocketAddr;
use core::ops::{Deref, DerefMut};
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use rtckit_crypto::identity::Identity;
use rtckit_crypto::provider::Provider;
use rtckit_netsim::{LinkConfig, Pair, Script, Stalled, Stop};
use rtckit_peer::{
    Config, ConnectionState, Direction, Event, IceCandidate, MediaKind, Peer, SdpType,
    SessionDescription, Setup, TransceiverId,
};
use rtckit_proto::{Instant, SrtpProfile, WallClock};

/// The pair of peers a call drives.
pub type Calls = Pair<Peer, Peer>;

/// One of the two peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that offers.
    A,
    /// The one that answers.
    B,
}

impl Side {
    /// Both, the offerer first.
    pub const BOTH: [Self; 2] = [Self::A, Self::B];

    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// How candidates reach the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signaling {
    /// All of them within the descriptions.
    Vanilla,
    /// None within the descriptions; each on its own, this long after it was found, and so is the answer.
    Trickle(Duration),
    /// All of them within the descriptions, and the answer this long after it was made: the answerer's checks and the
    /// answer come when they come.
    LateAnswer(Duration),
}

type Edit = Box<dyn Fn(String) -> String>;

/// A call to be.
pub struct CallBuilder {
    name: &'static str,
    seed: u64,
    providers: [Provider; 2],
    link: LinkConfig,
    script: Option<Box<dyn Script>>,
    signaling: Signaling,
    addresses: [Vec<SocketAddr>; 2],
    setups: [Setup; 2],
    profiles: Option<Vec<SrtpProfile>>,
    max_datagram: Option<usize>,
    withheld: Option<Side>,
    edits: [Option<Edit>; 2],
    directions: [Direction; 2],
}

impl fmt::Debug for CallBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallBuilder")
            .field("name", &self.name)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// Two peers that talk to each other, or try to.
///
/// Dropped while a test panics, it prints how to repeat the run; the trace of [`pair`](Self::pair) writes the pcap.
pub struct Call {
    /// The peers, the network and the clock.
    pub pair: Calls,
    /// The audio and video transceivers of each side.
    pub streams: [[TransceiverId; 2]; 2],
    /// Everything the peers told, in order.
    pub told: [Vec<Event>; 2],
    signaling: Signaling,
    withheld: Option<Side>,
    /// Candidates and the answer on their way: when they arrive, and at whose side.
    mail: VecDeque<(Instant, Side, Mail)>,
    name: &'static str,
    seed: u64,
}

enum Mail {
    Candidate(IceCandidate),
    Answer(SessionDescription),
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("pair", &self.pair)
            .finish_non_exhaustive()
    }
}

impl Deref for Call {
    type Target = Calls;

    fn deref(&self) -> &Calls {
        &self.pair
    }
}

impl DerefMut for Call {
    fn deref_mut(&mut self) -> &mut Calls {
        &mut self.pair
    }
}

impl CallBuilder {
    /// A call on a perfect network, everything repeatable from `seed`. `name` is the test's.
    pub fn new(name: &'static str, seed: u64) -> Self {
        let address = |host, port| SocketAddr::from(([10, 0, 0, host], port));
        Self {
            name,
            seed,
            providers: [
                Provider::simulation(seed),
                Provider::simulation(seed ^ 0x5eed_5eed),
            ],
            link: LinkConfig::default(),
            script: None,
            signaling: Signaling::Vanilla,
            addresses: [vec![address(1, 1000)], vec![address(2, 2000)]],
            setups: [Setup::ActPass; 2],
            profiles: None,
            max_datagram: None,
            withheld: None,
            edits: [None, None],
            directions: [Direction::SendRecv; 2],
        }
    }

    /// With the cryptography of ring, which does not repeat.
    #[must_use]
    pub fn ring(mut self) -> Self {
        self.providers = [Provider::ring(), Provider::ring()];
        self
    }

    /// Over links like this, both ways.
    #[must_use]
    pub fn link(mut self, link: LinkConfig) -> Self {
        self.link = link;
        self
    }

    /// Over links that take `delay` each way.
    #[must_use]
    pub fn delay(self, delay: Duration) -> Self {
        self.link(LinkConfig {
            delay,
            ..LinkConfig::default()
        })
    }

    /// Lets `script` decide the fate of each datagram, from the first.
    #[must_use]
    pub fn script(mut self, script: impl Script + 'static) -> Self {
        self.script = Some(Box::new(script));
        self
    }

    /// Says how candidates travel.
    #[must_use]
    pub fn signaling(mut self, signaling: Signaling) -> Self {
        self.signaling = signaling;
        self
    }

    /// The local addresses of one side instead of its usual one.
    #[must_use]
    pub fn addresses(mut self, side: Side, addresses: impl Into<Vec<SocketAddr>>) -> Self {
        self.addresses[side as usize] = addresses.into();
        self
    }

    /// The DTLS role one side asks for.
    #[must_use]
    pub fn setup(mut self, side: Side, setup: Setup) -> Self {
        self.setups[side as usize] = setup;
        self
    }

    /// The SRTP profiles of both sides.
    #[must_use]
    pub fn profiles(mut self, profiles: &[SrtpProfile]) -> Self {
        self.profiles = Some(profiles.to_vec());
        self
    }

    /// The longest datagram either side sends.
    #[must_use]
    pub fn max_datagram(mut self, len: usize) -> Self {
        self.max_datagram = Some(len);
        self
    }

    /// `side` never tells its candidates.
    #[must_use]
    pub fn withhold_candidates_of(mut self, side: Side) -> Self {
        self.withheld = Some(side);
        self
    }

    /// Changes the description of `side` on its way to the other.
    #[must_use]
    pub fn edit(mut self, side: Side, edit: impl Fn(String) -> String + 'static) -> Self {
        self.edits[side as usize] = Some(Box::new(edit));
        self
    }

    /// The offerer does not offer RTX, or so it seems to the answerer.
    #[must_use]
    pub fn without_rtx(self) -> Self {
        self.edit(Side::A, |sdp| {
            let sdp = sdp.replace(" 96 97\r\n", " 96\r\n");
            let lines = sdp.split_inclusive('\n');
            let kept = lines.filter(|line| {
                let of_rtx = ["a=rtpmap:97 ", "a=fmtp:97 ", "a=ssrc-group:FID "];
                !of_rtx.iter().any(|start| line.starts_with(start))
            });
            kept.collect()
        })
    }

    /// Which way the media of the offerer and the answerer may go.
    #[must_use]
    pub fn directions(mut self, a: Direction, b: Direction) -> Self {
        self.directions = [a, b];
        self
    }

    /// Exchanges the descriptions. The network has carried nothing yet.
    pub fn start(mut self) -> Call {
        let [a, b] = Side::BOTH.map(|side| self.peer(side));
        let mut pair = Pair::with_links(a, b, self.link, self.seed).labelled(self.name, self.seed);
        if let Some(script) = self.script.take() {
            pair.set_script(Boxed(script));
        }
        let now = pair.now;
        let transceivers = |peer: &mut Peer, direction| {
            [MediaKind::Audio, MediaKind::Video]
                .map(|kind| peer.add_transceiver(kind, direction).unwrap())
        };
        let streams = [
            transceivers(&mut pair.a, self.directions[0]),
            transceivers(&mut pair.b, self.directions[1]),
        ];
        let trickles = matches!(self.signaling, Signaling::Trickle(_));
        if !trickles {
            self.gather(now, &mut pair.a, Side::A);
            self.gather(now, &mut pair.b, Side::B);
        }
        let offer = pair.a.create_offer().unwrap();
        pair.a.set_local_description(now, offer).unwrap();
        let offer = self.on_its_way(Side::A, pair.a.local_description().unwrap());
        pair.b.set_remote_description(now, offer).unwrap();
        let answer = pair.b.create_answer().unwrap();
        pair.b.set_local_description(now, answer).unwrap();
        let answer = self.on_its_way(Side::B, pair.b.local_description().unwrap());
        let mut call = Call {
            pair,
            streams,
            told: [Vec::new(), Vec::new()],
            signaling: self.signaling,
            withheld: self.withheld,
            mail: VecDeque::new(),
            name: self.name,
            seed: self.seed,
        };
        if trickles {
            self.gather(now, &mut call.pair.a, Side::A);
            self.gather(now, &mut call.pair.b, Side::B);
        }
        match self.signaling {
            Signaling::Vanilla => call.pair.a.set_remote_description(now, answer).unwrap(),
            Signaling::Trickle(delay) | Signaling::LateAnswer(delay) => {
                call.mail
                    .push_back((now + delay, Side::A, Mail::Answer(answer)));
            }
        }
        call.listen();
        call
    }

    /// A peer as this side begins with.
    pub fn peer(&self, side: Side) -> Peer {
        let provider = self.providers[side as usize].clone();
        let identity = Arc::new(Identity::generate(&provider).unwrap());
        let wall_clock = WallClock::new(Duration::from_secs(1_700_000_000));
        let mut config = Config::new(provider, identity, wall_clock);
        config.setup = self.setups[side as usize];
        if let Some(profiles) = &self.profiles {
            config.srtp_profiles.clone_from(profiles);
        }
        if let Some(len) = self.max_datagram {
            config.max_datagram = len;
        }
        Peer::new(config, Instant::ZERO).unwrap()
    }

    fn gather(&self, now: Instant, peer: &mut Peer, side: Side) {
        for address in &self.addresses[side as usize] {
            peer.add_local_address(now, *address);
        }
        peer.end_of_local_addresses(now);
    }

    /// What arrives of the description of `side`.
    fn on_its_way(&self, side: Side, mut description: SessionDescription) -> SessionDescription {
        if self.withheld == Some(side) {
            description.sdp = description
                .sdp
                .split_inclusive('\n')
                .filter(|line| !line.starts_with("a=candidate:"))
                .collect();
        }
        if let Some(edit) = &self.edits[side as usize] {
            description.sdp = edit(description.sdp);
        }
        description
    }
}

/// A boxed script is a script.
struct Boxed(Box<dyn Script>);

impl Script for Boxed {
    fn fate(&mut self, flight: rtckit_netsim::Flight<'_>) -> rtckit_netsim::Fate {
        self.0.fate(flight)
    }
}

impl Call {
    /// One of the peers.
    pub fn peer(&self, side: Side) -> &Peer {
        match side {
            Side::A => &self.pair.a,
            Side::B => &self.pair.b,
        }
    }

    /// One of the peers, to be used.
    pub fn peer_mut(&mut self, side: Side) -> &mut Peer {
        match side {
            Side::A => &mut self.pair.a,
            Side::B => &mut self.pair.b,
        }
    }

    /// The states of both connections.
    pub fn states(&self) -> [ConnectionState; 2] {
        [
            self.pair.a.connection_state(),
            self.pair.b.connection_state(),
        ]
    }

    /// Whether both sides are connected.
    pub fn is_connected(&self) -> bool {
        self.states() == [ConnectionState::Connected; 2]
    }

    /// Lets time pass until `condition` holds, or `limit` from now at most. Says when it held.
    pub fn run_until(
        &mut self,
        limit: Duration,
        mut condition: impl FnMut(&mut Self) -> bool,
    ) -> Result<Instant, Stalled> {
        let deadline = self.pair.now + limit;
        loop {
            self.deliver_mail();
            self.listen();
            if condition(self) {
                return Ok(self.pair.now);
            }
            let until = self
                .mail
                .iter()
                .map(|(at, ..)| *at)
                .chain([deadline])
                .min()
                .unwrap();
            let heard = |pair: &mut Calls| !pair.events_a.is_empty() || !pair.events_b.is_empty();
            match self.pair.drive_until(until, heard) {
                Ok(()) => {}
                Err(stalled) if stalled.why == Stop::Spinning => return Err(stalled),
                Err(_) if until < deadline => self.pair.now = until,
                Err(stalled) => {
                    self.pair.now = deadline;
                    return Err(stalled);
                }
            }
        }
    }

    /// Lets `time` pass.
    pub fn run_for(&mut self, time: Duration) {
        match self.run_until(time, |_| false) {
            Err(stalled) if stalled.why == Stop::Spinning => panic!("{stalled}"),
            _ => {}
        }
    }

    /// Lets time pass until both sides are connected; panics if that takes longer than `limit`.
    pub fn connect_within(&mut self, limit: Duration) -> Duration {
        let from = self.pair.now;
        match self.run_until(limit, |call| call.is_connected()) {
            Ok(at) => at - from,
            Err(stalled) => panic!(
                "not connected: {stalled}; {:?}\n{:#?}\n{:#?}",
                self.states(),
                self.pair.a.stats(self.pair.now),
                self.pair.b.stats(self.pair.now)
            ),
        }
    }

    /// Sends one frame of each stream both ways and waits until all have arrived, byte for byte.
    pub fn exchange_frames(&mut self, limit: Duration) {
        let now = self.pair.now;
        let frame = |side: Side, stream: usize| {
            (0..if stream == 0 { 80 } else { 3000 })
                .map(|byte: u32| (byte * 7 + 50 * side as u32) as u8 & 0xfe)
                .collect::<Vec<u8>>()
        };
        for side in Side::BOTH {
            for (stream, id) in self.streams[side as usize].into_iter().enumerate() {
                let data = frame(side, stream);
                let mut sender = self.peer_mut(side).sender(id).expect("it sends");
                sender.write_frame(now, 0, &data).unwrap();
            }
        }
        let mut missing = 4;
        let outcome = self.run_until(limit, |call| {
            let now = call.pair.now;
            for side in Side::BOTH {
                for (stream, id) in call.streams[side as usize].into_iter().enumerate() {
                    let mut receiver = call.peer_mut(side).receiver(id).expect("it receives");
                    while let Some(read) = receiver.read_frame(now) {
                        assert_eq!(read.data, frame(side.other(), stream));
                        missing -= 1;
                    }
                }
            }
            missing == 0
        });
        if let Err(stalled) = outcome {
            panic!("{missing} frames missing: {stalled}");
        }
    }

    /// Whether `side` was told `event` since the call started.
    pub fn was_told(&self, side: Side, event: &Event) -> bool {
        self.told[side as usize].contains(event)
    }

    /// Puts candidates that were found into the mail, and notes everything that was told.
    pub fn listen(&mut self) {
        for side in Side::BOTH {
            let events = match side {
                Side::A => &mut self.pair.events_a,
                Side::B => &mut self.pair.events_b,
            };
            let mut events: Vec<Event> = events.drain(..).collect();
            let peer = self.peer_mut(side);
            events.extend(core::iter::from_fn(|| peer.poll_event()));
            if let Signaling::Trickle(delay) = self.signaling
                && self.withheld != Some(side)
            {
                for event in &events {
                    if let Event::IceCandidate(candidate) = event {
                        let mail = Mail::Candidate(candidate.clone());
                        self.mail
                            .push_back((self.pair.now + delay, side.other(), mail));
                    }
                }
            }
            self.told[side as usize].extend(events);
        }
    }

    fn deliver_mail(&mut self) {
        let now = self.pair.now;
        while let Some(index) = self.mail.iter().position(|(at, ..)| *at <= now) {
            let (_, side, mail) = self.mail.remove(index).unwrap();
            let peer = self.peer_mut(side);
            match mail {
                Mail::Candidate(candidate) => peer.add_remote_candidate(now, &candidate).unwrap(),
                Mail::Answer(answer) => {
                    assert_eq!(answer.kind, SdpType::Answer);
                    peer.set_remote_description(now, answer).unwrap();
                }
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "{}: to run it again: {}={} cargo test -p rtckit-tests {}",
                self.name,
                crate::SEED_VARIABLE,
                self.seed,
                self.name
            );
        }
    }
}
