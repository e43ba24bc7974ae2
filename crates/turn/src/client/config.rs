//! What a client asks for.

use alloc::boxed::Box;
use core::time::Duration;

use rtckit_proto::Transport;
use rtckit_stun::{LongTermClient, Retransmission};

/// Which families of relayed addresses are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "what two families can be asked for"
)]
pub enum Families {
    /// IPv4.
    #[default]
    Ipv4,
    /// IPv6 ([RFC 8656 §18.6](https://www.rfc-editor.org/rfc/rfc8656#section-18.6)).
    Ipv6,
    /// Both in one allocation ([RFC 8656 §18.11](https://www.rfc-editor.org/rfc/rfc8656#section-18.11)).
    Both,
}

/// What a [`Client`](crate::Client) asks a server for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientConfig {
    /// Who it is.
    pub credentials: LongTermClient,
    /// What relayed addresses speak: UDP, or TCP ([RFC 6062](https://www.rfc-editor.org/rfc/rfc6062), over a stream
    /// alone). UDP.
    pub relayed: Transport,
    /// Which families. IPv4.
    pub families: Families,
    /// EVEN-PORT: an even port, and whether the one after it is to be kept aside; the token for that comes with
    /// [`ClientEvent::Allocated`](crate::ClientEvent::Allocated).
    pub even_port: Option<bool>,
    /// RESERVATION-TOKEN: the port that was kept aside.
    pub reservation: Option<[u8; 8]>,
    /// Asks whether the server knows DONT-FRAGMENT: 420 if not.
    pub dont_fragment: bool,
    /// LIFETIME; the server may grant another. Its own default.
    pub lifetime: Option<Duration>,
    /// Asks for a ticket, to move to another address with
    /// ([RFC 8016](https://www.rfc-editor.org/rfc/rfc8016)).
    pub is_mobile: bool,
    /// Whether the first payload to a peer binds a channel. Yes.
    pub binds_channels: bool,
    /// How requests are repeated over UDP.
    pub retransmission: Retransmission,
    /// SOFTWARE.
    pub software: Option<Box<str>>,
}

impl ClientConfig {
    /// The defaults, for a user.
    pub fn new(username: &str, password: &str) -> Self {
        Self::with_credentials(LongTermClient::new(username, password))
    }

    /// The defaults, for credentials of any kind.
    pub fn with_credentials(credentials: LongTermClient) -> Self {
        Self {
            credentials,
            relayed: Transport::Udp,
            families: Families::default(),
            even_port: None,
            reservation: None,
            dont_fragment: false,
            lifetime: None,
            is_mobile: false,
            binds_channels: true,
            retransmission: Retransmission::default(),
            software: None,
        }
    }
}
