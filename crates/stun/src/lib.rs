//! STUN ([RFC 8489](https://www.rfc-editor.org/rfc/rfc8489)): the messages ICE and TURN are made of.
//!
//! No socket, no clock. The formats allocate nothing: [`Message`] is a checked view over a datagram, [`MessageWriter`]
//! writes into the caller's buffer. On top of them stand machines and their parts: [`Client`] asks a server where it
//! is seen, [`Discovery`] finds out how a NAT behaves, [`Responder`] answers both; [`LongTermClient`] and
//! [`Authenticator`] are the two sides of long-term credentials, [`StreamFramer`] cuts messages out of a stream, and
//! [`Transaction`] says when to send a request again.
//!
//! # Example
//!
//! ```
//! use rtckit_stun::{Class, Message, MessageWriter, Method, TransactionId, respond};
//!
//! // A client asks …
//! let mut request = [0; 64];
//! let id = TransactionId([7; 12]);
//! let mut writer = MessageWriter::new(&mut request, Class::Request, Method::BINDING, id)?;
//! writer.fingerprint()?;
//! let len = writer.finish();
//!
//! // … and a server tells it from which address.
//! let source = "192.0.2.1:32853".parse()?;
//! let mut response = [0; 64];
//! let len = respond(&request[..len], source, &mut response)?.expect("a Binding request");
//! let response = Message::parse(&response[..len])?;
//! assert_eq!(response.transaction_id(), id);
//! assert_eq!(response.xor_mapped_address(), Some(source));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With a plain socket: `examples/query.rs` asks a server, `examples/responder.rs` is one.
//!
//! # What is here
//!
//! | RFC | |
//! | --- | --- |
//! | 8489 §5, §14 message format | whole; every attribute by its name |
//! | 8489 §6.2 retransmission over UDP, framing over TCP and TLS | [`Transaction`], [`StreamFramer`] |
//! | 8489 §6.3 unknown comprehension-required attributes | [`Message::unknown_required`]; servers answer 420 |
//! | 8489 §7 FINGERPRINT | whole |
//! | 8489 §8 DNS discovery | not here: the driver looks names up |
//! | 8489 §9.1 short-term credentials | keys and MESSAGE-INTEGRITY(-SHA256); the exchange is its user's |
//! | 8489 §9.2 long-term credentials | [`LongTermClient`], [`Authenticator`]: PASSWORD-ALGORITHMS, USERHASH, nonce cookies, protection against bidding down; nonces are stateless |
//! | 8489 §10 ALTERNATE-SERVER, ALTERNATE-DOMAIN | [`Outcome::Redirected`]; whom to believe is the user's to decide |
//! | 8489 §12 Binding server, RFC 3489 clients | [`Responder`] |
//! | 8265 OpaqueString (SASLprep) | not here, as its tables are larger than all of this: names and passwords have to be prepared, which ASCII ones are |
//! | 5769 test vectors | all four |
//! | 5780 NAT behaviour discovery | [`Discovery`]: mapping, filtering, hairpinning, lifetime; [`Responder`]; not fragment handling |
//! | 7635 third-party authorization | [`LongTermClient::with_token`]; with the feature `tokens`, `AccessTokens` opens them (AES-GCM; not the AES-CBC kind) |
//! | 7982 transmit counter, 8016 tickets, 8656 and 6062 TURN | their attributes; the machines are in `rtckit-turn` |
//! | 7983 demultiplexing | [`is_stun`] |
//! | 8445 §16.1 attributes of ICE, libwebrtc's own | named; GOOG-PING's integrity |
//! | TURN REST (draft-uberti) | [`SharedSecret`] |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod address;
mod attribute;
mod authentication;
mod base64;
mod client;
mod discovery;
mod error;
mod fingerprint;
mod framing;
mod header;
mod integrity;
mod long_term;
mod message;
mod nonce;
mod responder;
#[cfg(feature = "tokens")]
mod token;
mod transaction;
mod typed;
mod users;
mod value;
mod writer;

#[cfg(test)]
mod vectors;

pub use attribute::{Attribute, AttributeType, Attributes, ErrorCode};
pub use authentication::{
    Authentication, AuthenticationConfig, Authenticator, Claim, Name, User, Users, Verified,
};
pub use client::{Client, Outcome};
pub use discovery::{Behaviour, Discovery, DiscoveryConfig, Report};
pub use error::{Error, ParseError};
pub use framing::{FrameError, Frames, StreamFramer, frame_len};
pub use header::{Class, HEADER_LEN, MAGIC_COOKIE, Method, TransactionId, is_stun};
pub use integrity::{IntegrityKey, PasswordHash, long_term_key, short_term_key, userhash};
pub use long_term::{LongTermClient, Verdict};
pub use message::Message;
pub use nonce::NonceSecret;
pub use responder::{Responder, ResponderConfig, respond};
#[cfg(feature = "tokens")]
pub use token::AccessTokens;
pub use transaction::{Retransmission, Step, Transaction};
pub use users::{SharedSecret, StaticUsers};
pub use value::{
    AddressErrorCode, AddressFamily, ChangeRequest, EvenPort, Icmp, NetworkInfo, PasswordAlgorithm,
};
pub use writer::MessageWriter;
