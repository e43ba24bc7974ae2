//! Which of several shards a request is for.
//!
//! The system spreads clients over the shards of a server by their addresses. What a client was given by one shard it may
//! bring from another address or by another stream: a RESERVATION-TOKEN
//! ([RFC 8656 §7.2](https://www.rfc-editor.org/rfc/rfc8656#section-7.2)), a MOBILITY-TICKET
//! ([RFC 8016](https://www.rfc-editor.org/rfc/rfc8016)) or a CONNECTION-ID
//! ([RFC 6062](https://www.rfc-editor.org/rfc/rfc6062)). Each of them says which shard gave it.

use rtckit_stun::{Message, Method};

use crate::server::mobility::instance_of_ticket;
use crate::server::tcp::instance_of_connection;

/// The [`ServerConfig::instance`](crate::ServerConfig::instance) that gave what a request brings along, by its own word:
/// only that shard can tell whether it is true. `None` for what belongs to whoever received it, as nearly all does.
pub fn instance_of(request: &[u8]) -> Option<u8> {
    // the methods that can bring something; it costs nothing to look
    if !matches!(request, [0x00, 0x03 | 0x04 | 0x0b, ..]) {
        return None;
    }
    let message = Message::parse(request).ok()?;
    match message.method() {
        Method::ALLOCATE => message.reservation_token().map(|[instance, ..]| instance),
        Method::REFRESH => instance_of_ticket(message.mobility_ticket()?),
        Method::CONNECTION_BIND => message.connection_id().map(instance_of_connection),
        _ => None,
    }
}
