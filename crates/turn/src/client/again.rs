//! An allocation that is begun again ([RFC 8656 §7.4](https://www.rfc-editor.org/rfc/rfc8656#section-7.4),
//! [RFC 8489 §10](https://www.rfc-editor.org/rfc/rfc8489#section-10)).
//!
//! ```text
//! 1. client -> server   Allocate
//! 2. client <- server   437: somebody has that address already, or 300: ALTERNATE-SERVER (ALTERNATE-DOMAIN)
//! 3. the user           opens a path from another address, or to the other server
//! 4. client -> server   Allocate
//! ```
//!
//! A response comes here when it was found to be the server's: where the request carried credentials, it is signed.

use alloc::vec::Vec;
use core::net::SocketAddr;

use rtckit_proto::{FiveTuple, Instant};
use rtckit_stun::Message;

use super::requests::Kind;
use super::{Client, ClientEvent, Failure, State};

/// From how many addresses one server is asked.
const MAX_ADDRESSES: u8 = 3;

/// How many servers in a row may send the client elsewhere.
const MAX_REDIRECTS: usize = 4;

/// The longest domain name, in bytes.
const MAX_DOMAIN_LEN: usize = 255;

/// Where an allocation was asked for.
#[derive(Default)]
pub(super) struct Asked {
    /// The servers that sent the client elsewhere. RFC 8489 lets it go back after five minutes; no attempt to allocate
    /// lasts that long, so it never does.
    servers: Vec<SocketAddr>,
    /// How many addresses of the client the present server has refused.
    addresses: u8,
}

impl Client {
    /// Allocates by another path, which [`ClientEvent::Reconnect`] asked for; `false` when it did not. What was
    /// [permitted](Self::permit) stays so.
    pub fn reconnect(&mut self, now: Instant, path: FiveTuple) -> bool {
        if self.state != State::Reconnecting {
            return false;
        }
        self.path = path;
        self.state = State::Allocating;
        self.begin(now, Kind::Allocate)
    }

    /// 437: the client's address is taken, as by one that crashed behind the same NAT.
    pub(super) fn on_address_taken(&mut self) {
        self.asked.addresses += 1;
        if self.asked.addresses >= MAX_ADDRESSES {
            self.finish(ClientEvent::Failed(Failure::Refused(437)));
            return;
        }
        self.state = State::Reconnecting;
        self.events.push_back(ClientEvent::Reconnect {
            server: self.path.remote,
            domain: None,
        });
    }

    /// 300: another server.
    pub(super) fn on_redirect(&mut self, message: &Message<'_>) {
        let domain = message.alternate_domain();
        let server = message
            .alternate_server()
            .filter(|server| self.is_elsewhere(*server));
        let is_short = domain.is_none_or(|domain| domain.len() <= MAX_DOMAIN_LEN);
        let (Some(server), true) = (server, is_short) else {
            self.finish(ClientEvent::Failed(Failure::BadRedirect));
            return;
        };
        let asked = &mut self.asked;
        asked.servers.push(self.path.remote);
        asked.addresses = 0;
        if asked.servers.contains(&server) || asked.servers.len() > MAX_REDIRECTS {
            self.finish(ClientEvent::Failed(Failure::BadRedirect));
            return;
        }
        // the other server has nonces of its own, and perhaps another realm
        self.credentials.reset();
        self.state = State::Reconnecting;
        self.events.push_back(ClientEvent::Reconnect {
            server,
            domain: domain.map(Into::into),
        });
    }

    /// Whether an address is one that a server can have, as seen from here: no server elsewhere sends its clients to
    /// what listens on their own hosts.
    fn is_elsewhere(&self, server: SocketAddr) -> bool {
        let (ip, here) = (
            server.ip().to_canonical(),
            self.path.remote.ip().to_canonical(),
        );
        server.port() != 0
            && !ip.is_unspecified()
            && !ip.is_multicast()
            && (here.is_loopback() || !ip.is_loopback())
    }
}
