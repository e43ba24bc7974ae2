//! Where clients come in: sockets for the shards, and tasks that accept streams.

use core::hash::BuildHasher;
use core::net::{IpAddr, SocketAddr};
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::collections::HashMap;
use std::hash::RandomState;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rtckit_proto::{FiveTuple, Transport};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, rustls};

use super::config::Config;
use super::shard::ShardHandle;
use super::stream::{self, StreamId};
use super::udp::UdpPort;
use super::{Addresses, StartError};
use rtckit_turn::subscriber;

/// How many clients may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Binds the UDP sockets of each shard.
pub(super) fn bind_udp(
    config: &Config,
    threads: usize,
) -> Result<(Vec<Vec<UdpPort>>, Addresses), StartError> {
    let mut addresses = Addresses::default();
    let mut first = Vec::new();
    for &address in &config.listen {
        let port = UdpPort::listen(address).map_err(StartError::at(address))?;
        addresses.udp.push(port.local());
        first.push(port);
    }
    // RFC 5780 wants two addresses and two ports, and a socket on each of the four
    if let Some([a, b]) = discovery(&addresses.udp) {
        let four = [
            a,
            SocketAddr::new(a.ip(), b.port()),
            SocketAddr::new(b.ip(), a.port()),
            b,
        ];
        let mut more = Vec::new();
        let missing = four
            .iter()
            .filter(|address| !addresses.udp.contains(address));
        let is_bound = missing
            .copied()
            .all(|address| match UdpPort::listen(address) {
                Ok(port) => {
                    more.push(port);
                    true
                }
                Err(error) => {
                    tracing::warn!(%address, %error, "NAT behaviour discovery is off");
                    false
                }
            });
        if is_bound {
            addresses.discovery = Some([a, b]);
            addresses.udp.extend(more.iter().map(UdpPort::local));
            first.extend(more);
        }
    }
    let mut shards = vec![first];
    for _ in 1..threads {
        let bind =
            |&address: &SocketAddr| UdpPort::listen(address).map_err(StartError::at(address));
        shards.push(addresses.udp.iter().map(bind).collect::<Result<_, _>>()?);
    }
    Ok((shards, addresses))
}

/// Two of the addresses that differ in IP and port; where all ports are the same, the second address gets the next one.
fn discovery(addresses: &[SocketAddr]) -> Option<[SocketAddr; 2]> {
    let pairs = addresses
        .iter()
        .flat_map(|a| addresses.iter().map(move |b| (*a, *b)));
    let mut pairs = pairs.filter(|(a, b)| {
        let is_specific = |ip: IpAddr| !ip.is_unspecified();
        a.ip() != b.ip() && a.is_ipv4() == b.is_ipv4() && is_specific(a.ip()) && is_specific(b.ip())
    });
    let (a, b) = pairs
        .clone()
        .find(|(a, b)| a.port() != b.port())
        .or_else(|| pairs.next())?;
    let port = if a.port() == b.port() {
        a.port().checked_add(1)?
    } else {
        b.port()
    };
    Some([a, SocketAddr::new(b.ip(), port)])
}

/// A listener for streams.
pub(super) struct StreamListener {
    listener: TcpListener,
    local: SocketAddr,
    transport: Transport,
}

/// Binds the TCP sockets.
pub(super) fn bind_streams(
    config: &Config,
    addresses: &mut Addresses,
) -> Result<Vec<StreamListener>, StartError> {
    let mut listeners = Vec::new();
    // where UDP chose a port, TCP takes the same
    let tcp = addresses.udp.iter().take(config.listen.len()).copied();
    for address in tcp.collect::<Vec<_>>() {
        let bound = bind(address, Transport::Tcp).map_err(StartError::at(address))?;
        addresses.tcp.push(bound.local);
        listeners.push(bound);
    }
    for &address in config.tls_listen.iter().filter(|_| config.tls.is_some()) {
        let bound = bind(address, Transport::Tls).map_err(StartError::at(address))?;
        addresses.tls.push(bound.local);
        listeners.push(bound);
    }
    Ok(listeners)
}

fn bind(address: SocketAddr, transport: Transport) -> io::Result<StreamListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        let socket = TcpSocket::new_v6()?;
        socket2::SockRef::from(&socket).set_only_v6(true)?;
        socket
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let local = listener.local_addr()?;
    Ok(StreamListener {
        listener,
        local,
        transport,
    })
}

/// The tasks that accept streams. They end when this is dropped, and the streams with them.
#[derive(Debug)]
pub(super) struct Listening {
    tls: Option<Arc<Mutex<Arc<rustls::ServerConfig>>>>,
    _tasks: JoinSet<()>,
}

impl Listening {
    pub(super) fn start(
        listeners: Vec<StreamListener>,
        config: &Config,
        shards: &[ShardHandle],
    ) -> Self {
        let tls = config.tls.clone().map(|tls| Arc::new(Mutex::new(tls)));
        let door = Arc::new(Door {
            open: Mutex::default(),
            max: config.max_streams,
            max_per_address: config.max_streams_per_address,
            timeout: config.stream_timeout,
            tls: tls.clone(),
            shards: shards.into(),
            hash: RandomState::new(),
            count: AtomicU64::new(0),
            is_stun_only: config.is_stun_only,
        });
        let mut tasks = JoinSet::new();
        for listener in listeners {
            tasks.spawn(Arc::clone(&door).accept(listener));
        }
        Self { tls, _tasks: tasks }
    }

    pub(super) fn set_tls(&self, tls: Arc<rustls::ServerConfig>) -> bool {
        let Some(held) = &self.tls else {
            return false;
        };
        *held.lock().unwrap_or_else(PoisonError::into_inner) = tls;
        true
    }
}

/// Who is let in.
struct Door {
    /// How many streams there are, by address.
    open: Mutex<HashMap<IpAddr, usize>>,
    max: usize,
    max_per_address: usize,
    timeout: Duration,
    tls: Option<Arc<Mutex<Arc<rustls::ServerConfig>>>>,
    shards: Arc<[ShardHandle]>,
    hash: RandomState,
    /// How many streams there have been.
    count: AtomicU64,
    is_stun_only: bool,
}

/// A place among the streams, given back when it is dropped.
struct Pass {
    door: Arc<Door>,
    address: IpAddr,
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut open = self
            .door
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

impl Door {
    async fn accept(self: Arc<Self>, from: StreamListener) {
        let mut streams = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = from.listener.accept() => accepted,
                Some(_) = streams.join_next() => continue,
            };
            match accepted {
                Ok((stream, remote)) => {
                    let local = stream.local_addr().unwrap_or(from.local);
                    let path = FiveTuple {
                        transport: from.transport,
                        local,
                        remote,
                    };
                    let number = self.count.fetch_add(1, Ordering::Relaxed);
                    let id = StreamId { path, number };
                    // beyond the ceiling a stream is closed again at once
                    if let Some(pass) = self.pass(remote.ip()) {
                        streams.spawn(Arc::clone(&self).serve(stream, id, pass));
                    }
                }
                // out of descriptors, as a rule: others may close theirs
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn pass(self: &Arc<Self>, address: IpAddr) -> Option<Pass> {
        let address = subscriber(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // there are at most as many addresses as streams
        let total: usize = if open.len() >= self.max {
            self.max
        } else {
            open.values().sum()
        };
        let count = open.get(&address).copied().unwrap_or_default();
        if total >= self.max || count >= self.max_per_address {
            return None;
        }
        open.insert(address, count + 1);
        Some(Pass {
            door: Arc::clone(self),
            address,
        })
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, id: StreamId, pass: Pass) {
        let path = id.path;
        let _ = stream.set_nodelay(true);
        // all streams of a client go to one shard: a data connection has to meet its allocation
        let place = self.hash.hash_one(path.remote.ip()) as usize % self.shards.len().max(1);
        let shards = || (self.shards.clone(), place);
        match &self.tls {
            Some(tls) if path.transport == Transport::Tls => {
                let config = Arc::clone(&tls.lock().unwrap_or_else(PoisonError::into_inner));
                let handshake = TlsAcceptor::from(config).accept(stream);
                match timeout(self.timeout, handshake).await {
                    Ok(Ok(stream)) => {
                        stream::serve(stream, id, shards(), self.limits()).await;
                    }
                    Ok(Err(error)) => {
                        tracing::debug!(client = %path.remote, %error, "TLS handshake failed");
                    }
                    Err(_) => {}
                }
            }
            _ => stream::serve(stream, id, shards(), self.limits()).await,
        }
        drop(pass);
    }

    const fn limits(&self) -> stream::Limits {
        stream::Limits {
            timeout: self.timeout,
            is_stun_only: self.is_stun_only,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_a_ceiling_by_address_and_for_all() {
        let door = Arc::new(Door {
            open: Mutex::default(),
            max: 4,
            max_per_address: 3,
            timeout: Duration::ZERO,
            tls: None,
            shards: Arc::default(),
            hash: RandomState::new(),
            count: AtomicU64::new(0),
            is_stun_only: false,
        });
        let [one, other] = [1, 2].map(|last| IpAddr::from([192, 0, 2, last]));
        let enter = |address| door.pass(address);
        let held: Vec<_> = (0..3).map(|_| enter(one).unwrap()).collect();
        assert!(enter(one).is_none(), "a fourth from one address");
        drop(held);
        let of_one_host = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 7, 0, 0, 0, last]);
        let mut held: Vec<_> = (0..3)
            .map(|last| enter(of_one_host(last)).unwrap())
            .collect();
        assert!(enter(of_one_host(9)).is_none(), "a fourth from one /64");
        held.push(enter(other).unwrap());
        assert!(enter(other).is_none(), "a fifth of all");
        held.remove(0);
        assert!(enter(of_one_host(9)).is_some(), "a place was given back");
        held.clear();
        assert!(door.open.lock().unwrap().is_empty(), "nobody is remembered");
    }

    #[test]
    fn two_addresses_for_discovery() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let found = |addresses: &[&str]| {
            let addresses: Vec<_> = addresses.iter().map(|text| at(text)).collect();
            discovery(&addresses)
        };
        assert_eq!(
            found(&["192.0.2.1:3478", "192.0.2.2:3479"]),
            Some([at("192.0.2.1:3478"), at("192.0.2.2:3479")])
        );
        assert_eq!(
            found(&["192.0.2.1:3478", "192.0.2.2:3478"]),
            Some([at("192.0.2.1:3478"), at("192.0.2.2:3479")])
        );
        assert_eq!(found(&["192.0.2.1:3478", "192.0.2.1:3479"]), None);
        assert_eq!(found(&["192.0.2.1:3478", "[2001:db8::1]:3479"]), None);
        assert_eq!(found(&["0.0.0.0:3478", "192.0.2.2:3479"]), None);
    }
}
