//! What every call that plays clips has in common: the flags, the files, and the closing words.

use core::future::Future;
use core::time::Duration;
use std::io::{Write, stdout};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use crate::arguments::seconds;
use crate::capture::{Capture, KeyLog};
use crate::failure::Failure;
use crate::media::Clip;
use crate::play::Stream;
use crate::report::Report;
use crate::save::Directory;
use crate::trace::{Chapter, Trace};

/// The flags.
// Flattened into options of the same name: a group of its own would clash with theirs.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct Options {
    /// How long to play; clips that are shorter start over
    #[arg(long, value_name = "N", default_value = "5", value_parser = seconds)]
    pub(crate) seconds: Duration,

    /// The video to play: VP8 in IVF [default: a built-in clip]
    #[arg(long, value_name = "FILE.ivf")]
    pub(crate) video: Option<PathBuf>,

    /// The sound to play: Opus in Ogg [default: a built-in clip]
    #[arg(long, value_name = "FILE.ogg")]
    pub(crate) audio: Option<PathBuf>,

    /// Write what arrives to received.ivf and received.ogg in this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Write the datagrams to a capture file, as the caller's sockets see them
    #[arg(long, value_name = "FILE")]
    pub(crate) pcap: Option<PathBuf>,

    /// Append the keys of DTLS to a file, as Wireshark reads them
    #[arg(long, value_name = "FILE")]
    pub(crate) keylog: Option<PathBuf>,

    /// Print one JSON object on stdout, and the story on stderr
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a call is given.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) trace: Arc<Trace>,
    /// Video and sound.
    pub(crate) streams: [Stream; 2],
    pub(crate) capture: Option<Capture>,
    pub(crate) key_log: Option<KeyLog>,
}

/// Opens what the options name, makes the call, and saves and prints what came of it.
pub(crate) fn run<S, F>(options: &Options, call: impl FnOnce(Stage) -> F) -> Result<(), Failure>
where
    S: Serialize,
    F: Future<Output = Result<(Report<S>, [Stream; 2]), Failure>>,
{
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
    let result = runtime.block_on(call(Stage {
        trace: Arc::clone(&trace),
        streams,
        capture: capture.clone(),
        key_log,
    }));
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

fn print<S: Serialize>(
    options: &Options,
    trace: &Trace,
    report: &Report<S>,
) -> Result<(), Failure> {
    if !options.json {
        trace.print(&format!("\n{}\n", report.table(trace.has_colours())));
        return Ok(());
    }
    let json = serde_json::to_string_pretty(report).map_err(Failure::new)?;
    writeln!(stdout(), "{json}")
        .map_err(|error| Failure::new(format_args!("cannot write to stdout: {error}")))
}
