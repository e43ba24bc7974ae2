//! A whole connection: two peers from nothing to connected, offer and answer as text, ICE with a host candidate each,
//! DTLS 1.2 with certificates made beforehand, keys for SRTP. One video section with VP8, its RTX and feedback; no data
//! channel, since rtckit has none yet.
//!
//! What is measured is processor time, of both sides together, so that nobody pays for waiting. In memory both share one
//! thread and a virtual network without delay; over UDP both share one thread of tokio and the host's loopback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtckit::{Identity, Provider};

use crate::harness::{Meter, Work};

const RIVAL_STR0M: &str = "str0m 0.24.1";
const RIVAL_WEBRTC: &str = "webrtc 0.21.1";

const LEFT: &str = "10.0.0.1:1000";
const RIGHT: &str = "10.0.0.2:2000";
/// Virtual time in memory, real time over UDP: who is not connected by then never will be.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn works() -> Vec<Work<'static>> {
    let mut memory = Work::new("connect two peers in memory, 1 video section");
    for provider in [Provider::aws_lc_rs(), Provider::ring()] {
        let crypto = provider.name();
        let ends = identities(&provider);
        memory.ours("rtckit", crypto, move |meter, times| {
            each(meter, times, || in_memory::connect(&provider, &ends));
        });
    }
    let ends = str0m_pair::Ends::new();
    memory.rival(RIVAL_STR0M, "aws-lc-rs", move |meter, times| {
        each(meter, times, || ends.connect());
    });
    let aws_lc_rs = aws_lc_rs_floor::Keys::new();
    memory.floor(FLOOR, "aws-lc-rs", move |meter, times| {
        each(meter, times, || aws_lc_rs.handshake());
    });
    let ring = ring_floor::Keys::new();
    memory.floor(FLOOR, "ring", move |meter, times| {
        each(meter, times, || ring.handshake());
    });

    let mut udp = Work::new("connect two peers over loopback UDP, 1 video section");
    let provider = Provider::ring();
    let ends = identities(&provider);
    udp.ours("rtckit", "ring", move |meter, times| {
        over_udp(meter, times, || tokio_pair::connect(&provider, &ends));
    });
    let ends = webrtc_pair::Ends::new();
    udp.rival(RIVAL_WEBRTC, "ring", move |meter, times| {
        over_udp(meter, times, || ends.connect());
    });
    let ring = ring_floor::Keys::new();
    udp.floor(FLOOR, "ring", move |meter, times| {
        each(meter, times, || ring.handshake());
    });
    vec![memory, udp]
}

const FLOOR: &str = "the public-key operations alone";

fn identities(provider: &Provider) -> [Arc<Identity>; 2] {
    [(); 2].map(|()| Arc::new(Identity::generate(provider).expect("a key")))
}

/// Dropping what was made is not measured.
fn each<T>(meter: &mut Meter, times: u64, mut connect: impl FnMut() -> T) {
    for _ in 0..times {
        drop(meter.cpu(&mut connect));
    }
}

/// Nor is the runtime's beginning and end: each connection has its own, so that none works on for another.
fn over_udp<F: Future<Output: Close>>(
    meter: &mut Meter,
    times: u64,
    mut connect: impl FnMut() -> F,
) {
    for _ in 0..times {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let connected = meter.cpu(|| {
            runtime.block_on(async {
                tokio::time::timeout(PATIENCE, connect())
                    .await
                    .expect("connected in time")
            })
        });
        runtime.block_on(connected.close());
        runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

/// What wants to be closed before its runtime goes.
trait Close {
    async fn close(self);
}

/// rtckit's machine.
mod in_memory {
    use rtckit::{ConnectionState, Direction, MediaKind};
    use rtckit_peer::{Config, Peer};
    use rtckit_proto::{Datagram, Instant, WallClock};

    use super::{Arc, Duration, Identity, PATIENCE, Provider, SocketAddr};

    pub(super) fn connect(provider: &Provider, identities: &[Arc<Identity>; 2]) -> [Peer; 2] {
        let mut now = Instant::ZERO;
        let peer = |identity: &Arc<Identity>, address: &str| {
            let wall_clock = WallClock::new(Duration::from_secs(1_700_000_000));
            let config = Config::new(provider.clone(), Arc::clone(identity), wall_clock);
            let mut peer = Peer::new(config, now).expect("randomness");
            let address: SocketAddr = address.parse().expect("an address");
            peer.add_local_address(now, address);
            peer.end_of_local_addresses(now);
            peer
        };
        let mut left = peer(&identities[0], super::LEFT);
        let mut right = peer(&identities[1], super::RIGHT);
        left.add_transceiver(MediaKind::Video, Direction::SendOnly)
            .expect("the first");
        let offer = left.create_offer().expect("stable");
        left.set_local_description(now, offer).expect("just made");
        let offer = left.local_description().expect("just set");
        right.set_remote_description(now, offer).expect("ours");
        let answer = right.create_answer().expect("an offer waits");
        right.set_local_description(now, answer).expect("just made");
        let answer = right.local_description().expect("just set");
        left.set_remote_description(now, answer).expect("ours");

        let mut buf = vec![0; 65_535];
        let connected = |peer: &Peer| peer.connection_state() == ConnectionState::Connected;
        loop {
            while carry(now, &mut left, &mut right, &mut buf)
                | carry(now, &mut right, &mut left, &mut buf)
            {}
            if connected(&left) && connected(&right) {
                return [left, right];
            }
            let due = left.poll_timeout().into_iter().chain(right.poll_timeout());
            now = due.min().expect("there is more to do").max(now);
            assert!(now < Instant::ZERO + PATIENCE, "rtckit connects");
            left.handle_timeout(now);
            right.handle_timeout(now);
        }
    }

    fn carry(now: Instant, from: &mut Peer, to: &mut Peer, buf: &mut [u8]) -> bool {
        let mut moved = false;
        while let Some(transmit) = from.poll_transmit(now, buf) {
            moved = true;
            let stride = transmit.segment_size.unwrap_or(transmit.range.len());
            let path = transmit.path.reversed();
            let data = &mut buf[transmit.range];
            let datagram = Datagram {
                stride,
                ..Datagram::new(path, data)
            };
            to.handle_input(now, datagram);
        }
        while from.poll_event().is_some() {}
        moved
    }
}

mod str0m_pair {
    use str0m::change::{SdpAnswer, SdpOffer};
    use str0m::config::{CryptoProvider, DtlsCert, DtlsVersion};
    use str0m::media::{Direction, MediaKind};
    use str0m::net::{Protocol, Receive};
    use str0m::{Candidate, Input, Output, Rtc, RtcConfig};

    use super::{Arc, Instant, PATIENCE, SocketAddr};

    /// What str0m lets one make beforehand.
    pub(super) struct Ends {
        provider: Arc<CryptoProvider>,
        certificates: [DtlsCert; 2],
    }

    impl Ends {
        pub(super) fn new() -> Self {
            let provider = Arc::new(str0m::crypto::from_feature_flags());
            let certificate = || provider.dtls_provider.generate_certificate();
            let certificates = [(); 2].map(|()| certificate().expect("a certificate"));
            Self {
                provider,
                certificates,
            }
        }

        pub(super) fn connect(&self) -> [Rtc; 2] {
            let addresses: [SocketAddr; 2] =
                [super::LEFT, super::RIGHT].map(|address| address.parse().expect("an address"));
            let mut now = Instant::now();
            let started = now;
            let mut peers = [0, 1].map(|end| {
                let mut peer = RtcConfig::new()
                    .set_crypto_provider(Arc::clone(&self.provider))
                    .set_dtls_cert(self.certificates[end].clone())
                    .set_dtls_version(DtlsVersion::Dtls12)
                    .clear_codecs()
                    .enable_vp8(true)
                    .build(now);
                let candidate = Candidate::host(addresses[end], "udp").expect("an address");
                peer.add_local_candidate(candidate);
                peer
            });
            signal(&mut peers);

            let mut due = [now; 2];
            loop {
                while carry(&mut peers, 0, now, &mut due) | carry(&mut peers, 1, now, &mut due) {}
                if peers.iter().all(Rtc::is_connected) {
                    return peers;
                }
                now = due[0].min(due[1]).max(now);
                assert!(now - started < PATIENCE, "str0m connects");
                for peer in &mut peers {
                    peer.handle_input(Input::Timeout(now)).expect("alive");
                }
            }
        }
    }

    fn signal([left, right]: &mut [Rtc; 2]) {
        let mut changes = left.sdp_api();
        changes.add_media(MediaKind::Video, Direction::SendOnly, None, None, None);
        let (offer, pending) = changes.apply().expect("something to offer");
        let offer = SdpOffer::from_sdp_string(&offer.to_sdp_string()).expect("its own");
        let answer = right.sdp_api().accept_offer(offer).expect("its own");
        let answer = SdpAnswer::from_sdp_string(&answer.to_sdp_string()).expect("its own");
        let taken = left.sdp_api().accept_answer(pending, answer);
        taken.expect("its own");
    }

    fn carry(peers: &mut [Rtc; 2], from: usize, now: Instant, due: &mut [Instant; 2]) -> bool {
        let mut moved = false;
        loop {
            match peers[from].poll_output().expect("alive") {
                Output::Timeout(at) => {
                    due[from] = at;
                    return moved;
                }
                Output::Event(_) => {}
                Output::Transmit(transmit) => {
                    moved = true;
                    let receive = Receive {
                        proto: Protocol::Udp,
                        source: transmit.source,
                        destination: transmit.destination,
                        contents: (&transmit.contents[..]).try_into().expect("a datagram"),
                    };
                    let to = &mut peers[1 - from];
                    to.handle_input(Input::Receive(now, receive))
                        .expect("alive");
                    // it wants its output taken after every input
                    carry(peers, 1 - from, now, due);
                }
            }
        }
    }
}

/// rtckit with its driver.
mod tokio_pair {
    use rtckit::{Configuration, Direction, MediaKind, PeerConnection};

    use super::{Arc, Close, Identity, Provider};

    pub(super) async fn connect(
        provider: &Provider,
        identities: &[Arc<Identity>; 2],
    ) -> [PeerConnection; 2] {
        let peer = |end: usize| {
            let configuration = Configuration::new()
                .provider(provider.clone())
                .identity(Arc::clone(&identities[end]))
                .bind([([127, 0, 0, 1], 0).into()]);
            PeerConnection::new(configuration)
        };
        let left = peer(0).await.expect("a socket");
        let right = peer(1).await.expect("a socket");
        left.add_transceiver(MediaKind::Video, Direction::SendOnly)
            .expect("the first");
        let offer = left.create_offer().await.expect("stable");
        left.set_local_description(offer).await.expect("just made");
        let offer = left.local_description().expect("just set");
        right.set_remote_description(offer).await.expect("ours");
        let answer = right.create_answer().await.expect("an offer waits");
        right
            .set_local_description(answer)
            .await
            .expect("just made");
        let answer = right.local_description().expect("just set");
        left.set_remote_description(answer).await.expect("ours");
        left.connected().await.expect("it connects");
        right.connected().await.expect("it connects");
        [left, right]
    }

    impl Close for [PeerConnection; 2] {
        async fn close(self) {
            for peer in self {
                peer.close().await;
            }
        }
    }
}

mod webrtc_pair {
    use rtc::peer_connection::configuration::media_engine::MIME_TYPE_VP8;
    use rtc::rtp_transceiver::rtp_sender::{
        RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RtpCodecKind,
    };
    use rtc_crypto::{RTCCrypto, SignatureScheme};
    use tokio::sync::mpsc;
    use webrtc::peer_connection::{
        MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
        RTCCertificate, RTCConfigurationBuilder, RTCIceGatheringState, RTCPeerConnectionState,
        Registry, register_default_interceptors,
    };
    use webrtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};

    use super::{Arc, Close};

    pub(super) struct Ends {
        certificates: [RTCCertificate; 2],
    }

    /// What a peer says of itself.
    #[derive(Debug, PartialEq)]
    pub(super) enum News {
        Gathered,
        Connected,
    }

    struct Handler(mpsc::UnboundedSender<News>);

    #[async_trait::async_trait]
    impl PeerConnectionEventHandler for Handler {
        async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
            if state == RTCIceGatheringState::Complete {
                let _ = self.0.send(News::Gathered);
            }
        }

        async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
            if state == RTCPeerConnectionState::Connected {
                let _ = self.0.send(News::Connected);
            }
        }
    }

    pub(super) type Peer = (Box<dyn PeerConnection>, mpsc::UnboundedReceiver<News>);

    impl Ends {
        pub(super) fn new() -> Self {
            let provider = rtc_crypto::default_provider().expect("ring");
            Self {
                certificates: [(); 2].map(|()| certificate(provider.crypto())),
            }
        }

        async fn peer(&self, end: usize) -> Peer {
            let (news, listener) = mpsc::unbounded_channel();
            let mut engine = media_engine();
            let interceptors = register_default_interceptors(Registry::new(), &mut engine);
            let configuration = RTCConfigurationBuilder::new()
                .with_certificates(vec![self.certificates[end].clone()])
                .build();
            let peer = PeerConnectionBuilder::new()
                .with_configuration(configuration)
                .with_media_engine(engine)
                .with_interceptor_registry(interceptors.expect("the defaults"))
                .with_handler(Arc::new(Handler(news)))
                .with_udp_addrs(vec!["127.0.0.1:0".to_owned()])
                .build()
                .await
                .expect("a socket");
            (Box::new(peer), listener)
        }

        pub(super) async fn connect(&self) -> [Peer; 2] {
            let mut left = self.peer(0).await;
            let mut right = self.peer(1).await;
            let init = RTCRtpTransceiverInit {
                direction: RTCRtpTransceiverDirection::Recvonly,
                streams: Vec::new(),
                send_encodings: Vec::new(),
            };
            left.0
                .add_transceiver_from_kind(RtpCodecKind::Video, Some(init))
                .await
                .expect("the first");
            let offer = left.0.create_offer(None).await.expect("stable");
            let offer = describe(&mut left, offer).await;
            right
                .0
                .set_remote_description(offer)
                .await
                .expect("its own");
            let answer = right.0.create_answer(None).await.expect("an offer waits");
            let answer = describe(&mut right, answer).await;
            left.0
                .set_remote_description(answer)
                .await
                .expect("its own");
            for (_, news) in [&mut left, &mut right] {
                assert_eq!(news.recv().await, Some(News::Connected));
            }
            [left, right]
        }
    }

    /// Sets the description and waits for the candidates to be in it.
    async fn describe(
        (peer, news): &mut Peer,
        description: webrtc::peer_connection::RTCSessionDescription,
    ) -> webrtc::peer_connection::RTCSessionDescription {
        peer.set_local_description(description)
            .await
            .expect("just made");
        assert_eq!(news.recv().await, Some(News::Gathered));
        peer.local_description().await.expect("just set")
    }

    fn certificate(crypto: &dyn RTCCrypto) -> RTCCertificate {
        let params = rcgen::CertificateParams::default();
        RTCCertificate::generate(crypto, SignatureScheme::EcdsaP256Sha256, params)
            .expect("a certificate")
    }

    /// VP8 and its RTX, as rtckit offers them.
    fn media_engine() -> MediaEngine {
        let mut engine = MediaEngine::default();
        let feedback = |typ: &str, parameter: &str| RTCPFeedback {
            typ: typ.to_owned(),
            parameter: parameter.to_owned(),
        };
        let codec = |mime_type: &str, fmtp: &str, rtcp_feedback| RTCRtpCodec {
            mime_type: mime_type.to_owned(),
            clock_rate: 90_000,
            channels: 0,
            sdp_fmtp_line: fmtp.to_owned(),
            rtcp_feedback,
        };
        let repair = vec![
            feedback("ccm", "fir"),
            feedback("nack", ""),
            feedback("nack", "pli"),
        ];
        for (rtp_codec, payload_type) in [
            (codec(MIME_TYPE_VP8, "", repair), 96),
            (codec("video/rtx", "apt=96", Vec::new()), 97),
        ] {
            let parameters = RTCRtpCodecParameters {
                rtp_codec,
                payload_type,
            };
            engine
                .register_codec(parameters, RtpCodecKind::Video)
                .expect("a codec");
        }
        engine
    }

    impl Close for [Peer; 2] {
        async fn close(self) {
            for (peer, _) in self {
                peer.close().await.expect("closed");
            }
        }
    }
}

/// The public-key steps of a handshake that nobody can leave out, both sides; ring and aws-lc-rs have the same API.
macro_rules! floor {
    ($module:ident, $library:ident, $pair:expr, $agree:expr) => {
        mod $module {
            use $library::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519};
            use $library::rand::SystemRandom;
            use $library::signature::{
                self, ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair,
            };

            pub(super) struct Keys {
                random: SystemRandom,
                identity: EcdsaKeyPair,
            }

            impl Keys {
                pub(super) fn new() -> Self {
                    let random = SystemRandom::new();
                    let curve = &ECDSA_P256_SHA256_ASN1_SIGNING;
                    let document = EcdsaKeyPair::generate_pkcs8(curve, &random).expect("a key");
                    let identity = $pair(document.as_ref(), &random).expect("a key");
                    Self { random, identity }
                }

                pub(super) fn handshake(&self) {
                    let private =
                        [(); 2].map(|()| EphemeralPrivateKey::generate(&X25519, &self.random));
                    let [left, right] = private.map(|key| key.expect("randomness"));
                    let public = [&left, &right].map(|key| key.compute_public_key());
                    let [for_right, for_left] = public.map(|key| key.expect("a key"));
                    for (key, peer) in [(left, for_left), (right, for_right)] {
                        let peer = UnparsedPublicKey::new(&X25519, peer.as_ref());
                        $agree(key, &peer);
                    }
                    let public = self.identity.public_key().as_ref();
                    let public = signature::UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public);
                    for message in [[1; 100], [2; 100]] {
                        let signature = self.identity.sign(&self.random, &message);
                        let signature = signature.expect("a signature");
                        public
                            .verify(&message, signature.as_ref())
                            .expect("its own");
                    }
                }
            }
        }
    };
}

floor!(
    ring_floor,
    ring,
    |document, random| EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document, random),
    |key, peer: &UnparsedPublicKey<_>| ring::agreement::agree_ephemeral(key, peer, |secret| {
        std::hint::black_box(secret[0])
    })
    .expect("a secret")
);
floor!(
    aws_lc_rs_floor,
    aws_lc_rs,
    |document, _: &_| EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document),
    |key, peer: &UnparsedPublicKey<_>| aws_lc_rs::agreement::agree_ephemeral(
        key,
        peer,
        aws_lc_rs::error::Unspecified,
        |secret| Ok(std::hint::black_box(secret[0]))
    )
    .expect("a secret")
);
