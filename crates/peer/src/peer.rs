//! The peer connection: one machine made of all the others.

use std::collections::VecDeque;

use rtckit_proto::{Datagram, Instant, Machine, Random, Transmit};
use rtckit_sdp::attribute::Direction;

use crate::config::Config;
use crate::error::Error;
use crate::event::{Event, TransceiverId};
use crate::handles::{Receiver, Sender};
use crate::report::ReportSchedule;
use crate::routing::{route, tell_frames};
use crate::secure_transport::{SecureTransport, TransportEvent};
use crate::signaling::Signaling;
use crate::state::{
    ConnectionState, DtlsTransportState, IceCandidate, IceConnectionState, IceGatheringState,
    MediaKind, SessionDescription, SignalingState,
};
use crate::transceiver::{Transceiver, TransceiverInfo};

/// Facts that may wait to be polled; beyond them datagrams are dropped until some are.
const MAX_EVENTS: usize = 1024;
/// The most transceivers one peer can have.
pub(crate) const MAX_TRANSCEIVERS: usize = 64;

/// A WebRTC peer connection without I/O.
///
/// **Getters** tell its states, descriptions and statistics. **Mutators** are the W3C's: add transceivers, create and
/// apply descriptions, add candidates, write frames through [`sender`](Self::sender), read them through
/// [`receiver`](Self::receiver), [`close`](Self::close). **`handle_*`** bring datagrams and time. **`poll_*`** take out
/// what is to be sent, told and waited for.
///
/// **Order.** After any mutator or `handle_*`, drain [`poll_transmit`](Self::poll_transmit) and
/// [`poll_event`](Self::poll_event), then ask [`poll_timeout`](Self::poll_timeout). Another order, or forgetting to drain,
/// costs latency, never correctness. **Time** never runs backwards; calling
/// [`handle_timeout`](Self::handle_timeout) early does nothing.
///
/// **Bounds.** One call handles the datagrams it was given, or writes one datagram (or one run of equal ones); up to 64
/// transceivers, 1024 waiting events, 64 SRTP datagrams that overtook their keys.
#[derive(Debug)]
pub struct Peer {
    pub(crate) config: Config,
    pub(crate) random: SecretRandom,
    pub(crate) signaling: Signaling,
    pub(crate) transceivers: Vec<Transceiver>,
    pub(crate) transport: SecureTransport,
    pub(crate) events: VecDeque<Event>,
    pub(crate) reports: ReportSchedule,
    pub(crate) cname: String,
    pub(crate) stream_id: String,
    /// `candidate:…` texts gathered so far.
    pub(crate) local_candidates: Vec<String>,
    pub(crate) gathering_complete: bool,
    /// Candidates that came before the description they belong to.
    pub(crate) early_candidates: Vec<IceCandidate>,
    pub(crate) gathering: IceGatheringState,
    ice_state: IceConnectionState,
    dtls_state: DtlsTransportState,
    connection_state: ConnectionState,
    closing: Closing,
    /// Which sender has its turn.
    next_sender: usize,
}

/// How far the goodbye has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    No,
    /// RTCP BYE is to be sent.
    Goodbye,
    /// DTLS' close_notify is to be sent.
    Alert,
    Done,
}

/// The provider's randomness, kept out of `{:?}`.
pub(crate) struct SecretRandom(Box<dyn Random + Send + Sync>);

impl Random for SecretRandom {
    fn fill(&mut self, out: &mut [u8]) {
        self.0.fill(out);
    }
}

impl core::fmt::Debug for SecretRandom {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SecretRandom")
    }
}

impl Peer {
    /// A peer that has neither transceivers nor addresses yet.
    pub fn new(config: Config, now: Instant) -> Result<Self, Error> {
        let mut random = SecretRandom(config.provider.random());
        // RFC 9429 §5.2.1: 63 bits from a strong random source
        let session_id = random.next_u64() >> 1;
        let transport = SecureTransport::new(&config);
        let mut peer = Self {
            signaling: Signaling::new(session_id),
            transceivers: Vec::new(),
            transport,
            events: VecDeque::new(),
            reports: ReportSchedule::new(random.next_u64()),
            cname: String::new(),
            stream_id: String::new(),
            local_candidates: Vec::new(),
            gathering_complete: false,
            early_candidates: Vec::new(),
            gathering: IceGatheringState::New,
            ice_state: IceConnectionState::New,
            dtls_state: DtlsTransportState::New,
            connection_state: ConnectionState::New,
            closing: Closing::No,
            next_sender: 0,
            random,
            config,
        };
        peer.cname = peer.random_token();
        peer.stream_id = peer.random_token();
        peer.pump(now);
        Ok(peer)
    }

    // Getters.

    /// Where the offer/answer exchange stands.
    pub fn signaling_state(&self) -> SignalingState {
        self.signaling.state()
    }

    /// Whether candidates are still being found.
    pub fn ice_gathering_state(&self) -> IceGatheringState {
        self.gathering
    }

    /// The state of the ICE agent.
    pub fn ice_connection_state(&self) -> IceConnectionState {
        self.ice_state
    }

    /// The state of DTLS.
    pub fn dtls_state(&self) -> DtlsTransportState {
        self.dtls_state
    }

    /// The state of ICE and DTLS together.
    pub fn connection_state(&self) -> ConnectionState {
        self.connection_state
    }

    /// The local description in force, with the candidates found by now.
    pub fn local_description(&self) -> Option<SessionDescription> {
        let (kind, description) = self.signaling.local()?;
        Some(SessionDescription {
            kind,
            sdp: self.describe(description).ok()?,
        })
    }

    /// The remote description in force, as this side understood it: what rtckit does not use is left out.
    pub fn remote_description(&self) -> Option<SessionDescription> {
        let (kind, description) = self.signaling.remote()?;
        Some(SessionDescription {
            kind,
            sdp: crate::jsep::write(description).ok()?,
        })
    }

    /// Every transceiver, in the order they were added.
    pub fn transceivers(&self) -> impl Iterator<Item = TransceiverInfo> {
        self.transceivers.iter().map(Transceiver::info)
    }

    /// The secrets of the handshake in NSS' key log format, once, if the configuration asks for them: a line without
    /// its end.
    pub fn take_key_log(&mut self) -> Option<String> {
        self.transport.take_key_log()
    }

    // Mutators.

    /// Adds a transceiver; the next offer or answer will have it. At most 64.
    pub fn add_transceiver(
        &mut self,
        kind: MediaKind,
        direction: Direction,
    ) -> Result<TransceiverId, Error> {
        if self.signaling.state() == SignalingState::Closed {
            return Err(Error::Closed);
        }
        if self.transceivers.len() >= MAX_TRANSCEIVERS {
            return Err(Error::TooManyTransceivers);
        }
        Ok(self.insert_transceiver(kind, direction))
    }

    /// Sets which way media may go; the next offer or answer will say so.
    pub fn set_direction(&mut self, id: TransceiverId, direction: Direction) -> Result<(), Error> {
        self.transceiver_mut(id)
            .ok_or(Error::NoSuchStream)?
            .direction = direction;
        Ok(())
    }

    /// The sending half of a transceiver, if it sends now.
    pub fn sender(&mut self, id: TransceiverId) -> Option<Sender<'_>> {
        let transceiver = self
            .transceivers
            .iter_mut()
            .find(|transceiver| transceiver.id == id)?;
        Some(Sender {
            format: transceiver.codec.as_ref()?.send.format,
            stream: transceiver.sending()?,
        })
    }

    /// The receiving half of a transceiver, if it receives now.
    pub fn receiver(&mut self, id: TransceiverId) -> Option<Receiver<'_>> {
        let transceiver = self
            .transceivers
            .iter_mut()
            .find(|transceiver| transceiver.id == id)?;
        Some(Receiver {
            receiving: transceiver.receiver.as_mut()?,
        })
    }

    /// Hangs up: the streams say BYE, DTLS says close_notify, and nothing is received any more. What is left to send is
    /// in [`poll_transmit`](Self::poll_transmit).
    pub fn close(&mut self, now: Instant) {
        if self.closing != Closing::No {
            return;
        }
        self.closing = if self.transport.media_path().is_some() {
            Closing::Goodbye
        } else {
            Closing::Alert
        };
        self.transport.close(now);
        self.signaling.close();
        self.events
            .push_back(Event::SignalingState(SignalingState::Closed));
        self.update_connection_state();
    }

    // Input.

    /// A datagram, or a run of them, arrives.
    pub fn handle_input(&mut self, now: Instant, datagram: Datagram<'_>) {
        for datagram in datagram.segments() {
            if self.events.len() >= MAX_EVENTS || self.closing != Closing::No {
                self.transport.counters.packets_discarded += 1;
                continue;
            }
            let opened = self.transport.handle_input(now, datagram);
            route(
                &mut self.transceivers,
                &mut self.events,
                &self.config,
                now,
                opened,
            );
        }
        self.pump(now);
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.closing != Closing::No {
            return;
        }
        self.transport.handle_timeout(now);
        for transceiver in &mut self.transceivers {
            tell_frames(transceiver, &mut self.events, now);
        }
        self.pump(now);
    }

    // Output.

    /// The next datagram, or run of equal ones, to be sent. `buf` must hold
    /// [`Config::max_datagram`](crate::Config::max_datagram) bytes; given room for several, media leaves in runs.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        match self.closing {
            Closing::No => self
                .transport
                .poll_transmit(now, buf)
                .or_else(|| self.poll_rtcp(now, buf))
                .or_else(|| self.poll_media(now, buf)),
            Closing::Goodbye => {
                self.closing = Closing::Alert;
                self.poll_goodbye(buf)
                    .or_else(|| self.poll_transmit(now, buf))
            }
            Closing::Alert => {
                let transmit = self.transport.poll_transmit(now, buf);
                if transmit.is_none() {
                    self.closing = Closing::Done;
                    self.transport.stop();
                }
                transmit
            }
            Closing::Done => None,
        }
    }

    /// The next fact for the user.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.closing != Closing::No {
            return None;
        }
        let transport = self.transport.poll_timeout();
        // Without a path there are neither reports to send nor packets to ask for: nothing would come of waking.
        if self.transport.media_path().is_none() {
            return transport;
        }
        self.transceivers
            .iter()
            .filter_map(|transceiver| {
                let receiver = transceiver.receiver.as_ref()?;
                receiver.stream.as_ref()?.poll_timeout()
            })
            .chain(transport)
            .chain(self.reports.due())
            .min()
    }

    /// A run of RTP packets of one stream, protected in place, as many as fit and are of one length.
    fn poll_media(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        let path = self.transport.media_path()?;
        let count = self.transceivers.len();
        for turn in 0..count {
            let index = (self.next_sender + turn) % count;
            let Some(stream) = self
                .transceivers
                .get_mut(index)
                .and_then(Transceiver::sending)
            else {
                continue;
            };
            let overhead = self.transport.rtp_overhead();
            let mut written = 0;
            let mut stride = None;
            for _ in 0..MAX_RUN_PACKETS {
                if written >= MAX_RUN_BYTES {
                    break;
                }
                // Behind the first packet goes what is no longer than it; a shorter one ends the run.
                let room = stride.unwrap_or(buf.len());
                let Some(slot) = buf
                    .get_mut(written..)
                    .map(|rest| rest.split_at_mut(room.min(rest.len())).0)
                else {
                    break;
                };
                let Some(packet) = slot
                    .len()
                    .checked_sub(overhead)
                    .and_then(|len| slot.get_mut(..len))
                else {
                    break;
                };
                let Some(len) = stream.poll_packet(now, packet) else {
                    break;
                };
                let Some(len) = self.transport.protect_rtp(slot, len) else {
                    // SRTP will not have it, such as a repair of long ago; the next one may do.
                    self.transport.counters.packets_discarded += 1;
                    continue;
                };
                written += len;
                if len < *stride.get_or_insert(len) {
                    break;
                }
            }
            if let Some(stride) = stride {
                self.next_sender = index + 1;
                let segment_size = (written > stride).then_some(stride);
                let transmit = Transmit {
                    segment_size,
                    ..Transmit::new(path, written)
                };
                self.transport.count_sent(&transmit);
                return Some(transmit);
            }
        }
        None
    }

    // Internal transitions.

    /// Carries facts from the transport to the user until none is left.
    pub(crate) fn pump(&mut self, now: Instant) {
        self.transport.pump(now);
        while let Some(event) = self.transport.poll_event() {
            match event {
                TransportEvent::Candidate(candidate) => {
                    self.on_local_candidate(&candidate.to_string())
                }
                TransportEvent::GatheringComplete => self.on_gathering_complete(),
                TransportEvent::IceState(state) => {
                    tracing::debug!(%state, "ICE");
                    self.ice_state = state;
                    self.events.push_back(Event::IceConnectionState(state));
                }
                TransportEvent::DtlsState(state) => self.on_dtls_state(now, state),
            }
            self.update_connection_state();
        }
        if self.transport.has_early() {
            let mut scratch = Vec::new();
            while let Some(opened) = self.transport.poll_early(&mut scratch) {
                route(
                    &mut self.transceivers,
                    &mut self.events,
                    &self.config,
                    now,
                    Some(opened),
                );
            }
        }
    }

    fn on_dtls_state(&mut self, now: Instant, state: DtlsTransportState) {
        tracing::debug!(%state, "DTLS");
        self.dtls_state = state;
        self.events.push_back(Event::DtlsState(state));
        match state {
            DtlsTransportState::Connected => self.reports.start(now),
            // The other side hung up: there is nobody left to talk to.
            DtlsTransportState::Closed => self.close(now),
            _ => {}
        }
    }

    pub(crate) fn signaling_changed(&mut self) {
        self.events
            .push_back(Event::SignalingState(self.signaling.state()));
    }

    /// The W3C's rule for one ICE and one DTLS transport
    /// ([webrtc-pc §4.3.3](https://www.w3.org/TR/webrtc/#rtcpeerconnectionstate-enum)), except that a peer that said
    /// close_notify has closed the connection.
    fn update_connection_state(&mut self) {
        use {DtlsTransportState as Dtls, IceConnectionState as Ice};
        let state = match (self.ice_state, self.dtls_state) {
            _ if self.closing != Closing::No => ConnectionState::Closed,
            (Ice::Failed, _) | (_, Dtls::Failed) => ConnectionState::Failed,
            (Ice::Disconnected, _) => ConnectionState::Disconnected,
            (Ice::Connected | Ice::Completed, Dtls::Connected) => ConnectionState::Connected,
            (Ice::New, Dtls::New | Dtls::Connecting) => ConnectionState::New,
            _ => ConnectionState::Connecting,
        };
        if state != self.connection_state {
            tracing::debug!(%state, "connection");
            self.connection_state = state;
            self.events.push_back(Event::ConnectionState(state));
        }
    }

    pub(crate) fn transceiver(&self, id: TransceiverId) -> Option<&Transceiver> {
        self.transceivers
            .iter()
            .find(|transceiver| transceiver.id == id)
    }

    pub(crate) fn transceiver_mut(&mut self, id: TransceiverId) -> Option<&mut Transceiver> {
        self.transceivers
            .iter_mut()
            .find(|transceiver| transceiver.id == id)
    }

    /// An SSRC that is not zero, not `other`, and not in use here.
    pub(crate) fn unused_ssrc(&mut self, other: u32) -> u32 {
        loop {
            let ssrc = self.random.next_u32();
            let mut used = self
                .transceivers
                .iter()
                .flat_map(|transceiver| [transceiver.ssrc, transceiver.rtx_ssrc]);
            if ssrc != 0 && ssrc != other && used.all(|used| used != ssrc) {
                return ssrc;
            }
        }
    }

    /// 16 characters that are an SDP token, 96 bits of chance ([RFC 7022 §4.2](https://www.rfc-editor.org/rfc/rfc7022#section-4.2)).
    pub(crate) fn random_token(&mut self) -> String {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes);
        bytes
            .iter()
            .map(|byte| char::from(ALPHABET[usize::from(byte % 64)]))
            .collect()
    }
}

/// The longest run of packets written at once: what UDP's segmentation offload takes.
const MAX_RUN_BYTES: usize = 60_000;
const MAX_RUN_PACKETS: usize = 64;

impl Machine for Peer {
    type Event = Event;

    fn handle_input(&mut self, now: Instant, datagram: Datagram<'_>) {
        self.handle_input(now, datagram);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.handle_timeout(now);
    }

    fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        self.poll_transmit(now, buf)
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.poll_event()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.poll_timeout()
    }
}
