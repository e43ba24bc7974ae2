//! What is compared: a file for each group. A new one gets its line in [`GROUPS`].

mod connect;
mod sdp;
mod srtp;
mod stun;

use crate::harness::Work;

/// A family of works.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Makes the works, after it has seen that all entrants do them right.
    pub(crate) works: fn() -> Vec<Work<'static>>,
}

/// In the order in which they run.
pub(crate) const GROUPS: &[Group] = &[
    Group {
        name: "srtp",
        about: "an RTP packet protected and unprotected",
        works: srtp::works,
    },
    Group {
        name: "stun",
        about: "a connectivity check of ICE built and signed, parsed and verified",
        works: stun::works,
    },
    Group {
        name: "sdp",
        about: "Chromium's offer parsed, read and written",
        works: sdp::works,
    },
    Group {
        name: "connect",
        about: "two peers from nothing to connected, the processor time of both",
        works: connect::works,
    },
];

#[cfg(test)]
mod tests {
    /// What a row calls a rival is what Cargo.toml pins.
    #[test]
    fn versions_are_those_of_the_manifest() {
        let manifest = include_str!("../../Cargo.toml");
        let sources = [
            include_str!("connect.rs"),
            include_str!("sdp.rs"),
            include_str!("srtp.rs"),
            include_str!("stun.rs"),
        ];
        let mut seen = 0;
        for line in sources.iter().flat_map(|source| source.lines()) {
            let Some(who) = line.trim().strip_prefix("const RIVAL_") else {
                continue;
            };
            let who = who.split('"').nth(1).expect("a name in quotes");
            let (name, version) = who.split_once(' ').expect("name and version");
            let pinned = manifest.lines().any(|line| {
                line.starts_with(&format!("{name} =")) && line.contains(&format!("\"={version}\""))
            });
            assert!(pinned, "{who} is not what Cargo.toml pins");
            seen += 1;
        }
        assert!(seen >= 12, "{seen} rivals");
    }
}
