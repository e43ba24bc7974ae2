//! What is not shown unless asked for: ICE passwords (RFC 8839 §5.4), keys (RFC 4568, RFC 4567, `k=`).

/// The names of attributes whose values are secret, whole or in part.
const ATTRIBUTES: &[&str] = &["ice-pwd", "crypto", "key-mgmt"];

/// Whether an attribute of this name carries a secret.
pub(crate) fn is_secret(name: &str) -> bool {
    ATTRIBUTES.contains(&name)
}

/// The text with stars over every secret. Lines and columns stay where they are, and what can be in no secret is left
/// as it is: it may be what is wrong with it.
pub(crate) fn hide(text: &str) -> String {
    text.split_inclusive('\n').map(hide_line).collect()
}

fn hide_line(line: &str) -> String {
    let stars = |at: usize| {
        let (open, hidden) = line.split_at(at);
        format!("{open}{}", star(hidden))
    };
    if line.starts_with("k=") {
        return line
            .find(':')
            .map_or_else(|| line.to_owned(), |at| stars(at + 1));
    }
    let name = line
        .strip_prefix("a=")
        .and_then(|rest| rest.split_once(':'));
    match name {
        Some(("ice-pwd", _)) => stars("a=ice-pwd:".len()),
        Some(("key-mgmt", _)) => line.find(' ').map_or_else(|| line.to_owned(), stars),
        Some(("crypto", _)) => hide_keys(line),
        _ => line.to_owned(),
    }
}

/// Puts stars over what follows each `inline:`, up to the lifetime, and the MKI with it.
fn hide_keys(line: &str) -> String {
    const METHOD: &str = "inline:";

    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(METHOD) {
        let (open, key) = rest.split_at(at + METHOD.len());
        let end = key.find([' ', '\t', ';', '|', '\r', '\n']);
        let (key, after) = key.split_at(end.unwrap_or(key.len()));
        shown.push_str(open);
        shown.push_str(&star(key));
        rest = after;
    }
    shown.push_str(rest);
    shown
}

/// A star for every character of the alphabets that secrets are written in.
fn star(text: &str) -> String {
    let is_secret = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    text.chars()
        .map(|c| if is_secret(c) { '*' } else { c })
        .collect()
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
            ("a=key-mgmt:mikey AQAF\n", "a=key-mgmt:mikey ****\n"),
            ("k=base64:c2Vj\n", "k=base64:****\n"),
            ("k=prompt\n", "k=prompt\n"),
            ("a=ice-pwd\n", "a=ice-pwd\n"),
        ] {
            assert_eq!(hide(line), shown);
        }
    }
}
