//! The handle of a connection.

use core::fmt;
use core::net::SocketAddr;
use std::sync::Arc;

use rtckit_peer::{
    ConnectionState, DtlsTransportState, IceCandidate, IceConnectionState, IceGatheringState,
    MediaKind, Peer, SessionDescription, SignalingState, StatsReport, TransceiverId,
};
use rtckit_peer::{Direction, Event as PeerEvent};

use crate::driver::Driver;
use crate::shared::{Phase, Shared};
use crate::socket::Socket;
use crate::time::Time;
use crate::{Configuration, Error, Event, Transceiver};

/// One side of a peer connection ([W3C](https://www.w3.org/TR/webrtc/#rtcpeerconnection-interface)).
///
/// This is a handle: clones name the same connection, and so do its [`Transceiver`]s. A task of the runtime
/// drives the connection; it ends after [`close`](Self::close), or when the last handle is dropped.
///
/// Methods whose W3C namesakes return promises are `async`, though none but those that say so wait for anything.
#[derive(Clone)]
pub struct PeerConnection {
    inner: Arc<Inner>,
}

/// What all handles of a connection share. When the last of them goes, the connection closes.
pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    addresses: Box<[SocketAddr]>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl PeerConnection {
    /// Binds the sockets and starts the task that serves them.
    ///
    /// # Errors
    ///
    /// There is no runtime or no address, an address cannot be bound, or no certificate can be made.
    ///
    /// # Panics
    ///
    /// When the tokio runtime was built without its I/O or time driver.
    pub async fn new(mut configuration: Configuration) -> Result<Self, Error> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| Error::NoRuntime)?;
        let time = Time::start();
        let sockets = configuration
            .addresses()?
            .into_iter()
            .map(Socket::bind)
            .collect::<Result<Vec<_>, _>>()?;

        let now = time.now();
        let mut peer = Peer::new(configuration.peer_config(time.wall())?, now)?;
        let addresses: Box<[SocketAddr]> = sockets.iter().map(Socket::local).collect();
        for &address in &addresses {
            peer.add_local_address(now, address);
        }
        peer.end_of_local_addresses(now);

        let shared = Arc::new(Shared::new(peer, time));
        let (shaper, tap) = (configuration.shaper.take(), configuration.tap.take());
        runtime.spawn(Driver::new(Arc::clone(&shared), sockets, shaper, tap).run());
        Ok(Self {
            inner: Arc::new(Inner { shared, addresses }),
        })
    }

    /// The addresses its sockets are bound to, which are its host candidates.
    pub fn local_addresses(&self) -> &[SocketAddr] {
        &self.inner.addresses
    }

    /// Adds a transceiver; the next offer tells the other side.
    ///
    /// # Errors
    ///
    /// The connection is closed, or has as many transceivers as it can.
    pub fn add_transceiver(
        &self,
        kind: MediaKind,
        direction: Direction,
    ) -> Result<Transceiver, Error> {
        let id = self
            .shared()
            .call(|peer, _| peer.add_transceiver(kind, direction))?;
        Ok(self.transceiver(id))
    }

    /// All transceivers, in the order they were added.
    pub fn transceivers(&self) -> Vec<Transceiver> {
        let ids: Vec<TransceiverId> = self
            .shared()
            .lock()
            .peer
            .transceivers()
            .map(|info| info.id)
            .collect();
        ids.into_iter().map(|id| self.transceiver(id)).collect()
    }

    /// Proposes what this side wants.
    ///
    /// # Errors
    ///
    /// The signalling state does not allow it.
    pub async fn create_offer(&self) -> Result<SessionDescription, Error> {
        self.shared().call(|peer, _| peer.create_offer())
    }

    /// Answers the remote offer.
    ///
    /// # Errors
    ///
    /// There is no remote offer to answer.
    pub async fn create_answer(&self) -> Result<SessionDescription, Error> {
        self.shared().call(|peer, _| peer.create_answer())
    }

    /// Makes a description of this side's own the one in force; gathering begins.
    ///
    /// # Errors
    ///
    /// The signalling state does not allow it, or the description is not one of this connection's.
    pub async fn set_local_description(
        &self,
        description: SessionDescription,
    ) -> Result<(), Error> {
        self.shared()
            .call(|peer, now| peer.set_local_description(now, description))
    }

    /// Takes the other side's description.
    ///
    /// # Errors
    ///
    /// The signalling state does not allow it, or the description is malformed or unacceptable.
    pub async fn set_remote_description(
        &self,
        description: SessionDescription,
    ) -> Result<(), Error> {
        self.shared()
            .call(|peer, now| peer.set_remote_description(now, description))
    }

    /// Takes a candidate of the other side (trickle).
    ///
    /// # Errors
    ///
    /// It is malformed, or there is no remote description yet.
    pub async fn add_ice_candidate(&self, candidate: &IceCandidate) -> Result<(), Error> {
        self.shared()
            .call(|peer, now| peer.add_remote_candidate(now, candidate))
    }

    /// The local description in force, with the candidates known so far.
    pub fn local_description(&self) -> Option<SessionDescription> {
        self.shared().lock().peer.local_description()
    }

    /// The remote description in force, with the candidates known so far.
    pub fn remote_description(&self) -> Option<SessionDescription> {
        self.shared().lock().peer.remote_description()
    }

    /// Where the offer/answer exchange stands.
    pub fn signaling_state(&self) -> SignalingState {
        self.shared().lock().peer.signaling_state()
    }

    /// Whether local candidates are still being found.
    pub fn ice_gathering_state(&self) -> IceGatheringState {
        self.shared().lock().peer.ice_gathering_state()
    }

    /// The state of the ICE agent.
    pub fn ice_connection_state(&self) -> IceConnectionState {
        self.shared().lock().peer.ice_connection_state()
    }

    /// The state of the DTLS transport.
    pub fn dtls_state(&self) -> DtlsTransportState {
        self.shared().lock().peer.dtls_state()
    }

    /// The state of the whole connection.
    pub fn connection_state(&self) -> ConnectionState {
        self.shared().lock().peer.connection_state()
    }

    /// Waits for the next event; `None` when the connection has ended and all its events are read.
    ///
    /// Each event goes to one caller. None is lost; but once 64 are unread, a state takes the place of the older one
    /// of its kind. Frames are not announced here: [`Receiver::read_frame`](crate::Receiver::read_frame) waits for them.
    pub async fn next_event(&self) -> Option<Event> {
        let shared = self.shared();
        loop {
            let event = shared
                .wait(&shared.events, |state| match state.next_event() {
                    None if state.phase != Phase::Ended => None,
                    event => Some(event),
                })
                .await?;
            if let Some(event) = self.event(event) {
                return Some(event);
            }
        }
    }

    /// Waits until media can flow.
    ///
    /// # Errors
    ///
    /// The connection failed or was closed first.
    pub async fn connected(&self) -> Result<(), Error> {
        let shared = self.shared();
        shared
            .wait(&shared.events, |state| {
                match state.peer.connection_state() {
                    ConnectionState::Connected => Some(Ok(())),
                    ConnectionState::Failed => Some(Err(Error::Failed)),
                    _ if state.is_over() => Some(Err(Error::Closed)),
                    _ => None,
                }
            })
            .await
    }

    /// Counts of everything, by the W3C's names. They stay readable after the end.
    pub async fn stats(&self) -> StatsReport {
        let now = self.shared().time.now();
        self.shared().lock().peer.stats(now)
    }

    /// The keys of DTLS as lines for `SSLKEYLOGFILE`, once they are agreed and if
    /// [`Configuration::key_log`] allows it. Each line is handed out once.
    pub fn take_key_log(&self) -> Option<String> {
        self.shared().lock().peer.take_key_log()
    }

    /// Says farewell to the other side, and waits until the task has ended and the sockets are closed: a second
    /// at the most.
    pub async fn close(&self) {
        let shared = self.shared();
        shared.close();
        shared
            .wait(&shared.events, |state| {
                (state.phase == Phase::Ended).then_some(())
            })
            .await;
    }

    fn shared(&self) -> &Shared {
        &self.inner.shared
    }

    fn transceiver(&self, id: TransceiverId) -> Transceiver {
        Transceiver::new(Arc::clone(&self.inner), id)
    }

    fn event(&self, event: PeerEvent) -> Option<Event> {
        Some(match event {
            PeerEvent::SignalingState(state) => Event::SignalingState(state),
            PeerEvent::IceGatheringState(state) => Event::IceGatheringState(state),
            PeerEvent::IceCandidate(candidate) => Event::IceCandidate(candidate),
            PeerEvent::IceConnectionState(state) => Event::IceConnectionState(state),
            PeerEvent::DtlsState(state) => Event::DtlsState(state),
            PeerEvent::ConnectionState(state) => Event::ConnectionState(state),
            PeerEvent::Track(id) => Event::Track(self.transceiver(id)),
            PeerEvent::KeyframeRequested(id) => Event::KeyframeRequested(self.transceiver(id)),
            _ => return None,
        })
    }
}

impl fmt::Debug for PeerConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerConnection")
            .field("connection_state", &self.connection_state())
            .finish_non_exhaustive()
    }
}
