//! A description as a list of named fields.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// Fields and their values, as text.
#[derive(Debug, Default)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Adds a field.
    pub fn add(&mut self, name: impl Into<String>, value: impl Display) {
        self.0.insert(name.into(), value.to_string());
    }

    /// Adds a field, if there is a value.
    pub fn add_some(&mut self, name: impl Into<String>, value: Option<impl Display>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    /// Adds an attribute: the next of its name in this part of the description.
    pub fn add_attribute(&mut self, scope: &str, name: &str, value: impl Display) {
        let mut index = 0;
        while self.0.contains_key(&format!("{scope}{name}[{index}]")) {
            index += 1;
        }
        self.add(format!("{scope}{name}[{index}]"), value);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The fields that are not the same: name, value here, value there.
    pub fn differences(&self, theirs: &Self) -> Vec<(String, String, String)> {
        let names: BTreeSet<&String> = self.0.keys().chain(theirs.0.keys()).collect();
        let value = |fields: &Self, name: &String| {
            fields.0.get(name).cloned().unwrap_or("(none)".to_owned())
        };
        names
            .into_iter()
            .map(|name| (name.clone(), value(self, name), value(theirs, name)))
            .filter(|(_, ours, theirs)| ours != theirs)
            .collect()
    }
}

/// The name of a part: `media[0].`
pub fn scope(index: usize) -> String {
    format!("media[{index}].")
}
