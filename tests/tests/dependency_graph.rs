//! Who knows whom: the direction of dependencies, and what the protocol crates never name.
//!
//! ARCHITECTURE.md says why; this says what, for every crate in `crates/`. It asks `cargo metadata` for normal
//! dependencies, optional ones included (dev-dependencies may point anywhere), and reads the sources.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on should panic, and this one reads files"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Which rtckit crates a crate may depend on. A new crate gets its line here.
const KNOWS: &[(&str, &[&str])] = &[
    ("rtckit-proto", &[]),
    ("rtckit-crypto", &["rtckit-proto"]),
    ("rtckit-sdp", &[]),
    ("rtckit-stun", &["rtckit-crypto", "rtckit-proto"]),
    (
        "rtckit-turn",
        &["rtckit-crypto", "rtckit-proto", "rtckit-stun"],
    ),
    (
        "rtckit-ice",
        &["rtckit-crypto", "rtckit-proto", "rtckit-stun"],
    ),
    // the whole NAT client, without any media
    (
        "rtckit-transport",
        &["rtckit-crypto", "rtckit-ice", "rtckit-proto"],
    ),
    ("rtckit-dtls", &["rtckit-crypto", "rtckit-proto"]),
    ("rtckit-rtp", &["rtckit-proto"]),
    (
        "rtckit-srtp",
        &["rtckit-crypto", "rtckit-proto", "rtckit-rtp"],
    ),
    ("rtckit-peer", PROTOCOLS),
    ("rtckit-netsim", &["rtckit-proto"]),
    ("rtckit-media", &["rtckit-proto", "rtckit-rtp"]),
    (
        "rtckit",
        &[
            "rtckit-crypto",
            "rtckit-dtls",
            "rtckit-ice",
            "rtckit-media",
            "rtckit-netsim",
            "rtckit-peer",
            "rtckit-proto",
            "rtckit-rtp",
            "rtckit-sdp",
            "rtckit-srtp",
            "rtckit-stun",
            "rtckit-transport",
            "rtckit-turn",
        ],
    ),
    (
        "rtckit-cli",
        &[
            "rtckit",
            "rtckit-crypto",
            "rtckit-dtls",
            "rtckit-ice",
            "rtckit-media",
            "rtckit-netsim",
            "rtckit-peer",
            "rtckit-proto",
            "rtckit-rtp",
            "rtckit-sdp",
            "rtckit-srtp",
            "rtckit-stun",
            "rtckit-transport",
            "rtckit-turn",
        ],
    ),
];

/// What the peer is made of.
const PROTOCOLS: &[&str] = &[
    "rtckit-crypto",
    "rtckit-dtls",
    "rtckit-ice",
    "rtckit-proto",
    "rtckit-rtp",
    "rtckit-sdp",
    "rtckit-srtp",
    "rtckit-stun",
    "rtckit-transport",
];

/// Crates from elsewhere that only some of ours may name.
const RESERVED: &[(&[&str], &[&str])] = &[
    // cryptography, by the one crate that wraps it
    (
        &[
            "aes",
            "aes-gcm",
            "aws-lc-rs",
            "ctr",
            "ed25519-dalek",
            "hmac",
            "md-5",
            "ml-kem",
            "p256",
            "p384",
            "rcgen",
            "ring",
            "rsa",
            "rustls-webpki",
            "sha1",
            "sha2",
            "subtle",
            "x25519-dalek",
        ],
        &["rtckit-crypto"],
    ),
    // TLS sockets need it too
    (&["rustls"], &["rtckit-crypto", "rtckit", "rtckit-cli"]),
    (&["nom"], &["rtckit-sdp"]),
    // the web server of `rtckit serve`, and the client of `rtckit call`, which believes whom the system believes
    (
        &[
            "axum",
            "http-body-util",
            "hyper",
            "hyper-util",
            "rustls-native-certs",
            "webpki-roots",
        ],
        &["rtckit-cli"],
    ),
    // the outside world
    (
        &[
            "async-std",
            "if-addrs",
            "mio",
            "nix",
            "quinn-udp",
            "rustix",
            "smol",
            "socket2",
            "tokio",
            "tokio-rustls",
        ],
        &["rtckit", "rtckit-cli"],
    ),
];

/// What only the driver's crates may name in their sources: sockets, clocks, threads, runtimes.
const FORBIDDEN: &[&str] = &[
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "Instant::now",
    "SystemTime",
    "thread::sleep",
    "thread::spawn",
    "tokio",
];

/// The crates that touch the outside world.
const DRIVERS: &[&str] = &["rtckit", "rtckit-cli"];

struct Crate {
    name: String,
    folder: PathBuf,
    /// Normal dependencies by their names in the registry, with the path of those in this workspace.
    dependencies: BTreeMap<String, bool>,
}

/// The crates in `crates/`.
fn crates() -> Vec<Crate> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata");
    let folder = |package: &cargo_metadata::Package| {
        let manifest = package.manifest_path.as_std_path();
        manifest.parent().unwrap().to_owned()
    };
    metadata
        .packages
        .iter()
        .filter(|package| folder(package).parent() == Some(&root.join("crates")))
        .map(|package| Crate {
            name: package.name.to_string(),
            folder: folder(package),
            dependencies: package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind == DependencyKind::Normal)
                .map(|dependency| (dependency.name.clone(), dependency.path.is_some()))
                .collect(),
        })
        .collect()
}

#[test]
fn every_crate_has_its_line() {
    let found: BTreeSet<String> = crates().into_iter().map(|c| c.name).collect();
    let listed: BTreeSet<String> = KNOWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(found, listed, "crates/ on the left, KNOWS on the right");
}

#[test]
fn crates_know_only_whom_they_may() {
    let known: BTreeMap<_, _> = KNOWS.iter().copied().collect();
    let mut faults = Vec::new();
    for c in crates() {
        let allowed = known.get(&c.name[..]).copied().unwrap_or_default();
        for (dependency, _) in c.dependencies.iter().filter(|(_, ours)| **ours) {
            if !allowed.contains(&&dependency[..]) {
                faults.push(format!("{} depends on {dependency}", c.name));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_table_has_no_cycle() {
    // each round strikes out the crates that know only those struck out before
    let mut left: Vec<_> = KNOWS.to_vec();
    while !left.is_empty() {
        let names: BTreeSet<_> = left.iter().map(|(name, _)| *name).collect();
        let before = left.len();
        left.retain(|(_, knows)| knows.iter().any(|name| names.contains(name)));
        assert!(left.len() < before, "a cycle among {names:?}");
    }
}

#[test]
fn reserved_crates_stay_where_they_belong() {
    let mut faults = Vec::new();
    for c in crates() {
        for (reserved, owners) in RESERVED {
            for name in reserved
                .iter()
                .filter(|name| c.dependencies.contains_key(**name))
            {
                if !owners.contains(&&c.name[..]) {
                    faults.push(format!(
                        "{} depends on {name}, which is for {owners:?}",
                        c.name
                    ));
                }
            }
        }
        if c.name == "rtckit-sdp" {
            let all: Vec<_> = c.dependencies.keys().collect();
            assert_eq!(all, ["nom"], "sdp depends on nom alone");
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn protocol_crates_never_name_sockets_clocks_or_runtimes() {
    let mut faults = Vec::new();
    let mut files = 0;
    for c in crates().iter().filter(|c| !DRIVERS.contains(&&c.name[..])) {
        for file in rust_files(&c.folder.join("src")) {
            files += 1;
            let text = fs::read_to_string(&file).unwrap();
            for (number, line) in code_lines(&text) {
                for word in FORBIDDEN.iter().filter(|word| line.contains(**word)) {
                    faults.push(format!("{}:{number} names {word}", file.display()));
                }
            }
        }
    }
    assert!(
        files >= KNOWS.len() - DRIVERS.len(),
        "only {files} files were read"
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_scan_sees_code_and_nothing_else() {
    let text = "// tokio\nuse tokio;\n/// SystemTime\n#[cfg(test)]\nuse std;\nfn f() {}\n#[cfg(test)]\nmod tests {\n tokio\n}\n";
    let seen: Vec<_> = code_lines(text).map(|(number, _)| number).collect();
    assert_eq!(
        seen,
        [2, 4, 5, 6],
        "neither comments nor the tests at the end"
    );
}

/// The Rust files below `folder`, but those of test modules.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_stem().is_some_and(|stem| stem == "tests") {
            continue;
        }
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The lines of code with their numbers, without comments and the tests, which stand at the end of a file.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let tests = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    text[..tests]
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim_start()))
        .filter(|(_, line)| !line.starts_with("//"))
}
