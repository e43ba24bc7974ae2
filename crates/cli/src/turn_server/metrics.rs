//! Metrics for Prometheus.

use core::fmt::Write as _;
use core::net::SocketAddr;
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rtckit::server::{ServerStats, TurnServer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::failure::Failure;

/// How many connections there are at a time. Who comes when all are taken gets the place of the oldest: those who
/// ask are answered at once, and gone.
const MAX_CONNECTIONS: usize = 64;

/// How long a connection may take for its one request and the answer.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait when the system has no more sockets to give.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// The web server of the metrics.
#[derive(Debug)]
pub(crate) struct Metrics {
    address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Metrics {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Metrics {
    pub(crate) async fn start(
        address: SocketAddr,
        server: &Arc<TurnServer>,
    ) -> Result<Self, Failure> {
        let fail = |error| Failure::new(format_args!("cannot serve metrics at {address}: {error}"));
        let listener = TcpListener::bind(address).await.map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        let server = Arc::downgrade(server);
        let router = Router::new().route("/metrics", get(move || respond(Weak::clone(&server))));
        let task = tokio::spawn(listen(listener, router, CONNECTION_TIMEOUT));
        Ok(Self { address, task })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/metrics", self.address)
    }
}

/// Serves for as long as it is polled.
async fn listen(listener: TcpListener, router: Router, limit: Duration) {
    let mut connections = JoinSet::new();
    let mut places = VecDeque::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(EXHAUSTED_PAUSE).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        places.retain(|place: &tokio::task::AbortHandle| !place.is_finished());
        if places.len() >= MAX_CONNECTIONS
            && let Some(oldest) = places.pop_front()
        {
            oldest.abort();
        }
        places.push_back(connections.spawn(serve(stream, router.clone(), limit)));
    }
}

/// Answers one request, if it comes in time.
async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, router: Router, limit: Duration) {
    let served = http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // whoever breaks off a request has no one to blame
    let _ = timeout(limit, served).await;
}

async fn respond(server: Weak<TurnServer>) -> impl IntoResponse {
    let Some(server) = server.upgrade() else {
        return (StatusCode::SERVICE_UNAVAILABLE, String::new()).into_response();
    };
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, text(&server.stats().await)).into_response()
}

/// The text format: of each metric what it means, its kind, and its number.
fn text(stats: &ServerStats) -> String {
    let mut text = String::new();
    let mut add = |kind: &str, name: &str, value: u64| {
        let total = if kind == "counter" { "_total" } else { "" };
        let (name, help) = (format!("rtckit_turn_{name}{total}"), help(name));
        let _ = writeln!(
            text,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"
        );
    };
    for (name, value) in stats.counters.iter() {
        add("counter", name, value);
    }
    add("counter", "sends_lost", stats.lost);
    add("gauge", "allocations_active", stats.allocations as u64);
    add("gauge", "streams_active", stats.streams as u64);
    text
}

/// What a metric means.
fn help(name: &str) -> &'static str {
    match name {
        "packets_to_peers" => "Payloads relayed from clients to peers.",
        "bytes_to_peers" => "Bytes of payloads relayed from clients to peers.",
        "packets_to_clients" => "Payloads relayed from peers to clients.",
        "bytes_to_clients" => "Bytes of payloads relayed from peers to clients.",
        "requests" => "TURN requests of any kind.",
        "bindings" => "Binding requests (STUN) answered.",
        "challenges" => "Errors 401 and 438 sent.",
        "wrong_credentials" => "Errors 401 that answered a wrong name or password.",
        "errors" => "Error responses of any kind.",
        "rate_limited" => "Answers not sent, as their address had had too many.",
        "overflowed" => "Requests dropped, as too much waited to be done.",
        "allocations" => "Allocations made.",
        "releases" => "Allocations ended.",
        "allocations_refused" => "Allocations refused for a quota or lack of ports.",
        "peers_refused" => "Permissions and channels refused by the peer policy.",
        "malformed" => "Datagrams that are neither STUN nor ChannelData, or malformed.",
        "unroutable_from_clients" => {
            "Payloads from clients without an allocation, a channel or a permission for it."
        }
        "unroutable_from_peers" => "Payloads from peers without a permission.",
        "sends_lost" => "Sends the kernel did not take.",
        "allocations_active" => "Allocations there are.",
        "streams_active" => "TCP and TLS connections of clients there are.",
        // the test knows them all
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    const REQUEST: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";

    fn router() -> Router {
        Router::new().route("/metrics", get(|| async { "here" }))
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_finish_a_request_is_ended() {
        for begun in [&REQUEST[..20], b""] {
            let (mut caller, stream) = tokio::io::duplex(1024);
            caller.write_all(begun).await.unwrap();
            let served = serve(stream, router(), CONNECTION_TIMEOUT);
            timeout(10 * CONNECTION_TIMEOUT, served).await.unwrap();
        }
    }

    #[tokio::test]
    async fn the_oldest_make_room_for_who_asks() {
        const FOR_EVER: Duration = Duration::from_secs(3600);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let _task = JoinSet::from_iter([listen(listener, router(), FOR_EVER)]);
        let mut oldest = TcpStream::connect(address).await.unwrap();
        oldest.write_all(&REQUEST[..20]).await.unwrap();
        let mut held = Vec::new();
        for _ in 1..MAX_CONNECTIONS {
            held.push(TcpStream::connect(address).await.unwrap());
        }
        let mut last = TcpStream::connect(address).await.unwrap();
        last.write_all(REQUEST).await.unwrap();
        let mut answer = String::new();
        last.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("here"), "{answer}");
        // a minute is for ever here
        let mut buf = [0];
        let closed = timeout(Duration::from_secs(60), oldest.read(&mut buf));
        assert!(!matches!(closed.await.unwrap(), Ok(1..)));
        // and nobody else had to go
        held[0].write_all(REQUEST).await.unwrap();
        let mut answer = String::new();
        held[0].read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("here"), "{answer}");
    }

    /// Reads the text format: HELP, TYPE and one sample of each metric, in this order, under one name.
    fn parse(text: &str) -> BTreeMap<&str, (&str, u64)> {
        let mut metrics = BTreeMap::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let (name, help) = line
                .strip_prefix("# HELP ")
                .unwrap()
                .split_once(' ')
                .unwrap();
            assert!(!help.is_empty() && !help.contains('\\'), "{line}");
            let mut is_name = name
                .bytes()
                .map(|byte| byte == b'_' || byte.is_ascii_alphabetic());
            assert!(is_name.all(|is_name| is_name), "{name}");
            let (typed, kind) = lines
                .next()
                .unwrap()
                .strip_prefix("# TYPE ")
                .unwrap()
                .split_once(' ')
                .unwrap();
            let (sampled, value) = lines.next().unwrap().split_once(' ').unwrap();
            assert_eq!([name; 2], [typed, sampled]);
            assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
            assert!(matches!(kind, "counter" | "gauge"), "{kind}");
            let before = metrics.insert(name, (kind, value.parse().unwrap()));
            assert_eq!(before, None, "{name} comes twice");
        }
        metrics
    }

    #[test]
    fn each_metric_has_its_meaning_and_its_kind() {
        let mut stats = ServerStats::default();
        stats.counters.allocations = 3;
        stats.allocations = 2;
        let text = text(&stats);
        assert!(text.ends_with('\n'));
        let metrics = parse(&text);
        assert_eq!(metrics.len(), stats.counters.iter().count() + 3);
        assert_eq!(metrics["rtckit_turn_allocations_total"], ("counter", 3));
        assert_eq!(metrics["rtckit_turn_allocations_active"], ("gauge", 2));
    }
}
