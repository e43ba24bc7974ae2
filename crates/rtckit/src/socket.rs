//! One UDP socket with segmentation and receive offload.

use core::net::SocketAddr;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll};
use std::io::{self, IoSliceMut};

use quinn_udp::{EcnCodepoint, RecvMeta, UdpSockRef, UdpSocketState};
use rtckit_proto::{Datagram, Ecn, FiveTuple, Transmit};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use crate::Error;

/// The buffers asked of the kernel. A video frame leaves as a burst of dozens of datagrams, and the task may be
/// off the processor for milliseconds: the default of some 200 kB loses packets there.
const SOCKET_BUFFER: usize = 2 << 20;

/// What one receive can return: with receive offload the kernel joins up to 64 kB of datagrams.
const RECEIVE_LEN: usize = 64 << 10;

/// How many receives one system call makes.
const RECEIVE_BATCH: usize = 4;

/// What the kernel takes in one send, less the headers.
const MAX_RUN: usize = 65_000;

/// Receives that may fail in a row before the socket is given up.
const MAX_FAILURES: u32 = 64;

/// A bound socket and what its offloads can do.
#[derive(Debug)]
pub(crate) struct Socket {
    io: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
    failures: u32,
    /// Whether the host this is connected to has said that nobody listens. Sending finds out as often as receiving.
    is_refused: AtomicBool,
}

impl Socket {
    /// Binds at `address`.
    pub(crate) fn bind(address: SocketAddr) -> Result<Self, Error> {
        Self::open(address).map_err(|error| Error::Bind {
            address,
            cause: error.into(),
        })
    }

    fn open(address: SocketAddr) -> io::Result<Self> {
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(address),
            socket2::Type::DGRAM,
            Some(socket2::Protocol::UDP),
        )?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // Best effort: the system may cap them.
        let _ = socket.set_recv_buffer_size(SOCKET_BUFFER);
        let _ = socket.set_send_buffer_size(SOCKET_BUFFER);
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let io = UdpSocket::from_std(socket.into())?;
        let local = io.local_addr()?;
        let state = UdpSocketState::new(UdpSockRef::from(&io))?;
        Ok(Self {
            io,
            state,
            local,
            failures: 0,
            is_refused: AtomicBool::new(false),
        })
    }

    /// Hears from now on nobody but `remote`, and hears when nobody listens there. Only on Linux: elsewhere datagrams
    /// could not be sent, as a connected socket takes no address with them.
    #[cfg(feature = "turn")]
    pub(crate) fn connect(&self, remote: SocketAddr) -> io::Result<()> {
        if cfg!(target_os = "linux") {
            socket2::SockRef::from(&self.io).connect(&remote.into())?;
        }
        Ok(())
    }

    /// Whether the host this is connected to has said that nobody listens, since this was asked last.
    #[cfg(feature = "turn")]
    pub(crate) fn take_refusal(&self) -> bool {
        self.is_refused.swap(false, Ordering::Relaxed)
    }

    fn note(&self, error: &io::Error) {
        if error.kind() == io::ErrorKind::ConnectionRefused {
            self.is_refused.store(true, Ordering::Relaxed);
        }
    }

    /// The address it is bound to.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Whether receiving works; false once it has failed too often in a row.
    pub(crate) fn is_usable(&self) -> bool {
        self.failures < MAX_FAILURES
    }

    /// Ready when something may have arrived.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_usable() {
            self.io.poll_recv_ready(cx).map(|_| ())
        } else {
            Poll::Pending
        }
    }

    /// Ready when the kernel may have room again.
    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.io.poll_send_ready(cx).map(|_| ())
    }

    /// Receives what has arrived, up to one batch. Returns how many slots of `inbox` it filled; 0 means that
    /// nothing is left.
    pub(crate) fn receive(&mut self, inbox: &mut Inbox) -> usize {
        let received = self
            .io
            .try_io(Interest::READABLE, || inbox.receive(&self.io, &self.state));
        match received {
            Ok(count) => {
                self.failures = 0;
                count
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => {
                // An ICMP error of an earlier send comes up here: the peer is not listening yet, or no more.
                tracing::debug!(local = %self.local, %error, "receive failed");
                self.note(&error);
                self.failures += 1;
                if !self.is_usable() {
                    tracing::warn!(local = %self.local, %error, "socket given up");
                }
                0
            }
        }
    }

    /// Sends the datagrams that `transmit` names in `buf`, as one run where the kernel takes it.
    ///
    /// Returns how many bytes are done with: all of them, or fewer when the kernel has no room now. Other
    /// failures lose the datagrams, as the network does.
    pub(crate) fn send(&self, transmit: &Transmit, bytes: &[u8]) -> usize {
        let segment = transmit.segment_size.unwrap_or(bytes.len()).max(1);
        let mut done = 0;
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            let segments = self.state.max_gso_segments().min(MAX_RUN / segment).max(1);
            let (run, _) = rest.split_at(rest.len().min(segment.saturating_mul(segments)));
            let result = self.io.try_io(Interest::WRITABLE, || {
                self.state.try_send(
                    UdpSockRef::from(&self.io),
                    &quinn_udp::Transmit {
                        destination: transmit.path.remote,
                        ecn: ecn_codepoint(transmit.ecn),
                        contents: run,
                        segment_size: (run.len() > segment).then_some(segment),
                        src_ip: None,
                    },
                )
            });
            match result {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // A network card without segmentation offload: the state remembers, and the run goes out singly.
                Err(_) if run.len() > segment && self.state.max_gso_segments() < segments => {
                    continue;
                }
                Err(error) => {
                    tracing::debug!(path = ?transmit.path, %error, "send failed");
                    self.note(&error);
                }
                Ok(()) => {}
            }
            done += run.len();
        }
        done
    }
}

/// Where received datagrams land: one per thread, used for each socket in turn.
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    meta: [RecvMeta; RECEIVE_BATCH],
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self {
            bytes: vec![0; RECEIVE_LEN * RECEIVE_BATCH],
            meta: [RecvMeta::default(); RECEIVE_BATCH],
        }
    }

    fn receive(&mut self, io: &UdpSocket, state: &UdpSocketState) -> io::Result<usize> {
        let mut slots = self.bytes.chunks_mut(RECEIVE_LEN).map(IoSliceMut::new);
        let mut bufs: [IoSliceMut<'_>; RECEIVE_BATCH] =
            core::array::from_fn(|_| slots.next().unwrap_or_else(|| IoSliceMut::new(&mut [])));
        state.recv(UdpSockRef::from(io), &mut bufs, &mut self.meta)
    }

    /// The first `count` slots as datagrams that came to `local`.
    pub(crate) fn datagrams(
        &mut self,
        count: usize,
        local: SocketAddr,
    ) -> impl Iterator<Item = Datagram<'_>> {
        let slots = self.bytes.chunks_mut(RECEIVE_LEN);
        slots.zip(&self.meta).take(count).map(move |(slot, meta)| {
            let (data, _) = slot.split_at_mut(meta.len.min(RECEIVE_LEN));
            Datagram {
                path: FiveTuple::udp(local, meta.addr),
                ecn: meta.ecn.map_or(Ecn::NotCapable, ecn),
                stride: meta.stride.clamp(1, data.len().max(1)),
                data,
            }
        })
    }
}

fn ecn_codepoint(ecn: Ecn) -> Option<EcnCodepoint> {
    match ecn {
        Ecn::NotCapable => None,
        Ecn::Capable1 => Some(EcnCodepoint::Ect1),
        Ecn::Capable0 => Some(EcnCodepoint::Ect0),
        Ecn::CongestionExperienced => Some(EcnCodepoint::Ce),
    }
}

fn ecn(codepoint: EcnCodepoint) -> Ecn {
    match codepoint {
        EcnCodepoint::Ect1 => Ecn::Capable1,
        EcnCodepoint::Ect0 => Ecn::Capable0,
        EcnCodepoint::Ce => Ecn::CongestionExperienced,
    }
}
