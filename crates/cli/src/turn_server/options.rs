//! What `rtckit turn-server` can be told, on the command line and in a file.

use core::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use rtckit_turn::Cidr;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::failure::Failure;

/// Relay for clients that cannot reach their peers (TURN), and tell them their address (STUN).
///
/// SIGHUP reads the file and the certificate again: users, secrets, keys of tokens and lists of peers change, what is
/// allocated lives on, and what else is told otherwise is named as needing a restart. SIGTERM lets the clients go, a second one ends it at once.
#[derive(Clone, Debug, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Options {
    /// Read these options from a TOML file; the names are the same, without the dashes, and those that can be repeated
    /// are lists. What the command line says counts more
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub(crate) config: Option<PathBuf>,

    /// Where to listen for UDP and TCP; repeatable. Two addresses with different IPs make the server help clients to find
    /// out how their NAT behaves (RFC 5780). Without a port it is 3478 [default: 127.0.0.1:3478]
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = address::<3478>)]
    #[serde(deserialize_with = "addresses::<_, 3478>")]
    pub(crate) listen: Vec<SocketAddr>,

    /// Where to listen for TLS; repeatable. Without a port it is 5349
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = address::<5349>)]
    #[serde(deserialize_with = "addresses::<_, 5349>")]
    pub(crate) tls_listen: Vec<SocketAddr>,

    /// The certificates of TLS, the server's first (PEM) [default: one that is made for this run]
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,

    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,

    /// Relay from this address of the host; one for IPv4, one for IPv6 [default: the addresses listened at]
    #[arg(long, value_name = "ADDR")]
    pub(crate) relay_ip: Vec<IpAddr>,

    /// Tell clients this address instead of the relay's, which is behind a one-to-one NAT
    #[arg(long, value_name = "ADDR")]
    pub(crate) external_ip: Vec<IpAddr>,

    /// The lowest port relays get [default: 49152]
    #[arg(long, value_name = "PORT")]
    pub(crate) min_port: Option<u16>,

    /// The highest port relays get [default: 65535]
    #[arg(long, value_name = "PORT")]
    pub(crate) max_port: Option<u16>,

    /// The realm users belong to [default: rtckit]
    #[arg(long)]
    pub(crate) realm: Option<String>,

    /// A user; repeatable. Others on this host can read the command line: a file is better
    #[arg(long, value_name = "NAME:PASSWORD")]
    pub(crate) user: Vec<String>,

    /// A secret shared with a web service that gives out time-limited users (the name is EXPIRY:NAME, the password
    /// base64(HMAC-SHA1(secret, name))); quotas of users go by NAME: where the service leaves it out, each EXPIRY is a user
    /// of its own, and --max-per-address alone limits; repeatable
    #[arg(long)]
    pub(crate) secret: Vec<String>,

    /// End what the users of a --secret have allocated when their time is over; it goes on otherwise while it is refreshed
    #[arg(long)]
    pub(crate) end_at_expiry: bool,

    /// A key that opens access tokens (RFC 7635): its id, A128GCM or A256GCM, and the key in base64; repeatable
    #[arg(long, value_name = "KID:ALGORITHM:KEY")]
    pub(crate) token_key: Vec<String>,

    /// What the server calls itself to those who bring access tokens, which are made for that name [default: the realm]
    #[arg(long, value_name = "NAME")]
    pub(crate) token_server: Option<String>,

    /// Let clients reach these peers, of those denied by default: what is not globally reachable (private, loopback,
    /// link-local, documentation ...); repeatable
    #[arg(long, value_name = "CIDR")]
    #[serde(deserialize_with = "cidrs")]
    pub(crate) allow_peer: Vec<Cidr>,

    /// Keep clients from these peers; repeatable
    #[arg(long, value_name = "CIDR")]
    #[serde(deserialize_with = "cidrs")]
    pub(crate) deny_peer: Vec<Cidr>,

    /// Let clients reach peers on this host's loopback
    #[arg(long)]
    pub(crate) allow_loopback_peers: bool,

    /// The most allocations at a time [default: 20000]
    #[arg(long, value_name = "N")]
    pub(crate) max_allocations: Option<usize>,

    /// The most allocations of one user, or of one access token [default: 100]
    #[arg(long, value_name = "N")]
    pub(crate) max_per_user: Option<u32>,

    /// The most allocations from one address [default: 200]
    #[arg(long, value_name = "N")]
    pub(crate) max_per_address: Option<u32>,

    /// The most TCP and TLS connections of clients [default: 4096]
    #[arg(long, value_name = "N")]
    pub(crate) max_streams: Option<usize>,

    /// The most TCP and TLS connections from one address [default: 256]
    #[arg(long, value_name = "N")]
    pub(crate) max_streams_per_address: Option<usize>,

    /// How many answers per second an address gets that has proved nothing; ten times as many at once [default: 100]
    #[arg(long, value_name = "N")]
    pub(crate) replies_per_second: Option<u32>,

    /// Send clients to this server, without a port its 3478, while this one lets its own go (SIGTERM)
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = address::<3478>)]
    #[serde(deserialize_with = "optional_address")]
    pub(crate) alternate_server: Option<SocketAddr>,

    /// How many threads relay, at most 64 [default: one for each processor]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,

    /// Serve metrics for Prometheus at http://ADDR:PORT/metrics
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) metrics: Option<SocketAddr>,

    /// Report on stdout as one JSON object a line, and tell the story on stderr, where -v logs as JSON too
    #[arg(long)]
    pub(crate) json: bool,

    /// What `json` was called before
    #[arg(long, value_enum, value_name = "FORMAT", hide = true)]
    pub(crate) log_format: Option<LogFormat>,
}

/// How the server logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

/// An address to listen at; without a port it is `PORT`.
pub(crate) fn address<const PORT: u16>(text: &str) -> Result<SocketAddr, String> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let ip = match bare {
        Some(bare) => bare.parse().map(IpAddr::V6),
        None => text.parse(),
    };
    text.parse()
        .or_else(|_| ip.map(|ip| SocketAddr::new(ip, PORT)))
        .map_err(|_| format!("{text}: expected ADDR or ADDR:PORT, of IPv6 [ADDR]:PORT"))
}

fn addresses<'de, D: Deserializer<'de>, const PORT: u16>(
    deserializer: D,
) -> Result<Vec<SocketAddr>, D::Error> {
    list(deserializer, address::<PORT>)
}

fn cidrs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Cidr>, D::Error> {
    list(deserializer, |text| {
        text.parse().map_err(|error| format!("{text}: {error}"))
    })
}

/// A list of texts, each of them read by `read`.
fn list<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let read = |text: &String| read(text).map_err(D::Error::custom);
    texts.iter().map(read).collect()
}

fn optional_address<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    address::<3478>(&text).map(Some).map_err(D::Error::custom)
}

impl Options {
    /// With what the file says that the command line does not.
    pub(crate) fn with_file(&self) -> Result<Self, Failure> {
        let mut options = self.clone();
        if let Some(path) = &self.config {
            options.fill(read(path)?);
        }
        options
            .check()
            .map_err(|what| Failure::new(what).with_code(2))?;
        Ok(options)
    }

    /// What makes no sense, wherever it was said.
    fn check(&self) -> Result<(), String> {
        if self.realm.as_deref() == Some("") {
            return Err("--realm: it is empty".into());
        }
        if self.secret.iter().any(String::is_empty) {
            return Err("--secret: it is empty, and would let everybody in".into());
        }
        match (&self.cert, &self.key) {
            (Some(_), None) => return Err("--cert needs --key: there is no private key".into()),
            (None, Some(_)) => return Err("--key needs --cert: there is no certificate".into()),
            _ => {}
        }
        for (name, ips) in [
            ("relay-ip", &self.relay_ip),
            ("external-ip", &self.external_ip),
        ] {
            if let Some(ip) = second_of_a_family(ips) {
                return Err(format!(
                    "--{name} {ip}: there can be one for IPv4 and one for IPv6"
                ));
            }
        }
        let at_least_one = [
            ("max-allocations", self.max_allocations == Some(0)),
            ("max-per-user", self.max_per_user == Some(0)),
            ("max-per-address", self.max_per_address == Some(0)),
            ("replies-per-second", self.replies_per_second == Some(0)),
        ];
        if let Some((name, _)) = at_least_one.iter().find(|(_, is_none)| *is_none) {
            return Err(format!("--{name} 0: nobody would be served"));
        }
        check_threads(self.threads)
    }

    /// Whether the logs are for programs.
    pub(crate) fn is_json(&self) -> bool {
        self.json || self.log_format == Some(LogFormat::Json)
    }

    /// The realm of the users.
    pub(crate) fn realm(&self) -> &str {
        self.realm.as_deref().unwrap_or("rtckit")
    }

    /// For whom access tokens are made.
    pub(crate) fn token_server(&self) -> &str {
        self.token_server.as_deref().unwrap_or_else(|| self.realm())
    }

    fn fill(&mut self, file: Self) {
        fn list<T>(own: &mut Vec<T>, other: Vec<T>) {
            if own.is_empty() {
                *own = other;
            }
        }
        list(&mut self.listen, file.listen);
        list(&mut self.tls_listen, file.tls_listen);
        list(&mut self.relay_ip, file.relay_ip);
        list(&mut self.external_ip, file.external_ip);
        list(&mut self.user, file.user);
        list(&mut self.secret, file.secret);
        list(&mut self.token_key, file.token_key);
        list(&mut self.allow_peer, file.allow_peer);
        list(&mut self.deny_peer, file.deny_peer);
        if self.cert.is_none() {
            (self.cert, self.key) = (file.cert, file.key);
        }
        self.min_port = self.min_port.or(file.min_port);
        self.max_port = self.max_port.or(file.max_port);
        self.realm = self.realm.take().or(file.realm);
        self.token_server = self.token_server.take().or(file.token_server);
        self.end_at_expiry |= file.end_at_expiry;
        self.allow_loopback_peers |= file.allow_loopback_peers;
        self.max_allocations = self.max_allocations.or(file.max_allocations);
        self.max_per_user = self.max_per_user.or(file.max_per_user);
        self.max_per_address = self.max_per_address.or(file.max_per_address);
        self.max_streams = self.max_streams.or(file.max_streams);
        self.max_streams_per_address = self
            .max_streams_per_address
            .or(file.max_streams_per_address);
        self.replies_per_second = self.replies_per_second.or(file.replies_per_second);
        self.threads = self.threads.or(file.threads);
        self.metrics = self.metrics.or(file.metrics);
        self.alternate_server = self.alternate_server.or(file.alternate_server);
        self.json |= file.json;
        self.log_format = self.log_format.or(file.log_format);
    }
}

fn second_of_a_family(ips: &[IpAddr]) -> Option<IpAddr> {
    let of_family = |is_ipv4| ips.iter().filter(move |ip| ip.is_ipv4() == is_ipv4);
    of_family(true)
        .nth(1)
        .or_else(|| of_family(false).nth(1))
        .copied()
}

/// Whether so many threads can be had.
pub(crate) fn check_threads(threads: Option<usize>) -> Result<(), String> {
    match threads {
        Some(threads) if !(1..=64).contains(&threads) => {
            Err(format!("--threads {threads}: there can be 1 to 64"))
        }
        _ => Ok(()),
    }
}

fn read(path: &Path) -> Result<Options, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::at(path, format_args!("cannot be read: {error}")))?;
    parse(&text).map_err(|what| Failure::at(path, what))
}

/// What is wrong, with its line, or the options.
fn parse(text: &str) -> Result<Options, String> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        match before {
            Some(before) => format!(
                "line {}: {}",
                before.matches('\n').count() + 1,
                error.message()
            ),
            None => error.message().to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_counts_more() {
        let mut options = Options {
            realm: Some("here".into()),
            user: vec!["a:b".into()],
            ..Options::default()
        };
        let file = "realm = \"there\"\nuser = [\"c:d\"]\nlisten = [\"192.0.2.1:3478\"]\nallow-peer = [\"10.0.0.0/8\"]\nlog-format = \"json\"\n";
        options.fill(parse(file).unwrap());
        assert_eq!(options.realm.as_deref(), Some("here"));
        assert_eq!(options.user, ["a:b"]);
        assert_eq!(options.listen, ["192.0.2.1:3478".parse().unwrap()]);
        assert_eq!(options.allow_peer.len(), 1);
        assert!(options.is_json());
    }

    #[test]
    fn a_port_can_be_left_out() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        for (text, found) in [
            ("192.0.2.1", "192.0.2.1:3478"),
            ("192.0.2.1:9", "192.0.2.1:9"),
            ("2001:db8::1", "[2001:db8::1]:3478"),
            ("[2001:db8::1]", "[2001:db8::1]:3478"),
            ("[::]", "[::]:3478"),
            ("[2001:db8::1]:9", "[2001:db8::1]:9"),
        ] {
            assert_eq!(address::<3478>(text), Ok(at(found)));
        }
        for wrong in ["", "here", "192.0.2.1:", "192.0.2.1:65536", "[192.0.2.1]"] {
            let error = address::<3478>(wrong).unwrap_err();
            assert!(error.contains("expected ADDR or ADDR:PORT"), "{error}");
        }
        let file = "listen = [\"192.0.2.1\"]\ntls-listen = [\"192.0.2.1\"]\nalternate-server = \"192.0.2.2\"\n";
        let options = parse(file).unwrap();
        assert_eq!(options.listen, [at("192.0.2.1:3478")]);
        assert_eq!(options.tls_listen, [at("192.0.2.1:5349")]);
        assert_eq!(options.alternate_server, Some(at("192.0.2.2:3478")));
    }

    #[test]
    fn an_empty_secret_is_none() {
        let options = parse("secret = [\"north\", \"\"]\n").unwrap();
        let error = options.check().unwrap_err();
        assert!(error.starts_with("--secret: it is empty"), "{error}");
    }

    #[test]
    fn a_mistake_has_a_line() {
        let error = parse("realm = \"x\"\nusr = []\n").unwrap_err();
        assert!(error.starts_with("line 2: unknown field `usr`"), "{error}");
        let error = parse("allow-peer = [\"10.0.0.0/99\"]\n").unwrap_err();
        assert!(error.contains("10.0.0.0/99"), "{error}");
    }
}
