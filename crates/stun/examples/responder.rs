//! A STUN server in a few lines: `responder [ADDRESS]`.
#![allow(
    clippy::disallowed_types,
    clippy::std_instead_of_core,
    reason = "an example is its own driver: it owns the socket"
)]

use std::net::UdpSocket;

use rtckit_proto::FiveTuple;
use rtckit_stun::Responder;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:3478".into());
    let socket = UdpSocket::bind(address)?;
    let local = socket.local_addr()?;
    println!("answering on {local}");
    let responder = Responder::default();
    let (mut request, mut response) = ([0; 1500], [0; 1500]);
    loop {
        let (len, source) = socket.recv_from(&mut request)?;
        let path = FiveTuple::udp(local, source);
        if let Some(sent) = responder.respond(&request[..len], path, &mut response)? {
            socket.send_to(&response[sent.range], sent.path.remote)?;
        }
    }
}
