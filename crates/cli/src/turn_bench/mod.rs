//! `rtckit turn-bench`: a load for TURN servers.

mod flow;
mod options;
mod patience;
mod stats;
mod tcp_relay;

use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::net::SocketAddr;
use core::time::Duration;
use std::io::{Write, stderr, stdout};
use std::rc::Rc;
use std::sync::Arc;

use rtckit::client::{Buffers, Link, Timer, TurnClient};
use rtckit_proto::Transport;
use rtckit_stun::Retransmission;
use rtckit_turn::{ClientConfig, Families};
use serde::Serialize;
use tokio::sync::Notify;
use tokio::task::LocalSet;
use tokio::time::timeout;
use tokio_rustls::rustls;

use crate::failure::Failure;
use crate::tls::explain_link;
use flow::{Flow, State};
use stats::Stats;

pub(crate) use options::Options;
pub(crate) use patience::{patiently, tell_silence};

/// How many clients allocate at a time.
const ALLOCATING: usize = 32;

/// What is reported.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    clients: u32,
    seconds: f64,
    size: u16,
    sent: u64,
    received: u64,
    lost: u64,
    packets_per_second: f64,
    p50_us: Option<u64>,
    p99_us: Option<u64>,
    max_us: Option<u64>,
}

/// What all clients share.
pub(super) struct Bench {
    options: Options,
    server: SocketAddr,
    tls: Option<Arc<rustls::ClientConfig>>,
    timer: Timer,
    buffers: RefCell<Buffers>,
    stats: RefCell<Stats>,
    /// Something came back, or a client's state changed.
    changed: Notify,
    ready: Cell<u32>,
    failure: RefCell<Option<String>>,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    if options.tcp_relay && options.server.transport == Transport::Udp {
        return Err(Failure::new(
            "--tcp-relay needs a connection to the server: add ?transport=tcp to its URI",
        )
        .with_code(2));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format_args!("cannot start: {error}")))?;
    let summary = LocalSet::new().block_on(&runtime, start(options))?;
    if options.json {
        crate::report::print_json(&summary)?;
    } else {
        print(&summary);
    }
    if !options.hold && summary.received == 0 {
        let sent = summary.sent;
        return Err(Failure::new(format_args!(
            "the server has allocated, but relays nothing: of {sent} packets none came back"
        )));
    }
    Ok(())
}

async fn start(options: &Options) -> Result<Summary, Failure> {
    let uri = &options.server;
    let server = uri
        .resolve()
        .await
        .map_err(|error| Failure::new(format_args!("{}: {error}", uri.host)))?;
    let tls = match uri.transport {
        Transport::Tls => Some(crate::tls::client(options.ca.as_deref())?),
        _ => None,
    };
    let bench = Rc::new(Bench {
        options: options.clone(),
        server,
        tls,
        timer: Timer::start(),
        buffers: RefCell::new(Buffers::new()),
        stats: RefCell::new(Stats::new()),
        changed: Notify::new(),
        ready: Cell::new(0),
        failure: RefCell::new(None),
    });
    let elapsed = if options.tcp_relay {
        tcp_relay::run(&bench).await?
    } else {
        bench.run().await?
    };
    Ok(bench.summary(elapsed))
}

impl Bench {
    /// A client with a link to the server.
    async fn client(&self) -> Result<TurnClient, Failure> {
        let uri = &self.options.server;
        let link = Link::open(uri, self.server, self.tls.clone()).await;
        let link = link.map_err(|error| {
            Failure::new(format_args!("{uri}: {}", explain_link(&error, &uri.host)))
        })?;
        let (tls, config) = (self.tls.clone(), self.config());
        Ok(TurnClient::new(link, uri.clone(), tls, config, self.timer))
    }

    fn config(&self) -> ClientConfig {
        let (name, password) = &self.options.user;
        let mut config = ClientConfig::new(name, password);
        if self.options.ipv6 {
            config.families = Families::Ipv6;
        }
        if self.options.tcp_relay {
            config.relayed = Transport::Tcp;
        }
        // nobody at a terminal waits for 39 seconds
        config.retransmission = Retransmission {
            rto: Duration::from_millis(250),
            max_requests: 6,
            last_wait: 4,
            ..Retransmission::default()
        };
        config
    }

    /// The first failure of a client.
    fn fail(&self, what: String) {
        self.failure.borrow_mut().get_or_insert(what);
        self.changed.notify_waiters();
    }

    fn check(&self) -> Result<(), Failure> {
        match &*self.failure.borrow() {
            Some(what) => Err(Failure::new(what)),
            None => Ok(()),
        }
    }

    /// Tells who waits that nothing has come from the server, as long as that is so.
    fn tell_silence(&self) {
        if self.ready.get() == 0 && !self.options.json {
            tell_silence(&self.options.server);
        }
    }

    /// One client after the other allocates.
    async fn allocate(self: &Rc<Self>) -> Result<Vec<Rc<RefCell<Flow>>>, Failure> {
        let mut flows = Vec::new();
        for index in 0..self.options.clients {
            while flows.len() - self.ready.get() as usize >= ALLOCATING {
                self.changed().await?;
            }
            let client = self.client().await?;
            let flow = Flow::new(index, client, self.timer, self.options.hold);
            let flow = Rc::new(RefCell::new(flow));
            flows.push(Rc::clone(&flow));
            tokio::task::spawn_local(Rc::clone(self).drive(flow));
        }
        while (self.ready.get() as usize) < flows.len() {
            self.changed().await?;
        }
        self.check()?;
        Ok(flows)
    }

    /// Allocates, sends, and releases. Returns for how long it sent.
    async fn run(self: &Rc<Self>) -> Result<Duration, Failure> {
        let flows = patiently(self.allocate(), || self.tell_silence()).await?;
        if !self.options.json {
            let _ = writeln!(stderr(), "{} allocations", flows.len());
        }
        let elapsed = if self.options.hold {
            tokio::time::sleep(self.options.seconds).await;
            self.options.seconds
        } else {
            let elapsed = self.send(&flows).await?;
            self.settle().await;
            elapsed
        };
        for flow in &flows {
            flow.borrow_mut().close();
        }
        let is_open = |flow: &Rc<RefCell<Flow>>| flow.borrow().state == State::Ready;
        let closed = async {
            while flows.iter().any(is_open) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = timeout(Duration::from_secs(1), closed).await;
        self.check()?;
        Ok(elapsed)
    }

    /// Waits until something has changed; an error when a client has failed.
    async fn changed(&self) -> Result<(), Failure> {
        self.check()?;
        // what is missed by waking late is seen a moment later
        let _ = timeout(Duration::from_millis(20), self.changed.notified()).await;
        self.check()
    }

    /// Drives a client until it is closed.
    async fn drive(self: Rc<Self>, flow: Rc<RefCell<Flow>>) {
        let mut is_ready = false;
        poll_fn(|cx| {
            let mut flow = flow.borrow_mut();
            let before = self.stats.borrow().received;
            let polled = flow.poll(
                cx,
                &mut self.buffers.borrow_mut(),
                &mut self.stats.borrow_mut(),
            );
            if !is_ready && flow.state == State::Ready {
                is_ready = true;
                self.ready.set(self.ready.get() + 1);
                self.changed.notify_waiters();
            }
            if self.stats.borrow().received > before {
                self.changed.notify_waiters();
            }
            polled
        })
        .await;
        if let State::Failed(what) = &flow.borrow().state {
            self.fail(what.clone());
        }
    }

    /// Sends for the time that was asked for: each client a burst, in turn.
    async fn send(&self, flows: &[Rc<RefCell<Flow>>]) -> Result<Duration, Failure> {
        let options = &self.options;
        let start = self.timer.now();
        let mut turn = flows.iter().cycle();
        let mut told = 0;
        // what was given up for lost, so that a window does not stay closed
        let mut given_up = 0;
        let mut last_received = (0, start);
        loop {
            let elapsed = self.timer.now().duration_since(start);
            if elapsed >= options.seconds {
                return Ok(elapsed);
            }
            self.check()?;
            let burst = u64::from(options.burst);
            let (sent, received) = {
                let stats = self.stats.borrow();
                (stats.sent, stats.received)
            };
            let now = self.timer.now();
            if received != last_received.0 {
                last_received = (received, now);
            } else if now.duration_since(last_received.1) > Duration::from_millis(100) {
                given_up = sent - received;
            }
            let due = if options.rate > 0 {
                let wanted = elapsed.as_secs_f64() * f64::from(options.rate);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a day of packets at the highest rate is far below 2^53"
                )]
                let wanted = wanted as u64;
                wanted.saturating_sub(sent)
            } else {
                let under_way = sent.saturating_sub(received + given_up);
                u64::from(options.window.max(options.burst)).saturating_sub(under_way)
            };
            let mut is_held_up = false;
            for _ in 0..due / burst {
                let Some(flow) = turn.next() else { break };
                let is_sent =
                    flow.borrow_mut()
                        .send(options.burst, options.size.into(), !options.no_offload);
                if is_sent {
                    self.stats.borrow_mut().sent += burst;
                } else {
                    is_held_up = true;
                    break;
                }
            }
            self.tell(elapsed, &mut told);
            if options.rate > 0 || is_held_up {
                tokio::time::sleep(Duration::from_millis(1)).await;
            } else {
                let _ = timeout(Duration::from_millis(5), self.changed.notified()).await;
            }
        }
    }

    /// Waits for what is still on its way.
    async fn settle(&self) {
        for _ in 0..20 {
            let before = {
                let stats = self.stats.borrow();
                if stats.lost() == 0 {
                    return;
                }
                stats.received
            };
            tokio::time::sleep(Duration::from_millis(100)).await;
            if self.stats.borrow().received == before {
                tokio::time::sleep(Duration::from_millis(300)).await;
                if self.stats.borrow().received == before {
                    return;
                }
            }
        }
    }

    /// A line each second.
    fn tell(&self, elapsed: Duration, told: &mut u64) {
        if self.options.json || elapsed.as_secs() <= *told {
            return;
        }
        *told = elapsed.as_secs();
        let stats = self.stats.borrow();
        let _ = writeln!(
            stderr(),
            "{told:4} s  {:9} sent  {:9} received  p50 {} us  p99 {} us",
            stats.sent,
            stats.received,
            stats.percentile(500).unwrap_or_default(),
            stats.percentile(990).unwrap_or_default(),
        );
    }

    fn summary(&self, elapsed: Duration) -> Summary {
        let stats = self.stats.borrow();
        let seconds = elapsed.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let received = stats.received as f64;
        Summary {
            clients: self.options.clients,
            seconds,
            size: self.options.size,
            sent: stats.sent,
            received: stats.received,
            lost: stats.lost(),
            packets_per_second: (received / seconds).round(),
            p50_us: stats.percentile(500),
            p99_us: stats.percentile(990),
            max_us: stats.max(),
        }
    }
}

fn print(summary: &Summary) {
    let latency =
        |micros: Option<u64>| micros.map_or_else(|| "-".to_owned(), |us| format!("{us} us"));
    let text = format!(
        "sent {}, received {}, lost {} in {:.1} s: {:.0} packets/s\nlatency: half within {}, 99 % within {}, all within {}\n",
        summary.sent,
        summary.received,
        summary.lost,
        summary.seconds,
        summary.packets_per_second,
        latency(summary.p50_us),
        latency(summary.p99_us),
        latency(summary.max_us),
    );
    // a reader who has gone away misses it, that is all
    let _ = stdout().write_all(text.as_bytes());
}
