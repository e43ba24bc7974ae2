//! Quotas: of one server, of several that count together, and of users who come with one token after the other.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use core::net::SocketAddr;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use std::sync::{Arc, Mutex};

use rtckit_proto::{Datagram, FiveTuple, Instant, SeededRandom, Transport, WallClock};
use rtckit_stun::{
    AccessTokens, Class, Error, EvenPort, LongTermClient, Message, MessageWriter, Method,
    NonceSecret, SharedSecret, StaticUsers, TransactionId, Users, Verdict,
};
use rtckit_turn::{RelayAddress, Server, ServerConfig, ServerEvent, SharedUsage, Usage};

/// No two requests are the same.
static SERIAL: AtomicU32 = AtomicU32::new(0);

const NOW: Instant = Instant::from_millis(1);

#[derive(Debug, Default)]
struct OneUsage(Mutex<Usage>);

impl SharedUsage for OneUsage {
    fn with(&self, change: &mut dyn FnMut(&mut Usage)) {
        change(&mut self.0.lock().unwrap());
    }
}

fn config(usage: &Arc<OneUsage>, random: &mut SeededRandom) -> ServerConfig {
    let relays = vec![RelayAddress::new([203, 0, 113, 1].into())];
    let mut config = ServerConfig::new("example.org", NonceSecret::new(random), relays);
    config.usage = Some(Arc::<OneUsage>::clone(usage));
    config
}

/// A client at port `port` of 192.0.2.`host`.
fn path(host: u8, port: u16) -> FiveTuple {
    let local = SocketAddr::from(([192, 0, 2, host], port));
    FiveTuple::udp(local, SocketAddr::from(([203, 0, 113, 1], 3478)))
}

/// Asks until challenges are answered; returns the last answer.
fn exchange<U: Users>(
    server: &mut Server<U>,
    now: Instant,
    path: FiveTuple,
    credentials: &mut LongTermClient,
    method: Method,
    fill: impl Fn(&mut MessageWriter<'_>) -> Result<(), Error>,
) -> Vec<u8> {
    for _ in 0..3 {
        let mut buf = [0; 1400];
        let id = SERIAL.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let id = TransactionId([id, id, id].concat().try_into().unwrap());
        let mut writer = MessageWriter::new(&mut buf, Class::Request, method, id).unwrap();
        fill(&mut writer).unwrap();
        let was_signed = credentials.is_challenged();
        credentials.write(&mut writer).unwrap();
        let len = writer.finish();
        server.handle_input(now, Datagram::new(path.reversed(), &mut buf[..len]));
        while let Some(event) = server.poll_event() {
            if let ServerEvent::BindRelay { relay, address, .. } = event {
                server.relay_bound(now, relay, Ok(address));
            }
        }
        let sent = server.poll_transmit(now, &mut buf).unwrap();
        let answer = Message::parse(&buf[sent.range.clone()]).unwrap();
        if credentials.on_response(&answer, was_signed) != Verdict::Retry {
            return buf[sent.range].to_vec();
        }
    }
    panic!("it is challenged again and again");
}

fn ask<U: Users>(
    server: &mut Server<U>,
    path: FiveTuple,
    credentials: &mut LongTermClient,
    method: Method,
    fill: impl Fn(&mut MessageWriter<'_>) -> Result<(), Error>,
) -> u16 {
    code_of(&exchange(server, NOW, path, credentials, method, fill))
}

/// The error code of an answer, 0 for success.
fn code_of(answer: &[u8]) -> u16 {
    let answer = Message::parse(answer).unwrap();
    answer.error_code().map_or(0, |error| error.code)
}

fn allocate<U: Users>(server: &mut Server<U>, path: FiveTuple, who: &mut LongTermClient) -> u16 {
    ask(server, path, who, Method::ALLOCATE, |writer| {
        writer.requested_transport(17)
    })
}

fn refresh<U: Users>(
    server: &mut Server<U>,
    path: FiveTuple,
    who: &mut LongTermClient,
    lifetime: u32,
) -> u16 {
    ask(server, path, who, Method::REFRESH, |writer| {
        writer.lifetime(lifetime)
    })
}

#[test]
fn shards_count_together() {
    let usage = Arc::new(OneUsage::default());
    let mut random = SeededRandom::new(1);
    let mut config = config(&usage, &mut random);
    config.max_allocations_per_user = 2;
    config.max_allocations_per_address = 3;
    config.max_allocations = 4;
    let mut shards = [0, 1].map(|_| {
        let mut users = StaticUsers::new("example.org");
        for name in ["alice", "bob", "carol"] {
            users.insert(name, "secret");
        }
        Server::new(config.clone(), users, &mut random)
    });
    let who = |name| LongTermClient::new(name, "secret");
    let (mut alice, mut bob, mut carol) = (who("alice"), who("bob"), who("carol"));
    let [one, other] = &mut shards;
    assert_eq!(allocate(one, path(1, 1), &mut alice), 0);
    let mut alice_there = who("alice");
    assert_eq!(allocate(other, path(1, 2), &mut alice_there), 0);
    assert_eq!(
        allocate(other, path(1, 3), &mut alice_there),
        486,
        "per user"
    );
    assert_eq!(allocate(one, path(1, 4), &mut bob), 0);
    let mut bob_there = who("bob");
    assert_eq!(
        allocate(other, path(1, 5), &mut bob_there),
        486,
        "per address"
    );
    assert_eq!(allocate(one, path(2, 1), &mut bob), 0);
    assert_eq!(allocate(one, path(3, 1), &mut carol), 508, "in all");
    assert_eq!(usage.0.lock().unwrap().allocations(), 4);
    // what one gives back the other may take
    assert_eq!(refresh(one, path(1, 1), &mut alice, 0), 0);
    assert_eq!(allocate(other, path(1, 3), &mut alice_there), 0);
}

#[test]
fn a_token_with_another_key_renews() {
    let usage = Arc::new(OneUsage::default());
    let mut random = SeededRandom::new(1);
    let mut config = config(&usage, &mut random);
    config.authentication.third_party = Some("example.org".into());
    config.max_allocations_per_user = 1;
    let made = Duration::from_secs(1_700_000_000);
    let mut tokens = AccessTokens::new("example.org", WallClock::new(made));
    tokens.insert_256("north", &[3; 32]);
    tokens.insert_128("union", &[4; 16]);
    let mut who = ["north", "union"].map(|kid| {
        let token = tokens.seal(kid, &[1; 12], &[7; 20], made, Duration::from_secs(1000));
        LongTermClient::with_token(kid, &token.unwrap(), &[7; 20]).unwrap()
    });
    let [north, union] = &mut who;
    let mut server = Server::new(config, tokens, &mut random);
    assert_eq!(allocate(&mut server, path(1, 1), north), 0);
    assert_eq!(refresh(&mut server, path(1, 1), union, 600), 0);
    // it counts as the new key's, and ends as that
    assert_eq!(allocate(&mut server, path(2, 1), union), 486);
    assert_eq!(allocate(&mut server, path(2, 1), north), 0);
    assert_eq!(refresh(&mut server, path(1, 1), union, 0), 0);
    assert_eq!(allocate(&mut server, path(3, 1), union), 0);
}

#[test]
fn the_key_of_a_token_may_be_cut_as_coturn_cuts_it() {
    let usage = Arc::new(OneUsage::default());
    let mut random = SeededRandom::new(1);
    let mut config = config(&usage, &mut random);
    config.authentication.third_party = Some("example.org".into());
    // coturn knows no others than MD5, and so signs with SHA-1
    config.authentication.algorithms.clear();
    let made = Duration::from_secs(1_700_000_000);
    let mut tokens = AccessTokens::new("example.org", WallClock::new(made));
    tokens.insert_256("north", &[3; 32]);
    let key: [u8; 20] = core::array::from_fn(|place| place as u8);
    let token = tokens.seal("north", &[1; 12], &key, made, Duration::from_secs(1000));
    let token = token.unwrap();
    let mut server = Server::new(config, tokens, &mut random);
    for (port, (len, code)) in (1..).zip([(20, 0), (16, 0), (15, 401), (0, 401)]) {
        let mut who = LongTermClient::with_token("north", &token, &key[..len]).unwrap();
        assert_eq!(
            allocate(&mut server, path(1, port), &mut who),
            code,
            "{len} bytes"
        );
        if code == 0 {
            assert_eq!(refresh(&mut server, path(1, port), &mut who, 0), 0);
        }
    }
}

#[test]
fn ports_kept_aside_are_counted_together() {
    let usage = Arc::new(OneUsage::default());
    let mut random = SeededRandom::new(1);
    let mut config = config(&usage, &mut random);
    config.max_allocations_per_user = 2;
    let mut shards = [0, 1].map(|_| {
        let mut users = StaticUsers::new("example.org");
        users.insert("alice", "secret");
        Server::new(config.clone(), users, &mut random)
    });
    let mut port = 0;
    // an allocation that keeps a port aside, and is given back; the token
    let mut reserve = |server: &mut Server<StaticUsers>, now: Instant| {
        port += 1;
        let mut alice = LongTermClient::new("alice", "secret");
        let (path, method) = (path(1, port), Method::ALLOCATE);
        let answer = exchange(server, now, path, &mut alice, method, |writer| {
            writer.requested_transport(17)?;
            writer.even_port(EvenPort { reserve_next: true })
        });
        let code = code_of(&answer);
        if code == 0 {
            let method = Method::REFRESH;
            exchange(server, now, path, &mut alice, method, |w| w.lifetime(0));
        }
        Message::parse(&answer)
            .unwrap()
            .reservation_token()
            .ok_or(code)
    };
    let [one, other] = &mut shards;
    let token = reserve(one, NOW).unwrap();
    reserve(other, NOW).unwrap();
    assert_eq!(reserve(one, NOW), Err(486));
    assert_eq!(reserve(other, NOW), Err(486));
    // one is taken
    let mut alice = LongTermClient::new("alice", "secret");
    let code = ask(one, path(2, 1), &mut alice, Method::ALLOCATE, |writer| {
        writer.requested_transport(17)?;
        writer.reservation_token(token)
    });
    assert_eq!(code, 0);
    assert_eq!(refresh(one, path(2, 1), &mut alice, 0), 0);
    reserve(other, NOW).unwrap();
    assert_eq!(reserve(one, NOW), Err(486));
    // the operator ends those of one shard
    assert_eq!(other.release_account("alice"), 0);
    reserve(one, NOW).unwrap();
    reserve(one, NOW).unwrap();
    assert_eq!(reserve(other, NOW), Err(486));
    // the time of the others is over
    let later = NOW + Duration::from_secs(30);
    one.handle_timeout(later);
    reserve(other, later).unwrap();
    reserve(other, later).unwrap();
    assert_eq!(reserve(one, later), Err(486));
}

#[test]
fn a_token_with_another_key_takes_what_was_reserved() {
    let usage = Arc::new(OneUsage::default());
    let mut random = SeededRandom::new(1);
    let mut config = config(&usage, &mut random);
    config.authentication.third_party = Some("example.org".into());
    let made = Duration::from_secs(1_700_000_000);
    let mut tokens = AccessTokens::new("example.org", WallClock::new(made));
    tokens.insert_256("north", &[3; 32]);
    tokens.insert_128("union", &[4; 16]);
    let [mut north, mut union] = ["north", "union"].map(|kid| {
        let token = tokens.seal(kid, &[1; 12], &[7; 20], made, Duration::from_secs(1000));
        LongTermClient::with_token(kid, &token.unwrap(), &[7; 20]).unwrap()
    });
    let mut server = Server::new(config, tokens, &mut random);
    let answer = exchange(
        &mut server,
        NOW,
        path(1, 1),
        &mut north,
        Method::ALLOCATE,
        |writer| {
            writer.requested_transport(17)?;
            writer.even_port(EvenPort { reserve_next: true })
        },
    );
    let answer = Message::parse(&answer).unwrap();
    let token = answer.reservation_token().unwrap();
    let code = ask(
        &mut server,
        path(1, 2),
        &mut union,
        Method::ALLOCATE,
        |writer| {
            writer.requested_transport(17)?;
            writer.reservation_token(token)
        },
    );
    assert_eq!(code, 0);
}

/// A server that takes tokens of one key, and who brings one of `count`.
fn with_tokens<const COUNT: usize>(
    change: impl FnOnce(&mut ServerConfig),
) -> (Server<AccessTokens>, [LongTermClient; COUNT]) {
    let usage = Arc::new(OneUsage::default());
    let mut random = SeededRandom::new(1);
    let mut config = config(&usage, &mut random);
    config.authentication.third_party = Some("example.org".into());
    change(&mut config);
    let made = Duration::from_secs(EPOCH);
    let mut tokens = AccessTokens::new("example.org", WallClock::new(made));
    tokens.insert_256("north", &[3; 32]);
    let who = core::array::from_fn(|number| {
        let (nonce, key) = ([number as u8; 12], [number as u8; 20]);
        let token = tokens.seal("north", &nonce, &key, made, Duration::from_secs(1000));
        LongTermClient::with_token("north", &token.unwrap(), &key).unwrap()
    });
    (Server::new(config, tokens, &mut random), who)
}

#[test]
fn each_token_has_a_quota() {
    let (mut server, [mut alice, mut mallory]) =
        with_tokens(|config| config.max_allocations_per_user = 2);
    for (port, code) in (1..).zip([0, 0, 486]) {
        assert_eq!(allocate(&mut server, path(1, port), &mut mallory), code);
    }
    assert_eq!(allocate(&mut server, path(2, 1), &mut alice), 0);
}

#[test]
fn another_token_of_the_same_key_opens_no_connection() {
    let (mut server, [mut alice, mut mallory]) =
        with_tokens(|config| config.peers.allow.push("198.51.100.0/24".parse().unwrap()));
    let stream = |host, port| {
        let mut path = path(host, port);
        path.transport = Transport::Tcp;
        path
    };
    let peer = SocketAddr::from(([198, 51, 100, 1], 9));
    let method = Method::ALLOCATE;
    let code = ask(&mut server, stream(1, 1), &mut alice, method, |writer| {
        writer.requested_transport(6)
    });
    assert_eq!(code, 0);
    let method = Method::CREATE_PERMISSION;
    let code = ask(&mut server, stream(1, 1), &mut alice, method, |writer| {
        writer.xor_peer_address(peer)
    });
    assert_eq!(code, 0);
    let method = Method::CONNECT;
    let connect = |writer: &mut MessageWriter<'_>| writer.xor_peer_address(peer);
    let request = {
        let mut buf = [0; 1400];
        let id = TransactionId([9; 12]);
        let mut writer = MessageWriter::new(&mut buf, Class::Request, method, id).unwrap();
        connect(&mut writer).unwrap();
        alice.write(&mut writer).unwrap();
        let len = writer.finish();
        buf[..len].to_vec()
    };
    let path = stream(1, 1).reversed();
    server.handle_input(NOW, Datagram::new(path, &mut request.clone()));
    let connection = core::iter::from_fn(|| server.poll_event()).find_map(|event| match event {
        ServerEvent::Connect { connection, .. } => Some(connection),
        _ => None,
    });
    server.connected(NOW, connection.unwrap(), true);
    let mut buf = [0; 1400];
    let sent = server.poll_transmit(NOW, &mut buf).unwrap();
    let answer = Message::parse(&buf[sent.range]).unwrap();
    let id = answer.connection_id().unwrap();

    let mut bind = |who: &mut LongTermClient, path| {
        let method = Method::CONNECTION_BIND;
        ask(&mut server, path, who, method, |w| w.connection_id(id))
    };
    assert_eq!(bind(&mut mallory, stream(3, 1)), 400);
    assert_eq!(bind(&mut alice, stream(1, 2)), 0);
}

/// The world's time at the driver's epoch, in seconds since 1970.
const EPOCH: u64 = 1_700_000_000;

fn shared_secret() -> SharedSecret {
    SharedSecret::new(b"north", WallClock::new(Duration::from_secs(EPOCH)))
}

/// A user of the web service, whose credentials are good for `seconds` from the epoch on.
fn vouched(seconds: u64, name: &str) -> LongTermClient {
    let (username, password) = shared_secret().credentials(EPOCH + seconds, name);
    LongTermClient::new(&username, &password)
}

#[test]
fn one_name_with_many_credentials_is_one_user() {
    let usage = Arc::new(OneUsage::default());
    let mut random = SeededRandom::new(1);
    let mut config = config(&usage, &mut random);
    config.max_allocations_per_user = 2;
    let mut server = Server::new(config, shared_secret(), &mut random);
    let reserve = |writer: &mut MessageWriter<'_>| {
        writer.requested_transport(17)?;
        writer.even_port(EvenPort { reserve_next: true })
    };
    for (port, code) in (1..).zip([0, 0, 486, 486]) {
        let mut alice = vouched(1_000 + u64::from(port), "alice");
        let method = Method::ALLOCATE;
        let found = ask(&mut server, path(1, port), &mut alice, method, reserve);
        assert_eq!(found, code, "number {port}");
    }
    let mut bob = vouched(1_001, "bob");
    assert_eq!(allocate(&mut server, path(2, 1), &mut bob), 0);
    // what she gives back is hers again, but two ports are kept aside still
    let mut alice = vouched(1_001, "alice");
    assert_eq!(refresh(&mut server, path(1, 1), &mut alice, 0), 0);
    let mut alice = vouched(1_009, "alice");
    let method = Method::ALLOCATE;
    let found = ask(&mut server, path(1, 9), &mut alice, method, reserve);
    assert_eq!(found, 486);
    assert_eq!(allocate(&mut server, path(1, 9), &mut alice), 0);
    // the same person, but not the same credentials
    let mut other = vouched(1_008, "alice");
    assert_eq!(refresh(&mut server, path(1, 9), &mut other, 0), 441);
}

#[test]
fn a_call_outlives_its_credentials() {
    let usage = Arc::new(OneUsage::default());
    let mut random = SeededRandom::new(1);
    let config = config(&usage, &mut random);
    let mut server = Server::new(config, shared_secret(), &mut random);
    let mut alice = vouched(1_000, "alice");
    let mut ask = |seconds: u64, path, method| {
        let now = Instant::from_millis(seconds * 1_000);
        let fill = |writer: &mut MessageWriter<'_>| match method {
            Method::ALLOCATE => writer.requested_transport(17),
            _ => Ok(()),
        };
        let answer = exchange(&mut server, now, path, &mut alice, method, fill);
        code_of(&answer)
    };
    assert_eq!(ask(900, path(1, 1), Method::ALLOCATE), 0);
    assert_eq!(ask(1_400, path(1, 1), Method::REFRESH), 0);
    assert_eq!(ask(1_400, path(1, 2), Method::ALLOCATE), 401);
}

#[test]
fn nothing_outlives_its_credentials_where_they_end_it() {
    let usage = Arc::new(OneUsage::default());
    let mut random = SeededRandom::new(1);
    let config = config(&usage, &mut random);
    let users = shared_secret().end_at_expiry();
    let mut server = Server::new(config, users, &mut random);
    let mut alice = vouched(1_000, "alice");
    let peer = SocketAddr::from(([9, 9, 9, 9], 1));
    let fill = |writer: &mut MessageWriter<'_>, method| match method {
        Method::ALLOCATE => writer.requested_transport(17),
        Method::REFRESH => writer.lifetime(3_600),
        Method::CHANNEL_BIND => {
            writer.channel_number(0x4000)?;
            writer.xor_peer_address(peer)
        }
        _ => writer.xor_peer_address(peer),
    };
    let mut ask = |server: &mut Server<SharedSecret>, seconds: u64, path, method| {
        let now = Instant::from_millis(seconds * 1_000);
        let fill = |writer: &mut MessageWriter<'_>| fill(writer, method);
        let answer = exchange(server, now, path, &mut alice, method, fill);
        (
            code_of(&answer),
            Message::parse(&answer).unwrap().lifetime(),
        )
    };
    let (here, there) = (path(1, 1), path(1, 2));
    for (seconds, method, lifetime) in [
        (0, Method::ALLOCATE, Some(600)),
        (300, Method::REFRESH, Some(700)),
        (900, Method::REFRESH, Some(100)),
        (999, Method::CREATE_PERMISSION, None),
    ] {
        let answer = ask(&mut server, seconds, here, method);
        assert_eq!(answer, (0, lifetime), "{method:?}");
    }
    for method in [
        Method::REFRESH,
        Method::CREATE_PERMISSION,
        Method::CHANNEL_BIND,
        Method::ALLOCATE,
    ] {
        let answer = ask(&mut server, 1_000, here, method);
        assert_eq!(answer, (401, None), "{method:?}");
    }
    assert_eq!(ask(&mut server, 1_000, there, Method::ALLOCATE).0, 401);
    server.handle_timeout(Instant::from_millis(999_999));
    assert_eq!(server.allocations(), 1);
    server.handle_timeout(Instant::from_millis(1_000_000));
    assert_eq!(server.allocations(), 0);
}
