//! Names for readers of what the statistics have in numbers.

/// The name of a DTLS version that the statistics have in hexadecimal.
pub(crate) fn dtls_version(hexadecimal: Option<&str>) -> &'static str {
    match hexadecimal {
        Some("FEFD") => "DTLS 1.2",
        Some("FEFC") => "DTLS 1.3",
        _ => "unknown",
    }
}
