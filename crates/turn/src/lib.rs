//! TURN.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod channel_data;
mod client;
mod envelope;
mod server;

pub use channel_data::{CHANNEL_HEADER_LEN, ChannelData, ChannelNumber, is_channel_data};
pub use client::{
    Client, ClientConfig, ClientEvent, DataConnection, DataConnectionState, Failure, Families,
    FromPeer, PeerConnectionId, SendError,
};
pub use envelope::{Envelope, MAX_HEADER_LEN};
pub use server::{
    BindError, Cidr, CidrParseError, ConnectionId, Counters, Event as ServerEvent, PeerPolicy,
    RelayAddress, RelayId, Release, Server, ServerConfig, ToClient, ToPeer,
};
