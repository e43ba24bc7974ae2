//! `rtckit stun` behind a NAT, which is a thread here.

use core::net::SocketAddr;
use std::collections::HashMap;
use std::net::UdpSocket;
use std::sync::Arc;
use std::thread;

use super::{Server, report, run};

/// A NAT with endpoint-independent mapping and filtering whose mappings do not end, in front of a server with the
/// addresses `servers`. Clients reach these at the addresses it returns, which share a port.
fn nat(servers: [SocketAddr; 2]) -> [SocketAddr; 2] {
    let (first, second) = loop {
        let first = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = first.local_addr().unwrap().port();
        if let Ok(second) = UdpSocket::bind(("127.0.0.2", port)) {
            break (first, second);
        }
    };
    let inside = [first, second].map(Arc::new);
    let addresses = [&inside[0], &inside[1]].map(|socket| socket.local_addr().unwrap());
    let outside = Arc::new(std::sync::Mutex::new(HashMap::new()));
    for (socket, server) in inside.iter().zip(servers) {
        let (socket, outside) = (Arc::clone(socket), Arc::clone(&outside));
        let inside = inside.clone();
        thread::spawn(move || {
            let mut buf = [0; 1500];
            while let Ok((len, client)) = socket.recv_from(&mut buf) {
                let mut outside = outside.lock().unwrap();
                let mapping = outside
                    .entry(client)
                    .or_insert_with(|| map(client, inside.clone()));
                let _ = mapping.send_to(&buf[..len], server);
            }
        });
    }
    addresses
}

/// The client's socket on the outside: all that comes to it is the client's.
fn map(client: SocketAddr, inside: [Arc<UdpSocket>; 2]) -> Arc<UdpSocket> {
    let mapping = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
    let outside = Arc::clone(&mapping);
    thread::spawn(move || {
        let mut buf = [0; 1500];
        while let Ok((len, from)) = outside.recv_from(&mut buf) {
            let is_second = from.ip() == inside[1].local_addr().unwrap().ip();
            let _ = inside[usize::from(is_second)].send_to(&buf[..len], client);
        }
    });
    mapping
}

#[test]
fn the_lifetime_of_a_mapping() {
    let server = Server::start(&[
        "stun-server",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--listen",
        "127.0.0.2:0",
    ]);
    let one: SocketAddr = server.address("udp").parse().unwrap();
    let address = nat([one, SocketAddr::new([127, 0, 0, 2].into(), one.port())])[0].to_string();
    // two and a half seconds are the only pause that is tried
    let output = run(&["stun", &address, "--lifetime", "5", "--json"]);
    let report = report("stun", &output);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "", "it is quiet where nobody looks");
    assert_eq!(report["nat"], true, "{report}");
    assert_eq!(report["mapping"], "endpoint-independent", "{report}");
    assert_eq!(report["filtering"], "endpoint-independent", "{report}");
    assert_eq!(report["hairpinning"], true, "{report}");
    assert_eq!(report["lifetime_s"], 2.5, "{report}");

    // without a NAT there is nothing to find out
    let output = run(&["stun", server.address("udp"), "--lifetime"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("lifetime      no NAT, no mapping\n"),
        "{text}"
    );
}
