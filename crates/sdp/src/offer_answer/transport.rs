//! Who opens, and on how many ports.

use crate::attribute::Setup;

/// The `a=setup` of an answer ([RFC 4145 §4.1](https://www.rfc-editor.org/rfc/rfc4145.html#section-4.1)): the offerer's
/// choice, or if it leaves the choice, `preferred`. `None` is an offer without the attribute.
///
/// ```
/// use rtckit_sdp::{attribute::Setup, offer_answer::answer_setup};
///
/// assert_eq!(answer_setup(Some(Setup::ActPass), Setup::Active), Setup::Active);
/// assert_eq!(answer_setup(Some(Setup::Active), Setup::Active), Setup::Passive);
/// ```
#[must_use]
pub const fn answer_setup(offered: Option<Setup>, preferred: Setup) -> Setup {
    match (offered, preferred) {
        (Some(Setup::Active), _) => Setup::Passive,
        (Some(Setup::Passive), _) => Setup::Active,
        (Some(Setup::HoldConn), _) => Setup::HoldConn,
        (Some(Setup::ActPass) | None, Setup::Passive) => Setup::Passive,
        (Some(Setup::ActPass) | None, Setup::HoldConn) => Setup::HoldConn,
        // "active" is recommended for answers (RFC 8842 §5.3); an answer never says "actpass".
        (Some(Setup::ActPass) | None, _) => Setup::Active,
    }
}

/// Whether the offerer is who opens (for DTLS, the client), by what the answer says. An answer without `a=setup` has that
/// of RFC 4145, `active`: the answerer opens. `None` if nobody does.
#[must_use]
pub const fn offerer_opens(answered: Option<Setup>) -> Option<bool> {
    match answered {
        Some(Setup::Passive) => Some(true),
        Some(Setup::HoldConn) => None,
        _ => Some(false),
    }
}

/// Whether RTP and RTCP share a port: both sides say so
/// ([RFC 5761 §5.1.1](https://www.rfc-editor.org/rfc/rfc5761.html#section-5.1.1)).
///
/// `None` if they cannot talk: one side has nothing else, and the other has not got that
/// ([RFC 8858 §4](https://www.rfc-editor.org/rfc/rfc8858.html#section-4)).
#[must_use]
pub const fn answer_rtcp_mux(
    offered: bool,
    offers_nothing_else: bool,
    supported: bool,
    requires: bool,
) -> Option<bool> {
    let offered = offered || offers_nothing_else;
    match (offered, supported) {
        (true, true) => Some(true),
        (true, false) if offers_nothing_else => None,
        (false, _) if requires => None,
        _ => Some(false),
    }
}
