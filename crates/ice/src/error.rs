//! What can go wrong: text that is not a candidate, and calls or peers that ask for what cannot be.

use core::fmt;

/// Text that is not a candidate attribute or not a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseError {
    /// The offset into the text, in bytes.
    pub position: usize,
    /// What was to stand there.
    pub expected: &'static str,
}

impl ParseError {
    pub(crate) const fn new(position: usize, expected: &'static str) -> Self {
        Self { position, expected }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: expected {}", self.position, self.expected)
    }
}

impl core::error::Error for ParseError {}

/// What the agent refuses. None of these harms it: the call did nothing, and the agent goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The peer's fault: more candidates than [`AgentConfig`](crate::AgentConfig) allows.
    TooManyCandidates,
    /// Nobody's fault: a candidate this agent cannot use (TCP, or a component other than 1). Skip it.
    UnsupportedCandidate,
    /// The peer's fault: new credentials without a restart. Call [`restart`](crate::Agent::restart) first.
    CredentialsChanged,
    /// Misuse: the agent is closed.
    Closed,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooManyCandidates => "more candidates than the agent's ceiling",
            Self::UnsupportedCandidate => "the agent cannot use this candidate",
            Self::CredentialsChanged => "the peer's credentials changed without an ICE restart",
            Self::Closed => "the agent is closed",
        })
    }
}

impl core::error::Error for Error {}
