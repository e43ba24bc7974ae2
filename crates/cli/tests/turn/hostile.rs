//! A crowd that means no good, and one who does: what the server holds stays within its ceilings, what it gives stays whole,
//! and who has not asked hears nothing.

use core::net::SocketAddr;
use core::time::Duration;
use std::fs;
use std::io::{ErrorKind, Write};
use std::net::{TcpStream, UdpSocket};

use rtckit_stun::{
    Class, Error, LongTermClient, Message, MessageWriter, Method, TransactionId, Verdict,
};
use serde_json::Value;

use super::{Server, rtckit, run};

/// Somebody with a socket who writes requests by hand.
pub(super) struct Hand {
    socket: UdpSocket,
    credentials: LongTermClient,
    serial: u32,
}

impl Hand {
    pub(super) fn new(server: SocketAddr, password: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(server).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        Self {
            socket,
            credentials: LongTermClient::new("mallory", password),
            serial: 0,
        }
    }

    fn write(
        &mut self,
        method: Method,
        fill: impl Fn(&mut MessageWriter<'_>) -> Result<(), Error>,
    ) -> Vec<u8> {
        self.serial += 1;
        let mut id = [0; 12];
        id[..4].copy_from_slice(&self.serial.to_be_bytes());
        let mut buf = [0; 1400];
        let id = TransactionId(id);
        let mut writer = MessageWriter::new(&mut buf, Class::Request, method, id).unwrap();
        fill(&mut writer).unwrap();
        self.credentials.write(&mut writer).unwrap();
        let len = writer.finish();
        buf[..len].to_vec()
    }

    /// Asks until there is an answer that is no challenge; returns its error code, 0 for success, `None` when nobody
    /// answers.
    fn ask(
        &mut self,
        method: Method,
        fill: impl Fn(&mut MessageWriter<'_>) -> Result<(), Error>,
    ) -> Option<u16> {
        let answer = self.exchange(method, fill)?;
        let answer = Message::parse(&answer).unwrap();
        Some(answer.error_code().map_or(0, |error| error.code))
    }

    /// The same; returns the answer.
    fn exchange(
        &mut self,
        method: Method,
        fill: impl Fn(&mut MessageWriter<'_>) -> Result<(), Error>,
    ) -> Option<Vec<u8>> {
        for _ in 0..6 {
            let was_signed = self.credentials.is_challenged();
            let request = self.write(method, &fill);
            self.socket.send(&request).unwrap();
            let mut buf = [0; 1500];
            let Ok(len) = self.socket.recv(&mut buf) else {
                continue;
            };
            let answer = Message::parse(&buf[..len]).unwrap();
            if self.credentials.on_response(&answer, was_signed) != Verdict::Retry {
                return Some(buf[..len].to_vec());
            }
        }
        None
    }

    /// Whether an allocation is refused, and where the server sends its clients then.
    pub(super) fn refusal(&mut self) -> Option<(u16, Option<SocketAddr>)> {
        let answer = self.exchange(Method::ALLOCATE, |writer| writer.requested_transport(17))?;
        let answer = Message::parse(&answer).unwrap();
        let code = answer.error_code()?.code;
        Some((code, answer.alternate_server()))
    }

    pub(super) fn allocate(&mut self) -> Option<u16> {
        self.ask(Method::ALLOCATE, |writer| writer.requested_transport(17))
    }

    pub(super) fn permit(&mut self, peer: SocketAddr) -> Option<u16> {
        self.ask(Method::CREATE_PERMISSION, |writer| {
            writer.xor_peer_address(peer)
        })
    }

    /// Sends without listening.
    fn shout(
        &mut self,
        method: Method,
        fill: impl Fn(&mut MessageWriter<'_>) -> Result<(), Error>,
    ) {
        let request = self.write(method, fill);
        let _ = self.socket.send(&request);
    }
}

/// What the process holds in memory, in kB.
fn resident(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.unwrap().split_whitespace().nth(1).unwrap();
    number.parse().unwrap()
}

/// A peer of the 65,280 in 127.1.0.0/16.
fn peer(number: u32) -> SocketAddr {
    let [_, _, high, low] = number.to_be_bytes();
    SocketAddr::from(([127, 1, high, low], 9))
}

fn flood(server: &Server, rounds: u32) {
    let address: SocketAddr = server.address("udp").parse().unwrap();
    // allocations beyond the quota, from one address
    let mut hands: Vec<Hand> = (0..30).map(|_| Hand::new(address, "secret")).collect();
    for hand in &mut hands {
        let code = hand.allocate();
        assert!(matches!(code, Some(0 | 486) | None), "{code:?}");
    }
    let mut liar = Hand::new(address, "wrong");
    let _ = liar.allocate();
    for round in 0..rounds {
        let place = round as usize % hands.len();
        let hand = &mut hands[place];
        // permissions and channels beyond their ceilings, credentials that are wrong, half-sent and forged messages
        hand.shout(Method::CREATE_PERMISSION, |writer| {
            writer.xor_peer_address(peer(round))
        });
        hand.shout(Method::CHANNEL_BIND, |writer| {
            writer.channel_number(0x4000 + (round % 0x1000) as u16)?;
            writer.xor_peer_address(peer(round))
        });
        liar.shout(Method::ALLOCATE, |writer| writer.requested_transport(17));
        let request = liar.write(Method::REFRESH, |_| Ok(()));
        let _ = liar.socket.send(&request[..request.len() / 2]);
    }
    for mut hand in hands {
        let _ = hand.ask(Method::REFRESH, |writer| writer.lifetime(0));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_crowd_changes_nothing_for_others() {
    let server = Server::turn(&["--max-per-user", "20", "--user", "mallory:secret"]);
    // who uses the server properly, by TCP all the way: nothing of that may be lost
    let uri = format!("turn:{}?transport=tcp", server.address("tcp"));
    let proper = rtckit(&[
        "turn-bench",
        &uri,
        "--user",
        "alice:secret",
        "--tcp-relay",
        "--seconds",
        "3",
        "--json",
    ])
    .stdout(std::process::Stdio::piped())
    .spawn()
    .unwrap();

    // a bystander to whom the crowd would like the server to talk: without a permission, or in its name
    let bystander = UdpSocket::bind("127.0.0.1:0").unwrap();
    bystander.set_nonblocking(true).unwrap();
    let victim = bystander.local_addr().unwrap();
    let address: SocketAddr = server.address("udp").parse().unwrap();
    let mut attacker = Hand::new(address, "secret");
    assert_eq!(attacker.allocate(), Some(0));
    for number in 0..200 {
        let mut buf = [0; 200];
        let id = TransactionId([number; 12]);
        let mut writer = MessageWriter::new(&mut buf, Class::Indication, Method::SEND, id).unwrap();
        writer.xor_peer_address(victim).unwrap();
        writer.data(b"spam").unwrap();
        let len = writer.finish();
        attacker.socket.send(&buf[..len]).unwrap();
        let _ = attacker.socket.send(&[0x40, number, 0, 4, 1, 2, 3, 4]);
    }

    // streams that send a byte and no more
    let streams: Vec<_> = (0..200)
        .filter_map(|_| TcpStream::connect(server.address("tcp")).ok())
        .collect();
    for mut stream in &streams {
        let _ = stream.write_all(&[0]);
    }
    flood(&server, 500);
    let before = resident(&server);
    flood(&server, 8000);
    let after = resident(&server);
    assert!(
        after < before + 8 * 1024,
        "memory grew from {before} to {after} kB"
    );

    // it answers, and when it has, what it would have sent to the bystander would be there
    assert!(attacker.ask(Method::REFRESH, |writer| writer.lifetime(0)) == Some(0));
    let nothing = bystander.recv_from(&mut [0; 100]).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);

    let output = proper.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["received"].as_u64() > Some(0), "{report}");
    assert_eq!(report["lost"], 0, "{report}");
    // who comes later is served as well
    assert!(
        run(&["stun", server.address("udp"), "--json"])
            .status
            .success()
    );
    drop(streams);
}
