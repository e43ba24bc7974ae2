//! Why we read something differently than others do, and who is right.

use std::fmt;

/// A field of which another reader says something else.
#[derive(Clone, Debug)]
pub struct Disagreement {
    pub reader: &'static str,
    pub sample: String,
    pub field: String,
    pub ours: String,
    pub theirs: String,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            reader,
            sample,
            field,
            ours,
            theirs,
        } = self;
        write!(
            f,
            "{sample}: {field}: we have {ours:?}, {reader} has {theirs:?}"
        )
    }
}

/// Who reads it as its document has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "not every verdict is needed at all times")]
pub enum Right {
    We,
    They,
    /// Either reading is allowed, or both say the same in other words.
    Both,
}

/// A row of the table: which disagreements it explains, and how. In `sample`, `field`, `ours` and `theirs` a `*` stands for
/// anything.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub reader: &'static str,
    pub sample: &'static str,
    pub field: &'static str,
    pub ours: &'static str,
    pub theirs: &'static str,
    pub right: Right,
    pub why: &'static str,
    /// The document that has the rule, and its section.
    pub reference: &'static str,
}

impl Row {
    pub fn explains(&self, disagreement: &Disagreement) -> bool {
        self.reader == disagreement.reader
            && matches(self.sample, &disagreement.sample)
            && matches(self.field, &disagreement.field)
            && matches(self.ours, &disagreement.ours)
            && matches(self.theirs, &disagreement.theirs)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let right = match self.right {
            Right::We => "we are right",
            Right::They => "they are right",
            Right::Both => "both are right",
        };
        let Self {
            reader,
            field,
            why,
            reference,
            ..
        } = self;
        write!(f, "{reader}, {field}: {right}: {why} ({reference})")
    }
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(first) else {
        return false;
    };
    let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    starts.any(|at| text.get(at..).is_some_and(|tail| matches(rest, tail)))
}

/// All that is known.
pub const EXPLAINED: &[Row] = &[];
