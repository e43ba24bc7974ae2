//! rtckit and other libraries at the same work, side by side in one run. `README.md` says how to read it.
#![warn(unused_qualifications, unreachable_pub, clippy::use_self)]
#![allow(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, and so do the rivals"
)]

mod groups;
mod harness;
mod json;
#[cfg(feature = "libsrtp")]
mod libsrtp;
mod table;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::groups::{GROUPS, Group};
use crate::harness::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Sets rtckit beside other libraries, in one interleaved run.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The groups to run; all without
    #[arg(value_name = "GROUP", value_parser = group)]
    groups: Vec<&'static Group>,
    /// Prints one array of rows, alone on stdout
    #[arg(long)]
    json: bool,
    /// Prints the names of the groups
    #[arg(long)]
    list: bool,
    /// Only works whose title contains this, as to profile them
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    work: String,
    /// Only entrants whose name contains this
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    who: String,
    /// How often each entrant is sampled
    #[arg(long, value_name = "N", default_value_t = 201, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Three rounds, to see that it runs
    #[arg(long, conflicts_with = "rounds")]
    quick: bool,
}

fn group(name: &str) -> Result<&'static Group, String> {
    GROUPS
        .iter()
        .find(|group| group.name == name)
        .ok_or_else(|| {
            let names: Vec<_> = GROUPS.iter().map(|group| group.name).collect();
            format!("the groups are {}", names.join(", "))
        })
}

fn main() -> ExitCode {
    match run(&Arguments::parse(), &mut io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        // whoever reads has seen enough
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments, out: &mut impl Write) -> io::Result<()> {
    if arguments.list {
        return GROUPS
            .iter()
            .try_for_each(|group| writeln!(out, "{:8} {}", group.name, group.about));
    }
    let rounds = if arguments.quick {
        3
    } else {
        arguments.rounds.into()
    };
    let asked = |group: &Group| {
        arguments.groups.is_empty() || arguments.groups.iter().any(|it| it.name == group.name)
    };
    let mut rows = Vec::new();
    for group in GROUPS.iter().filter(|group| asked(group)) {
        for mut work in (group.works)() {
            if !work.narrow(&arguments.work, &arguments.who) {
                continue;
            }
            let of_work = harness::run(group.name, work, rounds);
            if arguments.json {
                rows.extend(of_work);
            } else {
                table::write(&of_work, out)?;
            }
        }
    }
    if arguments.json {
        json::write(&rows, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
        assert!(group("srtp").is_ok());
        assert!(group("nothing").is_err_and(|error| error.contains("stun")));
    }
}
