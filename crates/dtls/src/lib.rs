//! DTLS 1.2 for WebRTC, client and server, without I/O.
//!
//! A [`Connection`] is a machine driven by five verbs and nothing else: it has no socket, no clock and no thread.
//! It authenticates the peer by the fingerprint that arrived through signalling, negotiates an SRTP profile, makes
//! SRTP's keys, and then seals and opens application data in place, without allocating.
//!
//! ```
//! use std::sync::Arc;
//! use rtckit_crypto::{fingerprint::HashAlgorithm, identity::Identity, provider::Provider};
//! use rtckit_dtls::{Config, Connection, Event, Verify};
//! use rtckit_proto::{Datagram, FiveTuple, Instant, SrtpProfile};
//!
//! let provider = Provider::ring();
//! let [alice, bob] = [(); 2].map(|()| Arc::new(Identity::generate(&provider).expect("a key")));
//! let config = |me: &Arc<Identity>, peer: &Identity| {
//!     // the peer's fingerprint, as its SDP announces it
//!     let verify = Verify::Fingerprints(vec![peer.fingerprint(HashAlgorithm::Sha256)]);
//!     let mut config = Config::new(provider.clone(), me.clone(), verify);
//!     config.srtp_profiles = vec![SrtpProfile::AeadAes128Gcm];
//!     Arc::new(config)
//! };
//! let now = Instant::ZERO;
//! let path = FiveTuple::udp("192.0.2.1:5000".parse()?, "192.0.2.2:5000".parse()?);
//! let mut client = Connection::client(config(&alice, &bob), path, now)?;
//! let mut server = Connection::server(config(&bob, &alice), path.reversed(), now)?;
//!
//! // carry datagrams back and forth until nobody has any left
//! let mut buf = [0; 2048];
//! let mut carry = |from: &mut Connection, to: &mut Connection| {
//!     let mut carried = false;
//!     while let Some(transmit) = from.poll_transmit(now, &mut buf) {
//!         to.handle_input(now, Datagram::new(transmit.path.reversed(), &mut buf[transmit.range]));
//!         carried = true;
//!     }
//!     carried
//! };
//! while carry(&mut client, &mut server) | carry(&mut server, &mut client) {}
//! assert_eq!(client.poll_event(), Some(Event::Connected));
//! let (ours, theirs) = (client.srtp_keys().expect("negotiated"), server.srtp_keys().expect("negotiated"));
//! assert_eq!(ours.local.key(), theirs.remote.key());
//!
//! // application data, sealed into a buffer of ours and opened inside the datagram
//! let mut datagram = [0; 100];
//! let len = client.seal(b"hello", &mut datagram)?;
//! let received = server.handle_input(now, Datagram::new(path.reversed(), &mut datagram[..len]));
//! assert_eq!(received.iter().next(), Some(&b"hello"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it does and does not do
//!
//! | RFC | done | not done |
//! | --- | --- | --- |
//! | [6347](https://www.rfc-editor.org/rfc/rfc6347) DTLS 1.2 | client and server, retransmission with back-off, fragments in any order, cookies, replay protection, records of the next epoch that overtake | path MTU discovery (the configured one is kept), renegotiation (refused) |
//! | [5246](https://www.rfc-editor.org/rfc/rfc5246) TLS 1.2 | mutual certificates, `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256` | every other cipher suite, session resumption, chains of certificates |
//! | [8422](https://www.rfc-editor.org/rfc/rfc8422) ECC | X25519, P-256 | P-384, P-521 |
//! | [7627](https://www.rfc-editor.org/rfc/rfc7627) extended master secret | offered and answered always, required on demand | |
//! | [5746](https://www.rfc-editor.org/rfc/rfc5746) renegotiation indication | for the first handshake, the only one | |
//! | [5764](https://www.rfc-editor.org/rfc/rfc5764) `use_srtp` | profiles and keys | MKI (read over, never sent) |
//! | [5705](https://www.rfc-editor.org/rfc/rfc5705) exporter | yes | |
//! | [9147](https://www.rfc-editor.org/rfc/rfc9147) DTLS 1.3 | its ClientHello is answered with 1.2 | the rest, so far |
//!
//! Our own key must be ECDSA, as WebRTC's are; a client may also show an RSA certificate. The peer's chain,
//! dates and names are not looked at: its fingerprint decides
//! ([RFC 8827 §6.5](https://www.rfc-editor.org/rfc/rfc8827#section-6.5)).
//!
//! # Noise, and what a peer can cost
//!
//! Whatever is malformed, forged, replayed or out of turn is dropped and counted in [`Stats`]; it never ends a
//! connection. An alert before the keys is not authenticated either: it ends the handshake only when the next
//! retransmission comes due and nothing else has arrived. A peer can make a connection keep 8 handshake messages
//! of 16 KiB each while they are being put together, and 4 records of 256 bytes that came too early; after the
//! handshake nothing but its certificate. The work per call is linear in the bytes handed in.
#![forbid(unsafe_code)]

mod alert;
#[cfg(test)]
mod captured;
mod config;
mod connection;
mod error;
mod export;
mod flight;
mod handshake;
mod key_schedule;
#[cfg(test)]
mod misbehaving;
mod reassembly;
mod receive;
mod record;
mod transcript;
mod v12;

pub use alert::AlertDescription;
pub use config::{Config, Verify};
pub use connection::{Connection, Event, Role, Stats, Version};
pub use error::{Error, Misuse, ParseError, PeerIncompatible, PeerMisbehaved};
pub use export::{KeyLogLine, SrtpKeys, SrtpMasterKey};
