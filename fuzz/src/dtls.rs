//! What the DTLS targets share: two ends that are the same in every run.

use std::sync::{Arc, OnceLock};

use rtckit_crypto::fingerprint::HashAlgorithm;
use rtckit_crypto::identity::Identity;
use rtckit_crypto::provider::Provider;
use rtckit_dtls::{Config, Connection, Verify};
use rtckit_proto::{Datagram, FiveTuple, Instant, SrtpProfile};

/// The client's index in every array here.
pub const CLIENT: usize = 0;
/// The server's.
pub const SERVER: usize = 1;

/// The path from the client's side.
pub fn path() -> FiveTuple {
    FiveTuple::udp(([192, 0, 2, 1], 1000).into(), ([192, 0, 2, 2], 2000).into())
}

/// The certificates of both ends; the same throughout the process, for making them is slow.
pub fn identities() -> &'static [Arc<Identity>; 2] {
    static IDENTITIES: OnceLock<[Arc<Identity>; 2]> = OnceLock::new();
    IDENTITIES.get_or_init(|| {
        [1, 2].map(|seed| {
            let provider = Provider::simulation(seed);
            Arc::new(Identity::generate(&provider).expect("a key"))
        })
    })
}

/// The configuration of one end, with the randomness it has in every run.
pub fn config(end: usize) -> Config {
    let verify = Verify::Fingerprints(vec![
        identities()[1 - end].fingerprint(HashAlgorithm::Sha256),
    ]);
    let provider = Provider::simulation(10 + end as u64);
    let mut config = Config::new(provider, identities()[end].clone(), verify);
    config.srtp_profiles = vec![SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmHmacSha1_80];
    config
}

/// The client and the server of two configurations.
pub fn connections([client, server]: [Config; 2]) -> [Connection; 2] {
    [
        Connection::client(Arc::new(client), path(), Instant::ZERO).expect("the defaults"),
        Connection::server(Arc::new(server), path().reversed(), Instant::ZERO)
            .expect("the defaults"),
    ]
}

/// Every datagram of an undisturbed handshake, by sender, in order.
pub fn recorded() -> &'static [Vec<Vec<u8>>; 2] {
    static RECORDED: OnceLock<[Vec<Vec<u8>>; 2]> = OnceLock::new();
    RECORDED.get_or_init(|| {
        let mut ends = connections([config(CLIENT), config(SERVER)]);
        let mut sent = [Vec::new(), Vec::new()];
        let now = Instant::ZERO;
        let mut buf = [0; 2048];
        loop {
            let mut moved = false;
            for from in [CLIENT, SERVER] {
                while let Some(transmit) = ends[from].poll_transmit(now, &mut buf) {
                    moved = true;
                    let path = transmit.path.reversed();
                    let bytes = &mut buf[transmit.range];
                    sent[from].push(bytes.to_vec());
                    ends[1 - from].handle_input(now, Datagram::new(path, bytes));
                }
            }
            if !moved {
                break;
            }
        }
        assert!(ends.iter().all(Connection::is_connected));
        sent
    })
}
