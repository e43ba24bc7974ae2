//! What rtckit's fuzz targets do, as plain functions.
//!
//! A target is a module here with a function `target`, a line in [`TARGETS`], a file in `fuzz_targets/` that calls
//! it, and a folder in `corpus/`. `cargo fuzz run TARGET` feeds it with what a fuzzer thinks of (nightly, or
//! `RUSTC_BOOTSTRAP=1`); `cargo test` on stable feeds it with the corpus and with `regressions/TARGET`, where every
//! input that once failed is kept.
//!
//! There are two kinds. A *format* is parsed, looked at from every side, written again and compared. A *machine* is
//! driven by a list of operations decoded from the input, in virtual time, over a network that the input rules; it
//! must not panic, must keep its queues bounded, must never ask to be woken in the past twice, and must still do
//! its work once it is left alone.

pub mod dtls;
pub mod dtls_ops;
pub mod dtls_record_handshake;
pub mod ice_ops;
pub mod input;
pub mod ivf;
pub mod jsep;
pub mod ogg;
pub mod peer_ops;
pub mod peers;
pub mod receive_stream;
pub mod rtcp_compound;
pub mod rtp;
pub mod sdp;
pub mod settle;
pub mod srtp;
pub mod stun;
pub mod stun_stream;
pub mod turn_client;
pub mod turn_server;
pub mod vp8_opus_payload;

/// A target and its name.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("dtls_ops", dtls_ops::target),
    ("dtls_record_handshake", dtls_record_handshake::target),
    ("ice_ops", ice_ops::target),
    ("ivf", ivf::target),
    ("jsep", jsep::target),
    ("ogg", ogg::target),
    ("peer_ops", peer_ops::target),
    ("receive_stream", receive_stream::target),
    ("rtcp_compound", rtcp_compound::target),
    ("rtp", rtp::target),
    ("sdp", sdp::target),
    ("srtp", srtp::target),
    ("stun", stun::target),
    ("stun_stream", stun_stream::target),
    ("turn_client", turn_client::target),
    ("turn_server", turn_server::target),
    ("vp8_opus_payload", vp8_opus_payload::target),
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::TARGETS;

    fn inputs(folder: PathBuf) -> Vec<(PathBuf, Vec<u8>)> {
        let Ok(entries) = fs::read_dir(folder) else {
            return Vec::new();
        };
        entries
            .map(|entry| entry.expect("a folder can be listed").path())
            .filter(|path| path.file_name().is_some_and(|name| name != ".gitkeep"))
            .map(|path| (path.clone(), fs::read(&path).expect("a file can be read")))
            .collect()
    }

    #[test]
    fn corpora_and_regressions_replay() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for (name, target) in TARGETS {
            let corpus = inputs(root.join("corpus").join(name));
            assert!(!corpus.is_empty(), "{name} has no corpus");
            for (path, data) in corpus
                .into_iter()
                .chain(inputs(root.join("regressions").join(name)))
            {
                println!("{}", path.display());
                target(&data);
            }
        }
    }

    #[test]
    fn seeds_cut_short_anywhere_replay() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for (name, target) in TARGETS {
            for (path, data) in inputs(root.join("corpus").join(name)) {
                println!("{}", path.display());
                // every length of a small seed, a sample of a large one
                for len in (0..data.len()).step_by(data.len() / 1000 + 1) {
                    target(&data[..len]);
                }
            }
        }
    }

    #[test]
    fn every_target_has_its_files() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found: Vec<String> = fs::read_dir(root.join("fuzz_targets"))
            .expect("a folder can be listed")
            .filter_map(|entry| {
                let path = entry.expect("a folder can be listed").path();
                Some(path.file_stem()?.to_str()?.to_owned())
            })
            .collect();
        found.sort();
        let mut listed: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        listed.sort_unstable();
        assert_eq!(found, listed);
        let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("a file can be read");
        for name in listed {
            assert!(
                manifest.contains(&format!("name = \"{name}\"")),
                "{name} is no [[bin]]"
            );
        }
    }
}
