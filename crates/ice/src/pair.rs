//! Candidate pairs ([RFC 8445 §6.1.2](https://www.rfc-editor.org/rfc/rfc8445#section-6.1.2)).

use core::time::Duration;

use arrayvec::ArrayVec;
use rtckit_proto::FiveTuple;
use rtckit_stun::{Transaction, TransactionId};

use crate::candidate::Candidate;
use crate::role::Role;

rtckit_proto::id! {
    /// Names a pair for the time of one ICE session.
    pub struct PairId(u32);
}

/// Where the check of a pair stands ([RFC 8445 §6.1.2.6](https://www.rfc-editor.org/rfc/rfc8445#section-6.1.2.6)).
///
/// ```text
///                  +--------+
///                  | Frozen |
///                  +--------+
///                      | unfreeze
///                      v
///                 +---------+  a check comes in    +--------+
///                 | Waiting |<---------------------| Failed |
///                 +---------+                      +--------+
///                      | Ta                             ^
///                      v              no answer, error  |
///               +-------------+-------------------------+
///               | In-Progress |
///               +-------------+--------------> Succeeded
///                                 answer
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the five states of RFC 8445")]
pub enum PairState {
    /// Its turn comes when another pair of its foundation has succeeded.
    Frozen,
    /// Its check is sent as soon as the pacing lets it.
    Waiting,
    /// A check was sent; its answer is awaited.
    InProgress,
    /// A check was answered.
    Succeeded,
    /// No check was answered, or with an error.
    Failed,
}

/// What a pair has seen, in the terms of `RTCIceCandidatePairStats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PairStats {
    /// Checks sent, retransmissions included, consent checks not.
    pub requests_sent: u64,
    /// Checks of the peer, retransmissions and consent checks included.
    pub requests_received: u64,
    /// Answers given.
    pub responses_sent: u64,
    /// Answers received that were authentic, those to consent checks included.
    pub responses_received: u64,
    /// Consent checks sent.
    pub consent_requests_sent: u64,
    /// The latest round-trip time measured.
    pub current_rtt: Option<Duration>,
    /// The sum of all of them; divided by `rtt_measurements` it is the mean.
    pub total_rtt: Duration,
    /// How many round-trip times were measured.
    pub rtt_measurements: u64,
}

impl PairStats {
    pub(crate) fn measure(&mut self, rtt: Duration) {
        self.current_rtt = Some(rtt);
        self.total_rtt = self.total_rtt.saturating_add(rtt);
        self.rtt_measurements += 1;
    }
}

/// The pair data travels on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SelectedPair {
    /// The local candidate: what the peer sees.
    pub local: Candidate,
    /// The remote candidate.
    pub remote: Candidate,
    /// From the base of the local candidate to the address of the remote one.
    pub path: FiveTuple,
}

/// A check under way.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) transaction: Transaction,
    pub(crate) role: Role,
    pub(crate) tie_breaker: u64,
    pub(crate) use_candidate: bool,
}

/// How many cancelled checks of a pair may still be answered. Where the round trip is longer than the time between two
/// checks of the peer, each of which cancels one of ours, remembering the last alone would be remembering none that
/// can be answered in time.
const MAX_CANCELLED: usize = 8;

/// A local and a remote candidate.
#[derive(Clone, Debug)]
pub struct CandidatePair {
    id: PairId,
    pub(crate) local: usize,
    pub(crate) remote: usize,
    pub(crate) path: FiveTuple,
    pub(crate) priority: u64,
    pub(crate) state: PairState,
    pub(crate) check: Option<Check>,
    /// Checks that were cancelled for triggered ones, the latest last; their answers still count.
    cancelled: ArrayVec<TransactionId, MAX_CANCELLED>,
    /// Which local candidate the peer saw: set while the pair is in the valid list.
    pub(crate) valid: Option<usize>,
    /// Controlling: the next check nominates. Controlled: the peer has nominated the pair.
    pub(crate) nominate: bool,
    pub(crate) nominated: bool,
    pub(crate) stats: PairStats,
}

impl CandidatePair {
    pub(crate) const fn new(
        id: PairId,
        local: usize,
        remote: usize,
        path: FiveTuple,
        priority: u64,
    ) -> Self {
        Self {
            id,
            local,
            remote,
            path,
            priority,
            state: PairState::Frozen,
            check: None,
            cancelled: ArrayVec::new_const(),
            valid: None,
            nominate: false,
            nominated: false,
            stats: PairStats {
                requests_sent: 0,
                requests_received: 0,
                responses_sent: 0,
                responses_received: 0,
                consent_requests_sent: 0,
                current_rtt: None,
                total_rtt: Duration::ZERO,
                rtt_measurements: 0,
            },
        }
    }

    /// Whether `transaction` is a check of this pair, under way or cancelled.
    pub(crate) fn has_sent(&self, transaction: TransactionId) -> bool {
        self.cancelled.contains(&transaction)
            || self
                .check
                .as_ref()
                .is_some_and(|check| check.transaction.id() == transaction)
    }

    /// Cancels the check under way: it is not repeated, and no failure, but its answer counts
    /// ([RFC 8445 §7.3.1.4](https://www.rfc-editor.org/rfc/rfc8445#section-7.3.1.4)).
    pub(crate) fn cancel_check(&mut self) {
        let Some(check) = self.check.take() else {
            return;
        };
        if self.cancelled.is_full() {
            self.cancelled.remove(0);
        }
        self.cancelled.push(check.transaction.id());
    }

    /// A cancelled check was answered.
    pub(crate) fn forget_cancelled(&mut self, transaction: TransactionId) {
        self.cancelled.retain(|cancelled| *cancelled != transaction);
    }

    /// Its name.
    pub const fn id(&self) -> PairId {
        self.id
    }

    /// Where its local candidate stands in [`local_candidates`](crate::Agent::local_candidates).
    pub const fn local_index(&self) -> usize {
        self.local
    }

    /// Where its remote candidate stands in [`remote_candidates`](crate::Agent::remote_candidates).
    pub const fn remote_index(&self) -> usize {
        self.remote
    }

    /// Where its checks leave from and go to.
    pub const fn path(&self) -> FiveTuple {
        self.path
    }

    /// Its rank in the check list.
    pub const fn priority(&self) -> u64 {
        self.priority
    }

    /// Where its check stands.
    pub const fn state(&self) -> PairState {
        self.state
    }

    /// Whether it was nominated and the nomination was answered.
    pub const fn is_nominated(&self) -> bool {
        self.nominated
    }

    /// What it has seen.
    pub const fn stats(&self) -> &PairStats {
        &self.stats
    }

    /// Whether something may still come of its check.
    pub(crate) const fn is_pending(&self) -> bool {
        matches!(
            self.state,
            PairState::Frozen | PairState::Waiting | PairState::InProgress
        ) || self.check.is_some()
    }
}

/// The priority of a pair ([RFC 8445 §6.1.2.3](https://www.rfc-editor.org/rfc/rfc8445#section-6.1.2.3)):
/// `2^32 * MIN(G,D) + 2 * MAX(G,D) + (G > D ? 1 : 0)`, with G the controlling agent's candidate's.
pub(crate) fn pair_priority(role: Role, local: u32, remote: u32) -> u64 {
    let (g, d) = match role {
        Role::Controlling => (local, remote),
        Role::Controlled => (remote, local),
    };
    (u64::from(g.min(d)) << 32) + 2 * u64::from(g.max(d)) + u64::from(g > d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_agents_compute_the_same_priority() {
        assert_eq!(pair_priority(Role::Controlling, 2, 1), (1 << 32) + 4 + 1);
        assert_eq!(pair_priority(Role::Controlled, 1, 2), (1 << 32) + 4 + 1);
        assert_eq!(pair_priority(Role::Controlling, 1, 2), (1 << 32) + 4);
        let greatest = i32::MAX as u32;
        assert!(
            pair_priority(Role::Controlling, greatest, greatest)
                > pair_priority(Role::Controlling, greatest, 1)
        );
    }
}
