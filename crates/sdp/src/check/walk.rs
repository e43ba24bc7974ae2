//! The walk over the lines of a description: their types, order and number.

use super::{
    Deviation, Rule, fields,
    section::Section,
    together::{Lines, NO_BUNDLE},
};
use crate::{
    attribute::{Attribute, Direction, Group, Kind, Level, RawAttribute, Typed},
    error::ParseError,
    grammar::{self, is_token_char, offset_in},
    line::LineEnd,
    reference::{self, IN_TWO_BUNDLES, NO_MID, NO_SUCH_MID, Reference, of_attribute},
};
use alloc::vec::Vec;

/// What was seen so far.
#[derive(Default)]
pub(super) struct Walk<'t> {
    pub(super) found: Found,
    number: u32,
    /// The place in the order that was reached.
    rank: Option<usize>,
    /// The types of line that were seen in this section, a bit for each letter.
    kinds: u32,
    /// The types of line in which there is a CR, or that one made part of the line before.
    swallowed: u32,
    /// The kinds of attribute that were seen in this section, a bit for each.
    attributes: u128,
    /// Whether the session has a `c=` for all sections.
    session_has_connection: bool,
    section: Option<Section<'t>>,
    /// Attributes of this section that need others, and those of the session.
    together: Lines,
    session_together: Lines,
    session_extensions: Vec<u16>,
    mids: Vec<(&'t str, u32)>,
    /// The mids of groups, with line and column.
    grouped: Vec<(&'t str, u32, usize)>,
    /// The same for groups that are a BUNDLE.
    bundled: Vec<(&'t str, u32, usize)>,
    /// The lines of the sections without `a=mid`.
    nameless: Vec<u32>,
    /// The mids of the sections with `a=bundle-only`, and where that is.
    bundle_only: Vec<(Option<&'t str>, u32)>,
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Found(Vec<Deviation>);

impl Found {
    /// Adds what makes the parser refuse the text, if there is room.
    pub(super) fn refuse(&mut self, rule: Rule, error: ParseError, reference: Reference) {
        self.add(rule, error, reference);
        if let Some(deviation) = self.0.last_mut() {
            deviation.refused = (deviation.line, deviation.column) == (error.line, error.column);
        }
    }

    /// Adds what an error says, if there is room.
    pub(super) fn add(&mut self, rule: Rule, error: ParseError, reference: Reference) {
        if self.0.len() < Deviation::MAX {
            self.0.push(super::deviation(rule, error, reference));
        }
    }
}

/// The order in the session and in a media section
/// ([RFC 8866 §5](https://www.rfc-editor.org/rfc/rfc8866.html#section-5)).
const SESSION: &str = "vosiuepcbtrzka";
const MEDIA: &str = "icbka";

/// The name of a line type.
const fn field(kind: char) -> &'static str {
    match kind {
        'v' => "v=",
        'o' => "o=",
        's' => "s=",
        'i' => "i=",
        'u' => "u=",
        'e' => "e=",
        'p' => "p=",
        'c' => "c=",
        'b' => "b=",
        't' => "t=",
        'r' => "r=",
        'z' => "z=",
        'k' => "k=",
        'a' => "a=",
        'm' => "m=",
        _ => "the line",
    }
}

impl<'t> Walk<'t> {
    fn add(&mut self, rule: Rule, field: &'static str, offset: usize, expected: &'static str) {
        let error = ParseError::new(field, offset, expected).at(self.number, 0);
        let reference = error.reference().unwrap_or(reference::SDP);
        self.found.add(rule, error, reference);
    }

    pub(super) fn line(&mut self, text: &'t str, end: LineEnd) {
        self.number += 1;
        if end != LineEnd::CrLf && !text.contains('\r') {
            self.add(Rule::LineEnd, "the line", text.len(), "CR LF");
        }
        let Some(text) = self.controls(text) else {
            return;
        };
        let kind = match *text.as_bytes() {
            [kind, b'=', ..] if kind.is_ascii() => char::from(kind),
            _ => {
                let expected = "a letter and =, such as a=";
                return self.add(Rule::LineType, "the line", 0, expected);
            }
        };
        let value = text.get(2..).unwrap_or_default();
        if kind == 'm' {
            return self.media(value);
        }
        self.order(kind);
        self.value(kind, value);
        self.kinds |= bit(kind);
    }

    /// Says of CR and NUL that they should not be there. The line as far as it can be read in spite of them.
    fn controls(&mut self, text: &'t str) -> Option<&'t str> {
        if let Some(at) = text.find('\r') {
            let error = ParseError::new("the line", at, grammar::stray_cr(text));
            let error = error.at(self.number, 0);
            self.found.refuse(Rule::LineEnd, error, reference::SDP);
            let trimmed = text.trim_end_matches('\r');
            // What was meant to be lines of their own is there, at least.
            for line in trimmed.split('\r') {
                if let [kind @ b'a'..=b'z', b'=', ..] = *line.as_bytes() {
                    self.swallowed |= bit(kind.into());
                }
            }
            return (!trimmed.contains(['\r', '\0'])).then_some(trimmed);
        }
        let Some(at) = text.find('\0') else {
            return Some(text);
        };
        let error = ParseError::new("the line", at, "no NUL").at(self.number, 0);
        match text.starts_with("m=") {
            true => self.found.refuse(Rule::Syntax, error, reference::SDP),
            false => self.found.add(Rule::Syntax, error, reference::SDP),
        }
        None
    }

    /// A new media section.
    fn media(&mut self, value: &'t str) {
        self.end_section();
        self.blanks('m', value);
        if let Err(error) = crate::media::check(value) {
            let error = error.at(self.number, 2);
            let reference = Reference::rfc("8866", "5.14");
            self.found.refuse(Rule::Syntax, error, reference);
        } else if let Err(error) = fields::media(value) {
            self.syntax(error);
        }
        self.section = Some(Section::new(value, self.number));
        (self.rank, self.kinds, self.attributes) = (None, 0, 0);
    }

    fn order(&mut self, kind: char) {
        let order = match self.section {
            Some(_) => MEDIA,
            None => SESSION,
        };
        let Some(rank) = order.find(kind) else {
            let expected = match SESSION.contains(kind) {
                true => "such a line before the first m=",
                false => "one of the types of line: v o s i u e p c b t r z k a m",
            };
            let rule = match SESSION.contains(kind) {
                true => Rule::LineOrder,
                false => Rule::LineType,
            };
            return self.add(rule, field(kind), 0, expected);
        };
        if self.number == 1 && kind != 'v' {
            self.add(Rule::LineOrder, field(kind), 0, "v=0 to begin the text");
            // All that follows is in its order again.
            self.rank = Some(rank);
            return;
        }
        let has = |kinds: u32, kind| kinds & bit(kind) != 0;
        if kind == 'r' && !has(self.kinds, 't') {
            let expected = "a t= line before it, the times of which it repeats";
            return self.add(Rule::LineOrder, "r=", 0, expected);
        }
        if kind == 'z' && !has(self.kinds, 'r') {
            let expected = "an r= line before z=, which adjusts the times of one";
            let error = ParseError::new("r=", 0, expected).at(self.number, 0);
            self.found
                .add(Rule::LineMissing, error, Reference::rfc("8866", "5.11"));
        }
        // Every t= begins a new round of r= and z=.
        let again = kind == 't'
            && self
                .rank
                .is_some_and(|last| order.get(last..=last) >= Some("r"));
        let in_times = matches!(order.get(self.rank.unwrap_or(0)..), Some(rest) if rest.starts_with(['t', 'r', 'z']));
        if again && in_times {
            self.rank = Some(rank);
        }
        if kind == 't' {
            self.kinds &= !(bit('r') | bit('z'));
        }
        match self.rank {
            Some(last) if rank < last => {
                let expected = match self.section {
                    Some(_) => "this line further up: the order after m= is i c b k a",
                    None => "this line further up: the order is v o s i u e p c b t r z k a",
                };
                self.add(Rule::LineOrder, field(kind), 0, expected);
            }
            _ => self.rank = Some(rank),
        }
        let once = match self.section {
            Some(_) => "ik",
            None => "vosiuczk",
        };
        if once.contains(kind) && self.kinds & bit(kind) != 0 {
            self.add(Rule::LineRepeated, field(kind), 0, "one such line");
        }
    }

    fn value(&mut self, kind: char, value: &'t str) {
        let blanks = matches!(kind, 'o' | 'c' | 'b' | 't' | 'r' | 'z') && self.blanks(kind, value);
        if kind == 'a' {
            return self.attribute(value);
        }
        if kind == 'k' {
            self.add(
                Rule::Obsolete,
                "k=",
                0,
                "no k= line: keys are not sent in the clear",
            );
        }
        if !blanks && let Err(error) = fields::check(kind, value) {
            self.syntax(error);
        }
    }

    fn syntax(&mut self, error: ParseError) {
        let error = error.at(self.number, 2);
        let reference = error.reference().unwrap_or(reference::SDP);
        self.found.add(Rule::Syntax, error, reference);
    }

    /// Whether there are other blanks than single spaces between words, which is said if so.
    fn blanks(&mut self, kind: char, value: &str) -> bool {
        let Some((at, expected)) = fields::stray_blank(value) else {
            return false;
        };
        self.add(Rule::Blanks, field(kind), at + 2, expected);
        true
    }

    fn attribute(&mut self, text: &'t str) {
        let raw = RawAttribute::split(text, self.number);
        if raw.name.is_empty() {
            return self.add(Rule::Syntax, "a=", 2, "the name of an attribute");
        }
        if let Some(at) = raw.name.find(|c| !is_token_char(c)) {
            return self.add(Rule::Syntax, "a=", at + 2, "a name of token characters");
        }
        let Some(kind) = raw.kind() else {
            if raw.value == Some("") {
                self.add(Rule::Syntax, "a=", text.len() + 2, "a value, or no colon");
            }
            return;
        };
        self.place(kind);
        let value = raw.value.unwrap_or_default();
        let offset = 3 + raw.name.len();
        if self.attribute_value(kind, &raw, value) {
            self.remember(kind, value, offset);
        }
    }

    /// Whether the attribute stands where it may, and once if it may not stand there twice.
    fn place(&mut self, kind: Kind) {
        let wrong = match (kind.level(), &self.section) {
            (Level::Session, Some(_)) => Some("this attribute before the first m="),
            (Level::Media, None) => Some("this attribute in a media section"),
            _ => None,
        };
        let mut add = |rule, expected| {
            let error = ParseError::new(kind.name(), 2, expected).at(self.number, 0);
            self.found.add(rule, error, kind.reference());
        };
        if let Some(expected) = wrong {
            add(Rule::AttributeLevel, expected);
        }
        let (bit, expected) = match Direction::from_name(kind.name()) {
            Some(_) => (
                1_u128 << Kind::SendRecv as u32,
                "one of sendrecv, sendonly, recvonly, inactive",
            ),
            None => (1_u128 << kind as u32, "such an attribute once"),
        };
        if self.attributes & bit != 0 && !kind.is_repeatable() {
            add(Rule::AttributeRepeated, expected);
        }
        self.attributes |= bit;
        self.together.note(kind, self.number);
    }

    /// Whether the value can be read; what is wrong with it is said.
    fn attribute_value(&mut self, kind: Kind, raw: &RawAttribute<'t>, value: &'t str) -> bool {
        let offset = 3 + raw.name.len();
        let mut add = |rule, error: ParseError| {
            let reference = of_attribute(kind, error.expected);
            self.found
                .add(rule, error.at(self.number, offset), reference);
        };
        if let Err(error) = Typed::parse(kind, value) {
            add(Rule::Syntax, error);
            return false;
        }
        if let Some((at, expected)) = fields::stray_blank_in(kind, value) {
            add(Rule::Blanks, ParseError::new(kind.name(), at, expected));
        } else if raw.value == Some("") && kind != Kind::RtcpXr {
            let error = ParseError::new(kind.name(), 0, "a value, or no colon");
            add(Rule::Syntax, error);
        } else if let Err(error) = kind.check(value) {
            add(Rule::Syntax, error);
        } else if kind == Kind::SctpMap {
            let error = ParseError::new(kind.name(), 0, "a=sctp-port, which has replaced it");
            add(Rule::Obsolete, error);
        } else if kind == Kind::Cat {
            let error = ParseError::new(kind.name(), 0, "a=keywds, which has replaced it");
            add(Rule::Obsolete, error);
        }
        true
    }

    /// Keeps what other lines name, and what names other lines.
    fn remember(&mut self, kind: Kind, value: &'t str, offset: usize) {
        match (&mut self.section, kind) {
            (None, Kind::Group) => {
                let Ok(group) = Group::parse(value) else {
                    return;
                };
                for mid in &group.mids {
                    let at = offset_in(value, mid) + offset;
                    self.grouped.push((mid, self.number, at));
                    if group.is_bundle() {
                        self.bundled.push((mid, self.number, at));
                    }
                }
            }
            (None, Kind::ExtMap) => {
                // from 4096 on it stands for alternatives
                let id = super::section::extension_id(value);
                if let Some(id) = id.filter(|id| *id < 4096) {
                    if self.session_extensions.contains(&id) {
                        let expected = "an id that no other extension has";
                        let error = ParseError::new("extmap", offset, expected);
                        let error = error.at(self.number, 0);
                        self.found.add(Rule::Ambiguous, error, kind.reference());
                    } else {
                        // There are 255 of them at the most.
                        self.session_extensions.push(id);
                    }
                }
            }
            (Some(_), Kind::Mid) => self.mids.push((value, self.number)),
            (Some(section), _) => {
                section.remember(kind, value, self.number, offset, &mut self.found);
            }
            (None, _) => {}
        }
    }

    fn missing(&mut self, kind: char, expected: &'static str) {
        self.add(Rule::LineMissing, field(kind), 0, expected);
    }

    /// What can only be said at the end of the session's lines or of a media section.
    fn end_section(&mut self) {
        let has_connection = (self.kinds | self.swallowed) & bit('c') != 0;
        let together = core::mem::take(&mut self.together);
        match self.section.take() {
            None => {
                self.session_together = together;
                self.session_has_connection = has_connection;
                for (kind, expected) in [
                    ('v', "a v= line: v=0"),
                    ('o', "an o= line: who made the session"),
                    ('s', "an s= line: the session's name, or -"),
                    ('t', "a t= line: when the session is on, or 0 0"),
                ] {
                    if (self.kinds | self.swallowed) & bit(kind) == 0 {
                        self.missing(kind, expected);
                    }
                }
            }
            Some(section) => {
                if !has_connection && !self.session_has_connection {
                    let expected = "a c= line in this section or in the session";
                    let error = ParseError::new("c=", 0, expected).at(section.line, 0);
                    let reference = error.reference().unwrap_or(reference::SDP);
                    self.found.add(Rule::LineMissing, error, reference);
                }
                if self.attributes & 1 << Kind::Mid as u32 == 0 {
                    self.nameless.push(section.line);
                }
                if let Some(line) = together.bundle_only {
                    let mid = self.mids.last().filter(|(_, line)| *line > section.line);
                    self.bundle_only.push((mid.map(|(mid, _)| *mid), line));
                }
                let session = &mut self.session_together;
                together.finish(session, section.has_port, &mut self.found);
                section.finish(&mut self.found);
            }
        }
    }

    /// What can only be said of mids and groups when all are known.
    fn check_groups(&mut self) {
        self.mids.sort_unstable();
        let twice = self.mids.windows(2).filter_map(|pair| match pair {
            [(first, _), (second, line)] if first == second => Some(*line),
            _ => None,
        });
        for line in twice {
            let error = ParseError::new("mid", 6, "a mid that no other section has").at(line, 0);
            self.found
                .add(Rule::Ambiguous, error, Kind::Mid.reference());
        }
        for (mid, line, at) in &self.grouped {
            if self
                .mids
                .binary_search_by(|(other, _)| other.cmp(mid))
                .is_err()
            {
                let error = ParseError::new("group", *at, NO_SUCH_MID).at(*line, 0);
                let reference = of_attribute(Kind::Group, NO_SUCH_MID);
                self.found.add(Rule::Undefined, error, reference);
            }
        }
        if !self.grouped.is_empty() {
            for line in &self.nameless {
                let error = ParseError::new("mid", 0, NO_MID).at(*line, 0);
                let reference = of_attribute(Kind::Mid, NO_MID);
                self.found.add(Rule::Consistency, error, reference);
            }
        }
        // A section is in one BUNDLE group at the most; nothing is said of one that the group names twice.
        self.bundled.sort_unstable();
        for pair in self.bundled.windows(2) {
            if let [(first, one, _), (second, other, at)] = *pair
                && first == second
                && one != other
            {
                let error = ParseError::new("group", at, IN_TWO_BUNDLES).at(other, 0);
                let reference = of_attribute(Kind::Group, IN_TWO_BUNDLES);
                self.found.add(Rule::Ambiguous, error, reference);
            }
        }
        let names = |mid: &str| {
            let found = self.bundled.binary_search_by(|(other, ..)| other.cmp(&mid));
            found.is_ok()
        };
        for (mid, line) in &self.bundle_only {
            if !mid.is_some_and(names) {
                let error = ParseError::new(Kind::BundleOnly.name(), 2, NO_BUNDLE).at(*line, 0);
                let reference = Kind::BundleOnly.reference();
                self.found.add(Rule::Consistency, error, reference);
            }
        }
    }

    pub(super) fn finish(mut self) -> Vec<Deviation> {
        let in_session = self.section.is_none();
        if in_session {
            self.number += 1;
        }
        self.end_section();
        self.check_groups();
        let Found(mut found) = self.found;
        found.sort_by_key(|deviation| (deviation.line, deviation.column));
        found
    }
}

/// The bit of a small letter; what is none has none.
const fn bit(kind: char) -> u32 {
    match kind {
        'a'..='z' => 1 << (kind as u32 & 31),
        _ => 0,
    }
}
