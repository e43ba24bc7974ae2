//! What can go wrong when a peer connection is used, grouped by whose fault it is.

use core::fmt;

/// A call on the peer was refused, or the connection ended.
///
/// Nothing a remote peer puts on the wire becomes one of these from a datagram: noise is dropped and counted,
/// and the end of the transport is an [`Event`](crate::Event). What the *signalling* brings can be wrong, and is
/// named here.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The remote description is not SDP.
    MalformedDescription(rtckit_sdp::ParseError),
    /// The remote description is SDP, but breaks a rule of JSEP or of offer and answer.
    UnacceptableDescription(BrokenRule),
    /// A remote candidate is not one.
    MalformedCandidate,
    /// A description was applied in a signalling state that does not take it
    /// ([RFC 9429 §4.1.10](https://www.rfc-editor.org/rfc/rfc9429#section-4.1.10)).
    WrongState {
        /// What was attempted.
        operation: &'static str,
        /// The state it met.
        state: crate::SignalingState,
    },
    /// There is no such transceiver, or it does not send (or receive) now.
    NoSuchStream,
    /// The sender's queue is full: its packets are not polled out as fast as frames come.
    QueueFull,
    /// The peer has 64 transceivers already.
    TooManyTransceivers,
    /// A frame is empty, or larger than the sender's ceiling.
    FrameTooLarge,
    /// The DTLS machine failed, for the reason given.
    Dtls(rtckit_dtls::Error),
    /// The cryptography provider failed.
    Crypto(rtckit_crypto::error::CryptoError),
    /// The connection is closed.
    Closed,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MalformedDescription(error) => {
                write!(f, "the session description does not parse: {error}")
            }
            Self::UnacceptableDescription(broken) => {
                write!(f, "the session description cannot be used: {broken}")
            }
            Self::MalformedCandidate => f.write_str("the ICE candidate does not parse"),
            Self::WrongState { operation, state } => write!(
                f,
                "{operation} is not possible in the signalling state {state}"
            ),
            Self::NoSuchStream => f.write_str("no transceiver sends or receives there"),
            Self::QueueFull => f.write_str("packets of earlier frames still wait to be sent"),
            Self::TooManyTransceivers => f.write_str("a peer has at most 64 transceivers"),
            Self::FrameTooLarge => f.write_str("the frame is empty or too large to send"),
            Self::Dtls(error) => write!(f, "DTLS: {error}"),
            Self::Crypto(error) => write!(f, "cryptography: {error}"),
            Self::Closed => f.write_str("the peer connection is closed"),
        }
    }
}

impl core::error::Error for Error {}

impl Error {
    pub(crate) const fn unacceptable(rule: &'static str) -> Self {
        Self::UnacceptableDescription(BrokenRule { rule, line: None })
    }

    pub(crate) const fn unacceptable_at(rule: &'static str, line: u32) -> Self {
        Self::UnacceptableDescription(BrokenRule {
            rule,
            line: Some(line),
        })
    }
}

/// The rule a description breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrokenRule {
    /// The rule, with its document.
    pub rule: &'static str,
    /// The line that breaks it, from 1, or that begins the section which does; `None` if it is the whole description.
    pub line: Option<u32>,
}

impl fmt::Display for BrokenRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.rule),
            None => f.write_str(self.rule),
        }
    }
}

impl From<rtckit_sdp::ParseError> for Error {
    fn from(error: rtckit_sdp::ParseError) -> Self {
        Self::MalformedDescription(error)
    }
}
