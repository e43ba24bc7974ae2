//! The web server below the URLs: connections, TLS, and how long each may take.

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::sync::Arc;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// The most connections at a time. More wait until one of these is over.
const MAX_CONNECTIONS: usize = 512;

/// How long a request's head may take, from the connection or the request before it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The most memory for the head of a request, in bytes.
const MAX_HEAD: usize = 32 << 10;

/// How long to wait when the system has no more sockets to give.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// Serves for as long as it is polled.
pub(crate) async fn listen(listener: TcpListener, tls: Option<TlsAcceptor>, router: Router) {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, caller)) => {
                let router = router.clone().layer(Extension(caller));
                tokio::spawn(connection(stream, tls.clone(), router, permit));
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
    permit: OwnedSemaphorePermit,
) {
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
    drop(permit);
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

/// The URL at which the server is found.
pub(crate) fn url(address: SocketAddr, is_secure: bool) -> String {
    let scheme = if is_secure { "https" } else { "http" };
    format!("{scheme}://{address}/")
}
