//! `rtckit sdp diff`: in what two descriptions differ, by what they say and not by how it is written.

mod change;
mod codecs;
mod compare;
mod facts;

use core::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::input::{Input, is_stdin};
use super::output::{count, harmless, print, print_json};
use crate::failure::Failure;

use change::{Change, Place};

/// Compare what two descriptions say
///
/// Line ends, blanks, and the order of attributes do not count, nor whether an attribute stands in the session or in
/// each of its media sections where that means the same. Codecs and header extensions are recognised under other
/// numbers. Exits with 0 if both say the same, with 1 if not, with 2 if they cannot be compared.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// The description of before, or - for stdin
    #[arg(value_name = "A")]
    before: PathBuf,

    /// The description of after, or - for stdin
    #[arg(value_name = "B")]
    after: PathBuf,

    /// Print one JSON object on stdout
    #[arg(long)]
    json: bool,

    /// Show passwords and keys
    #[arg(long)]
    secrets: bool,
}

/// The object that `--json` prints. `schema/` describes it.
#[derive(Debug, Serialize)]
struct Report<'c> {
    equal: bool,
    changes: &'c [Change],
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    if is_stdin(&options.before) && is_stdin(&options.after) {
        return Err(Failure::new("only one of the descriptions can be on stdin").with_code(2));
    }
    let trouble = |failure: Failure| failure.with_code(2);
    let before = Input::read(&options.before).map_err(trouble)?;
    let after = Input::read(&options.after).map_err(trouble)?;
    let sessions = (
        before.session().map_err(trouble)?,
        after.session().map_err(trouble)?,
    );
    let changes = compare::sessions(&sessions.0, &sessions.1, options.secrets);
    let names = format!("{} and {}", before.name, after.name);
    if options.json {
        print_json(&Report {
            equal: changes.is_empty(),
            changes: &changes,
        })?;
    } else if changes.is_empty() {
        print(&format!("{names} say the same\n"))?;
    } else {
        print(&report(&changes))?;
    }
    match changes.len() {
        0 => Ok(()),
        many => {
            let many = count(many, "difference");
            Err(Failure::new(format_args!("{names}: {many}")))
        }
    }
}

/// The changes for people, by section.
fn report(changes: &[Change]) -> String {
    let mut report = String::new();
    let mut place: Option<&Place> = None;
    for change in changes {
        if place != Some(&change.place) {
            let _ = writeln!(report, "{}", harmless(&change.place.to_string()));
            place = Some(&change.place);
        }
        let _ = writeln!(report, "  {}", harmless(&change.to_string()));
    }
    report
}
