//! What rtckit's fuzz targets do, as plain functions.
//!
//! A target is a function here, a line in [`TARGETS`], a file in `fuzz_targets/` that calls it, and a folder in
//! `corpus/`. `cargo fuzz run TARGET` feeds it with what a fuzzer thinks of (nightly, or `RUSTC_BOOTSTRAP=1`);
//! `cargo test` on stable feeds it with the corpus and with `regressions/TARGET`, where every input that once
//! failed is kept.

use std::io::Cursor;

use rtckit_media::{ivf, ogg};

/// A target and its name.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[("ivf", ivf), ("ogg", ogg)];

/// A file that reads as IVF reads the same after it is written again.
pub fn ivf(data: &[u8]) {
    let Ok(mut reader) = ivf::Reader::new(data) else {
        return;
    };
    let mut writer = ivf::Writer::new(Cursor::new(Vec::new()), *reader.header())
        .expect("a header that was read can be written");
    let mut frames = Vec::new();
    while let Some(Ok(frame)) = reader.next() {
        writer
            .write_frame(frame.pts, &frame.data)
            .expect("a frame that was read can be written");
        frames.push(frame);
    }
    let file = writer
        .finish()
        .expect("memory takes everything")
        .into_inner();
    let mut again = ivf::Reader::new(&file[..]).expect("what was written can be read");
    assert_eq!(again.header().frame_count as usize, frames.len());
    let read: Vec<_> = again
        .by_ref()
        .map(|frame| frame.expect("what was written can be read"))
        .collect();
    assert_eq!(read, frames);
}

/// A file that reads as Ogg Opus has the same packets after it is written again.
pub fn ogg(data: &[u8]) {
    let Ok(mut reader) = ogg::Reader::new(data) else {
        return;
    };
    let mut writer = ogg::Writer::new(Vec::new(), reader.serial(), *reader.head(), reader.tags())
        .expect("headers that were read can be written");
    let mut packets = Vec::new();
    while let Some(Ok(packet)) = reader.next() {
        writer
            .write_packet(&packet.data)
            .expect("a packet that was read can be written");
        packets.push(packet.data);
    }
    let file = writer.finish().expect("memory takes everything");
    let mut again = ogg::Reader::new(&file[..]).expect("what was written can be read");
    assert_eq!((again.head(), again.tags()), (reader.head(), reader.tags()));
    let read: Vec<_> = again
        .by_ref()
        .map(|packet| packet.expect("what was written can be read").data)
        .collect();
    assert_eq!(read, packets);
}

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
