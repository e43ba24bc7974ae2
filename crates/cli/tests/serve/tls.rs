//! HTTPS: the certificate that is made, one that is given, and who believes which.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Output;
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rtckit_crypto::fingerprint::Fingerprint;
use tempfile::TempDir;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    self, ClientConfig, ClientConnection, DigitallySignedStruct, ProtocolVersion, RootCertStore,
    ServerConfig, ServerConnection, SignatureScheme, StreamOwned, SupportedProtocolVersion,
    version,
};

use crate::server::{Server, one_line, rtckit, whole};

/// An authority and a certificate of its making, in files.
struct Authority {
    folder: TempDir,
    authority: CertificateDer<'static>,
}

impl Authority {
    /// Vouches for a server of this name.
    fn vouching_for(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        fs::write(folder.path().join("cert.pem"), certificate.pem()).unwrap();
        fs::write(folder.path().join("key.pem"), key.serialize_pem()).unwrap();
        Self {
            folder,
            authority: authority.der().clone(),
        }
    }

    fn file(&self, name: &str) -> String {
        path(&self.folder, name).to_str().unwrap().to_owned()
    }

    fn server(&self) -> Server {
        Server::start(&[
            "--cert",
            &self.file("cert.pem"),
            "--key",
            &self.file("key.pem"),
        ])
    }
}

fn path(folder: &TempDir, name: &str) -> PathBuf {
    folder.path().join(name)
}

fn call(url: &str, options: &[&str]) -> Output {
    rtckit(&["call", url, "--seconds", "1", "--json"])
        .args(options)
        .output()
        .unwrap()
}

/// Asks for /status by way of `config`; what was answered, the certificate, and the version of TLS.
fn ask(
    server: &Server,
    config: ClientConfig,
) -> (String, CertificateDer<'static>, ProtocolVersion) {
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(&server.address).unwrap());
    stream
        .write_all(b"GET /status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let shown = stream.conn.peer_certificates().unwrap()[0].clone();
    (
        answer,
        shown.into_owned(),
        stream.conn.protocol_version().unwrap(),
    )
}

fn config(
    versions: &[&'static SupportedProtocolVersion],
    verifier: Option<Arc<dyn ServerCertVerifier>>,
    roots: RootCertStore,
) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap();
    match verifier {
        Some(verifier) => builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth(),
        None => builder.with_root_certificates(roots).with_no_client_auth(),
    }
}

/// Looks, and believes.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for (index, three) in certificate.chunks(3).enumerate() {
        let bits = (0..3).fold(0, |bits, index| {
            bits << 8 | u32::from(three.get(index).copied().unwrap_or(0))
        });
        for digit in 0..4 {
            let is_padding = digit > three.len();
            let value = (bits >> (18 - 6 * digit) & 63) as usize;
            text.push(if is_padding {
                '='
            } else {
                char::from(DIGITS[value])
            });
        }
        if index % 16 == 15 {
            text.push('\n');
        }
    }
    text + "\n-----END CERTIFICATE-----\n"
}

#[test]
fn a_certificate_made_for_the_run() {
    let server = Server::start(&["--tls"]);
    assert!(server.url().starts_with("https://127.0.0.1:"));
    let printed = server.listening["certificate"].as_str().unwrap();
    for version in [&version::TLS12, &version::TLS13] {
        let config = config(&[version], Some(Arc::new(Anyone)), RootCertStore::empty());
        let (answer, shown, spoken) = ask(&server, config);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.contains("\"peers\":0"), "{answer}");
        assert_eq!(spoken, version.version);
        assert!(printed.parse::<Fingerprint>().unwrap().matches(&shown));
    }

    let output = call(&server.url(), &["--insecure"]);
    whole(&output);
    let story = str::from_utf8(&output.stderr).unwrap();
    assert!(
        story.contains(&format!("is not checked: {printed}")),
        "{story}"
    );

    let said = one_line(&call(&server.url(), &[]));
    assert!(
        said.contains("--ca FILE") && said.contains("--insecure"),
        "{said}"
    );

    // The certificate itself may be whom to believe.
    let config = config(
        &[&version::TLS13],
        Some(Arc::new(Anyone)),
        RootCertStore::empty(),
    );
    let (_, shown, _) = ask(&server, config);
    let folder = tempfile::tempdir().unwrap();
    let file = path(&folder, "shown.pem");
    fs::write(&file, pem(&shown)).unwrap();
    whole(&call(&server.url(), &["--ca", file.to_str().unwrap()]));
    let by_name = server.url().replace("127.0.0.1", "localhost");
    whole(&call(&by_name, &["--ca", file.to_str().unwrap()]));
}

#[test]
fn a_certificate_that_is_given() {
    let authority = Authority::vouching_for("127.0.0.1");
    let server = authority.server();
    let mut roots = RootCertStore::empty();
    roots.add(authority.authority.clone()).unwrap();
    let (answer, shown, _) = ask(&server, config(&[&version::TLS13], None, roots));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let printed = server.listening["certificate"].as_str().unwrap();
    assert!(printed.parse::<Fingerprint>().unwrap().matches(&shown));

    whole(&call(&server.url(), &["--ca", &authority.file("ca.pem")]));
    whole(&call(&server.url(), &["--insecure"]));
    let stranger = Authority::vouching_for("127.0.0.1");
    let said = one_line(&call(&server.url(), &["--ca", &stranger.file("ca.pem")]));
    assert!(said.contains("nobody trusted vouches"), "{said}");
    let by_name = server.url().replace("127.0.0.1", "localhost");
    let said = one_line(&call(&by_name, &["--ca", &authority.file("ca.pem")]));
    assert!(said.contains("is not for localhost"), "{said}");
}

#[test]
fn what_cannot_be_believed() {
    let authority = Authority::vouching_for("127.0.0.1");
    let other = Authority::vouching_for("127.0.0.1");
    let output = rtckit(&["serve", "--listen", "127.0.0.1:0"])
        .args(["--cert", &authority.file("cert.pem")])
        .args(["--key", &other.file("key.pem")])
        .output()
        .unwrap();
    let said = one_line(&output);
    assert!(said.contains("cannot be used with the key"), "{said}");

    for (label, complaint) in [
        ("ENCRYPTED PRIVATE KEY", "is encrypted: write it without"),
        (
            "PRIVATE KEY",
            "holds no key that TLS takes here: RSA of 2048",
        ),
    ] {
        let key = authority.file("unusable.pem");
        let text = format!("-----BEGIN {label}-----\nMAA=\n-----END {label}-----\n");
        fs::write(&key, text).unwrap();
        let output = rtckit(&["serve", "--listen", "127.0.0.1:0"])
            .args(["--cert", &authority.file("cert.pem"), "--key", &key])
            .output()
            .unwrap();
        let said = one_line(&output);
        assert!(said.contains(complaint), "{said}");
    }

    let missing = authority.file("missing.pem");
    let said = one_line(&call("https://127.0.0.1:1", &["--ca", &missing]));
    assert!(
        said.starts_with(&format!("{missing}: cannot be read")),
        "{said}"
    );
    let key = authority.file("key.pem");
    let said = one_line(&call("https://127.0.0.1:1", &["--ca", &key]));
    assert!(said.ends_with("holds no certificate (PEM)"), "{said}");

    // The other protocol, both ways.
    let plain = Server::start(&[]);
    let url = plain.url().replace("http://", "https://");
    let said = one_line(&call(&url, &["--insecure"]));
    assert!(said.contains("does not speak TLS"), "{said}");
    let secure = authority.server();
    let url = secure.url().replace("https://", "http://");
    let said = one_line(&call(&url, &[]));
    assert!(said.contains("does not speak HTTP"), "{said}");
    let (mut stream, mut answer) = (TcpStream::connect(&secure.address).unwrap(), Vec::new());
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"));
}

/// An offer that began in secret is not repeated in the open.
#[test]
fn no_way_back_to_plain_http() {
    let authority = Authority::vouching_for("127.0.0.1");
    let key = PrivateKeyDer::from_pem_file(authority.file("key.pem")).unwrap();
    let chain = vec![CertificateDer::from_pem_file(authority.file("cert.pem")).unwrap()];
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        let _ = stream.read(&mut [0; 8192]).unwrap();
        let answer = "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/offer\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(answer.as_bytes()).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let said = one_line(&call(&format!("https://{address}"), &["--insecure"]));
    assert!(
        said.ends_with("it redirects to http://127.0.0.1:1/offer, in the clear"),
        "{said}"
    );
    server.join().unwrap();
}
