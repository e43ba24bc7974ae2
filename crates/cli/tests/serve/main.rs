//! The server and its caller as their users meet them: HTTP on one side, exit codes and files on the other.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    reason = "a test fails where it must, and speaks HTTP by hand"
)]

#[path = "../loopback/schema.rs"]
mod schema;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

fn rtckit(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtckit"));
    command.args(arguments);
    command
}

/// A running server. Killed, if it still runs, when the test is over.
struct Server {
    process: Child,
    /// Without the slash at the end.
    address: String,
    reports: BufReader<std::process::ChildStdout>,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut process = rtckit(&["serve", "--json", "--listen", "127.0.0.1:0"])
            .args(["--ip", "127.0.0.1"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut reports = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        reports.read_line(&mut line).unwrap();
        let report: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(report["event"], "listening");
        let url = report["url"].as_str().unwrap();
        let address = url.strip_prefix("http://").unwrap().trim_end_matches('/');
        Self {
            process,
            address: address.to_owned(),
            reports,
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next report of this event.
    fn report(&mut self, event: &str) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.reports.read_line(&mut line).unwrap() > 0, "no {event}");
            let report: Value = serde_json::from_str(&line).unwrap();
            if report["event"] == event {
                return report;
            }
        }
    }

    /// One request; the answer's status, head and body.
    fn request(&self, line: &str, headers: &str, body: &[u8]) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        // The server may have answered, and closed, before it has read everything.
        let _ = stream.write_all(body);
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).unwrap_or("0").parse().unwrap();
        (status, head.to_owned(), body.to_owned())
    }

    fn offer(&self, sdp: &str) -> (u16, String, String) {
        self.request(
            "POST /offer",
            "Content-Type: application/sdp\r\n",
            sdp.as_bytes(),
        )
    }

    fn peers(&self) -> u64 {
        let (status, _, body) = self.request("GET /status", "", b"");
        assert_eq!(status, 200);
        let value: Value = serde_json::from_str(&body).unwrap();
        value["peers"].as_u64().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An offer that nobody stands behind.
const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\n\
    a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\n\
    a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n\
    a=rtpmap:111 opus/48000/2\r\n";

fn location(head: &str) -> &str {
    head.lines()
        .find_map(|line| line.strip_prefix("location: "))
        .unwrap()
}

/// Fails with 1 and says why in one line.
fn one_line(output: &Output) -> String {
    let stderr = str::from_utf8(&output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let said: Vec<&str> = stderr
        .lines()
        .filter(|line| !line.starts_with(' '))
        .collect();
    assert_eq!(said.len(), 1, "{stderr}");
    said[0].strip_prefix("rtckit: ").unwrap().to_owned()
}

#[test]
fn a_call_comes_back_as_it_was_sent() {
    for setup in ["active", "passive"] {
        let mut server = Server::start(&["--setup", setup]);
        let out = tempfile::tempdir().unwrap();
        let directory = out.path().to_str().unwrap();
        let output = rtckit(&["call", &server.url(), "--seconds", "1", "--json"])
            .args(["--out", directory])
            .output()
            .unwrap();
        let stderr = str::from_utf8(&output.stderr).unwrap();
        assert!(output.status.success(), "{stderr}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let root: Value =
            serde_json::from_str(include_str!("../../schema/call.schema.json")).unwrap();
        schema::check(&root, &root, &report, "$").unwrap();
        assert_eq!(
            (&report["ok"], &report["echo"]),
            (&true.into(), &true.into())
        );
        for stream in report["streams"].as_array().unwrap() {
            assert_eq!(
                stream["frames_sent"], stream["frames_identical"],
                "{stream}"
            );
        }
        for name in ["received.ivf", "received.ogg"] {
            assert!(fs::metadata(out.path().join(name)).unwrap().len() > 1000);
        }
        let connected = server.report("connected");
        let role = if setup == "active" {
            "client"
        } else {
            "server"
        };
        assert_eq!(connected["dtls_role"], role);
        let over = server.report("over");
        assert_eq!(over["reason"], "the caller hung up");
        assert_eq!(server.peers(), 0);
    }
}

#[test]
fn what_is_not_an_offer_is_refused() {
    let server = Server::start(&[]);
    let (status, _, body) =
        server.offer("v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\nm=audio nine RTP/AVP 0\r\n");
    assert_eq!(status, 400);
    assert!(
        body.starts_with("line 3, column 9, in m=: expected a port"),
        "{body}"
    );
    assert_eq!(server.offer("").0, 400);
    assert_eq!(server.request("POST /offer", "", b"v=0\r\n").0, 415);
    let (status, _, body) = server.request(
        "POST /offer",
        "Content-Type: application/sdp\r\n",
        b"v=0\r\no=\xff",
    );
    assert_eq!(
        (status, &*body),
        (400, "line 2, column 3: expected UTF-8\n")
    );
    let huge = "a".repeat(100_000);
    assert!(matches!(server.offer(&huge).0, 413 | 0));
    for line in ["DELETE /offer/x", "GET /offer/x/stats", "GET /nowhere"] {
        assert_eq!(server.request(line, "", b"").0, 404, "{line}");
    }
    assert_eq!(server.peers(), 0);
}

#[test]
fn a_resource_is_patched_and_deleted() {
    let mut server = Server::start(&["--max-peers", "1"]);
    let (status, head, answer) = server.offer(OFFER);
    assert_eq!(status, 201, "{answer}");
    assert!(answer.starts_with("v=0\r\n") && answer.contains("a=candidate:"));
    let resource = location(&head);
    assert_eq!(server.peers(), 1);

    let (status, head, _) = server.offer(OFFER);
    assert_eq!(status, 503, "there is one line, and it is busy");
    assert!(head.contains("retry-after"));

    let patch = |ufrag: &str, candidate: &str, tag: &str| {
        let fragment = format!(
            "a=ice-ufrag:{ufrag}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na={candidate}\r\n"
        );
        let headers = format!("Content-Type: application/trickle-ice-sdpfrag\r\n{tag}");
        let line = format!("PATCH {resource}");
        server.request(&line, &headers, fragment.as_bytes()).0
    };
    let good = "candidate:1 1 udp 2130706431 127.0.0.1 9 typ host";
    assert_eq!(patch("abcd", good, ""), 204);
    assert_eq!(patch("abcd", "end-of-candidates", ""), 204);
    assert_eq!(patch("abcd", "candidate:nonsense", ""), 400);
    assert_eq!(patch("other", good, ""), 422, "an ICE restart");
    assert_eq!(patch("abcd", good, "If-Match: \"x\"\r\n"), 412);

    let line = format!("DELETE {resource}");
    assert_eq!(server.request(&line, "", b"").0, 200);
    assert_eq!(server.request(&line, "", b"").0, 404);
    assert_eq!(server.peers(), 0);
    assert_eq!(server.report("over")["reason"], "the caller hung up");
    assert_eq!(server.offer(OFFER).0, 201, "the line is free again");
}

#[test]
fn many_bad_offers_harm_nobody() {
    let server = Server::start(&[]);
    std::thread::scope(|scope| {
        for _ in 0..200 {
            scope.spawn(|| assert_eq!(server.offer("v=0\r\nnonsense\r\n").0, 400));
        }
    });
    assert_eq!(server.peers(), 0);
}

#[test]
fn a_server_that_cannot_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = rtckit(&["serve", "--listen", &address]).output().unwrap();
    let said = one_line(&output);
    assert!(
        said.starts_with(&format!("cannot listen at {address}: ")),
        "{said}"
    );

    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("cert.pem");
    let name = path.to_str().unwrap();
    let serve = |name| {
        rtckit(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--cert",
            name,
            "--key",
            name,
        ])
        .output()
        .unwrap()
    };
    assert!(one_line(&serve(name)).starts_with(&format!("{name}: cannot be read: ")));
    fs::write(&path, "nothing").unwrap();
    let said = one_line(&serve(name));
    assert!(said.ends_with("holds no certificate (PEM)"), "{said}");
}

#[test]
fn nobody_there_and_nonsense() {
    let call = |url: &str| {
        rtckit(&["call", url, "--seconds", "1", "--json"])
            .output()
            .unwrap()
    };
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let output = call(&format!("http://{free}"));
    let said = one_line(&output);
    assert!(said.contains("cannot connect"), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let root: Value = serde_json::from_str(include_str!("../../schema/call.schema.json")).unwrap();
    schema::check(&root, &root, &report, "$").unwrap();
    assert_eq!(
        (&report["ok"], &report["error"]),
        (&false.into(), &said.into())
    );
    assert!(one_line(&call("nonsense")).contains("URL"));

    let answers: [(&str, &str); 4] = [
        ("SSH-2.0-OpenSSH\r\n", "does not speak HTTP"),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi",
            "text/html, not application/sdp",
        ),
        (
            "HTTP/1.1 201 Created\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nhello",
            "line 1",
        ),
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone",
            "404 Not Found: gone",
        ),
    ];
    for (answer, expected) in answers {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 8192];
            let _ = stream.read(&mut request);
            stream.write_all(answer.as_bytes()).unwrap();
            // Until the caller has had enough.
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let said = one_line(&call(&format!("http://{address}")));
        server.join().unwrap();
        assert!(said.contains(expected), "{said}");
    }
}
