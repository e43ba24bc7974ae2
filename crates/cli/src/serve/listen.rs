//! The web server below the URLs: connections, TLS, and how long each may take.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use std::collections::VecDeque;
use std::io;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;

/// The most connections at a time. One more ends the oldest of them, once that has had its [`GRACE`].
///
/// All requests are short, so the oldest connection is one that only holds its place: someone who sends a header now
/// and then must not keep out those who have something to say.
const MAX_CONNECTIONS: usize = 512;

/// The most that the system keeps for us meanwhile. What it has no room for it forgets, while the other side believes
/// itself connected.
const BACKLOG: u32 = 4096;

/// How long every connection may live, however many want to take its place.
const GRACE: Duration = Duration::from_secs(5);

/// How long a request's head may take, from the connection or the request before it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The most memory for the head of a request, in bytes.
const MAX_HEAD: usize = 32 << 10;

/// How long to wait when the system has no more sockets to give.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// Listens at `address`.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // On Unix a server that starts again need not wait for its old connections; on Windows this would mean more.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves for as long as it is polled. What is still connected then goes on by itself.
pub(crate) async fn listen(listener: TcpListener, tls: Option<TlsAcceptor>, router: Router) {
    let mut connections = Connections::default();
    loop {
        match listener.accept().await {
            Ok((stream, caller)) => {
                let router = router.clone().layer(Extension(caller));
                connections.make_room().await;
                let task = tokio::spawn(connection(stream, tls.clone(), router));
                connections
                    .0
                    .push_back((Instant::now(), task.abort_handle()));
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(_) => sleep(EXHAUSTED_PAUSE).await,
        }
    }
}

/// The connections and since when they are, the oldest first.
#[derive(Default)]
struct Connections(VecDeque<(Instant, AbortHandle)>);

impl Connections {
    /// Forgets those that are over, and ends the oldest if there are still too many.
    async fn make_room(&mut self) {
        while self.0.len() >= MAX_CONNECTIONS {
            self.0.retain(|(_, connection)| !connection.is_finished());
            if self.0.len() < MAX_CONNECTIONS {
                return;
            }
            let Some((since, _)) = self.0.front() else {
                return;
            };
            if since.elapsed() < GRACE {
                sleep_until(*since + GRACE).await;
            } else if let Some((_, oldest)) = self.0.pop_front() {
                oldest.abort();
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router) {
    // Small answers should not wait for one another.
    let _ = stream.set_nodelay(true);
    match tls {
        None => serve(stream, router).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
                serve(stream, router).await;
            }
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, router: Router) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // Whoever breaks off a request has no one to blame.
    let _ = served.await;
}

/// The addresses at which a server is found that listens at `address`: that one or, if it stands for all of the
/// machine, all of the machine, beginning with itself.
pub(crate) fn reachable(address: IpAddr) -> Vec<IpAddr> {
    if !address.is_unspecified() {
        return vec![address];
    }
    // A machine that will not say has loopback at least.
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let interfaces = interfaces.iter().map(if_addrs::Interface::ip);
    let loopback: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    // Link-local addresses mean nothing in a URL without a scope, and browsers take none.
    let is_found = |found: &IpAddr| match found {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local(),
        IpAddr::V6(v6) => address.is_ipv6() && !v6.is_loopback() && !v6.is_unicast_link_local(),
    };
    core::iter::once(loopback)
        .chain(interfaces.filter(is_found))
        .collect()
}

/// The URL of a server.
pub(crate) fn url(address: SocketAddr, is_secure: bool) -> String {
    let scheme = if is_secure { "https" } else { "http" };
    format!("{scheme}://{address}/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_all_begins_with_loopback() {
        let addresses = |text: &str| reachable(text.parse().unwrap());
        assert_eq!(
            addresses("192.0.2.1"),
            ["192.0.2.1".parse::<IpAddr>().unwrap()]
        );
        let all = addresses("0.0.0.0");
        assert!(
            all[0].is_loopback() && all.iter().all(IpAddr::is_ipv4),
            "{all:?}"
        );
        assert!(addresses("::")[0].is_loopback());
    }
}
