//! What both comparisons need of our own reading.

use rtckit_sdp::attribute::{RawAttribute, Typed};

/// An attribute as its type writes it again; what cannot be read is said so.
pub fn typed(raw: &RawAttribute<'_>) -> String {
    match raw.typed() {
        None => raw.value.unwrap_or_default().to_owned(),
        Some(Err(_)) => UNREADABLE.to_owned(),
        Some(Ok(typed)) => written(&typed),
    }
}

/// The value that is written for an attribute.
pub fn written(typed: &Typed<'_>) -> String {
    let mut text = String::new();
    match typed.write(&mut text) {
        Ok(()) => text,
        Err(_) => UNREADABLE.to_owned(),
    }
}

/// Stands for a value that does not follow its grammar.
pub const UNREADABLE: &str = "(unreadable)";

/// The value without what differs between readers in nothing but the way it is written.
pub fn canonical(name: &str, value: &str) -> String {
    let value = value.trim();
    match name {
        // The transport's case, and the order of what follows the type.
        "candidate" => {
            let mut words = value.split(' ');
            let fixed: Vec<String> = words.by_ref().take(8).map(str::to_lowercase).collect();
            let rest: Vec<&str> = words.collect();
            let mut pairs: Vec<String> = rest.chunks(2).map(|pair| pair.join(" ")).collect();
            pairs.sort_unstable();
            format!("{} {}", fixed.join(" "), pairs.join(" "))
                .trim_end()
                .to_owned()
        }
        // The order of restrictions.
        "rid" => {
            let (head, restrictions) = value.rsplit_once(' ').unwrap_or((value, ""));
            let mut restrictions: Vec<&str> = restrictions.split(';').collect();
            restrictions.sort_unstable();
            format!("{head} {}", restrictions.join(";"))
        }
        // The case of the hash, whose digits are written alike.
        "fingerprint" => value.to_lowercase(),
        _ => value.to_owned(),
    }
}
