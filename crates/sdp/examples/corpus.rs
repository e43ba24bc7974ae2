//! Holds the parser against a folder of descriptions: `cargo run -p rtckit-sdp --example corpus -- DIR`.
//!
//! If the folder has an `INDEX.tsv` (columns `file`, and one for each browser with `accepted` or `rejected`), every file
//! that a browser accepts must parse, be written byte for byte, and have nothing that this crate has a type for but cannot
//! read. Without it, every file must be written byte for byte or refused with a place. One line is printed for each file;
//! the exit code is 1 if anything does not hold.

use core::error::Error;
use rtckit_sdp::{Rule, Session, check};
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let folder = PathBuf::from(env::args().nth(1).ok_or("usage: corpus DIR")?);
    let verdicts = verdicts(&folder)?;
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sdp"));
    files.sort();
    if files.is_empty() {
        return Err(format!("{}: no .sdp files are there", folder.display()).into());
    }

    let mut totals = Totals::default();
    println!("accepted parsed same deviations untyped  file");
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let accepted = verdicts.get(name.as_ref()).copied();
        totals.judge(&name, accepted, &fs::read(file)?);
    }
    println!("{totals:#?}");
    Ok(match totals.failures.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// What browsers accept although a value in it is not one: they ignore the attribute, and so can a reader. A file of which
/// the name begins so may have such attributes of this name, and no others.
const MALFORMED_ON_PURPOSE: &[(&str, &str)] = &[
    ("mut_cand_port_70000__", "candidate"),
    ("mut_mid_with_space__", "mid"),
    ("mut_msid_empty__", "msid"),
    ("mut_rid_bad_dir__", "rid"),
    ("mut_rtpmap_no_rate__", "rtpmap"),
    ("mut_sctp_port_65536__", "sctp-port"),
    ("mut_ssrc_too_big__", "ssrc"),
    // No port is given.
    ("webrtc_webrtc_sdp_unittest_40", "sctp-port"),
    // "a=rtcp:34er21".
    ("webrtcsdp_lib_tests_5", "rtcp"),
];

#[derive(Debug, Default)]
#[allow(dead_code, reason = "it is there to be printed")]
struct Totals {
    files: usize,
    accepted_by_a_browser: usize,
    parsed: usize,
    refused: usize,
    written_byte_for_byte: usize,
    nothing_found_by_the_check: usize,
    attributes: usize,
    attributes_typed: usize,
    /// Attributes that browsers ignore for their value, see [`MALFORMED_ON_PURPOSE`].
    malformed_on_purpose: usize,
    /// All attributes that have a type but cannot be read.
    malformed: BTreeMap<String, usize>,
    /// Names for which there is no type.
    names_without_a_type: BTreeMap<String, usize>,
    refusals: Vec<String>,
    failures: Vec<String>,
}

impl Totals {
    fn judge(&mut self, name: &str, accepted: Option<bool>, bytes: &[u8]) {
        self.files += 1;
        self.accepted_by_a_browser += usize::from(accepted == Some(true));
        let yes = |yes: bool| if yes { "yes" } else { "no" };
        let known = accepted.map_or("?", yes);
        let Ok(text) = core::str::from_utf8(bytes) else {
            println!("{known:8} no     -    -          -        {name}: not UTF-8");
            self.refused += 1;
            return self.fail_if(accepted == Some(true), name, "not UTF-8");
        };
        let deviations = check(text);
        self.nothing_found_by_the_check += usize::from(deviations.is_empty());
        if deviations
            .iter()
            .any(|deviation| deviation.line == 0 || deviation.column == 0)
        {
            self.fail_if(true, name, "a deviation without a place");
        }
        let session = match Session::parse(text) {
            Ok(session) => session,
            Err(error) => {
                println!(
                    "{known:8} no     -    {:10} -        {name}: {error}",
                    deviations.len()
                );
                self.refused += 1;
                self.refusals.push(format!("{name}: {error}"));
                self.fail_if(accepted == Some(true), name, "refused");
                let has_place = error.line > 0 && error.reference().is_some();
                return self.fail_if(!has_place, name, "refused without a place or a rule");
            }
        };
        self.parsed += 1;
        let same = session.to_string() == text;
        self.written_byte_for_byte += usize::from(same);
        self.fail_if(!same, name, "altered");
        let untyped = self.attributes(&session);
        println!(
            "{known:8} yes    {:4} {:10} {:8} {name}",
            yes(same),
            deviations.len(),
            untyped.len()
        );
        let known = |attribute: &str| {
            let mut known = MALFORMED_ON_PURPOSE.iter();
            known.any(|(file, of)| name.starts_with(file) && *of == attribute)
        };
        if accepted == Some(true) {
            for (attribute, problem) in untyped {
                match known(attribute) {
                    true => self.malformed_on_purpose += 1,
                    false => self.fail_if(true, name, &problem),
                }
            }
        }
        let refused = deviations.iter().any(|deviation| deviation.refused);
        self.fail_if(refused, name, "parsed, but check says it is refused");
        let unsaid = session.to_string()
            != session
                .to_string()
                .replace('\n', "\r\n")
                .replace("\r\r", "\r")
            && !deviations
                .iter()
                .any(|deviation| deviation.rule == Rule::LineEnd);
        self.fail_if(unsaid, name, "LF that the check did not see");
    }

    /// The attributes that have a type but cannot be read.
    fn attributes(&mut self, session: &Session<'_>) -> BTreeSet<(&'static str, String)> {
        let media = session.media().iter().flat_map(|media| media.attributes());
        let mut untyped = BTreeSet::new();
        for attribute in session.attributes().chain(media) {
            self.attributes += 1;
            match attribute.typed() {
                Some(Ok(_)) => self.attributes_typed += 1,
                Some(Err(error)) => {
                    let value = attribute.value.unwrap_or_default();
                    let problem = format!("{error} in {value:?}");
                    let of_kind = format!("{}: expected {}", error.field, error.expected);
                    *self.malformed.entry(of_kind).or_default() += 1;
                    untyped.insert((error.field, problem));
                }
                None => {
                    let count = self.names_without_a_type.entry(attribute.name.into());
                    *count.or_default() += 1;
                }
            }
        }
        untyped
    }

    fn fail_if(&mut self, failed: bool, name: &str, why: &str) {
        if failed {
            self.failures.push(format!("{name}: {why}"));
        }
    }
}

/// Whether at least one browser accepts a file as it is.
fn verdicts(folder: &Path) -> Result<BTreeMap<String, bool>, Box<dyn Error>> {
    let Ok(index) = fs::read_to_string(folder.join("INDEX.tsv")) else {
        return Ok(BTreeMap::new());
    };
    let mut rows = index.lines().filter(|line| !line.starts_with('#'));
    let header: Vec<&str> = rows
        .next()
        .ok_or("an empty INDEX.tsv")?
        .split('\t')
        .collect();
    let is_verdict = |name: &str| {
        let plain = !name.ends_with("_crlf");
        plain && (name.starts_with("chromium") || name.starts_with("firefox"))
    };
    let columns: Vec<usize> = (0..header.len())
        .filter(|i| is_verdict(header[*i]))
        .collect();
    let verdict = |row: &str| {
        let cells: Vec<&str> = row.split('\t').collect();
        let accepted = |i: &usize| {
            cells
                .get(*i)
                .is_some_and(|cell| cell.starts_with("accepted"))
        };
        (cells[0].to_owned(), columns.iter().any(accepted))
    };
    Ok(rows.map(verdict).collect())
}
