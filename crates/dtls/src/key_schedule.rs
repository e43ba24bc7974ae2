//! From the shared secret to the keys of the records
//! ([RFC 5246 §8.1](https://www.rfc-editor.org/rfc/rfc5246#section-8.1),
//! [§6.3](https://www.rfc-editor.org/rfc/rfc5246#section-6.3),
//! [RFC 7627 §4](https://www.rfc-editor.org/rfc/rfc7627#section-4)).
//!
//! ```text
//!  shared secret ──PRF("extended master secret", hash of the handshake so far)──► master secret
//!                  (or PRF("master secret", both randoms) with a peer that lacks the extension)
//!  master secret ──PRF("key expansion", both randoms)──► key block:
//!  +------------------+------------------+-----------------+-----------------+
//!  | client_write_key | server_write_key | client_write_IV | server_write_IV |
//!  |     16 bytes     |     16 bytes     |     4 bytes     |     4 bytes     |
//!  +------------------+------------------+-----------------+-----------------+
//! ```

use rtckit_crypto::provider::{Provider, SharedSecret};
use rtckit_crypto::secret::Secret;

use crate::Role;

pub(crate) const VERIFY_DATA_LEN: usize = 12;

/// Both hellos' random numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Randoms {
    pub(crate) client: [u8; 32],
    pub(crate) server: [u8; 32],
}

impl Randoms {
    pub(crate) fn client_first(&self) -> [u8; 64] {
        join(&self.client, &self.server)
    }

    fn server_first(&self) -> [u8; 64] {
        join(&self.server, &self.client)
    }
}

fn join(first: &[u8; 32], second: &[u8; 32]) -> [u8; 64] {
    let mut both = [0; 64];
    both[..32].copy_from_slice(first);
    both[32..].copy_from_slice(second);
    both
}

/// The master secret. `session_hash` is that of the handshake up to and including ClientKeyExchange when the
/// extended master secret was negotiated.
pub(crate) fn master_secret(
    provider: &Provider,
    shared: &SharedSecret,
    randoms: &Randoms,
    session_hash: Option<[u8; 32]>,
) -> Secret<48> {
    let mut master = Secret::zeroed();
    let out = &mut master.as_mut()[..];
    match session_hash {
        Some(hash) => {
            provider.tls12_prf(shared.as_ref(), b"extended master secret", &hash, out);
        }
        None => provider.tls12_prf(
            shared.as_ref(),
            b"master secret",
            &randoms.client_first(),
            out,
        ),
    }
    master
}

/// One direction's key and implicit nonce.
#[derive(Clone, Debug)]
pub(crate) struct TrafficKey {
    pub(crate) key: Secret<16>,
    pub(crate) iv: [u8; 4],
}

/// What each side writes with.
#[derive(Clone, Debug)]
pub(crate) struct TrafficKeys {
    pub(crate) client: TrafficKey,
    pub(crate) server: TrafficKey,
}

impl TrafficKeys {
    pub(crate) fn derive(provider: &Provider, master: &Secret<48>, randoms: &Randoms) -> Self {
        let mut block = Secret::<40>::zeroed();
        provider.tls12_prf(
            master.as_ref(),
            b"key expansion",
            &randoms.server_first(),
            block.as_mut(),
        );
        let block = block.as_ref();
        let traffic_key = |key: usize, iv: usize| {
            let mut traffic = TrafficKey {
                key: Secret::zeroed(),
                iv: [0; 4],
            };
            traffic.key.as_mut().copy_from_slice(&block[key..key + 16]);
            traffic.iv.copy_from_slice(&block[iv..iv + 4]);
            traffic
        };
        Self {
            client: traffic_key(0, 32),
            server: traffic_key(16, 36),
        }
    }
}

/// The contents of `sender`'s Finished
/// ([RFC 5246 §7.4.9](https://www.rfc-editor.org/rfc/rfc5246#section-7.4.9)).
pub(crate) fn verify_data(
    provider: &Provider,
    master: &Secret<48>,
    sender: Role,
    handshake_hash: &[u8; 32],
) -> [u8; VERIFY_DATA_LEN] {
    let label: &[u8] = match sender {
        Role::Client => b"client finished",
        Role::Server => b"server finished",
    };
    let mut out = [0; VERIFY_DATA_LEN];
    provider.tls12_prf(master.as_ref(), label, handshake_hash, &mut out);
    out
}
