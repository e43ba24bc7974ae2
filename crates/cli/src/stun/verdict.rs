//! What the report means, in plain words.

use core::net::IpAddr;
use std::io::{Write, stdout};

use rtckit_stun::{Behaviour, Report};

use super::Summary;

/// RFC 4787's names.
pub(super) const fn name(behaviour: Behaviour) -> &'static str {
    match behaviour {
        Behaviour::EndpointIndependent => "endpoint-independent",
        Behaviour::AddressDependent => "address-dependent",
        Behaviour::AddressAndPortDependent => "address-and-port-dependent",
    }
}

/// What all that means for a call from `mapped`.
pub(super) const fn verdict(mapped: IpAddr, is_direct: bool, report: &Report) -> &'static str {
    use Behaviour::EndpointIndependent;
    if mapped.is_loopback() {
        return "The server is on this host: ask one elsewhere to know how peers reach it.";
    }
    match (is_direct, report.mapping, report.filtering) {
        (true, _, Some(EndpointIndependent) | None) => {
            "No NAT: peers can reach this host directly."
        }
        (true, _, Some(_)) => {
            "No NAT, but a firewall that lets in only answers: calls connect, as both sides send first."
        }
        (false, Some(EndpointIndependent), Some(EndpointIndependent)) => {
            "An open NAT (full cone): peers can reach this host directly."
        }
        (false, Some(EndpointIndependent), _) => {
            "A friendly NAT: calls connect directly with STUN, unless the other side's NAT is symmetric."
        }
        (false, Some(_), _) => {
            "A symmetric NAT: it shows each peer another address, so calls to other NATs need a TURN server."
        }
        (false, None, _) => {
            "Behind a NAT. This server has no second address, so it cannot tell what kind."
        }
    }
}

/// How long a mapping lives, or why that is not known.
fn lifetime(summary: &Summary) -> String {
    match summary.lifetime_s {
        Some(lifetime) => format!("at least {lifetime:.0} s without use"),
        None if !summary.nat => "no NAT, no mapping".to_owned(),
        None => "this server cannot help to find out: it needs two addresses, and UDP".to_owned(),
    }
}

/// Prints the report for people.
pub(super) fn print(summary: &Summary) {
    let mut lines = vec![
        ("my address", summary.mapped.to_string()),
        ("on this host", summary.local.to_string()),
        ("the server", summary.server.to_string()),
    ];
    if let Some(rtt) = summary.rtt_us {
        #[expect(clippy::cast_precision_loss, reason = "a round trip is short")]
        let millis = rtt as f64 / 1000.0;
        lines.push(("round trip", format!("{millis:.1} ms")));
    }
    if let Some(mapping) = summary.mapping {
        lines.push(("mapping", mapping.to_owned()));
    }
    if let Some(filtering) = summary.filtering {
        lines.push(("filtering", filtering.to_owned()));
    }
    if let Some(hairpinning) = summary.hairpinning {
        let text = if hairpinning { "yes" } else { "no" };
        lines.push(("hairpinning", text.to_owned()));
    }
    if summary.seeks_lifetime {
        lines.push(("lifetime", lifetime(summary)));
    }
    let mut text: String = lines
        .iter()
        .map(|(name, value)| format!("{name:<13} {value}\n"))
        .collect();
    text.push_str(summary.verdict);
    text.push('\n');
    // a reader who has gone away misses it, that is all
    let _ = stdout().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use core::net::Ipv6Addr;

    use super::*;

    #[test]
    fn verdicts_follow_the_report() {
        let mut report = Report::default();
        let here = verdict(Ipv6Addr::LOCALHOST.into(), true, &report);
        assert!(here.starts_with("The server is on this host"));
        let verdict = |is_direct, report: &_| verdict([8, 8, 8, 8].into(), is_direct, report);
        assert!(verdict(true, &report).starts_with("No NAT: peers can"));
        assert!(verdict(false, &report).contains("cannot tell"));
        report.mapping = Some(Behaviour::AddressAndPortDependent);
        assert!(verdict(false, &report).contains("symmetric"));
        report.mapping = Some(Behaviour::EndpointIndependent);
        report.filtering = Some(Behaviour::AddressDependent);
        assert!(verdict(false, &report).contains("friendly"));
    }
}
