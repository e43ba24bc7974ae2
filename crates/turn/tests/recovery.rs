//! What a client does when its server refuses it an allocation: another address after 437, another server after 300, and
//! an end after anything else.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use core::net::SocketAddr;
use core::time::Duration;

use rtckit_proto::{Datagram, FiveTuple, Instant, SeededRandom};
use rtckit_stun::{
    Class, Error, ErrorCode, IntegrityKey, Message, MessageWriter, PasswordAlgorithm, PasswordHash,
};
use rtckit_turn::{Client, ClientConfig, ClientEvent, Failure};

const NOW: Instant = Instant::from_nanos(1_000_000_000);
const REALM: &str = "example.org";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A path to a server, from the port `local`.
fn path(local: u16, server: &str) -> FiveTuple {
    FiveTuple::udp(address(&format!("192.0.2.1:{local}")), address(server))
}

fn client(server: &str) -> Client {
    let config = ClientConfig::new("alice", "secret");
    Client::new(config, path(1000, server), NOW, &mut SeededRandom::new(1))
}

fn key() -> IntegrityKey {
    PasswordHash::new(PasswordAlgorithm::Md5, "alice", REALM, "secret").sha1()
}

/// Answers the client's next request with what `fill` writes, signed with `key`; returns what the client says then.
fn answer(
    client: &mut Client,
    key: Option<&IntegrityKey>,
    fill: impl Fn(&mut MessageWriter<'_>) -> Result<(), Error>,
) -> Option<ClientEvent> {
    answer_as(client, Class::ErrorResponse, key, fill);
    client.poll_event()
}

fn answer_as(
    client: &mut Client,
    class: Class,
    key: Option<&IntegrityKey>,
    fill: impl Fn(&mut MessageWriter<'_>) -> Result<(), Error>,
) {
    let (mut request, mut buf) = ([0; 1400], [0; 1400]);
    let sent = client
        .poll_transmit(NOW, &mut request)
        .expect("it has something to ask");
    assert_eq!(sent.path, client.path());
    let request = Message::parse(&request[sent.range]).unwrap();
    let id = request.transaction_id();
    let mut writer = MessageWriter::new(&mut buf, class, request.method(), id).unwrap();
    fill(&mut writer).unwrap();
    if let Some(key) = key {
        writer.sign(key).unwrap();
    }
    let len = writer.finish();
    client.handle_input(NOW, Datagram::new(sent.path, &mut buf[..len]));
}

/// Asks the client who it is.
fn challenge(client: &mut Client) {
    let event = answer(client, None, |writer| {
        writer.error_code(ErrorCode::UNAUTHENTICATED)?;
        writer.realm(REALM)?;
        writer.nonce(b"once")
    });
    assert_eq!(event, None);
}

fn refuse(client: &mut Client, error: ErrorCode<'static>) -> Option<ClientEvent> {
    answer(client, Some(&key()), |writer| writer.error_code(error))
}

fn redirect(client: &mut Client, key: Option<&IntegrityKey>, to: &str) -> Option<ClientEvent> {
    answer(client, key, |writer| {
        writer.error_code(ErrorCode::TRY_ALTERNATE)?;
        writer.alternate_server(address(to))
    })
}

fn reconnect_to(server: &str) -> Option<ClientEvent> {
    Some(ClientEvent::Reconnect {
        server: address(server),
        domain: None,
    })
}

const fn failed(failure: Failure) -> Option<ClientEvent> {
    Some(ClientEvent::Failed(failure))
}

/// Nothing is sent, and nothing waited for.
fn is_quiet(client: &mut Client) -> bool {
    client.poll_transmit(NOW, &mut [0; 1400]).is_none()
        && client.poll_timeout().is_none()
        && client.poll_event().is_none()
}

fn allocated(client: &mut Client) {
    answer_as(client, Class::SuccessResponse, Some(&key()), |writer| {
        writer.xor_relayed_address(address("203.0.113.1:50000"))?;
        writer.lifetime(600)
    });
    assert!(matches!(
        client.poll_event(),
        Some(ClientEvent::Allocated { .. })
    ));
}

#[test]
fn a_taken_address_is_left_for_another() {
    let server = "203.0.113.1:3478";
    let mut client = client(server);
    let peer = address("198.51.100.7:9").ip();
    assert!(client.permit(NOW, peer));
    challenge(&mut client);
    assert_eq!(
        refuse(&mut client, ErrorCode::ALLOCATION_MISMATCH),
        reconnect_to(server)
    );
    assert!(is_quiet(&mut client), "until there is another path");
    assert!(client.reconnect(NOW, path(1001, server)));
    assert!(!client.reconnect(NOW, path(1002, server)), "once");
    assert_eq!(client.path(), path(1001, server));
    allocated(&mut client);
    // what was wished for before is asked for now
    answer_as(
        &mut client,
        Class::SuccessResponse,
        Some(&key()),
        |_| Ok(()),
    );
    assert_eq!(
        client.poll_event(),
        Some(ClientEvent::Permitted { ip: peer })
    );
}

#[test]
fn three_taken_addresses_are_enough() {
    let server = "203.0.113.1:3478";
    let mut client = client(server);
    challenge(&mut client);
    for port in [1001, 1002] {
        assert_eq!(
            refuse(&mut client, ErrorCode::ALLOCATION_MISMATCH),
            reconnect_to(server)
        );
        assert!(client.reconnect(NOW, path(port, server)));
    }
    let last = refuse(&mut client, ErrorCode::ALLOCATION_MISMATCH);
    assert_eq!(last, failed(Failure::Refused(437)));
    assert!(!client.reconnect(NOW, path(1003, server)));
    assert!(is_quiet(&mut client));
}

#[test]
fn another_server_is_asked_from_three_addresses_too() {
    let (first, second) = ("203.0.113.1:3478", "203.0.113.2:3478");
    let mut client = client(first);
    challenge(&mut client);
    for port in [1001, 1002] {
        refuse(&mut client, ErrorCode::ALLOCATION_MISMATCH);
        client.reconnect(NOW, path(port, first));
    }
    assert_eq!(
        redirect(&mut client, Some(&key()), second),
        reconnect_to(second)
    );
    client.reconnect(NOW, path(1002, second));
    challenge(&mut client);
    assert_eq!(
        refuse(&mut client, ErrorCode::ALLOCATION_MISMATCH),
        reconnect_to(second)
    );
}

#[test]
fn a_redirect_is_followed_with_the_same_credentials() {
    let (first, second) = ("203.0.113.1:3478", "203.0.113.2:3478");
    let mut client = client(first);
    challenge(&mut client);
    assert_eq!(
        redirect(&mut client, Some(&key()), second),
        reconnect_to(second)
    );
    assert!(client.reconnect(NOW, path(1000, second)));
    // the realm and the nonce were the first server's
    challenge(&mut client);
    allocated(&mut client);
}

#[test]
fn a_redirect_names_whom_to_trust() {
    let mut client = client("203.0.113.1:3478");
    let event = answer(&mut client, None, |writer| {
        writer.error_code(ErrorCode::TRY_ALTERNATE)?;
        writer.alternate_server(address("203.0.113.2:5349"))?;
        writer.alternate_domain("two.example.org")
    });
    let expected = ClientEvent::Reconnect {
        server: address("203.0.113.2:5349"),
        domain: Some("two.example.org".into()),
    };
    assert_eq!(event, Some(expected));
}

#[test]
fn a_forged_redirect_or_refusal_changes_nothing() {
    let server = "203.0.113.1:3478";
    let stranger = PasswordHash::new(PasswordAlgorithm::Md5, "alice", REALM, "guess").sha1();
    for forged in [None, Some(&stranger)] {
        let mut client = client(server);
        challenge(&mut client);
        assert_eq!(redirect(&mut client, forged, "203.0.113.66:3478"), None);
        // it waits for the server's own answer, and asks again when none comes
        let now = client.poll_timeout().unwrap();
        assert!(client.poll_transmit(now, &mut [0; 1400]).is_some());
        assert_eq!(client.path(), path(1000, server));
    }
    let mut client = client(server);
    challenge(&mut client);
    let event = answer(&mut client, None, |writer| {
        writer.error_code(ErrorCode::ALLOCATION_MISMATCH)
    });
    assert_eq!(event, None);
    // a server put behind what the server signed
    let event = answer_after(&mut client, |writer| {
        writer.error_code(ErrorCode::TRY_ALTERNATE)?;
        writer.sign(&key())?;
        writer.alternate_server(address("203.0.113.66:3478"))
    });
    assert_eq!(event, failed(Failure::BadRedirect));
}

/// Answers the request that is sent again, when its time has come.
fn answer_after(
    client: &mut Client,
    fill: impl Fn(&mut MessageWriter<'_>) -> Result<(), Error>,
) -> Option<ClientEvent> {
    let now = client.poll_timeout().unwrap();
    let (mut request, mut buf) = ([0; 1400], [0; 1400]);
    let sent = client.poll_transmit(now, &mut request).unwrap();
    let request = Message::parse(&request[sent.range]).unwrap();
    let (class, id) = (Class::ErrorResponse, request.transaction_id());
    let mut writer = MessageWriter::new(&mut buf, class, request.method(), id).unwrap();
    fill(&mut writer).unwrap();
    let len = writer.finish();
    client.handle_input(now, Datagram::new(sent.path, &mut buf[..len]));
    client.poll_event()
}

#[test]
fn servers_do_not_send_a_client_in_circles() {
    let (first, second) = ("203.0.113.1:3478", "203.0.113.2:3478");
    let mut client = client(first);
    redirect(&mut client, None, second);
    client.reconnect(NOW, path(1000, second));
    assert_eq!(
        redirect(&mut client, None, first),
        failed(Failure::BadRedirect)
    );
    assert!(is_quiet(&mut client) && client.is_closed());
}

#[test]
fn servers_do_not_send_a_client_on_for_ever() {
    let mut client = client("203.0.113.1:3478");
    for host in 2..=5 {
        let next = format!("203.0.113.{host}:3478");
        assert_eq!(redirect(&mut client, None, &next), reconnect_to(&next));
        client.reconnect(NOW, path(1000, &next));
    }
    let last = redirect(&mut client, None, "203.0.113.6:3478");
    assert_eq!(last, failed(Failure::BadRedirect));
}

#[test]
fn some_addresses_are_no_servers() {
    for server in [
        "203.0.113.1:3478", // itself
        "203.0.113.2:0",
        "0.0.0.0:3478",
        "[::]:3478",
        "224.0.0.1:3478",
        "127.0.0.1:3478",
        "[::ffff:127.0.0.1]:3478",
    ] {
        let mut client = client("203.0.113.1:3478");
        let event = redirect(&mut client, None, server);
        assert_eq!(event, failed(Failure::BadRedirect), "{server}");
    }
    // a server on this host may name another on this host
    let mut client = client("127.0.0.1:3478");
    let event = redirect(&mut client, None, "127.0.0.1:3479");
    assert_eq!(event, reconnect_to("127.0.0.1:3479"));
}

#[test]
fn a_client_that_waits_for_a_path_can_be_closed() {
    let mut client = client("203.0.113.1:3478");
    redirect(&mut client, None, "203.0.113.2:3478");
    client.close(NOW);
    assert_eq!(client.poll_event(), Some(ClientEvent::Released));
    assert!(!client.reconnect(NOW, path(1000, "203.0.113.2:3478")));
}

#[test]
fn a_refusal_for_want_of_room_is_the_end() {
    for (error, code) in [
        (ErrorCode::ALLOCATION_QUOTA_REACHED, 486),
        (ErrorCode::INSUFFICIENT_CAPACITY, 508),
    ] {
        let mut client = client("203.0.113.1:3478");
        challenge(&mut client);
        assert_eq!(refuse(&mut client, error), failed(Failure::Refused(code)));
        assert!(is_quiet(&mut client), "it does not ask again");
    }
}

#[test]
fn a_forgotten_allocation_is_told() {
    let mut client = client("203.0.113.1:3478");
    challenge(&mut client);
    allocated(&mut client);
    let refresh = client.poll_timeout().unwrap();
    assert!(refresh > NOW + Duration::from_secs(60));
    client.handle_timeout(refresh);
    let event = answer_after(&mut client, |writer| {
        writer.error_code(ErrorCode::ALLOCATION_MISMATCH)?;
        writer.sign(&key())
    });
    assert_eq!(event, failed(Failure::Lost));
    assert!(is_quiet(&mut client), "it is for the user to begin anew");
}

#[test]
fn a_refresh_that_failed_is_made_again_before_the_end() {
    let mut client = client("203.0.113.1:3478");
    challenge(&mut client);
    allocated(&mut client);
    let mut asked = 0;
    let end = NOW + Duration::from_secs(600);
    // refused each time, it is asked every ten seconds of the last minute
    let failure = loop {
        let now = client.poll_timeout().unwrap();
        client.handle_timeout(now);
        match client.poll_event() {
            None => {}
            Some(event) => break (now, event),
        }
        let event = answer_after(&mut client, |writer| {
            writer.error_code(ErrorCode::SERVER_ERROR)?;
            writer.sign(&key())
        });
        assert_eq!(event, None);
        asked += 1;
    };
    assert_eq!(asked, 6);
    assert_eq!(Some(failure.1), failed(Failure::Refused(500)));
    assert_eq!(failure.0, end);
}

#[test]
fn silence_is_not_taken_for_a_server_that_forgot() {
    let mut client = client("203.0.113.1:3478");
    challenge(&mut client);
    allocated(&mut client);
    let event = loop {
        let now = client.poll_timeout().unwrap();
        client.handle_timeout(now);
        while client.poll_transmit(now, &mut [0; 1400]).is_some() {}
        if let Some(event) = client.poll_event() {
            break event;
        }
    };
    assert_eq!(Some(event), failed(Failure::TimedOut));
}

#[test]
fn a_challenge_that_nobody_can_answer_is_told_as_such() {
    // a server whose nonce is always too old
    let mut stale = client("203.0.113.1:3478");
    challenge(&mut stale);
    let ask_again = |writer: &mut MessageWriter<'_>| {
        writer.error_code(ErrorCode::STALE_NONCE)?;
        writer.realm(REALM)?;
        writer.nonce(b"again")
    };
    let event = (0..10).find_map(|_| answer(&mut stale, None, ask_again));
    assert_eq!(event, failed(Failure::BadChallenge));
    // and those that give none
    for error in [ErrorCode::UNAUTHENTICATED, ErrorCode::STALE_NONCE] {
        let mut client = client("203.0.113.1:3478");
        let event = answer(&mut client, None, |writer| {
            writer.error_code(error)?;
            writer.realm(REALM)
        });
        assert_eq!(event, failed(Failure::BadChallenge));
    }
    let mut refused = client("203.0.113.1:3478");
    challenge(&mut refused);
    let event = answer(&mut refused, None, |writer| {
        writer.error_code(ErrorCode::UNAUTHENTICATED)?;
        writer.realm(REALM)?;
        writer.nonce(b"again")
    });
    assert_eq!(event, failed(Failure::WrongCredentials));
}

#[test]
fn a_new_nonce_is_taken() {
    let mut client = client("203.0.113.1:3478");
    challenge(&mut client);
    let event = answer(&mut client, None, |writer| {
        writer.error_code(ErrorCode::STALE_NONCE)?;
        writer.realm(REALM)?;
        writer.nonce(b"twice")
    });
    assert_eq!(event, None);
    allocated(&mut client);
}
