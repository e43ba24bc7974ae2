//! Attributes that need each other, or another line to be as it should.

use super::{Rule, walk::Found};
use crate::{
    attribute::Kind,
    error::ParseError,
    reference::{MUX_MISSING, of_attribute},
};

/// The first line of each of these attributes, in the session or in a media section.
#[derive(Clone, Copy, Default)]
pub(super) struct Lines {
    ufrag: Option<u32>,
    pwd: Option<u32>,
    mux: Option<u32>,
    mux_only: Option<u32>,
    pub(super) bundle_only: Option<u32>,
    /// Whether it was said of the session's that one is there without the other.
    halved: bool,
}

pub(super) const NO_BUNDLE: &str =
    "a BUNDLE group that has this section: elsewhere the attribute means nothing";
const NO_PORT: &str = "port 0 in the m= line: the attribute means nothing beside another";
const PWD_MISSING: &str = "an a=ice-pwd, here or in the session, to go with it";
const UFRAG_MISSING: &str = "an a=ice-ufrag, here or in the session, to go with it";

impl Lines {
    /// An attribute stands in this line, whatever its value.
    pub(super) fn note(&mut self, kind: Kind, line: u32) {
        let first = match kind {
            Kind::IceUfrag => &mut self.ufrag,
            Kind::IcePwd => &mut self.pwd,
            Kind::RtcpMux => &mut self.mux,
            Kind::RtcpMuxOnly => &mut self.mux_only,
            Kind::BundleOnly => &mut self.bundle_only,
            _ => return,
        };
        first.get_or_insert(line);
    }

    /// What can be said at the end of a media section, which has a port or has none, of a session with the attributes
    /// `session`.
    pub(super) fn finish(&self, session: &mut Self, has_port: bool, found: &mut Found) {
        let mut say = |kind: Kind, line, expected| {
            let error = ParseError::new(kind.name(), 2, expected).at(line, 0);
            found.add(Rule::Consistency, error, of_attribute(kind, expected));
        };
        match self.bundle_only {
            Some(line) if has_port => say(Kind::BundleOnly, line, NO_PORT),
            // It is rejected, and what it says does not count.
            None if !has_port => return,
            _ => {}
        }
        if let (Some(line), None) = (self.mux_only, self.mux) {
            say(Kind::RtcpMuxOnly, line, MUX_MISSING);
        }
        let (ufrag, pwd) = (self.ufrag.or(session.ufrag), self.pwd.or(session.pwd));
        let (kind, line, expected) = match (ufrag, pwd) {
            (Some(line), None) => (Kind::IceUfrag, line, PWD_MISSING),
            (None, Some(line)) => (Kind::IcePwd, line, UFRAG_MISSING),
            _ => return,
        };
        let is_own = self.ufrag.or(self.pwd).is_some();
        // Once is enough for what is the session's.
        if is_own || !session.halved {
            say(kind, line, expected);
        }
        session.halved |= !is_own;
    }
}
