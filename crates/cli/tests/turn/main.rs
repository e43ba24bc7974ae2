//! `turn-server`, `turn-bench`, `stun-server` and `stun` as their users meet them.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    reason = "a test fails where it must, and speaks HTTP by hand"
)]

mod hostile;
mod nat;
#[path = "../loopback/schema.rs"]
mod schema;
mod servers;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use rtckit_crypto::provider::Provider;
use rtckit_crypto::self_signed::SelfSigned;
use serde_json::Value;
use tempfile::TempDir;

fn rtckit(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtckit"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    rtckit(arguments).output().unwrap()
}

/// The object on stdout, which must be what the schema of that command says.
fn report(command: &str, output: &Output) -> Value {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    let text = fs::read_to_string(folder.join(format!("{command}.schema.json"))).unwrap();
    let root: Value = serde_json::from_str(&text).unwrap();
    schema::check(&root, &root, &value, "$").unwrap();
    value
}

/// What a command that failed said, which is one line.
fn complaint(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(output.stdout.is_empty());
    text
}

/// A running server. Killed, if it still runs, when the test is over.
struct Server {
    process: Child,
    reports: BufReader<ChildStdout>,
    listening: Value,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        // the port that is free for UDP may not be so for TCP
        for _ in 0..10 {
            if let Some(server) = Self::try_start(arguments) {
                return server;
            }
        }
        panic!("the server does not start");
    }

    fn try_start(arguments: &[&str]) -> Option<Self> {
        let mut process = rtckit(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut reports = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        reports.read_line(&mut line).unwrap();
        let Ok(listening) = serde_json::from_str::<Value>(&line) else {
            process.wait().unwrap();
            return None;
        };
        assert_eq!(listening["event"], "listening");
        Some(Self {
            process,
            reports,
            listening,
        })
    }

    fn turn(arguments: &[&str]) -> Self {
        let base = [
            "turn-server",
            "--json",
            "--listen",
            "127.0.0.1:0",
            "--allow-loopback-peers",
            "--user",
            "alice:secret",
        ];
        Self::start(&[&base[..], arguments].concat())
    }

    fn address(&self, transport: &str) -> &str {
        self.listening[transport][0].as_str().unwrap()
    }

    /// Sends SIGHUP, and returns what is reported then.
    #[cfg(unix)]
    fn hang_up(&mut self) -> Value {
        let id = self.process.id().to_string();
        Command::new("kill").args(["-HUP", &id]).status().unwrap();
        let mut line = String::new();
        self.reports.read_line(&mut line).unwrap();
        let report: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(report["event"], "reloaded");
        report
    }

    /// Sends SIGTERM, and returns the last report.
    fn terminate(&mut self) -> Value {
        let id = self.process.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().unwrap();
        let mut text = String::new();
        self.reports.read_to_string(&mut text).unwrap();
        assert!(self.process.wait().unwrap().success());
        serde_json::from_str(text.lines().last().unwrap()).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Benches `uri`, and returns the report, in which something came back. Whether all did is not asked: a busy machine
/// overflows the buffers of sockets.
fn bench(uri: &str, arguments: &[&str]) -> Value {
    let base = [
        "turn-bench",
        uri,
        "--user",
        "alice:secret",
        "--seconds",
        "0.3",
        "--json",
    ];
    let report = report("turn-bench", &run(&[&base[..], arguments].concat()));
    assert!(report["received"].as_u64().unwrap() > 0, "{report}");
    assert!(report["p50_us"].as_u64().unwrap() <= report["p99_us"].as_u64().unwrap());
    report
}

fn pem(label: &str, der: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = format!("-----BEGIN {label}-----\n");
    for (place, chunk) in der.chunks(3).enumerate() {
        let word = chunk
            .iter()
            .zip([16, 8, 0])
            .fold(0, |word, (byte, shift)| word | u32::from(*byte) << shift);
        for digit in 0..4 {
            let value = word >> (18 - 6 * digit) & 63;
            let is_there = digit <= chunk.len();
            text.push(if is_there {
                DIGITS[value as usize].into()
            } else {
                '='
            });
        }
        if place % 16 == 15 {
            text.push('\n');
        }
    }
    text + &format!("\n-----END {label}-----\n")
}

#[test]
fn udp_and_tcp() {
    let mut server = Server::turn(&[]);
    let udp = format!("turn:{}", server.address("udp"));
    bench(&udp, &["--clients", "3"]);
    bench(&udp, &["--burst", "16", "--size", "1200"]);
    bench(
        &format!("turn:{}?transport=tcp", server.address("tcp")),
        &[],
    );
    let stopped = server.terminate();
    assert_eq!(stopped["event"], "stopped");
    assert_eq!(stopped["allocations"], 5);
    assert!(stopped["packets_to_peers"].as_u64() > Some(0));
}

#[test]
fn tls_with_a_certificate_of_its_own() {
    let folder = TempDir::new().unwrap();
    let made = SelfSigned::generate(&Provider::ring(), ["127.0.0.1".to_owned()]).unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (cert, key) = (at("cert.pem"), at("key.pem"));
    fs::write(&cert, pem("CERTIFICATE", made.certificate_der())).unwrap();
    fs::write(&key, pem("PRIVATE KEY", made.private_key_der())).unwrap();
    let server = Server::turn(&[
        "--tls-listen",
        "127.0.0.1:0",
        "--cert",
        &cert,
        "--key",
        &key,
    ]);
    let uri = format!("turns:{}", server.address("tls"));
    bench(&uri, &["--ca", &cert]);
    bench(&uri, &["--ca", &cert, "--tcp-relay"]);
    // whoever does not trust it does not talk to it
    let other = SelfSigned::generate(&Provider::ring(), ["127.0.0.1".to_owned()]).unwrap();
    let ca = at("other.pem");
    fs::write(&ca, pem("CERTIFICATE", other.certificate_der())).unwrap();
    let output = run(&["turn-bench", &uri, "--user", "alice:secret", "--ca", &ca]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("certificate"));
}

#[test]
fn allocations_are_held() {
    let server = Server::turn(&[]);
    let uri = format!("turn:{}", server.address("udp"));
    let user = ["--user", "alice:secret", "--seconds", "0.1"];
    let arguments = [&["turn-bench", &uri, "--hold", "--json"], &user[..]].concat();
    let report = report("turn-bench", &run(&arguments));
    assert_eq!(report["sent"], 0);
    assert_eq!(report["p50_us"], Value::Null);
}

#[test]
fn tcp_is_relayed() {
    let server = Server::turn(&[]);
    let uri = format!("turn:{}?transport=tcp", server.address("tcp"));
    let report = bench(&uri, &["--tcp-relay", "--clients", "2"]);
    assert_eq!(report["lost"], 0, "a stream loses nothing");
}

#[test]
fn what_is_refused() {
    let server = Server::turn(&["--max-per-user", "1", "--threads", "1"]);
    let uri = format!("turn:{}", server.address("udp"));
    let output = run(&["turn-bench", &uri, "--user", "alice:wrong"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("password"));
    let output = run(&[
        "turn-bench",
        &uri,
        "--user",
        "alice:secret",
        "--clients",
        "2",
        "--json",
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("486"));

    let strict = Server::start(&[
        "turn-server",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--user",
        "alice:secret",
    ]);
    let uri = format!("turn:{}", strict.address("udp"));
    let output = run(&["turn-bench", &uri, "--user", "alice:secret"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        complaint(&output).contains("403"),
        "loopback peers are denied"
    );
}

#[test]
fn time_limited_users() {
    let secret = rtckit_stun::SharedSecret::new(
        b"north",
        rtckit_proto::WallClock::new(core::time::Duration::ZERO),
    );
    // while one secret replaces the other both count
    let server = Server::turn(&["--secret", "south", "--secret", "north"]);
    let uri = format!("turn:{}", server.address("udp"));
    // until the year 2100
    let (name, password) = secret.credentials(4_102_444_800, "bob");
    let output = run(&[
        "turn-bench",
        &uri,
        "--user",
        &format!("{name}:{password}"),
        "--seconds",
        "0.1",
        "--json",
    ]);
    assert!(output.status.success());
    let (name, password) = secret.credentials(1_000_000_000, "bob");
    let output = run(&["turn-bench", &uri, "--user", &format!("{name}:{password}")]);
    assert_eq!(output.status.code(), Some(1), "they have ended");
}

#[test]
fn metrics() {
    let server = Server::turn(&["--metrics", "127.0.0.1:0"]);
    bench(&format!("turn:{}", server.address("udp")), &[]);
    let url = server.listening["metrics"].as_str().unwrap();
    let host = url
        .strip_prefix("http://")
        .unwrap()
        .strip_suffix("/metrics")
        .unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert!(
        text.contains("\nrtckit_turn_allocations_total 1\n"),
        "{text}"
    );
    assert!(
        text.contains("\nrtckit_turn_allocations_active 0\n"),
        "{text}"
    );
}

#[test]
fn a_file_of_options() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("turn.toml");
    fs::write(
        &path,
        "realm = \"example.org\"\nuser = [\"carol:pass\"]\nallow-loopback-peers = true\nlisten = [\"127.0.0.1:0\"]\nlog-format = \"json\"\n",
    )
    .unwrap();
    let server = Server::start(&["turn-server", "--config", path.to_str().unwrap()]);
    let uri = format!("turn:{}", server.address("udp"));
    let output = run(&[
        "turn-bench",
        &uri,
        "--user",
        "carol:pass",
        "--seconds",
        "0.1",
        "--json",
    ]);
    assert!(output.status.success());

    fs::write(&path, "relm = \"example.org\"\n").unwrap();
    let output = run(&["turn-server", "--config", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("line 1: unknown field `relm`"));
}

/// Whether a user is let in.
fn is_let_in(uri: &str, user: &str, arguments: &[&str]) -> bool {
    let base = [
        "turn-bench",
        uri,
        "--user",
        user,
        "--seconds",
        "0.1",
        "--json",
    ];
    run(&[&base[..], arguments].concat()).status.success()
}

#[cfg(unix)]
#[test]
fn a_hangup_reads_users_and_certificate_again() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (file, cert, key) = (at("turn.toml"), at("cert.pem"), at("key.pem"));
    let certify = || {
        let made = SelfSigned::generate(&Provider::ring(), ["127.0.0.1".to_owned()]).unwrap();
        fs::write(&cert, pem("CERTIFICATE", made.certificate_der())).unwrap();
        fs::write(&key, pem("PRIVATE KEY", made.private_key_der())).unwrap();
    };
    let users = |users: &str| {
        let text = format!(
            "user = [{users}]\nallow-loopback-peers = true\nlisten = [\"127.0.0.1:0\"]\ntls-listen = [\"127.0.0.1:0\"]\ncert = {cert:?}\nkey = {key:?}\njson = true\n"
        );
        fs::write(&file, text).unwrap();
    };
    certify();
    users("\"alice:secret\"");
    let mut server = Server::start(&["turn-server", "--config", &file]);
    let (udp, tls) = (
        format!("turn:{}", server.address("udp")),
        format!("turns:{}", server.address("tls")),
    );
    let mut held = rtckit(&[
        "turn-bench",
        &udp,
        "--user",
        "alice:secret",
        "--seconds",
        "60",
    ])
    .stdout(Stdio::null())
    .stderr(Stdio::null())
    .spawn()
    .unwrap();
    let first_ca = at("first.pem");
    fs::copy(&cert, &first_ca).unwrap();
    assert!(is_let_in(&tls, "alice:secret", &["--ca", &first_ca]));

    certify();
    users("\"bob:word\"");
    assert_eq!(server.hang_up()["error"], Value::Null);
    assert!(is_let_in(&udp, "bob:word", &[]));
    assert!(!is_let_in(&udp, "alice:secret", &[]));
    assert!(is_let_in(&tls, "bob:word", &["--ca", &cert]));
    assert!(!is_let_in(&tls, "bob:word", &["--ca", &first_ca]));

    // what cannot be used changes nothing
    fs::write(&file, "user = [\"carol\"]\n").unwrap();
    let error = server.hang_up()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("NAME:PASSWORD"), "{error}");
    assert!(is_let_in(&udp, "bob:word", &[]));

    // and what was allocated before is there all the time
    assert!(held.try_wait().unwrap().is_none(), "alice is cut off");
    held.kill().unwrap();
    held.wait().unwrap();
}

#[test]
fn stun_and_its_server() {
    let mut server = Server::start(&[
        "stun-server",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--listen",
        "127.0.0.2:0",
    ]);
    assert!(
        server.listening["discovery"].is_array(),
        "{}",
        server.listening
    );
    let address = server.address("udp").to_owned();
    let asked = report("stun", &run(&["stun", &address, "--json"]));
    assert_eq!(asked["nat"], false);
    assert_eq!(asked["mapping"], "endpoint-independent");
    assert_eq!(asked["filtering"], "endpoint-independent");
    let over_tcp = format!("stun:{address}?transport=tcp");
    let asked = report("stun", &run(&["stun", &over_tcp, "--json"]));
    assert_eq!(asked["mapping"], Value::Null);
    let output = run(&["stun", &over_tcp]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("my address    127.0.0.1:"), "{text}");
    // it relays nothing, and does not even ask for a password
    let turn = format!("turn:{address}?transport=tcp");
    let output = run(&["turn-bench", &turn, "--user", "a:b"]);
    assert_eq!(output.status.code(), Some(1));
    server.terminate();
}

/// Who asks where nobody listens is told by the host there, before the request is given up.
#[cfg(target_os = "linux")]
#[test]
fn where_nobody_listens() {
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap().to_string();
    drop(nobody);
    let uri = format!("turn:{address}");
    for arguments in [
        &["turn-bench", &uri, "--user", "a:b"][..],
        &["stun", &address],
        &["stun", &address, "--json"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(1));
        let expected = format!("connection refused: nobody listens at {address}\n");
        let text = complaint(&output);
        assert!(text.ends_with(&expected), "{text}");
    }
}

#[test]
fn mistakes_are_one_line() {
    for (arguments, code, what) in [
        (
            &["turn-server", "--listen", "0.0.0.0:0"][..],
            2,
            "--relay-ip",
        ),
        (&["turn-server", "--user", "nobody"], 2, "NAME:PASSWORD"),
        (&["turn-server", "--token-key", "k"], 2, "KID:ALGORITHM:KEY"),
        (&["turn-server", "--relay-ip", "::"], 2, "--relay-ip ::"),
        (
            &["turn-server", "--min-port", "9", "--max-port", "8"],
            2,
            "--min-port",
        ),
        (
            &["turn-server", "--listen", "192.0.2.1:3478"],
            1,
            "192.0.2.1:3478",
        ),
        (
            &[
                "turn-bench",
                "turn:127.0.0.1",
                "--user",
                "a:b",
                "--tcp-relay",
            ],
            2,
            "transport=tcp",
        ),
        (&["stun", "no.such.host.invalid"], 1, "no.such.host.invalid"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        let text = complaint(&output);
        assert!(text.contains(what), "{text}");
    }
    for arguments in [
        &["turn-bench", "http://a", "--user", "a:b"][..],
        &["turn-bench", "turn:a", "--user", "ab"],
        &["turn-bench", "turn:a"],
        &["turn-server", "--allow-peer", "10.0.0.0/99"],
        &["stun"],
    ] {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    }
}
