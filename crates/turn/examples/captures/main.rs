//! Reads captured STUN and TURN messages, verifies them with their passwords and writes them again to the same bytes:
//! `captures FOLDER [USERNAME REALM PASSWORD]`. Every `.jsonl` file in the folder is read; a line has `hex` (a
//! message) or `stream_prefix_hex` (the beginning of a stream), and `password` when it is an ICE check.
//!
//! ```text
//! cargo run -p rtckit-turn --example captures -- crates/turn/testdata turnuser example.org turnpass
//! ```

mod check;

use core::error::Error;
use std::fs;

use check::{Checker, Counts};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .ok_or("usage: captures FOLDER [USERNAME REALM PASSWORD]")?;
    let mut or = |default: &str| arguments.next().unwrap_or_else(|| default.to_owned());
    let checker = Checker::new(&or("turnuser"), &or("example.org"), &or("turnpass"));
    let mut failures = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_none_or(|extension| extension != "jsonl")
        {
            continue;
        }
        let mut counts = Counts::default();
        for (number, line) in fs::read_to_string(&path)?.lines().enumerate() {
            if line.starts_with('#') {
                continue;
            }
            if let Err(error) = checker.check_line(line, &mut counts) {
                println!("{}:{}: {error}", path.display(), number + 1);
                failures += 1;
            }
        }
        println!("{}: {counts:?}", path.display());
    }
    if failures > 0 {
        return Err(format!("{failures} lines failed").into());
    }
    Ok(())
}
