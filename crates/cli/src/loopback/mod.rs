//! `rtckit loopback`: a call in one process, verified to the byte.

mod call;
mod network;
mod options;
mod report;

use std::io::{Write, stdout};
use std::sync::Arc;

use crate::capture::{Capture, KeyLog};
use crate::failure::Failure;
use crate::media::Clip;
use crate::play::Stream;
use crate::save::Directory;
use crate::trace::{Chapter, Trace};

pub(crate) use options::Options;

use call::Call;
use report::Report;

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let trace = Arc::new(Trace::new(options.json));
    let video = Clip::video(options.video.as_deref())?;
    let audio = Clip::audio(options.audio.as_deref())?;
    for clip in [&video, &audio] {
        trace.tell(
            Chapter::Start,
            format_args!("open the media: {}", clip.description),
        );
    }
    // Everything that can be refused is tried before the call begins.
    let directory = options.out.as_deref().map(Directory::open).transpose()?;
    let stream = |clip: Clip| {
        let recording = directory
            .as_ref()
            .map(|directory| directory.recording(&clip))
            .transpose()?;
        Ok::<_, Failure>(Stream::new(clip, recording))
    };
    let streams = [stream(video)?, stream(audio)?];
    let key_log = options.keylog.as_deref().map(KeyLog::open).transpose()?;
    let capture = options.pcap.as_deref().map(Capture::create).transpose()?;

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format_args!("cannot start: {error}")))?;
    let result = runtime
        .block_on(Call::new(options, Arc::clone(&trace), capture.clone(), key_log).run(streams));
    trace.end_bar();
    // The capture is worth most when the call has failed.
    let captured = capture.map_or(Ok(()), |capture| capture.finish());
    let (report, streams) = result?;
    captured?;
    for stream in streams {
        stream.save()?;
    }
    tell_files(options, &trace);
    print(options, &trace, &report)?;
    report.verdict()
}

fn tell_files(options: &Options, trace: &Trace) {
    if let Some(directory) = &options.out {
        trace.tell(
            Chapter::Stop,
            format_args!(
                "received.ivf and received.ogg are in {}",
                directory.display()
            ),
        );
    }
    if let Some(path) = &options.pcap {
        trace.tell(
            Chapter::Stop,
            format_args!("the datagrams are in {}", path.display()),
        );
    }
    if let Some(path) = &options.keylog {
        trace.tell(
            Chapter::Stop,
            format_args!("the keys are in {}", path.display()),
        );
    }
}

fn print(options: &Options, trace: &Trace, report: &Report) -> Result<(), Failure> {
    if !options.json {
        trace.print(&format!("\n{}\n", report.table(trace.has_colours())));
        return Ok(());
    }
    let json = serde_json::to_string_pretty(report).map_err(Failure::new)?;
    writeln!(stdout(), "{json}")
        .map_err(|error| Failure::new(format_args!("cannot write to stdout: {error}")))
}
