//! The connection as its user sees it: construction, getters, the five verbs, application data.

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use rtckit_proto::{Datagram, FiveTuple, Instant, Machine, Received, TimerId, Timers, Transmit};

use crate::alert::{Alert, AlertDescription};
use crate::config::Config;
use crate::error::{Error, Misuse};
use crate::export::{KeyLogLine, SrtpKeys};
use crate::flight::Flight;
use crate::reassembly::Reassembly;
use crate::record::{ContentType, Opener, RecordLayer, version};
use crate::transcript::Transcript;
use crate::v12::{self, Session, State};

/// One end of a DTLS association.
///
/// **Methods.** Getters ([`role`](Self::role) .. [`stats`](Self::stats)) say what is; `handle_*` takes what came
/// from outside; [`seal`](Self::seal), [`seal_in_place`](Self::seal_in_place), [`close`](Self::close) and
/// [`set_path`](Self::set_path) are the user's; `poll_*` takes out what is ready.
///
/// **Order.** After `handle_*` and `close`, call [`poll_transmit`](Self::poll_transmit) and
/// [`poll_event`](Self::poll_event) until each returns `None`, then [`poll_timeout`](Self::poll_timeout). Another
/// order costs latency, never correctness.
///
/// **Time.** `now` never runs backwards. [`handle_timeout`](Self::handle_timeout) may come early (nothing happens)
/// or late (what was due happens).
#[derive(Debug)]
pub struct Connection {
    pub(crate) config: Arc<Config>,
    pub(crate) path: FiveTuple,
    pub(crate) role: Role,
    pub(crate) state: State,
    pub(crate) transcript: Transcript,
    pub(crate) reassembly: Reassembly,
    pub(crate) flight: Flight,
    pub(crate) records: RecordLayer,
    /// Opens epoch 1, once there are keys.
    pub(crate) opener: Option<Opener>,
    /// Records of epoch 1 that came before the keys; see [`MAX_EARLY_RECORDS`](crate::receive).
    pub(crate) early: Vec<Vec<u8>>,
    pub(crate) timers: Timers<Timer, 2>,
    /// How long to wait for an answer to the current flight.
    pub(crate) retransmit_after: Duration,
    /// When the current flight was last sent to its end.
    pub(crate) sent_at: Option<Instant>,
    /// What the peer said in the clear: believed when nothing better comes.
    pub(crate) plaintext_alert: Option<AlertDescription>,
    /// To be sent, in this epoch.
    alert: Option<(Alert, u16)>,
    /// At most three: one for being connected, one for the end, and nothing after it.
    events: VecDeque<Event>,
    pub(crate) stats: Stats,
}

/// Which end of the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sends the first ClientHello; `a=setup:active`.
    Client,
    /// Waits for it; `a=setup:passive`.
    Server,
}

/// The negotiated version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Version {
    /// DTLS 1.2.
    Dtls12,
}

impl core::fmt::Display for Version {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("DTLS 1.2")
    }
}

/// What a connection tells its user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The handshake is done and the peer is who it should be: keys are there, data may flow.
    Connected,
    /// The peer said goodbye. Nothing more will come, and nothing can be sent.
    PeerClosed,
    /// The connection is over. The peer has been told, unless it told us.
    Failed(Error),
}

/// What happened so far, for monitoring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Records dropped: malformed, of an unknown epoch, or with no place in the current state.
    pub dropped_records: u64,
    /// Protected records dropped because they were forged, or seen before.
    pub forged_or_replayed_records: u64,
    /// Handshake fragments and messages dropped: malformed, out of turn, repeated, or over a ceiling.
    pub dropped_messages: u64,
    /// How often our flight was sent again.
    pub retransmissions: u64,
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The answer to our flight.
    Retransmit,
    /// The end of the handshake.
    Handshake,
}

impl TimerId<2> for Timer {
    const ALL: [Self; 2] = [Self::Retransmit, Self::Handshake];

    fn index(self) -> usize {
        self as usize
    }
}

impl Connection {
    /// The end that starts: its ClientHello is ready to be polled. `path` is what [`Transmit`]s will name.
    ///
    /// Fails with [`Misuse::MtuTooSmall`], or when the system has no randomness.
    pub fn client(config: Arc<Config>, path: FiveTuple, now: Instant) -> Result<Self, Error> {
        let mut connection = Self::new(config, path, Role::Client)?;
        connection.state = v12::client::State::start(
            &connection.config,
            &mut connection.transcript,
            &mut connection.flight,
        )?;
        connection.start_handshake_timer(now);
        Ok(connection)
    }

    /// The end that waits. `path` is what [`Transmit`]s will name. Its time for the handshake begins with the
    /// first ClientHello.
    ///
    /// Fails with [`Misuse::MtuTooSmall`].
    pub fn server(config: Arc<Config>, path: FiveTuple, _now: Instant) -> Result<Self, Error> {
        Self::new(config, path, Role::Server)
    }

    fn new(config: Arc<Config>, path: FiveTuple, role: Role) -> Result<Self, Error> {
        config.check()?;
        Ok(Self {
            retransmit_after: config.retransmit_initial,
            config,
            path,
            role,
            state: State::Server(v12::server::State::ExpectClientHello),
            transcript: Transcript::default(),
            reassembly: Reassembly::default(),
            flight: Flight::default(),
            records: RecordLayer::default(),
            opener: None,
            early: Vec::new(),
            timers: Timers::default(),
            sent_at: None,
            plaintext_alert: None,
            alert: None,
            events: VecDeque::new(),
            stats: Stats::default(),
        })
    }

    // --- getters ---

    /// Which end this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Whether application data may flow.
    pub fn is_connected(&self) -> bool {
        self.session().is_some()
    }

    /// Whether the connection has failed or was closed by either side.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// The version, once connected.
    pub fn version(&self) -> Option<Version> {
        self.session().map(|_| Version::Dtls12)
    }

    /// The name of the cipher suite in the IANA registry, once connected.
    pub fn cipher_suite(&self) -> Option<&'static str> {
        self.session()
            .map(|_| "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
    }

    /// Whether the keys are bound to the whole handshake
    /// ([RFC 7627](https://www.rfc-editor.org/rfc/rfc7627)); false until connected.
    pub fn has_extended_master_secret(&self) -> bool {
        self.session()
            .is_some_and(|session| session.extended_master_secret)
    }

    /// The peer's certificate (X.509, DER), once connected.
    pub fn peer_certificate(&self) -> Option<&[u8]> {
        self.session().map(|session| &session.peer_certificate[..])
    }

    /// SRTP's keys, once connected, if a profile was negotiated
    /// ([RFC 5764 §4.2](https://www.rfc-editor.org/rfc/rfc5764#section-4.2)).
    pub fn srtp_keys(&self) -> Option<SrtpKeys> {
        self.session()?.srtp_keys(&self.config.provider, self.role)
    }

    /// Fills `out` with bytes that both ends can compute and nobody else
    /// ([RFC 5705 §4](https://www.rfc-editor.org/rfc/rfc5705#section-4)).
    ///
    /// Having no `context` is not the same as having an empty one. Fails with [`Misuse::NotConnected`].
    pub fn export_keying_material(
        &self,
        label: &[u8],
        context: Option<&[u8]>,
        out: &mut [u8],
    ) -> Result<(), Error> {
        let session = self.session().ok_or(Misuse::NotConnected)?;
        session.export(&self.config.provider, label, context, out);
        Ok(())
    }

    /// The line that lets Wireshark read the connection, once connected, if [`Config::key_log`] allows it.
    pub fn key_log(&self) -> Option<KeyLogLine> {
        self.session()
            .filter(|_| self.config.key_log)
            .map(Session::key_log)
    }

    /// How many bytes a sealed record has before and after its payload.
    pub const fn overhead(&self) -> (usize, usize) {
        RecordLayer::overhead(1)
    }

    /// What happened so far.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    // --- what comes from outside ---

    /// Takes a datagram, or a run of them, and returns the application data in it, opened in place.
    ///
    /// Who sent it is not checked: ICE has, and records authenticate themselves. Noise is dropped and counted.
    pub fn handle_input<'d>(&mut self, now: Instant, datagram: Datagram<'d>) -> Received<'d> {
        self.receive(now, datagram)
    }

    /// Does what is due: repeats the flight the peer has not answered, or gives up.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.timers.expire(now) {
            match (timer, self.plaintext_alert) {
                (Timer::Handshake, _) => self.fail(Error::TimedOut),
                (Timer::Retransmit, Some(alert)) => self.fail(Error::AlertReceived(alert)),
                (Timer::Retransmit, None) => {
                    self.retransmit_after =
                        (self.retransmit_after * 2).min(self.config.retransmit_max);
                    self.repeat_flight();
                }
            }
        }
    }

    // --- what the user wants ---

    /// Seals `payload` into a record at the start of `buf` and returns the record's length.
    ///
    /// A record is a datagram's content: it goes to the peer as it is, now, or never. Fails with a [`Misuse`].
    pub fn seal(&mut self, payload: &[u8], buf: &mut [u8]) -> Result<usize, Error> {
        let (head, _) = self.overhead();
        buf.get_mut(head..head + payload.len())
            .ok_or(Misuse::BufferTooSmall)?
            .copy_from_slice(payload);
        self.seal_in_place(buf, payload.len())
    }

    /// Seals the `len` bytes that stand in `buf` behind [`overhead`](Self::overhead)'s head, and returns the length
    /// of the record, which begins at the start of `buf`. Fails with a [`Misuse`].
    pub fn seal_in_place(&mut self, buf: &mut [u8], len: usize) -> Result<usize, Error> {
        if self.session().is_none() {
            return Err(Misuse::NotConnected.into());
        }
        let content_type = ContentType::APPLICATION_DATA;
        Ok(self
            .records
            .seal(1, version::DTLS_1_2, content_type, buf, len)?)
    }

    /// Says goodbye; the alert is to be polled. Nothing is received or sealed from here on.
    pub fn close(&mut self, _now: Instant) {
        match self.state {
            State::Closed => return,
            // the peer may still need our last flight to understand the alert
            State::Connected(_) if self.flight.is_pending() => {}
            State::Connected(_) | State::Client(_) | State::Server(_) => self.flight.clear(),
        }
        self.alert = Some((Alert::CLOSE_NOTIFY, self.flight.write_epoch()));
        self.end();
    }

    /// Sends from and to somewhere else from here on: ICE has found a better path.
    pub fn set_path(&mut self, path: FiveTuple) {
        self.path = path;
    }

    // --- what is ready ---

    /// Writes the next datagram of the handshake, or an alert, into `buf`, which should hold [`Config::mtu`] bytes.
    /// With a smaller one the datagrams are smaller; with one below [`Config::MIN_MTU`] nothing may fit.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        let limit = buf.len().min(self.config.mtu);
        let buf = buf.get_mut(..limit)?;
        if self.flight.is_pending() {
            let len = self.flight.write(&mut self.records, buf);
            let repetition = self.flight.is_repetition();
            tracing::debug!(role = ?self.role, len, repetition, "handshake datagram");
            if !self.flight.is_pending() {
                self.on_flight_sent(now);
            }
            return (len > 0).then(|| Transmit::new(self.path, len));
        }
        let (alert, epoch) = self.alert.take()?;
        let len = self.write_alert(alert, epoch, buf)?;
        Some(Transmit::new(self.path, len))
    }

    /// The next event; `None` when there is none.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called; `None` when nothing is pending, as in a
    /// connection that is established.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    // --- transitions ---

    fn session(&self) -> Option<&Session> {
        match &self.state {
            State::Connected(session) => Some(session),
            _ => None,
        }
    }

    pub(crate) fn start_handshake_timer(&mut self, now: Instant) {
        if self.timers.get(Timer::Handshake).is_none() {
            self.timers
                .set(Timer::Handshake, now + self.config.handshake_timeout);
        }
    }

    fn on_flight_sent(&mut self, now: Instant) {
        self.sent_at = Some(now);
        if self.flight.expects_reply() && !self.is_closed() {
            self.timers
                .set(Timer::Retransmit, now + self.retransmit_after);
        }
    }

    pub(crate) fn repeat_flight(&mut self) {
        self.timers.stop(Timer::Retransmit);
        self.stats.retransmissions += 1;
        self.flight.rewind();
    }

    pub(crate) fn on_connected(&mut self) {
        self.timers = Timers::default();
        self.transcript.clear();
        self.reassembly.finish();
        self.flight.shrink();
        self.early = Vec::new();
        self.plaintext_alert = None;
        self.events.push_back(Event::Connected);
    }

    /// The peer said goodbye and gets the same answer
    /// ([RFC 5246 §7.2.1](https://www.rfc-editor.org/rfc/rfc5246#section-7.2.1)).
    pub(crate) fn on_close_notify(&mut self) {
        self.flight.clear();
        self.alert = Some((Alert::CLOSE_NOTIFY, self.flight.write_epoch()));
        tracing::debug!(role = ?self.role, "close_notify received");
        self.events.push_back(Event::PeerClosed);
        self.end();
    }

    /// The end of everything; the peer is told unless it was the one to tell us.
    pub(crate) fn fail(&mut self, error: Error) {
        self.flight.clear();
        tracing::debug!(role = ?self.role, %error, "failed");
        if !matches!(error, Error::AlertReceived(_)) {
            let alert = Alert::fatal(AlertDescription::from(&error));
            self.alert = Some((alert, self.flight.write_epoch()));
        }
        self.events.push_back(Event::Failed(error));
        self.end();
    }

    fn end(&mut self) {
        self.state = State::Closed;
        self.timers = Timers::default();
        self.transcript.clear();
        self.reassembly = Reassembly::default();
        self.early = Vec::new();
        self.opener = None;
    }

    fn write_alert(&mut self, alert: Alert, epoch: u16, buf: &mut [u8]) -> Option<usize> {
        let (head, _) = RecordLayer::overhead(epoch);
        buf.get_mut(head..head + Alert::LEN)?
            .copy_from_slice(&alert.encode());
        self.records
            .seal(
                epoch,
                version::DTLS_1_2,
                ContentType::ALERT,
                buf,
                Alert::LEN,
            )
            .ok()
    }
}

/// For drivers that do not care what they drive. What [`Connection::handle_input`] returns is lost through it.
impl Machine for Connection {
    type Event = Event;

    fn handle_input(&mut self, now: Instant, datagram: Datagram<'_>) {
        let _application_data = self.receive(now, datagram);
    }

    fn handle_timeout(&mut self, now: Instant) {
        Self::handle_timeout(self, now);
    }

    fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        Self::poll_transmit(self, now, buf)
    }

    fn poll_event(&mut self) -> Option<Event> {
        Self::poll_event(self)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Self::poll_timeout(self)
    }
}
