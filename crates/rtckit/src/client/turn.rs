//! A TURN client on its link.

use core::fmt;
use core::net::SocketAddr;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::sync::Arc;

use rtckit_turn::{Client, ClientConfig, ClientEvent, FromPeer};
use tokio::time::Sleep;
use tokio_rustls::rustls;

use super::{Buffers, Link, ServerUri, Timer};
use crate::Provider;

/// A link that is being opened.
pub type Opening = Pin<Box<dyn Future<Output = io::Result<Link>> + Send>>;

/// A [`Client`] on its [`Link`], which goes with it from one local address to another, and from one server to another,
/// when it has to ([`ClientEvent::Reconnect`]).
///
/// ```no_run
/// use rtckit::client::{Buffers, Link, ServerUri, Timer, TurnClient};
/// use rtckit_turn::{ClientConfig, ClientEvent};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let uri: ServerUri = "turn:turn.example.org".parse()?;
/// let link = Link::open(&uri, uri.resolve().await?, None).await?;
/// let config = ClientConfig::new("alice", "secret");
/// let mut client = TurnClient::new(link, uri, None, config, Timer::start());
/// let mut buffers = Buffers::new();
/// let event = std::future::poll_fn(|cx| {
///     client.poll_event(cx, &mut buffers, |from| println!("{:?} from {}", from.data, from.peer))
/// });
/// match event.await? {
///     ClientEvent::Allocated { relayed, .. } => println!("peers reach me at {relayed:?}"),
///     event => println!("{event:?}"),
/// }
/// # Ok(())
/// # }
/// ```
pub struct TurnClient {
    machine: Client,
    link: Link,
    /// How a server is reached, and whom its certificate names.
    uri: ServerUri,
    tls: Option<Arc<rustls::ClientConfig>>,
    /// The link that takes the place of the present one.
    next: Option<Opening>,
    timer: Timer,
    sleep: Pin<Box<Sleep>>,
}

impl TurnClient {
    /// A client that begins to allocate by `link`, which was opened to `uri` with `tls`.
    pub fn new(
        link: Link,
        uri: ServerUri,
        tls: Option<Arc<rustls::ClientConfig>>,
        config: ClientConfig,
        timer: Timer,
    ) -> Self {
        let random = &mut *Provider::ring().random();
        Self {
            machine: Client::new(config, link.path(), timer.now(), random),
            link,
            uri,
            tls,
            next: None,
            timer,
            sleep: Box::pin(tokio::time::sleep(Duration::ZERO)),
        }
    }

    /// The machine, to be asked and told things; [`poll_event`](Self::poll_event) does what it wants then.
    pub const fn machine(&mut self) -> &mut Client {
        &mut self.machine
    }

    /// The link, for payloads in the envelopes of the machine.
    pub const fn link(&mut self) -> &mut Link {
        &mut self.link
    }

    /// Opens one more link to the server that it is at, as data connections need
    /// ([`ClientEvent::OpenDataConnection`]).
    pub fn open_link(&self) -> Opening {
        self.open(self.link.path().remote)
    }

    fn open(&self, server: SocketAddr) -> Opening {
        let (uri, tls) = (self.uri.clone(), self.tls.clone());
        Box::pin(async move { Link::open(&uri, server, tls).await })
    }

    /// Drives the client until something happens, and hands what peers sent to `each`. [`ClientEvent::Reconnect`] is
    /// not among what is returned: it is done.
    ///
    /// # Errors
    /// The link ended, or the next one cannot be opened.
    pub fn poll_event(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &mut Buffers,
        mut each: impl FnMut(FromPeer<'_>),
    ) -> Poll<io::Result<ClientEvent>> {
        loop {
            let now = self.timer.now();
            self.poll_next(cx)?;
            self.machine.handle_timeout(now);
            let mut buf = [0; 1400];
            while let Some(sent) = self.machine.poll_transmit(now, &mut buf) {
                let bytes = buf.get(sent.range).unwrap_or_default();
                self.link.send(sent.path, bytes, bytes.len());
            }
            // before the events: the last one comes with a farewell, which goes as far as it goes at once
            let flushed = self.link.poll_flush(cx);
            match self.machine.poll_event() {
                Some(ClientEvent::Reconnect { server, domain }) => {
                    if let Some(domain) = domain {
                        self.uri.host = domain.into();
                    }
                    self.next = Some(self.open(server));
                    continue;
                }
                Some(event) => return Poll::Ready(Ok(event)),
                None => {}
            }
            if self.next.is_some() {
                return Poll::Pending; // how the present link ends does not matter
            }
            if let Poll::Ready(Err(error)) = flushed {
                return Poll::Ready(Err(error));
            }
            let machine = &mut self.machine;
            let received = self.link.poll_receive(cx, buffers, |datagram| {
                if let Some(from) = machine.handle_input(now, datagram) {
                    each(from);
                }
            })?;
            if received.is_pending() && !self.is_due(cx) {
                return Poll::Pending;
            }
        }
    }

    /// Moves to the next link when it is open. The present one is closed only then, so that it keeps its port from being
    /// given to the next.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let Some(next) = &mut self.next else {
            return Ok(());
        };
        if let Poll::Ready(opened) = next.as_mut().poll(cx) {
            self.next = None;
            self.link = opened?;
            self.machine.reconnect(self.timer.now(), self.link.path());
        }
        Ok(())
    }

    /// Whether the machine wants to be called now; if not, the task is woken then.
    fn is_due(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(due) = self.machine.poll_timeout() else {
            return false;
        };
        let due = self.timer.tokio(due);
        if self.sleep.deadline() != due {
            self.sleep.as_mut().reset(due);
        }
        self.sleep.as_mut().poll(cx).is_ready()
    }
}

impl fmt::Debug for TurnClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnClient")
            .field("machine", &self.machine)
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}
