//! `rtckit call`: what comes back, and what it says of servers that are not there or talk nonsense.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::process::Stdio;

use serde_json::Value;

use crate::server::{Server, check_schema, one_line, rtckit, terminate, whole};

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
        whole(&output);
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

/// Everybody is told when the server stops, and nobody waits.
#[cfg(unix)]
#[test]
fn the_server_stops_in_the_middle() {
    let mut server = Server::start(&[]);
    let call = rtckit(&["call", &server.url(), "--seconds", "60", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    server.report("connected");
    terminate(&server.process);
    assert_eq!(server.report("stopping")["peers"], 1);
    assert_eq!(server.report("over")["reason"], "the server stops");
    server.report("stopped");
    assert!(server.process.wait().unwrap().success());
    let said = one_line(&call.wait_with_output().unwrap());
    assert!(said.contains("closed"), "{said}");
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
    check_schema(&report);
    assert_eq!(
        (&report["ok"], &report["error"]),
        (&false.into(), &said.into())
    );
    for url in ["nonsense", "ftp://127.0.0.1/"] {
        let output = call(url);
        assert_eq!(output.status.code(), Some(2), "{url}");
        let stderr = str::from_utf8(&output.stderr).unwrap();
        assert!(
            stderr.lines().count() == 1 && stderr.contains("URL"),
            "{stderr}"
        );
    }

    let answers: [(&str, &str); 7] = [
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
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            "/offer: 404 Not Found",
        ),
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\na\x1b[31mb\x07c",
            "404 Not Found: a [31mb c",
        ),
        (
            "HTTP/1.1 201 Created\r\nContent-Type: application/sdp\r\nContent-Length: 92\r\n\r\n\
             v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
             m=video 0 RTP/SAVPF 96\r\nm=audio 0 RTP/SAVPF 111\r\n",
            "rejects all of the offer",
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
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let said = one_line(&call(&format!("http://{address}")));
        server.join().unwrap();
        assert!(said.contains(expected), "{said}");
        assert!(
            !said.ends_with([':', ' ']) && !said.contains(char::is_control),
            "{said}"
        );
    }
}
