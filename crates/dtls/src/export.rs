//! Keys for others: the exporter ([RFC 5705](https://www.rfc-editor.org/rfc/rfc5705)) and what SRTP takes from it
//! ([RFC 5764 §4.2](https://www.rfc-editor.org/rfc/rfc5764#section-4.2)).
//!
//! ```text
//!  EXTRACTOR-dtls_srtp:
//!  +-------------------+-------------------+--------------------+--------------------+
//!  | client_write key  | server_write key  | client_write salt  | server_write salt  |
//!  +-------------------+-------------------+--------------------+--------------------+
//! ```

use core::fmt;

use rtckit_crypto::provider::Provider;
use rtckit_crypto::secret::Secret;
use rtckit_proto::{Reader, SrtpProfile};

use crate::Role;
use crate::v12::Session;

const SRTP_LABEL: &[u8] = b"EXTRACTOR-dtls_srtp";

/// A master key and a master salt are never longer than this, together.
const MAX_KEY: usize = 16;
const MAX_SALT: usize = 14;

/// The keys the handshake made for SRTP, sorted by who uses them.
#[derive(Clone, Debug)]
pub struct SrtpKeys {
    /// What was negotiated.
    pub profile: SrtpProfile,
    /// For what we send.
    pub local: SrtpMasterKey,
    /// For what the peer sends.
    pub remote: SrtpMasterKey,
}

/// A master key and its salt. They are overwritten when dropped and never printed.
#[derive(Clone, Debug)]
pub struct SrtpMasterKey {
    profile: SrtpProfile,
    key: Secret<MAX_KEY>,
    salt: Secret<MAX_SALT>,
}

impl SrtpMasterKey {
    /// The master key: [`SrtpProfile::key_len`] bytes.
    pub fn key(&self) -> &[u8] {
        &self.key.as_ref()[..self.profile.key_len().min(MAX_KEY)]
    }

    /// The master salt: [`SrtpProfile::salt_len`] bytes.
    pub fn salt(&self) -> &[u8] {
        &self.salt.as_ref()[..self.profile.salt_len().min(MAX_SALT)]
    }
}

/// A line for the key log that Wireshark and friends read. Whoever has it can read the connection.
#[derive(Clone)]
pub struct KeyLogLine {
    client_random: [u8; 32],
    master_secret: Secret<48>,
}

/// The line itself, in NSS' format: `CLIENT_RANDOM <hex> <hex>`.
impl fmt::Display for KeyLogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CLIENT_RANDOM ")?;
        write_hex(f, &self.client_random)?;
        f.write_str(" ")?;
        write_hex(f, self.master_secret.as_ref())
    }
}

impl fmt::Debug for KeyLogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyLogLine([redacted])")
    }
}

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

impl Session {
    /// Fills `out` from the master secret
    /// ([RFC 5705 §4](https://www.rfc-editor.org/rfc/rfc5705#section-4)). No context is not the same as an empty
    /// one. A context is cut at 2^16 - 1 bytes.
    pub(crate) fn export(
        &self,
        provider: &Provider,
        label: &[u8],
        context: Option<&[u8]>,
        out: &mut [u8],
    ) {
        let mut seed = Vec::with_capacity(64 + 2 + context.map_or(0, <[u8]>::len));
        seed.extend(self.client_random);
        seed.extend(self.server_random);
        if let Some(context) = context {
            let len = u16::try_from(context.len()).unwrap_or(u16::MAX);
            seed.extend(len.to_be_bytes());
            seed.extend(context.iter().take(len.into()));
        }
        provider.tls12_prf(self.master_secret.as_ref(), label, &seed, out);
    }

    pub(crate) fn srtp_keys(&self, provider: &Provider, role: Role) -> Option<SrtpKeys> {
        let profile = self.srtp_profile?;
        let mut block = Secret::<{ 2 * (MAX_KEY + MAX_SALT) }>::zeroed();
        let (key_len, salt_len) = (profile.key_len(), profile.salt_len());
        let out = block.as_mut().get_mut(..2 * (key_len + salt_len))?;
        self.export(provider, SRTP_LABEL, None, out);
        let mut reader = Reader::new(out);
        let mut part = |len| reader.take(len).unwrap_or_default();
        let (client_key, server_key) = (part(key_len), part(key_len));
        let (client_salt, server_salt) = (part(salt_len), part(salt_len));
        let master = |key: &[u8], salt: &[u8]| SrtpMasterKey {
            profile,
            key: padded(key),
            salt: padded(salt),
        };
        let client = master(client_key, client_salt);
        let server = master(server_key, server_salt);
        let (local, remote) = match role {
            Role::Client => (client, server),
            Role::Server => (server, client),
        };
        Some(SrtpKeys {
            profile,
            local,
            remote,
        })
    }

    pub(crate) fn key_log(&self) -> KeyLogLine {
        KeyLogLine {
            client_random: self.client_random,
            master_secret: self.master_secret.clone(),
        }
    }
}

fn padded<const N: usize>(bytes: &[u8]) -> Secret<N> {
    let mut secret = Secret::zeroed();
    for (slot, &byte) in secret.as_mut().iter_mut().zip(bytes) {
        *slot = byte;
    }
    secret
}
