//! The servers as those who run them meet them: what they do not accept, what a reload does, where a draining one sends its
//! clients.

use core::time::Duration;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::process::{Command, Output, Stdio};

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
use rtckit_crypto::provider::Provider;
use rtckit_crypto::self_signed::SelfSigned;
use rtckit_stun::{Class, Message, MessageWriter};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::hostile::Hand;
use super::{Server, complaint, pem, rtckit, run};

/// What cannot be meant is said in one line: with exit code 2 where it makes no sense anywhere, with 1 where it might on
/// another host.
#[test]
fn nothing_is_accepted_in_silence() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (cert, missing, nonsense) = (at("cert.pem"), at("missing.pem"), at("nonsense.pem"));
    let made = SelfSigned::generate(&Provider::ring(), ["127.0.0.1".to_owned()]).unwrap();
    fs::write(&cert, pem("CERTIFICATE", made.certificate_der())).unwrap();
    fs::write(&nonsense, "neither certificate nor key").unwrap();
    for (arguments, code, what) in [
        (&["--relay-ip", "192.0.2.1"][..], 1, "relay from 192.0.2.1"),
        (&["--external-ip", "2001:db8::1"], 2, "no relay for IPv6"),
        (
            &["--relay-ip", "127.0.0.1", "--relay-ip", "127.0.0.2"],
            2,
            "--relay-ip 127.0.0.2",
        ),
        (&["--realm", ""], 2, "--realm"),
        (&["--threads", "0"], 2, "1 to 64"),
        (&["--threads", "65"], 2, "1 to 64"),
        (&["--max-allocations", "0"], 2, "--max-allocations 0"),
        (&["--max-per-user", "0"], 2, "--max-per-user 0"),
        (&["--max-per-address", "0"], 2, "--max-per-address 0"),
        (&["--replies-per-second", "0"], 2, "--replies-per-second 0"),
        // nobody listens for TLS, but they were not named for nothing
        (&["--cert", &missing, "--key", &missing], 1, &missing),
        (&["--cert", &nonsense, "--key", &missing], 1, &nonsense),
        (&["--cert", &cert, "--key", &missing], 1, &missing),
        (&["--cert", &cert, "--key", &nonsense], 1, &nonsense),
    ] {
        let listen = ["turn-server", "--listen", "127.0.0.1:0"];
        is_refused(&[&listen[..], arguments].concat(), code, what);
    }
    is_refused(&["stun-server", "--threads", "0"], 2, "1 to 64");
    // clap says these, in more lines than one
    for arguments in [
        &["turn-server", "--cert", &nonsense][..],
        &["turn-server", "--key", &nonsense],
        &["turn-server", "--listen", "here"],
        &["stun-server", "--listen", "here"],
        &["stun-server", "--replies-per-second", "0"],
    ] {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn nor_is_it_from_a_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("turn.toml");
    for (text, code, what) in [
        ("cert = \"chain.pem\"", 2, "--cert needs --key"),
        ("key = \"key.pem\"", 2, "--key needs --cert"),
        ("cert = \"no.pem\"\nkey = \"no.pem\"", 1, "no.pem"),
        ("realm = \"\"", 2, "--realm"),
        ("threads = 0", 2, "1 to 64"),
        ("max-allocations = 0", 2, "--max-allocations 0"),
        ("listen = [\"here\"]", 1, "line 1: here: expected ADDR"),
    ] {
        fs::write(&path, text).unwrap();
        let arguments = ["turn-server", "--config", path.to_str().unwrap()];
        is_refused(&arguments, code, what);
    }
}

fn is_refused(arguments: &[&str], code: i32, what: &str) {
    let (output, text) = loop {
        let output = refusal(arguments);
        let text = complaint(&output);
        // the port that is free for UDP may not be so for TCP
        if !text.contains("cannot listen at 127.0.0.1") {
            break (output, text);
        }
    };
    assert!(text.contains(what), "{arguments:?}: {text}");
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
}

/// What a server leaves behind that does not start.
fn refusal(arguments: &[&str]) -> Output {
    let mut process = rtckit(&[arguments, &["--json"]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // one that starts would go on for ever
    let mut report = String::new();
    let stdout = process.stdout.as_mut().unwrap();
    BufReader::new(stdout).read_line(&mut report).unwrap();
    if !report.is_empty() {
        process.kill().unwrap();
    }
    let output = process.wait_with_output().unwrap();
    assert_eq!(report, "", "{arguments:?}: it starts");
    output
}

/// As `openssl req -x509` makes them, and people name them: an authority's, though it is a server's.
#[test]
fn a_certificate_that_is_its_own_authority() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let make = |name: &str, host: &str, year: i32| {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(year, 1, 1);
        let pair = KeyPair::generate().unwrap();
        let (cert, key) = (at(&format!("{name}.pem")), at(&format!("{name}.key")));
        fs::write(&cert, params.self_signed(&pair).unwrap().pem()).unwrap();
        fs::write(&key, pair.serialize_pem()).unwrap();
        (cert, key)
    };
    let (good, other) = (
        make("good", "127.0.0.1", 2100),
        make("other", "127.0.0.1", 2100),
    );
    let elsewhere = make("elsewhere", "192.0.2.1", 2100);
    let old = make("old", "127.0.0.1", 2020);
    for ((cert, key), ca, what) in [
        (&good, &good.0, None),
        (&good, &other.0, Some("name it with --ca FILE")),
        (&elsewhere, &elsewhere.0, Some("is not for 127.0.0.1")),
        (&old, &old.0, Some("has expired")),
    ] {
        let server = Server::turn(&["--tls-listen", "127.0.0.1:0", "--cert", cert, "--key", key]);
        let place = server.address("tls");
        let (turns, stuns) = (format!("turns:{place}"), format!("stuns:{place}"));
        let user = ["--user", "alice:secret", "--seconds", "0.1"];
        for arguments in [
            &[&["turn-bench", &turns, "--json"], &user[..]].concat()[..],
            &["stun", &stuns, "--json"],
        ] {
            let output = run(&[arguments, &["--ca", ca]].concat());
            match what {
                None => assert!(output.status.success(), "{output:?}"),
                Some(what) => {
                    assert_eq!(output.status.code(), Some(1));
                    let text = complaint(&output);
                    assert!(text.contains(what), "{text}");
                }
            }
        }
    }
}

/// A server that grants everything and relays nothing, until the socket is silent for long.
fn relays_nothing(socket: &UdpSocket) {
    let mut buf = [0; 1500];
    while let Ok((len, from)) = socket.recv_from(&mut buf) {
        let Ok(request) = Message::parse(&buf[..len]) else {
            continue;
        };
        if request.class() != Class::Request {
            continue;
        }
        let mut answer = [0; 200];
        let (method, id) = (request.method(), request.transaction_id());
        let mut writer =
            MessageWriter::new(&mut answer, Class::SuccessResponse, method, id).unwrap();
        let relayed = "192.0.2.1:50000".parse().unwrap();
        writer.xor_relayed_address(relayed).unwrap();
        writer.lifetime(600).unwrap();
        let len = writer.finish();
        socket.send_to(&answer[..len], from).unwrap();
    }
}

#[test]
fn who_loses_everything_has_failed() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let uri = format!("turn:{}", socket.local_addr().unwrap());
    std::thread::spawn(move || relays_nothing(&socket));
    let arguments = ["turn-bench", &uri, "--user", "a:b", "--seconds", "0.2"];
    let output = run(&[&arguments[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["sent"].as_u64() > Some(0));
    assert_eq!(report["lost"], report["sent"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("none came back"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    let output = run(&arguments);
    assert_eq!(output.status.code(), Some(1));
    // to hold allocations nothing is sent
    let output = run(&[&arguments[..], &["--hold"]].concat());
    assert!(output.status.success());
}

#[cfg(unix)]
#[test]
fn a_hangup_says_what_needs_a_restart() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("turn.toml");
    let base = "json = true\nlisten = [\"127.0.0.1:0\"]\nuser = [\"mallory:secret\"]\n";
    fs::write(&path, base).unwrap();
    let mut server = Server::start(&["turn-server", "--config", path.to_str().unwrap()]);
    let address = server.address("udp").parse().unwrap();
    for (more, needs_restart) in [
        ("secret = [\"north\"]\n", json!([])),
        ("deny-peer = [\"8.8.8.8\"]\n", json!([])),
        (
            "max-per-user = 3\ntls-listen = [\"127.0.0.1:0\"]\n",
            json!(["tls-listen", "max-per-user"]),
        ),
        ("", json!([])),
    ] {
        fs::write(&path, format!("{base}{more}")).unwrap();
        let report = server.hang_up();
        assert_eq!(report["error"], Value::Null, "{more}");
        assert_eq!(report["needs_restart"], needs_restart, "{more}");
        let mut hand = Hand::new(address, "secret");
        assert_eq!(hand.allocate(), Some(0));
        let code = if more.contains("8.8.8.8") { 403 } else { 0 };
        let peer = "8.8.8.8:9".parse().unwrap();
        assert_eq!(hand.permit(peer), Some(code), "{more}");
    }
    fs::write(&path, format!("{base}threads = 0\n")).unwrap();
    let report = server.hang_up();
    assert!(report["error"].as_str().unwrap().contains("--threads 0"));
}

#[test]
fn a_draining_server_sends_its_clients_on() {
    let mut server = Server::turn(&[
        "--user",
        "mallory:secret",
        "--alternate-server",
        "192.0.2.7",
    ]);
    let address = server.address("udp").parse().unwrap();
    // while there is an allocation it goes on
    let mut holds = Hand::new(address, "secret");
    assert_eq!(holds.refusal(), None);
    let id = server.process.id().to_string();
    Command::new("kill").args(["-TERM", &id]).status().unwrap();
    let mut line = String::new();
    server.reports.read_line(&mut line).unwrap();
    let report: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(report, json!({ "event": "draining", "allocations": 1 }));
    // it says so before all of its threads have heard it
    let refusal = loop {
        if let Some(refusal) = Hand::new(address, "secret").refusal() {
            break refusal;
        }
    };
    let elsewhere = "192.0.2.7:3478".parse().unwrap();
    assert_eq!(refusal, (300, Some(elsewhere)));
}
