//! TCP connections with peers ([RFC 6062](https://www.rfc-editor.org/rfc/rfc6062)): they live in tasks, and wait here
//! until the client's stream comes for them.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::HashMap;
use std::io;

use rtckit_turn::{ConnectionId, RelayId};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::shard::{Command, ShardHandle};
use super::stream::StreamHandle;

/// How long a peer has to answer ([RFC 6062 §5.2](https://www.rfc-editor.org/rfc/rfc6062#section-5.2)).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How many peers may wait to be accepted.
const BACKLOG: i32 = 64;

/// A connection with a peer.
enum Connection {
    /// It is being opened.
    Opening(AbortHandle),
    /// It waits for the client's stream; what the peer sends waits in the kernel.
    Waiting(TcpStream),
    /// It is joined with the client's stream until this is dropped.
    Joined { _ends: oneshot::Sender<()> },
}

/// The connections of a shard.
pub(super) struct PeerStreams {
    shard: ShardHandle,
    runtime: Handle,
    listeners: HashMap<RelayId, AbortHandle>,
    connections: HashMap<ConnectionId, Connection>,
}

impl PeerStreams {
    /// To be called within a runtime.
    pub(super) fn new(shard: ShardHandle) -> Self {
        Self {
            shard,
            runtime: Handle::current(),
            listeners: HashMap::new(),
            connections: HashMap::new(),
        }
    }

    /// Listens for peers at a relay's address.
    pub(super) fn listen(&mut self, relay: RelayId, address: SocketAddr) -> io::Result<SocketAddr> {
        let _guard = self.runtime.enter();
        let listener = bind(address)?.listen(BACKLOG.unsigned_abs())?;
        let local = listener.local_addr()?;
        let task = self
            .runtime
            .spawn(accept(listener, relay, self.shard.clone()));
        self.listeners.insert(relay, task.abort_handle());
        Ok(local)
    }

    pub(super) fn close_relay(&mut self, relay: RelayId) {
        if let Some(task) = self.listeners.remove(&relay) {
            task.abort();
        }
    }

    /// Opens a connection from a relay's address.
    pub(super) fn connect(&mut self, id: ConnectionId, local: SocketAddr, peer: SocketAddr) {
        let shard = self.shard.clone();
        let task = self.runtime.spawn(async move {
            let stream = match timeout(CONNECT_TIMEOUT, open(local, peer)).await {
                Ok(Ok(stream)) => Some(stream),
                Ok(Err(error)) => {
                    tracing::debug!(%local, %peer, %error, "cannot connect to a peer");
                    None
                }
                Err(_) => None,
            };
            shard.send(Command::Connected(id, stream)).await;
        });
        self.connections
            .insert(id, Connection::Opening(task.abort_handle()));
    }

    /// How that went; returns whether the connection is still wanted and open.
    pub(super) fn connected(&mut self, id: ConnectionId, stream: Option<TcpStream>) -> bool {
        let is_wanted = matches!(self.connections.remove(&id), Some(Connection::Opening(_)));
        match stream {
            Some(stream) if is_wanted => {
                self.connections.insert(id, Connection::Waiting(stream));
                true
            }
            _ => false,
        }
    }

    /// A peer connected.
    pub(super) fn accepted(&mut self, id: ConnectionId, stream: TcpStream) {
        self.connections.insert(id, Connection::Waiting(stream));
    }

    /// Hands a waiting connection to the client's stream; `false` when either is gone.
    pub(super) fn join(&mut self, id: ConnectionId, client: &StreamHandle) -> bool {
        let Some(Connection::Waiting(peer)) = self.connections.remove(&id) else {
            return false;
        };
        let (ends, ended) = oneshot::channel();
        self.connections
            .insert(id, Connection::Joined { _ends: ends });
        client.join(id, peer, ended)
    }

    /// Closes a connection, and the client's stream it is joined with.
    pub(super) fn disconnect(&mut self, id: ConnectionId) {
        if let Some(Connection::Opening(task)) = self.connections.remove(&id) {
            task.abort();
        }
    }
}

async fn open(local: SocketAddr, peer: SocketAddr) -> io::Result<TcpStream> {
    Ok(prompt(bind(local)?.connect(peer).await?))
}

/// A socket at a relay's address, which others may have too: the relay listens there and connects from there.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    #[cfg(unix)]
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn accept(listener: TcpListener, relay: RelayId, shard: ShardHandle) {
    loop {
        match next_peer(&listener).await {
            Ok((stream, peer)) => {
                if !shard.send(Command::Accepted(relay, peer, stream)).await {
                    return;
                }
            }
            // out of descriptors, as a rule: others may close theirs
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn next_peer(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, peer) = listener.accept().await?;
    Ok((prompt(stream), peer))
}

/// What one end has written is not to wait for the other's acknowledgement.
fn prompt(stream: TcpStream) -> TcpStream {
    let _ = stream.set_nodelay(true);
    stream
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_waits_for_acknowledgements() {
        let listener = bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = listener.listen(BACKLOG.unsigned_abs()).unwrap();
        let address = listener.local_addr().unwrap();
        let opened = open(([127, 0, 0, 1], 0).into(), address).await.unwrap();
        let (accepted, _) = next_peer(&listener).await.unwrap();
        assert!(opened.nodelay().unwrap() && accepted.nodelay().unwrap());
    }
}
