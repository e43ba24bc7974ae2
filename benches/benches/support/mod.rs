//! What the benches share.
#![allow(dead_code, reason = "each bench uses its part")]

use core::time::Duration;
use std::sync::Arc;

use rtckit_crypto::fingerprint::HashAlgorithm;
use rtckit_crypto::identity::Identity;
use rtckit_crypto::provider::Provider;
use rtckit_dtls::{Connection, Verify};
use rtckit_peer::{ConnectionState, Direction, MediaKind, Peer, TransceiverId};
use rtckit_proto::{Datagram, FiveTuple, Instant, SrtpProfile, WallClock};
use rtckit_rtp::{Extension, Header, PayloadType, Ssrc};
use rtckit_srtp::SendContext;

// SRTP

/// The profiles, the fast one first.
pub(crate) const PROFILES: [SrtpProfile; 2] =
    [SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmHmacSha1_80];
pub(crate) const KEY: [u8; 16] = [7; 16];

pub(crate) fn salt(profile: SrtpProfile) -> &'static [u8] {
    &[9; 14][..profile.salt_len()]
}

pub(crate) fn send_context(profile: SrtpProfile) -> SendContext {
    SendContext::new(profile, &KEY, salt(profile)).expect("keys of the right length")
}

/// A packet of `len` bytes with a header of 24 bytes, two extensions in it, as browsers send.
pub(crate) fn rtp_packet(sequence_number: u16, len: usize) -> Vec<u8> {
    let header = Header {
        marker: false,
        payload_type: PayloadType(96),
        sequence_number,
        timestamp: 90_000,
        ssrc: Ssrc(0x1234_5678),
        csrcs: &[],
        extensions: &[
            Extension {
                id: 3,
                data: &[0, 1],
            },
            Extension { id: 4, data: b"0" },
        ],
    };
    let mut packet = vec![0x5a; len];
    let written = header.write(&mut packet).expect("room for a header");
    assert_eq!(written, 24);
    packet
}

// DTLS

pub(crate) fn path() -> FiveTuple {
    FiveTuple::udp(([192, 0, 2, 1], 1000).into(), ([192, 0, 2, 2], 2000).into())
}

pub(crate) fn identities(provider: &Provider) -> [Arc<Identity>; 2] {
    [(); 2].map(|()| Arc::new(Identity::generate(provider).expect("a key")))
}

/// The configurations of a client and a server that expect each other.
pub(crate) fn dtls_configs(provider: &Provider) -> [Arc<rtckit_dtls::Config>; 2] {
    let identities = identities(provider);
    [0, 1].map(|end| {
        let fingerprint = identities[1 - end].fingerprint(HashAlgorithm::Sha256);
        let verify = Verify::Fingerprints(vec![fingerprint]);
        let mut config =
            rtckit_dtls::Config::new(provider.clone(), identities[end].clone(), verify);
        config.srtp_profiles = PROFILES.to_vec();
        Arc::new(config)
    })
}

/// A client and a server that have just connected.
pub(crate) fn dtls_handshake(configs: &[Arc<rtckit_dtls::Config>; 2]) -> [Connection; 2] {
    let now = Instant::ZERO;
    let [client, server] = configs;
    let mut ends = [
        Connection::client(client.clone(), path(), now).expect("the defaults"),
        Connection::server(server.clone(), path().reversed(), now).expect("the defaults"),
    ];
    let mut buf = [0; 2048];
    loop {
        let mut moved = false;
        for from in 0..2 {
            while let Some(transmit) = ends[from].poll_transmit(now, &mut buf) {
                moved = true;
                let datagram = Datagram::new(transmit.path.reversed(), &mut buf[transmit.range]);
                ends[1 - from].handle_input(now, datagram);
            }
        }
        if !moved {
            break;
        }
    }
    assert!(ends.iter().all(Connection::is_connected));
    ends
}

// Peers

/// Two connected peers: the left one sends video.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) left: Peer,
    pub(crate) right: Peer,
    pub(crate) now: Instant,
    /// The left peer's transceiver.
    pub(crate) video: TransceiverId,
    /// The right peer's.
    pub(crate) receiving: TransceiverId,
}

/// The path between two peers, from the left one's side.
pub(crate) fn peer_path() -> FiveTuple {
    path()
}

/// Two peers from nothing to connected, in virtual time.
pub(crate) fn call(provider: &Provider, identities: &[Arc<Identity>; 2]) -> Call {
    let mut now = Instant::ZERO;
    let peer = |identity: &Arc<Identity>, address| {
        let wall_clock = WallClock::new(Duration::from_secs(1_700_000_000));
        let config = rtckit_peer::Config::new(provider.clone(), identity.clone(), wall_clock);
        let mut peer = Peer::new(config, now).expect("randomness");
        peer.add_local_address(now, address);
        peer.end_of_local_addresses(now);
        peer
    };
    let mut left = peer(&identities[0], path().local);
    let mut right = peer(&identities[1], path().remote);
    let video = left
        .add_transceiver(MediaKind::Video, Direction::SendOnly)
        .expect("the first");
    let offer = left.create_offer().expect("stable");
    left.set_local_description(now, offer).expect("just made");
    let offer = left.local_description().expect("just set");
    right.set_remote_description(now, offer).expect("ours");
    let answer = right.create_answer().expect("an offer waits");
    right.set_local_description(now, answer).expect("just made");
    let answer = right.local_description().expect("just set");
    left.set_remote_description(now, answer).expect("ours");
    while left.connection_state() != ConnectionState::Connected
        || right.connection_state() != ConnectionState::Connected
    {
        exchange(now, &mut left, &mut right);
        let due = left.poll_timeout().into_iter().chain(right.poll_timeout());
        now = due.min().expect("there is more to do").max(now);
        left.handle_timeout(now);
        right.handle_timeout(now);
    }
    exchange(now, &mut left, &mut right);
    let receiving = right.transceivers().next().expect("the offer's").id;
    Call {
        left,
        right,
        now,
        video,
        receiving,
    }
}

/// Carries everything both ways until nothing is left.
pub(crate) fn exchange(now: Instant, left: &mut Peer, right: &mut Peer) {
    let mut buf = vec![0; 65_535];
    while carry(now, left, right, &mut buf) | carry(now, right, left, &mut buf) {}
}

fn carry(now: Instant, from: &mut Peer, to: &mut Peer, buf: &mut [u8]) -> bool {
    let mut moved = false;
    while let Some(transmit) = from.poll_transmit(now, buf) {
        moved = true;
        let stride = transmit
            .segment_size
            .unwrap_or_else(|| transmit.range.len());
        let path = transmit.path.reversed();
        let data = &mut buf[transmit.range];
        to.handle_input(
            now,
            Datagram {
                stride,
                ..Datagram::new(path, data)
            },
        );
    }
    while from.poll_event().is_some() {}
    moved
}
