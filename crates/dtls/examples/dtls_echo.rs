//! Speaks DTLS 1.2 over UDP with a peer, prints what was agreed, and echoes lines (server) or sends its standard
//! input (client).
//!
//! ```text
//! dtls_echo server 127.0.0.1:4444
//! dtls_echo client 127.0.0.1:4444
//! ```
//!
//! `--cert FILE --key FILE` take a certificate and a PKCS #8 key in DER instead of making one up; `--profiles`
//! takes `gcm`, `sha1` or both with a comma between them; `--fingerprint` demands the peer's (without it any
//! certificate will do); `--cookie` makes the server demand a cookie; `--keylog` prints the secrets; `--once` ends
//! after the first line.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a program that runs on a real network, in real time"
)]

use core::error::Error;
use core::net::SocketAddr;
use core::time::Duration;
use std::io::{BufRead, ErrorKind};
use std::net::UdpSocket;
use std::sync::{Arc, mpsc};

use rtckit_crypto::fingerprint::HashAlgorithm;
use rtckit_crypto::identity::Identity;
use rtckit_crypto::provider::Provider;
use rtckit_crypto::secret::Secret;
use rtckit_dtls::{Config, Connection, Event, Role, Verify};
use rtckit_proto::{Clock, Datagram, FiveTuple, Received, SrtpProfile};

type Result<T> = core::result::Result<T, Box<dyn Error>>;

struct Options {
    role: Role,
    address: SocketAddr,
    config: Config,
    once: bool,
}

fn main() -> Result<()> {
    let Options {
        role,
        address,
        config,
        once,
    } = options()?;
    println!(
        "fingerprint: {}",
        config.identity.fingerprint(HashAlgorithm::Sha256)
    );
    let config = Arc::new(config);
    let clock = Clock::new(std::time::Instant::now());
    let mut buf = [0; 2048];

    let (socket, mut connection) = match role {
        Role::Client => {
            let socket = UdpSocket::bind(if address.is_ipv4() {
                "0.0.0.0:0"
            } else {
                "[::]:0"
            })?;
            socket.connect(address)?;
            let path = FiveTuple::udp(socket.local_addr()?, address);
            let now = clock.instant(std::time::Instant::now());
            (socket, Connection::client(config, path, now)?)
        }
        Role::Server => {
            let socket = UdpSocket::bind(address)?;
            // whoever comes first is the peer; the datagram stays in the socket
            let (_, peer) = socket.peek_from(&mut buf)?;
            socket.connect(peer)?;
            let path = FiveTuple::udp(address, peer);
            let now = clock.instant(std::time::Instant::now());
            (socket, Connection::server(config, path, now)?)
        }
    };

    let lines = read_lines(role);
    loop {
        let now = clock.instant(std::time::Instant::now());
        while let Some(transmit) = connection.poll_transmit(now, &mut buf) {
            // a peer that is not there yet, or no longer: the handshake repeats itself
            let _ = socket.send(&buf[transmit.range]);
        }
        while let Some(event) = connection.poll_event() {
            match event {
                Event::Connected => print_agreement(&connection)?,
                Event::PeerClosed => println!("closed"),
                Event::Failed(error) => return Err(error.into()),
                _ => {}
            }
        }
        if connection.is_closed() {
            return Ok(());
        }
        if connection.is_connected() {
            match lines.try_recv() {
                Ok(line) => send(&mut connection, &socket, line.as_bytes())?,
                Err(mpsc::TryRecvError::Disconnected) if role == Role::Client && !once => {
                    connection.close(now);
                    continue;
                }
                Err(_) => {}
            }
        }

        let until = connection.poll_timeout().map(|due| due - now);
        let wait = until
            .unwrap_or(Duration::MAX)
            .min(Duration::from_millis(50));
        socket.set_read_timeout(Some(wait.max(Duration::from_millis(1))))?;
        let received = socket.recv(&mut buf);
        let now = clock.instant(std::time::Instant::now());
        match received {
            Ok(len) => {
                let path = FiveTuple::udp(socket.local_addr()?, socket.peer_addr()?);
                let received = connection.handle_input(now, Datagram::new(path, &mut buf[..len]));
                if on_data(&mut connection, &socket, role, &received)? && once {
                    connection.close(now);
                }
            }
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::ConnectionRefused
                ) => {}
            Err(error) => return Err(error.into()),
        }
        connection.handle_timeout(now);
    }
}

/// Prints what came, and as a server sends it back. Returns whether anything came.
fn on_data(
    connection: &mut Connection,
    socket: &UdpSocket,
    role: Role,
    received: &Received<'_>,
) -> Result<bool> {
    for payload in received.iter() {
        println!("received: {}", String::from_utf8_lossy(payload).trim_end());
        if role == Role::Server {
            send(connection, socket, payload)?;
        }
    }
    Ok(!received.is_empty())
}

fn send(connection: &mut Connection, socket: &UdpSocket, payload: &[u8]) -> Result<()> {
    let (head, tail) = connection.overhead();
    let mut record = vec![0; head + payload.len() + tail];
    let len = connection.seal(payload, &mut record)?;
    socket.send(&record[..len])?;
    Ok(())
}

fn print_agreement(connection: &Connection) -> Result<()> {
    if let (Some(version), Some(suite)) = (connection.version(), connection.cipher_suite()) {
        println!("version: {version}\nsuite: {suite}");
    }
    println!(
        "extended master secret: {}",
        connection.has_extended_master_secret()
    );
    match connection.srtp_keys() {
        Some(keys) => println!("profile: {}", keys.profile),
        None => println!("profile: none"),
    }
    let mut exported = [0; 60];
    connection.export_keying_material(b"EXTRACTOR-dtls_srtp", None, &mut exported)?;
    let hex: String = exported.iter().map(|byte| format!("{byte:02X}")).collect();
    println!("exporter: {hex}");
    if let Some(line) = connection.key_log() {
        println!("{line}");
    }
    Ok(())
}

/// The client's standard input, line by line, from a thread of its own: reading it blocks.
fn read_lines(role: Role) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        if role == Role::Server {
            return;
        }
        for line in std::io::stdin().lock().lines().map_while(|line| line.ok()) {
            if sender.send(line + "\n").is_err() {
                return;
            }
        }
    });
    receiver
}

fn options() -> Result<Options> {
    let usage = "usage: dtls_echo client|server ADDR:PORT [--cert F --key F] [--profiles gcm,sha1] \
                 [--fingerprint 'sha-256 AB:..'] [--mtu N] [--cookie] [--keylog] [--once]";
    let mut args = std::env::args().skip(1);
    let role = match args.next().as_deref() {
        Some("client") => Role::Client,
        Some("server") => Role::Server,
        _ => return Err(usage.into()),
    };
    let address = args.next().ok_or(usage)?.parse()?;
    let provider = Provider::default();
    let (mut certificate, mut key, mut once) = (None, None, false);
    let identity = Arc::new(Identity::generate(&provider)?);
    let mut config = Config::new(provider, identity, Verify::DangerousAnyCertificate);
    config.srtp_profiles = profiles("gcm,sha1")?;
    while let Some(option) = args.next() {
        let mut value = || args.next().ok_or(usage);
        match option.as_str() {
            "--cert" => certificate = Some(std::fs::read(value()?)?),
            "--key" => key = Some(std::fs::read(value()?)?),
            "--profiles" => config.srtp_profiles = profiles(&value()?)?,
            "--fingerprint" => config.verify = Verify::Fingerprints(vec![value()?.parse()?]),
            "--mtu" => config.mtu = value()?.parse()?,
            "--cookie" => {
                let mut secret = Secret::zeroed();
                config.provider.fill_random(secret.as_mut())?;
                config.cookie_secret = Some(secret);
            }
            "--keylog" => config.key_log = true,
            "--once" => once = true,
            _ => return Err(usage.into()),
        }
    }
    if let (Some(certificate), Some(key)) = (certificate, key) {
        config.identity = Arc::new(Identity::from_der(&config.provider, &certificate, &key)?);
    }
    Ok(Options {
        role,
        address,
        config,
        once,
    })
}

fn profiles(names: &str) -> Result<Vec<SrtpProfile>> {
    names
        .split(',')
        .filter(|name| !name.is_empty())
        .map(|name| match name {
            "gcm" => Ok(SrtpProfile::AeadAes128Gcm),
            "sha1" => Ok(SrtpProfile::Aes128CmHmacSha1_80),
            other => Err(format!("unknown profile {other}").into()),
        })
        .collect()
}
