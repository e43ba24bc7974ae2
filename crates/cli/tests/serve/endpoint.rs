//! The endpoint, in the manner of WHIP (RFC 9725): what it takes, and what it says to the rest.

use std::fs;
use std::net::TcpListener;

use crate::server::{OFFER, Server, header, one_line, rtckit};

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
    // The rule, and the line that breaks it.
    let twice = format!("{OFFER}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n");
    let (status, _, body) = server.offer(&twice);
    let line = twice.lines().count();
    assert_eq!(status, 400);
    assert!(
        body.contains(&format!("line {line}: two media sections")),
        "{body}"
    );
    assert!(body.ends_with(&format!("{line} | a=mid:0\n")), "{body}");
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
    // A call that cannot exist.
    for (line, instead, why) in [
        ("a=rtcp-mux\r\n", "", "rtcp-mux"),
        ("opus/48000/2", "G729/8000", "nothing"),
        ("a=sendrecv", "a=inactive", "nothing"),
    ] {
        let (status, _, body) = server.offer(&OFFER.replace(line, instead));
        assert_eq!(status, 422, "{body}");
        assert!(body.contains(why), "{body}");
    }
    let (_, _, status) = server.request("GET /status", "", b"");
    assert!(status.contains("\"calls\":0"), "{status}");
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
    assert!(answer.starts_with("v=0\r\n"), "{answer}");
    // The server was told to be there, and nowhere else.
    let mut candidates = answer
        .lines()
        .filter(|line| line.starts_with("a=candidate:"))
        .peekable();
    assert!(candidates.peek().is_some(), "{answer}");
    assert!(
        candidates.all(|line| line.contains(" 127.0.0.1 ")),
        "{answer}"
    );
    let resource = header(&head, "location").unwrap();
    let tag = header(&head, "etag").unwrap();
    assert_eq!(
        header(&head, "accept-patch"),
        Some("application/trickle-ice-sdpfrag")
    );
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
    let tag = &format!("If-Match: {tag}\r\n");
    assert_eq!(patch("abcd", good, tag), 204);
    for unusable in [
        "candidate:2 1 tcp 1518280447 127.0.0.1 9 typ host tcptype active",
        "candidate:3 1 udp 2113937151 0c1b1c5e-0d54-4c0f-8f0c-0ad5a1e5c0c6.local 9 typ host",
    ] {
        assert_eq!(patch("abcd", unusable, tag), 204, "{unusable}");
    }
    assert_eq!(patch("abcd", "end-of-candidates", tag), 204);
    assert_eq!(patch("abcd", "candidate:nonsense", tag), 400);
    assert_eq!(patch("other", good, tag), 422, "an ICE restart");
    assert_eq!(patch("other", good, "If-Match: \"*\"\r\n"), 422);
    assert_eq!(patch("abcd", good, ""), 428);
    assert_eq!(patch("abcd", good, "If-Match: \"x\"\r\n"), 412);
    let listed = tag.replace("If-Match: ", "If-Match: \"x\" , ");
    assert_eq!(patch("abcd", good, &listed), 204);
    assert_eq!(patch("abcd", good, "If-Match: \"x\", \"y\"\r\n"), 412);

    let line = format!("DELETE {resource}");
    assert_eq!(server.request(&line, "", b"").0, 200);
    assert_eq!(server.request(&line, "", b"").0, 404);
    assert_eq!(server.peers(), 0);
    assert_eq!(server.report("over")["reason"], "the caller hung up");
    assert_eq!(server.offer(OFFER).0, 201, "the line is free again");
}

#[test]
fn methods_and_media_types() {
    let server = Server::start(&[]);
    let ask = |line: &str, headers: &str| {
        let (status, head, _) = server.request(line, headers, b"");
        (status, head)
    };
    let (status, head) = ask("OPTIONS /offer", "");
    assert_eq!(
        (status, header(&head, "accept-post")),
        (200, Some("application/sdp"))
    );
    assert_eq!(header(&head, "allow"), Some("OPTIONS, POST"));
    for line in ["GET /offer", "HEAD /offer", "PUT /offer", "DELETE /offer"] {
        let (status, head) = ask(line, "");
        assert_eq!(status, 405, "{line}");
        let allowed = header(&head, "allow").unwrap();
        assert!(
            allowed.contains("POST") && allowed.contains("OPTIONS"),
            "{allowed}"
        );
    }
    assert_eq!(ask("POST /", "").0, 405);
    assert_eq!(ask("HEAD /", "").0, 200);
    assert_eq!(ask("HEAD /status", "").0, 200);

    let typed = |media_type: &str| {
        let headers = format!("Content-Type: {media_type}\r\n");
        server.request("POST /offer", &headers, OFFER.as_bytes())
    };
    let (status, head, _) = typed("Application/SDP; charset=utf-8");
    assert_eq!(status, 201);
    let resource = header(&head, "location").unwrap();
    for media_type in ["application/sdpfoo", "text/plain", "application/json", ""] {
        assert_eq!(typed(media_type).0, 415, "{media_type}");
    }
    let (status, head) = ask(&format!("OPTIONS {resource}"), "");
    assert_eq!(
        (status, header(&head, "accept-patch")),
        (200, Some("application/trickle-ice-sdpfrag"))
    );
    let (status, head) = ask(&format!("GET {resource}"), "");
    assert_eq!(status, 405);
    assert!(header(&head, "allow").unwrap().contains("PATCH"));
    assert_eq!(ask("OPTIONS /offer/nobody", "").0, 404);
}

/// The endpoint is a private address's: pages from elsewhere may use it only if the command line says so.
#[test]
fn pages_from_elsewhere() {
    const FRIEND: &str = "https://friend.example";
    let server = Server::start(&["--allow-origin", FRIEND]);
    let from = |line: &str, origin: &str, more: &str, body: &str| {
        let headers = format!("Content-Type: application/sdp\r\nOrigin: {origin}\r\n{more}");
        server.request(line, &headers, body.as_bytes())
    };
    let asks =
        "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n";

    let (status, head, _) = from("OPTIONS /offer", FRIEND, asks, "");
    assert_eq!(status, 200);
    assert_eq!(header(&head, "access-control-allow-origin"), Some(FRIEND));
    let methods = header(&head, "access-control-allow-methods").unwrap();
    assert!(
        ["POST", "PATCH", "DELETE"]
            .iter()
            .all(|method| methods.contains(method))
    );
    let (status, head, _) = from("POST /offer", FRIEND, "", OFFER);
    assert_eq!(status, 201);
    assert_eq!(header(&head, "access-control-allow-origin"), Some(FRIEND));
    let exposed = header(&head, "access-control-expose-headers").unwrap();
    assert!(exposed.contains("location") && exposed.contains("etag"));

    let own = server.url();
    assert_eq!(from("POST /offer", &own, "", OFFER).0, 201);
    assert_eq!(server.peers(), 2);

    for stranger in [
        "https://stranger.example",
        "http://friend.example",
        "null",
        "http://127.0.0.1",
    ] {
        let (status, head, body) = from("OPTIONS /offer", stranger, asks, "");
        assert_eq!(status, 403, "{stranger}");
        assert_eq!(header(&head, "access-control-allow-origin"), None);
        assert!(body.contains("--allow-origin"), "{body}");
        assert_eq!(
            from("POST /offer", stranger, "", OFFER).0,
            403,
            "{stranger}"
        );
        assert_eq!(from("GET /status", stranger, "", "").0, 403, "{stranger}");
    }
    // A name that its owner has pointed at this machine: the page and the request look the same.
    let rebound = server.raw(
        "POST /offer HTTP/1.1\r\nHost: rebound.example\r\nOrigin: http://rebound.example\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n",
    );
    assert!(rebound.starts_with("HTTP/1.1 403 "), "{rebound}");
    assert_eq!(server.peers(), 2);

    let open = Server::start(&["--allow-origin", "*"]);
    let origin = "Origin: https://anyone.example\r\n";
    assert_eq!(open.request("GET /status", origin, b"").0, 200);
    let output = rtckit(&["serve", "--allow-origin", "example.org"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}

/// What is left unread would be taken for the next request.
#[test]
fn an_unread_body_ends_the_connection() {
    let server = Server::start(&[]);
    let ask = |media_type: &str, length: &str, body: &str| {
        server.raw(&format!(
            "POST /offer HTTP/1.1\r\nHost: a\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    };
    for (said, status) in [
        (ask("application/sdp", "70000", "v=0"), 413),
        (ask("text/plain", "10", "v=0"), 415),
    ] {
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
        assert_eq!(header(&said, "connection"), Some("close"), "{said}");
    }
    let said = ask("application/sdp", "3", "v=0");
    assert!(said.starts_with("HTTP/1.1 400 "), "{said}");
    assert_eq!(header(&said, "connection"), None, "{said}");
}

/// As many calls as the system has sockets for, whatever the limit was at the start; and then it says so.
#[cfg(target_os = "linux")]
#[test]
fn the_system_has_no_more_sockets() {
    let server = Server::start_with(
        &[
            "sh",
            "-c",
            "ulimit -Sn 16; ulimit -Hn 40; exec \"$@\"",
            "sh",
        ],
        &[],
    );
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.process.id())).unwrap();
    let files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let files: Vec<&str> = files.unwrap().split_whitespace().collect();
    assert_eq!(files[3..5], ["40", "40"]);
    let mut answers = (0..40).map(|_| server.offer(OFFER));
    let (status, _, body) = answers.find(|(status, _, _)| *status != 201).unwrap();
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("Too many open files"), "{body}");
}

#[test]
fn a_server_that_cannot_start() {
    // For documentation only (RFC 5737): nobody has it.
    let output = rtckit(&["serve", "--listen", "127.0.0.1:0", "--ip", "192.0.2.1"])
        .output()
        .unwrap();
    assert_eq!(
        one_line(&output),
        "--ip 192.0.2.1: this machine has no such address"
    );
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
