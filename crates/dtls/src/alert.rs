//! Alerts: how an endpoint says goodbye ([RFC 5246 §7.2](https://www.rfc-editor.org/rfc/rfc5246#section-7.2)).
//!
//! ```text
//!  0       1       2
//! +-------+-------+
//! | level | descr.|   level: 1 warning, 2 fatal
//! +-------+-------+
//! ```

use core::fmt;

use crate::error::{Error, PeerIncompatible, PeerMisbehaved};

/// What an alert says, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AlertDescription(pub u8);

macro_rules! descriptions {
    ($($(#[$meta:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        impl AlertDescription {
            $($(#[$meta])* pub const $name: Self = Self($number);)*

            /// The name in the RFCs, if it has one.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

descriptions! {
    /// The sender will send no more.
    CLOSE_NOTIFY = 0, "close_notify";
    /// A message came out of turn.
    UNEXPECTED_MESSAGE = 10, "unexpected_message";
    /// A record's tag did not match.
    BAD_RECORD_MAC = 20, "bad_record_mac";
    /// Nothing acceptable was offered.
    HANDSHAKE_FAILURE = 40, "handshake_failure";
    /// The certificate is not the right one.
    BAD_CERTIFICATE = 42, "bad_certificate";
    /// A field has a value it must not have.
    ILLEGAL_PARAMETER = 47, "illegal_parameter";
    /// A message could not be parsed.
    DECODE_ERROR = 50, "decode_error";
    /// A signature or a Finished is wrong.
    DECRYPT_ERROR = 51, "decrypt_error";
    /// The version is not supported.
    PROTOCOL_VERSION = 70, "protocol_version";
    /// The parameters are too weak.
    INSUFFICIENT_SECURITY = 71, "insufficient_security";
    /// Something failed that is not the peer's fault.
    INTERNAL_ERROR = 80, "internal_error";
    /// The user gave up.
    USER_CANCELED = 90, "user_canceled";
    /// A renegotiation was refused.
    NO_RENEGOTIATION = 100, "no_renegotiation";
}

impl fmt::Display for AlertDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "alert {}", self.0),
        }
    }
}

/// What the peer is told when a connection ends with an error; the only such mapping.
impl From<&Error> for AlertDescription {
    fn from(error: &Error) -> Self {
        match error {
            Error::PeerMisbehaved(fault) => match fault {
                PeerMisbehaved::NoCertificate | PeerMisbehaved::BadRenegotiationInfo => {
                    Self::HANDSHAKE_FAILURE
                }
                PeerMisbehaved::BadCertificate | PeerMisbehaved::FingerprintMismatch => {
                    Self::BAD_CERTIFICATE
                }
                PeerMisbehaved::BadSignature | PeerMisbehaved::BadFinished => Self::DECRYPT_ERROR,
                PeerMisbehaved::BadKeyShare | PeerMisbehaved::NotOffered => Self::ILLEGAL_PARAMETER,
            },
            Error::PeerIncompatible(PeerIncompatible::NoCommonVersion) => Self::PROTOCOL_VERSION,
            Error::PeerIncompatible(_) => Self::HANDSHAKE_FAILURE,
            Error::TimedOut => Self::USER_CANCELED,
            Error::AlertReceived(_) | Error::Local(_) | Error::Misuse(_) => Self::INTERNAL_ERROR,
        }
    }
}

/// An alert on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alert {
    pub(crate) fatal: bool,
    pub(crate) description: AlertDescription,
}

impl Alert {
    pub(crate) const LEN: usize = 2;

    pub(crate) const CLOSE_NOTIFY: Self = Self {
        fatal: false,
        description: AlertDescription::CLOSE_NOTIFY,
    };

    pub(crate) fn fatal(description: AlertDescription) -> Self {
        Self {
            fatal: true,
            description,
        }
    }

    /// An alert fills its record; levels other than 1 and 2 do not exist.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        match *bytes {
            [level @ (1 | 2), description] => Some(Self {
                fatal: level == 2,
                description: AlertDescription(description),
            }),
            _ => None,
        }
    }

    pub(crate) fn encode(self) -> [u8; Self::LEN] {
        [if self.fatal { 2 } else { 1 }, self.description.0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        for level in 0..=u8::MAX {
            for description in [0, 10, 255] {
                if let Some(alert) = Alert::parse(&[level, description]) {
                    assert_eq!(alert.encode(), [level, description]);
                } else {
                    assert!(level == 0 || level > 2);
                }
            }
        }
        assert_eq!(Alert::parse(&[1]), None);
        assert_eq!(Alert::parse(&[1, 0, 0]), None);
    }

    #[test]
    fn known_alerts_have_names() {
        assert_eq!(AlertDescription(42).to_string(), "bad_certificate");
        assert_eq!(AlertDescription(200).to_string(), "alert 200");
    }
}
