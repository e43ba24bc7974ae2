//! One difference between two descriptions.

use core::fmt;

use serde::Serialize;

/// A difference: what changed, and from what to what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Change {
    pub(super) place: Place,
    pub(super) change: Kind,
    pub(super) what: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// What kind of difference it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Added,
    Removed,
    Changed,
    /// The same under another number.
    Renumbered,
    /// The same, in another order of preference.
    Reordered,
    /// The same section at another place.
    Moved,
}

/// The part of the descriptions that differs: a media section, or the session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Place {
    /// The media section, counted from 0, in the description of before; `None` for the session, and a new section.
    pub(super) before: Option<usize>,
    /// The same in the description of after.
    pub(super) after: Option<usize>,
    pub(super) kind: Option<String>,
    pub(super) mid: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(index) = self.before.or(self.after) else {
            return f.write_str("session");
        };
        write!(f, "media {}", index + 1)?;
        for (title, word) in [("", &self.kind), ("mid ", &self.mid)] {
            if let Some(word) = word {
                write!(f, " · {title}{word}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = &self.what;
        let before = self.before.as_deref().unwrap_or_default();
        let after = self.after.as_deref().unwrap_or_default();
        let said = |text: &str| match text {
            "" => String::new(),
            text => format!(": {text}"),
        };
        match self.change {
            Kind::Added => write!(f, "+ {what}{}", said(after)),
            Kind::Removed => write!(f, "- {what}{}", said(before)),
            Kind::Changed if before == after => write!(f, "~ {what}: another {after}"),
            Kind::Changed => write!(f, "~ {what}: {before} → {after}"),
            Kind::Renumbered => write!(f, "# {what}: renumbered, {before} → {after}"),
            Kind::Reordered => write!(f, "~ {what}: another order, {before} → {after}"),
            Kind::Moved => write!(f, "~ {what}: moved, {before} → {after}"),
        }
    }
}
