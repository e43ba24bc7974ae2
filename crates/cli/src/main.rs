//! The `rtckit` command.
//!
//! Exit codes: 0 when everything the command promises held, 1 when it failed (one line on stderr says why), 2
//! when the command line made no sense (and of `sdp diff`, whose 1 says something else, when it failed), 130 when a second Ctrl-C or SIGTERM would not let it end in order.
#![forbid(unsafe_code)]

mod arguments;
mod call;
mod capture;
mod certificate;
mod failure;
mod interrupt;
mod loopback;
mod media;
mod names;
mod play;
mod report;
mod save;
mod sdp;
mod serve;
mod stage;
mod story;
mod stun;
mod stun_server;
mod tls;
mod trace;
mod turn_bench;
mod turn_server;
mod verify;

use std::io::{IsTerminal, stderr};
use std::process::ExitCode;

use clap::{ArgAction, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// WebRTC from the command line.
#[derive(Debug, Parser)]
#[command(name = "rtckit", version, about, max_term_width = 100)]
struct Cli {
    /// Log the protocols to stderr; -vv adds every read and send
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Loopback(loopback::Options),
    Serve(serve::Options),
    Call(call::Options),
    TurnServer(Box<turn_server::Options>),
    TurnBench(turn_bench::Options),
    StunServer(stun_server::Options),
    Stun(stun::Options),
    Sdp(sdp::Options),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let is_json = match &cli.command {
        Command::TurnServer(options) => options.is_json(),
        Command::StunServer(options) => options.is_json(),
        _ => false,
    };
    log(cli.verbose, is_json);
    let result = match cli.command {
        Command::Loopback(options) => loopback::run(&options),
        Command::Serve(options) => serve::run(&options),
        Command::Call(options) => call::run(&options),
        Command::TurnServer(options) => turn_server::run(&options),
        Command::TurnBench(options) => turn_bench::run(&options),
        Command::StunServer(options) => stun_server::run(&options),
        Command::Stun(options) => stun::run(&options),
        Command::Sdp(options) => sdp::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            failure.exit_code()
        }
    }
}

/// Sends the crates' logs to stderr, as lines for people or as JSON objects.
fn log(verbosity: u8, is_json: bool) {
    let filter = match verbosity {
        0 => return,
        1 => "warn,rtckit=debug",
        _ => "debug,rtckit=trace",
    };
    let logs = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(stderr);
    if is_json {
        logs.json().init();
    } else {
        logs.with_ansi(has_colours(&stderr())).init();
    }
}

/// Whether what is written there may be coloured: it is a terminal, and <https://no-color.org> does not object.
fn has_colours(stream: &impl IsTerminal) -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    stream.is_terminal()
        && !is_set("NO_COLOR")
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
