//! How results leave.

use std::io::{ErrorKind, Write, stdout};

use serde::Serialize;

use crate::failure::Failure;

/// Writes text to stdout. Who reads only the beginning of it (`| head`) has what they wanted.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::new(format_args!(
            "cannot write to stdout: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Writes a value to stdout, as JSON for programs and for people.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(value).map_err(Failure::new)?;
    text.push('\n');
    print(&text)
}

/// The text with every control character replaced: what is printed must not drive the terminal, nor turn around what is
/// read.
pub(crate) fn harmless(text: &str) -> String {
    let turns = |c| matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars()
        .map(|c| {
            if c.is_control() || turns(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// A count with its noun.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_turns_text_around() {
        assert_eq!(
            harmless("a\u{202e}b\u{2066}c\x1bd é"),
            "a\u{fffd}b\u{fffd}c\u{fffd}d é"
        );
    }
}
