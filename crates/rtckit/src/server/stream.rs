//! Clients that come by TCP or TLS: a task for each, which cuts the stream into messages for its shard and writes what
//! the shard has for it.
//!
//! What a client can cost is bounded: one message that has begun, and what waits to be written (256 kB; payloads beyond
//! are lost, as datagrams are, and so are answers beyond twice as much). A client that does not finish a message, does
//! not read, or has no allocation is closed after [`Config::stream_timeout`](super::Config::stream_timeout).

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::time::Duration;
use std::io;
use std::sync::Arc;

use rtckit_proto::{FiveTuple, Transport};
use rtckit_stun::{FrameError, frame_len};
use rtckit_turn::ConnectionId;
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, copy_bidirectional,
};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use super::shard::{Command, ShardHandle, is_binding};

/// How many bytes may wait for a client that reads slowly.
const MAX_QUEUED: usize = 256 << 10;

/// The longest message: a Send indication with a datagram of the longest kind.
const MAX_FRAME: usize = 20 + 24 + 4 + 65_536;

/// How a ConnectionBind request begins.
const CONNECTION_BIND: [u8; 2] = [0x00, 0x0b];

/// How much one read takes.
const READ_LEN: usize = 16 << 10;

/// What the shard tells a stream's task.
enum Message {
    /// To be written.
    Bytes(Vec<u8>),
    /// What came was seen: more may come.
    GoOn,
    /// From now on it is one with a peer's, until the channel ends.
    Join(ConnectionId, TcpStream, oneshot::Receiver<()>),
}

/// What the shard and the task share.
#[derive(Debug, Default)]
struct Shared {
    queued: AtomicUsize,
    is_allocated: AtomicBool,
}

/// Which stream it is. A client that comes back from the same port may do so before the end of its last stream is known
/// here, so a path alone is not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StreamId {
    pub(super) path: FiveTuple,
    /// The later of two streams of one path has the higher one.
    pub(super) number: u64,
}

/// The shard's end of a stream. The task closes the stream when this is dropped.
pub(super) struct StreamHandle {
    id: StreamId,
    messages: mpsc::UnboundedSender<Message>,
    shared: Arc<Shared>,
}

impl core::fmt::Debug for StreamHandle {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("StreamHandle")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl StreamHandle {
    /// One for each end.
    pub(super) fn new(id: StreamId) -> (Self, TaskHandle) {
        let (sender, messages) = mpsc::unbounded_channel();
        let shared = Arc::<Shared>::default();
        let handle = Self {
            id,
            messages: sender,
            shared: Arc::clone(&shared),
        };
        (handle, TaskHandle { messages, shared })
    }

    pub(super) const fn id(&self) -> StreamId {
        self.id
    }

    /// A payload for the client; `false` when too much waits already.
    pub(super) fn offer(&self, bytes: Vec<u8>) -> bool {
        let len = bytes.len();
        if self.shared.queued.load(Ordering::Relaxed) + len > MAX_QUEUED {
            return false;
        }
        self.shared.queued.fetch_add(len, Ordering::Relaxed);
        self.messages.send(Message::Bytes(bytes)).is_ok()
    }

    /// An answer, which is small, and follows a request: at most a few wait beside the payloads.
    pub(super) fn answer(&self, bytes: Vec<u8>) {
        if self.shared.queued.load(Ordering::Relaxed) <= 2 * MAX_QUEUED {
            self.shared.queued.fetch_add(bytes.len(), Ordering::Relaxed);
            let _ = self.messages.send(Message::Bytes(bytes));
        }
    }

    /// The messages that came have been seen.
    pub(super) fn go_on(&self) {
        let _ = self.messages.send(Message::GoOn);
    }

    /// Whether the client has an allocation: without one it cannot stay.
    pub(super) fn set_allocated(&self, is_allocated: bool) {
        self.shared
            .is_allocated
            .store(is_allocated, Ordering::Relaxed);
    }

    /// From what was written so far on, the stream is one with a peer's.
    pub(super) fn join(
        &self,
        connection: ConnectionId,
        peer: TcpStream,
        ended: oneshot::Receiver<()>,
    ) -> bool {
        self.messages
            .send(Message::Join(connection, peer, ended))
            .is_ok()
    }
}

/// The task's end of what it shares with the shard.
pub(super) struct TaskHandle {
    messages: mpsc::UnboundedReceiver<Message>,
    shared: Arc<Shared>,
}

#[cfg(test)]
impl TaskHandle {
    /// Whether the shard wants the stream to end.
    pub(super) fn is_closed(&self) -> bool {
        self.messages.is_closed()
    }
}

/// What a stream may do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How long it may take for what it has begun.
    pub(super) timeout: Duration,
    /// Whether Binding requests alone are heard.
    pub(super) is_stun_only: bool,
}

/// Serves a client's stream until either side ends it.
///
/// It begins with the shard at `place` of all, and goes to another one if the client brings what that one gave it.
pub(super) async fn serve<S>(
    stream: S,
    id: StreamId,
    (shards, place): (Arc<[ShardHandle]>, usize),
    limits: Limits,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(shard) = shards.get(place).cloned() else {
        return;
    };
    let Some(TaskHandle { messages, shared }) = open(&shard, id).await else {
        return;
    };
    let (reader, writer) = tokio::io::split(stream);
    let mut task = Task {
        reader,
        writer,
        messages,
        shared,
        id,
        shard,
        shards,
        place,
        limits,
        begun: Vec::new(),
        is_waiting: false,
    };
    match task.run().await {
        Ok(Some((connection, peer, ended))) => task.splice(connection, peer, ended).await,
        Ok(None) => task.end().await,
        Err(error) => {
            tracing::debug!(client = %id.path.remote, %error, "stream closed");
            task.end().await;
        }
    }
}

/// Tells a shard of the stream; returns the stream's end of what they share.
async fn open(shard: &ShardHandle, id: StreamId) -> Option<TaskHandle> {
    let (handle, task) = StreamHandle::new(id);
    let opened = shard.send(Command::StreamOpened(handle)).await;
    opened.then_some(task)
}

type Joined = (ConnectionId, TcpStream, oneshot::Receiver<()>);

struct Task<S> {
    reader: ReadHalf<S>,
    writer: WriteHalf<S>,
    messages: mpsc::UnboundedReceiver<Message>,
    shared: Arc<Shared>,
    id: StreamId,
    /// The shard that serves it, and where that is.
    shard: ShardHandle,
    place: usize,
    shards: Arc<[ShardHandle]>,
    limits: Limits,
    /// What was read and not handed over: the beginning of a message.
    begun: Vec<u8>,
    /// Whether the shard has not seen yet what was handed over: at most one batch is under way, and behind a
    /// ConnectionBind the bytes may be another protocol's.
    is_waiting: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Task<S> {
    async fn run(&mut self) -> io::Result<Option<Joined>> {
        let mut deadline = self.fresh_deadline();
        let mut buf = vec![0; READ_LEN];
        loop {
            let may_read = !self.is_waiting;
            let may_last =
                self.begun.is_empty() && self.shared.is_allocated.load(Ordering::Relaxed);
            tokio::select! {
                message = self.messages.recv() => match message {
                    Some(Message::Bytes(bytes)) => self.write(bytes).await?,
                    Some(Message::GoOn) => {
                        self.is_waiting = false;
                        self.hand_over().await?;
                    }
                    Some(Message::Join(connection, peer, ended)) => {
                        return Ok(Some((connection, peer, ended)));
                    }
                    None => return Ok(None),
                },
                read = self.reader.read(&mut buf), if may_read => {
                    let read = match read? {
                        0 => return Ok(None),
                        count => buf.get(..count).unwrap_or_default(),
                    };
                    self.begun.extend_from_slice(read);
                    // who has no allocation has this long to get one, whatever they say meanwhile
                    let is_allocated = self.shared.is_allocated.load(Ordering::Relaxed);
                    if self.hand_over().await? && is_allocated {
                        deadline = self.fresh_deadline();
                    }
                }
                () = sleep_until(deadline) => {
                    if !may_last {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                    deadline = self.fresh_deadline();
                }
            }
        }
    }

    fn fresh_deadline(&self) -> Instant {
        Instant::now() + self.limits.timeout
    }

    /// Hands whole messages to the shard, up to a ConnectionBind; returns whether there were any.
    async fn hand_over(&mut self) -> io::Result<bool> {
        if self.is_waiting {
            return Ok(false);
        }
        // payloads come from clients with an allocation: anything else is another protocol that looks alike
        let is_payload = self.begun.first().is_some_and(|first| first >> 6 == 1);
        if is_payload && !self.shared.is_allocated.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let whole = whole_frames(&self.begun)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        if whole == 0 {
            return Ok(false);
        }
        let rest = self.begun.split_off(whole);
        let frames = core::mem::replace(&mut self.begun, rest);
        if self.limits.is_stun_only && !are_bindings(&frames) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if !self.shared.is_allocated.load(Ordering::Relaxed)
            && let Some(place) = named_shard(&frames)
        {
            self.go_to(place).await?;
        }
        self.is_waiting = true;
        if !self.shard.send(Command::Frames(self.id, frames)).await {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(true)
    }

    /// Goes to the shard at `place`, which gave the client what it brings. The present one has nothing of it, and has
    /// answered all it was asked.
    async fn go_to(&mut self, place: usize) -> io::Result<()> {
        let Some(shard) = self.shards.get(place).filter(|_| place != self.place) else {
            return Ok(());
        };
        let Some(TaskHandle { messages, shared }) = open(shard, self.id).await else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let old = core::mem::replace(&mut self.shard, shard.clone());
        (self.messages, self.shared, self.place) = (messages, shared, place);
        old.send(Command::StreamClosed(self.id)).await;
        Ok(())
    }

    /// Writes `bytes` and what else waits.
    async fn write(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        let mut len = bytes.len();
        let mut messages = vec![bytes];
        let mut next = None;
        while len < READ_LEN && next.is_none() {
            match self.messages.try_recv() {
                Ok(Message::Bytes(more)) => {
                    len += more.len();
                    messages.push(more);
                }
                Ok(other) => next = Some(other),
                Err(_) => break,
            }
        }
        self.shared.queued.fetch_sub(len, Ordering::Relaxed);
        if self.id.path.transport != Transport::Tls {
            messages = vec![messages.concat()];
        }
        let write = async {
            // over TLS a record for each: clients that read a record when the socket is readable, and no more, would
            // sit on the rest
            for message in &messages {
                self.writer.write_all(message).await?;
            }
            self.writer.flush().await
        };
        let written = timeout(self.limits.timeout, write).await;
        let written = written.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        match next {
            // it comes again, from the front of nothing: a stream that is joined gets nothing else
            Some(Message::Join(connection, peer, ended)) => self.put_back(connection, peer, ended),
            Some(Message::GoOn) if written.is_ok() => {
                self.is_waiting = false;
                self.hand_over().await?;
            }
            _ => {}
        }
        written
    }

    /// A stream that is joined hears nothing more from the shard, so the order of messages is kept.
    fn put_back(
        &mut self,
        connection: ConnectionId,
        peer: TcpStream,
        ended: oneshot::Receiver<()>,
    ) {
        let (sender, messages) = mpsc::unbounded_channel();
        let _ = sender.send(Message::Join(connection, peer, ended));
        self.messages = messages;
    }

    /// Tells the shard that the stream has ended, and the connection with it that it may just have been joined with.
    async fn end(mut self) {
        self.messages.close();
        while let Ok(message) = self.messages.try_recv() {
            if let Message::Join(connection, ..) = message {
                self.shard.send(Command::ConnectionClosed(connection)).await;
            }
        }
        self.shard.send(Command::StreamClosed(self.id)).await;
    }

    /// Carries bytes between the client and a peer until either ends.
    async fn splice(
        self,
        connection: ConnectionId,
        mut peer: TcpStream,
        ended: oneshot::Receiver<()>,
    ) {
        let mut client = self.reader.unsplit(self.writer);
        let carry = async {
            peer.write_all(&self.begun).await?;
            copy_bidirectional(&mut client, &mut peer).await
        };
        tokio::select! {
            result = carry => tracing::debug!(client = %self.id.path.remote, ?result, "connection ended"),
            _ = ended => {}
        }
        self.shard.send(Command::ConnectionClosed(connection)).await;
    }
}

/// How many bytes of `bytes` are whole messages, up to the first ConnectionBind request.
fn whole_frames(bytes: &[u8]) -> Result<usize, FrameError> {
    let mut whole = 0;
    while let Some(rest) = bytes.get(whole..).filter(|rest| !rest.is_empty()) {
        let Some((len, taken)) = frame_len(rest)? else {
            break;
        };
        if len > MAX_FRAME {
            return Err(FrameError::TooLong);
        }
        if taken > rest.len() {
            break;
        }
        whole += taken;
        if rest.starts_with(&CONNECTION_BIND) {
            break;
        }
    }
    Ok(whole)
}

/// The shard that gave what the first of whole messages that brings anything brings.
fn named_shard(mut frames: &[u8]) -> Option<usize> {
    while let Ok(Some((len, taken))) = frame_len(frames) {
        let named = frames.get(..len).and_then(rtckit_turn::instance_of);
        if named.is_some() {
            return named.map(usize::from);
        }
        frames = frames.get(taken..).unwrap_or_default();
    }
    None
}

/// Whether whole messages are Binding requests, every one of them.
fn are_bindings(mut frames: &[u8]) -> bool {
    while let Ok(Some((_, taken))) = frame_len(frames) {
        if !is_binding(frames) {
            return false;
        }
        frames = frames.get(taken..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_for_who_does_not_read_have_a_ceiling() {
        let (path, number) = (FiveTuple::udp(([0; 4], 0).into(), ([0; 4], 0).into()), 0);
        let (handle, mut task) = StreamHandle::new(StreamId { path, number });
        let payload = || vec![0; 1024];
        // more than twice as many, so that a queue without an end is seen
        let taken = (0..1024).filter(|_| handle.offer(payload())).count();
        assert_eq!(taken * 1024, MAX_QUEUED);
        // there is still room for answers, and for them too it has an end
        for _ in 0..1024 {
            handle.answer(payload());
        }
        let mut queued = 0;
        while let Ok(Message::Bytes(bytes)) = task.messages.try_recv() {
            queued += bytes.len();
        }
        assert_eq!(queued, 2 * MAX_QUEUED + 1024);
    }

    #[test]
    fn whole_messages_up_to_a_connection_bind() {
        let message = |kind: u8| {
            let mut message = [0; 20];
            message[1] = kind;
            message
        };
        let stream = [
            &message(3)[..],
            &[0x40, 0, 0, 1, 9, 0, 0, 0],
            &message(0x0b),
            &[0xff; 9],
        ]
        .concat();
        assert_eq!(whole_frames(&stream), Ok(48), "the rest is no message");
        assert_eq!(whole_frames(&stream[..47]), Ok(28));
        assert_eq!(whole_frames(&stream[..19]), Ok(0));
        assert_eq!(whole_frames(&[]), Ok(0));
        assert!(whole_frames(&stream[48..]).is_err());
    }
}
