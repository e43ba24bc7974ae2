//! The key and self-signed certificate a peer is known by.

use core::fmt;
use std::sync::Arc;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SerialNumber};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;

use crate::error::CryptoError;
use crate::fingerprint::{Fingerprint, HashAlgorithm};
use crate::provider::{Provider, SignatureScheme};

/// A certificate and its private key.
///
/// WebRTC's certificates are self-signed and made on the spot: the peer trusts the fingerprint that arrives
/// through signalling ([RFC 8827 §6.5](https://www.rfc-editor.org/rfc/rfc8827#section-6.5)).
#[derive(Clone)]
pub struct Identity {
    certificate: Vec<u8>,
    key: Arc<dyn SigningKey>,
}

impl Identity {
    /// Makes an ECDSA P-256 key and a certificate for it.
    ///
    /// The certificate says nothing about its owner: the name is `WebRTC`, the serial number is random, and the
    /// dates are the same for all, 2000-01-01 to 2049-12-31, since nobody checks them and no clock is at hand.
    pub fn generate(provider: &Provider) -> Result<Self, CryptoError> {
        let params = certificate_params(provider)?;
        #[cfg(feature = "simulation")]
        if let Some(simulation) = provider.as_simulation() {
            let key = simulation.signing_key();
            let certificate = params
                .self_signed(key.as_ref())
                .map_err(|_| CryptoError::Signing)?;
            return Ok(Self {
                certificate: certificate.der().to_vec(),
                key,
            });
        }
        let key = KeyPair::generate().map_err(|_| CryptoError::Signing)?;
        let certificate = params.self_signed(&key).map_err(|_| CryptoError::Signing)?;
        Self::from_der(provider, certificate.der(), &key.serialize_der())
    }

    /// A certificate (X.509, DER) and its private key (PKCS #8, DER) that were made elsewhere.
    ///
    /// DTLS here needs an ECDSA key on P-256 or P-384. Fails when the key is of a kind the provider does not
    /// know, or visibly not the certificate's.
    pub fn from_der(
        provider: &Provider,
        certificate: &[u8],
        pkcs8: &[u8],
    ) -> Result<Self, CryptoError> {
        let key_info = crate::x509::subject_public_key_info(certificate)?;
        let key = PrivatePkcs8KeyDer::from(pkcs8.to_vec());
        let key = provider
            .library()
            .key_provider
            .load_private_key(key.into())
            .map_err(|_| CryptoError::BadPrivateKey)?;
        if key
            .public_key()
            .is_some_and(|public| public.as_ref() != key_info)
        {
            return Err(CryptoError::BadPrivateKey);
        }
        Ok(Self {
            certificate: CertificateDer::from(certificate).to_vec(),
            key,
        })
    }

    /// The certificate, DER.
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate
    }

    /// The certificate's fingerprint, for SDP.
    pub fn fingerprint(&self, algorithm: HashAlgorithm) -> Fingerprint {
        Fingerprint::of(algorithm, &self.certificate)
    }

    /// Signs `message` with the first scheme of `offered`, in our order of preference, that fits the key.
    ///
    /// Fails with [`CryptoError::UnsupportedScheme`] when none does.
    pub fn sign(
        &self,
        offered: impl IntoIterator<Item = SignatureScheme>,
        message: &[u8],
    ) -> Result<(SignatureScheme, Vec<u8>), CryptoError> {
        let offered: Vec<_> = offered
            .into_iter()
            .map(|scheme| rustls::SignatureScheme::from(scheme.0))
            .collect();
        let signer = self
            .key
            .choose_scheme(&offered)
            .ok_or(CryptoError::UnsupportedScheme)?;
        let signature = signer.sign(message).map_err(|_| CryptoError::Signing)?;
        Ok((SignatureScheme(signer.scheme().into()), signature))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.fingerprint(HashAlgorithm::Sha256))
    }
}

fn certificate_params(provider: &Provider) -> Result<CertificateParams, CryptoError> {
    let mut params = CertificateParams::default();
    params.serial_number = Some(random_serial_number(provider)?);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "WebRTC");
    params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    params.not_after = rcgen::date_time_ymd(2049, 12, 31);
    Ok(params)
}

pub(crate) fn random_serial_number(provider: &Provider) -> Result<SerialNumber, CryptoError> {
    let mut serial = [0; 16];
    provider.fill_random(&mut serial)?;
    // RFC 5280 §4.1.2.2: positive; and DER wants no leading zero
    serial[0] = serial[0] & 0x3f | 0x40;
    Ok(SerialNumber::from_slice(&serial))
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
            Provider::simulation(2),
        ]
    }

    #[test]
    fn what_one_signs_the_other_verifies() {
        for provider in providers() {
            let identity = Identity::generate(&provider).unwrap();
            let stranger = Identity::generate(&provider).unwrap();
            let (scheme, signature) = identity
                .sign(provider.signature_schemes().iter().copied(), b"message")
                .unwrap();
            assert_eq!(scheme, SignatureScheme::ECDSA_SHA256, "{provider:?}");
            let verify = |certificate, message: &[u8]| {
                provider.verify_signature(certificate, scheme, message, &signature)
            };
            assert_eq!(verify(identity.certificate_der(), b"message"), Ok(()));
            assert_eq!(
                verify(identity.certificate_der(), b"massage"),
                Err(CryptoError::BadSignature)
            );
            assert_eq!(
                verify(stranger.certificate_der(), b"message"),
                Err(CryptoError::BadSignature)
            );
            assert_eq!(
                identity.sign([SignatureScheme::RSA_PSS_SHA256], b"").err(),
                Some(CryptoError::UnsupportedScheme)
            );
        }
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let provider = Provider::ring();
        let identity = Identity::generate(&provider).unwrap();
        let key = KeyPair::generate().unwrap().serialize_der();
        assert_eq!(
            Identity::from_der(&provider, identity.certificate_der(), &key).err(),
            Some(CryptoError::BadPrivateKey)
        );
        assert_eq!(
            Identity::from_der(&provider, b"", &key).err(),
            Some(CryptoError::BadCertificate)
        );
    }

    #[cfg(feature = "simulation")]
    #[test]
    fn a_simulated_identity_repeats_from_its_seed() {
        let certificate = |seed| {
            Identity::generate(&Provider::simulation(seed))
                .unwrap()
                .certificate_der()
                .to_vec()
        };
        assert_eq!(certificate(7), certificate(7));
        assert_ne!(certificate(7), certificate(8));
    }
}
