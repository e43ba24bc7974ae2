//! What a client tells its user.

use alloc::boxed::Box;
use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use rtckit_stun::Icmp;

use crate::channel_data::ChannelNumber;

/// A TCP connection with a peer, as the server numbers them ([RFC 6062](https://www.rfc-editor.org/rfc/rfc6062)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerConnectionId(pub(crate) u32);

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// The server relays from now on.
    Allocated {
        /// The relayed addresses, of IPv4 and of IPv6.
        relayed: [Option<SocketAddr>; 2],
        /// Where the server sees the client.
        mapped: Option<SocketAddr>,
        /// How long it lasts; the client refreshes it in time.
        lifetime: Duration,
        /// The port that was kept aside, for another client of this user.
        reservation: Option<[u8; 8]>,
    },
    /// Peers of that address may send, and be sent to.
    Permitted {
        /// The peers.
        ip: IpAddr,
    },
    /// They may not.
    PermissionRefused {
        /// The peers.
        ip: IpAddr,
        /// The server's error code: 403 when its policy forbids them.
        code: u16,
    },
    /// Payloads for a peer take four bytes more from now on, not 36.
    ChannelBound {
        /// The peer.
        peer: SocketAddr,
        /// The channel.
        channel: ChannelNumber,
    },
    /// Payloads for a peer go in indications.
    ChannelRefused {
        /// The peer.
        peer: SocketAddr,
        /// The server's error code.
        code: u16,
    },
    /// What was sent to a peer came back.
    Icmp {
        /// The peer.
        peer: SocketAddr,
        /// Why.
        icmp: Icmp,
    },
    /// A peer connected, or was connected to: open a stream to the server, and bind it with
    /// [`Client::data_connection`](crate::Client::data_connection) within 30 s.
    OpenDataConnection {
        /// Which connection.
        connection: PeerConnectionId,
        /// The peer.
        peer: SocketAddr,
    },
    /// A peer could not be connected to.
    ConnectFailed {
        /// The peer.
        peer: SocketAddr,
        /// The server's error code: 446 when there is a connection already, 447 when the peer does not answer.
        code: u16,
    },
    /// The allocation is reached by the new path from now on.
    Moved,
    /// Open another path, by the same transport, and give it to [`Client::reconnect`](crate::Client::reconnect). From
    /// another local address than the last one, if the server is the same: that one is taken (437).
    Reconnect {
        /// The server: the same, or the one its clients are sent to (300).
        server: SocketAddr,
        /// Whom its certificate has to name, for TLS; none when that is whom it had to name before.
        domain: Option<Box<str>>,
    },
    /// The client has released its allocation, as it was told. It is closed.
    Released,
    /// There is no allocation (any more). The client is closed.
    Failed(Failure),
}

/// Why a client has no allocation (any more). When it ended as it could not be refreshed, that is what the last Refresh
/// came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The server did not answer; or no Refresh any more, until the allocation had ended.
    TimedOut,
    /// The server refused the name or the password.
    WrongCredentials,
    /// The server asks for credentials as nobody can answer: without a nonce, or with another one each time (438).
    BadChallenge,
    /// Answers came, none of them from who knows the password.
    Forged,
    /// The server refused with this error code: 403, 440, 442 ... To ask again at once is no use: RFC 8656 §7.4 wants a
    /// pause of a minute after 486 and 508, and of two after 437, which is told when it came for three addresses.
    Refused(u16),
    /// The servers send the client back and forth (300), or to where there can be none.
    BadRedirect,
    /// The server forgot the allocation (437).
    Lost,
    /// The server's answer makes no sense.
    BadResponse,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("the server does not answer"),
            Self::WrongCredentials => f.write_str("the server refuses the name or the password"),
            Self::BadChallenge => {
                f.write_str("the server asks for credentials again and again, or without a nonce")
            }
            Self::Forged => f.write_str("the answers are not from who knows the password"),
            Self::Refused(code) => write!(f, "the server refuses ({code})"),
            Self::BadRedirect => {
                f.write_str("the servers send their clients to each other, or to no server at all")
            }
            Self::Lost => f.write_str("the server has forgotten the allocation"),
            Self::BadResponse => f.write_str("the server's answer makes no sense"),
        }
    }
}

impl core::error::Error for Failure {}

/// A payload that a peer sent: a part of the datagram that came in.
#[derive(Debug)]
#[non_exhaustive]
pub struct FromPeer<'d> {
    /// The peer.
    pub peer: SocketAddr,
    /// What it sent.
    pub data: &'d mut [u8],
}

/// Why a payload cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// There is no allocation, or none of the peer's family.
    NotAllocated,
    /// The server has not been told of the peer, or has not answered yet; see
    /// [`Client::permit`](crate::Client::permit).
    NotPermitted,
    /// The payload is too long for one message.
    TooLong,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAllocated => "there is no relayed address for that peer",
            Self::NotPermitted => "the server has not permitted that peer yet",
            Self::TooLong => "the payload is too long for one message",
        })
    }
}

impl core::error::Error for SendError {}
