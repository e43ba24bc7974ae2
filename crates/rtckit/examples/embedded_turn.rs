//! A TURN server inside a program that has its own users: `embedded_turn [ADDRESS:PORT]`.
//!
//! ```text
//! cargo run -p rtckit --features turn --example embedded_turn &
//! cargo run --bin rtckit -- turn-bench turn:127.0.0.1 --user alice:wonderland
//! ```

use core::error::Error;
use core::net::SocketAddr;
use std::sync::Arc;

use rtckit::Instant;
use rtckit::server::{Config, TurnServer};
use rtckit_stun::{Claim, User, Users};

/// The program's own users.
struct Database;

impl Users for Database {
    fn user(&self, _: Instant, realm: &str, claim: &Claim<'_>) -> Option<User> {
        let rows = [("alice", "wonderland"), ("bob", "builder")];
        let (name, password) = rows
            .into_iter()
            .find(|(name, _)| claim.names(name, realm))?;
        Some(claim.user(name, realm, password))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let address: SocketAddr = address.as_deref().unwrap_or("127.0.0.1:3478").parse()?;
    let mut config = Config::at("example.org", address, Arc::new(Database));
    config.turn.peers.allow.push("127.0.0.0/8".parse()?); // for a try at home, not for the world
    let server = TurnServer::start(config).await?;
    println!("relaying from {address}");
    server.stopped().await;
    Ok(())
}
