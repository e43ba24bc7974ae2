//! A self-signed certificate for a TLS server that nobody vouches for.

use core::fmt;

use rcgen::{CertificateParams, DnType, KeyPair};
use zeroize::Zeroizing;

use crate::error::CryptoError;
use crate::identity::random_serial_number;
use crate::provider::Provider;

/// A certificate and its private key, to be handed to a TLS library.
///
/// Unlike an [`Identity`](crate::identity::Identity) it names the hosts it is for
/// ([RFC 6125](https://www.rfc-editor.org/rfc/rfc6125)), and gives its key away.
pub struct SelfSigned {
    certificate: Vec<u8>,
    private_key: Zeroizing<Vec<u8>>,
}

impl SelfSigned {
    /// Makes an ECDSA P-256 key and a certificate for it that is valid for `names`: host names, and IP addresses
    /// in their usual notation. The dates are those of an `Identity`, since no clock is at hand.
    ///
    /// # Errors
    ///
    /// A name is neither, or the cryptography fails.
    pub fn generate(
        provider: &Provider,
        names: impl IntoIterator<Item = String>,
    ) -> Result<Self, CryptoError> {
        let names: Vec<String> = names.into_iter().collect();
        let mut params = CertificateParams::new(names).map_err(|_| CryptoError::BadCertificate)?;
        params.serial_number = Some(random_serial_number(provider)?);
        params.distinguished_name.push(DnType::CommonName, "rtckit");
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        params.not_after = rcgen::date_time_ymd(2049, 12, 31);
        let key = KeyPair::generate().map_err(|_| CryptoError::Signing)?;
        let certificate = params.self_signed(&key).map_err(|_| CryptoError::Signing)?;
        Ok(Self {
            certificate: certificate.der().to_vec(),
            private_key: Zeroizing::new(key.serialize_der()),
        })
    }

    /// The certificate, X.509 in DER.
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate
    }

    /// The private key, PKCS #8 in DER.
    pub fn private_key_der(&self) -> &[u8] {
        &self.private_key
    }
}

impl fmt::Debug for SelfSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SelfSigned").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;

    #[test]
    fn certificate_and_key_belong_together() {
        let provider = Provider::ring();
        let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
        let made = SelfSigned::generate(&provider, names).unwrap();
        Identity::from_der(&provider, made.certificate_der(), made.private_key_der()).unwrap();
        let names_localhost = made
            .certificate_der()
            .windows(9)
            .any(|window| window == b"localhost");
        assert!(names_localhost);
    }

    #[test]
    fn a_name_that_is_none() {
        let made = SelfSigned::generate(&Provider::ring(), ["höst".to_owned()]);
        assert_eq!(made.err(), Some(CryptoError::BadCertificate));
    }
}
