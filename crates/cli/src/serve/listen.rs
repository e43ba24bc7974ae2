//! The web server below the URLs: connections, TLS, and how long each may take.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use axum::{Extension, Router};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::crowd::{Activity, Crowd};

/// The most that the system keeps for us while we accept others. What it has no room for it forgets, while the other
/// side believes itself connected.
const BACKLOG: u32 = 4096;

/// How long a request's head may take, from the connection or the request before it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may go without a request that begins or is answered. All other limits are shorter; this one
/// is for those who ask and do not read the answer.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

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
///
/// Nobody waits for a place: whoever comes while all are taken gets that of someone who makes less use of it.
pub(crate) async fn listen(listener: TcpListener, tls: Option<TlsAcceptor>, router: Router) {
    let mut crowd = Crowd::default();
    loop {
        match listener.accept().await {
            Ok((stream, caller)) => {
                crowd.make_room();
                let router = router.clone().layer(Extension(caller));
                let activity = Arc::new(Activity::new());
                let task = tokio::spawn(connection(
                    stream,
                    tls.clone(),
                    router,
                    Arc::clone(&activity),
                ));
                crowd.enter(caller.ip(), activity, task.abort_handle());
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(_) => sleep(EXHAUSTED_PAUSE).await,
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

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    router: Router,
    activity: Arc<Activity>,
) {
    // Small answers should not wait for one another.
    let _ = stream.set_nodelay(true);
    match tls {
        None => serve(stream, router, &activity).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
                serve(stream, router, &activity).await;
            }
        }
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    router: Router,
    activity: &Arc<Activity>,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(|request: Request<Incoming>| {
        let request = request.map(Body::new);
        let answer = router.call(request);
        let activity = Arc::clone(activity);
        async move {
            activity.begin();
            let answer = answer.await;
            activity.end();
            answer
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // Whoever breaks off a request has no one to blame.
        _ = served => {}
        () = activity.stalls(STALL_TIMEOUT) => {}
    }
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
    use tokio::io::AsyncWriteExt;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_asks_and_does_not_read_is_ended() {
        let (mut caller, stream) = tokio::io::duplex(64);
        let router = Router::new().fallback(|| async { "a".repeat(1000) });
        let start = Instant::now();
        let served = async move { serve(stream, router, &Arc::new(Activity::new())).await };
        let served = timeout(10 * STALL_TIMEOUT, served);
        let asked = caller.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let (served, asked) = tokio::join!(served, asked);
        asked.unwrap();
        served.unwrap();
        assert!(start.elapsed() >= STALL_TIMEOUT);
    }

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
