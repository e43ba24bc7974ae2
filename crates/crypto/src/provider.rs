//! Where key exchange, the PRF and secure randomness come from.

use core::fmt;
use std::sync::Arc;

use rtckit_proto::Random;
use rustls::crypto::{ActiveKeyExchange, CryptoProvider};
use rustls::{CipherSuite, SupportedCipherSuite, Tls12CipherSuite};

#[cfg(feature = "aead")]
use crate::aead::AesGcm;
use crate::error::CryptoError;
#[cfg(feature = "simulation")]
use crate::simulation::Simulation;

/// A cryptography library behind one small face. Cheap to clone: clones share everything.
///
/// ```
/// use rtckit_crypto::provider::{NamedGroup, Provider};
///
/// let provider = Provider::default();
/// let (ours, theirs) = (
///     provider.key_exchange(NamedGroup::X25519)?,
///     provider.key_exchange(NamedGroup::X25519)?,
/// );
/// let (our_public, their_public) = (ours.public_key().to_vec(), theirs.public_key().to_vec());
/// assert_eq!(
///     ours.complete(&their_public)?.as_ref(),
///     theirs.complete(&our_public)?.as_ref(),
/// );
/// # Ok::<(), rtckit_crypto::error::CryptoError>(())
/// ```
#[derive(Clone)]
pub struct Provider(Arc<Inner>);

struct Inner {
    name: &'static str,
    /// Hash, PRF, groups, verification and randomness. The simulation takes ring's hash and PRF, which repeat.
    library: CryptoProvider,
    /// Where the TLS 1.2 PRF and hash are found.
    suite: &'static Tls12CipherSuite,
    #[cfg(feature = "aead")]
    aes_128_gcm: fn(&[u8; 16]) -> AesGcm,
    #[cfg(feature = "simulation")]
    simulation: Option<Simulation>,
}

impl Provider {
    /// The default: ring.
    pub fn ring() -> Self {
        Self(Arc::new(Inner {
            name: "ring",
            suite: tls12_suite(rustls::crypto::ring::ALL_CIPHER_SUITES),
            library: rustls::crypto::ring::default_provider(),
            #[cfg(feature = "aead")]
            aes_128_gcm: AesGcm::new_128,
            #[cfg(feature = "simulation")]
            simulation: None,
        }))
    }

    /// AWS-LC.
    #[cfg(feature = "aws-lc-rs")]
    pub fn aws_lc_rs() -> Self {
        Self(Arc::new(Inner {
            name: "aws-lc-rs",
            suite: tls12_suite(rustls::crypto::aws_lc_rs::ALL_CIPHER_SUITES),
            library: rustls::crypto::aws_lc_rs::default_provider(),
            aes_128_gcm: AesGcm::new_128_aws_lc_rs,
            #[cfg(feature = "simulation")]
            simulation: None,
        }))
    }

    /// **Insecure.** A provider whose every byte repeats from `seed`, for simulations and tests.
    ///
    /// Randomness is a seeded generator, a key exchange's secret can be computed from the two public keys, and
    /// everybody can sign for everybody. Lengths are those of the real thing, and fixed, so that a simulated run
    /// replays byte for byte. Hashes, the PRF and AES-GCM are real. It understands only its own kind.
    #[cfg(feature = "simulation")]
    pub fn simulation(seed: u64) -> Self {
        Self(Arc::new(Inner {
            name: "simulation",
            suite: tls12_suite(rustls::crypto::ring::ALL_CIPHER_SUITES),
            library: rustls::crypto::ring::default_provider(),
            #[cfg(feature = "aead")]
            aes_128_gcm: AesGcm::new_128,
            simulation: Some(Simulation::new(seed)),
        }))
    }

    /// The name of the library: `ring`, `aws-lc-rs` or `simulation`.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// Fills `out` with bytes nobody can guess (but for the simulation's).
    ///
    /// Fails with [`CryptoError::NoRandomness`] when the system has none, as it may early at boot.
    pub fn fill_random(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        #[cfg(feature = "simulation")]
        if let Some(simulation) = &self.0.simulation {
            simulation.fill(out);
            return Ok(());
        }
        self.0
            .library
            .secure_random
            .fill(out)
            .map_err(|_| CryptoError::NoRandomness)
    }

    /// A source of secure random bytes for a machine that wants to keep one.
    ///
    /// It cannot report failure. Should the system's source fail, which on the supported systems it can only do
    /// early at boot, it panics rather than hand out bytes that can be guessed.
    pub fn random(&self) -> Box<dyn Random + Send + Sync> {
        #[cfg(feature = "simulation")]
        if let Some(simulation) = &self.0.simulation {
            return Box::new(simulation.fork());
        }
        Box::new(SecureRandom(self.clone()))
    }

    /// The groups it can exchange keys in, the preferred one first.
    pub fn groups(&self) -> &'static [NamedGroup] {
        &[NamedGroup::X25519, NamedGroup::SECP256R1]
    }

    /// Starts a key exchange with a fresh private key.
    pub fn key_exchange(&self, group: NamedGroup) -> Result<KeyExchange, CryptoError> {
        #[cfg(feature = "simulation")]
        if let Some(simulation) = &self.0.simulation {
            return simulation.key_exchange(group).map(KeyExchange);
        }
        let wanted = rustls::NamedGroup::from(group.0);
        let supported = self
            .0
            .library
            .kx_groups
            .iter()
            .find(|supported| supported.name() == wanted && self.groups().contains(&group))
            .ok_or(CryptoError::UnsupportedGroup)?;
        supported
            .start()
            .map(KeyExchange)
            .map_err(|_| CryptoError::NoRandomness)
    }

    /// The pseudorandom function of TLS 1.2 with SHA-256
    /// ([RFC 5246 §5](https://www.rfc-editor.org/rfc/rfc5246#section-5)): fills `out`.
    pub fn tls12_prf(&self, secret: &[u8], label: &[u8], seed: &[u8], out: &mut [u8]) {
        self.0
            .suite
            .prf_provider
            .for_secret(out, secret, label, seed);
    }

    /// SHA-256.
    pub fn sha256(&self, data: &[u8]) -> [u8; 32] {
        let mut digest = [0; 32];
        let output = self.0.suite.common.hash_provider.hash(data);
        // the suite's name fixes its hash, so the lengths agree
        digest.copy_from_slice(output.as_ref());
        digest
    }

    /// An AES-128-GCM key of this library.
    #[cfg(feature = "aead")]
    pub fn aes_128_gcm(&self, key: &[u8; 16]) -> AesGcm {
        (self.0.aes_128_gcm)(key)
    }

    #[cfg(feature = "identity")]
    pub(crate) fn library(&self) -> &CryptoProvider {
        &self.0.library
    }

    #[cfg(feature = "simulation")]
    pub(crate) fn as_simulation(&self) -> Option<&Simulation> {
        self.0.simulation.as_ref()
    }
}

impl Default for Provider {
    fn default() -> Self {
        Self::ring()
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({})", self.0.name)
    }
}

/// A key-exchange group by its number
/// ([IANA: TLS Supported Groups](https://www.rfc-editor.org/rfc/rfc8422#section-5.1.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedGroup(pub u16);

impl NamedGroup {
    /// NIST P-256.
    pub const SECP256R1: Self = Self(23);
    /// Curve25519.
    pub const X25519: Self = Self(29);
}

/// A signature scheme by its number; in TLS 1.2 the pair of hash and signature algorithm
/// ([RFC 5246 §7.4.1.4.1](https://www.rfc-editor.org/rfc/rfc5246#section-7.4.1.4.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignatureScheme(pub u16);

impl SignatureScheme {
    /// ECDSA with SHA-256.
    pub const ECDSA_SHA256: Self = Self(0x0403);
    /// ECDSA with SHA-384.
    pub const ECDSA_SHA384: Self = Self(0x0503);
    /// RSA PKCS #1 v1.5 with SHA-256.
    pub const RSA_PKCS1_SHA256: Self = Self(0x0401);
    /// RSA PKCS #1 v1.5 with SHA-384.
    pub const RSA_PKCS1_SHA384: Self = Self(0x0501);
    /// RSA PKCS #1 v1.5 with SHA-512.
    pub const RSA_PKCS1_SHA512: Self = Self(0x0601);
    /// RSA-PSS with SHA-256.
    pub const RSA_PSS_SHA256: Self = Self(0x0804);
}

/// A key exchange under way: our private key, and the public one to send.
pub struct KeyExchange(Box<dyn ActiveKeyExchange>);

impl KeyExchange {
    /// The group.
    pub fn group(&self) -> NamedGroup {
        NamedGroup(self.0.group().into())
    }

    /// What the peer needs to know; for elliptic curves the uncompressed point.
    pub fn public_key(&self) -> &[u8] {
        self.0.pub_key()
    }

    /// The secret shared with the owner of `peer_public_key`.
    pub fn complete(self, peer_public_key: &[u8]) -> Result<SharedSecret, CryptoError> {
        self.0
            .complete(peer_public_key)
            .map(SharedSecret)
            .map_err(|_| CryptoError::BadKeyShare)
    }
}

impl fmt::Debug for KeyExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyExchange({:?})", self.group())
    }
}

/// What a key exchange agreed on; overwritten when dropped.
pub struct SharedSecret(rustls::crypto::SharedSecret);

impl AsRef<[u8]> for SharedSecret {
    fn as_ref(&self) -> &[u8] {
        self.0.secret_bytes()
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret([redacted])")
    }
}

/// The provider's randomness as a [`Random`].
struct SecureRandom(Provider);

impl Random for SecureRandom {
    fn fill(&mut self, out: &mut [u8]) {
        if let Err(error) = self.0.fill_random(out) {
            panic!("{error}");
        }
    }
}

/// The suite whose PRF and hash stand for all of DTLS 1.2 here: both are SHA-256's.
fn tls12_suite(suites: &[SupportedCipherSuite]) -> &'static Tls12CipherSuite {
    let suite = suites.iter().find_map(|suite| match suite {
        SupportedCipherSuite::Tls12(suite)
            if suite.common.suite == CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 =>
        {
            Some(*suite)
        }
        _ => None,
    });
    match suite {
        Some(suite) => suite,
        None => unreachable!("the feature tls12 of rustls is on"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn providers() -> Vec<Provider> {
        vec![
            Provider::ring(),
            #[cfg(feature = "aws-lc-rs")]
            Provider::aws_lc_rs(),
            #[cfg(feature = "simulation")]
            Provider::simulation(1),
        ]
    }

    fn unhex(hex: &str) -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
            .collect()
    }

    /// The "test label" vector of the IETF TLS working group's list.
    #[test]
    fn prf_vector() {
        let secret = unhex("9bbe436ba940f017b17652849a71db35");
        let seed = unhex("a0ba9f936cda311827a6f796ffd5198c");
        let expected = unhex(concat!(
            "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7",
            "077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66"
        ));
        for provider in providers() {
            let mut out = [0xa5; 100];
            provider.tls12_prf(&secret, b"test label", &seed, &mut out);
            assert_eq!(out[..], expected, "{provider:?}");
        }
    }

    #[test]
    fn sha256_of_abc() {
        let expected = unhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        for provider in providers() {
            assert_eq!(provider.sha256(b"abc")[..], expected, "{provider:?}");
        }
    }

    #[test]
    fn both_sides_of_an_exchange_agree_and_a_third_does_not() {
        for provider in providers() {
            for &group in provider.groups() {
                let [a, b, c] = [(); 3].map(|()| provider.key_exchange(group).unwrap());
                assert_eq!(a.group(), group);
                let (a_public, b_public) = (a.public_key().to_vec(), b.public_key().to_vec());
                let a = a.complete(&b_public).unwrap();
                assert_eq!(a.as_ref(), b.complete(&a_public).unwrap().as_ref());
                assert_ne!(a.as_ref(), c.complete(&a_public).unwrap().as_ref());
            }
        }
    }

    #[test]
    fn key_shares_of_the_wrong_shape_are_refused() {
        for provider in providers() {
            for &group in provider.groups() {
                let exchange = provider.key_exchange(group).unwrap();
                assert_eq!(
                    exchange.complete(&[4; 31]).unwrap_err(),
                    CryptoError::BadKeyShare
                );
            }
            assert_eq!(
                provider.key_exchange(NamedGroup(4588)).unwrap_err(),
                CryptoError::UnsupportedGroup
            );
        }
    }

    #[test]
    fn secure_randomness_differs_from_call_to_call() {
        for provider in providers() {
            let (mut a, mut b) = ([0; 32], [0; 32]);
            provider.random().fill(&mut a);
            provider.random().fill(&mut b);
            assert_ne!(a, b, "{provider:?}");
        }
    }

    /// AES-128-GCM test case 4 of the GCM specification, which RFC 7714 refers to.
    #[cfg(feature = "aead")]
    #[test]
    fn gcm_vector() {
        let key: [u8; 16] = unhex("feffe9928665731c6d6a8f9467308308")
            .try_into()
            .unwrap();
        let nonce: [u8; 12] = unhex("cafebabefacedbaddecaf888").try_into().unwrap();
        let aad = unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let plain = unhex(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        );
        let sealed = unhex(
            "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
        );
        for provider in providers() {
            let aes = provider.aes_128_gcm(&key);
            let mut data = plain.clone();
            let mut tag = [0xa5; 16];
            aes.seal(&nonce, &aad, &mut data, &mut tag).unwrap();
            assert_eq!(data, sealed, "{provider:?}");
            assert_eq!(tag[..], unhex("5bc94fbc3221a5db94fae95ae7121a47"));
            aes.open(&nonce, &aad, &mut data, &tag).unwrap();
            assert_eq!(data, plain);
            let mut sealed_with_tag = [&sealed[..], &tag].concat();
            assert_eq!(
                aes.open_with_tag(&nonce, &aad, &mut sealed_with_tag),
                Ok(60)
            );
            assert_eq!(sealed_with_tag[..60], plain);
            tag[0] ^= 1;
            data.copy_from_slice(&sealed);
            assert!(aes.open(&nonce, &aad, &mut data, &tag).is_err());
        }
    }
}
