//! The lines of a session, or of one media section of it, and what both can be asked.

use crate::{
    attribute::{Attribute, Direction, RawAttribute},
    error::{Error, ParseError},
    field::{Bandwidth, Connection, Key},
    grammar::is_token_char,
    line::Line,
};
use alloc::{format, string::String, vec::Vec};
use core::fmt::Display;

/// The order of the lines in a session and in a media section, by
/// [RFC 8866 §5](https://www.rfc-editor.org/rfc/rfc8866.html#section-5). It is where new lines go; what was
/// parsed stays where it stood.
const ORDER: &str = "vosiuepcbtrzka";

/// The place of a type of line in the order. Times and their repeats go together.
pub(crate) fn rank(kind: char) -> Option<usize> {
    match kind {
        'r' | 'z' => ORDER.find('t'),
        _ => ORDER.find(kind),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section<'a> {
    pub(crate) lines: Vec<Line<'a>>,
}

impl<'a> Section<'a> {
    pub(crate) const fn new() -> Self {
        Self { lines: Vec::new() }
    }

    /// A section with room for so many lines.
    pub(crate) fn with_room(lines: usize) -> Self {
        let lines = Vec::with_capacity(lines);
        Self { lines }
    }

    pub(crate) fn into_owned(self) -> Section<'static> {
        let lines = self.lines.into_iter().map(Line::into_owned).collect();
        Section { lines }
    }

    /// The values of all lines of this type, with what turns an error's column into that of the text.
    pub(crate) fn values(&self, kind: char) -> impl Iterator<Item = (&str, u32)> {
        let lines = self.lines.iter();
        lines.filter_map(move |line| Some((line.value_of(kind)?, line.number())))
    }

    pub(crate) fn value(&self, kind: char) -> Option<&str> {
        self.values(kind).next().map(|(value, _)| value)
    }

    /// All lines of this type, parsed.
    pub(crate) fn fields<'s, T>(
        &'s self,
        kind: char,
        parse: impl Fn(&'s str) -> Result<T, ParseError>,
    ) -> impl Iterator<Item = Result<T, ParseError>> {
        self.values(kind)
            .map(move |(value, line)| parse(value).map_err(|error| error.at(line, 2)))
    }

    /// Replaces the first line of this type, or adds one where the grammar has its place.
    pub(crate) fn set(
        &mut self,
        kind: char,
        field: &'static str,
        value: impl Display,
    ) -> Result<(), Error> {
        let line = Line::new(format!("{kind}={value}"), field)?;
        let first = self.lines.iter_mut().find(|l| l.kind() == Some(kind));
        match first {
            Some(old) => *old = line.replacing(old),
            None => self.insert(kind, line),
        }
        Ok(())
    }

    /// Adds a line of this type after those that come before it.
    pub(crate) fn add(
        &mut self,
        kind: char,
        field: &'static str,
        value: impl Display,
    ) -> Result<(), Error> {
        let line = Line::new(format!("{kind}={value}"), field)?;
        self.insert(kind, line);
        Ok(())
    }

    pub(crate) fn push_line(&mut self, kind: char, value: impl Display) -> Result<(), Error> {
        if kind == 'a' || !ORDER.contains(kind) {
            return Err(Error::LineType(kind));
        }
        self.add(kind, "the line", value)
    }

    fn insert(&mut self, kind: char, line: Line<'a>) {
        let rank = |other: Option<char>| match other {
            // A `t=` must not come between another and the `r=` and `z=` that belong to it, nor an `r=` after a `z=`.
            Some('r') => ORDER.find('t'),
            Some('z') if kind != 'r' => ORDER.find('t'),
            other => other.and_then(|other| ORDER.find(other)),
        };
        let before = |l: &Line<'_>| rank(l.kind()).is_some_and(|r| Some(r) <= rank(Some(kind)));
        let position = self.lines.iter().rposition(before).map_or(0, |p| p + 1);
        self.lines.insert(position, line);
    }

    pub(crate) fn attributes(&self) -> impl Iterator<Item = RawAttribute<'_>> {
        self.lines.iter().filter_map(Line::attribute)
    }

    pub(crate) fn attributes_of<'s, A: Attribute<'s>>(
        &'s self,
    ) -> impl Iterator<Item = Result<A, ParseError>> {
        let lines = self.lines.iter().filter(|l| l.is_attribute(A::NAME));
        lines.filter_map(|line| line.attribute()?.parse())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.lines.iter().any(|line| line.is_attribute(name))
    }

    pub(crate) fn push<'x, A: Attribute<'x>>(&mut self, attribute: &A) -> Result<(), Error> {
        self.insert('a', line_of(attribute)?);
        Ok(())
    }

    pub(crate) fn push_raw(&mut self, name: &str, value: Option<&str>) -> Result<(), Error> {
        if name.is_empty() || !name.chars().all(is_token_char) {
            return Err(Error::AttributeName);
        }
        let text = match value {
            Some(value) => format!("a={name}:{value}"),
            None => format!("a={name}"),
        };
        self.insert('a', Line::new(text, "the attribute")?);
        Ok(())
    }

    pub(crate) fn replace<'x, A: Attribute<'x>>(&mut self, attribute: &A) -> Result<(), Error> {
        let line = line_of(attribute)?;
        let first = self.lines.iter_mut().find(|l| l.is_attribute(A::NAME));
        match first {
            Some(old) => *old = line.replacing(old),
            None => self.insert('a', line),
        }
        Ok(())
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(RawAttribute<'_>) -> bool) {
        self.lines
            .retain(|line| line.attribute().is_none_or(&mut keep));
    }

    pub(crate) fn direction(&self) -> Option<Direction> {
        self.attributes()
            .find_map(|attribute| Direction::from_name(attribute.name))
    }

    pub(crate) fn set_direction(&mut self, direction: Direction) -> Result<(), Error> {
        let line = Line::new(format!("a={direction}"), "the direction")?;
        let is_direction = |line: &Line<'_>| {
            let name = line.attribute().map_or("", |attribute| attribute.name);
            Direction::from_name(name).is_some()
        };
        match self.lines.iter_mut().find(|line| is_direction(line)) {
            Some(old) => *old = line.replacing(old),
            None => self.insert('a', line),
        }
        Ok(())
    }

    pub(crate) fn connections(&self) -> impl Iterator<Item = Result<Connection<'_>, ParseError>> {
        self.fields('c', Connection::parse)
    }

    pub(crate) fn bandwidths(&self) -> impl Iterator<Item = Result<Bandwidth<'_>, ParseError>> {
        self.fields('b', Bandwidth::parse)
    }

    pub(crate) fn key(&self) -> Option<Key<'_>> {
        self.value('k').map(Key::parse)
    }
}

/// The line of an attribute: with a colon only if the attribute has something to write.
fn line_of<'x, A: Attribute<'x>>(attribute: &A) -> Result<Line<'static>, Error> {
    let mut text = format!("a={}:", A::NAME);
    let empty = text.len();
    attribute
        .write(&mut text)
        .map_err(|_| Error::Word(A::NAME))?;
    if text.len() == empty {
        text.pop();
    }
    Line::new(text, A::NAME)
}

/// Refuses a word that would be read as none or several.
pub(crate) fn check_word(word: &str, field: &'static str) -> Result<(), Error> {
    if word.contains(['\r', '\n', '\0']) {
        Err(Error::LineBreak(field))
    } else if word.is_empty() || word.contains(crate::grammar::is_blank) {
        Err(Error::Word(field))
    } else {
        Ok(())
    }
}

/// The text of words between single blanks.
pub(crate) fn join<W: Display>(words: impl IntoIterator<Item = W>) -> String {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&format!("{word}"));
    }
    text
}

/// What a session and a media section have in common; `self.section` is a [`Section`].
macro_rules! section_methods {
    () => {
        /// All lines as they stand. In a media section, without its `m=` line.
        pub fn lines(&self) -> &[$crate::line::Line<'a>] {
            &self.section.lines
        }

        /// All attributes as they stand.
        pub fn attributes(&self) -> impl Iterator<Item = $crate::attribute::RawAttribute<'_>> {
            self.section.attributes()
        }

        /// The first attribute of type `A`, if there is one.
        ///
        /// # Errors
        /// It does not follow `A`'s grammar. The rest of the text is none the worse for it.
        pub fn attribute<'s, A: $crate::attribute::Attribute<'s>>(
            &'s self,
        ) -> Option<Result<A, $crate::error::ParseError>> {
            self.section.attributes_of().next()
        }

        /// All attributes of type `A`, in their order.
        ///
        /// # Errors
        /// Each for itself: one may be malformed, the next not.
        pub fn attributes_of<'s, A: $crate::attribute::Attribute<'s>>(
            &'s self,
        ) -> impl Iterator<Item = Result<A, $crate::error::ParseError>> {
            self.section.attributes_of()
        }

        /// Whether there is an attribute of this name.
        pub fn has(&self, name: &str) -> bool {
            self.section.has(name)
        }

        /// Adds an attribute after the others.
        ///
        /// # Errors
        /// Its text would end the line early. Nothing was changed.
        pub fn push<'x, A: $crate::attribute::Attribute<'x>>(
            &mut self,
            attribute: A,
        ) -> Result<(), $crate::error::Error> {
            self.section.push(&attribute)
        }

        /// Adds an attribute this crate has no type for.
        ///
        /// # Errors
        /// The name is not a token, or the value would end the line early. Nothing was changed.
        pub fn push_raw(
            &mut self,
            name: &str,
            value: Option<&str>,
        ) -> Result<(), $crate::error::Error> {
            self.section.push_raw(name, value)
        }

        /// Adds a line that is neither attribute nor `m=`, where the grammar has its place: `i`, `u`, `e`,
        /// `p`, `t`, `r`, `z`, `k` have no other way in.
        ///
        /// # Errors
        /// There is no such type, or the value would end the line early. Nothing was changed.
        pub fn push_line(
            &mut self,
            kind: char,
            value: impl core::fmt::Display,
        ) -> Result<(), $crate::error::Error> {
            self.section.push_line(kind, value)
        }

        /// Puts an attribute in the place of the first of its name, or adds it. No other line changes.
        ///
        /// # Errors
        /// Its text would end the line early. Nothing was changed.
        pub fn set<'x, A: $crate::attribute::Attribute<'x>>(
            &mut self,
            attribute: A,
        ) -> Result<(), $crate::error::Error> {
            self.section.replace(&attribute)
        }

        /// Removes the attributes for which `keep` is false.
        pub fn retain(&mut self, keep: impl FnMut($crate::attribute::RawAttribute<'_>) -> bool) {
            self.section.retain(keep);
        }

        /// Removes all attributes of this name.
        pub fn remove(&mut self, name: &str) {
            self.section.retain(|attribute| attribute.name != name);
        }

        /// Puts a direction in the place of the one that is there, or adds it.
        pub fn set_direction(&mut self, direction: $crate::attribute::Direction) {
            // Its text is one of four words, which no line refuses.
            let set = self.section.set_direction(direction);
            debug_assert!(set.is_ok());
        }

        /// The first `i=` line: what it is about, for people.
        pub fn information(&self) -> Option<&str> {
            self.section.value('i')
        }

        /// The first `c=` line, if there is one.
        ///
        /// # Errors
        /// It does not follow its grammar.
        pub fn connection(
            &self,
        ) -> Option<Result<$crate::field::Connection<'_>, $crate::error::ParseError>> {
            self.section.connections().next()
        }

        /// Sets the `c=` line.
        ///
        /// # Errors
        /// A word of it is not one. Nothing was changed.
        pub fn set_connection(
            &mut self,
            connection: &$crate::field::Connection<'_>,
        ) -> Result<(), $crate::error::Error> {
            for word in [
                connection.network_type,
                connection.address_type,
                connection.address,
            ] {
                $crate::section::check_word(word, "c=")?;
            }
            self.section.set('c', "c=", connection)
        }

        /// All `b=` lines.
        ///
        /// # Errors
        /// Each for itself.
        pub fn bandwidths(
            &self,
        ) -> impl Iterator<Item = Result<$crate::field::Bandwidth<'_>, $crate::error::ParseError>> {
            self.section.bandwidths()
        }

        /// Adds a `b=` line.
        ///
        /// # Errors
        /// Its kind is not a word. Nothing was changed.
        pub fn push_bandwidth(
            &mut self,
            bandwidth: &$crate::field::Bandwidth<'_>,
        ) -> Result<(), $crate::error::Error> {
            $crate::section::check_word(bandwidth.kind, "b=")?;
            self.section.add('b', "b=", bandwidth)
        }

        /// The first `k=` line.
        pub fn key(&self) -> Option<$crate::field::Key<'_>> {
            self.section.key()
        }
    };
}

pub(crate) use section_methods;
