//! `rtckit sdp check`: everything in which a description departs from the RFCs.

use core::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use rtckit_sdp::{Deviation, Rule};
use serde::Serialize;

use super::input::Input;
use super::output::{count, harmless, print, print_json};
use super::secret;
use crate::failure::Failure;

/// Report every problem of a description
///
/// Each with its place, what should have stood there, and the section of the RFC that says so. Exits with 1 if there is
/// any, also one that every implementation forgives.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// The description, or - for stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Print one JSON array on stdout
    #[arg(long)]
    json: bool,

    /// Show passwords and keys
    #[arg(long)]
    secrets: bool,
}

/// A problem, as JSON has it. `schema/` describes it.
#[derive(Debug, Serialize)]
struct Problem<'t> {
    line: u32,
    column: u32,
    rule: &'static str,
    field: &'static str,
    expected: &'static str,
    found: &'t str,
    reference: String,
    url: Option<String>,
    refused: bool,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let input = Input::read(&options.file)?;
    let deviations = input.deviations();
    let hidden = (!options.secrets).then(|| secret::hide(&input.text));
    let text = hidden.as_ref().unwrap_or(&input.text);
    if options.json {
        let lines: Vec<&str> = text.lines().collect();
        let problems = deviations
            .iter()
            .map(|deviation| problem(deviation, &lines));
        print_json(&problems.collect::<Vec<_>>())?;
    } else {
        print(&report(&input.name, text, &deviations))?;
    }
    verdict(&input.name, &deviations)
}

fn problem<'t>(deviation: &Deviation, lines: &[&'t str]) -> Problem<'t> {
    Problem {
        line: deviation.line,
        column: deviation.column,
        rule: deviation.rule.name(),
        field: deviation.field,
        expected: deviation.expected,
        found: found(deviation, lines),
        reference: deviation.reference.to_string(),
        url: deviation.reference.url(),
        refused: deviation.refused,
    }
}

/// The exit code, and the line that explains it.
fn verdict(name: &str, deviations: &[Deviation]) -> Result<(), Failure> {
    let refused = deviations.iter().any(|deviation| deviation.refused);
    let what = match (deviations.len(), refused) {
        (0, _) => return Ok(()),
        (Deviation::MAX.., _) => "too many problems to list".to_owned(),
        (many, true) => format!("{}; it cannot be read", count(many, "problem")),
        (many, false) => format!("{}; it can still be read", count(many, "problem")),
    };
    Err(Failure::new(format_args!("{name}: {what}")))
}

/// All problems for people, each with its line and a mark under the place.
fn report(name: &str, text: &str, deviations: &[Deviation]) -> String {
    if deviations.is_empty() {
        return format!("{name}: no problems\n");
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut report = String::new();
    let mut rest = deviations;
    while let Some((first, after)) = rest.split_first() {
        let same = run_of_line_ends(rest);
        let _ = write!(report, "{name}:{}:{}: ", first.line, first.column);
        let _ = writeln!(report, "{}", sentence(first));
        if same > 1 {
            let last = rest.get(same - 1).unwrap_or(first);
            let _ = writeln!(report, "      the same on each line up to {}", last.line);
        } else {
            report.push_str(&place(first, &lines));
        }
        report.push('\n');
        rest = rest.get(same..).unwrap_or(after);
    }
    report.pop();
    report
}

/// What should have been, which kind of rule it is, and where the rule is.
fn sentence(deviation: &Deviation) -> String {
    let Deviation {
        field,
        expected,
        rule,
        reference,
        ..
    } = deviation;
    let refused = if deviation.refused { ", refused" } else { "" };
    format!("{field}: expected {expected} ({rule}, {reference}{refused})")
}

/// How many problems at the front are one: every line of the text ends in the same wrong way.
fn run_of_line_ends(deviations: &[Deviation]) -> usize {
    let ends = deviations.windows(2).take_while(|pair| match pair {
        [one, next] => {
            one.rule == Rule::LineEnd && next.rule == Rule::LineEnd && next.line == one.line + 1
        }
        _ => false,
    });
    ends.count() + 1
}

/// The line, a mark under the place, and what stands there.
fn place(deviation: &Deviation, lines: &[&str]) -> String {
    let Some(line) = line_of(deviation, lines) else {
        return String::new();
    };
    let explanation = deviation.explain_line(line).to_string();
    // Its first line is the message, which was shown before.
    let rows = explanation.lines().skip(1);
    rows.map(|row| format!("  {}\n", harmless(row))).collect()
}

fn found<'t>(deviation: &Deviation, lines: &[&'t str]) -> &'t str {
    let line = line_of(deviation, lines).unwrap_or_default();
    deviation.as_error().found_in_line(line)
}

/// The line a problem is in; of a line that is missing at the end there is none.
fn line_of<'t>(deviation: &Deviation, lines: &[&'t str]) -> Option<&'t str> {
    let index = (deviation.line as usize).checked_sub(1)?;
    lines.get(index).copied()
}
