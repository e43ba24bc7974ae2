//! One link to a server.

use core::fmt;
use core::net::SocketAddr;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;
use std::sync::Arc;

use rtckit_proto::{Datagram, FiveTuple, Transmit, Transport};
use rtckit_stun::StreamFramer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{self, pki_types::ServerName};

use super::ServerUri;
use crate::socket::{Inbox, Socket};

/// The longest message of a server.
const MAX_FRAME: usize = 65_600;

/// How long a server may take to be connected to.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How much one read of a stream takes.
const READ_LEN: usize = 16 << 10;

/// Where datagrams are received: one for many links of a thread.
pub struct Buffers(Inbox);

impl Buffers {
    /// 256 kB.
    #[expect(clippy::new_without_default, reason = "it is large")]
    pub fn new() -> Self {
        Self(Inbox::new())
    }
}

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffers").finish_non_exhaustive()
    }
}

/// A link to a server over UDP, TCP or TLS. It is polled, so that one task can drive a machine, a timer and the link.
#[derive(Debug)]
pub struct Link {
    path: FiveTuple,
    kind: Kind,
}

enum Kind {
    Datagrams(Box<Socket>),
    Stream(Box<Stream>),
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Datagrams(socket) => socket.fmt(f),
            Self::Stream(stream) => stream.framer.fmt(f),
        }
    }
}

struct Stream {
    io: Pin<Box<dyn Both>>,
    framer: StreamFramer,
    read: Box<[u8; READ_LEN]>,
    unsent: Vec<u8>,
}

/// The reading half of a link that became a plain stream.
pub type StreamReader = Pin<Box<dyn AsyncRead + Send>>;

/// The writing half.
pub type StreamWriter = Pin<Box<dyn AsyncWrite + Send>>;

trait Both: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Both for T {}

impl Link {
    /// Opens a link to `server`, which `uri` names. `tls` is for `turns:` and `stuns:`; it says whom to trust.
    ///
    /// Over UDP the link is with that server alone: what others send is not heard, and, on Linux,
    /// [`poll_receive`](Self::poll_receive) fails when its host says that nobody listens.
    ///
    /// # Errors
    /// There is no way to the server, it does not listen, it does not let itself be connected to for 10 s, or its
    /// certificate is not trusted.
    pub async fn open(
        uri: &ServerUri,
        server: SocketAddr,
        tls: Option<Arc<rustls::ClientConfig>>,
    ) -> io::Result<Self> {
        if uri.transport == Transport::Udp {
            let local = SocketAddr::new(local_ip(server).await?, 0);
            let link = Self::udp(local, server).await?;
            if let Kind::Datagrams(socket) = &link.kind {
                socket.connect(server)?;
            }
            return Ok(link);
        }
        let opened = Self::open_stream(uri, server, tls);
        match tokio::time::timeout(CONNECT_TIMEOUT, opened).await {
            Ok(opened) => opened,
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the server does not answer",
            )),
        }
    }

    async fn open_stream(
        uri: &ServerUri,
        server: SocketAddr,
        tls: Option<Arc<rustls::ClientConfig>>,
    ) -> io::Result<Self> {
        let socket = if server.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        let stream = socket.connect(server).await?;
        stream.set_nodelay(true)?;
        let path = FiveTuple {
            transport: uri.transport,
            local: stream.local_addr()?,
            remote: server,
        };
        let io = if uri.transport == Transport::Tls {
            secure(&uri.host, stream, tls).await?
        } else {
            Box::pin(stream)
        };
        Ok(Self::stream(path, io))
    }

    /// A link over UDP from `local`; port 0 is any. Messages may go to others than the server as well, and come from
    /// them.
    ///
    /// # Errors
    /// The socket cannot be bound.
    pub async fn udp(local: SocketAddr, server: SocketAddr) -> io::Result<Self> {
        let socket = Socket::bind(local).map_err(io::Error::other)?;
        // before tokio has seen the socket it takes nothing, and the first request would be lost
        core::future::poll_fn(|cx| socket.poll_writable(cx)).await;
        Ok(Self {
            path: FiveTuple::udp(socket.local(), server),
            kind: Kind::Datagrams(Box::new(socket)),
        })
    }

    fn stream(path: FiveTuple, io: Pin<Box<dyn Both>>) -> Self {
        let stream = Stream {
            io,
            framer: StreamFramer::new(MAX_FRAME),
            read: Box::new([0; READ_LEN]),
            unsent: Vec::new(),
        };
        Self {
            path,
            kind: Kind::Stream(Box::new(stream)),
        }
    }

    /// The path to the server.
    pub const fn path(&self) -> FiveTuple {
        self.path
    }

    /// Reads what has come and calls `each` for each message. Pending when nothing has come.
    ///
    /// # Errors
    /// A stream ended, or carries what is no message; over UDP, nobody listens
    /// ([`ConnectionRefused`](io::ErrorKind::ConnectionRefused)).
    pub fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &mut Buffers,
        each: impl FnMut(Datagram<'_>),
    ) -> Poll<io::Result<()>> {
        match &mut self.kind {
            Kind::Datagrams(socket) => {
                poll_datagrams(socket, self.path.remote, cx, &mut buffers.0, each)
            }
            Kind::Stream(stream) => stream.poll_receive(cx, self.path, each),
        }
    }

    /// Sends messages of `segment` bytes each (the last may be shorter) to `path.remote`, which for streams is the
    /// server. What the kernel has no room for is lost over UDP, and waits over streams.
    pub fn send(&mut self, path: FiveTuple, messages: &[u8], segment: usize) {
        match &mut self.kind {
            Kind::Datagrams(socket) => {
                let transmit = Transmit {
                    segment_size: (messages.len() > segment).then_some(segment),
                    ..Transmit::new(path, messages.len())
                };
                socket.send(&transmit, messages);
            }
            Kind::Stream(stream) => stream.unsent.extend_from_slice(messages),
        }
    }

    /// How many bytes wait to be written to a stream.
    pub fn unsent(&self) -> usize {
        match &self.kind {
            Kind::Datagrams(_) => 0,
            Kind::Stream(stream) => stream.unsent.len(),
        }
    }

    /// Writes what waits to a stream.
    ///
    /// # Errors
    /// The stream ended.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.kind {
            Kind::Datagrams(_) => Poll::Ready(Ok(())),
            Kind::Stream(stream) => stream.poll_flush(cx),
        }
    }

    /// Ends the framing: from now on the stream is another protocol's, as after a ConnectionBind. `None` over UDP.
    pub fn into_stream(self) -> Option<(StreamReader, StreamWriter)> {
        match self.kind {
            Kind::Datagrams(_) => None,
            Kind::Stream(stream) => {
                let (reader, writer) = tokio::io::split(stream.io);
                let held = io::Cursor::new(stream.framer.into_held());
                let reader = tokio::io::AsyncReadExt::chain(held, reader);
                Some((Box::pin(reader), Box::pin(writer)))
            }
        }
    }
}

fn poll_datagrams(
    socket: &mut Socket,
    server: SocketAddr,
    cx: &mut Context<'_>,
    inbox: &mut Inbox,
    mut each: impl FnMut(Datagram<'_>),
) -> Poll<io::Result<()>> {
    loop {
        if socket.take_refusal() {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::ConnectionRefused,
                format!("connection refused: nobody listens at {server}"),
            )));
        }
        ready!(socket.poll_readable(cx));
        let count = socket.receive(inbox);
        if count > 0 {
            let local = socket.local();
            for run in inbox.datagrams(count, local) {
                run.segments().for_each(&mut each);
            }
            return Poll::Ready(Ok(()));
        }
    }
}

impl Stream {
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        path: FiveTuple,
        mut each: impl FnMut(Datagram<'_>),
    ) -> Poll<io::Result<()>> {
        let mut read = ReadBuf::new(&mut self.read[..]);
        ready!(self.io.as_mut().poll_read(cx, &mut read))?;
        let read = read.filled_mut();
        if read.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        let mut frames = self.framer.frames(read);
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        while let Some(frame) = frames.next().map_err(invalid)? {
            each(Datagram::new(path, frame));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let count = ready!(self.io.as_mut().poll_write(cx, &self.unsent))?;
            self.unsent.drain(..count);
        }
        self.io.as_mut().poll_flush(cx)
    }
}

async fn secure(
    host: &str,
    stream: TcpStream,
    tls: Option<Arc<rustls::ClientConfig>>,
) -> io::Result<Pin<Box<dyn Both>>> {
    let tls = tls.ok_or_else(|| io::Error::other("TLS needs to know whom to trust"))?;
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let stream = TlsConnector::from(tls).connect(name, stream).await?;
    Ok(Box::pin(stream))
}

/// The address of this host that packets to `server` leave from. Nothing is sent.
async fn local_ip(server: SocketAddr) -> io::Result<core::net::IpAddr> {
    let any: SocketAddr = if server.is_ipv4() {
        ([0; 4], 0).into()
    } else {
        ([0u16; 8], 0).into()
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    Ok(socket.local_addr()?.ip())
}
