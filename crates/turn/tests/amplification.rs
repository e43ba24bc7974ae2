//! How much a server sends to an address that somebody else has forged.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod network;

use core::net::SocketAddr;

use network::{REALM, World, address, config};
use rtckit_proto::{Datagram, FiveTuple};
use rtckit_stun::{
    AttributeType, ChangeRequest, Class, Error, LongTermClient, Message, MessageWriter, Method,
    TransactionId,
};
use rtckit_turn::ServerConfig;

const LISTENERS: [[&str; 2]; 2] = [
    ["203.0.113.1:3478", "203.0.113.2:3479"],
    ["[2001:db8::1]:3478", "[2001:db8::2]:3479"],
];

/// Every method of STUN and TURN, and two that are none.
const METHODS: [Method; 11] = [
    Method::BINDING,
    Method::ALLOCATE,
    Method::REFRESH,
    Method::SEND,
    Method::CREATE_PERMISSION,
    Method::CHANNEL_BIND,
    Method::CONNECT,
    Method::CONNECTION_BIND,
    Method::CONNECTION_ATTEMPT,
    Method::new(2),
    Method::new(0xabc),
];

/// Sends requests, each from another address, and notes what comes back.
struct Prober {
    world: World,
    listener: SocketAddr,
    sent: u32,
    /// The lengths of the request and the answer whose quotient is the largest.
    worst: (usize, usize),
    answers: usize,
}

impl Prober {
    fn new(config: ServerConfig, listener: &str) -> Self {
        Self {
            world: World::new(1, config),
            listener: address(listener),
            sent: 0,
            worst: (1, 0),
            answers: 0,
        }
    }

    fn probe(&mut self, data: &mut [u8]) {
        self.sent += 1;
        let source = match self.listener {
            SocketAddr::V4(_) => SocketAddr::from((self.sent.to_be_bytes(), 5000)),
            SocketAddr::V6(_) => {
                let bits = 0x2001_0db8_u128 << 96 | u128::from(self.sent) << 64 | 1;
                SocketAddr::from((core::net::Ipv6Addr::from_bits(bits), 5000))
            }
        };
        let path = FiveTuple::udp(self.listener, source);
        let (now, len) = (self.world.now, data.len());
        let server = &mut self.world.server;
        assert!(
            server
                .handle_input(now, Datagram::new(path, data))
                .is_none()
        );
        assert!(server.poll_event().is_none(), "nothing is done for it");
        let mut buf = [0; 1400];
        let mut answer = 0;
        while let Some(sent) = server.poll_transmit(now, &mut buf) {
            assert_eq!(sent.path.remote.ip(), source.ip());
            assert_eq!(answer, 0, "one answer at most");
            answer = sent.range.len();
            self.answers += 1;
        }
        if answer * self.worst.0 > self.worst.1 * len {
            self.worst = (len, answer);
        }
    }

    fn write(
        &mut self,
        class: Class,
        method: Method,
        fill: impl Fn(&mut MessageWriter<'_>) -> Result<(), Error>,
    ) {
        for has_fingerprint in [false, true] {
            let mut buf = [0; 1400];
            let id = TransactionId([7; 12]);
            let mut writer = MessageWriter::new(&mut buf, class, method, id).unwrap();
            fill(&mut writer).unwrap();
            if has_fingerprint {
                writer.fingerprint().unwrap();
            }
            let len = writer.finish();
            self.probe(&mut buf[..len]);
        }
    }

    fn every_kind(&mut self) {
        for method in METHODS {
            for class in [
                Class::Indication,
                Class::SuccessResponse,
                Class::ErrorResponse,
            ] {
                self.write(class, method, |_| Ok(()));
            }
            self.write(Class::Request, method, |_| Ok(()));
            for attribute_type in (0..0x100).chain(0x8000..0x8100).chain([0x7fff, 0xc057]) {
                for len in [0, 4, 20] {
                    self.write(Class::Request, method, |writer| {
                        writer.attribute(AttributeType(attribute_type), &[0; 32][..len])
                    });
                }
            }
            for count in 2..40 {
                self.write(Class::Request, method, |writer| {
                    (0..count).try_for_each(|n| writer.attribute(AttributeType(0x7000 + n), &[]))
                });
            }
            let mut guest = LongTermClient::new("nobody", "guess");
            guest.on_response(&challenge(), false);
            self.write(Class::Request, method, |writer| guest.write(writer));
        }
        for flags in 0..4 {
            for padding in (0..1200).step_by(7) {
                self.write(Class::Request, Method::BINDING, |writer| {
                    let (ip, port) = (flags & 1 != 0, flags & 2 != 0);
                    writer.change_request(ChangeRequest { ip, port })?;
                    writer.padding(&[0; 1200][..padding])
                });
            }
            self.write(Class::Request, Method::BINDING, |writer| {
                writer.response_port(flags)
            });
        }
        // of RFC 3489, without a cookie
        let mut classic = [7; 20];
        classic[..4].copy_from_slice(&[0, 1, 0, 0]);
        self.probe(&mut classic);
    }
}

/// A challenge of another server: its nonce is none of ours.
fn challenge() -> Message<'static> {
    let buf = Box::leak(Box::new([0; 200]));
    let id = TransactionId([0; 12]);
    let mut writer = MessageWriter::new(buf, Class::ErrorResponse, Method::ALLOCATE, id).unwrap();
    writer
        .error_code(rtckit_stun::ErrorCode::UNAUTHENTICATED)
        .unwrap();
    writer.realm(REALM).unwrap();
    writer.nonce(b"12345678").unwrap();
    let len = writer.finish();
    Message::parse(&buf[..len]).unwrap()
}

/// The numbers of [`ServerConfig::replies_per_second`]'s documentation.
#[test]
fn what_a_forged_request_draws_at_most() {
    let worst = |family: usize, has_second_address: bool| {
        let mut config = config();
        config.responder.answers_classic = true;
        let [first, second] = LISTENERS[family];
        if has_second_address {
            config.responder.discovery = Some([first, second].map(address));
        }
        let mut prober = Prober::new(config, first);
        prober.every_kind();
        assert!(prober.answers > 5_000, "{}", prober.answers);
        assert_eq!(prober.world.server.allocations(), 0);
        prober.worst
    };
    // the challenge: 76 bytes and the realm, padded
    assert_eq!(REALM.len(), 11);
    assert_eq!(worst(0, false), (20, 76 + 12));
    assert_eq!(worst(1, false), (20, 76 + 12));
    assert_eq!(worst(0, true), (20, 76 + 12));
    // a Binding response with four addresses of IPv6
    assert_eq!(worst(1, true), (20, 116));
}
