//! Those who mean no good, or are gone in the middle of a word, while somebody else has a call.

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::thread;
use std::time::Instant;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::server::{OFFER, Server, rtckit, terminate, whole};

/// How long the server may take to lose patience: it has ten seconds, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(40);

/// How soon everybody is answered, whoever else is there, on a machine that may be busy.
const PROMPT: Duration = Duration::from_secs(30);

/// More than there may be connections at a time.
const SILENT_CALLERS: usize = 1000;

/// More than there may be connections at a time.
const SLOW_CALLERS: usize = 600;

/// How much more memory the server may hold afterwards, in kB. All that they sent would be a hundred times that.
const ROOM: u64 = 48_000;

#[test]
fn a_call_goes_on_unharmed() {
    let mut server = Server::start(&[]);
    // Longer than the attack, which ends it.
    let call = rtckit(&["call", &server.url(), "--seconds", "600", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    server.report("connected");
    // Once for the allocator, so that what is measured is what stays.
    bad_offers(&server);
    let before = server.memory();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| vanish(&server));
        let attackers = [
            scope.spawn(|| half_offers(&server)),
            scope.spawn(|| huge_body(&server)),
            scope.spawn(|| huge_chunks(&server)),
            scope.spawn(|| bad_offers(&server)),
            scope.spawn(|| slow_callers(&server)),
        ];
        // All the while others are heard.
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                heard(&server);
                thread::sleep(Duration::from_millis(100));
            }
        });
        let results = attackers.map(|attacker| attacker.join());
        is_over.store(true, Ordering::Relaxed);
        for result in results {
            result.unwrap();
        }
    });
    let after = server.memory();
    println!("memory: {before} kB before, {after} kB after");
    assert!(
        after <= before + ROOM,
        "{before} kB before, {after} kB after"
    );
    terminate(&call);
    whole(&call.wait_with_output().unwrap());
}

/// The server answers, and soon. Who is ended because too many are there may ask again.
fn heard(server: &Server) {
    let asked = Instant::now();
    while server.request("GET /status", "", b"").0 != 200 {
        assert!(asked.elapsed() < PROMPT);
    }
    let waited = asked.elapsed();
    assert!(waited < PROMPT, "{waited:?}");
}

/// Nobody waits for those who say nothing, and who come again when they are ended.
#[test]
fn the_silent_keep_nobody_waiting() {
    let server = Server::start(&[]);
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: maximum,
        maximum,
    };
    // Where it is refused there are fewer of them.
    let _ = setrlimit(Resource::Nofile, most);
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let callers = SILENT_CALLERS.min(usize::try_from(files / 2).unwrap_or(usize::MAX));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut streams: Vec<TcpStream> = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    streams.retain_mut(|stream| {
                        matches!(stream.read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
                    });
                    while streams.len() < callers / 4 {
                        let stream = connect(&server);
                        stream.set_nonblocking(true).unwrap();
                        streams.push(stream);
                    }
                    // Often enough, and the machine is left some time for the others.
                    thread::sleep(Duration::from_millis(300));
                }
            });
        }
        // One after the other, while the flood stands and the first second, in which it rises.
        let others = scope.spawn(|| {
            for _ in 0..5 {
                heard(&server);
                thread::sleep(Duration::from_millis(100));
            }
        });
        let result = others.join();
        is_over.store(true, Ordering::Relaxed);
        result.unwrap();
    });
}

/// What the server says, up to the end of the connection, which must come in time.
fn last_words(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut words = Vec::new();
    match stream.read_to_end(&mut words) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("the connection is still there: {error}"),
    }
    String::from_utf8(words).unwrap()
}

fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(&server.address).unwrap()
}

#[test]
fn what_is_never_finished_is_ended() {
    let server = Server::start(&[]);
    thread::scope(|scope| {
        scope.spawn(|| {
            let said = begin(&server, "POST /offer HTTP/1.1\r\nHost: a\r\nCont");
            assert!(
                said.is_empty() || said.starts_with("HTTP/1.1 408 "),
                "{said}"
            );
        });
        scope.spawn(|| {
            let said = begin(&server, HALF_AN_OFFER);
            assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
        });
        // One who has nothing more to say.
        scope.spawn(|| {
            let said = begin(&server, "GET /status HTTP/1.1\r\nHost: a\r\n\r\n");
            assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
        });
    });
}

const HALF_AN_OFFER: &str = "POST /offer HTTP/1.1\r\nHost: a\r\nContent-Type: application/sdp\r\n\
                             Content-Length: 500\r\n\r\nv=0\r\n";

/// Begins with `text` and goes on with nothing.
fn begin(server: &Server, text: &str) -> String {
    let mut stream = connect(server);
    stream.write_all(text.as_bytes()).unwrap();
    last_words(&mut stream)
}

/// Many who say half of what they have to say, and wait.
fn half_offers(server: &Server) {
    let halves = [HALF_AN_OFFER, "POST /offer HTTP/1.1\r\nHo"];
    thread::scope(|scope| {
        for half in halves.iter().cycle().take(20) {
            scope.spawn(|| begin(server, half));
        }
    });
}

fn huge_body(server: &Server) {
    let mut stream = connect(server);
    let head = "POST /offer HTTP/1.1\r\nHost: a\r\nContent-Type: application/sdp\r\nContent-Length: 100000000\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    // Refused for what it announces: nothing of it was sent.
    let said = last_words(&mut stream);
    assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
    assert!(send_much(stream) < 20_000_000);
}

/// A body that does not say how long it will be.
fn huge_chunks(server: &Server) {
    let mut stream = connect(server);
    let head = "POST /offer HTTP/1.1\r\nHost: a\r\nContent-Type: application/sdp\r\nTransfer-Encoding: chunked\r\n\r\n5f5e100\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let sent = send_much(stream);
    assert!(sent < 20_000_000, "{sent} bytes were taken");
}

/// Sends up to 100 MB; returns how much was taken before the other side would not have more.
fn send_much(mut stream: TcpStream) -> usize {
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    let part = vec![b'a'; 100_000];
    (0..1000)
        .take_while(|_| stream.write_all(&part).is_ok())
        .count()
        * part.len()
}

fn bad_offers(server: &Server) {
    thread::scope(|scope| {
        for _ in 0..200 {
            scope.spawn(|| {
                // Nothing at all is said to who is ended because too many are there.
                let said = (0..10).map(|_| server.offer("v=0\r\nnonsense\r\n").0);
                assert_eq!(said.into_iter().find(|&status| status != 0), Some(400));
            });
        }
    });
}

/// Many connections that each send a header line now and then.
fn slow_callers(server: &Server) {
    let start = Instant::now();
    let mut streams: Vec<TcpStream> = Vec::new();
    for number in 0..SLOW_CALLERS {
        let mut stream = connect(server);
        let _ = write!(
            stream,
            "POST /offer HTTP/1.1\r\nHost: a\r\nX-Number: {number}\r\n"
        );
        streams.push(stream);
    }
    // Each goes on for as long as it is let.
    while !streams.is_empty() {
        assert!(
            start.elapsed() < PATIENCE,
            "{} are still there",
            streams.len()
        );
        streams.retain_mut(|stream| {
            stream.write_all(b"X-More: and more\r\n").is_ok()
                && stream.set_nonblocking(true).is_ok()
                && !matches!(stream.read(&mut [0; 256]), Ok(0))
                && stream.set_nonblocking(false).is_ok()
        });
        thread::sleep(Duration::from_millis(500));
    }
}

/// One who leaves an offer and is never seen, and one who is cut off in the middle of a call.
fn vanish(server: &Server) {
    assert_eq!(server.offer(OFFER).0, 201);
    let mut caller = rtckit(&["call", &server.url(), "--seconds", "60"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_secs(2));
    caller.kill().unwrap();
    caller.wait().unwrap();
}
