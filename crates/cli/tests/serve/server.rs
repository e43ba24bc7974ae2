//! A running `rtckit serve`, and how to talk to it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

use crate::schema;

pub(crate) fn rtckit(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtckit"));
    command.args(arguments);
    command
}

/// Asks a process to stop, as a terminal or an init system would.
#[cfg(unix)]
pub(crate) fn terminate(process: &Child) {
    let mut kill = Command::new("kill");
    assert!(
        kill.arg(process.id().to_string())
            .status()
            .unwrap()
            .success()
    );
}

/// A running server. Killed, if it still runs, when the test is over.
pub(crate) struct Server {
    pub(crate) process: Child,
    /// Its address and port.
    pub(crate) address: String,
    scheme: &'static str,
    /// The first report.
    pub(crate) listening: Value,
    reports: BufReader<ChildStdout>,
}

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(&[], arguments)
    }

    /// Started by `starter`, a command that takes another as its last arguments.
    pub(crate) fn start_with(starter: &[&str], arguments: &[&str]) -> Self {
        let command = [starter, &[env!("CARGO_BIN_EXE_rtckit")]].concat();
        let mut process = Command::new(command[0])
            .args(&command[1..])
            .args(["serve", "--json", "--listen", "127.0.0.1:0"])
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
        let (scheme, address) = url.split_once("://").unwrap();
        Self {
            process,
            address: address.trim_end_matches('/').to_owned(),
            scheme: if scheme == "https" { "https" } else { "http" },
            listening: report,
            reports,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// How much memory it holds, in kB; 0 where the system does not tell.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = resident.and_then(|line| line.split_whitespace().next());
        kilobytes.map_or(0, |number| number.parse().unwrap())
    }

    /// The next report of this event.
    pub(crate) fn report(&mut self, event: &str) -> Value {
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
    pub(crate) fn request(&self, line: &str, headers: &str, body: &[u8]) -> (u16, String, String) {
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

    /// Writes `request` and reads all that comes.
    pub(crate) fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    pub(crate) fn offer(&self, sdp: &str) -> (u16, String, String) {
        self.request(
            "POST /offer",
            "Content-Type: application/sdp\r\n",
            sdp.as_bytes(),
        )
    }

    pub(crate) fn peers(&self) -> u64 {
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
pub(crate) const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\n\
    a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\n\
    a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n\
    a=rtpmap:111 opus/48000/2\r\n";

/// The value of a header.
pub(crate) fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// The report of a `call --json` that went well, in which all frames have come back as they were sent.
pub(crate) fn whole(output: &Output) -> Value {
    let stderr = str::from_utf8(&output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    check_schema(&report);
    assert_eq!(
        (&report["ok"], &report["echo"]),
        (&true.into(), &true.into())
    );
    for stream in report["streams"].as_array().unwrap() {
        assert_eq!(
            stream["frames_sent"], stream["frames_identical"],
            "{stream}"
        );
        assert!(stream["frames_sent"].as_u64().unwrap() > 0, "{stream}");
    }
    report
}

/// A report of `call --json` is as its schema says.
pub(crate) fn check_schema(report: &Value) {
    let root: Value = serde_json::from_str(include_str!("../../schema/call.schema.json")).unwrap();
    schema::check(&root, &root, report, "$").unwrap();
}

/// Fails with 1 and says why in one line.
pub(crate) fn one_line(output: &Output) -> String {
    let stderr = str::from_utf8(&output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let said: Vec<&str> = stderr
        .lines()
        .filter(|line| !line.starts_with(' '))
        .collect();
    assert_eq!(said.len(), 1, "{stderr}");
    said[0].strip_prefix("rtckit: ").unwrap().to_owned()
}
