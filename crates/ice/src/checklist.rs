//! The check list: candidates, their pairs, and which pair is checked next
//! ([RFC 8445 §6.1](https://www.rfc-editor.org/rfc/rfc8445#section-6.1)).
//!
//! ```text
//! every Ta:  triggered-check queue, first in first out
//!            else the Waiting pair of the highest priority
//!            else the Frozen pair of the highest priority whose foundation has none Waiting or In-Progress
//! ```

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use rtckit_proto::{FiveTuple, Transport};
use rtckit_stun::TransactionId;

use crate::candidate::{Candidate, CandidateType, Foundation};
use crate::pair::{CandidatePair, PairId, PairState, pair_priority};
use crate::role::Role;

/// The candidates of both sides and their pairs. Everything in it has a ceiling.
#[derive(Clone, Debug, Default)]
pub(crate) struct CheckList {
    local: Vec<Candidate>,
    remote: Vec<Candidate>,
    pairs: Vec<CandidatePair>,
    triggered: VecDeque<PairId>,
    max_pairs: usize,
    next_id: u32,
}

impl CheckList {
    pub(crate) fn new(max_pairs: usize) -> Self {
        Self {
            max_pairs,
            ..Self::default()
        }
    }

    // ---- candidates ----

    pub(crate) fn local(&self) -> &[Candidate] {
        &self.local
    }

    pub(crate) fn remote(&self) -> &[Candidate] {
        &self.remote
    }

    /// Which local candidate receives at `address`.
    pub(crate) fn local_at(&self, address: SocketAddr) -> Option<usize> {
        self.local
            .iter()
            .position(|candidate| candidate.base() == address)
    }

    /// Which local candidate the peer sees as `address` when a check leaves from `base`.
    pub(crate) fn local_seen_as(&self, address: SocketAddr, base: SocketAddr) -> Option<usize> {
        self.local
            .iter()
            .position(|candidate| candidate.address == address && candidate.base() == base)
    }

    pub(crate) fn remote_at(&self, address: SocketAddr) -> Option<usize> {
        self.remote
            .iter()
            .position(|candidate| candidate.address == address)
    }

    /// Adds a candidate without pairing it.
    pub(crate) fn push_local(&mut self, candidate: Candidate) -> usize {
        self.local.push(candidate);
        self.local.len() - 1
    }

    /// Adds a candidate without pairing it.
    pub(crate) fn push_remote(&mut self, candidate: Candidate) -> usize {
        self.remote.push(candidate);
        self.remote.len() - 1
    }

    /// A candidate that was learnt from a check has now been signalled: what was signalled counts
    /// ([RFC 8838 §11](https://www.rfc-editor.org/rfc/rfc8838#section-11)).
    pub(crate) fn replace_remote(&mut self, index: usize, candidate: Candidate, role: Role) {
        if let Some(slot) = self.remote.get_mut(index) {
            *slot = candidate;
        }
        self.rank(role);
    }

    /// Forgets the peer and what was checked with it; local candidates that were not learnt from checks stay.
    pub(crate) fn restart(&mut self) {
        self.local
            .retain(|candidate| candidate.candidate_type != CandidateType::PeerReflexive);
        self.remote.clear();
        self.pairs.clear();
        self.triggered.clear();
    }

    // ---- pairs ----

    pub(crate) fn pairs(&self) -> &[CandidatePair] {
        &self.pairs
    }

    pub(crate) fn pairs_mut(&mut self) -> &mut [CandidatePair] {
        &mut self.pairs
    }

    pub(crate) fn pair(&self, id: PairId) -> Option<&CandidatePair> {
        self.pairs.iter().find(|pair| pair.id() == id)
    }

    pub(crate) fn pair_mut(&mut self, id: PairId) -> Option<&mut CandidatePair> {
        self.pairs.iter_mut().find(|pair| pair.id() == id)
    }

    pub(crate) fn pair_on(&mut self, path: FiveTuple) -> Option<&mut CandidatePair> {
        self.pairs.iter_mut().find(|pair| pair.path == path)
    }

    /// The pair whose check, current or cancelled, has this transaction id.
    pub(crate) fn pair_of(&self, transaction: TransactionId) -> Option<PairId> {
        self.pairs
            .iter()
            .find(|pair| pair.has_sent(transaction))
            .map(CandidatePair::id)
    }

    /// Pairs a new local candidate with every remote one.
    pub(crate) fn pair_local(&mut self, local: usize, role: Role) {
        for remote in 0..self.remote.len() {
            self.insert(local, remote, role);
        }
    }

    /// Pairs a new remote candidate with every local one.
    pub(crate) fn pair_remote(&mut self, remote: usize, role: Role) {
        for local in 0..self.local.len() {
            self.insert(local, remote, role);
        }
    }

    /// Adds the pair, unless there is one with the same base and remote address (the RFC's pruning), the two do
    /// not match, or there are too many pairs of higher priority.
    pub(crate) fn insert(&mut self, local: usize, remote: usize, role: Role) -> Option<PairId> {
        let (l, r) = (self.local.get(local)?, self.remote.get(remote)?);
        let path = FiveTuple {
            transport: Transport::Udp,
            local: l.base(),
            remote: r.address,
        };
        if !can_pair(path.local.ip(), path.remote.ip())
            || self.pairs.iter().any(|pair| pair.path == path)
        {
            return None;
        }
        let priority = pair_priority(role, l.priority, r.priority);
        if self.pairs.len() >= self.max_pairs && !self.evict(priority) {
            return None;
        }
        let id = PairId(self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        let mut pair = CandidatePair::new(id, local, remote, path, priority);
        if self.starts_waiting(self.foundation(&pair)) {
            pair.state = PairState::Waiting;
        }
        self.pairs.push(pair);
        Some(id)
    }

    /// Removes the pair of the lowest priority that nothing hangs on, if it ranks below `priority`.
    fn evict(&mut self, priority: u64) -> bool {
        let lowest = self
            .pairs
            .iter()
            .enumerate()
            .filter(|(_, pair)| {
                pair.check.is_none() && pair.valid.is_none() && pair.priority < priority
            })
            .min_by_key(|(_, pair)| pair.priority)
            .map(|(index, _)| index);
        if let Some(index) = lowest {
            self.pairs.swap_remove(index);
        }
        lowest.is_some()
    }

    fn foundation(&self, pair: &CandidatePair) -> Option<(Foundation, Foundation)> {
        Some((
            self.local.get(pair.local)?.foundation,
            self.remote.get(pair.remote)?.foundation,
        ))
    }

    /// Whether a new pair need not be frozen: nothing of its foundation is being checked, or something of it has
    /// succeeded ([RFC 8838 §12](https://www.rfc-editor.org/rfc/rfc8838#section-12)).
    fn starts_waiting(&self, foundation: Option<(Foundation, Foundation)>) -> bool {
        let mut alike = self
            .pairs
            .iter()
            .filter(|pair| self.foundation(pair) == foundation);
        let is_checked = |pair: &&CandidatePair| {
            matches!(pair.state, PairState::Waiting | PairState::InProgress)
        };
        let succeeded = |pair: &CandidatePair| pair.state == PairState::Succeeded;
        alike.clone().any(succeeded) || alike.find(is_checked).is_none()
    }

    /// Recomputes every priority: the role or a candidate has changed.
    pub(crate) fn rank(&mut self, role: Role) {
        for pair in &mut self.pairs {
            if let (Some(local), Some(remote)) =
                (self.local.get(pair.local), self.remote.get(pair.remote))
            {
                pair.priority = pair_priority(role, local.priority, remote.priority);
            }
        }
    }

    // ---- the order of checks ----

    /// Whether [`next_check`](Self::next_check) has one.
    pub(crate) fn has_check(&self) -> bool {
        !self.triggered.is_empty()
            || self.pairs.iter().any(|pair| {
                matches!(pair.state, PairState::Waiting | PairState::Frozen) && pair.check.is_none()
            })
    }

    /// The pair to check now; it leaves the queue.
    pub(crate) fn next_check(&mut self) -> Option<PairId> {
        while let Some(id) = self.triggered.pop_front() {
            if self.pair(id).is_some_and(|pair| pair.check.is_none()) {
                return Some(id);
            }
        }
        self.best(PairState::Waiting, |_| true)
            .or_else(|| {
                self.best(PairState::Frozen, |pair| {
                    self.starts_waiting(self.foundation(pair))
                })
            })
            .or_else(|| self.best(PairState::Frozen, |_| true))
    }

    /// Whether the next check nominates a pair that is valid.
    pub(crate) fn nomination_is_next(&self) -> bool {
        let first = self.triggered.front().and_then(|&id| self.pair(id));
        first.is_some_and(|pair| pair.check.is_none() && pair.nominate && pair.valid.is_some())
    }

    fn best(&self, state: PairState, suits: impl Fn(&CandidatePair) -> bool) -> Option<PairId> {
        self.pairs
            .iter()
            .filter(|pair| pair.state == state && pair.check.is_none() && suits(pair))
            .max_by_key(|pair| pair.priority)
            .map(CandidatePair::id)
    }

    /// Puts the pair into the triggered-check queue and cancels the check that is under way.
    pub(crate) fn trigger(&mut self, id: PairId) {
        self.cancel_and_wait(id);
        if self.pair(id).is_some() && !self.triggered.contains(&id) {
            self.triggered.push_back(id);
        }
    }

    /// The same at the head of the queue: a nomination does not wait for checks it makes needless.
    pub(crate) fn trigger_first(&mut self, id: PairId) {
        self.cancel_and_wait(id);
        self.triggered.retain(|&queued| queued != id);
        if self.pair(id).is_some() {
            self.triggered.push_front(id);
        }
    }

    fn cancel_and_wait(&mut self, id: PairId) {
        let Some(pair) = self.pair_mut(id) else {
            return;
        };
        pair.cancel_check();
        if pair.valid.is_none() {
            pair.state = PairState::Waiting;
        }
    }

    /// A check of the pair was answered: others of its foundation have a chance
    /// ([RFC 8445 §7.2.5.3.3](https://www.rfc-editor.org/rfc/rfc8445#section-7.2.5.3.3)).
    pub(crate) fn succeeded(&mut self, id: PairId) {
        self.triggered.retain(|&queued| queued != id);
        let Some(foundation) = self.pair(id).map(|pair| self.foundation(pair)) else {
            return;
        };
        for index in 0..self.pairs.len() {
            let alike = self.pairs.get(index).map(|pair| self.foundation(pair)) == Some(foundation);
            if let Some(pair) = self.pairs.get_mut(index).filter(|_| alike)
                && pair.state == PairState::Frozen
            {
                pair.state = PairState::Waiting;
            }
        }
    }

    /// A pair was selected: pairs that were not checked are removed, and checks under way are not repeated
    /// ([RFC 8445 §8.1.2](https://www.rfc-editor.org/rfc/rfc8445#section-8.1.2)).
    pub(crate) fn conclude(&mut self, selected: PairId) {
        self.triggered.clear();
        self.pairs.retain(|pair| {
            pair.id() == selected || !matches!(pair.state, PairState::Frozen | PairState::Waiting)
        });
        for pair in &mut self.pairs {
            pair.cancel_check();
            if pair.state == PairState::InProgress {
                pair.state = PairState::Failed;
            }
        }
    }

    /// How many checks wait or are under way: N of the RTO formula.
    pub(crate) fn load(&self) -> u32 {
        self.pairs
            .iter()
            .filter(|pair| matches!(pair.state, PairState::Waiting | PairState::InProgress))
            .count() as u32
    }

    pub(crate) fn is_pending(&self) -> bool {
        !self.triggered.is_empty() || self.pairs.iter().any(CandidatePair::is_pending)
    }
}

/// Whether the two can be paired: one family, and link-local addresses with their like
/// ([RFC 8445 §6.1.2.2](https://www.rfc-editor.org/rfc/rfc8445#section-6.1.2.2)).
fn can_pair(local: IpAddr, remote: IpAddr) -> bool {
    match (local, remote) {
        (IpAddr::V4(_), IpAddr::V4(_)) => true,
        (IpAddr::V6(local), IpAddr::V6(remote)) => {
            local.is_unicast_link_local() == remote.is_unicast_link_local()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(address: &str, preference: u16) -> Candidate {
        Candidate::host(address.parse().unwrap(), preference)
    }

    fn list(local: &[&str], remote: &[&str], max_pairs: usize) -> CheckList {
        let mut list = CheckList::new(max_pairs);
        for (index, address) in local.iter().enumerate() {
            list.push_local(host(address, 1000 - index as u16));
        }
        for (index, address) in remote.iter().enumerate() {
            let remote = list.push_remote(host(address, 1000 - index as u16));
            list.pair_remote(remote, Role::Controlling);
        }
        list
    }

    fn paths(list: &CheckList) -> Vec<(u16, u16, PairState)> {
        list.pairs()
            .iter()
            .map(|pair| (pair.path.local.port(), pair.path.remote.port(), pair.state))
            .collect()
    }

    #[test]
    fn families_and_link_local_addresses_stay_apart() {
        let list = list(
            &["192.0.2.1:1", "[2001:db8::1]:2", "[fe80::1]:3"],
            &["192.0.2.2:11", "[2001:db8::2]:12", "[fe80::2]:13"],
            100,
        );
        let ports: Vec<_> = list
            .pairs()
            .iter()
            .map(|pair| (pair.path.local.port(), pair.path.remote.port()))
            .collect();
        assert_eq!(ports, [(1, 11), (2, 12), (3, 13)]);
    }

    #[test]
    fn one_pair_of_a_foundation_waits_and_the_rest_is_frozen() {
        let mut list = list(
            &["192.0.2.1:1", "192.0.2.1:2"],
            &["192.0.2.2:11", "192.0.2.3:12"],
            100,
        );
        assert_eq!(
            paths(&list),
            [
                (1, 11, PairState::Waiting),
                (2, 11, PairState::Frozen),
                (1, 12, PairState::Waiting),
                (2, 12, PairState::Frozen)
            ]
        );
        let first = list.next_check().unwrap();
        list.pair_mut(first).unwrap().state = PairState::Succeeded;
        list.succeeded(first);
        assert_eq!(
            paths(&list)[1],
            (2, 11, PairState::Waiting),
            "unfrozen with its foundation"
        );
        assert_eq!(
            paths(&list)[3],
            (2, 12, PairState::Frozen),
            "another foundation"
        );
    }

    #[test]
    fn triggered_checks_come_first() {
        let mut list = list(&["192.0.2.1:1"], &["192.0.2.2:11", "192.0.2.3:12"], 100);
        let last = list.pairs()[1].id();
        list.trigger(last);
        list.trigger(last);
        assert_eq!(list.next_check(), Some(last));
        assert_ne!(list.next_check(), Some(PairId(99)));
        assert_eq!(list.triggered.len(), 0, "queued once");
        let first = list.pairs()[0].id();
        list.trigger(first);
        list.trigger_first(last);
        assert_eq!(
            (list.next_check(), list.next_check()),
            (Some(last), Some(first))
        );
    }

    #[test]
    fn the_ceiling_keeps_the_best_pairs() {
        let mut list = list(&["192.0.2.1:1"], &["192.0.2.2:11", "192.0.2.3:12"], 2);
        let worse = list.push_remote(host("192.0.2.4:13", 1));
        assert_eq!(list.insert(0, worse, Role::Controlling), None);
        let better = list.push_remote(host("192.0.2.5:14", 2000));
        assert!(list.insert(0, better, Role::Controlling).is_some());
        let ports: Vec<_> = list
            .pairs()
            .iter()
            .map(|pair| pair.path.remote.port())
            .collect();
        assert_eq!(ports, [11, 14]);
    }

    #[test]
    fn the_same_base_and_remote_address_pair_once() {
        let mut list = list(&["192.0.2.1:1"], &["192.0.2.2:11"], 100);
        let reflexive = Candidate::server_reflexive(
            "198.51.100.1:9".parse().unwrap(),
            "192.0.2.1:1".parse().unwrap(),
            1,
        );
        let reflexive = list.push_local(reflexive);
        list.pair_local(reflexive, Role::Controlling);
        assert_eq!(list.pairs().len(), 1);
    }
}
