//! What can go wrong when a connection is used from here.

use core::fmt;
use core::net::SocketAddr;
use std::io;

/// A call on the connection was refused, or the connection ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// No socket could be bound at this address.
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        cause: SystemError,
    },
    /// The system would not list its network interfaces.
    Interfaces(SystemError),
    /// There is no interface with an address to use: all are down, or filtered out.
    NoAddress,
    /// Called outside of a tokio runtime.
    NoRuntime,
    /// The peer connection refused.
    Peer(rtckit_peer::Error),
    /// The cryptography provider failed.
    Crypto(rtckit_crypto::error::CryptoError),
    /// No path to the other side works, or the handshake failed; nothing more will come of this connection.
    Failed,
    /// The connection is closed: by this side, by the other, or because the runtime went away.
    Closed,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind { address, cause } => {
                write!(f, "cannot bind a UDP socket at {address}: {cause}")
            }
            Self::Interfaces(cause) => write!(f, "cannot list the network interfaces: {cause}"),
            Self::NoAddress => f.write_str("no network interface has an address to use"),
            Self::NoRuntime => f.write_str("no tokio runtime is running here"),
            Self::Peer(error) => error.fmt(f),
            Self::Crypto(error) => write!(f, "cryptography: {error}"),
            Self::Failed => f.write_str("the connection failed"),
            Self::Closed => f.write_str("the connection is closed"),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Peer(error) => Some(error),
            Self::Crypto(error) => Some(error),
            Self::Bind { cause, .. } | Self::Interfaces(cause) => Some(cause),
            _ => None,
        }
    }
}

/// What the system said when it refused: of an [`io::Error`], all that can be copied and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemError {
    kind: io::ErrorKind,
    code: Option<i32>,
}

impl SystemError {
    /// The kind of error.
    pub fn kind(&self) -> io::ErrorKind {
        self.kind
    }

    /// The system's own number for it; many have no kind of their own.
    pub fn raw_os_error(&self) -> Option<i32> {
        self.code
    }
}

impl From<io::Error> for SystemError {
    fn from(error: io::Error) -> Self {
        Self {
            kind: error.kind(),
            code: error.raw_os_error(),
        }
    }
}

impl fmt::Display for SystemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => io::Error::from_raw_os_error(code).fmt(f),
            None => self.kind.fmt(f),
        }
    }
}

impl core::error::Error for SystemError {}

impl From<rtckit_peer::Error> for Error {
    fn from(error: rtckit_peer::Error) -> Self {
        match error {
            rtckit_peer::Error::Closed => Self::Closed,
            error => Self::Peer(error),
        }
    }
}

impl From<rtckit_crypto::error::CryptoError> for Error {
    fn from(error: rtckit_crypto::error::CryptoError) -> Self {
        Self::Crypto(error)
    }
}
