//! Reads captured STUN and TURN messages, verifies them with their passwords and writes them again to the same bytes:
//! `captures FOLDER [USERNAME REALM PASSWORD]`. It reads what is in the folder and those inside it:
//!
//! - `.jsonl`: a line has `hex` (a message) or `stream_prefix_hex` (the beginning of a stream), and `password` when it is
//!   an ICE check.
//! - `.hex` (a message a line), `.stun` (one message) and `.csv` with a column `message` in base64: collected elsewhere,
//!   without passwords. Integrity and fingerprint are written as they came, and padding is not compared.
//!
//! ```text
//! cargo run -p rtckit-turn --example captures -- crates/turn/testdata turnuser example.org turnpass
//! ```

mod check;

use core::error::Error;
use std::fs;
use std::path::Path;

use check::{Checker, Counts, check_unverified, unhex};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .ok_or("usage: captures FOLDER [USERNAME REALM PASSWORD]")?;
    let mut or = |default: &str| arguments.next().unwrap_or_else(|| default.to_owned());
    let checker = Checker::new(&or("turnuser"), &or("example.org"), &or("turnpass"));
    let failures = read_folder(Path::new(&folder), &checker)?;
    if failures > 0 {
        return Err(format!("{failures} messages failed").into());
    }
    Ok(())
}

/// Returns how many failed.
fn read_folder(folder: &Path, checker: &Checker) -> Result<usize, Box<dyn Error>> {
    let entries: Result<Vec<_>, _> = fs::read_dir(folder)?.collect();
    let mut paths: Vec<_> = entries?.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    let mut failures = 0;
    for path in paths {
        failures += if path.is_dir() {
            read_folder(&path, checker)?
        } else {
            read_file(&path, checker)?
        };
    }
    Ok(failures)
}

fn read_file(path: &Path, checker: &Checker) -> Result<usize, Box<dyn Error>> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let mut counts = Counts::default();
    let results: Vec<Result<(), String>> = match extension {
        Some("jsonl") => lines(&fs::read_to_string(path)?)
            .map(|line| checker.check_line(line, &mut counts))
            .collect(),
        Some("hex") => lines(&fs::read_to_string(path)?)
            .map(|line| check_unverified(&unhex(line)?, &mut counts))
            .collect(),
        Some("stun") => vec![check_unverified(&fs::read(path)?, &mut counts)],
        Some("csv") => {
            let text = fs::read_to_string(path)?;
            messages(&text)
                .map(|bytes| check_unverified(&bytes?, &mut counts))
                .collect()
        }
        _ => Vec::new(),
    };
    if results.is_empty() {
        println!("{}: no messages", path.display());
    } else {
        println!("{}: {counts:?}", path.display());
    }
    let errors = results.iter().enumerate();
    let errors = errors.filter_map(|(number, result)| Some((number, result.as_ref().err()?)));
    let mut failures = 0;
    for (number, error) in errors {
        println!("{}: number {}: {error}", path.display(), number + 1);
        failures += 1;
    }
    Ok(failures)
}

/// The lines that are no comments.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// What the column `message` of a table has, if there is one.
fn messages(text: &str) -> impl Iterator<Item = Result<Vec<u8>, String>> {
    let mut lines = lines(text);
    let head = lines.next().unwrap_or_default();
    let column = head.split(',').position(|name| name == "message");
    lines.filter_map(move |line| Some(unbase64(line.split(',').nth(column?)?)))
}

fn unbase64(text: &str) -> Result<Vec<u8>, String> {
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return Err("the message is not base64".into()),
        };
        held = held << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    Ok(bytes)
}
