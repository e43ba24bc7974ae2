//! What every call that plays clips has in common: the flags, the files, and the closing words.

use core::future::Future;
use core::time::Duration;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use tokio::sync::watch;

use crate::arguments::seconds;
use crate::capture::{Capture, KeyLog};
use crate::failure::Failure;
use crate::interrupt::interrupts;
use crate::media::Clip;
use crate::play::Stream;
use crate::report::Report;
use crate::save::{self, Directory};
use crate::trace::{Chapter, Trace};

/// The flags.
// Flattened into options of the same name: a group of its own would clash with theirs.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct Options {
    /// How long to play; clips that are shorter start over. Ctrl-C or SIGTERM ends it early, which counts as a
    /// success if what was played until then came; a second one drops everything
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
    /// Turns true when the user would rather have it over.
    pub(crate) stop: watch::Receiver<bool>,
}

/// Opens what the options name, makes the call, and saves and prints what came of it. `scene` is what is told of a call
/// that has come to nothing.
pub(crate) fn run<S, F>(
    options: &Options,
    scene: S,
    call: impl FnOnce(Stage) -> F,
) -> Result<(), Failure>
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
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format_args!("cannot start: {error}")))?;
    // From here on nobody ends the process before what is half written is removed.
    let within = runtime.enter();
    let [stop, mut abort] = interrupts();
    drop(within);
    // Everything that can be refused is tried before the call begins.
    refuse_one_file_for_two(options)?;
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

    let call = call(Stage {
        trace: Arc::clone(&trace),
        streams,
        capture: capture.clone(),
        key_log,
        stop,
    });
    let result = runtime.block_on(async {
        tokio::select! {
            result = call => result,
            _ = abort.wait_for(|&abort| abort) => Err(Failure::interrupted()),
        }
    });
    trace.end_bar();
    // The capture is worth most when the call has failed.
    let captured = capture.map_or(Ok(()), |capture| capture.finish());
    let report = match result {
        Ok((mut report, streams)) => {
            if report.is_whole()
                && let Err(failure) = captured.and_then(|()| save(streams))
            {
                report.fail(failure);
            }
            report
        }
        Err(failure) => Report::failed(scene, options.seconds, failure),
    };
    if report.is_whole() {
        tell_files(options, &trace);
    }
    print(options, &trace, &report)?;
    report.verdict()
}

/// Completes what the streams have taken down.
fn save(streams: [Stream; 2]) -> Result<(), Failure> {
    let recordings = streams.into_iter().filter_map(Stream::into_recording);
    save::finish(recordings)
}

/// The capture would begin the file anew and the keys go to its end: neither could be read.
fn refuse_one_file_for_two(options: &Options) -> Result<(), Failure> {
    let (Some(pcap), Some(keylog)) = (&options.pcap, &options.keylog) else {
        return Ok(());
    };
    // A device such as /dev/null takes both.
    let is_device = pcap.exists() && !pcap.is_file();
    if !is_device && resolved(pcap) == resolved(keylog) {
        return Err(Failure::at(
            pcap,
            "cannot take the datagrams and the keys at once",
        ));
    }
    Ok(())
}

/// What a path stands for, whether there is a file or not.
fn resolved(path: &Path) -> PathBuf {
    let canonical = path.canonicalize().or_else(|error| {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(error);
        };
        // The parent of a bare name is empty, and means the current directory.
        Ok(Path::new(".").join(parent).canonicalize()?.join(name))
    });
    canonical.unwrap_or_else(|_| path.to_owned())
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
        if report.is_whole() {
            trace.print(&format!("\n{}\n", report.table(trace.has_colours())));
        }
        return Ok(());
    }
    let json = serde_json::to_string_pretty(report).map_err(Failure::new)?;
    writeln!(stdout(), "{json}")
        .map_err(|error| Failure::new(format_args!("cannot write to stdout: {error}")))
}
