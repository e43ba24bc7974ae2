//! What the server asks of its driver, and what it gives it to send.

use core::net::SocketAddr;

use rtckit_proto::{FiveTuple, Transport};

use crate::envelope::Envelope;
use crate::server::slots::SlotId;

macro_rules! slot_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) SlotId);

        impl $name {
            /// A small number that no other has at the same time: an index for the driver's table.
            pub const fn index(self) -> usize {
                self.0.place as usize
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{}({}.{})", stringify!($name), self.0.place, self.0.generation)
            }
        }
    };
}

slot_id! {
    /// A socket that the driver holds for the server, to talk to peers from.
    RelayId
}

slot_id! {
    /// A TCP connection with a peer ([RFC 6062](https://www.rfc-editor.org/rfc/rfc6062)).
    ConnectionId
}

/// What the driver has to do. Nothing here waits: the answer comes by a method of the [`Server`](crate::Server).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Bind a socket, and say how that went by [`relay_bound`](crate::Server::relay_bound). UDP: datagrams that come
    /// in go to [`handle_relay_input`](crate::Server::handle_relay_input). TCP: it listens; connections that come in
    /// go to [`accept`](crate::Server::accept).
    BindRelay {
        /// Its id from now on.
        relay: RelayId,
        /// UDP or TCP.
        transport: Transport,
        /// The address to bind.
        address: SocketAddr,
    },
    /// Close that socket. Nothing is accepted from it any more, and its id will be another's.
    CloseRelay {
        /// Which.
        relay: RelayId,
    },
    /// Open a TCP connection, and say how that went by [`connected`](crate::Server::connected).
    Connect {
        /// Its id from now on.
        connection: ConnectionId,
        /// The relay it belongs to.
        relay: RelayId,
        /// The address to connect from, which is the relay's, as far as the system allows.
        local: SocketAddr,
        /// The peer.
        peer: SocketAddr,
    },
    /// The client's stream `path` and the connection with the peer are one from now on: after what
    /// [`poll_transmit`](crate::Server::poll_transmit) gives, and from the byte after the message that was read last,
    /// bytes go across unseen. When either side ends, call
    /// [`connection_closed`](crate::Server::connection_closed).
    Join {
        /// The connection with the peer.
        connection: ConnectionId,
        /// The client's stream.
        path: FiveTuple,
    },
    /// Close a connection with a peer, and the client's stream it was joined with.
    Disconnect {
        /// Which.
        connection: ConnectionId,
    },
    /// What comes by this path is about an allocation from now on. A client that moves has two for a while.
    PathAdded {
        /// The client's path.
        path: FiveTuple,
    },
    /// What comes by this path is about no allocation any more.
    PathRemoved {
        /// The client's path.
        path: FiveTuple,
    },
    /// For the log: a client has an allocation.
    Allocated {
        /// The client.
        path: FiveTuple,
        /// Its first relay.
        relay: RelayId,
        /// The relayed address, as the client was told.
        relayed: SocketAddr,
    },
    /// For the log: the allocation ended.
    Released {
        /// The client.
        path: FiveTuple,
        /// Its first relay.
        relay: RelayId,
        /// Why.
        reason: Release,
    },
}

/// Why an allocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Release {
    /// The client asked.
    Client,
    /// It was not refreshed in time.
    Expired,
    /// The client's stream was closed.
    StreamClosed,
    /// The relay's socket failed.
    RelayFailed,
    /// [`Server::release_account`](crate::Server::release_account) was called.
    Operator,
}

/// A payload on its way from a client to a peer: a part of the datagram that came in.
#[must_use = "the bytes are lost unless they are sent"]
#[derive(Debug)]
#[non_exhaustive]
pub struct ToPeer<'d> {
    /// The socket to send from.
    pub relay: RelayId,
    /// The peer.
    pub peer: SocketAddr,
    /// What is to be sent.
    pub data: &'d mut [u8],
    /// Whether the DF bit of the IP header is to be set, where
    /// [`supports_dont_fragment`](crate::ServerConfig::supports_dont_fragment).
    pub dont_fragment: bool,
}

/// Where a payload from a peer goes, and what is to be put around it.
#[must_use = "the bytes are lost unless they are sent"]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ToClient {
    /// The client.
    pub path: FiveTuple,
    /// What stands before and after the payload.
    pub envelope: Envelope,
}

/// Why a relay's socket could not be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "what the server tells apart")]
pub enum BindError {
    /// Somebody else has the port: another is tried.
    AddressInUse,
    /// Anything else: the client is refused.
    Failed,
}
