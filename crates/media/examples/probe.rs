//! Says what a media file is: `cargo run -p rtckit-media --example probe -- FILE...`
//!
//! Without a file it looks at the clips that are built in.

use core::time::Duration;
use std::fs::File;
use std::io::{BufReader, Read};
use std::process::ExitCode;

use rtckit_media::{Error, clips, ivf, ogg};

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let mut failed = false;
    let mut report = |name: &str, outcome: Result<String, String>| match outcome {
        Ok(summary) => println!("{name}: {summary}"),
        Err(error) => {
            eprintln!("{name}: {error}");
            failed = true;
        }
    };
    if files.is_empty() {
        report("clips::VIDEO_IVF", probe(clips::VIDEO_IVF));
        report("clips::AUDIO_OGG", probe(clips::AUDIO_OGG));
    }
    for file in &files {
        match File::open(file) {
            Ok(input) => report(file, probe(BufReader::new(input))),
            Err(error) => report(file, Err(error.to_string())),
        }
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// A line about the file, or what is wrong with it.
fn probe(mut input: impl Read) -> Result<String, String> {
    let mut start = [0; 4];
    input
        .read_exact(&mut start)
        .map_err(|error| format!("its first four bytes cannot be read: {error}"))?;
    let input = start.chain(input);
    match &start {
        b"DKIF" => probe_ivf(input).map_err(|error| error.to_string()),
        b"OggS" => probe_ogg(input).map_err(|error| error.to_string()),
        _ => Err(format!(
            "neither IVF nor Ogg: it begins with \"{}\"",
            start.escape_ascii()
        )),
    }
}

fn probe_ivf(input: impl Read) -> Result<String, Error> {
    let mut reader = ivf::Reader::new(input)?;
    let (mut data, mut bytes, mut end) = (Vec::new(), 0, 0);
    while let Some(pts) = reader.read_frame(&mut data)? {
        bytes += data.len();
        end = pts + 1;
    }
    let header = reader.header();
    Ok(format!(
        "IVF, {} {}x{}, timebase {}/{}, {} frames, {:?}, {} kbit/s",
        header.fourcc,
        header.width,
        header.height,
        header.timebase_numerator,
        header.timebase_denominator,
        reader.frames_read(),
        header.time(end),
        kilobits_per_second(bytes, header.time(end)),
    ))
}

fn probe_ogg(input: impl Read) -> Result<String, Error> {
    let mut reader = ogg::Reader::new(input)?;
    let (mut data, mut bytes) = (Vec::new(), 0);
    while reader.read_packet(&mut data)?.is_some() {
        bytes += data.len();
    }
    let playable = Duration::from_nanos(reader.playable_samples() * 1_000_000_000 / 48_000);
    Ok(format!(
        "Ogg Opus, {} channels, pre-skip {}, by {}, {} packets, {playable:?}, {} kbit/s",
        reader.head().channels,
        reader.head().pre_skip,
        reader.tags().vendor.escape_debug(),
        reader.packets_read(),
        kilobits_per_second(bytes, playable),
    ))
}

fn kilobits_per_second(bytes: usize, duration: Duration) -> u128 {
    bytes as u128 * 8 / duration.as_millis().max(1)
}
