//! ICE, DTLS and SRTP as one transport: what BUNDLE leaves of them.
//!
//! ```text
//!   datagram ─► ICE ─► STUN is answered ───────────────────────► poll_transmit
//!                 └─► DTLS ─► keys ─► SRTP ─► plain RTP, RTCP ─► the media layer
//! ```

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use rtckit_crypto::fingerprint::Fingerprint;
use rtckit_dtls::{Connection as Dtls, Verify};
use rtckit_ice::{Candidate, Credentials, Role as IceRole};
use rtckit_proto::{Datagram, FiveTuple, Instant, SrtpProfile, Transmit};
use rtckit_srtp::{ReceiveContext, SendContext};
use rtckit_transport::{GatheringState, Transport, TransportConfig};

use crate::config::Config;
use crate::demux::{self, Protocol};
use crate::error::Error;
use crate::state::{DtlsTransportState, IceConnectionState};

/// SRTP datagrams that overtook the handshake's last flight wait for its keys: this many, of this length at most.
const MAX_EARLY_DATAGRAMS: usize = 64;
const MAX_EARLY_LEN: usize = 2048;

/// Which end of the DTLS handshake this side takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DtlsRole {
    Client,
    Server,
}

/// What the layers below the media have to tell.
#[derive(Debug)]
pub(crate) enum TransportEvent {
    Candidate(Candidate),
    GatheringComplete,
    IceState(IceConnectionState),
    DtlsState(DtlsTransportState),
}

/// A datagram's content, decrypted in place.
#[derive(Debug)]
pub(crate) enum Opened<'d> {
    Rtp(&'d [u8]),
    Rtcp(&'d [u8]),
}

/// What was counted on the way.
#[derive(Clone, Debug, Default)]
pub(crate) struct TransportCounters {
    pub(crate) packets_sent: u64,
    pub(crate) packets_received: u64,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
    pub(crate) packets_discarded: u64,
    pub(crate) path_changes: u32,
    pub(crate) ice_started: Option<Instant>,
    pub(crate) ice_connected: Option<Instant>,
    pub(crate) dtls_connected: Option<Instant>,
}

/// What an offer and its answer settle about the transport.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) ice_role: IceRole,
    pub(crate) remote: Credentials,
    pub(crate) remote_lite: bool,
    pub(crate) dtls_role: DtlsRole,
    pub(crate) fingerprints: Vec<Fingerprint>,
}

#[derive(Debug)]
pub(crate) struct SecureTransport {
    pub(crate) ice: Transport,
    dtls: DtlsState,
    dtls_role: Option<DtlsRole>,
    /// Whom the association is with.
    fingerprints: Vec<Fingerprint>,
    srtp: Option<Srtp>,
    early: VecDeque<Vec<u8>>,
    events: VecDeque<TransportEvent>,
    path: Option<FiveTuple>,
    key_log: Option<String>,
    pub(crate) counters: TransportCounters,
}

/// Where the handshake stands.
#[derive(Debug)]
enum DtlsState {
    /// The descriptions have not settled it yet.
    New,
    /// A client waits for a path before it says hello.
    AwaitingPath(Arc<rtckit_dtls::Config>),
    /// The machine is at work, or done.
    Running(Box<Dtls>),
    /// It failed.
    Failed,
}

#[derive(Debug)]
struct Srtp {
    profile: SrtpProfile,
    send: SendContext,
    receive: ReceiveContext,
}

impl SecureTransport {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            ice: Transport::new(TransportConfig::default(), config.provider.random()),
            dtls: DtlsState::New,
            dtls_role: None,
            fingerprints: Vec::new(),
            srtp: None,
            early: VecDeque::new(),
            events: VecDeque::new(),
            path: None,
            key_log: None,
            counters: TransportCounters::default(),
        }
    }

    /// Takes the role of who offers ([RFC 8445 §6.1.1](https://www.rfc-editor.org/rfc/rfc8445#section-6.1.1)) with the first
    /// offer, not with its answer: the other side's checks may overtake that, and would find two agents that are
    /// controlled.
    pub(crate) fn offer(&mut self) {
        if self.counters.ice_started.is_none() {
            self.ice.set_role(IceRole::Controlling);
        }
    }

    /// The descriptions are settled: ICE knows its partner, and DTLS whom to expect.
    ///
    /// Later exchanges bring the same terms, or, after [`restart_ice`](Self::restart_ice), new credentials; the DTLS
    /// association and both roles stay.
    pub(crate) fn start(
        &mut self,
        now: Instant,
        config: &Config,
        terms: Terms,
    ) -> Result<(), Error> {
        if self.counters.ice_started.is_none() {
            self.counters.ice_started = Some(now);
            self.ice.set_role(terms.ice_role);
            self.ice.set_remote_lite(terms.remote_lite);
        }
        self.ice.set_remote_credentials(now, terms.remote).map_err(|_| {
            Error::unacceptable(
                "an answer changes the ICE credentials only if its offer did (RFC 8839 §4.4.1.1.1)",
            )
        })?;
        if matches!(self.dtls, DtlsState::New) {
            self.dtls_role = Some(terms.dtls_role);
            self.fingerprints.clone_from(&terms.fingerprints);
            let dtls = self.dtls_config(config, terms.fingerprints);
            match terms.dtls_role {
                DtlsRole::Client => self.dtls = DtlsState::AwaitingPath(dtls),
                DtlsRole::Server => {
                    // A server speaks only when spoken to, so any path will do until one is selected.
                    let machine = Dtls::server(dtls, ANY_PATH, now).map_err(Error::Dtls)?;
                    self.dtls = DtlsState::Running(Box::new(machine));
                }
            }
            self.events
                .push_back(TransportEvent::DtlsState(DtlsTransportState::Connecting));
        }
        self.pump(now);
        Ok(())
    }

    /// Begins a new ICE session ([RFC 8445 §9](https://www.rfc-editor.org/rfc/rfc8445#section-9)): fresh credentials,
    /// the candidates announced again. Media goes on over the old path meanwhile.
    pub(crate) fn restart_ice(&mut self, now: Instant) {
        self.ice.restart(now);
    }

    /// Refuses a description that asks for another DTLS association than the one there is: with somebody else, or with the
    /// roles exchanged ([RFC 8842 §5.1](https://www.rfc-editor.org/rfc/rfc8842#section-5.1)). Starting a new one is not done
    /// yet, and going on with the old one would let the user believe in an identity that nobody has proved.
    pub(crate) fn check_association(
        &self,
        fingerprints: &[Fingerprint],
        role: Option<DtlsRole>,
    ) -> Result<(), Error> {
        let Some(own) = self.dtls_role else {
            return Ok(());
        };
        let same = fingerprints.len() == self.fingerprints.len()
            && fingerprints
                .iter()
                .all(|fingerprint| self.fingerprints.contains(fingerprint));
        if !same || role.is_some_and(|role| role != own) {
            return Err(Error::unacceptable(
                "it asks for a new DTLS association (RFC 8842 §5.1), and there is one already",
            ));
        }
        Ok(())
    }

    fn dtls_config(
        &self,
        config: &Config,
        fingerprints: Vec<Fingerprint>,
    ) -> Arc<rtckit_dtls::Config> {
        let verify = Verify::Fingerprints(fingerprints);
        let mut dtls =
            rtckit_dtls::Config::new(config.provider.clone(), config.identity.clone(), verify);
        dtls.srtp_profiles.clone_from(&config.srtp_profiles);
        dtls.require_srtp = true;
        dtls.mtu = config.max_datagram;
        dtls.key_log = config.key_log;
        // ICE has proved the path and mostly measured it: a lost flight need not wait RFC 6347's full second.
        dtls.retransmit_initial = INITIAL_RETRANSMIT;
        // ICE also keeps asking whether the path is there, so a loss in it is a loss, and no sign of a dead peer.
        dtls.retransmit_max = MAX_RETRANSMIT;
        Arc::new(dtls)
    }

    /// A datagram arrives. What it carries for the media layer is handed back, decrypted in place.
    pub(crate) fn handle_input<'d>(
        &mut self,
        now: Instant,
        datagram: Datagram<'d>,
    ) -> Option<Opened<'d>> {
        self.counters.packets_received += 1;
        self.counters.bytes_received += datagram.data.len() as u64;
        let opened = self.open(now, datagram);
        self.pump(now);
        opened
    }

    fn open<'d>(&mut self, now: Instant, datagram: Datagram<'d>) -> Option<Opened<'d>> {
        match demux::protocol(datagram.data) {
            Some(Protocol::Stun) => {
                let rest = self.ice.handle_input(now, datagram);
                self.counters.packets_discarded += u64::from(rest.is_some());
                None
            }
            Some(Protocol::Dtls) => {
                let datagram = self.on_known_path(now, datagram)?;
                match &mut self.dtls {
                    // No data channels yet: application data has no taker.
                    DtlsState::Running(dtls) => drop(dtls.handle_input(now, datagram)),
                    _ => self.counters.packets_discarded += 1,
                }
                None
            }
            Some(protocol @ (Protocol::Rtp | Protocol::Rtcp)) => {
                let datagram = self.on_known_path(now, datagram)?;
                self.unprotect(protocol, datagram.data)
            }
            None => {
                self.counters.packets_discarded += 1;
                None
            }
        }
    }

    /// Lets through only what came along a path that ICE has checked.
    fn on_known_path<'d>(&mut self, now: Instant, datagram: Datagram<'d>) -> Option<Datagram<'d>> {
        let datagram = self.ice.handle_input(now, datagram);
        self.counters.packets_discarded += u64::from(datagram.is_none());
        datagram
    }

    fn unprotect<'d>(&mut self, protocol: Protocol, data: &'d mut [u8]) -> Option<Opened<'d>> {
        let Some(srtp) = &mut self.srtp else {
            if self.early.len() < MAX_EARLY_DATAGRAMS
                && data.len() <= MAX_EARLY_LEN
                && self.dtls_role.is_some()
            {
                self.early.push_back(data.to_vec());
            } else {
                self.counters.packets_discarded += 1;
            }
            return None;
        };
        let opened = match protocol {
            Protocol::Rtcp => srtp.receive.unprotect_rtcp(data),
            _ => srtp.receive.unprotect_rtp(data),
        };
        let Ok(len) = opened else {
            self.counters.packets_discarded += 1;
            return None;
        };
        let plain = data.get(..len)?;
        Some(if protocol == Protocol::Rtcp {
            Opened::Rtcp(plain)
        } else {
            Opened::Rtp(plain)
        })
    }

    /// A datagram that came before its keys, decrypted in `scratch` now that they are there.
    pub(crate) fn poll_early<'b>(&mut self, scratch: &'b mut Vec<u8>) -> Option<Opened<'b>> {
        self.srtp.as_ref()?;
        *scratch = self.early.pop_front()?;
        let protocol = demux::protocol(scratch)?;
        self.unprotect(protocol, scratch)
    }

    /// Whether datagrams that came before their keys can be opened now.
    pub(crate) fn has_early(&self) -> bool {
        self.srtp.is_some() && !self.early.is_empty()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.ice.handle_timeout(now);
        if let DtlsState::Running(dtls) = &mut self.dtls {
            dtls.handle_timeout(now);
        }
        self.pump(now);
    }

    /// What ICE or DTLS have to send.
    pub(crate) fn poll_transmit(&mut self, now: Instant, buf: &mut [u8]) -> Option<Transmit> {
        if let Some(transmit) = self.ice.poll_transmit(now, buf) {
            self.count_sent(&transmit);
            return Some(transmit);
        }
        let path = self.ice.path()?;
        let DtlsState::Running(dtls) = &mut self.dtls else {
            return None;
        };
        let transmit = Transmit {
            path,
            ..dtls.poll_transmit(now, buf)?
        };
        self.count_sent(&transmit);
        Some(transmit)
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let dtls = match &self.dtls {
            DtlsState::Running(dtls) => dtls.poll_timeout(),
            _ => None,
        };
        self.ice.poll_timeout().into_iter().chain(dtls).min()
    }

    pub(crate) fn poll_event(&mut self) -> Option<TransportEvent> {
        self.events.pop_front()
    }

    /// Where media goes now: a path that works, with keys agreed.
    pub(crate) fn media_path(&self) -> Option<FiveTuple> {
        self.srtp.as_ref()?;
        self.ice.path()
    }

    /// Protects the RTP packet in the first `len` bytes of `buf`, and says how long it is then.
    pub(crate) fn protect_rtp(&mut self, buf: &mut [u8], len: usize) -> Option<usize> {
        self.srtp.as_mut()?.send.protect_rtp(buf, len).ok()
    }

    /// Protects the RTCP packet in the first `len` bytes of `buf`, and says how long it is then.
    pub(crate) fn protect_rtcp(&mut self, buf: &mut [u8], len: usize) -> Option<usize> {
        self.srtp.as_mut()?.send.protect_rtcp(buf, len).ok()
    }

    /// How many bytes SRTP adds to an RTP packet.
    pub(crate) fn rtp_overhead(&self) -> usize {
        self.srtp.as_ref().map_or(MAX_RTP_OVERHEAD, |srtp| {
            rtckit_srtp::rtp_overhead(srtp.profile)
        })
    }

    pub(crate) fn count_sent(&mut self, transmit: &Transmit) {
        let len = transmit.range.len();
        self.counters.packets_sent += transmit
            .segment_size
            .map_or(1, |segment| len.div_ceil(segment.max(1)))
            as u64;
        self.counters.bytes_sent += len as u64;
    }

    /// Says goodbye. What is left to send is in `poll_transmit`.
    pub(crate) fn close(&mut self, now: Instant) {
        if let DtlsState::Running(dtls) = &mut self.dtls {
            dtls.close(now);
        }
    }

    /// Stops ICE, once the goodbye has left.
    pub(crate) fn stop(&mut self) {
        self.ice.close();
        self.srtp = None;
        self.early.clear();
    }

    pub(crate) fn dtls_role(&self) -> Option<DtlsRole> {
        self.dtls_role
    }

    pub(crate) fn srtp_profile(&self) -> Option<SrtpProfile> {
        self.srtp.as_ref().map(|srtp| srtp.profile)
    }

    /// The DTLS machine, once the handshake has begun.
    pub(crate) fn dtls(&self) -> Option<&Dtls> {
        match &self.dtls {
            DtlsState::Running(dtls) => Some(dtls),
            _ => None,
        }
    }

    pub(crate) fn take_key_log(&mut self) -> Option<String> {
        self.key_log.take()
    }

    /// Carries facts from one layer to the next, until none is left.
    pub(crate) fn pump(&mut self, now: Instant) {
        while let Some(event) = self.ice.poll_event() {
            self.on_ice_event(now, event);
        }
        let path = self.ice.path();
        if path != self.path {
            self.path = path;
            tracing::debug!(?path, "ICE selected a path");
            self.counters.path_changes += u32::from(path.is_some());
        }
        if let (DtlsState::AwaitingPath(config), Some(path)) = (&self.dtls, path) {
            self.dtls = match Dtls::client(config.clone(), path, now) {
                Ok(dtls) => DtlsState::Running(Box::new(dtls)),
                Err(_) => self.fail_dtls(),
            };
        }
        while let DtlsState::Running(dtls) = &mut self.dtls
            && let Some(event) = dtls.poll_event()
        {
            self.on_dtls_event(now, event);
        }
    }

    fn on_ice_event(&mut self, now: Instant, event: rtckit_transport::Event) {
        use rtckit_ice::ConnectionState as Ice;
        match event {
            rtckit_transport::Event::CandidateGathered(candidate) => {
                self.events.push_back(TransportEvent::Candidate(candidate));
            }
            rtckit_transport::Event::GatheringStateChanged(GatheringState::Complete) => {
                self.events.push_back(TransportEvent::GatheringComplete);
            }
            rtckit_transport::Event::Ice(rtckit_ice::Event::StateChanged(state)) => {
                let state = match state {
                    Ice::New => IceConnectionState::New,
                    Ice::Checking => IceConnectionState::Checking,
                    Ice::Connected => IceConnectionState::Connected,
                    Ice::Completed => IceConnectionState::Completed,
                    Ice::Disconnected => IceConnectionState::Disconnected,
                    Ice::Failed => IceConnectionState::Failed,
                    _ => IceConnectionState::Closed,
                };
                if matches!(
                    state,
                    IceConnectionState::Connected | IceConnectionState::Completed
                ) {
                    self.counters.ice_connected.get_or_insert(now);
                }
                self.events.push_back(TransportEvent::IceState(state));
            }
            _ => {}
        }
    }

    fn on_dtls_event(&mut self, now: Instant, event: rtckit_dtls::Event) {
        let state = match event {
            rtckit_dtls::Event::Connected => {
                if self.install_keys() {
                    self.counters.dtls_connected.get_or_insert(now);
                    DtlsTransportState::Connected
                } else {
                    DtlsTransportState::Failed
                }
            }
            rtckit_dtls::Event::Failed(error) => {
                tracing::warn!(%error, "the DTLS handshake failed");
                DtlsTransportState::Failed
            }
            _ => DtlsTransportState::Closed,
        };
        self.events.push_back(TransportEvent::DtlsState(state));
    }

    fn install_keys(&mut self) -> bool {
        let DtlsState::Running(dtls) = &self.dtls else {
            return false;
        };
        let Some(keys) = dtls.srtp_keys() else {
            return false;
        };
        self.key_log = dtls.key_log().map(|line| line.to_string());
        let contexts = (
            SendContext::new(keys.profile, keys.local.key(), keys.local.salt()),
            ReceiveContext::new(keys.profile, keys.remote.key(), keys.remote.salt()),
        );
        let (Ok(send), Ok(receive)) = contexts else {
            return false;
        };
        tracing::debug!(profile = %keys.profile, "SRTP keys are in place");
        self.srtp = Some(Srtp {
            profile: keys.profile,
            send,
            receive,
        });
        true
    }

    fn fail_dtls(&mut self) -> DtlsState {
        self.events
            .push_back(TransportEvent::DtlsState(DtlsTransportState::Failed));
        DtlsState::Failed
    }

    /// From the start of checks to a working path, and from there to agreed keys.
    pub(crate) fn connect_times(&self) -> (Option<Duration>, Option<Duration>) {
        let counters = &self.counters;
        let ice = counters
            .ice_started
            .zip(counters.ice_connected)
            .map(|(from, to)| to - from);
        let dtls = counters
            .ice_connected
            .zip(counters.dtls_connected)
            .map(|(from, to)| to - from);
        (ice, dtls)
    }
}

/// The most that any profile adds to an RTP packet: AES-GCM's tag.
const MAX_RTP_OVERHEAD: usize = 16;

/// How long the first DTLS flight waits for its answer before it is sent again.
const INITIAL_RETRANSMIT: Duration = Duration::from_millis(200);

/// The longest wait for an answer to a DTLS flight; a flight each second congests nothing.
const MAX_RETRANSMIT: Duration = Duration::from_secs(1);

/// A path that leads nowhere, for a DTLS machine whose datagrams take ICE's.
const ANY_PATH: FiveTuple = FiveTuple::udp(UNSPECIFIED, UNSPECIFIED);
const UNSPECIFIED: core::net::SocketAddr = core::net::SocketAddr::V4(core::net::SocketAddrV4::new(
    core::net::Ipv4Addr::UNSPECIFIED,
    0,
));
