//! As much of X.509 as WebRTC needs: where the public key is, and whether it signed something.
//!
//! A WebRTC certificate is a container for a key. Peers send version 1 certificates, odd critical extensions and
//! dates long past, so nothing but the path to the key is looked at
//! ([RFC 5280 §4.1](https://www.rfc-editor.org/rfc/rfc5280#section-4.1)):
//!
//! ```text
//! Certificate ::= SEQUENCE {
//!     tbsCertificate ::= SEQUENCE {
//!         version         [0] OPTIONAL
//!         serialNumber        INTEGER
//!         signature           SEQUENCE
//!         issuer              SEQUENCE
//!         validity            SEQUENCE
//!         subject             SEQUENCE
//!         subjectPublicKeyInfo SEQUENCE   <- this, tag and length included
//!         ...
//! ```

use rtckit_proto::{CursorError, Reader};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use webpki::RawPublicKeyEntity;

use crate::error::CryptoError;
use crate::provider::{Provider, SignatureScheme};

mod tag {
    pub(super) const INTEGER: u8 = 0x02;
    #[cfg(feature = "simulation")]
    pub(super) const BIT_STRING: u8 = 0x03;
    pub(super) const SEQUENCE: u8 = 0x30;
    pub(super) const VERSION: u8 = 0xa0;
}

/// The `SubjectPublicKeyInfo` of a certificate, itself in DER.
pub fn subject_public_key_info(certificate: &[u8]) -> Result<&[u8], CryptoError> {
    find_key(certificate).map_err(|_| CryptoError::BadCertificate)
}

fn find_key(certificate: &[u8]) -> Result<&[u8], CursorError> {
    let mut outer = Reader::new(certificate);
    let mut fields = Reader::new(element(&mut outer, tag::SEQUENCE)?.contents);
    outer.finish()?;
    let mut fields = Reader::new(element(&mut fields, tag::SEQUENCE)?.contents);
    if fields.remaining().first() == Some(&tag::VERSION) {
        element(&mut fields, tag::VERSION)?;
    }
    element(&mut fields, tag::INTEGER)?;
    for _algorithm_issuer_validity_subject in 0..4 {
        element(&mut fields, tag::SEQUENCE)?;
    }
    Ok(element(&mut fields, tag::SEQUENCE)?.whole)
}

struct Element<'a> {
    whole: &'a [u8],
    contents: &'a [u8],
}

/// Reads one element, which must have `tag`.
fn element<'a>(reader: &mut Reader<'a>, tag: u8) -> Result<Element<'a>, CursorError> {
    let start = reader.remaining();
    let position = reader.position();
    if reader.u8()? != tag {
        return Err(CursorError {
            position,
            expected: "another DER element",
        });
    }
    let len = match reader.u8()? {
        short @ 0..=0x7f => short.into(),
        0x81 => reader.u8()?.into(),
        0x82 => reader.u16()?.into(),
        0x83 => reader.u24()? as usize,
        _ => {
            return Err(CursorError {
                position,
                expected: "a definite length below 2^24",
            });
        }
    };
    let contents = reader.take(len)?;
    let whole = start
        .get(..reader.position() - position)
        .unwrap_or_default();
    Ok(Element { whole, contents })
}

impl Provider {
    /// The schemes [`verify_signature`](Self::verify_signature) understands, the preferred one first.
    pub fn signature_schemes(&self) -> &'static [SignatureScheme] {
        &[
            SignatureScheme::ECDSA_SHA256,
            SignatureScheme::ECDSA_SHA384,
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512,
        ]
    }

    /// Checks that the owner of `certificate` (DER) signed `message`.
    ///
    /// Only the signature is checked: not the certificate's own signature, dates, names or extensions. Schemes
    /// have their TLS 1.2 meaning, where ECDSA with SHA-256 may come with any curve.
    pub fn verify_signature(
        &self,
        certificate: &[u8],
        scheme: SignatureScheme,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        let key_info = subject_public_key_info(certificate)?;
        #[cfg(feature = "simulation")]
        if self.as_simulation().is_some() {
            return verify_toy(key_info, message, signature);
        }
        let key_info = SubjectPublicKeyInfoDer::from(key_info);
        let key =
            RawPublicKeyEntity::try_from(&key_info).map_err(|_| CryptoError::BadCertificate)?;
        let scheme = rustls::SignatureScheme::from(scheme.0);
        let (_, algorithms) = self
            .library()
            .signature_verification_algorithms
            .mapping
            .iter()
            .find(|(known, _)| *known == scheme)
            .ok_or(CryptoError::UnsupportedScheme)?;
        algorithms
            .iter()
            .any(|&algorithm| key.verify_signature(algorithm, message, signature).is_ok())
            .then_some(())
            .ok_or(CryptoError::BadSignature)
    }
}

#[cfg(feature = "simulation")]
fn verify_toy(key_info: &[u8], message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
    let public_key = || {
        let mut fields = Reader::new(element(&mut Reader::new(key_info), tag::SEQUENCE)?.contents);
        element(&mut fields, tag::SEQUENCE)?;
        let mut bits = Reader::new(element(&mut fields, tag::BIT_STRING)?.contents);
        bits.u8()?; // how many bits of the last byte are unused: none
        Ok::<_, CursorError>(bits.rest())
    };
    let public_key = public_key().map_err(|_| CryptoError::BadCertificate)?;
    crate::simulation::toy_verify(public_key, message, signature)
        .then_some(())
        .ok_or(CryptoError::BadSignature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;
    use proptest::prelude::*;

    #[test]
    fn truncated_certificates_are_refused() {
        let identity = Identity::generate(&Provider::ring()).unwrap();
        let certificate = identity.certificate_der();
        let key_info = subject_public_key_info(certificate).unwrap();
        assert_eq!(key_info.len(), 91, "a P-256 key");
        for len in 0..certificate.len() {
            assert_eq!(
                subject_public_key_info(&certificate[..len]),
                Err(CryptoError::BadCertificate)
            );
        }
    }

    /// Version 1: no version field, no extensions.
    #[test]
    fn version_1_certificates_have_a_key_too() {
        let tbs = [
            &[0x02, 1, 7][..],
            &[0x30, 0],
            &[0x30, 0],
            &[0x30, 0],
            &[0x30, 0],
            &[0x30, 2, 5, 0],
        ]
        .concat();
        let mut certificate = vec![0x30, tbs.len() as u8 + 2, 0x30, tbs.len() as u8];
        certificate.extend(tbs);
        assert_eq!(
            subject_public_key_info(&certificate),
            Ok(&[0x30, 2, 5, 0][..])
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = subject_public_key_info(&bytes);
        }
    }
}
