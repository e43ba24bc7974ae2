//! The states of a peer connection, by the W3C's names.

use core::fmt;

macro_rules! w3c_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)*
        }

        impl $name {
            /// The W3C's spelling.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

w3c_enum! {
    /// Where the offer/answer exchange stands ([RFC 9429 §3.2](https://www.rfc-editor.org/rfc/rfc9429#section-3.2)).
    pub enum SignalingState {
        /// No exchange is under way.
        Stable = "stable",
        /// A local offer waits for its answer.
        HaveLocalOffer = "have-local-offer",
        /// A remote offer waits for its answer.
        HaveRemoteOffer = "have-remote-offer",
        /// The connection is closed.
        Closed = "closed",
    }
}

w3c_enum! {
    /// Whether local candidates are still being found.
    pub enum IceGatheringState {
        /// Gathering has not begun.
        New = "new",
        /// Candidates are being found.
        Gathering = "gathering",
        /// All of them are known.
        Complete = "complete",
    }
}

w3c_enum! {
    /// The state of the ICE agent.
    pub enum IceConnectionState {
        /// No check has been made.
        New = "new",
        /// Checks are under way, no path works yet.
        Checking = "checking",
        /// A path works; checks may go on.
        Connected = "connected",
        /// A path works and no better one will be sought.
        Completed = "completed",
        /// The path does not answer at the moment.
        Disconnected = "disconnected",
        /// No path works, or consent expired.
        Failed = "failed",
        /// The agent has shut down.
        Closed = "closed",
    }
}

w3c_enum! {
    /// The state of ICE and DTLS together.
    pub enum ConnectionState {
        /// Nothing has begun.
        New = "new",
        /// ICE or DTLS is at work.
        Connecting = "connecting",
        /// Media can flow.
        Connected = "connected",
        /// The path does not answer at the moment.
        Disconnected = "disconnected",
        /// ICE or DTLS failed for good.
        Failed = "failed",
        /// The connection is closed.
        Closed = "closed",
    }
}

w3c_enum! {
    /// The state of the DTLS transport.
    pub enum DtlsTransportState {
        /// The handshake has not begun.
        New = "new",
        /// The handshake is under way.
        Connecting = "connecting",
        /// Keys are agreed and the peer's certificate fits its fingerprint.
        Connected = "connected",
        /// The peer closed, or we did.
        Closed = "closed",
        /// The handshake failed.
        Failed = "failed",
    }
}

w3c_enum! {
    /// What a media section carries.
    pub enum MediaKind {
        /// Sound.
        Audio = "audio",
        /// Pictures.
        Video = "video",
    }
}

w3c_enum! {
    /// What a session description is for.
    pub enum SdpType {
        /// It proposes.
        Offer = "offer",
        /// It settles.
        Answer = "answer",
    }
}

/// An offer or an answer, as signalling carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionDescription {
    /// Offer or answer.
    pub kind: SdpType,
    /// The SDP text.
    pub sdp: String,
}

impl SessionDescription {
    /// An offer with this text.
    pub fn offer(sdp: impl Into<String>) -> Self {
        Self {
            kind: SdpType::Offer,
            sdp: sdp.into(),
        }
    }

    /// An answer with this text.
    pub fn answer(sdp: impl Into<String>) -> Self {
        Self {
            kind: SdpType::Answer,
            sdp: sdp.into(),
        }
    }
}

/// An ICE candidate, as trickle signalling carries it
/// ([RFC 8840 §4](https://www.rfc-editor.org/rfc/rfc8840#section-4)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceCandidate {
    /// The `candidate:…` text; empty for the end of candidates.
    pub candidate: String,
    /// The media section it belongs to.
    pub sdp_mid: Option<String>,
    /// The ICE session it belongs to.
    pub username_fragment: Option<String>,
}
