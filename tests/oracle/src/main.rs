//! Reads every sample with rtckit-sdp, sdp-types and webrtc-sdp, and compares field by field what they make of it.
//!
//! ```sh
//! cargo test --manifest-path tests/oracle/Cargo.toml              # crates/sdp/testdata
//! cargo run --manifest-path tests/oracle/Cargo.toml -- DIR...     # and other folders of .sdp files
//! ```
//!
//! Every disagreement must be explained by a row of the table in `explained.rs`, which says who is right and why. The
//! command lists the rows that no sample needed; over all samples the table was made for, there are none.
#![forbid(unsafe_code)]

mod explained;
mod fields;
mod ours;
mod sdp_types;
mod webrtc_sdp;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use explained::{Disagreement, EXPLAINED, Right, Row};
use fields::Fields;

/// What another reader makes of a text, and what we make of it in the same words.
type Reader = (
    &'static str,
    fn(&str) -> (Result<Fields, String>, Result<Fields, String>),
);

const READERS: [Reader; 2] = [
    ("sdp-types", sdp_types::read),
    ("webrtc-sdp", webrtc_sdp::read),
];

/// What was found in a folder.
#[derive(Debug, Default)]
struct Tally {
    samples: usize,
    /// By reader: how many samples it refuses or we do, and how many fields were compared.
    compared: BTreeMap<&'static str, (usize, usize)>,
    /// How often each row of the table was needed.
    used: BTreeMap<usize, usize>,
    unexplained: Vec<Disagreement>,
}

impl Tally {
    /// The rows of the table that no sample needed.
    fn unused(&self) -> impl Iterator<Item = (usize, &'static Row)> {
        let rows = EXPLAINED.iter().enumerate();
        rows.filter(|(row, _)| !self.used.contains_key(row))
    }
}

fn main() -> ExitCode {
    // The samples here are always among them: a row that neither they nor the others need is out of date.
    let mut folders = vec![testdata()];
    folders.extend(std::env::args_os().skip(1).map(PathBuf::from));
    let mut tally = Tally::default();
    for folder in &folders {
        if let Err(error) = compare_folder(folder, &mut tally) {
            eprintln!("oracle: {}: {error}", folder.display());
            return ExitCode::from(2);
        }
    }
    report(&tally);
    match tally.unexplained.is_empty() && tally.samples > 0 {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/sdp/testdata")
}

/// Compares all samples in a folder and those below it.
fn compare_folder(folder: &Path, tally: &mut Tally) -> std::io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            compare_folder(&path, tally)?;
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match path.extension().and_then(OsStr::to_str) {
            // The other readers take text too, or make text of what they take.
            Some("sdp") => {
                if let Ok(text) = String::from_utf8(fs::read(&path)?) {
                    compare(&name, &text, tally);
                }
            }
            Some("txt") => {
                for (number, text) in examples(&fs::read_to_string(&path)?) {
                    compare(&format!("{name} {number}"), &text, tally);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The descriptions of a file that has several: each follows a line such as "# 01".
fn examples(file: &str) -> Vec<(&str, String)> {
    let mut examples: Vec<(&str, String)> = Vec::new();
    for line in file.lines() {
        match (line.strip_prefix("# "), examples.last_mut()) {
            (Some(number), _) => examples.push((number, String::new())),
            (None, Some((_, text))) => {
                text.push_str(line);
                text.push_str("\r\n");
            }
            (None, None) => {}
        }
    }
    examples
}

fn compare(sample: &str, text: &str, tally: &mut Tally) {
    tally.samples += 1;
    for (reader, read) in READERS {
        let (theirs, ours) = read(text);
        let counts = tally.compared.entry(reader).or_default();
        let found = match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => {
                counts.1 += ours.len();
                ours.differences(theirs)
            }
            (Err(_), Err(_)) => Vec::new(),
            (ours, theirs) => {
                counts.0 += 1;
                let said = |read: &Result<Fields, String>| match read {
                    Ok(_) => "read".to_owned(),
                    Err(error) => format!("refused: {error}"),
                };
                vec![("whole text".to_owned(), said(ours), said(theirs))]
            }
        };
        for (field, ours, theirs) in found {
            let disagreement = Disagreement {
                reader,
                sample: sample.to_owned(),
                field,
                ours,
                theirs,
            };
            let explains = |row: &Row| {
                let is_wrong = || !rtckit_sdp::check(text).is_empty();
                row.explains(&disagreement) && (row.right != Right::Lenient || is_wrong())
            };
            match EXPLAINED.iter().position(explains) {
                Some(row) => *tally.used.entry(row).or_default() += 1,
                None => tally.unexplained.push(disagreement),
            }
        }
    }
}

fn report(tally: &Tally) {
    println!("{} samples", tally.samples);
    for (reader, (refused, fields)) in &tally.compared {
        println!("{reader}: {fields} fields compared; {refused} samples that only one of us reads");
    }
    for (row, times) in &tally.used {
        println!("{times:5} times: {}", EXPLAINED[*row]);
    }
    for (_, row) in tally.unused() {
        println!("  not needed here: {row}");
    }
    for disagreement in &tally.unexplained {
        println!("NOT EXPLAINED: {disagreement}");
    }
    println!(
        "{} disagreements are not explained",
        tally.unexplained.len()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_disagreement_is_explained() {
        let mut tally = Tally::default();
        compare_folder(&testdata(), &mut tally).unwrap();
        report(&tally);
        assert!(tally.samples >= 40, "{} samples", tally.samples);
        for (reader, (_, fields)) in &tally.compared {
            assert!(*fields > 2000, "{reader}: {fields} fields");
        }
        assert!(tally.unexplained.is_empty());
    }

    /// Without this, a table that explains everything would pass.
    #[test]
    fn a_disagreement_that_is_new_is_found() {
        let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n";
        let (_, ours) = sdp_types::read(text);
        let (theirs, _) = sdp_types::read(&text.replace("m=audio 9", "m=audio 7"));
        let found = ours.unwrap().differences(&theirs.unwrap());
        let expected = ("media[0].port".to_owned(), "9".to_owned(), "7".to_owned());
        assert_eq!(found, [expected]);
    }
}
