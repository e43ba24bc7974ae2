//! UDP sockets of a shard: batches in, runs and batches out.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::io::{self, IoSliceMut};

use mio::net::UdpSocket;
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};

/// The buffers asked of the kernel for a socket that all clients of a shard send to.
const LISTENER_BUFFER: usize = 4 << 20;

/// What one receive can return: with receive offload the kernel joins up to 64 kB of datagrams.
const SLOT_LEN: usize = 64 << 10;

/// Slots do not begin at multiples of a power of two, where they would push each other out of the processor's cache.
const SLOT_STRIDE: usize = SLOT_LEN + 2112;

/// The longest datagram that leaves in a run: the kernel refuses to cut runs into pieces of more than the path's MTU.
const MAX_SEGMENT: usize = 1400;

/// What the kernel takes in one send, less the headers.
const MAX_RUN: usize = 65_000;

/// How many datagrams the kernel cuts a run into at the most.
const MAX_SEGMENTS: usize = 64;

/// A bound socket.
#[derive(Debug)]
pub(super) struct UdpPort {
    pub(super) io: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
    /// Whether what is sent may be fragmented on its way.
    may_fragment: bool,
}

impl UdpPort {
    /// Binds a socket that the shards' sockets on the same address share the clients with.
    pub(super) fn listen(address: SocketAddr) -> io::Result<Self> {
        Self::open(address, true)
    }

    /// Binds a relay's socket.
    pub(super) fn relay(address: SocketAddr) -> io::Result<Self> {
        let port = Self::open(address, false)?;
        if let Err(error) = port
            .state
            .enable_transport_errors(UdpSockRef::from(&port.io))
        {
            tracing::debug!(%address, %error, "ICMP errors are not heard");
        }
        Ok(port)
    }

    fn open(address: SocketAddr, is_listener: bool) -> io::Result<Self> {
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(address),
            socket2::Type::DGRAM,
            Some(socket2::Protocol::UDP),
        )?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        if is_listener {
            #[cfg(unix)]
            socket.set_reuse_port(true)?;
            // best effort: the system may cap them
            let _ = socket.set_recv_buffer_size(LISTENER_BUFFER);
            let _ = socket.set_send_buffer_size(LISTENER_BUFFER);
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let io = UdpSocket::from_std(socket.into());
        let local = io.local_addr()?;
        let state = UdpSocketState::new(UdpSockRef::from(&io))?;
        let mut port = Self {
            io,
            state,
            local,
            may_fragment: false,
        };
        // quinn-udp forbids it, for IPv6 twice
        port.let_fragment(true);
        if local.is_ipv6()
            && let Err(error) = clear_dont_fragment(&port.io)
        {
            tracing::debug!(%local, %error, "fragmentation stays forbidden");
        }
        Ok(port)
    }

    /// RFC 8656 §14: what is relayed may be fragmented unless the client says otherwise.
    pub(super) fn let_fragment(&mut self, may_fragment: bool) {
        if self.may_fragment == may_fragment {
            return;
        }
        self.may_fragment = may_fragment;
        if let Err(error) = set_fragmentation(&self.io, self.local, may_fragment) {
            tracing::debug!(local = %self.local, %error, "fragmentation stays as it is");
        }
    }

    /// The address it is bound to.
    pub(super) const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Whether it is bound to all addresses of the host: each datagram tells the one it came to.
    pub(super) const fn is_wildcard(&self) -> bool {
        self.local.ip().is_unspecified()
    }

    /// Whether datagrams from `local` leave by it. All addresses are those of one family: the other one has a socket of
    /// its own, which may have the same port.
    pub(super) fn is_at(&self, local: SocketAddr) -> bool {
        self.local == local
            || self.is_wildcard()
                && self.local.port() == local.port()
                && self.local.is_ipv4() == local.is_ipv4()
    }

    /// Sends a datagram, or a run of datagrams of `segment` bytes (the last may be shorter), from `source` if the
    /// socket has several addresses. What the kernel does not take is lost, as datagrams are.
    pub(super) fn send(
        &self,
        to: SocketAddr,
        bytes: &[u8],
        segment: usize,
        source: Option<IpAddr>,
    ) -> bool {
        if bytes.len() <= segment && source.is_none() {
            return self.retry(|| self.io.send_to(bytes, to)).is_ok();
        }
        let segments = self.state.max_gso_segments().max(1);
        let mut sent = true;
        for run in bytes.chunks(segment.max(1).saturating_mul(segments)) {
            sent &= self.send_run(to, run, segment, source);
        }
        sent
    }

    fn send_run(&self, to: SocketAddr, run: &[u8], segment: usize, source: Option<IpAddr>) -> bool {
        let transmit = |contents, segment_size| quinn_udp::Transmit {
            destination: to,
            ecn: None,
            contents,
            segment_size,
            src_ip: source,
        };
        let send = |contents, segment_size| {
            let transmit = transmit(contents, segment_size);
            self.retry(|| self.state.try_send(UdpSockRef::from(&self.io), &transmit))
        };
        if run.len() <= segment {
            return send(run, None).is_ok();
        }
        match send(run, Some(segment)) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            // no segmentation offload on this way: one by one
            Err(_) => run
                .chunks(segment.max(1))
                .all(|datagram| send(datagram, None).is_ok()),
        }
    }

    /// Sends again what the kernel refused to tell of an ICMP error: it was somebody else's datagram that did not arrive.
    fn retry<T>(&self, send: impl Fn() -> io::Result<T>) -> io::Result<T> {
        send().or_else(|error| {
            if is_returned(&error) {
                send()
            } else {
                Err(error)
            }
        })
    }
}

/// Whether an error tells of an ICMP error that came for something sent before.
pub(super) fn is_returned(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
    matches!(
        error.kind(),
        ConnectionRefused | HostUnreachable | NetworkUnreachable
    )
}

#[cfg(target_os = "linux")]
fn set_fragmentation(io: &UdpSocket, local: SocketAddr, may_fragment: bool) -> io::Result<()> {
    use rustix::net::sockopt::{self, Ipv4PathMtuDiscovery as V4, Ipv6PathMtuDiscovery as V6};
    if local.is_ipv4() {
        sockopt::set_ip_mtu_discover(io, if may_fragment { V4::DONT } else { V4::DO })?;
    } else {
        sockopt::set_ipv6_mtu_discover(io, if may_fragment { V6::DONT } else { V6::DO })?;
    }
    Ok(())
}

/// Takes back what else forbids an IPv6 socket to fragment, beside the option that [`set_fragmentation`] changes, which
/// is enough by itself.
#[cfg(target_os = "linux")]
fn clear_dont_fragment(io: &UdpSocket) -> io::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt::Ipv6DontFrag};
    Ok(setsockopt(io, Ipv6DontFrag, &false)?)
}

#[cfg(not(target_os = "linux"))]
fn clear_dont_fragment(_: &UdpSocket) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
fn set_fragmentation(_: &UdpSocket, _: SocketAddr, _: bool) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Where received datagrams land: one per shard, used for each socket in turn.
pub(super) struct Inbox {
    bytes: Vec<u8>,
    meta: [RecvMeta; BATCH_SIZE],
}

/// What one slot of the [`Inbox`] holds: datagrams of `stride` bytes each from one sender.
pub(super) struct Arrived<'i> {
    pub(super) from: SocketAddr,
    /// The address of this host it came to.
    pub(super) to: Option<IpAddr>,
    stride: usize,
    data: &'i mut [u8],
}

impl<'i> Arrived<'i> {
    /// The datagrams, one after the other. An empty one came by itself: the kernel joins none with others.
    pub(super) fn datagrams(self) -> impl Iterator<Item = &'i mut [u8]> {
        let empty: Option<&mut [u8]> = self.data.is_empty().then_some(&mut []);
        empty.into_iter().chain(self.data.chunks_mut(self.stride))
    }
}

impl Inbox {
    pub(super) fn new() -> Self {
        Self {
            bytes: vec![0; SLOT_STRIDE * BATCH_SIZE],
            meta: [RecvMeta::default(); BATCH_SIZE],
        }
    }

    /// Receives one batch. Returns how many slots it filled; fewer than [`BATCH_SIZE`] when the socket is drained.
    pub(super) fn receive(&mut self, port: &UdpPort) -> io::Result<usize> {
        let mut slots = self.bytes.chunks_mut(SLOT_STRIDE);
        let mut bufs: [IoSliceMut<'_>; BATCH_SIZE] = core::array::from_fn(|_| {
            let (slot, _) = slots.next().unwrap_or_default().split_at_mut(SLOT_LEN);
            IoSliceMut::new(slot)
        });
        port.state
            .recv(UdpSockRef::from(&port.io), &mut bufs, &mut self.meta)
    }

    /// The first `count` slots.
    pub(super) fn arrived(&mut self, count: usize) -> impl Iterator<Item = Arrived<'_>> {
        let slots = self.bytes.chunks_mut(SLOT_STRIDE);
        slots.zip(&self.meta).take(count).map(|(slot, meta)| {
            let (data, _) = slot.split_at_mut(meta.len.min(SLOT_LEN));
            Arrived {
                from: meta.addr,
                to: meta.dst_ip,
                stride: meta.stride.clamp(1, data.len().max(1)),
                data,
            }
        })
    }
}

/// Datagrams that leave one after the other by one key (a socket and an address), joined into a run while they are
/// of one length.
#[derive(Debug)]
pub(super) struct Run<K> {
    key: Option<K>,
    bytes: Vec<u8>,
    segment: usize,
    count: usize,
    is_closed: bool,
}

impl<K: Copy + PartialEq> Run<K> {
    pub(super) fn new() -> Self {
        Self {
            key: None,
            bytes: Vec::with_capacity(MAX_RUN),
            segment: 0,
            count: 0,
            is_closed: false,
        }
    }

    /// Whether `len` more bytes for `key` can be a part of it.
    pub(super) fn fits(&self, key: K, len: usize) -> bool {
        self.key.is_none()
            || self.key == Some(key)
                && !self.is_closed
                && len <= self.segment
                && len > 0
                && self.segment <= MAX_SEGMENT
                && self.count < MAX_SEGMENTS
                && self.bytes.len() + len <= MAX_RUN
    }

    /// Adds a datagram that [`fits`](Self::fits).
    pub(super) fn push(&mut self, key: K, datagram: &[u8]) {
        if self.key.is_none() {
            self.key = Some(key);
            self.segment = datagram.len();
        }
        self.is_closed = datagram.len() < self.segment;
        self.count += 1;
        self.bytes.extend_from_slice(datagram);
    }

    /// Takes the run out: its key, its bytes and the length of each datagram.
    pub(super) fn take(&mut self) -> Option<(K, &[u8], usize)> {
        let key = self.key.take()?;
        self.count = 0;
        Some((key, &self.bytes, self.segment))
    }

    /// Forgets the bytes that were [taken](Self::take).
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }
}

/// A datagram, or a run of them, on its way to a client.
#[derive(Clone, Copy, Debug)]
struct Entry {
    listener: usize,
    to: SocketAddr,
    source: Option<IpAddr>,
    start: usize,
    end: usize,
    segment: usize,
}

/// How many entries wait before they are sent.
const MAX_ENTRIES: usize = 32;

/// What waits to be sent to clients: a system call takes a run for one of them, or one datagram for each of many.
#[derive(Debug)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    entries: arrayvec::ArrayVec<Entry, MAX_ENTRIES>,
}

/// How many bytes wait before they are sent.
const OUTBOX_LEN: usize = 128 << 10;

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            bytes: vec![0; OUTBOX_LEN],
            entries: arrayvec::ArrayVec::new(),
        }
    }

    fn len(&self) -> usize {
        self.entries.last().map_or(0, |entry| entry.end)
    }

    /// Whether there is room for a datagram of `len` bytes.
    pub(super) fn has_room(&self, len: usize) -> bool {
        self.len() + len <= self.bytes.len() && !self.entries.is_full()
    }

    /// Adds a datagram, which `write` writes into the buffer it is given; it returns the length.
    pub(super) fn push(
        &mut self,
        listener: usize,
        to: SocketAddr,
        source: Option<IpAddr>,
        write: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) {
        let start = self.len();
        let Some(len) = self.bytes.get_mut(start..).and_then(write) else {
            return;
        };
        if let Some(last) = self.entries.last_mut() {
            let held = last.end - last.start;
            let joins = last.listener == listener
                && last.to == to
                && last.source == source
                && held % last.segment == 0
                && (1..=last.segment).contains(&len)
                && last.segment <= MAX_SEGMENT
                && held + len <= MAX_RUN
                && held / last.segment < MAX_SEGMENTS;
            if joins {
                last.end += len;
                return;
            }
        }
        let entry = Entry {
            listener,
            to,
            source,
            start,
            end: start + len,
            segment: len.max(1),
        };
        let _ = self.entries.try_push(entry);
    }

    /// Sends everything. Returns how many entries the kernel did not take.
    pub(super) fn flush(&mut self, listeners: &[UdpPort]) -> usize {
        let mut lost = 0;
        let is_single = |entry: &Entry| entry.end - entry.start <= entry.segment;
        let is_plain = |entry: &Entry| is_single(entry) && entry.source.is_none();
        let goes_together =
            |a: &Entry, b: &Entry| a.listener == b.listener && is_plain(a) && is_plain(b);
        for group in self.entries.chunk_by(goes_together) {
            let Some((first, port)) = group
                .first()
                .and_then(|first| Some((first, listeners.get(first.listener)?)))
            else {
                continue;
            };
            match group {
                [_, _, ..] => lost += send_batch(port, group, &self.bytes),
                _ => {
                    let bytes = self.bytes.get(first.start..first.end).unwrap_or_default();
                    let sent = port.send(first.to, bytes, first.segment, first.source);
                    lost += usize::from(!sent);
                }
            }
        }
        self.entries.clear();
        lost
    }
}

/// One datagram to each of many, by one system call.
#[cfg(target_os = "linux")]
fn send_batch(port: &UdpPort, entries: &[Entry], bytes: &[u8]) -> usize {
    use arrayvec::ArrayVec;
    use rustix::net::{
        MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny, addr::SocketAddrArg, sendmmsg,
    };
    use std::io::IoSlice;

    let part = |entry: &Entry| {
        [IoSlice::new(
            bytes.get(entry.start..entry.end).unwrap_or_default(),
        )]
    };
    let addresses: ArrayVec<SocketAddrAny, MAX_ENTRIES> =
        entries.iter().map(|entry| entry.to.as_any()).collect();
    let parts: ArrayVec<[IoSlice<'_>; 1], MAX_ENTRIES> = entries.iter().map(part).collect();
    let mut controls: [SendAncillaryBuffer<'_, '_, '_>; MAX_ENTRIES] =
        core::array::from_fn(|_| SendAncillaryBuffer::default());
    let mut messages: ArrayVec<MMsgHdr<'_>, MAX_ENTRIES> = addresses
        .iter()
        .zip(&parts)
        .zip(&mut controls)
        .map(|((address, part), control)| MMsgHdr::new_with_addr(address, part, control))
        .collect();
    let (mut done, mut lost) = (0, 0);
    while let Some(rest) = messages.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match sendmmsg(&port.io, rest, SendFlags::empty()) {
            Ok(count) => done += count.max(1),
            Err(rustix::io::Errno::WOULDBLOCK) => return lost + rest.len(),
            Err(rustix::io::Errno::INTR) => {}
            // that one cannot be sent: its address is not reachable
            Err(_) => (done, lost) = (done + 1, lost + 1),
        }
    }
    lost
}

#[cfg(not(target_os = "linux"))]
fn send_batch(port: &UdpPort, entries: &[Entry], bytes: &[u8]) -> usize {
    let send = |entry: &&Entry| {
        let bytes = bytes.get(entry.start..entry.end).unwrap_or_default();
        !port.send(entry.to, bytes, entry.segment, None)
    };
    entries.iter().filter(send).count()
}

/// The address a wildcard socket answers from: the one that was asked.
pub(super) fn source_of(port: &UdpPort, local: SocketAddr) -> Option<IpAddr> {
    let is_specific =
        local.ip() != IpAddr::V4(Ipv4Addr::UNSPECIFIED) && !local.ip().is_unspecified();
    (port.is_wildcard() && is_specific).then(|| local.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_takes_what_is_of_one_length() {
        let mut run = Run::new();
        for datagram in [&[1, 1, 1][..], &[2, 2, 2], &[3]] {
            assert!(run.fits(7, datagram.len()));
            run.push(7, datagram);
        }
        assert!(!run.fits(7, 1), "the shorter one was the last");
        assert_eq!(run.take(), Some((7, &[1, 1, 1, 2, 2, 2, 3][..], 3)));
        run.clear();
        assert_eq!(run.take(), None);

        run.push(7, &[1]);
        assert!(!run.fits(8, 1), "another key");
        assert!(!run.fits(7, 2), "a longer one");
        assert!(!run.fits(7, 0), "an empty one is lost in a run");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_df_bit_is_set_where_it_is_asked_for() {
        use rustix::net::sockopt::{self, Ipv4PathMtuDiscovery as V4, Ipv6PathMtuDiscovery as V6};
        let mut v4 = UdpPort::relay(([127, 0, 0, 1], 0).into()).unwrap();
        for (may_fragment, expected) in [(true, V4::DONT), (false, V4::DO), (true, V4::DONT)] {
            v4.let_fragment(may_fragment);
            assert_eq!(sockopt::ip_mtu_discover(&v4.io), Ok(expected));
        }
        // not every machine has IPv6
        if let Ok(mut v6) = UdpPort::relay((core::net::Ipv6Addr::LOCALHOST, 0).into()) {
            for (may_fragment, expected) in [(true, V6::DONT), (false, V6::DO)] {
                v6.let_fragment(may_fragment);
                assert_eq!(sockopt::ipv6_mtu_discover(&v6.io), Ok(expected));
            }
        }
    }

    /// Over loopback only IPv6 has datagrams longer than the MTU of 65,536.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_is_longer_than_the_mtu_arrives_in_pieces() {
        let address = SocketAddr::from((core::net::Ipv6Addr::LOCALHOST, 0));
        // not every machine has IPv6
        let Ok(peer) = tokio::net::UdpSocket::bind(address).await else {
            return;
        };
        let to = peer.local_addr().unwrap();
        let datagram = [7; 65_500];
        let mut buf = [0; 65_536];
        let ports = [UdpPort::relay(address), UdpPort::listen(address)];
        for (name, mut port) in ["relay", "listener"]
            .into_iter()
            .zip(ports.map(Result::unwrap))
        {
            // by itself, and from an address that is named, as by a socket at all addresses
            for source in [None, Some(address.ip())] {
                for may_fragment in [true, false, true] {
                    port.let_fragment(may_fragment);
                    let sent = port.send(to, &datagram, datagram.len(), source);
                    assert_eq!(sent, may_fragment, "{name}, {source:?}");
                    if sent {
                        assert_eq!(peer.recv(&mut buf).await.unwrap(), datagram.len());
                    }
                }
            }
        }
    }

    #[test]
    fn runs_stay_below_what_the_kernel_takes() {
        let mut run = Run::new();
        let datagram = [0; 1400];
        let mut count = 0;
        while run.fits(1, datagram.len()) {
            run.push(1, &datagram);
            count += 1;
        }
        assert_eq!(count, MAX_RUN / 1400);
        let mut long = Run::new();
        long.push(1, &[0; MAX_SEGMENT + 1]);
        assert!(!long.fits(1, MAX_SEGMENT + 1), "longer than the MTU may be");
    }
}
