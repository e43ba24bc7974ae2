//! Metrics for Prometheus.

use core::fmt::Write as _;
use core::net::SocketAddr;
use std::sync::{Arc, Weak};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use rtckit::server::{ServerStats, TurnServer};
use tokio::net::TcpListener;

use crate::failure::Failure;

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
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/metrics", self.address)
    }
}

async fn respond(server: Weak<TurnServer>) -> impl IntoResponse {
    let Some(server) = server.upgrade() else {
        return (StatusCode::SERVICE_UNAVAILABLE, String::new()).into_response();
    };
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, text(&server.stats().await)).into_response()
}

/// The text format: a name, a kind and a number for each.
fn text(stats: &ServerStats) -> String {
    let mut text = String::new();
    let mut add = |kind: &str, name: &str, value: u64| {
        let total = if kind == "counter" { "_total" } else { "" };
        let _ = writeln!(
            text,
            "# TYPE rtckit_turn_{name}{total} {kind}\nrtckit_turn_{name}{total} {value}"
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
