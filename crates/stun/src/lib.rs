//! STUN ([RFC 8489](https://www.rfc-editor.org/rfc/rfc8489)): the messages ICE and TURN are made of.
//!
//! No socket, no clock, no allocation: [`Message`] is a checked view over a datagram, [`MessageWriter`] writes
//! into the caller's buffer, [`Transaction`] says when to send a request again, [`respond`] is a Binding server.
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
//! # What is here
//!
//! | RFC | |
//! | --- | --- |
//! | 8489 §5, §14 message format | whole; every attribute can be read and written, the common ones by name |
//! | 8489 §6.2.1 retransmission over UDP | [`Transaction`], configurable; over TCP: not yet |
//! | 8489 §6.3 unknown comprehension-required attributes | [`Message::unknown_required`] |
//! | 8489 §7 FINGERPRINT | whole |
//! | 8489 §9.1 short-term credentials | keys and MESSAGE-INTEGRITY(-SHA256); the exchange is its user's |
//! | 8489 §9.2 long-term credentials | MD5 key; the exchange (nonces, PASSWORD-ALGORITHMS, USERHASH) is not here |
//! | 8489 §10 ALTERNATE-SERVER, §8 DNS discovery | the attribute; not the procedures |
//! | 8489 §12 Binding server | [`respond`], over UDP, without authentication |
//! | 8265 OpaqueString (SASLprep) | not here: passwords have to be prepared, which ASCII ones are |
//! | 5769 test vectors | all four |
//! | 5780 NAT behaviour discovery | not yet |
//! | 7983 demultiplexing | [`is_stun`] |
//! | 8445 §16.1 attributes of ICE | PRIORITY, USE-CANDIDATE, ICE-CONTROLLED, ICE-CONTROLLING |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod address;
mod attribute;
mod authentication;
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
