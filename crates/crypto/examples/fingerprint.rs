//! The `a=fingerprint` line of a certificate: `cargo run -p rtckit-crypto --example fingerprint [CERTIFICATE.der]`.
//!
//! Without a file it makes a certificate as each peer connection does, and shows that its key signs.

use core::error::Error;

use rtckit_crypto::fingerprint::{Fingerprint, HashAlgorithm};
use rtckit_crypto::identity::Identity;
use rtckit_crypto::provider::Provider;

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(file) = std::env::args().nth(1) {
        let certificate = std::fs::read(&file).map_err(|error| format!("{file}: {error}"))?;
        println!(
            "a=fingerprint:{}",
            Fingerprint::of(HashAlgorithm::Sha256, &certificate)
        );
        return Ok(());
    }
    let provider = Provider::ring();
    let identity = Identity::generate(&provider)?;
    println!(
        "a=fingerprint:{}",
        identity.fingerprint(HashAlgorithm::Sha256)
    );

    let message = b"whoever has the certificate can check this";
    let (scheme, signature) =
        identity.sign(provider.signature_schemes().iter().copied(), message)?;
    provider.verify_signature(identity.certificate_der(), scheme, message, &signature)?;
    println!(
        "a signature of {} bytes under scheme {:#06x} fits it",
        signature.len(),
        scheme.0
    );
    Ok(())
}
