//! What is not shown unless asked for: ICE passwords (RFC 8839 §5.4), keys (RFC 4568, RFC 4567, `k=`).
//!
//! A line that is not quite right is what this tool is asked about, so secrets are looked for without regard to case and
//! blanks, and all that follows the name is hidden, whatever its form.

/// The names of attributes whose values are secret, whole or in part.
const ATTRIBUTES: &[&str] = &["ice-pwd", "crypto", "key-mgmt"];

/// What a secret follows wherever it stands: in an attribute that is offered as a capability (`a=acap`, RFC 5939) or is
/// about a source (`a=ssrc`), in two lines that became one, after a colon too many.
const ANYWHERE: &[&str] = &["ice-pwd", "crypto:", "key-mgmt", "inline:"];

/// The text with stars over every secret. Lines and columns stay where they are, and what can be in no secret is left
/// as it is: it may be what is wrong with it.
pub(crate) fn hide(text: &str) -> String {
    // A lone CR ends no line, but who wrote it meant it to.
    text.split_inclusive(['\n', '\r']).map(hide_line).collect()
}

fn hide_line(line: &str) -> String {
    if let Some(key) = after(line, "k=") {
        return hide_after(line, key, &hide_key(key));
    }
    let rest = after(line, "a=").unwrap_or(line);
    match attribute(rest) {
        Some(("crypto", value)) => hide_after(line, value, &hide_crypto(value)),
        Some((_, value)) => hide_after(line, value, &star(value)),
        None => match anywhere(line) {
            Some(value) => hide_after(line, value, &star(value)),
            None => line.to_owned(),
        },
    }
}

/// What follows the first name of a secret in a line that does not begin with one.
fn anywhere(line: &str) -> Option<&str> {
    line.char_indices().find_map(|(at, _)| {
        let tail = line.get(at..)?;
        ANYWHERE.iter().find_map(|name| after(tail, name))
    })
}

/// The line with `hidden` in the place of `value`, its end.
fn hide_after(line: &str, value: &str, hidden: &str) -> String {
    let shown = line.strip_suffix(value).unwrap_or_default();
    format!("{shown}{hidden}")
}

/// The attribute with a secret whose name the text begins with, and what follows the name.
fn attribute(text: &str) -> Option<(&'static str, &str)> {
    let mut names = ATTRIBUTES.iter();
    names.find_map(|name| Some((*name, after(text, name)?)))
}

/// What follows `name`, if the text begins with it, but for case, blanks and what cannot be seen.
fn after<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    // neither blanks nor what stands in no place: a zero-width space, a mark of direction, a byte order mark
    let is_seen = |c: &(usize, char)| {
        !c.1.is_whitespace()
            && !c.1.is_control()
            && !matches!(c.1, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut seen = text.char_indices().filter(is_seen);
    let mut end = 0;
    for wanted in name.chars() {
        let (at, found) = seen.next()?;
        if !found.eq_ignore_ascii_case(&wanted) && (found, wanted) != ('_', '-') {
            return None;
        }
        end = at + found.len_utf8();
    }
    text.get(end..)
}

/// A key in the clear is of any characters. `prompt` is none.
fn hide_key(key: &str) -> String {
    if key.trim() == "prompt" {
        return key.to_owned();
    }
    let method = ["clear:", "base64:", "uri:"]
        .into_iter()
        .find(|method| key.starts_with(method));
    let mut hidden = method.unwrap_or_default().to_owned();
    for c in key.strip_prefix(hidden.as_str()).unwrap_or(key).chars() {
        match c.is_whitespace() {
            true => hidden.push(c),
            // As many bytes as before: columns count them.
            false => (0..c.len_utf8()).for_each(|_| hidden.push('*')),
        }
    }
    hidden
}

/// Leaves the tag, the suite, and the parameters that are no keys.
fn hide_crypto(value: &str) -> String {
    let is_digits = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let is_tag = |word: &str| word.len() < 3 || word.len() < 10 && is_digits(word);
    let is_parameter = |word: &str| {
        let number = ["KDR=", "WSH="]
            .iter()
            .find_map(|name| word.strip_prefix(name));
        let flags = [
            "UNENCRYPTED_SRTP",
            "UNENCRYPTED_SRTCP",
            "UNAUTHENTICATED_SRTP",
        ];
        let flags = flags
            .into_iter()
            .chain(["FEC_ORDER=FEC_SRTP", "FEC_ORDER=SRTP_FEC"]);
        number.is_some_and(is_digits) || flags.into_iter().any(|flag| word == flag)
    };
    let is_suite = |word: &str| {
        let families = ["AES_", "AEAD_", "F8_", "SEED_", "ARIA_", "NULL_"];
        word.len() < 40 && families.iter().any(|family| word.starts_with(family))
    };
    let mut hidden = String::with_capacity(value.len());
    for (index, word) in value.split_inclusive([' ', '\t']).enumerate() {
        let trimmed = word.trim_start_matches(':').trim_end();
        match index {
            0 if is_tag(trimmed) => hidden.push_str(word),
            1 if is_suite(trimmed) => hidden.push_str(word),
            2.. if is_parameter(trimmed) => hidden.push_str(word),
            _ => hide_keys(word, &mut hidden),
        }
    }
    hidden
}

/// Keys, each with a lifetime and the identifier of a master key.
fn hide_keys(word: &str, hidden: &mut String) {
    const METHODS: &[&str] = &["FEC_KEY=inline:", "inline:"];

    let is_count = |text: &str| {
        let text = text.trim_end();
        text.len() < 14
            && text
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, '^' | ':'))
    };
    for key in word.split_inclusive(';') {
        let method = METHODS.iter().find(|method| key.starts_with(**method));
        let method = method.copied().unwrap_or_default();
        hidden.push_str(method);
        let key = key.strip_prefix(method).unwrap_or(key);
        let (key, separator) = match key.strip_suffix(';') {
            Some(key) => (key, ";"),
            None => (key, ""),
        };
        for (index, part) in key.split('|').enumerate() {
            if index > 0 {
                hidden.push('|');
            }
            match index > 0 && is_count(part) {
                true => hidden.push_str(part),
                false => hidden.push_str(&star(part)),
            }
        }
        hidden.push_str(separator);
    }
}

/// A star for every character of the alphabets that secrets are written in, the one for URLs too; and, as somebody's
/// keyboard has others, for each byte of what is not ASCII.
fn star(text: &str) -> String {
    let is_secret =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | '_' | '%' | '.');
    let mut hidden = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii() && !is_secret(c) => hidden.push(c),
            c => (0..c.len_utf8()).for_each(|_| hidden.push('*')),
        }
    }
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_nothing_moves() {
        for (line, shown) in [
            ("a=ice-pwd:asd8/+ x\r\n", "a=ice-pwd:****** *\r\n"),
            ("a=ice-ufrag:asd8", "a=ice-ufrag:asd8"),
            (
                "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0Rm/+=|2^20|1:4;inline:ab FEC_KEY=inline:c\n",
                "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:*******|2^20|1:4;inline:** FEC_KEY=inline:*\n",
            ),
            ("a=key-mgmt:mikey AQAF\n", "a=key-mgmt:***** ****\n"),
            ("k=base64:c2Vj\n", "k=base64:****\n"),
            ("k=prompt\n", "k=prompt\n"),
            ("a=ice-pwd\n", "a=ice-pwd\n"),
        ] {
            assert_eq!(hide(line), shown);
        }
    }

    #[test]
    fn no_mistake_in_a_line_shows_its_secret() {
        for line in [
            "k=clear:S3cr3t!",
            "k=S3cr3t",
            "k=clear S3cr3t",
            "K=clear:S3cr3t",
            " k = clear:S3cr3t",
            "a=key-mgmt:mikey\tS3cr3t",
            "a=key-mgmt:S3cr3t",
            "a=key-mgmt S3cr3t",
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 INLINE:S3cr3t",
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 uri:S3cr3t",
            "a=crypto:1 S3cr3t",
            "a=crypto:S3cr3t",
            "a=crypto S3cr3t",
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80  S3cr3t",
            "a= ice-pwd:S3cr3t",
            "a=ICE-PWD:S3cr3t",
            "a=ice-pwd S3cr3t",
            "a=ice-pwd=S3cr3t",
            "A=ice-pwd:S3cr3t",
            "\ta=ice-pwd:S3cr3t",
            "ice-pwd:S3cr3t",
            "a=mid:0\ra=ice-pwd:S3cr3t",
            "a=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_80 inline:S3cr3t",
            "a=acap:1 key-mgmt:mikey S3cr3t",
            "a=ssrc:1 crypto:1 AES_CM_128_HMAC_SHA1_80 inline:S3cr3t",
            "a=ice-ufrag:abcd a=ice-pwd:S3cr3t",
            "a:ice-pwd:S3cr3t",
            "a==ice-pwd:S3cr3t",
            "a=ice_pwd:S3cr3t",
            "a=ice\u{200b}-pwd:S3cr3t",
            "a=ice-\u{2060}pwd:S3cr3t",
            "a=ice-pwd:S3cr3t",
        ] {
            let hidden = hide(line);
            assert!(!hidden.contains("S3cr3t"), "{hidden}");
            assert_eq!(hidden.len(), line.len(), "{hidden}");
        }
    }

    #[test]
    fn keys_keep_their_length_in_bytes() {
        assert_eq!(hide("k=clear:né\r\n"), "k=clear:***\r\n");
        assert_eq!(hide("a=ice-pwd:né\r\n"), "a=ice-pwd:***\r\n");
    }
}
