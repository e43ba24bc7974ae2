//! Controlling and controlled, and what happens when both agents claim the same
//! ([RFC 8445 §7.3.1.1](https://www.rfc-editor.org/rfc/rfc8445#section-7.3.1.1)).
//!
//! ```text
//!                    the check says ICE-CONTROLLING     the check says ICE-CONTROLLED
//! we are controlling  ours >= theirs: answer 487        no conflict
//!                     ours <  theirs: switch
//! we are controlled   no conflict                       ours >= theirs: switch
//!                                                       ours <  theirs: answer 487
//! ```

use rtckit_stun::Message;

/// Which agent nominates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the RFC knows two")]
pub enum Role {
    /// Nominates the pair to be used.
    Controlling,
    /// Follows the nomination.
    Controlled,
}

impl Role {
    /// The other one.
    pub const fn switched(self) -> Self {
        match self {
            Self::Controlling => Self::Controlled,
            Self::Controlled => Self::Controlling,
        }
    }
}

/// What a check's role attribute means for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conflict {
    None,
    /// We take the other role and go on.
    Switch,
    /// The peer has to: answer 487.
    Refuse,
}

/// Compares our role and tie-breaker with those in `check`. A check with neither attribute conflicts with
/// nothing.
pub(crate) fn conflict(role: Role, tie_breaker: u64, check: &Message<'_>) -> Conflict {
    match (role, check.ice_controlling(), check.ice_controlled()) {
        (Role::Controlling, Some(theirs), _) if tie_breaker >= theirs => Conflict::Refuse,
        (Role::Controlling, Some(_), _) => Conflict::Switch,
        (Role::Controlled, _, Some(theirs)) if tie_breaker >= theirs => Conflict::Switch,
        (Role::Controlled, _, Some(_)) => Conflict::Refuse,
        _ => Conflict::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtckit_stun::{Class, MessageWriter, Method, TransactionId};

    #[test]
    fn the_table() {
        use Role::{Controlled, Controlling};
        let decide = |role, theirs_is: Role, theirs| {
            let mut buf = [0; 64];
            let mut writer = MessageWriter::new(
                &mut buf,
                Class::Request,
                Method::BINDING,
                TransactionId([0; 12]),
            )
            .unwrap();
            match theirs_is {
                Controlling => writer.ice_controlling(theirs).unwrap(),
                Controlled => writer.ice_controlled(theirs).unwrap(),
            }
            let len = writer.finish();
            conflict(role, 5, &Message::parse(&buf[..len]).unwrap())
        };
        assert_eq!(decide(Controlling, Controlling, 4), Conflict::Refuse);
        assert_eq!(decide(Controlling, Controlling, 5), Conflict::Refuse);
        assert_eq!(decide(Controlling, Controlling, 6), Conflict::Switch);
        assert_eq!(decide(Controlled, Controlled, 4), Conflict::Switch);
        assert_eq!(decide(Controlled, Controlled, 5), Conflict::Switch);
        assert_eq!(decide(Controlled, Controlled, 6), Conflict::Refuse);
        assert_eq!(decide(Controlling, Controlled, 9), Conflict::None);
        assert_eq!(decide(Controlled, Controlling, 9), Conflict::None);
    }
}
