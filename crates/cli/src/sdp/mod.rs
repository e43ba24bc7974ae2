//! `rtckit sdp`: a look at session descriptions.

mod check;
mod diff;
mod input;
mod output;
mod secret;
mod show;
mod summary;

use clap::{Args, Subcommand};

use crate::failure::Failure;

/// Check, show or compare session descriptions
///
/// FILE is a session description (SDP), or - for stdin. Passwords and keys are hidden from what is printed, unless
/// --secrets is given.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    Check(check::Options),
    Show(show::Options),
    Diff(diff::Options),
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    match &options.command {
        Command::Check(options) => check::run(options),
        Command::Show(options) => show::run(options),
        Command::Diff(options) => diff::run(options),
    }
}
