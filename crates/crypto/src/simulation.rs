//! **Insecure.** Cryptography that repeats from a seed, for simulations.
//!
//! Everything here has the lengths of the real thing and none of its strength: anybody who sees both public keys
//! knows the shared secret, anybody who sees a certificate can sign for it.

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rtckit_proto::{Random, SeededRandom};
use rustls::crypto::{ActiveKeyExchange, SharedSecret};
use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};

use crate::error::CryptoError;
use crate::mac::sha256;
use crate::provider::NamedGroup;

/// The seeded source everything is drawn from, in the order of the calls.
pub(crate) struct Simulation(Mutex<SeededRandom>);

impl Simulation {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(SeededRandom::new(seed)))
    }

    pub(crate) fn fill(&self, out: &mut [u8]) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill(out);
    }

    /// A generator of its own, so that how much one machine draws does not change what the next one gets.
    pub(crate) fn fork(&self) -> SeededRandom {
        let mut seed = [0; 8];
        self.fill(&mut seed);
        SeededRandom::new(u64::from_be_bytes(seed))
    }

    pub(crate) fn key_exchange(
        &self,
        group: NamedGroup,
    ) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        let len = match group {
            NamedGroup::X25519 => 32,
            NamedGroup::SECP256R1 => 65,
            _ => return Err(CryptoError::UnsupportedGroup),
        };
        let mut public_key = vec![0; len];
        self.fill(&mut public_key);
        Ok(Box::new(ToyKeyExchange { group, public_key }))
    }

    pub(crate) fn signing_key(&self) -> Arc<ToyKey> {
        let mut public_key = [4; 65];
        self.fill(&mut public_key[1..]);
        Arc::new(ToyKey { public_key })
    }
}

/// A key exchange whose secret is a hash of both public keys.
struct ToyKeyExchange {
    group: NamedGroup,
    public_key: Vec<u8>,
}

impl ActiveKeyExchange for ToyKeyExchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, rustls::Error> {
        if peer.len() != self.public_key.len() {
            return Err(rustls::PeerMisbehaved::InvalidKeyShare.into());
        }
        let (ours, theirs) = (&self.public_key[..], peer);
        let secret = sha256(&[b"toy", ours.min(theirs), ours.max(theirs)]);
        Ok(SharedSecret::from(&secret[..]))
    }

    fn pub_key(&self) -> &[u8] {
        &self.public_key
    }

    fn group(&self) -> rustls::NamedGroup {
        self.group.0.into()
    }
}

/// A key that passes for one of ECDSA P-256. There is no private half.
#[derive(Clone)]
pub(crate) struct ToyKey {
    public_key: [u8; 65],
}

impl fmt::Debug for ToyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ToyKey")
    }
}

/// The toy signature: 64 bytes, always.
fn toy_signature(public_key: &[u8], message: &[u8]) -> [u8; 64] {
    let mut signature = [0; 64];
    let (first, second) = signature.split_at_mut(32);
    first.copy_from_slice(&sha256(&[b"toy", public_key, message]));
    second.copy_from_slice(&sha256(&[first]));
    signature
}

/// Whether `signature` is the toy signature of `public_key`'s owner, or of anybody else for that matter.
pub(crate) fn toy_verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    toy_signature(public_key, message) == signature
}

impl SigningKey for ToyKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&SignatureScheme::ECDSA_NISTP256_SHA256)
            .then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for ToyKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        Ok(toy_signature(&self.public_key, message).to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP256_SHA256
    }
}

impl rcgen::PublicKeyData for ToyKey {
    fn der_bytes(&self) -> &[u8] {
        &self.public_key
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for ToyKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(toy_signature(&self.public_key, message).to_vec())
    }
}
