//! Which of the fuzzer's inputs cost most for their length: `cargo run --release --example sdp_slowest -- FOLDER OUT`
//! (in `fuzz/`) reads every input of the target `sdp` in FOLDER, such as the corpus that `cargo fuzz run sdp FOLDER`
//! has grown, and writes the texts of the ten slowest to read, byte for byte, and of the ten slowest to check to
//! OUT. `benches/nasty` was made so; the bench `sdp` repeats each up to a mebibyte.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, io};

use rtckit_fuzz::sdp;
use rtckit_sdp::{Session, check};

/// Below this, a text says more about the clock and the allocator than about the parser.
const SHORTEST: usize = 200;
const KEPT: usize = 10;

fn main() -> io::Result<()> {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [folder, out] = arguments.as_slice() else {
        eprintln!("usage: sdp_slowest FOLDER OUT");
        std::process::exit(2);
    };
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let text = sdp::as_text(&fs::read(entry?.path())?);
        texts.extend(text.filter(|text| text.len() >= SHORTEST && Session::parse(text).is_ok()));
    }
    fs::create_dir_all(out)?;
    keep(&texts, out, "read", |text| {
        Session::parse(text).map_or(0, |session| sdp::look(&session))
    })?;
    keep(&texts, out, "check", |text| check(text).len())
}

/// Writes the slowest of `texts` for their length into `out`.
fn keep(texts: &[String], out: &Path, name: &str, work: impl Fn(&str) -> usize) -> io::Result<()> {
    let per_byte = |text: &str| {
        let shortest = (0..20).map(|_| time(|| work(text))).min();
        shortest.unwrap_or_default().as_secs_f64() * 1e9 / text.len() as f64
    };
    let mut timed: Vec<(f64, &String)> = texts.iter().map(|text| (per_byte(text), text)).collect();
    timed.sort_by(|one, other| other.0.total_cmp(&one.0));
    for (rank, (nanoseconds, text)) in timed.iter().take(KEPT).enumerate() {
        let file = out.join(format!("{name}{rank}.sdp"));
        fs::write(&file, text)?;
        println!("{nanoseconds:.1} ns a byte: {}", file.display());
    }
    Ok(())
}

fn time(work: impl FnOnce() -> usize) -> Duration {
    let start = Instant::now();
    std::hint::black_box(work());
    start.elapsed()
}
