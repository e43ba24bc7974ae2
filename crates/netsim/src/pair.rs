//! Two machines, two links and a clock that jumps.

use core::fmt;
use std::collections::VecDeque;
use std::io;
use std::path::Path;

use rtckit_proto::{Datagram, Instant, Machine, Transmit, WallClock};

use crate::{Direction, Fate, Flight, Link, LinkConfig, Script, Trace, Traced};

/// The most datagrams a machine may send in one go before the other gets its turn.
const MAX_BURST: usize = 4096;
/// After so many steps without the clock moving, the machines are spinning.
const MAX_STEPS_AT_ONE_INSTANT: u32 = 10_000;
/// How much room a machine gets to write a run of datagrams into.
const TRANSMIT_BUFFER: usize = 65_536;

/// Two machines joined by two links, in virtual time.
///
/// The pair is a driver: it does for its machines what a socket, a timer and an application would do. The
/// clock stands still while there is work to do and then jumps to the next deadline, so that a minute of
/// silence costs nothing, and every run repeats from its seed.
///
/// The fields are public: a test calls the machines' own methods between two steps. Events are taken from the
/// machines as they appear and wait in [`events_a`](Self::events_a) and [`events_b`](Self::events_b).
pub struct Pair<A: Machine, B: Machine> {
    /// The time, which only [`step`](Self::step) and the `drive` methods advance.
    pub now: Instant,
    /// One machine.
    pub a: A,
    /// The other machine.
    pub b: B,
    /// The network from `a` to `b`.
    pub a_to_b: Link,
    /// The network from `b` to `a`.
    pub b_to_a: Link,
    /// What `a` reported and the test has not taken yet.
    pub events_a: VecDeque<A::Event>,
    /// What `b` reported and the test has not taken yet.
    pub events_b: VecDeque<B::Event>,
    /// Every datagram sent.
    pub trace: Trace,
    script: Box<dyn Script>,
    sent: [u64; 2],
    steps_at_now: u32,
    /// A machine had more to send than fits one burst.
    unfinished: bool,
    buf: Box<[u8]>,
}

/// Why a drive ended before its condition held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stalled {
    /// When it ended.
    pub at: Instant,
    /// Why.
    pub why: Stop,
}

/// What ended a drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The deadline passed.
    Deadline,
    /// Nothing is under way and no machine waits for anything.
    Quiet,
    /// The machines keep asking for a call at the same instant.
    Spinning,
}

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            Stop::Deadline => "the deadline passed",
            Stop::Quiet => "nothing is under way and no timer is set",
            Stop::Spinning => "the machines spin without the clock moving",
        };
        write!(f, "at {:?}: {why}", self.at)
    }
}

impl core::error::Error for Stalled {}

impl<A: Machine, B: Machine> Pair<A, B> {
    /// Two machines on a perfect network.
    pub fn new(a: A, b: B) -> Self {
        Self::with_links(a, b, LinkConfig::default(), 0)
    }

    /// Two machines on a network whose directions both behave as `config` says and repeat from `seed`.
    pub fn with_links(a: A, b: B, config: LinkConfig, seed: u64) -> Self {
        Self {
            now: Instant::ZERO,
            a,
            b,
            a_to_b: Link::new(config, seed),
            b_to_a: Link::new(config, !seed),
            events_a: VecDeque::new(),
            events_b: VecDeque::new(),
            trace: Trace::default(),
            script: Box::new(|_: Flight<'_>| Fate::Deliver),
            sent: [0; 2],
            steps_at_now: 0,
            unfinished: false,
            buf: vec![0; TRANSMIT_BUFFER].into_boxed_slice(),
        }
    }

    /// Lets `script` decide the fate of each datagram from now on, before the links do.
    #[must_use]
    pub fn with_script(mut self, script: impl Script + 'static) -> Self {
        self.set_script(script);
        self
    }

    /// Says which test and seed this is, for the pcap and the message of a failure: see [`Trace::label`].
    #[must_use]
    pub fn labelled(mut self, name: &str, seed: u64) -> Self {
        self.trace.label(name, seed);
        self
    }

    /// Lets `script` decide the fate of each datagram from now on, before the links do.
    pub fn set_script(&mut self, script: impl Script + 'static) {
        self.script = Box::new(script);
    }

    /// When the next thing happens, by itself: a timer goes off or a datagram arrives.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let links = [self.a_to_b.poll_timeout(), self.b_to_a.poll_timeout()];
        let machines = [self.a.poll_timeout(), self.b.poll_timeout()];
        links.into_iter().chain(machines).flatten().min()
    }

    /// Sends what there is to send, moves the clock to the next deadline, and lets happen what is due then.
    ///
    /// Returns whether anything was pending: `false` means that nothing will ever happen again by itself.
    pub fn step(&mut self) -> bool {
        self.flush();
        match self.poll_timeout() {
            Some(next) if next > self.now && !self.unfinished => {
                self.now = next;
                self.steps_at_now = 0;
            }
            None if !self.unfinished => return false,
            _ => {}
        }
        self.steps_at_now = self.steps_at_now.saturating_add(1);
        if self.a.poll_timeout().is_some_and(|at| at <= self.now) {
            self.a.handle_timeout(self.now);
        }
        if self.b.poll_timeout().is_some_and(|at| at <= self.now) {
            self.b.handle_timeout(self.now);
        }
        self.flush();
        self.deliver();
        true
    }

    /// Steps until `condition` holds.
    ///
    /// # Errors
    ///
    /// [`Stalled`] when virtual time reaches `deadline` first (the clock then stands there), when nothing is
    /// pending any more, or when the machines spin.
    pub fn drive_until(
        &mut self,
        deadline: Instant,
        mut condition: impl FnMut(&mut Self) -> bool,
    ) -> Result<(), Stalled> {
        loop {
            self.flush();
            if condition(self) {
                return Ok(());
            }
            // the condition may have used the machines
            self.flush();
            let next = self.poll_timeout().map(|at| at.max(self.now));
            let why = match next {
                Some(next) if next > deadline => Stop::Deadline,
                _ if self.steps_at_now > MAX_STEPS_AT_ONE_INSTANT => Stop::Spinning,
                _ if self.step() => continue,
                _ => Stop::Quiet,
            };
            if why == Stop::Deadline {
                self.now = self.now.max(deadline);
                self.steps_at_now = 0;
            }
            return Err(Stalled { at: self.now, why });
        }
    }

    /// Lets everything happen that happens until `deadline`, and sets the clock there.
    ///
    /// # Errors
    ///
    /// [`Stalled`] only when the machines spin.
    pub fn drive(&mut self, deadline: Instant) -> Result<(), Stalled> {
        match self.drive_until(deadline, |_| false) {
            Err(stalled) if stalled.why == Stop::Spinning => Err(stalled),
            _ => {
                self.now = self.now.max(deadline);
                Ok(())
            }
        }
    }

    /// Steps at most `steps` times. Returns whether everything fell quiet within them.
    pub fn drive_bounded(&mut self, steps: usize) -> bool {
        (0..steps).any(|_| !self.step())
    }

    /// Writes every datagram sent to the pcap file `path`; virtual time begins at 1970-01-01.
    ///
    /// # Errors
    ///
    /// What the file system reports.
    pub fn write_pcap(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.trace
            .write_pcap(path, WallClock::new(core::time::Duration::ZERO))
    }

    /// Takes what the machines have to send and to say.
    fn flush(&mut self) {
        self.unfinished = false;
        self.flush_a();
        self.flush_b();
    }

    fn flush_a(&mut self) {
        self.events_a
            .extend(core::iter::from_fn(|| self.a.poll_event()));
        for _ in 0..MAX_BURST {
            let Some(transmit) = self.a.poll_transmit(self.now, &mut self.buf) else {
                return;
            };
            self.send(Direction::AToB, &transmit);
            self.events_a
                .extend(core::iter::from_fn(|| self.a.poll_event()));
        }
        self.unfinished = true;
    }

    fn flush_b(&mut self) {
        self.events_b
            .extend(core::iter::from_fn(|| self.b.poll_event()));
        for _ in 0..MAX_BURST {
            let Some(transmit) = self.b.poll_transmit(self.now, &mut self.buf) else {
                return;
            };
            self.send(Direction::BToA, &transmit);
            self.events_b
                .extend(core::iter::from_fn(|| self.b.poll_event()));
        }
        self.unfinished = true;
    }

    fn send(&mut self, direction: Direction, transmit: &Transmit) {
        let (link, sent) = match direction {
            Direction::AToB => (&mut self.a_to_b, &mut self.sent[0]),
            Direction::BToA => (&mut self.b_to_a, &mut self.sent[1]),
        };
        for data in transmit.segments(&self.buf) {
            let flight = Flight {
                now: self.now,
                direction,
                index: *sent,
                path: transmit.path,
                data,
            };
            *sent += 1;
            let fate = self.script.fate(flight);
            let mut enter = |hold, twice| link.send_with(self.now, flight.path, data, hold, twice);
            let on_its_way = match fate {
                Fate::Deliver => enter(None, false),
                Fate::Delay(by) => enter(Some(by), false),
                Fate::Duplicate => enter(None, true),
                Fate::Drop => false,
            };
            self.trace.push(Traced {
                at: self.now,
                direction,
                index: flight.index,
                path: flight.path,
                fate,
                on_its_way,
                data: data.into(),
            });
        }
    }

    /// Hands over what has arrived by now, but nothing that is sent in answer to it at this very instant.
    fn deliver(&mut self) {
        for _ in 0..self.a_to_b.in_flight() {
            let Some(delivery) = self.a_to_b.poll(self.now) else {
                break;
            };
            let datagram = Datagram::new(delivery.path.reversed(), delivery.data);
            self.b.handle_input(self.now, datagram);
            self.flush_b();
        }
        for _ in 0..self.b_to_a.in_flight() {
            let Some(delivery) = self.b_to_a.poll(self.now) else {
                break;
            };
            let datagram = Datagram::new(delivery.path.reversed(), delivery.data);
            self.a.handle_input(self.now, datagram);
            self.flush_a();
        }
    }
}

impl<A: Machine + fmt::Debug, B: Machine + fmt::Debug> fmt::Debug for Pair<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair")
            .field("now", &self.now)
            .field("a", &self.a)
            .field("b", &self.b)
            .field("a_to_b", &self.a_to_b.counters())
            .field("b_to_a", &self.b_to_a.counters())
            .finish_non_exhaustive()
    }
}
