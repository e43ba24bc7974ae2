//! TCP through the server ([RFC 6062](https://www.rfc-editor.org/rfc/rfc6062)): each client has the server connect to an
//! echo that runs here, and opens a second connection to the server for the bytes.

use core::future::poll_fn;
use core::net::SocketAddr;
use core::pin::{Pin, pin};
use core::task::Poll;
use core::time::Duration;
use std::rc::Rc;

use rtckit::client::{Buffers, Opening, TurnClient};
use rtckit_proto::Instant;
use rtckit_turn::{Client, ClientEvent, DataConnection, DataConnectionState, PeerConnectionId};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::flow::{say, say_link};
use super::{Bench, Failure, patiently};
use crate::tls::explain_link;

/// How many data connections open at a time.
const TIMEOUT: Duration = Duration::from_secs(15);

type Reader = Pin<Box<dyn AsyncRead + Send>>;
type Writer = Pin<Box<dyn AsyncWrite + Send>>;

/// What a connection for the bytes is made of.
type Data = (DataConnection, Opening);

/// Runs the load. Returns for how long it sent.
pub(super) async fn run(bench: &Rc<Bench>) -> Result<Duration, Failure> {
    let streams = patiently(open_all(bench), || bench.tell_silence()).await?;
    let start = bench.timer.now();
    let per_client = f64::from(bench.options.rate) / f64::from(bench.options.clients);
    let mut tasks = Vec::new();
    for (reader, writer) in streams {
        tasks.push(tokio::task::spawn_local(carry(
            Rc::clone(bench),
            (reader, writer),
            (start, per_client),
        )));
    }
    let mut told = 0;
    while tasks.iter().any(|task| !task.is_finished()) {
        bench.check()?;
        bench.tell(bench.timer.now().duration_since(start), &mut told);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bench.check()?;
    Ok(bench.options.seconds)
}

/// Opens a stream through the server for each client.
async fn open_all(bench: &Rc<Bench>) -> Result<Vec<(Reader, Writer)>, Failure> {
    let mut streams = Vec::new();
    let mut echo = None;
    for _ in 0..bench.options.clients {
        let mut client = bench.client().await?;
        let target = match echo {
            Some(target) => target,
            None => *echo.insert(start_echo(client.link().path().local).await?),
        };
        streams.push(open(bench, client, target).await?);
        bench.ready.set(bench.ready.get() + 1);
    }
    Ok(streams)
}

/// An echo at the address this host has for the server.
async fn start_echo(local: SocketAddr) -> Result<SocketAddr, Failure> {
    let fail = |error| Failure::new(format_args!("cannot run an echo: {error}"));
    let listener = TcpListener::bind((local.ip(), 0)).await.map_err(fail)?;
    let address = listener.local_addr().map_err(fail)?;
    tokio::task::spawn_local(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            tokio::task::spawn_local(async move {
                let (mut reader, mut writer) = stream.split();
                let _ = tokio::io::copy(&mut reader, &mut writer).await;
            });
        }
    });
    Ok(address)
}

/// Allocates, has the server connect to `target`, and opens the connection for the bytes. The allocation is kept by a task
/// of its own.
async fn open(
    bench: &Rc<Bench>,
    client: TurnClient,
    target: SocketAddr,
) -> Result<(Reader, Writer), Failure> {
    let (sender, mut data) = mpsc::unbounded_channel();
    tokio::task::spawn_local(keep(Rc::clone(bench), client, target, sender));
    let opened = async {
        loop {
            tokio::select! {
                received = data.recv() => match received {
                    Some(data) => return bind(bench, data).await,
                    None => {
                        bench.check()?;
                        return Err(Failure::new("the allocation ended"));
                    }
                },
                changed = bench.changed() => changed?,
            }
        }
    };
    match tokio::time::timeout(TIMEOUT, opened).await {
        Ok(result) => result,
        Err(_) => Err(Failure::new("the server does not connect to the echo")),
    }
}

/// Keeps an allocation, and says when the server has connected.
async fn keep(
    bench: Rc<Bench>,
    mut client: TurnClient,
    target: SocketAddr,
    connected: mpsc::UnboundedSender<Data>,
) {
    let mut buffers = Buffers::new();
    let failure = loop {
        let event = poll_fn(|cx| client.poll_event(cx, &mut buffers, |_| {})).await;
        let event = match event {
            Ok(event) => event,
            Err(error) => break say_link(&error),
        };
        let now = bench.timer.now();
        match on_event(client.machine(), now, target, event) {
            Ok(Some(id)) => {
                let machine = client.machine().data_connection(now, id);
                let _ = connected.send((machine, client.open_link()));
            }
            Ok(None) => {}
            Err(what) => break what,
        }
    };
    bench.fail(failure);
}

fn on_event(
    client: &mut Client,
    now: Instant,
    target: SocketAddr,
    event: ClientEvent,
) -> Result<Option<PeerConnectionId>, String> {
    match event {
        ClientEvent::Allocated { .. } => {
            client.permit(now, target.ip());
        }
        ClientEvent::Permitted { .. } => {
            client.connect(now, target);
        }
        ClientEvent::PermissionRefused { code, .. } => {
            return Err(format!(
                "the server does not let its client reach {} ({code})",
                target.ip()
            ));
        }
        ClientEvent::ConnectFailed { code, .. } => {
            return Err(format!("the server cannot connect to {target} ({code})"));
        }
        ClientEvent::OpenDataConnection { connection, .. } => return Ok(Some(connection)),
        ClientEvent::Failed(failure) => return Err(say(failure)),
        _ => {}
    }
    Ok(None)
}

/// Opens a connection to the server that carries the bytes.
async fn bind(bench: &Bench, (mut machine, link): Data) -> Result<(Reader, Writer), Failure> {
    let host = &bench.options.server.host;
    let link = link.await;
    let mut link = link.map_err(|error| Failure::new(explain_link(&error, host)))?;
    let path = link.path();
    let mut buffers = Buffers::new();
    let mut buf = [0; 1400];
    poll_fn(|cx| {
        loop {
            let now = bench.timer.now();
            while let Some(len) = machine.poll_transmit(now, &mut buf) {
                link.send(path, buf.get(..len).unwrap_or_default(), len);
            }
            match machine.state() {
                DataConnectionState::Binding => {}
                DataConnectionState::Bound => return Poll::Ready(Ok(())),
                DataConnectionState::Failed(failure) => {
                    return Poll::Ready(Err(Failure::new(say(failure))));
                }
            }
            if let Poll::Ready(Err(error)) = link.poll_flush(cx) {
                return Poll::Ready(Err(Failure::new(error)));
            }
            let received = link.poll_receive(cx, &mut buffers, |datagram| {
                machine.handle_input(now, datagram.data);
            });
            match received {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Failure::new(error))),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await?;
    link.into_stream()
        .ok_or_else(|| Failure::new("TCP is relayed over streams alone"))
}

/// Sends packets over a stream and takes back what the echo returns.
async fn carry(
    bench: Rc<Bench>,
    (mut reader, mut writer): (Reader, Writer),
    (start, rate): (Instant, f64),
) {
    let size = usize::from(bench.options.size);
    let burst = bench.options.burst;
    let send = async {
        let mut sent = 0_u64;
        loop {
            let now = bench.timer.now();
            let elapsed = now.duration_since(start);
            if elapsed >= bench.options.seconds {
                return Ok(());
            }
            #[expect(clippy::cast_precision_loss, reason = "a pace need not be exact")]
            let is_due = rate <= 0.0 || (sent as f64) < elapsed.as_secs_f64() * rate;
            if !is_due {
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            }
            let mut packets = vec![0; size * burst as usize];
            for packet in packets.chunks_mut(size) {
                let stamp = now.as_nanos().to_be_bytes();
                packet
                    .iter_mut()
                    .zip(stamp)
                    .for_each(|(to, from)| *to = from);
            }
            writer.write_all(&packets).await?;
            writer.flush().await?;
            sent += u64::from(burst);
            bench.stats.borrow_mut().sent += u64::from(burst);
        }
    };
    let receive = async {
        let mut packet = vec![0; size];
        loop {
            reader.read_exact(&mut packet).await?;
            let Some(stamp) = packet.first_chunk::<8>() else {
                return Ok(());
            };
            let sent = Instant::from_nanos(u64::from_be_bytes(*stamp));
            let latency = bench.timer.now().duration_since(sent);
            bench.stats.borrow_mut().on_received(latency);
        }
    };
    let (mut send, mut receive) = (pin!(send), pin!(receive));
    let result: std::io::Result<()> = tokio::select! {
        result = &mut receive => result,
        result = &mut send => match result {
            // what is still on its way
            Ok(()) => match tokio::time::timeout(Duration::from_millis(500), receive).await {
                Ok(result) => result,
                Err(_) => Ok(()),
            },
            error => error,
        }
    };
    if let Err(error) = result {
        bench.fail(format!("the connection through the server ended: {error}"));
    }
}
